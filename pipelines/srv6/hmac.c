/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC TLV of the SRH (RFC 8754 section 2.1.2) on octets.  Nothing here allocates or writes to a received packet.
 *
 * Linux hashes another text than the RFC says: it leaves out the 16 bits behind Length (D and reserved), and looks for
 * the TLV only when flag 0x08 of the old drafts is set.  HD_SRV6_HMAC_LINUX does it Linux's way, key by key. */
#include "pipelines/srv6/hmac.h"

#include <string.h>

#include "dataplane/hmac_many.h"
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
#define TEXT_PARTS 4u
static size_t text_of(unsigned format, const struct ip6_addr *src, const struct srh_view *v,
		      const struct srh_hmac_tlv *tlv, struct hmac_part part[TEXT_PARTS])
{
	const uint8_t *t = (const uint8_t *)tlv;
	bool rfc = format == HD_SRV6_HMAC_RFC8754;
	size_t list = 16 * srh_n_segments(v);

	part[0] = (struct hmac_part){ src, sizeof(*src) };
	part[1] = (struct hmac_part){ &v->hdr->last_entry, 2 }; /* and Flags */
	part[2] = (struct hmac_part){ t + (rfc ? 2 : 4), rfc ? 6 : 4 };
	part[3] = (struct hmac_part){ v->list, list };
	return sizeof(*src) + 2 + part[2].len + list;
}

