/* SPDX-License-Identifier: BSD-3-Clause
 * heddle pm: what sessions measure, and measurements on demand. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/pm.h"

/* Nanoseconds as people read them. */
const char *pm_duration(const char *text, char *buf, size_t size)
{
	double ns = strtod(text, NULL), abs = ns < 0 ? -ns : ns;

	if (text[0] == '\0')
		buf[0] = '\0';
	else if (abs < 1e4)
		snprintf(buf, size, "%.0f ns", ns);
	else if (abs < 1e6)
		snprintf(buf, size, "%.1f us", ns / 1e3);
	else if (abs < 1e9)
		snprintf(buf, size, "%.3f ms", ns / 1e6);
	else
		snprintf(buf, size, "%.3f s", ns / 1e9);
	return buf;
}

static void cell_duration(struct table *t, struct json_object *o, const char *name)
{
	char text[32];

	table_cell(t, "%s", pm_duration(js_str(o, name), text, sizeof(text)));
}

/* A share as percent, as exact as it is. */
static const char *percent(const char *ratio, char *buf, size_t size)
{
	double p = strtod(ratio, NULL) * 100;

	if (ratio[0] == '\0')
		buf[0] = '\0';
	else
		snprintf(buf, size, p != 0 && p < 0.1 ? "%.4f %%" : "%.2f %%", p);
	return buf;
}

static const char *state_color(struct cli *cli, const char *state)
{
	return paint(cli, strcmp(state, "up") == 0   ? "32" :
			  strcmp(state, "down") == 0 ? "31" :
						       "0");
}

/* ---- pm sessions, pm watch --------------------------------------------------------------------------------------- */

static void print_sessions(struct cli *cli, struct json_object *list)
{
	static const char *const heads[] = { "SESSION",  "STATE",     "DESTINATION", ">SENT",
					     ">LOST",    ">LOSS NOW", ">RTT MIN",    ">P50",
					     ">P99",     ">MAX",      ">IPDV",       ">FWD P50",
					     ">BWD P50", NULL };
	struct table *t = table_new(heads);

	js_foreach(s, list)
	{
		struct json_object *rtt = js_get(s, "round-trip");
		char text[32];

		table_cell(t, "%s", js_str(s, "name"));
		table_cell(t, "%s", js_str(s, "state"));
		table_cell(t, "%s", js_str(s, "destination"));
		table_cell(t, "%llu", (unsigned long long)js_counter(s, "sent", NULL));
		table_cell(t, "%llu", (unsigned long long)js_counter(s, "lost", NULL));
		table_cell(t, "%s", percent(js_str(s, "loss-ratio"), text, sizeof(text)));
		cell_duration(t, rtt, "min");
		cell_duration(t, rtt, "p50");
		cell_duration(t, rtt, "p99");
		cell_duration(t, rtt, "max");
		cell_duration(t, s, "ipdv-mean");
		cell_duration(t, js_get(s, "forward"), "p50");
		cell_duration(t, js_get(s, "backward"), "p50");
	}
	table_print(cli, t);
}

static int cmd_sessions(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc = api_get(cli, "heddle-pm:session-state", &answer);

	if (rc != 0)
		return rc;
	if (cli->json)
		js_print(answer);
	else
		print_sessions(cli, js_get(js_inner(answer), "session"));
	json_object_put(answer);
	return 0;
}

static int cmd_watch(struct cli *cli)
{
	const char *text = opt_value(cli, "--every");
	double every = text != NULL ? strtod(text, NULL) : 1;
	int rc = 0;

	while (rc == 0 && !cli_interrupted) {
		if (cli->color)
			printf("\033[H\033[2J");
		rc = cmd_sessions(cli);
		fflush(stdout);
		nanosleep(&(struct timespec){ .tv_sec = (time_t)every,
					      .tv_nsec = (long)((every - (double)(time_t)every) *
								1e9) },
			  NULL);
	}
	return cli_interrupted ? 0 : rc;
}

/* ---- pm show, pm measure ----------------------------------------------------------------------------------------- */

void pm_line(const char *what, const char *value)
{
	if (value[0] != '\0')
		printf("  %-18s %s\n", what, value);
}

