# SPDX-License-Identifier: BSD-3-Clause
"""Heddle's endpoint behaviors as segments of the kernel's lists, HMAC with the kernel in both roles, frames to and from
the kernel, and bridge domains between two Heddles.

    host-a ── access ┐            ┌ core ── router (Linux) ── hosts ── host-b
                     └── heddle ──┘"""

import time

import pytest
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from heddlelab import Heddle, Lab, RawPort, interface, malformed, veth_port, wait_for

A4, A6 = "10.0.1.2", "2001:db8:a::2"
B4, B6 = "10.0.2.2", "2001:db8:b::2"
F3216 = {"block-length": 32, "node-length": 16}
KEY, SECRET = 42, "between-us"

# segments of the kernel's list towards host-a, which of them is Heddle's is told by the name; host that is reached
WAYS = {
    "End": (["fc00:1::e", "fc00:1::46"], A6),
    "End, PSP": (["fc00:1::e1", "fc00:1::46"], A6),
    "End.X to the kernel's End": (["fc00:1::a", "fc00:2::e", "fc00:1::46"], A6),
    "End.T": (["fc00:1::7", "fc00:1::46"], A6),
    "End.DX6": (["fc00:1::d76"], A6),
    "End.DX4": (["fc00:1::d74"], A4),
    "End.DT6": (["fc00:1::d6"], A6),
    "End.DT4": (["fc00:1::d4"], A4),
    "End.B6.Encaps through the kernel": (["fc00:1::b6", "fc00:1::46"], A6),
    "End.B6.Encaps.Red through the kernel": (["fc00:1::b7", "fc00:1::46"], A6),
    "NEXT-CSID, two in a carrier": (["fd00:1:100:d600::"], A6),
    "NEXT-CSID, three, node and function": (["fd00:1:100:100:d600::"], A6),
    "NEXT-CSID with PSP": (["fd00:1:101::", "fc00:1::46"], A6),
    "NEXT-CSID, the kernel's and ours": (["fd00:1:200:100:d600::"], A6),
    "REPLACE-CSID container": (["fd00:3:0:1:1::", "::d6:1:1:1"], A6),
}


def via(dev, address):
    return [{"interface": dev, "address": address}]


