# SPDX-License-Identifier: BSD-3-Clause
"""Session-Senders between two data planes: every segment list of a policy on its own, loops, authentication, TWAMP
Light peers, and a path that dies under traffic.

             ┌ main ── mid (Linux) ── main ┐
    host ─ a ┼ spare ──────────────────────┼ b ─ far
             └ back ───────────────────────┘
What is sent to b's SIDs takes main or spare; all that returns takes back."""

import json
import os
import time

import pytest

from heddlelab import Heddle, RawPort, decode, interface, malformed, veth_port, wait_for
from heddlelab import flow

FLOW = os.path.abspath(flow.__file__)
SECRET = "0x" + "5a" * 32
RATE = 1000  # packets per second of the flow: a lost one is a millisecond


def config_a(**pm):
    tree = {"key": [{"key-id": 1, "secret": SECRET}], "session": []}
    tree.update(pm)
    return {
        "interfaces": {"interface": [
            interface("host", veth_port("host"), "2001:db8:a::1/64"),
            interface("main", veth_port("main"), "2001:db8:1::1/64"),
            interface("spare", veth_port("spare"), "2001:db8:2::1/64"),
            interface("back", veth_port("back"), "2001:db8:3::1/64", "10.0.3.1/24")]},
        "ip": {"route": [
            {"prefix": "fc00:b1::/32", "next-hop": [{"interface": "main", "address": "2001:db8:1::2"}]},
            {"prefix": "fc00:b2::/32", "next-hop": [{"interface": "spare", "address": "2001:db8:2::2"}]},
            {"prefix": "2001:db8:b::/64", "srv6-policy": "far"}]},
        "srv6": {
            "encapsulation": {"source-address": "2001:db8:3::1"},
            "policy": [{"name": "far", "color": 1, "endpoint": "2001:db8:3::2", "candidate-path": [
                {"name": "hot", "preference": 200, "segment-list": [{"name": "l", "segment": ["fc00:b1::d6"]}]},
                {"name": "cold", "preference": 100, "segment-list": [{"name": "l", "segment": ["fc00:b2::d6"]}]}]}]},
        "pm": tree,
    }


CONFIG_B = {
    "interfaces": {"interface": [
        interface("far", veth_port("far"), "2001:db8:b::1/64"),
        interface("main", veth_port("main"), "2001:db8:4::2/64"),
        interface("spare", veth_port("spare"), "2001:db8:2::2/64"),
        interface("back", veth_port("back"), "2001:db8:3::2/64", "10.0.3.2/24")]},
    "ip": {"route": [{"prefix": p, "next-hop": [{"interface": "back", "address": "2001:db8:3::1"}]}
                     for p in ("2001:db8:a::/64", "2001:db8:1::/64")]},
    "srv6": {"sid": [{"sid": f"fc00:b{n}::d6/128", "behavior": "end-dt6", "default-vrf": True} for n in (1, 2)] +
                    [{"sid": "fc00:b2::e/128", "behavior": "end"}],
             "locator": [{"name": f"b{n}", "prefix": f"fc00:b{n}::/32"} for n in (1, 2)]},
    "pm": {"key": [{"key-id": 7, "secret": SECRET}],
           "reflector": [{"udp-port": 862, "unprovisioned": True},
                         {"udp-port": 50863, "key": 7, "session": [
                             {"name": "sealed", "source-address": "2001:db8:3::1", "ssid": 77, "key": 7,
                              "stateful": True}]}]},
}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.host, self.a, self.mid, self.b, self.far = (lab.ns(n) for n in ("host", "a", "mid", "b", "far"))
        lab.link(self.host, "eth0", self.a, "host")
        lab.link(self.a, "main", self.mid, "west")
        lab.link(self.mid, "east", self.b, "main")
        lab.link(self.a, "spare", self.b, "spare")
        lab.link(self.a, "back", self.b, "back")
        lab.link(self.b, "far", self.far, "eth0")
        self.host.addr("eth0", "2001:db8:a::2/64")
        self.far.addr("eth0", "2001:db8:b::2/64")
        self.host.route("default via 2001:db8:a::1")
        self.far.route("default via 2001:db8:b::1")
        self.mid.addr("west", "2001:db8:1::2/64")
        self.mid.addr("east", "2001:db8:4::1/64")
        self.mid.forwarding()
        self.mid.route("fc00:b1::/32 via 2001:db8:4::2")
        self.hb = Heddle(lab, self.b, CONFIG_B).start()
        self.ha = Heddle(lab, self.a, config_a()).start()

    def measure(self, *args):
        return self.ha.json("pm", "measure", *args)["heddle-pm:output"]["session"]

    def sessions(self):
        return {s["name"]: s for s in self.ha.json("pm", "sessions")["heddle-pm:session-state"].get("session", [])}

    def active(self):
        paths = self.ha.state("policies")[0]["candidate-path"]
        return [p["name"] for p in paths if p.get("active")]