static void digest(const struct hmac_key *key, unsigned format, const struct ip6_addr *src,
		   const struct srh_view *v, const struct srh_hmac_tlv *tlv,
		   uint8_t ret[HMAC_SHA256_LEN])
{
	struct hmac_part part[TEXT_PARTS];

	text_of(format, src, v, tlv, part);
	hmac_sha256(key, part, TEXT_PARTS, ret);
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

/* All but the digest.  With FORWARD, *ret_key is whose digest is still to be compared; NULL: none. */
static enum srv6_endpoint_verdict before_digest(unsigned policy, const struct srv6_sid *s,
						struct srv6_pkt *p, struct srh_view *srh,
						struct srh_hmac_view *m,
						const struct srv6_hmac_key **ret_key)
{
	const struct ip6_fixed *ip = (const struct ip6_fixed *)p->ip;
	enum srv6_endpoint_verdict v;
	int rc;

	*ret_key = NULL;
	v = srv6_walk_to_srh(p);
	if (v != SRV6_EP_FORWARD || p->srh_off == 0)
		return v; /* without SRH there is nothing to sign */
	*srh = (struct srh_view){
		.hdr = (const struct srh_hdr *)(p->ip + p->srh_off),
		.list = (const struct ip6_addr *)(p->ip + p->srh_off + SRH_OFF_LIST),
		.len = p->srh_len,
		.max_last_entry = (int16_t)(p->ip[p->srh_off + SRH_OFF_HDR_EXT_LEN] / 2 - 1),
	};
	if (srh_n_segments(srh) == 0) { /* by RFC 8754 section 2.1 there is no TLV then */
		if (srh->hdr->segments_left != 0)
			return srv6_refuse(p, SRV6_EP_BAD_LIST, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
					   p->srh_off + SRH_OFF_SEGMENTS_LEFT);
		return policy == HD_SRV6_HMAC_REQUIRE ? SRV6_EP_HMAC_MISSING : SRV6_EP_FORWARD;
	}
	if (srh_tlv_check(srh, NULL) < 0)
		return srv6_refuse(p, SRV6_EP_TLV_OVERRUN, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
				   p->srh_off + SRH_OFF_HDR_EXT_LEN);
	rc = srh_hmac_find(srh, m);
	if (rc == 0)
		return policy == HD_SRV6_HMAC_REQUIRE ? SRV6_EP_HMAC_MISSING : SRV6_EP_FORWARD;
	if (rc < 0 || !dst_ok(srh, m, s, &ip->dst))
		return refused(p, m->off);
	*ret_key = key_find(m->key_id);
	/* RFC 8754 allows shorter digests of other algorithms; this one has 32 octets, and a part of it is refused */
	if (*ret_key == NULL || m->hmac_len != HMAC_SHA256_LEN)
		return refused(p, m->off);
	return SRV6_EP_FORWARD;
}

static enum srv6_endpoint_verdict compare(struct srv6_pkt *p, const struct srh_hmac_view *m,
					  const uint8_t want[HMAC_SHA256_LEN])
{
	return hmac_equal(want, m->hmac, HMAC_SHA256_LEN) ? SRV6_EP_FORWARD : refused(p, m->off);
}

enum srv6_endpoint_verdict srv6_hmac_check(unsigned policy, const struct srv6_sid *s,
					   struct srv6_pkt *p)
{
	uint8_t want[HMAC_SHA256_LEN];
	const struct srv6_hmac_key *k;
	enum srv6_endpoint_verdict v;
	struct srh_hmac_view m;
	struct srh_view srh;

	v = before_digest(policy, s, p, &srh, &m, &k);
	if (v != SRV6_EP_FORWARD || k == NULL)
		return v;
	digest(&k->key, k->format, &((const struct ip6_fixed *)p->ip)->src, &srh, m.tlv, want);
	return compare(p, &m, want);
}

/* Packets whose digests are computed together. */
struct batch {
	unsigned n;
	struct srv6_pkt *pkt[SRV6_HMAC_MANY];
	struct srh_hmac_view tlv[SRV6_HMAC_MANY];
	struct hmac_job job[SRV6_HMAC_MANY];
};

/* Put it together.  to: HMAC_TEXT_MAX octets, which the parts fit. */
static uint16_t gather(uint8_t *to, const struct hmac_part part[TEXT_PARTS])
{
	uint8_t *at = to;

	for (unsigned i = 0; i < TEXT_PARTS; at += part[i++].len)
		memcpy(at, part[i].data, part[i].len);
	return (uint16_t)(at - to);
}

static void batch_add(struct batch *b, struct srv6_pkt *p, const struct srh_hmac_view *m,
		      const struct hmac_part part[TEXT_PARTS], const struct srv6_hmac_key *k)
{
	struct hmac_job *j = &b->job[b->n];

	j->key = &k->key;
	j->len = gather(j->text, part);
	b->tlv[b->n] = *m;
	b->pkt[b->n++] = p;
}

void srv6_hmac_check_many(const struct srv6_sid *const *sid, struct srv6_pkt *p, unsigned n)
{
	uint8_t want[HMAC_SHA256_LEN];
	struct batch b;

	if (n < hmac_many_min)
		return;
	b.n = 0;
	for (unsigned i = 0; i < n; i++) {
		struct hmac_part part[TEXT_PARTS];
		const struct srv6_hmac_key *k;
		struct srh_hmac_view m;
		struct srh_view srh;

		if (sid[i] == NULL || sid[i]->hmac == HD_SRV6_HMAC_IGNORE)
			continue;
		p[i].hmac_known = true;
		p[i].hmac = (uint8_t)before_digest(sid[i]->hmac, sid[i], &p[i], &srh, &m, &k);
		if (p[i].hmac != SRV6_EP_FORWARD || k == NULL)
			continue;
		if (text_of(k->format, &((const struct ip6_fixed *)p[i].ip)->src, &srh, m.tlv,
			    part) <= HMAC_TEXT_MAX) {
			batch_add(&b, &p[i], &m, part, k);
			continue;
		}
		hmac_sha256(&k->key, part, TEXT_PARTS, want);
		p[i].hmac = (uint8_t)compare(&p[i], &m, want);
	}
	hmac_many(b.job, b.n);
	for (unsigned i = 0; i < b.n; i++)
		b.pkt[i]->hmac = (uint8_t)compare(b.pkt[i], &b.tlv[i], b.job[i].digest);
}

enum srv6_endpoint_verdict srv6_hmac_plan(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = p->hmac_known ? (enum srv6_endpoint_verdict)p->hmac :
						       srv6_hmac_check(s->hmac, s, p);

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
