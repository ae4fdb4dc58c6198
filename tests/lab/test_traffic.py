# SPDX-License-Identifier: BSD-3-Clause
"""heddle-bench traffic: its frames as tshark sees them, its self-test over memif, and its figures through a Heddle
whose losses are known.

    generator ── in ── heddle ── out ── generator      (one namespace for the generator, both its ports in it)
"""

import json
import os
import subprocess

import pytest

from heddlelab import Heddle, interface, veth_port
from heddlelab.heddle import STAGE

BENCH = os.path.join(STAGE, "usr/bin/heddle-bench")

MACS = "eth: {src: 02:00:00:00:00:01, dst: 02:00:00:00:00:02}"
V4 = "ip4: {src: 198.18.0.1, dst: 198.19.0.1, tos: 0xb8, ttl: 9}"
V6 = "ip6: {src: '2001:db8::1', dst: '2001:db8:1::1', traffic-class: 0xb8, hop-limit: 9, flow-label: 0x12345}"
SRH = "srh: {segments: ['2001:db8:a::1', '2001:db8:b::1', '2001:db8:c::1']}"
NSH = "nsh: {path: 42, index: 254, ttl: 60, context: 000102030405060708090a0b0c0d0e0f}"

# layers, tshark's protocols, tshark's fields
KINDS = [
    ([MACS, V4, "udp: {src: 1000, dst: 2000}"], "eth:ethertype:ip:udp:data",
     {"ip.src": "198.18.0.1", "ip.dst": "198.19.0.1", "ip.dsfield": "0xb8", "ip.ttl": "9", "udp.srcport": "1000"}),
    ([MACS, V6, "tcp: {src: 1000, dst: 2000, flags: 0x18}"], "eth:ethertype:ipv6:tcp:data",
     {"ipv6.tclass": "0x000000b8", "ipv6.flow": "0x012345", "ipv6.hlim": "9", "tcp.flags": "0x0018"}),
    ([MACS, "vlan: {id: 100, pcp: 5}", V4, "udp"], "eth:ethertype:vlan:ethertype:ip:udp:data",
     {"vlan.id": "100", "vlan.priority": "5"}),
    ([MACS, "vlan: {id: 4094, tpid: 0x88a8}", "vlan: {id: 7}", V6, "udp"],
     "eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ipv6:udp:data", {"ieee8021ad.id": "4094", "vlan.id": "7"}),
    ([MACS, "pppoe: {session: 4711}", V4, "udp"], "eth:ethertype:pppoes:ppp:ip:udp:data",
     {"pppoe.session_id": "0x1267", "ppp.protocol": "0x0021"}),
    ([MACS, "vlan: {id: 7}", "pppoe: {session: 1}", V6, "udp"],
     "eth:ethertype:vlan:ethertype:pppoes:ppp:ipv6:udp:data", {"ppp.protocol": "0x0057"}),
    ([MACS, "ip6: {src: '2001:db8::1'}", SRH, "udp"], "eth:ethertype:ipv6:ipv6.routing:udp:data",
     {"ipv6.dst": "2001:db8:a::1", "ipv6.routing.segleft": "2",
      "ipv6.routing.srh.addr": "2001:db8:c::1,2001:db8:b::1,2001:db8:a::1"}),
    ([MACS, "ip6: {src: '2001:db8::1'}", SRH, V4, "udp"], "eth:ethertype:ipv6:ipv6.routing:ip:udp:data", {}),
    ([MACS, "ip6: {src: '2001:db8::1'}", SRH, V6, "tcp"], "eth:ethertype:ipv6:ipv6.routing:ipv6:tcp:data", {}),
    ([MACS, "ip6: {src: '2001:db8::1'}", SRH, MACS, V4, "udp"],
     "eth:ethertype:ipv6:ipv6.routing:eth:ethertype:ip:udp:data", {}),
    ([MACS, NSH, V4, "udp"], "eth:ethertype:nsh:ip:udp:data",
     {"nsh.spi": "42", "nsh.si": "254", "nsh.ttl": "0x003c", "nsh.mdtype": "1"}),
    ([MACS, "nsh: {path: 42, md-type: 2}", V6, "udp"], "eth:ethertype:nsh:ipv6:udp:data", {"nsh.mdtype": "2"}),
    ([MACS, NSH, MACS, V6, "tcp"], "eth:ethertype:nsh:eth:ethertype:ipv6:tcp:data", {}),
    ([MACS, V4, "udp", "vxlan-gpe: {vni: 99}", NSH, V4, "udp"],
     "eth:ethertype:ip:udp:nsh:ip:udp:data", {"vxlan.vni": "99", "nsh.spi": "42"}),
]


