/* SPDX-License-Identifier: BSD-3-Clause
 * heddle trace packets: start, read until enough, stop. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cli/cli.h"

static void print_packet(const struct cli *cli, struct json_object *p, unsigned n)
{
	struct json_object *steps = js_get(p, "step");
	const char *time = js_str(p, "time"), *last = "";

	printf("%spacket %u%s  %.15s  received on %s, worker %s\n", paint(cli, "1"), n,
	       paint(cli, "0"), strlen(time) > 11 ? time + 11 : time, js_str(p, "interface"),
	       js_str(p, "worker"));
	for (size_t i = 0; steps != NULL && i < json_object_array_length(steps); i++) {
		struct json_object *s = json_object_array_get_idx(steps, i);
		const char *summary = js_str(s, "summary"), *verdict = js_str(s, "verdict"),
			   *object = js_str(s, "object");
		if (strcmp(summary, last) != 0)
			printf("  %12s  %s%s%s\n", "", paint(cli, "2"), summary, paint(cli, "0"));
		last = summary;
		bool found = object[0] != '\0' && strcmp(object, "none") != 0;
		printf("  %9s ns  %s%-14s%s %s%s%s%s%s", js_str(s, "ns"), paint(cli, "36"),
		       js_str(s, "node"), paint(cli, "0"), verdict,
		       js_str(s, "next")[0] != '\0' ? " -> " : "", js_str(s, "next"),
		       found && verdict[0] != '\0' ? ", " : "", found ? object : "");
		if (js_str(s, "help")[0] != '\0')
			printf("  %s%s%s", paint(cli, "2"), js_str(s, "help"), paint(cli, "0"));
		printf("\n");
	}
	if (js_u64(p, "steps-lost") > 0)
		printf("  %12s  ... and %s steps more than a trace holds\n", "",
		       js_str(p, "steps-lost"));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int cmd_trace(struct cli *cli)
{
	const char *prefix = opt_value(cli, "--prefix"), *timeout = opt_value(cli, "--timeout");
	uint64_t want = opt_number(cli, "--count", 1), have = 0;
	char whole[80];

	if (timeout == NULL)
		timeout = "10";
	if (prefix != NULL && strchr(prefix, '/') == NULL) {
		snprintf(whole, sizeof(whole), "%s/%s", prefix,
			 strchr(prefix, ':') != NULL ? "128" : "32");
		prefix = whole;
	}
	struct json_object *in = json_object_new_object();
	js_add(in, "count", opt_value(cli, "--count"));
	js_add(in, "prefix", prefix);
	js_add(in, "interface", opt_value(cli, "--interface"));
	js_add(in, "sid", opt_value(cli, "--sid"));
	js_add(in, "session", opt_value(cli, "--session"));
	int rc = api_post(cli, "heddle-trace:start", in, NULL);
	if (rc != 0)
		return rc;

	double end = now() + strtod(timeout, NULL);
	struct json_object *all = json_object_new_array();
	while (rc == 0 && have < want && now() < end && !cli_interrupted) {
		struct json_object *answer = NULL;
		rc = api_post(cli, "heddle-trace:read", NULL, &answer);
		struct json_object *packets = rc == 0 ? js_get(js_inner(answer), "packet") : NULL;
		size_t n = packets != NULL ? json_object_array_length(packets) : 0;
		for (size_t i = 0; i < n; i++) {
			struct json_object *p = json_object_array_get_idx(packets, i);
			have++;
			if (cli->json)
				json_object_array_add(all, json_object_get(p));
			else
				print_packet(cli, p, (unsigned)have);
		}
		fflush(stdout);
		json_object_put(answer);
		if (rc == 0 && have < want && n == 0)
			nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
	int stopped = rc == 0 ? api_post(cli, "heddle-trace:stop", NULL, NULL) : rc;
	if (rc == 0 && stopped != 0)
		rc = stopped;
	if (rc == 0 && cli->json) {
		struct json_object *top = json_object_new_object(), *out = json_object_new_object();
		json_object_object_add(out, "packet", json_object_get(all));
		json_object_object_add(top, "heddle-trace:output", out);
		js_print(top);
		json_object_put(top);
	}
	json_object_put(all);
	if (rc == 0 && have == 0 && !cli->json)
		return cli_fail(
			cli, EXIT_ERROR,
			"no packet matched in %s s; is traffic there?  heddle show interfaces --watch",
			timeout);
	return rc != 0 ? rc : have == 0 ? EXIT_ERROR : 0;
}
