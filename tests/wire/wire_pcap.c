/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes one packet of every builder of include/heddle/wire to a pcap file, and their names in order to stdout, for
 * tests/lab/test_wire.py to have them judged by a decoder that is not ours.
 * Usage: wire_pcap FILE */
#include <stdio.h>
#include <stdlib.h>

#include "tests/pktb.h"

static FILE *file;
static uint8_t frame[16384];
static size_t len;
static struct mac_addr mac_a, mac_b;
static struct ip6_addr addr_a, addr_b, seg[3];

static void check(int rc)
{
	if (rc < 0) {
		fprintf(stderr, "wire_pcap: builder failed: %d\n", rc);
		exit(1);
	}
	len += (size_t)rc;
}

static void put32(uint32_t x)
{
	fwrite(&x, sizeof(x), 1, file);
}

static void emit(const char *name, const void *data, size_t n)
{
	static uint32_t usec;

	put32(1700000000); /* seconds */
	put32(usec++);
	put32((uint32_t)n);
	put32((uint32_t)n);
	fwrite(data, n, 1, file);
	puts(name);
}

#define AT (frame + len), (sizeof(frame) - len)

static void eth(uint16_t ethertype)
{
	len = 0;
	check(eth_build(AT, &mac_b, &mac_a, NULL, 0, ethertype));
}

static void eth_ip6(uint8_t next_header, size_t payload_len)
{
	struct ip6_fields f = {
		.src = addr_a,
		.dst = addr_b,
		.hop_limit = 255,
		.traffic_class = 0xb9,
		.flow_label = 0xabcde,
		.next_header = next_header,
		.payload_len = payload_len,
	};

	eth(ETHTYPE_IP6);
	check(ip6_build(AT, &f));
}

static void eth_ip4(uint8_t proto, size_t payload_len)
{
	struct ip4_fields f = {
		.src = pktb_addr4("192.0.2.1"),
		.dst = pktb_addr4("192.0.2.2"),
		.ttl = 64,
		.tos = 0x28,
		.proto = proto,
		.id = 99,
		.payload_len = payload_len,
	};

	eth(ETHTYPE_IP4);
	check(ip4_build(AT, &f));
}

/* UDP with 20 octets of data at the end of the frame; pseudo: of its addresses. */
static void udp(uint64_t pseudo)
{
	struct udp_hdr *h = (struct udp_hdr *)(frame + len);

	check(udp_build(AT, 1000, 40000, 20));
	memset(frame + len, 0x5a, 20);
	len += 20;
	udp_csum_set(h, pseudo);
}

static void ethernet(void)
{
	struct eth_tag_view tag[2] = { { .tpid = ETHTYPE_QINQ, .vid = 200, .pcp = 3 },
				       { .tpid = ETHTYPE_VLAN, .vid = 4094, .dei = true } };
	struct ip4_hdr *ip;
	unsigned n;

	for (n = 0; n <= 2; n++) {
		static const char *const name[] = { "eth", "eth-vlan", "eth-qinq" };

		len = 0;
		check(eth_build(AT, &mac_b, &mac_a, tag + 2 - n, n, ETHTYPE_ARP));
		check(arp_build(AT, ARP_OP_REQUEST, &mac_a, pktb_addr4("192.0.2.1"), NULL,
				pktb_addr4("192.0.2.2")));
		emit(name[n], frame, len);
	}
	eth(ETHTYPE_ARP);
	check(arp_build(AT, ARP_OP_REPLY, &mac_a, pktb_addr4("192.0.2.1"), &mac_b,
			pktb_addr4("192.0.2.2")));
	emit("arp-reply", frame, len);

	eth_ip4(IP_NH_UDP, 28);
	ip = (struct ip4_hdr *)(frame + 14);
	udp(hd_csum_ip4_pseudo(ip->src, ip->dst, 28, IP_NH_UDP));
	ip4_ttl_decrement(ip);
	ip4_tos_set(ip, 0xb9);
	emit("ip4-udp", frame, len);
}

static void icmp4(void)
{
	struct icmp4_msg *m;
	struct pktb b;

	pktb_parse(&b, "ip4 192.0.2.2 198.51.100.1 1 / udp / fill 900");
	eth_ip4(IP_NH_ICMP4, 8 + icmp4_error_quote_len(b.len));
	check(icmp4_error_build(AT, ICMP4_TIME_EXCEEDED, 0, 0, b.buf, b.len));
	emit("icmp4-error", frame, len);
	pktb_parse(&b, "eth / ip4 192.0.2.1 192.0.2.2 / icmp4 8 0 0x00050001 / fill 33");
	m = b.icmp4;
	icmp4_echo_to_reply(m);
	emit("icmp4-echo-reply", b.buf, b.len);
}

