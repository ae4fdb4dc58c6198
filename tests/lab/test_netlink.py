# SPDX-License-Identifier: BSD-3-Clause
"""The kernel as source of truth: what iproute2 does there, the data plane follows."""

import os
import signal
import sys
import time

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from heddlelab import Heddle, LabError, RawPort, interface, veth_port, wait_for

BATCH = 5000
STORM = 100_000


def mirror_lab(lab, twin=False, kernel=None, **more):
    """host-a and host-b around a namespace whose kernel and Heddle share the interfaces access and far."""
    a, b, hd = lab.ns("host-a"), lab.ns("host-b"), lab.ns("hd")
    wire = "wire-" if twin else ""
    lab.link(a, "eth0", hd, wire + "access")
    lab.link(b, "eth0", hd, wire + "far")
    for host, four, six in ((a, "10.0.1", "2001:db8:a"), (b, "10.0.2", "2001:db8:b")):
        host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
        host.route(f"default via {four}.1", f"default via {six}::1")
    b.addr("lo", "10.9.0.1/32", "10.10.0.1/32", "2001:db8:9::1/128")
    ports = [interface(name, veth_port(wire + name), **({"kernel_twin": True} if twin else {}))
             for name in ("access", "far")]
    heddle = Heddle(lab, hd, {"interfaces": {"interface": ports}, "kernel": {"enabled": True, **(kernel or {})},
                              **more}, kernel=not twin)
    if not twin:
        addresses(hd)
        heddle.start()
    return a, b, hd, heddle


def addresses(hd):
    hd.addr("access", "10.0.1.1/24", "2001:db8:a::1/64")
    hd.addr("far", "10.0.2.1/24", "2001:db8:b::1/64")
    hd.addr("lo", "2001:db8:f::1/128")


def settled(heddle, timeout=20):
    """Wait until all that the kernel has is carried; the mirror's state."""
    def state():
        now = heddle.state("kernel")
        return now if now.get("complete") and now.get("carried") else None
    time.sleep(0.15)  # what was just done is told within this time, routes that go in silence are read again
    return wait_for("the mirror to settle", state, timeout)


def routes(heddle):
    return {r["prefix"]: r for r in heddle.json("show", "routes")["heddle-ip:route-state"]["route"]}


def sids(heddle):
    found = heddle.json("show", "sids")["heddle-srv6:sid-state"].get("sid", [])
    return {s["sid"]: s for s in found}


def refused(heddle):
    found = heddle.json("show", "kernel", "refused")["heddle-kernel:kernel-refused"]["route"]
    return {r["prefix"]: r for r in found}


def content(heddle):
    """All that the data plane has of the mirror, in words, without numbers of objects."""
    return (sorted((p, r["kind"], r["target"], r["source"]) for p, r in routes(heddle).items()),
            sorted((s, v["behavior"], str(v.get("flavor"))) for s, v in sids(heddle).items()))


