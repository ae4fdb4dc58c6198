/* SPDX-License-Identifier: BSD-3-Clause
 * Results of the traffic tests: text, JSON, a picture, and the line that lives while a trial runs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "bench/bench.h"
#include "bench/traffic/traffic.h"

static const double percents[] = { 50, 90, 99, 99.9, 99.99 };
#define N_PERCENTS (sizeof(percents) / sizeof(percents[0]))

/* ---- text --------------------------------------------------------------------------------------------------- */

static const char *pps_text(double pps, char to[32])
{
	if (pps >= 1e6)
		snprintf(to, 32, "%.3f Mpps", pps / 1e6);
	else if (pps >= 1e3)
		snprintf(to, 32, "%.3f kpps", pps / 1e3);
	else
		snprintf(to, 32, "%.1f pps", pps);
	return to;
}

static const char *ns_text(double ns, char to[32])
{
	if (ns >= 1e6)
		snprintf(to, 32, "%.3f ms", ns / 1e6);
	else if (ns >= 1e3)
		snprintf(to, 32, "%.2f us", ns / 1e3);
	else
		snprintf(to, 32, "%.0f ns", ns);
	return to;
}

/* Bits on the wire: preamble and gap counted. */
static double wire_bps(double pps, double octets)
{
	return pps * (octets + 20) * 8;
}

static void counts_text(FILE *f, const char *name, const struct gen_counts *c)
{
	char a[32], b[32], d[32], e[32], g[32], h[32];

	fprintf(f,
		"  %-12s sent %llu, received %llu, lost %llu (%.6g %%), duplicates %llu, reordered %llu",
		name, (unsigned long long)c->sent, (unsigned long long)c->unique,
		(unsigned long long)gen_lost(c), 100 * gen_loss_ratio(c),
		(unsigned long long)c->duplicate, (unsigned long long)c->reordered);
	if (c->reordered != 0)
		fprintf(f, " (by up to %u)", c->max_behind);
	if (c->late != 0)
		fprintf(f, ", too late to tell %llu", (unsigned long long)c->late);
	fprintf(f, "\n");
	if (c->latency.count == 0)
		return;
	fprintf(f, "  %-12s latency min %s, p50 %s, p90 %s, p99 %s, p99.9 %s, max %s\n", "",
		ns_text((double)c->latency.min, a),
		ns_text((double)hd_hist_percentile(&c->latency, 50), b),
		ns_text((double)hd_hist_percentile(&c->latency, 90), d),
		ns_text((double)hd_hist_percentile(&c->latency, 99), e),
		ns_text((double)hd_hist_percentile(&c->latency, 99.9), g),
		ns_text((double)c->latency.max, h));
}

static void trial_text(FILE *f, const struct gen_result *r, const struct streams *s)
{
	char a[32], b[32];

	if (s->n > 1)
		for (uint32_t i = 0; i < s->n; i++)
			counts_text(f, s->stream[i].name, &r->stream[i]);
	counts_text(f, s->n > 1 ? "all" : s->stream[0].name, &r->all);
	fprintf(f,
		"  clock: TSC at %.0f MHz, read in software; a packet waited up to %s (half of them) or %s (99 %%)\n"
		"  until it was looked for, which its latency may be too high by\n",
		gen_tsc_hz() / 1e6, ns_text((double)gen_gap(r, 50), a),
		ns_text((double)gen_gap(r, 99), b));
	if (r->behind != 0)
		fprintf(f,
			"  not sent, since the generator or its port fell behind: %llu packets\n",
			(unsigned long long)r->behind);
	if (r->foreign != 0 || r->stale != 0 || r->astray != 0)
		fprintf(f,
			"  also received: %llu frames without signature, %llu of earlier trials, %llu at wrong ports\n",
			(unsigned long long)r->foreign, (unsigned long long)r->stale,
			(unsigned long long)r->astray);
	if (r->device_rx_missed != 0 || r->device_tx_errors != 0)
		fprintf(f,
			"  the generator's own devices missed %llu packets, failed to send %llu: loss may be theirs\n",
			(unsigned long long)r->device_rx_missed,
			(unsigned long long)r->device_tx_errors);
	if (r->negative != 0)
		fprintf(f,
			"  %llu latencies were negative: the CPUs' clocks disagree, use one CPU\n",
			(unsigned long long)r->negative);
}

