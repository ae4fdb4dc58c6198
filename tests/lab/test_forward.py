# SPDX-License-Identifier: BSD-3-Clause
"""Plain IPv4 and IPv6 forwarding as hosts see it: Linux ping, traceroute and tracepath, and raw frames.

    host-a ── access ┐
    host-b ── far    ├── heddle
    host-c ── narrow ┘   (MTU 1280)
"""

import re
import time

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from heddlelab import Heddle, RawPort, interface, malformed, veth_port, wait_for

A4, B4, C4 = "10.0.1.2", "10.0.2.2", "10.0.3.2"
A6, B6, C6 = "2001:db8:a::2", "2001:db8:b::2", "2001:db8:c::2"

CONFIG = {
    "interfaces": {"interface": [
        interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
        interface("far", veth_port("far"), "10.0.2.1/24", "2001:db8:b::1/64"),
        interface("narrow", veth_port("narrow"), "10.0.3.1/24", "2001:db8:c::1/64", mtu=1280),
    ]},
    "ip": {"route": [
        {"prefix": "10.99.0.0/16", "special": "blackhole"},
        {"prefix": "10.98.0.0/16", "special": "unreachable"},
        {"prefix": "10.97.0.0/16", "special": "prohibit"},
        {"prefix": "2001:db8:99::/48", "special": "blackhole"},
        {"prefix": "2001:db8:98::/48", "special": "unreachable"},
        {"prefix": "2001:db8:97::/48", "special": "prohibit"},
        {"prefix": "10.50.0.0/16", "next-hop": [
            {"interface": "far", "address": B4, "weight": 1},
            {"interface": "narrow", "address": C4, "weight": 3}]},
        {"prefix": "2001:db8:50::/48", "next-hop": [
            {"interface": "far", "address": B6, "weight": 1},
            {"interface": "narrow", "address": C6, "weight": 3}]},
    ]},
}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.c, self.hd = lab.ns("host-a"), lab.ns("host-b"), lab.ns("host-c"), lab.ns("hd")
        lab.link(self.a, "eth0", self.hd, "access")
        lab.link(self.b, "eth0", self.hd, "far")
        lab.link(self.c, "eth0", self.hd, "narrow", mtu=1280)
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b"),
                                (self.c, "10.0.3", "2001:db8:c")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.heddle = Heddle(lab, self.hd, CONFIG).start()

    def gateway(self, host, target):
        """MAC address that the host uses towards Heddle."""
        host.ping(target, check=False, count=1)
        return re.search(r"lladdr (\S+)", host.out(f"ip neigh show {target}")).group(1)


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


@pytest.mark.parametrize("size", [0, 56, 1000, 1472])
def test_ping4(net, size):
    net.a.ping(B4, size=size)
    net.b.ping(A4, size=size)


@pytest.mark.parametrize("size", [0, 56, 1000, 1452])
def test_ping6(net, size):
    net.a.ping(B6, size=size)
    net.b.ping(A6, size=size)


@pytest.mark.parametrize("target", ["10.0.1.1", "10.0.2.1", "2001:db8:a::1", "2001:db8:b::1"])
def test_own_addresses_answer(net, target):
    net.a.ping(target, size=1400)


def test_first_packet_waits_for_the_neighbour(net):
    """The very first packet to a neighbour nobody knows is held, not lost."""
    for host, target, own in ((net.c, B4, "10.0.9.9/32"), (net.c, B6, "2001:db8:9::9/128")):
        assert host.ping(target, count=1) == 1


@pytest.mark.parametrize("target,hops", [(B4, ["10.0.1.1", B4]), (B6, ["2001:db8:a::1", B6])])
@pytest.mark.parametrize("method", ["", "-I", "-T"])
def test_traceroute(net, target, hops, method):
    out = net.a.out(f"traceroute -n -q 1 -w 2 -m 5 {method} {target}")
    assert re.findall(r"^ *\d+ +(\S+)", out, re.M) == hops, out


@pytest.mark.parametrize("target", [C4, C6])
def test_tracepath_finds_the_narrow_link(net, target):
    net.a.ip("route flush cache")
    net.a.ip("-6 route flush cache")
    out = net.a.out(f"tracepath -n -m 5 {target}")
    assert "pmtu 1280" in out and "reached" in out, out


def test_fragments_when_allowed(net):
    """1400 octets into a link of 1280: two fragments that Linux puts together again."""
    with RawPort(net.c, "eth0") as port:
        net.a.ping(C4, size=1400, count=2, options="-M dont")
        frames = port.receive(lambda p: IP in p and p[IP].src == A4, count=4, timeout=1)
    assert len(frames) == 4, [f.summary() for f in frames]
    assert all(len(f[IP]) <= 1280 for f in frames)
    assert malformed(frames) == ""


def test_frag_needed_names_the_mtu(net):
    net.a.ip("route flush cache")
    done = net.a.run(f"ping -n -c 1 -W 2 -M do -s 1400 {C4}", check=False)
    assert "mtu = 1280" in done.stdout or "mtu=1280" in done.stdout, done.stdout


