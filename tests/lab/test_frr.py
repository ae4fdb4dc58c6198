# SPDX-License-Identifier: BSD-3-Clause
"""FRR on both sides: what bgpd, ospf6d and staticd decide, zebra gives the kernel, and the data plane carries."""

import json
import time

import pytest

from heddlelab import LabError, Frr, Heddle, interface, veth_port, wait_for
from test_netlink import refused, routes, settled

HEDDLE = """
hostname hd
ip route 10.83.0.0/16 10.0.2.2
ip route 10.85.0.0/16 blackhole
router bgp 65000
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
 neighbor 10.0.1.2 remote-as 65001
 neighbor 10.0.1.2 timers 1 3
 neighbor 10.0.1.2 timers connect 1
 neighbor 10.0.2.2 remote-as 65002
 neighbor 10.0.2.2 timers 1 3
 neighbor 10.0.2.2 timers connect 1
 address-family ipv4 unicast
  maximum-paths 4
 exit-address-family
!
interface access
 ipv6 ospf6 area 0.0.0.0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
!
router ospf6
 ospf6 router-id 10.0.0.1
!
"""

PEER = """
hostname {name}
router bgp {asn}
 bgp router-id 10.0.{n}.2
 no bgp ebgp-requires-policy
 neighbor 10.0.{n}.1 remote-as 65000
 neighbor 10.0.{n}.1 timers 1 3
 neighbor 10.0.{n}.1 timers connect 1
 address-family ipv4 unicast
  redistribute kernel
  network 10.80.0.1/32
  network 10.82.0.1/32
  {more}
  neighbor 10.0.{n}.1 route-map out out
 exit-address-family
!
ip prefix-list backup permit 10.82.0.1/32
route-map out permit 10
 match ip address prefix-list {prepended}
 set as-path prepend {asn} {asn}
route-map out permit 20
!
interface eth0
 ipv6 ospf6 area 0.0.0.0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
!
interface lo
 ipv6 ospf6 area 0.0.0.0
!
router ospf6
 ospf6 router-id 10.0.{n}.2
!
"""


def frr_lab(lab):
    """Router r1 and router r2 around a namespace whose FRR talks to both and whose Heddle forwards."""
    r1, r2, hd = lab.ns("r1"), lab.ns("r2"), lab.ns("hd")
    lab.link(r1, "eth0", hd, "access")
    lab.link(r2, "eth0", hd, "far")
    for ns, n, six in ((r1, 1, "a"), (r2, 2, "b")):
        ns.addr("eth0", f"10.0.{n}.2/24", f"2001:db8:{six}::2/64")
        ns.addr("lo", "10.80.0.1/32", "10.82.0.1/32", f"10.8{3 if n == 2 else 1}.0.1/32")
    r1.addr("lo", "2001:db8:80::1/128")
    hd.addr("access", "10.0.1.1/24", "2001:db8:a::1/64")
    hd.addr("far", "10.0.2.1/24", "2001:db8:b::1/64")
    ports = [interface(name, veth_port(name)) for name in ("access", "far")]
    heddle = Heddle(lab, hd, {"interfaces": {"interface": ports}, "kernel": {"enabled": True}}, kernel=True).start()
    ospf = ("zebra", "staticd", "bgpd", "ospf6d")
    frr = Frr(lab, hd, HEDDLE, ospf).start()
    f1 = Frr(lab, r1, PEER.format(name="r1", n=1, asn=65001, prepended="none", more="network 10.81.0.1/32"),
             ospf).start()
    f2 = Frr(lab, r2, PEER.format(name="r2", n=2, asn=65002, prepended="backup", more=""), ("zebra", "bgpd")).start()
    return r1, r2, hd, heddle, frr, f1, f2


def appears(heddle, prefix, timeout=30, **want):
    def there():
        route = routes(heddle).get(prefix)
        return route if route and all(v in route[k] for k, v in want.items()) else None
    return wait_for(f"{prefix} {want}", there, timeout)


def ways(heddle):
    """Where every route leads, without the order of equal next hops."""
    return {p: sorted(r["target"].split(", ")) for p, r in routes(heddle).items()}


