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
        print("\nTable API, objects a second through the socket, transactions of 4096, no packets about:\n")
        print("| kind | objects | new | replayed | deleted |\n|---|---|---|---|---|")
        for k in rows:
            cells = " | ".join(f"{k[c]['median']:,.0f} ({k[c]['min']:,.0f}-{k[c]['max']:,.0f})"
                               for c in ("set_per_second", "replay_per_second", "del_per_second"))
            print(f"| {k['kind']} | {k['objects']:,} | {cells} |")
        if "added_cycles_per_packet" in rows[0]:
            print("\nA worker that forwards meanwhile, cycles per packet with its ports:\n")
            print("| updates of | a second | without | with | added |\n|---|---|---|---|---|")
            for k in rows:
                cells = " | ".join(f"{k[c]['median']:.1f} ({k[c]['min']:.1f}-{k[c]['max']:.1f})"
                                   for c in ("quiet_cycles_per_packet", "updating_cycles_per_packet",
                                             "added_cycles_per_packet"))
                print(f"| {k['kind']} | {k['updates_per_second']:,.0f} | {cells} |")


if __name__ == "__main__":
    main(*sys.argv[1:4])
