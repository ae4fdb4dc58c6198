/* SPDX-License-Identifier: BSD-3-Clause
 * State of policies: the configured ones with all their paths, for why one is not in force is what people ask
 * (RFC 9256 section 7).  And the operation that tells of liveness. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/log.h"
#include "ctrl/object_drops.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/srv6/bsid.h"
#include "ctrl/srv6/liveness.h"
#include "ctrl/srv6/path.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/srv6.h"

static void add_sids(struct json_object *o, const char *name, const uint8_t (*sid)[16], unsigned n)
{
	char text[SRV6_SIDS_MAX * 42] = "", ip[48];
	size_t len = 0;

	for (unsigned i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? ", " : "",
					ip_text(6, sid[i], ip, sizeof(ip)));
	json_add_str(o, name, text);
}

static struct json_object *list_json(struct ctrl *c, const struct object_drops *drops,
				     const struct srv6_list *l)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "name", l->name);
	json_add_u32(o, "weight", l->weight);
	json_add_bool(o, "valid", l->valid);
	if (!l->valid)
		json_add_str(o, "reason", l->reason);
	add_sids(o, "segments", l->sid, l->n_sids);
	if (l->n_out != l->n_sids)
		add_sids(o, "pushed", l->out, l->n_out);
	json_add_counters(o, c->dp, "seglist", l->seglist_id);
	json_add_drops(o, c->dp, drops, "seglist", l->seglist_id);
	return o;
}

static struct json_object *path_json(struct ctrl *c, const struct object_drops *drops,
				     const struct srv6_paths *paths, const struct srv6_path *p)
{
	struct json_object *o = json_object_new_object(), *lists = json_object_new_array();
	char text[80];

	json_add_str(o, "name", p->name);
	json_add_u32(o, "preference", p->preference);
	json_add_u32(o, "protocol-origin", p->origin);
	json_add_bool(o, "active", p == paths->active);
	json_add_bool(o, "valid", p->valid);
	if (!p->valid) {
		json_add_str(o, "reason", p->reason);
	} else if (p != paths->active) {
		snprintf(text, sizeof(text), "path %.31s is preferred", paths->active->name);
		json_add_str(o, "reason", text);
	}
	for (unsigned i = 0; i < p->n_lists; i++)
		json_object_array_add(lists, list_json(c, drops, &p->list[i]));
	json_object_object_add(o, "segment-list", lists);
	return o;
}

/* The binding SID in force while the policy is, and what stands in the way of another. */
static void add_binding_sid(struct json_object *o, const struct srv6_read *r,
			    const struct lyd_node *policy, const struct srv6_paths *paths)
{
	struct srv6_bsid bsid;
	char key[96], text[48];
	uint8_t sid[16];

	srv6_bsid_choose(r->bsids, policy, paths, &bsid);
	if (bsid.leaf != NULL) {
		json_add_str(o, "binding-sid", lyd_get_value(bsid.leaf));
	} else if (bsid.locator != NULL &&
		   srv6_sid_function(bsid.locator,
				     ids_find(r->ids, ID_SID_FUNCTION,
					      srv6_bsid_key(policy, bsid.locator, key, sizeof(key))),
				     sid) != 0) {
		json_add_str(o, "binding-sid", ip_text(6, sid, text, sizeof(text)));
		json_add_bool(o, "binding-sid-dynamic", true);
	}
	if (bsid.problem[0] != '\0')
		json_add_str(o, "binding-sid-alert", bsid.problem);
}

void srv6_policy_state(struct ctrl *c, struct http_req *req)
{
	const struct lyd_node *tree = running_config(c->running)->tree;
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	struct object_drops drops;
	struct srv6_bsids *bsids;

	bsids = srv6_bsids_read(tree);
	if (bsids == NULL) {
		json_object_put(top);
		json_object_put(list);
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	object_drops_read(c->dp, &drops);
	cfg_foreach(policy, cfg_top(tree, "srv6"), "policy")
	{
		struct json_object *o = json_object_new_object(), *paths = json_object_new_array();
		struct srv6_read r = { .tree = tree, .ids = c->ids, .bsids = bsids };
		const char *name = cfg_str(policy, "name");
		struct srv6_paths p = { 0 };
		json_add_str(o, "name", name);
		if (cfg_child(policy, "color") != NULL)
			json_add_u32(o, "color", cfg_u32(policy, "color", 0));
		json_add_str(o, "endpoint", cfg_str(policy, "endpoint"));
		json_add_str(o, "encapsulation", cfg_str(policy, "encapsulation"));
		if (srv6_paths_read(&r, policy, &p) == 0) /* it was read when it was loaded */
			add_binding_sid(o, &r, policy, &p);
		json_add_bool(o, "valid", p.active != NULL);
		json_add_bool(o, "drop",
			      p.active == NULL && cfg_bool(policy, "drop-upon-invalid", false));
		uint32_t id = ids_find(c->ids, ID_POLICY, name);
		json_add_counters(o, c->dp, "policy", id);
		json_add_drops(o, c->dp, &drops, "policy", id);
		for (unsigned i = 0; i < p.n; i++)
			json_object_array_add(paths, path_json(c, &drops, &p, &p.path[i]));
		json_object_object_add(o, "candidate-path", paths);
		json_object_array_add(list, o);
		srv6_paths_free(&p);
	}
	object_drops_free(&drops);
	srv6_bsids_free(bsids);
	json_object_object_add(top, "policy", list);
	restconf_data(req, "heddle-srv6:policy-state", top);
}

static void seglist_state(struct ctrl *c, const struct hd_api_srv6_seglist_state *s)
{
	const char *name = ids_name(c->ids, ID_SEGLIST, s->seglist_id);

	if (!liveness_resolved_set(s->seglist_id, s->resolved != 0))
		return;
	log_info("segment list %s: %s to its first segment", name != NULL ? name : "?",
		 s->resolved != 0 ? "a way" : "no way");
	running_refresh(c->running);
}

void srv6_seglist_event(struct ctrl *c, const struct hd_api_event *ev)
{
	struct hd_api_srv6_seglist_state s;

	memcpy(&s, ev->u.room, sizeof(s));
	seglist_state(c, &s);
}

static void on_seglists(void *arg, const struct dp_answer *a)
{
	struct hd_api_srv6_seglist_state s;
	size_t off = 0;

	while (a->error == 0 && dp_answer_next(a, &off, &s, sizeof(s)) != NULL)
		seglist_state(arg, &s);
}

void srv6_dp_up(struct ctrl *c)
{
	liveness_resolved_forget();
	dp_request(c->dp, HD_API_SRV6_SEGLIST_STATE, NULL, 0, -1, on_seglists, c);
}

void srv6_path_state(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *name = cfg_str(in, "name"), *reason = cfg_str(in, "reason");
	bool up = cfg_bool(in, "up", true);

	if (liveness_set(name, up, reason)) {
		log_info("liveness of %s: %s%s%s", name, up ? "up" : "down",
			 reason != NULL ? ": " : "", reason != NULL ? reason : "");
		running_refresh(c->running);
	}
	restconf_output(req, "heddle-srv6", NULL);
}
