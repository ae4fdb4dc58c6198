/* SPDX-License-Identifier: BSD-3-Clause
 * The store between history.c, which writes, and history_query.c, which reads. */
#ifndef CTRL_PM_HISTORY_PRIVATE_H
#define CTRL_PM_HISTORY_PRIVATE_H

#include "ctrl/pm/store.h"

/* For a job: the store, opened when it is first needed; NULL with *ret_why.  To be unlocked in both cases. */
struct store *history_lock(const char **ret_why);
void history_unlock(void);

#endif
