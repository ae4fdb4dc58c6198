# SPDX-License-Identifier: BSD-3-Clause
"""The configuration as a transaction: random pairs forward and back against a fresh load, commits that revert by
themselves over kill -9, versions that survive it, a disk that is full, and readers that are never held up."""

import difflib
import json
import os
import signal
import threading
import time

import pytest

from heddlelab import Heddle, interface, subinterface, wait_for
from heddlelab.heddle import CTRL
from heddlelab.restconf import Api

PORTS = ["p0", "p1", "p2"]


def random_config(rng):
    """Something of everything, each time another; names are drawn from few, so that pairs overlap."""
    vrfs = rng.sample([f"v{i}" for i in range(5)], rng.randrange(4))
    ports = []
    for i, name in enumerate(PORTS[:rng.randrange(1, 4)]):
        ports.append(interface(name, f"net_null{i}", f"10.{i}.0.1/24", f"2001:db8:{i}::1/64",
                               mtu=rng.choice((1500, 9000))))
        for vlan in rng.sample(range(2, 12), rng.randrange(4)):
            more = {"vrf": rng.choice(vrfs)} if vrfs and rng.random() < 0.6 else {}
            ports.append(subinterface(f"{name}.{vlan}", name, vlan, f"10.{10 + vlan}.{i}.1/24", **more))
    names = [p["name"] for p in ports if "devargs" in p]

    def hop():
        name = rng.choice(names)
        return {"interface": name, "address": f"10.{PORTS.index(name)}.0.{rng.randrange(2, 12)}",
                "weight": rng.randrange(1, 4)}

    def target(policies):
        kind = rng.randrange(4 if policies else 3)
        if kind == 0:
            return {"special": rng.choice(("blackhole", "unreachable", "prohibit"))}
        if kind == 3:
            return {"srv6-policy": rng.choice(policies)}
        hops = {(h["interface"], h["address"]): h for h in (hop() for _ in range(rng.randrange(1, 4)))}
        return {"next-hop": list(hops.values())}

    policies = rng.sample([f"far{i}" for i in range(4)], rng.randrange(4))
    table = [{"prefix": f"172.16.{i}.0/24", **target(policies)} for i in rng.sample(range(30), rng.randrange(20))]
    return {
        "interfaces": {"interface": ports},
        "ip": {"route": table,
               "vrf": [{"name": v, "route": [{"prefix": f"192.168.{i}.0/24", **target(policies)}
                                             for i in rng.sample(range(9), rng.randrange(6))]} for v in vrfs],
               "neighbour": [{"interface": n, "address": f"10.{PORTS.index(n)}.0.{rng.randrange(2, 12)}",
                              "mac": f"02:00:00:00:00:{rng.randrange(256):02x}"} for n in names if rng.random() < 0.5]},
        "srv6": {"encapsulation": {"source-address": f"fc00:1::{rng.randrange(1, 4)}"},
                 "sid": [{"sid": f"fc00:1::{i:x}/128", "behavior": "end", "flavor": rng.sample(["psp", "usd"], 1)}
                         for i in rng.sample(range(1, 20), rng.randrange(8))] +
                        [{"sid": f"fc00:1:0:1::{i:x}/128", "behavior": "end-dt46", "vrf": v}
                         for i, v in enumerate(vrfs, 1) if rng.random() < 0.7],
                 "policy": [{"name": p, "segment-list": [
                     {"name": f"l{i}", "weight": rng.randrange(1, 5),
                      "segment": [f"fc00:{rng.randrange(2, 5)}::{rng.randrange(1, 9)}" for _ in range(rng.randrange(1, 4))]}
                     for i in range(rng.randrange(1, 4))]} for p in policies]},
    }


COUNTS = {"link", "counter", "packets", "octets", "age", "packets-held", "speed-mbps", "last-change"}
NUMBERS = {"id", "port", "port-id"}  # depend on history, and shall


