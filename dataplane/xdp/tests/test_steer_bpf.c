/* SPDX-License-Identifier: BSD-3-Clause
 * The steering program under BPF_PROG_TEST_RUN: one row for every kind of rule, headers and tags before what decides,
 * and packets cut anywhere.  Needs CAP_BPF and AF_XDP; skipped without. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/xdp/steer_shared.h"
#include "heddle/wire/ip4.h"
#include "dataplane/xdp/steer.skel.h"
#include "tests/pktb.h"

static struct steer_bpf *skel;
static int xsk = -1;

enum {
	R_SID = 1,
	R_ADDR4,
	R_ADDR6,
	R_KERNEL,
	R_NSH,
	R_PPPOE,
	R_VLAN,
	R_QINQ,
	R_STAMP,
	R_UNICAST,
	R_LL,
	R_TRANSIT
};

static void set(const struct bpf_map *map, const void *key, uint32_t rule, uint16_t action,
		uint16_t own)
{
	struct steer_rule v = { .rule = rule, .action = action, .own = own };

	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(map), key, &v, BPF_ANY), 0, "%s",
		     strerror(errno));
}

static void set6(const char *addr, unsigned plen, uint32_t rule, uint16_t action, uint16_t own)
{
	struct steer_ip6_key k = { .plen = plen };
	struct ip6_addr a = pktb_addr6(addr);

	memcpy(k.addr, &a, 16);
	set(skel->maps.steer_ip6, &k, rule, action, own);
}

static void set4(const char *addr, unsigned plen, uint32_t rule, uint16_t action, uint16_t own)
{
	struct steer_ip4_key k = { .plen = plen };
	be32_t a = pktb_addr4(addr);

	memcpy(k.addr, &a, 4);
	set(skel->maps.steer_ip4, &k, rule, action, own);
}

static void up(void)
{
	int queue = 0;
	uint16_t nsh = 0x894f, pppoe = 0x8864, stamp = 862;
	struct steer_vlan_key one = { 100, 0 }, two = { 100, 7 };
	uint32_t ll = STEER_LINK_LOCAL;

	libbpf_set_print(NULL);
	xsk = socket(AF_XDP, SOCK_RAW, 0);
	skel = xsk >= 0 ? steer_bpf__open_and_load() : NULL;
	if (skel == NULL)
		return;
	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(skel->maps.xsks_map), &queue, &xsk, BPF_ANY),
		     0, "%s", strerror(errno));
	set6("fc00:1::", 32, R_SID, STEER_TAKE, 0);
	set6("2001:db8:b::1", 128, R_ADDR6, STEER_TAKE, 1);
	set6("fc00:1:1::", 48, R_KERNEL, STEER_PASS, 0);
	set4("10.0.0.9", 32, R_ADDR4, STEER_TAKE, 1);
	set4("10.50.0.0", 16, R_TRANSIT, STEER_TAKE, 0);
	set4("10.50.7.7", 32, R_KERNEL, STEER_PASS, 0);
	set(skel->maps.steer_type, &nsh, R_NSH, STEER_TAKE, 0);
	set(skel->maps.steer_type, &pppoe, R_PPPOE, STEER_TAKE, 0);
	set(skel->maps.steer_vlan, &one, R_VLAN, STEER_TAKE, 0);
	set(skel->maps.steer_vlan, &two, R_QINQ, STEER_TAKE, 0);
	set(skel->maps.steer_udp, &stamp, R_STAMP, STEER_TAKE, 0);
	set(skel->maps.steer_fixed, &ll, R_LL, STEER_TAKE, 0);
}

static void down(void)
{
	steer_bpf__destroy(skel);
	if (xsk >= 0)
		close(xsk);
	skel = NULL;
}

TestSuite(steer_bpf, .init = up, .fini = down);

static int run(const uint8_t *frame, size_t len)
{
	uint8_t out[2048];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = (uint32_t)len,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.heddle_steer), &o) < 0)
		return -errno;
	return (int)o.retval;
}

/* Counts of a rule over all CPUs. */
static struct steer_count count(uint32_t rule)
{
	int n = libbpf_num_possible_cpus();
	struct steer_count *cpu = calloc((size_t)n, sizeof(*cpu)), sum = { 0 };

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(skel->maps.steer_count), &rule, cpu), 0);
	for (int i = 0; i < n; i++) {
		sum.packets += cpu[i].packets;
		sum.octets += cpu[i].octets;
		sum.passed += cpu[i].passed;
	}
	free(cpu);
	return sum;
}

#define ETH        "eth / "
#define NS(target) "icmp6 135 0 0 / data " target
#define T_ADDR6    "20010db8000b00000000000000000001"
#define T_OTHER    "20010db8000b00000000000000000002"

