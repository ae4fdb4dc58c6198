/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline ip: IPv4 and IPv6 forwarding, neighbours, ICMP. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "dataplane/debug_api.h"
#include "dataplane/punt.h"
#include "pipelines/ip/internal.h"

struct ip_punt ip_punt;
struct ip_worker ip_workers[STATS_SLICES_MAX];

static void iface_changed(const struct iface *old, const struct iface *new)
{
	addr_iface_changed(old, new);
	neigh_iface_changed(old, new);
	nexthops_iface_changed(new != NULL ? new->id : old->id);
	nhgroups_follow();
}

static const struct reason_row {
	uint8_t *reason;
	const char *name, *help;
	uint32_t rate, burst;
	punt_handler handler;
} reasons[] = {
	{ &ip_punt.arp, "arp", "ARP requests and replies (RFC 826)", 2000, 500, neigh_arp_rx },
	{ &ip_punt.nd, "nd", "Neighbor Discovery messages (RFC 4861)", 2000, 500, neigh_nd_rx },
	{ &ip_punt.unresolved, "unresolved", "packets that wait for a neighbour's address", 4000,
	  1000, neigh_unresolved },
	{ &ip_punt.icmp4_error, "icmp4-error",
	  "ICMP errors sent; the policer is their rate limit (RFC 1812 4.3.2.8)", 100, 10, NULL },
	{ &ip_punt.icmp6_error, "icmp6-error",
	  "ICMPv6 errors sent; the policer is their rate limit (RFC 4443 2.4(f))", 100, 10, NULL },
};

static int reasons_register(void)
{
	for (size_t i = 0; i < RTE_DIM(reasons); i++) {
		const struct reason_row *r = &reasons[i];
		int rc =
			punt_reason_register(r->name, r->help, r->rate, r->burst, r->handler, NULL);

		if (rc < 0)
			return rc;
		*r->reason = (uint8_t)rc;
	}
	return l2_ethertype_punt(ETHTYPE_ARP, ip_punt.arp);
}

/* NEIGH_STATE: the table, entry by entry. */
struct neigh_answer {
	debug_send_fn send;
	void *arg;
};

static int neigh_state_send(const struct hd_api_neigh_state *n, void *arg)
{
	const struct neigh_answer *a = arg;

	a->send(a->arg, HD_API_NEIGH_STATE, n, sizeof(*n));
	return 0;
}

static int neigh_state_request(const void *body, size_t size, debug_send_fn send, void *arg,
			       struct hd_api_reply *reply)
{
	struct neigh_answer a = { .send = send, .arg = arg };

	(void)body;
	(void)size;
	(void)reply;
	return ip_neigh_walk(neigh_state_send, &a);
}

static void workers_fini(void)
{
	for (unsigned i = 0; i < STATS_SLICES_MAX; i++)
		fib_cache_destroy(ip_workers[i].cache);
	memset(ip_workers, 0, sizeof(ip_workers));
}

static int workers_init(void)
{
	for (unsigned i = 0; i <= stats_hidden_slice(); i++) { /* the worker of explain.h too */
		struct ip_worker *w = &ip_workers[i];

		w->cache = fib_cache_create();
		if (w->cache == NULL) {
			workers_fini();
			return -ENOMEM;
		}
	}
	return 0;
}

static int ip_init(void)
{
	uint64_t seed;
	int rc;

	if (getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
		ip_flow_seed_set(seed);
	ip_local_init();
	rc = workers_init();
	if (rc < 0)
		return rc;
	rc = rib_init();
	if (rc < 0)
		goto fini_workers;
	rc = addr_init();
	if (rc < 0)
		goto fini_rib;
	rc = nexthop_init();
	if (rc < 0)
		goto fini_addr;
	rc = neigh_init();
	if (rc < 0)
		goto fini_nexthop;
	rc = iface_watch(iface_changed);
	if (rc == 0)
		rc = reasons_register();
	if (rc == 0)
		rc = ip_api_register();
	if (rc == 0)
		rc = ip_probe_init();
	if (rc == 0)
		rc = debug_request_register(HD_API_NEIGH_STATE, neigh_state_request);
	if (rc == 0)
		rc = ip_explain_init();
	if (rc < 0)
		goto fini_neigh;
	return 0;
fini_neigh:
	neigh_fini();
fini_nexthop:
	nexthop_fini();
fini_addr:
	addr_fini();
fini_rib:
	rib_fini();
fini_workers:
	workers_fini();
	return rc;
}

static void ip_fini(void)
{
	neigh_fini();
	nexthop_fini();
	addr_fini();
	rib_fini();
	workers_fini();
}

static void ip_tick(void)
{
	neigh_tick(clock_ms());
}

const struct pipeline ip_pipeline = {
	.name = "ip",
	.init = ip_init,
	.fini = ip_fini,
	.tick = ip_tick,
};
