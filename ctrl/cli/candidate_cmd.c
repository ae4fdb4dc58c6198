/* SPDX-License-Identifier: BSD-3-Clause
 * The candidate and what becomes of it; history; events, metrics; the password file. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"
#include "ctrl/file.h"

#define CONFIRM_DEFAULT_S 600

/* An operation without an answer of its own. */
static int simply(struct cli *cli, const char *name, struct json_object *in, const char *said)
{
	int rc = api_post(cli, name, in, NULL);

	if (rc == 0 && !cli->json && said != NULL)
		printf("%s\n", said);
	return rc;
}

/* --- editing -------------------------------------------------------------------------------------- */

static int edit_words(struct cli *cli, const char *operation)
{
	struct json_object *in = json_object_new_object(), *words = json_object_new_array();

	for (int i = 0; i < cli->argc; i++)
		json_object_array_add(words, json_object_new_string(cli->argv[i]));
	js_add(in, "operation", operation);
	json_object_object_add(in, "word", words);
	return simply(cli, "heddle-system:edit", in, NULL);
}

static int cmd_set(struct cli *cli)
{
	return edit_words(cli, "set");
}

static int cmd_delete(struct cli *cli)
{
	return edit_words(cli, "delete");
}

static int get_candidate(struct cli *cli, struct json_object **ret)
{
	return api_get_path(cli, "/restconf/ds/ietf-datastores:candidate", ret);
}

static int run_editor(struct cli *cli, const char *path)
{
	const char *editor = getenv("VISUAL");
	char command[1024];

	if (editor == NULL || editor[0] == '\0')
		editor = getenv("EDITOR");
	if (editor == NULL || editor[0] == '\0')
		editor = "vi";
	snprintf(command, sizeof(command), "%s '%s'", editor, path);
	int status = system(command);
	if (status != 0)
		return cli_fail(cli, EXIT_ERROR,
				"'%s' failed; the candidate is as it was (EDITOR "
				"names another editor)",
				editor);
	return 0;
}

static int yes(const char *question)
{
	char line[16];

	printf("%s [Y/n] ", question);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) != NULL && line[0] != 'n' && line[0] != 'N';
}

/* The text goes back into the editor until it is a configuration, or given up. */
static int edit_file(struct cli *cli, const char *path)
{
	struct json_object *answer, *in;
	struct stat before, after;
	int rc;

	stat(path, &before);
	for (;;) {
		rc = run_editor(cli, path);
		if (rc != 0)
			return rc;
		if (stat(path, &after) == 0 && after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
		    after.st_mtim.tv_nsec == before.st_mtim.tv_nsec) {
			if (!cli->json)
				printf("nothing changed\n");
			return 0;
		}
		in = config_file_input(cli, path, &rc);
		if (in == NULL)
			return rc;
		json_object_object_add(in, "candidate", json_object_new_boolean(1));
		answer = NULL;
		rc = api_post(cli, "heddle-system:load", in, &answer);
		if (rc == 0)
			return config_report(cli, answer);
		if (!isatty(STDIN_FILENO) || !yes("edit again?"))
			return rc;
	}
}

static int cmd_edit(struct cli *cli)
{
	char path[] = "/tmp/heddle-XXXXXX.yaml";
	struct json_object *o = NULL;
	int rc = get_candidate(cli, &o);

	if (rc != 0)
		return rc;
	int fd = mkstemps(path, 5);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f == NULL) {
		json_object_put(o);
		return cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(errno));
	}
	js_print_yaml(f, o);
	json_object_put(o);
	rc = fclose(f) != 0 ? cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(errno)) :
			      edit_file(cli, path);
	unlink(path);
	return rc;
}

static int cmd_candidate_show(struct cli *cli)
{
	struct json_object *o = NULL;
	int rc = get_candidate(cli, &o);

	if (rc != 0)
		return rc;
	if (cli->json)
		js_print(o);
	else
		js_print_yaml(stdout, o);
	json_object_put(o);
	return 0;
}

static int cmd_discard(struct cli *cli)
{
	return simply(cli, "heddle-system:discard-candidate", NULL, "there is no candidate now");
}

static int cmd_rebase(struct cli *cli)
{
	return simply(cli, "heddle-system:rebase-candidate", NULL,
		      "the candidate's changes stand on what runs now; see: heddle diff");
}

/* --- commit ---------------------------------------------------------------------------------------- */

static int commit(struct cli *cli, struct json_object *in)
{
	struct json_object *answer = NULL;
	int rc = api_post(cli, "heddle-system:commit", in, &answer);

	return rc != 0 ? rc : config_report(cli, answer);
}

