/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: packets in a row that are known to be usual are written and leave by their result words.
 * Neighbours with tags, groups, and whatever else is not an adjacency without tags go one by one. */
#ifndef PIPELINES_EXPRESS_EXPRESS_DEPART_H
#define PIPELINES_EXPRESS_EXPRESS_DEPART_H

#include "pipelines/express/express_eight.h"
#include "pipelines/express/express_one.h"

#ifdef __AVX2__

/* What is written besides the MAC addresses. */
enum how {
	HOW_IP4,     /* TTL */
	HOW_IP6,     /* hop limit */
	HOW_ADVANCE, /* hop limit, the next segment of the SRH */
	HOW_SHIFT,   /* hop limit, a destination that has been worked out */
	HOW_DECAP4,  /* the inner packet, which has another place: TTL */
	HOW_DECAP6,  /* or hop limit */
};

struct how_more {
	unsigned in;              /* DECAP: from the outer to the inner IP header */
	uint8_t left;             /* ADVANCE: segments left, then */
	const uint8_t (*dst)[16]; /* SHIFT */
};

static __rte_always_inline const struct adj *word_adj(const struct express_run *r, uint32_t word)
{
	return hd_result_kind(word) == HD_RESULT_ADJ ?
		       __atomic_load_n(&r->adj[word ^ ADJ_WORD], __ATOMIC_ACQUIRE) :
		       NULL;
}

static __rte_always_inline void len_write(struct rte_mbuf *m, uint32_t len)
{
	m->pkt_len = len;
	m->data_len = (uint16_t)len;
}

/* TTL with checksum, or hop limit, of packet i whose IP header is at h. */
static __rte_always_inline void hop_write(uint8_t *h, const struct eights *e, unsigned i, bool v6)
{
	if (v6)
		h[IP6_OFF_HOP_LIMIT]--;
	else
		memcpy(h + 8, &e->ttl[i], 4);
}

/* From the IP header as received to the one that leaves. */
static __rte_always_inline unsigned how_in(enum how how, const struct how_more *more)
{
	return how == HOW_DECAP4 || how == HOW_DECAP6 ? more->in : 0;
}

/* The packet's own part; p: the frame that leaves. */
static __rte_always_inline void how_write(struct rte_mbuf *m, uint8_t *p, const struct eights *e,
					  unsigned i, enum how how, const struct how_more *more)
{
	uint8_t *h = p + 14;

	switch (how) {
	case HOW_DECAP4:
	case HOW_DECAP6:
		wire_put16(p + 12, how == HOW_DECAP4 ? ETHTYPE_IP4 : ETHTYPE_IP6);
		m->data_off = (uint16_t)(AT + more->in);
		len_write(m, e->len[i]);
		break;
	case HOW_ADVANCE:
		h[40 + SRH_OFF_SEGMENTS_LEFT] = more->left;
		memcpy(h + 24, h + 40 + SRH_OFF_LIST + 16 * more->left, 16);
		break;
	case HOW_SHIFT:
		memcpy(h + 24, more->dst[i], 16);
		break;
	default:
		break;
	}
	hop_write(h, e, i, how != HOW_IP4 && how != HOW_DECAP4);
}

/* MAC addresses of a header without tags; the ethertype stays as it came. */
static __rte_always_inline void mac_write(uint8_t *p, const struct adj *a)
{
	memcpy(p, a->hdr + ADJ_HDR_ROOM - 14, 8);
	memcpy(p + 8, a->hdr + ADJ_HDR_ROOM - 6, 4);
}

static __rte_always_inline bool how_is_plain(enum how how)
{
	return how == HOW_IP4 || how == HOW_IP6;
}

/* What is told about n packets that have left. */
static __rte_always_inline void depart_done(struct express_run *r, struct rte_mbuf **m,
					    rte_edge_t *verdict, unsigned n, const struct eights *e,
					    enum how how, const struct how_more *more,
					    const struct adj *a)
{
	struct iface_count *c = &r->fwd.count[a->iface];

	for (unsigned i = 0; i < n; i++)
		verdict[i] = EXPRESS_FORWARD;
	if (how_in(how, more) == 0 && unlikely(e->octets != e->received))
		for (unsigned i = 0; i < n; i++)
			len_write(m[i], e->len[i]);
	sent_note(r, a->port, n);
	c->tx_packets += n;
	c->tx_octets += e->octets;
	if (how_is_plain(how))
		r->n_forward[how == HOW_IP6] += n;
	r->lane.received += ((uint64_t)n << OCTETS_BITS) + e->received;
}

