# SPDX-License-Identifier: BSD-3-Clause
"""The headend with the Linux kernel behind it: wires of Ethernet frames, candidate paths under traffic, steering by
color, classifier and interface, the edge of the SR domain, compressed lists.

    host-a ── access ┐            ┌ core ── router (Linux) ┬ hosts ── host-b
    wire-a ── wire ──┴── heddle ──┘                        └ wire ─── wire-b"""

import os
import sys
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from heddlelab import Heddle, RawPort, interface, malformed, veth_port, wait_for

FLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heddlelab", "flow.py")
A4, B4, A6, B6 = "10.0.1.2", "10.0.2.2", "2001:db8:a::2", "2001:db8:b::2"
VIA = [{"interface": "core", "address": "2001:db8:12::2"}]


def paths(*items):
    """candidate paths: (name, preference, segments)"""
    return [{"name": name, "preference": preference, "liveness": f"{name}-probe",
             "segment-list": [{"name": "l", "segment": segments}]} for name, preference, segments in items]


def config(**srv6):
    routes = srv6.pop("route", [{"prefix": "10.0.2.0/24", "srv6-policy": "there"}])
    tree = {
        "encapsulation": {"source-address": "fc00:1::1"},
        "locator": [{"name": "lab", "prefix": "fc00:1::/48"}],
        "sid": [{"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True}],
        "policy": [{"name": "there", "color": 7, "endpoint": "2001:db8:12::2",
                    "candidate-path": paths(("main", 200, ["fc00:2::e1", "fc00:2::d4"]),
                                            ("spare", 100, ["fc00:2::e2", "fc00:2::d4"]))},
                   {"name": "wire", "encapsulation": "h-encaps-l2",
                    "segment-list": [{"name": "l", "segment": ["fc00:2::e1", "fc00:2::d2"]}]}],
        "interface": [{"name": "wire", "l2-policy": "wire"}],
    }
    tree.update(srv6)
    return {
        "interfaces": {"interface": [
            interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
            interface("core", veth_port("core"), "2001:db8:12::1/64"),
            interface("wire", veth_port("wire"), promiscuous=True)]},
        "ip": {"route": [{"prefix": "fc00:2::/48", "next-hop": VIA}, {"prefix": "fd00:2::/32", "next-hop": VIA}] +
                        routes},
        "srv6": tree,
    }


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.hd, self.r, self.wa, self.wb = (
            lab.ns(n) for n in ("host-a", "host-b", "hd", "router", "wire-a", "wire-b"))
        lab.link(self.a, "eth0", self.hd, "access", mtu=1300)
        lab.link(self.wa, "eth0", self.hd, "wire", mtu=1300)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1300)
        lab.link(self.r, "wire", self.wb, "eth0", mtu=1300)
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:12::1",
                     *(f"fc00:2::e{n} encap seg6local action End dev core" for n in (1, 2, 3)),
                     "fc00:2::d2 encap seg6local action End.DX2 oif wire dev wire",
                     "fc00:2::d6 encap seg6local action End.DT6 table main dev hosts",
                     "fd00:2:100::/48 encap seg6local action End flavors next-csid lblen 32 nflen 16 dev core",
                     "fd00:2:d600::/48 encap seg6local action End.DT6 table main dev hosts",
                     "2001:db8:a::/64 encap seg6 mode encap segs fc00:1::46 dev core")
        self.r.ip(f"-6 route add fc00:2::d4 encap seg6local action End.DX4 nh4 {B4} dev hosts")
        self.r.ip("route add 10.0.1.0/24 encap seg6 mode encap segs fc00:1::46 dev core")
        self.heddle = Heddle(lab, self.hd, config()).start()

    def first_segments(self, count, send, timeout=5):
        """First segments of the packets that left to the core while `send` ran, in order, with their UDP payloads."""
        with RawPort(self.r, "core") as port:
            send()
            frames = port.receive(lambda p: IPv6 in p and p[IPv6].src == "fc00:1::1", count=count, timeout=timeout)
        assert malformed(frames) == ""
        return frames


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


@pytest.fixture(autouse=True)
def as_before(net):
    net.heddle.reload(config())
    for name in ("main-probe", "spare-probe"):
        net.heddle.cli("srv6", "path-state", name, "up")


def mac_of(namespace, address):
    """Heddle's MAC address behind one of its addresses."""
    namespace.ping(address, count=1)
    return namespace.out(f"ip neigh show {address}").split("lladdr ")[1].split()[0]


