/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench traffic: what its tests share. */
#ifndef BENCH_TRAFFIC_TRAFFIC_H
#define BENCH_TRAFFIC_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/traffic/gen.h"
#include "bench/traffic/search.h"

struct json_object;

enum { TRAFFIC_OK = 0, TRAFFIC_FAILED = 1, TRAFFIC_USAGE = 2, TRAFFIC_BOUND = 3 };

struct rate {
	enum { RATE_NONE, RATE_PPS, RATE_BPS, RATE_PERCENT } unit;
	double value; /* bits per second count preamble and gap */
};

struct traffic_options {
	struct rate rate, max_rate; /* of all streams together */
	double line_bps;            /* 0: as the ports say */
	double trial_s, first_s;    /* length of a full trial, and of the search's first */
	double width, limit_s;
	double pdr;      /* loss ratio */
	uint32_t repeat; /* back-to-back: bursts */
	bool progress;
	void (*before)(void *arg, double pps); /* called before each trial, or NULL */
	void *before_arg;
};

/* One measurement, for people, JSON and the picture. */
struct traffic_row {
	char test[16];               /* run, throughput, latency, loss, back-to-back, ndr, pdr */
	char sizes[64];              /* as asked */
	double octets;               /* mean, with FCS */
	struct gen_result *trial;    /* run, latency, loss; else NULL.  Owned */
	struct search_bounds bounds; /* throughput, ndr, pdr */
	double goal;
	double burst, burst_seconds; /* back-to-back: packets, mean of the repeats */
	double line_pps;             /* 0: unknown */
};

#define TRAFFIC_ROWS_MAX 512u
extern struct traffic_row traffic_rows[TRAFFIC_ROWS_MAX];
extern uint32_t traffic_n_rows;
struct traffic_row *traffic_row_add(const char *test, const char *sizes);

/* The tests, for the sizes that gen_frames() holds.  They add rows and return an exit code. */
int test_run(const struct traffic_options *o, const char *sizes);
int test_throughput(const struct traffic_options *o, const char *sizes, double *ret_pps);
int test_latency(const struct traffic_options *o, const char *sizes, double pps);
int test_loss(const struct traffic_options *o, const char *sizes);
int test_back_to_back(const struct traffic_options *o, const char *sizes);
int test_ndr(const struct traffic_options *o, const char *sizes);
/* Packets per second of a rate; 0: a percentage, and no port tells its speed. */
double rate_pps(const struct rate *r, double line_bps);

int selftest(bool memif, int cpu, bool no_huge);

/* Reports. */
void traffic_text(FILE *f, const struct traffic_row *r, const struct streams *s);
struct json_object *traffic_json(const struct streams *s, double ceiling, int cpu);
int traffic_svg(const char *path);
void traffic_progress(double elapsed, uint64_t sent, uint64_t received);
void traffic_progress_end(void);

#endif
