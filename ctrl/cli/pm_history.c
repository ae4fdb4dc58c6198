/* SPDX-License-Identifier: BSD-3-Clause
 * heddle pm history, heddle pm report: a path over time, in the terminal and as a page. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/pm.h"

/* "90", "10s", "15min", "6h", "1d": seconds.  0: none of these. */
static uint32_t seconds_of(const char *text)
{
	char *end;
	double v = strtod(text, &end), unit = *end == '\0' || strcmp(end, "s") == 0 ? 1 :
					      strcmp(end, "min") == 0 || strcmp(end, "m") == 0 ?
										      60 :
					      strcmp(end, "h") == 0 ? 3600 :
					      strcmp(end, "d") == 0 ? 86400 :
								      0;

	return end != text && v > 0 && v * unit <= 86400 ? (uint32_t)(v * unit) : 0;
}

static int add_seconds(struct cli *cli, struct json_object *in, const char *opt, const char *name)
{
	const char *text = opt_value(cli, opt);

	if (text == NULL)
		return 0;
	if (seconds_of(text) == 0)
		return cli_fail(cli, EXIT_USAGE, "%s %s: 10s, 15min or 6h, at most a day", opt,
				text);
	json_object_object_add(in, name, json_object_new_int64(seconds_of(text)));
	return 0;
}

static int ask(struct cli *cli, struct json_object **ret)
{
	struct json_object *in = json_object_new_object();
	int rc;

	js_add(in, "session", cli->argv[0]);
	rc = add_seconds(cli, in, "--bin", "bin");
	if (rc == 0)
		rc = add_seconds(cli, in, "--last", "last");
	if (rc != 0) {
		json_object_put(in);
		return rc;
	}
	rc = api_post(cli, "heddle-pm:history", in, ret);
	if (rc == 0 && json_object_array_length(js_get(js_inner(*ret), "bin")) == 0 && !cli->json) {
		json_object_put(*ret);
		*ret = NULL;
		return cli_fail(cli, EXIT_ERROR,
				"nothing is known of '%s' in that time; see: heddle pm sessions",
				cli->argv[0]);
	}
	return rc;
}

/* ---- sparkline --------------------------------------------------------------------------------------------------- */

#define SPARK_MAX 100u

