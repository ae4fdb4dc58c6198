/* SPDX-License-Identifier: BSD-3-Clause
 * Versions of the configuration on disk, in a state directory:
 *   history/000012.json   configuration of revision 12: never written again
 *   history/000012.meta   who, when, why, and until when it must be confirmed
 *   running.json          symbolic link to the version in force
 * A version is written whole and synced first; what puts it in force is one rename of the link.  Whenever the process
 * or the machine stops, and whenever the disk is full, the old version or the new one is in force, never a part. */
#ifndef CTRL_VERSIONS_H
#define CTRL_VERSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define VERSIONS_MAX 20u /* kept besides the one in force */

struct version {
	uint32_t revision;
	time_t time;
	char user[64], comment[200];
	char source[256]; /* where its text came from */
	char file[512];   /* configuration file last loaded, and the hash of its content */
	uint64_t file_hash;
	uint32_t n_objects;
	uint32_t revert_to;   /* 0: confirmed; else the revision that returns */
	time_t confirm_until; /* unless it is confirmed before */
	uint32_t confirm_s;   /* time that was given */
};

/* Write version v, not yet in force.  0 or -Exxx (-ENOSPC: nothing has changed). */
int versions_prepare(const char *dir, const struct version *v, const char *json);
/* Put a prepared version in force, and let the oldest go. */
int versions_switch(const char *dir, uint32_t revision);
/* Remove a prepared version. */
void versions_abort(const char *dir, uint32_t revision);
/* Replace what is known about a version. */
int versions_update(const char *dir, const struct version *v);

/* Revision in force; 0: none, or running.json is a file of somebody else's making. */
uint32_t versions_current(const char *dir);
/* Path of a version's text. */
const char *versions_path(const char *dir, uint32_t revision, char *buf, size_t size);
/* What is known about a version.  0, -ENOENT: there is no such version. */
int versions_read(const char *dir, uint32_t revision, struct version *ret);

#endif
