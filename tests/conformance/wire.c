/* SPDX-License-Identifier: BSD-3-Clause
 * The node under test over wires: raw sockets, one per port, or one with a VLAN for each port.
 *
 * What any node sends by itself (ARP, Neighbor and Multicast Listener Discovery) is not an answer and is left out,
 * nor is what ARP's failure makes of earlier packets. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "heddle/wire/eth.h"
#include "heddle/wire/icmp4.h"
#include "heddle/wire/icmp6.h"
#include "tests/conformance/conformance.h"

#define PORTS_MAX 16u
#define QUEUE_MAX 2048u
#define QUIET_MS  40 /* nothing for so long after something: the answer is complete */
#define VLAN_BASE 100u

struct frame {
	uint32_t port, len;
	uint8_t *octets;
};

static struct {
	int fd[PORTS_MAX];
	uint32_t n_fd, n_ports, wait_ms;
	bool trunk;
	struct frame queue[QUEUE_MAX];
	uint32_t n;
} wire;

static int socket_open(const char *iface)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct packet_mreq all = { .mr_type = PACKET_MR_PROMISC };
	int one = 1, room = 8 << 20, fd;

	a.sll_ifindex = (int)if_nametoindex(iface);
	if (a.sll_ifindex == 0) {
		fprintf(stderr, "heddle-conformance: there is no interface %s\n", iface);
		return -ENODEV;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int rc = -errno;

		fprintf(stderr, "heddle-conformance: %s: %s%s\n", iface, strerror(-rc),
			rc == -EPERM ? "; raw sockets need root or CAP_NET_RAW" : "");
		return rc;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	all.mr_ifindex = a.sll_ifindex;
	(void)setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
	return fd;
}

int wire_open(const struct wire_conf *c)
{
	char *copy = strdup(c->iface), *save = NULL;

	if (copy == NULL)
		return -ENOMEM;
	wire.n_ports = c->n_ports;
	wire.wait_ms = c->wait_ms;
	for (char *t = strtok_r(copy, ",", &save); t != NULL && wire.n_fd < PORTS_MAX;
	     t = strtok_r(NULL, ",", &save)) {
		int fd = socket_open(t);

		if (fd < 0) {
			free(copy);
			return fd;
		}
		wire.fd[wire.n_fd++] = fd;
	}
	free(copy);
	wire.trunk = wire.n_fd == 1;
	if (!wire.trunk && wire.n_fd != c->n_ports) {
		fprintf(stderr,
			"heddle-conformance: one interface, or %u for the %u ports of the suite\n",
			c->n_ports, c->n_ports);
		return -EINVAL;
	}
	return 0;
}

void wire_rx(uint32_t port, const void *frame, size_t len)
{
	static uint8_t tagged[ETH_HLEN + 4 + 65536];
	const uint8_t *from = frame;
	int fd = wire.trunk ? wire.fd[0] : wire.fd[port - 1];

	if (wire.trunk) {
		memcpy(tagged, from, 12);
		wire_put16(tagged + 12, ETHTYPE_VLAN);
		wire_put16(tagged + 14, (uint16_t)(VLAN_BASE + port));
		memcpy(tagged + 16, from + 12, len - 12);
		from = tagged;
		len += 4;
	}
	if (send(fd, from, len, 0) < 0)
		conf_fail("send", "port %u: %s", port, strerror(errno));
}

#define ETHTYPE_EXPERIMENT 0x88b5u /* of the frames of rows (IEEE 802) */

