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

/* --- commands: rows of tables, of which dispatch, checks, help, completion and manual pages are made --------------- */

/* What a word means: how it is checked and completed. */
enum cli_kind {
	CLI_TEXT,
	CLI_NUMBER,  /* 0 and up */
	CLI_SECONDS, /* a positive number, also 0.5 */
	CLI_FILE,
	CLI_COMMAND, /* words of another command: the rest of the line */
	/* names that heddle-ctrl knows: complete.c says where they are found */
	CLI_INTERFACE,
	CLI_VRF,
	CLI_SID,
	CLI_POLICY,
	CLI_NODE,
	CLI_PATH, /* of a configuration node, with "/" between its names */
	CLI_KINDS
};

/* A word or an option of a command. */
struct cli_param {
	const char *
		name; /* "--count", "-w, --file": an option; "FILE": a word of this place; "[FILE]": one that may be
			       left out; "FILE..." and "[FILE...]": all the rest */
	const char *
		value; /* option: what follows it, "N", or "[N]" when it may be left out; NULL: a flag.
			       "on|off": one of these, also for a word */
	enum cli_kind kind; /* of the word or of the value */
	const char *what;   /* after it, in [brackets], what it is when left out */
};

enum { CLI_PARAMS_MAX = 24 };

struct cli;

struct cli_command {
	const char *
		name; /* "show routes": its words, each of which may be shortened while it is unique */
	int (*run)(struct cli *cli);    /* exit status */
	const char *what;               /* one line, without a full stop */
	const struct cli_param *params; /* ends with .name NULL; or NULL */
	const char *more;               /* paragraphs for help and manual; or NULL */
	bool whole; /* its name is not shortened, and not offered: what people rarely type */
	const char *const *examples; /* command lines; NULL-terminated; never NULL */
};

/* The commands of one kind; commands.c lists the groups. */
struct cli_group {
	const char *title;
	const struct cli_command *commands; /* ends with .name NULL */
};
extern const struct cli_group *const cli_groups[]; /* NULL-terminated */

#define CLI_EXAMPLES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define CLI_PARAMS(...)   ((const struct cli_param[]){ __VA_ARGS__, { .name = NULL } })

struct cli {
	const char *socket;
	bool json;  /* machine-readable output, errors too */
	bool color; /* standard output is a terminal */
	bool quiet; /* errors are not told: for completion */
	bool shell; /* more commands follow in this process */
	/* of the command that runs, checked against its row */
	const struct cli_command *cmd;
	int argc; /* words that are no options */
	char **argv;
	const char *opt[CLI_PARAMS_MAX]; /* by place in cmd->params */
};

extern volatile sig_atomic_t cli_interrupted; /* SIGINT or SIGTERM came */

/* --- api.c: every function prints its error and returns an exit status, 0 on success ----------- */

/* GET /restconf/data/NAME, or with NAME "?..." of all of it; *ret is the whole answer, to be put by the caller. */
int api_get(struct cli *cli, const char *name, struct json_object **ret);
int api_get_path(struct cli *cli, const char *path, struct json_object **ret); /* of any path */
/* POST /restconf/operations/NAME with {"MODULE:input": input}; takes input, may be NULL.  *ret: the answer, or NULL
 * when there is none; ret may be NULL. */
int api_post(struct cli *cli, const char *name, struct json_object *input,
	     struct json_object **ret);
/* PATCH /restconf/PATH with body, which stays the caller's (RFC 8040 section 4.6.1). */
int api_patch(struct cli *cli, const char *path, struct json_object *body);
/* GET into a callback as it comes (NAME, or a whole path that begins with '/'); fn returns false to end early.  tick is
 * asked about ten times a second. */
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
/* With --json: print an answer and give it up.  False: the caller puts it into words, and gives it up. */
bool js_answered(struct cli *cli, struct json_object *answer);
/* As YAML that heddle-ctrl reads again; module names are left out where they say nothing new. */
void js_print_yaml(FILE *out, struct json_object *o);
/* Every element of an array, or nothing when it is NULL. */
#define js_foreach(it, list)                                                                       \
	for (size_t it##_i = 0; (list) != NULL && it##_i < json_object_array_length(list);         \
	     it##_i++)                                                                             \
		for (struct json_object *it = json_object_array_get_idx(list, it##_i); it != NULL; \
		     it = NULL)

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

/* Value of an option that the command's row names ("--count"); "" for a flag or a value left out; NULL: not given. */
const char *opt_value(const struct cli *cli, const char *name);
bool opt_flag(const struct cli *cli, const char *name);
uint64_t opt_number(const struct cli *cli, const char *name, uint64_t otherwise);
/* Add {name: value} to a request, unless value is NULL. */
void js_add(struct json_object *o, const char *name, const char *value);

/* --- command.c ------------------------------------------------------------------------------------ */

/* Find, check and run the command that the words are.  Takes the options common to all out of them; changes argv. */
int cli_run(struct cli *cli, int argc, char **argv);
/* The command that words begin with; *ret_words: how many of them name it.  NULL: none, or several; `complain` tells
 * why. */
const struct cli_command *cli_find(struct cli *cli, int argc, char **argv, int *ret_words,
				   bool complain);
/* Each different word that may follow n words of a command's name, whole or shortened; c: the command it ends, if it
 * does. */
void cli_next_words(int n, char **words,
		    void (*fn)(void *arg, const char *word, const struct cli_command *c),
		    void *arg);
/* Does an option's name column ("-w, --file") hold this name? */
bool cli_param_is(const struct cli_param *p, const char *name);
bool cli_param_optional(const struct cli_param *p); /* a word that may be left out */
bool cli_param_rest(const struct cli_param *p);     /* takes all words that are left */

#define cli_foreach(c)                                                                           \
	for (size_t c##_g = 0; cli_groups[c##_g] != NULL; c##_g++)                               \
		for (const struct cli_command *c = cli_groups[c##_g]->commands; c->name != NULL; \
		     c++)

/* --- help.c --------------------------------------------------------------------------------------- */

void help_all(FILE *out);
/* Those commands whose names begin with these words. */
void help_some(FILE *out, const char *words);
void help_one(FILE *out, const struct cli_command *c);
/* Manual pages in roff: heddle(1), and heddle-NAME(1) of each command. */
void man_all(FILE *out);
void man_one(FILE *out, const struct cli_command *c);
void man_name(const struct cli_command *c, char *buf, size_t size); /* "heddle-show-routes" */

/* {"config": text, "file": name} of a file; NULL and *status set on failure. */
struct json_object *config_file_input(struct cli *cli, const char *path, int *status);
/* Tell what a load, a commit and the like did; takes the answer.  Returns the exit status. */
int config_report(struct cli *cli, struct json_object *answer);

/* --- command groups -------------------------------------------------------------------------------- */

int cmd_trace(struct cli *cli);
int cmd_capture(struct cli *cli);
int cmd_explain(struct cli *cli);

extern const struct cli_group shell_group, show_group, config_group, candidate_group, packet_group,
	worker_group, srv6_group, pm_group, help_group, altmark_group, ioam_group, bfd_group,
	doctor_group;

#endif
