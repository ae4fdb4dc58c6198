# SPDX-License-Identifier: BSD-3-Clause
"""VLAN and QinQ sub-interfaces, as raw frames: this file's host speaks ARP and ND by itself.

af_packet ports lose the outer tag's type (the kernel hands it over as 0x8100), so these labs use AF_XDP."""

import itertools
import re

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from heddlelab import Heddle, RawPort, interface, malformed, subinterface, veth_port

TAGS = {
    "untagged": (),
    "single": ((0x8100, 100),),
    "service": ((0x88a8, 200),),
    "qinq": ((0x88a8, 300), (0x8100, 7)),
    "qinq-q": ((0x8100, 400), (0x8100, 8)),
}
NAMES = list(TAGS)


def tagged(src, dst, tags, payload):
    """An Ethernet frame with these tags, outermost first."""
    frame = Ether(src=src, dst=dst)
    for tpid, vlan in tags:
        frame.lastlayer().type = tpid
        frame = frame / (Dot1AD(vlan=vlan) if tpid == 0x88a8 else Dot1Q(vlan=vlan))
    return Ether(bytes(frame / payload))


def tags_of(frame):
    """The tags of a frame, outermost first."""
    tags, layer, kind = [], frame, frame.type
    while kind in (0x8100, 0x88a8):
        layer = layer.payload
        tags.append((kind, layer.vlan))
        kind = layer.type
    return tuple(tags)


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.host, self.hd = lab.ns("host"), lab.ns("hd")
        lab.link(self.host, "eth0", self.hd, "trunk")
        interfaces = []
        for n, (name, tags) in enumerate(TAGS.items(), 1):
            addresses = (f"10.7.{n}.1/24", f"2001:db8:7:{n}::1/64")
            if not tags:
                interfaces.append(interface("trunk", veth_port("trunk", "af_xdp"), *addresses))
            else:
                interfaces.append(subinterface(
                    f"trunk.{name}", "trunk", tags[0][1], *addresses, tpid=f"0x{tags[0][0]:x}",
                    inner=tags[1][1] if len(tags) > 1 else None))
        self.port = RawPort(self.host, "eth0")
        # Host 3 of each net is a static neighbour: it never has to answer a probe.
        static = [{"interface": entry["name"], "address": address, "mac": self.port.mac}
                  for entry, name in zip(interfaces, NAMES) for address in (self.four(name, 3), self.six(name, 3))]
        self.heddle = Heddle(lab, self.hd, {"interfaces": {"interface": interfaces},
                                            "ip": {"neighbour": static}}).start()

    def four(self, name, host=2):
        return f"10.7.{NAMES.index(name) + 1}.{host}"

    def six(self, name, host=2):
        return f"2001:db8:7:{NAMES.index(name) + 1}::{host}"

    def resolve(self, name):
        """Ask for Heddle's MAC address on an interface by ARP, and by that teach it ours."""
        ask = ARP(op="who-has", hwsrc=self.port.mac, psrc=self.four(name), pdst=self.four(name, 1))
        return self.port.exchange(tagged(self.port.mac, "ff:ff:ff:ff:ff:ff", TAGS[name], ask),
                                  lambda p: ARP in p and p[ARP].op == 2)

    def resolve6(self, name):
        target = self.six(name, 1)
        ask = IPv6(src=self.six(name), dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt=target) / \
            ICMPv6NDOptSrcLLAddr(lladdr=self.port.mac)
        return self.port.exchange(tagged(self.port.mac, "33:33:ff:00:00:01", TAGS[name], ask),
                                  lambda p: ICMPv6ND_NA in p and p[ICMPv6ND_NA].tgt == target)


@pytest.fixture(scope="module")
def net(module_lab):
    made = Net(module_lab)
    yield made
    made.port.close()


@pytest.mark.parametrize("name", NAMES)
def test_arp_is_answered_with_the_same_tags(net, name):
    answer = net.resolve(name)
    assert answer is not None
    assert tags_of(answer) == TAGS[name]
    assert answer[ARP].psrc == net.four(name, 1)
    assert malformed([answer]) == ""


