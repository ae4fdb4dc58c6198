/* SPDX-License-Identifier: BSD-3-Clause
 * Ports: object kind PORT over DPDK's hotplug, and the spreading of RX queues over workers.
 * A port's description is published whole in a slot; to change it, a new one replaces it under RCU. */
#include "dataplane/port.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "dataplane/api_server.h"
#include "dataplane/host.h"
#include "dataplane/hwclock.h"
#include "dataplane/impair.h"
#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/pipeline.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/worker.h"
#include "dataplane/xdp/sockets.h"
#include "dataplane/xdp/steer.h"

#include "heddle/api/l2.h"

static struct port *slot[WORKER_PORTS_MAX];

/* Placement of RX queues: worker of (port, queue), or -1. */
#define QUEUES_MAX 64u

#define MTU_DEFAULT 1500
#define MTU_MAX     9600
static int16_t placed[WORKER_PORTS_MAX][QUEUES_MAX];

struct port *port_get(uint32_t id)
{
	return id < WORKER_PORTS_MAX ? __atomic_load_n(&slot[id], __ATOMIC_ACQUIRE) : NULL;
}

int port_by_dpdk(uint16_t dpdk_port)
{
	for (uint32_t i = 0; i < WORKER_PORTS_MAX; i++)
		if (slot[i] != NULL && slot[i]->dpdk_port == dpdk_port)
			return (int)i;
	return -ENOENT;
}

static void port_publish(uint32_t id, struct port *p)
{
	struct port *old = slot[id];

	__atomic_store_n(&slot[id], p, __ATOMIC_RELEASE);
	rcu_retire(old, free);
}

/* ---- queues over workers --------------------------------------------------------------------------------- */

static int rxqs_publish(void)
{
	for (unsigned w = 0; w < dp_limits.workers; w++) {
		if (workers[w] == NULL)
			continue;
		struct worker_rxqs *q = calloc(1, sizeof(*q));

		if (q == NULL)
			return -ENOMEM;
		for (uint32_t id = 0; id < WORKER_PORTS_MAX; id++) {
			const struct port *p = slot[id];

			if (p == NULL)
				continue;
			for (uint16_t i = 0; i < p->n_rxq && q->n < WORKER_RXQ_MAX; i++) {
				if (placed[id][i] != (int16_t)w)
					continue;
				q->q[q->n].dpdk_port = p->dpdk_port;
				q->q[q->n].queue = i;
				q->q[q->n].port_id = (uint16_t)id;
				q->n++;
			}
			if (p->tx_handoff != NULL && p->tx_owner == w &&
			    q->n_handoff < WORKER_RXQ_MAX)
				q->handoff[q->n_handoff++] = (uint16_t)id;
		}
		struct worker_rxqs *old = workers[w]->rxqs;
		__atomic_store_n(&workers[w]->rxqs, q, __ATOMIC_RELEASE);
		rcu_retire(old, free);
	}
	return 0;
}

int ports_spread(void)
{
	unsigned next = 0;

	for (uint32_t id = 0; id < WORKER_PORTS_MAX; id++)
		for (uint16_t q = 0; slot[id] != NULL && q < slot[id]->n_rxq; q++)
			placed[id][q] = (int16_t)(next++ % RTE_MAX(1u, dp_limits.workers));
	return rxqs_publish();
}

int ports_place(uint32_t port_id, uint16_t queue, uint32_t worker)
{
	const struct port *p = port_get(port_id);

	if (p == NULL || queue >= p->n_rxq)
		return -ENOENT;
	if (worker >= dp_limits.workers && worker != PORT_UNPOLLED)
		return -EINVAL;
	placed[port_id][queue] = worker == PORT_UNPOLLED ? -1 : (int16_t)worker;
	return rxqs_publish();
}

int port_queue_worker(uint32_t port_id, uint16_t queue)
{
	return port_get(port_id) != NULL && queue < QUEUES_MAX ? placed[port_id][queue] : -1;
}

/* A new port's queues go where the fewest queues are; what is placed stays. */
static void place_new(const struct port *p)
{
	unsigned load[DP_WORKERS_MAX] = { 0 };

	for (uint32_t id = 0; id < WORKER_PORTS_MAX; id++)
		for (uint16_t q = 0; slot[id] != NULL && slot[id] != p && q < slot[id]->n_rxq; q++)
			if (placed[id][q] >= 0)
				load[placed[id][q]]++;
	for (uint16_t q = 0; q < p->n_rxq; q++) {
		unsigned best = 0;

		for (unsigned w = 1; w < dp_limits.workers; w++)
			if (load[w] < load[best])
				best = w;
		load[best]++;
		placed[p->id][q] = (int16_t)best;
	}
}

