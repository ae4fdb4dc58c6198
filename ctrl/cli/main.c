/* SPDX-License-Identifier: BSD-3-Clause
 * heddle: look at and steer a running Heddle. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"

volatile sig_atomic_t cli_interrupted;

static void on_signal(int signum)
{
	(void)signum;
	cli_interrupted = 1;
}

int main(int argc, char **argv)
{
	const char *env = getenv("HEDDLE_SOCKET");
	struct cli cli = { .socket = env != NULL ? env : "/run/heddle/ctrl.sock",
			   .color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL };
	struct sigaction sa = { .sa_handler = on_signal };

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("heddle %s\n", HEDDLE_VERSION);
		return 0;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	curl_global_init(CURL_GLOBAL_NOTHING);
	int rc = cli_run(&cli, argc - 1, argv + 1);
	curl_global_cleanup();
	return rc;
}
