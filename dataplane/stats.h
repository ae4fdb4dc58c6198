/* SPDX-License-Identifier: BSD-3-Clause
 * Writer's side of the statistics segment (layout: include/heddle/stats.h). */
#ifndef DATAPLANE_STATS_H
#define DATAPLANE_STATS_H

#include "dataplane/dp_limits.h"
#include "heddle/stats.h"

/* Make the memfd segment for n_workers plus the control slice.  Returns 0 or -Exxx. */
int stats_init(unsigned n_workers);
void stats_fini(void);

/* Descriptor to hand out (read-only duplicate, CLOEXEC); stays owned by this module. */
int stats_fd(void);
const struct hd_stats_hdr *stats_hdr(void);

/* Add a vector (control thread, before workers use it).  cols: NULL-terminated names.  rows: n_rows row
 * descriptions copied in, or NULL when rows are ids.  Returns the vector's index, or -ENOSPC / -ENOMEM. */
int stats_vec_add(const char *name, enum hd_stats_kind kind, uint32_t n_rows,
		  const char *const *cols, const struct hd_stats_row *rows);

/* First cell of one slice: a worker's, by its id; the control thread's, number n_workers; or the hidden one, behind
 * it, which no reader adds up: the worker of explain.h counts there.  Cell (row, col) is [row * n_cols + col]. */
uint64_t *stats_slice(int vec, unsigned slice);
unsigned stats_hidden_slice(void);

/* What nodes index by worker->id: the first row of every slice, as an array of STATS_SLICES_MAX pointers. */
#define STATS_SLICES_MAX (DP_WORKERS_MAX + 2)
#define STATS_SLICES_FILL(array, vec)                                                 \
	do {                                                                          \
		static_assert(sizeof(array) / sizeof((array)[0]) == STATS_SLICES_MAX, \
			      "one pointer per slice");                               \
		for (unsigned slice_ = 0; slice_ <= stats_hidden_slice(); slice_++)   \
			(array)[slice_] = (void *)stats_slice(vec, slice_);           \
	} while (0)

#endif
