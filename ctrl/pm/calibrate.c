/* SPDX-License-Identifier: BSD-3-Clause
 * What this node itself adds to a round trip, by interface: measured over a loop (heddle-pm:calibrate, which measure.c
 * runs), kept in the configuration, and given to the sessions that name it. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "ctrl/cfg.h"
#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"

#define OFFSET_MAX_NS 10000000 /* as in the model */

static const struct lyd_node *entry(const struct lyd_node *top, const char *list, const char *key,
				    const char *name)
{
	cfg_foreach(n, top, list) if (strcmp(cfg_str(n, key), name) == 0) return n;
	return NULL;
}

int pm_calibration_read(struct compile *c, const struct lyd_node *node, struct hd_api_pm_session *m)
{
	const char *name = cfg_str(node, "calibration");
	const struct lyd_node *k;

	if (name == NULL)
		return 0;
	k = entry(cfg_top(c->tree, "pm"), "calibration", "interface", name);
	if (k == NULL)
		return compile_fail(c, cfg_child(node, "calibration"),
				    "'%s' has no calibration; measure one over a loop: heddle pm "
				    "calibrate --interface %s",
				    name, name);
	m->offset_ns = cfg_u32(k, "offset", 0);
	m->offset_error_ns = cfg_u32(k, "uncertainty", 0);
	return 0;
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

/* The first address of an interface, IPv6 before IPv4. */
static bool first_address(const struct lyd_node *iface, struct hd_api_pm_session *m)
{
	static const char *const family[] = { "ipv6", "ipv4" };

	for (unsigned i = 0; i < 2; i++)
		cfg_foreach(a, cfg_child(iface, family[i]), "address")
		{
			m->family = (uint8_t)cfg_addr(cfg_str(a, "ip"), m->src);
			return true;
		}
	return false;
}

int pm_calibrate_read(struct compile *c, const struct lyd_node *in, struct hd_api_pm_session *m)
{
	const char *out = cfg_str(in, "interface"), *back = cfg_str(in, "receive-interface");
	const struct lyd_node *top = cfg_top(c->tree, "interfaces"), *iface;

	back = back != NULL ? back : out;
	iface = entry(top, "interface", "name", back);
	if (iface == NULL || entry(top, "interface", "name", out) == NULL)
		return compile_fail(c, in,
				    "there is no interface '%s'; see: heddle show interfaces",
				    iface == NULL ? back : out);
	*m = (struct hd_api_pm_session){ .flags = HD_PM_S_LOOPBACK | HD_PM_S_LINK | HD_PM_S_ONCE,
					 .egress_iface = ids_find(c->ids, ID_INTERFACE, out),
					 .ingress_iface = ids_find(c->ids, ID_INTERFACE, back),
					 .timeout_ms = 1000,
					 .src_port = PM_LOCAL_PORT,
					 .dst_port = PM_LOCAL_PORT };
	if (!first_address(iface, m))
		return compile_fail(c, in, "'%s' has no address that packets could come back to",
				    back);
	memcpy(m->dst, m->src, sizeof(m->dst));
	return 0;
}

int pm_calibrate_result(const struct pm_result *r, uint32_t loop_ns, uint32_t *ret_offset_ns,
			uint32_t *ret_error_ns)
{
	const struct hd_pm_hist *h = &r->d[HD_PM_RTT];
	int64_t offset = h->min - (int64_t)loop_ns, half;
	int64_t spread = hd_pm_hist_percentile(h, 50, &half) + half - h->min;

	if (h->n < PM_CALIBRATE_MIN)
		return -ENODATA;
	if (offset < 0 || offset > OFFSET_MAX_NS)
		return -ERANGE;
	*ret_offset_ns = (uint32_t)offset;
	*ret_error_ns = spread < UINT32_MAX ? (uint32_t)spread : UINT32_MAX;
	return 0;
}

void pm_calibrate_answer(struct http_req *req, const struct pm_result *r,
			 const struct pm_calibrate *k)
{
	struct json_object *top;
	struct timespec now;
	uint32_t offset, error;
	int rc = pm_calibrate_result(r, k->loop_ns, &offset, &error);

	if (rc == -ENODATA) {
		restconf_errorf(req, -EINVAL,
				"%llu of %llu packets came back: does the link of '%s' lead to "
				"'%s'?  See: heddle show drops",
				(unsigned long long)r->s.c.received,
				(unsigned long long)r->s.c.sent, k->out, k->back);
		return;
	}
	if (rc < 0) {
		restconf_errorf(req, -EINVAL,
				"the least round trip of %lld ns is less than the loop's own %u "
				"ns, or more than 10 ms, which is no loop",
				(long long)r->d[HD_PM_RTT].min, k->loop_ns);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	top = json_object_new_object();
	json_add_str(top, "interface", k->out);
	json_add_str(top, "receive-interface", k->back);
	json_add_u32(top, "offset", offset);
	json_add_u32(top, "uncertainty", error);
	json_add_u32(top, "samples", r->d[HD_PM_RTT].n);
	json_add_time_ns(top, "time", (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	pm_result_json(top, r, true);
	restconf_output(req, "heddle-pm", top);
}
