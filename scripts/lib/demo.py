# SPDX-License-Identifier: BSD-3-Clause
"""The demo that scripts/demo runs: steer traffic over SRv6 both ways, check it, and look inside."""

import argparse
import json
import os
import re
import signal
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lab"))

from heddlelab import Heddle, Lab, LabError, interface, veth_port  # noqa: E402
from heddlelab.heddle import CLI  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


def bold(text):
    return paint("1", text)


def dim(text):
    return paint("2", text)


def title(text):
    print(f"\n{bold(text)}\n{dim('─' * len(text))}", flush=True)


def indent(text, spaces=2):
    for line in text.rstrip().splitlines():
        print(" " * spaces + line)
    sys.stdout.flush()


PICTURE = r"""
   host-a               heddle                  router (Linux)            host-b
 ┌──────────┐        ┌──────────┐               ┌────────────┐         ┌──────────┐
 │ 10.0.1.2 ├────────┤ fc00:1:: ├───────────────┤  fc00:2::  ├─────────┤ 10.0.2.2 │
 │ …:a::2   │ access │          │ core          │            │         │   …:b::2 │
 └──────────┘        └──────────┘               └────────────┘         └──────────┘

 there  IPv4   H.Encaps      fc00:2::e (End) ─► fc00:2::d4 (End.DX4)  ─► host-b
        IPv6   H.Encaps.Red  fc00:2::e (End) ─► fc00:2::d6 (End.DT6)  ─► host-b
 back   both   host-a ◄─ fc00:1::46 (End.DT46) ◄─ fc00:1::e (End)     ◄─ encap by the kernel
"""


