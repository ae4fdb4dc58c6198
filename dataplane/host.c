/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/meta.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/worker.h"

#define HOST_RATE_PPS \
	20000u /* sessions of routing protocols and a file or two, not a way to forward */
#define HOST_BURST 2000u
#define READ_MAX   64u /* frames of one twin in one turn of the control loop */
#define FRAME_MAX  9728u

uint8_t host_punt;
static int twin[WORKER_PORTS_MAX]; /* descriptor + 1; 0: none */
static unsigned n_twins;

int host_init(void)
{
	int rc = punt_reason_register("host", "for the host's own kernel", HOST_RATE_PPS,
				      HOST_BURST, host_deliver, NULL);

	if (rc < 0)
		return rc;
	host_punt = (uint8_t)rc;
	return 0;
}

static int twin_configure(struct ifreq *ifr, const struct rte_ether_addr *mac, uint16_t mtu)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	if (s < 0)
		return -errno;
	ifr->ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr->ifr_hwaddr.sa_data, mac->addr_bytes, 6);
	if (ioctl(s, SIOCSIFHWADDR, ifr) < 0)
		rc = -errno;
	ifr->ifr_mtu = mtu;
	if (rc == 0 && ioctl(s, SIOCSIFMTU, ifr) < 0)
		rc = -errno;
	ifr->ifr_flags = IFF_UP;
	if (rc == 0 && ioctl(s, SIOCSIFFLAGS, ifr) < 0)
		rc = -errno;
	close(s);
	return rc;
}

int host_twin_make(uint32_t port_id, const char *name, const struct rte_ether_addr *mac,
		   uint16_t mtu)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd, rc;

	if (port_id >= WORKER_PORTS_MAX || strlen(name) >= sizeof(ifr.ifr_name))
		return -ENAMETOOLONG;
	if (twin[port_id] != 0)
		return 0;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	rc = ioctl(fd, TUNSETIFF, &ifr) < 0 ? -errno : twin_configure(&ifr, mac, mtu);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	twin[port_id] = fd + 1;
	n_twins++;
	return 0;
}

void host_twin_remove(uint32_t port_id)
{
	if (port_id >= WORKER_PORTS_MAX || twin[port_id] == 0)
		return;
	close(twin[port_id] - 1); /* the device goes with it */
	twin[port_id] = 0;
	n_twins--;
}

bool host_twin_is(uint32_t port_id)
{
	return port_id < WORKER_PORTS_MAX && twin[port_id] != 0;
}

void host_deliver(struct rte_mbuf *m, void *arg)
{
	const struct hd_meta *mt = meta(m);
	int fd = mt->port < WORKER_PORTS_MAX ? twin[mt->port] - 1 : -1;
	unsigned l2_len = mt->l2_len;
	uint8_t frame[FRAME_MAX];

	(void)arg;
	if (fd < 0 || m->pkt_len + 14 > sizeof(frame) || l2_len > m->data_off)
		goto out;
	if (l2_len == 0) { /* it has no frame of its own: it is as if it had come straight to us */
		const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
		uint16_t len = 14;
		memset(frame, 0, 12);
		if (port_get(mt->port) != NULL)
			memcpy(frame, port_get(mt->port)->mac.addr_bytes, 6);
		frame[12] = p[0] >> 4 == 4 ? 0x08 : 0x86;
		frame[13] = p[0] >> 4 == 4 ? 0x00 : 0xdd;
		const void *whole = rte_pktmbuf_read(m, 0, m->pkt_len, frame + len);
		if (whole != NULL && whole != frame + len)
			memcpy(frame + len, whole, m->pkt_len);
		if (whole != NULL && write(fd, frame, len + m->pkt_len) < 0)
			goto out; /* a full device loses a frame, as a wire would */
		goto out;
	}
	m->data_off = (uint16_t)(m->data_off - l2_len);
	m->data_len = (uint16_t)(m->data_len + l2_len);
	m->pkt_len += l2_len;
	const void *whole = rte_pktmbuf_read(m, 0, m->pkt_len, frame);
	if (whole != NULL && write(fd, whole, m->pkt_len) < 0)
		goto out;
out:
	rte_pktmbuf_free(m);
}

static unsigned twin_read(uint32_t port_id)
{
	uint8_t frame[FRAME_MAX];
	unsigned n;

	for (n = 0; n < READ_MAX; n++) {
		ssize_t len = read(twin[port_id] - 1, frame, sizeof(frame));
		struct rte_mbuf *m;
		char *p;

		if (len < 14)
			break;
		m = packet_alloc();
		if (m == NULL)
			continue;
		p = rte_pktmbuf_append(m, (uint16_t)len);
		if (p ==
		    NULL) { /* larger than a buffer: the twin's MTU is the port's, so this is not to be */
			rte_pktmbuf_free(m);
			continue;
		}
		memcpy(p, frame, (size_t)len);
		meta(m)->port = (uint16_t)port_id;
		meta(m)->flags |= META_F_LOCAL;
		inject(m, INJECT_PORT_TX);
	}
	return n;
}

unsigned host_poll(void)
{
	unsigned n = 0;

	for (uint32_t id = 0; n_twins != 0 && id < WORKER_PORTS_MAX; id++)
		if (twin[id] != 0)
			n += twin_read(id);
	return n;
}