static void bounds_text(FILE *f, const struct traffic_row *r)
{
	const struct search_bounds *b = &r->bounds;
	char lo[32], hi[32];

	if (b->lower <= 0) {
		fprintf(f, "  none: %s", search_end_text(b->end));
		if (b->upper > 0)
			fprintf(f, " (%.6g %% lost at %s)", 100 * b->upper_loss,
				pps_text(b->upper, hi));
		fprintf(f, "\n");
		return;
	}
	fprintf(f, "  %s = %.3f Gbit/s on the wire", pps_text(b->lower, lo),
		wire_bps(b->lower, r->octets) / 1e9);
	if (r->line_pps > 0)
		fprintf(f, " = %.1f %% of the link", 100 * b->lower / r->line_pps);
	if (b->upper > 0)
		fprintf(f, "; %s loses %.4g %%", pps_text(b->upper, hi), 100 * b->upper_loss);
	fprintf(f, "\n  %s; trials of %.3g s\n", search_end_text(b->end), b->seconds);
}

void traffic_text(FILE *f, const struct traffic_row *r, const struct streams *s)
{
	char a[32], b[32];

	fprintf(f, "%s, %s octets with FCS", r->test, r->sizes);
	if (strchr(r->sizes, ',') != NULL || strcmp(r->sizes, "imix") == 0 ||
	    (double)atoi(r->sizes) != r->octets)
		fprintf(f, " (mean %.1f)", r->octets);
	if (strcmp(r->test, "pdr") == 0)
		fprintf(f, ", loss up to %g %%", 100 * r->goal);
	fprintf(f, ":\n");
	if (r->trial != NULL) {
		fprintf(f, "  asked %s, offered %s = %.3f Gbit/s on the wire, for %.3g s\n",
			r->trial->asked.pps > 0 ? pps_text(r->trial->asked.pps, a) :
						  "as much as possible",
			pps_text(r->trial->offered, b),
			wire_bps(r->trial->offered, r->octets) / 1e9, r->trial->seconds);
		trial_text(f, r->trial, s);
	} else if (strcmp(r->test, "back-to-back") == 0) {
		fprintf(f, "  %.0f packets = %.3f ms\n", r->burst, r->burst_seconds * 1e3);
	} else {
		bounds_text(f, r);
	}
	fprintf(f, "\n");
	fflush(f);
}

static bool progress_open;

void traffic_progress(double elapsed, uint64_t sent, uint64_t received)
{
	static double before;
	static uint64_t sent_before, received_before;
	char a[32], b[32];

	if (elapsed < before || !progress_open)
		before = 0, sent_before = received_before = 0;
	if (elapsed > before)
		fprintf(stderr, "%s  %6.1f s  sending %s, receiving %s, not yet back %lld  %s",
			isatty(2) ? "\r" : "", elapsed,
			pps_text((double)(sent - sent_before) / (elapsed - before), a),
			pps_text((double)(received - received_before) / (elapsed - before), b),
			(long long)(sent - received), isatty(2) ? "" : "\n");
	fflush(stderr);
	before = elapsed;
	sent_before = sent;
	received_before = received;
	progress_open = true;
}

