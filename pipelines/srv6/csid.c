/* SPDX-License-Identifier: BSD-3-Clause
 * Compressed SIDs (RFC 9800), NEXT-CSID (section 4.1) and REPLACE-CSID (section 4.2), for any lengths of block, node
 * and function.  As everywhere, nothing is written here: the new destination waits in p->dst for the commit. */
#include "pipelines/srv6/csid.h"

#include <stddef.h>

#define DST offsetof(struct ip6_fixed, dst)

static inline srv6_u128 load(const uint8_t *p)
{
	return (srv6_u128)wire_get64(p) << 64 | wire_get64(p + 8);
}

static inline void store(uint8_t *p, srv6_u128 v)
{
	wire_put64(p, (uint64_t)(v >> 64));
	wire_put64(p + 8, (uint64_t)v);
}

/* ---- NEXT-CSID ------------------------------------------------------------------------------------------------- */

/* Options in front of whatever follows are this node's to look at (RFC 8200 section 4.1 note 1). */
static enum srv6_endpoint_verdict check_front(struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v;

	p->stop_options = true;
	v = srv6_walk_chain(p);
	p->stop_options = false;
	return v;
}

enum srv6_endpoint_verdict srv6_next_csid(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v;
	uint8_t nh;
	srv6_u128 dst, arg;

	if (SRV6_UNLIKELY(p->head < sizeof(struct ip6_fixed)))
		return SRV6_EP_TRUNCATED;
	dst = load(p->ip + DST);
	arg = dst & s->csid.arg;
	if (SRV6_UNLIKELY(arg == 0))
		return s->base(s, p);
	v = srv6_trim(p);
	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	nh = p->ip[IP6_OFF_NEXT_HEADER];
	if (SRV6_UNLIKELY(nh == IP_NH_HOPOPTS || nh == IP_NH_DSTOPTS)) {
		v = check_front(p);
		if (v != SRV6_EP_FORWARD)
			return v;
	}
	if (SRV6_UNLIKELY(p->ip[IP6_OFF_HOP_LIMIT] <= 1))
		return srv6_refuse(p, SRV6_EP_HOP_LIMIT, ICMP6_TIME_EXCEEDED, ICMP6_TE_HOP_LIMIT,
				   0);
	store(p->dst, (dst & s->csid.block) | arg << s->csid.lnfl);
	p->next_dst = p->dst; /* Segments Left stays: srh_off is 0 */
	p->vrf = s->vrf6;
	return (enum srv6_endpoint_verdict)s->csid.moved;
}

/* ---- REPLACE-CSID ---------------------------------------------------------------------------------------------- */

/* CSID number i of a container; 0 is the one with the highest bits. */
static inline srv6_u128 csid_get(const struct srv6_csid *c, const uint8_t *container, unsigned i)
{
	return load(container) >> (128 - (i + 1) * c->lnfl) & (((srv6_u128)1 << c->lnfl) - 1);
}

static enum srv6_endpoint_verdict bad_list(struct srv6_pkt *p)
{
	return srv6_refuse(p, SRV6_EP_BAD_LIST, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
			   p->srh_off + SRH_OFF_SEGMENTS_LEFT);
}

/* Is there no CSID behind index of the last container? */
static inline bool last_csid(const struct srv6_csid *c, const uint8_t *list, unsigned index)
{
	return index == 0 || csid_get(c, list, index - 1) == 0;
}

enum srv6_endpoint_verdict srv6_replace_csid(const struct srv6_sid *s, struct srv6_pkt *p)
{
	const struct srv6_csid *c = &s->csid;
	enum srv6_endpoint_verdict v = srv6_walk_to_srh(p);
	const uint8_t *srh, *list;
	int left, last, max_last;
	unsigned index;
	srv6_u128 dst, csid;

	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	if (p->srh_off == 0)
		return s->base(s, p);
	srh = p->ip + p->srh_off;
	list = srh + SRH_OFF_LIST;
	left = srh[SRH_OFF_SEGMENTS_LEFT];
	last = srh[SRH_OFF_LAST_ENTRY];
	max_last = srh[SRH_OFF_HDR_EXT_LEN] / 2 - 1;
	index = p->ip[DST + 15] & c->index;
	if (SRV6_UNLIKELY(index >= c->n)) /* the mask has more values than there are CSIDs */
		return srv6_refuse(p, SRV6_EP_CSID_INDEX, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
				   DST + 15);
	if (left == 0 && (index == 0 || (max_last >= 0 && last_csid(c, list, index)))) {
		p->srh_off = 0;
		return s->base(s, p);
	}
	if (SRV6_UNLIKELY(p->ip[IP6_OFF_HOP_LIMIT] <= 1))
		return srv6_refuse(p, SRV6_EP_HOP_LIMIT, ICMP6_TIME_EXCEEDED, ICMP6_TE_HOP_LIMIT,
				   0);
	/* inside a container the current segment itself is read: it must be in the list */
	if (SRV6_UNLIKELY(last > max_last || left > last + (index == 0)))
		return bad_list(p);
	p->vrf = s->vrf6;
	if (index != 0) {
		index--;
	} else {
		left--;
		index = c->n - 1u;
	}
	csid = csid_get(c, list + 16 * left, index);
	if (csid == 0 && index != c->n - 1u) { /* the container ends early: a whole SID follows */
		left--;
		p->next_dst = list + 16 * left;
		p->pop = left == 0 && (s->flavors & HD_SRV6_FLAVOR_PSP) != 0;
	} else {
		dst = load(p->ip + DST) & ~((((srv6_u128)1 << c->lnfl) - 1) << c->shift | c->index);
		store(p->dst, dst | csid << c->shift | index);
		p->next_dst = p->dst;
		p->pop = left == 0 && (s->flavors & HD_SRV6_FLAVOR_PSP) != 0 &&
			 last_csid(c, list, index);
	}
	p->left = (uint8_t)left;
	return (enum srv6_endpoint_verdict)c->moved;
}

