# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's testpmd as a measure beside heddle-bench: cycles per packet of one forwarding core, as JSON.

Usage: testpmd.py [SECONDS [LOOKS]]

Two ways to feed it without a NIC: a net_ring port that is its own loop (256 packets go round; testpmd's forwarding
alone), and net_null to net_null (each packet is taken from the pool and given back).  Modes io and macswap, burst 32 and
64-octet packets, so many looks of SECONDS (1) each in one run of testpmd.  Nothing of the host is touched.
"""
import json
import os
import re
import subprocess
import sys
import time

PORTS = {
    "ring": (["--vdev", "net_ring0"], "start tx_first 8"),
    "null": (["--vdev", "net_null0", "--vdev", "net_null1"], "start"),
}
MODES = ("io", "macswap")
CYCLES = re.compile(r"CPU cycles/packet=([0-9.]+) \(total cycles=\d+ / total \w+ packets=(\d+)\) at (\d+) MHz")


def run(ports, mode, seconds, looks):
    """The cycles per packet of each look; the least first."""
    vdevs, start = PORTS[ports]
    cpus = sorted(os.sched_getaffinity(0))
    argv = ["dpdk-testpmd", "--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry", "--iova-mode=va",
            "--file-prefix", f"testpmd{os.getpid()}", "--lcores", f"0@{cpus[0]},1@{cpus[-1]}", *vdevs,
            "--log-level=error", "--", "-i", "--nb-cores=1", "--burst=32", "--no-flush-rx", "--record-core-cycles",
            "--total-num-mbufs=8192"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as child:
        def say(line, wait):
            child.stdin.write(line + "\n")
            child.stdin.flush()
            time.sleep(wait)

        try:
            time.sleep(1)
            say(f"set fwd {mode}", 0.1)
            say(start, 0.5)
            for _ in range(looks):
                say("clear fwd stats all", seconds)
                say("show fwd stats all", 0.1)
            text, _ = child.communicate("stop\nquit\n", timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            child.kill()
            text = ""
    found = [(float(c), int(n)) for c, n, _ in CYCLES.findall(text) if int(n) > 0][:looks]
    return sorted(c for c, _ in found)


def main(seconds=1.0, looks=5):
    result = {}
    for ports in PORTS:
        for mode in MODES:
            got = run(ports, mode, seconds, looks)
            if got:
                result.setdefault(ports, {})[mode] = {
                    "cycles_per_packet": {"min": got[0], "median": got[len(got) // 2], "max": got[-1]}}
    json.dump({"burst": 32, "looks": looks, "seconds": seconds, "ports": result}, sys.stdout)
    print()
    return 0 if result else 1


if __name__ == "__main__":
    sys.exit(main(*(float(a) if i == 0 else int(a) for i, a in enumerate(sys.argv[1:3]))))
