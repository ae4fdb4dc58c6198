/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench: what its parts share.
 *
 * One process holds the whole engine; its only thread walks worker 0's graph.  Port 1 is a source that writes fresh
 * packets, port 2 a sink that takes what leaves (device.c); the graph between them is heddle-dp's, unchanged.
 * A workload (workloads/, one file each) programs objects and says what goes in and what must come out. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FRAME_MAX 9216u

/* What the command line says. */
struct params {
	uint32_t burst, size, flows, nexthops;
	uint32_t routes, sids, policies, segments;
	uint32_t inner; /* 4 or 6: family of what is encapsulated */
	bool imix;      /* 7 x 64, 4 x 570, 1 x 1518 octets instead of size */
	double zipf;    /* exponent of the flows' shares; 0: uniform, each in turn */
	uint32_t rounds;
	double seconds; /* of measuring, over all rounds */
	uint32_t seed, cpu;
	uint32_t workers;     /* so many at once, each on a CPU of its own */
	uint32_t interval_us; /* of a session that sends by itself */
	bool verify, no_huge;
};

/* ---- workloads ---------------------------------------------------------------------------------------------- */

struct workload {
	const char *name, *help;
	const char *uses; /* parameters that matter, " routes flows ": shown and recorded */
	/* Defaults that differ from the common ones.  NULL: none. */
	void (*defaults)(struct params *p);
	/* Program the objects; ports, interfaces and next hops are there already (world.h).
	 * NULL: nothing is between source and sink but DPDK's API (l2-io). */
	void (*setup)(const struct params *p);
	/* The frame of a flow: at most size octets, but as many as its headers need.  The payload may be left as it is.
	 * Returns its length; ret_fresh: octets that must be written anew for each packet. */
	uint32_t (*frame)(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			  uint32_t *ret_fresh);
	/* What must come out for in, made without any function of the engine.  care: octets and bits that are compared,
	 * all ones when called.  Returns the length. */
	uint32_t (*expect)(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			   uint8_t *to, uint8_t *care);
	/* The engine sends by itself from here on; called when all else has settled.  The source is silent then, frames
	 * serve the floor alone, and expect() gets what came out as in, to say what it must have been. */
	void (*begin)(const struct params *p);
	/* With begin: make the frame that left the one that comes back to the source; its length stays.  It is a part of
	 * the floor too, where it gets what is no frame of the engine. */
	void (*answer)(uint8_t *frame);
	/* With begin, after verifying: NULL, or a sentence about what the engine says it did. */
	const char *(*judge)(const struct params *p);
	const struct workload *next;
};

/* Workloads are listed in the order of bench/meson.build. */
void workload_register(struct workload *w);
const struct workload *workload_first(void);
const struct workload *workload_find(const char *name);
#define WORKLOAD(ident)                                             \
	static void __attribute__((constructor)) ident##_ctor(void) \
	{                                                           \
		workload_register(&ident);                          \
	}

/* ---- results ------------------------------------------------------------------------------------------------ */

struct band {
	double min, median, max, q1, q3; /* over the rounds; q: quartiles */
};

#define RESULT_NODES_MAX 16u
struct result {
	char workload[32];
	struct params params;
	uint32_t frame_octets, fresh_octets;
	struct band floor, io, total, net,
		ratio;         /* cycles per packet; ratio: net / floor, of each round */
	double tsc_mhz, mpps;  /* at the median total */
	uint64_t packets;      /* measured */
	uint64_t table_octets; /* what the process grew by with the workload's objects */
	uint32_t entries;      /* of these: the most of routes, SIDs and policies */
	double instructions, cache_misses; /* per packet; negative: not to be had here */
	uint32_t n_nodes;
	struct {
		char name[32];
		double cycles, burst,
			share; /* per packet of the node, packets per call, of all packets */
	} node[RESULT_NODES_MAX];
	bool noisy, huge; /* huge: packet buffers lie in hugepages */
	char said[256];   /* why it failed, or what was verified */
};

/* Start the engine and the workload, verify or measure.  Once per process: EAL starts only once.
 * Returns 0, -EBADMSG when packets are dropped or mangled (said tells), or another -Exxx. */
int bench_run(const struct workload *w, const struct params *p, struct result *ret);
/* The steps of it, for tests. */
int bench_start(const struct workload *w, const struct params *p);
int bench_verify(const struct workload *w, const struct params *p, struct result *ret);
int bench_measure(const struct workload *w, const struct params *p, struct result *ret);

/* Called between verifying and measuring; NULL: nothing.  Workers that measure at once wait here for each other. */
extern void (*bench_before_measure)(void);

void params_default(struct params *p, const struct workload *w);
uint32_t bench_last_cpu(void); /* that this process may use */
bool params_uses(const struct workload *w, const char *name);

/* ---- reports ------------------------------------------------------------------------------------------------ */

void report_text(FILE *f, const struct result *r);
/* Results as one JSON document; path "-": standard output.  0 or -Exxx. */
int report_json(const char *path, const struct result *r, unsigned n);
/* What it was measured on.  The caller owns the object. */
struct json_object;
struct json_object *report_environment(uint32_t cpu, double tsc_mhz);

/* ---- other commands: argv[0] is the command's name; they return the exit code --------------------------------- */

int cmd_pacing(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_table_api(int argc, char **argv);
int cmd_traffic(int argc, char **argv);

#endif