class KernelNet:
    def __init__(self, lab):
        self.a, self.b, self.hd, self.r = (lab.ns(n) for n in ("host-a", "host-b", "hd", "router"))
        lab.link(self.a, "eth0", self.hd, "access", mtu=1300)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1300)
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:12::1", "fd00:1::/32 via 2001:db8:12::1",
                     "fd00:3::/32 via 2001:db8:12::1",
                     "fc00:2::e encap seg6local action End dev core",
                     "fc00:2::d6 encap seg6local action End.DT6 table main dev hosts",
                     "fd00:1:200::/48 encap seg6local action End flavors next-csid lblen 32 nflen 16 dev core",
                     "fc00:2::d2 encap seg6local action End.DX2 oif hosts dev core")
        self.r.run(["ip", "sr", "tunsrc", "set", "fc00:2::1"])
        self.heddle = Heddle(lab, self.hd, self.config()).start()
        self.way = None

    def config(self, policy=None, key=None, hmac="ignore", l2=None):
        end = [{"sid": "fc00:1::e/128", "behavior": "end", "hmac": hmac},
               {"sid": "fc00:1::e1/128", "behavior": "end", "flavor": ["psp"]},
               {"sid": "fc00:1::a/128", "behavior": "end-x", "next-hop": via("core", "2001:db8:12::2")},
               {"sid": "fc00:1::7/128", "behavior": "end-t", "default-vrf": True},
               {"sid": "fc00:1::d76/128", "behavior": "end-dx6", "next-hop": via("access", A6)},
               {"sid": "fc00:1::d74/128", "behavior": "end-dx4", "next-hop": via("access", A4)},
               {"sid": "fc00:1::d6/128", "behavior": "end-dt6", "default-vrf": True},
               {"sid": "fc00:1::d4/128", "behavior": "end-dt4", "default-vrf": True},
               {"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True},
               {"sid": "fc00:1::b6/128", "behavior": "end-b6-encaps", "policy": "loop"},
               {"sid": "fc00:1::b7/128", "behavior": "end-b6-encaps-red", "policy": "loop"},
               {"sid": "fc00:1::d2/128", "behavior": "end-dx2", "interface": "access"}]
        csid = [{"sid": "fd00:1:100::/48", "behavior": "end", "flavor": ["next-csid"], "structure": F3216},
                {"sid": "fd00:1:101::/48", "behavior": "end", "flavor": ["psp", "next-csid"], "structure": F3216},
                {"sid": "fd00:1:d600::/48", "behavior": "end-dt6", "flavor": ["next-csid"], "structure": F3216,
                 "default-vrf": True},
                {"sid": "fd00:3:0:1:1::/80", "behavior": "end", "flavor": ["replace-csid"],
                 "structure": {"block-length": 48, "node-length": 16, "function-length": 16}},
                {"sid": "fd00:3:0:d6:1::/80", "behavior": "end-dt6", "flavor": ["replace-csid"],
                 "structure": {"block-length": 48, "node-length": 16, "function-length": 16}, "default-vrf": True}]
        there = {"name": "there", "encapsulation": "h-encaps", "segment-list": [
            {"name": "only", "segment": policy or ["fc00:2::e", "fc00:2::d6"]}]}
        if key:
            there["hmac-key"] = KEY
        srv6 = {"encapsulation": {"source-address": "fc00:1::1"}, "sid": end + csid,
                "policy": [there,
                           {"name": "loop", "segment-list": [{"name": "only", "segment": ["fc00:2::e", "fc00:1::46"]}]},
                           {"name": "frames", "encapsulation": "h-encaps-l2", "segment-list": [
                               {"name": "only", "segment": ["fc00:2::d2"]}]}]}
        if key:
            srv6["hmac-key"] = [key]
        if l2:
            srv6["interface"] = [{"name": "access", "l2-policy": "frames"}]
        return {
            "interfaces": {"interface": [
                interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
                interface("core", veth_port("core"), "2001:db8:12::1/64")]},
            "ip": {"route": [{"prefix": "fc00:2::/48", "next-hop": via("core", "2001:db8:12::2")},
                             {"prefix": "fd00:1:200::/48", "next-hop": via("core", "2001:db8:12::2")},
                             {"prefix": "2001:db8:b::/64", "srv6-policy": "there"},
                             {"prefix": "10.0.2.0/24", "next-hop": via("core", "2001:db8:12::2")}]},
            "srv6": srv6,
        }

    def kernel_sends(self, segments, options="", mode="encap"):
        self.r.ip("-6 route flush 2001:db8:a::/64", check=False)
        self.r.ip("route flush 10.0.1.0/24", check=False)
        way = f"encap seg6 mode {mode} segs {','.join(segments)} {options} dev core"
        self.r.ip(f"-6 route add 2001:db8:a::/64 {way}")
        self.r.ip(f"route add 10.0.1.0/24 {way}")


@pytest.fixture(scope="module")
def net():
    with Lab() as lab:
        yield KernelNet(lab)


@pytest.mark.parametrize("mode", ["encap", "encap.red"])
@pytest.mark.parametrize("way", WAYS)
def test_behavior_of_heddle(net, way, mode):
    """One way is enough to see it: packets from host-b arrive at host-a, whole, and tshark finds nothing wrong."""
    segments, target = WAYS[way]
    net.kernel_sends(segments, mode=mode)
    with RawPort(net.a, "eth0") as port, RawPort(net.r, "core") as core:
        net.b.run(["ping", "-c", "5", "-i", "0.02", "-W", "0.2", "-s", "900", target], check=False)
        seen = port.receive(lambda p: p.haslayer("IPv6") and p["IPv6"].nh == 58 and len(p) > 900 or
                            p.haslayer("IP") and p["IP"].proto == 1, timeout=2, count=3)
        assert len(seen) == 3, net.heddle.cli("show", "drops", check=False).stdout
        assert malformed(seen) == ""
        assert malformed(core.receive(timeout=0.1, count=20)) == ""


def set_kernel_key(net, secret):
    net.r.run(["ip", "sr", "hmac", "set", str(KEY), "sha256"], stdin=f"{secret}\n{secret}\n" if secret else "\n\n")


def test_kernel_signs_heddle_verifies(net):
    key = {"key-id": KEY, "secret": SECRET, "format": "linux"}
    net.heddle.reload(net.config(key=key, hmac="require"))
    net.kernel_sends(["fc00:1::e", "fc00:1::46"])
    ping = ["ping", "-c", "4", "-i", "0.02", "-W", "0.2", A6]
    with RawPort(net.a, "eth0") as port:
        def arrived():
            return len(port.receive(lambda p: p.haslayer("IPv6") and p["IPv6"].dst == A6 and p["IPv6"].nh == 58,
                                    timeout=0.7, count=4))
        net.b.run(ping, check=False)
        assert arrived() == 0, "unsigned packets pass"
        set_kernel_key(net, SECRET)
        net.kernel_sends(["fc00:1::e", "fc00:1::46"], f"hmac {KEY}")
        port.drain()
        net.b.run(ping, check=False)
        assert arrived() == 4, net.heddle.cli("show", "drops", check=False).stdout
        set_kernel_key(net, "another")
        port.drain()
        net.b.run(ping, check=False)
        assert arrived() == 0, "a wrong key passes"
        # the RFC's text is another one: a key of that format does not take the kernel's digests
        set_kernel_key(net, SECRET)
        net.heddle.reload(net.config(key={**key, "format": "rfc8754"}, hmac="require"))
        port.drain()
        net.b.run(ping, check=False)
        assert arrived() == 0
    net.heddle.reload(net.config())
    net.kernel_sends(["fc00:1::46"])


def test_heddle_signs_kernel_verifies(net):
    """seg6_require_hmac of the kernel: unsigned lists and wrong keys are dropped, the right one passes."""
    key = {"key-id": KEY, "secret": SECRET, "format": "linux"}
    net.kernel_sends(["fc00:1::46"])
    set_kernel_key(net, SECRET)
    net.r.sysctl("net.ipv6.conf.core.seg6_require_hmac=1")
    try:
        net.heddle.reload(net.config())
        assert net.a.ping(B6, count=2, check=False, wait=0.3) == 0
        net.heddle.reload(net.config(key=key))
        net.a.ping(B6, count=5, interval=0.02)
        net.heddle.reload(net.config(key={**key, "secret": "another"}))
        assert net.a.ping(B6, count=2, check=False, wait=0.3) == 0
    finally:
        net.r.sysctl("net.ipv6.conf.core.seg6_require_hmac=0")
        net.heddle.reload(net.config())


def test_key_roll_under_traffic(net):
    """The kernel goes from one key to the next while Heddle has both; no packet is refused, and the old key is then dead."""
    old, new = ({"key-id": key_id, "secret": secret, "format": "linux"} for key_id, secret in ((KEY, SECRET), (43, "new")))

    def keys(*have):
        tree = net.config(key=have[0], hmac="require")
        tree["srv6"]["hmac-key"] = list(have)
        for policy in tree["srv6"]["policy"]:
            policy.pop("hmac-key", None)
        net.heddle.reload(tree)

    def kernel_signs(key):
        way = f"encap seg6 mode encap segs fc00:1::e,fc00:1::46 hmac {key['key-id']} dev core"
        net.r.ip(f"-6 route replace 2001:db8:a::/64 {way}")

    for key in (old, new):
        net.r.run(["ip", "sr", "hmac", "set", str(key["key-id"]), "sha256"], stdin=f"{key['secret']}\n" * 2)
    net.heddle.reload(net.config())
    net.kernel_sends(["fc00:1::e", "fc00:1::46"])
    keys(old)
    kernel_signs(old)
    net.b.run(["ping", "-c", "1", "-W", "0.3", A6], check=False)  # the neighbours
    with RawPort(net.a, "eth0") as port:
        def arrived(count):
            return len(port.receive(lambda p: p.haslayer("IPv6") and p["IPv6"].dst == A6 and p["IPv6"].nh == 58,
                                    timeout=1.5, count=count))
        port.drain()
        stream = net.b.popen("roll", ["ping", "-n", "-c", "300", "-i", "0.01", A6])
        for step in (lambda: keys(old, new), lambda: kernel_signs(new), lambda: keys(new)):
            time.sleep(0.5)
            step()
        stream.wait(20)
        assert arrived(300) == 300, net.heddle.cli("show", "drops", check=False).stdout
        kernel_signs(old)
        port.drain()
        net.b.run(["ping", "-c", "3", "-i", "0.02", "-W", "0.2", A6], check=False)
        assert arrived(1) == 0, "the old key still passes"
    net.heddle.reload(net.config())
    net.kernel_sends(["fc00:1::46"])


def test_secret_is_never_shown(net):
    key = {"key-id": KEY, "secret": "0x" + "5ec2e7" * 5}
    net.heddle.reload(net.config(key=key))
    shown = "".join(net.heddle.cli(*words, check=False).stdout for words in (
        ("show", "config"), ("show", "config", "--json"), ("show", "sids"), ("diff",)))
    shown += net.heddle.ctrl.log() + net.heddle.dp.log()
    assert "5ec2e7" not in shown
    assert "hmac-key" in net.heddle.cli("show", "config").stdout
    assert "hmac-key" not in net.heddle.cli("diff", check=False).stdout
    net.heddle.reload(net.config())


def frame(dst, src, n):
    return bytes(Ether(dst=dst, src=src, type=0x88b5) / Raw(bytes([n]) * 100))


def test_frames_to_the_kernel(net):
    """H.Encaps.L2 of an interface into the kernel's End.DX2."""
    net.heddle.reload(net.config(l2=True))
    with RawPort(net.a, "eth0") as a, RawPort(net.b, "eth0") as b:
        sent = [frame("02:cc:00:00:00:01", "02:cc:00:00:00:02", n) for n in range(5)]
        a.send(*sent)
        seen = b.receive(lambda p: p.type == 0x88b5, count=5)
        assert [bytes(p) for p in seen] == sent
    net.heddle.reload(net.config())


@pytest.mark.parametrize("mode", ["l2encap", "l2encap.red"])
@pytest.mark.parametrize("segments", [["fc00:1::d2"], ["fc00:1::e", "fc00:1::d2"]], ids=["direct", "through End"])
def test_frames_from_the_kernel(net, mode, segments):
    """The kernel's l2encap puts the frame it received into the packet; End.DX2 sends it on as it is."""
    net.kernel_sends(segments, mode=mode)
    with RawPort(net.a, "eth0") as a:
        net.b.run(["ping", "-c", "3", "-i", "0.02", "-W", "0.2", A6], check=False)
        seen = a.receive(lambda p: p.haslayer("IPv6") and p["IPv6"].dst == A6 and p.dst == net.r.mac("hosts"), count=3)
        assert len(seen) == 3 and malformed(seen) == ""
    net.kernel_sends(["fc00:1::46"])


# ---- two Heddles: one Ethernet over SRv6 ------------------------------------------------------------------------

def bridge_node(n):
    far = 3 - n
    return {
        "interfaces": {"interface": [
            interface("access", veth_port("access"), enabled=True),
            interface("core", veth_port("core"), f"2001:db8:12::{n}/64")]},
        "ip": {"route": [{"prefix": f"fc00:{far}::/48", "next-hop": via("core", f"2001:db8:12::{far}")}]},
        "bridges": {"bridge": [{"name": "lan", "member": [
            {"name": "access"},
            {"name": "far", "srv6-policy": "far", "remote-source": f"fc00:{far}::1"}]}]},
        "srv6": {
            "encapsulation": {"source-address": f"fc00:{n}::1"},
            "sid": [{"sid": f"fc00:{n}::2/128", "behavior": "end-dt2u", "bridge": "lan"}],
            "policy": [{"name": "far", "encapsulation": "h-encaps-l2-red", "segment-list": [
                {"name": "only", "segment": [f"fc00:{far}::2"]}]}],
        },
    }


def test_bridge_over_srv6():
    """Two hosts of one subnet, an SRv6 network between them: ARP, ND and what follows go through; MACs are learned."""
    with Lab() as lab:
        a, b, first, second = (lab.ns(n) for n in ("host-a", "host-b", "first", "second"))
        lab.link(a, "eth0", first, "access", mtu=1300)
        lab.link(b, "eth0", second, "access", mtu=1300)
        lab.link(first, "core", second, "core")
        a.addr("eth0", "10.9.0.1/24", "2001:db8:9::1/64")
        b.addr("eth0", "10.9.0.2/24", "2001:db8:9::2/64")
        nodes = [Heddle(lab, ns, bridge_node(n)) for n, ns in ((1, first), (2, second))]
        for heddle in nodes:
            heddle.start()
        wait_for("the bridge", lambda: a.ping("10.9.0.2", count=1, check=False, wait=1), 15)
        with RawPort(second, "core") as core:
            a.ping("2001:db8:9::2", count=5, interval=0.02, size=1200)
            b.ping("10.9.0.1", count=5, interval=0.02, size=1200)
            assert malformed(core.receive(timeout=0.2, count=20)) == ""
        want = {a.mac("eth0"): "access", b.mac("eth0"): "far"}
        wait_for("learned addresses", lambda: {m["mac"]: m["member"] for m in nodes[0].state("bridges")} == want, 10)