/* ---- making and removing a device ------------------------------------------------------------------------ */

/* Attach devargs and find the Ethernet port it made. */
static int device_attach(const char *devargs, uint16_t *ret_port, struct object_error *err)
{
	struct rte_dev_iterator it;
	struct rte_devargs da;
	uint16_t id;
	int rc;

	if (rte_devargs_parse(&da, devargs) < 0)
		return object_fail(
			err, -EINVAL,
			"devargs \"%s\" cannot be read: see the DPDK guide of the driver", devargs);
	if (rte_eth_dev_get_port_by_name(da.name, &id) == 0) {
		rte_devargs_reset(&da);
		return object_fail(err, -EEXIST, "device %.100s is already in use by another port",
				   devargs);
	}
	rte_devargs_reset(&da);
	rc = rte_dev_probe(devargs);
	if (rc < 0)
		return object_fail(
			err, rc == -EEXIST ? -EEXIST : -ENODEV,
			"device \"%.90s\" was refused by its driver (%s); the log of heddle-dp says why",
			devargs, strerror(-rc));
	RTE_ETH_FOREACH_MATCHING_DEV(id, devargs, &it)
	{
		rte_eth_iterator_cleanup(&it);
		*ret_port = id;
		return 0;
	}
	/* Some devices (PCI with arguments) match by name only. */
	if (rte_devargs_parse(&da, devargs) == 0 &&
	    rte_eth_dev_get_port_by_name(da.name, &id) == 0) {
		rte_devargs_reset(&da);
		*ret_port = id;
		return 0;
	}
	return object_fail(err, -ENODEV, "device \"%.120s\" made no Ethernet port", devargs);
}

static void device_detach(uint16_t dpdk_port)
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(dpdk_port, &info);

	if (rc == 0 && rte_eth_dev_stop(dpdk_port) < 0)
		log_debug("port: device %u did not stop", dpdk_port);
	rte_eth_dev_close(dpdk_port);
	if (rc == 0 && info.device != NULL && rte_dev_remove(info.device) < 0)
		log_debug("port: device %u stays attached to its bus", dpdk_port);
}

/* Ask the kernel about the interface that a device stands on (AF_PACKET, AF_XDP, TAP).  -ENODEV: there is none. */
static int kernel_ask(uint16_t dpdk_port, unsigned long what, struct ifreq *req)
{
	struct rte_eth_dev_info info;
	int fd, rc;

	if (rte_eth_dev_info_get(dpdk_port, &info) < 0 || info.if_index == 0 ||
	    if_indextoname(info.if_index, req->ifr_name) == NULL)
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = ioctl(fd, what, req) == 0 ? 0 : -errno;
	close(fd);
	return rc;
}

static uint16_t kernel_mtu(uint16_t dpdk_port)
{
	struct ifreq req = { 0 };

	if (kernel_ask(dpdk_port, SIOCGIFMTU, &req) < 0)
		return 0;
	return (uint16_t)RTE_MIN(req.ifr_mtu, MTU_MAX);
}

/* The drivers of kernel interfaces report a link whatever happens to it: the kernel knows.  IFF_RUNNING would be up to
 * a second late. */
static bool link_is_up(const struct port *p, struct rte_eth_link *ret)
{
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	struct ifreq req = { .ifr_data = (void *)&link };

	if (rte_eth_link_get_nowait(p->dpdk_port, ret) < 0)
		return p->up;
	return ret->link_status == RTE_ETH_LINK_UP &&
	       (kernel_ask(p->dpdk_port, SIOCETHTOOL, &req) < 0 || link.data != 0);
}

/* A configured MTU is the device's.  Without one a kernel interface keeps what its owner gave it, and we obey that. */
static uint16_t mtu_set(uint16_t dpdk_port, const struct hd_api_port *msg)
{
	uint16_t own = msg->mtu != 0 ? 0 : kernel_mtu(dpdk_port);
	uint16_t want = msg->mtu != 0 ? msg->mtu : own != 0 ? own : MTU_DEFAULT;
	int rc = rte_eth_dev_set_mtu(dpdk_port, want);

	if (rc < 0 && own > MTU_DEFAULT) {
		log_warn("port %s: its frames hold less than the MTU of the kernel's interface, %u "
			 "(%s): packets are checked against %u",
			 msg->name, own, strerror(-rc), MTU_DEFAULT);
		return MTU_DEFAULT;
	}
	if (rc < 0 && msg->mtu != 0)
		log_info(
			"port %s: the device keeps its own MTU (%s); packets are checked against %u",
			msg->name, strerror(-rc), want);
	return want;
}