# command, prefix, kind, pattern of the target
KINDS = [
    ("route add 10.9.0.0/16 via 10.0.2.2", "10.9.0.0/16", "next-hop", "10.0.2.2 far"),
    ("route add 10.11.0.0/16 dev far", "10.11.0.0/16", "next-hop", "on-link far"),
    ("route add 10.12.0.0/16 via inet6 2001:db8:b::2 dev far", "10.12.0.0/16", "next-hop", "2001:db8:b::2 far"),
    ("-6 route add 2001:db8:9::/48 via 2001:db8:b::2", "2001:db8:9::/48", "next-hop", "2001:db8:b::2 far"),
    ("route add 10.13.0.0/16 nexthop via 10.0.2.2 weight 3 nexthop via 10.0.1.2 weight 1", "10.13.0.0/16", "next-hop",
     "10.0.2.2 far weight 3|10.0.1.2 access weight 1"),
    ("-6 route add 2001:db8:d::/48 nexthop via 2001:db8:b::2 weight 2 nexthop via 2001:db8:a::2 weight 5",
     "2001:db8:d::/48", "next-hop", "2001:db8:b::2 far weight 2|2001:db8:a::2 access weight 5"),
    ("route add 10.14.0.0/16 nhid 1", "10.14.0.0/16", "next-hop", "10.0.2.2 far"),
    ("route add 10.15.0.0/16 nhid 10", "10.15.0.0/16", "next-hop", "10.0.2.2 far weight 1|10.0.1.2 access weight 4"),
    ("route add blackhole 10.16.0.0/16", "10.16.0.0/16", "blackhole", "blackhole"),
    ("route add unreachable 10.17.0.0/16", "10.17.0.0/16", "unreachable", "unreachable"),
    ("route add prohibit 10.18.0.0/16", "10.18.0.0/16", "prohibit", "prohibit"),
    ("-6 route add blackhole 2001:db8:16::/48", "2001:db8:16::/48", "blackhole", "blackhole"),
    ("-6 route add 2001:db8:77::/64 encap seg6 mode encap segs 2001:db8:e::1,2001:db8:e::2 dev far",
     "2001:db8:77::/64", "srv6-policy", "encap 2001:db8:e::1 2001:db8:e::2"),
    ("-6 route add 2001:db8:78::/64 encap seg6 mode encap.red segs 2001:db8:e::1 dev far", "2001:db8:78::/64",
     "srv6-policy", "encap.red 2001:db8:e::1"),
    ("route add 10.19.0.0/16 encap seg6 mode encap segs 2001:db8:e::1 dev far", "10.19.0.0/16", "srv6-policy",
     "encap 2001:db8:e::1"),
]

# command, prefix, words of the reason
REFUSED = [
    ("-6 route add 2001:db8:79::/64 encap seg6 mode inline segs 2001:db8:e::1 dev far", "2001:db8:79::/64", "inline"),
    ("-6 route add 2001:db8:7a::/64 encap seg6 mode l2encap segs 2001:db8:e::1 dev far", "2001:db8:7a::/64", "l2encap"),
    ("route add 10.20.0.0/16 dev lo", "10.20.0.0/16", "lo, which is not a mirrored interface"),
    ("-6 route add 2001:db8:f:6::/64 encap seg6local action End.B6 srh segs 2001:db8:e::1 dev far",
     "2001:db8:f:6::/64", "End.B6"),
    ("-6 route add 2001:db8:f:7::/64 encap seg6local action End.T table 77 dev far", "2001:db8:f:7::/64",
     "table 77 is not mirrored"),
    ("-6 route add 2001:db8:f:8::/64 encap seg6local action End.DX2 oif lo dev far", "2001:db8:f:8::/64",
     "lo, which is not a mirrored interface"),
    ("-6 route add 2001:db8:f:9::/64 encap seg6local action End.X nh6 2001:db8:ff::1 dev far", "2001:db8:f:9::/64",
     "on no network of a mirrored interface"),
    ("route add 10.21.0.0/16 via 10.0.2.2 tos 0x10", "10.21.0.0/16", "TOS"),
]

# command, SID, behavior, flavors
SIDS = [
    ("-6 route add 2001:db8:f:1::/64 encap seg6local action End dev far", "2001:db8:f:1::/64", "end", ""),
    ("-6 route add 2001:db8:f:2::1/128 encap seg6local action End flavors psp dev far", "2001:db8:f:2::1/128", "end",
     "psp"),
    ("-6 route add 2001:db8:f:3::/64 encap seg6local action End.X nh6 2001:db8:b::2 dev far", "2001:db8:f:3::/64",
     "end.x", ""),
    ("-6 route add 2001:db8:f:4::/64 encap seg6local action End.T table 254 dev far", "2001:db8:f:4::/64", "end.t", ""),
    ("-6 route add 2001:db8:f:a::/64 encap seg6local action End.DX4 nh4 10.0.2.2 dev far", "2001:db8:f:a::/64",
     "end.dx4", ""),
    ("-6 route add 2001:db8:f:b::/64 encap seg6local action End.DX6 nh6 2001:db8:b::2 dev far", "2001:db8:f:b::/64",
     "end.dx6", ""),
    ("-6 route add 2001:db8:f:c::/64 encap seg6local action End.DT6 table 254 dev far", "2001:db8:f:c::/64", "end.dt6",
     ""),
    ("-6 route add 2001:db8:f:e::/64 encap seg6local action End.DX2 oif far dev far", "2001:db8:f:e::/64", "end.dx2",
     ""),
    ("-6 route add 2001:db8:f:d::/64 encap seg6local action End.B6.Encaps srh segs 2001:db8:e::1 dev far",
     "2001:db8:f:d::/64", "end.b6.encaps", ""),
    ("-6 route add fcbb:bb00:1::/48 encap seg6local action End flavors next-csid lblen 32 nflen 16 dev far",
     "fcbb:bb00:1::/48", "end", "next-csid"),
]


