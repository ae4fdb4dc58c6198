/* SPDX-License-Identifier: BSD-3-Clause
 * Ports, threads, and the course of a trial. */
#include "bench/traffic/gen.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "bench/traffic/gen_int.h"
#include "dataplane/mem_plan.h"

#define POOL_MBUFS   16384u
#define WINDOW_TOTAL (1u << 25) /* bits of all flows' windows: 4 MiB */
#define WINDOW_MIN   512u
#define WINDOW_MAX   65536u
#define LEARN_S      0.5 /* for the system under test to take in the announcements */
#define LINK_WAIT_MS 10000u
#define SETTLE_LOOKS 1000u
#define SETTLE_MS    20 /* no packet for so long, and none missing: nothing is under way any more */

struct gen gen;

double gen_tsc_hz(void)
{
	return gen.hz;
}

bool gen_huge(void)
{
	return gen.huge;
}

/* ---- start -------------------------------------------------------------------------------------------------- */

static int eal_start(const struct gen_config *cfg)
{
	const char *argv[48];
	char lcores[32], mem[16], prefix[32];
	struct memory_plan plan;
	bool pci = false;
	int argc = 0;
	uint32_t mib = 160 + POOL_MBUFS / 1024 * ((cfg->max_octets + 1023) / 1024);

	if (memory_plan(cfg->no_huge ? MEMORY_HUGE_NEVER : MEMORY_HUGE_AUTO, mib, &plan) < 0) {
		fprintf(stderr, "heddle-bench: %s\n", plan.why);
		return -ENOMEM;
	}
	/* A device is attached by rte_dev_probe(); only PCI needs its bus scanned from the start. */
	for (uint32_t i = 0; cfg->open == NULL && i < cfg->n_ports; i++)
		pci = pci || strchr(cfg->devargs[i], ':') == cfg->devargs[i] + 4 ||
		      strchr(cfg->devargs[i], ':') == cfg->devargs[i] + 2;
	snprintf(lcores, sizeof(lcores), "0@%d", cfg->cpu[0]);
	snprintf(mem, sizeof(mem), "%u", plan.eal_mib);
	snprintf(prefix, sizeof(prefix), "heddletraffic%d", (int)getpid());
	argv[argc++] = "heddle-bench";
	argv[argc++] = "--lcores";
	argv[argc++] = lcores;
	argv[argc++] = "--file-prefix";
	argv[argc++] = prefix;
	argv[argc++] = "--log-level=error";
	argv[argc++] = "--no-telemetry";
	if (!pci) {
		argv[argc++] = "--no-pci";
		argv[argc++] = "--iova-mode=va";
	}
	gen.huge = plan.huge;
	if (plan.huge) {
		argv[argc++] = "--in-memory";
	} else {
		argv[argc++] = "--no-huge";
		argv[argc++] = "--no-shconf";
		argv[argc++] = "-m";
		argv[argc++] = mem;
	}
	for (uint32_t i = 0; cfg->eal != NULL && cfg->eal[i] != NULL && argc < 46; i++)
		argv[argc++] = cfg->eal[i];
	argv[argc] = NULL;
	if (rte_eal_init(argc, (char **)(uintptr_t)argv) < 0) {
		fprintf(stderr, "heddle-bench: DPDK does not start (%s)\n",
			rte_strerror(rte_errno));
		return -rte_errno;
	}
	return 0;
}

static int device_open(const char *devargs, uint16_t *ret)
{
	struct rte_devargs da = { 0 };
	struct rte_dev_iterator it;
	uint16_t id;
	int rc = rte_dev_probe(devargs);

	if (rc < 0) {
		fprintf(stderr, "heddle-bench: port \"%s\": its driver refuses it (%s)%s\n",
			devargs, strerror(-rc), rc == -EEXIST ? ": is it given twice?" : "");
		return rc;
	}
	RTE_ETH_FOREACH_MATCHING_DEV(id, devargs, &it)
	{
		rte_eth_iterator_cleanup(&it);
		*ret = id;
		return 0;
	}
	if (rte_devargs_parse(&da, devargs) == 0 &&
	    rte_eth_dev_get_port_by_name(da.name, ret) == 0) {
		rte_devargs_reset(&da);
		return 0;
	}
	fprintf(stderr, "heddle-bench: port \"%s\": no Ethernet port came of it\n", devargs);
	return -ENODEV;
}

