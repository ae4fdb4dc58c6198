/* SPDX-License-Identifier: BSD-3-Clause
 * heddle pm capacity: a load test, as it goes and what came of it in the terms of RFC 9097. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/pm.h"

#define LOOK_MS 250

const struct cli_param pm_capacity_params[] = {
	{ "--to", "ADDRESS", CLI_TEXT, "of the responder  [the policy's endpoint]" },
	{ "--policy", "POLICY", CLI_POLICY, "along a segment list of an SR policy" },
	{ "--segment-list", "NAME", CLI_TEXT, "which one, when it has several" },
	{ "--sid-list", "A,B,C", CLI_TEXT, "along these SIDs" },
	{ "--encapsulation", "inner|header", CLI_TEXT,
	  "IPv6 in IPv6, or a header in front of UDP  [inner]" },
	{ "--max-rate", "RATE", CLI_TEXT, "never more: 500k to 10G  [100M]" },
	{ "--duration", "TIME", CLI_TEXT, "I of RFC 9097, 60s at most  [10s]" },
	{ "--sub-interval", "TIME", CLI_TEXT, "dt: 250ms to 10s  [1s]" },
	{ "--feedback", "TIME", CLI_TEXT, "FT: 20ms to 250ms  [50ms]" },
	{ "--size", "N", CLI_NUMBER, "octets of an IP packet, 200 to 1700  [1250]" },
	{ "--sequence-errors", "N", CLI_NUMBER,
	  "more in a feedback interval are congestion  [10]" },
	{ "--low-delay", "TIME", CLI_TEXT, "delay range below which it grows  [30ms]" },
	{ "--high-delay", "TIME", CLI_TEXT, "and above which it is congestion  [90ms]" },
	{ "--max-loss", "SHARE", CLI_TEXT, "criterion of a sub-interval  [10%]" },
	{ "--max-delay-range", "TIME", CLI_TEXT, "criterion of a sub-interval  [90ms]" },
	{ "--source", "ADDRESS", CLI_TEXT, "an address of ours  [on the way out]" },
	{ "--vrf", "VRF", CLI_VRF, "whose routes  [default]" },
	{ "--port", "N", CLI_NUMBER, "UDP port of the responder  [50865]" },
	{ "--local-port", "N", CLI_NUMBER, "UDP port of ours  [at random]" },
	{ "--dscp", "N", CLI_NUMBER, "of load packets  [0]" },
	{ "--flow-label", "N", CLI_NUMBER, "of load packets  [0]" },
	{ "--hop-limit", "N", CLI_NUMBER, "MaxHops of load packets  [64]" },
	{ "--key", "N", CLI_NUMBER, "authenticated with this key of the configuration" },
	{ "--last", NULL, CLI_TEXT, "no test: what the last one gave" },
	{ .name = NULL }
};

/* "500M", "1G", "800k", or a number of Mbit/s: kbit/s.  0: neither. */
static uint32_t rate_kbps(const char *text)
{
	static const struct pm_unit units[] = {
		{ "k", 1 }, { "G", 1e6 }, { "", 1e3 }, { "M", 1e3 }
	};
	double kbps = pm_amount(text, units, sizeof(units) / sizeof(units[0]));

	return kbps <= 1e7 ? (uint32_t)(kbps + 0.5) : 0;
}

static const char *mbps(uint64_t kbps, char *buf, size_t size)
{
	snprintf(buf, size, "%.2f Mbit/s", (double)kbps / 1e3);
	return buf;
}

static const char *ms_of(struct json_object *o, const char *name, char *buf, size_t size)
{
	const char *ns = js_str(o, name);

	buf[0] = '\0';
	if (ns[0] != '\0')
		snprintf(buf, size, "%.3f", strtod(ns, NULL) / 1e6);
	return buf;
}

/* ---- the request ----------------------------------------------------------------------------------------------- */

