# SPDX-License-Identifier: BSD-3-Clause
"""Heddle as a service: readiness told to systemd, a crash that leaves a report, a stop that is clean."""

import glob
import os
import re
import signal
import socket
import time

import pytest

from heddlelab import Heddle, interface, veth_port, wait_for
from heddlelab.heddle import CTRL, DP, DP_ARGS

CONFIG = {"interfaces": {"interface": [interface("a", "net_ring0", "10.0.1.1/24")]}}


class NotifySocket:
    """What systemd gives a Type=notify service."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.sock.settimeout(10)

    def next(self):
        return self.sock.recv(4096).decode()

    def until(self, word):
        while True:
            if word in self.next():
                return True


@pytest.mark.parametrize("process", ["heddle-dp", "heddle-ctrl"])
def test_systemd_is_told(lab, process):
    hd = lab.ns("hd")
    heddle = Heddle(lab, hd, CONFIG)
    notify = NotifySocket(lab.path("notify"))
    env = dict(os.environ, NOTIFY_SOCKET=notify.path)
    if process == "heddle-dp":
        argv = [DP, "--run-dir", heddle.run_dir] + DP_ARGS
    else:
        argv = [CTRL, "--run-dir", heddle.run_dir, "--state-dir", heddle.state_dir, "--config", heddle.config_path]
    service = hd.popen(process, argv, env=env)
    assert notify.until("READY=1")
    service.kill(signal.SIGTERM)
    assert notify.until("STOPPING=1")
    assert service.wait(10) == 0


def test_crash_leaves_a_report(lab):
    """SIGSEGV: the report has the last packets and transactions, and the data plane comes back when started."""
    hd = lab.ns("hd")
    heddle = Heddle(lab, hd, CONFIG).start()
    heddle.dp.kill(signal.SIGSEGV)
    wait_for("a crash report", lambda: glob.glob(os.path.join(heddle.run_dir, "crash-*.txt")))
    with open(glob.glob(os.path.join(heddle.run_dir, "crash-*.txt"))[0]) as f:
        report = f.read()
    assert "SIGSEGV" in report and "heddle-dp" in report, report[:500]
    assert "commit" in report, "the last table transactions"
    assert "worker 0" in report
    heddle.start_dp()
    heddle.wait_ready()


def test_reload_by_signal(lab):
    """SIGHUP: a good file is in force; a bad one changes nothing and is named by path and line."""
    hd = lab.ns("hd")
    heddle = Heddle(lab, hd, CONFIG).start()
    heddle.write_config({"interfaces": {"interface": [interface("a", "net_ring0", "10.0.1.1/24"),
                                                      interface("b", "net_ring1", "10.0.2.1/24")]}})
    os.kill(heddle.ctrl.pid, signal.SIGHUP)
    wait_for("interface b", lambda: "b " in heddle.show("interfaces"))
    heddle.write_config("interfaces:\n  interface:\n    - name: c\n      nonsense: 1\n")
    os.kill(heddle.ctrl.pid, signal.SIGHUP)
    wait_for("the refusal in the log", lambda: f"{heddle.config_path}:4:" in heddle.ctrl.log())
    assert "b " in heddle.show("interfaces") and heddle.synchronised()


@pytest.mark.parametrize("size,mends", [
    ("--huge", r"echo \d+ > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"),
    ("--no-huge", r"--mbufs (\d+)"),
])
def test_short_memory_is_one_clear_error(lab, size, mends):
    """Need, have, and the command that mends it; nothing else is printed."""
    done = lab.ns("hd").run([DP, "--run-dir", lab.path("run"), size, "--mbufs", "60000000"], check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert done.returncode != 0 and len(lines) == 1, lines
    have = re.search(r"need \d+ MiB .*have (\d+) MiB", lines[0])
    mend = re.search(mends, lines[0])
    assert have and mend, lines[0]
    if mend.groups():  # the proposal fits into what is there
        assert int(mend.group(1)) * 2496 / 2**20 + 48 < int(have.group(1)), lines[0]


def test_power_save_sleeps(lab):
    """An idle worker with --power-save leaves the CPU to others, and still answers at once."""
    hd, a = lab.ns("hd"), lab.ns("host-a")
    lab.link(a, "eth0", hd, "access")
    a.addr("eth0", "10.0.1.2/24")
    heddle = Heddle(lab, hd, {"interfaces": {"interface": [
        interface("access", veth_port("access"), "10.0.1.1/24")]}}).start()
    a.ping("10.0.1.1")

    def sleeps():
        """How often the worker's thread gave up the CPU by itself."""
        for task in glob.glob(f"/proc/{heddle.dp.pid}/task/*"):
            with open(f"{task}/status") as status:
                text = status.read()
            if re.search(r"^Name:\s+rte-worker", text, re.M):
                return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
        raise AssertionError("no worker thread")

    before = sleeps()
    time.sleep(2)
    assert sleeps() - before > 200
    a.ping("10.0.1.1", count=5)