def delete(command):
    words = command.split()
    return " ".join(words).replace(" add ", " del ", 1)


def test_netlink_kinds(lab):
    """Every kind of route that iproute2 can make: carried as it is, or refused with its reason and its fate."""
    a, b, hd, heddle = mirror_lab(lab)
    hd.ip("nexthop add id 1 via 10.0.2.2 dev far")
    hd.ip("nexthop add id 2 via 10.0.1.2 dev access")
    hd.ip("nexthop add id 10 group 1/2,4")
    for command, *_ in KINDS + REFUSED + SIDS:
        hd.ip(command)
    settled(heddle)
    now, no, local = routes(heddle), refused(heddle), sids(heddle)
    for command, prefix, kind, target in KINDS:
        assert prefix in now, f"{command}: no route; {no.get(prefix)}"
        assert now[prefix]["kind"] == kind, f"{command}: {now[prefix]}"
        for part in target.split("|"):
            assert part in now[prefix]["target"], f"{command}: {now[prefix]}"
        assert now[prefix]["source"] == "boot", f"{command}: {now[prefix]}"
    for command, prefix, why in REFUSED:
        assert why in no.get(prefix, {}).get("reason", ""), f"{command}: {no.get(prefix)}"
        assert now[prefix]["kind"] == "blackhole", "a refused route must not leave its packets to a shorter prefix"
    for command, sid, behavior, flavors in SIDS:
        if sid in no:
            assert "refused by the data plane" in no[sid]["reason"], f"{command}: {no[sid]}"
            continue
        key = sid if sid in local else sid.split("/")[0]
        assert key in local, f"{command}: {local}"
        assert local[key]["behavior"].replace("-", ".") == behavior, f"{command}: {local[key]}"
        assert flavors in str(local[key]), f"{command}: {local[key]}"
    # the same packets as the words say
    a.ping("10.9.0.1")
    a.ping("2001:db8:9::1")
    assert "Packet filtered" in a.run("ping -n -c 1 -W 1 10.18.0.1", check=False).stdout
    with RawPort(a, "eth0") as tx, RawPort(b, "eth0") as rx:  # End.DX2: the frame inside leaves as it is
        inner = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b", type=0x88b5) / Raw(b"somebody's frame " * 4)
        tx.send(Ether(src=tx.mac, dst=hd.mac("access")) / IPv6(src="2001:db8:a::2", dst="2001:db8:f:e::", nh=143) /
                inner)
        assert [bytes(f) for f in rx.receive(lambda f: f.dst == "02:00:00:00:00:0b")] == [bytes(inner)]
    # a next-hop object is another, and so are the routes that go through it; the group follows its members
    hd.ip("nexthop replace id 1 via 10.0.1.2 dev access")
    settled(heddle)
    now = routes(heddle)
    assert now["10.14.0.0/16"]["target"] == "10.0.1.2 access"
    assert "far" not in now["10.15.0.0/16"]["target"]
    hd.ip("nexthop del id 10")
    settled(heddle)
    assert "10.15.0.0/16" not in routes(heddle), "a route that went with its next-hop object"
    for command, prefix, *_ in KINDS + REFUSED + SIDS:
        if prefix != "10.15.0.0/16":
            hd.ip(delete(command))
    settled(heddle)
    assert not refused(heddle) and not sids(heddle)
    assert not [p for p in routes(heddle) if p in {k[1] for k in KINDS + REFUSED}], routes(heddle)


