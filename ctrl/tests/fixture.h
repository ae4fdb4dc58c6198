/* SPDX-License-Identifier: BSD-3-Clause
 * The control process without main(), before a mock of the data plane (fake_dp.h): for .init and .fini of a suite. */
#ifndef CTRL_TESTS_FIXTURE_H
#define CTRL_TESTS_FIXTURE_H

#include <unistd.h>
#include <uv.h>

#include "ctrl/ctrl.h"
#include "ctrl/tests/fake_dp.h"

extern struct fake_dp *fake;
extern struct ctrl c;
extern char state_dir[64]; /* fresh for each test */

void fixture_init(void);
void fixture_fini(void);

/* The process ends; another one starts with the files it left. */
void fixture_stop(void);
void fixture_start(void);

/* Connect to the mock, and wait until it holds what runs. */
void connect_dp(void);

/* Turn the loop until it is so; false after ten seconds. */
#define turn_until(condition)                                 \
	({                                                    \
		uint64_t end_ = uv_hrtime() + 10000000000ull; \
		while (!(condition) && uv_hrtime() < end_) {  \
			uv_run(c.loop, UV_RUN_NOWAIT);        \
			usleep(200);                          \
		}                                             \
		(condition);                                  \
	})

#endif
