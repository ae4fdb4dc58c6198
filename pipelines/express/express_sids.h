/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: packets in a row for local SIDs of one behavior, at the same place of lists of the same
 * length: their SRHs begin with the same octets, so what holds for the first one's shape holds for all.
 * Spec: RFC 8986 4.1, 4.2, 4.6 to 4.8; RFC 9800 4.1. */
#ifndef PIPELINES_EXPRESS_EXPRESS_SIDS_H
#define PIPELINES_EXPRESS_EXPRESS_SIDS_H

#include "pipelines/express/express_check4.h"
#include "pipelines/express/express_check6.h"
#include "pipelines/express/express_depart.h"

#ifdef __AVX2__

/* Packets that are alike. */
struct alike {
	const uint32_t *word; /* result words: which SIDs */
	const struct srv6_sid
		*sid[NODE_CHUNK_WIDE];    /* NULL where what is below is all that is needed */
	uint32_t target[NODE_CHUNK_WIDE]; /* the SIDs' own result words */
	unsigned n, size;                 /* size: octets of the SRH; 0: none */
	uint8_t fast; /* enum srv6_fast of all their SIDs, without SRV6_FAST_PSP */
	uint8_t left, upper;
	bool psp, one_sid;
};

#define SRH_BUT_TAG 0x0000ffffffffffffull

/* What express goes by: from the brief if that is enough, else from the row. */
struct known_sid {
	struct srv6_sid_brief brief; /* fast NONE: no SID, or none of ours */
	const struct srv6_sid *row;  /* NULL: not needed */
};

static __rte_always_inline struct known_sid word_sid(uint32_t word)
{
	struct known_sid k = { .row = NULL };

	if (unlikely(hd_result_kind(word) != HD_RESULT_SID))
		return k;
	k.brief = srv6_sid_brief_get(hd_result_index(word));
	if (k.brief.fast != SRV6_FAST_NONE)
		return k;
	k.row = srv6_sid_get(hd_result_index(word));
	if (likely(k.row != NULL))
		k.brief = (struct srv6_sid_brief){ k.row->fast, k.row->result };
	return k;
}

static __rte_always_inline uint64_t srh_front(const uint8_t *h)
{
	uint64_t v;

	memcpy(&v, h + sizeof(struct ip6_fixed), sizeof(v));
	return v;
}

static __rte_always_inline const struct srv6_sid *alike_sid(const struct alike *a, unsigned i)
{
	return a->sid[a->one_sid ? 0 : i];
}

/* Shape of the first packet.  False: none of ours. */
static __rte_always_inline bool alike_begin(struct alike *a, struct known_sid k, const uint8_t *h,
					    unsigned len)
{
	if (k.brief.fast == SRV6_FAST_NONE)
		return false;
	a->sid[0] = k.row;
	a->target[0] = k.brief.result;
	a->fast = (uint8_t)(k.brief.fast & ~SRV6_FAST_PSP);
	a->psp = (k.brief.fast & SRV6_FAST_PSP) != 0;
	a->size = 0;
	a->left = 0;
	a->upper = h[IP6_OFF_NEXT_HEADER];
	if (a->upper != IP_NH_ROUTING || a->fast == SRV6_FAST_NEXT || a->fast == SRV6_FAST_NEXT_X)
		return true;
	a->size = usual_srh(h, len - 14);
	a->upper = h[40 + SRH_OFF_NEXT_HEADER];
	a->left = h[40 + SRH_OFF_SEGMENTS_LEFT];
	return a->size != 0;
}

/* How many from the first on are alike; 0: the first is none of ours.  word, len: of n packets, of which, if not NULL, e
 * tells what they have in common. */
static __rte_always_inline void alike_find(struct alike *a, struct rte_mbuf **m,
					   const uint32_t *word, const uint32_t *len, unsigned n,
					   const struct eights *e)
{
	const struct known_sid k0 = word_sid(word[0]);
	const uint8_t *h0 = frame_of(m[0]) + 14;
	uint64_t front, mask;
	unsigned i;

	a->n = 0;
	a->word = word;
	a->one_sid = true;
	if (unlikely(!alike_begin(a, k0, h0, len[0])))
		return;
	mask = a->size != 0 ? SRH_BUT_TAG : 0;
	if (e != NULL && likely(e->differ == 0 && e->one_next) &&
	    likely(mask == 0 || (e->behind & mask) == 0) &&
	    likely(shortest_of(len, n) >= 14 + 40 + a->size)) {
		a->n = n;
		return;
	}
	front = srh_front(h0);
	for (i = 1; i < n; i++) {
		const struct known_sid k = word_sid(word[i]);
		const uint8_t *h = frame_of(m[i]) + 14;

		if (k.brief.fast != k0.brief.fast ||
		    h[IP6_OFF_NEXT_HEADER] != h0[IP6_OFF_NEXT_HEADER] ||
		    ((srh_front(h) ^ front) & mask) != 0 || len[i] < 14 + 40 + a->size)
			break;
		a->sid[i] = k.row;
		a->target[i] = k.brief.result;
		a->one_sid &= word[i] == word[0];
	}
	a->n = i;
}

