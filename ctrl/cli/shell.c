/* SPDX-License-Identifier: BSD-3-Clause
 * heddle shell: commands line by line, typed or from a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "ctrl/cli/complete.h"

#define WORDS_MAX   200
#define HISTORY_MAX 2000

static struct cli *shell_cli; /* for readline, which hands no argument along */

/* --- words ------------------------------------------------------------------------------------------ */

/* Split as a shell does: quotes '...' and "...", backslash, # to the end of the line.  The words stand in `buf`, which
 * has as many octets as the line and one more for each word at most.  An unquoted | ends them: *ret_pipe is what stands
 * behind it, or NULL.  Returns how many words, -1: a quote has no end, -2: too many.  *ret_open: the last word is not
 * finished (nothing separates it from what is typed next). */
static int split(const char *line, char *buf, char **words, const char **ret_pipe, bool *ret_open)
{
	const char *p = line;
	char quote = '\0';
	bool in = false;
	int n = 0;

	*ret_pipe = NULL;
	for (;; p++) {
		if (*p == '\0' && quote != '\0' && ret_open == NULL)
			return -1;
		bool ends = *p == '\0' ||
			    (quote == '\0' && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '|' ||
					       (*p == '#' && !in)));
		if (ends && *p == '\0' && ret_open != NULL)
			*ret_open = in;
		if (ends && in) {
			*buf++ = '\0';
			in = false;
		}
		if (ends && *p == '|')
			*ret_pipe = p + 1;
		if (ends && (*p == '\0' || *p == '|' || *p == '#'))
			return n;
		if (ends)
			continue;
		if (!in) {
			if (n == WORDS_MAX)
				return -2;
			words[n++] = buf;
			in = true;
		}
		if (quote != '\0' && *p == quote)
			quote = '\0';
		else if (quote == '\0' && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (*p == '\\' && quote != '\'' && p[1] != '\0')
			*buf++ = *++p;
		else
			*buf++ = *p;
	}
}

/* --- running a line --------------------------------------------------------------------------------- */

/* The rest of the line is a command of the system, which reads ours. */
static int run_piped(struct cli *cli, int n, char **words, const char *to)
{
	fflush(stdout);
	int was = dup(STDOUT_FILENO);
	FILE *pipe = was < 0 ? NULL : popen(to, "w");
	if (pipe == NULL) {
		close(was);
		return cli_fail(cli, EXIT_ERROR, "'%s' cannot be started: %s", to, strerror(errno));
	}
	dup2(fileno(pipe), STDOUT_FILENO);
	cli->color = false;
	int rc = cli_run(cli, n, words);
	fflush(stdout);
	dup2(was, STDOUT_FILENO);
	close(was);
	pclose(pipe);
	return rc;
}

enum { LINE_END = -1 }; /* exit was said */

static int run_line(const struct cli *base, const char *line)
{
	char *buf = malloc(strlen(line) + WORDS_MAX + 2), *words[WORDS_MAX + 1];
	struct cli cli = *base;
	const char *to;
	int rc = 0;

	if (buf == NULL)
		abort();
	int n = split(line, buf, words, &to, NULL);
	cli_interrupted = 0;
	if (n > 1 && strcmp(words[0], "heddle") == 0) /* as in the examples of the manual */
		memmove(words, words + 1, (size_t)--n * sizeof(*words));
	if (n == -1)
		rc = cli_fail(&cli, EXIT_USAGE, "a quote has no end: %s", line);
	else if (n < 0)
		rc = cli_fail(&cli, EXIT_USAGE, "more than %d words", WORDS_MAX);
	else if (n == 1 && (strcmp(words[0], "exit") == 0 || strcmp(words[0], "quit") == 0))
		rc = LINE_END;
	else if (n == 1 && strcmp(words[0], "?") == 0)
		help_all(stdout);
	else if (n > 0 && to != NULL)
		rc = run_piped(&cli, n, words, to);
	else if (n > 0)
		rc = cli_run(&cli, n, words);
	free(buf);
	return rc;
}

/* --- from a file ------------------------------------------------------------------------------------- */

