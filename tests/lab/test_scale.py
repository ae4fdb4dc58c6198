# SPDX-License-Identifier: BSD-3-Clause
"""Full tables: 1,000,000 IPv4 and 250,000 IPv6 routes through the real socket, and packets that know the answer."""

import ipaddress
import os
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from heddlelab import RawPort, veth_port, wait_for
from heddlelab import tableapi as api
from heddlelab.heddle import DP, DP_ARGS

N4, N6 = 1_000_000, 250_000
BATCH = 50_000
MAC_IN, MAC_OUT = "02:00:00:00:00:01", "02:00:00:00:00:02"
GATEWAYS = 8


def random_tables(rng):
    """{(packed prefix, length): gateway index} of both families: lengths as in the Internet's table, and hosts."""
    four, six = {}, {}
    while len(four) < N4:
        length = rng.choices((16, 20, 22, 24, 32), (2, 8, 15, 65, 10))[0]
        value = (rng.randrange(11, 126) << 24 | rng.getrandbits(24)) >> (32 - length) << (32 - length)
        four[value.to_bytes(4, "big"), length] = rng.randrange(GATEWAYS)
    while len(six) < N6:
        length = rng.choices((32, 40, 48, 64, 128), (10, 10, 60, 15, 5))[0]
        value = (0x2a << 120 | rng.getrandbits(120)) >> (128 - length) << (128 - length)
        six[value.to_bytes(16, "big"), length] = rng.randrange(GATEWAYS)
    return four, six


def longest(table, packed, lengths):
    bits = len(packed) * 8
    value = int.from_bytes(packed, "big")
    for length in sorted(lengths, reverse=True):
        hit = table.get((((value >> (bits - length)) << (bits - length)).to_bytes(len(packed), "big"), length))
        if hit is not None:
            return hit
    return None


def pad(packed):
    return packed + bytes(16 - len(packed))


class Plane:
    """A data plane without a control process; the test programs it."""

    def __init__(self, lab):
        self.a, self.hd, self.b = (lab.ns(n) for n in ("host-a", "hd", "host-b"))
        lab.link(self.a, "eth0", self.hd, "west")
        lab.link(self.hd, "east", self.b, "eth0")
        for dev in ("west", "east"):
            self.hd.sysctl(f"net.ipv6.conf.{dev}.disable_ipv6=1")
        run = lab.path("run")
        os.makedirs(run, exist_ok=True)
        self.process = self.hd.popen("dp", [DP, "--run-dir", run] + DP_ARGS)
        wait_for("heddle-dp to open its socket", lambda: os.path.exists(os.path.join(run, "dp.sock")))
        self.api = api.TableApi(os.path.join(run, "dp.sock"))
        self.base = [api.port(1, "west", veth_port("west")), api.port(2, "east", veth_port("east")),
                     api.iface(1, "west", 1, MAC_IN), api.iface(2, "east", 2, MAC_OUT),
                     api.address(1, "10.1.0.1/24"), api.address(1, "2001:db8:1::1/64"),
                     api.address(2, "10.2.0.1/24"), api.address(2, "2001:db8:2::1/64")]
        for g in range(GATEWAYS):
            self.base += [api.neighbour(2, f"10.2.0.{g + 10}", f"02:00:00:00:01:{g:02x}"),
                          api.neighbour(2, f"2001:db8:2::{g + 10:x}", f"02:00:00:00:01:{g:02x}"),
                          api.nexthop(g + 1, 2, f"10.2.0.{g + 10}"),
                          api.nexthop(g + 101, 2, f"2001:db8:2::{g + 10:x}")]

    def load(self, messages):
        """Transactions of BATCH messages; returns the sums of set, unchanged, deleted."""
        sums = [0, 0, 0]
        for at in range(0, len(messages), BATCH):
            error, *done, text = self.api.commit(messages[at:at + BATCH])
            assert error == 0, text
            sums = [s + d for s, d in zip(sums, done)]
        return sums

    def memory_mib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) // 1024


