# SPDX-License-Identifier: BSD-3-Clause
"""What is measured against what was done: an impairment between two data planes, whose counters are the truth.

    a ── wire ── b (Session-Reflector, impaired)"""

import random
import time

import pytest

from heddlelab import Heddle, interface, veth_port, wait_for

SIX = ("2001:db8:1::1", "2001:db8:1::2")


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.b = lab.ns("a"), lab.ns("b")
        lab.link(self.a, "wire", self.b, "wire")
        self.ha, self.hb = (
            Heddle(lab, ns, {"interfaces": {"interface": [interface("wire", veth_port("wire"), address + "/64")]},
                             "pm": {"reflector": [{"udp-port": 862, "unprovisioned": True}]}}).start()
            for ns, address in zip((self.a, self.b), SIX))

    def measure(self, count, interval="2ms"):
        [s] = self.ha.json("pm", "measure", SIX[1], "--count", str(count), "--interval",
                           interval)["heddle-pm:output"]["session"]
        return s

    def impair(self, **options):
        self.hb.cli("set", "impairment", "wire", *(w for k, v in options.items() for w in (f"--{k}", str(v))))

    def did(self):
        ports = self.hb.json("pm", "impairments")["heddle-pm:impairment-state"]["port"]
        return {k: int(v) for k, v in ports[0].items() if k != "interface"} if ports else {}

    def undisturbed(self, count, **options):
        """A measurement in which every frame that was impaired is one of its packets."""
        for _ in range(8):
            self.impair(**options)
            s = self.measure(count)
            if self.did()["frames"] == count:
                return s
        pytest.fail("neighbour discovery comes between every time")


@pytest.fixture(scope="module")
def net(module_lab):
    net = Net(module_lab)
    wait_for("replies", lambda: net.ha.cli("pm", "measure", SIX[1], "--count", "1", "--timeout", "200",
                                           check=False).returncode == 0, 10)
    yield net
    net.impair()


def ns(session, name, of="round-trip"):
    return int(session[of][name])


@pytest.mark.parametrize("run", range(3))
def test_pm_accuracy_counts_are_exact(net, run, request):
    seed = random.Random(request.config.getoption("--seed") + run).randrange(1 << 31)
    s = net.undisturbed(400, loss="5%", duplicate="3%", delay="1ms", seed=seed)
    did = net.did()
    assert did["overflow"] == 0
    assert int(s["lost"]) == did["lost"], f"seed {seed}"
    assert int(s["received"]) == 400 - did["lost"]
    assert int(s["duplicates"]) == did["duplicated"], f"seed {seed}"


def test_pm_accuracy_same_seed_same_loss(net):
    lost = [int(net.undisturbed(300, loss="10%", seed=42)["lost"]) for _ in range(2)]
    assert lost[0] == lost[1] > 0


def test_pm_accuracy_delay(net):
    net.impair()
    free = net.measure(200)
    net.impair(delay="20ms")
    held = net.measure(200)
    # least and median: what the host adds now and then is in the uncertainty and beyond the median
    for name in ("min", "p50"):
        off = ns(held, name) - ns(free, name) - 20_000_000
        allowed = ns(held, "uncertainty") + ns(free, "uncertainty")
        assert abs(off) <= allowed, f"{name}: {off} ns off, {allowed} allowed"
        assert ns(held, name) >= 20_000_000, "a frame is never released before its time"


def test_pm_accuracy_jitter(net):
    net.impair(delay="10ms", jitter="5ms", seed=3)
    s = net.measure(400)
    allowed = ns(s, "uncertainty") + 2_000_000
    assert 5_000_000 <= ns(s, "min") <= 5_000_000 + allowed
    assert abs(ns(s, "p50") - 10_000_000) <= allowed
    assert int(s["ipdv-mean"]) > 1_000_000, "uniform within 10 ms: a third of it on average"
    assert int(s["reordered"]) > 0, "delays differ by more than the interval"


def test_pm_accuracy_reordering(net):
    net.impair(delay="10ms", reorder="5%", seed=9)
    s = net.measure(400)
    did = net.did()
    assert did["reordered"] > 0 and int(s["reordered"]) > 0
    # each frame let through overtakes those that left in the 10 ms before it
    assert int(s["reordered"]) <= did["reordered"] * 6
    assert int(s["lost"]) == 0


def test_pm_pacing_of_many_sessions(net):
    """500 sessions at 10 ms on a worker that sleeps when it may: 1 % of the interval is 100 us."""
    net.impair()
    base = {"interfaces": {"interface": [interface("wire", veth_port("wire"), SIX[0] + "/64")]}}
    net.ha.reload({**base, "pm": {"session": [
        {"name": f"s{n}", "destination": SIX[1], "interval": 10, "timeout": 500} for n in range(500)]}})
    time.sleep(1)
    [before] = net.ha.json("pm", "pacing")["heddle-pm:pacing-state"]["worker"]
    start = time.monotonic()
    time.sleep(4)
    [after] = net.ha.json("pm", "pacing")["heddle-pm:pacing-state"]["worker"]
    seconds = time.monotonic() - start
    rate = (int(after["sent"]) - int(before["sent"])) / seconds
    assert after["sessions"] == 500 and abs(rate - 50_000) < 1_500, rate
    assert int(after["p50"]) < 100_000, after
    net.ha.reload(base)


def test_pm_impairment_refusals(net):
    for words in (("nothere",), ("wire", "--loss", "2"), ("wire", "--delay", "1ms", "--jitter", "2ms"),
                  ("wire", "--delay", "forever")):
        assert net.hb.cli("set", "impairment", *words, check=False).returncode != 0
    net.impair()
    assert net.did() == {}, "nothing is in force"