def streams(*packets, ports=""):
    text = ports + "streams:\n"
    for packet in packets:
        text += "- packet:\n" + "".join(f"  - {layer}\n" for layer in packet)
    return text


def tshark(path, *args):
    return subprocess.run(["tshark", "-n", "-r", path, *args], capture_output=True, text=True, check=True).stdout


def test_frames_are_what_tshark_expects(lab):
    made = lab.path("frames.pcap")
    source = lab.write("kinds.yaml", streams(*[layers for layers, _, _ in KINDS]))
    for size in ("64", "127", "1518"):
        lab.run([BENCH, "traffic", "frames", made, "--streams", source, "--size", size])
        # The payload is a pattern: tshark shall see data, and no protocol of the port.
        checks = ["-d", "udp.port==7,data", "-d", "udp.port==2000,data", "-d", "tcp.port==7,data",
                  "-d", "tcp.port==2000,data", "-o", "tcp.analyze_sequence_numbers:FALSE"]
        for proto in ("ip", "tcp", "udp"):
            checks += ["-o", f"{proto}.check_checksum:TRUE"]
        bad = tshark(made, *checks, "-Y", "_ws.malformed || ip.checksum.status == 0 || "
                     "udp.checksum.status == 0 || tcp.checksum.status == 0 || _ws.expert.severity == error")
        assert bad == ""
        names = ["frame.protocols"] + sorted({name for _, _, fields in KINDS for name in fields})
        rows = tshark(made, *checks, "-T", "fields", "-E", "separator=|", *[w for n in names for w in ("-e", n)])
        for (layers, protocols, fields), row in zip(KINDS, rows.splitlines(), strict=True):
            seen = dict(zip(names, row.split("|"), strict=True))
            assert seen["frame.protocols"] == protocols
            for name, value in fields.items():
                assert value in (seen[name], seen[name].split(",")[-1]), f"{name} of {layers}"


def test_a_capture_is_sent_as_it_is(lab):
    """Frames of a pcap come out again, but for the signature and the checksum over it."""
    source, first, second = lab.write("kinds.yaml", streams(*[k[0] for k in KINDS])), lab.path("a"), lab.path("b")
    lab.run([BENCH, "traffic", "frames", first, "--streams", source, "--size", "128"])
    lab.run([BENCH, "traffic", "frames", second, "--pcap", first])
    with open(first, "rb") as a, open(second, "rb") as b:
        assert a.read()[24:] == b.read()[24:]


def test_wrong_input_is_refused_by_line(lab):
    source = lab.write("bad.yaml", "streams:\n- packet:\n  - eth\n  - vlan: {id: 5000}\n")
    done = lab.run([BENCH, "traffic", "run", "--port", "net_null0", "--streams", source], check=False)
    assert done.returncode == 2 and f"{source}:4: id: " in done.stderr, done.stderr
    done = lab.run([BENCH, "traffic", "run", "--port", "net_null0", "--rate", "fast"], check=False)
    assert done.returncode == 2 and "--rate: \"fast\" is not a valid RATE" in done.stderr
    done = lab.run([BENCH, "traffic", "run"], check=False)
    assert done.returncode == 2


