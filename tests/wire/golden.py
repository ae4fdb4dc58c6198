#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes golden.h: packets built by scapy, as bytes for the unit tests of wire formats.

Usage: tests/wire/golden.py > tests/wire/golden.h    (scapy 2.5; the output is committed)
"""
import sys
import textwrap

import scapy
from scapy.all import *  # noqa: F403 - the expressions below are scapy's own language
from scapy.layers.inet6 import *  # noqa: F403

conf.verb = 0
E = Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")

PACKETS = {
    "eth_ip6_udp": """
        E/IPv6(src="2001:db8::1",dst="2001:db8::2",tc=0xb8,fl=0x12345,hlim=64)
        /UDP(sport=1000,dport=2000)/b"0123456789abcdef"
        """,
    "vlan_ip4_udp": """
        E/Dot1Q(vlan=100,prio=5)/IP(src="192.0.2.1",dst="192.0.2.2",ttl=64,id=7)
        /UDP(sport=1000,dport=2000)/b"0123456789abcdef"
        """,
    "qinq_ip4_icmp": """
        E/Dot1AD(vlan=200,prio=1,id=1)/Dot1Q(vlan=30)
        /IP(src="192.0.2.1",dst="192.0.2.2",tos=0x28,flags="DF",id=9)/ICMP(id=1,seq=2)/b"ping"
        """,
    "arp_request": """
        ARP(op=1,hwsrc="02:00:00:00:00:01",psrc="192.0.2.1",hwdst="00:00:00:00:00:00",pdst="192.0.2.2")
        """,
    "arp_reply": """
        ARP(op=2,hwsrc="02:00:00:00:00:02",psrc="192.0.2.2",hwdst="02:00:00:00:00:01",pdst="192.0.2.1")
        """,
    "ip4_tcp": """
        IP(src="198.51.100.7",dst="203.0.113.9",ttl=33,id=0x1234)
        /TCP(sport=4321,dport=80,seq=0x01020304,ack=0,flags="S",window=29200,
        options=[("MSS",1460),("NOP",None),("WScale",7),("SAckOK",b"")])
        """,
    "ip4_opts_udp": """
        IP(src="192.0.2.1",dst="192.0.2.2",ttl=64,id=7,options=[IPOption_Router_Alert()])
        /UDP(sport=1000,dport=2000)/b"odd"
        """,
    "ip6_chain": """
        IPv6(src="2001:db8::1",dst="2001:db8:b::100",hlim=64)
        /IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)])
        /IPv6ExtHdrDestOpt(options=[HAO(hoa="2001:db8::99")])
        /IPv6ExtHdrSegmentRouting(addresses=["2001:db8:c::1","2001:db8:b::100"],segleft=1,lastentry=1)
        /IPv6ExtHdrFragment(offset=0,m=1,id=0xdeadbeef)/UDP(sport=1000,dport=2000,chksum=0x1234)
        /b"0123456789abcdef"
        """,
    "srh_udp": """
        IPv6(src="2001:db8::1",dst="2001:db8:b::100",hlim=64)
        /IPv6ExtHdrSegmentRouting(addresses=["2001:db8:c::1","2001:db8:b::100"],segleft=1,lastentry=1,tag=0xbeef)
        /UDP(sport=1000,dport=2000)/b"0123456789abcdef"
        """,
    "srh_tlv_in6": """
        IPv6(src="2001:db8::1",dst="2001:db8:b::100",hlim=64)
        /IPv6ExtHdrSegmentRouting(addresses=["2001:db8:c::1","2001:db8:b::100"],segleft=1,lastentry=1,
        tlv_objects=[IPv6ExtHdrSegmentRoutingTLV(type=124,len=4,value=b"abcd"),
        IPv6ExtHdrSegmentRoutingTLVPadN(len=0,padding=b"")])
        /IPv6(src="2001:db8:a::1",dst="2001:db8:d::1",hlim=10)/UDP(sport=1,dport=2)/b"inner"
        """,
    "icmp6_echo": """
        IPv6(src="2001:db8::1",dst="2001:db8::2",hlim=64)
        /ICMPv6EchoRequest(id=0x1234,seq=7,data=b"hello world")
        """,
    "icmp6_pp": """
        IPv6(src="2001:db8:b::100",dst="2001:db8::1",hlim=64)/ICMPv6ParamProblem(code=4,ptr=64)
        /IPv6(src="2001:db8::1",dst="2001:db8:b::100",hlim=64)
        /IPv6ExtHdrSegmentRouting(addresses=["2001:db8:b::100"],segleft=0,lastentry=0)
        /IPv6(src="2001:db8:a::1",dst="2001:db8:d::1",hlim=10,nh=59)
        """,
    "icmp4_unreach": """
        IP(src="192.0.2.254",dst="192.0.2.1",ttl=64,id=1)/ICMP(type=3,code=4,nexthopmtu=1404)
        /IP(src="192.0.2.1",dst="198.51.100.1",ttl=63,id=2,flags="DF")/UDP(sport=1000,dport=2000)
        /b"0123456789abcdef"
        """,
    "nd_ns": """
        IPv6(src="fe80::1",dst="ff02::1:ff00:2",hlim=255)/ICMPv6ND_NS(tgt="2001:db8::2")
        /ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:01")
        """,
    "nd_dad": """
        IPv6(src="::",dst="ff02::1:ff00:2",hlim=255)/ICMPv6ND_NS(tgt="2001:db8::2")
        """,
    "nd_na": """
        IPv6(src="2001:db8::2",dst="fe80::1",hlim=255)/ICMPv6ND_NA(tgt="2001:db8::2",R=1,S=1,O=1)
        /ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:02")
        """,
    "nd_rs": """
        IPv6(src="fe80::1",dst="ff02::2",hlim=255)/ICMPv6ND_RS()
        /ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:01")
        """,
    "nd_ra": """
        IPv6(src="fe80::2",dst="ff02::1",hlim=255)
        /ICMPv6ND_RA(chlim=64,M=0,O=1,routerlifetime=1800,reachabletime=30000,retranstimer=1000)
        /ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:02")/ICMPv6NDOptMTU(mtu=1492)
        /ICMPv6NDOptPrefixInfo(prefix="2001:db8:1::",prefixlen=64,L=1,A=1,validlifetime=86400,preferredlifetime=14400)
        """,
}


def main():
    print("/* SPDX-License-Identifier: BSD-3-Clause */")
    print("/* Packets built by scapy %s. Written by golden.py: do not edit. */" % scapy.__version__)
    print("#ifndef TESTS_WIRE_GOLDEN_H\n#define TESTS_WIRE_GOLDEN_H\n\n#include <stddef.h>\n#include <stdint.h>")
    print("\n/* clang-format off */")
    for name, text in PACKETS.items():
        expr = "".join(line.strip() for line in text.strip().splitlines())
        data = bytes(eval(expr))  # pylint: disable=eval-used
        print("\n/* " + "\n * ".join(textwrap.wrap(expr, 110, break_on_hyphens=False)) + " */")
        print("static const uint8_t golden_%s[%d] = {" % (name, len(data)))
        for i in range(0, len(data), 16):
            print("\t" + " ".join("0x%02x," % x for x in data[i:i + 16]))
        print("};")
    print("\n/* All of them, for tests that take any packet. l2: starts with an Ethernet header. */")
    print("struct golden {\n\tconst char *name;\n\tconst uint8_t *data;\n\tsize_t len;\n\tint l2;\n};")
    print("static const struct golden golden_all[] = {")
    for name, text in PACKETS.items():
        l2 = int(text.strip().startswith("E/"))
        print('\t{ "%s", golden_%s, sizeof(golden_%s), %d },' % (name, name, name, l2))
    print("};\n\n#endif")


if __name__ == "__main__":
    sys.exit(main())
