/* SPDX-License-Identifier: BSD-3-Clause
 * Made at programming time for the headend: ready outer headers, buckets. */
#include "pipelines/srv6/encaps.h"

#include <errno.h>

#include "pipelines/srv6/hmac.h"

static_assert(HD_SRV6_LISTS_MAX < UINT8_MAX, "buckets are octets, one value means none");

/* An HMAC TLV with an empty digest.  D says that the first hop's destination is not in the list. */
static void hmac_fields(const struct srv6_hmac_key *k, bool reduced, uint8_t tlv[SRV6_HMAC_TLV_LEN],
			struct srh_fields *sf)
{
	struct srh_hmac_tlv h = {
		.type = SRH_TLV_HMAC,
		.length = SRV6_HMAC_TLV_LEN - 2,
		.d_reserved = be16_make(reduced ? SRH_HMAC_D : 0),
		.key_id = be32_make(k->key_id),
	};

	memset(tlv, 0, SRV6_HMAC_TLV_LEN);
	memcpy(tlv, &h, sizeof(h));
	sf->tlv = tlv;
	sf->tlv_len = SRV6_HMAC_TLV_LEN;
	if (k->format == HD_SRV6_HMAC_LINUX)
		sf->flags |= SRV6_LINUX_FLAG_H;
}

int srv6_outer_build(struct srv6_outer *o, const struct srv6_outer_fields *f)
{
	bool red = f->encap == HD_SRV6_H_ENCAPS_RED || f->encap == HD_SRV6_H_ENCAPS_L2_RED, srh;
	struct ip6_fields ip;
	uint8_t tlv[SRV6_HMAC_TLV_LEN];
	struct srh_fields sf;
	int n = 0;

	if (f->encap < HD_SRV6_H_ENCAPS || f->encap > HD_SRV6_H_ENCAPS_L2_RED || f->n_seg == 0 ||
	    f->n_seg > HD_SRV6_SEGS_MAX)
		return -EINVAL;
	memset(o, 0, sizeof(*o));
	/* RFC 8986 5.2, 5.4: one segment needs no SRH, unless there is something else to carry */
	srh = !red || f->n_seg > 1 || f->hmac != NULL;
	ip = (struct ip6_fields){
		.src = f->src,
		.dst = f->seg[0],
		.hop_limit = f->hop_limit,
		.next_header = srh ? IP_NH_ROUTING : 0,
	};
	sf = (struct srh_fields){
		.form = red ? SRH_REDUCED : SRH_FULL,
		.seg = f->seg,
		.n_seg = f->n_seg,
	};
	if (f->hmac != NULL)
		hmac_fields(f->hmac, red && f->n_seg > 1, tlv, &sf);
	ip6_build(o->hdr, sizeof(o->hdr), &ip);
	if (srh)
		n = srh_build(o->hdr + sizeof(struct ip6_fixed),
			      sizeof(o->hdr) - sizeof(struct ip6_fixed), &sf);
	if (n < 0)
		return n;
	if (f->hmac != NULL)
		srv6_hmac_sign(&f->hmac->key, (enum hd_srv6_hmac_format)f->hmac->format, &f->src,
			       o->hdr + sizeof(struct ip6_fixed), (size_t)n);
	o->len = (uint16_t)(sizeof(struct ip6_fixed) + (unsigned)n);
	o->proto_off = srh ? sizeof(struct ip6_fixed) + SRH_OFF_NEXT_HEADER : IP6_OFF_NEXT_HEADER;
	o->dscp_copy = f->dscp_copy;
	o->dscp = f->tclass & 0xfc;
	o->seglist_id = f->seglist_id;
	if (f->hop_mode == HD_SRV6_HOP_INNER)
		o->treat |= SRV6_OUTER_HOP_INNER;
	if (f->label_mode == HD_SRV6_LABEL_INNER)
		o->treat |= SRV6_OUTER_LABEL_INNER;
	if (f->label_mode == HD_SRV6_LABEL_FIXED)
		o->treat |= SRV6_OUTER_LABEL_FIXED;
	o->label = f->label & 0xfffff;
	return 0;
}

void srv6_buckets_fill(const uint32_t *id, const uint32_t *weight, unsigned n, const uint32_t *old,
		       uint8_t ret_bucket[SRV6_BUCKETS])
{
	uint32_t quota[HD_SRV6_LISTS_MAX], given = n;
	uint64_t sum = 0, rest[HD_SRV6_LISTS_MAX];
	unsigned i, b;

	for (i = 0; i < n; i++)
		sum += weight[i];
	for (i = 0; i < n; i++) { /* one each, the others by weight: largest remainder */
		uint64_t share = (uint64_t)weight[i] * (SRV6_BUCKETS - n);

		quota[i] = 1 + (uint32_t)(share / sum);
		rest[i] = share % sum;
		given += quota[i] - 1;
	}
	for (; given < SRV6_BUCKETS; given++) {
		unsigned best = 0;

		for (i = 1; i < n; i++)
			if (rest[i] > rest[best])
				best = i;
		quota[best]++;
		rest[best] = 0;
	}
	for (b = 0; b < SRV6_BUCKETS; b++) {
		ret_bucket[b] = UINT8_MAX;
		for (i = 0; old != NULL && i < n; i++) {
			if (old[b] != id[i] || quota[i] == 0)
				continue;
			ret_bucket[b] = (uint8_t)i;
			quota[i]--;
			break;
		}
	}
	for (b = 0, i = 0; b < SRV6_BUCKETS; b++) {
		if (ret_bucket[b] != UINT8_MAX)
			continue;
		while (quota[i] == 0)
			i++;
		ret_bucket[b] = (uint8_t)i;
		quota[i]--;
	}
}