def plain(node):
    """State without what traffic and time make of it, in an order of its own."""
    if isinstance(node, dict):
        return {k: plain(v) for k, v in sorted(node.items()) if k not in COUNTS | NUMBERS}
    if isinstance(node, list):
        return sorted((plain(v) for v in node), key=lambda v: json.dumps(v, sort_keys=True))
    if isinstance(node, str):
        return ", ".join(sorted(node.split(", ")))  # members of a group stand in the order of their numbers
    return node


def dump(api):
    """What the data plane holds, in names. MACs of net_null ports are random."""
    found = {name: plain(api.get(f"data/{name}")) for name in (
        "heddle-interfaces:interface-state", "heddle-ip:route-state", "heddle-ip:neighbour-state",
        "heddle-srv6:sid-state", "heddle-srv6:policy-state")}
    for port in found["heddle-interfaces:interface-state"]["heddle-interfaces:interface-state"].get("interface", []):
        port.pop("mac", None)
    neighbours = found["heddle-ip:neighbour-state"]["heddle-ip:neighbour-state"]
    neighbours["neighbour"] = [n for n in neighbours.get("neighbour", []) if n["state"] == "static"]  # others are learned
    found["heddle-interfaces:interface-state"] = plain(found["heddle-interfaces:interface-state"])
    return found


def difference(a, b):
    a, b = (json.dumps(x, indent=1, sort_keys=True).splitlines() for x in (a, b))
    return "\n".join(list(difflib.unified_diff(a, b, lineterm="", n=2))[:40])


@pytest.fixture(scope="module")
def two(module_lab):
    """A Heddle with a history, and one that starts from nothing each time."""
    return [Heddle(module_lab, module_lab.ns(n), {}).start() for n in ("old", "new")]


def test_random_pairs_forward_and_back(two, rng, rounds):
    old, new = (Api(h.run_dir) for h in two)
    n, sizes = rounds(8), []
    for i in range(n):
        a, b = random_config(rng), random_config(rng)
        for config in (a, b, a):
            done = old.load(config)
            assert done["state"] in ("applied", "unchanged"), done
            new.load({})
            new.load(config)
            sizes.append(old.get("data/heddle-system:system-state")["heddle-system:system-state"]["configuration"]["objects"])
            # whether a list's first segment has a way out is told after the load, and what follows from it comes then
            deadline = time.monotonic() + 3
            was, want = dump(old), dump(new)
            while was != want and time.monotonic() < deadline:
                time.sleep(0.02)
                was, want = dump(old), dump(new)
            for name in want:
                assert was[name] == want[name], f"pair {i}, {name}: {difference(was[name], want[name])}"
            drift = old.call("diff")
            assert drift["equal"], f"pair {i}: {drift}"
    print(f"{n} pairs, {sum(sizes) / len(sizes):.0f} objects on average, {max(sizes)} at most")
    # what is shown as YAML is the same configuration
    told = two[0].cli("load", "-", stdin=two[0].show("config")).stdout
    assert "nothing changed" in told, told
    for heddle in two:
        heddle.cli("load", "-", stdin="{}")


def test_repair(two, rng):
    """What is lost or foreign in the data plane is found, told, and put right; the rest is not touched."""
    from heddlelab import tableapi
    heddle = two[0]
    api = Api(heddle.run_dir)
    api.load({"interfaces": {"interface": [interface("p0", "net_null0", "10.0.0.1/24")]},
              "ip": {"route": [{"prefix": "172.16.0.0/24", "special": "blackhole"}]}})
    heddle.ctrl.popen.send_signal(signal.SIGTERM)
    heddle.ctrl.wait(10)
    table = tableapi.TableApi(os.path.join(heddle.run_dir, "dp.sock"))
    foreign = [tableapi.nexthop(77, 1, "10.0.0.77"), tableapi.route(4, bytes((172, 17, 0, 0)) + bytes(12), 24, 77)]
    assert table.commit(foreign)[0] == 0
    table.close()
    heddle.start_ctrl()
    heddle.wait_ready()
    assert "172.17" not in heddle.show("routes"), "a restart repairs too"
    done = heddle.cli("diff", "running", "dataplane", "--repair")
    assert "0 objects set, 0 deleted" in done.stdout and "holds what is configured" in done.stdout