/* Receive times by the device, where they are wanted and to be had; else software's, as on any port. */
static void stamps_start(const struct port *p, const struct hd_api_port *msg, uint64_t offloads)
{
	int rc = -ENOTSUP;

	if ((msg->flags & HD_PORT_F_RX_TIMESTAMP) == 0)
		return;
	if ((offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0)
		rc = hwclock_start(p->id, p->dpdk_port);
	log_info("port %s: %s (%s)", msg->name,
		 rc == 0 ? "the device stamps what it receives" :
			   "receive times are taken by software: the device has none",
		 strerror(-rc));
}

static int device_configure(struct port *p, const struct hd_api_port *msg, struct object_error *err)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	uint16_t n_rxd = msg->n_rxd != 0 ? msg->n_rxd : 1024,
		 n_txd = msg->n_txd != 0 ? msg->n_txd : 1024;
	int rc;

	rc = rte_eth_dev_info_get(p->dpdk_port, &info);
	if (rc < 0)
		return object_fail(err, rc, "device gives no information (%s)", strerror(-rc));
	/* a queue without a socket would leave the steered frames of its flows to the kernel */
	uint16_t want_rxq = msg->n_rxq != 0  ? msg->n_rxq :
			    p->steer != NULL ? info.max_rx_queues :
					       1u;
	p->n_rxq = RTE_MIN((unsigned)RTE_MIN(want_rxq, info.max_rx_queues), QUEUES_MAX);
	p->n_txq = RTE_MIN(msg->n_txq != 0 ? msg->n_txq : dp_limits.workers, info.max_tx_queues);
	if (msg->n_rxq > info.max_rx_queues)
		return object_fail(err, -EINVAL, "rx-queues %u: the device has at most %u",
				   msg->n_rxq, info.max_rx_queues);
	if (p->n_rxq > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info.flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
		if (conf.rx_adv_conf.rss_conf.rss_hf == 0)
			conf.rxmode.mq_mode =
				RTE_ETH_MQ_RX_NONE; /* the device spreads by itself, or not at all */
	}
	if (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) {
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
		p->features |= PORT_FEAT_MULTISEG;
	}
	if ((msg->flags & HD_PORT_F_RX_TIMESTAMP) != 0)
		conf.rxmode.offloads |= info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	rc = rte_eth_dev_configure(p->dpdk_port, p->n_rxq, p->n_txq, &conf);
	if (rc < 0)
		return object_fail(err, rc, "device refuses %u RX and %u TX queues (%s)", p->n_rxq,
				   p->n_txq, strerror(-rc));
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->dpdk_port, &n_rxd, &n_txd);
	if (rc < 0)
		return object_fail(err, rc, "device refuses its descriptor numbers (%s)",
				   strerror(-rc));
	for (uint16_t q = 0; q < p->n_rxq; q++) {
		rc = rte_eth_rx_queue_setup(p->dpdk_port, q, n_rxd, SOCKET_ID_ANY, NULL,
					    packet_pool());
		if (rc < 0)
			return object_fail(err, rc, "RX queue %u cannot be made (%s)", q,
					   strerror(-rc));
	}
	for (uint16_t q = 0; q < p->n_txq; q++) {
		rc = rte_eth_tx_queue_setup(p->dpdk_port, q, n_txd, SOCKET_ID_ANY, NULL);
		if (rc < 0)
			return object_fail(err, rc, "TX queue %u cannot be made (%s)", q,
					   strerror(-rc));
	}
	p->mtu = mtu_set(p->dpdk_port, msg);
	rc = rte_eth_dev_start(p->dpdk_port);
	if (rc < 0)
		return object_fail(err, rc, "device does not start (%s)%s", strerror(-rc),
				   strstr(msg->devargs, "memif") != NULL ?
					   ": start the memif server first" :
					   "");
	rc = (msg->flags & HD_PORT_F_PROMISC) != 0 ? rte_eth_promiscuous_enable(p->dpdk_port) :
						     rte_eth_allmulticast_enable(p->dpdk_port);
	if (rc < 0 && rc != -ENOTSUP)
		log_info("port %s: the device does not change its receive filter (%s)", msg->name,
			 strerror(-rc));
	rte_eth_macaddr_get(p->dpdk_port, &p->mac);
	stamps_start(p, msg, conf.rxmode.offloads);
	return 0;
}

