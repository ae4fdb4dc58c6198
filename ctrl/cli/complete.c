/* SPDX-License-Identifier: BSD-3-Clause
 * Completion: words of commands and options come from the tables, names from heddle-ctrl, configuration paths from its
 * model and what is configured. */
#include "ctrl/cli/complete.h"

#include <string.h>

/* Where names of a kind are found: GET path, the list's name in it, its key, and what to say of an entry. */
static const struct source {
	const char *path, *list, *key, *what;
	const char *extra; /* a name that is always there */
} sources[CLI_KINDS] = {
	[CLI_INTERFACE] = { "heddle-interfaces:interface-state", "interface", "name", "link",
			    NULL },
	[CLI_VRF] = { "heddle-ip:ip", "vrf", "name", "description", "default" },
	[CLI_SID] = { "heddle-srv6:sid-state", "sid", "sid", "behavior", NULL },
	[CLI_POLICY] = { "heddle-srv6:policy-state", "policy", "name", "endpoint", NULL },
	[CLI_NODE] = { "heddle-system:graph-state", "node", "name", "", NULL },
};

struct completion {
	struct cli cli; /* quiet */
	const char *start,
		*prefix; /* of the word; what stands before it in the same word ("--vrf=") */
	cli_offer_fn offer;
	void *arg;
};

static void offer(struct completion *c, const char *text, const char *what)
{
	char whole[400];

	if (strncmp(text, c->start, strlen(c->start)) != 0)
		return;
	snprintf(whole, sizeof(whole), "%s%s", c->prefix, text);
	c->offer(c->arg, whole, what);
}

static void offer_names(struct completion *c, const struct source *s)
{
	struct json_object *answer = NULL, *list;
	char name[200];

	if (s->extra != NULL)
		offer(c, s->extra, "");
	if (api_get(&c->cli, s->path, &answer) != 0)
		return;
	list = js_get(js_inner(answer), s->list);
	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		/* a SID's prefix of 128 bits is written as its address */
		snprintf(name, sizeof(name), "%s", js_str(o, s->key));
		char *slash = s == &sources[CLI_SID] ? strstr(name, "/128") : NULL;
		if (slash != NULL)
			*slash = '\0';
		offer(c, name, js_str(o, s->what));
	}
	json_object_put(answer);
}

/* words: those of the path that are typed already */
static void offer_path(struct completion *c, int n, char **words)
{
	struct json_object *in = json_object_new_object(), *list = json_object_new_array();
	struct json_object *answer = NULL;

	for (int i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(words[i]));
	json_object_object_add(in, "word", list);
	js_add(in, "start", c->start);
	if (api_post(&c->cli, "heddle-complete:path", in, &answer) != 0)
		return;
	struct json_object *o = js_inner(answer), *found = js_get(o, "candidate");
	for (size_t i = 0; found != NULL && i < json_object_array_length(found); i++) {
		struct json_object *e = json_object_array_get_idx(found, i);
		offer(c, js_str(e, "text"), js_str(e, "what"));
	}
	if (js_str(o, "hint")[0] != '\0')
		c->offer(c->arg, NULL, js_str(o, "hint"));
	json_object_put(answer);
}

static void offer_command(struct completion *c, int n, char **words);

/* A word or a value of this kind; n, words: those of the same parameter before it. */
static void offer_param(struct completion *c, const struct cli_param *p, int n, char **words)
{
	char choice[40];

	if (p->value != NULL && strchr(p->value, '|') != NULL) {
		for (const char *w = p->value; *w != '\0'; w += strspn(w, "|[]")) {
			size_t len = strcspn(w, "|[]");
			if (len > 0 && len < sizeof(choice)) {
				memcpy(choice, w, len);
				choice[len] = '\0';
				offer(c, choice, "");
			}
			w += len;
		}
	} else if (p->kind == CLI_FILE) {
		c->offer(c->arg, "@file", p->what);
	} else if (p->kind == CLI_COMMAND) {
		offer_command(c, n, words);
	} else if (p->kind == CLI_PATH) {
		offer_path(c, n, words);
	} else if (sources[p->kind].path != NULL) {
		offer_names(c, &sources[p->kind]);
	} else {
		char hint[300];
		snprintf(hint, sizeof(hint), "%s: %s",
			 p->name[0] == '-' && p->value != NULL ? p->value : p->name, p->what);
		c->offer(c->arg, NULL, hint);
	}
}

