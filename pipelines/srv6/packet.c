/* SPDX-License-Identifier: BSD-3-Clause
 * The parts of packet.h that not every packet needs: the walk over any header chain, decapsulation, the upper layer.
 * Nothing here allocates, logs or writes to the packet. */
#include "pipelines/srv6/packet.h"

#include <stdio.h>

#include <heddle/api/srv6.h>
#include <heddle/wire/udp.h>

#define STAMP_PORT 862 /* RFC 8762 section 4.1 */

/* Hop-by-hop or destination options in front of the SRH (RFC 8200 section 4.1 note 1, section 4.2). */
static enum srv6_endpoint_verdict options_check(struct srv6_pkt *p, const struct ip6_ext_view *e)
{
	uint16_t off = 0;
	int rc = ip6_opts_check(e, NULL, &off);

	switch (rc) {
	case 0:
		return SRV6_EP_FORWARD;
	case IP6_OPT_DROP_ICMP:
	case IP6_OPT_DROP_ICMP_UNICAST: /* a SID is no multicast address */
		return srv6_refuse(p, SRV6_EP_OPTION, ICMP6_PARAM_PROBLEM, ICMP6_PP_OPTION, off);
	case IP6_OPT_DROP:
		return SRV6_EP_OPTION_DROP;
	default:
		return SRV6_EP_TRUNCATED;
	}
}

enum srv6_endpoint_verdict srv6_walk_chain(struct srv6_pkt *p)
{
	struct wire_cur c = wire_cur_init(p->ip, p->head);
	const struct ip6_fixed *h = wire_pull(&c, sizeof(*h));
	struct ip6_view view;
	struct ip6_walk w;
	struct ip6_ext_view e;
	int rc;

	if (h == NULL)
		return SRV6_EP_TRUNCATED;
	view = (struct ip6_view){ .hdr = h, .payload_len = be16_get(h->payload_len) };
	ip6_walk_init(&w, &view, &c);
	while ((rc = ip6_walk_next(&w, &e)) == 1) {
		enum srv6_endpoint_verdict v = SRV6_EP_FORWARD;

		if (p->stop_options && e.type != IP_NH_HOPOPTS && e.type != IP_NH_DSTOPTS)
			return SRV6_EP_FORWARD;
		switch (e.type) {
		case IP_NH_HOPOPTS:
		case IP_NH_DSTOPTS:
			v = options_check(p, &e);
			break;
		case IP_NH_FRAGMENT: /* a whole packet in one fragment is none: RFC 6946 section 4 */
			if (w.later_fragment || ip6_frag_get(&e).more)
				v = SRV6_EP_FRAGMENTED;
			break;
		case IP_NH_ROUTING:
			if (e.p[IP6_RT_OFF_ROUTING_TYPE] == SRH_ROUTING_TYPE) {
				p->srh_off = e.off;
				p->srh_nh_off = e.nh_off;
				p->srh_len = e.len;
				p->active = e.p[IP6_RT_OFF_SEGMENTS_LEFT] != 0;
				if ((p->active && !p->pass_srh) || p->stop_srh)
					return SRV6_EP_FORWARD;
			} else if (e.p[IP6_RT_OFF_SEGMENTS_LEFT] != 0) {
				v = srv6_refuse(p, SRV6_EP_ROUTING_TYPE, ICMP6_PARAM_PROBLEM,
						ICMP6_PP_FIELD, e.off + IP6_RT_OFF_ROUTING_TYPE);
			}
			break;
		default:
			break;
		}
		if (v != SRV6_EP_FORWARD)
			return v;
	}
	switch (rc) {
	case 0:
		p->upper = w.next_header;
		p->upper_off = ip6_walk_off(&w);
		return SRV6_EP_FORWARD;
	case -EPROTO:
		return srv6_refuse(p, SRV6_EP_NEXT_HEADER, ICMP6_PARAM_PROBLEM,
				   ICMP6_PP_NEXT_HEADER, w.nh_off);
	case -E2BIG:
		return SRV6_EP_CHAIN_TOO_LONG;
	default:
		return SRV6_EP_TRUNCATED;
	}
}

/* RFC 6040 section 4.2, figure 4: the ECN field that goes on.  Row: inner, column: outer (Not-ECT, ECT(1), ECT(0),
 * CE).  DROP: the mark would be lost on a packet whose sender does not understand it. */
