/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC TLV of the SRH (RFC 8754 section 2.1.2) on octets.  Nothing here allocates or writes to a received packet.
 * The text is never put together: its parts are hashed where they lie in the packet.
 *
 * Linux hashes another text than the RFC says: it leaves out the 16 bits behind Length (D and reserved), and looks for
 * the TLV only when flag 0x08 of the old drafts is set.  HD_SRV6_HMAC_LINUX does it Linux's way, key by key. */
#include "pipelines/srv6/hmac.h"

#include "pipelines/srv6/csid.h"

struct srv6_hmac_keys *srv6_hmac_keys;

static const struct srv6_hmac_key *key_find(uint32_t key_id)
{
	const struct srv6_hmac_keys *k = __atomic_load_n(&srv6_hmac_keys, __ATOMIC_ACQUIRE);
	unsigned lo = 0, hi = k != NULL ? k->n : 0;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (k->key[mid].key_id == key_id)
			return &k->key[mid];
		if (k->key[mid].key_id < key_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Section 2.1.2.1: source, Last Entry, Flags, D and reserved, Key ID, the whole list. */
static void digest(const struct hmac_key *key, unsigned format, const struct ip6_addr *src,
		   const struct srh_view *v, const struct srh_hmac_tlv *tlv,
		   uint8_t ret[HMAC_SHA256_LEN])
{
	const uint8_t *t = (const uint8_t *)tlv;
	bool rfc = format == HD_SRV6_HMAC_RFC8754;
	struct hmac_part part[] = {
		{ src, sizeof(*src) },
		{ &v->hdr->last_entry, 2 }, /* and Flags */
		{ t + (rfc ? 2 : 4), rfc ? 6 : 4 },
		{ v->list, 16 * srh_n_segments(v) },
	};

	hmac_sha256(key, part, 4, ret);
}

static enum srv6_endpoint_verdict refused(struct srv6_pkt *p, unsigned tlv_off)
{
	return srv6_refuse(p, SRV6_EP_HMAC_BAD, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
			   p->srh_off + tlv_off);
}

/* Section 2.1.2.1: the destination is the current segment.  Of a container of compressed SIDs it is what the nodes
 * before this one have left, which a signature of the container covers as well. */
static bool dst_ok(const struct srh_view *v, const struct srh_hmac_view *m,
		   const struct srv6_sid *s, const struct ip6_addr *dst)
{
	uint8_t left = v->hdr->segments_left;

	if (srh_hmac_dst_ok(v, m, dst))
		return true;
	return s != NULL && left <= v->hdr->last_entry &&
	       srv6_csid_of_entry(s, dst->b, v->list[left].b);
}

static enum srv6_endpoint_verdict verify(const struct srh_view *v, const struct srh_hmac_view *m,
					 const struct srv6_sid *s, struct srv6_pkt *p)
{
	const struct ip6_fixed *ip = (const struct ip6_fixed *)p->ip;
	const struct srv6_hmac_key *k;
	uint8_t want[HMAC_SHA256_LEN];

	if (!dst_ok(v, m, s, &ip->dst))
		return refused(p, m->off);
	k = key_find(m->key_id);
	/* RFC 8754 allows shorter digests of other algorithms; this one has 32 octets, and a part of it is refused */
	if (k == NULL || m->hmac_len != sizeof(want))
		return refused(p, m->off);
	digest(&k->key, k->format, &ip->src, v, m->tlv, want);
	return hmac_equal(want, m->hmac, sizeof(want)) ? SRV6_EP_FORWARD : refused(p, m->off);
}

enum srv6_endpoint_verdict srv6_hmac_check(unsigned policy, const struct srv6_sid *s,
					   struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v;
	struct srh_hmac_view m;
	struct srh_view srh;
	int rc;

	v = srv6_walk_to_srh(p);
	if (v != SRV6_EP_FORWARD || p->srh_off == 0)
		return v; /* without SRH there is nothing to sign */
	srh = (struct srh_view){
		.hdr = (const struct srh_hdr *)(p->ip + p->srh_off),
		.list = (const struct ip6_addr *)(p->ip + p->srh_off + SRH_OFF_LIST),
		.len = p->srh_len,
		.max_last_entry = (int16_t)(p->ip[p->srh_off + SRH_OFF_HDR_EXT_LEN] / 2 - 1),
	};
	if (srh_n_segments(&srh) == 0) { /* by RFC 8754 section 2.1 there is no TLV then */
		if (srh.hdr->segments_left != 0)
			return srv6_refuse(p, SRV6_EP_BAD_LIST, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
					   p->srh_off + SRH_OFF_SEGMENTS_LEFT);
		return policy == HD_SRV6_HMAC_REQUIRE ? SRV6_EP_HMAC_MISSING : SRV6_EP_FORWARD;
	}
	if (srh_tlv_check(&srh, NULL) < 0)
		return srv6_refuse(p, SRV6_EP_TLV_OVERRUN, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
				   p->srh_off + SRH_OFF_HDR_EXT_LEN);
	rc = srh_hmac_find(&srh, &m);
	if (rc < 0)
		return refused(p, m.off);
	if (rc == 0)
		return policy == HD_SRV6_HMAC_REQUIRE ? SRV6_EP_HMAC_MISSING : SRV6_EP_FORWARD;
	return verify(&srh, &m, s, p);
}

enum srv6_endpoint_verdict srv6_hmac_plan(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_hmac_check(s->hmac, s, p);

	if (v != SRV6_EP_FORWARD)
		return v;
	p->srh_off = p->srh_nh_off = p->srh_len = 0; /* the behavior walks by itself */
	p->active = false;
	return s->then(s, p);
}

void srv6_hmac_sign(const struct hmac_key *key, enum hd_srv6_hmac_format format,
		    const struct ip6_addr *src, uint8_t *srh, size_t len)
{
	struct srh_view v = {
		.hdr = (const struct srh_hdr *)srh,
		.list = (const struct ip6_addr *)(srh + SRH_OFF_LIST),
		.len = (uint16_t)len,
		.max_last_entry = (int16_t)(srh[SRH_OFF_HDR_EXT_LEN] / 2 - 1),
	};
	uint8_t *tlv = srh + len - SRV6_HMAC_TLV_LEN;

	digest(key, format, src, &v, (const struct srh_hmac_tlv *)tlv,
	       tlv + sizeof(struct srh_hmac_tlv));
}
