/* SPDX-License-Identifier: BSD-3-Clause
 * Layout of the shared-memory statistics segment (a memfd the data plane hands out read-only).
 *
 * The segment is a header, a directory of vectors, and the vectors' cells.  A vector is a table: rows
 * (interfaces, verdicts, nodes, SIDs, ...) by columns (packets, octets, cycles, ...), once per worker; the value of
 * a cell is the sum over the workers.  Each worker writes only its own cells, with plain 64-bit stores; counters
 * only grow.  One more slice, the last, belongs to the control thread.  Reading takes no lock and disturbs nobody.
 * A reader checks magic, version and size before anything else. */
#ifndef HEDDLE_STATS_H
#define HEDDLE_STATS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define HD_STATS_MAGIC    0x4845444c53544131ull /* "HEDLSTA1" */
#define HD_STATS_VERSION  1u
#define HD_STATS_COLS_MAX 8u
#define HD_STATS_VECS_MAX 128u
#define HD_STATS_ROW_NAME 48u
#define HD_STATS_ROW_TEXT 208u

struct hd_stats_hdr {
	uint64_t magic;
	uint32_t version;
	uint32_t n_vecs;   /* grows only; written after the vector is complete */
	uint64_t size;     /* of the segment, octets */
	uint64_t instance; /* as in HELLO */
	uint64_t start_ns; /* CLOCK_REALTIME of the start */
	uint64_t tsc_hz;   /* to turn cycles into time */
	uint64_t vec_off;  /* of the directory: struct hd_stats_vec[HD_STATS_VECS_MAX] */
};
static_assert(sizeof(struct hd_stats_hdr) == 56, "no hidden padding");

enum hd_stats_kind {
	HD_STATS_COUNTER = 1, /* rows are object ids */
	HD_STATS_VERDICT =
		2, /* rows are the verdicts of one node; row info gives name, severity, next, help */
	HD_STATS_NODE = 3,   /* rows are graph nodes; cols calls, objects, cycles */
	HD_STATS_WORKER = 4, /* rows are always 1; one slice per worker matters */
	HD_STATS_GAUGE = 5,  /* like COUNTER but values go up and down; only the control slice */
};

struct hd_stats_vec {
	char name[48]; /* "interface", "verdict/ip6-input", "node", "sid", ... */
	uint32_t kind; /* enum hd_stats_kind */
	uint32_t n_rows, n_cols, n_slices; /* slices: workers, then the control thread */
	uint64_t cell_off;                 /* first cell of slice 0 */
	uint64_t slice_stride;             /* octets between slices */
	uint64_t row_info_off;             /* struct hd_stats_row[n_rows], or 0: rows are ids */
	char col[HD_STATS_COLS_MAX][24];
};
static_assert(sizeof(struct hd_stats_vec) == 48 + 16 + 24 + 192, "no hidden padding");

enum hd_severity { HD_SEV_INFO = 0, HD_SEV_WARN = 1, HD_SEV_ERROR = 2 };

struct hd_stats_row {
	char name[HD_STATS_ROW_NAME]; /* "hop-limit" */
	char next[32];                /* verdicts: node it leads to */
	uint32_t severity;            /* enum hd_severity */
	uint32_t pad;
	char text[HD_STATS_ROW_TEXT]; /* one sentence, with the RFC section; what to do */
};
static_assert(sizeof(struct hd_stats_row) == 296, "no hidden padding");

static inline const struct hd_stats_vec *hd_stats_vecs(const struct hd_stats_hdr *h)
{
	return (const struct hd_stats_vec *)((const uint8_t *)h + h->vec_off);
}

/* Address of a cell of one slice.  The caller has checked row, col and slice against the vector. */
static inline const uint64_t *hd_stats_cell(const struct hd_stats_hdr *h,
					    const struct hd_stats_vec *v, uint32_t slice,
					    uint32_t row, uint32_t col)
{
	return (const uint64_t *)((const uint8_t *)h + v->cell_off + slice * v->slice_stride) +
	       (size_t)row * v->n_cols + col;
}

/* Sum of a cell over all slices. */
static inline uint64_t hd_stats_sum(const struct hd_stats_hdr *h, const struct hd_stats_vec *v,
				    uint32_t row, uint32_t col)
{
	uint64_t sum = 0;
	for (uint32_t s = 0; s < v->n_slices; s++)
		sum += __atomic_load_n(hd_stats_cell(h, v, s, row, col), __ATOMIC_RELAXED);
	return sum;
}

#endif
