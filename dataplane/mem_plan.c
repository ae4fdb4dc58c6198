/* SPDX-License-Identifier: BSD-3-Clause
 * Memory pre-flight.  Tables live in ordinary memory; EAL's memory holds packet buffers, rings and devices. */
#include "dataplane/mem_plan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "dataplane/dp_limits.h"

/* Free hugepages of all sizes, in MiB. */
static uint64_t huge_free_mib(const char *root)
{
	DIR *d = opendir(root);
	struct dirent *e;
	uint64_t sum = 0;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		unsigned long long kib = 0, n = 0;
		char path[512];

		if (sscanf(e->d_name, "hugepages-%llukB", &kib) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", root, e->d_name);
		FILE *f = fopen(path, "r");
		if (f == NULL)
			continue;
		if (fscanf(f, "%llu", &n) == 1)
			sum += n * kib / 1024;
		fclose(f);
	}
	closedir(d);
	return sum;
}

static uint64_t mem_available_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char line[128];

	if (f == NULL)
		return UINT32_MAX;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	fclose(f);
	return kib == 0 ? UINT32_MAX : kib / 1024;
}

/* Rings, device queues, graphs: 48 MiB.  A classifier rule: 1.2 KiB, twice while the classifier is compiled anew. */
static uint32_t fixed_mib(void)
{
	return 48 + (uint32_t)(((uint64_t)dp_limits.rules * 2400) >> 20);
}

/* mbuf 128, metadata 64, pool header 64, room */
static uint64_t mbuf_size(void)
{
	return dp_limits.mbuf_room + 320u;
}

/* Packet buffers for which so much memory is enough, in thousands; at least what a start takes. */
static uint32_t mbufs_in(uint64_t mib)
{
	uint64_t n = mib <= fixed_mib() ? 0 :
					  ((mib - fixed_mib()) << 20) / mbuf_size() / 1000 * 1000;

	return (uint32_t)RTE_MAX(n, 512u);
}

int memory_plan(enum memory_huge mode, uint32_t want_mib, struct memory_plan *ret)
{
	uint32_t need = (uint32_t)((dp_limits.mbufs * mbuf_size()) >> 20) + fixed_mib();
	uint64_t huge = huge_free_mib("/sys/kernel/mm/hugepages"), avail = mem_available_mib();

	if (want_mib != 0 && want_mib < need) {
		snprintf(
			ret->why, sizeof(ret->why),
			"--memory %u is too little: %u packet buffers need %u MiB; try --memory %u or fewer --mbufs",
			want_mib, dp_limits.mbufs, need, need);
		return -ENOMEM;
	}
	ret->eal_mib = want_mib != 0 ? want_mib : need;
	if (mode != MEMORY_HUGE_NEVER && huge >= ret->eal_mib) {
		ret->huge = true;
		snprintf(ret->why, sizeof(ret->why), "%u MiB of hugepages (%llu MiB free)",
			 ret->eal_mib, (unsigned long long)huge);
		return 0;
	}
	if (mode == MEMORY_HUGE_REQUIRE) {
		snprintf(ret->why, sizeof(ret->why),
			 "need %u MiB of hugepages, have %llu MiB free; make them with: echo %u > "
			 "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
			 ret->eal_mib, (unsigned long long)huge, (ret->eal_mib + 1) / 2 + 8);
		return -ENOMEM;
	}
	if (avail < ret->eal_mib) {
		snprintf(
			ret->why, sizeof(ret->why),
			"need %u MiB of memory, have %llu MiB; start with fewer packet buffers, e.g. --mbufs %u",
			ret->eal_mib, (unsigned long long)avail, mbufs_in(avail * 3 / 4));
		return -ENOMEM;
	}
	ret->huge = false;
	snprintf(ret->why, sizeof(ret->why), "%u MiB of ordinary memory (hugepages: %llu MiB free)",
		 ret->eal_mib, (unsigned long long)huge);
	return 0;
}
