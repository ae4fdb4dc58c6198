/* SPDX-License-Identifier: BSD-3-Clause
 * The process around the event loop: signals and the service manager. */
#ifndef CTRL_LOOP_H
#define CTRL_LOOP_H

#include <stdint.h>
#include <uv.h>

/* Tell the service manager (sd_notify(3)), if there is one: "READY=1", "STATUS=...".  */
void loop_notify(const char *state);

struct loop_signals {
	uv_signal_t term, intr, hup;
};

/* SIGTERM and SIGINT call stop, SIGHUP calls reload. */
int loop_signals_start(uv_loop_t *loop, struct loop_signals *s, void (*stop)(void *),
		       void (*reload)(void *), void *arg);
void loop_signals_stop(struct loop_signals *s);

/* How long one turn of the loop took: nobody else is served meanwhile. */
struct loop_watch {
	uv_prepare_t prepare;   /* before the loop waits */
	uint64_t began[2];      /* LOOP_WALL without waiting, LOOP_CPU, in ns */
	uint64_t longest[2][2]; /* of this minute and the one before */
	uint64_t minute;        /* 0: no turn yet */
};

enum { LOOP_WALL, LOOP_CPU }; /* CPU: of its thread */

void loop_watch_start(uv_loop_t *loop, struct loop_watch *w);
void loop_watch_stop(struct loop_watch *w);
/* The longest turn of the last minute or two, in ns; 0 for NULL. */
uint64_t loop_watch_longest(const struct loop_watch *w, int clock);

#endif
