# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 of either process: the other works on, and what comes back fits in without a seam."""

import re
import signal
import time

import pytest

from heddlelab import Heddle, interface, veth_port, wait_for

A4, B4, B6 = "10.0.1.2", "10.0.2.2", "2001:db8:b::2"


def config():
    """Forwarding that goes through an SRv6 policy and a SID of Heddle's own, so that all tables are used."""
    return {
        "interfaces": {"interface": [
            interface("access", veth_port("access"), "10.0.1.1/24", "2001:db8:a::1/64"),
            interface("core", veth_port("core"), "2001:db8:12::1/64"),
        ]},
        "ip": {"route": [
            {"prefix": "fc00:2::/48", "next-hop": [{"interface": "core", "address": "2001:db8:12::2"}]},
            {"prefix": "10.0.2.0/24", "srv6-policy": "to-b4"},
            {"prefix": "2001:db8:b::/64", "srv6-policy": "to-b6"},
        ]},
        "srv6": {
            "encapsulation": {"source-address": "fc00:1::1"},
            "locator": [{"name": "lab", "prefix": "fc00:1::/48"}],
            "sid": [{"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True}],
            "policy": [
                {"name": "to-b4", "segment-list": [{"name": "main", "segment": ["fc00:2::d4"]}]},
                {"name": "to-b6", "segment-list": [{"name": "main", "segment": ["fc00:2::d6"]}]},
            ],
        },
    }


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.hd, self.r, self.b = (lab.ns(n) for n in ("host-a", "hd", "router", "host-b"))
        lab.link(self.a, "eth0", self.hd, "access", mtu=1400)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1400)
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:12::1",
                     "fc00:2::d6 encap seg6local action End.DT6 table main dev hosts",
                     "2001:db8:a::/64 encap seg6 mode encap segs fc00:1::46 dev core")
        self.r.ip("-6 route add fc00:2::d4 encap seg6local action End.DX4 nh4 10.0.2.2 dev hosts")
        self.r.ip("route add 10.0.1.0/24 encap seg6 mode encap segs fc00:1::46 dev core")
        self.heddle = Heddle(lab, self.hd, config()).start()

    def stream(self, name, target=B4, interval=0.002, count=2000):
        return self.a.popen(name, f"ping -n -i {interval} -c {count} -W 2 {target}")


@pytest.fixture
def net(lab):
    made = Net(lab)
    made.a.ping(B4)
    made.a.ping(B6)
    return made


def replies(process):
    """Sent, received, duplicates, as ping sums up."""
    text = process.log()
    found = re.search(r"(\d+) packets transmitted, (\d+) received(?:, \+(\d+) duplicates)?", text)
    assert found, text[-500:]
    return int(found.group(1)), int(found.group(2)), int(found.group(3) or 0)


def same(heddle):
    """The data plane holds exactly what the running configuration means."""
    done = heddle.cli("diff", "running", "dataplane", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kill_ctrl_loses_nothing(net):
    """Traffic flows while heddle-ctrl is killed, is away, comes back, and reconciles."""
    four = net.stream("four")
    six = net.stream("six", B6)
    time.sleep(1)
    net.heddle.kill_ctrl()
    time.sleep(1)
    assert net.heddle.dp.running
    net.heddle.start_ctrl()
    net.heddle.wait_ready()
    for stream in (four, six):
        stream.wait(30)
        sent, received, duplicates = replies(stream)
        print(f"{stream.name}: {sent} sent, {received} received")
        assert (sent, received, duplicates) == (2000, 2000, 0)
    same(net.heddle)


def test_kill_ctrl_many_times(net, rng, rounds):
    """At any moment of its start, its death does not touch the traffic."""
    n = rounds(8)
    stream = net.stream("stream", interval=0.005, count=n * 250)
    for _ in range(n):
        net.heddle.kill_ctrl()
        net.heddle.start_ctrl()
        time.sleep(rng.random() * 0.6)
    net.heddle.kill_ctrl()
    net.heddle.start_ctrl()
    net.heddle.wait_ready()
    stream.wait(60)
    sent, received, _ = replies(stream)
    assert sent == received, f"{sent - received} lost"


def test_changes_while_ctrl_was_away(net):
    """A file that changed meanwhile is not taken by surprise: the process returns with what it persisted or with the
    file it is given, and the tables are then exactly that: what is gone from it is gone from the data plane."""
    net.heddle.kill_ctrl()
    changed = config()
    changed["ip"]["route"].append({"prefix": "10.77.0.0/16", "special": "blackhole"})
    changed["ip"]["route"] = [r for r in changed["ip"]["route"] if r["prefix"] != "2001:db8:b::/64"]
    net.heddle.write_config(changed)
    net.heddle.start_ctrl()
    net.heddle.wait_ready()
    net.heddle.cli("load", net.heddle.config_path)
    routes = net.heddle.show("routes")
    assert "10.77.0.0/16" in routes and "2001:db8:b::/64" not in routes
    assert net.a.ping(B6, count=2, check=False, wait=1) == 0
    net.a.ping(B4)
    same(net.heddle)


def test_kill_dp_comes_back_by_itself(net):
    """A new heddle-dp is programmed by the heddle-ctrl that ran on. The loss is what the outage cost."""
    stream = net.stream("stream", interval=0.01, count=1500)
    time.sleep(1)
    killed = time.monotonic()
    net.heddle.kill_dp()
    assert net.heddle.ctrl.running
    net.heddle.start_dp()
    wait_for("forwarding again", lambda: net.a.ping(B4, count=1, check=False, wait=1), 15, 0.02)
    outage = time.monotonic() - killed
    stream.wait(60)
    sent, received, _ = replies(stream)
    print(f"kill -9 of heddle-dp: forwarding again after {outage:.2f} s, {sent - received} of {sent} packets lost")
    assert outage < 10
    assert sent - received <= outage / 0.01 + 100
    same(net.heddle)
    net.a.ping(B6)


def test_kill_both_in_either_order(net):
    net.heddle.kill_dp()
    net.heddle.kill_ctrl()
    net.heddle.start_ctrl()
    time.sleep(0.5)
    assert net.heddle.ctrl.running, "heddle-ctrl must wait for its data plane"
    net.heddle.start_dp()
    net.heddle.wait_ready()
    net.a.ping(B4)
    net.heddle.kill_ctrl()
    net.heddle.kill_dp()
    net.heddle.start()
    net.a.ping(B6)


def test_clean_stop(net):
    """SIGTERM ends both with 0, in good time, and leaves no socket behind."""
    assert net.heddle.ctrl.kill(signal.SIGTERM, 5) == 0
    assert net.heddle.dp.kill(signal.SIGTERM, 5) == 0


def test_reading_state_in_a_loop_disturbs_nothing(net):
    """Polling everything that can be shown neither blocks nor loses a packet."""
    stream = net.stream("stream", interval=0.005, count=1000)
    deadline = time.monotonic() + 5
    shown = 0
    while time.monotonic() < deadline:
        for what in ("interfaces", "routes", "sids", "policies", "drops", "workers", "graph", "neighbours"):
            net.heddle.show(what)
            shown += 1
    stream.wait(30)
    sent, received, _ = replies(stream)
    print(f"{shown} commands during {sent} pings")
    assert sent == received == 1000
