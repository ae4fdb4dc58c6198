# SPDX-License-Identifier: BSD-3-Clause
"""The Session-Sender against the kernel's UDP stack, by a reflector that is not ours in anything but its few lines of
Python; over two workers, so that replies meet another one than their session's.

    Heddle (Session-Sender) ── host"""

import json
import os

import pytest

from heddlelab import Heddle, interface, veth_port, wait_for
from heddlelab import stamp_reflector

REFLECTOR = os.path.abspath(stamp_reflector.__file__)
SIX, FOUR = ("2001:db8:a::1", "2001:db8:a::2"), ("10.0.1.1", "10.0.1.2")
KEY = "00112233445566778899aabbccddeeff"


class Net:
    def __init__(self, lab):
        self.host, self.hd = lab.ns("host"), lab.ns("hd")
        lab.link(self.host, "eth0", self.hd, "access")
        self.host.addr("eth0", FOUR[1] + "/24", SIX[1] + "/64")
        self.heddle = Heddle(lab, self.hd, {
            "interfaces": {"interface": [interface("access", veth_port("access"), FOUR[0] + "/24", SIX[0] + "/64")]},
            "pm": {"key": [{"key-id": 1, "secret": "0x" + KEY}]}}, dp_args=["--workers", "2"]).start()
        self.port = 7000

    def measure(self, *args, peer=(), address=SIX[1]):
        self.port += 1
        process = self.host.popen(f"reflector{self.port}",
                                  ["/usr/bin/python3", REFLECTOR, address, str(self.port), *peer])
        wait_for("the reflector", lambda: "ready" in process.log(), 10)
        # the first packet of all waits for the neighbour; let it
        self.heddle.cli("pm", "measure", address, "--port", "9", "--count", "1", "--timeout", "300", check=False)
        try:
            done = self.heddle.cli("pm", "measure", address, "--port", str(self.port), "--count", "100",
                                   "--interval", "2ms", *args, "--json", check=False)
        finally:
            process.popen.terminate()
            process.popen.wait(timeout=5)
        [s] = json.loads(done.stdout)["heddle-pm:output"]["session"]
        assert done.returncode == (1 if s["received"] == "0" else 0)
        return s


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


def counts(s):
    return tuple(int(s[k]) for k in ("sent", "received", "lost", "duplicates"))


@pytest.mark.parametrize("address", [SIX[1], FOUR[1]])
def test_pm_peer_stamp(net, address):
    s = net.measure(address=address)
    assert counts(s) == (100, 100, 0, 0)
    assert int(s["received-hop-limit"]) == 255 and "forward" in s


def test_pm_peer_loss_and_duplicates_are_exact(net):
    s = net.measure(peer=("--lose", "3,4,50,99", "--twice", "10,20,30"))
    assert counts(s) == (100, 96, 4, 3)
    assert s["loss-ratio"] == "0.040000"


def test_pm_peer_time_of_the_reflector_is_no_delay(net):
    s = net.measure("--interval", "20ms", peer=("--hold-ms", "8"))
    assert counts(s)[:3] == (100, 100, 0)
    assert int(s["round-trip"]["p50"]) < 7_000_000, "without the 8 ms"


def test_pm_peer_stateful(net):
    s = net.measure("--stateful", peer=("--stateful", "--lose", "5,6"))
    assert counts(s)[2] == 2 and "lost-backward" not in s, "lost on the way there: no gap in its own numbers"


def test_pm_peer_authenticated(net):
    assert counts(net.measure("--key", "1", peer=("--key", KEY))) == (100, 100, 0, 0)
    assert counts(net.measure("--key", "1", "--timeout", "100", peer=("--key", "ff" + KEY[2:]))) == (100, 0, 100, 0), \
        "another key"


@pytest.mark.parametrize("shape", [("--cut", "3"), ("--extra", "27")])
def test_pm_peer_twamp_light(net, shape):
    """Replies of 41 and of 71 octets to requests of 44 (RFC 5357 section 4.2.1)."""
    s = net.measure("--twamp-light", "--local-port", "50901", peer=(*shape, "--forget-ssid"))
    assert counts(s) == (100, 100, 0, 0)


def test_pm_peer_without_ssid(net):
    s = net.measure("--local-port", "50902", peer=("--forget-ssid",))
    assert counts(s) == (100, 100, 0, 0) and s["ssid-unknown"] is True
