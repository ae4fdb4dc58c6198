# SPDX-License-Identifier: BSD-3-Clause
"""Results of heddle-bench as Markdown tables.

Usage: bench_md.py BASE TESTPMD_IO TESTPMD_MACSWAP, with BASE.json and maybe BASE-table-api.json.
"""
import json
import os
import sys

SHOWN = ("routes", "flows", "sids", "policies", "segments", "inner", "nexthops")


def params(p):
    words = [f"{p['frame_octets']} B", f"burst {p['burst']}"]
    words += [f"{k} {p[k]}" for k in SHOWN if k in p and (k == "flows" or p[k] != 1)]
    return ", ".join(words)


def main(base, io, macswap):
    with open(base + ".json", encoding="utf-8") as f:
        doc = json.load(f)
    env = doc["environment"]
    huge = "hugepages" if doc["results"][0]["hugepages"] else "ordinary pages"
    print(f"# {env['cpu']}, {env['time'][:10]}\n")
    print(f"{env['cpus']} CPUs, {env['kernel']}, DPDK: {env['dpdk']}, {env['compiler']} {env['options']}, "
          f"-march={env['march']}, TSC {env['tsc_mhz']:.0f} MHz, governor {env['governor']}, {huge}.\n")
    print("One worker.  Medians; in brackets min and max over the rounds.  Net = total - F.\n")
    print("| workload | parameters | F | total | net | net / F | Mpps |")
    print("|---|---|---|---|---|---|---|")
    for r in doc["results"]:
        b = [r[k] for k in ("floor_cycles_per_packet", "total_cycles_per_packet", "net_cycles_per_packet",
                            "net_over_floor")]
        cells = " | ".join(f"{x['median']:.1f} ({x['min']:.1f}-{x['max']:.1f})" for x in b)
        noisy = " (noisy)" if r["noisy"] else ""
        print(f"| {r['workload']}{noisy} | {params(r['params'])} | {cells} | {r['mpps']:.1f} |")
    if io or macswap:
        print("\ntestpmd beside it, net_ring loop, burst 32, cycles per packet: "
              f"io {io or '-'}, macswap {macswap or '-'}.")
    if os.path.exists(base + "-workers.json"):
        with open(base + "-workers.json", encoding="utf-8") as f:
            rows = json.load(f)["results"]
        print("\nScaling, ip6-fwd, each worker a process on a CPU of its own:\n")
        print("| workers | Mpps | net / F of the first |\n|---|---|---|")
        for r in rows:
            print(f"| {r['params']['workers']} | {r['mpps']:.1f} | {r['net_over_floor']['median']:.1f} |")
    if os.path.exists(base + "-table-api.json"):
        with open(base + "-table-api.json", encoding="utf-8") as f:
            rows = json.load(f)["table_api"]
        print("\nTable API, objects a second through the socket, transactions of 4096:\n")
        print("| kind | objects | new | replayed | deleted |\n|---|---|---|---|---|")
        for k in rows:
            print(f"| {k['kind']} | {k['objects']} | {k['set_per_second']:,.0f} | {k['replay_per_second']:,.0f} "
                  f"| {k['del_per_second']:,.0f} |")


if __name__ == "__main__":
    main(*sys.argv[1:4])
