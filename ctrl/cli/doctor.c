/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: is this host fit for Heddle, and is Heddle well?  Each finding says what it means and how it is
 * mended; nothing is changed. */
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/doctor.h"

enum { EXIT_WARNINGS = 3 };

static const struct {
	const char *area;
	void (*run)(struct doctor *d);
} checks[] = {
	{ "host", doctor_cpu_kind },    { "host", doctor_governor },
	{ "host", doctor_isolation },   { "host", doctor_smt },
	{ "host", doctor_clock },       { "host", doctor_hugepages },
	{ "host", doctor_transparent }, { "host", doctor_memory },
	{ "host", doctor_drivers },     { "host", doctor_nics },
	{ "host", doctor_iommu },       { "host", doctor_kernel_features },
	{ "system", doctor_processes }, { "system", doctor_crashes },
	{ "system", doctor_rights },    { "system", doctor_memlock },
	{ "system", doctor_ports },     { "system", doctor_queues },
	{ "system", doctor_numa },      { "system", doctor_workers },
	{ "system", doctor_drops },     { "system", doctor_kernel_forwards },
};

static const char *const level_names[DOCTOR_LEVELS] = { "ok", "note", "warning", "error" };

struct finding *doctor_find(struct doctor *d, enum doctor_level level, const char *check,
			    const char *fmt, ...)
{
	struct finding *f = &d->finding[d->n < FINDINGS_MAX ? d->n++ : FINDINGS_MAX - 1];
	va_list ap;

	*f = (struct finding){ .level = level, .area = d->area, .check = check };
	va_start(ap, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, ap);
	va_end(ap);
	return f;
}

void finding_mend(struct finding *f, const char *means, const char *fmt, ...)
{
	va_list ap;

	f->means = means;
	va_start(ap, fmt);
	vsnprintf(f->mend, sizeof(f->mend), fmt, ap);
	va_end(ap);
}

void doctor_run(struct doctor *d, const char *area)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		d->area = checks[i].area;
		if (area == NULL || strcmp(d->area, area) == 0)
			checks[i].run(d);
	}
}

/* --- report ------------------------------------------------------------------------------------- */

static enum doctor_level worst(const struct doctor *d)
{
	enum doctor_level w = DOCTOR_OK;

	for (size_t i = 0; i < d->n; i++)
		w = d->finding[i].level > w ? d->finding[i].level : w;
	return w;
}

static void report_json(const struct doctor *d)
{
	struct json_object *top = json_object_new_object(), *o = json_object_new_object(),
			   *list = json_object_new_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->finding[i];
		struct json_object *e = json_object_new_object();

		js_add(e, "area", f->area);
		js_add(e, "check", f->check);
		js_add(e, "level", level_names[f->level]);
		js_add(e, "found", f->found);
		js_add(e, "means", f->means);
		js_add(e, "mend", f->mend[0] != '\0' ? f->mend : NULL);
		json_object_array_add(list, e);
	}
	js_add(o, "worst", level_names[worst(d)]);
	json_object_object_add(o, "finding", list);
	json_object_object_add(top, "doctor", o);
	js_print(top);
	json_object_put(top);
}

static void report_text(struct cli *cli, const struct doctor *d)
{
	static const char *const colors[DOCTOR_LEVELS] = { "32", "36", "33", "1;31" };
	size_t count[DOCTOR_LEVELS] = { 0 };
	const char *area = "";

	for (size_t i = 0; i < d->n; i++) {
		const struct finding *f = &d->finding[i];

		count[f->level]++;
		if (strcmp(area, f->area) != 0)
			printf("%s%s%s%s\n", i > 0 ? "\n" : "", paint(cli, "1"),
			       strcmp(f->area, "host") == 0 ? "This host" : "The running system",
			       paint(cli, "0"));
		area = f->area;
		printf("  %s%-8s%s %-14s %s\n", paint(cli, colors[f->level]), level_names[f->level],
		       paint(cli, "0"), f->check, f->found);
		if (f->means != NULL)
			printf("  %8s %14s   %s\n", "", "", f->means);
		if (f->mend[0] != '\0')
			printf("  %8s %14s   %s> %s%s\n", "", "", paint(cli, "2"), f->mend,
			       paint(cli, "0"));
	}
	printf("\n%zu error%s, %zu warning%s, %zu note%s; nothing was changed\n",
	       count[DOCTOR_ERROR], count[DOCTOR_ERROR] == 1 ? "" : "s", count[DOCTOR_WARN],
	       count[DOCTOR_WARN] == 1 ? "" : "s", count[DOCTOR_NOTE],
	       count[DOCTOR_NOTE] == 1 ? "" : "s");
}