def test_frr_routes(lab, rounds):
    r1, r2, hd, heddle, frr, f1, f2 = frr_lab(lab)
    appears(heddle, "10.81.0.1/32", target="10.0.1.2 access", source="bgp")
    appears(heddle, "10.83.0.0/16", target="10.0.2.2 far")
    assert routes(heddle)["10.85.0.0/16"]["kind"] == "blackhole"
    ecmp = appears(heddle, "10.80.0.1/32", target=", ")  # two next hops
    assert "10.0.1.2 access" in ecmp["target"] and "10.0.2.2 far" in ecmp["target"]
    appears(heddle, "10.82.0.1/32", target="10.0.1.2 access")
    appears(heddle, "2001:db8:80::1/128", target="fe80:", source="ospf")
    # traffic follows: through the data plane, from one router to the other
    r2.route("10.81.0.0/16 via 10.0.2.1", "2001:db8:80::/48 via 2001:db8:b::1", "10.0.1.0/24 via 10.0.2.1",
             "2001:db8:a::/64 via 2001:db8:b::1")
    r1.route("10.83.0.0/16 via 10.0.1.1", "10.0.2.0/24 via 10.0.1.1", "2001:db8:b::/64 via 2001:db8:a::1")
    for ns, target in ((r2, "10.81.0.1"), (r1, "10.83.0.1"), (r2, "2001:db8:80::1")):
        ns.ping(target, count=10, interval=0.02)
    links = {k["netdev"]: k for k in heddle.state("kernel")["link"]}
    assert not links["access"]["kernel-forwards-ipv4"] and not links["access"]["kernel-forwards-ipv6"]
    # a withdrawn route falls back on the second best
    began = time.monotonic()
    f1.configure("router bgp 65001", "address-family ipv4 unicast", "no network 10.82.0.1/32")
    appears(heddle, "10.82.0.1/32", timeout=10, target="10.0.2.2 far")
    print(f"a withdrawn route fell back in {time.monotonic() - began:.2f} s")
    # one of two equal ways goes
    f1.configure("router bgp 65001", "address-family ipv4 unicast", "no network 10.80.0.1/32")
    wait_for("one next hop", lambda: routes(heddle)["10.80.0.1/32"]["target"] == "10.0.2.2 far")
    # a peer dies without a word
    f1.running["bgpd"].kill()
    wait_for("its routes to go", lambda: "10.81.0.1/32" not in routes(heddle), 15)
    f1.start_one("bgpd")
    appears(heddle, "10.81.0.1/32", target="10.0.1.2 access")
    # many at once
    count = rounds(2000)
    lines = "\n".join(f"route add blackhole {20 + k // 65536}.{k // 256 % 256}.{k % 256}.0/24"
                      for k in range(count)) + "\n"
    path = lab.write("many", lines)
    began = time.monotonic()
    r2.run(f"ip -batch {path}", timeout=120)
    added = time.monotonic()
    last = f"{20 + (count - 1) // 65536}.{(count - 1) // 256 % 256}.{(count - 1) % 256}.0/24"
    appears(heddle, last, timeout=120, target="10.0.2.2 far")
    settled(heddle, 60)
    print(f"{count} routes by BGP: added in {added - began:.1f} s, in the data plane {time.monotonic() - began:.1f} s")
    assert sum(p.startswith("2") and p.endswith(".0/24") for p in routes(heddle)) >= count


def kernel_prefixes(hd):
    """Prefixes of the kernel's main table, as the data plane writes them."""
    found = set()
    for family, full in (("-4", 32), ("-6", 128)):
        for route in json.loads(hd.out(f"ip -j {family} route show table main")):
            if not route["dst"].startswith("fe80"):
                found.add(route["dst"] if "/" in route["dst"] else f"{route['dst']}/{full}")
    return found


def test_frr_zebra_restart(lab):
    """zebra dies and comes back: what the kernel keeps is carried on, and what FRR makes of it then is followed. (FRR
    8.4 does not bring back all of its routes when it was killed: the kernel is what counts.)"""
    _, _, hd, heddle, frr, _, _ = frr_lab(lab)
    appears(heddle, "10.81.0.1/32", target="10.0.1.2 access")
    appears(heddle, "2001:db8:80::1/128", target="fe80:")
    appears(heddle, "10.80.0.1/32", target=", ")
    settled(heddle)
    before = ways(heddle)
    frr.running["zebra"].kill()
    time.sleep(0.3)
    assert ways(heddle) == before
    frr.restart("zebra")

    time.sleep(3)  # whatever of its routes FRR brings back, and it does not always bring back all, it has begun to
    same = 0

    def follows():
        nonlocal same, differ
        carried = {p for p, r in routes(heddle).items() if r["kind"] != "local" and not p.startswith("fe80")}
        differ = kernel_prefixes(hd) ^ carried
        same = same + 1 if not differ else 0
        return same == 10  # half a second without a change

    differ = set()
    try:
        wait_for("the kernel's routes, all and no others", follows, 30)
    except LabError as e:
        raise LabError(f"{e}; differing: {sorted(differ)}") from None


