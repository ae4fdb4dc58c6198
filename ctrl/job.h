/* SPDX-License-Identifier: BSD-3-Clause
 * Work that takes long is done in a thread of libuv's pool, and the loop goes on meanwhile. */
#ifndef CTRL_JOB_H
#define CTRL_JOB_H

struct ctrl;

/* work(arg) in a thread, then done(arg), if there is one, in the loop.  Whatever work() uses belongs to it until then.
 * While nobody is served yet, and when memory is out, both are called before this returns. */
void job_start(struct ctrl *c, void (*work)(void *arg), void (*done)(void *arg), void *arg);

#endif
