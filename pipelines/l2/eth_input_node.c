/* SPDX-License-Identifier: BSD-3-Clause
 * Node eth-input: frames from port-rx to their interface and protocol.
 * In: data at the Ethernet header, meta->port and rx_tsc set, the rest of the metadata zero.
 * Out: data at the payload, l2_len octets of header still before it; iface, vrf and flags set.
 * Nothing here allocates, logs or makes a system call. */
#include <errno.h>
#include <string.h>

#include "dataplane/host.h"
#include "dataplane/trace.h"
#include "dataplane/result.h"
#include "pipelines/l2/bridge.h"
#include "pipelines/l2/demux.h"
#include "pipelines/l2/eth_input.h"
#include "pipelines/l2/frame.h"
#include "pipelines/l2/internal.h"
#include "pipelines/l2/l2.h"

uint8_t ethertype_verdict[65536];
uint8_t ethertype_punt[65536];

void ethertypes_init(void)
{
	memset(ethertype_verdict, ETH_INPUT_UNKNOWN_ETHERTYPE, sizeof(ethertype_verdict));
	ethertype_verdict[ETHTYPE_IP4] = ETH_INPUT_IP4;
	ethertype_verdict[ETHTYPE_IP6] = ETH_INPUT_IP6;
}

int l2_ethertype_register(uint16_t ethertype, uint16_t verdict)
{
	if (ethertype < ETHTYPE_MIN || ethtype_is_tag(ethertype) || verdict >= ETH_INPUT_N_VERDICTS)
		return -EINVAL;
	if (ethertype_verdict[ethertype] != ETH_INPUT_UNKNOWN_ETHERTYPE)
		return -EEXIST;
	ethertype_verdict[ethertype] = (uint8_t)verdict;
	return 0;
}

int l2_ethertype_punt(uint16_t ethertype, uint8_t reason)
{
	int rc = l2_ethertype_register(ethertype, ETH_INPUT_PUNT);

	if (rc == 0)
		ethertype_punt[ethertype] = reason;
	return rc;
}

/* The member's own tags are off inside the bridge. */
static rte_edge_t to_bridge(struct rte_mbuf *m, const struct iface *i)
{
	uint32_t index = hd_result_index(i->l2_word);
	struct bridge_in in = { .bridge_id = index >> 12, .member_id = index & 0xfff };

	bridge_in_set(m, &in);
	frame_pop(m, i->n_tags);
	return ETH_INPUT_BRIDGE;
}

struct eth_run {
	struct worker *w;
	struct iface_count *count;
};

static inline rte_edge_t eth_one(struct rte_mbuf *m, void *arg)
{
	struct eth_run *r = arg;
	struct hd_meta *mt = meta(m);
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct demux *d = &demux[mt->port & (WORKER_PORTS_MAX - 1)];
	const struct iface *i;
	unsigned off = 14;
	uint64_t dst;
	uint16_t type, id;
	rte_edge_t v;

	if (unlikely(m->data_len < 14))
		return ETH_INPUT_TRUNCATED;
	type = wire_get16(p + 12);
	if (likely(!ethtype_is_tag(type))) {
		id = d->untagged;
		i = iface_get(id);
		if (unlikely(id == 0 || i == NULL))
			return ETH_INPUT_NO_IFACE;
	} else {
		id = demux_tagged(d, p, m->data_len, &off, &type);
		if (unlikely(id == UINT16_MAX))
			return ETH_INPUT_TRUNCATED;
		i = iface_get(id);
		if (unlikely(id == 0 || i == NULL)) {
			id = d->untagged; /* a port as a whole carried over a policy: its tags too */
			i = iface_get(id);
			if (id == 0 || i == NULL || i->l2_word == 0)
				return ETH_INPUT_UNKNOWN_VLAN;
		}
	}
	mt->iface = id;
	mt->vrf = i->vrf;
	mt->l2_len = (uint8_t)off;
	if (unlikely(!i->admin_up))
		return ETH_INPUT_ADMIN_DOWN;
	if (unlikely(i->l2_word != 0)) {
		mt->result = i->l2_word;
		mt->l2_len = 0;
		r->count[id].rx_packets++;
		r->count[id].rx_octets += m->pkt_len;
		if (unlikely(r->w->watch & WATCH_TRACE))
			trace_mark(r->w, m);
		if (hd_result_kind(i->l2_word) == HD_RESULT_BRIDGE)
			return to_bridge(m, i);
		return ETH_INPUT_L2_POLICY;
	}
	memcpy(&dst, p, sizeof(dst)); /* 14 octets are there */
	if (unlikely((dst & 0xffffffffffffull) != i->mac48)) {
		if ((p[0] & 1) == 0)
			return ETH_INPUT_NOT_OURS;
		mt->flags |= META_F_L2_MCAST;
	}
	if (i->urpf4 | i->urpf6)
		mt->flags |=
			(uint8_t)((i->urpf4 ? META_F_URPF4 : 0) | (i->urpf6 ? META_F_URPF6 : 0));
	r->count[id].rx_packets++;
	r->count[id].rx_octets += m->pkt_len;
	m->data_off = (uint16_t)(m->data_off + off);
	m->data_len = (uint16_t)(m->data_len - off);
	m->pkt_len -= off;
	if (unlikely(r->w->watch & WATCH_TRACE))
		trace_mark(r->w, m);
	v = ethertype_verdict[type];
	if (unlikely(i->ingress) && v <= ETH_INPUT_IP6)
		return ETH_INPUT_INGRESS;
	if (unlikely(v > ETH_INPUT_IP6)) {
		if (i->host && (type == ETHTYPE_ARP || v == ETH_INPUT_UNKNOWN_ETHERTYPE)) {
			mt->punt = host_punt;
			return i->host_copy ? ETH_INPUT_HOST_COPY : ETH_INPUT_HOST;
		}
		if (v == ETH_INPUT_PUNT)
			mt->punt = ethertype_punt[type];
		else if (v == ETH_INPUT_UNKNOWN_ETHERTYPE)
			rte_pktmbuf_prepend(
				m, (uint16_t)off); /* what is dropped here is a frame, always */
	}
	return v;
}

static uint16_t eth_input_process(struct rte_graph *g, struct rte_node *node, void **objs,
				  uint16_t n)
{
	struct worker *w = node_worker(node);
	struct eth_run r = { .w = w, .count = iface_counts[w->id] };

	return node_run(g, node, objs, n, eth_one, &r);
}
NODE_REGISTER(eth_input, "eth-input", ETH_INPUT, ETH_INPUT_VERDICTS, eth_input_process)