static void print_delays(struct cli *cli, struct json_object *s)
{
	static const char *const heads[] = { "",     ">SAMPLES", ">MIN",     ">MEAN",
					     ">P50", ">P90",     ">P99",     ">P99.9",
					     ">MAX", ">WITHIN",  ">BELOW 0", NULL };
	static const char *const names[][2] = { { "round-trip", "  round trip" },
						{ "forward", "  forward" },
						{ "backward", "  backward" } };
	struct table *t = table_new(heads);

	for (unsigned i = 0; i < 3; i++) {
		struct json_object *d = js_get(s, names[i][0]);
		char text[32];

		if (d == NULL)
			continue;
		table_cell(t, "%s", names[i][1]);
		table_cell(t, "%s", js_str(d, "samples"));
		cell_duration(t, d, "min");
		cell_duration(t, d, "mean");
		cell_duration(t, d, "p50");
		cell_duration(t, d, "p90");
		cell_duration(t, d, "p99");
		cell_duration(t, d, "p999");
		cell_duration(t, d, "max");
		table_cell(t, "%s",
			   js_get(d, "uncertainty") == NULL ?
				   "no clock" :
				   pm_duration(js_str(d, "uncertainty"), text, sizeof(text)));
		table_cell(t, "%.0llu", (unsigned long long)js_u64(d, "negative"));
	}
	table_print(cli, t);
}

static void print_result(struct cli *cli, struct json_object *s)
{
	const char *state = js_str(s, "state");
	char text[160], ratio[32], value[3][32];

	printf("%s%s%s%s%s%s\n", js_str(s, "name"), state[0] != '\0' ? ": " : "",
	       state_color(cli, state), state, paint(cli, "0"),
	       js_get(s, "detection") != NULL && strcmp(state, "down") == 0 ?
		       ", nothing comes back" :
		       "");
	snprintf(text, sizeof(text),
		 "%s sent, %s received, %s lost%s%s%s, %s duplicates, %s reordered, %s late",
		 js_str(s, "sent"), js_str(s, "received"), js_str(s, "lost"),
		 js_str(s, "loss-ratio")[0] != '\0' ? " (" : "",
		 percent(js_str(s, "loss-ratio"), ratio, sizeof(ratio)),
		 js_str(s, "loss-ratio")[0] != '\0' ? ")" : "", js_str(s, "duplicates"),
		 js_str(s, "reordered"), js_str(s, "late"));
	pm_line("packets", text);
	if (js_get(s, "lost-backward") != NULL) {
		snprintf(text, sizeof(text), "%s there, %s back", js_str(s, "lost-forward"),
			 js_str(s, "lost-backward"));
		pm_line("lost", text);
	}
	if (js_u64(s, "blocks") > 0) {
		snprintf(text, sizeof(text), "%s of %s", js_str(s, "severe-loss-blocks"),
			 js_str(s, "blocks"));
		pm_line("blocks of severe loss", text);
	}
	if (js_get(s, "ipdv-mean") != NULL) {
		snprintf(text, sizeof(text), "mean %s, from %s to %s",
			 pm_duration(js_str(s, "ipdv-mean"), value[0], 32),
			 pm_duration(js_str(s, "ipdv-min"), value[1], 32),
			 pm_duration(js_str(s, "ipdv-max"), value[2], 32));
		pm_line("variation (ipdv)", text);
	}
	pm_line("TLVs answered", js_str(s, "tlv-used"));
	pm_line("TLVs not known", js_str(s, "tlv-unknown"));
	pm_line("TLVs", js_str(s, "tlv-problem"));
	pm_line("reflector", js_str(s, "reflector-timestamps"));
	if (js_get(s, "ssid-unknown") != NULL)
		pm_line("SSID", "the reflector does not know it");
	pm_line("clocks", js_str(s, "clock"));
	if (js_get(s, "calibration") != NULL) {
		struct json_object *k = js_get(s, "calibration");

		snprintf(text, sizeof(text), "%s of this node taken off, within %s",
			 pm_duration(js_str(k, "offset"), value[0], 32),
			 pm_duration(js_str(k, "uncertainty"), value[1], 32));
		pm_line("calibration", text);
	}
	print_delays(cli, s);
}

