# SPDX-License-Identifier: BSD-3-Clause
"""SRv6 with the Linux kernel as peer, in both roles.

    host-a ── access ┐          ┌ core ── router (Linux) ── host-b
                     └─ heddle ─┘
    host-v ── vrf-red ┘

Heddle encapsulates for SIDs of the kernel, and the kernel encapsulates for SIDs of Heddle. Where the kernel has no
such behavior (End.DT4, End.DT46, USP, USD as peer), scapy sends what a peer would, and tshark judges the answer."""

import re

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6,
                                IPv6ExtHdrSegmentRouting)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from heddlelab import Heddle, RawPort, decode, interface, malformed, veth_port, wait_for

A4, B4, V4 = "10.0.1.2", "10.0.2.2", "10.0.9.2"
A6, B6, V6 = "2001:db8:a::2", "2001:db8:b::2", "2001:db8:9::2"

POLICIES = {
    # name: (encapsulation, segments, prefix that is steered)
    "full4": ("h-encaps", ["fc00:2::e", "fc00:2::d4"], "10.0.2.0/24"),
    "full6": ("h-encaps", ["fc00:2::e", "fc00:2::d6"], "2001:db8:b::/64"),
    "red4": ("h-encaps-red", ["fc00:2::e", "fc00:2::d4"], "10.0.2.0/24"),
    "red6": ("h-encaps-red", ["fc00:2::e", "fc00:2::d6"], "2001:db8:b::/64"),
    "one4": ("h-encaps", ["fc00:2::d4"], "10.0.2.0/24"),
    "one-red4": ("h-encaps-red", ["fc00:2::d4"], "10.0.2.0/24"),       # no SRH at all
    "one-red6": ("h-encaps-red", ["fc00:2::d6"], "2001:db8:b::/64"),
    "long6": ("h-encaps-red", ["fc00:2::e", "fc00:2::e2", "fc00:2::e3", "fc00:2::d6"], "2001:db8:b::/64"),
    "psp6": ("h-encaps", ["fc00:2::e5", "fc00:2::d6"], "2001:db8:b::/64"),
}

