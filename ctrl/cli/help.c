/* SPDX-License-Identifier: BSD-3-Clause
 * Help and manual pages, made from the rows of the command tables. */
#include <string.h>

#include "ctrl/cli/cli.h"

static const struct cli_param common[] = {
	{ "--json", NULL, CLI_TEXT, "machine-readable output, errors too" },
	{ "--socket", "PATH", CLI_FILE,
	  "of heddle-ctrl  [HEDDLE_SOCKET, or /run/heddle/ctrl.sock]" },
	{ "-h, --help", NULL, CLI_TEXT, "what a command does, its options, an example" },
	{ .name = NULL },
};

/* "capture -w FILE [options]" */
static void synopsis(FILE *out, const struct cli_command *c)
{
	bool options = false;

	fprintf(out, "heddle %s", c->name);
	for (const struct cli_param *p = c->params; p != NULL && p->name != NULL; p++)
		options |= p->name[0] == '-';
	if (options)
		fprintf(out, " [options]");
	for (const struct cli_param *p = c->params; p != NULL && p->name != NULL; p++)
		if (p->name[0] != '-')
			fprintf(out, " %s", p->value != NULL ? p->value : p->name);
}

static int param_head(char *buf, size_t size, const struct cli_param *p)
{
	return snprintf(buf, size, "%s%s%s", p->name,
			p->name[0] == '-' && p->value != NULL ? " " : "",
			p->name[0] == '-' && p->value != NULL ? p->value : "");
}

static void params(FILE *out, const struct cli_param *list)
{
	int room = 0;
	char head[80];

	for (const struct cli_param *p = list; p != NULL && p->name != NULL; p++)
		if (param_head(head, sizeof(head), p) > room)
			room = (int)strlen(head);
	for (const struct cli_param *p = list; p != NULL && p->name != NULL; p++) {
		param_head(head, sizeof(head), p);
		fprintf(out, "  %-*s  %s\n", room, head, p->what);
	}
}

void help_some(FILE *out, const char *words)
{
	size_t len = strlen(words), n = 0;

	for (size_t g = 0; cli_groups[g] != NULL; g++) {
		bool titled = false;
		for (const struct cli_command *c = cli_groups[g]->commands; c->name != NULL; c++) {
			if (strncmp(c->name, words, len) != 0)
				continue;
			if (!titled)
				fprintf(out, "%s%s:\n", n > 0 ? "\n" : "", cli_groups[g]->title);
			titled = true;
			n++;
			fprintf(out, "  ");
			synopsis(out, c);
			fprintf(out, "\n      %s\n", c->what);
		}
	}
	if (n == 0)
		fprintf(out, "no command begins with '%s'; heddle --help lists them all\n", words);
}

void help_all(FILE *out)
{
	fprintf(out, "Usage: heddle COMMAND [options]\n"
		     "Look at and steer a running Heddle.  Without a command it is a shell.\n\n");
	help_some(out, "");
	fprintf(out, "\nOptions of all commands:\n");
	params(out, common);
	fprintf(out, "  --version\n\nExamples:\n");
	cli_foreach(c) fprintf(out, "  %s\n", c->examples[0]);
	fprintf(out, "\nWords of a command may be shortened while they are unique: heddle sh int\n"
		     "More about one command: heddle COMMAND --help, or man heddle-COMMAND\n");
}

void help_one(FILE *out, const struct cli_command *c)
{
	fprintf(out, "Usage: ");
	synopsis(out, c);
	fprintf(out, "\nWhat it does: %s.\n\n", c->what);
	if (c->more != NULL)
		fprintf(out, "%s\n\n", c->more);
	params(out, c->params);
	fprintf(out, "%sOptions of all commands:\n", c->params != NULL ? "\n" : "");
	params(out, common);
	fprintf(out, "\nExamples:\n");
	for (const char *const *e = c->examples; *e != NULL; e++)
		fprintf(out, "  %s\n", *e);
}

/* --- manual pages --------------------------------------------------------------------------------- */

/* Text in which roff finds nothing to obey. */
static void roff(FILE *out, const char *text)
{
	bool start = true;

	for (; *text != '\0'; text++) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\n' && text[1] == '\n') {
			fputs("\n.PP", out);
			text++;
		}
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		start = *text == '\n';
	}
}

