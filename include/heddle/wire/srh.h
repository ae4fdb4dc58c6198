/* SPDX-License-Identifier: BSD-3-Clause */
/* Segment Routing Header (RFC 8754).
 *
 * Three checks, kept apart because each failure has its own answer:
 *   srh_parse()     the header lies in the packet             else drop
 *   srh_list_ok()   Segments Left and Last Entry are legal    else Parameter Problem, pointer Segments Left
 *   srh_tlv_check() every TLV ends inside the header          else Parameter Problem, pointer Hdr Ext Len */
#ifndef HEDDLE_WIRE_SRH_H
#define HEDDLE_WIRE_SRH_H

#include <heddle/wire/ip6.h>

#define SRH_ROUTING_TYPE 4    /* RFC 8754 section 2 */
#define SRH_FLAG_O       0x20 /* RFC 9259 section 2.1; the only flag assigned */
#define SRH_MAX_SEGMENTS 127  /* (255 * 8) / 16: what Hdr Ext Len can describe */
#define SRH_MAX_LEN      2048 /* (255 + 1) * 8 octets */

struct srh_hdr {                          /* RFC 8754 section 2, fixed part */
	uint8_t next_header, hdr_ext_len; /* hdr_ext_len: 8-octet units behind the first 8 octets */
	uint8_t routing_type, segments_left; /* routing_type is 4; segments_left indexes the list */
	uint8_t last_entry, flags;           /* last_entry: index of the last segment in the list */
	be16_t tag;
} __attribute__((packed));
static_assert(sizeof(struct srh_hdr) == 8, "RFC 8754 section 2");

#define SRH_OFF_NEXT_HEADER   0 /* offsets inside the SRH, for ICMPv6 pointers */
#define SRH_OFF_HDR_EXT_LEN   1
#define SRH_OFF_ROUTING_TYPE  2
#define SRH_OFF_SEGMENTS_LEFT 3
#define SRH_OFF_LAST_ENTRY    4
#define SRH_OFF_FLAGS         5
#define SRH_OFF_LIST          8

#define SRH_TLV_PAD1 0 /* RFC 8754 section 2.1.1.1: one octet, no length */
#define SRH_TLV_PADN 4 /* RFC 8754 section 2.1.1.2 */
#define SRH_TLV_HMAC 5 /* RFC 8754 section 2.1.2 */

struct srh_hmac_tlv {         /* RFC 8754 section 2.1.2; 8..32 octets of HMAC follow */
	uint8_t type, length; /* 5; octets behind this one: 6 + HMAC */
	be16_t d_reserved;    /* D 1 bit: destination check disabled; 15 bits zero */
	be32_t key_id;        /* selects key and algorithm */
} __attribute__((packed));
static_assert(sizeof(struct srh_hmac_tlv) == 8, "RFC 8754 section 2.1.2");

#define SRH_HMAC_D   0x8000
#define SRH_HMAC_MAX 32 /* octets of HMAC */

struct srh_view {
	const struct srh_hdr *hdr;
	const struct ip6_addr
		*list;          /* [0] is the final segment; entries beyond room() are not there */
	uint16_t len;           /* octets of the whole SRH, all inside the packet */
	int16_t max_last_entry; /* highest index whose segment fits; -1: none. Signed on purpose */
};

/* SRH at the cursor: structure only. RFC 8754 section 2. Segments Left and Last Entry are not judged here, since
 * a wrong one is answered (srh_list_ok()) where a truncated header is dropped.
 * Returns 0, -EBADMSG truncated, -EPROTONOSUPPORT other routing type. */
static inline int srh_parse(struct wire_cur *c, struct srh_view *ret)
{
	struct wire_cur w = *c;
	const struct srh_hdr *h = wire_pull(&w, sizeof(*h));

	if (h == NULL)
		return -EBADMSG;
	if (h->routing_type != SRH_ROUTING_TYPE)
		return -EPROTONOSUPPORT;
	if (wire_pull(&w, h->hdr_ext_len * 8u) == NULL)
		return -EBADMSG;
	*ret = (struct srh_view){
		.hdr = h,
		.list = (const struct ip6_addr *)(h + 1),
		.len = (uint16_t)((h->hdr_ext_len + 1u) * 8),
		.max_last_entry = (int16_t)(h->hdr_ext_len / 2 - 1),
	};
	*c = w;
	return 0;
}

/* Last Entry inside the header and Segments Left at most one past it (which is a reduced SRH): RFC 8986
 * section 4.1 S08-S09, RFC 8754 section 4.3.1.1 S09-S11. When true and Segments Left > 0,
 * list[segments_left - 1] is in the packet. */
