/* SPDX-License-Identifier: BSD-3-Clause
 * Made at programming time for the headend: ready outer headers, buckets. */
#include "pipelines/srv6/encaps.h"

#include <errno.h>

#include "pipelines/srv6/hmac.h"

static_assert(HD_SRV6_LISTS_MAX < UINT8_MAX, "buckets are octets, one value means none");

/* The outer headers as they grow. */
struct outer_build {
	struct srv6_outer *o;
	const struct srv6_outer_fields *f;
	unsigned len;
	unsigned nh_off; /* the octet that names what comes next */
};

/* An HMAC TLV with an empty digest.  D says that the first hop's destination is not in the list. */
static void hmac_fields(const struct srv6_hmac_key *k, bool reduced, uint8_t *tlv,
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
	sf->tlv_len += SRV6_HMAC_TLV_LEN;
	if (k->format == HD_SRV6_HMAC_LINUX)
		sf->flags |= SRV6_LINUX_FLAG_H;
}

static bool has_extra(const struct srv6_outer_fields *f, enum srv6_extra_place place)
{
	for (unsigned i = 0; i < SRV6_EXTRAS; i++)
		if (f->extra[i] != NULL && f->extra[i]->place == place)
			return true;
	return false;
}

static void extra_at(struct srv6_outer *o, const struct srv6_outer_fields *f, unsigned i,
		     unsigned off)
{
	o->extra[i] = f->extra[i];
	o->extra_off[i] = (uint16_t)off;
	o->treat |= SRV6_OUTER_EXTRA;
}

/* n octets of padding (RFC 8200 section 4.2). */
static void options_pad(uint8_t *p, unsigned n)
{
	if (n == 0)
		return;
	memset(p, 0, n);
	if (n > 1) {
		p[0] = IP6_OPT_PADN;
		p[1] = (uint8_t)(n - 2);
	}
}

/* A header with all the options of this place; none when there are none.  -E2BIG. */
static int options_build(struct outer_build *b, enum srv6_extra_place place, uint8_t type)
{
	uint8_t *h = b->o->hdr + b->len;
	unsigned off = sizeof(struct ip6_ext_hdr), pad;

	if (!has_extra(b->f, place))
		return 0;
	for (unsigned i = 0; i < SRV6_EXTRAS; i++) {
		const struct srv6_extra *x = b->f->extra[i];

		if (x == NULL || x->place != place)
			continue;
		pad = (4 + x->align - off % 4) % 4;
		if (b->len + off + pad + x->len + 8 > SRV6_OUTER_MAX)
			return -E2BIG;
		options_pad(h + off, pad);
		off += pad;
		extra_at(b->o, b->f, i, b->len + off);
		memcpy(h + off, x->octets, x->len);
		off += x->len;
	}
	pad = (8 - off % 8) % 8;
	options_pad(h + off, pad);
	h[1] = (uint8_t)((off + pad) / 8 - 1);
	b->o->hdr[b->nh_off] = type;
	b->nh_off = b->len;
	b->len += off + pad;
	return 0;
}

/* The SRH with its TLVs: what is extra, then the HMAC.  -E2BIG. */
static int routing_build(struct outer_build *b, bool reduced)
{
	const struct srv6_outer_fields *f = b->f;
	uint8_t tlv[SRV6_OUTER_MAX];
	struct srh_fields sf = {
		.form = reduced ? SRH_REDUCED : SRH_FULL,
		.seg = f->seg,
		.n_seg = f->n_seg,
		.tlv = tlv,
	};
	unsigned list = SRH_OFF_LIST + 16u * srh_list_len(&sf);
	int n;

	for (unsigned i = 0; i < SRV6_EXTRAS; i++) {
		const struct srv6_extra *x = f->extra[i];

		if (x == NULL || x->place != SRV6_EXTRA_TLV)
			continue;
		if (b->len + list + sf.tlv_len + x->len + SRV6_HMAC_TLV_LEN > SRV6_OUTER_MAX)
			return -E2BIG;
		extra_at(b->o, f, i, b->len + list + (unsigned)sf.tlv_len);
		memcpy(tlv + sf.tlv_len, x->octets, x->len);
		sf.tlv_len += x->len;
	}
	if (f->hmac != NULL)
		hmac_fields(f->hmac, reduced && f->n_seg > 1, tlv + sf.tlv_len, &sf);
	if (b->len + list + sf.tlv_len > SRV6_OUTER_MAX)
		return -E2BIG;
	n = srh_build(b->o->hdr + b->len, SRV6_OUTER_MAX - b->len, &sf);
	if (n < 0)
		return n;
	if (f->hmac != NULL)
		srv6_hmac_sign(&f->hmac->key, (enum hd_srv6_hmac_format)f->hmac->format, &f->src,
			       b->o->hdr + b->len, (size_t)n);
	b->o->hdr[b->nh_off] = IP_NH_ROUTING;
	b->nh_off = b->len + SRH_OFF_NEXT_HEADER;
	b->len += (unsigned)n;
	return 0;
}

int srv6_outer_build(struct srv6_outer *o, const struct srv6_outer_fields *f)
{
	bool red = f->encap == HD_SRV6_H_ENCAPS_RED || f->encap == HD_SRV6_H_ENCAPS_L2_RED, srh;
	struct outer_build b = {
		.o = o, .f = f, .len = sizeof(struct ip6_fixed), .nh_off = IP6_OFF_NEXT_HEADER
	};
	struct ip6_fields ip;
	int rc;

	if (f->encap < HD_SRV6_H_ENCAPS || f->encap > HD_SRV6_H_ENCAPS_L2_RED || f->n_seg == 0 ||
	    f->n_seg > HD_SRV6_SEGS_MAX)
		return -EINVAL;
	memset(o, 0, sizeof(*o));
	/* RFC 8986 5.2, 5.4: one segment needs no SRH, unless there is something else to carry */
	srh = !red || f->n_seg > 1 || f->hmac != NULL || has_extra(f, SRV6_EXTRA_TLV);
	ip = (struct ip6_fields){ .src = f->src, .dst = f->seg[0], .hop_limit = f->hop_limit };
	ip6_build(o->hdr, sizeof(o->hdr), &ip);
	rc = options_build(&b, SRV6_EXTRA_HOP, IP_NH_HOPOPTS);
	if (rc == 0)
		rc = options_build(&b, SRV6_EXTRA_DEST, IP_NH_DSTOPTS);
	if (rc == 0 && srh)
		rc = routing_build(&b, red);
	if (rc == 0 && b.nh_off > UINT8_MAX)
		rc = -E2BIG;
	if (rc < 0)
		return rc;
	o->len = (uint16_t)b.len;
	o->proto_off = (uint8_t)b.nh_off;
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
