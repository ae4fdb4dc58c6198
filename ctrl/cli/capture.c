/* SPDX-License-Identifier: BSD-3-Clause
 * heddle capture: start, then the pcapng stream into a file until enough, a time or Ctrl-C. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"

struct sink {
	struct cli *cli;
	FILE *out;
	bool failed, stopped;
	time_t end; /* 0: none */
	/* walk over pcapng blocks, to count packets: type and length stand at the head of each */
	uint8_t head[8];
	unsigned n_head;
	uint64_t skip;
	unsigned long packets;
};

static void count_packets(struct sink *s, const uint8_t *p, size_t len)
{
	while (len > 0) {
		if (s->skip > 0) {
			size_t n = len < s->skip ? len : (size_t)s->skip;
			s->skip -= n;
			p += n;
			len -= n;
			continue;
		}
		s->head[s->n_head++] = *p++;
		len--;
		if (s->n_head < 8)
			continue;
		uint32_t type, size;
		memcpy(&type, s->head, 4);
		memcpy(&size, s->head + 4, 4);
		s->packets += type == 6 || type == 3; /* enhanced and simple packet blocks */
		s->n_head = 0;
		s->skip = size > 8 ? size - 8 : UINT64_MAX;
	}
}

static bool on_data(void *arg, const void *data, size_t len)
{
	struct sink *s = arg;

	if (fwrite(data, 1, len, s->out) != len || fflush(s->out) != 0) {
		s->failed = true;
		return false;
	}
	count_packets(s, data, len);
	return true;
}

/* Ctrl-C or the time is over: stop the capture, the stream then ends by itself. */
static void on_tick(void *arg)
{
	struct sink *s = arg;

	if (s->stopped || (!cli_interrupted && (s->end == 0 || time(NULL) < s->end)))
		return;
	s->stopped = true;
	cli_interrupted = 0; /* or the request that stops it would be cut off */
	api_post(s->cli, "heddle-capture:stop", NULL, NULL);
}

int cmd_capture(struct cli *cli)
{
	const char *file = opt_value(cli, "--file"), *timeout = opt_value(cli, "--timeout");

	if (file == NULL)
		return cli_fail(
			cli, EXIT_USAGE,
			"where to?  heddle capture -w FILE.pcapng, or -w - for standard output");
	bool to_stdout = strcmp(file, "-") == 0;
	if (to_stdout && isatty(STDOUT_FILENO))
		return cli_fail(cli, EXIT_USAGE,
				"pcapng is not for a terminal: give a file, or pipe it: "
				"heddle capture -w - | tshark -r -");
	struct sink s = { .cli = cli, .out = to_stdout ? stdout : fopen(file, "wb") };
	if (s.out == NULL)
		return cli_fail(cli, EXIT_ERROR, "%s: %s", file, strerror(errno));
	if (timeout != NULL)
		s.end = time(NULL) + (time_t)strtod(timeout, NULL);

	struct json_object *in = json_object_new_object();
	js_add(in, "node", opt_value(cli, "--node"));
	js_add(in, "filter", opt_value(cli, "--filter"));
	js_add(in, "count", opt_value(cli, "--count"));
	js_add(in, "snaplen", opt_value(cli, "--snaplen"));
	int rc = api_post(cli, "heddle-capture:start", in, NULL);
	if (rc == 0)
		rc = api_stream(cli, "heddle-capture:pcapng", on_data, on_tick, &s);
	if (s.failed)
		rc = cli_fail(cli, EXIT_ERROR, "%s: %s", file, strerror(errno));
	if (!to_stdout && fclose(s.out) != 0 && rc == 0)
		rc = cli_fail(cli, EXIT_ERROR, "%s: %s", file, strerror(errno));
	if (rc != 0)
		return rc;
	if (cli->json && !to_stdout)
		printf("{ \"heddle-capture:output\": { \"packets\": %lu } }\n", s.packets);
	else if (!cli->json)
		fprintf(stderr, "%lu packets%s%s\n", s.packets, to_stdout ? "" : " in ",
			to_stdout ? "" : file);
	return 0;
}