static int port_start(struct gen_port *p, const char *text)
{
	uint16_t n_rxd = (uint16_t)(gen.cfg.queue != 0 ? gen.cfg.queue : 1024), n_txd = n_rxd;
	struct rte_eth_conf conf = { 0 };
	struct rte_ether_addr mac;
	const char *step = "configure";
	int rc = rte_eth_dev_configure(p->id, 1, 1, &conf);

	if (rc == 0) {
		step = "descriptors";
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &n_rxd, &n_txd);
	}
	if (rc == 0) {
		step = "receive queue";
		rc = rte_eth_rx_queue_setup(p->id, 0, n_rxd, SOCKET_ID_ANY, NULL, gen.pool);
	}
	if (rc == 0) {
		step = "transmit queue";
		rc = rte_eth_tx_queue_setup(p->id, 0, n_txd, SOCKET_ID_ANY, NULL);
	}
	if (rc == 0) {
		/* Virtual devices often refuse an MTU, and carry what they carry. */
		(void)rte_eth_dev_set_mtu(p->id, (uint16_t)RTE_MAX(1500u, gen.cfg.max_octets - 14));
		step = "start";
		rc = rte_eth_dev_start(p->id);
	}
	if (rc == 0) {
		step = "MAC address";
		rc = rte_eth_macaddr_get(p->id, &mac);
	}
	if (rc < 0) {
		fprintf(stderr, "heddle-bench: port \"%s\": %s: %s%s\n", text, step, strerror(-rc),
			strstr(text, "memif") != NULL && strcmp(step, "start") == 0 ?
				"; a memif client starts when its server is there" :
				"");
		return rc;
	}
	memcpy(&p->mac, &mac, 6);
	(void)rte_eth_promiscuous_enable(p->id); /* what a system sends to other MACs is seen too */
	return 0;
}

/* A memif or a NIC needs a moment. */
static int links_wait(void)
{
	for (uint32_t i = 0; i < gen.n_ports; i++) {
		struct rte_eth_link link = { 0 };
		uint32_t ms = 0;

		while (rte_eth_link_get_nowait(gen.port[i].id, &link) == 0 &&
		       link.link_status == RTE_ETH_LINK_DOWN) {
			if (ms++ == LINK_WAIT_MS) {
				fprintf(stderr,
					"heddle-bench: port %u has no link; is the other end up?\n",
					i);
				return -ENETDOWN;
			}
			usleep(1000);
		}
	}
	return 0;
}

static int ports_start(void)
{
	uint16_t id[STREAM_PORTS_MAX];
	char name[32];
	int rc;

	if (gen.cfg.open != NULL) {
		rc = gen.cfg.open(gen.cfg.arg, id, gen.pool);
		if (rc < 0)
			return rc;
	}
	for (uint32_t i = 0; i < gen.n_ports; i++) {
		if (gen.cfg.open == NULL) {
			rc = device_open(gen.cfg.devargs[i], &id[i]);
			if (rc < 0)
				return rc;
		}
		gen.port[i].id = id[i];
		snprintf(name, sizeof(name), "answers%u", i);
		gen.port[i].answers =
			rte_ring_create(name, 64, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (gen.port[i].answers == NULL)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < gen.n_ports; i++) {
		rc = port_start(&gen.port[i], gen.cfg.open == NULL ? gen.cfg.devargs[i] :
								     "memif of the self-test");
		if (rc < 0)
			return rc;
	}
	return links_wait();
}

static int flows_start(const struct streams *s)
{
	uint32_t flow = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		if (s->stream[i].from >= gen.n_ports || s->stream[i].to >= gen.n_ports) {
			fprintf(stderr,
				"heddle-bench: stream %s goes from port %u to %u, but there are %u ports\n",
				s->stream[i].name, s->stream[i].from, s->stream[i].to, gen.n_ports);
			return -EINVAL;
		}
		gen.stream[i] =
			(struct gen_stream){ .conf = &s->stream[i], .first_flow = gen.n_flows };
		gen.n_flows += s->stream[i].flows;
	}
	gen.n_streams = s->n;
	gen.window = WINDOW_MAX;
	while (gen.window > WINDOW_MIN && (uint64_t)gen.window * gen.n_flows > WINDOW_TOTAL)
		gen.window /= 2;
	gen.tx_seq = calloc(gen.n_flows, sizeof(*gen.tx_seq));
	gen.rx = calloc(gen.n_flows, sizeof(*gen.rx));
	gen.flow_stream = calloc(gen.n_flows, sizeof(*gen.flow_stream));
	gen.windows = calloc(gen.n_flows, gen.window / 8);
	if (gen.tx_seq == NULL || gen.rx == NULL || gen.flow_stream == NULL || gen.windows == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n; i++)
		for (uint32_t k = 0; k < s->stream[i].flows; k++)
			gen.flow_stream[flow++] = (uint8_t)i;
	for (uint32_t i = 0; i < s->n_ports && i < gen.n_ports; i++)
		gen.port[i].conf = &s->port[i];
	return 0;
}

