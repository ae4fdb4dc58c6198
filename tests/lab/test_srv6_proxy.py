# SPDX-License-Identifier: BSD-3-Clause
"""Proxies in front of real services that know no SRv6: a Linux router for packets, a Linux bridge for frames.

    host-a ── access ┐               ┌ core ── router (Linux) ── hosts ── host-b
                     └── heddle ─────┘
       to-ip, from-ip ┘ └ to-l2, from-l2
       Linux router       Linux bridge

host-b's packets to host-a are sent through the proxy's SID by the kernel, and come back from the service into a policy
that leads over the kernel's End to Heddle's decapsulation."""

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Ether

from heddlelab import Heddle, RawPort, interface, malformed, veth_port, wait_for

A4, B4, A6, B6 = "10.0.1.2", "10.0.2.2", "2001:db8:a::2", "2001:db8:b::2"


def via(dev, address):
    return [{"interface": dev, "address": address}]


TO4, TO6 = via("to-ip", "10.8.0.2"), via("to-ip", "2001:db8:80::2")
# one proxy at a time has the way back from its service
PROXIES = {
    "End.AS, IPv4": {"behavior": "end-as", "next-hop": TO4,
                     "service": {"payload": "ipv4", "from-interface": "from-ip", "policy": "after"}},
    "End.AS, IPv6": {"behavior": "end-as", "next-hop": TO6,
                     "service": {"payload": "ipv6", "from-interface": "from-ip", "policy": "after"}},
    "End.AD, IPv4": {"behavior": "end-ad", "next-hop": TO4, "service": {"payload": "ipv4", "from-interface": "from-ip"}},
    "End.AD, IPv6": {"behavior": "end-ad", "next-hop": TO6, "service": {"payload": "ipv6", "from-interface": "from-ip"}},
    "End.AM": {"behavior": "end-am", "next-hop": TO6, "service": {"from-interface": "from-ip"}},
    "End.AS, Ethernet": {"behavior": "end-as", "interface": "to-l2",
                         "service": {"payload": "ethernet", "from-interface": "from-l2", "policy": "after-l2"}},
    "End.AD, Ethernet": {"behavior": "end-ad", "interface": "to-l2",
                         "service": {"payload": "ethernet", "from-interface": "from-l2"}},
}
SID = "fc00:1::a5"


def config(proxy):
    def policy(name, form, *segments):
        return {"name": name, "encapsulation": form, "segment-list": [{"name": "l", "segment": list(segments)}]}

    return {
        "interfaces": {"interface": [
            interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
            interface("core", veth_port("core"), "2001:db8:12::1/64"),
            interface("to-ip", veth_port("to-ip"), "10.8.0.1/24", "2001:db8:80::1/64"),
            interface("from-ip", veth_port("from-ip"), "10.8.1.1/24", "2001:db8:81::1/64"),
            interface("to-l2", veth_port("to-l2")),
            interface("from-l2", veth_port("from-l2"), promiscuous=True)]},
        "ip": {"route": [{"prefix": "fc00:2::/48", "next-hop": via("core", "2001:db8:12::2")},
                         {"prefix": "2001:db8:b::/64", "next-hop": via("core", "2001:db8:12::2")},
                         {"prefix": "10.0.2.0/24", "srv6-policy": "back"}]},
        "srv6": {
            "encapsulation": {"source-address": "fc00:1::1"},
            "sid": [{"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True},
                    {"sid": "fc00:1::d2/128", "behavior": "end-dx2", "interface": "access"},
                    {"sid": f"{SID}/128", **PROXIES[proxy]}],
            "policy": [policy("after", "h-encaps", "fc00:2::e", "fc00:1::46"),
                       policy("after-l2", "h-encaps-l2", "fc00:2::e", "fc00:1::d2"),
                       policy("back", "h-encaps", "fc00:2::d4")]},
    }


class Net:
    def __init__(self, lab):
        self.a, self.b, self.hd, self.r, self.ip, self.l2 = (
            lab.ns(n) for n in ("host-a", "host-b", "hd", "router", "service-ip", "service-l2"))
        lab.link(self.a, "eth0", self.hd, "access", mtu=1300)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1300)
        for service in ("ip", "l2"):
            lab.link(self.hd, f"to-{service}", getattr(self, service), "in")
            lab.link(self.hd, f"from-{service}", getattr(self, service), "out")
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:12::1", "fc00:2::e encap seg6local action End dev core")
        self.r.ip(f"-6 route add fc00:2::d4 encap seg6local action End.DX4 nh4 {B4} dev hosts")
        # the services: plain Linux, no word of SRv6
        self.ip.addr("in", "10.8.0.2/24", "2001:db8:80::2/64")
        self.ip.addr("out", "10.8.1.2/24", "2001:db8:81::2/64")
        self.ip.sysctl("net.ipv4.ip_forward=1")
        self.ip.sysctl("net.ipv6.conf.all.forwarding=1")
        self.ip.route("10.0.1.0/24 via 10.8.1.1", "2001:db8:a::/64 via 2001:db8:81::1", "fc00:1::/48 via 2001:db8:81::1")
        self.l2.ip("link add br0 type bridge")
        for dev in ("in", "out"):
            self.l2.ip(f"link set {dev} master br0")
        self.l2.ip("link set br0 up")
        self.heddle = Heddle(lab, self.hd, config("End.AS, IPv4")).start()

    def kernel_sends(self, segments, mode):
        way = f"encap seg6 mode {mode} segs {','.join(segments)} dev core"
        self.r.ip(f"-6 route replace 2001:db8:a::/64 {way}")
        self.r.ip(f"route replace 10.0.1.0/24 {way}")

    def exchange(self, target, service, count=5):
        """Pings from host-b: the requests that the service got, and those that came to host-a."""
        with RawPort(service, "in") as into, RawPort(self.a, "eth0") as host:
            self.b.run(["ping", "-c", str(count), "-i", "0.05", "-W", "0.3", "-s", "700", target], check=False)

            def requests(port):
                return port.receive(lambda p: p.haslayer(ICMP) and p[ICMP].type == 8 or p.haslayer(ICMPv6EchoRequest),
                                    count=count, timeout=2)
            return requests(into), requests(host)


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


