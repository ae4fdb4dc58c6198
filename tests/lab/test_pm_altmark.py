# SPDX-License-Identifier: BSD-3-Clause
"""Alternate marking between two Heddles with a wire between that loses what it is told to.

    host-a ── first (marks) ── wire ── second (counts) ── host-b
"""

import json
import os
import time

import pytest
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop

from heddlelab import Heddle, RawPort, interface, lossy, malformed, veth_port, wait_for

LOSSY = os.path.abspath(lossy.__file__)
FLOW = {"name": "west", "flow-mon-id": 0xabcde, "source-address": "fc00:1::1"}
PERIOD = 1


class Net:
    def __init__(self, lab, place="hop-by-hop"):
        self.lab = lab
        self.a, self.b = lab.ns("host-a"), lab.ns("host-b")
        self.mid = lab.ns("wire")
        first, second = lab.ns("first"), lab.ns("second")
        lab.link(self.a, "eth0", first, "access", mtu=1300)
        lab.link(self.b, "eth0", second, "access", mtu=1300)
        lab.link(first, "core", self.mid, "left", mtu=1500)
        lab.link(second, "core", self.mid, "right", mtu=1500)
        for dev in ("left", "right"):
            self.mid.sysctl(f"net.ipv6.conf.{dev}.disable_ipv6=1")
        for host, six in ((self.a, "2001:db8:a"), (self.b, "2001:db8:b")):
            host.addr("eth0", f"{six}::2/64")
            host.route(f"default via {six}::1")
        common = {"period": PERIOD, "guard": 100, "srh-tlv-type": 124}
        self.second = Heddle(lab, second, self.node(2, {**common, "interface": ["core"], "flow": [FLOW]}))
        socket = os.path.join(self.second.run_dir, "ctrl.sock")
        self.first = Heddle(lab, first, self.node(1, {
            **common, "flow": [{**FLOW, "mark": {"policy": "far", "place": place}}],
            "peer": [{"name": "r2", "socket": socket}],
            "measurement": [{"name": "west-r2", "flow": "west", "to": "r2"}]}))
        self.n_wires = 0

    def start(self):
        self.second.start()
        self.first.start()
        with_wire = self.wire(8)
        wait_for("the way to host-b", lambda: self.a.ping("2001:db8:b::2", count=1, check=False, wait=1), 7)
        with_wire.wait(12)
        # from the second whole block on after both know of the flow; what waited for a neighbour is then compared
        time.sleep(4 * PERIOD)
        return self

    def node(self, n, altmark):
        far = 3 - n
        return {
            "interfaces": {"interface": [
                interface("access", veth_port("access"), f"2001:db8:{'ab'[n - 1]}::1/64"),
                interface("core", veth_port("core"), f"2001:db8:12::{n}/64")]},
            "ip": {"route": [
                {"prefix": f"fc00:{far}::/48", "next-hop": [{"interface": "core", "address": f"2001:db8:12::{far}"}]},
                {"prefix": f"2001:db8:{'ab'[far - 1]}::/64", "srv6-policy": "far"}]},
            "srv6": {
                "encapsulation": {"source-address": f"fc00:{n}::1"},
                "locator": [{"name": "own", "prefix": f"fc00:{n}::/48"}],
                "sid": [{"sid": f"fc00:{n}::e/128", "behavior": "end"},
                        {"sid": f"fc00:{n}::d6/128", "behavior": "end-dt6", "default-vrf": True}],
                "policy": [{"name": "far", "encapsulation": "h-encaps", "segment-list": [
                    {"name": "only", "segment": [f"fc00:{far}::e", f"fc00:{far}::d6"]}]}],
            },
            "altmark": altmark,
        }

    def wire(self, seconds, *args):
        self.n_wires += 1
        p = self.mid.popen(f"wire{self.n_wires}", ["/usr/bin/python3", LOSSY, "left", "right", str(seconds), *args])
        wait_for("the wire", lambda: "ready" in p.log(), 5)
        return p

    def measurement(self):
        state = self.first.json("pm", "altmark")["heddle-altmark:altmark-state"]
        assert state["peer"][0]["reachable"] is True, state["peer"]
        return state["measurement"][0]

    def compared(self, packets):
        """The measurement, once so many packets have been compared."""
        wait_for("the blocks to be compared", lambda: int(self.measurement()["sent"]) >= packets, 6 * PERIOD)
        return self.measurement()


def seconds(m):
    return [int(m["delay"][k]) / 1e9 for k in ("min", "mean", "max")]


