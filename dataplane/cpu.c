/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/cpu.h"

#include <stdlib.h>

static unsigned offered(void)
{
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
	    !__builtin_cpu_supports("fma"))
		return 2;
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
			       __builtin_cpu_supports("avx512cd") &&
			       __builtin_cpu_supports("avx512dq") &&
			       __builtin_cpu_supports("avx512vl") ?
		       4 :
		       3;
}

unsigned cpu_level(void)
{
	const char *most = getenv("HEDDLE_CPU_LEVEL");
	unsigned level = offered(), limit = most != NULL ? (unsigned)strtoul(most, NULL, 10) : 0;

	return limit >= 2 && limit < level ? limit : level;
}
