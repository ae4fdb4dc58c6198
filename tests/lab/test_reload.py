# SPDX-License-Identifier: BSD-3-Clause
"""Reload under load: while a flow runs, everything that is not its own changes, again and again; no packet is lost."""

import json
import os
import re
import sys
import threading
import time

import pytest

from heddlelab import Heddle, interface, subinterface, veth_port, wait_for
from heddlelab.restconf import Api

FLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heddlelab", "flow.py")
SECONDS = 6


def config(rng, full):
    """What the flow needs, always the same; and (full) much that it does not, each time another."""
    ports = [interface("west", veth_port("west"), "10.0.1.1/24"), interface("east", veth_port("east"), "10.0.2.1/24")]
    if not full:
        return {"interfaces": {"interface": ports}}
    vlan = rng.sample(range(2, 4000), 12)
    vrfs = [f"vrf{i}" for i in range(rng.randrange(1, 5))]
    ports.append(interface("spare", "net_null0", "10.9.0.1/24", "2001:db8:9::1/64"))
    for n in vlan:
        ports.append(subinterface(f"west.{n}", "west", n, f"10.{100 + n % 100}.{n % 256}.1/24", vrf=rng.choice(vrfs)))
    routes = [{"prefix": f"172.{rng.randrange(16, 32)}.{i}.0/24",
               "next-hop": [{"interface": "spare", "address": f"10.9.0.{rng.randrange(2, 250)}"}]}
              for i in range(150)]
    routes += [{"prefix": f"198.18.{i}.0/24", "special": rng.choice(("blackhole", "prohibit", "unreachable"))}
               for i in range(50)]
    routes += [{"prefix": f"198.19.{i}.0/24", "srv6-policy": "far"} for i in range(20)]
    return {
        "interfaces": {"interface": ports},
        "ip": {"route": routes, "vrf": [{"name": v, "route": [{"prefix": "0.0.0.0/0", "special": "blackhole"}]}
                                        for v in vrfs]},
        "srv6": {
            "encapsulation": {"source-address": f"fc00:1::{rng.randrange(1, 99):x}"},
            "sid": [{"sid": f"fc00:1::{i:x}/128", "behavior": "end"}
                    for i in rng.sample(range(1, 4000), rng.randrange(1, 40))],
            "policy": [{"name": "far", "segment-list": [
                {"name": f"l{i}", "weight": rng.randrange(1, 9), "segment": [f"fc00:2::{i:x}", "fc00:3::1"]}
                for i in range(1, rng.randrange(2, 5))]}],
        },
    }


class Net:
    def __init__(self, lab, rng):
        self.lab = lab
        self.a, self.hd, self.b = (lab.ns(n) for n in ("host-a", "hd", "host-b"))
        lab.link(self.a, "eth0", self.hd, "west")
        lab.link(self.hd, "east", self.b, "eth0")
        for host, net in ((self.a, "10.0.1"), (self.b, "10.0.2")):
            host.addr("eth0", f"{net}.2/24")
            host.route(f"default via {net}.1")
        self.heddle = Heddle(lab, self.hd, config(rng, False)).start()
        self.api = Api(self.heddle.run_dir)
        self.runs = 0

    def counters(self):
        """{(interface, counter): value} of the two ports the flow uses."""
        found = {}
        for port in self.heddle.state("interfaces"):
            if port["name"] in ("west", "east"):
                found.update({(port["name"], c["name"]): int(c["value"]) for c in port["counter"]})
        return found

    def drops(self):
        rows = self.heddle.json("show drops")["heddle-system:drop-state"].get("drop", [])
        return {(d["node"], d["reason"]): int(d["packets"]) for d in rows}

    def flow(self, rate, meanwhile):
        """Send at this rate while meanwhile() runs again and again: (sent, received, repeats, not taken by a device)."""
        self.runs += 1
        result = self.lab.path(f"received{self.runs}")
        receiver = self.b.popen(f"receiver{self.runs}", [sys.executable, FLOW, "receive", "5000", result])
        wait_for("the receiver", lambda: os.path.exists(result) and open(result).read() == "ready", 10)
        before = self.counters()
        sender = self.a.popen(f"sender{self.runs}", [sys.executable, FLOW, "send", "10.0.2.2", "5000", str(rate),
                                                     str(SECONDS)])
        n = 0
        while sender.running:
            n += meanwhile()
        sender.wait(30)
        time.sleep(0.5)
        receiver.stop()
        received, repeats = map(int, open(result).read().split())
        after = self.counters()
        missed = sum(after[k] - before.get(k, 0) for k in after if k[1] in ("rx-missed", "rx-nombuf"))
        return int(sender.log()), received, repeats, missed, n


@pytest.fixture
def net(lab, rng):
    made = Net(lab, rng)
    made.a.ping("10.0.2.2")
    return made