@pytest.fixture(scope="module")
def net(module_lab):
    net = Net(module_lab)
    wait_for("both ways to be known", lambda: net.ha.cli(
        "pm", "measure", "--policy", "far", "--count", "1", check=False).returncode == 0, 10)
    return net


def check_result(session, count):
    assert int(session["sent"]) == count and int(session["received"]) + int(session["lost"]) == count
    trip = session["round-trip"]
    assert 0 < int(trip["min"]) <= int(trip["p50"]) <= int(trip["p99"]) <= int(trip["max"])
    assert int(trip["uncertainty"]) >= int(trip["resolution"])
    assert "software" in session["timestamps"]


def test_pm_measure_plain(net):
    [s] = net.measure("2001:db8:3::2", "--count", "50", "--interval", "2ms")
    check_result(s, 50)
    assert int(s["lost"]) == 0 and int(s["round-trip"]["min"]) < 50_000_000
    [s] = net.measure("10.0.3.2", "--count", "20", "--interval", "2ms", "--padding", "200")
    check_result(s, 20)
    assert int(s["lost"]) == 0 and s["tlv-used"] == "padding"


def test_pm_measure_every_list_of_a_policy(net):
    sessions = net.measure("--policy", "far", "--count", "30", "--interval", "2ms")
    assert [s["name"] for s in sessions] == ["far~hot~l", "far~cold~l"]
    for s in sessions:
        check_result(s, 30)
        assert int(s["lost"]) == 0


def test_pm_measure_loopback(net):
    # there by b's End, back by nothing but the address of ours that ends the list
    [s] = net.measure("--loopback", "--sid-list", "fc00:b2::e", "--encapsulation", "header", "--source",
                      "2001:db8:3::1", "--count", "30", "--interval", "2ms")
    check_result(s, 30)
    assert int(s["lost"]) == 0 and "forward" not in s, "no reflector, no one-way delay"


def test_pm_measure_authenticated(net):
    args = ["2001:db8:3::2", "--port", "50863", "--ssid", "77", "--source", "2001:db8:3::1", "--stateful",
            "--count", "20", "--interval", "2ms"]
    [s] = net.measure(*args, "--key", "1")
    check_result(s, 20)
    assert int(s["lost"]) == 0
    refused = net.ha.cli("pm", "measure", *args, "--timeout", "100", check=False)
    assert refused.returncode == 1 and "100.00 %" in refused.stdout, "without the key nobody answers"
    assert SECRET[2:] not in net.ha.cli("show", "config").stdout


def test_pm_measure_twamp_light(net):
    [s] = net.measure("2001:db8:3::2", "--twamp-light", "--local-port", "50900", "--count", "10")
    check_result(s, 10)
    assert int(s["lost"]) == 0


def test_pm_measure_refusals(net):
    for args, words in ((["--policy", "nowhere"], "no SR policy"), (["224.0.0.1"], "unicast"),
                        (["2001:db8:3::2", "--interval", "1us"], ""), (["2001:db8:3::2", "--key", "9"], "")):
        done = net.ha.cli("pm", "measure", *args, check=False)
        assert done.returncode != 0 and words in done.stderr, done.stderr