static void man_params(FILE *out, const struct cli_param *list)
{
	char head[80];

	for (const struct cli_param *p = list; p != NULL && p->name != NULL; p++) {
		param_head(head, sizeof(head), p);
		fprintf(out, ".TP\n.B ");
		roff(out, head);
		fprintf(out, "\n");
		roff(out, p->what);
		fprintf(out, "\n");
	}
}

static void man_example(FILE *out, const char *line)
{
	fprintf(out, ".PP\n.RS 4\n.nf\n");
	roff(out, line);
	fprintf(out, "\n.fi\n.RE\n");
}

static void man_head(FILE *out, const char *name)
{
	fprintf(out, ".\\\" SPDX-License-Identifier: BSD-3-Clause\n"
		     ".\\\" Made from the command tables of heddle: do not edit.\n.TH \"");
	for (; *name != '\0'; name++)
		fputc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, out);
	fprintf(out, "\" 1 \"\" \"heddle %s\" \"Heddle\"\n.SH NAME\n", HEDDLE_VERSION);
}

void man_name(const struct cli_command *c, char *buf, size_t size)
{
	snprintf(buf, size, "heddle-%s", c->name);
	for (char *p = buf; *p != '\0'; p++)
		if (*p == ' ')
			*p = '-';
}

void man_one(FILE *out, const struct cli_command *c)
{
	char name[80];

	man_name(c, name, sizeof(name));
	man_head(out, name);
	roff(out, name);
	fprintf(out, " \\- ");
	roff(out, c->what);
	fprintf(out, "\n.SH SYNOPSIS\n.B ");
	/* the synopsis has nothing that roff would obey but its hyphens, which may be broken: it is one line */
	synopsis(out, c);
	fprintf(out, "\n.SH DESCRIPTION\n");
	roff(out, c->more != NULL ? c->more : c->what);
	fprintf(out, "%s\n", c->more != NULL ? "" : ".");
	if (c->params != NULL)
		fprintf(out, ".SH OPTIONS\n");
	man_params(out, c->params);
	fprintf(out, ".SH \"OPTIONS OF ALL COMMANDS\"\n");
	man_params(out, common);
	fprintf(out, ".SH \"EXIT STATUS\"\n0: done; 1: refused, failed or different; 2: the words "
		     "make no command.\n.SH EXAMPLES\n");
	for (const char *const *e = c->examples; *e != NULL; e++)
		man_example(out, *e);
	fprintf(out, ".SH \"SEE ALSO\"\n.BR heddle (1)\n");
}

void man_all(FILE *out)
{
	char name[80];

	man_head(out, "heddle");
	fprintf(out, "heddle \\- look at and steer a running Heddle\n.SH SYNOPSIS\n"
		     ".B heddle\n.I COMMAND\n[options]\n.SH DESCRIPTION\n"
		     "heddle is a client of heddle\\-ctrl: what it can do, any client of that "
		     "interface can.\nWords of a command may be shortened while they are unique.\n"
		     "Without a command it is a shell; see\n.BR heddle\\-shell (1).\n");
	for (size_t g = 0; cli_groups[g] != NULL; g++) {
		fprintf(out, ".SH \"");
		roff(out, cli_groups[g]->title);
		fprintf(out, "\"\n");
		for (const struct cli_command *c = cli_groups[g]->commands; c->name != NULL; c++) {
			man_name(c, name, sizeof(name));
			fprintf(out, ".TP\n.BR ");
			roff(out, name);
			fprintf(out, " (1)\n");
			roff(out, c->what);
			fprintf(out, ".\n");
		}
	}
	fprintf(out, ".SH \"OPTIONS OF ALL COMMANDS\"\n");
	man_params(out, common);
	fprintf(out, ".SH ENVIRONMENT\n.TP\n.B HEDDLE_SOCKET\nsocket of heddle\\-ctrl\n.TP\n"
		     ".B NO_COLOR\nwhen set, no colours\n.SH EXAMPLES\n");
	cli_foreach(c) man_example(out, c->examples[0]);
}
