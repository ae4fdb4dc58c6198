/* SPDX-License-Identifier: BSD-3-Clause
 * Ports: DPDK Ethernet devices made, configured, started, stopped and removed at run time (object kind PORT). */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include <rte_ether.h>
#include <rte_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "heddle/api/api.h"

struct port {
	uint32_t id; /* owner's id (meta->port) */
	uint16_t dpdk_port;
	uint16_t n_rxq, n_txq, mtu;
	bool up;
	struct rte_ether_addr mac;
	char name[HD_API_NAME_MAX];
	struct rte_ring *
		tx_handoff; /* MPSC; from workers without a TX queue of their own; NULL if all have one */
	uint32_t tx_owner; /* worker that drains it */
	void *l2; /* the l2 pipeline's demultiplexing table of this port (RCU); may be NULL */
	uint64_t features;        /* PORT_FEAT_* */
	struct steer *steer;      /* XDP steering (xdp/steer.h); NULL: none */
	struct xsk_sockets *xsks; /* of a net_af_xdp port; NULL: none */
};
#define PORT_FEAT_MULTISEG 0x1u /* transmits chained mbufs */

int ports_init(void); /* registers object kind PORT */
void ports_fini(void);
struct port *port_get(uint32_t id);   /* readers: valid until the end of the burst; NULL */
int port_by_dpdk(uint16_t dpdk_port); /* owner's id or -ENOENT */
void ports_tick(void);                /* link state, control thread */
int ports_spread(void);               /* spread all RX queues evenly over the workers */
#define PORT_UNPOLLED \
	UINT32_MAX /* no worker polls the queue: tests take what comes out themselves */
int ports_place(uint32_t port_id, uint16_t queue, uint32_t worker);
int port_queue_worker(uint32_t port_id, uint16_t queue); /* worker that polls it, or -1 */

#endif