def test_pm_tlvs_of_a_session(net):
    net.ha.reload(config_a(session=[{
        "name": "all", "destination": "2001:db8:3::2", "interval": 10, "padding": 40,
        "tlv": {"location": True, "timestamp-information": True, "direct-measurement": True, "follow-up": True,
                "reply-dscp": 46, "access": "three-gpp", "destination-node": "2001:db8:3::2",
                "return-address": True}}]))
    wait_for("replies", lambda: int(net.sessions()["all"].get("received", 0)) > 3, 10)
    s = net.sessions()["all"]
    assert set("padding location timestamp cos access destination-node return-path".split()) - \
        {"access"} <= set(s["tlv-used"].split())
    assert "direct" in s["tlv-unknown"], "a stateless reflector counts nothing"
    assert s["reply-dscp-refused"] is True
    assert "in by software, out by software" in s["reflector-timestamps"]


def test_pm_tshark_agrees(net):
    net.ha.reload(config_a(session=[{"name": "seen", "destination": "10.0.3.2", "interval": 5}]))
    port = RawPort(net.b, "back")
    frames = port.receive(lambda f: f.haslayer("UDP") and f["UDP"].dport == 862, timeout=5, count=4)
    assert len(frames) == 4 and malformed(frames) == ""
    numbers = [int(layers["twamp.test"]["twamp.test.seq_number"])
               for layers in decode(frames, "-d", "udp.port==862,twamp.test")]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_pm_sessions_outlive_the_control_process(net):
    net.ha.reload(config_a(session=[{"name": "core", "policy": "far", "interval": 10}]))
    wait_for("replies", lambda: all(int(s.get("received", 0)) > 5 for s in net.sessions().values()), 10)
    net.ha.kill_ctrl()
    time.sleep(1)
    net.ha.start_ctrl()
    net.ha.wait_ready()
    for s in net.sessions().values():
        counters = {c["name"]: int(c["value"]) for c in s["counter"]}
        assert counters["sent"] >= 80, "it went on"
        assert counters["received"] + 20 >= counters["sent"]


WATCHED = [{"name": "core", "policy": "far", "interval": 10, "liveness": {"losses": 3, "replies": 3}}]


def test_pm_dead_path_is_left(net):
    """The path dies behind the next router: no link goes down here."""
    net.ha.reload(config_a(session=WATCHED))
    wait_for("both lists to be up", lambda: [s["state"] for s in net.sessions().values()] == ["up", "up"], 10)
    assert net.active() == ["hot"]
    counted = net.lab.path("counted")
    receiver = net.far.popen("receive", ["/usr/bin/python3", FLOW, "receive", "9999", counted])
    wait_for("the receiver", lambda: os.path.exists(counted) and open(counted).read() == "ready", 10)
    sender = net.host.popen("send", ["/usr/bin/python3", FLOW, "send", "2001:db8:b::2", "9999", str(RATE), "4"])
    time.sleep(1.5)
    net.mid.ip("link set east down")
    sender.popen.wait(timeout=20)
    time.sleep(0.3)
    receiver.popen.terminate()
    receiver.popen.wait(timeout=5)
    sent, (came, repeats) = int(sender.log().split()[-1]), map(int, open(counted).read().split())
    assert net.active() == ["cold"]
    s = net.sessions()["core~hot~l"]
    print(json.dumps({"detected_ms": int(s["detection"]) / 1e6, "lost_ms": (sent - came) * 1000 / RATE}))
    assert s["state"] == "down" and repeats == 0
    assert 30e6 <= int(s["detection"]) <= 100e6, "3 losses of 10 ms; a host that is shared is late sometimes"
    # decided, told, chosen anew: nothing of this waits for a timer
    assert sent - came <= 200 * RATE / 1000, f"{sent - came} of {sent} lost"
    # and back
    net.mid.ip("link set east up")
    net.mid.ip("addr add 2001:db8:4::1/64 dev east nodad", check=False)
    net.mid.ip("route replace fc00:b1::/32 via 2001:db8:4::2")
    wait_for("the path to come back", lambda: net.active() == ["hot"], 20)
