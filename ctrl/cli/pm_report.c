/* SPDX-License-Identifier: BSD-3-Clause
 * A path over time as SVG: the band from the least round trip to its 99th percentile, the median, loss as bars from
 * above, and lines where something happened; alone or in a page that needs nothing else. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/pm.h"
#include "ctrl/xml.h"

#define WIDTH  1000.0
#define HEIGHT 360.0
#define LEFT   80.0
#define TOP    30.0
#define RIGHT  20.0
#define BOTTOM 40.0

struct chart {
	FILE *f;
	struct json_object *bins, *events;
	double start, end; /* seconds since 1970 */
	double most;       /* ns at the top */
	double most_loss;  /* ratio at the full height */
};

/* "2026-11-26T05:00:00.123Z" */
static double time_of(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	double fraction = rest != NULL && *rest == '.' ? strtod(rest, NULL) : 0;

	return rest != NULL ? (double)timegm(&tm) + fraction : 0;
}

static double x_of(const struct chart *c, double t)
{
	return LEFT + (t - c->start) / (c->end - c->start) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct chart *c, double ns)
{
	return HEIGHT - BOTTOM - ns / c->most * (HEIGHT - TOP - BOTTOM);
}

static double middle(struct json_object *bin)
{
	return time_of(js_str(bin, "start")) + strtod(js_str(bin, "seconds"), NULL) / 2;
}