static const struct {
	const char *why, *packet;
	bool take;
	uint32_t rule;
} rows[] = {
	{ "SID in a locator", ETH "ip6 2001:db8::1 fc00:1::e 64 / udp 1 2", true, R_SID },
	{ "the kernel's part of the locator", ETH "ip6 2001:db8::1 fc00:1:1::e 64 / udp 1 2", false,
	  R_KERNEL },
	{ "SID with an SRH",
	  ETH "ip6 2001:db8::1 fc00:1::e 64 / srh fc00:2::1,fc00:1::e 1 / udp 1 2", true, R_SID },
	{ "another SID", ETH "ip6 2001:db8::1 fc00:2::e 64 / udp 1 2", false, 0 },
	{ "own address", ETH "ip4 10.0.0.1 10.0.0.9 64 / icmp4 8 0 1", true, R_ADDR4 },
	{ "the kernel's address", ETH "ip4 10.0.0.1 10.0.0.10 64 / tcp 1 22 2", false, 0 },
	{ "transit prefix", ETH "ip4 10.0.0.1 10.50.1.1 64 / udp 1 2", true, R_TRANSIT },
	{ "the kernel's in a transit prefix", ETH "ip4 10.0.0.1 10.50.7.7 64 / udp 1 862", false,
	  R_KERNEL },
	{ "STAMP", ETH "ip4 10.0.0.1 10.0.0.10 64 / udp 1 862", true, R_STAMP },
	{ "STAMP over IPv6", ETH "ip6 2001:db8::1 2001:db8:b::2 64 / udp 1 862", true, R_STAMP },
	{ "STAMP behind an SRH",
	  ETH "ip6 2001:db8::1 2001:db8:b::2 64 / srh 2001:db8:b::2 0 / udp 1 862", true, R_STAMP },
	{ "TCP to the same number", ETH "ip4 10.0.0.1 10.0.0.10 64 / tcp 1 862 2", false, 0 },
	{ "VLAN", ETH "vlan 100 / ip4 10.0.0.1 10.9.9.9 64 / udp 1 2", true, R_VLAN },
	{ "two tags", ETH "vlan 100 / vlan 7 / ip4 10.0.0.1 10.9.9.9 64 / udp 1 2", true, R_QINQ },
	{ "another VLAN, our address in it", ETH "vlan 200 / ip4 10.0.0.1 10.0.0.9 64 / udp 1 2",
	  false, 0 },
	{ "priority tag", ETH "vlan 0 / ip4 10.0.0.1 10.0.0.9 64 / udp 1 2", true, R_ADDR4 },
	{ "solicitation for us", ETH "ip6 2001:db8::1 ff02::1:ff00:1 255 / " NS(T_ADDR6), true,
	  R_ADDR6 },
	{ "solicitation for the kernel", ETH "ip6 2001:db8::1 ff02::1:ff00:2 255 / " NS(T_OTHER),
	  false, 0 },
	{ "advertisement to a link-local address",
	  ETH "ip6 2001:db8::1 fe80::1 255 / icmp6 136 0 0 / data " T_OTHER, true, R_LL },
	{ "ping to a link-local address",
	  ETH "ip6 2001:db8::1 fe80::1 64 / icmp6 128 0 1 / fill 16", false, 0 },
	{ "multicast", ETH "ip6 2001:db8::1 ff02::5 1 / data 00", false, 0 },
	{ "multicast, IPv4", ETH "ip4 10.0.0.1 224.0.0.5 1 / udp 1 862", true, R_STAMP },
};

Test(steer_bpf, rules)
{
	if (skel == NULL)
		cr_skip_test("no CAP_BPF or no AF_XDP here");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct steer_count before = count(rows[i].rule), after;
		struct pktb b;
		int rc;

		pktb_parse(&b, rows[i].packet);
		rc = run(b.buf, b.len);
		cr_assert_eq(rc, rows[i].take ? XDP_REDIRECT : XDP_PASS, "%s: %d\n%s", rows[i].why,
			     rc, pktb_dump(&b));
		after = count(rows[i].rule);
		cr_assert_eq(after.packets - before.packets, rows[i].take, "%s: counted",
			     rows[i].why);
		cr_assert_eq(after.octets - before.octets, rows[i].take ? b.len : 0, "%s: octets",
			     rows[i].why);
		cr_assert_eq(after.passed - before.passed, !rows[i].take, "%s: passed",
			     rows[i].why);
	}
}

/* Frames that no notation makes. */
Test(steer_bpf, other_ethertypes)
{
	static const struct {
		uint16_t type;
		bool take;
	} types[] = { { 0x894f, true },
		      { 0x8864, true },
		      { 0x8863, false },
		      { 0x88cc, false },
		      { 0x0100, false } };
	uint8_t f[64] = { 2 };

	if (skel == NULL)
		cr_skip_test("no CAP_BPF or no AF_XDP here");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		wire_put16(f + 12, types[i].type);
		cr_assert_eq(run(f, sizeof(f)), types[i].take ? XDP_REDIRECT : XDP_PASS, "0x%04x",
			     types[i].type);
	}
}