static int handoff_make(struct port *p, struct object_error *err)
{
	char name[RTE_RING_NAMESIZE];

	if (p->n_txq >= dp_limits.workers)
		return 0;
	snprintf(name, sizeof(name), "tx%u.%u", p->id, p->dpdk_port);
	p->tx_handoff = rte_ring_create(name, 1024, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (p->tx_handoff == NULL)
		return object_fail(err, -ENOMEM, "no memory for the TX hand-off ring");
	p->tx_owner = 0;
	return 0;
}

static void txq_assign(const struct port *p)
{
	for (unsigned w = 0; w < dp_limits.workers; w++)
		if (workers[w] != NULL)
			workers[w]->txq[p->id] = p != NULL && w < p->n_txq ? (uint16_t)w :
									     UINT16_MAX;
}

static int twin_follow(const struct port *p, const struct hd_api_port *msg)
{
	if ((msg->flags & HD_PORT_F_TWIN) != 0)
		return host_twin_make(p->id, p->name, &p->mac, p->mtu);
	host_twin_remove(p->id);
	return 0;
}

/* The device, configured and started; on failure there is none. */
static int device_make(struct port *p, const struct hd_api_port *msg, const char *devargs,
		       struct object_error *err)
{
	struct xsk_sockets before, mine;

	xsk_sockets_list(&before);
	int rc = device_attach(devargs, &p->dpdk_port, err);
	if (rc < 0)
		return rc;
	rc = device_configure(p, msg, err);
	xsk_sockets_since(&before, &mine);
	if (rc == 0 && mine.n > 0) {
		p->xsks = malloc(sizeof(mine));
		if (p->xsks != NULL)
			*p->xsks = mine;
		else
			rc = object_fail(err, -ENOMEM, "out of memory");
	}
	if (rc < 0) {
		device_detach(p->dpdk_port);
		xsk_sockets_close(&mine);
	}
	return rc;
}

static void device_unmake(uint16_t dpdk_port, struct xsk_sockets *xsks)
{
	device_detach(dpdk_port);
	if (xsks != NULL)
		xsk_sockets_close(xsks);
	free(xsks);
}

static int port_make(const struct hd_api_port *msg, struct object_error *err)
{
	struct port *p = calloc(1, sizeof(*p));
	struct rte_eth_link link;
	char devargs[320];
	int rc;

	if (p == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	p->id = msg->port_id;
	memcpy(p->name, msg->name, sizeof(p->name));
	p->name[sizeof(p->name) - 1] = '\0';
	rc = steer_prepare(msg, devargs, sizeof(devargs), &p->steer, err);
	if (rc < 0)
		goto free_p;
	rc = device_make(p, msg, devargs, err);
	if (rc < 0)
		goto release;
	rc = p->steer != NULL ? steer_attached(p->steer, err) : 0;
	if (rc < 0)
		goto detach;
	rc = handoff_make(p, err);
	if (rc < 0)
		goto detach;
	rc = twin_follow(p, msg);
	if (rc < 0) {
		object_fail(err, rc,
			    "no twin %s in the kernel (%s): it needs /dev/net/tun, CAP_NET_ADMIN "
			    "and a free name of at most 15 characters",
			    p->name, strerror(-rc));
		goto detach;
	}
	txq_assign(p);
	p->up = link_is_up(p, &link);
	port_publish(p->id, p);
	place_new(p);
	rc = rxqs_publish();
	if (rc < 0)
		log_error("port %s: its queues are not polled (%s)", p->name, strerror(-rc));
	log_info("port %s: started (%s, %u rx, %u tx queues), link %s", p->name, devargs, p->n_rxq,
		 p->n_txq, p->up ? "up" : "down");
	return 0;
detach:
	device_unmake(p->dpdk_port, p->xsks);
release:
	steer_release(p->steer);
free_p:
	free(p);
	return rc;
}

static void handoff_free(void *ring)
{
	struct rte_mbuf *m;

	while (rte_ring_sc_dequeue(ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

static void port_unmake(uint32_t id)
{
	struct port *p = slot[id];

	if (p == NULL)
		return;
	uint16_t dpdk_port = p->dpdk_port;
	struct rte_ring *ring = p->tx_handoff;
	struct xsk_sockets *xsks = p->xsks;
	struct steer *steer = p->steer;

	pipelines_link_changed(id, 0);
	log_info("port %s: removed", p->name);
	host_twin_remove(id);
	impair_port_gone(id);
	hwclock_stop(id);
	port_publish(id, NULL);
	rxqs_publish();
	rcu_drain(); /* no worker polls it or sends through it any more */
	if (ring != NULL)
		handoff_free(ring);
	for (unsigned w = 0; w < dp_limits.workers; w++)
		if (workers[w] != NULL)
			workers[w]->txq[id] = UINT16_MAX;
	device_unmake(dpdk_port, xsks);
	steer_release(steer);
}

/* ---- object kind PORT ------------------------------------------------------------------------------------ */

static int port_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_port *msg = m;

	(void)old;
	if (msg->port_id >= WORKER_PORTS_MAX)
		return object_fail(err, -EINVAL, "port id %u: at most %u ports", msg->port_id,
				   WORKER_PORTS_MAX);
	if (memchr(msg->devargs, '\0', sizeof(msg->devargs)) == NULL || msg->devargs[0] == '\0')
		return object_fail(err, -EINVAL, "port has no device (devargs)");
	if (msg->mtu != 0 && (msg->mtu < 68 || msg->mtu > MTU_MAX))
		return object_fail(err, -EINVAL, "mtu %u is not between 68 and %u", msg->mtu,
				   MTU_MAX);
	return 0;
}

/* What needs the device to be made anew. */
static bool same_device(const struct hd_api_port *a, const struct hd_api_port *b)
{
	return strncmp(a->devargs, b->devargs, sizeof(a->devargs)) == 0 && a->n_rxq == b->n_rxq &&
	       a->n_txq == b->n_txq && a->n_rxd == b->n_rxd && a->n_txd == b->n_txd &&
	       ((a->flags ^ b->flags) & (HD_PORT_F_STEER | HD_PORT_F_RX_TIMESTAMP)) == 0;
}

static int port_modify(const struct hd_api_port *msg, struct object_error *err)
{
	const struct port *was = slot[msg->port_id];
	struct port *p;

	if (was == NULL)
		return port_make(msg, err);
	p = malloc(sizeof(*p));
	if (p == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*p = *was;
	int rc = twin_follow(p, msg);
	if (rc < 0) {
		free(p);
		return object_fail(err, rc, "no twin in the kernel (%s)", strerror(-rc));
	}
	memcpy(p->name, msg->name, sizeof(p->name));
	p->name[sizeof(p->name) - 1] = '\0';
	if (msg->mtu != was->mtu)
		p->mtu = mtu_set(p->dpdk_port, msg);
	if ((msg->flags & HD_PORT_F_PROMISC) != 0)
		rte_eth_promiscuous_enable(p->dpdk_port);
	else
		rte_eth_promiscuous_disable(p->dpdk_port);
	port_publish(p->id, p);
	return 0;
}

static int port_apply(const void *m, const void *o, struct object_error *err)
{
	const struct hd_api_port *msg = m, *old = o;
	int rc;

	if (old == NULL)
		return port_make(msg, err);
	if (same_device(msg, old))
		return port_modify(msg, err);
	port_unmake(msg->port_id);
	rc = port_make(msg, err);
	if (rc < 0) {
		struct object_error again;

		if (port_make(old, &again) < 0)
			log_error("port %s: could not be put back (%s)", old->name, again.text);
	}
	return rc;
}

static void port_remove(const void *o)
{
	port_unmake(((const struct hd_api_port *)o)->port_id);
}

static const struct object_kind port_kind = {
	.type = HD_API_PORT,
	.rank = 10,
	.name = "port",
	.key_size = sizeof(uint32_t),
	.min_size = sizeof(struct hd_api_port),
	.max_size = sizeof(struct hd_api_port),
	.check = port_check,
	.apply = port_apply,
	.remove = port_remove,
	.capacity = WORKER_PORTS_MAX,
};

int ports_init(void)
{
	memset(placed, 0xff, sizeof(placed));
	return object_kind_register(&port_kind);
}

void ports_fini(void)
{
	for (uint32_t id = 0; id < WORKER_PORTS_MAX; id++)
		port_unmake(id);
}

void ports_tick(void)
{
	for (uint32_t id = 0; id < WORKER_PORTS_MAX; id++) {
		struct rte_eth_link link;
		struct hd_api_event ev = { .kind = HD_EVENT_PORT_STATE };

		if (slot[id] == NULL)
			continue;
		bool up = link_is_up(slot[id], &link);
		if (up == slot[id]->up)
			continue;
		slot[id]->up = up; /* one word, read by nobody who minds the moment */
		log_info("port %s: link %s", slot[id]->name, up ? "up" : "down");
		pipelines_link_changed(id, up);
		ev.u.port.port_id = id;
		ev.u.port.up = up;
		ev.u.port.speed_mbps = link.link_speed;
		api_server_event(&ev);
	}
}
