# SPDX-License-Identifier: BSD-3-Clause
"""The performance measurement conformance suite over wires.

    tester  t1, t2 ── p1, p2  node under test
"""

import json
import os

from heddlelab import Heddle
from heddlelab.heddle import STAGE

CONFORMANCE = os.path.join(STAGE, "usr/bin/heddle-conformance")


def test_pm_conformance_over_veth(lab):
    tester, node = lab.ns("tester"), lab.ns("node")
    for n in (1, 2):
        lab.link(tester, f"t{n}", node, f"p{n}")
        tester.sysctl(f"net.ipv6.conf.t{n}.disable_ipv6=1")
        node.ip(f"link set p{n} address 02:00:00:00:00:{n:02x}")
    Heddle(lab, node, lab.run([CONFORMANCE, "config", "pm", "--for", "heddle"]).stdout).start()
    path = lab.path("report.json")
    done = tester.run([CONFORMANCE, "run", "pm", "--target", "af_packet:t1,t2", "--for", "heddle", "--wait", "500",
                       "--json", path], check=False, timeout=200)
    with open(path) as f:
        report = json.load(f)
    assert done.returncode == 0, "\n".join(f"{r['id']} {r['title']}: {r['seen']}" for r in report["rows"]
                                           if r["outcome"] == "fail")
    assert report["passed"] > 40
