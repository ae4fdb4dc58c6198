/* SPDX-License-Identifier: BSD-3-Clause
 * Packets of a Session-Sender: built whole once, stamped for each sending.
 * TLVs come in the order of their types, then HMAC, then Extra Padding, which may follow it (RFC 8972 section 4.8), so
 * that everything written per packet lies at an even offset.
 * Spec: RFC 8762 section 4.2, RFC 8972 sections 3 and 4, RFC 9503, RFC 8754 section 4.1. */
#include "pipelines/pm/sender_packet.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "heddle/wire/ip4.h"
#include "heddle/wire/ip6.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"

#define HOP_LIMIT_OUTER 64
#define ACCESS_VALUE    4u

/* ---- TLVs -------------------------------------------------------------------------------------------------------- */

struct tlv_out {
	struct sender_packet *p;
	uint8_t *payload;
	unsigned at, cap; /* in the payload */
	bool full;
};

/* Returns where the TLV begins in the payload. */
static unsigned put_tlv(struct tlv_out *o, uint8_t type, const void *value, uint16_t len)
{
	unsigned at = o->at;
	int n = stamp_tlv_build(o->payload + at, o->cap - at, type, value, len);

	if (n < 0)
		o->full = true;
	else
		o->at += (unsigned)n;
	return at;
}

/* RFC 8972 section 4.2.1: questions for the MAC and both addresses. */
static void put_location(struct tlv_out *o)
{
	uint8_t v[4 + 12 + 20 + 20] = { 0 };
	unsigned at = 4;

	at += (unsigned)stamp_tlv_build(v + at, sizeof(v) - at, STAMP_LOC_MAC, NULL, 8);
	at += (unsigned)stamp_tlv_build(v + at, sizeof(v) - at, STAMP_LOC_DST, NULL, 16);
	at += (unsigned)stamp_tlv_build(v + at, sizeof(v) - at, STAMP_LOC_SRC, NULL, 16);
	put_tlv(o, STAMP_TLV_LOCATION, v, (uint16_t)at);
}

/* RFC 9503: one Control Code, or a list and an address. */
static void put_return_path(struct tlv_out *o, const struct hd_api_pm_session *m)
{
	uint8_t v[4 + 16 + 4 + sizeof(m->ret)], control[4] = { 0 };
	uint16_t addr = m->family == 4 ? 4 : 16;
	unsigned at = 0;

	if ((m->flags & (HD_PM_S_SAME_LINK | HD_PM_S_NO_REPLY)) != 0) {
		control[3] = m->flags & HD_PM_S_SAME_LINK ? STAMP_RET_REPLY_SAME_LINK : 0;
		at += (unsigned)stamp_tlv_build(v, sizeof(v), STAMP_RET_CONTROL, control, 4);
	} else {
		if (m->flags & HD_PM_S_RETURN_ADDR)
			at += (unsigned)stamp_tlv_build(v, sizeof(v), STAMP_RET_ADDRESS, m->src,
							addr);
		if (m->n_return != 0)
			at += (unsigned)stamp_tlv_build(v + at, sizeof(v) - at, STAMP_RET_SRV6,
							m->ret, (uint16_t)(16 * m->n_return));
	}
	if (at != 0)
		put_tlv(o, STAMP_TLV_RETURN_PATH, v, (uint16_t)at);
}

static void put_padding(struct tlv_out *o, const struct hd_api_pm_session *m)
{
	unsigned at = put_tlv(o, STAMP_TLV_PADDING, NULL, m->padding);
	uint32_t x = m->session_id * 2654435761u + 1;

	if (o->full || (m->flags & HD_PM_S_ZERO_PADDING) != 0)
		return;
	for (unsigned i = 0; i < m->padding; i++) { /* RFC 8972 section 4.1: pseudo-random */
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		o->payload[at + 4 + i] = (uint8_t)x;
	}
}

static bool needs_hmac(const struct hd_api_pm_session *m, bool any)
{
	if ((m->flags & HD_PM_S_AUTHENTICATED) != 0)
		return any; /* a single Extra Padding needs none */
	return (m->flags & HD_PM_S_HMAC_TLV) != 0 && (any || m->padding != 0);
}

