/* SPDX-License-Identifier: BSD-3-Clause
 * heddle ping and heddle traceroute, over the operation heddle-probe:send. */
#include "ctrl/cli/probe.h"

#include <arpa/inet.h>
#include <math.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An address as it is; a name as this machine resolves it. */
static int resolve(struct cli *cli, const char *name, char *buf, size_t size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list = NULL;
	int rc = getaddrinfo(name, NULL, &hints, &list);

	if (rc != 0)
		return cli_fail(cli, EXIT_ERROR, "%s: %s; give an address", name, gai_strerror(rc));
	getnameinfo(list->ai_addr, list->ai_addrlen, buf, (socklen_t)size, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(list);
	return 0;
}

static void add_int(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_int64((int64_t)value));
}

static void add_u64_str(struct json_object *o, const char *name, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.0f", value);
	js_add(o, name, text);
}

struct json_object *probe_input(struct cli *cli, const char *destination, int *status)
{
	const char *timeout = opt_value(cli, "--timeout");
	uint64_t dscp = opt_number(cli, "--dscp", 0);
	char addr[INET6_ADDRSTRLEN + 20];

	*status = resolve(cli, destination, addr, sizeof(addr));
	if (*status == 0 && dscp > 63)
		*status = cli_fail(cli, EXIT_USAGE, "--dscp is 0 to 63, not %llu",
				   (unsigned long long)dscp);
	if (*status != 0)
		return NULL;
	struct json_object *in = json_object_new_object();
	js_add(in, "destination", addr);
	js_add(in, "vrf", opt_value(cli, "--vrf"));
	js_add(in, "source", opt_value(cli, "--source"));
	js_add(in, "interface", opt_value(cli, "--interface"));
	js_add(in, "protocol", opt_value(cli, "--protocol"));
	if (opt_flag(cli, "--size"))
		add_int(in, "size", opt_number(cli, "--size", 0));
	if (opt_flag(cli, "--flow-label"))
		add_int(in, "flow-label", opt_number(cli, "--flow-label", 0));
	if (dscp != 0)
		add_int(in, "traffic-class", dscp << 2);
	if (timeout != NULL)
		add_int(in, "timeout", (uint64_t)(strtod(timeout, NULL) * 1000));
	return in;
}