/* n packets of the SIDs that are named by words; one_sid: all by the first.  len: of each, octets: of all. */
static __rte_always_inline void alike_count(struct express_run *r, const uint32_t *word,
					    bool one_sid, const uint32_t *len, unsigned n,
					    uint64_t octets)
{
	struct srv6_sid_count *c = &r->sid_count[hd_result_index(word[0])];

	r->n_sid += n;
	if (likely(one_sid)) {
		c->packets += n;
		c->octets += octets - 14 * n;
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		c = &r->sid_count[hd_result_index(word[i])];

		c->packets++;
		c->octets += len[i] - 14;
	}
}

/* The first n of them leave, or go to srv6-endpoint.  len: as received, without padding.  Returns how many left. */
static __rte_always_inline unsigned
alike_depart(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict, const struct alike *a,
	     unsigned n, const uint32_t *word, const uint32_t *len, const struct eights *e,
	     enum how how, const struct how_more *more, uint64_t octets)
{
	unsigned left = n;

	if (likely(depart_one(r, m, verdict, n, e, how, more)) ||
	    likely(depart_many(r, m, verdict, n, e, how, more))) {
		alike_count(r, a->word, a->one_sid, len, n, octets);
		return n;
	}
	for (unsigned i = 0; i < n; i++) {
		if (likely(depart_alone(r, m[i], e, i, how, more))) {
			alike_count(r, &a->word[i], true, &len[i], 1, len[i]);
			verdict[i] = EXPRESS_FORWARD;
			continue;
		}
		left--;
		verdict[i] = send_sid(r, m[i], frame_of(m[i]) + 14, 14, len[i] - 14, word[i]);
	}
	return left;
}

/* They have the words of e: it is told to where, and they go. */
static __rte_always_inline unsigned alike_onward(struct express_run *r, struct rte_mbuf **m,
						 rte_edge_t *verdict, const struct alike *a,
						 const uint32_t *word, struct eights *e, bool cross,
						 enum how how, const struct how_more *more)
{
	*(cross ? &r->n_cross : &r->n_advance) +=
		alike_depart(r, m, verdict, a, a->n, word, e->len, e, how, more, e->octets);
	return a->n;
}

/* To the SIDs' own targets. */
static __rte_always_inline void alike_targets(const struct alike *a, struct eights *e)
{
	if (likely(a->one_sid)) {
		words_fill(e, a->n, a->target[0]);
		return;
	}
	for (unsigned i = 0; i < a->n; i++)
		e->word[i] = a->target[i];
	e->differ = words_differ(e->word, a->n);
}

/* To the destinations that stand `at` octets behind the beginning of their frames. */
static __rte_always_inline void alike_found(struct express_run *r, struct rte_mbuf **m,
					    const struct alike *a, struct eights *e, unsigned at)
{
	const uint8_t *dst[NODE_CHUNK_WIDE];

	for (unsigned i = 0; i < a->n; i++)
		dst[i] = frame_of(m[i]) + at;
	e->differ = words_find(r, &r->lane.six, FIB_ASK_ONWARD, dst, e->word, a->n);
}

/* End, End.X: to the next segment. */
static __rte_always_inline unsigned alike_advance(struct express_run *r, struct rte_mbuf **m,
						  rte_edge_t *verdict, const struct alike *a,
						  const uint32_t *word, struct eights *e)
{
	const struct how_more more = { .left = (uint8_t)(a->left - 1) };
	const bool cross = a->fast == SRV6_FAST_END_X;

	if (cross)
		alike_targets(a, e);
	else
		alike_found(r, m, a, e, 14 + 40 + SRH_OFF_LIST + 16u * more.left);
	return alike_onward(r, m, verdict, a, word, e, cross, HOW_ADVANCE, &more);
}

/* NEXT-CSID: the CSIDs behind this node's move up.  Headers are not looked at, options are (RFC 8200 4.1). */
EXPRESS_APART unsigned alike_shift(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
				   const struct alike *a, const uint32_t *word, struct eights *e)
{
	uint8_t moved[NODE_CHUNK_WIDE][16];
	const struct how_more more = { .dst = (const uint8_t(*)[16])moved };
	const bool cross = a->fast == SRV6_FAST_NEXT_X;
	const uint8_t *dst[NODE_CHUNK_WIDE];

	if (a->upper == IP_NH_HOPOPTS || a->upper == IP_NH_DSTOPTS)
		return 0;
	for (unsigned i = 0; i < a->n; i++) {
		const struct srv6_csid *c = &alike_sid(a, i)->csid;
		const uint8_t *h = frame_of(m[i]) + 14 + 24;
		srv6_u128 was = (srv6_u128)wire_get64(h) << 64 | wire_get64(h + 8),
			  arg = was & c->arg;

		if (unlikely(arg == 0))
			return 0; /* the last one: of its behavior */
		was = (was & c->block) | arg << c->lnfl;
		/* one store: the address is read as a whole before two would have left the store queue */
		_mm_storeu_si128((__m128i *)(void *)moved[i],
				 _mm_set_epi64x((int64_t)wire_swap64((uint64_t)was),
						(int64_t)wire_swap64((uint64_t)(was >> 64))));
		dst[i] = moved[i];
	}
	if (cross) {
		alike_targets(a, e);
	} else {
		e->differ = words_find(r, &r->lane.six, FIB_ASK_ONWARD, dst, e->word, a->n);
	}
	return alike_onward(r, m, verdict, a, word, e, cross, HOW_SHIFT, &more);
}