static int cmd_commit(struct cli *cli)
{
	struct json_object *in = json_object_new_object();

	js_add(in, "comment", opt_value(cli, "--comment"));
	if (opt_flag(cli, "--check"))
		json_object_object_add(in, "check", json_object_new_boolean(1));
	return commit(cli, in);
}

static int cmd_commit_confirmed(struct cli *cli)
{
	struct json_object *in = json_object_new_object();
	long long seconds = cli->argc > 0 ? strtoll(cli->argv[0], NULL, 10) : CONFIRM_DEFAULT_S;

	js_add(in, "comment", opt_value(cli, "--comment"));
	json_object_object_add(in, "confirmed", json_object_new_int64(seconds));
	return commit(cli, in);
}

static int cmd_confirm(struct cli *cli)
{
	struct json_object *in = json_object_new_object(), *answer = NULL;

	json_object_object_add(in, "cancel", json_object_new_boolean(opt_flag(cli, "--cancel")));
	int rc = api_post(cli, "heddle-system:confirm", in, &answer);
	return rc != 0 ? rc : config_report(cli, answer);
}

static int cmd_history(struct cli *cli)
{
	static const char *const heads[] = { ">REVISION", "TIME", "USER",    ">OBJECTS",
					     "STATE",     "FROM", "COMMENT", NULL };
	struct json_object *answer = NULL;
	int rc = api_get(cli, "heddle-system:history-state", &answer);

	if (rc != 0 || js_answered(cli, answer))
		return rc;
	struct json_object *list = js_get(js_inner(answer), "version");
	size_t n = list != NULL ? json_object_array_length(list) : 0;
	struct table *t = table_new(heads);
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);
		const char *state = js_str(v, "state");
		table_cell(t, "%s", js_str(v, "revision"));
		table_cell(t, "%.19s", js_str(v, "time"));
		table_cell(t, "%s", js_str(v, "user"));
		table_cell(t, "%s", js_str(v, "objects"));
		table_cell(t, "%s", strcmp(state, "past") == 0 ? "" : state);
		table_cell(t, "%s", js_str(v, "source"));
		table_cell(t, "%s", js_str(v, "comment"));
	}
	table_print(cli, t);
	json_object_put(answer);
	return 0;
}

/* --- events ------------------------------------------------------------------------------------------ */

struct events {
	struct cli *cli;
	char line[16384];
	size_t len;
	uint64_t left;
	bool failed;
};

/* "time  name  leaf value, ..." */
static void print_event(struct cli *cli, const char *json)
{
	struct json_object *o = json_tokener_parse(json),
			   *n = js_get(o, "ietf-restconf:notification");

	if (n == NULL) {
		json_object_put(o);
		return;
	}
	if (cli->json) {
		printf("%s\n", json);
		fflush(stdout);
		json_object_put(o);
		return;
	}
	printf("%.19s  ", js_str(n, "eventTime"));
	json_object_object_foreach(n, name, content)
	{
		const char *colon = strchr(name, ':');
		if (colon == NULL)
			continue;
		printf("%s%s%s ", paint(cli, "1"), colon + 1, paint(cli, "0"));
		json_object_object_foreach(content, leaf, value)
		{
			printf(" %s %s", leaf, json_object_get_string(value));
		}
	}
	printf("\n");
	fflush(stdout);
	json_object_put(o);
}

static bool on_events(void *arg, const void *data, size_t len)
{
	struct events *e = arg;
	const char *p = data;

	for (size_t i = 0; i < len; i++) {
		if (p[i] != '\n') {
			if (e->len + 1 < sizeof(e->line))
				e->line[e->len++] = p[i];
			continue;
		}
		e->line[e->len] = '\0';
		e->len = 0;
		if (strncmp(e->line, "data: ", 6) != 0)
			continue;
		print_event(e->cli, e->line + 6);
		if (e->left != 0 && --e->left == 0)
			return false;
	}
	return true;
}

static int cmd_events(struct cli *cli)
{
	struct events e = { .cli = cli, .left = opt_number(cli, "--count", 0) };
	char path[160], now[40];
	time_t t = time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (opt_flag(cli, "--follow"))
		snprintf(path, sizeof(path), "/restconf/streams/NETCONF");
	else
		snprintf(path, sizeof(path),
			 "/restconf/streams/NETCONF?start-time=1970-01-01T00:00:00Z&stop-time=%s",
			 now);
	bool wanted = e.left != 0;
	int rc = api_stream(cli, path, on_events, NULL, &e);
	return rc != 0 && ((wanted && e.left == 0) || cli_interrupted) ? 0 : rc;
}

/* --- metrics ------------------------------------------------------------------------------------------ */

