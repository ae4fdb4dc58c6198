# SPDX-License-Identifier: BSD-3-Clause
"""Looking into a running data plane: packet trace, capture at any node, drops with their last packet."""

import json
import re
import signal
import subprocess
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Ether

from heddlelab import Heddle, RawPort, interface, veth_port, wait_for
from heddlelab.heddle import CLI

A4, B4, A6, B6 = "10.0.1.2", "10.0.2.2", "2001:db8:a::2", "2001:db8:b::2"

CONFIG = {
    "interfaces": {"interface": [
        interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
        interface("far", veth_port("far"), "10.0.2.1/24", "2001:db8:b::1/64"),
    ]},
    "ip": {"route": [{"prefix": "10.99.0.0/16", "special": "blackhole"},
                     {"prefix": "10.60.0.0/16", "srv6-policy": "p"}]},
    "srv6": {"encapsulation": {"source-address": "fc00:1::1"},
             "policy": [{"name": "p", "segment-list": [{"name": "l", "segment": [B6]}]}]},
}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.hd = lab.ns("host-a"), lab.ns("host-b"), lab.ns("hd")
        lab.link(self.a, "eth0", self.hd, "access")
        lab.link(self.b, "eth0", self.hd, "far")
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.heddle = Heddle(lab, self.hd, CONFIG).start()
        self.a.ping(B4)
        self.a.ping(B6)

    def stream(self, target):
        return self.a.popen(f"ping-{time.monotonic_ns()}", f"ping -n -i 0.05 -c 200 {target}")


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


def packets_of(tree):
    """The traced packets in an answer, wherever its containers put them."""
    if isinstance(tree, dict):
        if "step" in tree:
            return [tree]
        tree = list(tree.values())
    return [packet for item in tree for packet in packets_of(item)] if isinstance(tree, list) else []


@pytest.mark.parametrize("target,first", [(B4, "ip4-input"), (B6, "ip6-input")])
def test_trace_names_every_node(net, target, first):
    ping = net.stream(target)
    packets = packets_of(net.heddle.json("trace", "packets", "--count", "3", "--prefix", f"{target}"
                                         + ("/128" if ":" in target else "/32")))
    ping.stop()
    assert len(packets) == 3
    for packet in packets:
        nodes = [step["node"] for step in packet["step"]]
        assert nodes[0] == "eth-input" and nodes[1] == first and nodes[-1] == "port-tx", nodes


def test_trace_shows_the_policy(net):
    ping = net.stream("10.60.0.1")
    text = net.heddle.cli("trace", "packets", "--count", "1", "--prefix", "10.60.0.0/16").stdout
    ping.stop()
    assert "srv6-encap" in text and re.search(r"policy p\b", text), text


def test_trace_shows_why_a_packet_was_dropped(net):
    ping = net.stream("10.99.0.1")
    text = net.heddle.cli("trace", "packets", "--count", "1", "--prefix", "10.99.0.0/16").stdout
    ping.stop()
    assert re.search("blackhole.*drop|drop.*blackhole", text, re.S), text


def test_trace_filter_takes_only_what_matches(net):
    wanted, other = net.stream(B4), net.stream(B6)
    packets = packets_of(net.heddle.json("trace", "packets", "--count", "5", "--prefix", "10.0.2.0/24"))
    for ping in (wanted, other):
        ping.stop()
    assert len(packets) == 5
    assert not any("ip6-input" in [step["node"] for step in packet["step"]] for packet in packets)


def test_trace_of_one_interface(net):
    """Only what came in on the named interface: the answers of host-b, not the requests of host-a."""
    ping = net.stream(B4)
    text = net.heddle.cli("trace", "packets", "--count", "3", "--interface", "far").stdout
    ping.stop()
    assert text.count(f"IPv4 {B4} > {A4}") >= 3 and f"IPv4 {A4} > {B4}" not in text, text
    assert net.heddle.cli("trace", "packets", "--interface", "nosuch", check=False).returncode != 0


@pytest.mark.parametrize("sid,seen", [("fc00:9::1", True), ("fc00:9::2", True), ("fc00:9::3", False)])
def test_trace_of_a_sid(net, sid, seen):
    """The destination, or any listed segment; packets without it are not traced."""
    gateway = re.search(r"lladdr (\S+)", net.a.out("ip neigh show 10.0.1.1")).group(1)
    with RawPort(net.a, "eth0") as port:
        packet = (Ether(src=port.mac, dst=gateway) / IPv6(src=A6, dst="fc00:9::1") /
                  IPv6ExtHdrSegmentRouting(addresses=["fc00:9::2", "fc00:9::1"], segleft=1, lastentry=1) /
                  UDP(sport=1, dport=2))
        trace = net.hd.popen(f"trace-{sid}", [CLI, "--socket", f"{net.heddle.run_dir}/ctrl.sock", "trace", "packets",
                                              "--sid", sid, "--timeout", "2"])
        for _ in range(15):
            port.send(packet)
            time.sleep(0.1)
        trace.wait(10)
    assert ("fc00:9::1" in trace.log()) == seen, trace.log()