def udp(net, n, sport=5000, dport=9, count=1):
    gateway = mac_of(net.a, "10.0.1.1")
    return [Ether(src=net.a.mac("eth0"), dst=gateway) / IP(src=A4, dst=B4) / UDP(sport=sport, dport=dport) /
            Raw(b"%08d" % (n + i)) for i in range(count)]


def state(net, name="there"):
    return next(p for p in net.heddle.state("policies") if p["name"] == name)


def active(net, name="there"):
    return [p["name"] for p in state(net, name)["candidate-path"] if p["active"]]


@pytest.mark.parametrize("form", ["h-encaps-l2", "h-encaps-l2-red"])
def test_frames_over_a_wire_to_the_kernel(net, form):
    """H.Encaps.L2: the kernel's End.DX2 puts out the very frames, tags and all."""
    tree = config()
    tree["srv6"]["policy"][1]["encapsulation"] = form
    net.heddle.reload(tree)
    frames = [Ether(dst="02:00:00:00:00:0b", src="02:00:00:00:00:0a") / Raw(b"\x5a" * 60),
              Ether(dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:0a") / Raw(b"\x01" * 46),
              Ether(dst="02:00:00:00:00:0b", src="02:00:00:00:00:0a") / Dot1Q(vlan=10, prio=5) /
              IP(src="192.0.2.1", dst="192.0.2.2") / UDP() / Raw(b"x" * 1200)]
    with RawPort(net.wa, "eth0") as tx, RawPort(net.wb, "eth0") as rx, RawPort(net.r, "core") as core:
        for frame in frames:
            tx.send(frame)
        got = rx.receive(lambda p: p.src == "02:00:00:00:00:0a", count=3, timeout=5)
        outer = core.receive(lambda p: IPv6 in p and p[IPv6].src == "fc00:1::1", count=3, timeout=2)
    assert [bytes(f) for f in got] == [bytes(f) for f in frames]
    assert malformed(outer) == ""
    for packet in outer:
        srh = packet[IPv6ExtHdrSegmentRouting]
        assert srh.nh == 143
        assert srh.addresses == ["fc00:2::d2"] + (["fc00:2::e1"] if form == "h-encaps-l2" else [])
    assert outer[2][IPv6].tc == 5 << 5 and outer[0][IPv6].tc == 0
    assert state(net, "wire")["valid"]


def test_active_path_by_liveness(net):
    """S-106: down, the next best path; up again, back; and the command line says why."""
    net.a.ping(B4)
    assert active(net) == ["main"]
    net.heddle.cli("srv6", "path-state", "main-probe", "down", "--reason", "3 of 3 probes lost")
    wait_for("the spare path", lambda: active(net) == ["spare"])
    # the state knows at once, the data plane once the change is compiled
    wait_for("traffic on it", lambda: {f[IPv6].dst for f in net.first_segments(3, lambda: net.a.ping(B4))} ==
             {"fc00:2::e2"}, 5)
    text = net.heddle.show("policies")
    assert "main-probe is down: 3 of 3 probes lost" in text
    net.heddle.cli("srv6", "path-state", "spare-probe", "down")
    wait_for("no path", lambda: active(net) == [])
    assert not state(net)["valid"]
    # the steering route has left with its policy: no other route, so the host hears about it
    assert "Unreachable" in net.a.run(f"ping -n -c 1 -W 1 {B4}", check=False).stdout
    net.heddle.cli("srv6", "path-state", "main-probe", "up")
    net.a.ping(B4)
    assert active(net) == ["main"]


def test_change_of_path_under_traffic(net):
    """Make before break: while the active path changes back and forth, every packet arrives, once and in order."""
    total, burst = 3000, 25
    with RawPort(net.a, "eth0") as tx, RawPort(net.b, "eth0") as rx:
        frames = udp(net, 0, count=total)
        rx.drain()
        got = []
        for at in range(0, total, burst):
            for frame in frames[at:at + burst]:
                tx.send(frame)
            if at % 500 == 250:
                net.heddle.cli("srv6", "path-state", "main-probe", "down" if at % 1000 == 250 else "up")
            got += rx.receive(lambda p: UDP in p and p[UDP].dport == 9, count=burst, timeout=5)
    assert [int(bytes(f[UDP].payload)[:8]) for f in got] == list(range(total))
    lists = {path["name"]: {c["name"]: int(c["value"]) for c in path["segment-list"][0]["counter"]}["packets"]
             for path in state(net)["candidate-path"]}
    assert lists["main"] > 500 and lists["spare"] > 500, lists


def test_steering_by_color(net):
    """RFC 9256 section 8.4.1: into the policy of the color while it is valid, over the next hop otherwise."""
    net.heddle.reload(config(route=[{"prefix": "10.0.2.0/24", "next-hop": VIA, "color": [{"color": 7}]}]))
    frames = net.first_segments(3, lambda: net.a.ping(B4))
    assert {f[IPv6].dst for f in frames} == {"fc00:2::e1"}
    for name in ("main-probe", "spare-probe"):
        net.heddle.cli("srv6", "path-state", name, "down")
    wait_for("no path", lambda: active(net) == [])
    with RawPort(net.r, "core") as port, RawPort(net.a, "eth0") as tx:
        tx.send(*udp(net, 1))
        frames = port.receive(lambda p: UDP in p and p[UDP].dport == 9, timeout=3)
    assert len(frames) == 1 and IPv6 not in frames[0], "not routed plainly"


def test_classifier(net):
    """Rules in order, DSCP and ports; what no rule matches is the routes' business; drops are counted by rule."""
    rules = [{"number": 10, "protocol": "udp", "destination-port": "4000-4010", "policy": "other"},
             {"number": 20, "source": "10.0.1.0/24", "dscp": 46, "action": "drop"}]
    tree = config(classifier=[{"name": "edge", "rule": rules}],
                  interface=[{"name": "access", "classifier": "edge"}, {"name": "wire", "l2-policy": "wire"}])
    tree["srv6"]["policy"].append({"name": "other", "segment-list": [
        {"name": "l", "segment": ["fc00:2::e3", "fc00:2::d4"]}]})
    net.heddle.reload(tree)

    def rules_now():
        return net.heddle.state("classifiers")[0]

    def counter(of, name):
        return int({c["name"]: c["value"] for c in of["counter"]}[name])

    wait_for("the classifier to be compiled", lambda: counter(rules_now(), "rules") == 3)
    with RawPort(net.a, "eth0") as tx:
        frames = net.first_segments(3, lambda: [tx.send(*udp(net, 1, dport=port)) for port in (4000, 4011, 4010)])
        assert [f[IPv6].dst for f in frames] == ["fc00:2::e3", "fc00:2::e1", "fc00:2::e3"]
        marked = udp(net, 1)[0]
        marked[IP].tos = 46 << 2
        with RawPort(net.r, "core") as port:
            tx.send(marked)
            assert port.receive(lambda p: IPv6 in p and p[IPv6].src == "fc00:1::1", timeout=0.5) == []
    by_rule = {(r["number"], r["family"]): counter(r, "packets") for r in rules_now()["rule"]}
    assert by_rule == {(10, "ipv4"): 2, (20, "ipv4"): 1, (10, "ipv6"): 0}
    net.a.ping("10.0.1.1")  # the node itself is reached
    assert "rule-drop" in net.heddle.show("drops")
    assert "udp" in net.heddle.show("classifiers") or "protocol 17" in net.heddle.show("classifiers")


def test_classifier_changes_under_traffic(net):
    """Rules come, go and change places while two flows run: none of their packets is lost, repeated or misclassified."""
    def tree(turn):
        filler = [{"number": n, "protocol": "tcp", "destination-port": str(n), "action": "drop"}
                  for n in range(100 + turn % 3, 100 + 40 * (turn % 4))]
        rules = [{"number": 10 + turn % 5, "protocol": "udp", "destination-port": "4000", "policy": "other"}, *filler,
                 {"number": 500 + turn % 7, "protocol": "udp", "source": "10.0.1.0/24", "policy": "third"}]
        made = config(classifier=[{"name": "edge", "rule": rules}],
                      interface=[{"name": "access", "classifier": "edge"}, {"name": "wire", "l2-policy": "wire"}])
        made["srv6"]["policy"] += [{"name": name, "segment-list": [{"name": "l", "segment": [first, "fc00:2::d4"]}]}
                                   for name, first in (("other", "fc00:2::e2"), ("third", "fc00:2::e3"))]
        return made

    def in_force():
        counters = {c["name"]: int(c["value"]) for c in net.heddle.state("classifiers")[0]["counter"]}
        return counters["rules"] > 0 and counters["pending"] == 0

    net.heddle.reload(tree(0))
    wait_for("the classifier to be compiled", in_force, 10)
    net.a.ping(B4)
    flows, changes = {4000: "fc00:2::e2", 5000: "fc00:2::e3"}, 0
    files = {port: net.lab.path(f"flow-{port}") for port in flows}
    receivers = [net.b.popen(f"flow-in-{port}", [sys.executable, FLOW, "receive", str(port), files[port]])
                 for port in flows]
    wait_for("the receivers", lambda: all(os.path.exists(f) and open(f).read() == "ready" for f in files.values()), 10)
    with RawPort(net.r, "core") as core:
        senders = [net.a.popen(f"flow-out-{port}", [sys.executable, FLOW, "send", B4, str(port), "500", "4"])
                   for port in flows]
        end = time.monotonic() + 3
        while time.monotonic() < end:
            changes += 1
            net.heddle.reload(tree(changes))
        for sender in senders:
            sender.wait(30)
        total = sum(int(sender.log().split()[-1]) for sender in senders)
        frames = core.receive(lambda p: IPv6 in p and p[IPv6].src == "fc00:1::1" and UDP in p, count=total, timeout=20)
    time.sleep(0.3)
    for receiver in receivers:
        receiver.stop()
    wrong = [(f[UDP].dport, f[IPv6].dst) for f in frames if flows.get(f[UDP].dport) != f[IPv6].dst]
    assert wrong == [] and len(frames) == total
    for sender, port in zip(senders, flows):
        assert open(files[port]).read() == f"{sender.log().split()[-1]} 0", f"port {port}: arrived, repeated"
    print(f"{changes} changes of rules, {len(frames)} packets")
    assert changes >= 5


def test_edge_of_the_domain(net):
    """S-108: from outside neither a SID nor a source of the domain; customers pass."""
    net.heddle.reload(config(
        domain={"sid-prefix": ["fc00:2::/32"], "source-prefix": ["2001:db8:12::/64"]},
        interface=[{"name": "access", "sr-domain": "outside"}, {"name": "core", "sr-domain": "inside"},
                   {"name": "wire", "l2-policy": "wire"}]))
    net.a.ping(B4)
    mac = mac_of(net.a, "2001:db8:a::1")
    with RawPort(net.a, "eth0") as tx, RawPort(net.r, "core") as rx:
        for src, dst in ((A6, "fc00:2::e1"), (A6, "fc00:1::46"), ("2001:db8:12::77", B6)):
            tx.send(Ether(src=net.a.mac("eth0"), dst=mac) / IPv6(src=src, dst=dst) / UDP(dport=9) / b"x")
        assert rx.receive(lambda p: UDP in p and p[UDP].dport == 9, timeout=0.7) == []
    text = net.heddle.show("drops")
    assert "sid-from-outside" in text and "source-from-outside" in text
    # inside: SIDs of this node answer sources of the domain only
    core_mac = mac_of(net.r, "2001:db8:12::1")
    with RawPort(net.r, "core") as tx, RawPort(net.a, "eth0") as rx:
        for src in ("2001:db8:99::1", "2001:db8:12::2"):
            tx.send(Ether(src=net.r.mac("core"), dst=core_mac) / IPv6(src=src, dst="fc00:1::46") /
                    IP(src=B4, dst=A4) / UDP(dport=9) / src.encode())
        frames = rx.receive(lambda p: UDP in p and p[UDP].dport == 9, count=2, timeout=1)
    assert [bytes(f[UDP].payload)[:14] for f in frames] == [b"2001:db8:12::2"]
    assert "foreign-source" in net.heddle.show("drops")


def test_compressed_list(net):
    """Three SIDs of a csid-block travel in one container, no SRH, and the kernel unpacks them."""
    tree = config(route=[{"prefix": "2001:db8:b::/64", "srv6-policy": "short"}])
    tree["srv6"]["csid-block"] = [{"prefix": "fd00:2::/32"}]
    tree["srv6"]["policy"].append({"name": "short", "segment-list": [
        {"name": "l", "segment": ["fd00:2:100::", "fd00:2:100::", "fd00:2:d600::"]}]})
    net.heddle.reload(tree)
    frames = net.first_segments(3, lambda: net.a.ping(B6))
    for frame in frames:
        assert frame[IPv6].dst == "fd00:2:100:100:d600::" and IPv6ExtHdrSegmentRouting not in frame
    lists = state(net, "short")["candidate-path"][0]["segment-list"][0]
    assert lists["segments"] == "fd00:2:100::, fd00:2:100::, fd00:2:d600::"
    assert lists["pushed"] == "fd00:2:100:100:d600::"


@pytest.mark.parametrize("leaf,value,field,expected", [
    ("hop-limit", "copy", "hlim", 63), ("hop-limit", 9, "hlim", 9),
    ("traffic-class", 0xb8, "tc", 0xb8), ("flow-label", 4711, "fl", 4711)])
def test_treatment(net, leaf, value, field, expected):
    tree = config()
    tree["srv6"]["policy"][0][leaf] = value
    net.heddle.reload(tree)
    frames = net.first_segments(3, lambda: net.a.ping(B4))
    assert {getattr(f[IPv6], field) for f in frames} == {expected}
