/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: what the checks share.  A check reads files of the host and answers of heddle-ctrl, and adds findings;
 * none of them changes anything. */
#ifndef CTRL_CLI_DOCTOR_H
#define CTRL_CLI_DOCTOR_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_NOTE,  /* worth knowing, and nothing may be wrong */
	DOCTOR_WARN,  /* costs packets or speed, or will */
	DOCTOR_ERROR, /* something does not work */
	DOCTOR_LEVELS
};

struct finding {
	enum doctor_level level;
	const char *area, *check; /* "host", "governor" */
	char found[320];          /* what was seen */
	const char *means;        /* what follows from it; NULL: nothing */
	char mend[320];           /* the command that mends it; "": none */
};

#define FINDINGS_MAX 256u

struct doctor {
	const char *root;    /* files of the host are looked for below it; "" */
	const char *run_dir; /* sockets and crash reports */
	/* Answers of heddle-ctrl, their inner objects; NULL: it did not answer. */
	struct json_object *system, *workers, *interfaces, *drops, *steering, *kernel;
	/* Workers and drops a moment before; NULL: none. */
	struct json_object *workers_before, *drops_before;
	struct finding finding[FINDINGS_MAX];
	size_t n;
	const char *area; /* of the check that runs */
};

/* Add a finding; beyond FINDINGS_MAX the last is overwritten.  Never NULL. */
struct finding *doctor_find(struct doctor *d, enum doctor_level level, const char *check,
			    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* What it means and how it is mended. */
void finding_mend(struct finding *f, const char *means, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- files of the host ---------------------------------------------------------------------------- */

/* First line of a file, without its end.  False: it cannot be read. */
bool host_line(const struct doctor *d, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool host_number(const struct doctor *d, uint64_t *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool host_exists(const struct doctor *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Last part of what a symbolic link points to.  False: there is none. */
bool host_link(const struct doctor *d, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The rest of the first line that begins with key ("MemAvailable:"), without blanks around. */
bool host_field(const struct doctor *d, const char *path, const char *key, char *buf, size_t size);
/* Call fn for each name in a directory but those that begin with '.', in order. */
void host_names(struct doctor *d, const char *dir, void (*fn)(struct doctor *d, const char *name));

/* --- sets of CPUs ---------------------------------------------------------------------------------- */

#define CPUS_MAX 1024u
struct cpus {
	uint64_t bit[CPUS_MAX / 64];
};
static inline bool cpus_have(const struct cpus *c, unsigned i)
{
	return i < CPUS_MAX && (c->bit[i / 64] >> i % 64 & 1) != 0;
}
static inline void cpus_add(struct cpus *c, unsigned i)
{
	if (i < CPUS_MAX)
		c->bit[i / 64] |= UINT64_C(1) << i % 64;
}
unsigned cpus_count(const struct cpus *c);
struct cpus cpus_parse(const char *list);                            /* "0-3,8" */
const char *cpus_text(const struct cpus *c, char *buf, size_t size); /* "0-3,8" */
/* Those that workers are pinned to; ret_n: number of workers. */
struct cpus doctor_worker_cpus(const struct doctor *d, unsigned *ret_n);
/* The data plane's process; 0: not running, or not known. */
unsigned doctor_dp_pid(const struct doctor *d);

/* --- checks: one function per row of doctor.c ------------------------------------------------------ */

void doctor_cpu_kind(struct doctor *d);
void doctor_governor(struct doctor *d);
void doctor_isolation(struct doctor *d);
void doctor_smt(struct doctor *d);
void doctor_clock(struct doctor *d);

void doctor_hugepages(struct doctor *d);
void doctor_transparent(struct doctor *d);
void doctor_memory(struct doctor *d);
void doctor_memlock(struct doctor *d);

void doctor_drivers(struct doctor *d);
void doctor_nics(struct doctor *d);
void doctor_iommu(struct doctor *d);
void doctor_kernel_features(struct doctor *d);

void doctor_processes(struct doctor *d);
void doctor_rights(struct doctor *d);
void doctor_queues(struct doctor *d);
void doctor_numa(struct doctor *d);
void doctor_workers(struct doctor *d);
void doctor_drops(struct doctor *d);
void doctor_ports(struct doctor *d);
void doctor_kernel_forwards(struct doctor *d);
void doctor_crashes(struct doctor *d);

/* All of them, or those of an area, in order. */
void doctor_run(struct doctor *d, const char *area);

#endif