static void measure(struct chart *c)
{
	bool first = true;

	js_foreach(b, c->bins)
	{
		double t = time_of(js_str(b, "start")), p99 = pm_trip(b, "p99"), loss = pm_loss(b);

		c->start = first || t < c->start ? t : c->start;
		t += strtod(js_str(b, "seconds"), NULL);
		c->end = first || t > c->end ? t : c->end;
		c->most = p99 > c->most ? p99 : c->most;
		c->most_loss = loss > c->most_loss ? loss : c->most_loss;
		first = false;
	}
	c->most = c->most > 0 ? c->most * 1.1 : 1;
	c->most_loss = c->most_loss > 0.01 ? c->most_loss : 0.01;
	if (c->end <= c->start)
		c->end = c->start + 1;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static void axes(const struct chart *c)
{
	char text[40], ns[32], label[32];

	for (unsigned i = 0; i <= 4; i++) {
		double v = c->most * i / 4, y = y_of(c, v);

		snprintf(ns, sizeof(ns), "%.0f", v);
		fprintf(c->f,
			"<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
			"<text class=\"y\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4,
			pm_duration(ns, label, sizeof(label)));
	}
	for (unsigned i = 0; i <= 5; i++) {
		double t = c->start + (c->end - c->start) * i / 5;
		time_t whole = (time_t)t;
		struct tm tm;

		gmtime_r(&whole, &tm);
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
		fprintf(c->f, "<text class=\"x\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x_of(c, t),
			HEIGHT - BOTTOM + 18, text);
	}
}

/* From `low` of each bin and back by `high`. */
static void band(const struct chart *c, const char *class, const char *low, const char *high)
{
	size_t n = json_object_array_length(c->bins);

	fprintf(c->f, "<polygon class=\"%s\" points=\"", class);
	for (size_t k = 0; k < 2 * n; k++) {
		struct json_object *b =
			json_object_array_get_idx(c->bins, k < n ? k : 2 * n - 1 - k);
		double v = pm_trip(b, k < n ? low : high);

		if (v >= 0)
			fprintf(c->f, "%.1f,%.1f ", x_of(c, middle(b)), y_of(c, v));
	}
	fputs("\"/>\n", c->f);
}

static void line(const struct chart *c, const char *class, const char *name)
{
	fprintf(c->f, "<polyline class=\"%s\" points=\"", class);
	js_foreach(b, c->bins)
	{
		double v = pm_trip(b, name);

		if (v >= 0)
			fprintf(c->f, "%.1f,%.1f ", x_of(c, middle(b)), y_of(c, v));
	}
	fputs("\"/>\n", c->f);
}

static void losses(const struct chart *c)
{
	js_foreach(b, c->bins)
	{
		double from = x_of(c, time_of(js_str(b, "start"))), loss = pm_loss(b),
		       to = x_of(c,
				 time_of(js_str(b, "start")) + strtod(js_str(b, "seconds"), NULL));

		if (loss > 0)
			fprintf(c->f,
				"<rect class=\"loss\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
				"height=\"%.1f\"><title>%.2f %% lost</title></rect>\n",
				from, TOP, to - from > 1 ? to - from : 1,
				loss / c->most_loss * (HEIGHT - TOP - BOTTOM) / 3, loss * 100);
	}
}

static void events(const struct chart *c)
{
	js_foreach(e, c->events)
	{
		double t = time_of(js_str(e, "time")), x = x_of(c, t);

		if (t < c->start || t > c->end)
			continue;
		fprintf(c->f,
			"<line class=\"event\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\">"
			"<title>",
			x, TOP - 8, x, HEIGHT - BOTTOM);
		xml_put(c->f, js_str(e, "text"));
		fputs("</title></line>\n", c->f);
	}
}

static const char style[] =
	"text{font:12px sans-serif;fill:#333}.y{text-anchor:end}.x{text-anchor:middle}"
	".grid{stroke:#ddd}.band{fill:#9ecae1;opacity:.6}.inner{fill:#6baed6;opacity:.6}"
	".median{fill:none;stroke:#08519c;stroke-width:1.5}.loss{fill:#d62728;opacity:.7}"
	".event{stroke:#e6550d;stroke-dasharray:3 3}";

static void svg_write(struct chart *c, const char *session)
{
	fprintf(c->f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\">\n"
		"<style>%s</style>\n<text x=\"%.0f\" y=\"16\">",
		WIDTH, HEIGHT, style, LEFT);
	xml_put(c->f, session);
	fputs(": round trip, least to 99th percentile, to the 90th, median; loss from above</text>\n",
	      c->f);
	axes(c);
	band(c, "band", "min", "p99");
	band(c, "inner", "min", "p90");
	line(c, "median", "p50");
	losses(c);
	events(c);
	fputs("</svg>\n", c->f);
}

/* ---- page -------------------------------------------------------------------------------------------------------- */

static void cells(FILE *f, struct json_object *b)
{
	static const char *const of_trip[] = { "min",  "p50", "p90",        "p99",
					       "p999", "max", "uncertainty" };
	char text[32];

	fprintf(f, "<tr><td>%.19s</td><td>%s</td><td>%s</td><td>%s</td>", js_str(b, "start"),
		js_str(b, "sent"), js_str(b, "lost"), js_str(b, "loss-ratio"));
	for (size_t i = 0; i < sizeof(of_trip) / sizeof(of_trip[0]); i++)
		fprintf(f, "<td>%s</td>",
			pm_duration(js_str(js_get(b, "round-trip"), of_trip[i]), text,
				    sizeof(text)));
	fprintf(f, "<td>%s</td><td>%s</td></tr>\n",
		pm_duration(js_str(b, "ipdv-mean"), text, sizeof(text)), js_str(b, "reordered"));
}

static void page_write(struct chart *c, struct json_object *o)
{
	fputs("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>", c->f);
	xml_put(c->f, js_str(o, "session"));
	fputs("</title>\n<style>body{font:14px sans-serif;margin:2em;max-width:70em}table{border-collapse:"
	      "collapse}td,th{padding:.1em .6em;text-align:right}tr:nth-child(even){background:#f4f4f4}"
	      "</style>\n<h1>",
	      c->f);
	xml_put(c->f, js_str(o, "session"));
	fprintf(c->f, "</h1>\n<p>Bins of %s s, times in UTC.", js_str(o, "bin-seconds"));
	if (js_get(o, "pia") != NULL)
		fprintf(c->f,
			" Available: %s %% of %s minutes (unavailable: more than a fifth lost).",
			js_str(o, "pia"), js_str(o, "minutes"));
	fputs("</p>\n", c->f);
	svg_write(c, js_str(o, "session"));
	if (json_object_array_length(c->events) > 0)
		fputs("<h2>Events</h2>\n<ul>\n", c->f);
	js_foreach(e, c->events)
	{
		fprintf(c->f, "<li>%.19s ", js_str(e, "time"));
		xml_put(c->f, js_str(e, "text"));
		fputs("</li>\n", c->f);
	}
	if (json_object_array_length(c->events) > 0)
		fputs("</ul>\n", c->f);
	fputs("<h2>Bins</h2>\n<table><tr><th>start</th><th>sent</th><th>lost</th><th>ratio</th>"
	      "<th>min</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th><th>within</th>"
	      "<th>ipdv</th><th>reordered</th></tr>\n",
	      c->f);
	js_foreach(b, c->bins) cells(c->f, b);
	fputs("</table>\n</html>\n", c->f);
}

void pm_report_write(FILE *f, struct json_object *history, bool svg)
{
	struct chart c = { .f = f,
			   .bins = js_get(history, "bin"),
			   .events = js_get(history, "event") };

	measure(&c);
	if (svg)
		svg_write(&c, js_str(history, "session"));
	else
		page_write(&c, history);
}
