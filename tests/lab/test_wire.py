# SPDX-License-Identifier: BSD-3-Clause
"""Packets of our builders, decoded by tshark: nothing malformed, every checksum right, every field what we meant."""

import json
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHECKSUMS = ["ip.check_checksum", "udp.check_checksum", "tcp.check_checksum"]
SEGMENTS = ["2001:db8:b:3::d6", "2001:db8:b:2::100", "2001:db8:b:1::100"]

# name -> protocols as tshark stacks them, and fields that must have these values (all occurrences, in order)
WANT = {
    "eth": ("eth:ethertype:arp", {"arp.opcode": ["1"]}),
    "eth-vlan": ("eth:ethertype:vlan:ethertype:arp", {"vlan.id": ["4094"], "vlan.dei": ["1"]}),
    "eth-qinq": ("eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:arp",
                 {"vlan.id": ["4094"], "ieee8021ad.id": ["200"]}),
    "arp-reply": ("eth:ethertype:arp", {"arp.opcode": ["2"], "arp.dst.proto_ipv4": ["192.0.2.2"]}),
    "ip4-udp": ("eth:ethertype:ip:udp:data", {"ip.ttl": ["63"], "ip.dsfield": ["0xb9"], "ip.id": ["0x0063"]}),
    "icmp4-error": ("eth:ethertype:ip:icmp:ip:udp:data", {"icmp.type": ["11"], "ip.len": ["576", "928"]}),
    "icmp4-echo-reply": ("eth:ethertype:ip:icmp:data", {"icmp.type": ["0"]}),
    "icmp6-error": ("eth:ethertype:ipv6:icmpv6:ipv6:ipv6.routing:udp:data",
                    {"icmpv6.type": ["4"], "icmpv6.pointer": ["43"], "ipv6.routing.segleft": ["0"]}),
    "icmp6-too-big": ("eth:ethertype:ipv6:icmpv6:ipv6:udp:data",
                      {"icmpv6.type": ["2"], "icmpv6.mtu": ["1400"], "ipv6.plen": ["1240", "1408"]}),
    "icmp6-echo-reply": ("eth:ethertype:ipv6:icmpv6:data", {"icmpv6.type": ["129"]}),
    "nd-ns": ("eth:ethertype:ipv6:icmpv6",
              {"icmpv6.nd.ns.target_address": ["2001:db8::1"],
               "icmpv6.opt.src_linkaddr": ["02:00:00:00:00:01"]}),
    "nd-na": ("eth:ethertype:ipv6:icmpv6",
              {"icmpv6.nd.na.target_address": ["2001:db8::1"], "icmpv6.nd.na.flag.s": ["1"],
               "icmpv6.nd.na.flag.r": ["1"], "icmpv6.nd.na.flag.o": ["1"],
               "icmpv6.opt.target_linkaddr": ["02:00:00:00:00:01"]}),
    "srh-full": ("eth:ethertype:ipv6:ipv6.routing:udp:data",
                 {"ipv6.routing.srh.addr": SEGMENTS, "ipv6.routing.segleft": ["2"], "ipv6.routing.len": ["6"],
                  "ipv6.routing.srh.last_entry": ["2"], "ipv6.tclass": ["0x000000b9"], "ipv6.flow": ["0x0abcde"]}),
    "srh-tlv": ("eth:ethertype:ipv6:ipv6.routing:udp:data",
                {"ipv6.routing.srh.addr": SEGMENTS, "ipv6.routing.len": ["7"],
                 "ipv6.routing.srh.flags": ["0x20"], "ipv6.routing.srh.tag": ["be:ef"]}),
    "srh-hmac": ("eth:ethertype:ipv6:ipv6.routing:udp:data",
                 {"ipv6.routing.srh.addr": SEGMENTS, "ipv6.routing.len": ["11"]}),
    "srh-one": ("eth:ethertype:ipv6:ipv6.routing:udp:data",
                {"ipv6.routing.srh.addr": SEGMENTS[2:], "ipv6.routing.segleft": ["0"],
                 "ipv6.routing.srh.last_entry": ["0"]}),
    "srh-reduced": ("eth:ethertype:ipv6:ipv6.routing:udp:data",
                    {"ipv6.routing.srh.addr": SEGMENTS[:2], "ipv6.routing.segleft": ["2"],
                     "ipv6.routing.len": ["4"], "ipv6.routing.srh.last_entry": ["1"]}),
    "pktb-chain": ("eth:ethertype:ipv6:ipv6.hopopts:ipv6.dstopts:ipv6.routing:ipv6.fraghdr:udp:data",
                   {"ipv6.fraghdr.ident": ["0x00000007"]}),
    "pktb-srh-in6": ("eth:ethertype:ipv6:ipv6.routing:ipv6:tcp", {}),
    "pktb-in4": ("eth:ethertype:ipv6:ip:udp:data", {"ip.proto": ["17"]}),
    "pktb-l2": ("eth:ethertype:ipv6:ipv6.routing:eth:ethertype:vlan:ethertype:ip:icmp:data", {"vlan.id": ["10"]}),
    "pktb-qinq": ("eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ipv6:icmpv6:data", {}),
}


@pytest.fixture(scope="module")
def decoded(tmp_path_factory):
    """name -> what tshark sees: field name -> list of values."""
    work = tmp_path_factory.mktemp("wire")
    exe, pcap = str(work / "wire_pcap"), str(work / "wire.pcap")
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-I", ROOT,
                    "-I", os.path.join(ROOT, "include"), "-o", exe, os.path.join(ROOT, "tests/wire/wire_pcap.c"),
                    os.path.join(ROOT, "tests/pktb.c")], check=True)
    names = subprocess.run([exe, pcap], check=True, capture_output=True, text=True).stdout.split()
    options = [word for name in CHECKSUMS for word in ("-o", name + ":TRUE")]
    text = subprocess.run(["tshark", "-r", pcap, "-n", "-T", "json", "--no-duplicate-keys"] + options, check=True,
                          capture_output=True, text=True).stdout
    packets = json.loads(text)
    assert len(packets) == len(names) == len(set(names))
    return {name: _flat(packet["_source"]["layers"], {}) for name, packet in zip(names, packets)}


def _flat(tree, into):
    """All leaves of tshark's tree by field name, in order."""
    for key, value in tree.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                into.setdefault(key, [])
                _flat(one, into)
            else:
                into.setdefault(key, []).append(one)
    return into


def test_every_packet_has_an_expectation(decoded):
    assert sorted(decoded) == sorted(WANT)


@pytest.mark.parametrize("name", sorted(WANT))
def test_decodes_as_meant(decoded, name):
    fields = decoded[name]
    protocols, values = WANT[name]
    assert fields["frame.protocols"] == [protocols]
    assert not [key for key in fields if "malformed" in key or key.startswith("_ws.short")]
    # errors and warnings of the expert
    severity = [int(x) for x in fields.get("_ws.expert.severity", [])]
    assert not [x for x in severity if x >= 0x600000], fields.get("_ws.expert.message")
    for key, status in fields.items():
        # 1 is Good, 2 Unverified: a quoted packet has no end to sum up to
        if key.endswith("checksum.status"):
            assert "0" not in status, f"{key}: bad checksum"
    checked = [s for key, status in fields.items() if key.endswith("checksum.status") for s in status]
    assert "1" in checked or "arp" in protocols, "no checksum was checked"
    for key, want in values.items():
        assert fields.get(key) == want, key