int gen_start(const struct gen_config *cfg, const struct streams *s)
{
	int rc;

	memset(&gen, 0, sizeof(gen));
	gen.cfg = *cfg;
	gen.n_ports = cfg->n_ports;
	if (gen.cfg.drain_s <= 0)
		gen.cfg.drain_s = GEN_DRAIN_S;
	if (gen.cfg.catch_up_s <= 0)
		gen.cfg.catch_up_s = PACE_CATCH_UP_S;
	rc = flows_start(s);
	if (rc < 0)
		return rc;
	rc = eal_start(cfg);
	if (rc < 0)
		return rc;
	gen.hz = (double)rte_get_tsc_hz();
	/* Another run on the same wire has other tags, most likely. */
	gen.tag = (uint16_t)(rte_rdtsc() ^ (uint64_t)getpid() << 7);
	gen.pool = rte_pktmbuf_pool_create(
		"traffic", POOL_MBUFS, 256, 0,
		(uint16_t)(RTE_PKTMBUF_HEADROOM + RTE_MAX(2048u, cfg->max_octets + 64)),
		SOCKET_ID_ANY);
	if (gen.pool == NULL) {
		fprintf(stderr, "heddle-bench: no memory for %u packet buffers\n", POOL_MBUFS);
		return -ENOMEM;
	}
	return ports_start();
}

void gen_stop(void)
{
	for (uint32_t i = 0; i < gen.n_ports; i++)
		if (gen.port[i].answers != NULL)
			rte_eth_dev_stop(gen.port[i].id);
	for (uint32_t i = 0; i < gen.n_streams; i++)
		free(gen.stream[i].header);
	free(gen.tx_seq);
	free(gen.rx);
	free(gen.flow_stream);
	free(gen.windows);
	if (gen.hz > 0) /* DPDK runs */
		rte_eal_cleanup();
}