def probe(plane, rng, four, six, count):
    """Send to addresses in and outside the tables; each packet must come out to the right gateway, or not at all."""
    want, frames = {}, []
    keys4, keys6 = list(four), list(six)
    for n in range(count):
        if n % 2 == 0:
            packed, length = rng.choice(keys4) if n % 8 else (rng.randrange(11, 126).to_bytes(1, "big") + b"\0\0\0", 8)
            addr = int.from_bytes(packed, "big") | rng.getrandbits(32 - length) if length < 32 else \
                int.from_bytes(packed, "big")
            packed = addr.to_bytes(4, "big")
            hit = longest(four, packed, (16, 20, 22, 24, 32))
            ip = IP(src="10.1.0.2", dst=str(ipaddress.ip_address(packed)))
        else:
            packed, length = rng.choice(keys6) if n % 9 else (b"\x2a" + bytes(15), 8)
            addr = int.from_bytes(packed, "big") | (rng.getrandbits(128 - length) if length < 128 else 0)
            packed = addr.to_bytes(16, "big")
            hit = longest(six, packed, (32, 40, 48, 64, 128))
            ip = IPv6(src="2001:db8:1::2", dst=str(ipaddress.ip_address(packed)))
        want[n] = None if hit is None else f"02:00:00:00:01:{hit:02x}"
        frames.append(Ether(src="02:00:00:00:00:aa", dst=MAC_IN) / ip / UDP(sport=5000, dport=6000) /
                      Raw(b"%08d" % n))
    with RawPort(plane.a, "eth0") as tx, RawPort(plane.b, "eth0") as rx:
        expected = sum(1 for mac in want.values() if mac)
        got = {}
        for at in range(0, len(frames), 50):
            tx.send(*frames[at:at + 50])
            some = sum(1 for n in range(at, min(at + 50, count)) if want[n])
            for p in rx.receive(lambda p: UDP in p and p[UDP].dport == 6000, count=some, timeout=5):
                n = int(bytes(p[UDP].payload)[:8])
                assert n not in got, "a packet came out twice"
                got[n] = p[Ether].dst
    assert expected > count // 2
    for n in range(count):
        assert got.get(n) == want[n], f"packet {n} to {frames[n][1].dst}: {got.get(n)} instead of {want[n]}"


def test_full_tables(lab, rng):
    plane = Plane(lab)
    error, *_, text = plane.api.commit(plane.base)
    assert error == 0, text
    small = plane.memory_mib()
    four, six = random_tables(rng)
    routes = [api.route(4, pad(p), length, g + 1) for (p, length), g in four.items()] + \
             [api.route(6, p, length, g + 101) for (p, length), g in six.items()]

    start = time.monotonic()
    assert plane.load(routes) == [N4 + N6, 0, 0]
    print(f"\n{N4 + N6} routes in {time.monotonic() - start:.1f} s, a Python client included; "
          f"peak memory {small} MiB before, {plane.memory_mib()} MiB with them")
    probe(plane, rng, four, six, 1000)

    # A reconcile that replays everything touches nothing; one that leaves out a part sweeps just that part.
    assert plane.api.request(api.EPOCH_BEGIN)[0] == 0
    assert plane.load(plane.base + routes) == [0, N4 + N6 + len(plane.base), 0]
    assert plane.api.request(api.EPOCH_END)[3] == 0
    gone = [key for key in four if rng.random() < 0.5]
    for key in gone:
        del four[key]
    routes = [api.route(4, pad(p), length, g + 1) for (p, length), g in four.items()] + \
             [api.route(6, p, length, g + 101) for (p, length), g in six.items()]
    assert plane.api.request(api.EPOCH_BEGIN)[0] == 0
    plane.load(plane.base + routes)
    assert plane.api.request(api.EPOCH_END)[3] == len(gone)
    probe(plane, rng, four, six, 1000)
    plane.api.close()


def test_full_table_says_so(lab):
    plane = Plane(lab)
    assert plane.api.commit(plane.base)[0] == 0
    # more than --max-nexthops: refused whole, named, and the plane still takes what fits
    error, *_, text = plane.api.commit([api.nexthop(1 << 20, 2, "10.2.0.10")])
    assert error != 0 and text
    assert plane.api.commit([api.nexthop(200, 2, "10.2.0.10")])[0] == 0
    plane.api.close()


@pytest.mark.parametrize("devargs", ["net_null0", "net_ring0"])
def test_removed_port_is_gone(lab, devargs):
    """A port that is not replayed is removed with what stood on it, and its device can be taken again."""
    plane = Plane(lab)
    for _ in range(3):
        assert plane.api.commit(plane.base + [api.port(9, "x", devargs), api.iface(9, "x", 9, "02:00:00:00:00:09"),
                                              api.address(9, "10.9.0.1/24")])[0] == 0
        assert plane.api.request(api.EPOCH_BEGIN)[0] == 0
        plane.load(plane.base)
        assert plane.api.request(api.EPOCH_END)[3] == 3
    plane.api.close()