static void offer_options(struct completion *c, const struct cli_command *cmd)
{
	for (const struct cli_param *p = cmd->params; p != NULL && p->name != NULL; p++) {
		const char *name = strstr(p->name, "--"); /* the long one of "-w, --file" */
		if (p->name[0] == '-')
			offer(c, name != NULL ? name : p->name, p->what);
	}
	offer(c, "--json", "machine-readable, errors too");
	offer(c, "--help", "what the command does");
}

static const struct cli_param *option(const struct cli_command *cmd, const char *word)
{
	for (const struct cli_param *p = cmd->params; p != NULL && p->name != NULL; p++)
		if (p->name[0] == '-' && cli_param_is(p, word))
			return p;
	return NULL;
}

/* Behind a command's name: options and words. */
static void offer_words(struct completion *c, const struct cli_command *cmd, int n, char **words)
{
	char name[64];
	int at = 0, first = 0;

	for (int i = 0; i < n; i++) {
		const struct cli_param *p = words[i][0] == '-' ? option(cmd, words[i]) : NULL;
		if (p != NULL && p->value != NULL && p->value[0] != '[') {
			if (i + 1 == n) { /* its value is what is typed */
				offer_param(c, p, 0, NULL);
				return;
			}
			i++;
		} else if (words[i][0] != '-') {
			words[at++] = words[i]; /* only words stay in front */
		}
	}
	const char *eq = c->start[0] == '-' ? strchr(c->start, '=') : NULL;
	if (eq != NULL) {
		snprintf(name, sizeof(name), "%.*s", (int)(eq - c->start), c->start);
		const struct cli_param *p = option(cmd, name);
		char prefix[80];
		if (p == NULL || p->value == NULL)
			return;
		snprintf(prefix, sizeof(prefix), "%s=", name);
		c->prefix = prefix;
		c->start = eq + 1;
		offer_param(c, p, 0, NULL);
		return;
	}
	if (c->start[0] == '-') {
		offer_options(c, cmd);
		return;
	}
	for (const struct cli_param *p = cmd->params; p != NULL && p->name != NULL; p++) {
		if (p->name[0] == '-')
			continue;
		if (cli_param_rest(p) || first == at) {
			offer_param(c, p, at - first, words + first);
			return;
		}
		first++;
	}
	if (c->start[0] == '\0')
		offer_options(c, cmd);
}

static void on_word(void *arg, const char *word, const struct cli_command *c)
{
	offer(arg, word, c != NULL ? c->what : "");
}

static void offer_command(struct completion *c, int n, char **words)
{
	const struct cli_command *cmd;
	int used;

	cli_next_words(n, words, on_word, c);
	cmd = cli_find(&c->cli, n, words, &used, false);
	if (cmd != NULL)
		offer_words(c, cmd, n - used, words + used);
}

void cli_complete(const struct cli *cli, int argc, char **argv, cli_offer_fn fn, void *arg)
{
	struct completion c = {
		.cli = *cli, .start = argv[argc - 1], .prefix = "", .offer = fn, .arg = arg
	};
	char *words[200];
	int n = 0;

	c.cli.quiet = true;
	for (int i = 0; i + 1 < argc && n < 200; i++) {
		if (strcmp(argv[i], "--socket") == 0 && i + 2 < argc)
			c.cli.socket = argv[++i];
		else if (strncmp(argv[i], "--socket=", 9) == 0)
			c.cli.socket = argv[i] + 9;
		else if (strcmp(argv[i], "--json") != 0)
			words[n++] = argv[i];
	}
	offer_command(&c, n, words);
}