const char *gen_port_text(uint32_t port, char *to, size_t size)
{
	char name[RTE_ETH_NAME_MAX_LEN] = "?";
	const uint8_t *m = gen.port[port].mac.b;

	rte_eth_dev_get_name_by_port(gen.port[port].id, name);
	snprintf(to, size, "%s %02x:%02x:%02x:%02x:%02x:%02x", name, m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	return to;
}

/* ---- frames and rates --------------------------------------------------------------------------------------- */

int gen_frames(const uint32_t *size, uint32_t n_sizes)
{
	return tx_frames(size, n_sizes);
}

static double stream_octets(const struct gen_stream *s)
{
	double sum = 0;

	for (uint32_t k = 0; k < s->conf->n_frames; k++)
		sum += s->conf->frame[k].len + FRAME_FCS;
	if (s->conf->n_frames != 0)
		return sum / s->conf->n_frames;
	for (uint32_t k = 0; k < s->n_sizes; k++)
		sum += s->size[k] + FRAME_FCS;
	return sum / s->n_sizes;
}

double gen_mean_octets(void)
{
	double octets = 0, weight = 0;

	for (uint32_t i = 0; i < gen.n_streams; i++) {
		octets += gen.stream[i].conf->weight * stream_octets(&gen.stream[i]);
		weight += gen.stream[i].conf->weight;
	}
	return octets / weight;
}

double gen_line_pps(double line_bps)
{
	double least = 0;

	for (uint32_t p = 0; p < gen.n_ports; p++) {
		struct rte_eth_link link = { 0 };
		double bps = line_bps, bits = 0, weight = 0;

		for (uint32_t i = 0; i < gen.n_streams; i++) {
			const struct gen_stream *s = &gen.stream[i];

			weight += s->conf->weight;
			if (s->conf->from ==
			    p) /* preamble and gap: 20 octets, IEEE 802.3 section 4.4.2 */
				bits += s->conf->weight * (stream_octets(s) + 20) * 8;
		}
		if (bps <= 0 && rte_eth_link_get_nowait(gen.port[p].id, &link) == 0 &&
		    link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
			bps = link.link_speed * 1e6;
		if (bits > 0 && bps > 0 && (least == 0 || bps / bits * weight < least))
			least = bps / bits * weight;
	}
	return least;
}

double gen_ceiling(void)
{
	uint64_t start, n;

	tx_start(&(struct gen_trial){ .seconds = 1 });
	start = rte_rdtsc();
	n = tx_make_and_drop(start + (uint64_t)(0.05 * gen.hz));
	return (double)n * gen.hz / (double)(rte_rdtsc() - start);
}

/* ---- trials ------------------------------------------------------------------------------------------------- */

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set),
				     &set); /* refused: it runs where it may */
	(void)rte_thread_register();        /* a mempool cache of its own */
}

static bool drained(uint64_t now)
{
	uint64_t last = gen.last_rx_tsc > gen.last_tsc ? gen.last_rx_tsc : gen.last_tsc;

	/* Looks count too: time alone may have passed while this CPU did something else. */
	if (now > gen.last_tsc && (double)(now - gen.last_tsc) > gen.cfg.drain_s * gen.hz &&
	    gen.looks > SETTLE_LOOKS)
		return true;
	return gen.live_unique >= gen.live_sent && now > last &&
	       (double)(now - last) > SETTLE_MS / 1e3 * gen.hz;
}

static void *sender(void *arg)
{
	(void)arg;
	pin(gen.cfg.cpu[0]);
	while (tx_turn())
		;
	tx_abandon();
	gen.sending = false;
	while (gen.receiving) { /* answers to neighbours go on */
		tx_turn();
		rte_pause();
	}
	rte_thread_unregister();
	return NULL;
}

static void *receiver(void *arg)
{
	(void)arg;
	pin(gen.cfg.cpu[1]);
	do
		rx_turn();
	while (gen.sending || !drained(rte_rdtsc()));
	gen.receiving = false;
	rte_thread_unregister();
	return NULL;
}

static void *both(void *arg)
{
	(void)arg;
	pin(gen.cfg.cpu[0]);
	while (tx_turn())
		rx_turn();
	tx_abandon();
	gen.sending = false;
	do {
		rx_turn();
		tx_turn();
	} while (!drained(rte_rdtsc()));
	gen.receiving = false;
	rte_thread_unregister();
	return NULL;
}

static void device_counts(uint64_t *missed, uint64_t *errors)
{
	*missed = *errors = 0;
	for (uint32_t i = 0; i < gen.n_ports; i++) {
		struct rte_eth_stats s;

		if (rte_eth_stats_get(gen.port[i].id, &s) < 0)
			continue;
		*missed += s.imissed + s.ierrors + s.rx_nombuf;
		*errors += s.oerrors;
	}
}

