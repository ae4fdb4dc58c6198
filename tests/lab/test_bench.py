# SPDX-License-Identifier: BSD-3-Clause
"""heddle-bench and the reports of scripts/bench, with runs that are too short for their figures to mean anything."""

import json
import os
import subprocess

import pytest

from heddlelab.heddle import ROOT, STAGE

BENCH = os.path.join(STAGE, "usr/bin/heddle-bench")
REPORT = os.path.join(ROOT, "scripts/lib/bench_report.py")
two_cpus = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU")


def bench(*argv, codes=(0, 3)):
    """3: noise hides the answer, which is no surprise in a lab."""
    done = subprocess.run([BENCH, *argv], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


@two_cpus
def test_updates_lose_no_packet(lab):
    """A worker forwards while each kind of object is deleted and set again: every packet arrives, every kind is measured."""
    path = lab.path("tables.json")
    text = bench("table-api", "--rounds", "1", "--json", path, codes=(0,))
    with open(path) as f:
        answer = json.load(f)
    kinds = {k["kind"]: k for k in answer["table_api"]}
    assert {"interface", "address", "neighbour", "next hop", "next hop group", "segment list", "policy", "sid",
            "ipv4 route", "ipv6 route"} == set(kinds)
    for kind in kinds.values():
        assert kind["set_per_second"]["median"] > 10000 and kind["del_per_second"]["median"] > 10000, kind
        assert kind["packets"] > 1000 and kind["updates_per_second"] > 1000, kind
        assert 1 < kind["quiet_cycles_per_packet"]["median"], kind
    assert "while forwarding" in text and answer["environment"]["cpus"] >= 2


def test_a_wrong_word_is_refused():
    assert "Usage" in subprocess.run([BENCH, "table-api", "--nonsense"], capture_output=True, text=True,
                                     check=False).stderr
    bench("table-api", "--rounds", "0", codes=(2,))
    bench("table-api", "--rates", "--dp", "/nonexistent/heddle-dp", codes=(1,))


def test_pacing_tells_what_the_machine_took():
    argv = ("--sessions", "200", "--interval", "2", "--seconds", "0.4")
    for more in ((), ("--replies",)):
        answer = json.loads(bench("pacing", *argv, *more, "--json", "-", codes=(0,)))
        sender, away = answer["sender"], answer["interruptions"]
        due = 0.4 / 0.002 * 200
        assert 0.9 * due < sender["n"] + answer["passed_over"] < 1.1 * due, answer
        assert 0.9 * due < away["n"] < 1.1 * due, "as many moments as packets"
        assert sender["p50_us"] <= sender["p99_us"] <= sender["max_us"]
        assert away["max_us"] <= sender["max_us"] + 1000, "who was away was late, but for moments where none was due"
    bench("pacing", "--sessions", "0", codes=(2,))
    bench("pacing", "more", codes=(2,))


def test_the_report_has_all_that_was_measured(lab):
    parts = lab.path("parts")
    os.makedirs(parts)

    def part(name, *argv):
        bench(*argv, "--seconds", "0.05", "--rounds", "3", "--no-huge", "--json", os.path.join(parts, name + ".json"))

    part("results", "run", "ip6-fwd", "srv6-encap", "--routes", "2000", "--policies", "2000")
    part("sweep-flows", "sweep", "ip6-fwd", "--over", "flows=1,64")
    part("sweep-burst", "sweep", "ip4-fwd", "--over", "burst=8,64")
    if len(os.sched_getaffinity(0)) > 1:
        part("workers-cached", "sweep", "ip6-fwd", "--over", "workers=1,2")
    with open(os.path.join(parts, "testpmd.json"), "w") as f:
        json.dump({"burst": 32, "ports": {"ring": {"io": {"cycles_per_packet": {"min": 1, "median": 2, "max": 3}}}}}, f)
    base = lab.path("report")
    subprocess.run(["/usr/bin/python3", REPORT, parts, base], check=True)
    with open(base + ".json") as f:
        doc = json.load(f)
    assert [r["workload"] for r in doc["results"]] == ["ip6-fwd", "srv6-encap"]
    assert doc["results"][1]["entries"] == 2000 and doc["results"][1]["octets_per_entry"] > 100
    assert [r["params"]["flows"] for r in doc["sweeps"]["flows"]] == [1, 64]
    assert doc["testpmd"]["ports"]["ring"]["io"] and doc["table_api"] is None
    with open(base + ".md") as f:
        text = f.read()
    for words in ("| ip6-fwd", "Growth of ip6-fwd over flows (64 B, burst 128", "over burst (64 B, flows 256",
                  "2.0 (1.0-3.0)", "Memory that the process grew by"):
        assert words in text, text
    for name in ("results", "sweep-flows", "sweep-burst"):
        picture = lab.path(name + ".svg")
        bench("plot", os.path.join(parts, name + ".json"), picture, codes=(0,))
        with open(picture) as f:
            assert "<svg" in f.read()
    assert "0 slower, 0 faster, 2 within" in bench("compare", base + ".json", base + ".json", codes=(0,))
