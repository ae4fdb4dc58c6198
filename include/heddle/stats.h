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
	HD_STATS_DROPS =
		6, /* rows found by their key, each slice for itself: cols HD_DROP_* below */
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

/* ---- drops of objects --------------------------------------------------------------------------------------------
 * Vector "object-drop": which object (a SID, a policy, a segment list) dropped how many packets for which reason.  The
 * key of a row names the object by its counter vector and its row there, and the reason by verdict vector and row.  A
 * row that has a key keeps it.  Row 0 has none: it adds up what found no free row. */
#define HD_DROP_KEY     0u
#define HD_DROP_PACKETS 1u
#define HD_DROP_OCTETS  2u
#define HD_DROP_COLS    3u
#define HD_DROP_ROWS    8192u

/* 1 << 63, then object vector (7 bits) and id (32), verdict vector (8) and verdict (16): sorted, an object's stand
 * together. */
static inline uint64_t hd_drop_key(uint32_t object_vec, uint32_t id, uint32_t verdict_vec,
				   uint32_t verdict)
{
	static_assert(HD_STATS_VECS_MAX <= 128, "7 bits are enough");
	return 1ull << 63 | (uint64_t)(object_vec & 0x7f) << 56 | (uint64_t)id << 24 |
	       (uint64_t)(verdict_vec & 0xff) << 16 | (verdict & 0xffff);
}

static inline uint32_t hd_drop_object_vec(uint64_t key)
{
	return (uint32_t)(key >> 56) & 0x7f;
}

static inline uint32_t hd_drop_object(uint64_t key)
{
	return (uint32_t)(key >> 24);
}

static inline uint32_t hd_drop_verdict_vec(uint64_t key)
{
	return (uint32_t)(key >> 16) & 0xff;
}

static inline uint32_t hd_drop_verdict(uint64_t key)
{
	return (uint32_t)key & 0xffff;
}

/* ---- histograms ---------------------------------------------------------------------------------------------
 * Log-linear: each octave is cut into HD_HIST_SUB equal buckets, so that a bucket's width is at most 1/128 (0.8 %) of
 * the values in it; values below 2 * HD_HIST_SUB are exact.  One writer; readers may see it a little torn, never far
 * off.  Values are nanoseconds wherever this tree uses it. */
#define HD_HIST_SUB_BITS 7u
#define HD_HIST_SUB      (1u << HD_HIST_SUB_BITS)
#define HD_HIST_MAX_BITS 40u /* values from 2^40 on (18 minutes) fall into the last bucket */
#define HD_HIST_BUCKETS  ((HD_HIST_MAX_BITS - HD_HIST_SUB_BITS + 1u) * HD_HIST_SUB)

struct hd_hist {
	uint64_t count, sum, min, max; /* exact; min and max mean nothing while count is 0 */
	uint64_t bucket[HD_HIST_BUCKETS];
};
static_assert(sizeof(struct hd_hist) == 32 + 8 * HD_HIST_BUCKETS, "no hidden padding");

/* The bucket of a value. */
static inline uint32_t hd_hist_index(uint64_t value)
{
	uint32_t shift;

	if (value < 2 * HD_HIST_SUB)
		return (uint32_t)value;
	if (value >> HD_HIST_MAX_BITS != 0)
		return HD_HIST_BUCKETS - 1;
	shift = 63u - (uint32_t)__builtin_clzll(value) - HD_HIST_SUB_BITS;
	return shift * HD_HIST_SUB + (uint32_t)(value >> shift);
}

/* The highest value that falls into a bucket. */
static inline uint64_t hd_hist_high(uint32_t index)
{
	uint32_t shift;

	if (index < 2 * HD_HIST_SUB)
		return index;
	shift = index / HD_HIST_SUB - 1;
	return ((uint64_t)(index - shift * HD_HIST_SUB + 1) << shift) - 1;
}

static inline void hd_hist_add(struct hd_hist *h, uint64_t value)
{
	if (h->count == 0 || value < h->min)
		h->min = value;
	if (h->count == 0 || value > h->max)
		h->max = value;
	h->count++;
	h->sum += value;
	h->bucket[hd_hist_index(value)]++;
}

/* Everything of `from` into `to`. */
static inline void hd_hist_merge(struct hd_hist *to, const struct hd_hist *from)
{
	if (from->count == 0)
		return;
	if (to->count == 0 || from->min < to->min)
		to->min = from->min;
	if (to->count == 0 || from->max > to->max)
		to->max = from->max;
	to->count += from->count;
	to->sum += from->sum;
	for (uint32_t i = 0; i < HD_HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

/* The smallest recorded value v such that at least `percent` (0..100) of the values are <= v: nearest rank, as the top
 * of its bucket, hence at most 0.8 % too high and never above max.  0 if nothing was recorded. */
static inline uint64_t hd_hist_percentile(const struct hd_hist *h, double percent)
{
	double want = percent / 100 * (double)h->count;
	uint64_t rank = (uint64_t)want, seen = 0;

	if (h->count == 0)
		return 0;
	rank += (double)rank < want;
	if (rank == 0)
		return h->min;
	for (uint32_t i = 0; i < HD_HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			return i < HD_HIST_BUCKETS - 1 && hd_hist_high(i) < h->max ?
				       hd_hist_high(i) :
				       h->max;
	}
	return h->max;
}

#endif