def test_self_test_over_memif(lab):
    done = lab.run([BENCH, "traffic", "--self-test=memif", "--no-huge"], timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


PORTS = """ports:
- {address: [10.0.1.2, '2001:db8:1::2'], gateway: 10.0.1.1}
- {address: [10.0.2.2, '2001:db8:2::2'], gateway: '2001:db8:2::1'}
"""

CONFIG = {
    "interfaces": {"interface": [
        interface("in", veth_port("in"), "10.0.1.1/24", "2001:db8:1::1/64"),
        interface("out", veth_port("out"), "10.0.2.1/24", "2001:db8:2::1/64"),
    ]},
    "ip": {"route": [
        {"prefix": "198.19.0.0/16", "next-hop": [{"interface": "out", "address": "10.0.2.2"}]},
        {"prefix": "198.18.0.0/16", "next-hop": [{"interface": "in", "address": "10.0.1.2"}]},
        {"prefix": "198.19.7.0/24", "special": "blackhole"},
    ]},
}


@pytest.fixture
def through(lab):
    gen, hd = lab.ns("gen"), lab.ns("hd")
    lab.link(gen, "p0", hd, "in")
    lab.link(gen, "p1", hd, "out")
    for dev in ("p0", "p1"):
        gen.sysctl(f"net.ipv6.conf.{dev}.disable_ipv6=1")
    return gen, Heddle(lab, hd, CONFIG).start()


def traffic(gen, *args, check=True):
    done = gen.run([BENCH, "traffic", *args, "--port", "net_af_packet0,iface=p0", "--port", "net_af_packet1,iface=p1",
                    "--no-huge", "--quiet", "--json", "-"], timeout=120, check=check)
    return json.loads(done.stdout)["results"]


def test_losses_through_heddle_are_exact(lab, through):
    """Half of a stream's flows have a destination that Heddle drops: so many are lost, no more and no fewer."""
    gen, heddle = through
    source = lab.write("s.yaml", PORTS + """streams:
- name: there
  flows: 64
  size: imix
  packet:
  - eth
  - ip4: {src: 198.18.0.1, dst: 198.19.7.224..198.19.8.31}
  - udp
- name: back
  from: 1
  flows: 8
  packet:
  - eth
  - ip4: {src: 198.19.0.1, dst: 198.18.0.1..198.18.0.8}
  - tcp
""")
    before = drops(heddle)
    # 198.19.7.224 to .255 are dropped, 198.19.8.0 to .31 are not
    row = traffic(gen, "run", "--streams", source, "--rate", "2kpps", "--seconds", "2")[0]
    there, back = row["streams"]
    assert there["sent"] + back["sent"] == 4000, row
    assert abs(there["lost"] - there["sent"] / 2) <= 16, row  # the last lap through the flows may be cut
    assert back["lost"] == 0 and there["duplicates"] == back["duplicates"] == 0, row
    assert there["reordered"] == back["reordered"] == 0, row
    assert drops(heddle) - before == there["lost"], heddle.show("drops")
    assert 0 < back["latency_ns"]["min"] <= back["latency_ns"]["p50"] <= back["latency_ns"]["max"]


def drops(heddle):
    return sum(int(d["packets"]) for d in heddle.json("show drops")["heddle-system:drop-state"].get("drop", [])
               if d["reason"] == "blackhole")


def test_throughput_and_its_reports(lab, through):
    """A rate that Heddle carries easily is reached, and reported as a bound of what was asked, with a picture."""
    gen, _ = through
    source, picture = lab.write("s.yaml", PORTS + """streams:
- packet:
  - eth
  - ip4: {src: 198.18.0.1, dst: 198.19.0.1}
  - udp
"""), lab.path("t.svg")
    rows = traffic(gen, "throughput", "--streams", source, "--size", "64,512", "--max-rate", "1kpps",
                   "--seconds", "0.5", "--drain", "1", "--svg", picture, "--cpus", "0,1")
    assert [r["size"] for r in rows] == ["64", "512"]
    for row in rows:
        assert row["end"] == "at the highest load that was allowed" and row["pps"] == 1000, row
    with open(picture) as svg:
        assert "<svg" in svg.read()