SIDS = [
    {"sid": "fc00:1::e/128", "behavior": "end"},
    {"sid": "fc00:1::e1/128", "behavior": "end", "flavor": ["psp"]},
    {"sid": "fc00:1::e2/128", "behavior": "end", "flavor": ["usp"]},
    {"sid": "fc00:1::e3/128", "behavior": "end", "flavor": ["usd"]},
    {"sid": "fc00:1::e7/128", "behavior": "end", "flavor": ["psp", "usp", "usd"]},
    {"sid": "fc00:1::a/128", "behavior": "end-x", "next-hop": [{"interface": "core", "address": "2001:db8:12::2"}]},
    {"sid": "fc00:1::a1/128", "behavior": "end-x", "flavor": ["psp"],
     "next-hop": [{"interface": "core", "address": "2001:db8:12::2"}]},
    {"sid": "fc00:1::d4/128", "behavior": "end-dt4", "default-vrf": True},
    {"sid": "fc00:1::d6/128", "behavior": "end-dt6", "default-vrf": True},
    {"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True},
    {"sid": "fc00:1::1:46/128", "behavior": "end-dt46", "vrf": "red"},
]


def config(steered, policies=None):
    """Heddle with all SIDs and policies; `steered` maps a prefix to the policy its packets go into."""
    policies = policies or [
        {"name": name, "encapsulation": form,
         "segment-list": [{"name": "main", "segment": segments}]}
        for name, (form, segments, _) in POLICIES.items()]
    return {
        "interfaces": {"interface": [
            interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
            interface("core", veth_port("core"), "2001:db8:12::1/64"),
            interface("red", veth_port("red"), "10.0.9.1/24", "2001:db8:9::1/64", vrf="red"),
        ]},
        "ip": {
            "vrf": [{"name": "red"}],
            "route": [{"prefix": "fc00:2::/48",
                       "next-hop": [{"interface": "core", "address": "2001:db8:12::2"}]},
                      {"prefix": "2001:db8:e::/48",
                       "next-hop": [{"interface": "core", "address": "2001:db8:12::2"}]}] +
                     [{"prefix": prefix, "srv6-policy": name} for prefix, name in steered.items()],
        },
        "srv6": {
            "encapsulation": {"source-address": "fc00:1::1"},
            "locator": [{"name": "lab", "prefix": "fc00:1::/48"}],
            "sid": SIDS,
            "policy": policies,
        },
    }


DEFAULT = {"10.0.2.0/24": "full4", "2001:db8:b::/64": "full6"}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.v = lab.ns("host-a"), lab.ns("host-b"), lab.ns("host-v")
        self.hd, self.r = lab.ns("hd"), lab.ns("router")
        lab.link(self.a, "eth0", self.hd, "access", mtu=1300)
        lab.link(self.v, "eth0", self.hd, "red", mtu=1300)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1300)
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b"),
                                (self.v, "10.0.9", "2001:db8:9")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:12::1",
                     "fc00:2::e encap seg6local action End count dev core",
                     "fc00:2::e2 encap seg6local action End count dev core",
                     "fc00:2::e3 encap seg6local action End count dev core",
                     "fc00:2::e5 encap seg6local action End flavors psp count dev core",
                     "fc00:2::d6 encap seg6local action End.DT6 table main count dev hosts")
        self.r.ip("-6 route add fc00:2::d4 encap seg6local action End.DX4 nh4 10.0.2.2 count dev hosts")
        self.back(["fc00:1::e", "fc00:1::46"])
        self.heddle = Heddle(lab, self.hd, config(DEFAULT)).start()
        self.steered = DEFAULT

    def back(self, segments, mode="encap"):
        """How the kernel sends host-b's packets to host-a (and host-v)."""
        for family, prefix in (("-4", "10.0.1.0/24"), ("-6", "2001:db8:a::/64"),
                               ("-4", "10.0.9.0/24"), ("-6", "2001:db8:9::/64")):
            self.r.ip(f"{family} route replace {prefix} encap seg6 mode {mode} segs {','.join(segments)} dev core")

    def steer(self, steered, policies=None):
        if policies or steered != self.steered:
            self.heddle.reload(config(steered, policies))
            self.steered = None if policies else steered

    def mac(self):
        """Heddle's MAC address on the core link, as the router knows it."""
        self.r.ping("2001:db8:12::1", count=1, check=False)
        return re.search(r"lladdr (\S+)", self.r.out("ip neigh show 2001:db8:12::1")).group(1)


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


@pytest.fixture(autouse=True)
def as_before(request):
    """Each test begins with the default way back and the default policies."""
    if "net" in request.fixturenames:
        net = request.getfixturevalue("net")
        net.back(["fc00:1::e", "fc00:1::46"])
        net.steer(DEFAULT)


@pytest.mark.parametrize("name", POLICIES)
def test_encapsulated_for_the_kernel(net, name):
    form, segments, prefix = POLICIES[name]
    net.steer({**DEFAULT, prefix: name})
    target = B6 if ":" in prefix else B4
    with RawPort(net.r, "core") as port:
        net.a.ping(target, size=1000)
        frames = port.receive(lambda p: IPv6 in p and p[IPv6].dst.startswith("fc00:2::"), count=3, timeout=1)
    assert len(frames) == 3
    assert malformed(frames) == ""
    for frame in frames:
        outer = frame[IPv6]
        assert outer.src == "fc00:1::1" and outer.dst == segments[0] and outer.hlim == 64
        if form == "h-encaps-red" and len(segments) == 1:
            assert IPv6ExtHdrSegmentRouting not in frame
            continue
        srh = frame[IPv6ExtHdrSegmentRouting]
        on_wire = segments[1:] if form == "h-encaps-red" else segments
        assert srh.addresses == list(reversed(on_wire))
        assert srh.segleft == len(segments) - 1 and srh.lastentry == len(on_wire) - 1


