/* SPDX-License-Identifier: BSD-3-Clause
 * Rules of a classifier as tries of librte_acl.  Slow, and without a word to the rest: the compiling thread's. */
#include "pipelines/srv6/class_compile.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_acl.h>

#include "heddle/wire/wire.h"
#include "pipelines/srv6/classifier.h"

enum { F_PROTO, F_SRC, F4_DST = F_SRC + 1, F4_SPORT, F4_DPORT, F4_BITS, F4_N };
enum { F6_DST = F_SRC + 4, F6_SPORT = F6_DST + 4, F6_DPORT, F6_BITS, F6_N };
RTE_ACL_RULE_DEF(rule4, F4_N);
RTE_ACL_RULE_DEF(rule6, F6_N);

#define FIELD(index, kind, octets, word, at)           \
	[index] = { .type = RTE_ACL_FIELD_TYPE_##kind, \
		    .size = (octets),                  \
		    .field_index = (index),            \
		    .input_index = (word),             \
		    .offset = (uint32_t)(at) }
#define AT4(field) offsetof(struct srv6_class_key4, field)
#define AT6(field) offsetof(struct srv6_class_key, field)

static const struct rte_acl_field_def fields4[F4_N] = {
	FIELD(F_PROTO, BITMASK, 1, 0, AT4(proto)), FIELD(F_SRC, MASK, 4, 1, AT4(src)),
	FIELD(F4_DST, MASK, 4, 2, AT4(dst)),       FIELD(F4_SPORT, RANGE, 2, 3, AT4(sport)),
	FIELD(F4_DPORT, RANGE, 2, 3, AT4(dport)),  FIELD(F4_BITS, BITMASK, 4, 4, AT4(bits)),
};
static const struct rte_acl_field_def fields6[F6_N] = {
	FIELD(F_PROTO, BITMASK, 1, 0, AT6(proto)),    FIELD(F_SRC, MASK, 4, 1, AT6(src)),
	FIELD(F_SRC + 1, MASK, 4, 2, AT6(src) + 4),   FIELD(F_SRC + 2, MASK, 4, 3, AT6(src) + 8),
	FIELD(F_SRC + 3, MASK, 4, 4, AT6(src) + 12),  FIELD(F6_DST, MASK, 4, 5, AT6(dst)),
	FIELD(F6_DST + 1, MASK, 4, 6, AT6(dst) + 4),  FIELD(F6_DST + 2, MASK, 4, 7, AT6(dst) + 8),
	FIELD(F6_DST + 3, MASK, 4, 8, AT6(dst) + 12), FIELD(F6_SPORT, RANGE, 2, 9, AT6(sport)),
	FIELD(F6_DPORT, RANGE, 2, 9, AT6(dport)),     FIELD(F6_BITS, BITMASK, 4, 10, AT6(bits)),
};

static void field_prefix(struct rte_acl_field *f, unsigned n_words, const uint8_t *prefix,
			 unsigned plen)
{
	for (unsigned i = 0; i < n_words; i++) {
		unsigned bits = plen > i * 32 ? plen - i * 32 : 0;

		f[i].value.u32 = wire_get32(prefix + i * 4);
		f[i].mask_range.u32 = bits > 32 ? 32 : bits;
	}
}

/* A rule with ports wants a packet that has some: a port of 0 is not "no port". */
static bool any_ports(const struct hd_api_srv6_rule *r)
{
	return r->sport_lo == 0 && r->sport_hi == UINT16_MAX && r->dport_lo == 0 &&
	       r->dport_hi == UINT16_MAX;
}

static void field_upper(struct rte_acl_field *proto, struct rte_acl_field *ports,
			struct rte_acl_field *bits, const struct hd_api_srv6_rule *r)
{
	uint32_t value = 0, mask = 0;