def test_netlink_host_and_neighbours(lab):
    """The kernel answers for itself, once; neighbours are the kernel's; link, address and neighbour changes follow."""
    a, b, hd, heddle = mirror_lab(lab)
    server = hd.popen("server", "python3 -m http.server --bind 10.0.1.1 8000")
    # echo to the router's own address: answered by the kernel alone
    out = a.out("ping -n -c 5 -i 0.1 10.0.1.1") + a.out("ping -n -c 5 -i 0.1 2001:db8:a::1")
    assert "DUP" not in out and out.count(" 5 received") == 2, out
    # ARP: one answer
    hd_mac = hd.mac("access")
    with RawPort(a, "eth0") as port:
        request = bytes.fromhex("ffffffffffff" + port.mac.replace(":", "") + "0806" + "0001080006040001" +
                                port.mac.replace(":", "") + "0a000102" + "000000000000" + "0a000101")
        port.drain()
        port.send(request)
        answers = port.receive(lambda p: p.type == 0x806 and bytes(p)[20:22] == b"\x00\x02", timeout=1, count=2)
    assert len(answers) == 1 and answers[0].src == hd_mac
    # a TCP service of the host
    wait_for("the host's web server", lambda: a.run("curl -s -m 2 -o /dev/null http://10.0.1.1:8000/",
                                                    check=False).returncode == 0)
    server.stop()
    # traffic to hosts: the data plane needs them, the kernel finds them
    for target in ("10.0.2.2", "2001:db8:b::2"):
        a.ping(target, count=20, interval=0.01)
    shown = {n["address"]: n for n in heddle.json("show", "neighbours")["heddle-ip:neighbour-state"]["neighbour"]}
    assert shown["10.0.2.2"]["state"] == "kernel" and shown["10.0.2.2"]["mac"] == b.mac("eth0")
    assert hd.counters("far")[0] > 0
    # one that moves: the kernel learns, the data plane follows
    b.ip("link set eth0 down")
    b.ip("link set eth0 address 02:00:00:00:00:77")
    b.ip("link set eth0 up")
    b.addr("eth0", "2001:db8:b::2/64")
    b.route("default via 10.0.2.1")
    hd.ip("neigh flush dev far")
    wait_for("traffic to the new MAC", lambda: a.ping("10.0.2.2", count=1, check=False) == 1)
    # an address goes and another comes
    hd.ip("addr del 10.0.2.1/24 dev far")
    settled(heddle)
    assert "10.0.2.0/24" not in routes(heddle)
    hd.ip("addr add 10.0.2.3/24 dev far")
    b.ip("route replace default via 10.0.2.3")
    settled(heddle)
    assert routes(heddle)["10.0.2.3/32"]["kind"] == "local"
    wait_for("traffic again", lambda: a.ping("10.0.2.2", count=1, check=False) == 1)
    # the kernel does not forward too: every packet arrives once
    with RawPort(b, "eth0") as port:
        port.drain()
        a.run("ping -n -c 5 -i 0.1 -s 77 10.0.2.2")
        seen = port.receive(lambda p: IP in p and p[IP].src == "10.0.1.2", timeout=1, count=20)
    assert len(seen) == 5, f"{len(seen)} packets for 5"


