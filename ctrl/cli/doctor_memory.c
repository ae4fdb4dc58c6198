/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: hugepages, memory and its limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/doctor.h"

#define NODE_DIR "/sys/devices/system/node"
#define HUGE_2M  "hugepages-2048kB"
#define HUGE_1G  "hugepages-1048576kB"

/* MiB of hugepages of a node, all and free. */
static uint64_t huge_mib(const struct doctor *d, const char *node, const char *which)
{
	uint64_t small = 0, large = 0;

	host_number(d, &small, NODE_DIR "/%s/hugepages/" HUGE_2M "/%s", node, which);
	host_number(d, &large, NODE_DIR "/%s/hugepages/" HUGE_1G "/%s", node, which);
	return small * 2 + large * 1024;
}

static void node_hugepages(struct doctor *d, const char *node)
{
	char *end;

	if (strncmp(node, "node", 4) != 0 || strtoul(node + 4, &end, 10) >= CPUS_MAX ||
	    *end != '\0' || end == node + 4)
		return;
	uint64_t all = huge_mib(d, node, "nr_hugepages"),
		 idle = huge_mib(d, node, "free_hugepages");
	if (all != 0) {
		doctor_find(d, DOCTOR_OK, "hugepages", "%s: %llu MiB, %llu MiB free", node,
			    (unsigned long long)all, (unsigned long long)idle);
		return;
	}
	finding_mend(
		doctor_find(d, DOCTOR_WARN, "hugepages", "%s has none", node),
		"packet buffers lie in ordinary pages: misses in the TLB cost speed, and PCI devices want hugepages",
		"echo 512 > " NODE_DIR "/%s/hugepages/" HUGE_2M "/nr_hugepages", node);
}

void doctor_hugepages(struct doctor *d)
{
	size_t before = d->n;

	host_names(d, NODE_DIR, node_hugepages);
	if (d->n == before)
		doctor_find(d, DOCTOR_NOTE, "hugepages", "this kernel shows no memory nodes");
}

void doctor_transparent(struct doctor *d)
{
	char text[80] = "";

	if (!host_line(d, text, sizeof(text), "/sys/kernel/mm/transparent_hugepage/enabled"))
		doctor_find(d, DOCTOR_NOTE, "thp", "this kernel has none");
	else if (strstr(text, "[never]") == NULL)
		doctor_find(d, DOCTOR_OK, "thp", "%s", text);
	else
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "thp", "never"),
			"forwarding tables ask for them; without, a large table is slower by a TLB miss a lookup",
			"echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
}

void doctor_memory(struct doctor *d)
{
	char text[40] = "0", swap[40] = "0", total[40] = "0";

	host_field(d, "/proc/meminfo", "MemAvailable:", text, sizeof(text));
	host_field(d, "/proc/meminfo", "SwapTotal:", total, sizeof(total));
	host_field(d, "/proc/meminfo", "SwapFree:", swap, sizeof(swap));
	unsigned long long mib = strtoull(text, NULL, 10) / 1024;
	unsigned long long swapped = (strtoull(total, NULL, 10) - strtoull(swap, NULL, 10)) / 1024;
	if (mib < 256)
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "memory", "%llu MiB are available", mib),
			"a default start takes about 95 MiB, tables come on top as they fill",
			"heddle-dp with fewer buffers and smaller tables: --mbufs, --max-routes4; see --help");
	else
		doctor_find(d, DOCTOR_OK, "memory", "%llu MiB are available", mib);
	if (swapped > 64)
		doctor_find(d, DOCTOR_NOTE, "memory",
			    "%llu MiB are swapped out: tables of Heddle may be among them",
			    swapped);
}

#define CAP_IPC_LOCK_BIT 14

void doctor_memlock(struct doctor *d)
{
	unsigned pid = doctor_dp_pid(d);
	char path[64], text[160], caps[40] = "0";

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	host_field(d, path, "CapEff:", caps, sizeof(caps));
	snprintf(path, sizeof(path), "/proc/%u/limits", pid);
	if (pid == 0 || !host_field(d, path, "Max locked memory", text, sizeof(text)))
		return;
	if ((strtoull(caps, NULL, 16) >> CAP_IPC_LOCK_BIT & 1) != 0)
		doctor_find(d, DOCTOR_OK, "locked memory", "no limit (CAP_IPC_LOCK)");
	else if (strncmp(text, "unlimited", 9) == 0 || strtoull(text, NULL, 10) >= UINT64_C(256)
											   << 20)
		doctor_find(d, DOCTOR_OK, "locked memory", "heddle-dp may lock %.*s",
			    (int)strcspn(text, " "), text);
	else
		finding_mend(
			doctor_find(d, DOCTOR_WARN, "locked memory", "heddle-dp may lock %llu KiB",
				    strtoull(text, NULL, 10) >> 10),
			"AF_XDP ports and vfio devices lock their packet memory; they then do not start",
			"systemctl edit heddle-dp: [Service] LimitMEMLOCK=infinity");
}