static inline bool srh_list_ok(const struct srh_view *v)
{
	return v->hdr->last_entry <= v->max_last_entry &&
	       v->hdr->segments_left <= v->hdr->last_entry + 1;
}

/* Segments in the list; 0 if Last Entry points outside the header. */
static inline unsigned srh_n_segments(const struct srh_view *v)
{
	return v->hdr->last_entry <= v->max_last_entry ? v->hdr->last_entry + 1u : 0;
}

/* Offset of the first TLV inside the SRH; v->len if there is none or if Last Entry points outside the header. */
static inline unsigned srh_tlv_off(const struct srh_view *v)
{
	unsigned n = srh_n_segments(v);

	return n == 0 ? v->len : SRH_OFF_LIST + 16 * n;
}

struct srh_tlv {
	const uint8_t *data; /* len octets, inside the SRH */
	uint16_t off;        /* of the type octet, from the start of the SRH */
	uint8_t type, len;   /* len: octets of data; 0 for Pad1 */
};

/* Walk over TLVs: start with *pos = srh_tlv_off(). RFC 8754 section 2.1. Padding is reported too, so that the caller
 * can bound it. Returns 1 and one TLV, 0 at the end, -EBADMSG the TLV at *pos runs past the SRH. */
static inline int srh_tlv_next(const struct srh_view *v, unsigned *pos, struct srh_tlv *ret)
{
	const uint8_t *p = (const uint8_t *)v->hdr;
	unsigned off = *pos;

	if (off >= v->len)
		return 0;
	if (p[off] == SRH_TLV_PAD1) {
		*ret = (struct srh_tlv){ .data = p + off + 1,
					 .off = (uint16_t)off,
					 .type = SRH_TLV_PAD1 };
		*pos = off + 1;
		return 1;
	}
	if (off + 2 > v->len || off + 2 + p[off + 1] > v->len)
		return -EBADMSG;
	*ret = (struct srh_tlv){
		.data = p + off + 2,
		.off = (uint16_t)off,
		.type = p[off],
		.len = p[off + 1],
	};
	*pos = off + 2 + p[off + 1];
	return 1;
}

/* Limits of a TLV walk. RFC 8754 section 2.1: a node whose limit is exceeded stops, which is no error. */
struct srh_tlv_limits {
	uint16_t pad1_run; /* Pad1 in a row; the RFC's own rule is 1 */
	uint16_t padn_len; /* Length of a PadN; the RFC's own rule is 5 */
	uint16_t n_tlv;    /* TLVs that are not padding */
};

/* Do all TLVs end inside the SRH? Returns 0 yes or none, 1 a limit was met and the rest was not looked at, -EBADMSG
 * one does not. lim NULL: no limits. */
static inline int srh_tlv_check(const struct srh_view *v, const struct srh_tlv_limits *lim)
{
	unsigned pos = srh_tlv_off(v), pad1 = 0, n = 0;
	struct srh_tlv t;
	int rc;

	while ((rc = srh_tlv_next(v, &pos, &t)) == 1) {
		pad1 = t.type == SRH_TLV_PAD1 ? pad1 + 1 : 0;
		n += t.type != SRH_TLV_PAD1 && t.type != SRH_TLV_PADN;
		if (lim != NULL && (pad1 > lim->pad1_run || n > lim->n_tlv ||
				    (t.type == SRH_TLV_PADN && t.len > lim->padn_len)))
			return 1;
	}
	return rc;
}

struct srh_hmac_view {
	const struct srh_hmac_tlv *tlv;
	const uint8_t *hmac; /* hmac_len octets */
	uint16_t off;        /* of the TLV inside the SRH: the pointer when verification fails */
	uint8_t hmac_len;    /* 8, 16, 24 or 32 */
	bool d;
	uint32_t key_id;
};

/* The first HMAC TLV. Returns 1 found, 0 none, -EBADMSG a TLV overruns the SRH or the HMAC TLV's length is not
 * 6 + a multiple of 8 up to 32; then ret->off is set to the TLV at fault (RFC 8754 section 2.1.2). */
static inline int srh_hmac_find(const struct srh_view *v, struct srh_hmac_view *ret)
{
	unsigned pos = srh_tlv_off(v), len;
	struct srh_tlv t;
	int rc;

	while ((rc = srh_tlv_next(v, &pos, &t)) == 1) {
		if (t.type != SRH_TLV_HMAC)
			continue;
		ret->off = t.off;
		len = t.len < 6 ? 0 : t.len - 6u;
		if (len == 0 || len % 8 != 0 || len > SRH_HMAC_MAX)
			return -EBADMSG;
		*ret = (struct srh_hmac_view){
			.tlv = (const struct srh_hmac_tlv *)(t.data - 2),
			.hmac = t.data + 6,
			.off = t.off,
			.hmac_len = (uint8_t)len,
			.d = (t.data[0] & 0x80) != 0,
			.key_id = wire_get32(t.data + 2),
		};
		return 1;
	}
	if (rc < 0)
		ret->off = (uint16_t)pos;
	return rc;
}