/* One probe; *ret: its output, to be put. */
static int probe(struct cli *cli, struct json_object *input, struct json_object **ret)
{
	struct json_object *answer = NULL;
	int rc = api_post(cli, "heddle-probe:send", json_object_get(input), &answer);

	if (rc == 0)
		*ret = json_object_get(js_inner(answer));
	json_object_put(answer);
	return rc;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Until `when`, or Ctrl-C. */
static void sleep_until(double when)
{
	double left;

	while (!cli_interrupted && (left = when - now()) > 0)
		nanosleep(&(struct timespec){ .tv_sec = (time_t)left,
					      .tv_nsec =
						      (long)((left - (double)(time_t)left) * 1e9) },
			  NULL);
}

/* --- ping ---------------------------------------------------------------------------------------- */

struct rtts {
	unsigned long n;
	double min, max, sum, squares; /* ns */
};

static void rtts_add(struct rtts *r, double ns)
{
	r->min = r->n == 0 || ns < r->min ? ns : r->min;
	r->max = ns > r->max ? ns : r->max;
	r->sum += ns;
	r->squares += ns * ns;
	r->n++;
}

static void print_answer(struct cli *cli, unsigned long seq, struct json_object *o)
{
	const char *result = js_str(o, "result");

	if (strcmp(result, "reply") == 0)
		printf("%s octets from %s: seq %lu ttl %s time %.3f ms\n", js_str(o, "length"),
		       js_str(o, "from"), seq, js_str(o, "hop-limit"),
		       (double)js_u64(o, "rtt") / 1e6);
	else if (strcmp(result, "timeout") == 0)
		printf("%sseq %lu: no answer%s\n", paint(cli, "33"), seq, paint(cli, "0"));
	else
		printf("%sseq %lu: %s says: %s%s%s%s\n", paint(cli, "33"), seq, js_str(o, "from"),
		       js_str(o, "text"), js_str(o, "mtu")[0] != '\0' ? ", mtu " : "",
		       js_str(o, "mtu"), paint(cli, "0"));
	fflush(stdout);
}

static void print_summary(struct cli *cli, const char *what, unsigned long sent,
			  const struct rtts *r, struct json_object *all)
{
	double lost = sent > 0 ? 100.0 * (double)(sent - r->n) / (double)sent : 0,
	       mean = r->n > 0 ? r->sum / (double)r->n : 0,
	       variance = r->n > 0 ? r->squares / (double)r->n - mean * mean : 0,
	       deviation = variance > 0 ? sqrt(variance) : 0;

	if (!cli->json) {
		printf("--- %s: %lu sent, %lu received, %.1f %% lost\n", what, sent, r->n, lost);
		if (r->n > 0)
			printf("rtt min/avg/max/stddev %.3f/%.3f/%.3f/%.3f ms\n", r->min / 1e6,
			       mean / 1e6, r->max / 1e6, deviation / 1e6);
		json_object_put(all);
		return;
	}
	struct json_object *top = json_object_new_object(), *o = json_object_new_object();
	js_add(o, "destination", what);
	add_int(o, "sent", sent);
	add_int(o, "received", r->n);
	json_object_object_add(o, "loss-percent", json_object_new_double(lost));
	if (r->n > 0) {
		add_u64_str(o, "rtt-min", r->min);
		add_u64_str(o, "rtt-avg", mean);
		add_u64_str(o, "rtt-max", r->max);
		add_u64_str(o, "rtt-stddev", deviation);
	}
	json_object_object_add(o, "probe", all);
	json_object_object_add(top, "heddle-probe:ping", o);
	js_print(top);
	json_object_put(top);
}

int ping_run(struct cli *cli, const char *what, struct json_object *input)
{
	uint64_t count = opt_number(cli, "--count", 5);
	const char *text = opt_value(cli, "--interval");
	double interval = text != NULL ? strtod(text, NULL) : 1, next = now();
	struct json_object *all = json_object_new_array();
	unsigned long sent = 0;
	struct rtts rtts = { 0 };
	int rc = 0;

	if (opt_flag(cli, "--ttl"))
		add_int(input, "hop-limit", opt_number(cli, "--ttl", 0));
	if (!cli->json)
		printf("ping %s from the data plane\n", what);
	fflush(stdout);
	while (rc == 0 && !cli_interrupted && (count == 0 || sent < count)) {
		struct json_object *o = NULL;
		sleep_until(next);
		next += interval;
		if (cli_interrupted)
			break;
		rc = probe(cli, input, &o);
		if (rc != 0)
			break;
		sent++;
		if (strcmp(js_str(o, "result"), "reply") == 0)
			rtts_add(&rtts, (double)js_u64(o, "rtt"));
		if (cli->json)
			json_object_array_add(all, json_object_get(o));
		else
			print_answer(cli, sent, o);
		json_object_put(o);
	}
	json_object_put(input);
	if (rc != 0 && !cli_interrupted) {
		json_object_put(all);
		return rc;
	}
	print_summary(cli, what, sent, &rtts, all);
	return rtts.n > 0 ? 0 : EXIT_ERROR;
}

int cmd_ping(struct cli *cli)
{
	int rc;
	struct json_object *in = probe_input(cli, cli->argv[0], &rc);

	return in != NULL ? ping_run(cli, cli->argv[0], in) : rc;
}

/* --- traceroute ------------------------------------------------------------------------------------ */

/* One query of a hop: the address when it is another than before, and what it says. */
static void print_query(struct cli *cli, struct json_object *o, char *from, size_t size)
{
	const char *result = js_str(o, "result"), *who = js_str(o, "from");

	if (strcmp(result, "timeout") == 0) {
		printf("  *");
		return;
	}
	if (strcmp(who, from) != 0)
		printf("  %s%s%s", paint(cli, "1"), who, paint(cli, "0"));
	snprintf(from, size, "%s", who);
	printf("  %.3f ms", (double)js_u64(o, "rtt") / 1e6);
	if (strcmp(result, "reply") != 0 && strcmp(result, "time-exceeded") != 0)
		printf(" (%s%s%s)", js_str(o, "text"), js_str(o, "mtu")[0] != '\0' ? ", mtu " : "",
		       js_str(o, "mtu"));
	fflush(stdout);
}

int traceroute_run(struct cli *cli, const char *what, struct json_object *input)
{
	uint64_t queries = opt_number(cli, "--queries", 3),
		 max_hops = opt_number(cli, "--max-hops", 30);
	struct json_object *hops = json_object_new_array();
	bool reached = false, end = false;
	int rc = 0;

	if (queries < 1 || max_hops < 1 || max_hops > 255) {
		json_object_put(input);
		json_object_put(hops);
		return cli_fail(cli, EXIT_USAGE, "--queries is 1 or more, --max-hops is 1 to 255");
	}
	if (!cli->json)
		printf("traceroute to %s from the data plane, at most %llu hops\n", what,
		       (unsigned long long)max_hops);
	for (uint64_t hop = 1; rc == 0 && !end && hop <= max_hops && !cli_interrupted; hop++) {
		struct json_object *h = json_object_new_object(), *list = json_object_new_array();
		char from[64] = "";
		json_object_object_del(input, "hop-limit");
		add_int(input, "hop-limit", hop);
		if (!cli->json)
			printf("%3llu", (unsigned long long)hop);
		for (uint64_t q = 0; rc == 0 && q < queries && !cli_interrupted; q++) {
			struct json_object *o = NULL;
			rc = probe(cli, input, &o);
			if (rc != 0)
				break;
			const char *result = js_str(o, "result");
			reached |= strcmp(result, "reply") == 0;
			end |= strcmp(result, "timeout") != 0 &&
			       strcmp(result, "time-exceeded") != 0;
			if (!cli->json)
				print_query(cli, o, from, sizeof(from));
			json_object_array_add(list, o);
		}
		if (!cli->json)
			printf("\n");
		add_int(h, "hop", hop);
		json_object_object_add(h, "probe", list);
		json_object_array_add(hops, h);
	}
	json_object_put(input);
	if (cli->json && (rc == 0 || cli_interrupted)) {
		struct json_object *top = json_object_new_object(), *o = json_object_new_object();
		js_add(o, "destination", what);
		json_object_object_add(o, "reached", json_object_new_boolean(reached));
		json_object_object_add(o, "hop", json_object_get(hops));
		json_object_object_add(top, "heddle-probe:traceroute", o);
		js_print(top);
		json_object_put(top);
	}
	json_object_put(hops);
	return rc != 0 && !cli_interrupted ? rc : reached ? 0 : EXIT_ERROR;
}

int cmd_traceroute(struct cli *cli)
{
	int rc;
	struct json_object *in = probe_input(cli, cli->argv[0], &rc);

	return in != NULL ? traceroute_run(cli, cli->argv[0], in) : rc;
}
