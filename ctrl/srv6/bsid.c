/* SPDX-License-Identifier: BSD-3-Clause
 * Every address in use, sorted; of one that several policies want the first in the configuration has it. */
#include "ctrl/srv6/bsid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/events.h"
#include "ctrl/ip/ip.h"
#include "ctrl/log.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/srv6/srv6_private.h"

struct use {
	uint8_t addr[16];
	uint32_t order;               /* 0: of a SID or an interface; policies count from 1 */
	const struct lyd_node *owner; /* sid, interface or policy */
};

struct srv6_bsids {
	const struct lyd_node *srv6;
	struct use *use; /* by address, then by order */
	size_t n, room;
	bool failed;
};

static void add(struct srv6_bsids *b, const uint8_t addr[16], uint32_t order,
		const struct lyd_node *owner)
{
	if (b->n == b->room) {
		size_t room = b->room == 0 ? 64 : 2 * b->room;
		struct use *more = realloc(b->use, room * sizeof(*more));

		if (more == NULL) {
			b->failed = true;
			return;
		}
		b->use = more;
		b->room = room;
	}
	b->use[b->n] = (struct use){ .order = order, .owner = owner };
	memcpy(b->use[b->n++].addr, addr, 16);
}

static void add_text(struct srv6_bsids *b, const char *text, uint32_t order,
		     const struct lyd_node *owner)
{
	uint8_t addr[16];

	if (text != NULL && cfg_addr(text, addr) == 6)
		add(b, addr, order, owner);
}

static int use_cmp(const void *va, const void *vb)
{
	const struct use *x = va, *y = vb;
	int rc = memcmp(x->addr, y->addr, 16);

	return rc != 0 ? rc : (x->order > y->order) - (x->order < y->order);
}

/* Addresses that are no policy's: only looked at when a policy wants one. */
static void add_others(struct srv6_bsids *b, const struct lyd_node *tree)
{
	cfg_foreach(sid, b->srv6, "sid")
	{
		uint8_t addr[16], plen;
		if (cfg_prefix(cfg_str(sid, "sid"), addr, &plen) == 6 && plen == 128)
			add(b, addr, 0, sid);
	}
	cfg_foreach(i, cfg_top(tree, "interfaces"), "interface")
		cfg_foreach(a, cfg_child(i, "ipv6"), "address") add_text(b, cfg_str(a, "ip"), 0, i);
}

struct srv6_bsids *srv6_bsids_read(const struct lyd_node *tree)
{
	struct srv6_bsids *b = calloc(1, sizeof(*b));
	uint32_t order = 0;

	if (b == NULL)
		return NULL;
	b->srv6 = cfg_top(tree, "srv6");
	cfg_foreach(policy, b->srv6, "policy")
	{
		add_text(b, cfg_str(policy, "binding-sid"), ++order, policy);
		cfg_foreach(path, policy, "candidate-path")
			add_text(b, cfg_str(path, "binding-sid"), order, policy);
	}
	if (b->n != 0)
		add_others(b, tree);
	if (b->failed) {
		srv6_bsids_free(b);
		return NULL;
	}
	if (b->n > 1)
		qsort(b->use, b->n, sizeof(*b->use), use_cmp);
	return b;
}

void srv6_bsids_free(struct srv6_bsids *b)
{
	if (b == NULL)
		return;
	free(b->use);
	free(b);
}

/* Who has an address: the first of its users. */
static const struct lyd_node *owner_of(const struct srv6_bsids *b, const uint8_t addr[16])
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (memcmp(b->use[mid].addr, addr, 16) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < b->n && memcmp(b->use[low].addr, addr, 16) == 0 ? b->use[low].owner : NULL;
}

const struct lyd_node *srv6_bsid_specified(const struct lyd_node *policy,
					   const struct lyd_node *path)
{
	const struct lyd_node *own = cfg_child(path, "binding-sid");

	return own != NULL ? own : cfg_child(policy, "binding-sid");
}

bool srv6_bsid_available(const struct srv6_bsids *b, const struct lyd_node *policy,
			 const struct lyd_node *leaf, char ret_why[SRV6_BSID_WHY])
{
	const char *text = lyd_get_value(leaf), *kind;
	const struct lyd_node *owner;
	uint8_t addr[16];
	bool any;

	cfg_addr(text, addr);
	owner = owner_of(b, addr);
	kind = owner != NULL ? owner->schema->name : "";
	if (!ip_is_unicast(6, addr))
		snprintf(ret_why, SRV6_BSID_WHY, "binding SID %s is no unicast address", text);
	else if (owner != NULL && strcmp(kind, "sid") == 0)
		snprintf(ret_why, SRV6_BSID_WHY, "binding SID %s is in use: a SID with behavior %s",
			 text, cfg_str(owner, "behavior"));
	else if (owner != NULL && owner != policy)
		snprintf(ret_why, SRV6_BSID_WHY, "binding SID %s is in use: %s %s", text, kind,
			 cfg_str(owner, "name"));
	else if (srv6_locator_of(b->srv6, addr, 128, &any) == NULL && any)
		snprintf(ret_why, SRV6_BSID_WHY, "binding SID %s is in none of the locators", text);
	else
		return true;
	return false;
}

