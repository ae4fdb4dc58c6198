# SPDX-License-Identifier: BSD-3-Clause
"""A bad configuration changes nothing, and its refusal names the path and the line."""

import json
import re
import signal
import time

import pytest
import yaml

from heddlelab import Heddle, wait_for
from heddlelab.heddle import CTRL

GOOD_TEXT = """\
interfaces:
  interface:
    - name: access
      devargs: "net_af_packet_access,iface=access"
      ipv4:
        address:
          - ip: 10.0.1.1
            prefix-length: 24
      ipv6:
        address:
          - ip: 2001:db8:a::1
            prefix-length: 64
    - name: far
      devargs: "net_af_packet_far,iface=far"
      ipv4:
        address:
          - ip: 10.0.2.1
            prefix-length: 24
ip:
  route:
    - prefix: 10.50.0.0/16
      next-hop:
        - interface: far
          address: 10.0.2.2
"""


def line_of(text, needle):
    return text[:text.index(needle)].count("\n") + 1


def broken(old, new, says):
    """GOOD_TEXT with one thing broken: the text, the line at fault, and what the refusal must name."""
    text = GOOD_TEXT.replace(old, new)
    assert text != GOOD_TEXT
    return text, line_of(text, new.strip().split("\n")[0].strip()), says


FAR = '      devargs: "net_af_packet_far'
BAD = {
    "unknown leaf": broken(FAR, "      colour: blue\n" + FAR, "colour"),
    "wrong type": broken("ip: 10.0.2.1", "ip: 10.0.2.1x", "ip"),
    "out of range": broken("            prefix-length: 64", "            prefix-length: 129", "prefix-length"),
    "missing mandatory leaf": (GOOD_TEXT.replace("            prefix-length: 64\n", ""), None, "prefix-length"),
    "missing reference": broken("        - interface: far", "        - interface: farther", "farther"),
    "missing policy": broken("      next-hop:\n        - interface: far\n          address: 10.0.2.2",
                             "      srv6-policy: nowhere", "nowhere"),
    "duplicate list key": broken("    - name: far", "    - name: access # again", "access"),
    "duplicate mapping key": broken(FAR, "      name: twice\n" + FAR, "name"),
    "not YAML": (GOOD_TEXT + "  - : ][\n", None, ""),
    "tab": (GOOD_TEXT.replace("  interface:", "\tinterface:", 1), 2, ""),
    "binary": ("\x01\x02\x03" * 100, None, ""),
    "a bare word": ("hello\n", None, ""),
    "a list": ("- a\n- b\n", None, ""),
    "port and sub-interface at once": broken("      devargs: \"net_af_packet_far,iface=far\"",
                                             "      devargs: \"net_af_packet_far,iface=far\"\n      parent: access\n"
                                             "      outer-vlan: {id: 5}", ""),
}


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.hd = lab.ns("host-a"), lab.ns("host-b"), lab.ns("hd")
        lab.link(self.a, "eth0", self.hd, "access")
        lab.link(self.b, "eth0", self.hd, "far")
        for host, four in ((self.a, "10.0.1"), (self.b, "10.0.2")):
            host.addr("eth0", f"{four}.2/24")
            host.route(f"default via {four}.1")
        self.heddle = Heddle(lab, self.hd, GOOD_TEXT).start()


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


def refused(net, text, line, says):
    path = net.lab.write("bad.yaml", text)
    done = net.heddle.cli("load", path, check=False)
    assert done.returncode != 0, "the file was taken"
    said = done.stdout + done.stderr
    assert says in said, said
    if line is not None:
        assert re.search(rf"bad\.yaml:{line}\b|line {line}\b", said), f"line {line} expected: {said}"
    return said


@pytest.mark.parametrize("why", BAD)
def test_bad_file_changes_nothing(net, why):
    before = net.heddle.cli("show", "config").stdout
    refused(net, *BAD[why])
    assert net.heddle.cli("show", "config").stdout == before
    assert net.a.ping("10.0.2.2", count=2) == 2


