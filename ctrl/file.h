/* SPDX-License-Identifier: BSD-3-Clause
 * Files that must survive a crash, and files that must not eat the memory. */
#ifndef CTRL_FILE_H
#define CTRL_FILE_H

#include <stddef.h>

/* Put `len` octets in place of `path`: temporary file beside it, fsync, rename, fsync of the directory.
 * A reader sees the old content or the new, never a part.  0 or -Exxx. */
int file_replace(const char *path, const void *data, size_t len);

/* The whole file with a NUL behind it; the caller frees *ret.  -EFBIG when it has more than `max` octets,
 * -EISDIR, or another -Exxx. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* Sync the directory that `path` is in, so that a rename there outlives the machine.  0 or -Exxx. */
int file_sync_dir(const char *path);

/* mkdir -p with mode 0755.  0 or -Exxx. */
int file_mkdirs(const char *path);

#endif
