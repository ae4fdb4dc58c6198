# SPDX-License-Identifier: BSD-3-Clause
"""IOAM through three nodes: the headend adds a trace, a transit node its data, the last one exports it; judged by
tshark, an IPFIX collector where there is one, and a wire that loses what it is told to.

    host-a ── first (encapsulates) ── middle (transit) ── wire ── last (decapsulates) ── host-b
"""

import json
import os
import shutil
import time

import pytest
from scapy.layers.inet6 import IPv6

from heddlelab import Heddle, RawPort, decode, interface, lossy, malformed, veth_port, wait_for

LOSSY = os.path.abspath(lossy.__file__)
B = "2001:db8:b::2"


def namespace(node):
    return {"id": 123, "node-id": 0x100 * node + node, "time-format": "posix", "namespace-data": 0xd0 + node}


class Net:
    def __init__(self, lab, encapsulation, export=None):
        self.lab = lab
        self.a, self.b, self.wire_ns = lab.ns("host-a"), lab.ns("host-b"), lab.ns("wire")
        spaces = [lab.ns(n) for n in ("first", "middle", "last")]
        lab.link(self.a, "eth0", spaces[0], "access", mtu=1300)
        lab.link(spaces[0], "east", spaces[1], "west")
        lab.link(spaces[1], "east", self.wire_ns, "left")
        lab.link(self.wire_ns, "right", spaces[2], "west")
        lab.link(self.b, "eth0", spaces[2], "access", mtu=1300)
        for dev in ("left", "right"):
            self.wire_ns.sysctl(f"net.ipv6.conf.{dev}.disable_ipv6=1")
        for host, six in ((self.a, "2001:db8:a"), (self.b, "2001:db8:b")):
            host.addr("eth0", f"{six}::2/64")
            host.route(f"default via {six}::1")
        self.file = lab.path("ioam.json")
        policy = {"encapsulation": "h-encaps", "segment-list": [{"name": "only", "segment": ["fc00:3::d6"]}]}
        self.first = Heddle(lab, spaces[0], {
            "interfaces": {"interface": [interface("access", veth_port("access"), "2001:db8:a::1/64"),
                                         interface("east", veth_port("east"), "2001:db8:12::1/64")]},
            "ip": {"route": [self.via("fc00:3::/48", "east", "2001:db8:12::2"),
                             {"prefix": "2001:db8:b::/64", "srv6-policy": "far"}]},
            "srv6": {"encapsulation": {"source-address": "fc00:1::1"},
                     "locator": [{"name": "own", "prefix": "fc00:1::/48"}],
                     "sid": [{"sid": "fc00:1::d6/128", "behavior": "end-dt6", "default-vrf": True}],
                     "policy": [{"name": "far", **policy}]},
            "ioam": {"namespace": [namespace(1)], "encapsulation": [
                {"policy": "far", "namespace": 123, **encapsulation}]},
        })
        self.middle = Heddle(lab, spaces[1], {
            "interfaces": {"interface": [interface("west", veth_port("west"), "2001:db8:12::2/64"),
                                         interface("east", veth_port("east"), "2001:db8:23::2/64")]},
            "ip": {"route": [self.via("fc00:3::/48", "east", "2001:db8:23::3"),
                             self.via("fc00:1::/48", "west", "2001:db8:12::1")]},
            "ioam": {"namespace": [namespace(2)],
                     "interface": [{"name": "west", "id": 21}, {"name": "east", "id": 22}], "export": export or {}},
        })
        self.last = Heddle(lab, spaces[2], {
            "interfaces": {"interface": [interface("west", veth_port("west"), "2001:db8:23::3/64"),
                                         interface("access", veth_port("access"), "2001:db8:b::1/64")]},
            "ip": {"route": [self.via("fc00:1::/48", "west", "2001:db8:23::2"),
                             {"prefix": "2001:db8:a::/64", "srv6-policy": "back"}]},
            "srv6": {"encapsulation": {"source-address": "fc00:3::1"},
                     "locator": [{"name": "own", "prefix": "fc00:3::/48"}],
                     "sid": [{"sid": "fc00:3::d6/128", "behavior": "end-dt6", "default-vrf": True}],
                     "policy": [{"name": "back", "encapsulation": "h-encaps",
                                 "segment-list": [{"name": "only", "segment": ["fc00:1::d6"]}]}]},
            "ioam": {"namespace": [namespace(3)], "interface": [{"name": "west", "id": 31, "decapsulate": True}],
                     "export": {"file": self.file, **(export or {})}},
        })
        self.n_wires = 0
        self.nodes = [self.first, self.middle, self.last]
        for node in self.nodes:
            node.start()

    @staticmethod
    def via(prefix, dev, address):
        return {"prefix": prefix, "next-hop": [{"interface": dev, "address": address}]}

    def wire(self, seconds, *args):
        self.n_wires += 1
        p = self.wire_ns.popen(f"wire{self.n_wires}",
                               ["/usr/bin/python3", LOSSY, "left", "right", str(seconds), *args])
        wait_for("the wire", lambda: "ready" in p.log(), 5)
        return p

    def warm_up(self):
        wire = self.wire(6)
        wait_for("the way to host-b", lambda: self.a.ping(B, count=1, check=False, wait=1), 6)
        wire.wait(10)

    def records(self):
        with open(self.file) as lines:
            return [json.loads(line) for line in lines]

    def state(self, node):
        return node.json("pm", "ioam")["heddle-ioam:ioam-state"]