WAYS_BACK = {
    # name: (segments, what they do with, mode)
    "end, dt46": (["fc00:1::e", "fc00:1::46"], (A4, A6), "encap"),
    "end, dt4": (["fc00:1::e", "fc00:1::d4"], (A4,), "encap"),
    "end, dt6": (["fc00:1::e", "fc00:1::d6"], (A6,), "encap"),
    "dt46": (["fc00:1::46"], (A4, A6), "encap"),
    "dt46 without SRH": (["fc00:1::46"], (A4, A6), "encap.red"),
    "dt4 without SRH": (["fc00:1::d4"], (A4,), "encap.red"),
    "reduced": (["fc00:1::e", "fc00:1::46"], (A4, A6), "encap.red"),
    "end with psp": (["fc00:1::e1", "fc00:1::46"], (A4, A6), "encap"),
    "end with all flavors": (["fc00:1::e7", "fc00:1::46"], (A4, A6), "encap"),
    "usd decapsulates": (["fc00:1::e3"], (A4, A6), "encap"),
    "all flavors decapsulate": (["fc00:1::e7"], (A4, A6), "encap"),
    "through End.X and the kernel": (["fc00:1::a", "fc00:2::e", "fc00:1::46"], (A4, A6), "encap"),
    "through End.X with psp": (["fc00:1::e", "fc00:1::a", "fc00:2::e", "fc00:1::46"], (A4, A6), "encap"),
    "end three times": (["fc00:1::e", "fc00:1::e1", "fc00:1::e", "fc00:1::46"], (A4, A6), "encap"),
    "to the VRF": (["fc00:1::e", "fc00:1::1:46"], (V4, V6), "encap"),
}


@pytest.mark.parametrize("name", WAYS_BACK)
def test_encapsulated_by_the_kernel(net, name):
    segments, targets, mode = WAYS_BACK[name]
    net.back(segments, mode)
    for target in targets:
        # Only this direction is under test: a raw listener at the host sees what arrives.
        host = net.v if target in (V4, V6) else net.a
        with RawPort(host, "eth0") as port:
            net.b.ping(target, size=1000, check=False, interval=0.02, wait=0.3)
            frames = port.receive(lambda p: (IP in p and p[IP].src == B4 and ICMP in p) or
                                  (IPv6 in p and p[IPv6].src == B6 and ICMPv6EchoRequest in p),
                                  count=3, timeout=1)
        assert len(frames) == 3, f"{name}: {len(frames)} of 3 reached {target}"
        assert malformed(frames) == ""
        for frame in frames:
            assert len(frame) >= 14 + (40 if ":" in target else 20) + 8 + 1000


@pytest.mark.parametrize("target,back", [(B4, A4), (B6, A6)])
def test_both_ways_at_once(net, target, back):
    net.a.ping(target, count=50, interval=0.01, size=1200)
    net.b.ping(back, count=50, interval=0.01, size=1200)


def test_dscp_and_hop_limit(net):
    """H.Encaps decrements the inner hop limit and copies the traffic class; decapsulation keeps both."""
    with RawPort(net.r, "core") as port:
        net.a.run(f"ping -n -c 1 -Q 0xb8 -t 33 {B4}", check=False)
        frames = port.receive(lambda p: IPv6 in p and p[IPv6].dst == "fc00:2::e", timeout=1)
    assert frames and frames[0][IPv6].tc == 0xb8
    assert frames[0][IP].ttl == 32 and frames[0][IP].tos == 0xb8


def test_flow_label_tells_flows_apart(net):
    """RFC 6438: one flow has one flow label, and two flows mostly have two."""
    net.a.ping("10.0.1.1", count=1)
    gateway = re.search(r"lladdr (\S+)", net.a.out("ip neigh show 10.0.1.1")).group(1)
    labels = {}
    with RawPort(net.a, "eth0") as tx, RawPort(net.r, "core") as rx:
        for port in list(range(5000, 5020)) * 2:
            tx.send(Ether(src=tx.mac, dst=gateway) / IP(src=A4, dst=B4) / UDP(sport=port, dport=9) / b"flow")
        for frame in rx.receive(lambda p: IPv6 in p and UDP in p and p[UDP].dport == 9, count=40):
            labels.setdefault(frame[UDP].sport, set()).add(frame[IPv6].fl)
    assert len(labels) == 20 and all(len(seen) == 1 for seen in labels.values())
    assert len(set.union(*labels.values())) >= 18


