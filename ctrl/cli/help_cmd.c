/* SPDX-License-Identifier: BSD-3-Clause
 * heddle help, and the manual pages that the build asks for. */
#include <errno.h>
#include <string.h>

#include "ctrl/cli/cli.h"

static int write_page(struct cli *cli, const char *dir, const char *name,
		      const struct cli_command *c)
{
	char path[1200];

	snprintf(path, sizeof(path), "%s/%s.1", dir, name);
	FILE *f = fopen(path, "w");
	if (f == NULL)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(errno));
	if (c != NULL)
		man_one(f, c);
	else
		man_all(f);
	if (fclose(f) != 0)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(errno));
	return 0;
}

static int cmd_help(struct cli *cli)
{
	const char *dir = opt_value(cli, "--man-dir");
	char name[200] = "";
	int words, rc;

	if (dir != NULL) {
		rc = write_page(cli, dir, "heddle", NULL);
		cli_foreach(c)
		{
			man_name(c, name, sizeof(name));
			if (rc == 0)
				rc = write_page(cli, dir, name, c);
		}
		return rc;
	}
	if (cli->argc == 0) {
		help_all(stdout);
		return 0;
	}
	const struct cli_command *c = cli_find(cli, cli->argc, cli->argv, &words, false);
	if (c != NULL) {
		help_one(stdout, c);
		return 0;
	}
	for (int i = 0, at = 0; i < cli->argc && at < (int)sizeof(name); i++)
		at += snprintf(name + at, sizeof(name) - (size_t)at, "%s%s", i > 0 ? " " : "",
			       cli->argv[i]);
	help_some(stdout, name);
	return 0;
}

static const struct cli_command commands[] = {
	{ .name = "help",
	  .run = cmd_help,
	  .what = "what commands there are, or what one of them does",
	  .params = CLI_PARAMS({ "[COMMAND...]", NULL, CLI_COMMAND, "its words" },
			       { "--man-dir", "DIR", CLI_FILE,
				 "write the manual pages of all commands there instead" }),
	  .examples = CLI_EXAMPLES("heddle help", "heddle help show routes") },
	{ .name = NULL },
};

const struct cli_group help_group = { "Help", commands };
