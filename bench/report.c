/* SPDX-License-Identifier: BSD-3-Clause
 * Results for people and as JSON, with what they were measured on. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include <rte_version.h>

#include "bench/bench.h"
#include "dataplane/cpu.h"

#ifndef HEDDLE_VERSION
#define HEDDLE_VERSION "0.0.0"
#endif

/* From so many on, memory for each is more than what pages and tables begin with. */
#define ENTRIES_SHOWN 1000u

static FILE *out;

static void params_text(const struct result *r, const struct workload *w, char *to, size_t size)
{
	const struct params *p = &r->params;
	int n = 0;

	if (p->imix)
		n += snprintf(to + n, size - (size_t)n, "imix (mean %u octets)", r->frame_octets);
	else
		n += snprintf(to + n, size - (size_t)n, "%u octets", r->frame_octets);
	n += snprintf(to + n, size - (size_t)n, ", burst %u, %u flow%s", p->burst, p->flows,
		      p->flows == 1 ? "" : "s");
	if (p->zipf > 0)
		n += snprintf(to + n, size - (size_t)n, " (zipf %.2f)", p->zipf);
	if (params_uses(w, "routes"))
		n += snprintf(to + n, size - (size_t)n, ", %u route%s", p->routes,
			      p->routes == 1 ? "" : "s");
	if (params_uses(w, "sids"))
		n += snprintf(to + n, size - (size_t)n, ", %u SID%s", p->sids,
			      p->sids == 1 ? "" : "s");
	if (params_uses(w, "policies"))
		n += snprintf(to + n, size - (size_t)n, ", %u polic%s", p->policies,
			      p->policies == 1 ? "y" : "ies");
	if (params_uses(w, "segments"))
		n += snprintf(to + n, size - (size_t)n, ", %u segment%s", p->segments,
			      p->segments == 1 ? "" : "s");
	if (params_uses(w, "inner"))
		snprintf(to + n, size - (size_t)n, ", inner IPv%u", p->inner);
}

static void band_text(const char *name, const struct band *b, const char *unit)
{
	fprintf(out, "  %-22s %8.2f   min %8.2f   max %8.2f   %s\n", name, b->median, b->min,
		b->max, unit);
}

void report_text(FILE *f, const struct result *r)
{
	const struct workload *w = workload_find(r->workload);
	char params[256];

	out = f;
	params_text(r, w, params, sizeof(params));
	fprintf(out, "%s: %s\n", r->workload, params);
	if (r->said[0] != '\0')
		fprintf(out, "  %s\n", r->said);
	band_text("floor F", &r->floor, "cycles/packet: source of 64 fresh octets, sink");
	band_text("l2-io", &r->io,
		  "cycles/packet: the same source as the workload, through DPDK's API");
	band_text("total", &r->total, "cycles/packet");
	band_text("net = total - floor", &r->net, "cycles/packet");
	band_text("net / F", &r->ratio, "");
	fprintf(out, "  %-22s %8.2f   at %.0f MHz, %u worker%s, %s\n", "Mpps", r->mpps, r->tsc_mhz,
		r->params.workers, r->params.workers == 1 ? "" : "s",
		r->huge ? "hugepages" : "ordinary pages");
	if (r->entries >= ENTRIES_SHOWN)
		fprintf(out,
			"  %-22s %8.0f   octets for each of %u, in pages and all that belongs to it\n",
			"memory", (double)r->table_octets / r->entries, r->entries);
	if (r->instructions >= 0)
		fprintf(out, "  %-22s %8.1f   cache misses %.3f\n", "instructions/packet",
			r->instructions, r->cache_misses);
	else
		fprintf(out,
			"  instructions and cache misses: this machine lends no hardware counters\n");
	if (r->n_nodes != 0)
		fprintf(out, "  %-22s %13s %12s %8s\n", "node", "cycles/packet", "packets/call",
			"share");
	for (uint32_t i = 0; i < r->n_nodes; i++)
		fprintf(out, "  %-22s %13.2f %12.1f %7.0f%%\n", r->node[i].name, r->node[i].cycles,
			r->node[i].burst, r->node[i].share * 100);
	if (r->noisy)
		fprintf(out,
			"  The answer is hidden by noise: half of the rounds lie between %.2f and %.2f F.  Measure on a quiet\n"
			"  machine, or with more --rounds and --seconds.\n",
			r->ratio.q1, r->ratio.q3);
	fprintf(out, "\n");
	fflush(out);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static json_object *number(double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4f", v);
	return json_object_new_double_s(v, text);
}

static json_object *band_json(const struct band *b)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "min", number(b->min));
	json_object_object_add(o, "median", number(b->median));
	json_object_object_add(o, "max", number(b->max));
	json_object_object_add(o, "q1", number(b->q1));
	json_object_object_add(o, "q3", number(b->q3));
	return o;
}

static json_object *params_json(const struct result *r)
{
	const struct params *p = &r->params;
	const struct workload *w = workload_find(r->workload);
	json_object *o = json_object_new_object();
	const struct {
		const char *name;
		uint32_t value;
	} row[] = {
		{ "routes", p->routes },     { "sids", p->sids },   { "policies", p->policies },
		{ "segments", p->segments }, { "inner", p->inner }, { "nexthops", p->nexthops }
	};

	json_object_object_add(o, "burst", json_object_new_int64(p->burst));
	json_object_object_add(o, "size",
			       p->imix ? json_object_new_string("imix") :
					 json_object_new_int64(p->size));
	json_object_object_add(o, "frame_octets", json_object_new_int64(r->frame_octets));
	json_object_object_add(o, "fresh_octets", json_object_new_int64(r->fresh_octets));
	json_object_object_add(o, "flows", json_object_new_int64(p->flows));
	json_object_object_add(o, "zipf", number(p->zipf));
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (params_uses(w, row[i].name))
			json_object_object_add(o, row[i].name, json_object_new_int64(row[i].value));
	json_object_object_add(o, "workers", json_object_new_int64(p->workers));
	json_object_object_add(o, "rounds", json_object_new_int64(p->rounds));
	json_object_object_add(o, "seconds", number(p->seconds));
	json_object_object_add(o, "seed", json_object_new_int64(p->seed));
	return o;
}

