# SPDX-License-Identifier: BSD-3-Clause
"""The command line as people use it: the shell in a terminal (tmux), scripts, bash completion, the manual."""

import glob
import os
import re
import shutil
import subprocess
import time

import pytest

from heddlelab import Heddle, interface, wait_for
from heddlelab.heddle import CLI, STAGE

CONFIG = {
    "system": {"hostname": "edge1"},
    "interfaces": {"interface": [interface("access", "net_ring0", "10.0.1.1/24"),
                                 interface("core", "net_ring1", "10.0.2.1/24", "2001:db8:12::1/64")]},
    "ip": {"vrf": [{"name": "red"}, {"name": "blue"}]},
    "srv6": {"locator": [{"name": "l", "prefix": "fc00:1::/48"}],
             "sid": [{"sid": "fc00:1::e/128", "behavior": "end"}, {"sid": "fc00:1::e7/128", "behavior": "end"}]},
}


class Net:
    def __init__(self, lab):
        self.heddle = Heddle(lab, lab.ns("hd"), CONFIG).start()
        self.socket = os.path.join(self.heddle.run_dir, "ctrl.sock")
        self.home = lab.path("home")
        os.makedirs(self.home)
        self.env = {**os.environ, "HEDDLE_SOCKET": self.socket, "HOME": self.home, "NO_COLOR": "1",
                    "PATH": f"{os.path.dirname(CLI)}:{os.environ['PATH']}"}

    def run(self, *args, stdin=""):
        return subprocess.run([CLI, *args], input=stdin, env=self.env, capture_output=True, text=True, timeout=30,
                              check=False)


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


# --- scripts -----------------------------------------------------------------------------------------------


SCRIPT = """\
# a comment
show version | grep -c heddle-dp
show nonsense        # fails
  sh int
heddle show "routes" --vrf 'red'
exit
show drops
"""


@pytest.mark.parametrize("how", ["stdin", "file"])
def test_script(net, how, tmp_path):
    path = tmp_path / "changes.txt"
    path.write_text(SCRIPT)
    done = net.run(stdin=SCRIPT) if how == "stdin" else net.run("-f", str(path))
    assert done.returncode == 2
    assert done.stdout.splitlines()[0] == "1", done.stdout
    assert re.search(r"^access\b", done.stdout, re.M), done.stdout
    assert "nothing was dropped" not in done.stdout, "a command behind exit ran"
    name = "stdin" if how == "stdin" else str(path)
    assert f"heddle: {name}:3: failed: show nonsense" in done.stderr, done.stderr


def test_script_stops_at_the_first_error(net):
    done = net.run("-e", stdin=SCRIPT)
    assert done.returncode == 2 and "access" not in done.stdout
    assert net.run("-e", stdin="show version\nshow drops\n").returncode == 0
    done = net.run("shell", "-e", stdin='show "version\n')
    assert done.returncode == 2 and "a quote has no end" in done.stderr
    done = net.run("-f", "/nonexistent")
    assert done.returncode == 1 and "No such file" in done.stderr


@pytest.mark.parametrize("args,prefixes", [
    (["10.0.1.7"], ["10.0.1.0/24"]), (["10.0.1.1"], ["10.0.1.0/24", "10.0.1.1/32"]),
    (["10.0.0.0/8"], ["10.0.1.0/24", "10.0.1.1/32", "10.0.2.0/24", "10.0.2.1/32"]), (["10.0.2.0/25"], ["10.0.2.1/32"]),
    (["2001:db8:12::/64"], ["2001:db8:12::/64", "2001:db8:12::1/128"]), (["8.8.8.8"], []),
    (["--vrf", "red"], []), (["10.0.2.9", "--vrf", "default"], ["10.0.2.0/24"]),
])
def test_routes_of_a_prefix(net, args, prefixes):
    got = net.heddle.json("show", "routes", *args)["heddle-ip:route-state"]["route"]
    assert sorted(r["prefix"] for r in got) == prefixes
    table = net.heddle.cli("show", "routes", *args).stdout.splitlines()[1:]
    assert sorted(line.split()[1] for line in table) == prefixes
    done = net.heddle.cli("show", "routes", "10.0.0.0/33", check=False)
    assert done.returncode == 2 and "no address and no prefix" in done.stderr