void traffic_progress_end(void)
{
	if (progress_open && isatty(2))
		fprintf(stderr, "\r%100s\r", "");
	progress_open = false;
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static json_object *number(double v)
{
	char text[40];

	snprintf(text, sizeof(text), "%.9g", v);
	return json_object_new_double_s(v, text);
}

static void add(json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static json_object *hist_json(const struct hd_hist *h, bool buckets)
{
	json_object *o = json_object_new_object(), *list;
	char key[16];

	add(o, "count", h->count);
	if (h->count == 0)
		return o;
	add(o, "min", h->min);
	json_object_object_add(o, "mean", number((double)h->sum / (double)h->count));
	for (size_t i = 0; i < N_PERCENTS; i++) {
		snprintf(key, sizeof(key), "p%g", percents[i]);
		add(o, key, hd_hist_percentile(h, percents[i]));
	}
	add(o, "max", h->max);
	if (!buckets)
		return o;
	list = json_object_new_array();
	for (uint32_t i = 0; i < HD_HIST_BUCKETS; i++) {
		json_object *pair;

		if (h->bucket[i] == 0)
			continue;
		pair = json_object_new_array();
		json_object_array_add(pair, json_object_new_uint64(hd_hist_high(i)));
		json_object_array_add(pair, json_object_new_uint64(h->bucket[i]));
		json_object_array_add(list, pair);
	}
	json_object_object_add(o, "buckets", list);
	return o;
}

static json_object *counts_json(const struct gen_counts *c, bool buckets)
{
	json_object *o = json_object_new_object();

	add(o, "sent", c->sent);
	add(o, "sent_octets", c->octets);
	add(o, "received", c->unique);
	add(o, "lost", gen_lost(c));
	json_object_object_add(o, "loss_ratio", number(gen_loss_ratio(c)));
	add(o, "duplicates", c->duplicate);
	add(o, "reordered", c->reordered);
	add(o, "reordered_by_up_to", c->max_behind);
	add(o, "too_late", c->late);
	json_object_object_add(o, "latency_ns", hist_json(&c->latency, buckets));
	return o;
}

static void trial_json(json_object *o, const struct gen_result *r, const struct streams *s)
{
	json_object *list = json_object_new_array(), *gap = json_object_new_object();

	json_object_object_add(o, "asked_pps", number(r->asked.pps));
	json_object_object_add(o, "offered_pps", number(r->offered));
	json_object_object_add(o, "seconds", number(r->seconds));
	json_object_object_add(o, "all", counts_json(&r->all, true));
	for (uint32_t i = 0; i < s->n; i++) {
		json_object *one = counts_json(&r->stream[i], false);

		json_object_object_add(one, "stream", json_object_new_string(s->stream[i].name));
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "streams", list);
	add(o, "not_sent", r->behind);
	add(o, "without_signature", r->foreign);
	add(o, "of_earlier_trials", r->stale);
	add(o, "at_wrong_port", r->astray);
	add(o, "negative_latencies", r->negative);
	add(o, "device_missed", r->device_rx_missed);
	add(o, "device_send_errors", r->device_tx_errors);
	for (size_t i = 0; i < N_PERCENTS; i++) {
		char key[16];

		snprintf(key, sizeof(key), "p%g", percents[i]);
		add(gap, key, gen_gap(r, percents[i]));
	}
	json_object_object_add(o, "poll_gap_ns", gap);
}

static json_object *row_json(const struct traffic_row *r, const struct streams *s)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "test", json_object_new_string(r->test));
	json_object_object_add(o, "size", json_object_new_string(r->sizes));
	json_object_object_add(o, "mean_octets", number(r->octets));
	if (r->line_pps > 0)
		json_object_object_add(o, "line_pps", number(r->line_pps));
	if (r->trial != NULL) {
		trial_json(o, r->trial, s);
	} else if (strcmp(r->test, "back-to-back") == 0) {
		json_object_object_add(o, "burst_packets", number(r->burst));
		json_object_object_add(o, "burst_seconds", number(r->burst_seconds));
	} else {
		json_object_object_add(o, "pps", number(r->bounds.lower));
		json_object_object_add(o, "bits_per_second",
				       number(wire_bps(r->bounds.lower, r->octets)));
		json_object_object_add(o, "goal_loss_ratio", number(r->goal));
		json_object_object_add(o, "upper_pps", number(r->bounds.upper));
		json_object_object_add(o, "upper_loss_ratio", number(r->bounds.upper_loss));
		json_object_object_add(o, "trial_seconds", number(r->bounds.seconds));
		json_object_object_add(o, "end",
				       json_object_new_string(search_end_text(r->bounds.end)));
	}
	return o;
}

json_object *traffic_json(const struct streams *s, double ceiling, int cpu)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(o, "format", json_object_new_string("heddle-bench traffic 1"));
	json_object_object_add(o, "environment",
			       report_environment((uint32_t)cpu, gen_tsc_hz() / 1e6));
	json_object_object_add(o, "clock",
			       json_object_new_string("TSC, read in software per burst"));
	json_object_object_add(o, "generator_ceiling_pps", number(ceiling));
	for (uint32_t i = 0; i < traffic_n_rows; i++)
		json_object_array_add(list, row_json(&traffic_rows[i], s));
	json_object_object_add(o, "results", list);
	return o;
}

/* ---- picture ------------------------------------------------------------------------------------------------ */

static bool is_rate(const struct traffic_row *r)
{
	return r->trial == NULL && strcmp(r->test, "back-to-back") != 0;
}

static void draw_rates(FILE *g)
{
	fprintf(g,
		"set title 'Rate without more loss than allowed'\nset ylabel 'Mpps'\nset yrange [0:*]\nset key off\n"
		"set style fill solid 0.6\nset boxwidth 0.7\nset xtics rotate by -35\n"
		"plot '-' using 1:2:xtic(3) with boxes lc rgb '#1f77b4'\n");
	for (uint32_t i = 0, n = 0; i < traffic_n_rows; i++)
		if (is_rate(&traffic_rows[i]))
			fprintf(g, "%u %g \"%s %s\"\n", n++, traffic_rows[i].bounds.lower / 1e6,
				traffic_rows[i].test, traffic_rows[i].sizes);
	fprintf(g, "e\nset xtics norotate autofreq\nset yrange [*:*]\n");
}