static bool on_metrics(void *arg, const void *data, size_t len)
{
	char **text = arg;
	size_t have = *text != NULL ? strlen(*text) : 0;
	char *more = realloc(*text, have + len + 1);

	if (more == NULL)
		return false;
	memcpy(more + have, data, len);
	more[have + len] = '\0';
	*text = more;
	return true;
}

/* [{"series": "name{labels}", "value": 1}] */
static void print_series(const char *text)
{
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	char *copy = strdup(text), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *space = strrchr(line, ' ');
		if (line[0] == '#' || space == NULL)
			continue;
		*space = '\0';
		struct json_object *o = json_object_new_object();
		js_add(o, "series", line);
		json_object_object_add(
			o, "value", json_object_new_double_s(strtod(space + 1, NULL), space + 1));
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "heddle:metrics", list);
	js_print(top);
	json_object_put(top);
	free(copy);
}

static int cmd_metrics(struct cli *cli)
{
	char *text = NULL;
	int rc = api_stream(cli, "/metrics", on_metrics, NULL, &text);

	if (rc == 0 && text != NULL && cli->json)
		print_series(text);
	else if (rc == 0 && text != NULL)
		fputs(text, stdout);
	free(text);
	return rc;
}

/* --- passwords ------------------------------------------------------------------------------------------ */

static bool read_password(const char *prompt, char *buf, size_t size)
{
	struct termios old, quiet;
	bool tty = tcgetattr(STDIN_FILENO, &old) == 0;

	if (tty) {
		fprintf(stderr, "%s", prompt);
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	}
	bool ok = fgets(buf, (int)size, stdin) != NULL;
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSANOW, &old);
		fprintf(stderr, "\n");
	}
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

/* The file's text with the line of `name` replaced or added; to be freed. */
static char *with_line(const char *text, const char *name, const char *hash)
{
	size_t room = strlen(text) + strlen(name) + strlen(hash) + 4, n = strlen(name), len = 0;
	char *out = malloc(room);

	if (out == NULL)
		return NULL;
	while (*text != '\0') {
		size_t line = strcspn(text, "\n");
		bool same = strncmp(text, name, n) == 0 && text[n] == ':';
		if (!same && line > 0)
			len += (size_t)snprintf(out + len, room - len, "%.*s\n", (int)line, text);
		text += line + (text[line] == '\n');
	}
	snprintf(out + len, room - len, "%s:%s\n", name, hash);
	return out;
}

static int cmd_passwd(struct cli *cli)
{
	const char *path = cli->argv[0], *name = cli->argv[1];
	char first[256], second[256], hash[crypto_pwhash_STRBYTES], *old = NULL, *text;
	size_t len;

	if (strchr(name, ':') != NULL || name[0] == '#' || strlen(name) > 63)
		return cli_fail(cli, EXIT_USAGE, "'%s' cannot be a user's name", name);
	if (sodium_init() < 0)
		return cli_fail(cli, EXIT_ERROR, "libsodium does not start");
	int rc = file_read(path, 1 << 20, &old, &len);
	if (rc < 0 && rc != -ENOENT)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(-rc));
	if (!read_password("password: ", first, sizeof(first)) || strlen(first) < 8) {
		free(old);
		return cli_fail(cli, EXIT_ERROR, "a password has 8 characters or more");
	}
	if (isatty(STDIN_FILENO) &&
	    (!read_password("once more: ", second, sizeof(second)) || strcmp(first, second) != 0)) {
		free(old);
		return cli_fail(cli, EXIT_ERROR, "these were two different passwords");
	}
	rc = crypto_pwhash_str(hash, first, strlen(first), crypto_pwhash_OPSLIMIT_INTERACTIVE,
			       crypto_pwhash_MEMLIMIT_INTERACTIVE);
	sodium_memzero(first, sizeof(first));
	sodium_memzero(second, sizeof(second));
	text = rc == 0 ? with_line(old != NULL ? old : "", name, hash) : NULL;
	free(old);
	mode_t mask = umask(077);
	rc = text == NULL ? -ENOMEM : file_replace(path, text, strlen(text));
	umask(mask);
	free(text);
	return rc < 0 ? cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(-rc)) : 0;
}

/* --- the table ------------------------------------------------------------------------------------------ */

#define PATH_HELP                                                                              \
	"The node is named by words from the top: the names of what it stands in, behind the " \
	"name of a list the values of its keys. As errors and diffs write it will do too: "    \
	"\"/ip/route[prefix='10.0.0.0/8']/special\"."

