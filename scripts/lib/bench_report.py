# SPDX-License-Identifier: BSD-3-Clause
"""Everything scripts/bench measured as one JSON file, and as Markdown tables.

Usage: bench_report.py PARTS BASE: reads PARTS/*.json, writes BASE.json and BASE.md.
"""
import json
import os
import sys

SHOWN = ("routes", "flows", "sids", "policies", "segments", "inner", "nexthops")
SWEEPS = {"routes4": "routes", "routes6": "routes", "sids": "sids", "flows": "flows", "policies": "policies",
          "burst": "burst"}
SCALING = {"cached": "256 flows, 1 route: packets that came together are asked for together",
           "tables": "262,144 flows, 250,000 routes: more than the cache of answers holds"}


def read(parts, name):
    path = os.path.join(parts, name + ".json")
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return None
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def collect(parts):
    """The file of the standard set, with all that was measured beside it."""
    doc = read(parts, "results")
    doc["testpmd"] = read(parts, "testpmd")
    doc["sweeps"] = {name: part["results"] for name in SWEEPS if (part := read(parts, "sweep-" + name))}
    doc["scaling"] = {name: part["results"] for name in SCALING if (part := read(parts, "workers-" + name))}
    doc["table_api"] = read(parts, "table-api")
    return doc


def params(p):
    words = [f"{p['frame_octets']} B"] + [f"burst {p['burst']}" for _ in range("burst" in p)]
    words += [f"{k} {p[k]:,}" for k in SHOWN if k in p and (k == "flows" or p[k] != 1)]
    return ", ".join(words)


def band(x, digits=1):
    return f"{x['median']:,.{digits}f} ({x['min']:,.{digits}f}-{x['max']:,.{digits}f})"


def table(heads, rows):
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"


def standard(doc):
    yield from table(
        ("workload", "parameters", "F", "total", "net", "net / F", "Mpps"),
        ((r["workload"] + (" (noisy)" if r["noisy"] else ""), params(r["params"]),
          band(r["floor_cycles_per_packet"]), band(r["total_cycles_per_packet"]), band(r["net_cycles_per_packet"]),
          band(r["net_over_floor"]), f"{r['mpps']:.1f}") for r in doc["results"]))


def testpmd(doc):
    beside = doc["testpmd"]
    if not beside:
        return
    names = {"ring": "net_ring, its own loop", "null": "net_null to net_null, allocating and freeing"}
    yield f"\nDPDK's testpmd on the same machine, 64 B, burst {beside['burst']}, cycles per packet:\n"
    modes = ("io", "macswap")
    yield from table(("ports", *modes),
                     ((names[ports], *(band(got[m]["cycles_per_packet"]) if m in got else "-" for m in modes))
                      for ports, got in beside["ports"].items()))


def memory(doc):
    most = {}
    for r in doc["results"] + [r for sweep in doc["sweeps"].values() for r in sweep]:
        if r.get("octets_per_entry") and r["entries"] > most.get(r["workload"], r)["entries"] - 1:
            most[r["workload"]] = r
    if most:
        yield ("\nMemory that the process grew by, over the number of its entries (a SID with its route, a policy with its "
               "segment list and route):\n")
        yield from table(("workload", "entries", "octets each"),
                         ((w, f"{r['entries']:,}", f"{r['octets_per_entry']:,.0f}") for w, r in most.items()))


def sweeps(doc, base):
    for name, results in doc["sweeps"].items():
        over = SWEEPS[name]
        fixed = params({k: v for k, v in results[0]["params"].items() if k != over})
        yield f"\nGrowth of {results[0]['workload']} over {over} ({fixed}; plot: {base}-{name}.svg):\n"
        yield from table((over, "F", "net", "net / F"),
                         ((f"{r['params'][over]:,}", band(r["floor_cycles_per_packet"]),
                           band(r["net_cycles_per_packet"]), band(r["net_over_floor"])) for r in results))


def scaling(doc, base):
    if not doc["scaling"]:
        return
    yield (f"\nSeveral workers, ip6-fwd, each a process on a CPU of its own, all at once (plot: {base}-workers.svg). "
           "They share caches, memory and clock, but no tables:")
    for name, results in doc["scaling"].items():
        one = results[0]["mpps"]
        yield f"\n{SCALING[name]}.\n"
        yield from table(("workers", "Mpps", "of as many times one", "net / F of the first"),
                         ((r["params"]["workers"], f"{r['mpps']:.1f}",
                           f"{r['mpps'] / one / r['params']['workers'] * 100:.0f} %", band(r["net_over_floor"]))
                          for r in results))


def table_api(doc):
    api = doc["table_api"]
    if not api:
        return
    rows = api["table_api"]
    yield (f"\nTable API, objects a second through the socket, transactions of {api['objects_per_transaction']}, "
           f"no packets about, {api['rounds']} rounds:\n")
    rates = ("set_per_second", "replay_per_second", "del_per_second")
    yield from table(("kind", "objects", "new", "replayed", "deleted"),
                     ((k["kind"], f"{k['objects']:,}", *(band(k[c], 0) for c in rates)) for k in rows))
    yield "\nA worker that forwards 2048 flows meanwhile, cycles per packet with its ports:\n"
    costs = ("quiet_cycles_per_packet", "updating_cycles_per_packet", "added_cycles_per_packet")
    yield from table(("updates of", "a second", "without", "with", "added"),
                     ((k["kind"], f"{k['updates_per_second']:,.0f}", *(band(k[c]) for c in costs)) for k in rows))


def markdown(doc, base):
    env = doc["environment"]
    huge = "hugepages" if doc["results"][0]["hugepages"] else "ordinary pages"
    level = f" (express: v{env['cpu_level']})" if "cpu_level" in env else ""
    yield f"# {env['cpu']}, {env['time'][:10]}\n"
    yield (f"{env['cpus']} CPUs, {env['kernel']}, DPDK: {env['dpdk']}, {env['compiler']} {env['options']}, "
           f"-march={env['march']}{level}, TSC {env['tsc_mhz']:.0f} MHz, governor {env['governor']}, {huge}.\n")
    yield "One worker.  Medians; in brackets min and max over the rounds.  Net = total - F.\n"
    yield from standard(doc)
    yield from testpmd(doc)
    yield from memory(doc)
    yield from sweeps(doc, base)
    yield from scaling(doc, base)
    yield from table_api(doc)


def main(parts, base):
    doc = collect(parts)
    with open(base + ".json", "w", encoding="utf-8") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")
    with open(base + ".md", "w", encoding="utf-8") as f:
        for line in markdown(doc, os.path.basename(base)):
            f.write(line + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