def test_weighted_segment_lists(net, rng):
    """Two lists of weight 1 and 3 share 400 flows; a flow stays with its list."""
    lists = [{"name": "thin", "weight": 1, "segment": ["fc00:2::e", "fc00:2::d4"]},
             {"name": "thick", "weight": 3, "segment": ["fc00:2::e2", "fc00:2::d4"]}]
    net.steer({"10.0.2.0/24": "shared"}, [{"name": "shared", "encapsulation": "h-encaps", "segment-list": lists}])
    net.a.ping("10.0.1.1", count=1)
    gateway = re.search(r"lladdr (\S+)", net.a.out("ip neigh show 10.0.1.1")).group(1)
    ports = rng.sample(range(1024, 65536), 400)
    seen = {"fc00:2::e": [], "fc00:2::e2": []}
    with RawPort(net.a, "eth0") as tx, RawPort(net.r, "core") as rx:
        for port in ports * 2:
            tx.send(Ether(src=tx.mac, dst=gateway) / IP(src=A4, dst=B4) / UDP(sport=port, dport=9) / b"flow")
        for frame in rx.receive(lambda p: IPv6 in p and UDP in p and p[UDP].dport == 9, count=800):
            seen[frame[IPv6].dst].append(frame[UDP].sport)
    thin, thick = set(seen["fc00:2::e"]), set(seen["fc00:2::e2"])
    assert len(seen["fc00:2::e"]) + len(seen["fc00:2::e2"]) == 800
    assert not thin & thick
    assert 60 <= len(thin) <= 140, f"{len(thin)} of 400 flows on the list of weight 1 in 4"


# --- what scapy sends and Heddle must refuse, or take, by the letter --------------------------------------------

SRC = "2001:db8:12::2"


def srv6(dst, segments, left, payload, last=None, hlim=64):
    """An SRv6 packet of the router; segments as on the wire, last one first."""
    return IPv6(src=SRC, dst=dst, hlim=hlim) / IPv6ExtHdrSegmentRouting(
        addresses=segments, segleft=left, lastentry=len(segments) - 1 if last is None else last) / payload


def at_core(net, packet, match, timeout=1.0):
    with RawPort(net.r, "core") as port:
        return port.exchange(Ether(src=port.mac, dst=net.mac()) / packet, match, timeout)


def test_segments_left_beyond_last_entry(net):
    """RFC 8754 section 4.3.1.1: parameter problem, code 0, pointing at Segments Left."""
    sent = srv6("fc00:1::e", ["fc00:1::46", "fc00:1::e"], 3, UDP(sport=1, dport=2))
    error = at_core(net, sent, lambda p: ICMPv6ParamProblem in p)
    assert error is not None
    assert error[ICMPv6ParamProblem].code == 0 and error[ICMPv6ParamProblem].ptr == 40 + 3
    # Only the error's own checksum: the packet that it quotes is as bad as it was sent.
    assert decode([error])[0]["icmpv6"]["icmpv6.checksum.status"] == "1"


def test_last_entry_beyond_the_header(net):
    """RFC 8754 section 4.3.1.1 again: Last Entry larger than the header has room for."""
    sent = srv6("fc00:1::e", ["fc00:1::46", "fc00:1::e"], 1, UDP(sport=1, dport=2), last=5)
    error = at_core(net, sent, lambda p: ICMPv6ParamProblem in p)
    assert error is not None and error[ICMPv6ParamProblem].code == 0


