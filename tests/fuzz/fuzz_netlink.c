/* SPDX-License-Identifier: BSD-3-Clause
 * Fuzz target: any octets as what the kernel tells through rtnetlink.  No parser reads beyond a message, and whatever
 * one takes keeps its bounds. */
#include <libmnl/libmnl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/kernel/nl_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static void one(const struct nlmsghdr *h)
{
	static struct nl_route route;
	static struct nl_nexthop nexthop;
	struct nl_link link;
	struct nl_addr addr;
	struct nl_neigh neigh;

	if (nl_route_parse(h, &route) == 0) {
		check(route.n_legs <= NL_LEGS_MAX && route.plen <= 128);
		for (uint32_t i = 0; i < route.n_legs; i++)
			check(route.leg[i].encap != NL_ENCAP_SEG6 ||
			      route.leg[i].u.seg6.n_seg <= NL_SEGS_MAX);
	}
	if (nl_nexthop_parse(h, &nexthop) == 0)
		check(nexthop.n_group <= NL_LEGS_MAX && nexthop.id != 0);
	if (nl_link_parse(h, &link) == 0)
		check(memchr(link.name, '\0', sizeof(link.name)) != NULL);
	if (nl_addr_parse(h, &addr) == 0)
		check(addr.plen <= (addr.family == 2 ? 32 : 128));
	(void)!nl_neigh_parse(h, &neigh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* In memory of its own size, aligned as a socket's buffer is. */
	uint8_t *copy = malloc(size + 1);

	memcpy(copy, data, size);
	int left = (int)size;
	for (const struct nlmsghdr *h = (const void *)copy; nl_msg_ok(h, left);
	     h = mnl_nlmsg_next(h, &left))
		one(h);
	free(copy);
	return 0;
}