static int add_times(struct cli *cli, struct json_object *in)
{
	static const struct {
		const char *opt, *leaf;
		uint32_t per; /* microseconds of the leaf's unit */
	} times[] = { { "--duration", "duration", 1000 },
		      { "--sub-interval", "sub-interval", 1000 },
		      { "--feedback", "feedback-interval", 1000 },
		      { "--low-delay", "low-delay", 1 },
		      { "--high-delay", "high-delay", 1 },
		      { "--max-delay-range", "max-delay-range", 1 } };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const char *text = opt_value(cli, times[i].opt);
		uint32_t us = text != NULL ? pm_interval_us(text) : 0;

		if (text != NULL && us == 0)
			return cli_fail(cli, EXIT_USAGE, "%s %s: 10s, 500ms, up to 60s",
					times[i].opt, text);
		if (text != NULL)
			pm_add_int(in, times[i].leaf, us / times[i].per);
	}
	return 0;
}

static int add_bounds(struct cli *cli, struct json_object *in)
{
	const char *rate = opt_value(cli, "--max-rate"), *loss = opt_value(cli, "--max-loss");
	uint32_t ppm = 0;

	if (rate != NULL && rate_kbps(rate) < 500)
		return cli_fail(cli, EXIT_USAGE, "--max-rate %s: 500k to 10G, as in 500M or 2.5G",
				rate);
	if (rate != NULL)
		pm_add_int(in, "max-rate", rate_kbps(rate));
	if (loss != NULL && !pm_share_ppm(loss, &ppm))
		return cli_fail(cli, EXIT_USAGE, "--max-loss %s: 1%% or 0.01, at most 1", loss);
	if (loss != NULL)
		pm_add_int(in, "max-loss", ppm);
	return 0;
}

static struct json_object *input(struct cli *cli, int *status)
{
	static const char *const numbers[][2] = { { "--port", "udp-port" },
						  { "--local-port", "local-port" },
						  { "--size", "size" },
						  { "--dscp", "dscp" },
						  { "--flow-label", "flow-label" },
						  { "--hop-limit", "hop-limit" },
						  { "--sequence-errors", "sequence-errors" },
						  { "--key", "key" } };
	struct json_object *in = json_object_new_object();

	js_add(in, "destination", opt_value(cli, "--to"));
	pm_add_path(cli, in);
	pm_add_numbers(cli, in, numbers, sizeof(numbers) / sizeof(numbers[0]));
	*status = add_times(cli, in);
	if (*status == 0)
		*status = add_bounds(cli, in);
	if (*status == 0)
		return in;
	json_object_put(in);
	return NULL;
}

/* ---- as it goes ------------------------------------------------------------------------------------------------ */

static void progress(struct json_object *test)
{
	struct json_object *list = js_get(test, "interval"), *last;
	size_t n = list != NULL ? json_object_array_length(list) : 0;
	char offered[32], received[32] = "";

	if (n > 0) {
		last = json_object_array_get_idx(list, n - 1);
		snprintf(received, sizeof(received), ", received %.2f Mbit/s",
			 (double)js_u64(last, "rate") / 1e3);
	}
	if (strcmp(js_str(test, "phase"), "asking") == 0)
		fprintf(stderr, "\r\033[Kasking %s", js_str(test, "destination"));
	else
		fprintf(stderr, "\r\033[K%.1f of %.1f s: offered %s%s%s",
			(double)js_u64(test, "elapsed") / 1e3,
			(double)js_u64(test, "duration") / 1e3,
			mbps(js_u64(test, "rate"), offered, sizeof(offered)), received,
			js_u64(test, "decreases") + js_u64(test, "backoffs") > 0 ?
				", congestion seen" :
				"");
	fflush(stderr);
}