def test_reload_under_load(net, rng):
    """At the rate this machine carries without a reload, the reloads cost no packet. What a device could not take
    because nobody polled it in time (rx-missed: two CPUs shared by all) is no answer: the rate is halved then."""
    rate = 16000
    while True:
        drops = net.drops()

        def reload():
            net.api.load(config(rng, True))
            return 1

        sent, received, repeats, missed, n = net.flow(rate, reload)
        print(f"{rate} packets/s: {sent} sent, {received} received, {repeats} twice, {missed} missed by devices, "
              f"{n} reloads")
        assert repeats == 0
        new = {k: v - drops.get(k, 0) for k, v in net.drops().items() if v != drops.get(k, 0)}
        assert sent - received <= missed, f"{sent - received - missed} lost; dropped meanwhile: {new}"
        if sent == received:
            break
        rate /= 2
        assert rate >= 1000, "this machine does not carry 1000 packets/s without loss"
    assert n >= 5, f"only {n} reloads"
    assert received > 0.5 * rate * SECONDS
    assert net.heddle.cli("diff", "running", "dataplane", check=False).returncode == 0


def test_a_refused_reload_touches_nothing(net, rng):
    """The data plane refuses in the middle of a large change: the flow, the tables and the files are as before."""
    net.api.load(config(rng, True))
    revision = net.api.get("data/heddle-system:system-state/configuration/revision")
    bad = config(rng, True)
    bad["interfaces"]["interface"].append(interface("ghost", "net_af_packet_ghost,iface=ghost"))

    def refused():
        answer = net.api.ask("POST", "operations/heddle-system:load",
                             {"heddle-system:input": {"config": json.dumps(bad)}})
        assert answer.status >= 400, answer.text
        assert "ghost" in answer.text
        time.sleep(0.2)
        return 1

    sent, received, _, missed, n = net.flow(2000, refused)
    print(f"{sent} sent, {received} received, {missed} missed by devices, {n} refused loads")
    assert n >= 3 and sent - received <= missed
    assert net.api.get("data/heddle-system:system-state/configuration/revision") == revision
    assert net.heddle.cli("diff", "running", "dataplane", check=False).returncode == 0


class Prober:
    """Asks small questions on a connection of its own, again and again, and remembers the longest wait."""

    PATHS = ("/metrics", "data/heddle-system:system-state")

    def __init__(self, run_dir):
        self.run_dir = run_dir
        self.running = True
        self.worst, self.count = 0.0, 0
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        api = Api(self.run_dir)
        while self.running:
            began = time.monotonic()
            answer = api.ask("GET", self.PATHS[self.count % 2])
            self.worst = max(self.worst, time.monotonic() - began)
            assert answer.status == 200
            self.count += 1
            time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.running = False
        self.thread.join()


def longest_turn(api):
    """Seconds of CPU of the longest turn of heddle-ctrl's loop: others wait so long, however busy the machine."""
    line = re.search(r'^heddle_ctrl_loop_longest_seconds{clock="cpu"} (.*)$', api.ask("GET", "/metrics").text, re.M)
    return float(line[1])


def test_reload_answers_meanwhile(net):
    """While 100,000 routes are loaded, changed, edited, committed and taken back, others are answered at once."""
    def table(gateway):
        full = config(None, False)
        full["ip"] = {"route": [{"prefix": f"{20 + k // 65536}.{k // 256 % 256}.{k % 256}.0/24",
                                 "next-hop": [{"interface": "east", "address": f"10.0.2.{gateway + k % 8}"}]}
                                for k in range(100_000)]}
        return json.dumps({"heddle-system:input": {"config": json.dumps(full)}})

    def check(what, method, path, body):
        with Prober(net.heddle.run_dir) as prober:
            began = time.monotonic()
            answer = net.api.ask(method, path, body)
            took = time.monotonic() - began
        assert answer.status < 300, answer.text
        print(f"{what}: {took:.2f} s; {prober.count} questions meanwhile, the slowest answer took "
              f"{1000 * prober.worst:.0f} ms; the longest turn so far, {1000 * longest_turn(net.api):.0f} ms of CPU")
        assert prober.count > 1

    print()
    load = "operations/heddle-system:load"
    check("100,000 routes loaded", "POST", load, table(10))
    check("each of them changed", "POST", load, table(11))
    check("one leaf put", "PUT", "data/heddle-system:system/hostname", '{"heddle-system:hostname": "r1"}')
    check("one version back", "POST", "operations/heddle-system:rollback", '{"heddle-system:input": {"revision": 2}}')
    check("all taken back", "POST", load,
          json.dumps({"heddle-system:input": {"config": json.dumps(config(None, False))}}))
    assert longest_turn(net.api) < 0.1
    assert net.heddle.cli("diff", "running", "dataplane", check=False).returncode == 0