TRACE = {"trace": {"field": ["node-id", "interfaces", "seconds", "fraction", "namespace-data", "queue-depth"],
                   "nodes": 3}}


def test_pm_ioam_trace(lab):
    """Three nodes' data, in the packet as tshark reads it and in the exported lines."""
    collector = {"collector": {"address": "127.0.0.1", "port": 4739, "observation-domain": 33}}
    net = Net(lab, {**TRACE, "edge-to-edge": {}}, collector)
    flows = None
    if shutil.which("nfcapd"):
        os.makedirs(lab.path("flows"))
        flows = net.last.ns.popen("nfcapd", ["nfcapd", "-w", lab.path("flows"), "-b", "127.0.0.1", "-p", "4739",
                                             "-t", "5"])
    net.warm_up()
    port, messages = RawPort(net.wire_ns, "left"), RawPort(net.last.ns, "lo")
    wire = net.wire(4)
    before = time.time()
    net.a.ping(B, count=20, interval=0.05, check=False)
    after = time.time()
    wire.wait(8)
    frames = port.receive(lambda f: f.haslayer(IPv6) and f[IPv6].src == "fc00:1::1", timeout=1, count=20)
    assert len(frames) == 20 and malformed(frames) == ""
    text = json.dumps(decode(frames[:1], "--no-duplicate-keys"))
    for field, value in (("trace.ns", "123"), ("trace.remlen", "6"), ("trace.node.iif", "21"),
                         ("trace.node.eif", "22")):
        assert f"ipv6.opt.ioam.{field}" in text, text
        assert value is None or f'"ipv6.opt.ioam.{field}": "{value}"' in text or hex(int(value))[2:] in text, text
    wait_for("the records", lambda: len(net.records()) >= 20, 5)
    for r in net.records()[-20:]:
        nodes = r["trace"]["node"]
        assert [n["node-id"] for n in nodes] == ["0x000101", "0x000202", "0x000303"], r
        assert [n.get("ingress") for n in nodes] == [None, 21, 31] and nodes[1]["egress"] == 22
        assert [n["namespace-data"] for n in nodes] == [0xd1, 0xd2, 0xd3]
        assert nodes[1]["hop-limit"] == 63 and r["trace"]["overflow"] is False and r["source"] == "fc00:1::1"
        times = [n["seconds"] + n["fraction"] / 1e6 for n in nodes]
        assert before - 0.1 < times[0] <= times[1] + 0.002 <= times[2] + 0.004 < after + 0.2, times
    # IPFIX: tshark reads every message, and a collector of another make takes the flows
    udp = messages.receive(lambda f: f.haslayer("UDP") and f["UDP"].dport == 4739, timeout=1, count=50)
    dissected = json.dumps(decode(udp, "--no-duplicate-keys", "-d", "udp.port==4739,cflow"))
    assert '"cflow.version": "10"' in dissected and '"cflow.od_id": "33"' in dissected
    assert '"cflow.srcaddrv6": "fc00:1::1"' in dissected and "Malformed" not in dissected
    state = net.state(net.last)
    assert int(state["exported"]["records"]) >= 20 and state["exported"]["send-errors"] == "0"
    assert "0x000101 > 0x000202 > 0x000303" in net.last.cli("pm ioam").stdout
    if flows is not None:
        flows.stop()
        out = net.last.ns.out(["nfdump", "-R", lab.path("flows"), "-o", "json", "ipv6"], timeout=20)
        assert "fc00:1::1" in out, out