static void icmp6(void)
{
	struct icmp6_error e = {
		.src = addr_a, .dst = addr_b, .type = ICMP6_PARAM_PROBLEM, .data = 43
	};
	struct nd_fields nd = { .src = addr_a, .dst = addr_b, .target = addr_a, .mac = &mac_a };
	struct ip6_addr tmp;
	struct pktb b;

	pktb_srv6(&b, "2001:db8::2", "2001:db8::1", 64, (const char *[]){ "2001:db8::1" }, 1);
	eth_ip6(IP_NH_ICMP6, 8 + icmp6_error_quote_len(b.len));
	check(icmp6_error_build(AT, &e, b.buf, b.len));
	emit("icmp6-error", frame, len);
	pktb_parse(&b, "ip6 2001:db8::2 2001:db8::1 / udp / fill 1400");
	e.type = ICMP6_TOO_BIG;
	e.data = 1400;
	eth_ip6(IP_NH_ICMP6, 8 + icmp6_error_quote_len(b.len));
	check(icmp6_error_build(AT, &e, b.buf, b.len));
	emit("icmp6-too-big", frame, len);

	pktb_parse(&b, "eth / ip6 2001:db8::1 2001:db8::2 / icmp6 128 0 0x00050001 / fill 33");
	icmp6_echo_to_reply(b.icmp6);
	tmp = b.ip6->src;
	b.ip6->src = b.ip6->dst;
	b.ip6->dst = tmp;
	emit("icmp6-echo-reply", b.buf, b.len);

	eth_ip6(IP_NH_ICMP6, nd_build_len(&nd));
	check(nd_ns_build(AT, &nd));
	emit("nd-ns", frame, len);
	nd.flags = ND_NA_ROUTER | ND_NA_SOLICITED | ND_NA_OVERRIDE;
	eth_ip6(IP_NH_ICMP6, nd_build_len(&nd));
	check(nd_na_build(AT, &nd));
	emit("nd-na", frame, len);
}

static void srh_one(const char *name, const struct srh_fields *f)
{
	struct ip6_fixed *ip;

	eth_ip6(IP_NH_ROUTING, srh_build_len(f) + 28);
	ip = (struct ip6_fixed *)(frame + 14);
	ip->dst = f->seg[0];
	check(srh_build(AT, f));
	udp(hd_csum_ip6_pseudo(&addr_a, &f->seg[f->n_seg - 1], 28, IP_NH_UDP));
	emit(name, frame, len);
}

static void srh(void)
{
	const uint8_t pad[8] = { SRH_TLV_PADN, 4, [6] = SRH_TLV_PADN, 0 };
	uint8_t hmac[40] = { SRH_TLV_HMAC, 38, [7] = 42 };
	struct srh_fields f = { .form = SRH_FULL, .next_header = IP_NH_UDP, .seg = seg, .n_seg = 3 };

	srh_one("srh-full", &f);
	f.flags = SRH_FLAG_O;
	f.tag = 0xbeef;
	f.tlv = pad;
	f.tlv_len = sizeof(pad);
	srh_one("srh-tlv", &f);
	f.tlv = hmac;
	f.tlv_len = sizeof(hmac);
	srh_one("srh-hmac", &f);
	f = (struct srh_fields){
		.form = SRH_FULL, .next_header = IP_NH_UDP, .seg = seg, .n_seg = 1
	};
	srh_one("srh-one", &f);
	f.form = SRH_REDUCED;
	f.n_seg = 3;
	srh_one("srh-reduced", &f);
}

static void stacked(void)
{
	static const struct {
		const char *name, *packet;
	} all[] = {
		{ "pktb-chain",
		  "eth / ip6 2001:db8::1 2001:db8::2 / hbh 05020000 / dstopt / srh 2001:db8::2 0 / "
		  "frag 0 0 7 / udp / fill 40" },
		{ "pktb-srh-in6",
		  "eth / ip6 2001:db8::1 2001:db8:b::1 / srh 2001:db8:c::1,2001:db8:b::1 1 / "
		  "ip6 2001:db8:a::1 2001:db8:d::1 / tcp 1000 80 / fill 40" },
		{ "pktb-in4",
		  "eth / ip6 2001:db8::1 2001:db8:b::1 / ip4 192.0.2.1 192.0.2.2 / udp / fill 40" },
		{ "pktb-l2",
		  "eth / ip6 2001:db8::1 2001:db8:b::1 / srh 2001:db8:b::1 0 / eth / vlan 10 / "
		  "ip4 192.0.2.1 192.0.2.2 / icmp4 / fill 40" },
		{ "pktb-qinq",
		  "eth / vlan 7 0x88a8 / vlan 8 / ip6 2001:db8::1 2001:db8::2 / icmp6 / fill 16" },
	};
	struct pktb b;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		pktb_parse(&b, all[i].packet);
		emit(all[i].name, b.buf, b.len);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	file = fopen(argv[1], "wb");
	if (file == NULL) {
		perror(argv[1]);
		return 1;
	}
	put32(0xa1b2c3d4); /* pcap, microseconds, this machine's byte order */
	put32(2 | 4 << 16);
	put32(0);
	put32(0);
	put32(65535);
	put32(1); /* LINKTYPE_ETHERNET */
	mac_a = pktb_mac("02:00:00:00:00:01");
	mac_b = pktb_mac("02:00:00:00:00:02");
	addr_a = pktb_addr6("2001:db8::1");
	addr_b = pktb_addr6("2001:db8::2");
	seg[0] = pktb_addr6("2001:db8:b:1::100");
	seg[1] = pktb_addr6("2001:db8:b:2::100");
	seg[2] = pktb_addr6("2001:db8:b:3::d6");
	ethernet();
	icmp4();
	icmp6();
	srh();
	stacked();
	return fclose(file) == 0 ? 0 : 1;
}
