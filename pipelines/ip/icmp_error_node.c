/* SPDX-License-Identifier: BSD-3-Clause
 * Node icmp-error: packets at fault become ICMP errors to their source, or are dropped where none may be sent or
 * the rate is used up (policers "icmp4-error" and "icmp6-error").  Metadata: icmp_type, icmp_code, arg. */
#include "dataplane/debug_api.h"
#include "dataplane/node.h"
#include "dataplane/punt.h"
#include "pipelines/ip/internal.h"

#define ICMP_ERROR_VERDICTS(V, P)                                                                 \
	V(P, SENT4, "ip4-lookup", INFO, "ICMP error sent (RFC 792)")                              \
	V(P, SENT6, "ip6-lookup", INFO, "ICMPv6 error sent (RFC 4443 3)")                         \
	V(P, NOT_ALLOWED, "drop", INFO,                                                           \
	  "no error about an error, a group, a fragment or a packet of our "                      \
	  "own (RFC 4443 2.4(e), RFC 1812 4.3.2.7): nothing is wrong here")                       \
	V(P, RATE_LIMIT, "drop", INFO,                                                            \
	  "more errors than the policer lets through (RFC 4443 2.4(f)): "                         \
	  "system punt-policer raises it")                                                        \
	V(P, NO_SOURCE, "drop", WARN,                                                             \
	  "no address to send the error from (RFC 4443 2.2): give the interface or the node one") \
	V(P, NO_ROOM, "drop", ERROR,                                                              \
	  "no room in the packet buffer for the error: raise --mbuf-room")                        \
	V(P, MALFORMED, "drop", ERROR, "too short to quote (RFC 4443 2.4(c)): look at the sender")
NODE_VERDICTS(icmp_error, ICMP_ERROR_V, ICMP_ERROR_VERDICTS)

static rte_edge_t verdict_of(enum icmp_error_result r)
{
	static const rte_edge_t v[] = {
		[ICMP_ERROR_READY4] = ICMP_ERROR_V_SENT4,
		[ICMP_ERROR_READY6] = ICMP_ERROR_V_SENT6,
		[ICMP_ERROR_NOT_ALLOWED] = ICMP_ERROR_V_NOT_ALLOWED,
		[ICMP_ERROR_NO_SOURCE] = ICMP_ERROR_V_NO_SOURCE,
		[ICMP_ERROR_NO_ROOM] = ICMP_ERROR_V_NO_ROOM,
		[ICMP_ERROR_MALFORMED] = ICMP_ERROR_V_MALFORMED,
	};

	return v[r];
}

static inline rte_edge_t icmp_error_one(struct rte_mbuf *m, void *arg)
{
	enum icmp_error_result r;

	drop_sample_note(arg, m); /* the packet ends here, whether its source hears of it or not */
	r = icmp_error_check(m);
	if (r != ICMP_ERROR_READY4 && r != ICMP_ERROR_READY6)
		return verdict_of(r);
	if (!punt_policer_take(arg,
			       r == ICMP_ERROR_READY4 ? ip_punt.icmp4_error : ip_punt.icmp6_error))
		return ICMP_ERROR_V_RATE_LIMIT;
	return verdict_of(icmp_error_make(m));
}

static uint16_t icmp_error_process(struct rte_graph *g, struct rte_node *node, void **objs,
				   uint16_t n)
{
	return node_run(g, node, objs, n, icmp_error_one, node_worker(node));
}
NODE_REGISTER(icmp_error, "icmp-error", ICMP_ERROR_V, ICMP_ERROR_VERDICTS, icmp_error_process)