@pytest.mark.parametrize("proxy", PROXIES)
def test_service_behind_a_proxy(net, proxy):
    net.heddle.reload(config(proxy))
    frames = "Ethernet" in proxy
    target = A4 if "IPv4" in proxy else A6
    # the cache of End.AD is what it took off: its list goes on; that of End.AS ends here
    ends = "fc00:1::d2" if frames else "fc00:1::46"
    onward = [] if "End.AS" in proxy else ["fc00:2::e", ends]
    net.kernel_sends([SID, *onward], "l2encap" if frames else "encap")
    service = net.l2 if frames else net.ip
    # the first packets find End.AD's cache empty: they are dropped by name
    wait_for("a packet through the service", lambda: net.exchange(target, service, 1)[1], 10)
    at_service, arrived = net.exchange(target, service)
    assert len(at_service) == 5 and len(arrived) == 5, net.heddle.cli("show", "drops", check=False).stdout
    assert malformed(at_service) == "" and malformed(arrived) == ""
    for seen in at_service:
        if proxy == "End.AM":  # all headers, and the last segment for destination
            assert seen[IPv6].dst == ends and seen[IPv6ExtHdrSegmentRouting].segleft == 2
        else:
            assert seen[IP if target == A4 else IPv6].dst == target and IPv6ExtHdrSegmentRouting not in seen
    sid = next(s for s in net.heddle.state("sids") if s["sid"] == f"{SID}/128")
    assert sum(int(c["value"]) for c in sid["counter"] if c["name"] == "packets") >= 5
    if not frames and proxy != "End.AM":  # the service is a hop, and so are both ends of what it comes back in
        hop = "ttl" if target == A4 else "hlim"
        layer = IP if target == A4 else IPv6
        assert getattr(arrived[0][layer], hop) < getattr(at_service[0][layer], hop) - 1


def test_service_is_down(net):
    """Nothing comes back from a service that is gone, and nothing passes beside it."""
    net.heddle.reload(config("End.AS, IPv4"))
    net.kernel_sends([SID], "encap")
    wait_for("the service", lambda: net.exchange(A4, net.ip, 1)[1], 10)
    net.ip.sysctl("net.ipv4.ip_forward=0")
    try:
        at_service, arrived = net.exchange(A4, net.ip, 3)
        assert len(at_service) == 3 and arrived == []
    finally:
        net.ip.sysctl("net.ipv4.ip_forward=1")


def test_frames_with_tags_pass_whole(net):
    """End.AS for frames takes tags and short frames as they are."""
    net.heddle.reload(config("End.AS, Ethernet"))
    gateway = net.r.out("ip neigh show 2001:db8:12::1").split("lladdr ")[1].split()[0]
    inner = bytes.fromhex("02cc0000000102cc00000002") + bytes.fromhex("8100a064" "88b5") + b"service"
    with RawPort(net.r, "core") as core, RawPort(net.l2, "in") as into, RawPort(net.a, "eth0") as host:
        core.send(Ether(src=core.mac, dst=gateway) / IPv6(src="fc00:2::1", dst=SID, nh=143) / inner)
        assert [bytes(f) for f in into.receive(lambda p: p.src == "02:cc:00:00:00:02")] == [inner]
        assert [bytes(f) for f in host.receive(lambda p: p.src == "02:cc:00:00:00:02")] == [inner]