/* Is it an answer?  IP that is not about neighbours or groups, and frames that rows are made of. */
static bool is_answer(const uint8_t *f, uint32_t len)
{
	uint16_t type = len < 14 ? 0 : wire_get16(f + 12);

	/* "host unreachable" comes when address resolution has given up, rows after the packet it is about */
	if (type == ETHTYPE_IP4)
		return len < 14 + 22 || f[23] != IP_NH_ICMP4 || f[34] != ICMP4_UNREACH ||
		       f[35] != ICMP4_UNREACH_HOST;
	if (type == ETHTYPE_EXPERIMENT || type == ETHTYPE_VLAN)
		return true;
	if (type != ETHTYPE_IP6 || len < 14 + 41)
		return type == ETHTYPE_IP6;
	if (f[20] == IP_NH_HOPOPTS && len >= 14 + 49 && f[54] == IP_NH_ICMP6)
		return f[62] < 130 || (f[62] > 132 && f[62] != 143);
	if (f[20] == IP_NH_ICMP6)
		return f[54] < ICMP6_RS || f[54] > ICMP6_REDIRECT;
	return true;
}

static void keep(uint32_t port, const uint8_t *f, uint32_t len)
{
	struct frame *q = &wire.queue[wire.n];

	if (wire.n == QUEUE_MAX || port == 0 || port > wire.n_ports || !is_answer(f, len))
		return;
	q->octets = malloc(len);
	if (q->octets == NULL)
		return;
	memcpy(q->octets, f, len);
	q->port = port;
	q->len = len;
	wire.n++;
}

/* One frame of a socket; false: none.  The kernel takes the outer tag out and tells it beside. */
static bool take(uint32_t i)
{
	static uint8_t buf[65536];
	uint8_t aux[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec io = { buf, sizeof(buf) - 4 };
	struct sockaddr_ll from;
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = aux,
			    .msg_controllen = sizeof(aux) };
	ssize_t n = recvmsg(wire.fd[i], &m, 0);
	uint16_t vid = 0;

	if (n < 0)
		return false;
	if (from.sll_pkttype == PACKET_OUTGOING)
		return true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		const struct tpacket_auxdata *a = (const void *)CMSG_DATA(c);

		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA &&
		    (a->tp_status & TP_STATUS_VLAN_VALID) != 0)
			vid = a->tp_vlan_tci & VLAN_VID_MASK;
	}
	if (!wire.trunk && vid != 0) { /* a tag of the frame's own: back to where it was */
		memmove(buf + 16, buf + 12, (size_t)n - 12);
		wire_put16(buf + 12, ETHTYPE_VLAN);
		wire_put16(buf + 14, vid);
		keep(i + 1, buf, (uint32_t)n + 4);
	} else if (!wire.trunk)
		keep(i + 1, buf, (uint32_t)n);
	else if (vid > VLAN_BASE)
		keep(vid - VLAN_BASE, buf, (uint32_t)n);
	else if (n > 18 && wire_get16(buf + 12) == ETHTYPE_VLAN) {
		uint32_t port = (wire_get16(buf + 14) & VLAN_VID_MASK) - VLAN_BASE;

		memmove(buf + 4, buf, 12);
		keep(port, buf + 4, (uint32_t)n - 4);
	}
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void wire_turn(void)
{
	struct pollfd p[PORTS_MAX];
	int64_t end = now_ms() + wire.wait_ms;
	uint32_t before = wire.n;

	for (uint32_t i = 0; i < wire.n_fd; i++)
		p[i] = (struct pollfd){ .fd = wire.fd[i], .events = POLLIN };
	while (now_ms() < end) {
		if (poll(p, wire.n_fd, (int)(end - now_ms()) + 1) <= 0)
			break;
		for (uint32_t i = 0; i < wire.n_fd; i++)
			while (take(i))
				;
		if (wire.n != before) {
			before = wire.n;
			end = now_ms() + QUIET_MS;
		}
	}
}

size_t wire_tx(uint32_t port, void *buf, size_t size)
{
	for (uint32_t i = 0; i < wire.n; i++) {
		struct frame f = wire.queue[i];

		if (f.port != port)
			continue;
		memcpy(buf, f.octets, f.len < size ? f.len : size);
		free(f.octets);
		memmove(&wire.queue[i], &wire.queue[i + 1], (wire.n - i - 1) * sizeof(f));
		wire.n--;
		return f.len;
	}
	return 0;
}