/* Until the test is done; Ctrl-C ends it.  *ret: capacity-state, whole. */
static int await(struct cli *cli, struct json_object **ret)
{
	bool tell = !cli->json && isatty(STDERR_FILENO), ended = false;

	for (;;) {
		struct json_object *test;
		int rc = api_get(cli, "heddle-pm:capacity-state", ret);

		if (rc != 0)
			return rc;
		test = js_get(js_inner(*ret), "test");
		if (test == NULL || strcmp(js_str(test, "phase"), "done") == 0)
			break;
		if (tell)
			progress(test);
		json_object_put(*ret);
		if (cli_interrupted && !ended) {
			ended = true;
			rc = api_post(cli, "heddle-pm:capacity-end", NULL, NULL);
			if (rc != 0)
				return rc;
		}
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000l }, NULL);
	}
	if (tell)
		fprintf(stderr, "\r\033[K");
	return 0;
}

/* ---- what came of it ------------------------------------------------------------------------------------------- */

static void print_intervals(struct cli *cli, struct json_object *test)
{
	static const char *const heads[] = { ">SUB",       ">MBIT/S",     ">SENT",    ">LOSS RATIO",
					     ">REORDERED", ">DUPLICATES", ">RTT MIN", ">RTT MAX",
					     ">RANGE",     ">VARIATION",  "MEETS",    NULL };
	struct table *t = table_new(heads);

	js_foreach(s, js_get(test, "interval"))
	{
		double range =
			strtod(js_str(s, "delay-max"), NULL) - strtod(js_str(s, "delay-min"), NULL);
		char text[32];

		table_cell(t, "%s", js_str(s, "number"));
		table_cell(t, "%.2f", (double)js_u64(s, "rate") / 1e3);
		table_cell(t, "%.2f", (double)js_u64(s, "sent-rate") / 1e3);
		table_cell(t, "%s", js_str(s, "loss-ratio"));
		table_cell(t, "%s", js_str(s, "reordered"));
		table_cell(t, "%s", js_str(s, "duplicates"));
		table_cell(t, "%s", ms_of(s, "round-trip-min", text, sizeof(text)));
		table_cell(t, "%s", ms_of(s, "round-trip-max", text, sizeof(text)));
		table_cell(t, "%.3f", range / 1e6);
		table_cell(t, "%s", ms_of(s, "variation", text, sizeof(text)));
		table_cell(t, "%s",
			   strcmp(js_str(s, "number"), js_str(test, "capacity-sub-interval")) == 0 ?
				   "yes, maximum" :
			   json_object_get_boolean(js_get(s, "meets")) ? "yes" :
									 "no");
	}
	table_print(cli, t);
}

static const char *limited(const char *by)
{
	static const char *const words[][2] = {
		{ "maximum", "the highest rate allowed here; the path may carry more: --max-rate" },
		{ "responder",
		  "what the responder grants; the path may carry more: max-rate of its "
		  "capacity-responder" },
		{ "path", "the path: loss or delay rose" },
		{ "sender", "this node, which did not send in time; see: heddle show workers" },
		{ "time", "time: the rate was still growing; --duration" }
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(by, words[i][0]) == 0)
			return words[i][1];
	return by;
}

static void print_parameters(struct json_object *t)
{
	printf("%s port %s to %s port %s", js_str(t, "source-address"), js_str(t, "local-port"),
	       js_str(t, "destination"), js_str(t, "udp-port"));
	js_foreach(s, js_get(t, "segment"))
		printf("%s%s", s_i == 0 ? " by " : ", ", json_object_get_string(s));
	printf("\n  UDP, packets of %s octets, DSCP %s, hop limit %s, 1 flow\n", js_str(t, "size"),
	       js_str(t, "dscp"), js_str(t, "hop-limit"));
	printf("  I %.2f s, dt %.2f s, FT %s ms, up to %.2f Mbit/s; congestion: more than %s sequence "
	       "errors, or a delay range above %g ms (grows below %g ms)\n",
	       (double)js_u64(t, "duration") / 1e3, (double)js_u64(t, "sub-interval") / 1e3,
	       js_str(t, "feedback-interval"), (double)js_u64(t, "max-rate") / 1e3,
	       js_str(t, "sequence-errors"), (double)js_u64(t, "high-delay") / 1e3,
	       (double)js_u64(t, "low-delay") / 1e3);
	printf("  criteria: loss ratio at most %g, delay range at most %g ms\n",
	       (double)js_u64(t, "max-loss") / 1e6, (double)js_u64(t, "max-delay-range") / 1e3);
}