# --- a terminal ----------------------------------------------------------------------------------------------


class Terminal:
    """The shell in a tmux of its own: keys go in, what the screen shows comes out."""

    def __init__(self, net):
        # its socket lies in the lab's folder, and goes with it
        self.tmux = ["tmux", "-S", os.path.join(net.home, f"tmux-{time.monotonic_ns()}"), "-f", "/dev/null"]
        subprocess.run(self.tmux + ["new-session", "-d", "-x", "150", "-y", "50", CLI], env=net.env, check=True)
        try:
            self.until(r"edge1>$")
        except AssertionError:
            self.close()
            raise

    def keys(self, *keys):
        subprocess.run(self.tmux + ["send-keys", *keys], check=True)

    def type(self, text):
        subprocess.run(self.tmux + ["send-keys", "-l", text], check=True)

    def screen(self):
        done = subprocess.run(self.tmux + ["capture-pane", "-p"], capture_output=True, text=True, check=False)
        return done.stdout.rstrip("\n")

    def until(self, pattern):
        """Wait until the screen matches; a line's trailing space is not shown."""
        try:
            wait_for(pattern, lambda: re.search(pattern, self.screen(), re.M), timeout=10)
        except Exception:
            raise AssertionError(f"no '{pattern}' on the screen:\n{self.screen()}") from None
        return self.screen()

    def clear(self):
        self.keys("C-a", "C-k", "C-l")
        self.until(r"\Aedge1>\Z")

    def close(self):
        subprocess.run(self.tmux + ["kill-server"], check=False, capture_output=True)


@pytest.fixture
def terminal(net):
    made = Terminal(net)
    yield made
    made.close()


@pytest.mark.parametrize("typed,becomes", [
    ("sh", "show "), ("sh inter", "sh interfaces "), ("show n", "show neighbours "), ("cap", "capture "),
    ("show routes --v", "show routes --vrf "), ("show routes --vrf r", "show routes --vrf red "),
    ("show routes --vrf=b", "show routes --vrf=blue "), ("trace packets --interface ac", "trace packets --interface access "),
    ("trace packets --sid fc", "trace packets --sid fc00:1::e"), ("capture --node srv6-en", "capture --node srv6-en"),
    ("ping ::1 --protocol u", "ping ::1 --protocol udp "), ("help show ro", "help show routes "),
    ("workers place c", "workers place core "), ("load /etc/passw", "load /etc/passwd"),
    ("heddle show ver", "heddle show version "),
    ("set interf", "set interfaces "), ("set interfaces interface co", "set interfaces interface core "),
    ("set interfaces interface core mt", "set interfaces interface core mtu "),
    ("set interfaces interface core vrf r", "set interfaces interface core vrf red "),
    ("delete srv6 sid fc00:1::e7", "delete srv6 sid fc00:1::e7/128 "),
])
def test_tab(terminal, typed, becomes):
    terminal.type(typed)
    terminal.keys("Tab")
    terminal.type("!")
    terminal.until(re.escape(f"edge1> {becomes}!") + r"$")


def test_tab_twice_lists(terminal):
    terminal.type("show routes --vrf ")
    terminal.keys("Tab", "Tab")
    screen = terminal.until(r"\bred\b")
    assert re.search(r"^blue +default +red", screen, re.M), screen