/* The inner packets of n, a multiple of eight, behind a header of their own. */
static __rte_always_inline void decap_write(struct rte_mbuf **m, unsigned n, const struct eights *e,
					    enum how how, const struct how_more *more,
					    const struct adj *a)
{
	const uint16_t type = rte_cpu_to_be_16(how == HOW_DECAP4 ? ETHTYPE_IP4 : ETHTYPE_IP6);
	struct rte_mbuf like;
	uint64_t rearm;
	__m128i header; /* the two octets before it are the outer packet's, and nobody's any more */

	static_assert(ADJ_HDR_ROOM >= 16, "");
	header = _mm_insert_epi16(load16(a->hdr + ADJ_HDR_ROOM - 16), type, 7);
	memcpy(&like.rearm_data, &m[0]->rearm_data, sizeof(rearm)); /* that of all, as is known */
	like.data_off = (uint16_t)(AT + more->in);
	like.port = a->port;
	memcpy(&rearm, &like.rearm_data, sizeof(rearm));
	for (unsigned i = 0; i < n; i += EIGHT) {
		uint8_t *lens[EIGHT];

#pragma GCC unroll 8
		for (unsigned k = 0; k < EIGHT; k++) {
			struct rte_mbuf *b = m[i + k];
			uint8_t *p = frame_of(b) + more->in;

			_mm_storeu_si128((__m128i *)(void *)(p - 2), header);
			hop_write(p + 14, e, i + k, how == HOW_DECAP6);
			memcpy(&b->rearm_data, &rearm, sizeof(rearm));
			lens[k] = (uint8_t *)&b->pkt_len;
		}
		lanes_store(lens, lanes_of_len(load8(&e->len[i])));
	}
}

/* All n by one neighbour.  False: they do not go that way, and nothing has changed. */
static __rte_always_inline bool depart_one(struct express_run *r, struct rte_mbuf **m,
					   rte_edge_t *verdict, unsigned n, const struct eights *e,
					   enum how how, const struct how_more *more)
{
	const struct adj *a = e->differ == 0 ? word_adj(r, e->word[0]) : NULL;
	unsigned in = how_in(how, more);
	uint16_t port;
	uint64_t front;
	uint32_t back;

	if (unlikely(a == NULL || e->longest - 14 > a->plain_len))
		return false;
	if (in != 0) {
		decap_write(m, n, e, how, more, a);
		depart_done(r, m, verdict, n, e, how, more, a);
		return true;
	}
	port = a->port;
	memcpy(&front, a->hdr + ADJ_HDR_ROOM - 14, 8);
	memcpy(&back, a->hdr + ADJ_HDR_ROOM - 6, 4);
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *b = m[i];
		uint8_t *p = frame_of(b) + in;

		memcpy(p, &front, 8);
		memcpy(p + 8, &back, 4);
		how_write(b, p, e, i, how, more);
		b->port = port;
	}
	depart_done(r, m, verdict, n, e, how, more, a);
	return true;
}

/* Each by its own neighbour, all of one interface whose frames have no tags.  False: they do not go that way, and
 * nothing has changed. */
static __rte_always_inline bool depart_many(struct express_run *r, struct rte_mbuf **m,
					    rte_edge_t *verdict, unsigned n, const struct eights *e,
					    enum how how, const struct how_more *more)
{
	const struct adj *a[NODE_CHUNK_WIDE], *first = word_adj(r, e->word[0]);
	unsigned in = how_in(how, more);
	uint64_t way, other = 0;

	if (unlikely(first == NULL || e->longest - 14 > first->plain_len ||
		     e->differ >> HD_RESULT_INDEX_BITS != 0))
		return false;
	way = adj_way(first);
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		a[i] = __atomic_load_n(&r->adj[e->word[i] ^ ADJ_WORD], __ATOMIC_ACQUIRE);
		if (unlikely(a[i] == NULL))
			return false;
		other |= adj_way(a[i]) ^ way;
	}
	if (unlikely(other != 0))
		return false;
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *b = m[i];
		uint8_t *p = frame_of(b) + in;

		mac_write(p, a[i]);
		how_write(b, p, e, i, how, more);
		b->port = first->port;
	}
	depart_done(r, m, verdict, n, e, how, more, first);
	return true;
}

/* One of them.  The same. */
static __rte_always_inline bool depart_alone(struct express_run *r, struct rte_mbuf *m,
					     const struct eights *e, unsigned i, enum how how,
					     const struct how_more *more)
{
	unsigned in = how_in(how, more), len = e->len[i];
	const struct adj *a = word_adj(r, e->word[i]);
	uint8_t *p = frame_of(m) + in;
	struct iface_count *c;

	if (unlikely(a == NULL || len - 14 > a->plain_len))
		return false;
	c = &r->fwd.count[a->iface];
	r->lane.received += (1ull << OCTETS_BITS) + m->data_len;
	mac_write(p, a);
	how_write(m, p, e, i, how, more);
	if (in == 0)
		len_write(m, len);
	m->port = a->port;
	sent_note(r, a->port, 1);
	c->tx_packets++;
	c->tx_octets += len;
	if (how_is_plain(how))
		r->n_forward[how == HOW_IP6]++;
	return true;
}

/* Each as its word says. */
EXPRESS_APART void depart_each(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
			       unsigned from, unsigned n, const struct eights *e, bool v6)
{
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *b = m[from + i];

		if (likely(depart_alone(r, b, e, i, v6 ? HOW_IP6 : HOW_IP4, NULL)))
			verdict[from + i] = EXPRESS_FORWARD;
		else if (fib_direct_is_answer(e->word[i]))
			verdict[from + i] =
				send(r, b, frame_of(b) + 14, 14, e->len[i] - 14, e->word[i], v6);
		else
			verdict[from + i] = wait_for_lookup(r, from + i, 14, e->len[i] - 14, v6);
	}
}

#endif
#endif
