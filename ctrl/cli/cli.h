/* SPDX-License-Identifier: BSD-3-Clause
 * heddle, the command line: a client of heddle-ctrl's API and nothing else.  What it can do, curl can. */
#ifndef CTRL_CLI_CLI_H
#define CTRL_CLI_CLI_H

#include <json-c/json.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_DIFFERENT = 1, EXIT_ERROR = 1, EXIT_USAGE = 2 };

struct cli {
	const char *socket;
	bool json;  /* machine-readable output, errors too */
	bool color; /* standard output is a terminal */
	int argc;   /* words after the command and global options */
	char **argv;
};

extern volatile sig_atomic_t cli_interrupted; /* SIGINT or SIGTERM came */

/* --- api.c: every function prints its error and returns an exit status, 0 on success ----------- */

/* GET /restconf/data/NAME; *ret is the whole answer, to be put by the caller. */
int api_get(struct cli *cli, const char *name, struct json_object **ret);
/* POST /restconf/operations/NAME with {"MODULE:input": input}; takes input, may be NULL.  *ret: the answer, or NULL
 * when there is none; ret may be NULL. */
int api_post(struct cli *cli, const char *name, struct json_object *input,
	     struct json_object **ret);
/* GET into a callback as it comes; fn returns false to end early.  tick is asked about ten times a second. */
int api_stream(struct cli *cli, const char *name,
	       bool (*fn)(void *arg, const void *data, size_t len), void (*tick)(void *arg),
	       void *arg);
/* An error of our own, in the form the user asked for.  Returns status. */
int cli_fail(struct cli *cli, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- json.c: reading answers ------------------------------------------------------------------- */

struct json_object *js_get(struct json_object *o, const char *name); /* NULL if absent */
const char *js_str(struct json_object *o, const char *name);         /* "" if absent */
uint64_t js_u64(struct json_object *o, const char *name); /* numbers may be strings; 0 if absent */
/* The only member of an object: answers are wrapped in one. */
struct json_object *js_inner(struct json_object *o);
/* Value of {name, value} in list "counter"; *ret_have tells whether it is there (may be NULL). */
uint64_t js_counter(struct json_object *o, const char *name, bool *ret_have);
void js_print(struct json_object *o);

/* --- table.c: aligned columns -------------------------------------------------------------------- */

struct table;
/* Column heads; a head that begins with '>' is right-aligned.  NULL-terminated. */
struct table *table_new(const char *const *heads);
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_print(struct cli *cli,
		 struct table *t); /* and frees it; columns that are empty throughout are left out */

/* "12.3 k" and the like into buf, with SI steps.  Returns buf. */
const char *human(double value, const char *unit, char *buf, size_t size);
const char *paint(const struct cli *cli, const char *sgr); /* escape sequence, or "" */

/* --- commands ------------------------------------------------------------------------------------ */

int cmd_show(struct cli *cli);
int cmd_load(struct cli *cli);
int cmd_diff(struct cli *cli);
int cmd_reload(struct cli *cli);
int cmd_workers(struct cli *cli);
int cmd_trace(struct cli *cli);
int cmd_capture(struct cli *cli);

/* Take "--name VALUE" or "--name=VALUE" out of the words.  *ret: the value, untouched when absent.  False: the value is
 * missing. */
bool opt_value(struct cli *cli, const char *name, const char **ret);
bool opt_flag(struct cli *cli, const char *name); /* take "--name" out; true if it was there */
/* Complain about words nobody took.  0 when there are at most `max` and none is an option. */
int opt_rest(struct cli *cli, int max);

#endif