def test_netlink_restarts_and_precedence(lab):
    """Restarts of either process lose nothing; what is configured comes before what is mirrored."""
    a, _, hd, heddle = mirror_lab(lab)
    hd.ip("route add 10.9.0.0/16 via 10.0.2.2")
    hd.ip("-6 route add 2001:db8:f:1::/64 encap seg6local action End dev far")
    hd.ip("-6 route add 2001:db8:77::/64 encap seg6 mode encap segs 2001:db8:e::1 dev far")
    settled(heddle)
    before = content(heddle)
    a.ping("10.9.0.1")
    # the control process dies while traffic flows, and changes happen meanwhile
    flood = a.popen("flood", "ping -n -i 0.005 -c 600 10.9.0.1")
    heddle.kill_ctrl()
    hd.ip("route add 10.30.0.0/16 via 10.0.1.2")
    heddle.start_ctrl()
    heddle.wait_ready()
    settled(heddle)
    hd.ip("route del 10.30.0.0/16")
    settled(heddle)
    flood.wait(30)
    assert " 600 received" in flood.log(), flood.log(4)
    assert content(heddle) == before
    # the data plane dies
    heddle.kill_dp()
    heddle.start_dp()
    heddle.wait_ready()
    settled(heddle)
    assert content(heddle) == before
    wait_for("traffic", lambda: a.ping("10.9.0.1", count=1, check=False) == 1)
    # precedence
    ports = [interface(name, veth_port(name)) for name in ("access", "far")]
    config = {"interfaces": {"interface": ports}, "kernel": {"enabled": True}}
    heddle.reload({**config, "ip": {"route": [{"prefix": "10.9.0.0/16", "special": "prohibit"}]}})
    settled(heddle)
    assert routes(heddle)["10.9.0.0/16"]["kind"] == "prohibit"
    assert routes(heddle)["10.9.0.0/16"]["source"] == "configured"
    hd.ip("route replace 10.9.0.0/16 via 10.0.1.2")
    hd.ip("route replace 10.9.0.0/16 via 10.0.2.2")
    settled(heddle)
    assert routes(heddle)["10.9.0.0/16"]["source"] == "configured"
    assert "same" in heddle.cli("diff", check=False).stdout or heddle.cli("diff", check=False).returncode == 0
    heddle.reload(config)
    settled(heddle)
    assert content(heddle) == before
    # an interface goes, with what went through it, in one transaction; and the mirror can be turned off
    heddle.reload({"interfaces": {"interface": ports[:1]}, "kernel": {"enabled": True}})
    settled(heddle)
    assert "far, which is not a mirrored interface" in refused(heddle)["10.9.0.0/16"]["reason"]
    heddle.reload(config)
    settled(heddle)
    assert content(heddle) == before
    heddle.reload({"interfaces": {"interface": ports}})
    wait_for("nothing mirrored", lambda: not routes(heddle))


def random_commands(rng, count):
    """ip commands that work or fail by themselves; what matters is what the kernel has then."""
    prefixes = [f"10.{n}.0.0/16" for n in range(40, 48)] + [f"2001:db8:{n}::/48" for n in range(40, 48)]
    for _ in range(count):
        prefix = rng.choice(prefixes)
        six = ":" in prefix
        gw = {"far": "2001:db8:b::2" if six else "10.0.2.2", "access": "2001:db8:a::2" if six else "10.0.1.2"}
        metric = f" metric {rng.choice((10, 20))}"
        family = "-6 " if six else ""
        verb = rng.choice(("add", "append", "replace", "change", "prepend", "del", "del"))
        dev = rng.choice(("far", "access"))
        way = rng.choice((f"via {gw[dev]} dev {dev}", f"dev {dev}", "nhid 21" if six else "nhid 1",
                          f"nexthop via {gw['far']} dev far weight 2 nexthop via {gw['access']} dev access",
                          "encap seg6 mode encap segs 2001:db8:e::1 dev far"))
        kind = rng.choice(("", "", "", "blackhole ", "unreachable "))
        roll = rng.random()
        if roll < 0.8:
            yield f"{family}route {verb} {kind}{prefix}{'' if kind else ' ' + way}{metric}"
        elif roll < 0.86:
            yield f"nexthop replace id {rng.choice((1, 2))} via {'10.0.2.2' if dev == 'far' else '10.0.1.2'} dev {dev}"
        elif roll < 0.88:
            yield f"nexthop del id {rng.choice((1, 21))}"
        elif roll < 0.94:
            yield rng.choice(("nexthop add id 1 via 10.0.2.2 dev far", "nexthop add id 21 via 2001:db8:b::2 dev far",
                              "nexthop add id 9 group 1/2"))
        else:
            yield rng.choice(("link set far down", "link set far up", "addr del 10.0.2.1/24 dev far",
                              "addr add 10.0.2.1/24 dev far", "addr add 2001:db8:b::1/64 dev far nodad",
                              "addr del 2001:db8:b::1/64 dev far"))


def test_netlink_random(lab, rng, rounds):
    """Random changes, some of which the kernel makes in silence: the data plane then has what a fresh reading gives."""
    _, _, hd, heddle = mirror_lab(lab)
    for turn in range(rounds(2)):
        for command in random_commands(rng, 150):
            hd.ip(command, check=False)
        settled(heddle)
        followed = content(heddle)
        heddle.kill_ctrl()
        heddle.start_ctrl()
        heddle.wait_ready()
        settled(heddle)
        assert followed == content(heddle), f"round {turn}"


