/* SPDX-License-Identifier: BSD-3-Clause
 * The process around the event loop: signals and the service manager. */
#ifndef CTRL_LOOP_H
#define CTRL_LOOP_H

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

#endif