def test_packet_too_big_names_the_mtu(net):
    net.a.ip("-6 route flush cache")
    done = net.a.run(f"ping -n -c 1 -W 2 -M do -s 1400 {C6}", check=False)
    assert re.search(r"mtu ?= ?1280", done.stdout), done.stdout


@pytest.mark.parametrize("target,router", [(B4, "10.0.1.1"), (B6, "2001:db8:a::1")])
def test_ttl_expires(net, target, router):
    done = net.a.run(f"ping -n -c 1 -W 2 -t 1 {target}", check=False)
    assert re.search(rf"From {router}.*(Time to live|Hop limit|Time) exceeded", done.stdout, re.I), done.stdout


@pytest.mark.parametrize("target,says", [
    ("10.98.0.1", "Destination (Net|Host) Unreachable"),
    ("10.97.0.1", "(Packet filtered|Prohibited)"),
    ("10.200.0.1", "Destination (Net|Host) Unreachable"),
    ("2001:db8:98::1", "Destination unreachable: (No route|Address unreachable)"),
    ("2001:db8:97::1", "Destination unreachable: Administratively prohibited"),
    ("2001:db8:200::1", "Destination unreachable: No route"),
])
def test_unreachable(net, target, says):
    time.sleep(0.3)  # errors are limited in rate
    done = net.a.run(f"ping -n -c 3 -i 0.3 -W 2 {target}", check=False)
    assert re.search(says, done.stdout), done.stdout


@pytest.mark.parametrize("target", ["10.99.0.1", "2001:db8:99::1"])
def test_blackhole_is_silent(net, target):
    done = net.a.run(f"ping -n -c 3 -i 0.1 -W 0.5 {target}", check=False)
    assert "0 received" in done.stdout and "From" not in done.stdout, done.stdout
    drops = net.heddle.show("drops")
    assert re.search("blackhole", drops, re.I), drops


@pytest.mark.parametrize("target,says", [("10.0.2.77", "Host Unreachable"), ("2001:db8:b::77", "Address unreachable")])
def test_silent_neighbour(net, target, says):
    done = net.a.run(f"ping -n -c 5 -i 1 -W 4 {target}", check=False, timeout=20)
    assert says in done.stdout, done.stdout


def random_udp(rng, src, dst, size):
    ip = IPv6(src=src, dst=dst, hlim=rng.randrange(2, 256), tc=rng.randrange(256), fl=rng.randrange(1 << 20)) \
        if ":" in dst else IP(src=src, dst=dst, ttl=rng.randrange(2, 256), id=rng.randrange(1 << 16),
                              flags="DF" if rng.random() < 0.5 else 0, tos=rng.randrange(256))
    return ip / UDP(sport=rng.randrange(1024, 65536), dport=9) / Raw(rng.randbytes(size))


@pytest.mark.parametrize("src,dst", [(A4, B4), (A6, B6)])
def test_frames_arrive_unchanged(net, rng, rounds, src, dst):
    """Everything but the MAC addresses, TTL and header checksum is as it was sent, for random packets."""
    net.a.ping(dst)
    gateway = net.gateway(net.a, "10.0.1.1")
    arrived = []
    with RawPort(net.a, "eth0") as tx, RawPort(net.b, "eth0") as rx:
        for _ in range(rounds(50)):
            sent = random_udp(rng, src, dst, rng.randrange(0, 1400))
            frame = Ether(bytes(Ether(src=tx.mac, dst=gateway) / sent))
            tx.send(frame)
            got = rx.receive(lambda p, port=sent[UDP].sport: UDP in p and p[UDP].sport == port)
            assert got, f"lost: {frame.summary()}"
            want = Ether(bytes(frame))[1]
            if IP in want:
                want.ttl -= 1
                del want.chksum
            else:
                want.hlim -= 1
            assert bytes(got[0][1])[:len(want)] == bytes(want)
            assert got[0].dst == rx.mac
            arrived += got
    assert malformed(arrived) == ""


@pytest.mark.parametrize("dst", ["10.50.0.1", "2001:db8:50::1"])
def test_weighted_multipath(net, rng, dst):
    """Flows are shared 1:3 between two gateways, and a flow stays where it is."""
    v6 = ":" in dst
    for ns in (net.a,):
        ns.ping(B6 if v6 else B4)
        ns.ping(C6 if v6 else C4)
    gateway = net.gateway(net.a, "10.0.1.1")
    src = A6 if v6 else A4
    ports = rng.sample(range(1024, 65536), 400)
    with RawPort(net.a, "eth0") as tx, RawPort(net.b, "eth0") as rb, RawPort(net.c, "eth0") as rc:
        for _ in range(2):
            for port in ports:
                ip = IPv6(src=src, dst=dst) if v6 else IP(src=src, dst=dst)
                tx.send(Ether(src=tx.mac, dst=gateway) / ip / UDP(sport=port, dport=9) / Raw(b"x" * 8))
        mine = (lambda p: UDP in p and p[UDP].dport == 9)
        at_b = rb.receive(mine, count=800, timeout=1.5)
        at_c = rc.receive(mine, count=800 - len(at_b), timeout=1.5)
    flows_b = {p[UDP].sport for p in at_b}
    flows_c = {p[UDP].sport for p in at_c}
    assert len(at_b) + len(at_c) == 800
    assert not flows_b & flows_c, "a flow was seen on both paths"
    assert 60 <= len(flows_b) <= 140, f"{len(flows_b)} of 400 flows on the path of weight 1 in 4"


