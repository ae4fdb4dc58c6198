# SPDX-License-Identifier: BSD-3-Clause
"""SRv6 behaviors one by one: every one that the kernel has, as a segment of Heddle's policy.

    host-a ── access ┐            ┌ core ── router (Linux) ── host-b
                     └── heddle ──┘"""

import pytest
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting

from heddlelab import Heddle, Lab, RawPort, interface, malformed, veth_port

B4, B6 = "10.0.2.2", "2001:db8:b::2"


def end_hosts(a, b):
    for host, four, six in ((a, "10.0.1", "2001:db8:a"), (b, "10.0.2", "2001:db8:b")):
        host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
        host.route(f"default via {four}.1", f"default via {six}::1")


def policy(name, segments, form="h-encaps"):
    return {"name": name, "encapsulation": form, "segment-list": [{"name": "main", "segment": segments}]}


# segments of Heddle's policy, host that answers; the router's SIDs are in KernelNet
WAYS = {
    "End": (["fc00:2::e", "fc00:2::d6"], B6),
    "End, PSP": (["fc00:2::e5", "fc00:2::d6"], B6),
    "End.X back through Heddle's End": (["fc00:2::a", "fc00:1::e", "fc00:2::d6"], B6),
    "End.X back through Heddle's End.X": (["fc00:2::a", "fc00:1::a", "fc00:2::d6"], B6),
    "End.X back through Heddle's End with PSP": (["fc00:2::a", "fc00:1::e1", "fc00:2::d6"], B6),
    "End.T": (["fc00:2::7", "fc00:2::d6"], B6),
    "End.DT6": (["fc00:2::d6"], B6),
    "End.DX6": (["fc00:2::d7"], B6),
    "End.DX4": (["fc00:2::d4"], B4),
    "End.B6.Encaps into Heddle's End.DT6": (["fc00:2::b6", "fc00:2::d6"], B6),
    "NEXT-CSID carrier": (["fd00:2:100:d600::"], B6),
    "NEXT-CSID, three in a carrier": (["fd00:2:100:100:d600::"], B6),
    "NEXT-CSID with PSP": (["fd00:2:101::", "fc00:2::d6"], B6),
    "NEXT-CSID, End.X back through Heddle": (["fd00:2:100:e001:d600::"], B6),
}


class KernelNet:
    def __init__(self, lab, driver):
        self.driver = driver
        self.a, self.b, self.hd, self.r = (lab.ns(n) for n in ("host-a", "host-b", "hd", "router"))
        lab.link(self.a, "eth0", self.hd, "access", mtu=1300)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1300)
        end_hosts(self.a, self.b)
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:12::1",
                     "fc00:2::e encap seg6local action End dev core",
                     "fc00:2::e5 encap seg6local action End flavors psp dev core",
                     "fc00:2::a encap seg6local action End.X nh6 2001:db8:12::1 dev core",
                     "fc00:2::7 encap seg6local action End.T table 254 dev core",
                     "fc00:2::d6 encap seg6local action End.DT6 table main dev hosts",
                     f"fc00:2::d7 encap seg6local action End.DX6 nh6 {B6} dev hosts",
                     "fc00:2::b6 encap seg6local action End.B6.Encaps srh segs fc00:1::d6 dev core",
                     "fd00:2:100::/48 encap seg6local action End flavors next-csid lblen 32 nflen 16 dev core",
                     "fd00:2:101::/48 encap seg6local action End flavors psp,next-csid lblen 32 nflen 16 dev core",
                     "fd00:2:100:e001::/64 encap seg6local action End.X nh6 2001:db8:12::1 flavors next-csid "
                     "lblen 32 nflen 32 dev core",
                     "fc00:2::b5 encap seg6local action End.B6 srh segs fc00:1::e dev core",
                     "fd00:2:d600::/48 encap seg6local action End.DT6 table main dev hosts",
                     "2001:db8:a::/64 encap seg6 mode encap segs fc00:1::46 dev core")
        self.r.ip(f"-6 route add fc00:2::d4 encap seg6local action End.DX4 nh4 {B4} dev hosts")
        self.r.ip("route add 10.0.1.0/24 encap seg6 mode encap segs fc00:1::46 dev core")
        self.heddle = Heddle(lab, self.hd, self.config("End")).start()
        self.now = "End"

    def config(self, way, form="h-encaps"):
        segments, target = WAYS[way]
        prefix = "10.0.2.0/24" if target == B4 else "2001:db8:b::/64"
        via = [{"interface": "core", "address": "2001:db8:12::2"}]
        return {
            "interfaces": {"interface": [
                interface("access", veth_port("access", self.driver), "10.0.1.1/24", "2001:db8:a::1/64"),
                interface("core", veth_port("core", self.driver), "2001:db8:12::1/64")]},
            "ip": {"route": [{"prefix": "fc00:2::/48", "next-hop": via}, {"prefix": "fd00:2::/32", "next-hop": via},
                             {"prefix": prefix, "srv6-policy": "there"}]},
            "srv6": {
                "encapsulation": {"source-address": "fc00:1::1"},
                "locator": [{"name": "lab", "prefix": "fc00:1::/48"}],
                "sid": [{"sid": "fc00:1::e/128", "behavior": "end"},
                        {"sid": "fc00:1::e1/128", "behavior": "end", "flavor": ["psp"]},
                        {"sid": "fc00:1::a/128", "behavior": "end-x", "next-hop": via},
                        {"sid": "fc00:1::d6/128", "behavior": "end-dt6", "default-vrf": True},
                        {"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True}],
                "policy": [policy("there", segments, form)]},
        }


@pytest.fixture(scope="module", params=["af_packet", "af_xdp"])
def kernel_net(request):
    with Lab() as lab:
        yield KernelNet(lab, request.param)


@pytest.mark.parametrize("form", ["h-encaps", "h-encaps-red"])
@pytest.mark.parametrize("way", WAYS)
def test_behavior_of_the_kernel(kernel_net, way, form):
    kernel_net.heddle.reload(kernel_net.config(way, form))
    kernel_net.a.ping(WAYS[way][1], count=10, interval=0.01)
    kernel_net.a.ping(WAYS[way][1], count=3, interval=0.01, size=900)


def test_header_that_the_kernel_inserts(kernel_net):
    """The kernel's End.B6 puts a header in front of the one that is there, whose last segment is its own SID again: it
    leads nowhere, but what stands between is Heddle's to do, and the header behind stays as it is."""
    tree = kernel_net.config("End", "h-encaps")
    tree["srv6"]["policy"] = [policy("there", ["fc00:2::b5", "fc00:2::d6"])]
    kernel_net.heddle.reload(tree)
    with RawPort(kernel_net.r, "core") as core:
        kernel_net.a.run(["ping", "-c", "1", "-W", "0.2", B6], check=False)
        frames = core.receive(lambda p: IPv6 in p and p[IPv6].dst == "fc00:2::b5" and p[IPv6].hlim < 64, timeout=2)
    assert len(frames) == 1 and malformed(frames) == ""
    inserted = frames[0][IPv6ExtHdrSegmentRouting]
    assert (inserted.addresses, inserted.segleft) == (["fc00:2::b5", "fc00:1::e"], 0)
    behind = inserted.payload[IPv6ExtHdrSegmentRouting]
    assert (behind.addresses, behind.segleft) == (["fc00:2::d6", "fc00:2::b5"], 1)
