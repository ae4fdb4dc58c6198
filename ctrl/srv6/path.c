/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/srv6/path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/srv6/bsid.h"
#include "ctrl/srv6/csid.h"
#include "ctrl/srv6/liveness.h"

/* --- choice ---------------------------------------------------------------------------------- */

int srv6_path_cmp(const struct srv6_path *a, const struct srv6_path *b)
{
	if (a->preference != b->preference)
		return a->preference > b->preference ? -1 : 1;
	if (a->origin != b->origin)
		return a->origin > b->origin ? -1 : 1;
	int rc = memcmp(a->originator, b->originator, sizeof(a->originator));
	if (rc != 0)
		return rc;
	if (a->discriminator != b->discriminator)
		return a->discriminator > b->discriminator ? -1 : 1;
	return strcmp(a->name,
		      b->name); /* the same identity twice: at least always the same answer */
}

static int path_cmp(const void *a, const void *b)
{
	return srv6_path_cmp(a, b);
}

void srv6_paths_choose(struct srv6_paths *p)
{
	p->active = NULL;
	if (p->n > 1)
		qsort(p->path, p->n, sizeof(*p->path), path_cmp);
	for (unsigned i = 0; i < p->n && p->active == NULL; i++)
		if (p->path[i].valid)
			p->active = &p->path[i];
}

/* --- reading --------------------------------------------------------------------------------- */

const struct lyd_node *srv6_policy_node(const struct lyd_node *tree, const char *name)
{
	const struct lyd_node *srv6 = cfg_top(tree, "srv6");
	struct lyd_node *policy;
	char path[128];

	snprintf(path, sizeof(path), "policy[name='%s']", name);
	return srv6 != NULL && lyd_find_path(srv6, path, 0, &policy) == LY_SUCCESS ? policy : NULL;
}

static int bad(struct srv6_read *r, const struct lyd_node *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int bad(struct srv6_read *r, const struct lyd_node *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	r->bad = at;
	return -EINVAL;
}

#define BLOCKS_MAX 32u

static unsigned read_blocks(const struct lyd_node *tree, struct csid_block *block)
{
	unsigned n = 0;

	cfg_foreach(node, cfg_top(tree, "srv6"), "csid-block")
	{
		struct csid_block *b = &block[n];

		if (n == BLOCKS_MAX)
			break;
		b->replace = cfg_enum(node, "flavor", 1) == 2;
		b->csid_len = (uint8_t)cfg_u32(node, "csid-length", b->replace ? 32 : 16);
		if (cfg_prefix(cfg_str(node, "prefix"), b->prefix, &b->len) == 6 && b->len > 0 &&
		    b->len + b->csid_len <= 128)
			n++;
	}
	return n;
}

static int pack(struct srv6_read *r, struct srv6_list *l)
{
	struct csid_block block[BLOCKS_MAX];
	unsigned n = cfg_bool(l->node, "compress", true) ? read_blocks(r->tree, block) : 0, at = 0;
	int rc = csid_compress((const uint8_t(*)[16])l->sid, l->n_sids, block, n, l->out,
			       HD_SRV6_SEGS_MAX, &l->n_out, &at);
	char text[INET6_ADDRSTRLEN];

	if (rc == -E2BIG)
		return bad(r, l->node, "%u segments are more than %u, which one header carries%s",
			   l->n_sids, HD_SRV6_SEGS_MAX,
			   n != 0 ? " even compressed" :
				    ": configure a csid-block to compress them (RFC 9800)");
	if (rc < 0)
		return bad(r, l->node,
			   "%s is of a replace-csid block: the SID behind it must be of the same "
			   "block, or compression off ('compress: false')",
			   ip_text(6, l->sid[at], text, sizeof(text)));
	return 0;
}

static void judge_list(struct srv6_list *l)
{
	const char *live = cfg_str(l->node, "liveness");
	char text[INET6_ADDRSTRLEN], why[128];

	l->valid = false;
	if (cfg_child(l->node, "segment") == NULL)
		snprintf(l->reason, sizeof(l->reason), "no segments");
	else if (l->weight == 0)
		snprintf(l->reason, sizeof(l->reason), "weight 0");
	else if (live != NULL && !liveness_up(live, why, sizeof(why)))
		snprintf(l->reason, sizeof(l->reason), "%.31s is down%s%.100s", live,
			 why[0] != '\0' ? ": " : "", why);
	else if (!liveness_up(l->id_name, why, sizeof(why))) /* a session that measures this list */
		snprintf(l->reason, sizeof(l->reason), "%s", why);
	else if (!liveness_resolved(l->seglist_id))
		snprintf(l->reason, sizeof(l->reason), "no way to the first segment %s",
			 ip_text(6, l->out[0], text, sizeof(text)));
	else
		l->valid = true;
}

static int read_list(struct srv6_read *r, const struct lyd_node *node, const char *policy,
		     const char *path, struct srv6_list *l)
{
	const char *name = cfg_str(node, "name");
	char text[INET6_ADDRSTRLEN];

	memset(l, 0, sizeof(*l));
	l->node = node;
	l->weight = cfg_u32(node, "weight", 1);
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->id_name, sizeof(l->id_name), "%s%s%s %s%s%s", policy, path != NULL ? " " : "",
		 path != NULL ? path : "", name, r->extra != NULL ? " " : "",
		 r->extra != NULL ? ip_text(6, r->extra, text, sizeof(text)) : "");
	cfg_foreach(seg, node, "segment")
	{
		const char *sid = cfg_str(seg, "sid");
		if (!ip_is_unicast(cfg_addr(sid, l->sid[l->n_sids]), l->sid[l->n_sids]))
			return bad(r, seg, "%s is not a SID", sid);
		l->n_sids++;
		if (l->n_sids + (r->extra != NULL) >= SRV6_SIDS_MAX)
			return bad(r, seg, "more than %u segments", SRV6_SIDS_MAX - 1);
	}
	if (l->n_sids != 0 && r->extra != NULL)
		memcpy(l->sid[l->n_sids++], r->extra, 16);
	int rc = pack(r, l);
	if (rc < 0)
		return rc;
	if (l->n_out != 0)
		l->seglist_id = r->give ? ids_get(r->ids, ID_SEGLIST, l->id_name) :
					  ids_find(r->ids, ID_SEGLIST, l->id_name);
	judge_list(l);
	return 0;
}

