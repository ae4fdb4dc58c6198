# SPDX-License-Identifier: BSD-3-Clause
"""Heddle in a namespace: its two processes, its configuration, and its command line."""

import json
import os
import signal
import subprocess

import yaml

from .core import LabError, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
STAGE = os.environ.get("HEDDLE_STAGE", os.path.join(ROOT, "build", "stage"))
DP = os.path.join(STAGE, "usr/sbin/heddle-dp")
CTRL = os.path.join(STAGE, "usr/sbin/heddle-ctrl")
CLI = os.path.join(STAGE, "usr/bin/heddle")
YANG = os.path.join(STAGE, "usr/share/heddle/yang")

# A data plane of a lab shares two CPUs with others, and has no hugepages.
DP_ARGS = ["--no-huge", "--power-save"]


def veth_port(dev, driver="af_packet", queues=1):
    """DPDK devargs that put a data plane on a device of its namespace."""
    if driver == "af_packet":
        return f"net_af_packet_{dev},iface={dev}" + (f",qpairs={queues}" if queues > 1 else "")
    if driver == "af_xdp":
        return f"net_af_xdp_{dev},iface={dev}" + (f",queue_count={queues}" if queues > 1 else "")
    raise ValueError(driver)


def interface(name, devargs, *addresses, **leaves):
    """One entry of interfaces/interface: a port with its addresses."""
    entry = {"name": name, "devargs": devargs}
    return _with_addresses(entry, addresses, leaves)


def subinterface(name, parent, outer, *addresses, inner=None, tpid="0x8100", **leaves):
    """One entry of interfaces/interface: a VLAN sub-interface with its addresses."""
    entry = {"name": name, "parent": parent, "outer-vlan": {"id": outer, "type": tpid}}
    if inner is not None:
        entry["inner-vlan"] = inner
    return _with_addresses(entry, addresses, leaves)


def _with_addresses(entry, addresses, leaves):
    for address in addresses:
        ip, _, length = address.partition("/")
        family = entry.setdefault("ipv6" if ":" in ip else "ipv4", {"address": []})
        family["address"].append({"ip": ip, "prefix-length": int(length)})
    for key, value in leaves.items():
        entry[key.replace("_", "-")] = value
    return entry


class _PlainDumper(yaml.SafeDumper):
    """No anchors for what a test uses twice: heddle-ctrl refuses them."""

    def ignore_aliases(self, data):
        return True


class Heddle:
    """A data plane and its control process in one namespace of a lab.

    config is a dict of the configuration's top level, or YAML text. Both processes have their run-time
    and state folders inside the lab's own. dp_wrap is a command to start heddle-dp with (setpriv ...); kernel: this
    namespace's kernel has the devices too."""

    def __init__(self, lab, namespace, config=None, name=None, dp_args=(), ctrl_args=(), dp_wrap=(),
                 kernel=False):
        self.lab = lab
        self.ns = namespace
        self.name = name or namespace.name
        self.dp_args = list(dp_args)
        self.ctrl_args = list(ctrl_args)
        self.dp_wrap = list(dp_wrap)
        self.run_dir = lab.path(f"{self.name}-run")
        self.state_dir = lab.path(f"{self.name}-state")
        for path in (self.run_dir, self.state_dir):
            os.makedirs(path, exist_ok=True)
        # The devices are Heddle's: the kernel at this end keeps quiet on them, unless it is mirrored.
        for dev in [] if kernel else namespace.devices():
            if dev != "lo":
                namespace.sysctl(f"net.ipv6.conf.{dev}.disable_ipv6=1")
        self.config_path = lab.path(f"{self.name}.yaml")
        self.write_config(config or {})
        self.dp = None
        self.ctrl = None
        self._starts = 0

    def write_config(self, config):
        text = config if isinstance(config, str) else yaml.dump(config, Dumper=_PlainDumper, sort_keys=False)
        with open(self.config_path, "w") as out:
            out.write(text)

    # --- processes ---

    def start_dp(self):
        self._starts += 1
        self.dp = self.ns.popen(f"{self.name}-dp{self._starts}",
                                self.dp_wrap + [DP, "--run-dir", self.run_dir] + DP_ARGS + self.dp_args)
        self._wait("heddle-dp to open its socket", self.dp,
                   lambda: os.path.exists(os.path.join(self.run_dir, "dp.sock")))
        return self.dp

    def start_ctrl(self):
        self._starts += 1
        self.ctrl = self.ns.popen(f"{self.name}-ctrl{self._starts}",
                                  [CTRL, "--run-dir", self.run_dir, "--state-dir", self.state_dir,
                                   "--config", self.config_path] + self.ctrl_args)
        return self.ctrl

    def start(self, timeout=20):
        """Start both and wait until the data plane holds the configuration."""
        self.start_dp()
        self.start_ctrl()
        self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=20):
        self._wait("heddle-ctrl to program the data plane", self.ctrl, self.synchronised, timeout)

    def _wait(self, what, process, condition, timeout=20):
        def check():
            if not process.running:
                raise LabError(f"{process.name} ended with {process.popen.returncode} while waiting for "
                               f"{what}\n{process.log(30)}")
            return condition()

        try:
            wait_for(f"{self.name}: {what}", check, timeout)
        except LabError as error:
            raise LabError(f"{error}\n{process.log(30)}") from None

    def synchronised(self):
        """True when the running configuration is what the data plane holds."""
        try:
            return self.state("version")["dataplane"]["synchronised"]
        except (LabError, KeyError, TypeError):
            return False

    def kill_dp(self, sig=signal.SIGKILL):
        self.dp.kill(sig)

    def kill_ctrl(self, sig=signal.SIGKILL):
        self.ctrl.kill(sig)

    def reload(self, config):
        """Write a new configuration and load it; LabError with the refusal when it is not taken."""
        self.write_config(config)
        return self.cli("load", self.config_path)

    # --- command line ---

    def cli(self, *args, check=True, stdin=None, timeout=30):
        """Run the heddle command; its CompletedProcess."""
        words = args[0].split() if len(args) == 1 else list(args)
        argv = [CLI, "--socket", os.path.join(self.run_dir, "ctrl.sock")] + words
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False,
                              input=stdin, stdin=subprocess.DEVNULL if stdin is None else None)
        if check and done.returncode != 0:
            raise LabError(f"{self.name}: heddle {' '.join(words)} ended with {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
        return done

    def show(self, what, *args):
        """The human form of "heddle show <what>"."""
        return self.cli("show", *what.split(), *args).stdout

    def json(self, *args):
        """Any command with --json, parsed."""
        words = args[0].split() if len(args) == 1 else list(args)
        done = self.cli(*words, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise LabError(f"heddle {' '.join(words)} --json did not print JSON:\n{done.stdout}") from None

    def state(self, what):
        """"heddle show <what> --json" without its outermost container(s)."""
        return unwrap(self.json("show", *what.split()))


def unwrap(tree):
    """Step into a tree as long as it is an object with a single member that is an object or a list."""
    while isinstance(tree, dict) and len(tree) == 1:
        inner = next(iter(tree.values()))
        if not isinstance(inner, (dict, list)):
            break
        tree = inner
    return tree
