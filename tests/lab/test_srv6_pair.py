# SPDX-License-Identifier: BSD-3-Clause
"""Two Heddles facing each other, for what the kernel cannot be a peer of: End.DT4 and End.DT46 into VRFs, USP, USD.

    host-a ── first ══ veth or memif ══ second ── host-b
"""

import pytest

from heddlelab import Heddle, Lab, RawPort, interface, malformed, veth_port, wait_for

A = ("10.0.1.2", "2001:db8:a::2")
B = ("10.0.2.2", "2001:db8:b::2")

# name: the SIDs (functions of the far node's locator) on the way, and which families they carry
PATHS = {
    "dt4": (["d4"], "4"),
    "dt6": (["d6"], "6"),
    "dt46": (["46"], "46"),
    "end, dt46": (["e", "46"], "46"),
    "psp, dt46": (["e1", "46"], "46"),
    "end, end, psp, dt46": (["e", "e", "e1", "46"], "46"),
    "usd": (["e3"], "46"),
    "end, usd": (["e", "e3"], "46"),
    "all flavors": (["e7", "e7", "e7"], "46"),
}


def sids(n, vrf):
    table = {"vrf": vrf} if vrf else {"default-vrf": True}
    at = f"fc00:{n}::"
    return [{"sid": f"{at}e/128", "behavior": "end"},
            {"sid": f"{at}e1/128", "behavior": "end", "flavor": ["psp"]},
            {"sid": f"{at}e3/128", "behavior": "end", "flavor": ["usd"]},
            {"sid": f"{at}e7/128", "behavior": "end", "flavor": ["psp", "usp", "usd"]},
            {"sid": f"{at}d4/128", "behavior": "end-dt4", **table},
            {"sid": f"{at}d6/128", "behavior": "end-dt6", **table},
            {"sid": f"{at}46/128", "behavior": "end-dt46", **table}]


def node(n, link, path, form, vrf):
    """Configuration of node 1 (host-a's) or 2 (host-b's): the way to the other is `path`."""
    far = 3 - n
    four, six = (f"10.0.{n}", f"2001:db8:{'ab'[n - 1]}")
    functions, families = PATHS[path]
    steered = [prefix for prefix, family in ((f"10.0.{far}.0/24", "4"), (f"2001:db8:{'ab'[far - 1]}::/64", "6"))
               if family in families]
    routes = [{"prefix": prefix, "srv6-policy": "far"} for prefix in steered]
    underlay = [{"prefix": f"fc00:{far}::/48", "next-hop": [{"interface": "link", "address": f"2001:db8:12::{far}"}]}]
    access = interface("access", veth_port("access"), f"{four}.1/24", f"{six}::1/64", **({"vrf": vrf} if vrf else {}))
    ip = {"route": underlay + ([] if vrf else routes)}
    if vrf:
        ip["vrf"] = [{"name": vrf, "route": routes}]
    return {
        "interfaces": {"interface": [access, interface("link", link, f"2001:db8:12::{n}/64")]},
        "ip": ip,
        "srv6": {
            "encapsulation": {"source-address": f"fc00:{n}::1"},
            "locator": [{"name": "own", "prefix": f"fc00:{n}::/48"}],
            "sid": sids(n, vrf),
            "policy": [{"name": "far", "encapsulation": form, "segment-list": [
                {"name": "only", "segment": [f"fc00:{far}::{f}" for f in functions]}]}],
        },
    }


class Pair:
    def __init__(self, lab, kind):
        self.lab = lab
        self.a, self.b = lab.ns("host-a"), lab.ns("host-b")
        first, second = lab.ns("first"), lab.ns("second")
        lab.link(self.a, "eth0", first, "access", mtu=1300)
        lab.link(self.b, "eth0", second, "access", mtu=1300)
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        if kind == "memif":
            socket = lab.path("memif.sock")
            self.links = [f"net_memif0,role={role},socket={socket},socket-abstract=no,mac=02:00:00:00:12:0{n}"
                          for n, role in ((1, "server"), (2, "client"))]
        else:
            lab.link(first, "core", second, "core")
            self.links = [veth_port("core", kind)] * 2
        self.nodes = [Heddle(lab, ns, self.config(n, "dt46", "h-encaps-red", None))
                      for n, ns in ((1, first), (2, second))]
        for heddle in self.nodes:
            heddle.start()
        wait_for("the link between the two", lambda: self.a.ping(B[0], count=1, check=False, wait=1), 10)

    def config(self, n, path, form, vrf):
        return node(n, self.links[n - 1], path, form, vrf)

    def use(self, path, form, vrf):
        for n, heddle in enumerate(self.nodes, 1):
            heddle.reload(self.config(n, path, form, vrf))


@pytest.fixture(scope="module", params=["af_packet", "memif"])
def pair(request):
    with Lab() as lab:
        yield Pair(lab, request.param)


@pytest.mark.parametrize("form", ["h-encaps", "h-encaps-red"])
@pytest.mark.parametrize("path", PATHS)
def test_path(pair, path, form):
    pair.use(path, form, None)
    both_ways(pair, path)


@pytest.mark.parametrize("path", ["dt4", "dt46", "end, dt46", "psp, dt46"])
def test_path_into_a_vrf(pair, path):
    """The customers' addresses live in a VRF, the underlay in the default one: neither sees the other."""
    pair.use(path, "h-encaps-red", "red")
    both_ways(pair, path)
    assert pair.a.ping("2001:db8:12::2", count=2, check=False, wait=0.5) == 0


def both_ways(pair, path):
    for at in (0, 1):
        if "46"[at] not in PATHS[path][1]:
            continue
        with RawPort(pair.b, "eth0") as port:
            pair.a.ping(B[at], count=5, size=1200, interval=0.02)
            assert malformed(port.receive(count=5, timeout=0.2)) == ""
        pair.b.ping(A[at], count=5, size=1200, interval=0.02)


def test_nothing_is_dropped_on_a_good_path(pair):
    pair.use("end, dt46", "h-encaps", None)
    pair.a.ping(B[0], count=200, interval=0.005, size=1200)
    pair.b.ping(A[1], count=200, interval=0.005, size=1200)
