/* SPDX-License-Identifier: BSD-3-Clause
 * The host's kernel beside the data plane.  On interfaces that the kernel shares (HD_IFACE_F_HOST), frames that are
 * not the data plane's business are the kernel's.  A port that is a device of the kernel (af_packet) needs nothing
 * for that: the kernel has its own copy of every frame.  Another port can have a twin: a TAP device of its name, MAC
 * and MTU; what is punted for reason "host" comes out of it, and what the kernel sends into it leaves at the port. */
#ifndef DATAPLANE_HOST_H
#define DATAPLANE_HOST_H

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

extern uint8_t host_punt; /* the punt reason */

int host_init(void); /* registers the reason: before punt_init() */
/* Make the twin of a port; it is up and has the port's MAC and MTU.  -Exxx of the kernel: no /dev/net/tun, no
 * CAP_NET_ADMIN, the name is taken. */
int host_twin_make(uint32_t port_id, const char *name, const struct rte_ether_addr *mac,
		   uint16_t mtu);
void host_twin_remove(uint32_t port_id); /* nothing if there is none */
bool host_twin_is(uint32_t port_id);
/* Control thread: take a packet with meta->port and l2_len octets of frame before its data (0: a packet that was in
 * a tunnel) to the kernel; m is freed. */
void host_deliver(struct rte_mbuf *m, void *arg);
unsigned
host_poll(void); /* control loop: what the kernel sent into twins; returns how many frames */

#endif
