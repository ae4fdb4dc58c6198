/* SPDX-License-Identifier: BSD-3-Clause
 * Objects of heddle-bench table-api: the i-th of each kind.  Port 1 and interface 1 are there (client.c), as an object
 * of each kind that it refers to is when the kinds are set in their order. */
#include <stdio.h>
#include <string.h>

#include "bench/table_api/table_api.h"
#include "heddle/api/api.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"

#define IFACES      4000u /* VLANs of a port */
#define FIRST_IFACE 10u   /* ids below belong to others */

static size_t make_iface(uint32_t i, void *to)
{
	struct hd_api_iface m = { .iface_id = FIRST_IFACE + i,
				  .port_id = 1,
				  .outer_tpid = 0x8100,
				  .outer_vid = (uint16_t)(i + 1),
				  .mtu = 1500,
				  .mac = { 2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i },
				  .flags = HD_IFACE_F_UP };

	snprintf(m.name, sizeof(m.name), "sub%u", i);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_addr(uint32_t i, void *to)
{
	struct hd_api_addr m = { .iface_id = FIRST_IFACE + i / 4,
				 .family = 4,
				 .plen = 24,
				 .addr = { 10, (uint8_t)(i >> 8), (uint8_t)i, 1 } };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static void neigh_addr(uint32_t i, uint8_t to[4])
{
	to[0] = 172;
	to[1] = 16;
	to[2] = (uint8_t)(i >> 8);
	to[3] = (uint8_t)i;
}

static size_t make_neigh(uint32_t i, void *to)
{
	struct hd_api_neigh m = { .iface_id = 1,
				  .family = 4,
				  .mac = { 2, 1, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };

	neigh_addr(i, m.addr);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_nexthop(uint32_t i, void *to)
{
	struct hd_api_nexthop m = { .nh_id = i, .iface_id = 1, .family = i < TA_NEXTHOPS4 ? 4 : 6 };

	if (i < TA_NEXTHOPS4) {
		neigh_addr(i, m.gateway);
	} else {
		memcpy(m.gateway, "\x20\x01\x0d\xb8", 4);
		m.gateway[14] = (uint8_t)(i >> 8);
		m.gateway[15] = (uint8_t)i;
	}
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_nhgroup(uint32_t i, void *to)
{
	struct hd_api_nhgroup m = { .group_id = i,
				    .n_members = 2,
				    .member = { { 2 * i, 1 }, { 2 * i + 1, 1 } } };
	size_t size = offsetof(struct hd_api_nhgroup, member) + 2 * sizeof(m.member[0]);

	memcpy(to, &m, size);
	return size;
}

static size_t make_seglist(uint32_t i, void *to)
{
	struct hd_api_srv6_seglist m = { .seglist_id = i, .n_segs = 3 };
	size_t size = offsetof(struct hd_api_srv6_seglist, seg) + 3 * sizeof(m.seg[0]);

	for (unsigned k = 0; k < 3; k++) {
		memcpy(m.seg[k], "\x20\x01\x0d\xb8", 4);
		m.seg[k][8] = (uint8_t)(i >> 8);
		m.seg[k][9] = (uint8_t)i;
		m.seg[k][15] = (uint8_t)(k + 1);
	}
	memcpy(to, &m, size);
	return size;
}

static size_t make_policy(uint32_t i, void *to)
{
	struct hd_api_srv6_policy m = { .policy_id = i,
					.source = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
					.encap = HD_SRV6_H_ENCAPS,
					.n_lists = 1,
					.list = { { i, 1 } } };
	size_t size = offsetof(struct hd_api_srv6_policy, list) + sizeof(m.list[0]);

	snprintf(m.name, sizeof(m.name), "policy%u", i);
	memcpy(to, &m, size);
	return size;
}

static size_t make_sid(uint32_t i, void *to)
{
	struct hd_api_srv6_sid m = {
		.plen = 128, .sid = { 0x20, 0x01, 0x0d, 0xb8, 0x50, 0 }, .sid_id = i, .behavior = 1
	};

	m.sid[8] = (uint8_t)(i >> 8);
	m.sid[9] = (uint8_t)i;
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_route4(uint32_t i, void *to)
{
	struct hd_api_route m = {
		.family = 4, .plen = 24, .target = HD_TARGET_NEXTHOP, .id = i % TA_NEXTHOPS4
	};
	uint32_t net = 0x14000000u + i * 256;

	for (unsigned k = 0; k < 4; k++)
		m.prefix[k] = (uint8_t)(net >> (24 - 8 * k));
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_route6(uint32_t i, void *to)
{
	struct hd_api_route m = { .family = 6,
				  .plen = 48,
				  .target = HD_TARGET_NEXTHOP,
				  .id = TA_NEXTHOPS4 + i % TA_NEXTHOPS4,
				  .prefix = { 0x24, 0x01, (uint8_t)(i >> 20), (uint8_t)(i >> 12),
					      (uint8_t)(i >> 4), (uint8_t)(i << 4) } };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

const struct ta_kind ta_kinds[TA_KINDS] = {
	{ "interface", HD_API_IFACE, IFACES, make_iface },
	{ "address", HD_API_ADDR, 4 * IFACES, make_addr },
	{ "neighbour", HD_API_NEIGH, 16384, make_neigh },
	{ "next hop", HD_API_NEXTHOP, TA_NEXTHOPS, make_nexthop },
	{ "next hop group", HD_API_NHGROUP, 4096, make_nhgroup },
	{ "segment list", HD_API_SRV6_SEGLIST, 16384, make_seglist },
	{ "policy", HD_API_SRV6_POLICY, 16384, make_policy },
	{ "sid", HD_API_SRV6_SID, 65536, make_sid },
	{ "ipv4 route", HD_API_ROUTE, 200000, make_route4 },
	{ "ipv6 route", HD_API_ROUTE, 100000, make_route6 },
};

const char *const ta_limits[] = { "--max-interfaces",
				  "8192",
				  "--max-neighbours",
				  "65536",
				  "--max-nexthops",
				  "32768",
				  "--log-level",
				  "error",
				  NULL };
