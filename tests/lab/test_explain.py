# SPDX-License-Identifier: BSD-3-Clause
"""`heddle explain` against what really happens to the same packet: the nodes a trace saw, and the frames that came out.

    tester ── lan (10.0.1.0/24, also VLAN 100)  heddle  far (MTU 1300) ── tester

Port lan is AF_XDP: the kernel reassembles fragments before it hands them to an AF_PACKET port."""

import http.client
import json
import re
import socket
import subprocess
import time

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import rdpcap, wrpcap

from heddlelab import Heddle, RawPort, interface, subinterface, veth_port, wait_for

LAN_MAC, A_MAC, B_MAC = "02:10:00:00:00:01", "02:aa:00:00:00:02", "02:bb:00:00:00:02"
V6 = "2001:db8"

CONFIG = {
    "system": {"punt-policer": [{"reason": reason, "rate": 1000000, "burst": 10000}
                                for reason in ("icmp4-error", "icmp6-error")]},
    "interfaces": {"interface": [
        interface("lan", veth_port("lan", "af_xdp"), "10.0.1.1/24", f"{V6}:a::1/64", mac=LAN_MAC, mtu=1700),
        subinterface("lan.100", "lan", 100, "10.0.100.1/24", f"{V6}:100::1/64", mac=LAN_MAC, mtu=1700),
        interface("far", veth_port("far"), "10.0.2.1/24", f"{V6}:b::1/64", mtu=1300),
    ]},
    "ip": {
        "neighbour": [{"interface": iface, "address": address, "mac": mac} for iface, address, mac in (
            ("lan", "10.0.1.2", A_MAC), ("lan", f"{V6}:a::2", A_MAC), ("lan.100", "10.0.100.2", A_MAC),
            ("lan.100", f"{V6}:100::2", A_MAC), ("far", "10.0.2.2", B_MAC), ("far", f"{V6}:b::2", B_MAC))],
        "route": [{"prefix": "10.50.0.0/16", "next-hop": [{"interface": "far", "address": "10.0.2.2"}]},
                  {"prefix": "fc00:2::/32", "next-hop": [{"interface": "far", "address": f"{V6}:b::2"}]},
                  {"prefix": "10.60.0.0/16", "srv6-policy": "p"},
                  {"prefix": f"{V6}:60::/48", "srv6-policy": "p"},
                  {"prefix": "10.97.0.0/16", "special": "prohibit"},
                  {"prefix": "10.98.0.0/16", "special": "unreachable"},
                  {"prefix": "10.99.0.0/16", "special": "blackhole"}]},
    "srv6": {"encapsulation": {"source-address": "fc00:1::1"},
             "sid": [{"sid": "fc00:1::e/128", "behavior": "end"},
                     {"sid": "fc00:1::e1/128", "behavior": "end", "flavor": ["psp", "usp", "usd"]},
                     {"sid": "fc00:1::a/128", "behavior": "end-x",
                      "next-hop": [{"interface": "far", "address": f"{V6}:b::2"}]},
                     {"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True}],
             "policy": [{"name": "p", "encapsulation": "h-encaps", "segment-list": [
                 {"name": "one", "segment": ["fc00:2::e", "fc00:2::46"]},
                 {"name": "two", "segment": ["fc00:2::e2", "fc00:2::e", "fc00:2::46"]}]}]},
}


class Api:
    """The control process by HTTP over its socket: faster than a command per question."""

    def __init__(self, path):
        self.path = path

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("localhost", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.path)
        headers = {"Content-Type": "application/yang-data+json"} if body is not None else {}
        connection.request(method, "/restconf/" + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status in (200, 204), (path, answer.status, text)
        return json.loads(text) if text else {}

    def operate(self, module, name, **value):
        answer = self.call("POST", f"operations/{module}:{name}", {f"{module}:input": value})
        return answer.get(f"{module}:output", {})

    def explain(self, frame, iface="lan"):
        return self.operate("heddle-explain", "explain", interface=iface, hex=bytes(frame).hex())

    def counters(self):
        """Everything that counts packets, but for the sums of polling, ages and times (which are reckoned anew)."""
        text = json.dumps([self.call("GET", f"data/{path}") for path in
                           ("heddle-interfaces:interface-state", "heddle-system:drop-state", "heddle-srv6:sid-state",
                            "heddle-srv6:policy-state", "heddle-ip:neighbour-state")])
        return re.sub(r'"(time|age)": ("[^"]*"|[0-9]+)', "", text)


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.tester, self.hd = lab.ns("tester"), lab.ns("hd")
        for dev in ("lan", "far"):
            lab.link(self.tester, f"to-{dev}", self.hd, dev, mtu=1700)
            # nothing but the tests speaks at this end
            self.tester.sysctl(f"net.ipv6.conf.to-{dev}.disable_ipv6=1")
            self.tester.ip(f"link set to-{dev} arp off")
        self.heddle = Heddle(lab, self.hd, CONFIG).start()
        self.api = Api(f"{self.heddle.run_dir}/ctrl.sock")
        self.ports = {dev: RawPort(self.tester, f"to-{dev}") for dev in ("lan", "far")}
        time.sleep(0.3)  # announcements of the addresses

    def drain(self):
        for port in self.ports.values():
            port.drain()

    def explain(self, *args):
        return self.heddle.json("explain", "--interface", "lan", *args)["heddle-explain:output"]


@pytest.fixture(scope="module")
def net(module_lab):
    made = Net(module_lab)
    yield made
    for port in made.ports.values():
        port.close()


def random_l3(rng):
    """An IP packet to one of the places that the configuration knows, or to none."""
    upper = rng.choice([UDP(sport=rng.randrange(65536), dport=rng.randrange(1, 65536)),
                        TCP(sport=rng.randrange(65536), dport=rng.randrange(1, 65536)), ICMP(id=rng.randrange(65536))])
    load = Raw(rng.randbytes(rng.choice([0, 1, 50, 400, 1200, 1260, 1350])))
    ttl = rng.choice([64, 64, 64, 2, 1, 0])
    tos = rng.randrange(256)
    four = IP(src=rng.choice(["10.0.1.2", "10.0.1.2", "10.0.1.3", "127.0.0.1"]), ttl=ttl, tos=tos,
              id=rng.randrange(65536), flags=rng.choice(["", "", "DF"]),
              dst=rng.choice(["10.0.2.2", "10.50.3.4", "10.60.3.4", "10.60.7.8", "10.97.1.1", "10.98.1.1", "10.99.1.1",
                              "10.0.1.1", "10.0.2.1", "10.0.1.2", "192.0.2.1", "255.255.255.255", "224.0.0.5"]))
    six = IPv6(src=rng.choice([f"{V6}:a::2", f"{V6}:a::2", "fe80::7", "ff02::1"]), hlim=ttl, tc=tos,
               fl=rng.randrange(1 << 20),
               dst=rng.choice([f"{V6}:b::2", f"{V6}:60::1", f"{V6}:60::2", f"{V6}:a::1", f"{V6}:77::1", "fc00:2::9",
                               "ff02::1", "fe80::1"]))
    kind = rng.random()
    if kind < 0.35:
        return four / upper / load
    upper6 = ICMPv6EchoRequest(id=7) if isinstance(upper, ICMP) else upper
    if kind < 0.6:
        return six / upper6 / load
    # to a SID, with or without an SRH, an inner packet or an upper layer
    sid = rng.choice(["fc00:1::e", "fc00:1::e1", "fc00:1::a", "fc00:1::46", "fc00:1::46"])
    outer = IPv6(src=f"{V6}:a::2", dst=sid, hlim=ttl, tc=tos)
    inner = rng.choice([four / upper / load, six / upper6 / load, upper6 / load])
    if rng.random() < 0.4:
        return outer / inner
    segments = ["fc00:2::99", rng.choice(["fc00:2::e", "10.0.0.1", "fc00:1::46"]), sid]
    segments = [s if ":" in s else f"{V6}:b::2" for s in segments]
    left = rng.choice([2, 1, 1, 0, 3, 9])
    return outer / IPv6ExtHdrSegmentRouting(addresses=segments, segleft=left,
                                            lastentry=rng.choice([2, 2, 2, 1, 7])) / inner


def random_frame(rng):
    eth = Ether(src=A_MAC, dst=rng.choice([LAN_MAC] * 8 + ["02:99:00:00:00:01", "ff:ff:ff:ff:ff:ff"]))
    kind = rng.random()
    if kind < 0.04:
        return bytes(eth / ARP(psrc="10.0.1.2", hwsrc=A_MAC, pdst="10.0.1.77"))
    if kind < 0.07:
        eth.type = 0x1234
        return bytes(eth / Raw(rng.randbytes(60)))
    tags = eth
    if kind < 0.3:
        tags = eth / Dot1Q(vlan=rng.choice([100, 100, 100, 200, 0]))
    elif kind < 0.34:
        tags = eth / Dot1AD(vlan=100) / Dot1Q(vlan=7)
    frame = bytearray(bytes(tags / random_l3(rng)))
    damage = rng.random()
    if damage < 0.15:
        frame[rng.randrange(min(len(frame), 90))] ^= 1 << rng.randrange(8)
    elif damage < 0.25:
        frame = frame[:rng.randrange(15, len(frame) + 1)]
    return bytes(frame)


def is_solicitation(frame):
    """ARP requests and Neighbor Solicitations of the slow path, for packets that wait."""
    return ARP in frame or (IPv6 in frame and frame[IPv6].nh == 58 and bytes(frame[IPv6].payload)[:1] == b"\x87")


def steps_of(explained, packet=1):
    return [(s["node"], s.get("verdict")) for s in explained["step"] if s["packet"] == packet]


def send_for_real(net, frame, expected):
    """The traced steps of the frame, and what came out: [(port, octets)]."""
    net.drain()
    net.api.operate("heddle-trace", "start", count=1)
    net.ports["lan"].send(frame)
    traced, got = None, []
    deadline = time.monotonic() + 3
    want_trace = len(expected["step"]) > 1 and expected["step"][1]["node"] != "drop"
    while time.monotonic() < deadline:
        if traced is None:
            packets = net.api.operate("heddle-trace", "read").get("packet", [])
            traced = [(s["node"], s.get("verdict")) for s in packets[0]["step"]] if packets else None
        for dev, port in net.ports.items():
            got += [(dev, bytes(f)) for f in port.receive(lambda f: not is_solicitation(f), timeout=0.002, count=99)]
        sent = sum(p["fate"] == "sent" for p in expected["packet"])
        if (traced is not None or not want_trace) and len(got) >= sent:
            break
    for dev, port in net.ports.items():  # and nothing more
        got += [(dev, bytes(f)) for f in port.receive(lambda f: not is_solicitation(f), timeout=0.004, count=99)]
    return traced, got


def compare(net, frame):
    told = net.api.explain(frame)
    traced, got = send_for_real(net, frame, told)
    steps = steps_of(told)
    if traced is not None:
        assert steps == traced, "not the way it went"
    else:
        assert steps[1][0] == "drop", "nothing was traced, and explain saw more than eth-input"
    devs = {"lan": "lan", "lan.100": "lan", "far": "far"}
    sent = [(devs[p["interface"]], bytes.fromhex(p["data"].replace(":", ""))) for p in told["packet"]
            if p["fate"] == "sent"]
    assert sorted(sent) == sorted(got), "not what came out"
    return told


def test_nothing_counts_and_nobody_is_asked(net, rng):
    # no neighbour is being asked for on account of packets of other tests
    wait_for("quiet", lambda: all(n["state"] == "static" for n in net.heddle.state("neighbours")), 20)
    net.drain()
    before = net.api.counters()
    unknown = Ether(src=A_MAC, dst=LAN_MAC) / IP(src="10.0.1.2", dst="10.0.2.201") / UDP(sport=1, dport=2)
    told = net.api.explain(unknown)
    assert told["packet"][0]["fate"] == "punted"
    assert "would ask for neighbour 10.0.2.201 on far by ARP" in told["packet"][0]["meaning"]
    for _ in range(40):
        net.api.explain(random_frame(rng))
    assert net.api.counters() == before
    for dev, port in net.ports.items():
        assert port.receive(timeout=0.1) == [], f"explaining has sent on {dev}"


def test_random_packets_come_true(net, rng, rounds):
    """Steps equal to the trace's and frames equal to what came out, for random packets, good and damaged ones."""
    fates, nodes = set(), set()
    for n in range(rounds(60)):
        frame = random_frame(rng)
        try:
            told = compare(net, frame)
        except AssertionError as error:
            raise AssertionError(f"packet {n}: {frame.hex()}\n{error}") from None
        fates |= {p["fate"] for p in told["packet"]}
        nodes |= {s["node"] for s in told["step"]}
    assert {"sent", "dropped"} <= fates and {"ip4-input", "ip6-input", "srv6-endpoint"} <= nodes, (fates, nodes)


def test_fragments(net):
    frame = (Ether(src=A_MAC, dst=LAN_MAC) / IP(src="10.0.1.2", dst="10.0.2.2", id=7) / UDP(sport=1, dport=2) /
             Raw(b"x" * 1400))
    told = compare(net, bytes(frame))
    assert [p["fate"] for p in told["packet"]] == ["replaced", "sent", "sent"]
    assert all(s.get("made-from") == 1 for s in told["step"] if s["packet"] > 1)


def test_says_which_entries_decided(net):
    """A policy: the route, the policy, its list and next hop, with the place in the configuration; and the rewrite."""
    told = net.explain("--flow", "udp 10.0.1.2:5 > 10.60.1.1:53")
    entries = {e["kind"]: e for s in told["step"] for e in s.get("entry", [])}
    assert entries["policy"]["name"] == "p" and entries["policy"]["path"].endswith("policy[name='p']"), entries
    assert any(e["name"].startswith("10.60.0.0/16 in VRF default") and
               e["path"].endswith("route[prefix='10.60.0.0/16']")
               for s in told["step"] for e in s["entry"] if e["kind"] == "route"), told
    assert "segment-list" in entries and "next-hop" in entries
    changes = [c for s in told["step"] for c in s["change"]]
    assert any(c["what"] == "added" and c["header"] == "SRH" for c in changes), changes
    assert any(c.get("field") == "TTL" and (c["from"], c["to"]) == ("64", "63") for c in changes), changes


def test_every_drop_explains_itself(net):
    told = net.explain("--flow", "udp 10.0.1.2:5 > 10.99.1.1:53")["packet"][0]
    assert told["fate"] == "dropped" and told["reason"] == "ip4-input blackhole"
    assert told["path"].endswith("route[prefix='10.99.0.0/16']"), told
    told = net.explain("--flow", "udp 10.0.1.2:5 > 10.0.2.2:53", "--ttl", "1", "--vlan", "200")["packet"][0]
    assert told["reason"] == "eth-input unknown-vlan" and told["advice"], told
    text = net.heddle.cli("explain", "--interface", "lan", "--flow", "tcp 127.0.0.1:5 > 10.0.2.2:80").stdout
    assert "would be dropped: ip4-input bad-source" in text and "RFC" in text, text


def test_flow_options(net):
    told = net.explain("--flow", "icmp 10.0.1.2 > 10.0.2.2", "--sids", "fc00:1::e,fc00:2::1", "--dscp", "46",
                       "--length", "200", "--ttl", "9", "-w", net.lab.path("out.pcap"))
    assert [s["node"] for s in told["step"]][:3] == ["eth-input", "ip6-input", "srv6-endpoint"]
    frames = rdpcap(net.lab.path("out.pcap"))
    assert len(frames) == 1 and frames[0][IPv6].dst == "fc00:2::1" and frames[0][IPv6].hlim == 8
    assert frames[0][IPv6].tc == 46 << 2 and frames[0][IP].len == 200
    assert steps_of(net.heddle.json("explain", "--interface", "lan.100", "--flow", "udp 10.0.100.2:1 > 10.0.2.2:2")
                    ["heddle-explain:output"])[-1] == ("port-tx", None)


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_frame_of_a_capture(net, suffix):
    frames = [Ether(src=A_MAC, dst=LAN_MAC) / IP(src="10.0.1.2", dst=f"10.{n}.1.1") / UDP(sport=n, dport=2)
              for n in (99, 97, 50)]
    path = net.lab.path(f"in.{suffix}")
    wrpcap(net.lab.path("in.pcap"), frames)
    if suffix == "pcapng":
        subprocess.run(["editcap", "-F", "pcapng", net.lab.path("in.pcap"), path], check=True)
    assert net.explain("--pcap", path)["packet"][0]["reason"] == "ip4-input blackhole"
    assert net.explain("--pcap", path, "--frame", "3")["packet"][0]["fate"] == "sent"
    done = net.heddle.cli("explain", "--interface", "lan", "--pcap", path, "--frame", "4", check=False)
    assert done.returncode != 0 and "it has 3 frames" in done.stderr


def test_hex_of_tcpdump(net):
    frame = bytes(Ether(src=A_MAC, dst=LAN_MAC) / IP(src="10.0.1.2", dst="10.0.2.2") / UDP(sport=1, dport=2))
    lines = ""
    for at in range(0, len(frame), 16):
        words = [frame[at + i:at + i + 2].hex() for i in range(0, len(frame[at:at + 16]), 2)]
        lines += f"\t0x{at:04x}:  {' '.join(words)}  .some.text\n"
    for text in (frame.hex(), lines, frame[14:].hex(" ")):
        told = net.heddle.cli("explain", "--interface", "lan", "--hex", "-", "--json", stdin=text).stdout
        assert json.loads(told)["heddle-explain:output"]["packet"][0]["fate"] == "sent", text


@pytest.mark.parametrize("args,says", [
    (("--interface", "nowhere", "--hex", "00"), "no interface 'nowhere'"),
    (("--interface", "lan", "--hex", "zz"), "not hexadecimal"),
    (("--interface", "lan", "--flow", "udp 10.0.1.2 < 10.0.2.2"), "SOURCE > DESTINATION"),
    (("--interface", "lan", "--flow", "udp 10.0.1.2:1 > 10.0.2.2:2", "--length", "20"), "length 20"),
    (("--interface", "lan", "--pcap", "/etc/passwd"), "no capture file"),
    (("--interface", "lan"), "which packet"),
    (("--drop", "drop/nothing"), "show drops"),
])
def test_refused_with_a_reason(net, args, says):
    done = net.heddle.cli("explain", *args, check=False)
    assert done.returncode != 0 and says in done.stderr, done.stderr


def test_explains_the_last_drop(net):
    net.ports["lan"].send(Ether(src=A_MAC, dst=LAN_MAC) / IP(src="10.0.1.2", dst="10.99.8.8") / UDP(sport=1, dport=2))
    time.sleep(0.2)
    offer = re.search(r"heddle (explain --drop ip4-input/blackhole)", net.heddle.show("drops"))
    assert offer, net.heddle.show("drops")
    told = net.heddle.cli(offer.group(1)).stdout
    assert "would be dropped: ip4-input blackhole" in told and "10.99.8.8" in told, told
