# SPDX-License-Identifier: BSD-3-Clause
"""heddle ping and traceroute: probes that the data plane makes, with Linux hosts that answer and count them.

    host-a ── access ┐            ┌ core ── router (Linux) ── host-b
                     └── heddle ──┘"""

import json
import os
import re
import signal
import subprocess
import time

import pytest

from heddlelab import Heddle, LabError, interface, veth_port
from heddlelab.heddle import CLI, unwrap

A4, A6 = "10.0.1.2", "2001:db8:a::2"
B4, B6 = "10.0.2.2", "2001:db8:b::2"
R4, R6 = "10.0.12.2", "2001:db8:12::2"
VIA = {"next-hop": [{"interface": "core", "address": R4}]}, {"next-hop": [{"interface": "core", "address": R6}]}

CONFIG = {
    "interfaces": {"interface": [
        interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
        interface("core", veth_port("core"), "10.0.12.1/24", "2001:db8:12::1/64"),
        {**interface("red", veth_port("red"), "10.0.1.1/24", "2001:db8:a::1/64"), "vrf": "red"},
    ]},
    "ip": {"vrf": [{"name": "red"}],
           "route": [{"prefix": "10.0.2.0/24", **VIA[0]}, {"prefix": "2001:db8:b::/64", **VIA[1]},
                     {"prefix": "fc00:2::/48", **VIA[1]},
                     {"prefix": "10.9.0.0/16", "special": "blackhole"},
                     {"prefix": "2001:db8:b::4/128", "srv6-policy": "there"}]},
    "srv6": {"encapsulation": {"source-address": "2001:db8:12::1"},
             "policy": [{"name": "there", "segment-list": [{"name": "main", "segment": ["fc00:2::e", "fc00:2::d6"]}]}]},
}


class Net:
    def __init__(self, lab):
        self.a, self.b, self.hd, self.r = (lab.ns(n) for n in ("host-a", "host-b", "hd", "router"))
        self.red = lab.ns("host-red")
        lab.link(self.a, "eth0", self.hd, "access")
        lab.link(self.red, "eth0", self.hd, "red")
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1300)
        for host, four, six in ((self.a, A4, A6), (self.b, B4, B6), (self.red, A4, A6)):
            host.addr("eth0", f"{four}/24", f"{six}/64")
            host.route(f"default via {four[:-1]}1", f"default via {six[:-1]}1")
        self.b.addr("eth0", "2001:db8:b::4/64")
        for dev in ("all", "eth0"):  # it takes packets with a routing header
            self.b.sysctl(f"net.ipv6.conf.{dev}.seg6_enabled=1")
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", f"{R4}/24", f"{R6}/64")
        self.r.forwarding()
        self.r.route("10.0.1.0/24 via 10.0.12.1", "2001:db8:a::/64 via 2001:db8:12::1",
                     "fc00:2::e encap seg6local action End dev core",
                     "fc00:2::d6 encap seg6local action End.DT6 table main dev hosts")
        self.heddle = Heddle(lab, self.hd, CONFIG).start()

    def ping(self, *args, check=True):
        return self.heddle.cli("ping", *args, check=check)

    def ping_json(self, *args):
        return unwrap(self.heddle.json("ping", *args, "--interval", "0.01"))

    @staticmethod
    def echoes(host):
        """Echo requests that a host's kernel has taken in, of both families."""
        text = host.out("cat /proc/net/snmp6 /proc/net/snmp")
        six = int(re.search(r"^Icmp6InEchos\s+(\d+)", text, re.M).group(1))
        names, values = (line.split() for line in re.findall(r"^Icmp: .*", text, re.M))
        return six + int(values[names.index("InEchos")])


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


@pytest.mark.parametrize("host,args", [
    ("a", [A4]), ("a", [A6]), ("b", [B4]), ("b", [B6]), ("b", [B4, "--size", "1200"]), ("b", [B6, "--size", "0"]),
    ("b", [B6, "--source", "2001:db8:a::1"]), ("b", [B4, "--interface", "access"]),
    ("red", [A4, "--vrf", "red"]), ("red", [A6, "--vrf", "red"]),
    ("b", ["2001:db8:b::4"]),
], ids=lambda v: v if isinstance(v, str) else " ".join(v))
def test_ping(net, host, args):
    """All come back, and the host's kernel says that it was asked as often."""
    at = getattr(net, host)
    before = net.echoes(at)
    got = net.ping_json(*args, "--count", "20")
    assert got["sent"] == got["received"] == 20 and got["loss-percent"] == 0, got
    assert net.echoes(at) - before == 20
    assert 0 < int(got["rtt-min"]) <= int(got["rtt-avg"]) <= int(got["rtt-max"]) < 10**9
    assert {p["from"] for p in got["probe"]} == {args[0]}
    size = int(args[args.index("--size") + 1]) if "--size" in args else 56
    assert {p["length"] for p in got["probe"]} == {max(size, 4) + 8 + (40 if ":" in args[0] else 20)}


def test_rtt_is_what_passes_on_the_way(net):
    """Against the kernel's own ping over the same wires: the same order, and never more than the command took."""
    start = time.monotonic()
    got = net.ping_json(A4, "--count", "50")
    assert 50 * int(got["rtt-min"]) / 1e9 < time.monotonic() - start
    kernel = net.a.run("ping -n -c 50 -i 0.01 10.0.1.1").stdout
    least = float(re.search(r"= ([\d.]+)/", kernel).group(1))
    assert int(got["rtt-min"]) / 1e6 < 20 * least + 5, (got["rtt-min"], least)


