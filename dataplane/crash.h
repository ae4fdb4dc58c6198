/* SPDX-License-Identifier: BSD-3-Clause
 * Crash report: on a fatal signal `<dir>/crash-<pid>.txt` says where each worker was, what packets it had last and
 * what the control process had programmed last; then the signal takes its usual course (core dump, systemd). */
#ifndef DATAPLANE_CRASH_H
#define DATAPLANE_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRASH_TXN_NOTES 64u

/* Install the handlers, and alternate stacks for this thread and every EAL worker lcore (which must be idle: before
 * workers_launch()).  dir is opened now, the file made only when needed.  software: "heddle-dp 0.1.0".
 * Returns 0 or -Exxx (nothing installed). */
int crash_init(const char *dir, const char *software);
void crash_fini(void);

/* Alternate signal stack for a thread that EAL did not make.  0 or -ENOMEM. */
int crash_thread_init(void);

/* Control thread: remember something for the report, in a ring of the last CRASH_TXN_NOTES.  The first formats;
 * the second only copies, for each object of a transaction (name: of the kind, lives as long as the process). */
void crash_txn_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void crash_object_note(const char *name, bool del, const void *key, size_t key_size, int rc);

#endif