def config(port):
    """What an operator would write in heddle.yaml."""
    return {
        "system": {"hostname": "demo"},
        "interfaces": {"interface": [
            interface("access", veth_port("access", port), "10.0.1.1/24", "2001:db8:a::1/64"),
            interface("core", veth_port("core", port), "2001:db8:12::1/64"),
        ]},
        "ip": {"route": [
            {"prefix": "fc00:2::/48", "next-hop": [{"interface": "core", "address": "2001:db8:12::2"}]},
            {"prefix": "10.0.2.0/24", "srv6-policy": "to-b-ipv4"},
            {"prefix": "2001:db8:b::/64", "srv6-policy": "to-b-ipv6"},
        ]},
        "srv6": {
            "encapsulation": {"source-address": "fc00:1::1"},
            "locator": [{"name": "demo", "prefix": "fc00:1::/48"}],
            "sid": [
                {"sid": "fc00:1::e/128", "behavior": "end"},
                {"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True},
            ],
            "policy": [
                {"name": "to-b-ipv4", "encapsulation": "h-encaps",
                 "segment-list": [{"name": "main", "segment": ["fc00:2::e", "fc00:2::d4"]}]},
                {"name": "to-b-ipv6", "encapsulation": "h-encaps-red",
                 "segment-list": [{"name": "main", "segment": ["fc00:2::e", "fc00:2::d6"]}]},
            ],
        },
    }


class Demo:
    def __init__(self, lab, port):
        self.lab = lab
        self.failed = 0
        self.a, self.hd = lab.ns("host-a"), lab.ns("heddle")
        self.r, self.b = lab.ns("router"), lab.ns("host-b")
        # 100 octets less than the core: room for the outer header and two segments (40 + 8 + 32).
        lab.link(self.a, "eth0", self.hd, "access", mtu=1400)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1400)
        for host, four, six in ((self.a, "10.0.1", "2001:db8:a"), (self.b, "10.0.2", "2001:db8:b")):
            host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
            host.route(f"default via {four}.1", f"default via {six}::1")
        self.r.addr("hosts", "10.0.2.1/24", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.forwarding()
        self.r.route(
            "fc00:1::/48 via 2001:db8:12::1",
            "fc00:2::e encap seg6local action End count dev core",
            "fc00:2::d6 encap seg6local action End.DT6 table main count dev hosts",
            "2001:db8:a::/64 encap seg6 mode encap segs fc00:1::e,fc00:1::46 dev core")
        self.r.ip("-6 route add fc00:2::d4 encap seg6local action End.DX4 nh4 10.0.2.2 count dev hosts")
        self.r.ip("route add 10.0.1.0/24 encap seg6 mode encap segs fc00:1::e,fc00:1::46 dev core")
        self.heddle = Heddle(lab, self.hd, config(port)).start()

    def check(self, what, run):
        """Run one check, which returns a line to show or raises LabError."""
        start = time.monotonic()
        try:
            note, good = run(), True
        except LabError as error:
            note, good = str(error).strip().splitlines()[0], False
        mark = paint("32", "ok  ") if good else paint("31", "FAIL")
        self.failed += not good
        print(f"  {mark}  {what:<34} {note} {dim(f'({time.monotonic() - start:.1f} s)')}", flush=True)

    def ping(self, source, target):
        def run():
            done = source.run(f"ping -n -c 20 -i 0.02 -W 2 {target}", check=False)
            received = re.search(r"(\d+) received", done.stdout)
            times = re.search(r"= [\d.]+/([\d.]+)/", done.stdout)
            if not received or received.group(1) != "20" or not times:
                raise LabError(f"{received.group(1) if received else 0} of 20 answered")
            return f"20 of 20 answered, {times.group(1)} ms on average"
        return run

    def iperf(self, target, *args, name):
        """An iperf3 run from host-a to host-b: the parsed report's end."""
        server = self.b.popen(f"iperf3-{name}", f"iperf3 -s -1 -B {target}")
        try:
            for _ in range(50):
                if self.b.run("ss -Hltn sport = :5201").stdout:
                    break
                time.sleep(0.1)
            done = self.a.run(f"iperf3 -J -t 2 --connect-timeout 3000 -c {target} {' '.join(args)}",
                              check=False, timeout=20)
            try:
                report = json.loads(done.stdout)
            except ValueError:
                report = {"error": (done.stdout + done.stderr).strip() or "iperf3 said nothing"}
            if "error" in report:
                raise LabError(report["error"])
            return report["end"]
        finally:
            server.stop()

    def tcp(self, target, name, reverse=False):
        def run():
            end = self.iperf(target, *(["-R"] if reverse else []), name=name)
            got, sent = end["sum_received"], end["sum_sent"]
            if got["bytes"] < 100_000:
                raise LabError(f"only {got['bytes']} octets came through")
            return (f"{got['bytes'] / 1e6:.0f} MB at {got['bits_per_second'] / 1e6:.0f} Mbit/s, "
                    f"{sent.get('retransmits', 0)} retransmits")
        return run

    def udp(self, target, name, reverse=False):
        def run():
            end = self.iperf(target, "-u", "-b", "20M", "-l", "1200", *(["-R"] if reverse else []), name=name)
            total = end["sum"]
            if total["packets"] < 1000 or total["lost_packets"] * 200 > total["packets"]:
                raise LabError(f"{total['lost_packets']} of {total['packets']} packets lost")
            return f"{total['packets']} packets at 20 Mbit/s, {total['lost_packets']} lost"
        return run

    def kernel_sids(self):
        """Packets that the Linux router's own SIDs counted."""
        counted = {}
        for line in self.r.out("ip -s -6 route show").splitlines():
            found = re.match(r"(fc00:2::\w+) .*?action (\S+).*packets (\d+) .*errors (\d+)", line)
            if found:
                counted[f"{found.group(1)} ({found.group(2)})"] = (int(found.group(3)), int(found.group(4)))
        return counted

    def all_on_path(self):
        counted = self.kernel_sids()
        if len(counted) != 3 or any(packets == 0 for packets, _ in counted.values()):
            raise LabError(f"a SID of the router saw no packet: {counted}")
        return ", ".join(f"{sid} {packets}" for sid, (packets, _) in counted.items())

    def show(self, heading, *command):
        title(f"{heading}   {dim('heddle ' + ' '.join(command))}")
        done = self.heddle.cli(*command, check=False)
        indent(done.stdout + done.stderr)
        if done.returncode != 0:
            self.failed += 1

    def run(self):
        print(bold("\nHeddle: traffic of host-a is steered over SRv6 to host-b, and back"))
        print(PICTURE)
        title("Does it pass?")
        four, six = "10.0.2.2", "2001:db8:b::2"
        self.check("ping IPv4, host-a to host-b", self.ping(self.a, four))
        self.check("ping IPv6, host-a to host-b", self.ping(self.a, six))
        self.check("ping IPv4, host-b to host-a", self.ping(self.b, "10.0.1.2"))
        self.check("ping IPv6, host-b to host-a", self.ping(self.b, "2001:db8:a::2"))
        self.check("TCP over IPv4, host-a to host-b", self.tcp(four, "tcp4"))
        self.check("TCP over IPv4, host-b to host-a", self.tcp(four, "tcp4r", reverse=True))
        self.check("TCP over IPv6, host-a to host-b", self.tcp(six, "tcp6"))
        self.check("TCP over IPv6, host-b to host-a", self.tcp(six, "tcp6r", reverse=True))
        self.check("UDP over IPv4, host-a to host-b", self.udp(four, "udp4"))
        self.check("UDP over IPv4, host-b to host-a", self.udp(four, "udp4r", reverse=True))
        self.check("UDP over IPv6, host-a to host-b", self.udp(six, "udp6"))
        self.check("UDP over IPv6, host-b to host-a", self.udp(six, "udp6r", reverse=True))
        self.check("the Linux router's SIDs counted", self.all_on_path)
        self.look_inside()

    def look_inside(self):
        # A flow in the background, so that rates and traces have something to show.
        self.b.popen("iperf3-show", "iperf3 -s -1")
        time.sleep(0.3)
        flow = self.a.popen("iperf3-flow", "iperf3 -u -b 20M -l 1000 -t 20 -c 10.0.2.2")
        time.sleep(1.5)
        self.show("Interfaces, while a UDP flow runs", "show", "interfaces", "--rates")
        self.show("Policies: what host-a's traffic is pushed into", "show", "policies")
        self.show("SIDs: what comes back to Heddle", "show", "sids")
        self.show("Every node, with its cost", "show", "graph")
        self.show("One packet, node by node", "trace", "packets", "--count", "1", "--prefix", "10.0.2.2/32")
        self.show("What was dropped, and why", "show", "drops")
        flow.stop()

    def farewell(self, keep):
        title("What to type next")
        if keep:
            socket = os.path.join(self.heddle.run_dir, "ctrl.sock")
            indent(f"alias heddle='{CLI} --socket {socket}'\n"
                   "heddle                             # a shell: Tab completes, ? explains\n"
                   "heddle show interfaces --watch\n"
                   "heddle traceroute 10.0.2.2\n"
                   "heddle show drops --json\n"
                   "heddle capture --node srv6-encap --count 10 -w /tmp/encap.pcapng\n"
                   f"{' '.join(self.a.argv('ping 10.0.2.2'))}\n"
                   f"less {self.heddle.config_path}")
        else:
            indent("sudo scripts/demo --keep            # the same, left standing to play with\n"
                   "sudo scripts/test                   # prove it\n"
                   "build/stage/usr/bin/heddle --help   # all commands\n"
                   "less docs/architecture.md           # how it works")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--port", choices=["af_packet", "af_xdp"], default="af_packet")
    options = parser.parse_args()
    # SIGTERM and a closed terminal take the lab down as Ctrl-C does.
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: signal.raise_signal(signal.SIGINT))

    with Lab() as lab:
        try:
            demo = Demo(lab, options.port)
            demo.run()
            demo.farewell(options.keep)
        except LabError as error:
            print(f"\n{paint('31', 'the demo failed:')} {error}\n{lab.tail()}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\ninterrupted; taking the lab down", file=sys.stderr)
            return 130
        if options.keep:
            print(f"\n{bold('The lab stays until Ctrl-C.')}", flush=True)
            try:
                signal.pause()
            except KeyboardInterrupt:
                print()
        if demo.failed:
            print(f"\n{paint('31', f'{demo.failed} checks failed')}\n{lab.tail(20, 'heddle-')}", file=sys.stderr)
            return 1
        print(f"\n{paint('32', 'All passed.')}")
        return 0


if __name__ == "__main__":
    sys.exit(main())