def batch(hd, lines, name):
    path = hd.lab.write(name, "\n".join(lines) + "\n")
    hd.run(f"ip -force -batch {path}", timeout=300)


def many(n):
    return [f"{20 + k // 65536}.{k // 256 % 256}.{k % 256}.0/24" for k in range(n)]


def test_netlink_overrun(lab):
    """A socket with hardly any room: the kernel's words are lost, and read again."""
    _, _, hd, heddle = mirror_lab(lab, kernel={"receive-buffer": 4096})
    prefixes = many(BATCH)
    heddle.ctrl.popen.send_signal(signal.SIGSTOP)  # it hears nothing while the kernel tells all this
    batch(hd, [f"route add {p} via 10.0.2.2" for p in prefixes], "add")
    heddle.ctrl.popen.send_signal(signal.SIGCONT)
    state = settled(heddle, 60)
    assert int(state["overruns"]) > 0
    now = routes(heddle)
    assert all(p in now for p in prefixes)
    batch(hd, [f"route del {p}" for p in prefixes[::2]], "del")
    settled(heddle, 60)
    now = routes(heddle)
    assert all((p in now) == (k % 2 == 1) for k, p in enumerate(prefixes))


def script(name, *args):
    folder = os.path.dirname(os.path.abspath(__file__))
    return [sys.executable, os.path.join(folder, "heddlelab", name), *map(str, args)]


class Storm:
    """A host whose packets go to two others by routes that flap: those of prefix k lead to host k mod 2, or nowhere."""

    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.hd, self.heddle = mirror_lab(lab)
        self.c = lab.ns("host-c")
        lab.link(self.c, "eth0", self.hd, "third")
        self.c.addr("eth0", "10.0.3.2/24")
        self.c.route("default via 10.0.3.1")
        ports = [interface(name, veth_port(name)) for name in ("access", "far", "third")]
        self.heddle.reload({"interfaces": {"interface": ports}, "kernel": {"enabled": True}})
        self.hd.addr("third", "10.0.3.1/24")
        self.hd.ip("route add 10.9.0.0/16 via 10.0.2.2")
        settled(self.heddle)
        for target in ("10.9.0.1", "10.0.3.2"):
            self.a.ping(target)
        self.prefixes = many(STORM)
        self.watchers = []

    def way(self, k):
        return f"{self.prefixes[k]} via 10.0.{2 + k % 2}.2"

    def start(self, seconds):
        """Traffic for so long: numbered packets over a route that stays, packets anywhere over those that flap."""
        lab = self.lab
        self.stable = lab.path("stable")
        self.watchers = [self.b.popen("stable-in", script("flow.py", "receive", 5000, self.stable))]
        for host in (self.b, self.c):
            self.watchers.append(host.popen(f"watch-{host}", script("scatter.py", "watch", "eth0", 5001, 2,
                                                                    lab.path(f"seen-{host}"))))
        for path in (self.stable, lab.path(f"seen-{self.b}"), lab.path(f"seen-{self.c}")):
            wait_for("the receivers", lambda: os.path.exists(path) and open(path).read() == "ready")
        self.senders = [self.a.popen("stable-out", script("flow.py", "send", "10.9.0.1", 5000, 1000, seconds)),
                        self.a.popen("scatter-out", script("scatter.py", "send", STORM, 5001, 3000, seconds))]

    def finish(self):
        """What was sent on each way, and what was seen where."""
        for sender in self.senders:
            sender.wait(60)
        time.sleep(0.5)
        for watcher in self.watchers:
            watcher.stop()
        return ([int(s.log()) for s in self.senders], [int(v) for v in open(self.stable).read().split()],
                {h.name: [int(v) for v in open(self.lab.path(f"seen-{h}")).read().split()] for h in (self.b, self.c)})

    def kernel_has(self):
        return {line.split()[0] for line in self.hd.out("ip -4 route show root 20.0.0.0/7").splitlines()}

    def missed(self):
        """Packets that a device of the data plane had no room for: nobody polled it in time."""
        return sum(int(c["value"]) for port in self.heddle.state("interfaces") for c in port["counter"]
                   if c["name"] in ("rx-missed", "rx-nombuf"))


