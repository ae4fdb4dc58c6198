/* SPDX-License-Identifier: BSD-3-Clause
 * heddle_sid_drop_packets, heddle_policy_drop_octets, ...: of each kind of object the first max_series pairs of object
 * and reason are told apart, the rest is "_other". */
#include <stdio.h>
#include <string.h>

#include "ctrl/metrics_private.h"

static uint64_t value_of(const struct metrics_drops *d, size_t i)
{
	return d->col == 0 ? d->all.drop[i].packets : d->all.drop[i].octets;
}

static bool same_kind(const struct metrics_drops *d, size_t i)
{
	return i < d->all.n && hd_drop_object_vec(d->all.drop[i].key) ==
				       hd_drop_object_vec(d->all.drop[d->first].key);
}

/* The family is written: its other column, or the next kind. */
static void next_family(struct metrics_drops *d)
{
	d->headed = false;
	d->series = 0;
	d->other = 0;
	if (++d->col < 2) {
		d->at = d->first;
		return;
	}
	d->col = 0;
	d->first = d->at;
}

static void family(const struct metrics_drops *d, const struct metrics_kind *k, char *buf,
		   size_t size)
{
	char vec[64];

	snprintf(buf, size, "heddle_%s_drop_%s", metrics_name(k->vec, strlen(k->vec), vec),
		 d->col == 0 ? "packets" : "octets");
}

static void head(const struct metrics_drops *d, const struct metrics_kind *k, struct metrics_out *o,
		 bool open)
{
	char name[100], help[160];

	family(d, k, name, sizeof(name));
	snprintf(help, sizeof(help), "%s dropped because %s, by node and reason",
		 d->col == 0 ? "Packets" : "Octets", k->what);
	metrics_counter_head(o, open, name, help);
}

/* One object and reason; in the end what was not told apart. */
static void series(struct metrics_drops *d, const struct metrics_kind *k, struct metrics_out *o,
		   struct ctrl *c, uint32_t max_series)
{
	char name[100], label[260], node[64], reason[64];
	const char *object;
	uint64_t key;

	family(d, k, name, sizeof(name));
	if (!same_kind(d, d->at)) {
		if (d->series >= max_series)
			metrics_put(
				o,
				"%s_total{%s=\"_other\",node=\"_other\",reason=\"_other\"} %llu\n",
				name, k->label, (unsigned long long)d->other);
		next_family(d);
		return;
	}
	key = d->all.drop[d->at].key;
	object = ids_name(c->ids, k->space, hd_drop_object(key));
	if (object != NULL && d->series < max_series &&
	    object_drop_reason(c->dp, key, node, reason)) {
		metrics_put(o, "%s_total{%s=\"%s\",node=\"%s\",reason=\"%s\"} %llu\n", name,
			    k->label, metrics_label(object, 256, label), node, reason,
			    (unsigned long long)value_of(d, d->at));
		d->series++;
	} else {
		d->other += value_of(d, d->at);
	}
	d->at++;
}

/* What the data plane had no row for is of no kind: a series of its own, behind the others. */
static void rest(struct metrics_drops *d, struct metrics_out *o, bool open)
{
	const char *name = "heddle_object_drop_rest_packets";

	metrics_counter_head(o, open, name,
			     "Packets dropped that found the table of drops by object full");
	metrics_put(o, "%s_total %llu\n", name, (unsigned long long)d->all.rest.packets);
	object_drops_free(&d->all);
	d->first = d->at = SIZE_MAX;
}

bool metrics_drops_line(struct metrics_drops *d, struct metrics_out *o, struct ctrl *c, bool open,
			uint32_t max_series)
{
	const struct metrics_kind *k;

	if (!d->read) {
		object_drops_read(c->dp, &d->all);
		d->read = true;
	}
	if (d->first == SIZE_MAX)
		return false;
	if (d->first >= d->all.n) {
		rest(d, o, open);
		return true;
	}
	k = metrics_kind_of(dp_stats_vec_at(c->dp, hd_drop_object_vec(d->all.drop[d->first].key)));
	if (k == NULL || k->rows != BY_ID) { /* objects that have no names */
		while (same_kind(d, d->at))
			d->at++;
		d->first = d->at;
		return true;
	}
	if (!d->headed) {
		head(d, k, o, open);
		d->headed = true;
	} else {
		series(d, k, o, c, max_series);
	}
	return true;
}
