/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: CPUs and their clock. */
#include <stdio.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/doctor.h"

#define CPU_DIR "/sys/devices/system/cpu"

/* A flag of the first CPU: a whole word of the line. */
static bool cpu_flag(const struct doctor *d, const char *flag)
{
	char flags[4000], *save = NULL;

	if (!host_field(d, "/proc/cpuinfo", "flags", flags, sizeof(flags)))
		return false;
	for (char *w = strtok_r(flags, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		if (strcmp(w, flag) == 0)
			return true;
	return false;
}

void doctor_cpu_kind(struct doctor *d)
{
	char model[120] = "unknown CPU", online[200] = "";

	host_field(d, "/proc/cpuinfo", "model name", model, sizeof(model));
	host_line(d, online, sizeof(online), CPU_DIR "/online");
	if (cpu_flag(d, "avx2") && cpu_flag(d, "bmi2")) {
		doctor_find(d, DOCTOR_OK, "cpu", "%s, CPUs %s", model, online);
		return;
	}
	finding_mend(doctor_find(d, DOCTOR_ERROR, "cpu", "%s has no AVX2", model),
		     "Heddle is built for x86-64-v3 by default and ends with SIGILL here",
		     "scripts/build -D march=x86-64-v2");
}

void doctor_governor(struct doctor *d)
{
	char online[200] = "", governor[40], first[40] = "", text[160];
	struct cpus on, slow = { 0 };
	bool any = false;

	host_line(d, online, sizeof(online), CPU_DIR "/online");
	on = cpus_parse(online);
	for (unsigned i = 0; i < CPUS_MAX; i++) {
		if (!cpus_have(&on, i) || !host_line(d, governor, sizeof(governor),
						     CPU_DIR "/cpu%u/cpufreq/scaling_governor", i))
			continue;
		any = true;
		if (strcmp(governor, "performance") == 0)
			continue;
		cpus_add(&slow, i);
		snprintf(first, sizeof(first), "%s", governor);
	}
	if (!any)
		doctor_find(
			d, DOCTOR_OK, "governor",
			"the kernel does not govern the clock (virtual machine, or firmware does)");
	else if (cpus_count(&slow) == 0)
		doctor_find(d, DOCTOR_OK, "governor", "performance");
	else
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "governor", "%s on CPUs %s", first,
				    cpus_text(&slow, text, sizeof(text))),
			"the clock rises only after load has come: bursts are met by a slow CPU",
			"cpupower frequency-set -g performance");
}

void doctor_isolation(struct doctor *d)
{
	char text[200] = "", other[200], cmdline[2000] = "";
	unsigned n_workers;
	struct cpus isolated, used = doctor_worker_cpus(d, &n_workers), open = { 0 };

	host_line(d, text, sizeof(text), CPU_DIR "/isolated");
	host_line(d, cmdline, sizeof(cmdline), "/proc/cmdline");
	isolated = cpus_parse(text);
	for (unsigned i = 0; i < CPUS_MAX; i++)
		if (cpus_have(&used, i) && !cpus_have(&isolated, i))
			cpus_add(&open, i);
	if (n_workers == 0 || cpus_count(&used) == 0) {
		doctor_find(d, cpus_count(&isolated) != 0 ? DOCTOR_OK : DOCTOR_NOTE, "isolation",
			    "%s%s%s",
			    cpus_count(&isolated) != 0 ? "isolated CPUs: " : "no CPU is isolated",
			    text, n_workers != 0 ? "; workers are not pinned (power-save)" : "");
		return;
	}
	if (cpus_count(&used) < n_workers)
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "isolation", "%u workers share the CPUs %s",
				    n_workers, cpus_text(&used, other, sizeof(other))),
			"workers that poll on one CPU take turns of milliseconds: packets wait, or are lost",
			"heddle-dp --cpus with a CPU for control and one for each worker, or --power-save");
	if (cpus_count(&open) == 0) {
		doctor_find(d, DOCTOR_OK, "isolation", "workers have isolated CPUs: %s", text);
		return;
	}
	cpus_text(&open, other, sizeof(other));
	finding_mend(doctor_find(d, DOCTOR_WARN, "isolation",
				 "workers poll on CPUs %s, which the scheduler uses for others too",
				 other),
		     "each other task on such a CPU stops the worker for milliseconds",
		     "kernel command line: isolcpus=%s nohz_full=%s rcu_nocbs=%s", other, other,
		     other);
	if (strstr(cmdline, "nohz_full=") == NULL && cpus_count(&isolated) != 0)
		doctor_find(d, DOCTOR_NOTE, "isolation",
			    "isolated CPUs still have a timer tick (no nohz_full=)");
}

void doctor_smt(struct doctor *d)
{
	char text[100], other[100];
	uint64_t active = 0;
	unsigned n_workers;
	struct cpus used = doctor_worker_cpus(d, &n_workers);
	bool any = false;

	if (!host_number(d, &active, CPU_DIR "/smt/active") || active == 0) {
		doctor_find(d, DOCTOR_OK, "smt", "no CPU shares its core");
		return;
	}
	for (unsigned i = 0; i < CPUS_MAX; i++) {
		if (!cpus_have(&used, i) ||
		    !host_line(d, text, sizeof(text),
			       CPU_DIR "/cpu%u/topology/thread_siblings_list", i))
			continue;
		struct cpus siblings = cpus_parse(text), both = { 0 };
		for (unsigned k = 0; k < CPUS_MAX; k++)
			if (cpus_have(&siblings, k) && cpus_have(&used, k))
				cpus_add(&both, k);
		if (cpus_count(&both) < 2 || !cpus_have(&both, i))
			continue;
		unsigned first = 0;
		while (!cpus_have(&both, first))
			first++;
		if (first != i)
			continue; /* told once for each core */
		any = true;
		finding_mend(doctor_find(d, DOCTOR_WARN, "smt", "workers on CPUs %s share a core",
					 cpus_text(&both, other, sizeof(other))),
			     "two workers of one core have little more than the speed of one",
			     "heddle-dp --cpus with one CPU of each core; lscpu -e shows them");
	}
	if (!any)
		doctor_find(
			d, DOCTOR_NOTE, "smt",
			"CPUs share cores: leave the siblings of workers' CPUs idle, or measure with both");
}

void doctor_clock(struct doctor *d)
{
	char source[40] = "";

	host_line(d, source, sizeof(source),
		  "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	if (!cpu_flag(d, "constant_tsc") || !cpu_flag(d, "nonstop_tsc"))
		doctor_find(
			d, DOCTOR_WARN, "clock",
			"the time stamp counter changes its rate or stops (no constant_tsc, nonstop_tsc)")
			->means =
			"cycles per packet, delays of probes and rates of policers are not to be trusted";
	if (strcmp(source, "tsc") == 0)
		doctor_find(d, DOCTOR_OK, "clock", "the kernel's clock is the time stamp counter");
	else if (strcmp(source, "kvm-clock") == 0 || strncmp(source, "hyperv", 6) == 0)
		doctor_find(d, DOCTOR_OK, "clock",
			    "the kernel's clock is %s, made from the host's counter", source);
	else if (source[0] != '\0')
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "clock", "the kernel's clock is %s", source),
			"the kernel did not trust the time stamp counter, by which Heddle measures; each look "
			"at the time of day costs a microsecond",
			"dmesg | grep -i tsc; kernel command line: tsc=reliable, if the CPU's counters are in step");
}
