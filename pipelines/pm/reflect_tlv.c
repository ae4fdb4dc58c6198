/* SPDX-License-Identifier: BSD-3-Clause
 * Each TLV of a request, answered in place: type and length never change, flags say what became of it.
 * Spec: RFC 8972 section 4; RFC 9503 for Destination Node Address and Return Path.  A bare section number below means
 * RFC 8972. */
#include "pipelines/pm/reflect_tlv.h"

#include <string.h>

#define RECOGNISED 0

/* 4.2: generic questions become specific answers.  v: the value of one sub-TLV. */
static uint8_t location_sub(const struct reflect_tlv *x, struct stamp_tlv *sub)
{
	const struct stamp_rx *rx = x->rx;
	const uint8_t *addr = NULL;
	uint16_t len = be16_get(sub->len);
	uint8_t *v = sub->value;

	switch (sub->type) {
	case STAMP_LOC_MAC:
		if (len != 8)
			return STAMP_TLV_M;
		memset(v, 0, 8);
		sub->type = rx->src_mac != NULL ? STAMP_LOC_EUI48 : STAMP_LOC_EUI64;
		if (rx->src_mac != NULL && !x->r->hide_location)
			memcpy(v, rx->src_mac, 6);
		return RECOGNISED;
	case STAMP_LOC_DST:
	case STAMP_LOC_SRC:
		if (len != 16)
			return STAMP_TLV_M;
		addr = sub->type == STAMP_LOC_DST ? rx->dst : rx->src;
		sub->type = (uint8_t)(sub->type + (rx->family == 4 ? 1 : 2));
		memset(v, 0, 16);
		if (!x->r->hide_location)
			memcpy(v, addr, rx->family == 4 ? 4 : 16);
		return RECOGNISED;
	default:
		return STAMP_TLV_U;
	}
}

static uint8_t location(const struct reflect_tlv *x, struct stamp_tlv *t)
{
	uint16_t len = be16_get(t->len);
	const struct stamp_tlv *seen;
	struct wire_cur c;
	int rc;

	if (len < 4)
		return STAMP_TLV_M;
	wire_put16(t->value, x->r->hide_location ? 0 : x->rx->dst_port);
	wire_put16(t->value + 2, x->r->hide_location ? 0 : x->rx->src_port);
	c = wire_cur_init(t->value + 4, len - 4u);
	do {
		rc = stamp_tlv_next(&c, &seen);
		if (seen == NULL)
			break;
		struct stamp_tlv *sub = (struct stamp_tlv *)(uintptr_t)seen;

		sub->flags = rc < 0 ? STAMP_TLV_M : location_sub(x, sub);
		if (sub->flags & STAMP_TLV_M)
			break;
	} while (rc == 1);
	return RECOGNISED;
}

/* 4.3 */
static uint8_t timestamp_info(const struct reflect_tlv *x, struct stamp_tlv *t)
{
	const uint8_t info[4] = { x->rx->sync_source, x->rx->hw ? STAMP_TS_HW : x->r->ts_method,
				  x->rx->sync_source, STAMP_TS_SW };

	if (be16_get(t->len) < sizeof(info))
		return STAMP_TLV_M;
	memcpy(t->value, info,
	       sizeof(info)); /* T3 is always read by software: ports give no TX time back in time */
	return RECOGNISED;
}

/* 4.4: DSCP1(6) DSCP2(6) ECN(2) RP(2) Reserved(16) */
static uint8_t class_of_service(const struct reflect_tlv *x, struct stamp_tlv *t)
{
	unsigned wanted, refused;

	if (be16_get(t->len) != 4)
		return STAMP_TLV_M;
	wanted = wire_get16(t->value) >> 10;
	refused = (x->r->dscp_allowed >> wanted & 1) == 0;
	x->reply->dscp = (uint8_t)(refused ? x->rx->dscp : wanted);
	wire_put16(t->value,
		   (uint16_t)(wanted << 10 | x->rx->dscp << 4 | x->rx->ecn << 2 | refused));
	wire_put16(t->value + 2, 0);
	return RECOGNISED;
}

/* 4.5: S_TxC is the sender's; a stateless reflector counts nothing. */
static uint8_t direct_measurement(const struct reflect_tlv *x, struct stamp_tlv *t)
{
	if (be16_get(t->len) != 12)
		return STAMP_TLV_M;
	if (x->st == NULL)
		return STAMP_TLV_U;
	wire_put32(t->value + 4, x->rx_count);
	wire_put32(t->value + 8, x->tx_count);
	return RECOGNISED;
}

/* 4.6: echoed; an access that is neither 3GPP (1) nor non-3GPP (2) is not ours to judge */
static uint8_t access_report(struct stamp_tlv *t)
{
	if (be16_get(t->len) != 4)
		return STAMP_TLV_M;
	return t->value[0] >> 4 == 1 || t->value[0] >> 4 == 2 ? RECOGNISED : STAMP_TLV_U;
}