@pytest.mark.parametrize("why,spoil", [
    ("checksum", lambda ip: ip.__setattr__("chksum", 0x1234)),
    ("version", lambda ip: ip.__setattr__("version", 5)),
    ("header length", lambda ip: ip.__setattr__("ihl", 4)),
    ("total length", lambda ip: ip.__setattr__("len", 1400)),
])
def test_bad_ip4_headers_are_dropped_by_name(net, why, spoil):
    gateway = net.gateway(net.a, "10.0.1.1")
    before = dropped(net.heddle)
    with RawPort(net.a, "eth0") as tx, RawPort(net.b, "eth0") as rx:
        frame = Ether(src=tx.mac, dst=gateway) / IP(src=A4, dst=B4, id=77) / UDP(sport=7, dport=77) / b"12345678"
        frame = Ether(bytes(frame))
        spoil(frame[IP])
        tx.send(frame)
        assert not rx.receive(lambda p: IP in p and p[IP].id == 77, timeout=0.3)
    wait_for(f"a drop for the {why} to be counted", lambda: dropped(net.heddle) > before, 3)


def dropped(heddle):
    drops = heddle.state("drops")
    drops = drops.get("drop", drops) if isinstance(drops, dict) else drops
    return sum(int(d["packets"]) for d in drops if isinstance(d, dict) and "packets" in d)


def test_every_packet_is_accounted_for(net, rng, rounds):
    """What was sent is what arrived plus what the drop reasons counted, to the packet."""
    net.a.ping(B4)
    net.a.ping(B6)
    gateway = net.gateway(net.a, "10.0.1.1")
    n = rounds(600)
    time.sleep(0.5)
    before = dropped(net.heddle)
    with RawPort(net.a, "eth0") as tx, RawPort(net.b, "eth0") as rx:
        for _ in range(n):
            src, dst = rng.choice([(A4, B4), (A6, B6), (A4, "10.99.1.1"), (A6, "2001:db8:99::1")])
            packet = random_udp(rng, src, dst, 100)
            if IP in packet and rng.random() < 0.2:
                packet[IP].chksum = 0x0bad
            tx.send(Ether(src=tx.mac, dst=gateway) / packet)
        arrived = len(rx.receive(lambda p: UDP in p and p[UDP].dport == 9, count=n, timeout=1.5))
    wait_for(f"{n} packets sent to be {arrived} arrived and the rest dropped by name",
             lambda: dropped(net.heddle) - before + arrived == n, 3)


def test_errors_are_about_the_packet(net):
    """An ICMP error quotes the packet that caused it, and tshark finds nothing wrong with it."""
    gateway = net.gateway(net.a, "10.0.1.1")
    with RawPort(net.a, "eth0") as port:
        four = Ether(src=port.mac, dst=gateway) / IP(src=A4, dst=B4, ttl=1) / UDP(sport=5, dport=55) / b"quoted"
        error = port.exchange(four, lambda p: ICMP in p and p[ICMP].type == 11)
        assert error is not None and b"quoted" in bytes(error)
        six = Ether(src=port.mac, dst=gateway) / IPv6(src=A6, dst=B6, hlim=1) / UDP(sport=5, dport=55) / b"quoted"
        error6 = port.exchange(six, lambda p: ICMPv6TimeExceeded in p)
        assert error6 is not None and b"quoted" in bytes(error6)
        assert malformed([error, error6]) == ""


def test_no_error_about_an_error(net):
    """RFC 4443 section 2.4 (e), RFC 1122 section 3.2.2: errors, and packets to multicast, cause no error."""
    gateway = net.gateway(net.a, "10.0.1.1")
    with RawPort(net.a, "eth0") as port:
        for packet in (IP(src=A4, dst=B4, ttl=1) / ICMP(type=3, code=1) / IP(src=B4, dst=A4) / UDP(),
                       IPv6(src=A6, dst=B6, hlim=1) / ICMPv6DestUnreach() / IPv6(src=B6, dst=A6) / UDP()):
            answer = port.exchange(Ether(src=port.mac, dst=gateway) / packet,
                                   lambda p: (ICMP in p and p[ICMP].type == 11) or ICMPv6TimeExceeded in p,
                                   timeout=0.5)
            assert answer is None, answer.summary()