def test_hop_limit_at_an_endpoint(net):
    """RFC 8986 section 4.1 S05-S07: time exceeded when the hop limit is 1."""
    sent = srv6("fc00:1::e", ["fc00:1::46", "fc00:1::e"], 1, UDP(sport=1, dport=2), hlim=1)
    error = at_core(net, sent, lambda p: ICMPv6TimeExceeded in p)
    assert error is not None and error[ICMPv6TimeExceeded].code == 0


def test_upper_layer_at_end_is_refused(net):
    """RFC 8986 section 4.1.1: an upper layer that is not allowed gives parameter problem, code 4."""
    sent = IPv6(src=SRC, dst="fc00:1::e") / UDP(sport=1, dport=2) / b"not for you"
    error = at_core(net, sent, lambda p: ICMPv6ParamProblem in p)
    assert error is not None and error[ICMPv6ParamProblem].code == 4


@pytest.mark.parametrize("sid,payload", [
    ("fc00:1::d4", IPv6(src=B6, dst=A6) / UDP(sport=1, dport=7777)),
    ("fc00:1::d6", IP(src=B4, dst=A4) / UDP(sport=1, dport=7777)),
])
def test_wrong_family_inside(net, sid, payload):
    """RFC 8986 sections 4.6, 4.7: End.DT4 takes IPv4 only, End.DT6 takes IPv6 only."""
    with RawPort(net.a, "eth0") as host:
        error = at_core(net, IPv6(src=SRC, dst=sid) / payload, lambda p: ICMPv6ParamProblem in p)
        assert not host.receive(lambda p: UDP in p and p[UDP].dport == 7777, timeout=0.3)
    assert error is not None and error[ICMPv6ParamProblem].code == 4


def test_decapsulation_needs_segments_left_zero(net):
    """RFC 8986 section 4.6 S02: a decapsulating SID in the middle of a path is an error."""
    sent = srv6("fc00:1::46", ["fc00:2::e", "fc00:1::46"], 1, IP(src=B4, dst=A4) / UDP(sport=1, dport=7777))
    error = at_core(net, sent, lambda p: ICMPv6ParamProblem in p)
    assert error is not None and error[ICMPv6ParamProblem].code == 0


def test_psp_takes_the_header_off(net):
    """RFC 8986 section 4.16.1: the SRH is gone after the last but one segment, everything else is intact."""
    data = bytes(range(200))
    sent = srv6("fc00:1::e1", ["2001:db8:e::1", "fc00:1::e1"], 1, UDP(sport=1, dport=7778) / Raw(data))
    got = at_core(net, sent, lambda p: UDP in p and p[UDP].dport == 7778)
    assert got is not None
    assert IPv6ExtHdrSegmentRouting not in got and got[IPv6].dst == "2001:db8:e::1" and got[IPv6].hlim == 63
    assert bytes(got[UDP].payload) == data and malformed([got]) == ""


def test_end_advances(net):
    data = bytes(range(100))
    sent = srv6("fc00:1::e", ["2001:db8:e::9", "2001:db8:e::1", "fc00:1::e"], 2, UDP(sport=1, dport=7779) / Raw(data))
    got = at_core(net, sent, lambda p: UDP in p and p[UDP].dport == 7779)
    assert got is not None
    assert got[IPv6].dst == "2001:db8:e::1" and got[IPv6].hlim == 63
    assert got[IPv6ExtHdrSegmentRouting].segleft == 1
    assert bytes(got[UDP].payload) == data and malformed([got]) == ""


def test_unknown_sid_of_the_locator(net):
    """An address of the locator that is no SID is dropped by name, not forwarded in circles."""
    before = net.heddle.show("drops")
    assert at_core(net, IPv6(src=SRC, dst="fc00:1::dead") / UDP(sport=1, dport=2),
                   lambda p: UDP in p and p[IPv6].dst == "fc00:1::dead", timeout=0.4) is None
    wait_for("the drop to be counted", lambda: net.heddle.show("drops") != before, 3)