int gen_trial(const struct gen_trial *t, struct gen_result *ret, gen_progress_fn progress)
{
	bool two = gen.cfg.cpu[1] >= 0;
	uint64_t start = rte_rdtsc(), missed, errors, shown = start;
	pthread_t thread[2];

	memset(ret, 0, sizeof(*ret));
	ret->asked = *t;
	gen.r = ret;
	gen.tag++;
	gen.trials = (uint16_t)RTE_MIN(gen.trials + 1, 256);
	device_counts(&missed, &errors);
	rx_start();
	tx_start(t);
	gen.sending = gen.receiving = true;
	if (pthread_create(&thread[0], NULL, two ? sender : both, NULL) != 0)
		return -EAGAIN;
	if (two && pthread_create(&thread[1], NULL, receiver, NULL) != 0) {
		gen.most = 0;
		gen.receiving = false;
		pthread_join(thread[0], NULL);
		return -EAGAIN;
	}
	while (gen.receiving) {
		uint64_t now = rte_rdtsc();

		usleep(2000);
		if (progress != NULL && (double)(now - shown) > 0.5 * gen.hz) {
			progress((double)(now - start) / gen.hz, gen.live_sent, gen.live_unique);
			shown = now;
		}
	}
	pthread_join(thread[0], NULL);
	if (two)
		pthread_join(thread[1], NULL);
	rx_collect();
	ret->behind = gen.pace.behind;
	ret->seconds = (double)(gen.last_tsc - gen.first_tsc) / gen.hz;
	/* n packets have n - 1 gaps between them; as many as were asked for means the rate was met. */
	ret->offered = t->packets != 0 || ret->all.sent < 2 ?
			       (ret->seconds > 0 ? (double)ret->all.sent / ret->seconds : 0) :
			       (double)ret->all.sent / t->seconds;
	ret->took = (double)(rte_rdtsc() - start) / gen.hz;
	device_counts(&ret->device_rx_missed, &ret->device_tx_errors);
	ret->device_rx_missed -= missed;
	ret->device_tx_errors -= errors;
	return 0;
}

uint64_t gen_gap(const struct gen_result *r, double percent)
{
	double want = percent / 100 * (double)r->gap.sum, seen = 0;

	for (uint32_t i = 0; i < HD_HIST_BUCKETS - 1; i++) {
		seen += (double)r->gap.bucket[i] * (double)hd_hist_high(i);
		if (seen >= want && r->gap.bucket[i] != 0)
			return hd_hist_high(i) < r->gap.max ? hd_hist_high(i) : r->gap.max;
	}
	return r->gap.max;
}

/* ---- gateways ----------------------------------------------------------------------------------------------- */

int gen_resolve(double timeout_s)
{
	struct gen_result *r = calloc(1, sizeof(*r));
	uint64_t start = rte_rdtsc(), asked = 0, now, least = 0;
	bool missing = true;

	if (r == NULL)
		return -ENOMEM;
	gen.r = r;
	gen.most = 0; /* the transmitter sends answers only */
	for (uint32_t i = 0; i < gen.n_ports; i++)
		if (gen.port[i].conf != NULL && gen.port[i].conf->n_addrs != 0)
			least = (uint64_t)(LEARN_S * gen.hz);
	while ((missing || rte_rdtsc() - start < least) &&
	       (double)((now = rte_rdtsc()) - start) < timeout_s * gen.hz) {
		bool ask = asked == 0 || (double)(now - asked) > 0.2 * gen.hz;

		missing = false;
		for (uint32_t i = 0; i < gen.n_ports; i++) {
			struct gen_port *p = &gen.port[i];

			if (ask)
				neigh_announce(p);
			if (p->conf == NULL || p->conf->gateway.octets == 0 || p->have_gateway)
				continue;
			missing = true;
			if (ask)
				neigh_ask(p);
		}
		if (ask)
			asked = now;
		tx_turn();
		rx_turn();
	}
	gen.r = NULL;
	free(r);
	for (uint32_t i = 0; missing && i < gen.n_ports; i++) {
		const struct gen_port *p = &gen.port[i];

		if (p->conf != NULL && p->conf->gateway.octets != 0 && !p->have_gateway)
			fprintf(stderr,
				"heddle-bench: the gateway of port %u does not answer; is the system under test "
				"up, and its address right?\n",
				i);
	}
	return missing ? -EHOSTUNREACH : 0;
}
