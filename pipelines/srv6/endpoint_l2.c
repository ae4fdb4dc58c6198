/* SPDX-License-Identifier: BSD-3-Clause
 * The Ethernet half of srv6-endpoint: a decapsulated frame out of its interface, or to its bridge. */
#include "pipelines/srv6/endpoint_l2.h"

#include "pipelines/l2/bridge.h"
#include "pipelines/l2/frame.h"

void srv6_l2_tags(const uint8_t *frame, uint32_t len, uint16_t *ret_outer, uint16_t *ret_inner)
{
	*ret_outer = *ret_inner = 0;
	if (len >= 18 && ethtype_is_tag(wire_get16(frame + 12))) {
		*ret_outer = wire_get16(frame + 14) & VLAN_VID_MASK;
		if (len >= 22 && ethtype_is_tag(wire_get16(frame + 16)))
			*ret_inner = wire_get16(frame + 18) & VLAN_VID_MASK;
	}
}

/* Interface of the tags a frame shows (RFC 8986 4.10). */
static uint32_t by_vlan(const struct srv6_sid *s, const uint8_t *frame, uint32_t len)
{
	uint16_t outer, inner;

	srv6_l2_tags(frame, len, &outer, &inner);
	return vlan_table_find(s->l2_table, outer, inner);
}

unsigned srv6_l2_port(const struct srv6_sid *s, struct rte_mbuf *m, struct iface_count *count)
{
	uint32_t iface = s->iface;

	if (s->behavior == HD_SRV6_END_DX2V) {
		iface = by_vlan(s, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
		if (iface == 0)
			return SRV6_EP_L2_NO_VLAN;
	}
	switch (frame_out(m, iface_get(iface), count)) {
	case FRAME_OK:
		return SRV6_EP_L2_PORT;
	case FRAME_TOO_BIG:
		return SRV6_EP_L2_TOO_BIG;
	default:
		return SRV6_EP_L2_DOWN;
	}
}

/* Arg.FE2 (RFC 8986 4.12): what stands behind the SID's prefix, 16 bits at most; with REPLACE-CSID the lowest bits are
 * the index. */
static uint16_t arg_fe2(const struct srv6_sid *s, const uint8_t dst[16])
{
	unsigned bits = 128u - s->plen, index = s->index_bits;

	if (s->behavior != HD_SRV6_END_DT2M || bits <= index)
		return 0;
	bits -= index;
	return (uint16_t)(wire_get32(dst + 12) >> index & ((1u << (bits < 16 ? bits : 16)) - 1));
}

void srv6_l2_bridge(const struct srv6_sid *s, struct rte_mbuf *m, const struct srv6_pkt *p)
{
	const struct ip6_fixed *ip = (const struct ip6_fixed *)p->ip;
	const struct bridge *b = bridge_get(s->l2_table);
	struct bridge_in in = {
		.bridge_id = s->l2_table,
		.member_id = b != NULL ? bridge_remote(b, ip->src.b) : 0,
		.segment = arg_fe2(s, ip->dst.b),
		.flags = BRIDGE_IN_CORE | (s->behavior == HD_SRV6_END_DT2M ? BRIDGE_IN_FLOOD : 0),
	};

	bridge_in_set(m, &in);
}
