/* SPDX-License-Identifier: BSD-3-Clause
 * The AF_XDP sockets of ports.  DPDK's net_af_xdp (22.11) forgets to close them when a device is closed, and the kernel
 * then takes the queue for busy: the port could not be made anew in this process.  Control thread only. */
#ifndef DATAPLANE_XDP_SOCKETS_H
#define DATAPLANE_XDP_SOCKETS_H

#define XSK_SOCKETS_MAX 256u

struct xsk_sockets {
	int fd[XSK_SOCKETS_MAX];
	unsigned n;
};

/* Those that this process has. */
void xsk_sockets_list(struct xsk_sockets *ret);
/* Those that came since. */
void xsk_sockets_since(const struct xsk_sockets *before, struct xsk_sockets *ret);
/* Close what its driver has left open. */
void xsk_sockets_close(const struct xsk_sockets *s);

#endif