/* value(bin): negative where there is none. */
static void spark(const char *what, struct json_object *bins, double (*value)(struct json_object *),
		  const char *least, const char *most)
{
	static const char *const level[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	size_t n = json_object_array_length(bins), from = n > SPARK_MAX ? n - SPARK_MAX : 0;
	double min = -1, max = 0;

	for (size_t i = from; i < n; i++) {
		double v = value(json_object_array_get_idx(bins, i));

		if (v >= 0 && (min < 0 || v < min))
			min = v;
		max = v > max ? v : max;
	}
	if (min < 0)
		return;
	printf("%-10s ", what);
	for (size_t i = from; i < n; i++) {
		double v = value(json_object_array_get_idx(bins, i));

		printf("%s",
		       v < 0 ? " " : level[max > min ? (int)((v - min) / (max - min) * 7.99) : 0]);
	}
	printf("  %s to %s\n", least, most);
}

double pm_trip(struct json_object *bin, const char *name)
{
	struct json_object *d = js_get(bin, "round-trip");

	return d == NULL ? -1 : strtod(js_str(d, name), NULL);
}

double pm_loss(struct json_object *bin)
{
	const char *ratio = js_str(bin, "loss-ratio");

	return ratio[0] == '\0' ? -1 : strtod(ratio, NULL);
}

static double median(struct json_object *bin)
{
	return pm_trip(bin, "p50");
}

static void range(struct json_object *bins, double (*value)(struct json_object *), double *ret_min,
		  double *ret_max)
{
	*ret_min = -1;
	*ret_max = 0;
	js_foreach(b, bins)
	{
		double v = value(b);

		if (v >= 0 && (*ret_min < 0 || v < *ret_min))
			*ret_min = v;
		*ret_max = v > *ret_max ? v : *ret_max;
	}
}

static void sparks(struct json_object *bins)
{
	char least[32], most[32], ns[2][32];
	double min, max;

	range(bins, median, &min, &max);
	snprintf(ns[0], sizeof(ns[0]), "%.0f", min);
	snprintf(ns[1], sizeof(ns[1]), "%.0f", max);
	spark("RTT p50", bins, median, pm_duration(ns[0], least, sizeof(least)),
	      pm_duration(ns[1], most, sizeof(most)));
	range(bins, pm_loss, &min, &max);
	snprintf(least, sizeof(least), "%.2f %%", min * 100);
	snprintf(most, sizeof(most), "%.2f %%", max * 100);
	spark("loss", bins, pm_loss, least, most);
}

/* ---- pm history -------------------------------------------------------------------------------------------------- */

static void print_bins(struct cli *cli, struct json_object *bins)
{
	static const char *const heads[] = { "START (UTC)", ">SENT", ">LOST",    ">LOSS",
					     ">RTT MIN",    ">P50",  ">P90",     ">P99",
					     ">MAX",        ">IPDV", ">FWD P50", ">BWD P50",
					     ">REORDERED",  NULL };
	static const char *const of_trip[] = { "min", "p50", "p90", "p99", "max" };
	struct table *t = table_new(heads);
	char text[32];

	js_foreach(b, bins)
	{
		table_cell(t, "%.19s", js_str(b, "start"));
		table_cell(t, "%s", js_str(b, "sent"));
		table_cell(t, "%s", js_str(b, "lost"));
		if (pm_loss(b) < 0)
			table_cell(t, "%s", "");
		else
			table_cell(t, "%.2f %%", pm_loss(b) * 100);
		for (size_t i = 0; i < sizeof(of_trip) / sizeof(of_trip[0]); i++)
			table_cell(t, "%s",
				   pm_duration(js_str(js_get(b, "round-trip"), of_trip[i]), text,
					       sizeof(text)));
		table_cell(t, "%s", pm_duration(js_str(b, "ipdv-mean"), text, sizeof(text)));
		table_cell(t, "%s",
			   pm_duration(js_str(js_get(b, "forward"), "p50"), text, sizeof(text)));
		table_cell(t, "%s",
			   pm_duration(js_str(js_get(b, "backward"), "p50"), text, sizeof(text)));
		table_cell(t, "%.0llu", (unsigned long long)js_u64(b, "reordered"));
	}
	table_print(cli, t);
}

int cmd_pm_history(struct cli *cli)
{
	struct json_object *answer = NULL, *o;
	int rc = ask(cli, &answer);

	if (rc != 0 || js_answered(cli, answer))
		return rc;
	o = js_inner(answer);
	print_bins(cli, js_get(o, "bin"));
	printf("\n");
	sparks(js_get(o, "bin"));
	if (js_get(o, "pia") != NULL)
		printf("%-10s %.2f %% of %s minutes\n", "available", strtod(js_str(o, "pia"), NULL),
		       js_str(o, "minutes"));
	js_foreach(e, js_get(o, "event"))
		printf("%.19s  %s\n", js_str(e, "time"), js_str(e, "text"));
	json_object_put(answer);
	return 0;
}

/* ---- pm report --------------------------------------------------------------------------------------------------- */

int cmd_pm_report(struct cli *cli)
{
	const char *path = opt_value(cli, "--output");
	size_t n = path != NULL ? strlen(path) : 0;
	bool svg = n > 4 && strcmp(path + n - 4, ".svg") == 0;
	struct json_object *answer = NULL;
	FILE *f = stdout;
	int rc = ask(cli, &answer);

	if (rc != 0)
		return rc;
	if (path != NULL)
		f = fopen(path, "w");
	if (f == NULL) {
		rc = cli_fail(cli, EXIT_ERROR, "%s: %s", path, strerror(errno));
		json_object_put(answer);
		return rc;
	}
	pm_report_write(f, js_inner(answer), svg);
	if ((path != NULL ? fclose(f) : fflush(f)) != 0)
		rc = cli_fail(cli, EXIT_ERROR, "%s: %s", path != NULL ? path : "standard output",
			      strerror(errno));
	else if (path != NULL && !cli->json)
		printf("written: %s\n", path);
	json_object_put(answer);
	return rc;
}