/* --- command ------------------------------------------------------------------------------------ */

/* The inner object of an answer, for the caller to put; NULL: there was none. */
static struct json_object *ask(struct cli *cli, const char *path)
{
	struct json_object *answer = NULL, *inner;

	if (api_get(cli, path, &answer) != 0)
		return NULL;
	inner = json_object_get(js_inner(answer));
	json_object_put(answer);
	return inner;
}

static void system_ask(struct cli *cli, struct doctor *d)
{
	struct timespec second = { .tv_sec = 1 };
	bool quiet = cli->quiet;

	cli->quiet = true; /* who does not answer is a finding */
	d->system = ask(cli, "heddle-system:system-state");
	if (doctor_dp_pid(d) != 0) {
		d->workers_before = ask(cli, "heddle-system:worker-state");
		d->drops_before = ask(cli, "heddle-system:drop-state");
		if (!cli_interrupted)
			nanosleep(&second, NULL);
		d->workers = ask(cli, "heddle-system:worker-state");
		d->drops = ask(cli, "heddle-system:drop-state");
		d->interfaces = ask(cli, "heddle-interfaces:interface-state");
		d->steering = ask(cli, "heddle-interfaces:steering-state");
		d->kernel = ask(cli, "heddle-kernel:kernel-state");
	}
	cli->quiet = quiet;
}

static int cmd_doctor(struct cli *cli)
{
	const char *root = opt_value(cli, "--root");
	char *socket = strdup(cli->socket);
	struct doctor *d = calloc(1, sizeof(*d));

	if (d == NULL || socket == NULL)
		abort();
	d->root = root != NULL ? root : "";
	d->run_dir = dirname(socket);
	if (root == NULL)
		system_ask(cli, d);
	doctor_run(d, root != NULL ? "host" : NULL);
	if (cli->json)
		report_json(d);
	else
		report_text(cli, d);
	enum doctor_level w = worst(d);
	struct json_object *answers[] = { d->system,         d->workers,     d->interfaces,
					  d->drops,          d->steering,    d->kernel,
					  d->workers_before, d->drops_before };
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		json_object_put(answers[i]);
	free(d);
	free(socket);
	return w == DOCTOR_ERROR ? EXIT_ERROR : w == DOCTOR_WARN ? EXIT_WARNINGS : 0;
}

static const struct cli_command commands[] = {
	{ .name = "doctor",
	  .run = cmd_doctor,
	  .what = "is this host fit for Heddle, and is Heddle well? What is wrong, what it means, how to mend it",
	  .params = CLI_PARAMS(
		  { "--root", "DIR", CLI_FILE,
		    "look at the proc, sys and usr of another host below DIR, and not at the running system" }),
	  .more = "Looked at are CPUs (instruction set, governor, isolation, shared cores), the clock, hugepages of each\n"
		  "memory node, DPDK's drivers, NICs and what they are bound to, IOMMU, AF_XDP, BPF and SRv6 of the\n"
		  "kernel; then the processes and their versions, rights and limits of heddle-dp, links, lost packets,\n"
		  "queues and memory nodes of workers, stalls, load, drops (two looks, a second apart) and crash reports.\n"
		  "Nothing is changed: the commands are for you to run.\n"
		  "\n"
		  "Exit status: 0 nothing worse than a note; 3 warnings; 1 errors; 2 wrong usage.",
	  .examples = CLI_EXAMPLES("heddle doctor", "heddle doctor --json",
				   "heddle doctor --root /tmp/other-host") },
	{ .name = NULL },
};

const struct cli_group doctor_group = { "Health", commands };