static int cmd_show(struct cli *cli)
{
	struct json_object *answer = NULL, *found = NULL;
	size_t n = strlen(cli->argv[0]);
	int rc = api_get(cli, "heddle-pm:session-state", &answer);

	if (rc != 0)
		return rc;
	js_foreach(s, js_get(js_inner(answer), "session"))
	{
		const char *name = js_str(s, "name");

		if (strncmp(name, cli->argv[0], n) != 0 || (name[n] != '\0' && name[n] != '~'))
			continue;
		found = s;
		if (cli->json)
			js_print(s);
		else
			print_result(cli, s);
	}
	if (found == NULL)
		rc = cli_fail(cli, EXIT_ERROR, "there is no session '%s'; see: heddle pm sessions",
			      cli->argv[0]);
	json_object_put(answer);
	return rc;
}

double pm_amount(const char *text, const struct pm_unit *unit, size_t n)
{
	char *end;
	double v = strtod(text, &end);

	for (size_t i = 0; i < n && end != text && v > 0; i++)
		if (strcmp(end, unit[i].name) == 0)
			return v * unit[i].per;
	return 0;
}

uint32_t pm_interval_us(const char *text)
{
	static const struct pm_unit units[] = {
		{ "us", 1 }, { "s", 1e6 }, { "", 1e3 }, { "ms", 1e3 }
	};
	double us = pm_amount(text, units, sizeof(units) / sizeof(units[0]));

	return us < 6e7 + 1 ? (uint32_t)us : 0;
}

void pm_add_int(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_int64((int64_t)value));
}

void pm_add_list(struct json_object *o, const char *name, const char *text)
{
	struct json_object *list = json_object_new_array();
	char copy[1024], *save, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, ", ", &save); word != NULL; word = strtok_r(NULL, ", ", &save))
		json_object_array_add(list, json_object_new_string(word));
	json_object_object_add(o, name, list);
}

void pm_add_numbers(struct cli *cli, struct json_object *o, const char *const (*row)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (opt_flag(cli, row[i][0]))
			pm_add_int(o, row[i][1], opt_number(cli, row[i][0], 0));
}

void pm_add_path(struct cli *cli, struct json_object *o)
{
	js_add(o, "policy", opt_value(cli, "--policy"));
	js_add(o, "segment-list", opt_value(cli, "--segment-list"));
	js_add(o, "encapsulation", opt_value(cli, "--encapsulation"));
	js_add(o, "vrf", opt_value(cli, "--vrf"));
	js_add(o, "source-address", opt_value(cli, "--source"));
	if (opt_value(cli, "--sid-list") != NULL)
		pm_add_list(o, "segment", opt_value(cli, "--sid-list"));
}

static struct json_object *measure_input(struct cli *cli, int *status)
{
	static const char *const numbers[][2] = { { "--count", "count" },
						  { "--port", "udp-port" },
						  { "--local-port", "local-port" },
						  { "--timeout", "timeout" },
						  { "--dscp", "dscp" },
						  { "--flow-label", "flow-label" },
						  { "--padding", "padding" },
						  { "--ssid", "ssid" },
						  { "--key", "key" } };
	static const char *const flags[][2] = { { "--loopback", "loopback" },
						{ "--stateful", "stateful-reflector" },
						{ "--twamp-light", "twamp-light" } };
	const char *interval = opt_value(cli, "--interval");
	struct json_object *in = json_object_new_object();

	*status = 0;
	js_add(in, "destination", cli->argc > 0 ? cli->argv[0] : NULL);
	pm_add_path(cli, in);
	js_add(in, "calibration", opt_value(cli, "--calibration"));
	if (opt_value(cli, "--return-sids") != NULL)
		pm_add_list(in, "return-segment", opt_value(cli, "--return-sids"));
	pm_add_numbers(cli, in, numbers, sizeof(numbers) / sizeof(numbers[0]));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (opt_flag(cli, flags[i][0]))
			json_object_object_add(in, flags[i][1], json_object_new_boolean(true));
	if (interval != NULL && pm_interval_us(interval) == 0) {
		json_object_put(in);
		*status = cli_fail(cli, EXIT_USAGE, "--interval %s: 10ms, 2s or 1500us, up to 60s",
				   interval);
		return NULL;
	}
	if (interval != NULL)
		pm_add_int(in, "interval", pm_interval_us(interval));
	return in;
}