class Ctrl:
    """A heddle-ctrl without a data plane, to be killed."""

    def __init__(self, lab, name, wrap=()):
        self.lab, self.name, self.wrap, self.n = lab, name, list(wrap), 0
        self.run_dir, self.state_dir = lab.path(f"{name}-run"), lab.path(f"{name}-state")
        for path in (self.run_dir, self.state_dir):
            os.makedirs(path)
        self.ns = lab.ns(name)
        self.api = Api(self.run_dir, timeout=20)

    def start(self):
        self.n += 1
        self.process = self.ns.popen(f"{self.name}{self.n}", self.wrap + [
            CTRL, "--run-dir", self.run_dir, "--state-dir", self.state_dir])
        wait_for("the API", self.answers, 20)
        return self

    def answers(self):
        assert self.process.running, self.process.log(10)
        try:
            return self.api.ask("GET", "yang-library-version").status == 200
        except OSError:
            return False

    def hostname(self):
        answer = self.api.ask("GET", "data/heddle-system:system/hostname")
        return answer.json()["heddle-system:hostname"] if answer.status == 200 else None

    def name_it(self, name):
        return self.api.ask("PUT", "data/heddle-system:system/hostname", {"heddle-system:hostname": name})

    def history(self):
        return self.api.get("data/heddle-system:history-state")["heddle-system:history-state"].get("version", [])


def test_kill_while_it_persists(lab, rng, rounds):
    """kill -9 at any moment of a stream of commits: what comes back is the last version that was told to be in force,
    or the one that was under way; never a part, and the history is whole."""
    ctrl = Ctrl(lab, "ctrl").start()
    told, asked = None, 0

    for _ in range(rounds(12)):
        stop = threading.Event()

        def commits():
            nonlocal told, asked
            while not stop.is_set():
                asked += 1
                try:
                    if ctrl.name_it(f"h{asked}").status < 300:
                        told = f"h{asked}"
                except Exception:  # it was killed
                    return

        worker = threading.Thread(target=commits)
        worker.start()
        time.sleep(0.05 + rng.random() * 0.3)
        ctrl.process.kill()
        stop.set()
        worker.join()
        ctrl.start()
        assert ctrl.hostname() in (told, f"h{asked}"), f"{ctrl.hostname()}; {told} was told, h{asked} asked for"
        versions = ctrl.history()
        assert [v["revision"] for v in versions] == list(range(versions[0]["revision"],
                                                               versions[0]["revision"] - len(versions), -1))
        for v in versions:
            with open(os.path.join(ctrl.state_dir, "history", f"{v['revision']:06}.json")) as text:
                json.load(text)
    print(f"{asked} commits, {ctrl.n - 1} kills, {len(ctrl.history())} versions kept")