static json_object *result_json(const struct result *r)
{
	json_object *o = json_object_new_object(), *nodes = json_object_new_array();

	json_object_object_add(o, "workload", json_object_new_string(r->workload));
	json_object_object_add(o, "params", params_json(r));
	json_object_object_add(o, "floor_cycles_per_packet", band_json(&r->floor));
	json_object_object_add(o, "l2_io_cycles_per_packet", band_json(&r->io));
	json_object_object_add(o, "total_cycles_per_packet", band_json(&r->total));
	json_object_object_add(o, "net_cycles_per_packet", band_json(&r->net));
	json_object_object_add(o, "net_over_floor", band_json(&r->ratio));
	json_object_object_add(o, "mpps", number(r->mpps));
	json_object_object_add(o, "packets", json_object_new_int64((int64_t)r->packets));
	json_object_object_add(o, "entries", json_object_new_int64(r->entries));
	json_object_object_add(o, "table_octets", json_object_new_int64((int64_t)r->table_octets));
	json_object_object_add(
		o, "octets_per_entry",
		r->entries < ENTRIES_SHOWN ? NULL : number((double)r->table_octets / r->entries));
	json_object_object_add(o, "instructions_per_packet",
			       r->instructions < 0 ? NULL : number(r->instructions));
	json_object_object_add(o, "cache_misses_per_packet",
			       r->cache_misses < 0 ? NULL : number(r->cache_misses));
	json_object_object_add(o, "hugepages", json_object_new_boolean(r->huge));
	json_object_object_add(o, "noisy", json_object_new_boolean(r->noisy));
	json_object_object_add(o, "verified", json_object_new_boolean(r->params.verify));
	for (uint32_t i = 0; i < r->n_nodes; i++) {
		json_object *n = json_object_new_object();

		json_object_object_add(n, "node", json_object_new_string(r->node[i].name));
		json_object_object_add(n, "cycles_per_packet", number(r->node[i].cycles));
		json_object_object_add(n, "packets_per_call", number(r->node[i].burst));
		json_object_object_add(n, "share", number(r->node[i].share));
		json_object_array_add(nodes, n);
	}
	json_object_object_add(o, "nodes", nodes);
	return o;
}

/* The value of the first line of a file that begins with key, after ':'. */
static void file_value(const char *path, const char *key, char *to, size_t size)
{
	FILE *f = fopen(path, "r");
	char line[512];

	snprintf(to, size, "unknown");
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		char *v = key[0] == '\0' ? line : strchr(line, ':');

		if (strncmp(line, key, strlen(key)) != 0 || v == NULL)
			continue;
		v += key[0] == '\0' ? 0 : 1;
		v += strspn(v, " \t");
		v[strcspn(v, "\n")] = '\0';
		snprintf(to, size, "%s", v);
		break;
	}
	fclose(f);
}

static void add_text(json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

json_object *report_environment(uint32_t cpu, double tsc_mhz)
{
	json_object *o = json_object_new_object();
	struct utsname u;
	char text[512];
	time_t now = time(NULL);
	struct tm tm;

	uname(&u);
	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	add_text(o, "time", text);
	file_value("/proc/cpuinfo", "model name", text, sizeof(text));
	add_text(o, "cpu", text);
	file_value("/proc/cpuinfo", "cache size", text, sizeof(text));
	add_text(o, "cache", text);
	json_object_object_add(o, "cpus", json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_object_add(o, "cpu_used", json_object_new_int64(cpu));
	file_value("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", text, sizeof(text));
	add_text(o, "governor", text);
	file_value("/proc/meminfo", "HugePages_Total", text, sizeof(text));
	add_text(o, "hugepages", text);
	snprintf(text, sizeof(text), "%s %s", u.sysname, u.release);
	add_text(o, "kernel", text);
	add_text(o, "dpdk", rte_version());
	add_text(o, "heddle", HEDDLE_VERSION);
	add_text(o, "compiler", BENCH_COMPILER);
	add_text(o, "march", BENCH_MARCH);
	json_object_object_add(o, "cpu_level", json_object_new_int((int)cpu_level()));
	add_text(o, "options", BENCH_OPTIONS);
	json_object_object_add(o, "tsc_mhz", number(tsc_mhz));
	return o;
}

int report_json(const char *path, const struct result *r, unsigned n)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();
	const char *text;
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	int rc = 0;

	if (f == NULL)
		return -errno;
	add_text(o, "format", "heddle-bench 1");
	json_object_object_add(o, "environment", report_environment(r->params.cpu, r->tsc_mhz));
	for (unsigned i = 0; i < n; i++)
		json_object_array_add(list, result_json(&r[i]));
	json_object_object_add(o, "results", list);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	if (fprintf(f, "%s\n", text) < 0)
		rc = -EIO;
	if (f == stdout)
		fflush(f);
	else if (fclose(f) != 0)
		rc = -errno;
	json_object_put(o);
	return rc;
}