def test_question_mark_explains(terminal):
    terminal.type("show ?")
    screen = terminal.until(r"^  version ")
    assert re.search(r"^  routes +routes of each VRF and where they lead$", screen, re.M), screen
    terminal.until(r"edge1> show$")
    terminal.type("routes --vrf ?")
    assert re.search(r"^  red", terminal.until(r"edge1> show routes --vrf$"), re.M)
    terminal.clear()
    terminal.type("ping ?")
    terminal.until(r"^  DESTINATION: address, or name$")
    terminal.clear()
    terminal.type("set interfaces interface core mtu ?")
    terminal.until(r"^  Largest IP packet$")


def test_history_is_kept(net, terminal):
    terminal.type("show version")
    terminal.keys("Enter")
    terminal.until(r"^heddle-dp ")
    terminal.until(r"edge1>$")
    terminal.keys("C-d")
    wait_for("the history", lambda: os.path.exists(os.path.join(net.home, ".heddle_history")))
    assert os.stat(os.path.join(net.home, ".heddle_history")).st_mode & 0o077 == 0
    again = Terminal(net)
    try:
        again.keys("Up")
        again.until(r"edge1> show version$")
    finally:
        again.close()


def test_interrupts(terminal):
    """Ctrl-C gives up a line, and ends a command but not the shell; a wrong command does not end it either."""
    terminal.type("show rou")
    terminal.keys("C-c")
    terminal.until(r"\^C\nedge1>$")
    terminal.type("ping 10.0.2.1 --count 0 --interval 0.1")
    terminal.keys("Enter")
    terminal.until(r"seq 3 ")
    terminal.keys("C-c")
    terminal.until(r"received, 0.0 % lost")
    terminal.until(r"edge1>$")
    terminal.type("nonsense")
    terminal.keys("Enter")
    terminal.until(r"unknown command 'nonsense'")
    terminal.type("show version | head -n 1")
    terminal.keys("Enter")
    terminal.until(r"^host +edge1\nedge1>$")


# --- bash, and the manual ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("line,replies", [
    ("heddle sh", ["show"]), ("heddle show v", ["version"]),
    ("heddle show routes --vrf ", ["blue", "default", "red"]),
    ("heddle trace packets --sid fc00:1::", ["e", "e7"]),
    ("heddle show routes --vrf=r", ["red"]),
])
def test_bash_completion(net, line, replies):
    script = os.path.join(STAGE, "usr/share/bash-completion/completions/heddle")
    run = f'. "{script}"; COMP_LINE="$1"; COMP_POINT=${{#1}}; _heddle; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", run, "bash", line], env=net.env, capture_output=True, text=True, timeout=20,
                          check=True)
    assert sorted(done.stdout.split()) == replies, done.stderr


def test_every_command_has_a_manual_page(net):
    """The staged tree holds a page for each command that the help names, and groff has nothing to complain about."""
    names = [re.match(r"  heddle ((?:[a-z0-9-]+ ?)+)", line).group(1).strip()
             for line in net.run("--help").stdout.split("Options of all")[0].splitlines()
             if line.startswith("  heddle ")]
    assert len(names) > 20
    pages = glob.glob(os.path.join(STAGE, "usr/share/man/man1/*.1"))
    assert {os.path.basename(p) for p in pages} >= {f"heddle-{n.replace(' ', '-')}.1" for n in names} | {"heddle.1"}
    for name in names:
        with open(os.path.join(STAGE, f"usr/share/man/man1/heddle-{name.replace(' ', '-')}.1")) as page:
            text = page.read()
        assert ".SH EXAMPLES" in text and f"heddle {name}" in text.replace("\\-", "-"), name
        assert net.run(*name.split(), "--help").stdout.startswith(f"Usage: heddle {name}")
    for page in ("man8/heddle-dp.8", "man8/heddle-ctrl.8", "man1/heddle-bench.1"):
        with open(os.path.join(STAGE, "usr/share/man", page)) as text:
            assert "Usage: " in text.read().replace("\\-", "-"), page
        pages.append(os.path.join(STAGE, "usr/share/man", page))
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-man", "-ww", "-z", *pages], capture_output=True, text=True, check=True)
        assert done.stderr == ""
