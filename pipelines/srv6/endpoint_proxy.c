/* SPDX-License-Identifier: BSD-3-Clause
 * The cache of End.AD: the headers a service must not see, kept for the way back.
 * It is a policy like others, made from headers instead of segment lists: workers read it, the control thread writes
 * it, from copies of packets whose headers differ from what it holds.  A chain that never changes is punted once. */
#include "pipelines/srv6/endpoint_proxy.h"

#include "dataplane/punt.h"
#include "dataplane/worker.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/sid_table.h"

static uint8_t proxy_punt;

/* Octets that say where the packet goes and who sent it: addresses, and all that follows the IPv6 header.  Payload
 * length, traffic class, flow label and hop limit are filled per packet on the way back. */
static bool same_way(const uint8_t *hdr, const struct srv6_outer *o, const struct srv6_pkt *p)
{
	uint32_t from_srh = p->srh_off + SRH_OFF_LAST_ENTRY;

	return o->len == p->upper_off && memcmp(hdr + 8, o->hdr + 8, 16) == 0 &&
	       memcmp(p->next_dst, o->hdr + 24, 16) == 0 &&
	       memcmp(hdr + 40, o->hdr + 40, p->srh_off + SRH_OFF_SEGMENTS_LEFT - 40) == 0 &&
	       o->hdr[p->srh_off + SRH_OFF_SEGMENTS_LEFT] == p->left &&
	       memcmp(hdr + from_srh, o->hdr + from_srh, p->upper_off - from_srh) == 0;
}

void srv6_proxy_keep(struct worker *w, const struct srv6_sid *s, struct rte_mbuf *m,
		     const struct srv6_pkt *p)
{
	const struct srv6_policy *c = srv6_policy_get(s->cache);

	if (likely(c != NULL && c->n_lists == 1 && same_way(p->ip, &c->outer[0], p)))
		return;
	meta(m)->pipe[0] = s->sid_id;
	punt_copy(w, m, proxy_punt, p->upper_off);
}

/* The copy holds the headers as received: bring them to the next segment, as End would. */
static void proxy_rx(struct rte_mbuf *m, void *arg)
{
	const struct srv6_sid *s = srv6_sid_get(meta(m)->pipe[0]);
	struct srv6_pkt p = { .ip = rte_pktmbuf_mtod(m, uint8_t *),
			      .head = m->data_len,
			      .len = 40u + 0xffff }; /* the payload is not here */

	(void)arg;
	if (s != NULL && s->behavior == HD_SRV6_END_AD && srv6_walk_to_srh(&p) == SRV6_EP_FORWARD &&
	    p.active && srv6_plan_advance(s, &p) == SRV6_EP_FORWARD && !p.pop) {
		srv6_commit_advance(&p);
		srv6_policy_from_headers(s->cache, p.ip, m->data_len);
	}
	rte_pktmbuf_free(m);
}

int srv6_proxy_init(void)
{
	int rc = punt_reason_register(
		"srv6-proxy", "headers of End.AD that differ from those kept for the way back", 20,
		20, proxy_rx, NULL);

	if (rc < 0)
		return rc;
	proxy_punt = (uint8_t)rc;
	return 0;
}
