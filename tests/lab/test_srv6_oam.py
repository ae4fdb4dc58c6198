# SPDX-License-Identifier: BSD-3-Clause
"""heddle srv6 ping and traceroute (RFC 9259 section 2.2, A.1, A.2): two Heddles and a Linux router between them.

    near (heddle) ── router (Linux) ── far (heddle)"""

import pytest
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrSegmentRouting

from heddlelab import Heddle, RawPort, interface, malformed, veth_port
from heddlelab.heddle import unwrap


def config(address, gateway, locator, others, sids, policy=None):
    tree = {"encapsulation": {"source-address": address},
            "locator": [{"name": "own", "prefix": locator}], "sid": sids}
    if policy:
        tree["policy"] = [policy]
    return {"interfaces": {"interface": [interface("core", veth_port("core"), f"{address}/64")]},
            "ip": {"route": [{"prefix": p, "next-hop": [{"interface": "core", "address": gateway}]} for p in others]},
            "srv6": tree}


class Net:
    def __init__(self, lab):
        self.near_ns, self.r, self.far_ns = (lab.ns(n) for n in ("near", "router", "far"))
        lab.link(self.near_ns, "core", self.r, "near")
        lab.link(self.r, "far", self.far_ns, "core")
        self.r.addr("near", "2001:db8:1::2/64")
        self.r.addr("far", "2001:db8:3::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:1::1", "fc00:3::/48 via 2001:db8:3::1",
                     "fc00:2::e encap seg6local action End dev near")
        self.near = Heddle(lab, self.near_ns, config(
            "2001:db8:1::1", "2001:db8:1::2", "fc00:1::/48", ["fc00:2::/48", "fc00:3::/48", "2001:db8:3::/64"],
            [{"sid": "fc00:1::e/128", "behavior": "end"}],
            {"name": "loop", "segment-list": [{"name": "l", "segment": ["fc00:2::e", "fc00:3::e"]}]}), name="near")
        self.far = Heddle(lab, self.far_ns, config(
            "2001:db8:3::1", "2001:db8:3::2", "fc00:3::/48", ["fc00:1::/48", "fc00:2::/48", "2001:db8:1::/64"],
            [{"sid": "fc00:3::e/128", "behavior": "end"},
             {"sid": "fc00:3::a/128", "behavior": "end-x",
              "next-hop": [{"interface": "core", "address": "2001:db8:3::2"}]},
             {"sid": "fc00:3::5/128", "behavior": "end", "upper-layer": ["tcp"]}]), name="far")
        self.near.start()
        self.far.start()

    def ping(self, *args, check=True):
        done = self.near.cli("srv6", "ping", *args, "--count", "3", "--interval", "0.02", "--json", check=check)
        import json
        return unwrap(json.loads(done.stdout)) if done.stdout.startswith("{") else done


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


@pytest.mark.parametrize("args", [
    ["fc00:3::e"],                                       # S-170
    ["fc00:3::a"],                                       # S-172: the adjacency is not tried
    ["fc00:3::e", "--sid-list", "fc00:2::e"],            # S-171
    ["--sid-list", "fc00:2::e,fc00:3::a,fc00:2::e,fc00:3::e"],
    ["--sid-list", "fc00:2::e,fc00:3::e,fc00:1::e"],     # S-188: a loop that ends at an own SID
    ["--policy", "loop"],
    ["--policy", "loop", "fc00:1::e"],
    ["fc00:3::e", "--protocol", "udp"],                  # not taken there: an answer all the same
])
def test_ping(net, args):
    answer = net.ping(*args)
    assert answer["received"] == 3, answer
    assert all(0 < int(p["rtt"]) < 10**9 for p in answer["probe"])


def test_refused_and_missing(net):
    """S-174: a SID that takes no ICMPv6 says so; one that is not there is unreachable."""
    refused = net.ping("fc00:3::5", check=False)
    assert {p["result"] for p in refused["probe"]} == {"parameter-problem"}
    assert refused["received"] == 0
    gone = net.ping("fc00:3::77", "--timeout", "0.5", check=False)
    assert gone["received"] == 0


def test_what_is_sent(net):
    with RawPort(net.r, "near") as port:
        net.ping("--sid-list", "fc00:2::e,fc00:3::e")
        frames = port.receive(lambda p: ICMPv6EchoRequest in p or IPv6ExtHdrSegmentRouting in p, count=3)
    assert malformed(frames) == ""
    srh = frames[0][IPv6ExtHdrSegmentRouting]
    assert frames[0][IPv6].dst == "fc00:2::e" and srh.addresses == ["fc00:3::e", "fc00:2::e"] and srh.segleft == 1


@pytest.mark.parametrize("protocol", ["echo", "udp"])
def test_traceroute(net, protocol):
    """S-173, S-187: time exceeded on the way, and the last SID answers one way or the other."""
    trace = unwrap(net.near.json("srv6", "traceroute", "fc00:3::e", "--sid-list", "fc00:2::e", "--protocol", protocol,
                                 "--queries", "1"))
    assert trace["reached"] is True
    hops = [h["probe"][0] for h in trace["hop"]]
    assert [h["result"] for h in hops] == ["time-exceeded"] * (len(hops) - 1) + ["reply"]
    assert hops[0]["from"] == "2001:db8:1::2"


def test_help_and_errors(net):
    assert "which SID" in net.near.cli("srv6", "ping", check=False).stderr
    assert "no SR policy" in net.near.cli("srv6", "ping", "--policy", "nope", check=False).stderr
    assert "--sid-list" in net.near.cli("srv6", "traceroute", "--help").stdout