def test_full_disk(lab):
    """A disk that takes no more: the commit is refused, everything is as before, also after a restart; and when there
    is room again it is accepted."""
    ctrl = Ctrl(lab, "ctrl")
    disk = lab.path("ctrl-state")
    holder = ctrl.ns.popen("disk", ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=200k tmpfs {disk} && sleep 300"])
    inside = ["nsenter", f"--mount=/proc/{holder.pid}/ns/mnt", "--"]
    wait_for("the disk", lambda: disk in ctrl.ns.run([*inside, "cat", "/proc/mounts"], check=False).stdout, 10)
    ctrl.wrap = inside
    ctrl.start()
    assert ctrl.name_it("small").status == 201
    ctrl.ns.run([*inside, "sh", "-c", f"cat /dev/zero > {disk}/fill || true"])
    refused = ctrl.name_it("large")
    assert refused.status == 409 and "No space left" in refused.text, refused.text
    assert ctrl.hostname() == "small"
    ctrl.process.kill()
    ctrl.start()
    assert ctrl.hostname() == "small" and len(ctrl.history()) == 1
    assert ctrl.name_it("large").status == 409
    ctrl.ns.run([*inside, "rm", f"{disk}/fill"])
    assert ctrl.name_it("large").status == 204 and ctrl.hostname() == "large"


def test_confirmed_commit_over_a_kill(lab):
    """The operator cuts himself off, and the process is killed too: the time goes on, and the version before returns,
    in the data plane as well."""
    ns = lab.ns("hd")
    base = {"interfaces": {"interface": [interface("p0", "net_null0", "10.0.0.1/24")]},
            "ip": {"route": [{"prefix": "172.16.0.0/24", "special": "blackhole"}]}}
    heddle = Heddle(lab, ns, base).start()
    heddle.cli("delete", "ip", "route", "172.16.0.0/24")
    heddle.cli("set", "ip", "route", "172.18.0.0/24", "special", "blackhole")
    heddle.cli("commit", "confirmed", "4")
    assert "172.18" in heddle.show("routes") and "172.16" not in heddle.show("routes")
    heddle.kill_ctrl()
    heddle.start_ctrl()
    heddle.wait_ready()
    assert "172.18" in heddle.show("routes"), "it still has time"
    assert "unconfirmed" in heddle.show("version") or "unconfirmed" in heddle.cli("history").stdout
    wait_for("the revert", lambda: "172.16" in heddle.show("routes") and "172.18" not in heddle.show("routes"), 15)
    assert "was not confirmed" in heddle.cli("history").stdout
    # and when the time is over before it comes back
    heddle.cli("delete", "ip", "route", "172.16.0.0/24")
    heddle.cli("commit", "confirmed", "1")
    heddle.kill_ctrl()
    time.sleep(2.5)
    heddle.start_ctrl()
    heddle.wait_ready()
    assert "172.16" in heddle.show("routes")
    assert heddle.cli("diff", "running", "dataplane", check=False).returncode == 0
    # confirmed in time it stays
    heddle.cli("delete", "ip", "route", "172.16.0.0/24")
    heddle.cli("commit", "confirmed", "2")
    heddle.cli("confirm")
    time.sleep(2.5)
    assert "172.16" not in heddle.show("routes")


def test_polling_while_it_loads(lab):
    """Readers in a loop while 100,000 routes are loaded and taken away: all are answered, none waits for the load."""
    heddle = Heddle(lab, lab.ns("hd"), {"interfaces": {"interface": [interface("p0", "net_null0", "10.0.0.1/24")]}}).start()
    path = lab.path("big.yaml")
    with open(path, "w") as out:
        out.write("interfaces: {interface: [{name: p0, devargs: net_null0}]}\nip:\n  route:\n")
        for i in range(100_000):
            out.write(f"    - {{prefix: 20.{i >> 16}.{i >> 8 & 255}.{i & 255}/32, special: blackhole}}\n")
    result = {}

    def load():
        start = time.monotonic()
        result["done"] = heddle.cli("load", path, timeout=200)
        result["took"] = time.monotonic() - start

    worker = threading.Thread(target=load)
    worker.start()
    waits, api = [], Api(heddle.run_dir)
    while worker.is_alive():
        start = time.monotonic()
        assert api.get("data/heddle-system:system-state")
        waits.append(time.monotonic() - start)
        time.sleep(0.005)
    worker.join()
    start = time.monotonic()
    metrics = api.ask("GET", "/metrics")
    scrape = time.monotonic() - start
    print(f"100,000 routes loaded in {result['took']:.1f} s; {len(waits)} polls meanwhile, the slowest "
          f"{max(waits) * 1000:.0f} ms, the median {sorted(waits)[len(waits) // 2] * 1000:.1f} ms; "
          f"a scrape then took {scrape * 1000:.0f} ms")
    assert metrics.status == 200 and len(metrics.text) < 1 << 20
    assert len(waits) > 20, "the readers were held up"
    assert max(waits) < result["took"], "a reader waited for the whole load"
