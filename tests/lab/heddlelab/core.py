# SPDX-License-Identifier: BSD-3-Clause
"""Namespaces, links and processes of a lab, and their removal."""

import ctypes
import fcntl
import glob
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time

LIBC = ctypes.CDLL("libc.so.6", use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PREFIX = "heddle-lab."


class LabError(Exception):
    """Something in the lab did not work; the text has the command and what it printed."""


def _words(cmd):
    return shlex.split(cmd) if isinstance(cmd, str) else [str(w) for w in cmd]


def _die_with_parent():
    # A lab that is killed with -9 takes its processes with it.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for(what, condition, timeout=10.0, step=0.05):
    """Wait until condition() is true and return its value; LabError naming `what` after timeout seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise LabError(f"{what}: not within {timeout:g} s")
        time.sleep(step)


class Process:
    """A program started in a namespace, its output in a file of the lab."""

    def __init__(self, lab, name, argv, cwd=None, env=None):
        self.name = name
        self.argv = argv
        self.log_path = os.path.join(lab.dir, f"{name}.log")
        self._log = open(self.log_path, "ab", buffering=0)
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self._log,
                                      stderr=subprocess.STDOUT, cwd=cwd, env=env,
                                      start_new_session=True, preexec_fn=_die_with_parent)
        lab.processes.append(self)

    @property
    def pid(self):
        return self.popen.pid

    @property
    def running(self):
        return self.popen.poll() is None

    def log(self, lines=0):
        with open(self.log_path, errors="replace") as log:
            text = log.read()
        return "\n".join(text.splitlines()[-lines:]) if lines else text

    def kill(self, sig=signal.SIGKILL, timeout=5.0):
        """Send one signal to this process and wait for its end."""
        if self.running:
            self.popen.send_signal(sig)
        return self.wait(timeout)

    def wait(self, timeout=5.0):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name}: still running after {timeout:g} s") from None

    def stop(self, timeout=5.0):
        """SIGTERM, and SIGKILL when that is not enough; the exit code (negative: the signal)."""
        if self.running:
            self.popen.terminate()
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(timeout)
        self._log.close()
        return self.popen.returncode


class Namespace:
    """A network namespace of the lab."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.netns = f"hl{lab.id}-{name}"
        self.path = f"/run/netns/{self.netns}"
        lab.host(f"ip netns add {self.netns}")
        lab.namespaces.append(self)
        # No duplicate address detection: an address is usable at once. Only inside this namespace.
        for sysctl in ("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                       "net.ipv6.conf.all.accept_ra=0", "net.ipv6.conf.default.accept_ra=0",
                       "net.ipv6.conf.default.router_solicitations=0",
                       "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
                       "net.ipv4.ping_group_range=0 2147483647"):
            self.sysctl(sysctl)
        self.ip("link set lo up")

    def __str__(self):
        return self.name

    def argv(self, cmd):
        return ["nsenter", f"--net={self.path}", "--"] + _words(cmd)

    def run(self, cmd, check=True, timeout=30, stdin=None, env=None):
        """Run a command here to its end; LabError with its output when it fails and check is set."""
        return self.lab.run(self.argv(cmd), check=check, timeout=timeout, stdin=stdin, env=env,
                            where=self.name)

    def out(self, cmd, **kwargs):
        return self.run(cmd, **kwargs).stdout

    def popen(self, name, cmd, **kwargs):
        """Start a program here; its output goes to <lab>/<name>.log."""
        return Process(self.lab, name, self.argv(cmd), **kwargs)

    def ip(self, args, check=True):
        return self.run(["ip"] + _words(args), check=check)

    def sysctl(self, setting):
        return self.run(["sysctl", "-qw", setting])

    def addr(self, dev, *addresses):
        for address in addresses:
            self.ip(f"addr add {address} dev {dev}" + (" nodad" if ":" in address else ""))

    def route(self, *routes):
        for route in routes:
            family = "-6 " if ":" in route else ""
            self.ip(f"{family}route add {route}")

    def forwarding(self):
        """Make this namespace a router that processes segment routing headers."""
        self.sysctl("net.ipv4.ip_forward=1")
        self.sysctl("net.ipv6.conf.all.forwarding=1")
        self.sysctl("net.ipv6.conf.all.seg6_enabled=1")
        self.sysctl("net.ipv6.conf.default.seg6_enabled=1")
        for dev in self.devices():
            self.sysctl(f"net.ipv6.conf.{dev}.seg6_enabled=1")

    def devices(self):
        return [d for d in self.out("ls /proc/sys/net/ipv6/conf").split() if d not in ("all", "default")]

    def mac(self, dev):
        return self.out(["ip", "-br", "link", "show", dev]).split()[2]

    def counters(self, dev):
        """(rx packets, tx packets) as this namespace's kernel counts them."""
        for line in self.out("cat /proc/self/net/dev").splitlines():
            name, _, rest = line.partition(":")
            if name.strip() == dev:
                fields = rest.split()
                return int(fields[1]), int(fields[9])
        raise LabError(f"{self.name}: no device {dev}")

    def ping(self, target, count=3, interval=0.05, wait=2, size=56, options="", check=True):
        """Number of replies; LabError unless all came and check is set."""
        done = self.run(f"ping -n -q -c {count} -i {interval} -W {wait} -s {size} {options} {target}",
                        check=False, timeout=count * max(interval, 0.01) + 30)
        received = 0
        for line in done.stdout.splitlines():
            if " received" in line:
                received = int(line.split(",")[1].split()[0])
        if check and received != count:
            raise LabError(f"{self.name}: ping {target}: {received} of {count} answered\n"
                           f"{done.stdout}{done.stderr}")
        return received

    def call(self, function, *args):
        """Run a Python function in this namespace. Only its thread moves: a socket that it opens stays here."""
        result = {}

        def body():
            try:
                with open(self.path) as netns:
                    if LIBC.setns(netns.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result["value"] = function(*args)
            except BaseException as error:  # handed to the caller, whatever it is
                result["error"] = error

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if "error" in result:
            raise result["error"]
        return result["value"]


class Lab:
    """One lab. Names carry the lab's id, so several labs and several runs live side by side."""

    def __init__(self, keep=False):
        self.namespaces = []
        self.processes = []
        self.keep = keep
        self._closed = False
        Lab.remove_stale()
        self.dir = tempfile.mkdtemp(prefix=PREFIX)
        os.chmod(self.dir, 0o755)
        self.id = self.dir.rsplit(".", 1)[1]
        self._lock = open(os.path.join(self.dir, "lock"), "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    @staticmethod
    def remove_stale():
        """Remove what a run left behind that had no chance to clean up: its lock is free."""
        for path in glob.glob(os.path.join(tempfile.gettempdir(), PREFIX + "*")):
            try:
                with open(os.path.join(path, "lock")) as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    ident = path.rsplit(".", 1)[1]
                    for netns in glob.glob(f"/run/netns/hl{ident}-*"):
                        subprocess.run(["ip", "netns", "del", os.path.basename(netns)], check=False)
                    shutil.rmtree(path, ignore_errors=True)
            except OSError:
                continue

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def host(self, cmd, check=True):
        return self.run(_words(cmd), check=check)

    def run(self, argv, check=True, timeout=30, stdin=None, env=None, where=""):
        try:
            done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=timeout,
                                  input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                                  env=env, check=False)
        except subprocess.TimeoutExpired as late:
            raise LabError(f"{where}: '{shlex.join(argv)}' took more than {timeout} s\n"
                           f"{late.stdout or ''}{late.stderr or ''}") from None
        if check and done.returncode != 0:
            shown = argv[3:] if argv[0] == "nsenter" else argv
            raise LabError(f"{where}: '{shlex.join(shown)}' ended with {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
        return done

    def ns(self, name):
        return Namespace(self, name)

    def link(self, a, a_dev, b, b_dev, mtu=1500, queues=1):
        """A veth pair between two namespaces, both ends up. Offloads are off: what one end sends is whole
        packets with right checksums, as on a wire."""
        many = f"numrxqueues {queues} numtxqueues {queues}"
        self.host(f"ip link add name {a_dev} netns {a.netns} mtu {mtu} {many} type veth "
                  f"peer name {b_dev} netns {b.netns} mtu {mtu} {many}")
        for ns, dev in ((a, a_dev), (b, b_dev)):
            ns.run(f"ethtool -K {dev} tx off rx off tso off gso off gro off")
            ns.ip(f"link set {dev} up")

    def tail(self, lines=40, names=""):
        """The last lines of the log of every process whose name begins so, for a failure report."""
        parts = []
        for process in self.processes:
            if not process.name.startswith(names):
                continue
            state = "running" if process.running else f"exit code {process.popen.returncode}"
            parts.append(f"--- {process.name} ({state}): {shlex.join(process.argv[3:])}\n{process.log(lines)}")
        return "\n".join(parts)

    def close(self):
        if self._closed:
            return
        self._closed = True
        if threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C
            try:
                self._remove()
            finally:
                signal.signal(signal.SIGINT, before)
        else:
            self._remove()

    def _remove(self):
        for process in reversed(self.processes):
            try:
                process.stop()
            except (LabError, subprocess.TimeoutExpired, OSError):
                pass
        for namespace in self.namespaces:
            self.host(f"ip netns del {namespace.netns}", check=False)
        self._lock.close()
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)