def test_link_local(net):
    address = re.search(r"inet6 (fe80::\S+)/64", net.a.out("ip -6 addr show dev eth0")).group(1)
    assert net.ping_json(address, "--interface", "access", "--count", "3")["received"] == 3
    with pytest.raises(LabError, match="needs an interface"):
        net.ping(address)


def test_our_own_address(net):
    for address in ("10.0.1.1", "2001:db8:a::1"):
        assert net.ping_json(address, "--count", "3")["received"] == 3


def test_table(net):
    out = net.ping(B4, "--count", "2", "--interval", "0.05").stdout
    assert re.search(r"84 octets from 10.0.2.2: seq 1 ttl 63 time \d+\.\d{3} ms\n", out), out
    assert re.search(r"--- 10.0.2.2: 2 sent, 2 received, 0.0 % lost\nrtt min/avg/max/stddev [\d./]+ ms\n$", out), out


def test_ttl_and_mtu_errors_are_told(net):
    out = net.ping(B4, "--count", "1", "--ttl", "1", check=False)
    assert out.returncode == 1 and f"seq 1: {R4} says: TTL exceeded" in out.stdout
    out = net.ping(B6, "--count", "1", "--ttl", "1", check=False)
    assert out.returncode == 1 and f"seq 1: {R6} says: hop limit exceeded" in out.stdout
    for target, says in ((B4, "fragmentation needed, mtu 1300"), (B6, "packet too big, mtu 1300")):
        out = net.ping(target, "--count", "1", "--size", "1400", check=False)
        assert out.returncode == 1 and says in out.stdout, out.stdout


def test_silence(net):
    out = net.ping("10.0.1.77", "--count", "2", "--interval", "0.1", "--timeout", "0.3", check=False)
    assert out.returncode == 1 and out.stdout.count("no answer") == 2
    assert "2 sent, 0 received, 100.0 % lost" in out.stdout


@pytest.mark.parametrize("args,says", [
    (["192.0.2.1"], "no route"), (["10.9.1.1"], "its route says discard"),
    ([B4, "--vrf", "blue"], "no VRF 'blue'"), ([B4, "--vrf", "red"], "no route"),
    ([B4, "--interface", "nosuch"], "no interface 'nosuch'"),
    ([B4, "--source", "10.0.1.2"], "no address of ours"), ([B4, "--source", A6], "not one family"),
    ([B4, "--size", "1480"], "longer than the MTU of the egress, 1500"),
    ([B4, "--protocol", "tcp"], "--protocol is one of echo|udp"), ([B4, "--dscp", "64"], "0 to 63"),
    (["no.such.name.invalid"], "give an address"), ([], "needs DESTINATION"),
], ids=lambda v: v if isinstance(v, str) else " ".join(v))
def test_what_cannot_be_sent_is_told(net, args, says):
    for more in ([], ["--json"]):
        done = net.ping(*args, "--count", "1", *more, check=False)
        assert done.returncode in (1, 2) and says in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("protocol", ["echo", "udp"])
@pytest.mark.parametrize("target,hops", [(B4, [R4, B4]), (B6, [R6, B6]), (A4, [A4])])
def test_traceroute(net, target, hops, protocol):
    # UDP: Linux sends one "port unreachable" a second
    got = unwrap(net.heddle.json("traceroute", target, "--protocol", protocol, "--queries", "1"))
    assert got["reached"] is True
    assert [{p.get("from") for p in hop["probe"]} for hop in got["hop"]] == [{h} for h in hops]


def test_traceroute_table_and_its_end(net):
    out = net.heddle.cli("traceroute", B4).stdout
    assert re.search(rf"^  1  {R4}(  [\d.]+ ms){{3}}$", out, re.M) and re.search(rf"^  2  {B4}  ", out, re.M), out
    done = net.heddle.cli("traceroute", "10.0.2.99", "--max-hops", "2", "--timeout", "0.2", check=False)
    assert done.returncode == 1 and re.search(r"^  2  \*  \*  \*$", done.stdout, re.M), done.stdout


def test_segments_of_a_probe(net):
    """Through the API: a segment routing header over the router's End, and the host behind it answers."""
    before = net.echoes(net.b)
    body = json.dumps({"heddle-probe:input": {"destination": B6, "segment": ["fc00:2::e"]}})
    done = subprocess.run(["curl", "-sS", "--unix-socket", os.path.join(net.heddle.run_dir, "ctrl.sock"), "-d", body,
                           "-H", "Content-Type: application/yang-data+json",
                           "http://heddle/restconf/operations/heddle-probe:send"],
                          capture_output=True, text=True, timeout=20, check=True)
    got = json.loads(done.stdout)["heddle-probe:output"]
    assert got["result"] == "reply" and got["from"] == B6
    assert net.echoes(net.b) == before + 1


def test_interrupted_ping_sums_up(net):
    ping = subprocess.Popen([CLI, "--socket", os.path.join(net.heddle.run_dir, "ctrl.sock"), "ping", A4,
                             "--count", "0", "--interval", "0.05"], stdout=subprocess.PIPE, text=True)
    while "seq 5 " not in ping.stdout.readline():
        pass
    ping.send_signal(signal.SIGINT)
    rest = ping.communicate(timeout=10)[0]
    assert ping.returncode == 0 and re.search(r"received, 0.0 % lost\nrtt", rest), rest