def test_frr_srv6_static(lab):
    """SRv6 of FRR and of iproute2 beside it: carried, or shown with the reason."""
    _, _, hd, heddle, frr, _, _ = frr_lab(lab)
    done = frr.configure("ipv6 route 2001:db8:84::/64 far segments 2001:db8:e::1", check=False)
    if done.returncode == 0:  # staticd of FRR 8.4 as Debian builds it does not know it
        appears(heddle, "2001:db8:84::/64", kind="srv6-policy", target="2001:db8:e::1")
    # what bgpd and isisd of other versions install and this data plane cannot place: End.X to a far neighbour
    hd.ip("-6 route add fcbb:bb00:1:e000::/64 proto zebra encap seg6local action End.X nh6 2001:db8:ff::1 dev far")
    settled(heddle)
    why = refused(heddle)["fcbb:bb00:1:e000::/64"]
    assert "2001:db8:ff::1" in why["reason"] and why["packets"] == "dropped", why
    assert "fcbb:bb00:1:e000::/64" in heddle.show("kernel refused")


L3VPN = """
segment-routing
 srv6
  locators
   locator one
    prefix 2001:db8:{n}f::/64
   exit
  exit
 exit
exit
router bgp 65000
 bgp router-id 10.0.{n}.1
 no bgp default ipv4-unicast
 neighbor 2001:db8:0::{peer} remote-as 65000
 segment-routing srv6
  locator one
 exit
 address-family ipv4 vpn
  neighbor 2001:db8:0::{peer} activate
 exit-address-family
!
router bgp 65000 vrf red
 sid vpn per-vrf export auto
 address-family ipv4 unicast
  redistribute connected
  rd vpn export 65000:{n}
  rt vpn both 65000:1
  import vpn
  export vpn
 exit-address-family
!
"""


def has_vrf_devices(ns):
    done = ns.run("ip link add red-probe type vrf table 99", check=False)
    ns.run("ip link del red-probe", check=False)
    return done.returncode == 0


def test_frr_l3vpn(lab):
    """SRv6 L3VPN: two bgpd, a VRF each, and Heddle carries the traffic between them."""
    p1, p2, c1, c2 = lab.ns("p1"), lab.ns("p2"), lab.ns("c1"), lab.ns("c2")
    if not has_vrf_devices(p1):
        pytest.skip("this kernel has no VRF devices (CONFIG_NET_VRF)")
    lab.link(p1, "core", p2, "core")
    heddles = []
    for n, pe, ce in ((1, p1, c1), (2, p2, c2)):
        lab.link(ce, "eth0", pe, "edge")
        pe.ip("link add red type vrf table 10")
        pe.ip("link set red up")
        pe.ip("link set edge master red")
        pe.addr("core", f"2001:db8:0::{n}/64")
        pe.addr("edge", f"10.{n}.0.1/24")
        pe.addr("lo", f"2001:db8:{n}f::1/128")
        pe.route(f"2001:db8:{3 - n}f::/64 via 2001:db8:0::{3 - n}")
        ce.addr("eth0", f"10.{n}.0.2/24")
        ce.route(f"default via 10.{n}.0.1")
        ports = [interface("core", veth_port("core")), interface("edge", veth_port("edge"), vrf="red")]
        heddles.append(Heddle(lab, pe, {
            "interfaces": {"interface": ports}, "ip": {"vrf": [{"name": "red"}]},
            "kernel": {"enabled": True, "table": [{"id": 254, "vrf": "default"}, {"id": 10, "vrf": "red"}]}},
            kernel=True).start())
        Frr(lab, pe, L3VPN.format(n=n, peer=3 - n), ("zebra", "bgpd")).start()
    for n, heddle in enumerate(heddles, 1):
        appears(heddle, f"10.{3 - n}.0.0/24", timeout=60, kind="srv6-policy")
    wait_for("traffic between the customers", lambda: c1.ping("10.2.0.2", count=1, check=False) == 1, 20)
    c1.ping("10.2.0.2", count=20, interval=0.02)
