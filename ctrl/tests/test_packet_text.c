/* SPDX-License-Identifier: BSD-3-Clause
 * Headers in words: right for a known packet, and never outside it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/debug/debug.h"

/* Ethernet, VLAN 10, IPv6 with an SRH of two segments (one left), IPv4, UDP. */
static const uint8_t packet[] = {
	2,    0, 0,  0,   0, 1,  2,    0,   0,    0, 0,    2,    0x81, 0,  0, 10, 0x86, 0xdd,
	0x60, 0, 0,  0,   0, 68, 43,   63,  0xfc, 0, 0,    1,    0,    0,  0, 0,  0,    0,
	0,    0, 0,  0,   0, 1,  0xfc, 0,   0,    2, 0,    0,    0,    0,  0, 0,  0,    0,
	0,    0, 0,  0xe, 4, 4,  4,    1,   1,    0, 0,    0,    0xfc, 0,  0, 3,  0,    0,
	0,    0, 0,  0,   0, 0,  0,    0,   0,    1, 0xfc, 0,    0,    2,  0, 0,  0,    0,
	0,    0, 0,  0,   0, 0,  0,    0xe, 0x45, 0, 0,    28,   0,    0,  0, 0,  64,   17,
	0,    0, 10, 0,   1, 2,  10,   0,   2,    2, 0x13, 0x88, 0,    53, 0, 8,  0,    0,
};

Test(packet_text, names_every_header)
{
	char buf[500];

	cr_assert_str_eq(
		debug_packet_text(packet, sizeof(packet), buf, sizeof(buf)),
		"VLAN 10, IPv6 fc00:1::1 > fc00:2::e hlim 63 len 108, SRH left 1 [fc00:2::e fc00:3::1], "
		"IPv4 10.0.1.2 > 10.0.2.2 ttl 64 len 28, UDP 5000 > 53");
	debug_packet_text(packet + 18, sizeof(packet) - 18, buf, sizeof(buf));
	cr_assert_eq(strncmp(buf, "IPv6 fc00:1::1", 14), 0, "%s", buf);
	cr_assert_str_eq(debug_packet_text(packet, 0, buf, sizeof(buf)), "");
}

/* Inside the graph the header of a frame is behind the packet. */
Test(packet_text, arp_without_its_frame)
{
	static const uint8_t arp[] = { 0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 1,
				       10, 0, 1, 2, 2, 0, 0, 0, 0, 2, 10, 0, 1, 1 };
	char buf[100];

	cr_assert_str_eq(debug_packet_text(arp, sizeof(arp), buf, sizeof(buf)),
			 "ARP 10.0.1.2 is at 02:00:00:00:00:01");
}

Test(packet_text, stays_inside)
{
	unsigned seed = 7;

	for (size_t off = 0; off < sizeof(packet); off++)
		for (size_t len = 0; off + len <= sizeof(packet); len++) {
			char *small = malloc(1 + len / 2);
			uint8_t *exact = malloc(len > 0 ? len : 1);
			memcpy(exact, packet + off, len);
			debug_packet_text(exact, len, small, 1 + len / 2);
			cr_assert_lt(strlen(small), 1 + len / 2);
			free(small);
			free(exact);
		}
	for (int i = 0; i < 20000; i++) {
		uint8_t p[sizeof(packet)];
		char buf[300];
		memcpy(p, packet, sizeof(p));
		for (int k = 0; k < 3; k++)
			p[rand_r(&seed) % sizeof(p)] = (uint8_t)rand_r(&seed);
		debug_packet_text(p, rand_r(&seed) % (sizeof(p) + 1), buf, sizeof(buf));
	}
}