static int cmd_measure(struct cli *cli)
{
	struct json_object *answer = NULL, *in;
	uint64_t lost = 0;
	int rc;

	if (cli->argc == 0 && opt_value(cli, "--policy") == NULL && !opt_flag(cli, "--loopback"))
		return cli_fail(cli, EXIT_USAGE, "what is measured?  Give an address, or --policy");
	in = measure_input(cli, &rc);
	if (in == NULL)
		return rc;
	rc = api_post(cli, "heddle-pm:measure", in, &answer);
	if (rc != 0)
		return rc;
	if (cli->json)
		js_print(answer);
	js_foreach(s, js_get(js_inner(answer), "session"))
	{
		lost += js_u64(s, "received") == 0;
		if (!cli->json)
			print_result(cli, s);
	}
	json_object_put(answer);
	return lost != 0 ? EXIT_ERROR : 0;
}

/* ---- pm pacing --------------------------------------------------------------------------------------------------- */

static int cmd_pacing(struct cli *cli)
{
	static const char *const heads[] = { ">WORKER", ">SESSIONS", ">SENT", ">SKIPPED",
					     ">MIN",    ">MEAN",     ">P50",  ">P90",
					     ">P99",    ">P99.9",    ">MAX",  NULL };
	struct json_object *answer = NULL;
	int rc = api_get(cli, "heddle-pm:pacing-state", &answer);

	if (rc != 0 || js_answered(cli, answer))
		return rc;
	struct table *t = table_new(heads);
	js_foreach(w, js_get(js_inner(answer), "worker"))
	{
		table_cell(t, "%s", js_str(w, "worker"));
		table_cell(t, "%s", js_str(w, "sessions"));
		table_cell(t, "%s", js_str(w, "sent"));
		table_cell(t, "%s", js_str(w, "skipped"));
		cell_duration(t, w, "min");
		cell_duration(t, w, "mean");
		cell_duration(t, w, "p50");
		cell_duration(t, w, "p90");
		cell_duration(t, w, "p99");
		cell_duration(t, w, "p999");
		cell_duration(t, w, "max");
	}
	table_print(cli, t);
	json_object_put(answer);
	return 0;
}

#define MEASURE_PARAMS                                                                             \
	{ "[ADDRESS]", NULL, CLI_TEXT, "of the Session-Reflector  [the policy's endpoint]" },      \
		{ "--policy", "POLICY", CLI_POLICY, "along each segment list of an SR policy" },   \
		{ "--segment-list", "NAME", CLI_TEXT, "only lists of this name" },                 \
		{ "--sid-list", "A,B,C", CLI_TEXT, "along these SIDs" },                           \
		{ "--encapsulation", "inner|header", CLI_TEXT,                                     \
		  "IPv6 in IPv6, or a header in front of UDP  [inner]" },                          \
		{ "--loopback", NULL, CLI_TEXT, "nobody reflects: --return-sids lead back here" }, \
		{ "--return-sids", "A,B,C", CLI_TEXT, "the way back" },                            \
		{ "--count", "N", CLI_NUMBER, "packets along each path  [100]" },                  \
		{ "--interval", "TIME", CLI_TEXT,                                                  \
		  "from packet to packet: 10ms, 2s, 1500us  [10ms]" },                             \
		{ "--timeout", "MS", CLI_NUMBER, "what comes later is lost  [1000]" },             \
		{ "--source", "ADDRESS", CLI_TEXT, "an address of ours  [on the way out]" },       \
		{ "--vrf", "VRF", CLI_VRF, "whose routes  [default]" },                            \
		{ "--port", "N", CLI_NUMBER, "UDP port of the reflector  [862]" },                 \
		{ "--local-port", "N", CLI_NUMBER, "UDP port of ours  [50862]" },                  \
		{ "--ssid", "N", CLI_NUMBER, "session identifier  [chosen]" },                     \
		{ "--dscp", "N", CLI_NUMBER, "of test packets  [0]" },                             \
		{ "--flow-label", "N", CLI_NUMBER, "of test packets  [0]" },                       \
		{ "--padding", "N", CLI_NUMBER, "octets of padding  [0]" },                        \
		{ "--key", "N", CLI_NUMBER, "authenticated with this key of the configuration" },  \
		{ "--stateful", NULL, CLI_TEXT, "the reflector counts: loss by direction" },       \
		{ "--calibration", "INTERFACE", CLI_INTERFACE,                                     \
		  "take off what this node adds there: heddle pm calibrate" },                     \
	{                                                                                          \
		"--twamp-light", NULL, CLI_TEXT, "the peer speaks TWAMP Light; give --local-port"  \
	}

