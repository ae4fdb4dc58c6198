/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench table-api: what its parts share.
 *
 * A heddle-dp of its own is started and driven through its socket, by one client with one transaction under way.
 *   kinds.c    the objects, and what has to be there before them
 *   client.c   the data plane, the socket, transactions, the statistics segment
 *   rates.c    how many objects of each kind a second, no packets about
 *   disturb.c  what the same updates do to a worker that forwards
 *   command.c  command line, table, JSON */
#ifndef BENCH_TABLE_API_H
#define BENCH_TABLE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "heddle/stats.h"

#define TA_PER_TXN    4096u
#define TA_ROUNDS_MAX 101u

/* ---- kinds.c --------------------------------------------------------------------------------------------------- */

struct ta_kind {
	const char *name;
	uint16_t type;
	uint32_t count;
	size_t (*make)(uint32_t i, void *to); /* body of the i-th object; returns its octets */
};
#define TA_KINDS 10u
extern const struct ta_kind ta_kinds[TA_KINDS]; /* what is referred to stands first */

/* Options of heddle-dp that give room for all of them. */
extern const char *const ta_limits[];

#define TA_NEXTHOPS4 8192u /* ids below: IPv4 gateways; as many more: IPv6 */
#define TA_NEXTHOPS  16384u

/* ---- client.c -------------------------------------------------------------------------------------------------- */

struct ta_dp {
	pid_t pid;
	char dir[32];
	int fd;                           /* the API socket */
	const struct hd_stats_hdr *stats; /* its statistics segment */
};

/* Start program with the options (NULL at the end) and connect.  0 or -Exxx, said on stderr. */
int ta_dp_start(struct ta_dp *dp, const char *program, const char *const *options);
void ta_dp_stop(struct ta_dp *dp); /* half-started ones too */

/* Objects from .. to of a kind in one transaction.  Seconds until its reply; negative: refused, said on stderr. */
double ta_transaction(const struct ta_dp *dp, const struct ta_kind *k, uint32_t from, uint32_t to,
		      bool del);

/* Sum of a column of a row over all workers; 0 when there is none of that name. */
uint64_t ta_stat(const struct ta_dp *dp, const char *vec, uint32_t row, const char *col);

/* ---- rates.c, disturb.c ---------------------------------------------------------------------------------------- */

struct ta_band {
	double min, median, max;
};
struct ta_band ta_band(double *v, uint32_t n); /* sorts v */

struct ta_rates {
	struct ta_band set, replay,
		del; /* objects a second, over the rounds; the first meets fresh memory */
};
/* Fills ret[TA_KINDS].  0, or -Exxx said on stderr. */
int ta_rates_measure(const char *program, uint32_t rounds, struct ta_rates *ret);

struct ta_disturbance {
	struct ta_band quiet,
		updating; /* cycles per forwarded packet: no updates, and updates all the time */
	struct ta_band added; /* updating - quiet, of each round */
	double updates;       /* objects a second meanwhile, median */
	uint64_t packets;     /* forwarded, both */
};
/* Fills ret[TA_KINDS].  0, or -Exxx said on stderr: a packet lost is an error too. */
int ta_disturbance_measure(const char *program, uint32_t rounds, struct ta_disturbance *ret);

#endif
