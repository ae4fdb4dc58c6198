# SPDX-License-Identifier: BSD-3-Clause
"""A path over time: bins that outlive the control process and count every packet once, thresholds, a report.

    a ── wire ── b (Session-Reflector, impaired)"""

import os
import time
import xml.etree.ElementTree as ElementTree

import pytest
from prometheus_client.openmetrics import parser as openmetrics

from heddlelab import Heddle, interface, veth_port, wait_for

SIX = ("2001:db8:1::1", "2001:db8:1::2")
SESSION = {"name": "path", "destination": SIX[1], "interval": 20, "liveness": {"losses": 3},
           "threshold": [{"metric": "loss", "raise": 300000, "clear": 100000}]}


@pytest.fixture(scope="module")
def pair(module_lab):
    lab = module_lab
    a, b = lab.ns("a"), lab.ns("b")
    lab.link(a, "wire", b, "wire")
    return [Heddle(lab, ns, {"interfaces": {"interface": [interface("wire", veth_port("wire"), address + "/64")]},
                             "pm": pm}).start()
            for ns, address, pm in ((a, SIX[0], {"session": [SESSION]}),
                                    (b, SIX[1], {"reflector": [{"udp-port": 862, "unprovisioned": True}]}))]


def history(heddle, *args):
    return heddle.json("pm", "history", "path", *args)["heddle-pm:output"]


def total(bins, name):
    return sum(int(b[name]) for b in bins)


def counters(heddle):
    [s] = heddle.json("pm", "sessions")["heddle-pm:session-state"]["session"]
    return {c["name"]: int(c["value"]) for c in s["counter"]}


def test_pm_history_outlives_the_control_process(pair):
    a, b = pair
    wait_for("two bins", lambda: sum("round-trip" in b for b in history(a)["bin"]) >= 2, 50)
    a.kill_ctrl()
    time.sleep(13)  # the data plane goes on in one bin
    a.start_ctrl()
    a.wait_ready()
    before = len(history(a)["bin"])
    assert before >= 2, "what was written is there"
    wait_for("two more bins", lambda: len(history(a)["bin"]) >= before + 2, 40)
    bins = history(a)["bin"]
    # no packet of the time in between is missing, and none is there twice
    sent, now = total(bins, "sent"), counters(a)["sent"]
    assert now - 10_500 / 20 - 50 <= sent <= now, f"{sent} in bins, {now} by the counter"
    assert total(bins, "received") + total(bins, "lost") <= sent
    longest = max(float(b["seconds"]) for b in bins)
    assert longest > 13, "the bin that ran on while nobody was there to close it"
    minutes = history(a, "--bin", "1min")["bin"]
    assert len(minutes) < len(bins) and total(minutes, "sent") >= sent
    first = minutes[0]["start"][:16]
    assert int(minutes[0]["round-trip"]["min"]) == min(
        int(b["round-trip"]["min"]) for b in bins if b["start"][:16] == first and "round-trip" in b)


def test_pm_metrics(pair):
    a, _ = pair
    text = a.ns.out(["curl", "-s", "--unix-socket", os.path.join(a.run_dir, "ctrl.sock"), "-H",
                     "Accept: application/openmetrics-text", "http://heddle/metrics"])
    families = {f.name: f for f in openmetrics.text_string_to_metric_families(text)}
    trip = {s.labels.get("le", s.name): s.value for s in families["heddle_pm_round_trip_seconds"].samples
            if s.labels["session"] == "path"}
    assert 0 < trip["+Inf"] == trip["heddle_pm_round_trip_seconds_count"] <= counters(a)["received"]
    assert trip["2.5"] == trip["+Inf"] and trip["heddle_pm_round_trip_seconds_sum"] > 0
    sent = [s.value for s in families["heddle_pm_session_sent"].samples if s.labels == {"session": "path"}]
    assert sent and sent[0] > 0


def test_pm_threshold_and_events(pair):
    a, b = pair
    b.cli("set", "impairment", "wire", "--loss", "50%", "--seed", "5")
    texts = lambda: [e["text"] for e in history(a).get("event", [])]  # noqa: E731
    wait_for("the threshold to be raised", lambda: any("at or above 300000" in t for t in texts()), 40)
    b.cli("set", "impairment", "wire")
    wait_for("it to be cleared", lambda: any("back at or below 100000" in t for t in texts()), 40)


def test_pm_history_and_report_for_people(pair):
    a, _ = pair
    text = a.cli("pm", "history", "path").stdout
    assert "RTT p50" in text and "available" in text and any(c in text for c in "▁▂▃▄▅▆▇█")
    page, svg = a.lab.path("report.html"), a.lab.path("report.svg")
    a.cli("pm", "report", "path", "--output", page)
    a.cli("pm", "report", "path", "--output", svg, "--last", "1h")
    assert "<svg" in open(page).read() and "at or above" in open(page).read()
    drawing = ElementTree.parse(svg).getroot()
    shapes = [e.tag.split("}")[1] for e in drawing.iter()]
    assert shapes.count("polygon") == 2 and "polyline" in shapes and "rect" in shapes, "band, median, loss"
    assert a.cli("pm", "history", "nobody", check=False).returncode == 1
