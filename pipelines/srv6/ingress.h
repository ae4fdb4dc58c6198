/* SPDX-License-Identifier: BSD-3-Clause
 * What an interface does with IP packets before they are routed: filters at the edge of the SR domain (RFC 8754 section
 * 5.1), classifier, policy of the interface (policy based routing, RFC 9256 section 8.6).
 * An interface without any of them never comes here: eth-input reads one flag of it.
 * Writer: the control thread; readers: workers, without locks. */
#ifndef PIPELINES_SRV6_INGRESS_H
#define PIPELINES_SRV6_INGRESS_H

#include <stdbool.h>

#include "dataplane/tables/slots.h"
#include "heddle/api/srv6.h"

/* Immutable once published. */
struct srv6_ingress {
	uint32_t word[2]; /* result word of what no rule matches, [0] IPv4, [1] IPv6; 0: the routes decide */
	uint32_t acl_id; /* 0: none */
	uint32_t flags;  /* HD_SRV6_INGRESS_* */
};
extern struct slots *srv6_ingresses; /* by interface id */

/* A prefix as two words and their masks, in memory order. */
struct srv6_domain_prefix {
	uint64_t value[2], mask[2];
};

/* Prefixes of the SR domain by kind, [enum hd_srv6_domain_kind].  Immutable once published. */
struct srv6_domain {
	unsigned n[HD_SRV6_DOMAIN_OWN + 1];
	struct srv6_domain_prefix prefix[HD_SRV6_DOMAIN_OWN + 1][HD_SRV6_DOMAIN_MAX];
};
extern struct srv6_domain *srv6_domain; /* NULL: none configured; RCU */

struct srv6_domain_prefix srv6_domain_prefix_make(const uint8_t prefix[16], uint8_t plen);

/* Is the address in one of the prefixes of a kind? */
static inline bool srv6_domain_has(const struct srv6_domain *d, unsigned kind,
				   const uint8_t addr[16])
{
	uint64_t a[2];

	__builtin_memcpy(a, addr, 16);
	for (unsigned i = 0; i < d->n[kind]; i++) {
		const struct srv6_domain_prefix *p = &d->prefix[kind][i];

		if (((a[0] & p->mask[0]) ^ p->value[0]) == 0 &&
		    ((a[1] & p->mask[1]) ^ p->value[1]) == 0)
			return true;
	}
	return false;
}

enum srv6_edge { SRV6_EDGE_PASS, SRV6_EDGE_SID, SRV6_EDGE_SOURCE, SRV6_EDGE_FOREIGN };

/* The filters of RFC 8754 section 5.1 on an IPv6 packet.  flags: HD_SRV6_INGRESS_*.  Pure. */
static inline enum srv6_edge srv6_edge_check(const struct srv6_domain *d, uint32_t flags,
					     const uint8_t src[16], const uint8_t dst[16])
{
	if ((flags & HD_SRV6_INGRESS_OUTSIDE) != 0) {
		if (srv6_domain_has(d, HD_SRV6_DOMAIN_SIDS, dst) ||
		    srv6_domain_has(d, HD_SRV6_DOMAIN_OWN, dst))
			return SRV6_EDGE_SID;
		if (srv6_domain_has(d, HD_SRV6_DOMAIN_SOURCE, src))
			return SRV6_EDGE_SOURCE;
	}
	if ((flags & HD_SRV6_INGRESS_INSIDE) != 0 && srv6_domain_has(d, HD_SRV6_DOMAIN_OWN, dst) &&
	    !srv6_domain_has(d, HD_SRV6_DOMAIN_SOURCE, src))
		return SRV6_EDGE_FOREIGN;
	return SRV6_EDGE_PASS;
}

int srv6_ingress_init(void); /* tables, object kinds SRV6_DOMAIN, SRV6_INGRESS */
void srv6_ingress_fini(void);

#endif