static struct srv6_list *more_lists(struct srv6_path *p)
{
	struct srv6_list *l = realloc(p->list, (p->n_lists + 1) * sizeof(*l));

	if (l == NULL)
		return NULL;
	p->list = l;
	return &l[p->n_lists];
}

static int read_lists(struct srv6_read *r, const struct lyd_node *node, const char *policy,
		      const char *path_name, struct srv6_path *p)
{
	cfg_foreach(list, node, "segment-list")
	{
		struct srv6_list *l;
		if (p->n_lists == HD_SRV6_LISTS_MAX)
			return bad(r, list, "more than %u segment lists", HD_SRV6_LISTS_MAX);
		l = more_lists(p);
		if (l == NULL)
			return -ENOMEM;
		int rc = read_list(r, list, policy, path_name, l);
		if (rc < 0)
			return rc;
		p->n_lists++;
	}
	return 0;
}

/* The lists of a constituent's active path, each with its share of the constituent's weight. */
static int add_constituent(struct srv6_read *r, const struct lyd_node *node, struct srv6_path *p)
{
	const char *name = cfg_str(node, "policy");
	const struct lyd_node *policy = srv6_policy_node(r->tree, name);
	uint32_t weight = cfg_u32(node, "weight", 1);
	struct srv6_paths paths = { 0 };
	uint64_t sum = 0;
	int rc = 0;

	if (policy == NULL)
		return bad(r, cfg_child(node, "policy"), "there is no SR policy '%s'", name);
	cfg_foreach(cp, policy, "candidate-path") if (cfg_child(cp, "constituent") != NULL) return bad(
		r, cfg_child(node, "policy"),
		"policy '%s' is composite itself (RFC 9256 section 2.2)", name);
	rc = srv6_paths_read(r, policy, &paths);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; paths.active != NULL && i < paths.active->n_lists; i++)
		sum += paths.active->list[i].valid ? paths.active->list[i].weight : 0;
	for (unsigned i = 0; rc == 0 && paths.active != NULL && i < paths.active->n_lists; i++) {
		const struct srv6_list *from = &paths.active->list[i];
		struct srv6_list *l;
		if (!from->valid || p->n_lists == HD_SRV6_LISTS_MAX)
			continue;
		l = more_lists(p);
		if (l == NULL) {
			rc = -ENOMEM;
			break;
		}
		*l = *from;
		snprintf(l->name, sizeof(l->name), "%.31s %.31s", name, from->name);
		/* large, so that small shares of small weights stay apart; scale() makes it fit */
		l->weight = (uint32_t)((uint64_t)weight * from->weight * 60000 / sum);
		p->n_lists++;
	}
	srv6_paths_free(&paths);
	return rc;
}