@pytest.mark.parametrize("name", NAMES)
def test_nd_is_answered_with_the_same_tags(net, name):
    answer = net.resolve6(name)
    assert answer is not None
    assert tags_of(answer) == TAGS[name]
    # RFC 4861 section 7.2.4: solicited, override, and our address as the target's link-layer address.
    assert answer[ICMPv6ND_NA].S == 1 and answer[ICMPv6ND_NA].O == 1 and answer[ICMPv6ND_NA].R == 1
    assert answer[IPv6].hlim == 255
    assert malformed([answer]) == ""


@pytest.mark.parametrize("name", NAMES)
def test_ping_over_tags(net, name):
    gateway = net.resolve(name)[ARP].hwsrc
    ping = IP(src=net.four(name), dst=net.four(name, 1)) / ICMP(id=1, seq=1) / b"tagged"
    reply = net.port.exchange(tagged(net.port.mac, gateway, TAGS[name], ping),
                              lambda p: ICMP in p and p[ICMP].type == 0)
    assert reply is not None and tags_of(reply) == TAGS[name] and b"tagged" in bytes(reply)
    gateway = net.resolve6(name).src
    ping = IPv6(src=net.six(name), dst=net.six(name, 1)) / ICMPv6EchoRequest(data=b"tagged6")
    reply = net.port.exchange(tagged(net.port.mac, gateway, TAGS[name], ping),
                              lambda p: ICMPv6EchoReply in p)
    assert reply is not None and tags_of(reply) == TAGS[name] and b"tagged6" in bytes(reply)


@pytest.mark.parametrize("into,out", list(itertools.permutations(NAMES, 2)))
def test_forwarding_between_any_two(net, rng, into, out):
    """Tags are taken off and put on: every pair of interfaces, both families, payload untouched."""
    four, six = net.resolve(into), net.resolve6(into)
    data = rng.randbytes(rng.randrange(0, 1400))
    for gateway, ip in ((four[ARP].hwsrc, IP(src=net.four(into), dst=net.four(out, 3))),
                        (six.src, IPv6(src=net.six(into), dst=net.six(out, 3)))):
        sent = ip / UDP(sport=4000, dport=4001) / Raw(data)
        got = net.port.exchange(tagged(net.port.mac, gateway, TAGS[into], sent),
                                lambda p: UDP in p and p[UDP].dport == 4001)
        assert got is not None, f"{into} to {out}: {sent.summary()} did not arrive"
        assert tags_of(got) == TAGS[out]
        assert bytes(got[UDP].payload)[:len(data)] == data
        assert malformed([got]) == ""


@pytest.mark.parametrize("tags", [((0x8100, 101),), ((0x88a8, 300),), ((0x88a8, 300), (0x8100, 9)),
                                  ((0x8100, 100), (0x8100, 1)), ((0x88a8, 100),)])
def test_unknown_tags_are_dropped_by_name(net, tags):
    gateway = net.resolve("single")[ARP].hwsrc
    before = drops_of(net.heddle)
    ping = IP(src=net.four("single"), dst=net.four("single", 1)) / ICMP(id=9, seq=9)
    assert net.port.exchange(tagged(net.port.mac, gateway, tags, ping),
                             lambda p: ICMP in p and p[ICMP].type == 0, timeout=0.5) is None
    after = drops_of(net.heddle)
    grown = {reason for reason in after if after[reason] > before.get(reason, 0)}
    assert any(re.search("vlan|tag|iface|interface", reason, re.I) for reason in grown), (grown, after)


def drops_of(heddle):
    state = heddle.state("drops")
    state = state.get("drop", []) if isinstance(state, dict) else state
    return {f"{d['node']} {d['reason']}": int(d["packets"]) for d in state}


def test_frames_for_others_are_not_forwarded(net):
    """A frame to a MAC address that is not ours is not routed, even where the port is promiscuous."""
    net.resolve("single")
    net.resolve("qinq")
    packet = IP(src=net.four("single"), dst=net.four("qinq")) / UDP(sport=1, dport=4002)
    assert net.port.exchange(tagged(net.port.mac, "02:00:00:00:00:99", TAGS["single"], packet),
                             lambda p: UDP in p and p[UDP].dport == 4002, timeout=0.5) is None
