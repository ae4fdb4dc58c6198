/* SPDX-License-Identifier: BSD-3-Clause */
/* IOAM on the wire (RFC 9197, RFC 9322, RFC 9326), as options of IPv6 (RFC 9486).
 *
 *	ioam_option_parse() an option of type IOAM_OPT_MUTABLE or IOAM_OPT_FIXED, as ip6_opts_next() found it
 *	ioam_trace_parse()  its data when it is a trace, and ioam_trace_node() the nodes in it, the last one first
 *	ioam_node_decode()  what one node wrote
 *	ioam_dex_parse()    direct export; ioam_e2e_parse() edge to edge
 * Offsets and lengths are octets; a word is 4 octets. */
#ifndef HEDDLE_WIRE_IOAM_H
#define HEDDLE_WIRE_IOAM_H

#include <errno.h>

#include <heddle/wire/ip6.h>

#define IOAM_OPT_MUTABLE 0x31 /* traces, hop-by-hop */
#define IOAM_OPT_FIXED   0x11 /* direct export, hop-by-hop; edge to edge, destination options */

enum ioam_type { /* RFC 9197 section 7.1, RFC 9326 section 4.1 */
		 IOAM_PREALLOCATED = 0,
		 IOAM_INCREMENTAL = 1, /* not carried in IPv6 by RFC 9486 */
		 IOAM_PROOF = 2,
		 IOAM_EDGE = 3,
		 IOAM_DIRECT_EXPORT = 4,
};

struct ioam_option {
	uint8_t type; /* enum ioam_type */
	uint16_t ns;  /* Namespace-ID, the first field of every type (RFC 9197 section 4.3) */
	const uint8_t *p;
	unsigned len; /* of the data that begins with the namespace */
};

/* 0, or -EBADMSG: shorter than its header and a namespace. */
static inline int ioam_option_parse(const struct ip6_opt_view *o, struct ioam_option *ret)
{
	if (o->len < 4)
		return -EBADMSG;
	*ret = (struct ioam_option){ .type = o->data[1],
				     .ns = wire_get16(o->data + 2),
				     .p = o->data + 2,
				     .len = o->len - 2u };
	return 0;
}

/* ---- traces: RFC 9197 section 4.4.1 ---------------------------------------------------------------------------- */

#define IOAM_TRACE_HDR 8u

#define IOAM_F_OVERFLOW 0x8u /* of the four flag bits */
#define IOAM_F_LOOPBACK 0x4u /* RFC 9322 section 3 */
#define IOAM_F_ACTIVE   0x2u

/* Bits of the trace type, bit 0 of the RFC the highest of 24. */
#define IOAM_BIT(n)       (0x800000u >> (n))
#define IOAM_T_HOP        IOAM_BIT(0)
#define IOAM_T_IFACE      IOAM_BIT(1)
#define IOAM_T_SECONDS    IOAM_BIT(2)
#define IOAM_T_FRACTION   IOAM_BIT(3)
#define IOAM_T_DELAY      IOAM_BIT(4)
#define IOAM_T_NS         IOAM_BIT(5)
#define IOAM_T_QUEUE      IOAM_BIT(6)
#define IOAM_T_CHECKSUM   IOAM_BIT(7)
#define IOAM_T_HOP_WIDE   IOAM_BIT(8)
#define IOAM_T_IFACE_WIDE IOAM_BIT(9)
#define IOAM_T_NS_WIDE    IOAM_BIT(10)
#define IOAM_T_BUFFER     IOAM_BIT(11)
#define IOAM_T_UNDEFINED  0x000ffcu /* bits 12 to 21: 4 octets each */
#define IOAM_T_OPAQUE     IOAM_BIT(22)
#define IOAM_T_WIDE       (IOAM_T_HOP_WIDE | IOAM_T_IFACE_WIDE | IOAM_T_NS_WIDE)

/* Words of one node's data without the opaque snapshot: what NodeLen must say. */
static inline unsigned ioam_node_words(uint32_t type)
{
	return (unsigned)__builtin_popcount(type & 0xfffffcu) +
	       (unsigned)__builtin_popcount(type & IOAM_T_WIDE);
}

