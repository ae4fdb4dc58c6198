# SPDX-License-Identifier: BSD-3-Clause
"""BFD with FRR's bfdd: over one hop, over several, and over SIDs of a Linux router.

    hd (Heddle) ── r (Linux, FRR) ── r2 (FRR)
"""

import os
import signal
import time
from datetime import datetime

import pytest

from heddlelab import Frr, Heddle, RawPort, decode, interface, malformed, veth_port, wait_for

MS = 40

FRR = """
bfd
 peer {peer4}{hops} local-address {local4}{dev}
  detect-multiplier 3
  receive-interval {ms}
  transmit-interval {ms}
 !
 peer {peer6}{hops} local-address {local6}{dev}
  detect-multiplier 3
  receive-interval {ms}
  transmit-interval {ms}
 !
!
"""


def session(name, peer, local, **more):
    return {"name": name, "peer-address": peer, "local-address": local, "transmit-interval": MS,
            "receive-interval": MS, **more}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.hd, self.r, self.r2 = lab.ns("hd"), lab.ns("r"), lab.ns("r2")
        lab.link(self.hd, "core", self.r, "west")
        lab.link(self.r, "east", self.r2, "west")
        self.r.forwarding()
        self.r.addr("west", "10.0.1.2/24", "2001:db8:1::2/64")
        self.r.addr("east", "10.0.2.1/24", "2001:db8:2::1/64")
        self.r2.addr("west", "10.0.2.2/24", "2001:db8:2::2/64")
        self.r2.route("default via 10.0.2.1", "default via 2001:db8:2::1")
        self.r2.sysctl("net.ipv6.conf.all.seg6_enabled=1")
        self.r2.sysctl("net.ipv6.conf.west.seg6_enabled=1")
        self.r.ip("-6 route add fc00:99::e/128 encap seg6local action End dev east")
        hops = {"multihop": {"minimum-ttl": 250}}
        self.config = {
            "interfaces": {"interface": [interface("core", veth_port("core"), "10.0.1.1/24", "2001:db8:1::1/64")]},
            "ip": {"route": [{"prefix": p, "next-hop": [{"interface": "core", "address": a}]} for p, a in (
                ("10.0.2.0/24", "10.0.1.2"), ("2001:db8:2::/64", "2001:db8:1::2"), ("fc00:99::/64", "2001:db8:1::2"),
                ("fc00:98::/64", "2001:db8:1::2"))]},
            "bfd": {"session": [
                session("one4", "10.0.1.2", "10.0.1.1", interface="core"),
                session("one6", "2001:db8:1::2", "2001:db8:1::1"),
                session("far4", "10.0.2.2", "10.0.1.1", **hops),
                session("far6", "2001:db8:2::2", "2001:db8:1::1",
                        multihop={"minimum-ttl": 250, "segment": ["fc00:99::e"]})]},
            "srv6": {"encapsulation": {"source-address": "2001:db8:1::1"}, "policy": [
                {"name": "far", "color": 1, "endpoint": "2001:db8:2::2", "candidate-path": [
                    {"name": "main", "preference": 200, "liveness": "far6",
                     "segment-list": [{"name": "main", "segment": ["fc00:99::e"]}]},
                    {"name": "spare", "preference": 100,
                     "segment-list": [{"name": "spare", "segment": ["fc00:98::e"]}]}]}]},
        }
        self.heddle = Heddle(lab, self.hd, self.config)
        self.frr = Frr(lab, self.r, FRR.format(peer4="10.0.1.1", local4="10.0.1.2", peer6="2001:db8:1::1",
                                               local6="2001:db8:1::2", hops="", dev=" interface west", ms=MS),
                       daemons=("zebra", "bfdd")).start()
        self.frr2 = Frr(lab, self.r2, FRR.format(peer4="10.0.1.1", local4="10.0.2.2", peer6="2001:db8:1::1",
                                                 local6="2001:db8:2::2", hops=" multihop", dev="", ms=MS),
                        daemons=("zebra", "bfdd")).start()
        self.heddle.start()

    def sessions(self):
        return {s["name"]: s for s in self.heddle.json("pm", "bfd")["heddle-bfd:bfd-state"]["session"]}

    def wait(self, state, names=("one4", "one6", "far4", "far6"), timeout=15):
        wait_for(f"{', '.join(names)} to be {state}",
                 lambda: all(self.sessions()[n]["state"] == state for n in names), timeout)

    def active(self):
        policy = self.heddle.state("policies")[0]
        return next((p["name"] for p in policy["candidate-path"] if p.get("active")), None)


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


