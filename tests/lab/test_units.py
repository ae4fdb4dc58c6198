# SPDX-License-Identifier: BSD-3-Clause
"""The installed systemd units under a real systemd: a user manager in namespaces of its own, for this test alone.

Only the user, the paths, the times and the privacy of /tmp are changed by drop-ins, as an operator would; capabilities, file
system protection, system call filters and what follows a failure are those of the units."""

import os
import shutil
import time

import pytest

from heddlelab import Heddle, interface, veth_port, wait_for
from heddlelab.heddle import CTRL, DP, STAGE

SYSTEMD = "/lib/systemd/systemd"
UNITS = os.path.join(STAGE, "usr/lib/systemd/system")
pytestmark = pytest.mark.skipif(not os.path.exists(SYSTEMD), reason="no systemd here")

MANAGER = """
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system {xdg}/systemd/user
cd /run/systemd && mkdir inaccessible && cd inaccessible     # what hidden files are covered with
mkdir dir; touch reg; mkfifo fifo; mknod chr c 0 0; mknod blk b 0 0; chmod 0 *
chmod 700 {xdg}
cp -r {units}/. {xdg}/systemd/user/
export XDG_RUNTIME_DIR={xdg}
{systemd} --user --log-target=console --show-status=no &
wait
"""
XDG = "/run/manager"  # not below /run/user, which ProtectHome hides


class Manager:
    """systemd --user for one namespace.  Everything in it ends with it."""

    def __init__(self, lab, namespace, dropins):
        self.ns = namespace
        units = lab.path("units")
        shutil.copytree(UNITS, units)
        for unit, text in dropins.items():
            os.makedirs(os.path.join(units, unit + ".d"))
            with open(os.path.join(units, unit + ".d", "lab.conf"), "w") as out:
                out.write(text)
        script = MANAGER.format(xdg=XDG, units=units, systemd=SYSTEMD)
        self.process = namespace.popen("systemd", ["unshare", "--mount", "--pid", "--fork", "--kill-child",
                                                   "--mount-proc", "bash", "-c", script])
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        self.pid = wait_for("the namespace", lambda: open(children).read().strip())
        wait_for("systemd", lambda: self.ctl("is-system-running", check=False).stdout.strip() in
                 ("running", "degraded"), 20)

    def ctl(self, *args, check=True):
        return self.ns.run(["nsenter", "-t", self.pid, "--mount", "--pid", "env", f"XDG_RUNTIME_DIR={XDG}",
                            "systemctl", "--user", *args], check=check, timeout=60)

    def show(self, unit, what):
        return self.ctl("show", "-P", what, unit).stdout.strip()

    def run_dir(self):
        return f"/proc/{self.pid}/root{XDG}/heddle"


COMMON = "User=\nGroup=\nPrivateTmp=no\nExecStart=\n"  # the lab is in /tmp


def dropins(lab, heddle, dp=None):
    conf = lab.path("dp.conf")
    output = "".join(f"Standard{stream}=append:{lab.path('said')}\n" for stream in ("Output", "Error"))
    with open(conf, "w") as out:
        out.write("no-huge\npower-save\n")
    return {
        "heddle-dp.service": f"[Service]\n{COMMON}{output}"
                             f"ExecStart={dp or DP} --run-dir %t/heddle --conf {conf}\n",
        "heddle-ctrl.service": f"[Service]\n{COMMON}{output}ExecStart={CTRL} --run-dir %t/heddle "
                               f"--state-dir {heddle.state_dir} --config {heddle.config_path}\n"
                               f"ReadWritePaths={heddle.state_dir}\n",
        "heddle-dp-retry.timer": "[Timer]\nOnActiveSec=\nOnActiveSec=3\n",
    }


def said(lab):
    with open(lab.path("said")) as f:
        return f.read()


@pytest.fixture
def net(lab):
    hd, a = lab.ns("hd"), lab.ns("host-a")
    lab.link(a, "eth0", hd, "access")
    a.addr("eth0", "10.0.1.2/24")
    heddle = Heddle(lab, hd, {"interfaces": {"interface": [
        interface("access", veth_port("access"), "10.0.1.1/24")]}})
    return hd, a, heddle