def memory_mib(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024


def test_netlink_storm(lab):
    """100,000 routes come, flap and are read again after an overrun, under traffic: flows beside them lose nothing, and
    no packet goes to another host than the one its route leads to."""
    net = Storm(lab)
    hd, heddle = net.hd, net.heddle
    before, missed = [memory_mib(p) for p in (heddle.ctrl, heddle.dp)], net.missed()
    net.start(22)
    began = time.monotonic()
    batch(hd, [f"route add {net.way(k)}" for k in range(STORM)], "add")
    added = time.monotonic()
    settled(heddle, 60)
    print(f"\n{STORM} routes: {added - began:.2f} s to add by ip -batch, all carried {time.monotonic() - added:.2f} s "
          f"later; memory in MiB: heddle-ctrl {before[0]}, then {memory_mib(heddle.ctrl)}; "
          f"heddle-dp {before[1]}, then {memory_mib(heddle.dp)}")
    # every route goes, and every other comes back, while nobody waits for anybody
    batch(hd, [f"route del {net.way(k)}" for k in range(STORM)], "del")
    batch(hd, [f"route add {net.way(k)}" for k in range(0, STORM, 2)] +
          [f"route add {net.way(k)}" for k in range(1, STORM, 4)], "half")
    settled(heddle, 60)
    # the control process sleeps through a change of everything, and the kernel's words about it do not all fit
    heddle.ctrl.popen.send_signal(signal.SIGSTOP)
    batch(hd, [f"route del {net.way(k)}" for k in range(0, STORM, 2)] +
          [f"route add {net.way(k)}" for k in range(3, STORM, 4)], "odd")
    heddle.ctrl.popen.send_signal(signal.SIGCONT)
    began = time.monotonic()
    state = settled(heddle, 60)
    print(f"overrun with {STORM} changes: read again {time.monotonic() - began:.2f} s later")
    assert int(state["overruns"]) > 0
    (stable, scattered), (received, repeats), seen = net.finish()
    print(f"{stable} packets beside the storm, {received} received; {scattered} into it: {seen}")
    assert repeats == 0 and stable - received <= net.missed() - missed, (stable, received)
    assert seen["host-b"][1] == 0 and seen["host-c"][0] == 0, f"packets at the wrong host: {seen}"
    assert seen["host-b"][0] > scattered // 100 and seen["host-c"][1] > scattered // 100, seen
    # in the end each prefix is where the kernel has it
    carried = {p: r["target"] for p, r in routes(heddle).items() if p.startswith(("20.", "21."))}
    assert set(carried) == net.kernel_has() == set(net.prefixes[1::2])
    assert all("10.0.3.2" in target for target in carried.values())
    hd.ip("link set third down")  # IPv4 routes go without a word
    settled(heddle, 60)
    assert not [p for p in routes(heddle) if p in carried]


def test_netlink_twin(lab):
    """A port that the kernel does not have: its TAP twin carries the host's own traffic both ways."""
    a, b, hd, heddle = mirror_lab(lab, twin=True)
    for dev in ("wire-access", "wire-far"):  # as if it were bound to DPDK: the kernel takes nothing from it
        hd.sysctl(f"net.ipv6.conf.{dev}.disable_ipv6=1")
        hd.sysctl(f"net.ipv4.conf.{dev}.rp_filter=1")
        hd.sysctl(f"net.ipv4.conf.{dev}.arp_ignore=1")
    heddle.start()
    wait_for("the twins", lambda: {"access", "far"} <= set(hd.devices()))
    addresses(hd)
    settled(heddle)
    assert heddle.state("kernel")["link"]
    out = a.out("ping -n -c 5 -i 0.1 10.0.1.1") + a.out("ping -n -c 5 -i 0.1 2001:db8:a::1")
    assert "DUP" not in out and out.count(" 5 received") == 2, out
    hd.ping("10.0.1.2")
    hd.ping("2001:db8:b::2")
    for target in ("10.0.2.2", "2001:db8:b::2"):
        a.ping(target, count=20, interval=0.01)
    # what cannot be carried goes to the kernel, when it is configured so
    before = hd.counters("access")[0]
    hd.ip("route add 10.20.0.0/16 dev lo")
    heddle.cli("set", "kernel/unsupported", "punt", check=False)
    config = dict(unsupported="punt", enabled=True)
    ports = [interface(name, veth_port("wire-" + name), kernel_twin=True) for name in ("access", "far")]
    heddle.reload({"interfaces": {"interface": ports}, "kernel": config})
    settled(heddle)
    assert routes(heddle)["10.20.0.0/16"]["kind"] == "host"
    a.run("ping -n -c 3 -i 0.1 -W 1 10.20.0.1", check=False)
    assert hd.counters("access")[0] >= before + 3


def test_netlink_tables(lab):
    """Tables of the kernel are VRFs here, without VRF devices there: each interface's packets see the routes of its
    own, a SID's table is where what it decapsulates is looked up, and a table nobody named is not mirrored."""
    a, b, hd = lab.ns("host-a"), lab.ns("host-b"), lab.ns("hd")
    lab.link(a, "eth0", hd, "red-if")
    lab.link(b, "eth0", hd, "far")
    a.addr("eth0", "10.0.1.2/24", "2001:db8:a::2/64")
    a.route("default via 10.0.1.1", "default via 2001:db8:a::1")
    b.addr("eth0", "10.0.2.2/24", "2001:db8:b::2/64")
    b.addr("lo", "10.9.0.1/32", "2001:db8:9::1/128")
    b.route("10.0.1.0/24 via 10.0.2.1", "2001:db8:a::/64 via 2001:db8:b::1")
    heddle = Heddle(lab, hd, {
        "interfaces": {"interface": [interface("red-if", veth_port("red-if"), vrf="red"),
                                     interface("far", veth_port("far"))]},
        "ip": {"vrf": [{"name": "red"}]},
        "kernel": {"enabled": True, "table": [{"id": 254, "vrf": "default"}, {"id": 10, "vrf": "red"}]}}, kernel=True)
    hd.addr("red-if", "10.0.1.1/24", "2001:db8:a::1/64")
    hd.addr("far", "10.0.2.1/24", "2001:db8:b::1/64")
    heddle.start()
    for route in ("route add 10.9.0.0/16 via 10.0.2.2 table 10",
                  "-6 route add 2001:db8:9::/48 via 2001:db8:b::2 table 10",
                  "route add 10.9.0.0/24 via 10.0.2.2 table 11", "route add blackhole 10.9.0.0/16",
                  "route add 10.0.1.0/24 dev red-if table 10", "route add 10.0.1.2/32 dev red-if",
                  "-6 route add 2001:db8:a::2/128 dev red-if",
                  "-6 route add 2001:db8:f::10/128 encap seg6local action End.DT6 table 10 dev far"):
        hd.ip(route)
    settled(heddle)
    seen = {(r["vrf"], r["prefix"]): r for r in heddle.json("show", "routes")["heddle-ip:route-state"]["route"]}
    assert seen["red", "10.9.0.0/16"]["target"] == "10.0.2.2 far"
    assert seen["default", "10.9.0.0/16"]["kind"] == "blackhole"
    assert not [key for key in seen if key[1] == "10.9.0.0/24"], "a table that nobody named"
    assert "vrf red" in str(sids(heddle)["2001:db8:f::10/128"]), sids(heddle)
    # from the interface in red by red's routes, and back by those of the default VRF
    for target in ("10.9.0.1", "2001:db8:9::1"):
        wait_for(f"an answer of {target}", lambda: a.ping(target, count=1, check=False) == 1)
    # what comes encapsulated is looked up in red
    with RawPort(b, "eth0") as port:
        packet = (Ether(src=port.mac, dst=hd.mac("far")) / IPv6(src="2001:db8:b::2", dst="2001:db8:f::10") /
                  IPv6(src="2001:db8:77::1", dst="2001:db8:9::1", hlim=9) / UDP(sport=7, dport=9))
        port.drain()
        port.send(packet)
        got = port.receive(lambda p: IPv6 in p and p[IPv6].src == "2001:db8:77::1")
    assert [p[IPv6].hlim for p in got] == [8]
    hd.ip("route del 10.9.0.0/16 table 10")
    settled(heddle)
    assert "Unreachable" in a.run("ping -n -c 1 -W 1 10.9.0.1", check=False).stdout