/* End.DT4, DT6, DT46 at the end of the path. */
EXPRESS_APART unsigned alike_decap(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
				   const struct alike *a, const uint32_t *word,
				   const struct eights *e)
{
	struct how_more more = { .in = 40 + a->size };
	const struct srv6_sid *s = a->sid[0];
	bool v6 = a->upper == IP_NH_IP6;
	uint32_t vrf = v6 ? s->vrf6 : s->vrf4;
	struct table *t = &r->inner[v6];
	uint64_t octets, received;
	struct eights f;
	unsigned n = a->n, sent;

	if (a->left != 0 || srv6_decap_flags != 0 || e->ecn || /* RFC 6040: marks are merged */
	    (v6 ? a->fast == SRV6_FAST_DT4 : a->upper != IP_NH_IP4 || a->fast == SRV6_FAST_DT6))
		return 0;
	if (!a->one_sid)
		for (unsigned i = 0; i < n; i++)
			if ((v6 ? a->sid[i]->vrf6 : a->sid[i]->vrf4) != vrf)
				n = i;
	if (unlikely(t->vrf != vrf) && !table_enter(r, t, vrf, v6))
		return 0;
	n = v6 ? check6(r, m, n, t, &f, e, more.in) : check4(r, m, n, t, &f, e, more.in);
	if (n == 0)
		return 0;
	octets = e->octets;
	received = e->received;
	for (unsigned i = n; i < a->n; i++) {
		octets -= e->len[i];
		received -= m[i]->data_len;
	}
	f.received = received;
	sent = v6 ? alike_depart(r, m, verdict, a, n, word, e->len, &f, HOW_DECAP6, &more, octets) :
		    alike_depart(r, m, verdict, a, n, word, e->len, &f, HOW_DECAP4, &more, octets);
	r->n_decap[v6] += sent;
	return n;
}

/* Packets from .. from + n - 1 of e. */
EXPRESS_APART void eights_cut(struct eights *ret, const struct eights *e, struct rte_mbuf **m,
			      unsigned from, unsigned n)
{
	ret->octets = ret->received = ret->longest = 0;
	ret->one_next = false;
	ret->behind = UINT64_MAX;
	ret->ecn = e->ecn;
	for (unsigned i = 0; i < n; i++) {
		ret->word[i] = e->word[from + i];
		ret->len[i] = e->len[from + i];
		ret->octets += ret->len[i];
		ret->received += m[from + i]->data_len;
		ret->longest = RTE_MAX(ret->longest, ret->len[i]);
	}
	ret->differ = words_differ(ret->word, n);
}

static __rte_always_inline unsigned alike_go(struct express_run *r, struct rte_mbuf **m,
					     rte_edge_t *verdict, const struct alike *a,
					     const uint32_t *word, struct eights *e)
{
	switch (a->fast) {
	case SRV6_FAST_NEXT:
	case SRV6_FAST_NEXT_X:
		return alike_shift(r, m, verdict, a, word, e);
	case SRV6_FAST_END:
	case SRV6_FAST_END_X:
		return a->left > a->psp ? alike_advance(r, m, verdict, a, word, e) : 0;
	default:
		return alike_decap(r, m, verdict, a, word, e);
	}
}

/* Packets from .. from + n - 1, of which the first goes to a SID. */
EXPRESS_APART void sids(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
			unsigned from, unsigned n, struct eights *e)
{
	uint32_t word[NODE_CHUNK_WIDE];
	struct eights part;
	struct alike a;

	m += from;
	memcpy(word, e->word, n * sizeof(word[0]));
	if (e->differ != 0)
		for (unsigned i = 0; i < n; i++) { /* of many SIDs most are not near */
			rte_prefetch0(&srv6_sid_briefs[hd_result_index(word[i])]);
			rte_prefetch0(&r->sid_count[hd_result_index(word[i])]);
		}
	for (unsigned done = 0, now; done < n; done += now) {
		struct eights *x = e;

		alike_find(&a, m + done, word + done, e->len + done, n - done,
			   done == 0 ? e : NULL);
		now = a.n;
		if (now != n && now != 0) {
			eights_cut(&part, e, m, done, now);
			x = &part;
		}
		if (now != 0)
			now = alike_go(r, m + done, verdict + from + done, &a, word + done, x);
		if (now != 0)
			continue;
		now = RTE_MIN(EIGHT, n - done);
		memcpy(e->word, word, n * sizeof(word[0]));
		eights_cut(&part, e, m, done, now);
		depart_each(r, m - from, verdict, from + done, now, &part, true);
	}
}

#endif
#endif