/* ---- what a container says --------------------------------------------------------------------------------------- */

/* CSIDs in front of this one were shifted out.  How long each was only its node knew: whole octets, if ours are. */
static bool shifted_out(const struct srv6_csid *c, srv6_u128 dst, srv6_u128 entry)
{
	unsigned step = c->lnfl % 8 == 0 ? 8 : 1, room = c->lnfl + c->shift;
	srv6_u128 rest = ~c->block;

	if (((dst ^ entry) & c->block) != 0)
		return false;
	for (unsigned n = step; n < room; n += step)
		if ((((entry & rest) << n) & rest) == (dst & rest))
			return true;
	return false;
}

bool srv6_csid_of_entry(const struct srv6_sid *s, const uint8_t *dst, const uint8_t *entry)
{
	const struct srv6_csid *c = &s->csid;
	unsigned index = dst[15] & c->index;

	if ((s->flavors & HD_SRV6_FLAVOR_NEXT_CSID) != 0)
		return shifted_out(c, load(dst), load(entry));
	return (s->flavors & HD_SRV6_FLAVOR_REPLACE_CSID) != 0 && index < c->n &&
	       (load(dst) >> c->shift & (((srv6_u128)1 << c->lnfl) - 1)) ==
		       csid_get(c, entry, index);
}

/* ---- programming ----------------------------------------------------------------------------------------------- */

/* Behaviors that send the packet on to another segment: only for them the flavors change what is done.  The others are
 * last segments; as compressed SIDs they are found by their prefix, whatever index or argument follows. */
static bool goes_on(unsigned behavior)
{
	switch (behavior) {
	case HD_SRV6_END:
	case HD_SRV6_END_X:
	case HD_SRV6_END_T:
	case HD_SRV6_END_B6_ENCAPS:
	case HD_SRV6_END_B6_ENCAPS_RED:
		return true;
	default:
		return false;
	}
}

static unsigned index_bits(unsigned n)
{
	unsigned bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

const char *srv6_csid_check(unsigned behavior, unsigned flavors, unsigned plen,
			    const struct srv6_sid_structure *t)
{
	unsigned csid = t->node + t->function, head = t->block + csid;

	if (head + t->argument > 128)
		return "the parts of the SID are longer than 128 bits together";
	if ((flavors & (HD_SRV6_FLAVOR_NEXT_CSID | HD_SRV6_FLAVOR_REPLACE_CSID)) == 0)
		return NULL;
	if (t->block == 0 || csid == 0)
		return "a compressed SID needs its structure: lengths of block, node and function";
	if (csid > 64)
		return "a compressed SID has at most 64 bits of node and function, or a container holds one only";
	if (goes_on(behavior) ? plen != head : plen < head)
		return "the prefix length of a compressed SID is the length of its block, node and function";
	if ((flavors & HD_SRV6_FLAVOR_NEXT_CSID) != 0) {
		if (goes_on(behavior) && head == 128)
			return "no bits are left for the CSIDs that follow";
		if (t->argument != 0 && head + t->argument != 128)
			return "the argument of NEXT-CSID is all that follows the CSID";
		return NULL;
	}
	return head + index_bits(128 / csid) > 128 ? "no bits are left for the index of the CSID" :
						     NULL;
}

static srv6_u128 low_bits(unsigned n)
{
	return n == 128 ? ~(srv6_u128)0 : ((srv6_u128)1 << n) - 1;
}

void srv6_csid_init(struct srv6_sid *s, const struct srv6_sid_structure *t)
{
	unsigned lnfl = t->node + t->function;

	s->plan = s->base;
	if ((s->flavors & HD_SRV6_FLAVOR_REPLACE_CSID) != 0)
		s->index_bits = (uint8_t)index_bits(128 / lnfl);
	if ((s->flavors & (HD_SRV6_FLAVOR_NEXT_CSID | HD_SRV6_FLAVOR_REPLACE_CSID)) == 0)
		return;
	s->csid = (struct srv6_csid){
		.block = ~low_bits(128u - t->block),
		.arg = low_bits(128u - t->block - lnfl),
		.lnfl = (uint8_t)lnfl,
		.shift = (uint8_t)(128 - t->block - lnfl),
		.n = (uint8_t)(128 / lnfl),
		.index = (uint8_t)((1u << index_bits(128 / lnfl)) - 1),
		.moved = s->behavior == HD_SRV6_END || s->behavior == HD_SRV6_END_T ?
				 SRV6_EP_FORWARD :
				 SRV6_EP_CROSS_CONNECT,
	};
	if (goes_on(s->behavior))
		s->plan = (s->flavors & HD_SRV6_FLAVOR_NEXT_CSID) != 0 ? srv6_next_csid :
									 srv6_replace_csid;
}
