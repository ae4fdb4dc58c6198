/* SPDX-License-Identifier: BSD-3-Clause
 * The addresses of the conformance rows, and packets from notation with $NAMES. */
#ifndef SRV6_TESTS_NAMES_H
#define SRV6_TESTS_NAMES_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heddle/api/ip.h>
#include <heddle/api/srv6.h>
#include <heddle/srv6_behavior.h>

#include "tests/pktb.h"

#define F_PSP HD_SRV6_FLAVOR_PSP
#define F_USP HD_SRV6_FLAVOR_USP
#define F_USD HD_SRV6_FLAVOR_USD
#define F_NXT HD_SRV6_FLAVOR_NEXT_CSID
#define F_REP HD_SRV6_FLAVOR_REPLACE_CSID

struct sid_name {
	const char *name, *addr;
	uint16_t behavior, flavors;
	uint32_t target, target_id, table4, table6;
	uint8_t plen;
	uint8_t lb, ln, fn;
};

/* SIDs of the node under test.  Next hop 3 is J1 on port 3; table 7 has port 4, table 10 port 5. */
static const struct sid_name sid_names[] = {
	{ "E", "2001:db8:b::100", HD_SRV6_END, 0, 0, 0, 0, 0, 128, 0, 0, 0 },
	{ "Epsp", "2001:db8:b::101", HD_SRV6_END, F_PSP, 0, 0, 0, 0, 128, 0, 0, 0 },
	{ "Eusp", "2001:db8:b::102", HD_SRV6_END, F_USP, 0, 0, 0, 0, 128, 0, 0, 0 },
	{ "Eusd", "2001:db8:b::103", HD_SRV6_END, F_USD, 0, 0, 0, 0, 128, 0, 0, 0 },
	{ "Eall", "2001:db8:b::104", HD_SRV6_END, F_PSP | F_USP | F_USD, 0, 0, 0, 0, 128, 0, 0, 0 },
	{ "X", "2001:db8:b::200", HD_SRV6_END_X, 0, 1, 3, 0, 0, 128, 0, 0, 0 },
	{ "Xusd", "2001:db8:b::201", HD_SRV6_END_X, F_USD, 1, 3, 0, 0, 128, 0, 0, 0 },
	{ "Xpsp", "2001:db8:b::202", HD_SRV6_END_X, F_PSP, 1, 3, 0, 0, 128, 0, 0, 0 },
	{ "T6", "2001:db8:b::300", HD_SRV6_END_T, 0, 0, 0, 0, 7, 128, 0, 0, 0 },
	{ "T6usd", "2001:db8:b::301", HD_SRV6_END_T, F_USD, 0, 0, 0, 7, 128, 0, 0, 0 },
	{ "DX6", "2001:db8:b::e6", HD_SRV6_END_DX6, 0, 1, 3, 0, 0, 128, 0, 0, 0 },
	{ "DX4", "2001:db8:b::e4", HD_SRV6_END_DX4, 0, 1, 3, 0, 0, 128, 0, 0, 0 },
	{ "DT6", "2001:db8:b::d6", HD_SRV6_END_DT6, 0, 0, 0, 0, 10, 128, 0, 0, 0 },
	{ "DT4", "2001:db8:b::d4", HD_SRV6_END_DT4, 0, 0, 0, 10, 0, 128, 0, 0, 0 },
	{ "DT46", "2001:db8:b::46", HD_SRV6_END_DT46, 0, 0, 0, 7, 10, 128, 0, 0, 0 },
	{ "B6", "2001:db8:b::b6", HD_SRV6_END_B6_ENCAPS, 0, HD_TARGET_POLICY, 8, 0, 0, 128, 0, 0,
	  0 },
	{ "B6R", "2001:db8:b::b7", HD_SRV6_END_B6_ENCAPS_RED, 0, HD_TARGET_POLICY, 9, 0, 0, 128, 0,
	  0, 0 },
	/* NEXT-CSID, block 32, CSIDs of 16 */
	{ "uN", "2001:db8:100::", HD_SRV6_END, F_NXT, 0, 0, 0, 0, 48, 32, 16, 0 },
	{ "uNpsp", "2001:db8:101::", HD_SRV6_END, F_NXT | F_PSP, 0, 0, 0, 0, 48, 32, 16, 0 },
	{ "uNusd", "2001:db8:102::", HD_SRV6_END, F_NXT | F_USD, 0, 0, 0, 0, 48, 32, 16, 0 },
	{ "uA", "2001:db8:100:e003::", HD_SRV6_END_X, F_NXT, 1, 3, 0, 0, 64, 32, 16, 16 },
	{ "uT", "2001:db8:100:e007::", HD_SRV6_END_T, F_NXT, 0, 0, 0, 7, 64, 32, 16, 16 },
	{ "uDT4", "2001:db8:100:d004::", HD_SRV6_END_DT4, F_NXT, 0, 0, 10, 0, 64, 32, 16, 16 },
	{ "uB6", "2001:db8:100:b006::", HD_SRV6_END_B6_ENCAPS_RED, F_NXT, HD_TARGET_POLICY, 9, 0, 0,
	  64, 32, 16, 16 },
	/* no length a multiple of 8: block 36, CSIDs of 20 */
	{ "u20", "2001:db8:f123:4500::", HD_SRV6_END, F_NXT, 0, 0, 0, 0, 56, 36, 12, 8 },
	/* REPLACE-CSID, block 48, CSIDs of 32 */
	{ "rE", "2001:db8:b2:20:1::", HD_SRV6_END, F_REP, 0, 0, 0, 0, 80, 48, 16, 16 },
	{ "rEpsp", "2001:db8:b2:20:2::", HD_SRV6_END, F_REP | F_PSP, 0, 0, 0, 0, 80, 48, 16, 16 },
	{ "rEusd", "2001:db8:b2:20:3::", HD_SRV6_END, F_REP | F_USD, 0, 0, 0, 0, 80, 48, 16, 16 },
	{ "rX", "2001:db8:b2:20:4::", HD_SRV6_END_X, F_REP, 1, 3, 0, 0, 80, 48, 16, 16 },
	{ "rDT6", "2001:db8:b2:20:5::", HD_SRV6_END_DT6, F_REP, 0, 0, 0, 10, 80, 48, 16, 16 },
	/* CSIDs of 24: five in a container, so three index values name none */
	{ "r24", "2001:db8:b3:2:100::", HD_SRV6_END, F_REP, 0, 0, 0, 0, 72, 48, 16, 8 },
};
#define N_SID_NAMES (sizeof(sid_names) / sizeof(sid_names[0]))