def test_pm_bfd_frr_up(net):
    net.wait("up")
    for s in net.sessions().values():
        assert s["transmit-interval"] == MS * 1000 and s["detection-time"] == 3 * MS * 1000, s
        assert s["remote-state"] == "up"
    for frr in (net.frr, net.frr2):
        peers = frr.vtysh("show bfd peers").stdout
        assert peers.count("Status: up") == 2 and "Status: down" not in peers, peers
    assert "far6" in net.heddle.cli("pm bfd").stdout
    # over some time none goes down
    time.sleep(3)
    assert all(s["downs"] == "0" for s in net.sessions().values()), net.sessions()


def test_pm_bfd_tshark(net):
    net.wait("up")
    with RawPort(net.r, "west") as port:
        frames = port.receive(lambda f: f.haslayer("UDP") and f["UDP"].dport in (3784, 4784), timeout=3, count=40)
    assert len(frames) == 40 and malformed(frames) == ""
    for layers in decode(frames):
        bfd = layers["bfd"]
        assert bfd["bfd.version"] == "1" and bfd["bfd.detect_time_multiplier"] == "3"
        assert bfd["bfd.sta"] == "0x03" and int(bfd["bfd.my_discriminator"], 16) != 0


def when(s):
    return datetime.fromisoformat(s["changed"].replace("Z", "+00:00")).timestamp()


def test_pm_bfd_silence_is_found_and_paths_follow(net):
    net.wait("up")
    assert net.active() == "main"
    bfdd = net.frr2.running["bfdd"]
    os.kill(bfdd.pid, signal.SIGSTOP)
    stopped = time.time()
    try:
        net.wait("down", ("far4", "far6"), 5)
        sessions = net.sessions()
        for name in ("far4", "far6"):
            assert sessions[name]["diagnostic"] == "control detection time expired"
            # 120 ms, less what had passed since the last packet; the host may be late
            assert 0.05 < when(sessions[name]) - stopped < 0.5, sessions[name]
        assert sessions["one4"]["state"] == sessions["one6"]["state"] == "up"
        wait_for("the spare path", lambda: net.active() == "spare", 3)
    finally:
        os.kill(bfdd.pid, signal.SIGCONT)
    net.wait("up", timeout=10)
    wait_for("the main path", lambda: net.active() == "main", 3)
    assert int(net.sessions()["far6"]["downs"]) >= 1


def test_pm_bfd_settings_change_while_up(net):
    """Slower and faster by a poll sequence: no session goes down."""
    net.wait("up")
    before = {n: s["downs"] for n, s in net.sessions().items()}
    for tx, rx in ((200, 100), (20, 50), (MS, MS)):
        for s in net.config["bfd"]["session"]:
            s["transmit-interval"], s["receive-interval"] = tx, rx
        net.heddle.reload(net.config)
        wait_for("the new interval", lambda: all(
            s["transmit-interval"] == max(tx, MS) * 1000 and s["detection-time"] == 3 * max(rx, MS) * 1000
            for s in net.sessions().values()), 5)
        time.sleep(0.5)
    assert {n: s["downs"] for n, s in net.sessions().items()} == before


def test_pm_bfd_without_the_control_process(net):
    net.wait("up")
    before = {n: s["downs"] for n, s in net.sessions().items()}
    net.heddle.ctrl.kill()
    time.sleep(1.5)
    assert net.frr.vtysh("show bfd peers").stdout.count("Status: up") == 2
    net.heddle.start_ctrl()
    net.heddle.wait_ready()
    assert {n: s["downs"] for n, s in net.sessions().items()} == before
    assert all(s["state"] == "up" for s in net.sessions().values())


def test_pm_bfd_administratively_down(net):
    net.wait("up")
    net.config["bfd"]["session"][0]["enabled"] = False
    net.heddle.reload(net.config)
    wait_for("FRR to be told", lambda: "Status: down" in net.frr.vtysh("show bfd peers").stdout, 5)
    assert net.sessions()["one4"]["state"] == "admin-down"
    net.config["bfd"]["session"][0]["enabled"] = True
    net.heddle.reload(net.config)
    net.wait("up")
