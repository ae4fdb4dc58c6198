/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench pacing: how late a Session-Sender's packets leave, against the moments they are due, and how late those
 * of a loop would leave that does nothing but look at the clock, on the same CPU in slices between.  As no two slices
 * meet the same interruptions, those of the sender's own slices are told from its work, and what they alone would have
 * made late is a line too: what is beyond that is the engine's. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include <rte_cycles.h>

#include "bench/bench.h"
#include "bench/device.h"
#include "bench/world.h"
#include "dataplane/engine.h"
#include "dataplane/rcu.h"
#include "dataplane/worker.h"
#include "pipelines/pm/sender.h"

#define SLICE_S  0.2
#define SETTLE_S 0.03 /* of a slice of the sender, which has been away */
#define FAR_NS   50000u
/* A turn longer than this, with less than half of it for packets, was interrupted: by the host, the scheduler, a tick. */
#define LONG_NS   20000u
#define PACKET_NS 1000u /* of each packet sent or received, generously */

/* How late, in ns. */
struct lateness {
	struct hd_hist h;
	uint64_t far; /* more than FAR_NS */
};

static struct {
	uint32_t sessions, interval_ms, cpu;
	double seconds;
	bool replies;
	const char *json;
} opt;
static struct lateness sender, loop, taken;
static struct hd_hist turns;
static uint64_t skipped;

static void usage(FILE *f)
{
	fprintf(f,
		"Usage: heddle-bench pacing [OPTION]...\n\n"
		"How late a worker's STAMP packets leave, and how late those of a loop on the same CPU would that does\n"
		"nothing but look at the clock.  \"interruptions\": what turns of the worker that took long for next to no\n"
		"packets would have made late alone, in the same moments (host, scheduler, timer ticks); the rest is\n"
		"the engine's.\n\n"
		"  --sessions N   (10000)\n"
		"  --interval MS  of each session, 1..1000 (10)\n"
		"  --replies      each packet is answered, and the reply taken in by the same worker\n"
		"  --seconds S    of each of the two, in slices of 0.2 s in turn (10)\n"
		"  --cpu N        CPU to run on (the last one allowed)\n"
		"  --json FILE    as JSON too; -: to standard output\n"
		"  --help         this text\n\n"
		"Exit codes: 0 measured; 1 it could not be; 2 usage.\n\n"
		"Example:  heddle-bench pacing --replies --seconds 30\n");
}

static bool number(const char *text, double min, double max, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	return end != text && *end == '\0' && *ret >= min && *ret <= max;
}

