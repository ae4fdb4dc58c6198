/* SPDX-License-Identifier: BSD-3-Clause
 * Domain ioam: in situ OAM (heddle-ioam).  ioam.c compiles, ioam_record.c reads records, ioam_collect.c fetches and
 * exports them, ioam_state.c answers. */
#ifndef CTRL_PM_IOAM_H
#define CTRL_PM_IOAM_H

#include <json-c/json.h>

#include "ctrl/domains.h"
#include "heddle/api/ioam.h"

extern const struct ctrl_domain ioam_domain;

void ioam_start(struct ctrl *c);
void ioam_stop(void);

/* A record in words; never NULL. */
struct json_object *ioam_record_json(const struct hd_api_ioam_record *r);

#define IOAM_LAST 64u
struct ioam_exported {
	uint64_t records, missed, messages, send_errors;
	char file_problem[160];
	char *last[IOAM_LAST]; /* lines; number n is at n % IOAM_LAST */
};
extern struct ioam_exported ioam_exported;

void ioam_state(struct ctrl *c, struct http_req *req);

#endif
