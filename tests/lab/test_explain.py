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
FAR4, FAR6 = ([{"interface": "far", "address": a}] for a in ("10.0.2.2", f"{V6}:b::2"))
# VLANs of lan: 300 and 301 are members of a bridge, 310 goes into a policy whole, 320 has a classifier, 330 to 350 come
# back from services (IPv4, Ethernet, End.AM), 360 leads to a service and 370 is where End.DX2 lets frames out
L2_VLANS, BACK_VLANS, SERVICE_VLANS = (300, 301, 310), (330, 340, 350), (360, 370)
STATIONS = {"02:00:00:00:03:00": "lan.300", "02:00:00:00:03:01": "lan.301", "02:00:00:00:03:99": "remote"}

CONFIG = {
    "system": {"punt-policer": [{"reason": reason, "rate": 1000000, "burst": 10000}
                                for reason in ("icmp4-error", "icmp6-error")]},
    "interfaces": {"interface": [
        interface("lan", veth_port("lan", "af_xdp"), "10.0.1.1/24", f"{V6}:a::1/64", mac=LAN_MAC, mtu=1700),
        subinterface("lan.100", "lan", 100, "10.0.100.1/24", f"{V6}:100::1/64", mac=LAN_MAC, mtu=1700),
        subinterface("lan.320", "lan", 320, "10.0.32.1/24", f"{V6}:320::1/64", mac=LAN_MAC, mtu=1700),
        *(subinterface(f"lan.{vlan}", "lan", vlan, mac=LAN_MAC, mtu=1700)
          for vlan in L2_VLANS + BACK_VLANS + SERVICE_VLANS),
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
             "interface": [{"name": "lan.310", "l2-policy": "frames"}, {"name": "lan.320", "classifier": "edge"}],
             "classifier": [{"name": "edge", "rule": [
                 {"number": 10, "protocol": "udp", "destination-port": "4000-4010", "policy": "p"},
                 {"number": 20, "dscp": 46, "action": "drop"},
                 {"number": 30, "source": f"{V6}:a::/64", "policy": "p"}]}],
             "sid": [{"sid": "fc00:1::e/128", "behavior": "end"},
                     {"sid": "fc00:1::d2/128", "behavior": "end-dx2", "interface": "lan.370"},
                     {"sid": "fc00:1::d3/128", "behavior": "end-dx2v", "vlan-table": "customers"},
                     {"sid": "fc00:1::d4/128", "behavior": "end-dt2u", "bridge": "office"},
                     {"sid": "fc00:1:0:d5::/64", "behavior": "end-dt2m", "bridge": "office"},
                     {"sid": "fc00:1::a5/128", "behavior": "end-as", "next-hop": FAR4,
                      "service": {"payload": "ipv4", "from-interface": "lan.330", "policy": "p"}},
                     {"sid": "fc00:1::a6/128", "behavior": "end-as", "interface": "lan.360",
                      "service": {"payload": "ethernet", "from-interface": "lan.340", "policy": "frames"}},
                     {"sid": "fc00:1::ad/128", "behavior": "end-ad", "next-hop": FAR6,
                      "service": {"payload": "ipv6", "from-interface": "far"}},
                     {"sid": "fc00:1::a7/128", "behavior": "end-am", "next-hop": FAR6,
                      "service": {"from-interface": "lan.350"}},
                     {"sid": "fc00:1::e1/128", "behavior": "end", "flavor": ["psp", "usp", "usd"]},
                     {"sid": "fc00:1::a/128", "behavior": "end-x",
                      "next-hop": [{"interface": "far", "address": f"{V6}:b::2"}]},
                     {"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True}],
             "policy": [{"name": "p", "encapsulation": "h-encaps", "segment-list": [
                 {"name": "one", "weight": 3, "segment": ["fc00:2::e", "fc00:2::46"]},
                 {"name": "two", "weight": 1, "segment": ["fc00:2::e2", "fc00:2::e", "fc00:2::46"]}]},
                        {"name": "frames", "encapsulation": "h-encaps-l2", "segment-list": [
                            {"name": "l", "segment": ["fc00:2::e", "fc00:2::d2"]}]}]},
    # nothing is learned, so that no packet changes what the next one meets
    "bridges": {"bridge": [{"name": "office", "learning": False,
                            "member": [{"name": "lan.300"}, {"name": "lan.301"},
                                       {"name": "remote", "srv6-policy": "frames", "remote-source": f"{V6}:a::2"}],
                            "static-mac": [{"mac": mac, "member": member} for mac, member in STATIONS.items()]}],
                "vlan-table": [{"name": "customers", "entry": [{"outer": 7, "inner": 0, "interface": "lan.370"},
                                                               {"outer": 0, "inner": 0, "interface": "lan.360"}]}]},
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


PROXIES = ("fc00:1::a5", "fc00:1::a6", "fc00:1::ad", "fc00:1::a7")
L2_SIDS = ("fc00:1::d2", "fc00:1::d3", "fc00:1::d4", "fc00:1:0:d5::1")


def random_inner_frame(rng):
    """A frame of a customer: between stations, to all, or to what no bridge forwards."""
    stations = [*STATIONS, "02:00:00:00:03:77"]
    frame = Ether(src=rng.choice(stations), dst=rng.choice(stations * 3 + ["ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:0e"]))
    if rng.random() < 0.4:
        frame = frame / Dot1Q(vlan=rng.choice([7, 8]))
    if rng.random() < 0.7:
        return frame / IP(src="192.168.0.1", dst="192.168.0.2", id=rng.randrange(65536)) / UDP(sport=7, dport=9) / \
            Raw(rng.randbytes(rng.choice([30, 300, 1250])))
    frame.lastlayer().type = 0x88b5
    return frame / Raw(rng.randbytes(60))


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
    # to a SID, with or without an SRH, an inner packet, frame or upper layer
    sid = rng.choice(["fc00:1::e", "fc00:1::e1", "fc00:1::a", "fc00:1::46", "fc00:1::46", *PROXIES, *L2_SIDS])
    outer = IPv6(src=rng.choice([f"{V6}:a::2", f"{V6}:a::3"]), dst=sid, hlim=ttl, tc=tos)
    inner = rng.choice([four / upper / load, six / upper6 / load, upper6 / load])
    if sid in L2_SIDS or sid == "fc00:1::a6":
        outer.nh = 143
        inner = random_inner_frame(rng)
    if rng.random() < (0.8 if sid in L2_SIDS else 0.4):
        return outer / inner
    segments = ["fc00:2::99", rng.choice(["fc00:2::e", "10.0.0.1", "fc00:1::46"]), sid]
    segments = [s if ":" in s else f"{V6}:b::2" for s in segments]
    left = rng.choice([2, 1, 1, 0, 3, 9])
    srh = IPv6ExtHdrSegmentRouting(addresses=segments, segleft=left, lastentry=rng.choice([2, 2, 2, 1, 7]))
    if outer.nh == 143:
        outer.nh, srh.nh = 43, 143
    return outer / srh / inner


def random_frame(rng):
    eth = Ether(src=A_MAC, dst=rng.choice([LAN_MAC] * 8 + ["02:99:00:00:00:01", "ff:ff:ff:ff:ff:ff"]))
    kind = rng.random()
    if kind < 0.04:
        return bytes(eth / ARP(psrc="10.0.1.2", hwsrc=A_MAC, pdst="10.0.1.77"))
    if kind < 0.07:
        eth.type = 0x1234
        return bytes(eth / Raw(rng.randbytes(60)))
    if kind < 0.2:  # of a customer's wire: as it is, with the tag of the sub-interface
        inner = random_inner_frame(rng)
        vlan = rng.choice(L2_VLANS + BACK_VLANS + SERVICE_VLANS)
        return bytes(Ether(src=inner.src, dst=inner.dst) / Dot1Q(vlan=vlan, type=inner.type) / inner.payload)
    tags = eth
    if kind < 0.28:  # into the classifier, and back from services
        tags = eth / Dot1Q(vlan=rng.choice([320, 320, 320, *BACK_VLANS]))
    elif kind < 0.4:
        tags = eth / Dot1Q(vlan=rng.choice([100, 100, 100, 200, 0]))
    elif kind < 0.44:
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


def is_of_another(f, frame):
    """An error about a packet before frame, that waited in vain for a neighbour: it comes seconds later."""
    if f[12:14] == b"\x86\xdd" and f[20] == 58 and f[54:56] == b"\x01\x03":
        return f[70:102] not in frame
    return f[12:14] == b"\x08\x00" and f[23] == 1 and f[34:36] == b"\x03\x01" and f[54:62] not in frame


def send_for_real(net, frame, expected):
    """The traced steps of the frame, and what came out: [(port, octets)]."""
    def counts(f):
        return not is_solicitation(f) and not is_of_another(bytes(f), bytes(frame))

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
            got += [(dev, bytes(f)) for f in port.receive(counts, timeout=0.002, count=99)]
        sent = sum(p["fate"] == "sent" for p in expected["packet"])
        if (traced is not None or not want_trace) and len(got) >= sent:
            break
    for dev, port in net.ports.items():  # and nothing more
        got += [(dev, bytes(f)) for f in port.receive(counts, timeout=0.004, count=99)]
    return traced, got


def compare(net, frame):
    told = net.api.explain(frame)
    traced, got = send_for_real(net, frame, told)
    steps = steps_of(told)
    if traced is not None:
        assert steps == traced, "not the way it went"
    else:
        assert steps[1][0] == "drop", "nothing was traced, and explain saw more than eth-input"
    sent = [(p["interface"].partition(".")[0], bytes.fromhex(p["data"].replace(":", ""))) for p in told["packet"]
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
    fates, nodes, entries = set(), set(), set()
    for n in range(rounds(1000)):
        frame = random_frame(rng)
        try:
            told = compare(net, frame)
        except AssertionError as error:
            raise AssertionError(f"packet {n}: {frame.hex()}\n{error}") from None
        fates |= {p["fate"] for p in told["packet"]}
        nodes |= {s["node"] for s in told["step"]}
        entries |= {e["kind"] for s in told["step"] for e in s["entry"]}
    print(f"fates {fates}, nodes {nodes}, entries {entries}")
    assert {"sent", "dropped"} <= fates and {"ip4-input", "ip6-input", "srv6-endpoint"} <= nodes, (fates, nodes)
    if rounds(1000) >= 1000:
        assert {"punted", "replaced"} <= fates
        assert {"l2-bridge", "srv6-encap", "srv6-encap-l2", "srv6-ingress", "ip4-frag", "icmp-error"} <= nodes, nodes
        assert {"bridge", "member", "vlan", "rule", "sid", "policy", "segment-list", "next-hop"} <= entries, entries


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


def entries_of(told, node):
    return {e["kind"]: e for s in told["step"] if s["node"] == node for e in s["entry"]}


def frame_on(vlan, dst, src="02:00:00:00:03:00"):
    return Ether(src=src, dst=dst) / Dot1Q(vlan=vlan, type=0x88b5) / Raw(b"x" * 60)


def test_bridges_explain_themselves(net):
    """Bridge and member, how the destination is known, and what happens to each copy; and why a frame goes nowhere."""
    told = net.api.explain(frame_on(300, "02:00:00:00:03:01"))
    seen = entries_of(told, "l2-bridge")
    assert seen["bridge"]["name"] == "office" and seen["bridge"]["path"].endswith("bridge[name='office']")
    assert seen["member"]["name"] == "lan.301: the destination is configured there", seen
    assert [p["interface"] for p in told["packet"]] == ["lan.301"]
    told = net.api.explain(frame_on(300, "02:00:00:00:03:99"))
    assert entries_of(told, "srv6-encap-l2")["policy"]["name"] == "frames", told
    told = net.api.explain(frame_on(300, "ff:ff:ff:ff:ff:ff"))
    assert entries_of(told, "l2-bridge")["member"]["name"].startswith("all"), told
    assert sorted(p["interface"] for p in told["packet"]) == ["far", "lan.301"]
    drop = net.api.explain(frame_on(300, "01:80:c2:00:00:0e"))["packet"][0]
    assert drop["reason"] == "l2-bridge reserved" and drop["object"].startswith("member lan.300"), drop
    assert "802.1Q" in drop["reference"] and drop["path"].startswith("/heddle-bridge:bridges"), drop


def test_endpoints_of_frames_explain_themselves(net):
    def ask(sid, frame):
        return net.api.explain(Ether(src=A_MAC, dst=LAN_MAC) / IPv6(src=f"{V6}:a::2", dst=sid, nh=143) / frame)

    inner = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:03:01") / Dot1Q(vlan=7, type=0x88b5) / Raw(b"x" * 60)
    seen = entries_of(ask("fc00:1::d2", inner), "srv6-endpoint")
    assert seen["interface"]["name"] == "lan.370" and "end.dx2" in seen["sid"]["name"].lower(), seen
    seen = entries_of(ask("fc00:1::d3", inner), "srv6-endpoint")
    assert seen["vlan"]["name"] == "tags 7 0 in VLAN table customers" and seen["interface"]["name"] == "lan.370", seen
    assert seen["vlan"]["path"].endswith("entry[outer='7'][inner='0']"), seen
    inner[Dot1Q].vlan = 9
    told = ask("fc00:1::d3", inner)
    assert entries_of(told, "srv6-endpoint")["vlan"]["name"].endswith("customers: none")
    assert told["packet"][0]["reason"] == "srv6-endpoint l2-no-vlan" and told["packet"][0]["advice"], told["packet"]
    told = ask("fc00:1::d4", inner)
    assert entries_of(told, "srv6-endpoint")["bridge"]["name"] == "office"
    assert [p["interface"] for p in told["packet"]] == ["lan.301"]


def test_proxies_explain_themselves(net):
    """Towards the service and back from it."""
    outer = Ether(src=A_MAC, dst=LAN_MAC) / IPv6(src=f"{V6}:a::2", dst="fc00:1::a5")
    inner = IP(src="10.0.1.2", dst="10.0.2.9") / UDP(sport=1, dport=2)
    seen = entries_of(net.api.explain(outer / inner), "srv6-endpoint")
    assert "end.as" in seen["sid"]["name"].lower() and seen["next-hop"]["name"].startswith("10.0.2.2 on far"), seen
    outer[IPv6].dst, outer[IPv6].nh = "fc00:1::a6", 143
    seen = entries_of(net.api.explain(outer / frame_on(5, "02:00:00:00:00:09")), "srv6-endpoint")
    assert seen["interface"]["name"] == "lan.360" and seen["interface"]["path"].endswith("interface[name='lan.360']")
    back = Ether(src=A_MAC, dst=LAN_MAC) / Dot1Q(vlan=330) / IP(src="10.0.1.2", dst="192.0.2.9") / UDP(sport=1, dport=2)
    told = net.api.explain(back)
    assert entries_of(told, "srv6-encap")["policy"]["name"] == "p" and told["packet"][0]["fate"] == "sent", told
    seen = entries_of(net.api.explain(frame_on(340, "02:00:00:00:00:09")), "srv6-encap-l2")
    assert seen["policy"]["name"] == "frames" and seen["segment-list"]["path"].endswith("segment-list[name='l']"), seen


def test_classifier_and_weights_explain_themselves(net):
    """The rule that matched; of a policy's lists the one this flow gets, and its share."""
    lists = {}
    for port in range(7, 71):  # all of them by the greater weight: once in 10^8 runs
        told = net.explain("--flow", f"udp 10.0.32.2:{port} > 192.0.2.1:4000", "--vlan", "320")
        rule = entries_of(told, "srv6-ingress")["rule"]
        assert rule["path"].endswith("classifier[name='edge']/rule[number='10']"), rule
        one = entries_of(told, "srv6-encap")["segment-list"]
        lists[re.search(r"weight (\d of \d)", one["name"])[1]] = one["path"]
    assert set(lists) == {"3 of 4", "1 of 4"} and lists["3 of 4"].endswith("segment-list[name='one']"), lists
    drop = net.explain("--flow", "tcp 10.0.32.2:7 > 192.0.2.1:80", "--dscp", "46", "--vlan", "320")["packet"][0]
    assert drop["reason"] == "srv6-ingress rule-drop" and drop["path"].endswith("rule[number='20']"), drop


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
