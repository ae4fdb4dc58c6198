/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/pm/threshold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/config.h"
#include "ctrl/events.h"
#include "ctrl/log.h"
#include "ctrl/pm/history.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"

static uint16_t raised[HD_PM_SENDERS_MAX]; /* bit n: metric n of the model */

/* By the numbers of enumeration 'metric'.  False: nothing was measured. */
static bool value_of(const struct pm_result *r, int metric, uint64_t *ret)
{
	static const struct {
		enum hd_pm_dir dir;
		double percent;
	} m[] = { { HD_PM_RTT, 50 }, { HD_PM_RTT, 99 }, { HD_PM_RTT, 100 }, { HD_PM_FWD, 50 },
		  { HD_PM_FWD, 99 }, { HD_PM_BWD, 50 }, { HD_PM_BWD, 99 } };
	const struct hd_pm_counts *c = &r->s.c;
	const struct hd_pm_hist *h = &r->d[HD_PM_RTT];
	int64_t ns;

	if (metric == 8) {
		*ret = c->received + c->lost != 0 ? c->lost * 1000000 / (c->received + c->lost) : 0;
		return c->received + c->lost != 0;
	}
	if (metric == 7) {
		ns = hd_pm_hist_percentile(h, 99.9, NULL) - h->min;
	} else {
		h = &r->d[m[metric].dir];
		ns = hd_pm_hist_percentile(h, m[metric].percent, NULL);
	}
	*ret = ns > 0 ? (uint64_t)ns / 1000 : 0;
	return h->n != 0;
}

static void tell(struct ctrl *c, const char *name, const char *metric, bool up, uint64_t value,
		 uint64_t limit)
{
	struct json_object *o = json_object_new_object();
	char text[160];

	snprintf(text, sizeof(text), "%s %llu %s %llu", metric, (unsigned long long)value,
		 up ? "is at or above" : "is back at or below", (unsigned long long)limit);
	log_warning("session %s: %s", name, text);
	json_add_str(o, "session", name);
	json_add_str(o, "metric", metric);
	json_add_bool(o, "raised", up);
	json_add_u64(o, "value", value);
	json_add_u64(o, "limit", limit);
	events_publish(c->events, "heddle-pm:threshold-change", o);
	history_event(c, name, 0, text);
}

void threshold_check(struct ctrl *c, const char *name, const struct pm_result *r)
{
	uint32_t id = r->s.session_id;
	const struct object *o =
		objset_find(&running_config(c->running)->set, &pm_kinds[PM_KIND_SESSION], &id);

	if (o == NULL || id >= HD_PM_SENDERS_MAX)
		return;
	cfg_foreach(t, (const struct lyd_node *)o->origin, "threshold")
	{
		const char *raise_text = cfg_str(t, "raise"), *clear_text = cfg_str(t, "clear");
		int metric = cfg_enum(t, "metric", 0);
		uint64_t raise = strtoull(raise_text, NULL, 10), value,
			 clear = clear_text != NULL ? strtoull(clear_text, NULL, 10) :
						      raise - raise / 10;
		bool was = raised[id] >> metric & 1, is;

		if (metric > 8 || !value_of(r, metric, &value))
			continue;
		is = threshold_raised(was, value, raise, clear);
		if (is == was)
			continue;
		raised[id] = (uint16_t)(raised[id] ^ 1u << metric);
		tell(c, name, cfg_str(t, "metric"), is, value, is ? raise : clear);
	}
}
