/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipelines/srv6/edge_out.h"

#include <rte_mbuf.h>

#include "dataplane/node.h"
#include "heddle/wire/altmark.h"
#include "heddle/wire/ioam.h"
#include "pipelines/l2/demux.h"
#include "pipelines/l2/l2.h"
#include "pipelines/srv6/ingress.h"

bool srv6_is_measured(const uint8_t *ip, unsigned len)
{
	static const struct ip6_opt_set options = {
		.bits = { 1ull << IOAM_OPT_FIXED | 1ull << ALTMARK_OPT | 1ull << IOAM_OPT_MUTABLE }
	};
	struct wire_cur c = wire_cur_init(ip, len);
	struct ip6_view v = { .hdr = wire_pull(&c, sizeof(struct ip6_fixed)) };
	struct ip6_opt_view opt;
	struct ip6_ext_view e;
	struct ip6_opts opts;
	struct ip6_walk w;

	ip6_walk_init(&w, &v, &c);
	while (ip6_walk_next(&w, &e) == 1) {
		if (e.type != IP_NH_HOPOPTS && e.type != IP_NH_DSTOPTS)
			continue;
		ip6_opts_init(&opts, &e);
		while (ip6_opts_next(&opts, &opt) == 1)
			if (ip6_opt_set_has(&options, opt.type))
				return true;
	}
	return false;
}

static uint8_t is_outside(uint32_t iface_id)
{
	const struct srv6_ingress *in = slots_get(srv6_ingresses, iface_id);

	return in != NULL && (in->flags & HD_SRV6_INGRESS_OUTSIDE) != 0;
}

/* A frame with IPv6 that options can follow: does it leave the domain with one of them? */
static __rte_noinline bool leaves(uint16_t port, const struct rte_mbuf *m)
{
	const struct demux *d = &demux[port & (WORKER_PORTS_MAX - 1)];
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	unsigned off;
	uint16_t type, id = demux_frame(d, p, m->data_len, &off, &type);

	return id != 0 && id != UINT16_MAX && type == ETHTYPE_IP6 &&
	       m->data_len >= off + sizeof(struct ip6_fixed) && is_outside(id) &&
	       srv6_is_measured(p + off, m->data_len - off);
}

/* A tx_filter_fn: those that stay are moved behind the others. */
static unsigned edge_out(struct rte_mbuf **m, unsigned n, uint16_t port)
{
	struct rte_mbuf *stay[NODE_CHUNK];
	unsigned go = 0, n_stay = 0;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);
		uint16_t type = wire_get16(p + 12);
		bool may = (type == ETHTYPE_IP6 && srv6_may_be_measured(p + 14)) ||
			   ethtype_is_tag(type);

		if (unlikely(may) && leaves(port, m[i]))
			stay[n_stay++] = m[i];
		else
			m[go++] = m[i];
	}
	for (unsigned i = 0; i < n_stay; i++)
		m[go + i] = stay[i];
	return go;
}

static void follow(const struct iface *leaving)
{
	uint8_t port[WORKER_PORTS_MAX];

	iface_port_bits(is_outside, leaving, port);
	for (unsigned p = 0; p < WORKER_PORTS_MAX; p++)
		__atomic_store_n(&tx_filter[p], port[p] != 0 ? edge_out : NULL, __ATOMIC_RELEASE);
}

void srv6_edge_out_follow(void)
{
	follow(NULL);
}

static void iface_changed(const struct iface *old, const struct iface *new)
{
	if (is_outside((new != NULL ? new : old)->id))
		follow(new == NULL ? old : NULL);
}

int srv6_edge_out_init(void)
{
	return iface_watch(iface_changed);
}

void srv6_edge_out_fini(void)
{
	memset(tx_filter, 0, sizeof(tx_filter));
}