/* 4.7: when the previous reply really left */
static uint8_t follow_up(const struct reflect_tlv *x, struct stamp_tlv *t)
{
	uint64_t ts;

	memset(t->value, 0, be16_get(t->len));
	if (be16_get(t->len) != 16)
		return STAMP_TLV_M;
	if (!x->r->stateful || x->st == NULL)
		return RECOGNISED;
	ts = __atomic_load_n(&x->st->last_ts, __ATOMIC_RELAXED);
	if (ts == 0)
		return RECOGNISED; /* the first reply of the session */
	wire_put32(t->value, __atomic_load_n(&x->st->last_seq, __ATOMIC_RELAXED));
	wire_put64(t->value + 4, ts);
	t->value[12] = STAMP_TS_SW;
	return RECOGNISED;
}

/* RFC 9503: is this node the one meant? */
static uint8_t dest_node(const struct reflect_tlv *x, struct stamp_tlv *t)
{
	uint16_t len = be16_get(t->len);

	if (len != 4 && len != 16)
		return STAMP_TLV_M;
	if ((len == 4) != (x->rx->family == 4) || !x->rx->ours(x->rx->arg, x->rx->family, t->value))
		return STAMP_TLV_U;
	x->reply->own_src = true;
	memcpy(x->reply->src, t->value, len);
	return RECOGNISED;
}

/* ---- Return Path: RFC 9503 --------------------------------------------------------------------------------------- */

struct path_ask {
	const struct stamp_tlv *control, *address, *srv6;
	bool other; /* asks for what this node has not: a label stack, unknown sub-TLVs, a bad length */
};

static struct path_ask path_read(const struct stamp_tlv *t)
{
	struct wire_cur c = wire_cur_init(t->value, be16_get(t->len));
	struct path_ask a = { 0 };
	const struct stamp_tlv *sub;
	int rc;

	while ((rc = stamp_tlv_next(&c, &sub)) == 1) {
		uint16_t len = be16_get(sub->len);

		if (sub->type == STAMP_RET_CONTROL && len == 4)
			a.control = a.control != NULL ? a.control : sub;
		else if (sub->type == STAMP_RET_ADDRESS && (len == 4 || len == 16))
			a.address = a.address != NULL ? a.address : sub;
		else if (sub->type == STAMP_RET_SRV6 && len != 0 && len % 16 == 0)
			a.srv6 = a.srv6 != NULL ? a.srv6 : sub;
		else
			a.other = true;
	}
	a.other |= rc < 0;
	return a;
}

static void path_accept(struct stamp_tlv *t)
{
	struct wire_cur c = wire_cur_init(t->value, be16_get(t->len));
	const struct stamp_tlv *sub;

	while (stamp_tlv_next(&c, &sub) == 1)
		((struct stamp_tlv *)(uintptr_t)sub)->flags = RECOGNISED;
}

static uint8_t return_path(struct reflect_tlv *x, struct stamp_tlv *t)
{
	struct path_ask a;

	if (be16_get(t->len) < sizeof(struct stamp_tlv))
		return STAMP_TLV_M;
	if (x->path_seen)
		return STAMP_TLV_U;
	x->path_seen = true;
	a = path_read(t);
	if (a.control != NULL) {
		if ((wire_get32(a.control->value) & STAMP_RET_REPLY_SAME_LINK) == 0)
			x->no_reply = true;
		else if (x->rx->link)
			x->reply->path = STAMP_RETURN_SAME_LINK;
		else
			return STAMP_TLV_U;
		path_accept(t);
		return RECOGNISED;
	}
	if (a.other || (a.address == NULL && a.srv6 == NULL))
		return STAMP_TLV_U;
	/* an address that is not the sender's own would make this node a tool against others */
	if (a.address != NULL &&
	    ((be16_get(a.address->len) == 4) != (x->rx->family == 4) ||
	     memcmp(a.address->value, x->rx->src, be16_get(a.address->len)) != 0))
		return STAMP_TLV_U;
	if (a.srv6 != NULL) {
		if (x->rx->family != 6 ||
		    !x->rx->reachable(x->rx->arg, a.srv6->value, be16_get(a.srv6->len) / 16u))
			return STAMP_TLV_U;
		x->reply->path = STAMP_RETURN_SRV6;
		x->reply->sids = a.srv6->value;
		x->reply->n_sids = be16_get(a.srv6->len) / 16;
	}
	path_accept(t);
	return RECOGNISED;
}

uint8_t reflect_tlv(struct reflect_tlv *x, struct stamp_tlv *t)
{
	switch (t->type) {
	case STAMP_TLV_PADDING:
		return RECOGNISED;
	case STAMP_TLV_LOCATION:
		return location(x, t);
	case STAMP_TLV_TIMESTAMP:
		return timestamp_info(x, t);
	case STAMP_TLV_COS:
		return class_of_service(x, t);
	case STAMP_TLV_DIRECT:
		return direct_measurement(x, t);
	case STAMP_TLV_ACCESS:
		return access_report(t);
	case STAMP_TLV_FOLLOW_UP:
		return follow_up(x, t);
	case STAMP_TLV_HMAC:
		x->hmac_reached = t == x->hmac;
		return t == x->hmac ? RECOGNISED : STAMP_TLV_U;
	case STAMP_TLV_DEST_NODE:
		return dest_node(x, t);
	case STAMP_TLV_RETURN_PATH:
		return return_path(x, t);
	default:
		return STAMP_TLV_U;
	}
}