/* 0, or the exit code + 1. */
static int options(int argc, char **argv)
{
	static const struct option rows[] = {
		{ "sessions", required_argument, NULL, 's' },
		{ "interval", required_argument, NULL, 'i' },
		{ "seconds", required_argument, NULL, 't' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "json", required_argument, NULL, 'j' },
		{ "replies", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	double v = 0;
	bool good = true;
	int c;

	opt.sessions = 10000;
	opt.interval_ms = 10;
	opt.seconds = 10;
	opt.cpu = bench_last_cpu();
	while (good && (c = getopt_long(argc, argv, "h", rows, NULL)) != -1) {
		switch (c) {
		case 's':
			good = number(optarg, 1, HD_PM_SENDERS_MAX - HD_PM_ON_DEMAND - 1, &v);
			opt.sessions = (uint32_t)v;
			break;
		case 'i':
			good = number(optarg, 1, 1000, &v);
			opt.interval_ms = (uint32_t)v;
			break;
		case 't':
			good = number(optarg, SLICE_S, 3600, &v);
			opt.seconds = v;
			break;
		case 'c':
			good = number(optarg, 0, 1023, &v);
			opt.cpu = (uint32_t)v;
			break;
		case 'j':
			opt.json = optarg;
			break;
		case 'r':
			opt.replies = true;
			break;
		case 'h':
			usage(stdout);
			return 1;
		default:
			good = false;
		}
	}
	if (!good || optind != argc) {
		fprintf(stderr, "heddle-bench pacing: see --help\n");
		return 3;
	}
	return 0;
}

/* ---- measuring ----------------------------------------------------------------------------------------------- */

static void late(struct lateness *l, uint64_t ns)
{
	hd_hist_add(&l->h, ns);
	l->far += ns > FAR_NS;
}

/* Moments due in `cycles`, evenly: late by what is left of them, or in time. */
static void moments(struct lateness *l, double cycles, double period, double hz, bool away)
{
	uint64_t n = (uint64_t)(cycles / period);

	if (!away) {
		l->h.count += n;
		l->h.bucket[0] += n;
		return;
	}
	for (uint64_t i = 0; i < n; i++)
		late(l, (uint64_t)((cycles - (double)i * period) / hz * 1e9));
}

/* A loop that is there at once whenever it runs at all. */
static void slice_machine(double hz)
{
	uint64_t start = rte_rdtsc(), end = start + (uint64_t)(SLICE_S * hz);
	double period = hz * opt.interval_ms / 1000 / opt.sessions, due = (double)start + period;

	for (uint64_t now = start; now < end; now = rte_rdtsc())
		for (; due <= (double)now; due += period)
			late(&loop, (uint64_t)(((double)now - due) / hz * 1e9));
}

static void slice_sender(double hz)
{
	struct sender_worker *w = sender_workers[0];
	uint64_t start = rte_rdtsc(), end = start + (uint64_t)(SLICE_S * hz), before = start,
		 settled = start + (uint64_t)(SETTLE_S * hz), passed = 0, packets = device_came();
	double period = hz * opt.interval_ms / 1000 / opt.sessions, calm = 0;
	bool counts = false;

	end += settled - start;
	while (before < end) {
		uint64_t now;

		world_turn();
		rcu_worker_quiescent(0);
		now = rte_rdtsc();
		if (counts) {
			uint64_t ns = (uint64_t)((double)(now - before) / hz * 1e9);
			/* an answer is made for each packet sent, and comes within a turn or two */
			uint64_t work = (device_came() - packets) * (1 + opt.replies) * PACKET_NS;
			bool away = ns > LONG_NS && work < ns / 2;

			if (away)
				moments(&taken, (double)(now - before), period, hz, true);
			else
				hd_hist_add(&turns, ns);
			calm += away ? 0 : (double)(now - before);
		}
		if (!counts && now >= settled) {
			counts = true;
			memset(&w->late, 0, sizeof(w->late));
			passed = w->skipped;
		}
		before = now;
		packets = device_came();
	}
	moments(&taken, calm, period, hz, false);
	hd_hist_merge(&sender.h, &w->late);
	for (uint32_t i = hd_hist_index(FAR_NS) + 1; i < HD_HIST_BUCKETS; i++)
		sender.far += w->late.bucket[i];
	skipped += w->skipped - passed;
}

/* ---- reports ------------------------------------------------------------------------------------------------- */

static const double percent[] = { 50, 90, 99, 99.9, 100 };
#define N_PERCENT (sizeof(percent) / sizeof(percent[0]))

static double us(const struct hd_hist *h, double p)
{
	return (double)(p < 100 ? hd_hist_percentile(h, p) : h->max) / 1000;
}

static void row(FILE *f, const char *name, const struct hd_hist *h, const struct lateness *l)
{
	fprintf(f, "  %-22s", name);
	for (size_t i = 0; i < N_PERCENT; i++)
		fprintf(f, " %9.2f", us(h, percent[i]));
	if (l != NULL)
		fprintf(f, " %12.4f %%",
			100.0 * (double)l->far / (double)(h->count != 0 ? h->count : 1));
	fprintf(f, "\n");
}

static void report_lines(FILE *f)
{
	fprintf(f, "pacing: %u sessions every %u ms, %s, %.1f s of each, in turn\n", opt.sessions,
		opt.interval_ms, opt.replies ? "answered" : "not answered", opt.seconds);
	fprintf(f, "  %-22s %9s %9s %9s %9s %9s %14s\n", "us", "p50", "p90", "p99", "p99.9", "max",
		"beyond 50 us");
	row(f, "sender, late", &sender.h, &sender);
	row(f, "interruptions alone", &taken.h, &taken);
	fprintf(f, "  %-22s", "the engine's part");
	for (size_t i = 0; i < N_PERCENT; i++)
		fprintf(f, " %9.2f", us(&sender.h, percent[i]) - us(&taken.h, percent[i]));
	fprintf(f, "\n");
	row(f, "a loop in turn, late", &loop.h, &loop);
	row(f, "uninterrupted turns", &turns, NULL);
	fprintf(f, "  moments passed over    %9llu\n", (unsigned long long)skipped);
}

static json_object *hist_json(const struct hd_hist *h, const struct lateness *l)
{
	static const char *const name[] = { "p50_us", "p90_us", "p99_us", "p999_us", "max_us" };
	json_object *o = json_object_new_object();

	json_object_object_add(o, "n", json_object_new_int64((int64_t)h->count));
	for (size_t i = 0; i < N_PERCENT; i++)
		json_object_object_add(o, name[i], json_object_new_double(us(h, percent[i])));
	if (l != NULL)
		json_object_object_add(o, "beyond_50us", json_object_new_int64((int64_t)l->far));
	return o;
}

static int report_file(const char *path, double hz)
{
	json_object *o = json_object_new_object();
	int rc;

	json_object_object_add(o, "environment", report_environment(opt.cpu, hz / 1e6));
	json_object_object_add(o, "sessions", json_object_new_int64(opt.sessions));
	json_object_object_add(o, "interval_ms", json_object_new_int64(opt.interval_ms));
	json_object_object_add(o, "replies", json_object_new_boolean(opt.replies));
	json_object_object_add(o, "seconds", json_object_new_double(opt.seconds));
	json_object_object_add(o, "sender", hist_json(&sender.h, &sender));
	json_object_object_add(o, "interruptions", hist_json(&taken.h, &taken));
	json_object_object_add(o, "loop", hist_json(&loop.h, &loop));
	json_object_object_add(o, "turns", hist_json(&turns, NULL));
	json_object_object_add(o, "passed_over", json_object_new_int64((int64_t)skipped));
	rc = strcmp(path, "-") == 0 ?
		     printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY)) <
			     0 :
		     json_object_to_file_ext(path, o, JSON_C_TO_STRING_PRETTY) < 0;
	json_object_put(o);
	return rc;
}

