/* SPDX-License-Identifier: BSD-3-Clause
 * What the parts of /metrics share: metrics.c walks the statistics, metrics_text.c writes, metrics_drops.c has the
 * drops by object. */
#ifndef CTRL_METRICS_PRIVATE_H
#define CTRL_METRICS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrl/ctrl.h"
#include "ctrl/ids.h"
#include "ctrl/object_drops.h"
#include "heddle/stats.h"

enum metrics_rows {
	BY_ID,    /* rows are numbers of named objects */
	BY_NAME,  /* rows say their names */
	BY_SLICE, /* one row; each worker's share is a series */
	ALL,      /* one series: nobody has said yet what the rows are */
};

struct metrics_kind {
	const char *vec, *label;
	enum metrics_rows rows;
	enum id_space space;
	const char *what;
};
const struct metrics_kind *metrics_kind_of(const struct hd_stats_vec *v); /* NULL: unknown */

struct metrics_out {
	char *buf;
	size_t len, size;
};

void metrics_put(struct metrics_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A name of ours ("rx-packets", at most len octets) as a name of theirs. */
const char *metrics_name(const char *text, size_t len, char buf[64]);
/* The same as the value of a label. */
const char *metrics_label(const char *text, size_t len, char buf[260]);
/* HELP and TYPE of a counter.  The older format names the sample, OpenMetrics the family. */
void metrics_counter_head(struct metrics_out *o, bool open, const char *name, const char *help);

/* Drops by object: a cursor over one reading of them. */
struct metrics_drops {
	struct object_drops all;
	size_t first, at; /* of the kind of object that is being written; the next one */
	unsigned col;     /* 0: packets, 1: octets */
	bool headed, read;
	uint32_t series; /* told apart in this family */
	uint64_t other;
};
/* One line.  False: there are no more. */
bool metrics_drops_line(struct metrics_drops *d, struct metrics_out *o, struct ctrl *c, bool open,
			uint32_t max_series);

#endif
