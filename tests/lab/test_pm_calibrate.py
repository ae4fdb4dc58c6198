# SPDX-License-Identifier: BSD-3-Clause
"""What a node itself adds to delays: measured over two joined ports, kept, and taken off what is measured.

    a [out ── back] a        a [core] ── [core] b, which reflects"""

import pytest

from heddlelab import Heddle, interface, veth_port

CONFIG_A = {
    "interfaces": {"interface": [
        interface("out", veth_port("out"), "2001:db8:7::1/64"),
        interface("back", veth_port("back"), "2001:db8:8::1/64", "10.0.8.1/24"),
        interface("bare", veth_port("bare")),
        dict(interface("core", veth_port("core"), "2001:db8:9::1/64"), **{"rx-timestamps": True})]},
    "pm": {},
}
CONFIG_B = {
    "interfaces": {"interface": [interface("core", veth_port("core"), "2001:db8:9::2/64")]},
    "pm": {"reflector": [{"udp-port": 862, "unprovisioned": True}]},
}


class Net:
    def __init__(self, lab):
        self.a, self.b = lab.ns("a"), lab.ns("b")
        lab.link(self.a, "out", self.a, "back")
        lab.link(self.a, "core", self.b, "core")
        lab.link(self.a, "bare", self.b, "other")
        self.hb = Heddle(lab, self.b, CONFIG_B).start()
        self.ha = Heddle(lab, self.a, CONFIG_A).start()

    def calibrate(self, *argv):
        return self.ha.json("pm", "calibrate", *argv)["heddle-pm:output"]

    def configured(self):
        tree = self.ha.json("show", "config")
        return {k["interface"]: k for k in tree.get("heddle-pm:pm", {}).get("calibration", [])}

    def measure(self, *argv):
        return self.ha.json("pm", "measure", "2001:db8:9::2", "--count", "200", "--interval", "2ms",
                            *argv)["heddle-pm:output"]["session"][0]


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


def test_pm_calibrate_over_joined_ports(net):
    args = ("--interface", "out", "--receive-interface", "back", "--count", "300")
    seen = net.calibrate(*args, "--no-save")
    trip = seen["round-trip"]
    assert seen["samples"] == int(seen["received"]) > 250
    assert seen["offset"] == int(trip["min"]) > 0
    assert 0 <= int(trip["p50"]) - int(trip["min"]) <= seen["uncertainty"] < int(trip["max"])
    assert net.configured() == {}, "only looked at"
    nearer = net.calibrate(*args, "--loop-delay", "100", "--no-save")
    assert nearer["offset"] == int(nearer["round-trip"]["min"]) - 100

    saved = net.calibrate(*args)
    kept = net.configured()["out"]
    assert kept["offset"] == saved["offset"] and kept["uncertainty"] == saved["uncertainty"]
    assert kept["receive-interface"] == "back" and kept["time"] == saved["time"]


def test_pm_calibrate_taken_off_results(net):
    net.calibrate("--interface", "out", "--receive-interface", "back", "--count", "100")
    offset = net.configured()["out"]["offset"]
    raw, less = net.measure(), net.measure("--calibration", "out")
    assert "calibration" not in raw
    assert raw["receive-source"] == raw["transmit-source"] == "software", "a veth stamps nothing, though it was asked to"
    assert int(less["calibration"]["offset"]) == offset
    assert int(less["round-trip"]["uncertainty"]) >= int(less["calibration"]["uncertainty"])
    shown = net.ha.cli("pm", "measure", "2001:db8:9::2", "--count", "5", "--calibration", "out").stdout
    assert "of this node taken off" in shown
    refused = net.ha.cli("pm", "measure", "2001:db8:9::2", "--calibration", "core", check=False)
    assert refused.returncode == 1 and "heddle pm calibrate --interface core" in refused.stderr


def test_pm_calibrate_where_nothing_comes_back(net):
    for argv, why in ((("--interface", "core", "--count", "10"), "came back"),
                      (("--interface", "bare", "--count", "10"), "no address"),
                      (("--interface", "nowhere"), "no interface 'nowhere'"),
                      (("--interface", "out", "--receive-interface", "back", "--count", "20", "--loop-delay",
                        "9000000"), "less than the loop's own")):
        done = net.ha.cli("pm", "calibrate", *argv, check=False)
        assert done.returncode == 1 and why in done.stderr, done.stderr
    assert net.ha.cli("pm", "calibrate", check=False).returncode == 2


def test_pm_calibrate_a_wrong_one_shows(net):
    """10 ms off a path that takes far less: below zero, and counted as that."""
    net.ha.reload(dict(CONFIG_A, pm={"calibration": [{"interface": "core", "offset": 10_000_000}]}))
    less = net.measure("--calibration", "core")
    assert -10_000_000 < int(less["round-trip"]["min"]) < 0 < int(less["round-trip"]["negative"])
    assert int(less["forward"]["min"]) < int(less["forward"]["max"]) and int(less["backward"]["min"]) < 0


def test_pm_calibrate_survives_and_serves_sessions(net):
    net.calibrate("--interface", "out", "--receive-interface", "back", "--count", "50")
    offset = net.configured()["out"]["offset"]
    net.ha.reload(dict(CONFIG_A, pm={
        "calibration": [{"interface": "out", "offset": offset, "uncertainty": 50}],
        "session": [{"name": "b", "destination": "2001:db8:9::2", "interval": 10, "calibration": "out"}]}))
    [s] = [s for s in net.ha.json("pm", "sessions")["heddle-pm:session-state"]["session"] if s["name"] == "b"]
    assert int(s["calibration"]["offset"]) == offset and s["calibration"]["uncertainty"] == "50"