Test(steer_bpf, arp)
{
	uint8_t f[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,
			  2,    0x08, 0x06, 0,    1,    8,    0, 6, 4, 0, 1 };

	if (skel == NULL)
		cr_skip_test("no CAP_BPF or no AF_XDP here");
	memcpy(f + 38, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	cr_assert_eq(run(f, 60), XDP_REDIRECT, "for our address");
	cr_assert_eq(run(f, 41), XDP_PASS, "cut short");
	memcpy(f + 38, (uint8_t[]){ 10, 0, 0, 10 }, 4);
	cr_assert_eq(run(f, 60), XDP_PASS, "for the kernel's");
	memcpy(f + 38, (uint8_t[]){ 10, 50, 1, 1 }, 4);
	cr_assert_eq(run(f, 60), XDP_PASS, "a transit prefix is no address");
	memcpy(f + 38, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	f[14] = 9; /* no Ethernet */
	cr_assert_eq(run(f, 60), XDP_PASS);
}

/* A later fragment has no ports; a chain of headers that does not end is the kernel's. */
Test(steer_bpf, fragments_and_chains)
{
	struct pktb b;

	if (skel == NULL)
		cr_skip_test("no CAP_BPF or no AF_XDP here");
	pktb_parse(&b, ETH "ip4 10.0.0.1 10.0.0.10 64 / udp 1 862 / fill 20");
	wire_put16(b.buf + 14 + 6, 5);
	cr_assert_eq(run(b.buf, b.len), XDP_PASS);
	wire_put16(b.buf + 14 + 6, 0x2000); /* the first one */
	cr_assert_eq(run(b.buf, b.len), XDP_REDIRECT);
	for (unsigned n = 0; n < 10; n++) { /* n options headers, then UDP */
		uint8_t f[14 + 40 + 10 * 8 + 8] = { 2 };
		struct ip6_addr dst = pktb_addr6("2001:db8:b::2");
		uint8_t *p = f + 54;

		wire_put16(f + 12, 0x86dd);
		f[14] = 0x60;
		f[20] = n == 0 ? IP_NH_UDP : IP_NH_DSTOPTS;
		memcpy(f + 14 + 24, &dst, 16);
		for (unsigned k = 0; k < n; k++, p += 8)
			p[0] = k + 1 == n ? IP_NH_UDP : IP_NH_DSTOPTS;
		wire_put16(p + 2, 862);
		cr_assert_eq(run(f, (size_t)(p + 8 - f)), n <= 6 ? XDP_REDIRECT : XDP_PASS,
			     "%u headers", n);
	}
}

/* Cut anywhere: an answer; what decides must be whole. */
Test(steer_bpf, truncated)
{
	if (skel == NULL)
		cr_skip_test("no CAP_BPF or no AF_XDP here");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pktb b;

		pktb_parse(&b, rows[i].packet);
		for (size_t n = 14; n < b.len; n++) {
			int rc = run(b.buf, n);

			cr_assert(rc == XDP_PASS || (rc == XDP_REDIRECT && rows[i].take),
				  "%s cut to %zu: %d", rows[i].why, n, rc);
			if (n < 14 + 20 && rows[i].rule != R_VLAN && rows[i].rule != R_QINQ)
				cr_assert_eq(rc, XDP_PASS, "%s cut to %zu", rows[i].why, n);
		}
		for (size_t at = 12; at < b.len; at++) { /* and every octet changed */
			struct pktb c = b;

			c.buf[at] ^= 0xff;
			cr_assert_geq(run(c.buf, c.len), 0);
		}
	}
}

/* Mode "all": unicast that no rule matches; the kernel's prefixes stay the kernel's. */
Test(steer_bpf, all_unicast)
{
	uint32_t which = STEER_UNICAST;
	struct pktb b;

	if (skel == NULL)
		cr_skip_test("no CAP_BPF or no AF_XDP here");
	set(skel->maps.steer_fixed, &which, R_UNICAST, STEER_TAKE, 0);
	pktb_parse(&b, ETH "ip4 10.0.0.1 10.9.9.9 64 / tcp 1 22 2");
	cr_assert_eq(run(b.buf, b.len), XDP_REDIRECT);
	cr_assert_eq(count(R_UNICAST).packets, 1);
	pktb_parse(&b, ETH "ip6 2001:db8::1 2001:db8:99::1 64 / tcp 1 22 2");
	cr_assert_eq(run(b.buf, b.len), XDP_REDIRECT);
	pktb_parse(&b, ETH "ip4 10.0.0.1 10.50.7.7 64 / tcp 1 22 2");
	cr_assert_eq(run(b.buf, b.len), XDP_PASS);
	pktb_parse(&b, ETH "ip4 10.0.0.1 255.255.255.255 64 / tcp 1 22 2");
	cr_assert_eq(run(b.buf, b.len), XDP_PASS);
}

/* Without a socket everything is the kernel's: before the data plane is there, and after it has died. */
Test(steer_bpf, no_socket)
{
	int queue = 0;
	struct pktb b;

	if (skel == NULL)
		cr_skip_test("no CAP_BPF or no AF_XDP here");
	bpf_map_delete_elem(bpf_map__fd(skel->maps.xsks_map), &queue);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pktb_parse(&b, rows[i].packet);
		cr_assert_eq(run(b.buf, b.len), XDP_PASS, "%s", rows[i].why);
	}
	cr_assert_eq(count(R_SID).packets, 0);
	cr_assert_gt(count(R_SID).passed, 0);
}