@pytest.mark.parametrize("why", BAD)
def test_check_says_the_same_without_a_daemon(net, why):
    text, line, says = BAD[why]
    path = net.lab.write("bad.yaml", text)
    done = net.hd.run([CTRL, "--check", path], check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and says in said, said
    if line is not None:
        assert re.search(rf"bad\.yaml:{line}\b|line {line}\b", said), f"line {line} expected: {said}"


def test_check_accepts_the_good_file(net):
    path = net.lab.write("good.yaml", GOOD_TEXT)
    net.hd.run([CTRL, "--check", path])


def test_ten_megabytes(net):
    """A 10 MB file of routes is either taken or refused in reasonable time, and the process lives on."""
    lines, n = [GOOD_TEXT], 0
    size = len(GOOD_TEXT)
    while size < 10 << 20:
        entry = (f"    - prefix: 10.{64 + (n >> 16)}.{(n >> 8) & 255}.{n & 255}/32\n"
                 "      next-hop: [{interface: far, address: 10.0.2.2}]\n")
        lines.append(entry)
        size += len(entry)
        n += 1
    path = net.lab.write("big.yaml", "".join(lines))
    start = time.monotonic()
    done = net.heddle.cli("load", path, check=False, timeout=300)
    took = time.monotonic() - start
    said = (done.stdout + done.stderr)[:200]
    print(f"{n} routes in {size} octets: exit {done.returncode} after {took:.1f} s: {said}")
    assert net.heddle.ctrl.running and net.heddle.dp.running
    net.heddle.cli("load", net.lab.write("good.yaml", GOOD_TEXT), timeout=120)
    assert net.a.ping("10.0.2.2", count=2) == 2


def test_json_is_as_good_as_yaml(net):
    path = net.lab.write("good.json", json.dumps(yaml.safe_load(GOOD_TEXT)))
    net.heddle.cli("load", path)
    assert net.a.ping("10.0.2.2", count=2) == 2


def test_load_of_the_same_changes_nothing(net):
    path = net.lab.write("good.yaml", GOOD_TEXT)
    net.heddle.cli("load", path)
    answer = net.heddle.cli("load", path).stdout
    assert re.search("nothing|unchanged|no change|0 set", answer, re.I), answer
    assert "+" not in net.heddle.cli("diff", path, check=False).stdout


def test_what_is_shown_can_be_loaded(net):
    """The running configuration as shown is a configuration, and the same one."""
    net.heddle.cli("load", net.lab.write("good.yaml", GOOD_TEXT))
    shown = net.heddle.cli("show", "config").stdout
    assert net.heddle.cli("diff", "-", stdin=shown).stdout == "no difference\n"
    answer = net.heddle.cli("load", "-", stdin=shown).stdout
    assert re.search("nothing|unchanged|no change|0 set", answer, re.I), answer
    changed = shown.replace("10.50.0.0/16", "10.53.0.0/16")
    assert changed != shown and net.heddle.cli("diff", "-", stdin=changed, check=False).returncode == 1


def test_diff_shows_what_a_load_would_do(net):
    changed = GOOD_TEXT.replace("10.50.0.0/16", "10.51.0.0/16")
    path = net.lab.write("changed.yaml", changed)
    out = net.heddle.cli("diff", path, check=False).stdout
    assert re.search(r"^\+.*10\.51\.0\.0/16", out, re.M) and re.search(r"^-.*10\.50\.0\.0/16", out, re.M), out


def test_sighup_reads_the_file_again(net):
    net.heddle.write_config(GOOD_TEXT.replace("10.50.0.0/16", "10.52.0.0/16"))
    net.heddle.ctrl.popen.send_signal(signal.SIGHUP)
    wait_for("the route of the new file", lambda: "10.52.0.0/16" in net.heddle.show("routes"), 5)
    net.heddle.write_config("interfaces: {interface: [{name: 5x5x5, devargs: [] }]}\n")
    net.heddle.ctrl.popen.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert net.heddle.ctrl.running
    assert "10.52.0.0/16" in net.heddle.show("routes")
    assert net.a.ping("10.0.2.2", count=2) == 2


def test_json_errors(net):
    """With --json an error is JSON too."""
    done = net.heddle.cli("load", net.lab.write("bad.yaml", BAD["unknown leaf"][0]), "--json", check=False)
    assert done.returncode != 0
    assert "colour" in json.dumps(json.loads(done.stdout or done.stderr))
