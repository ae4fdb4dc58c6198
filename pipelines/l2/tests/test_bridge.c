/* SPDX-License-Identifier: BSD-3-Clause
 * Bridge domains over the graph: learning, ageing, flooding, split horizon, tags, and every reason to drop. */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/engine.h"
#include "heddle/wire/eth.h"
#include "pipelines/l2/bridge.h"
#include "tests/harness.h"

#define B 7u /* the bridge */

/* Interfaces: 1 on port 1, 2 on port 2 with VLAN 100, 3 on port 3, all members; 4 on port 4 is none. */
static void member(uint32_t id, uint32_t iface, uint8_t group, uint16_t segment)
{
	struct hd_api_bridge_port p = { .member_id = id,
					.bridge_id = B,
					.iface_id = iface,
					.group = group,
					.segment = segment };

	cr_assert_eq(hx_set(HD_API_BRIDGE_PORT, &p, sizeof(p)), 0, "%s", hx_error());
}

static void bridge(uint8_t flags, uint32_t ageing_s)
{
	struct hd_api_bridge b = { .bridge_id = B, .flags = flags, .ageing_s = ageing_s };

	cr_assert_eq(hx_set(HD_API_BRIDGE, &b, sizeof(b)), 0, "%s", hx_error());
}

static void up(void)
{
	struct hd_api_iface tagged = { .iface_id = 2,
				       .outer_tpid = ETHTYPE_VLAN,
				       .outer_vid = 100,
				       .mac = { 2, 0, 0, 0, 0, 2 },
				       .flags = HD_IFACE_F_UP };
	uint8_t frame[256];

	hx_start_default();
	for (uint32_t i = 1; i <= 4; i++) {
		cr_assert_eq(hx_port(), i);
		if (i != 2)
			hx_iface(i, i, 0);
	}
	tagged.port_id = 2;
	cr_assert_eq(hx_set(HD_API_IFACE, &tagged, sizeof(tagged)), 0, "%s", hx_error());
	bridge(0, 0);
	for (uint32_t i = 1; i <= 3; i++)
		member(i, i, 0, 0);
	hx_turn();
	for (uint32_t p = 1; p <= 4; p++)
		while (hx_tx(p, frame, sizeof(frame)) != 0)
			;
}

TestSuite(l2_bridge, .init = up, .fini = hx_stop, .timeout = 60);

/* A frame of 64 octets from station s to station d (0: everybody), with a tag or none. */
static size_t make(uint8_t *f, uint8_t d, uint8_t s, uint16_t vid)
{
	size_t n = 12;

	memset(f, 0, 64);
	if (d == 0)
		memset(f, 0xff, 6);
	else
		memcpy(f, (uint8_t[]){ 2, 0xbb, 0, 0, 0, d }, 6);
	memcpy(f + 6, (uint8_t[]){ 2, 0xbb, 0, 0, 0, s }, 6);
	if (vid != 0) {
		wire_put16(f + n, ETHTYPE_VLAN);
		wire_put16(f + n + 2, vid);
		n += 4;
	}
	wire_put16(f + n, 0x88b5); /* local experiments */
	f[n + 2] = 0x42;
	return 60 + (n - 12);
}

static void send_frame(uint32_t port, uint8_t d, uint8_t s, uint16_t vid)
{
	uint8_t f[64];

	hx_rx(port, f, make(f, d, s, vid));
	hx_turn();
}

/* Exactly this frame, and nothing more, left on a port. */
static void expect(uint32_t port, uint8_t d, uint8_t s, uint16_t vid)
{
	uint8_t want[64], have[128];
	size_t n = make(want, d, s, vid);

	cr_assert_eq(hx_tx(port, have, sizeof(have)), n, "port %u", port);
	cr_assert_arr_eq(have, want, n, "port %u", port);
	cr_assert_eq(hx_tx(port, have, sizeof(have)), 0, "port %u: a second frame", port);
}

static void nothing(uint32_t port)
{
	uint8_t have[128];

	cr_assert_eq(hx_tx(port, have, sizeof(have)), 0, "something left on port %u", port);
}

static void seconds(unsigned n)
{
	for (unsigned i = 0; i < 10 * n; i++)
		engine_tick();
}

