# SPDX-License-Identifier: BSD-3-Clause
"""Count test cases for scripts/test.

    tally.py meson testlog.json    one count per Criterion case; a test without a Criterion summary is one
    tally.py junit report.xml      one count per pytest case
    tally.py fuzzers               "meson introspect --targets" on stdin: names and paths of fuzz_* programs
    tally.py sum results           add the JSON lines that the above printed; exit 1 when one failed
"""

import json
import os
import re
import sys
import xml.etree.ElementTree

SYNTHESIS = re.compile(
    r"Synthesis:.*?Tested:.*?(\d+).*?Passing:.*?(\d+).*?Failing:.*?(\d+).*?Crashing:.*?(\d+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def meson(path):
    """A missing log means that the run never got as far as running a test: one failure."""
    if not os.path.exists(path):
        return {"failed": 1}
    total = {"passed": 0, "failed": 0, "skipped": 0}
    with open(path) as log:
        for line in log:
            test = json.loads(line)
            text = COLOUR.sub("", (test.get("stdout") or "") + (test.get("stderr") or ""))
            found = SYNTHESIS.findall(text)
            if test["result"] == "SKIP":
                total["skipped"] += 1
            elif found:
                passed = sum(int(f[1]) for f in found)
                failed = sum(int(f[0]) for f in found) - passed
                # A leak or a crash after the last case fails the program though every case passed.
                if test["result"] != "OK" and failed == 0:
                    failed = 1
                total["passed"] += passed
                total["failed"] += failed
            elif test["result"] in ("OK", "EXPECTEDFAIL"):
                total["passed"] += 1
            else:
                total["failed"] += 1
    return total


def junit(path):
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return {"failed": 1}
    total = {"passed": 0, "failed": 0, "skipped": 0}
    cases = {}
    for case in root.iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            verdict = "failed"
        elif "skipped" in kinds:
            verdict = "skipped"
        else:
            verdict = "passed"
        # A case whose teardown failed is listed twice: it is one case, and failed.
        key = (case.get("classname"), case.get("name"))
        if cases.get(key) != "failed":
            cases[key] = verdict
    for verdict in cases.values():
        total[verdict] += 1
    return total


def fuzzers():
    for target in json.load(sys.stdin):
        if target["type"] == "executable" and target["name"].startswith("fuzz"):
            print(target["name"], target["filename"][0], sep="\t")


def summary(path):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    with open(path) as results:
        for line in results:
            for key, value in json.loads(line).items():
                total[key] += value
    text = f"{total['passed']} passed, {total['failed']} failed"
    if total["skipped"]:
        text += f", {total['skipped']} skipped"
    if not any(total.values()):
        print("no test ran", file=sys.stderr)
    print(text)
    return 1 if total["failed"] or not any(total.values()) else 0


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    if argv[1] == "fuzzers":
        fuzzers()
        return 0
    if argv[1] == "sum":
        return summary(argv[2])
    print(json.dumps({"meson": meson, "junit": junit}[argv[1]](argv[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