def test_random_garbage_is_survived(net, rng, rounds):
    """Random bits in SRv6 packets: nothing malformed comes out, and afterwards everything works as before."""
    gateway = net.mac()
    good = bytes(srv6("fc00:1::e", ["fc00:1::46", "2001:db8:e::1", "fc00:1::e"], 2,
                      IP(src=B4, dst=A4) / UDP(sport=1, dport=7780) / b"garbage"))
    with RawPort(net.r, "core") as port, RawPort(net.a, "eth0") as host:
        for _ in range(rounds(300)):
            packet = bytearray(good)
            for _ in range(rng.randrange(1, 6)):
                packet[rng.randrange(len(packet))] = rng.randrange(256)
            cut = rng.randrange(1, len(packet) + 1) if rng.random() < 0.3 else len(packet)
            port.send(Ether(src=port.mac, dst=gateway, type=0x86dd) / Raw(bytes(packet[:cut])))
        host.receive(timeout=0.5, count=1000)
    assert net.heddle.dp.running
    net.a.ping(B4)
    net.a.ping(B6)


def test_counters_name_the_sid(net):
    """Per-SID counters: what was pinged back is counted at End and at End.DT46."""
    def packets(sid):
        for entry in net.heddle.state("sids").get("sid", []) if isinstance(net.heddle.state("sids"), dict) \
                else net.heddle.state("sids"):
            if entry["sid"].startswith(sid + "/") or entry["sid"] == sid:
                return sum(int(c["value"]) for c in entry.get("counter", []) if c["name"] == "packets")
        return 0
    before = packets("fc00:1::e"), packets("fc00:1::46")
    net.a.ping(B4, count=10)
    wait_for("ten packets at both SIDs", lambda: packets("fc00:1::e") >= before[0] + 10 and
             packets("fc00:1::46") >= before[1] + 10, 5)


def test_drops_name_object_and_reason(net):
    """Why a SID, and why a policy's segment list, dropped how much: command line, state and metrics."""
    def drops(entry):
        return {d["reason"]: (int(d["packets"]), int(d["octets"])) for d in entry["dropped"]}

    def sid():
        return drops(next(s for s in net.heddle.state("sids") if s["sid"] == "fc00:1::e/128"))

    def full4():
        policy = next(p for p in net.heddle.state("policies") if p["name"] == "full4")
        return drops(policy), drops(policy["candidate-path"][0]["segment-list"][0])

    was, was4 = sid(), full4()
    bad = srv6("fc00:1::e", ["fc00:1::46", "fc00:1::e"], 3, UDP(sport=1, dport=2))
    at_core(net, bad, lambda p: ICMPv6ParamProblem in p)
    at_core(net, bad, lambda p: ICMPv6ParamProblem in p)
    packets, octets = was.get("bad-list", (0, 0))
    now = {**was, "bad-list": (packets + 2, octets + 2 * len(bytes(bad)))}
    wait_for("two drops of the SID", lambda: sid() == now, 5)
    tree = config(DEFAULT)
    tree["interfaces"]["interface"][1]["mtu"] = 1340
    net.heddle.reload(tree)
    net.steered = None  # the next one begins with a fresh configuration
    net.a.run(f"ping -n -c 1 -W 1 -M do -s 1272 {B4}", check=False)  # 1300 octets, and no room for them
    more = [(n + 1, total + 1300) for n, total in (of.get("too-big", (0, 0)) for of in (was4[0], was4[1]))]
    wait_for("a drop of the policy and of its list", lambda: [of.get("too-big") for of in full4()] == more, 5)
    assert f"bad-list {packets + 2}" in net.heddle.show("sids")
    assert "too-big 1" in net.heddle.show("policies")
    metrics = net.heddle.show("metrics")
    assert (f'heddle_sid_drop_packets_total{{sid="fc00:1::e/128",node="srv6-endpoint",reason="bad-list"}} {packets + 2}'
            in metrics)
    assert 'heddle_seglist_drop_octets_total{segment_list="full4' in metrics
    assert 'heddle_policy_drop_packets_total{policy="full4",node="srv6-encap",reason="too-big"} 1\n' in metrics
