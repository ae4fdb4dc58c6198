# SPDX-License-Identifier: BSD-3-Clause
"""heddle doctor on this host and on a running system: well, without its data plane, without rights, losing packets."""

import json
import os

import pytest

from heddlelab import Heddle, interface, veth_port, wait_for
from heddlelab.heddle import CLI

CONFIG = {"interfaces": {"interface": [interface("lan", veth_port("access"), "10.0.1.1/24")]}}


@pytest.fixture
def net(lab):
    hd, a = lab.ns("hd"), lab.ns("host-a")
    lab.link(a, "eth0", hd, "access")
    a.addr("eth0", "10.0.1.2/24")
    a.route("default via 10.0.1.1")
    return hd, a


def examine(heddle):
    """Exit status, and findings of the running system by check."""
    done = heddle.cli("doctor", "--json", check=False)
    answer = json.loads(done.stdout)["doctor"]
    status = {"ok": 0, "note": 0, "warning": 3, "error": 1}[answer["worst"]]
    assert done.returncode == status, answer
    for finding in answer["finding"]:
        if finding["level"] in ("warning", "error"):
            assert finding.get("mend") or finding.get("means"), finding
    return {f["check"]: f for f in answer["finding"] if f["area"] == "system"}


def test_a_system_that_is_well(lab, net):
    hd, a = net
    heddle = Heddle(lab, hd, CONFIG).start()
    a.ping("10.0.1.1")
    found = examine(heddle)
    for check in ("versions", "configuration", "rights", "ports", "queues", "workers", "drops"):
        assert found[check]["level"] == "ok", found[check]
    text = heddle.cli("doctor", check=False).stdout
    assert "This host" in text and "The running system" in text and "nothing was changed" in text


def test_without_the_data_plane(lab, net):
    hd, _ = net
    heddle = Heddle(lab, hd, CONFIG).start()
    heddle.kill_dp()
    wait_for("the loss", lambda: not heddle.synchronised())
    found = examine(heddle)
    assert found["processes"]["level"] == "error" and "heddle-dp" in found["processes"]["mend"]
    heddle.kill_ctrl()
    found = examine(heddle)
    assert "does not answer" in found["processes"]["found"]


def test_a_crash_is_remembered(lab, net):
    hd, _ = net
    heddle = Heddle(lab, hd, CONFIG).start()
    heddle.dp.kill(11)
    heddle.start_dp()
    heddle.wait_ready()
    assert examine(heddle)["crashes"]["level"] == "error"


def test_rights_that_af_xdp_needs(lab, net):
    hd, _ = net
    without = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    steered = {"interfaces": {"interface": [
        interface("lan", veth_port("access", "af_xdp"), "10.0.1.1/24", xdp_steering={})]}}
    heddle = Heddle(lab, hd, steered, dp_wrap=without).start()
    found = examine(heddle)["rights"]
    assert found["level"] == "warning" and "CAP_SYS_ADMIN" in found["mend"], found


def test_drops_that_go_on(lab, net):
    hd, a = net
    down = interface("far", "net_ring0", "10.0.2.1/24", enabled=False)
    heddle = Heddle(lab, hd, {"interfaces": {"interface": CONFIG["interfaces"]["interface"] + [down]}}).start()
    stream = a.popen("stream", "ping -n -q -i 0.01 -c 600 -W 1 10.0.2.77")
    wait_for("drops", lambda: "link-down" in heddle.show("drops"))
    found = examine(heddle)["drops"]
    assert found["level"] in ("warning", "error") and "link-down" in found["found"], found
    assert "heddle explain --drop" in found["mend"]
    assert heddle.cli(*found["mend"].split()[1:]).returncode == 0, "the command works as it is printed"
    stream.kill()


def test_needs_no_rights_and_changes_nothing(lab):
    """As nobody, without a running system: what it says of the host is what root is told."""
    def host(*wrap):
        done = lab.ns(f"n{len(wrap)}").run([*wrap, CLI, "--socket", "/nonexistent/ctrl.sock", "doctor", "--json"],
                                           check=False)
        return [f for f in json.loads(done.stdout)["doctor"]["finding"]
                if f["area"] == "host" and f["check"] != "memory"]

    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
    if lab.ns("probe").run([*nobody, "test", "-x", CLI], check=False).returncode != 0:
        pytest.skip(f"user nobody cannot reach {os.path.dirname(CLI)}")
    assert host() == host(*nobody)