def test_both_run_and_come_back(lab, net):
    """Ready when they say so; killed, each is started again and traffic passes; stopped, they stay so."""
    hd, a, heddle = net
    manager = Manager(lab, hd, dropins(lab, heddle))
    manager.ctl("start", "heddle-ctrl.service")  # it wants the data plane
    wait_for("both", lambda: manager.ctl("is-active", "heddle-dp", "heddle-ctrl", check=False).returncode == 0, 20)
    heddle.run_dir = manager.run_dir()
    wait_for("the configuration", heddle.synchronised, 20)
    a.ping("10.0.1.1")
    bounding = "CapBnd:\t0000008000007000"  # NET_RAW, NET_ADMIN, IPC_LOCK, BPF and nothing else
    pid = manager.show("heddle-dp", "MainPID")
    status = hd.out(["nsenter", "-t", manager.pid, "--mount", "--pid", "cat", f"/proc/{pid}/status"])
    assert bounding in status and "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, status

    for unit in ("heddle-dp", "heddle-ctrl"):
        manager.ctl("kill", "--signal=SEGV", unit)
        wait_for("the restart", lambda u=unit: manager.show(u, "NRestarts") == "1", 20)
        wait_for("both", lambda: manager.ctl("is-active", "heddle-dp", "heddle-ctrl", check=False).returncode == 0)
        wait_for("the configuration", heddle.synchronised, 20)
        wait_for("an answer", lambda: a.ping("10.0.1.1", count=1, check=False, wait=1), 20)

    heddle.write_config({"interfaces": {"interface": [
        interface("access", veth_port("access"), "10.0.1.1/24"), interface("spare", "net_ring0", "10.0.2.1/24")]}})
    manager.ctl("reload", "heddle-ctrl")
    wait_for("the new interface", lambda: "spare" in heddle.show("interfaces"))
    manager.ctl("stop", "heddle-ctrl", "heddle-dp")
    time.sleep(1.5)
    for unit in ("heddle-dp", "heddle-ctrl"):
        assert manager.show(unit, "ActiveState") == "inactive", said(lab)
        assert manager.show(unit, "Result") == "success"


def test_short_memory_is_tried_once_a_while(lab, net):
    """Too little memory: one try and no loop; when memory is there, the next try finds it by itself."""
    hd, _, heddle = net
    manager = Manager(lab, hd, dropins(lab, heddle))
    conf = lab.path("dp.conf")
    with open(conf, "w") as out:
        out.write("no-huge\npower-save\nmbufs=60000000\n")
    assert manager.ctl("start", "heddle-dp", check=False).returncode != 0
    assert manager.show("heddle-dp", "ExecMainStatus") == "3"
    assert manager.show("heddle-dp", "ActiveState") == "failed"
    assert manager.show("heddle-dp", "NRestarts") == "0"
    assert manager.show("heddle-dp-retry.timer", "ActiveState") == "active"
    time.sleep(4)  # a try later it waits again
    assert manager.show("heddle-dp", "ActiveState") == "failed"
    assert manager.show("heddle-dp-retry.timer", "ActiveState") == "active"
    assert 2 <= said(lab).count("start with fewer packet buffers") <= 3, said(lab)
    with open(conf, "w") as out:
        out.write("no-huge\npower-save\n")
    wait_for("the next try", lambda: manager.show("heddle-dp", "ActiveState") == "active", 20)


def test_a_crash_loop_slows_down(lab, net):
    """Five quick restarts, then one try at a time."""
    hd, _, heddle = net
    broken = lab.path("broken")
    with open(broken, "w") as out:
        out.write(f"#!/bin/sh\necho x >> {lab.path('tries')}\nkill -ABRT $$\n")
    os.chmod(broken, 0o755)
    texts = dropins(lab, heddle, broken)
    texts["heddle-dp.service"] += f"ReadWritePaths={lab.dir}\nRestartSec=100ms\n"
    texts["heddle-dp.service"] += "[Unit]\nStartLimitIntervalSec=5\n"
    texts["heddle-dp-retry.timer"] = "[Timer]\nOnActiveSec=\nOnActiveSec=6\n"
    manager = Manager(lab, hd, texts)

    def tries():
        with open(lab.path("tries")) as f:
            return len(f.readlines())

    manager.ctl("start", "heddle-dp", check=False)
    wait_for("the limit", lambda: manager.show("heddle-dp", "ActiveState") == "failed", 20)
    assert tries() == 5
    time.sleep(3)
    assert tries() == 5
    wait_for("another try", lambda: tries() > 5, 20)


def test_a_bad_configuration_is_not_tried_again(lab, net):
    hd, _, heddle = net
    heddle.write_config("interfaces: {interface: [{name: x, nonsense: 1}]}\n")
    manager = Manager(lab, hd, dropins(lab, heddle))
    manager.ctl("start", "heddle-ctrl", check=False)
    wait_for("the end", lambda: manager.show("heddle-ctrl", "ActiveState") == "failed", 20)
    time.sleep(3)
    assert manager.show("heddle-ctrl", "NRestarts") == "0"
    assert manager.show("heddle-ctrl", "ExecMainStatus") == "3"
    assert f"{heddle.config_path}:1" in said(lab)