int cmd_pacing(int argc, char **argv)
{
	struct params p;
	const struct workload *w;
	double hz;
	int rc = options(argc, argv);

	if (rc != 0)
		return rc - 1;
	w = workload_find(opt.replies ? "pm-sender-replies" : "pm-sender");
	params_default(&p, w);
	p.flows = opt.sessions;
	p.interval_us = opt.interval_ms * 1000;
	p.cpu = opt.cpu;
	p.burst = 32; /* a worker's own */
	rc = bench_start(w, &p);
	if (rc < 0) {
		fprintf(stderr, "heddle-bench: the engine did not start (%s)\n", strerror(-rc));
		return 1;
	}
	hz = (double)rte_get_tsc_hz();
	device_write(DEVICE_OWN);
	rcu_worker_register(0);
	for (double t = 0; t < opt.seconds; t += SLICE_S) {
		slice_machine(hz);
		slice_sender(hz);
		engine_poll();
	}
	rcu_worker_unregister(0);
	report_lines(opt.json != NULL && strcmp(opt.json, "-") == 0 ? stderr : stdout);
	rc = opt.json != NULL ? report_file(opt.json, hz) : 0;
	world_stop();
	if (rc != 0)
		fprintf(stderr, "heddle-bench: %s could not be written\n", opt.json);
	return rc != 0;
}