static const struct cli_command commands[] = {
	{ .name = "pm sessions",
	  .run = cmd_sessions,
	  .what = "sessions this node sends, and what they measure now",
	  .more = "Delays and loss are those since the running bin of 10 s began; SENT and LOST count "
		  "since the session did.",
	  .examples = CLI_EXAMPLES("heddle pm sessions", "heddle pm sessions --json") },
	{ .name = "pm watch",
	  .run = cmd_watch,
	  .what = "the same, again and again",
	  .params = CLI_PARAMS({ "--every", "SECONDS", CLI_SECONDS, "how often  [1]" }),
	  .examples = CLI_EXAMPLES("heddle pm watch --every 0.5") },
	{ .name = "pm show",
	  .run = cmd_show,
	  .what = "one session in full, or all those of a policy",
	  .params = CLI_PARAMS({ "SESSION", NULL, CLI_TEXT, "its name" }),
	  .more = "WITHIN is how far a value may be off: the width of a bucket, waiting between "
		  "timestamps and the wire on this node, and of one-way delays what both clocks say "
		  "about themselves. Where they are not synchronised only differences of one-way "
		  "delays mean something.",
	  .examples = CLI_EXAMPLES("heddle pm show core", "heddle pm show core~spare~s") },
	{ .name = "pm measure",
	  .run = cmd_measure,
	  .what = "measure a path now",
	  .params = CLI_PARAMS(MEASURE_PARAMS),
	  .more = "The data plane sends the packets and keeps what came of them; each segment list of a "
		  "policy is measured on its own. Exit status 0: something came back along each path.",
	  .examples = CLI_EXAMPLES(
		  "heddle pm measure 2001:db8::3 --count 1000 --interval 1ms",
		  "heddle pm measure --policy far --count 1000 --interval 1ms --json",
		  "heddle pm measure --loopback --sid-list fc00:2::e --return-sids fc00:1::e "
		  "--encapsulation header") },
	{ .name = "pm calibrate",
	  .run = cmd_pm_calibrate,
	  .what = "measure what this node itself adds to delays, over a loop",
	  .params = CLI_PARAMS({ "--interface", "INTERFACE", CLI_INTERFACE,
				 "by which packets leave" },
			       { "--receive-interface", "INTERFACE", CLI_INTERFACE,
				 "by which they come back  [the same]" },
			       { "--count", "N", CLI_NUMBER, "packets  [1000]" },
			       { "--interval", "TIME", CLI_TEXT, "from packet to packet  [1ms]" },
			       { "--loop-delay", "NS", CLI_NUMBER,
				 "what the loop itself takes, 5 for each metre of cable  [0]" },
			       { "--no-save", NULL, CLI_TEXT, "only show it" }),
	  .more = "The interface's link must lead back here: a port in loopback, or one that is joined to "
		  "another port of this node. The least round trip goes into the configuration "
		  "(pm calibration), and is taken off what sessions and measurements with "
		  "'calibration' measure.",
	  .examples = CLI_EXAMPLES(
		  "heddle pm calibrate --interface core0",
		  "heddle pm calibrate --interface core0 --receive-interface core1 --loop-delay 15") },
	{ .name = "pm capacity",
	  .run = cmd_pm_capacity,
	  .what = "load a path and find its IP-layer capacity (RFC 9097)",
	  .params = pm_capacity_params,
	  .more = "The rate grows from 0.5 Mbit/s until loss or delay says that the path is full, so other "
		  "traffic on it suffers meanwhile. The far end must serve it: pm/capacity-responder, for "
		  "which the bounds of both ends count. Maximum IP-Layer Capacity is the rate received in "
		  "the best sub-interval that meets the criteria. Ctrl-C ends the test. Exit status 0: it "
		  "is complete, and has a maximum.",
	  .examples = CLI_EXAMPLES(
		  "heddle pm capacity --to 2001:db8::3 --max-rate 500M",
		  "heddle pm capacity --policy far --segment-list l --duration 5s --json",
		  "heddle pm capacity --last") },
	{ .name = "pm pacing",
	  .run = cmd_pacing,
	  .what = "how late test packets leave",
	  .more = "Against the moment each was due. Moments are passed over (SKIPPED) when a worker was "
		  "away for longer than an interval.",
	  .examples = CLI_EXAMPLES("heddle pm pacing") },
	{ .name = "pm history",
	  .run = cmd_pm_history,
	  .what = "what a session measured before",
	  .params = CLI_PARAMS({ "SESSION", NULL, CLI_TEXT, "its name" },
			       { "--last", "TIME", CLI_TEXT, "how far back: 15min, 6h, 1d  [1h]" },
			       { "--bin", "TIME", CLI_TEXT,
				 "length of bins: 10s, 1min, 15min  [by --last]" }),
	  .more = "Bins of 10 s are kept for a day, over restarts; longer ones are made of them, so that "
		  "their percentiles are those of all their packets.",
	  .examples = CLI_EXAMPLES("heddle pm history core~hot~l",
				   "heddle pm history berlin --last 6h --bin 15min") },
	{ .name = "pm report",
	  .run = cmd_pm_report,
	  .what = "the same as a page or a drawing",
	  .params = CLI_PARAMS(
		  { "SESSION", NULL, CLI_TEXT, "its name" },
		  { "--output", "FILE", CLI_FILE,
		    "where to; a name that ends in .svg: the drawing alone  [a page to standard output]" },
		  { "--last", "TIME", CLI_TEXT, "how far back: 15min, 6h, 1d  [1h]" },
		  { "--bin", "TIME", CLI_TEXT, "length of bins: 10s, 1min, 15min  [by --last]" }),
	  .examples = CLI_EXAMPLES("heddle pm report berlin --output berlin.html",
				   "heddle pm report berlin --last 1d --output berlin.svg") },
	{ .name = "set impairment",
	  .run = cmd_pm_set_impairment,
	  .what = "delay, lose, duplicate or reorder what a port receives, to try things with",
	  .params = CLI_PARAMS({ "INTERFACE", NULL, CLI_INTERFACE, "whose port" },
			       { "--delay", "TIME", CLI_TEXT, "how long each frame waits" },
			       { "--jitter", "TIME", CLI_TEXT, "uniform within this of the delay" },
			       { "--loss", "SHARE", CLI_TEXT, "1% or 0.01" },
			       { "--duplicate", "SHARE", CLI_TEXT, "so many come twice" },
			       { "--reorder", "SHARE", CLI_TEXT, "so many do not wait" },
			       { "--seed", "N", CLI_NUMBER, "the same seed does the same  [1]" },
			       { "--limit", "N", CLI_NUMBER, "most frames that wait  [4096]" }),
	  .more = "Nothing but the interface takes it away again. It is no part of the configuration and "
		  "is gone when the data plane ends. Ports without one pay nothing for it.",
	  .examples = CLI_EXAMPLES(
		  "heddle set impairment wan --delay 10ms --jitter 1ms --loss 1% --seed 7",
		  "heddle set impairment wan") },
	{ .name = "pm impairments",
	  .run = cmd_pm_impairments,
	  .what = "impairments in force, and what they did",
	  .examples = CLI_EXAMPLES("heddle pm impairments") },
	{ .name = NULL },
};

const struct cli_group pm_group = { "Performance measurement", commands };