def test_pm_ioam_overflow_and_share(lab):
    """Room for two of three nodes: O. One packet of four is traced."""
    net = Net(lab, {"every": 4, "trace": {"field": ["node-id-wide"], "nodes": 2}})
    net.warm_up()
    before = len(net.records())
    wire = net.wire(4)
    net.a.ping(B, count=40, interval=0.03, check=False)
    wire.wait(8)
    time.sleep(0.6)
    records = net.records()[before:]
    assert len(records) == 10, "one of four"
    for r in records:
        assert r["trace"]["overflow"] is True
        assert [n["node-id"] for n in r["trace"]["node"]] == ["0x000101", "0x000202"]


def test_pm_ioam_edge_to_edge_loss(lab):
    """Gaps in the sequence numbers are exactly what the wire lost."""
    net = Net(lab, {"edge-to-edge": {"timestamp": True}})
    net.warm_up()
    wire = net.wire(5, "--every", "9", "--next-header", "60")
    net.a.ping(B, count=100, interval=0.02, check=False)
    wire.wait(9)
    told = json.loads(wire.log(1))
    assert told["dropped"] == 11
    wire = net.wire(2)
    assert net.a.ping(B, count=3, interval=0.1) == 3
    wire.wait(6)
    group = net.state(net.last)["group"][0]
    assert group["source-address"] == "fc00:1::1" and group["namespace"] == 123
    assert int(group["lost"]) == 11 and int(group["reordered"]) == 0, group
    assert "fc00:1::1" in net.last.cli("pm ioam --groups").stdout


def test_pm_ioam_direct_export(lab):
    """Each node exports for itself, the packet is left as it is."""
    path = lab.path("middle.json")
    net = Net(lab, {"direct-export": {"field": ["node-id"], "flow-id": 77}}, {"file": path})
    net.warm_up()
    wire = net.wire(3)
    net.a.ping(B, count=10, interval=0.05, check=False)
    wire.wait(7)
    time.sleep(0.6)
    for file, node in ((path, "0x000202"),):
        with open(file) as lines:
            records = [r for r in map(json.loads, lines) if r["node-id"] == node][-10:]
        assert [r["sequence"] for r in records] == list(range(records[0]["sequence"], records[0]["sequence"] + 10))
        assert all(r["flow-id"] == 77 and r["why"] == "direct-export" for r in records)
    counters = {c["name"]: int(c["value"]) for c in net.state(net.middle)["counter"]}
    assert counters["direct-exports"] >= 10 and counters["malformed"] == 0


def kernel_ioam(namespace):
    return os.path.exists("/proc/sys/net/ipv6/ioam6_id") and \
        namespace.run("ip -6 route add fc00:99::/64 encap ioam6 trace prealloc type 0x800000 ns 1 size 4 dev lo",
                      check=False).returncode == 0


def test_pm_ioam_kernel(lab):
    """The kernel's own traces, where it has them."""
    host, hd = lab.ns("host"), lab.ns("hd")
    if not kernel_ioam(host):
        pytest.skip("this kernel has no ioam6")
    lab.link(host, "eth0", hd, "west")
    host.addr("eth0", "2001:db8:12::2/64")
    host.ip("ioam namespace add 123")
    file = lab.path("kernel.json")
    Heddle(lab, hd, {
        "interfaces": {"interface": [interface("west", veth_port("west"), "2001:db8:12::1/64")]},
        "ioam": {"namespace": [namespace(2)], "interface": [{"name": "west", "id": 21, "decapsulate": True}],
                 "export": {"file": file}},
    }).start()
    host.ip("-6 route add 2001:db8:12::1/128 encap ioam6 trace prealloc type 0x800000 ns 123 size 8 dev eth0")
    assert host.ping("2001:db8:12::1", count=3) == 3
    time.sleep(0.6)
    with open(file) as lines:
        records = [json.loads(line) for line in lines]
    assert len(records) >= 3 and len(records[-1]["trace"]["node"]) == 2
    assert records[-1]["trace"]["node"][1]["node-id"] == "0x000202"
