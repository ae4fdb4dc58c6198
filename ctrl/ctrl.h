/* SPDX-License-Identifier: BSD-3-Clause
 * The control process as a whole: what main() makes and everybody is handed. */
#ifndef CTRL_CTRL_H
#define CTRL_CTRL_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct api;
struct candidate;
struct capture;
struct dp;
struct events;
struct ids;
struct loop_watch;
struct mirror;
struct running;

struct ctrl {
	uv_loop_t *loop;
	struct ly_ctx *ly;
	struct ids *ids;
	struct running *running;
	struct mirror *mirror; /* of the kernel; NULL: none (tests of other parts) */
	struct candidate *candidate;
	struct dp *dp;
	struct api *api;         /* listeners, users, roles; NULL: none (tests of other parts) */
	struct events *events;   /* NULL: nobody is told */
	struct capture *capture; /* ctrl/debug; NULL: none yet */
	const char *config_file; /* --config, or NULL */
	uint64_t start_ms;       /* uv_now() at the start */
	int default_log_level;   /* of the command line */
	unsigned jobs; /* in threads of libuv's pool: they are awaited before anything is torn down */
	struct loop_watch *watch; /* how long the loop's turns take; NULL: nobody looks */
	bool serving;             /* the loop runs, and somebody may wait for it */
};

#endif