static int run_script(struct cli *cli, FILE *f, const char *name, bool stop)
{
	unsigned long number = 0;
	size_t room = 0;
	char *line = NULL;
	int status = 0;

	while (getline(&line, &room, f) >= 0) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		int rc = run_line(cli, line);
		fflush(stdout);
		if (rc == LINE_END)
			break;
		if (rc != 0) {
			status = status != 0 ? status : rc;
			if (!cli->json)
				fprintf(stderr, "heddle: %s:%lu: failed: %s\n", name, number, line);
		}
		if ((rc != 0 && stop) || cli_interrupted)
			break;
	}
	free(line);
	return status;
}

/* --- typed ------------------------------------------------------------------------------------------- */

struct found {
	char **list; /* as readline wants it: [0] is what all have in common */
	size_t n;
	bool file, print;
};

static void on_found(void *arg, const char *text, const char *what)
{
	struct found *f = arg;

	if (text != NULL && strcmp(text, "@file") == 0)
		f->file = true;
	if (f->print && text == NULL)
		printf("  %s\n", what);
	else if (f->print && strcmp(text, "@file") == 0)
		printf("  FILE  %s\n", what);
	else if (f->print)
		printf("  %-24s  %s\n", text, what);
	if (f->print || text == NULL || f->file)
		return;
	f->list = realloc(f->list, (f->n + 3) * sizeof(*f->list));
	if (f->list == NULL)
		abort();
	f->list[++f->n] = strdup(text);
}

/* Candidates for the word that ends at `end` of the line; false where the system's commands are typed. */
static bool find(struct found *f, const char *line, int end)
{
	char *start = strndup(line, (size_t)end), *buf = malloc((size_t)end + WORDS_MAX + 2);
	char *words[WORDS_MAX + 1], none[1] = "";
	const char *to;
	bool open = false;

	if (start == NULL || buf == NULL)
		abort();
	int n = split(start, buf, words, &to, &open);
	if (n >= 0 && to == NULL) {
		if (!open)
			words[n++] = none;
		int skip = n > 1 && strcmp(words[0], "heddle") == 0;
		cli_complete(shell_cli, n - skip, words + skip, on_found, f);
	}
	free(start);
	free(buf);
	return to == NULL;
}

static char **complete(const char *text, int start, int end)
{
	struct found f = { 0 };
	size_t same;

	(void)start;
	if (!find(&f, rl_line_buffer, end) || f.file)
		return NULL; /* readline completes names of files */
	rl_attempted_completion_over = 1;
	if (f.n == 0)
		return NULL;
	same = strlen(f.list[1]);
	for (size_t i = 2; i <= f.n; i++) {
		size_t k = 0;
		while (k < same && f.list[i][k] == f.list[1][k])
			k++;
		same = k;
	}
	f.list[0] = strndup(f.list[1], same);
	f.list[f.n + 1] = NULL;
	(void)text;
	return f.list;
}

/* "?": what may stand here; inside quotes it is an ordinary character. */
static int on_question(int count, int key)
{
	struct found f = { .print = true };
	bool open_quote = false;

	for (int i = 0; i < rl_point; i++)
		open_quote ^= rl_line_buffer[i] == '"' || rl_line_buffer[i] == '\'';
	if (open_quote)
		return rl_insert(count, key);
	printf("?\n");
	find(&f, rl_line_buffer, rl_point);
	rl_on_new_line();
	rl_redisplay();
	return 0;
}

/* Asked ten times a second while a line is typed: Ctrl-C gives the line up. */
static int on_wait(void)
{
	if (cli_interrupted) {
		rl_replace_line("", 0);
		rl_done = 1;
	}
	return 0;
}

static void history_path(char *buf, size_t size)
{
	const char *home = getenv("HOME");

	buf[0] = '\0';
	if (home != NULL && home[0] != '\0')
		snprintf(buf, size, "%s/.heddle_history", home);
}

/* "edge1", as heddle-ctrl knows it. */
static void host_name(struct cli *cli, char *buf, size_t size)
{
	struct cli quiet = *cli;
	struct json_object *answer = NULL;

	snprintf(buf, size, "heddle");
	quiet.quiet = true;
	if (api_get(&quiet, "heddle-system:system-state", &answer) == 0 &&
	    js_str(js_inner(answer), "hostname")[0] != '\0')
		snprintf(buf, size, "%s", js_str(js_inner(answer), "hostname"));
	json_object_put(answer);
}

