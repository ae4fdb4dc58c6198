/* SPDX-License-Identifier: BSD-3-Clause
 * Commands, options common to all, and their help.  One list (commands[]) says everything. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"

static const struct command {
	const char *name;
	int (*run)(struct cli *cli);
	const char *words, *what, *options, *example;
} commands[] = {
	{ "show", cmd_show, "WHAT",
	  "interfaces, neighbours, routes, sids, policies, drops, workers, graph, config or version",
	  "  --watch [SECONDS]  again and again; rates instead of totals for interfaces  [1]\n"
	  "  --rates            interfaces: rates over one second\n"
	  "  --dot              graph: a picture for graphviz\n"
	  "  --vrf NAME         routes: of this VRF only\n",
	  "heddle show interfaces --watch\n  heddle show graph --dot | dot -Tsvg > graph.svg" },
	{ "load", cmd_load, "FILE", "replace the running configuration; all or nothing",
	  "  --check            only say whether it would be accepted\n"
	  "  FILE               YAML or JSON; - is standard input\n",
	  "heddle load /etc/heddle/heddle.yaml" },
	{ "reload", cmd_reload, "", "let heddle-ctrl read its own configuration file again", "",
	  "heddle reload" },
	{ "diff", cmd_diff, "[FILE | running dataplane]",
	  "what a load of FILE would change; or where the data plane is not as configured",
	  "  exit status 0: no difference; 1: differences, or an error\n",
	  "heddle diff new.yaml\n  heddle diff running dataplane" },
	{ "workers", cmd_workers, "place INTERFACE QUEUE WORKER | spread",
	  "move an RX queue to a worker, or spread all evenly again; see: heddle show workers", "",
	  "heddle workers place wan 1 3\n  heddle workers spread" },
	{ "trace", cmd_trace, "packets",
	  "follow packets through the graph, with the verdict of each node",
	  "  --count N          packets  [1]\n"
	  "  --prefix P         source or destination in this prefix\n"
	  "  --interface I      received here\n"
	  "  --sid S            destination or a listed segment is this SID\n"
	  "  --timeout SECONDS  give up after  [10]\n",
	  "heddle trace packets --count 3 --prefix 10.0.2.0/24" },
	{ "capture", cmd_capture, "-w FILE", "packets of the running data plane as pcapng",
	  "  -w, --file FILE    - is standard output\n"
	  "  --node N           what this graph node receives  [all that ports receive and send]\n"
	  "  --filter BPF       pcap-filter(7) expression\n"
	  "  --count N          end after N packets  [until Ctrl-C]\n"
	  "  --snaplen N        octets kept of each packet  [all]\n"
	  "  --timeout SECONDS  end after\n",
	  "heddle capture --filter icmp6 --count 10 -w ping.pcapng\n"
	  "  heddle capture --node drop -w - | tshark -r -" },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

volatile sig_atomic_t cli_interrupted;

static void on_signal(int signum)
{
	(void)signum;
	cli_interrupted = 1;
}

static const char global_help[] =
	"Options of all commands:\n"
	"  --json             machine-readable, errors too\n"
	"  --socket PATH      of heddle-ctrl  [HEDDLE_SOCKET, or /run/heddle/ctrl.sock]\n"
	"  --help, --version\n";

static void help_all(FILE *out)
{
	fprintf(out, "Usage: heddle COMMAND [options]\nLook at and steer a running Heddle.\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  heddle %s%s%s\n      %s\n", commands[i].name,
			commands[i].words[0] != '\0' ? " " : "", commands[i].words,
			commands[i].what);
	fprintf(out, "\n%s\nExamples:\n", global_help);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %s\n", commands[i].example);
	fprintf(out, "\nMore about one command: heddle COMMAND --help\n");
}

static void help_one(const struct command *c)
{
	printf("Usage: heddle %s %s\nWhat it does: %s.\n\n%s\n%s\nExample:\n  %s\n", c->name,
	       c->words, c->what, c->options, global_help, c->example);
}

static void take(struct cli *cli, int at, int n)
{
	for (int i = at; i + n <= cli->argc; i++)
		cli->argv[i] = cli->argv[i + n];
	cli->argc -= n;
}

bool opt_flag(struct cli *cli, const char *name)
{
	for (int i = 0; i < cli->argc; i++)
		if (strcmp(cli->argv[i], name) == 0) {
			take(cli, i, 1);
			return true;
		}
	return false;
}

bool opt_value(struct cli *cli, const char *name, const char **ret)
{
	size_t n = strlen(name);

	for (int i = 0; i < cli->argc; i++) {
		if (strncmp(cli->argv[i], name, n) != 0)
			continue;
		if (cli->argv[i][n] == '=') {
			*ret = cli->argv[i] + n + 1;
			take(cli, i, 1);
			return true;
		}
		if (cli->argv[i][n] != '\0')
			continue;
		if (i + 1 >= cli->argc) {
			cli_fail(cli, EXIT_USAGE, "%s needs a value; see --help", name);
			return false;
		}
		*ret = cli->argv[i + 1];
		take(cli, i, 2);
		return true;
	}
	return true;
}

int opt_rest(struct cli *cli, int max)
{
	for (int i = 0; i < cli->argc; i++)
		if (cli->argv[i][0] == '-' && cli->argv[i][1] != '\0')
			return cli_fail(cli, EXIT_USAGE, "unknown option '%s'; see --help",
					cli->argv[i]);
	if (cli->argc > max)
		return cli_fail(cli, EXIT_USAGE, "unexpected '%s'; see --help", cli->argv[max]);
	return 0;
}

int main(int argc, char **argv)
{
	const char *env = getenv("HEDDLE_SOCKET");
	struct cli cli = { .socket = env != NULL ? env : "/run/heddle/ctrl.sock",
			   .argc = argc - 1,
			   .argv = argv + 1 };
	struct sigaction sa = { .sa_handler = on_signal };

	cli.color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	cli.json = opt_flag(&cli, "--json");
	if (!opt_value(&cli, "--socket", &cli.socket))
		return EXIT_USAGE;
	bool help = opt_flag(&cli, "--help") || opt_flag(&cli, "-h");
	if (opt_flag(&cli, "--version")) {
		printf("heddle %s\n", HEDDLE_VERSION);
		return 0;
	}
	if (cli.argc > 0 && strcmp(cli.argv[0], "help") == 0) {
		help = true;
		take(&cli, 0, 1);
	}
	if (cli.argc == 0) {
		help_all(help ? stdout : stderr);
		return help ? 0 : EXIT_USAGE;
	}
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(cli.argv[0], commands[i].name) != 0)
			continue;
		if (help) {
			help_one(&commands[i]);
			return 0;
		}
		take(&cli, 0, 1);
		sigaction(SIGINT, &sa, NULL);
		sigaction(SIGTERM, &sa, NULL);
		signal(SIGPIPE, SIG_DFL);
		curl_global_init(CURL_GLOBAL_NOTHING);
		int rc = commands[i].run(&cli);
		curl_global_cleanup();
		return rc;
	}
	return cli_fail(&cli, EXIT_USAGE, "unknown command '%s'; heddle --help lists them all",
			cli.argv[0]);
}