static void draw_loss(FILE *g)
{
	fprintf(g,
		"set title 'Frame loss'\n"
		"set xlabel 'offered, Mpps'\nset ylabel 'lost, %%'\nset yrange [0:*]\nset key off\n"
		"plot '-' using 1:2 with points pt 7 lc rgb '#d62728'\n");
	for (uint32_t i = 0; i < traffic_n_rows; i++)
		if (traffic_rows[i].trial != NULL)
			fprintf(g, "%g %g\n", traffic_rows[i].trial->offered / 1e6,
				100 * gen_loss_ratio(&traffic_rows[i].trial->all));
	fprintf(g, "e\nset yrange [*:*]\nunset xlabel\n");
}

/* Latency over the share of packets that are slower, both logarithmic: the tail is what matters. */
static void draw_latency(FILE *g)
{
	bool first = true;

	fprintf(g,
		"set title 'Latency'\nset xlabel 'percentile'\nset ylabel 'microseconds'\nset logscale xy\n"
		"set xrange [1:0.00001] reverse\nset key top left\n"
		"set xtics ('0' 1, '90' 0.1, '99' 0.01, '99.9' 0.001, '99.99' 0.0001, '99.999' 0.00001)\nplot ");
	for (uint32_t i = 0; i < traffic_n_rows; i++) {
		const struct traffic_row *r = &traffic_rows[i];

		if (r->trial == NULL || r->trial->all.latency.count == 0)
			continue;
		fprintf(g, "%s'-' using 1:2 with lines lw 2 title '%s %s, %.3g Mpps'",
			first ? "" : ", ", r->test, r->sizes, r->trial->offered / 1e6);
		first = false;
	}
	fprintf(g, "\n");
	for (uint32_t i = 0; i < traffic_n_rows; i++) {
		const struct traffic_row *r = &traffic_rows[i];
		const struct hd_hist *h;
		uint64_t seen = 0;

		if (r->trial == NULL || r->trial->all.latency.count == 0)
			continue;
		h = &r->trial->all.latency;
		for (uint32_t b = 0; b < HD_HIST_BUCKETS; b++) {
			if (h->bucket[b] == 0)
				continue;
			fprintf(g, "%g %g\n", fmax(1 - (double)seen / (double)h->count, 0.00001),
				fmax((double)hd_hist_high(b), 1) / 1e3);
			seen += h->bucket[b];
		}
		fprintf(g, "0.00001 %g\ne\n", fmax((double)h->max, 1) / 1e3);
	}
}

int traffic_svg(const char *path)
{
	bool rates = false, trials = false, latencies = false;
	FILE *g;
	int rc;

	for (uint32_t i = 0; i < traffic_n_rows; i++) {
		rates = rates || is_rate(&traffic_rows[i]);
		trials = trials || traffic_rows[i].trial != NULL;
		latencies = latencies || (traffic_rows[i].trial != NULL &&
					  traffic_rows[i].trial->all.latency.count != 0);
	}
	if (strpbrk(path, "'\"\\\n") != NULL) {
		fprintf(stderr, "heddle-bench: quotes are not possible in the name of a picture\n");
		return TRAFFIC_USAGE;
	}
	g = popen("gnuplot", "w");
	if (g == NULL) {
		perror("heddle-bench: gnuplot");
		return TRAFFIC_FAILED;
	}
	fprintf(g,
		"set terminal svg size 900,%d background rgb 'white'\nset output '%s'\nset grid\n"
		"set multiplot layout %d,1\n",
		420 * (rates + trials + latencies), path, rates + trials + latencies);
	if (rates)
		draw_rates(g);
	if (trials)
		draw_loss(g);
	if (latencies)
		draw_latency(g);
	fprintf(g, "unset multiplot\n");
	rc = pclose(g);
	if (WIFEXITED(rc) && WEXITSTATUS(rc) == 0)
		return TRAFFIC_OK;
	fprintf(stderr, "heddle-bench: gnuplot did not draw it%s\n",
		WIFEXITED(rc) && WEXITSTATUS(rc) == 127 ? ": it is not installed" : "");
	return TRAFFIC_FAILED;
}