struct ioam_trace {
	uint16_t ns;
	uint8_t node_words, flags, free_words; /* free_words: RemainingLen */
	uint32_t type;
	const uint8_t *data; /* room of data_len octets; the first free_words of it are free */
	unsigned data_len;
};

/* 0, or -EBADMSG: too short, not in words, a NodeLen that is not what the type says, or more free than there is. */
static inline int ioam_trace_parse(const struct ioam_option *o, struct ioam_trace *ret)
{
	struct ioam_trace t;
	uint16_t lens;

	if (o->len < IOAM_TRACE_HDR || o->len % 4 != 0)
		return -EBADMSG;
	lens = wire_get16(o->p + 2);
	t = (struct ioam_trace){
		.ns = o->ns,
		.node_words = (uint8_t)(lens >> 11),
		.flags = lens >> 7 & 0xf,
		.free_words = lens & 0x7f,
		.type = wire_get32(o->p + 4) >> 8,
		.data = o->p + IOAM_TRACE_HDR,
		.data_len = o->len - IOAM_TRACE_HDR,
	};
	if (t.node_words != ioam_node_words(t.type) || t.free_words * 4u > t.data_len)
		return -EBADMSG;
	*ret = t;
	return 0;
}

struct ioam_trace_walk {
	const struct ioam_trace *t;
	unsigned at;
};
static inline struct ioam_trace_walk ioam_trace_walk(const struct ioam_trace *t)
{
	return (struct ioam_trace_walk){ .t = t, .at = t->free_words * 4u };
}

/* The next node's data, the last node on the path first.  ret_len: with the opaque snapshot.  1, 0 at the end, -EBADMSG
 * data that ends within a node. */
static inline int ioam_trace_node(struct ioam_trace_walk *w, const uint8_t **ret, unsigned *ret_len)
{
	unsigned fixed = w->t->node_words * 4u, len = fixed, left = w->t->data_len - w->at;

	if (left == 0 || (fixed == 0 && (w->t->type & IOAM_T_OPAQUE) == 0))
		return 0;
	if ((w->t->type & IOAM_T_OPAQUE) != 0) {
		if (left < fixed + 4)
			return -EBADMSG;
		len = fixed + 4 + w->t->data[w->at + fixed] * 4u;
	}
	if (left < len)
		return -EBADMSG;
	*ret = w->t->data + w->at;
	*ret_len = len;
	w->at += len;
	return 1;
}

/* What a node wrote; a field whose bit is not set is not touched.  All ones: not available (RFC 9197 section 4.4.2). */
struct ioam_node {
	uint8_t hop_limit;
	uint64_t node_id; /* 24 bits, or 56 */
	uint32_t ingress, egress;
	uint32_t seconds, fraction, delay, ns_data, queue, buffer;
	uint64_t ns_wide;
	uint32_t schema; /* 24 bits */
	const uint8_t *opaque;
	unsigned opaque_len;
};

static inline void ioam_node_decode(uint32_t type, const uint8_t *p, struct ioam_node *ret)
{
	if (type & IOAM_T_HOP) {
		ret->hop_limit = p[0];
		ret->node_id = wire_get32(p) & 0xffffff;
		p += 4;
	}
	if (type & IOAM_T_IFACE) {
		ret->ingress = wire_get16(p);
		ret->egress = wire_get16(p + 2);
		p += 4;
	}
#define WORD(bit, field)                    \
	if (type & (bit)) {                 \
		ret->field = wire_get32(p); \
		p += 4;                     \
	}
	WORD(IOAM_T_SECONDS, seconds)
	WORD(IOAM_T_FRACTION, fraction)
	WORD(IOAM_T_DELAY, delay)
	WORD(IOAM_T_NS, ns_data)
	WORD(IOAM_T_QUEUE, queue)
	if (type & IOAM_T_CHECKSUM)
		p += 4;
	if (type & IOAM_T_HOP_WIDE) {
		ret->hop_limit = p[0];
		ret->node_id = wire_get64(p) & 0xffffffffffffffull;
		p += 8;
	}
	if (type & IOAM_T_IFACE_WIDE) {
		ret->ingress = wire_get32(p);
		ret->egress = wire_get32(p + 4);
		p += 8;
	}
	if (type & IOAM_T_NS_WIDE) {
		ret->ns_wide = wire_get64(p);
		p += 8;
	}
	WORD(IOAM_T_BUFFER, buffer)
#undef WORD
	p += 4 * __builtin_popcount(type & IOAM_T_UNDEFINED);
	if (type & IOAM_T_OPAQUE) {
		ret->opaque_len = p[0] * 4u;
		ret->schema = wire_get32(p) & 0xffffff;
		ret->opaque = p + 4;
	}
}