#define DROP 0xff
static const uint8_t ecn_decap[4][4] = {
	{ 0, 0, 0, DROP }, /* Not-ECT */
	{ 1, 1, 1, 3 },    /* ECT(1) */
	{ 2, 1, 2, 3 },    /* ECT(0) */
	{ 3, 3, 3, 3 },    /* CE */
};

uint8_t srv6_decap_flags;

/* The uniform model (RFC 2983 section 3): DSCP as it is; the hop limit only downwards, and never 0, which would mean
 * that it stays. */
static void uniform(struct srv6_pkt *p, const uint8_t *in, uint8_t outer_tc)
{
	uint8_t outer = p->ip[IP6_OFF_HOP_LIMIT], inner = p->upper == IP_NH_IP6 ?
								  in[IP6_OFF_HOP_LIMIT] :
								  ((const struct ip4_hdr *)in)->ttl;

	if ((srv6_decap_flags & HD_SRV6_CONF_F_DECAP_DSCP) != 0)
		p->inner_tc = (uint8_t)((outer_tc & ~3) | (p->inner_tc & 3));
	if ((srv6_decap_flags & HD_SRV6_CONF_F_DECAP_HOP) != 0 && outer < inner)
		p->inner_hop = outer != 0 ? outer : 1;
}

enum srv6_endpoint_verdict srv6_plan_decap(struct srv6_pkt *p)
{
	const uint8_t *in = p->ip + p->upper_off;
	uint8_t outer_tc = ip6_traffic_class((const struct ip6_fixed *)p->ip), tc, ecn;
	uint32_t room = p->head - p->upper_off;
	bool v6 = p->upper == IP_NH_IP6;

	if (room < 1)
		return SRV6_EP_INNER_SHORT;
	if (in[0] >> 4 != (v6 ? 6 : 4))
		return SRV6_EP_INNER_VERSION;
	if (room < (v6 ? sizeof(struct ip6_fixed) : sizeof(struct ip4_hdr)) ||
	    (!v6 && (in[0] & 15) < 5))
		return SRV6_EP_INNER_SHORT;
	tc = v6 ? ip6_traffic_class((const struct ip6_fixed *)in) :
		  ((const struct ip4_hdr *)in)->tos;
	ecn = ecn_decap[tc & 3][outer_tc & 3];
	if (SRV6_UNLIKELY(ecn == DROP))
		return SRV6_EP_INNER_ECN;
	p->inner_tc = (uint8_t)((tc & ~3) | ecn);
	p->inner_hop = 0;
	if (SRV6_UNLIKELY(srv6_decap_flags != 0))
		uniform(p, in, outer_tc);
	return v6 ? SRV6_EP_DECAP6 : SRV6_EP_DECAP4;
}

enum srv6_endpoint_verdict srv6_plan_upper(const struct srv6_sid *s, struct srv6_pkt *p)
{
	uint32_t allow = s->upper_allow;
	bool ok = false;

	switch (p->upper) {
	case IP_NH_ICMP6:
		ok = (allow & HD_SRV6_UPPER_ICMP6) != 0;
		break;
	case IP_NH_UDP:
		ok = (allow & HD_SRV6_UPPER_UDP) != 0;
		if ((allow & HD_SRV6_UPPER_STAMP) != 0 &&
		    p->head >= p->upper_off + sizeof(struct udp_hdr))
			ok |= wire_get16(p->ip + p->upper_off + 2) == STAMP_PORT;
		break;
	case IP_NH_TCP:
		ok = (allow & HD_SRV6_UPPER_TCP) != 0;
		break;
	default:
		break;
	}
	if (ok)
		return SRV6_EP_LOCAL;
	return srv6_refuse(p, SRV6_EP_UPPER_REFUSED, ICMP6_PARAM_PROBLEM, ICMP6_PP_SR_UPPER,
			   p->upper_off);
}

srv6_behavior_fn srv6_behavior_find(unsigned behavior)
{
	switch (behavior) {
#define BEHAVIOR(NAME, func, codepoint, text, arguments, flavors, section) \
	case codepoint:                                                    \
		return srv6_##func;
#include <heddle/srv6_behaviors.def>
	default:
		return NULL;
	}
}

char *srv6_behaviors_str(char *buf, size_t size)
{
	size_t n, len = 0;
	const struct hd_srv6_behavior_info *all = hd_srv6_behaviors(&n);

	buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (srv6_behavior_find(all[i].codepoint) == NULL || len >= size)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len != 0 ? " " : "",
					all[i].name);
	}
	return buf;
}