/* Destination check that precedes the digest, RFC 8754 section 2.1.2.1: D set and the packet on its first hop of a
 * reduced list, or the destination is the current segment. */
static inline bool srh_hmac_dst_ok(const struct srh_view *v, const struct srh_hmac_view *m,
				   const struct ip6_addr *dst)
{
	if (m->d && v->hdr->segments_left > v->hdr->last_entry)
		return true;
	return v->hdr->segments_left <= v->hdr->last_entry && srh_n_segments(v) != 0 &&
	       ip6_addr_eq(dst, &v->list[v->hdr->segments_left]);
}

#define SRH_HMAC_TEXT_MAX (16 + 1 + 1 + 2 + 4 + 16 * SRH_MAX_SEGMENTS)

/* The text the HMAC covers, RFC 8754 section 2.1.2.1: source, Last Entry, Flags, D and reserved, Key ID, the list.
 * buf: SRH_HMAC_TEXT_MAX octets. Returns the octets written, 0 if Last Entry points outside the header. */
static inline size_t srh_hmac_text(const struct srh_view *v, const struct srh_hmac_tlv *tlv,
				   const struct ip6_addr *src, uint8_t *buf)
{
	size_t n = srh_n_segments(v);

	if (n == 0)
		return 0;
	memcpy(buf, src, 16);
	buf[16] = v->hdr->last_entry;
	buf[17] = v->hdr->flags;
	memcpy(buf + 18, &tlv->d_reserved, 2);
	memcpy(buf + 20, &tlv->key_id, 4);
	memcpy(buf + 24, v->list, 16 * n);
	return 24 + 16 * n;
}

enum srh_form {
	SRH_FULL,    /* RFC 8754 section 4.1: every segment is in the list */
	SRH_REDUCED, /* RFC 8754 section 4.1.1: the first segment is only the destination address */
};

struct srh_fields { /* what srh_build() writes */
	enum srh_form form;
	uint8_t next_header, flags;
	uint16_t tag;
	const struct ip6_addr *seg; /* in the order of travel: seg[0] is visited first */
	unsigned n_seg;             /* 1..127 (reduced: 1..128) */
	const void *tlv;            /* complete TLVs with their padding; may be NULL */
	size_t tlv_len;             /* octets, a multiple of 8 */
};

/* Segments that end up in the list. A reduced list of one segment does not exist (its Last Entry would be -1), so one
 * segment is always written in full; whether to send an SRH at all is the caller's decision. */
static inline unsigned srh_list_len(const struct srh_fields *f)
{
	return f->form == SRH_REDUCED && f->n_seg > 1 ? f->n_seg - 1 : f->n_seg;
}

/* Octets srh_build() writes; 0 if the fields describe no valid SRH. */
static inline size_t srh_build_len(const struct srh_fields *f)
{
	size_t n = srh_list_len(f), len = SRH_OFF_LIST + 16 * n + f->tlv_len;

	if (f->n_seg == 0 || n > SRH_MAX_SEGMENTS || f->tlv_len > SRH_MAX_LEN ||
	    f->tlv_len % 8 != 0 || len > SRH_MAX_LEN)
		return 0;
	return len;
}

/* Writes an SRH with all segments still to visit: Segments Left = n_seg - 1; the destination address is seg[0].
 * Returns the octets written, -EINVAL no valid SRH, -ENOSPC. */
static inline int srh_build(void *buf, size_t cap, const struct srh_fields *f)
{
	size_t len = srh_build_len(f);
	unsigned n = srh_list_len(f), i;
	struct srh_hdr h = {
		.next_header = f->next_header,
		.hdr_ext_len = (uint8_t)(len / 8 - 1),
		.routing_type = SRH_ROUTING_TYPE,
		.segments_left = (uint8_t)(f->n_seg - 1),
		.last_entry = (uint8_t)(n - 1),
		.flags = f->flags,
		.tag = be16_make(f->tag),
	};
	uint8_t *p = buf;

	if (len == 0)
		return -EINVAL;
	if (cap < len)
		return -ENOSPC;
	memcpy(p, &h, sizeof(h));
	for (i = 0; i < n; i++) /* list[0] is the final segment */
		memcpy(p + SRH_OFF_LIST + 16 * i, &f->seg[f->n_seg - 1 - i], 16);
	if (f->tlv_len != 0)
		memcpy(p + SRH_OFF_LIST + 16 * n, f->tlv, f->tlv_len);
	return (int)len;
}

#endif