/* Everybody else: T the SR source behind port 1, R and Q remote SIDs behind port 2, R7 one that only table 7 knows,
 * A and B customers, L an address of the node that is no SID. */
static const struct {
	const char *name, *addr;
} addr_names[] = {
	{ "T", "2001:db8:a::1" },   { "R", "2001:db8:c::1" },   { "Q", "2001:db8:c::2" },
	{ "R7", "2001:db8:c7::1" }, { "A", "2001:db8:aa::1" },  { "B", "2001:db8:bb::1" },
	{ "A4", "10.0.1.1" },       { "B4", "10.0.2.2" },       { "L", "2001:db8:a::ff" },
	{ "S1", "2001:db8:c::51" }, { "S2", "2001:db8:c::52" }, { "S3", "2001:db8:c::53" },
};

/* The SID a destination belongs to: the one with the longest prefix.  NULL: none. */
static inline const struct sid_name *sid_name_of(const uint8_t *ip)
{
	const struct sid_name *best = NULL;
	unsigned best_len = 0;

	for (size_t i = 0; i < N_SID_NAMES; i++) {
		const struct sid_name *n = &sid_names[i];
		struct ip6_addr a = pktb_addr6(n->addr);
		unsigned len = n->plen, bit = 0;

		while (bit < len && ((a.b[bit / 8] ^ ip[24 + bit / 8]) >> (7 - bit % 8) & 1) == 0)
			bit++;
		if (bit == len && len > best_len) {
			best = n;
			best_len = len;
		}
	}
	return best;
}

static inline const char *name_addr(const char *name, size_t len)
{
	for (size_t i = 0; i < N_SID_NAMES; i++)
		if (strlen(sid_names[i].name) == len && memcmp(sid_names[i].name, name, len) == 0)
			return sid_names[i].addr;
	for (size_t i = 0; i < sizeof(addr_names) / sizeof(addr_names[0]); i++)
		if (strlen(addr_names[i].name) == len && memcmp(addr_names[i].name, name, len) == 0)
			return addr_names[i].addr;
	fprintf(stderr, "no address named %.*s\n", (int)len, name);
	abort();
}

/* Octets of the packet at ip overwritten: "41=05 43=3". */
static inline void packet_set(uint8_t *ip, const char *set)
{
	unsigned off, val;
	int n;

	for (; sscanf(set, " %u=%x%n", &off, &val, &n) == 2; set += n)
		ip[off] = (uint8_t)val;
}

/* Packet from notation with $NAMES, then octets set. */
static inline void packet_make(struct pktb *b, const char *text, const char *set)
{
	char buf[2048];
	size_t len = 0;

	while (*text != '\0') {
		if (*text == '$') {
			size_t n = 0;

			while (isalnum((unsigned char)text[1 + n]))
				n++;
			len += (size_t)snprintf(buf + len, sizeof(buf) - len, "%s",
						name_addr(text + 1, n));
			text += 1 + n;
		} else {
			buf[len++] = *text++;
		}
	}
	buf[len] = '\0';
	pktb_parse(b, buf);
	packet_set(b->buf, set);
}

#endif