def test_pm_altmark_loss_and_delay(lab):
    net = Net(lab).start()
    before = net.measurement()
    # no loss, 20 ms: delays of D packets and means of whole blocks
    wire = net.wire(9, "--delay-ms", "20")
    assert net.a.ping("2001:db8:b::2", count=600, interval=0.005) == 600
    wire.wait(14)
    m = net.compared(int(before["sent"]) + 600)
    assert int(m["sent"]) - int(before["sent"]) == 600
    assert m["lost"] == before["lost"] and m["surplus"] == before["surplus"]
    blocks = [b for b in m["block"] if "delay" in b][-3:]
    assert len(blocks) >= 2, m["block"]
    for b in blocks:
        assert len(b["delay"]) == 1
        assert 0.019 < int(b["delay"][0]) / 1e9 < 0.2, b
        assert 0.019 < int(b["mean-delay"]) / 1e9 < 0.2, b
    # every 17th is lost: exactly those are found
    wire = net.wire(9, "--every", "17")
    net.a.ping("2001:db8:b::2", count=600, interval=0.005, check=False)
    wire.wait(14)
    told = json.loads(wire.log(1))
    assert told == {"passed": 600 - 600 // 17, "dropped": 600 // 17}
    after = net.compared(int(m["sent"]) + 600)
    assert int(after["sent"]) - int(m["sent"]) == 600
    assert int(after["lost"]) - int(m["lost"]) == told["dropped"]
    assert after["surplus"] == before["surplus"]
    metrics = net.first.ns.out(["curl", "-s", "--unix-socket", os.path.join(net.first.run_dir, "ctrl.sock"),
                                "http://x/metrics"])
    assert f'heddle_altmark_lost_packets_total{{measurement="west-r2"}} {after["lost"]}' in metrics
    table = net.first.cli("pm altmark").stdout
    assert "west-r2" in table and after["lost"] in table.split()
    assert "BLOCK" in net.first.cli("pm altmark west-r2").stdout
    assert "703710" in net.first.cli("pm altmark --flows").stdout


@pytest.mark.parametrize("place", ["destination", "srh-tlv"])
def test_pm_altmark_endpoint_counts(lab, place):
    """Marks that only segment endpoints read."""
    net = Net(lab, place).start()
    before = net.measurement()
    wire = net.wire(4, "--every", "10", "--next-header", "60" if place == "destination" else "43")
    net.a.ping("2001:db8:b::2", count=200, interval=0.01, check=False)
    wire.wait(8)
    told = json.loads(wire.log(1))
    after = net.compared(int(before["sent"]) + 200)
    assert told["dropped"] == 20
    assert int(after["lost"]) - int(before["lost"]) == told["dropped"]


def test_pm_altmark_on_the_wire(lab):
    """scapy and tshark read the option; L follows the block, one D in a block."""
    net = Net(lab).start()
    port = RawPort(net.mid, "left")
    wire = net.wire(6)
    net.a.ping("2001:db8:b::2", count=300, interval=0.01, check=False)
    wire.wait(8)
    frames = port.receive(lambda f: f.haslayer(IPv6ExtHdrHopByHop), timeout=1, count=300)
    assert len(frames) == 300
    assert malformed(frames) == ""
    words = []
    for f in frames:
        option = f[IPv6ExtHdrHopByHop].options[0]
        assert option.otype == 0x12 and option.optlen == 4
        words.append(int.from_bytes(bytes(option.optdata), "big"))
        assert f[IPv6].src == "fc00:1::1" and words[-1] >> 12 == 0xabcde and words[-1] & 0x3ff == 0
    colours = [w >> 11 & 1 for w in words]
    changes = sum(x != y for x, y in zip(colours, colours[1:]))
    assert 2 <= changes <= 5, "about one a second"
    assert changes - 1 <= sum(w >> 10 & 1 for w in words) <= changes + 1, "one D a block"


def test_pm_altmark_restarts(lab):
    """A control process that was away misses nothing that is still kept; a data plane that was away loses no packet."""
    net = Net(lab).start()
    before = net.measurement()
    wire = net.wire(9, "--every", "50")
    net.second.ctrl.kill()
    net.a.ping("2001:db8:b::2", count=100, interval=0.005, check=False)
    net.second.start_ctrl()
    net.second.wait_ready()
    time.sleep(2.5 * PERIOD)
    net.a.ping("2001:db8:b::2", count=200, interval=0.005, check=False)
    wire.wait(12)
    net.compared(int(before["sent"]) + 200)
    m = net.measurement()
    lost = int(m["lost"]) - int(before["lost"])
    # what was sent while its counters could not be read is either compared or unknown, never called lost
    assert lost <= 6 and m["surplus"] == before["surplus"]
