/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench table-api: command line and reports. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "bench/bench.h"
#include "bench/table_api/table_api.h"

#define TARGET 500000.0 /* small objects a second */

static struct {
	const char *dp, *json;
	uint32_t rounds;
	bool rates, disturbance;
} opt;
static struct ta_rates rates[TA_KINDS];
static struct ta_disturbance disturbance[TA_KINDS];

/* ---- reports --------------------------------------------------------------------------------------------------- */

static void rates_text(FILE *f)
{
	fprintf(f, "%-16s %9s %14s %14s %14s   (medians of %u rounds)\n", "objects a second",
		"objects", "new", "replayed", "deleted", opt.rounds);
	for (size_t i = 0; i < TA_KINDS; i++) {
		const struct ta_rates *r = &rates[i];

		fprintf(f, "%-16s %9u %14.0f %14.0f %14.0f%s\n", ta_kinds[i].name,
			ta_kinds[i].count, r->set.median, r->replay.median, r->del.median,
			r->set.median < TARGET ? "   below the target of 500,000" : "");
	}
}

static void disturbance_text(FILE *f)
{
	fprintf(f, "\n%-16s %12s %22s %22s %22s\n", "while forwarding", "updates/s",
		"cycles/packet quiet", "with updates", "added");
	for (size_t i = 0; i < TA_KINDS; i++) {
		const struct ta_disturbance *d = &disturbance[i];

		fprintf(f,
			"%-16s %12.0f   %6.1f (%5.1f-%5.1f)   %6.1f (%5.1f-%5.1f)   %+6.1f (%+5.1f..%+5.1f)\n",
			ta_kinds[i].name, d->updates, d->quiet.median, d->quiet.min, d->quiet.max,
			d->updating.median, d->updating.min, d->updating.max, d->added.median,
			d->added.min, d->added.max);
	}
}

static json_object *band_json(struct ta_band b)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "min", json_object_new_double(b.min));
	json_object_object_add(o, "median", json_object_new_double(b.median));
	json_object_object_add(o, "max", json_object_new_double(b.max));
	return o;
}

static json_object *kind_json(size_t i)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "kind", json_object_new_string(ta_kinds[i].name));
	json_object_object_add(o, "objects", json_object_new_int64(ta_kinds[i].count));
	if (opt.rates) {
		json_object_object_add(o, "set_per_second", band_json(rates[i].set));
		json_object_object_add(o, "replay_per_second", band_json(rates[i].replay));
		json_object_object_add(o, "del_per_second", band_json(rates[i].del));
	}
	if (opt.disturbance) {
		const struct ta_disturbance *d = &disturbance[i];

		json_object_object_add(o, "quiet_cycles_per_packet", band_json(d->quiet));
		json_object_object_add(o, "updating_cycles_per_packet", band_json(d->updating));
		json_object_object_add(o, "added_cycles_per_packet", band_json(d->added));
		json_object_object_add(o, "updates_per_second", json_object_new_double(d->updates));
		json_object_object_add(o, "packets", json_object_new_int64((int64_t)d->packets));
	}
	return o;
}

static int json_write(const char *path)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	int rc;

	for (size_t i = 0; i < TA_KINDS; i++)
		json_object_array_add(list, kind_json(i));
	json_object_object_add(o, "format", json_object_new_string("heddle-bench table-api 2"));
	json_object_object_add(o, "environment", report_environment(0, 0));
	json_object_object_add(o, "rounds", json_object_new_int64(opt.rounds));
	json_object_object_add(o, "objects_per_transaction", json_object_new_int64(TA_PER_TXN));
	json_object_object_add(o, "table_api", list);
	if (strcmp(path, "-") == 0)
		rc = json_object_to_fd(STDOUT_FILENO, o, JSON_C_TO_STRING_PRETTY);
	else
		rc = json_object_to_file_ext(path, o, JSON_C_TO_STRING_PRETTY);
	json_object_put(o);
	return rc;
}

/* ---- command line ---------------------------------------------------------------------------------------------- */

/* heddle-dp beside this program, in ../sbin, in the build tree, or on the PATH. */
static const char *dp_default(void)
{
	static const char *const where[] = { "heddle-dp", "../sbin/heddle-dp",
					     "../pipelines/heddle-dp" };
	static char path[4200];
	char self[4000];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		char *dir = dirname(self);
		for (unsigned i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/%s", dir, where[i]);
			if (access(path, X_OK) == 0)
				return path;
		}
	}
	return "heddle-dp";
}

static void usage(FILE *f)
{
	fprintf(f,
		"Usage: heddle-bench table-api [OPTION]...\n"
		"Objects a second that a data plane takes through its socket, by kind: new, replayed as they are, and\n"
		"deleted; and what such updates cost a worker that forwards meanwhile, in cycles per packet.\n"
		"A heddle-dp of its own is started for each of the two.\n\n"
		"      --dp PROGRAM     heddle-dp (the one beside this program)\n"
		"      --rounds N       (5)\n"
		"      --rates          only the rates\n"
		"      --disturbance    only what it costs the worker; needs two CPUs\n"
		"      --json FILE      results as JSON too; -: to standard output\n"
		"  -h, --help           this text\n\n"
		"Example: heddle-bench table-api --rounds 11 --json tables.json\n");
}

static int options(int argc, char **argv)
{
	opt.dp = dp_default();
	opt.rounds = 5;
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (strcmp(argv[i], "--dp") == 0 && more) {
			opt.dp = argv[++i];
		} else if (strcmp(argv[i], "--json") == 0 && more) {
			opt.json = argv[++i];
		} else if (strcmp(argv[i], "--rounds") == 0 && more) {
			opt.rounds = (uint32_t)atoi(argv[++i]);
		} else if (strcmp(argv[i], "--rates") == 0) {
			opt.rates = true;
		} else if (strcmp(argv[i], "--disturbance") == 0) {
			opt.disturbance = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			usage(stdout);
			exit(0);
		} else {
			usage(stderr);
			return -EINVAL;
		}
	}
	if (opt.rounds < 1 || opt.rounds > TA_ROUNDS_MAX) {
		fprintf(stderr, "heddle-bench: --rounds: 1 to %u\n", TA_ROUNDS_MAX);
		return -EINVAL;
	}
	if (!opt.rates && !opt.disturbance)
		opt.rates = opt.disturbance = true;
	return 0;
}

int cmd_table_api(int argc, char **argv)
{
	FILE *text;

	if (options(argc, argv) < 0)
		return 2;
	text = opt.json != NULL && strcmp(opt.json, "-") == 0 ? stderr : stdout;
	if (opt.rates && ta_rates_measure(opt.dp, opt.rounds, rates) < 0)
		return 1;
	if (opt.rates)
		rates_text(text);
	if (opt.disturbance && ta_disturbance_measure(opt.dp, opt.rounds, disturbance) < 0)
		return 1;
	if (opt.disturbance)
		disturbance_text(text);
	return opt.json != NULL && json_write(opt.json) < 0 ? 1 : 0;
}