static void put_tlvs(struct tlv_out *o, const struct hd_api_pm_session *m)
{
	uint16_t base = o->p->payload;
	unsigned first = o->at;
	uint8_t v[ACCESS_VALUE] = { (uint8_t)(m->reply_dscp << 2), 0, 0, 0 };

	if (m->flags & HD_PM_S_LOCATION)
		put_location(o);
	if (m->flags & HD_PM_S_TIMESTAMP)
		put_tlv(o, STAMP_TLV_TIMESTAMP, NULL, 4);
	if (m->flags & HD_PM_S_COS)
		put_tlv(o, STAMP_TLV_COS, v, 4);
	if (m->flags & HD_PM_S_DIRECT)
		o->p->direct = (uint16_t)(base + put_tlv(o, STAMP_TLV_DIRECT, NULL, 12));
	if (m->flags & HD_PM_S_ACCESS) {
		v[0] = (uint8_t)(m->access_id << 4);
		v[1] = m->access_code;
		o->p->access = (uint16_t)(base + put_tlv(o, STAMP_TLV_ACCESS, v, ACCESS_VALUE));
	}
	if (m->flags & HD_PM_S_FOLLOW_UP)
		put_tlv(o, STAMP_TLV_FOLLOW_UP, NULL, 16);
	if (m->flags & HD_PM_S_DEST_NODE)
		put_tlv(o, STAMP_TLV_DEST_NODE, m->dest_node, m->family == 4 ? 4 : 16);
	put_return_path(o, m);
	if (needs_hmac(m, o->at != first))
		o->p->hmac_tlv =
			(uint16_t)(base + put_tlv(o, STAMP_TLV_HMAC, NULL, STAMP_HMAC_LEN));
	if (m->padding != 0)
		put_padding(o, m);
	if (o->at != first)
		o->p->tlv_off = (uint16_t)(base + first);
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

/* Octets in front of the header that carries UDP; segments as they are pushed. */
static unsigned srh_octets(const struct hd_api_pm_session *m)
{
	unsigned n = m->n_segs + (m->encap == HD_PM_HEADER);

	return m->encap == HD_PM_PLAIN ? 0 : (unsigned)sizeof(struct srh_hdr) + 16 * n;
}

int sender_packet_check(const struct hd_api_pm_session *m, const char **why)
{
	bool routed = m->encap != HD_PM_PLAIN;

	*why = NULL;
	if (m->family != 4 && m->family != 6)
		*why = "the family is neither 4 nor 6";
	else if (m->encap > HD_PM_HEADER || (m->flags & ~HD_PM_S_FLAGS) != 0)
		*why = "unknown encapsulation or flags";
	else if (routed != (m->n_segs != 0) || m->n_segs > HD_PM_SEGS_MAX)
		*why = "segments and encapsulation belong together, at most 16";
	else if (m->n_return > HD_PM_RETURN_MAX || m->padding > HD_PM_PADDING_MAX)
		*why = "more than 8 segments of return or 1200 octets of padding";
	else if (m->encap == HD_PM_HEADER && m->family != 6)
		*why = "a segment routing header needs an IPv6 packet";
	else if ((m->flags & HD_PM_S_LOOPBACK) != 0 && !routed && (m->flags & HD_PM_S_LINK) == 0)
		*why = "loopback needs a segment list that leads back";
	else if ((m->flags & HD_PM_S_LINK) != 0 && (routed || (m->flags & HD_PM_S_LOOPBACK) == 0 ||
						    m->egress_iface == 0 || m->ingress_iface == 0))
		*why = "a link that leads back needs loopback, two interfaces and no segments";
	else if ((m->flags & HD_PM_S_LIGHT) != 0 &&
		 (m->flags & (HD_PM_S_AUTHENTICATED | HD_PM_S_HMAC_TLV | HD_PM_S_LOCATION |
			      HD_PM_S_TIMESTAMP | HD_PM_S_COS | HD_PM_S_DIRECT | HD_PM_S_ACCESS |
			      HD_PM_S_FOLLOW_UP | HD_PM_S_DEST_NODE | HD_PM_S_RETURN_ADDR |
			      HD_PM_S_SAME_LINK | HD_PM_S_NO_REPLY | HD_PM_S_PTP)) != 0)
		*why = "a TWAMP Light peer knows neither TLVs nor HMAC-SHA-256 nor PTP's format";
	else if ((m->flags & HD_PM_S_LIGHT) != 0 && (m->ssid != 0 || m->n_return != 0))
		*why = "a TWAMP Light peer knows neither SSID nor a return path";
	else if ((m->flags & HD_PM_S_DEST_NODE) != 0 && m->ssid == 0)
		*why = "a Destination Node Address needs an SSID (RFC 9503 section 3)";
	else if ((m->flags & (HD_PM_S_SAME_LINK | HD_PM_S_NO_REPLY)) != 0 &&
		 ((m->flags & HD_PM_S_RETURN_ADDR) != 0 || m->n_return != 0 ||
		  (m->flags & HD_PM_S_SAME_LINK && m->flags & HD_PM_S_NO_REPLY)))
		*why = "a Control Code stands alone in a Return Path (RFC 9503 section 4)";
	else if ((m->flags & (HD_PM_S_AUTHENTICATED | HD_PM_S_HMAC_TLV)) != 0 && m->key_id == 0)
		*why = "authentication needs a key";
	else if ((m->flags & HD_PM_S_ACCESS) != 0 && m->access_id != 1 && m->access_id != 2)
		*why = "access id 1 is 3GPP, 2 non-3GPP; others are not used (RFC 8972 section 4.6)";
	else if (m->dscp > 63 || m->reply_dscp > 63 || m->flow_label > 0xfffff)
		*why = "DSCPs have 6 bits, a flow label 20";
	return *why != NULL ? -EINVAL : 0;
}

static void build_outer(const struct hd_api_pm_session *m, struct sender_packet *p, unsigned inner)
{
	struct ip6_fields ip = { .traffic_class = (uint8_t)(m->dscp << 2),
				 .hop_limit = m->encap == HD_PM_HEADER && m->hop_limit != 0 ?
						      m->hop_limit :
					      m->encap == HD_PM_HEADER ? 255 :
									 HOP_LIMIT_OUTER,
				 .next_header = IP_NH_ROUTING,
				 .flow_label = m->flow_label,
				 .payload_len = srh_octets(m) + inner };
	struct ip6_addr seg[HD_PM_SEGS_MAX + 1];
	struct srh_fields srh = { .form = SRH_FULL,
				  .next_header = m->encap == HD_PM_HEADER ? IP_NH_UDP :
						 m->family == 4           ? IP_NH_IP4 :
									    IP_NH_IP6,
				  .seg = seg,
				  .n_seg = m->n_segs };

	memcpy(seg, m->seg, 16u * m->n_segs);
	memcpy(&ip.src, m->encap == HD_PM_HEADER ? m->src : m->outer_src, 16);
	memcpy(&ip.dst, m->seg[0], 16);
	if (m->encap == HD_PM_HEADER)
		memcpy(&seg[srh.n_seg++], m->dst, 16);
	ip6_build(p->data, sizeof(struct ip6_fixed), &ip);
	srh_build(p->data + sizeof(struct ip6_fixed), srh_octets(m), &srh);
}

/* The header in front of UDP, unless the outer one is that. */
static void build_ip(const struct hd_api_pm_session *m, uint8_t *at, unsigned udp_len)
{
	uint8_t hops = m->hop_limit != 0 ? m->hop_limit : 255;

	if (m->family == 4) {
		struct ip4_fields f = { .tos = (uint8_t)(m->dscp << 2),
					.ttl = hops,
					.proto = IP_NH_UDP,
					.df = true,
					.payload_len = udp_len };

		memcpy(&f.src, m->src, 4);
		memcpy(&f.dst, m->dst, 4);
		ip4_build(at, sizeof(struct ip4_hdr), &f);
		return;
	}
	struct ip6_fields f = { .traffic_class = (uint8_t)(m->dscp << 2),
				.hop_limit = hops,
				.next_header = IP_NH_UDP,
				.flow_label = m->flow_label,
				.payload_len = udp_len };

	memcpy(&f.src, m->src, 16);
	memcpy(&f.dst, m->dst, 16);
	ip6_build(at, sizeof(struct ip6_fixed), &f);
}

static uint64_t udp_sum(const struct hd_api_pm_session *m, const struct sender_packet *p)
{
	uint16_t len = (uint16_t)(p->len - p->udp_off);
	struct ip6_addr s6, d6;
	be32_t s4, d4;
	uint64_t sum;

	memcpy(&s4, m->src, 4);
	memcpy(&d4, m->dst, 4);
	memcpy(&s6, m->src, 16);
	memcpy(&d6, m->dst, 16);
	sum = m->family == 4 ? hd_csum_ip4_pseudo(s4, d4, len, IP_NH_UDP) :
			       hd_csum_ip6_pseudo(&s6, &d6, len, IP_NH_UDP);
	return hd_csum_add(sum, p->data + p->udp_off, len);
}

void sender_packet_begin(const struct hd_api_pm_session *m, struct sender_packet *ret)
{
	unsigned outer = m->encap == HD_PM_PLAIN ?
				 0 :
				 (unsigned)sizeof(struct ip6_fixed) + srh_octets(m),
		 inner = m->encap == HD_PM_HEADER ? 0 :
			 m->family == 4           ? sizeof(struct ip4_hdr) :
						    sizeof(struct ip6_fixed);

	memset(ret, 0, sizeof(*ret));
	ret->family = outer != 0 ? 6 : m->family;
	ret->inner = (uint16_t)outer;
	ret->udp_off = (uint16_t)(outer + inner);
	ret->payload = (uint16_t)(ret->udp_off + sizeof(struct udp_hdr));
}

void sender_packet_close(const struct hd_api_pm_session *m, struct sender_packet *p, unsigned len)
{
	p->payload_len = (uint16_t)len;
	p->len = (uint16_t)(p->payload + len);
	udp_build(p->data + p->udp_off, sizeof(struct udp_hdr), m->src_port, m->dst_port, len);
	if (p->inner != 0)
		build_outer(m, p, p->len - p->inner);
	if (p->inner != p->udp_off)
		build_ip(m, p->data + p->inner, p->len - p->udp_off);
	p->sum = udp_sum(m, p);
}

int sender_packet_build(const struct hd_api_pm_session *m, struct sender_packet *ret,
			const char **ret_why)
{
	bool auth = (m->flags & HD_PM_S_AUTHENTICATED) != 0, light = m->flags & HD_PM_S_LIGHT;
	struct tlv_out o = { .p = ret };

	if (sender_packet_check(m, ret_why) < 0)
		return -EINVAL;
	sender_packet_begin(m, ret);
	ret->auth = auth;
	ret->ptp = m->flags & HD_PM_S_PTP;
	o.payload = ret->data + ret->payload;
	o.at = SENDER_BASE(auth);
	o.cap = (unsigned)sizeof(ret->data) - ret->payload;
	if (light && o.at + m->padding <= o.cap)
		o.at += m->padding; /* zeros */
	else if (!light)
		put_tlvs(&o, m);
	if (o.full) {
		*ret_why = "the packet is longer than 1800 octets";
		return -EMSGSIZE;
	}
	wire_put16(o.payload + (auth ? offsetof(struct stamp_auth, ssid) :
				       offsetof(struct stamp_base, ssid)),
		   m->ssid);
	if (ret->access != 0) /* counted anew for each packet */
		memset(ret->data + ret->access, 0, 4);
	sender_packet_close(m, ret, o.at);
	return 0;
}

/* ---- stamping ---------------------------------------------------------------------------------------------------- */

void sender_packet_sum(const struct sender_packet *p, uint8_t *data, uint64_t sum)
{
	be16_t csum = hd_csum_fold(sum);

	if (be16_get(csum) == 0)
		csum = be16_make(0xffff); /* RFC 768, RFC 8200 section 8.1 */
	memcpy(data + p->udp_off + offsetof(struct udp_hdr, csum), &csum, sizeof(csum));
}

void sender_packet_stamp(const struct sender_packet *p, const struct hmac_key *key, uint8_t *data,
			 const struct sender_stamp *s)
{
	uint8_t *base = data + p->payload;
	size_t ts = p->auth ? offsetof(struct stamp_auth, ts) : offsetof(struct stamp_base, ts);
	uint64_t sum = p->sum;

	wire_put32(base, s->seq);
	wire_put64(base + ts, s->ts);
	wire_put16(base + ts + 8, s->error);
	sum = hd_csum_add(hd_csum_add(sum, base, 4), base + ts, 10);
	if (p->direct != 0) {
		wire_put32(data + p->direct + 4, s->direct_tx);
		sum = hd_csum_add(sum, data + p->direct + 4, 4);
	}
	if (p->access != 0) {
		data[p->access] = STAMP_TLV_U;
		data[p->access + 1] = s->access ? STAMP_TLV_ACCESS : STAMP_TLV_PADDING;
		wire_put16(data + p->access + 2, ACCESS_VALUE);
		sum = hd_csum_add(sum, data + p->access, 4);
	}
	if (p->auth) {
		const struct hmac_part text = { base, STAMP_AUTH_HASHED };

		hmac_sha256_128(key, &text, 1, base + STAMP_AUTH_HASHED);
		sum = hd_csum_add(sum, base + STAMP_AUTH_HASHED, STAMP_HMAC_LEN);
	}
	if (p->hmac_tlv != 0) {
		const struct hmac_part text[] = {
			{ base, 4 }, { data + p->tlv_off, (size_t)(p->hmac_tlv - p->tlv_off) }
		};

		hmac_sha256_128(key, text, 2, data + p->hmac_tlv + 4);
		sum = hd_csum_add(sum, data + p->hmac_tlv + 4, STAMP_HMAC_LEN);
	}
	sender_packet_sum(p, data, sum);
}