/* Shares in lowest terms, and no larger than the 16 bits of a message. */
static void scale(struct srv6_path *p)
{
	uint32_t most = 0, gcd = 0;

	for (unsigned i = 0; i < p->n_lists; i++)
		for (uint32_t w = p->list[i].weight, rest; w != 0; w = rest) {
			rest = gcd % w;
			gcd = w;
		}
	for (unsigned i = 0; gcd != 0 && i < p->n_lists; i++) {
		p->list[i].weight /= gcd;
		if (p->list[i].weight > most)
			most = p->list[i].weight;
	}
	for (unsigned i = 0; most > UINT16_MAX && i < p->n_lists; i++) {
		uint64_t w = (uint64_t)p->list[i].weight * UINT16_MAX / most;
		p->list[i].weight = w != 0 ? (uint32_t)w : 1;
	}
}

/* RFC 9256 section 6.2.3: without a binding SID that is specified and available the path is invalid. */
static bool bsid_ok(const struct srv6_read *r, const struct lyd_node *policy, struct srv6_path *p)
{
	const struct lyd_node *leaf;

	if (!cfg_bool(policy, "specified-bsid-only", false))
		return true;
	leaf = srv6_bsid_specified(policy, p->node);
	if (leaf != NULL)
		return srv6_bsid_available(r->bsids, policy, leaf, p->reason);
	snprintf(p->reason, sizeof(p->reason), "no binding SID is specified");
	return false;
}

static void judge_path(const struct srv6_read *r, const struct lyd_node *policy,
		       struct srv6_path *p)
{
	const struct lyd_node *node = p->node;
	const char *live = cfg_str(node, "liveness");
	unsigned n_valid = 0;
	char why[128];

	for (unsigned i = 0; i < p->n_lists; i++)
		n_valid += p->list[i].valid;
	p->valid = false;
	if (!cfg_bool(node, "enabled", true))
		snprintf(p->reason, sizeof(p->reason), "disabled by configuration");
	else if (live != NULL && !liveness_up(live, why, sizeof(why)))
		snprintf(p->reason, sizeof(p->reason), "%.31s is down%s%.100s", live,
			 why[0] != '\0' ? ": " : "", why);
	else if (p->n_lists == 0)
		snprintf(p->reason, sizeof(p->reason), "%s",
			 p->composite ? "no constituent policy is valid" : "no segment list");
	else if (n_valid == 0)
		snprintf(p->reason, sizeof(p->reason), "no valid segment list: %.31s: %.100s",
			 p->list[0].name, p->list[0].reason);
	else
		p->valid = bsid_ok(r, policy, p);
}

static int read_path(struct srv6_read *r, const struct lyd_node *policy,
		     const struct lyd_node *node, struct srv6_path *p)
{
	const char *originator = cfg_str(node, "originator-node");
	uint32_t asn = htonl(cfg_u32(node, "originator-asn", 0));
	uint8_t addr[16];
	int rc = 0;

	p->name = cfg_str(node, "name");
	p->node = node;
	p->preference = cfg_u32(node, "preference", 100);
	p->origin = (uint8_t)cfg_enum(node, "protocol-origin", 30);
	p->discriminator = cfg_u32(node, "discriminator", 0);
	memcpy(p->originator, &asn, 4);
	if (originator != NULL && cfg_addr(originator, addr) == 6)
		memcpy(p->originator + 4, addr, 16);
	else if (originator != NULL) /* IPv4: the lowest 32 bits, section 2.4 */
		memcpy(p->originator + 16, addr, 4);
	p->composite = cfg_child(node, "constituent") != NULL;
	if (!p->composite)
		rc = read_lists(r, node, cfg_str(policy, "name"), p->name, p);
	cfg_foreach(c, node, "constituent") if (rc == 0) rc = add_constituent(r, c, p);
	if (p->composite)
		scale(p);
	judge_path(r, policy, p);
	return rc;
}

int srv6_paths_read(struct srv6_read *r, const struct lyd_node *policy, struct srv6_paths *ret)
{
	const char *name = cfg_str(policy, "name");
	struct srv6_paths p = { 0 };
	unsigned n = 0;
	int rc = 0;

	cfg_foreach(cp, policy, "candidate-path") n++;
	p.path = calloc(n + 1, sizeof(*p.path));
	if (p.path == NULL)
		return -ENOMEM;
	if (n == 0) {
		p.n = 1;
		p.path[0].name = "only";
		p.path[0].preference = 100;
		p.path[0].origin = 30;
		rc = read_lists(r, policy, name, NULL, &p.path[0]);
		judge_path(r, policy, &p.path[0]);
	}
	cfg_foreach(cp, policy, "candidate-path") if (rc == 0)
		rc = read_path(r, policy, cp, &p.path[p.n++]);
	if (rc < 0) {
		srv6_paths_free(&p);
		return rc;
	}
	srv6_paths_choose(&p);
	*ret = p;
	return 0;
}

void srv6_paths_free(struct srv6_paths *p)
{
	for (unsigned i = 0; i < p->n; i++)
		free(p->path[i].list);
	free(p->path);
	*p = (struct srv6_paths){ 0 };
}
