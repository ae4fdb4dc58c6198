/* SPDX-License-Identifier: BSD-3-Clause
 * What a burst of sessions needs of memory, asked for ahead by nodes pm-send and pm-reply. */
#ifndef PIPELINES_PM_SENDER_FETCH_H
#define PIPELINES_PM_SENDER_FETCH_H

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "heddle/wire/ip4.h"
#include "heddle/wire/ip6.h"
#include "heddle/wire/stamp.h"
#include "heddle/wire/udp.h"
#include "pipelines/pm/sender.h"

#define SENDER_FETCH_MAX 64u /* packets or sessions at a time */

/* A few thousand sessions do not fit any cache that is near: what the burst needs is asked for in the order in which
 * one thing tells where the next is, all packets at a time. */
static inline void sender_fetch_due(struct sender_session **s, const uint32_t *due, unsigned n,
				    const struct sender_count *count, uint64_t epoch)
{
	for (unsigned i = 0; i < n; i++) {
		s[i] = sender_session_get(due[i] / 2);
		if (s[i] == NULL)
			continue;
		for (unsigned at = 0; at < offsetof(struct sender_session, packet.data) + 128;
		     at += 64)
			rte_prefetch0((const char *)s[i] + at);
		rte_prefetch0(&count[due[i] / 2]);
	}
	for (unsigned i = 0; i < n; i++)
		if (s[i] != NULL)
			session_prefetch(s[i]->state, epoch & 1, false);
	for (unsigned i = 0; i < n; i++) {
		const struct session_state *st = s[i] != NULL ? s[i]->state : NULL;

		if (st == NULL)
			continue;
		rte_prefetch0(&st->window[st->next_seq & st->mask]);
		rte_prefetch0(&st->window[st->tail & st->mask]);
	}
}

/* Which session a packet is likely to be of, as an IPv4 header without options or an IPv6 one without extensions has
 * it: only to fetch ahead, so it may be wrong. */
static inline uint32_t sender_likely(const struct rte_mbuf *m, uint32_t *ret_seq)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *), *stamp;

	if (m->data_len < sizeof(struct ip6_fixed) + sizeof(struct udp_hdr) + STAMP_BASE)
		return 0;
	stamp = ip + (ip[0] >> 4 == 4 ? sizeof(struct ip4_hdr) : sizeof(struct ip6_fixed)) +
		sizeof(struct udp_hdr);
	*ret_seq = wire_get32(stamp + offsetof(struct stamp_base, s_seq));
	return sender_find(wire_get16(stamp - sizeof(struct udp_hdr) + 2),
			   wire_get16(stamp + offsetof(struct stamp_base, ssid)));
}

/* As sender_fetch_due(), of this worker's own sessions. */
static inline void sender_fetch_replies(struct rte_mbuf **m, unsigned n, uint32_t worker,
					const struct sender_count *count, uint64_t epoch)
{
	const struct sender_session *s[SENDER_FETCH_MAX];
	uint32_t seq[SENDER_FETCH_MAX], id;

	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	for (unsigned i = 0; i < n; i++) {
		id = sender_likely(m[i], &seq[i]);
		s[i] = id != 0 && sender_owner(id) == worker ? sender_session_get(id) : NULL;
		if (s[i] == NULL)
			continue;
		rte_prefetch0(s[i]);
		rte_prefetch0((const char *)s[i] + 64);
		rte_prefetch0(&s[i]->how);
		rte_prefetch0(&count[id]);
	}
	for (unsigned i = 0; i < n; i++)
		if (s[i] != NULL)
			session_prefetch(s[i]->state, epoch & 1, true);
	for (unsigned i = 0; i < n; i++)
		if (s[i] != NULL)
			rte_prefetch0(&s[i]->state->window[seq[i] & s[i]->state->mask]);
}

#endif