static const struct cli_command commands[] = {
	{ .name = "set",
	  .run = cmd_set,
	  .what = "change one node of the candidate, and make what it stands in",
	  .params =
		  CLI_PARAMS({ "PATH...", NULL, CLI_PATH, "a node, and its value if it has one" }),
	  .more = PATH_HELP " Nothing runs of it before 'heddle commit'.",
	  .examples = CLI_EXAMPLES(
		  "heddle set interfaces interface access mtu 1400",
		  "heddle set ip route 10.66.0.0/16 special blackhole",
		  "heddle set \"/ip/route[prefix='10.66.0.0/16']/special\" prohibit") },
	{ .name = "delete",
	  .run = cmd_delete,
	  .what = "take a node out of the candidate, with all that stands in it",
	  .params = CLI_PARAMS({ "PATH...", NULL, CLI_PATH,
				 "a node; a list without its keys: all its entries" }),
	  .more = PATH_HELP,
	  .examples = CLI_EXAMPLES("heddle delete ip route 10.66.0.0/16",
				   "heddle delete interfaces interface access mtu") },
	{ .name = "edit",
	  .run = cmd_edit,
	  .what = "the whole candidate in an editor, as YAML",
	  .more = "VISUAL or EDITOR names the editor. A text that is no configuration changes nothing.",
	  .examples = CLI_EXAMPLES("heddle edit") },
	{ .name = "candidate show",
	  .run = cmd_candidate_show,
	  .what = "the candidate, or what runs while there is none",
	  .examples = CLI_EXAMPLES("heddle candidate show", "heddle candidate show --json") },
	{ .name = "candidate discard",
	  .run = cmd_discard,
	  .what = "give up the candidate",
	  .examples = CLI_EXAMPLES("heddle candidate discard") },
	{ .name = "candidate rebase",
	  .run = cmd_rebase,
	  .what = "carry the candidate's changes over to what runs now",
	  .more = "Needed when another version has come into force since the candidate began.",
	  .examples = CLI_EXAMPLES("heddle candidate rebase") },
	{ .name = "commit",
	  .run = cmd_commit,
	  .what = "make the candidate run, as one transaction",
	  .params = CLI_PARAMS({ "--comment", "TEXT", CLI_TEXT, "why, for the history" },
			       { "--check", NULL, CLI_TEXT,
				 "only say whether it would be accepted" }),
	  .more = "A version that waits for its confirmation is confirmed by it. When a commit is refused nothing "
		  "has changed, and the candidate is kept.",
	  .examples =
		  CLI_EXAMPLES("heddle commit --comment 'new customer'", "heddle commit --check") },
	{ .name = "commit confirmed",
	  .run = cmd_commit_confirmed,
	  .what = "the same, but it returns to what it was unless it is confirmed",
	  .params =
		  CLI_PARAMS({ "[SECONDS]", NULL, CLI_NUMBER, "time for 'heddle confirm'  [600]" },
			     { "--comment", "TEXT", CLI_TEXT, "why, for the history" }),
	  .more = "For changes that may cut you off. The time goes on while heddle-ctrl does not run: when it is "
		  "over at its start, the version before is what it starts with.",
	  .examples = CLI_EXAMPLES("heddle commit confirmed 60") },
	{ .name = "confirm",
	  .run = cmd_confirm,
	  .what = "keep the version that waits for its confirmation",
	  .params = CLI_PARAMS(
		  { "--cancel", NULL, CLI_TEXT, "do not: let the version before it return now" }),
	  .examples = CLI_EXAMPLES("heddle confirm", "heddle confirm --cancel") },
	{ .name = "history",
	  .run = cmd_history,
	  .what = "versions of the configuration: who, when and why",
	  .examples = CLI_EXAMPLES("heddle history") },
	{ .name = "events",
	  .run = cmd_events,
	  .what = "what has happened: commits, links, stalls, data planes that come and go",
	  .params = CLI_PARAMS({ "--follow", NULL, CLI_TEXT,
				 "from now on, as it happens, until Ctrl-C  [the last ones]" },
			       { "--count", "N", CLI_NUMBER, "end after N events" }),
	  .examples = CLI_EXAMPLES("heddle events", "heddle events --follow") },
	{ .name = "show metrics",
	  .run = cmd_metrics,
	  .what = "counters and gauges as Prometheus reads them",
	  .examples = CLI_EXAMPLES("heddle show metrics") },
	{ .name = "passwd",
	  .run = cmd_passwd,
	  .what = "set a user's password in a password file of the API",
	  .params = CLI_PARAMS({ "FILE", NULL, CLI_FILE, "system/api/password-file" },
			       { "NAME", NULL, CLI_TEXT, "a user of system/api/user" }),
	  .more = "The password is asked for, or read from standard input. Kept is its argon2id hash alone.",
	  .examples = CLI_EXAMPLES("heddle passwd /etc/heddle/passwd alice") },
	{ .name = NULL },
};

const struct cli_group candidate_group = { "Candidate, history and events", commands };