static void print_maximum(struct cli *cli, struct json_object *t)
{
	char text[32];

	if (js_get(t, "capacity") != NULL)
		printf("%sMaximum IP-Layer Capacity: %s%s, in sub-interval %s\n", paint(cli, "1"),
		       mbps(js_u64(t, "capacity"), text, sizeof(text)), paint(cli, "0"),
		       js_str(t, "capacity-sub-interval"));
	else
		printf("%sNo sub-interval meets the criteria%s; most received: %s. On slow paths "
		       "--sequence-errors 1 keeps the loss low\n",
		       paint(cli, "33"), paint(cli, "0"),
		       mbps(js_u64(t, "best-rate"), text, sizeof(text)));
	if (js_get(t, "limited-by") != NULL)
		printf("  limited by %s\n", limited(js_str(t, "limited-by")));
}

/* Complete, with a maximum. */
static bool is_whole(struct json_object *t)
{
	return strcmp(js_str(t, "result"), "complete") == 0 && js_get(t, "capacity") != NULL;
}

static int print_test(struct cli *cli, struct json_object *t)
{
	struct json_object *list = js_get(t, "interval");

	print_parameters(t);
	if (js_get(t, "reason") != NULL)
		printf("%s%s%s\n", paint(cli, "31"), js_str(t, "reason"), paint(cli, "0"));
	if (list == NULL || json_object_array_length(list) == 0)
		return EXIT_ERROR;
	print_maximum(cli, t);
	print_intervals(cli, t);
	printf("RTT, RANGE (of one-way delays) and VARIATION in ms. %s packets sent, %s received; rate "
	       "raised %s, held %s, lowered %s times and %s times for want of feedback\n",
	       js_str(t, "sent"), js_str(t, "received"), js_str(t, "increases"), js_str(t, "holds"),
	       js_str(t, "decreases"), js_str(t, "backoffs"));
	return is_whole(t) ? 0 : EXIT_ERROR;
}

static void print_served(struct json_object *r)
{
	char text[32];

	if (js_get(r, "peer") != NULL)
		printf("serving %s, up to %s\n", js_str(r, "peer"),
		       mbps(js_u64(r, "granted-rate"), text, sizeof(text)));
	printf("served: %s tests of others, %s load packets; %s requests refused\n",
	       js_str(r, "tests"), js_str(r, "packets"), js_str(r, "refused"));
}

int cmd_pm_capacity(struct cli *cli)
{
	struct json_object *state = NULL, *test, *served, *in;
	bool last = opt_flag(cli, "--last");
	int rc;

	if (!last && opt_value(cli, "--to") == NULL && opt_value(cli, "--policy") == NULL)
		return cli_fail(cli, EXIT_USAGE, "where to?  Give --to ADDRESS, or --policy");
	if (!last) {
		in = input(cli, &rc);
		if (in == NULL)
			return rc;
		rc = api_post(cli, "heddle-pm:capacity", in, NULL);
		if (rc != 0)
			return rc;
	}
	rc = await(cli, &state);
	if (rc != 0)
		return rc;
	test = js_get(js_inner(state), "test");
	served = js_get(js_inner(state), "responder");
	if (test == NULL && served == NULL) {
		rc = cli_fail(
			cli, EXIT_ERROR,
			"no test since the data plane began, and none is served; see: heddle help "
			"pm capacity");
	} else if (cli->json) {
		rc = test != NULL && !is_whole(test) ? EXIT_ERROR : 0;
		js_print(state);
	} else {
		rc = test != NULL ? print_test(cli, test) : 0;
		if (last && served != NULL)
			print_served(served);
	}
	json_object_put(state);
	return rc;
}