/* The locator that binding-sid-locator names. */
static const struct lyd_node *bound_from(const struct srv6_bsids *b, const struct lyd_node *policy)
{
	const char *name = cfg_str(policy, "binding-sid-locator");

	cfg_foreach(locator, b->srv6,
		    "locator") if (name != NULL &&
				   strcmp(cfg_str(locator, "name"), name) == 0) return locator;
	return NULL;
}

void srv6_bsid_choose(const struct srv6_bsids *b, const struct lyd_node *policy,
		      const struct srv6_paths *paths, struct srv6_bsid *ret)
{
	bool only = cfg_bool(policy, "specified-bsid-only", false);
	char why[SRV6_BSID_WHY];

	memset(ret, 0, sizeof(*ret));
	/* the active path, and those that would be preferred to it: what stands in their way is worth an alert */
	for (unsigned i = 0; i < paths->n && ret->leaf == NULL; i++) {
		const struct srv6_path *p = &paths->path[i];
		const struct lyd_node *leaf = srv6_bsid_specified(policy, p->node);
		bool available = leaf != NULL && srv6_bsid_available(b, policy, leaf, why);

		if (leaf == NULL && only)
			snprintf(why, sizeof(why), "path %.31s specifies no binding SID", p->name);
		if (!available && (leaf != NULL || only) && ret->problem[0] == '\0')
			snprintf(ret->problem, sizeof(ret->problem), "%s", why);
		/* an invalid policy that stays to drop keeps the SID of its best path */
		if (available && (p == paths->active || paths->active == NULL))
			ret->leaf = leaf;
		if (p == paths->active)
			break;
	}
	if (ret->leaf == NULL && !only)
		ret->locator = bound_from(b, policy);
}

const char *srv6_bsid_key(const struct lyd_node *policy, const struct lyd_node *locator, char *buf,
			  size_t size)
{
	/* no NAME@LOCATOR of a SID has a space */
	snprintf(buf, size, "policy %s %s", cfg_str(policy, "name"), cfg_str(locator, "name"));
	return buf;
}

/* --- alerts ---------------------------------------------------------------------------------- */

/* What has been told, one line for each policy: "NAME\nproblem". */
static struct told {
	struct told *next;
	bool again;
	char policy[64], problem[SRV6_BSID_WHY];
} * told;

static struct told *told_find(const char *policy)
{
	struct told *t = told;

	while (t != NULL && strcmp(t->policy, policy) != 0)
		t = t->next;
	return t;
}

static void tell(struct ctrl *c, const char *policy, const char *problem)
{
	struct told *t = told_find(policy);
	struct json_object *o;

	if (t == NULL) {
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return;
		snprintf(t->policy, sizeof(t->policy), "%s", policy);
		t->next = told;
		told = t;
	}
	t->again = true;
	if (strcmp(t->problem, problem) == 0)
		return;
	snprintf(t->problem, sizeof(t->problem), "%s", problem);
	log_warning("policy %s: %s", policy, problem);
	o = json_object_new_object();
	json_add_str(o, "policy", policy);
	json_add_str(o, "reason", problem);
	events_publish(c->events, "heddle-srv6:binding-sid-unavailable", o);
}

/* A problem that has gone is told of anew when it comes back. */
static void forget_others(void)
{
	for (struct told **at = &told, *t; (t = *at) != NULL;) {
		if (t->again) {
			t->again = false;
			at = &t->next;
		} else {
			*at = t->next;
			free(t);
		}
	}
}

void srv6_bsid_tell(struct ctrl *c)
{
	const struct lyd_node *tree = running_config(c->running)->tree;
	struct srv6_bsids *b = srv6_bsids_read(tree);

	if (b == NULL)
		return;
	cfg_foreach(policy, b->srv6, "policy")
	{
		struct srv6_read r = { .tree = tree, .ids = c->ids, .bsids = b };
		struct srv6_paths paths = { 0 };
		struct srv6_bsid bsid;

		if (b->n == 0 && !cfg_bool(policy, "specified-bsid-only", false))
			continue;
		if (srv6_paths_read(&r, policy, &paths) < 0)
			continue; /* it was read when it was loaded */
		srv6_bsid_choose(b, policy, &paths, &bsid);
		if (bsid.problem[0] != '\0')
			tell(c, cfg_str(policy, "name"), bsid.problem);
		srv6_paths_free(&paths);
	}
	srv6_bsids_free(b);
	forget_others();
}
