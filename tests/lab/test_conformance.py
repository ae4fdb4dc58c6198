# SPDX-License-Identifier: BSD-3-Clause
"""The conformance suites over wires: against Heddle, and the SRv6 rows that apply against the Linux kernel.

    tester  t1 ... t16 ── p1 ... p16  node under test
"""

import json
import os

import yaml

from scapy.layers.inet6 import IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Ether

from heddlelab import Heddle, interface, veth_port
from heddlelab.heddle import STAGE
from heddlelab.packets import tshark

CONFORMANCE = os.path.join(STAGE, "usr/bin/heddle-conformance")
PORTS = range(1, 17)  # of suite srv6; pm has the first four


def wired(lab, ports=PORTS):
    tester, node = lab.ns("tester"), lab.ns("node")
    for n in ports:
        lab.link(tester, f"t{n}", node, f"p{n}")
        tester.sysctl(f"net.ipv6.conf.t{n}.disable_ipv6=1")
        node.ip(f"link set p{n} address 02:00:00:00:00:{n:02x}")
    return tester, node


def config(lab, kind, suite="srv6"):
    return lab.run([CONFORMANCE, "config", suite, "--for", kind]).stdout


def run(lab, tester, kind, wait, suite="srv6", ports=PORTS):
    out = os.environ.get("HEDDLE_CONFORMANCE_OUT") or lab.path("reports")  # scripts/test conformance --reports
    os.makedirs(out, exist_ok=True)
    path = lab.path("report.json")
    done = tester.run([CONFORMANCE, "run", suite, "--target", "af_packet:" + ",".join(f"t{n}" for n in ports),
                       "--for", kind, "--wait", str(wait), "--json", path,
                       "--markdown", os.path.join(out, f"{suite}-{kind}.md")], check=False, timeout=300)
    with open(path) as f:
        return done.returncode, json.load(f)


def failures(report):
    return "\n".join(f"{r['id']} {r['title']}: {r['seen']}" for r in report["rows"] if r["outcome"] == "fail")


def test_heddle_over_veth(lab):
    tester, node = wired(lab)
    heddle = Heddle(lab, node, config(lab, "heddle")).start()
    code, report = run(lab, tester, "heddle", 700)
    assert code == 0, failures(report) + heddle.show("drops")
    assert report["passed"] > 100, report["passed"]


def test_pm_over_veth(lab):
    ports = range(1, 5)
    tester, node = wired(lab, ports)
    heddle = Heddle(lab, node, config(lab, "heddle", "pm")).start()
    code, report = run(lab, tester, "heddle", 300, "pm", ports)
    assert code == 0, failures(report) + heddle.show("drops")
    assert report["passed"] > 70, report["passed"]


def test_kernel_over_veth(lab):
    tester, node = wired(lab)
    script = lab.write("linux.sh", config(lab, "linux"))
    node.run(["sh", script])
    code, report = run(lab, tester, "linux", 300)
    assert code == 0, failures(report)
    assert report["passed"] > 20, report["passed"]


def test_a_wrong_node_is_found_out(lab):
    """A kernel that forwards and knows no SID fails rows without an explanation."""
    tester, node = wired(lab)
    node.forwarding()
    done = tester.run([CONFORMANCE, "run", "srv6", "--target", "af_packet:" + ",".join(f"t{n}" for n in PORTS),
                       "--for", "other", "--wait", "20", "-k", "S-00"], check=False, timeout=60)
    assert done.returncode == 1 and "0 passed, 9 failed" in done.stdout, done.stdout


def test_tshark_agrees(lab):
    """Every frame that Heddle sends in a row is sound to tshark, unless the row's own packet was not."""
    path = lab.path("frames")
    lab.run([CONFORMANCE, "run", "srv6", "--in-process", "--frames", path], timeout=120)
    with open(path) as f:
        notes = [line.split() for line in f]
    frames = [Ether(bytes.fromhex(octets)) for _, _, _, octets in notes]
    # -d: what a row puts behind UDP is no protocol; numbers of the frames that are malformed
    bad = {int(n) - 1 for n in tshark(frames, "-d", "udp.port==1-65535,data", "-Y", "_ws.malformed", "-T", "fields",
                                      "-e", "frame.number").split()}
    broken = {notes[n][0] for n in bad if notes[n][1] == ">"}
    sent = [n for n, note in enumerate(notes) if note[1] == "<"]
    judged = [n for n in sent if notes[n][0] not in broken]
    wrong = sorted({notes[n][0] for n in judged if n in bad})
    assert wrong == [], f"malformed to tshark: {wrong}"
    # what tshark sees of the segment routing header is what the row expects: each carries its list
    lists = [n for n in judged if frames[n].haslayer(IPv6ExtHdrSegmentRouting)]
    seen = tshark([frames[n] for n in lists], "-T", "fields", "-E", "occurrence=f", "-e", "ipv6.routing.type",
                  "-e", "ipv6.routing.segleft")
    for n, line in zip(lists, seen.splitlines()):
        kind, left = line.split()
        assert (int(kind), int(left)) == (4, frames[n][IPv6ExtHdrSegmentRouting].segleft), notes[n][0]
    print(f"{len(sent)} frames of {len({notes[n][0] for n in sent})} rows, {len(judged)} judged, {len(lists)} with SRH; "
          f"rows with malformed packets: {len(broken)}")
    assert len({notes[n][0] for n in judged}) > 120


def test_one_interface_with_vlans(lab):
    """The node's ports as VLANs 101 to 116 of one interface."""
    tester, node = lab.ns("tester"), lab.ns("node")
    lab.link(tester, "t0", node, "trunk")
    tester.sysctl("net.ipv6.conf.t0.disable_ipv6=1")
    node.ip("link set trunk address 02:00:00:00:00:01")
    tree = yaml.safe_load(config(lab, "heddle"))
    ports = tree["interfaces"]["interface"]
    for n, port in enumerate(ports, 1):
        del port["devargs"]
        port.pop("promiscuous", None)
        port.update({"parent": "trunk", "outer-vlan": {"id": 100 + n, "type": "0x8100"}})
    ports.insert(0, interface("trunk", veth_port("trunk")))
    Heddle(lab, node, tree).start()
    done = tester.run([CONFORMANCE, "run", "srv6", "--target", "af_packet:t0", "--for", "heddle", "--wait", "2000",
                       "-k", "S-06"], check=False, timeout=120)
    assert done.returncode == 0 and "0 failed" in done.stdout, done.stdout
    assert "S-060" not in done.stdout, "rows that pass are not listed"
