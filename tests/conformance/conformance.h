/* SPDX-License-Identifier: BSD-3-Clause
 * Conformance suites: rows of stimulus and expected outcome with the section that asks for it, run against our graph in
 * this process or against any implementation over wires.
 *
 * A suite belongs to its pipeline: the rows are data there (pipelines/srv6/tests/rows*.h), and one file here gives them
 * to the runner.  Adding a suite is one such file and one line of suites[] in main.c. */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_target {
	CONF_IN_PROCESS, /* the whole graph, in this process */
	CONF_HEDDLE,     /* heddle-dp over wires, configured as `config --for heddle` says */
	CONF_LINUX,      /* the kernel, configured as `config --for linux` says */
	CONF_OTHER,
};

enum conf_outcome {
	CONF_PASS,
	CONF_FAIL,      /* nothing explains it */
	CONF_EXPLAINED, /* it fails, and the row or the target's list says why */
	CONF_NOT_RUN,   /* it does not apply to the target; why says so */
	CONF_OUTCOMES
};

struct conf_result {
	enum conf_outcome outcome;
	double seconds;
	char said[1024]; /* what was seen, of a failure */
	char why[256];   /* of EXPLAINED and NOT_RUN */
};

/* A row as reports show it. */
struct conf_row {
	const char *id;
	char title[96], reference[64]; /* "RFC 8986 section 4.1" */
	char sends[400], expects[480]; /* in words and notation */
};

struct conf_suite {
	const char *name, *title;
	uint32_t (*n_rows)(void);
	void (*row)(uint32_t i, struct conf_row *ret);
	/* Program the node under test; in this process only.  Ends the program on failure. */
	void (*start)(void);
	/* Does the row apply to the target?  NULL: yes; else why not. */
	const char *(*not_for)(uint32_t i, enum conf_target t);
	/* A known difference of the target, and the section that decides; NULL: none. */
	const char *(*explained)(uint32_t i, enum conf_target t);
	/* Run in a process of its own, so that no row sees what another one left.  conf_fail() ends it. */
	void (*run)(uint32_t i);
	/* The configuration of the node under test. */
	void (*config)(FILE *f, enum conf_target t);
	uint32_t n_ports;
};

extern const struct conf_suite conf_pm, conf_srv6;

/* ---- the node under test ------------------------------------------------------------------------------------- */

/* Frames of a port in and out.  dut_turn(): until nothing moves any more. */
void dut_rx(uint32_t port, const void *frame, size_t len);
void dut_turn(void);
size_t dut_tx(uint32_t port, void *buf, size_t size);
bool dut_in_process(void); /* counters and verdicts can be asked for */

struct wire_conf {
	const char *
		iface; /* one: ports are VLAN 100 + port on it; several, with commas: one for each port */
	uint32_t n_ports;
	uint32_t wait_ms; /* for the first frame of an answer */
};
/* Open raw sockets.  Returns 0 or -Exxx after a message. */
int wire_open(const struct wire_conf *c);
void wire_rx(uint32_t port, const void *frame, size_t len);
void wire_turn(void);
size_t wire_tx(uint32_t port, void *buf, size_t size);

/* Ends the row that runs, in its process. */
void __attribute__((noreturn, format(printf, 2, 3)))
conf_fail(const char *text, const char *fmt, ...);

/* In a forked process: its memory is its own.  0 or -Exxx. */
int snapshot_private(void);

/* ---- reports ------------------------------------------------------------------------------------------------- */

void report_text(FILE *f, const struct conf_suite *s, const struct conf_result *r,
		 const char *target, bool all);
void report_markdown(FILE *f, const struct conf_suite *s, const struct conf_result *r,
		     const char *target);
int report_json(const char *path, const struct conf_suite *s, const struct conf_result *r,
		const char *target);
int report_junit(const char *path, const struct conf_suite *s, const struct conf_result *r,
		 const char *target);
const char *conf_outcome_text(enum conf_outcome o);

#endif
