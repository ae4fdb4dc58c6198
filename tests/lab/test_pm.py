# SPDX-License-Identifier: BSD-3-Clause
"""STAMP against the kernel's UDP stack: a sender that is not ours in anything but its few lines of Python.

    host ── Heddle (Session-Reflector)

Both ends read the same machine's clock, so one-way delays must be positive and small."""

import json
import os

import pytest

from heddlelab import Heddle, RawPort, decode, interface, malformed, veth_port
from heddlelab import stamp_sender

SENDER = os.path.abspath(stamp_sender.__file__)
FOUR, SIX = ("10.0.1.1", "10.0.1.2"), ("2001:db8:a::1", "2001:db8:a::2")


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.host, self.hd = lab.ns("host"), lab.ns("hd")
        lab.link(self.host, "eth0", self.hd, "access")
        self.host.addr("eth0", FOUR[1] + "/24", SIX[1] + "/64")
        self.heddle = Heddle(lab, self.hd, {
            "interfaces": {"interface": [
                interface("access", veth_port("access"), FOUR[0] + "/24", SIX[0] + "/64")]},
            "pm": {"reflector": [
                {"udp-port": 862, "unprovisioned": True},
                {"udp-port": 50001, "session": [
                    {"name": "counted", "source-address": SIX[1], "ssid": 4660, "stateful": True}]}]},
        }).start()

    def send(self, address, port, count, *args):
        out = self.host.out(["/usr/bin/python3", SENDER, address, str(port), str(count), *args])
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


@pytest.mark.parametrize("address", [FOUR[0], SIX[0]])
def test_pm_times_in_order(net, address):
    replies = net.send(address, 862, 50)
    assert [r.get("reply_seq") for r in replies] == list(range(50)), "stateless: the sender's numbers"
    for r in replies:
        assert r["length"] == 44 and r["ttl"] in (64, 255)
        assert abs(r["t1_echo"] - r["t1"]) <= 1
        # one machine, one clock: what is off is the line from TSC to that clock
        slack = 100_000
        assert r["t1"] - slack <= r["t2"] <= r["t3"] + slack <= r["t4"] + 2 * slack, r
        assert r["t3"] - r["t2"] < 50_000_000


def test_pm_sessions_are_counted(net):
    first = net.send(SIX[0], 50001, 10, "--ssid", "4660")
    again = net.send(SIX[0], 50001, 10, "--ssid", "4660")
    assert [r["reply_seq"] for r in first + again] == list(range(20)), "its own numbers, over sender restarts"
    assert [r["sender_seq"] for r in again] == list(range(10))
    assert net.send(SIX[0], 50001, 1, "--ssid", "99")[0]["error"], "not provisioned"
    sessions = net.heddle.state("reflector")
    counters = {c["name"]: int(c["value"]) for c in sessions[0]["counter"]}
    assert sessions[0]["name"] == "50001/counted" and sessions[0]["stateful"] is True
    assert counters["packets"] == 20 and counters["octets"] == 20 * 44


def test_pm_tlvs(net):
    cos, unknown = "80040004b8000000", "80c8000401020304"
    reply = net.send(SIX[0], 862, 1, "--tlv", cos + unknown)[0]
    assert reply["length"] == 60
    assert reply["tlv"] == "00040004b8010000" + unknown, "DSCP refused (RP 1); the unknown one says so"


def test_pm_survives_the_control_process(net):
    net.heddle.ctrl.kill()
    assert [r.get("reply_seq") for r in net.send(SIX[0], 862, 20)] == list(range(20))
    net.heddle.start_ctrl()
    net.heddle.wait_ready()
    assert [r["reply_seq"] for r in net.send(SIX[0], 50001, 2, "--ssid", "4660")][1] > 0


def test_pm_tshark_agrees(lab):
    net = Net(lab)
    port = RawPort(net.host, "eth0")
    net.send(FOUR[0], 862, 3)
    net.send(SIX[0], 862, 3)
    frames = port.receive(lambda f: f.haslayer("UDP") and f["UDP"].sport == 862, timeout=3, count=6)
    assert len(frames) == 6
    assert malformed(frames) == ""
    for n, layers in enumerate(decode(frames, "-d", "udp.port==862,twamp.test")):
        assert layers["twamp.test"]["twamp.test.seq_number"] == str(n % 3)
        assert layers["twamp.test"]["twamp.test.sender_seq_number"] == str(n % 3)