def test_watch_repeats_until_interrupted(net):
    watch = net.hd.popen("watch", [CLI, "--socket", f"{net.heddle.run_dir}/ctrl.sock", "show", "interfaces",
                                   "--watch", "0.3"])
    wait_for("three rounds", lambda: watch.log().count("INTERFACE") >= 3)
    watch.kill(signal.SIGINT)
    assert watch.wait(5) is not None


def test_trace_gives_up_in_time(net):
    """No packet matches: the command ends by its timeout, and nothing keeps tracing."""
    start = time.monotonic()
    net.heddle.cli("trace", "packets", "--count", "1", "--prefix", "192.0.2.0/24", "--timeout", "1", check=False)
    assert time.monotonic() - start < 5
    net.a.ping(B4)


def tshark(path, *args):
    return subprocess.run(["tshark", "-n", "-r", path, *args], capture_output=True, text=True, check=True,
                          timeout=30).stdout


def test_capture_with_filter(net):
    """pcapng that tshark reads, with only what the filter lets through."""
    path = net.lab.path("filtered.pcapng")
    pings = [net.stream(B4), net.stream(B6)]
    net.heddle.cli("capture", "--filter", "icmp6", "--count", "10", "--timeout", "10", "-w", path)
    for ping in pings:
        ping.stop()
    lines = tshark(path).splitlines()
    assert len(lines) == 10 and all("ICMPv6" in line for line in lines), lines
    assert tshark(path, "-Y", "_ws.malformed") == ""


@pytest.mark.parametrize("node,target", [("ip4-input", B4), ("ip6-input", B6), ("srv6-encap", "10.60.0.1")])
def test_capture_at_a_node(net, node, target):
    path = net.lab.path(f"{node}.pcapng")
    ping = net.stream(target)
    net.heddle.cli("capture", "--node", node, "--count", "5", "--timeout", "10", "-w", path)
    ping.stop()
    lines = tshark(path).splitlines()
    assert len(lines) == 5 and all(target in line for line in lines), lines


def test_capture_at_drop_carries_the_reason(net):
    path = net.lab.path("drop.pcapng")
    ping = net.stream("10.99.0.1")
    net.heddle.cli("capture", "--node", "drop", "--count", "3", "--timeout", "10", "-w", path)
    ping.stop()
    assert "blackhole" in tshark(path, "-T", "fields", "-e", "frame.comment"), tshark(path, "-V")


@pytest.mark.parametrize("option,value", [("--filter", "ip and ("), ("--node", "no-such-node")])
def test_bad_capture_is_refused(net, option, value):
    done = net.heddle.cli("capture", option, value, "--count", "1", "--timeout", "2", "-w",
                          net.lab.path("bad.pcapng"), check=False)
    assert done.returncode != 0 and (done.stdout + done.stderr).strip()
    net.a.ping(B4)


def test_drops_show_the_last_packet(net):
    gateway = re.search(r"lladdr (\S+)", net.a.out("ip neigh show 10.0.1.1")).group(1)
    with RawPort(net.a, "eth0") as port:
        port.send(Ether(src=port.mac, dst=gateway) / IP(src=A4, dst="10.99.7.7") / UDP(sport=1, dport=4242))
    wait_for("the last packet of the blackhole", lambda: "10.99.7.7" in net.heddle.show("drops"), 3)
    assert "4242" in net.heddle.show("drops")


def test_graph_as_dot(net):
    dot = net.heddle.cli("show", "graph", "--dot").stdout
    assert dot.startswith("digraph") and '"ip6-input"' in dot, dot[:200]


@pytest.mark.parametrize("what", ["interfaces", "neighbours", "routes", "sids", "policies", "drops", "workers",
                                  "graph", "config", "version"])
def test_everything_has_json(net, what):
    json.loads(net.heddle.cli("show", what, "--json").stdout)


def test_nothing_is_lost_while_looking(net):
    """A trace and a capture of everything, on and off, cost no packet."""
    ping = net.a.popen("watched", f"ping -n -q -i 0.005 -c 600 -W 2 {B4}")
    for n in range(5):
        net.heddle.cli("trace", "packets", "--count", "20", check=False)
        net.heddle.cli("capture", "--count", "50", "--timeout", "3", "-w", net.lab.path(f"all{n}.pcapng"), check=False)
    ping.wait(30)
    assert " 0% packet loss" in ping.log(), ping.log()