/* ---- direct export: RFC 9326 section 3.2 ----------------------------------------------------------------------- */

#define IOAM_DEX_HDR  8u
#define IOAM_DEX_FLOW 0x80u /* extension flags */
#define IOAM_DEX_SEQ  0x40u

struct ioam_dex {
	uint16_t ns;
	uint8_t ext; /* extension flags */
	uint32_t type, flow, seq;
};

/* Unknown extension flags have 4 octets each, and are passed over.  0 or -EBADMSG. */
static inline int ioam_dex_parse(const struct ioam_option *o, struct ioam_dex *ret)
{
	struct ioam_dex d;
	const uint8_t *p = o->p + IOAM_DEX_HDR;

	if (o->len < IOAM_DEX_HDR ||
	    o->len < IOAM_DEX_HDR + 4u * (unsigned)__builtin_popcount(o->p[3]))
		return -EBADMSG;
	d = (struct ioam_dex){ .ns = o->ns, .ext = o->p[3], .type = wire_get32(o->p + 4) >> 8 };
	if (d.ext & IOAM_DEX_FLOW) {
		d.flow = wire_get32(p);
		p += 4;
	}
	if (d.ext & IOAM_DEX_SEQ)
		d.seq = wire_get32(p);
	*ret = d;
	return 0;
}

/* ---- edge to edge: RFC 9197 section 4.6 ------------------------------------------------------------------------ */

#define IOAM_E2E_HDR      4u
#define IOAM_E2E_SEQ64    0x8000u
#define IOAM_E2E_SEQ32    0x4000u
#define IOAM_E2E_SECONDS  0x2000u
#define IOAM_E2E_FRACTION 0x1000u

struct ioam_e2e {
	uint16_t ns, type;
	uint64_t seq;
	uint32_t seconds, fraction;
};

/* 0; -EBADMSG too short; -EINVAL two sequence numbers at once, which exclude each other. */
static inline int ioam_e2e_parse(const struct ioam_option *o, struct ioam_e2e *ret)
{
	struct wire_cur c = wire_cur_init(o->p, o->len);
	struct ioam_e2e e = { .ns = o->ns };
	const uint8_t *p = wire_pull(&c, IOAM_E2E_HDR);

	if (p == NULL)
		return -EBADMSG;
	e.type = wire_get16(p + 2);
	if ((e.type & IOAM_E2E_SEQ64) && (e.type & IOAM_E2E_SEQ32))
		return -EINVAL;
	if (e.type & IOAM_E2E_SEQ64) {
		p = wire_pull(&c, 8);
		if (p == NULL)
			return -EBADMSG;
		e.seq = wire_get64(p);
	}
	if (e.type & IOAM_E2E_SEQ32) {
		p = wire_pull(&c, 4);
		if (p == NULL)
			return -EBADMSG;
		e.seq = wire_get32(p);
	}
	if (e.type & IOAM_E2E_SECONDS) {
		p = wire_pull(&c, 4);
		if (p == NULL)
			return -EBADMSG;
		e.seconds = wire_get32(p);
	}
	if (e.type & IOAM_E2E_FRACTION) {
		p = wire_pull(&c, 4);
		if (p == NULL)
			return -EBADMSG;
		e.fraction = wire_get32(p);
	}
	*ret = e;
	return 0;
}

#endif