static int run_typed(struct cli *cli)
{
	char path[1100], host[80], prompt[120], *line;

	shell_cli = cli;
	rl_readline_name = "heddle";
	rl_attempted_completion_function = complete;
	rl_basic_word_break_characters = " \t\n|";
	rl_completer_quote_characters = "\"'";
	rl_event_hook = on_wait;
	rl_bind_key('?', on_question);
	using_history();
	stifle_history(HISTORY_MAX);
	history_path(path, sizeof(path));
	if (path[0] != '\0')
		read_history(path);
	host_name(cli, host, sizeof(host));
	printf("heddle %s: ? says what can be typed, Tab completes, Ctrl-D ends\n", HEDDLE_VERSION);
	snprintf(prompt, sizeof(prompt), "%s> ", host);
	for (;;) {
		cli_interrupted = 0;
		line = readline(prompt);
		if (line == NULL)
			break;
		if (cli_interrupted) {
			free(line);
			continue;
		}
		HIST_ENTRY *last =
			history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
		if (line[strspn(line, " \t")] != '\0' &&
		    (last == NULL || strcmp(last->line, line) != 0))
			add_history(line);
		int rc = run_line(cli, line);
		free(line);
		if (rc == LINE_END)
			break;
	}
	if (line == NULL)
		printf("\n");
	mode_t mask = umask(077); /* what somebody typed is nobody else's */
	if (path[0] != '\0')
		write_history(path);
	umask(mask);
	return 0;
}

/* --- commands ----------------------------------------------------------------------------------------- */

static int cmd_shell(struct cli *cli)
{
	const char *file = opt_value(cli, "--file");
	bool stop = opt_flag(cli, "--stop");

	if (cli->shell)
		return cli_fail(cli, EXIT_USAGE, "this is a shell already");
	cli->shell = true;
	if (file == NULL && isatty(STDIN_FILENO))
		return run_typed(cli);
	if (file == NULL || strcmp(file, "-") == 0)
		return run_script(cli, stdin, "stdin", stop);
	FILE *f = fopen(file, "r");
	if (f == NULL)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", file, strerror(errno));
	int rc = run_script(cli, f, file, stop);
	fclose(f);
	return rc;
}

static void on_candidate(void *arg, const char *text, const char *what)
{
	(void)arg;
	if (text != NULL)
		printf("%s\t%s\n", text, what);
}

static int cmd_complete(struct cli *cli)
{
	char empty[1] = "", *none[1] = { empty };

	cli_complete(cli, cli->argc > 0 ? cli->argc : 1, cli->argc > 0 ? cli->argv : none,
		     on_candidate, NULL);
	return 0;
}

static const struct cli_command commands[] = {
	{ .name = "shell",
	  .run = cmd_shell,
	  .whole = true,
	  .what = "commands line by line: typed, from a file or from standard input",
	  .params = CLI_PARAMS({ "-f, --file", "FILE", CLI_FILE,
				 "read them there; - is standard input" },
			       { "-e, --stop", NULL, CLI_TEXT, "end at the first one that fails" }),
	  .more = "Without a command heddle is this shell; -f and -e may then stand alone: heddle -f "
		  "FILE.\nTab completes commands, options, names that heddle-ctrl knows and paths of "
		  "the configuration; ? says what each of them means. The history is kept in "
		  "~/.heddle_history. Quotes, backslash and # are as in a shell, and | gives what a "
		  "command prints to a command of the system. exit or Ctrl-D ends it.\nExit status: 0, "
		  "or that of the first command that failed.",
	  .examples = CLI_EXAMPLES("heddle shell", "heddle shell -e -f changes.txt") },
	{ .name = "complete",
	  .run = cmd_complete,
	  .whole = true,
	  .what = "what may stand where the last of these words is typed; for the shell's completion",
	  .params = CLI_PARAMS({ "[WORD...]", NULL, CLI_TEXT, "of a command line" }),
	  .examples = CLI_EXAMPLES("heddle complete -- show ro") },
	{ .name = NULL },
};

const struct cli_group shell_group = { "Command line", commands };