Test(l2_bridge, floods_then_learns)
{
	send_frame(1, 3, 1, 0); /* station 3 is not known: to all others, tags as each has them */
	expect(2, 3, 1, 100);
	expect(3, 3, 1, 0);
	nothing(1);
	seconds(1);
	send_frame(3, 1, 3, 0); /* station 1 is */
	expect(1, 1, 3, 0);
	nothing(2);
	seconds(1);
	send_frame(2, 3, 2, 100); /* from the tagged side */
	expect(3, 3, 2, 0);
	nothing(1);
	send_frame(1, 0, 1, 0); /* broadcast always goes to all others */
	expect(2, 0, 1, 100);
	expect(3, 0, 1, 0);
	seconds(1);
	cr_assert_eq(hx_stat("bridge", 0, "learned"), 3);
	nothing(4);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

Test(l2_bridge, station_moves)
{
	send_frame(1, 0, 1, 0);
	seconds(1);
	send_frame(3, 0, 1, 0);
	seconds(1);
	while (hx_tx(1, &(char){ 0 }, 1) + hx_tx(2, &(char){ 0 }, 1) + hx_tx(3, &(char){ 0 }, 1) !=
	       0)
		;
	send_frame(2, 1, 2, 100);
	expect(3, 1, 2, 0);
	nothing(1);
	cr_assert_eq(hx_stat("bridge", 0, "moved"), 1);
}

Test(l2_bridge, ages)
{
	bridge(0, 3);
	send_frame(1, 0, 1, 0);
	while (hx_tx(2, &(char){ 0 }, 1) + hx_tx(3, &(char){ 0 }, 1) != 0)
		;
	seconds(3);
	send_frame(3, 1, 3, 0); /* still known */
	expect(1, 1, 3, 0);
	nothing(2);
	seconds(6);
	send_frame(3, 1, 3, 0); /* forgotten */
	expect(1, 1, 3, 0);
	expect(2, 1, 3, 100);
	cr_assert_geq(hx_stat("bridge", 0, "aged"), 1);
}

Test(l2_bridge, seen_again_is_not_forgotten)
{
	bridge(0, 3);
	for (int i = 0; i < 5; i++) {
		send_frame(1, 0, 1, 0);
		seconds(2);
	}
	cr_assert_eq(hx_stat("bridge", 0, "aged"), 0);
	cr_assert_eq(hx_stat("bridge", 0, "learned"), 1);
}

Test(l2_bridge, static_address_stays)
{
	struct hd_api_bridge_mac m = { .bridge_id = B,
				       .mac = { 2, 0xbb, 0, 0, 0, 9 },
				       .member_id = 3 };

	bridge(0, 1);
	cr_assert_eq(hx_set(HD_API_BRIDGE_MAC, &m, sizeof(m)), 0, "%s", hx_error());
	send_frame(1, 0, 9, 0); /* somebody pretends */
	seconds(5);
	while (hx_tx(2, &(char){ 0 }, 1) + hx_tx(3, &(char){ 0 }, 1) != 0)
		;
	send_frame(1, 9, 1, 0);
	expect(3, 9, 1, 0);
	nothing(2);
	cr_assert_eq(hx_del(HD_API_BRIDGE_MAC, &m, 12), 0);
	send_frame(1, 9, 1, 0);
	expect(2, 9, 1, 100);
	expect(3, 9, 1, 0);
}

Test(l2_bridge, split_horizon_and_segments)
{
	member(1, 1, 5, 0);
	member(3, 3, 5, 0);
	send_frame(1, 0, 1, 0);
	expect(2, 0, 1, 100);
	nothing(3);
	seconds(1);
	send_frame(3, 1, 3, 0);
	nothing(1);
	cr_assert_eq(hx_verdict("l2-bridge", "split-horizon"), 1);
	member(1, 1, 0, 44);
	member(3, 3, 0, 44);
	send_frame(1, 0, 1, 0);
	expect(2, 0, 1, 100);
	nothing(3);
}

Test(l2_bridge, refused_frames)
{
	static const uint8_t stp[64] = { 0x01, 0x80, 0xc2, 0, 0, 0, 2, 0xbb, 0, 0, 0, 1, 0, 38 };

	hx_rx(1, stp, sizeof(stp));
	hx_turn();
	cr_assert_eq(hx_verdict("l2-bridge", "reserved"), 1);
	send_frame(1, 0, 1, 0);
	while (hx_tx(2, &(char){ 0 }, 1) + hx_tx(3, &(char){ 0 }, 1) != 0)
		;
	seconds(1);
	send_frame(1, 1, 2, 0); /* both stations on one side */
	cr_assert_eq(hx_verdict("l2-bridge", "same-member"), 1);
	bridge(HD_BRIDGE_F_NO_FLOOD | HD_BRIDGE_F_NO_LEARN, 0);
	send_frame(1, 77, 1, 0);
	cr_assert_eq(hx_verdict("l2-bridge", "unknown-unicast"), 1);
	for (uint32_t p = 1; p <= 4; p++)
		nothing(p);
	cr_assert_eq(hx_drops(), 3);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* A member that goes takes its addresses along; an interface that is none any more answers for itself again. */
Test(l2_bridge, member_goes)
{
	uint32_t id = 3, key = B;

	send_frame(3, 0, 3, 0);
	while (hx_tx(1, &(char){ 0 }, 1) + hx_tx(2, &(char){ 0 }, 1) != 0)
		;
	seconds(1);
	cr_assert_eq(hx_del(HD_API_BRIDGE_PORT, &id, sizeof(id)), 0, "%s", hx_error());
	send_frame(1, 3, 1, 0);
	expect(2, 3, 1, 100);
	nothing(3);
	send_frame(3, 1, 3, 0);
	cr_assert_eq(hx_verdict("eth-input", "not-ours"), 1);
	cr_assert_eq(hx_del(HD_API_BRIDGE, &key, sizeof(key)), -EBUSY);
}

Test(l2_bridge, refused_configuration)
{
	struct hd_api_bridge_port p = { .member_id = 9, .bridge_id = B, .iface_id = 3 };
	struct hd_api_bridge b = { .bridge_id = 0 };
	struct hd_api_bridge_mac m = { .bridge_id = B, .mac = { 1 }, .member_id = 3 };

	cr_assert_eq(hx_set(HD_API_BRIDGE_PORT, &p, sizeof(p)), -EEXIST);
	p.policy_id = 1;
	cr_assert_eq(hx_set(HD_API_BRIDGE_PORT, &p, sizeof(p)), -EINVAL);
	p.iface_id = 0;
	cr_assert_eq(hx_set(HD_API_BRIDGE_PORT, &p, sizeof(p)), -ENOENT);
	cr_assert_eq(hx_set(HD_API_BRIDGE, &b, sizeof(b)), -EINVAL);
	cr_assert_eq(hx_set(HD_API_BRIDGE_MAC, &m, sizeof(m)), -EINVAL);
}