	proto->value.u8 = r->proto;
	proto->mask_range.u8 = (r->flags & HD_SRV6_RULE_F_PROTO) != 0 ? 0xff : 0;
	ports[0].value.u16 = r->sport_lo;
	ports[0].mask_range.u16 = r->sport_hi;
	ports[1].value.u16 = r->dport_lo;
	ports[1].mask_range.u16 = r->dport_hi;
	if ((r->flags & HD_SRV6_RULE_F_DSCP) != 0) {
		value |= r->dscp;
		mask |= 0x3f;
	}
	if (!any_ports(r)) {
		value |= SRV6_CLASS_PORTS;
		mask |= SRV6_CLASS_PORTS;
	}
	bits->value.u32 = value;
	bits->mask_range.u32 = mask;
}

static struct rte_acl_rule_data rule_data(const struct hd_api_srv6_rule *r, uint32_t index)
{
	static_assert(HD_SRV6_RULE_SEQ_MAX < RTE_ACL_MAX_PRIORITY, "the lowest seq comes first");
	return (struct rte_acl_rule_data){ .category_mask = 1,
					   .priority = (int32_t)(RTE_ACL_MAX_PRIORITY - r->seq),
					   .userdata = index + 1 };
}

static int add_rule(struct rte_acl_ctx *ctx, const struct hd_api_srv6_rule *r, uint32_t index)
{
	struct rule4 r4 = { .data = rule_data(r, index) };
	struct rule6 r6 = { .data = rule_data(r, index) };

	if (r->family == 4) {
		field_prefix(&r4.field[F_SRC], 1, r->src, r->src_plen);
		field_prefix(&r4.field[F4_DST], 1, r->dst, r->dst_plen);
		field_upper(&r4.field[F_PROTO], &r4.field[F4_SPORT], &r4.field[F4_BITS], r);
		return rte_acl_add_rules(ctx, (const struct rte_acl_rule *)&r4, 1);
	}
	field_prefix(&r6.field[F_SRC], 4, r->src, r->src_plen);
	field_prefix(&r6.field[F6_DST], 4, r->dst, r->dst_plen);
	field_upper(&r6.field[F_PROTO], &r6.field[F6_SPORT], &r6.field[F6_BITS], r);
	return rte_acl_add_rules(ctx, (const struct rte_acl_rule *)&r6, 1);
}

/* Compile the rules of one family; *ret NULL when there are none. */
static int compile_family(const struct hd_api_srv6_rule *rule, uint32_t n, uint32_t family,
			  uint32_t turn, struct rte_acl_ctx **ret)
{
	struct rte_acl_config conf = { .num_categories = 1,
				       .num_fields = family == 4 ? F4_N : F6_N };
	struct rte_acl_param param = { .socket_id = -1 /* any */,
				       .rule_size = RTE_ACL_RULE_SZ(family == 4 ? F4_N : F6_N) };
	struct rte_acl_ctx *ctx;
	char name[RTE_ACL_NAMESIZE];
	int rc = 0;

	*ret = NULL;
	for (uint32_t i = 0; i < n; i++)
		param.max_rule_num += rule[i].family == family;
	if (param.max_rule_num == 0)
		return 0;
	snprintf(name, sizeof(name), "srv6-%u-%u", turn, family);
	param.name = name;
	ctx = rte_acl_create(&param);
	if (ctx == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		if (rule[i].family == family)
			rc = add_rule(ctx, &rule[i], i);
	if (family == 4)
		memcpy(conf.defs, fields4, sizeof(fields4));
	else
		memcpy(conf.defs, fields6, sizeof(fields6));
	if (rc == 0)
		rc = rte_acl_build(ctx, &conf);
	if (rc < 0) {
		rte_acl_free(ctx);
		return rc;
	}
	*ret = ctx;
	return 0;
}

void srv6_tries_free(struct srv6_tries *t)
{
	if (t == NULL)
		return;
	rte_acl_free(t->ctx[0]);
	rte_acl_free(t->ctx[1]);
	free(t);
}

int srv6_class_compile(const struct hd_api_srv6_rule *rule, uint32_t n, uint32_t turn,
		       struct srv6_tries **ret)
{
	struct srv6_tries *t = calloc(1, sizeof(*t));
	int rc = t == NULL ? -ENOMEM : 0;

	for (unsigned f = 0; rc == 0 && f < 2; f++)
		rc = compile_family(rule, n, f == 0 ? 4 : 6, turn, &t->ctx[f]);
	if (rc < 0) {
		srv6_tries_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}
