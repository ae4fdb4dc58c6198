# SPDX-License-Identifier: BSD-3-Clause
"""XDP steering: one device for Heddle and for the kernel.

    host ── wan: the kernel's 10.0.1.10, Heddle's 10.0.1.1 and SIDs of fc00:1::/48

What is not Heddle's is the kernel's, whatever becomes of Heddle."""

import copy
import json
import re
import signal
import socket
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrSegmentRouting
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from heddlelab import Heddle, RawPort, interface, subinterface, veth_port, wait_for

KERNEL, OURS, HOST = "10.0.1.10", "10.0.1.1", "10.0.1.2"

CONFIG = {
    "interfaces": {"interface": [
        interface("wan", veth_port("wan", "af_xdp"), f"{OURS}/24", "2001:db8:a::1/64", **{"xdp-steering": {}}),
        subinterface("wan.100", "wan", 100, "10.0.100.1/24"),
    ]},
    "ip": {"neighbour": [{"interface": "wan", "address": "2001:db8:a::2", "mac": "02:aa:00:00:00:02"}],
           "route": [{"prefix": "fc00:2::/32", "next-hop": [{"interface": "wan", "address": "2001:db8:a::2"}]}]},
    "srv6": {"locator": [{"name": "main", "prefix": "fc00:1::/48"}],
             "sid": [{"sid": "fc00:1::e/128", "behavior": "end"}]},
}


def config(**steering):
    changed = copy.deepcopy(CONFIG)
    changed["interfaces"]["interface"][0]["xdp-steering"] = steering
    return changed


class Net:
    def __init__(self, lab, dp_wrap=(), queues=1, config=None, kernel=False):
        self.lab = lab
        self.host, self.hd = lab.ns("host"), lab.ns("hd")
        lab.link(self.host, "eth0", self.hd, "wan", queues=queues)
        self.host.ip("link set eth0 address 02:aa:00:00:00:02")
        self.host.addr("eth0", f"{HOST}/24", "2001:db8:a::2/64")
        self.hd.addr("wan", f"{KERNEL}/24")
        self.heddle = Heddle(lab, self.hd, config or CONFIG, dp_wrap=dp_wrap, kernel=kernel).start()
        self.mac = self.hd.mac("wan")

    def server(self, kind=socket.SOCK_STREAM, port=2222):
        def body():
            sock = socket.socket(socket.AF_INET, kind)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((KERNEL, port))
            sock.settimeout(20)
            return sock
        return self.hd.call(body)

    def transfer(self, octets=400000):
        """Octets of a TCP connection from the host to the kernel that arrived."""
        server = self.server()
        server.listen()
        got = []

        def serve():
            peer, _ = server.accept()
            with peer:
                data = peer.recv(65536)
                while data:
                    got.append(len(data))
                    data = peer.recv(65536)
        thread = threading.Thread(target=serve)
        thread.start()

        def client():
            with socket.create_connection((KERNEL, 2222), timeout=20) as sock:
                sock.sendall(b"x" * octets)
        self.host.call(client)
        thread.join(20)
        server.close()
        return sum(got)

    def srv6(self, count=20, timeout=3):
        """How many of these packets Heddle sends back with the next segment."""
        packet = (Ether(src="02:aa:00:00:00:02", dst=self.mac) / IPv6(src="2001:db8:a::2", dst="fc00:1::e") /
                  IPv6ExtHdrSegmentRouting(addresses=["fc00:2::9", "fc00:1::e"], segleft=1, lastentry=1) /
                  UDP(sport=1, dport=2) / Raw(b"heddle"))
        with RawPort(self.host, "eth0") as port:
            for _ in range(count):
                port.send(packet)
                time.sleep(0.002)
            return len(port.receive(lambda f: IPv6 in f and f[IPv6].dst == "fc00:2::9", timeout, count))

    def rules(self):
        """{match: {counter: value}}; the key "" is what no rule matches."""
        state = self.heddle.json("show", "steering")["heddle-interfaces:steering-state"]
        table = {rule["match"]: rule for rule in state["rule"]}
        table[""] = state["unmatched"]
        return {match: {c["name"]: int(c["value"]) for c in rule["counter"]} for match, rule in table.items()}

    def program(self):
        """Id of the XDP program on the device, or None."""
        found = re.search(r"prog/xdp id (\d+)", self.hd.out("ip link show dev wan"))
        return found and found.group(1)


@pytest.fixture
def net(lab):
    return Net(lab)


def test_one_device_for_both(net):
    """TCP to the kernel while SRv6 packets are Heddle's; each answers for its own address; the counters are right."""
    before = net.rules()
    octets = []
    thread = threading.Thread(target=lambda: octets.append(net.transfer(3000000)))
    thread.start()
    assert net.srv6(100, timeout=5) == 100
    thread.join(30)
    assert octets == [3000000]
    assert net.host.ping(OURS) == 3 and net.host.ping(KERNEL) == 3
    wait_for("100 packets counted for the SID",
             lambda: net.rules()["prefix fc00:1::e/128"]["packets"] - before["prefix fc00:1::e/128"]["packets"] == 100)
    # an ARP request and three pings; the counters are about a second old
    wait_for("packets to our address", lambda: net.rules()[f"prefix {OURS}/32"]["packets"] >= 4)
    wait_for("the kernel's packets", lambda: net.rules()[""]["to-kernel"] - before[""]["to-kernel"] >= 50)
    assert net.rules()[f"prefix {OURS}/32"]["to-kernel"] == before[f"prefix {OURS}/32"]["to-kernel"]
    assert "prefix fc00:1::/48" in net.heddle.show("steering")


def test_rules_change_at_run_time(net):
    """UDP to a STAMP port is the kernel's, then Heddle's, then the kernel's again; the program stays the same."""
    program = net.program()
    server = net.server(socket.SOCK_DGRAM, 862)

    def arrives():
        server.settimeout(0.5)
        net.host.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"probe", (KERNEL, 862)))
        try:
            return server.recv(100) == b"probe"
        except TimeoutError:
            return False
    assert arrives()
    net.heddle.reload(config(service=["stamp"], prefix=["10.77.0.0/16"], **{"kernel-prefix": ["10.77.1.0/24"]}))
    assert not arrives()
    wait_for("the packet to be counted", lambda: net.rules()["UDP port 862"]["packets"] >= 1)
    for address in ("10.77.2.2", "10.77.1.1"):
        net.host.run(["ip", "route", "replace", f"{address}/32", "via", KERNEL])
        net.host.call(lambda a=address: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (a, 9)))
    wait_for("the transit packet", lambda: net.rules()["prefix 10.77.0.0/16"]["packets"] == 1)
    wait_for("the kernel's", lambda: net.rules()["prefix 10.77.1.0/24"]["to-kernel"] == 1)
    net.heddle.reload(CONFIG)
    assert arrives()
    assert net.program() == program
    assert net.srv6() == 20
    server.close()


def test_services(net):
    """One frame of each service: the kernel's without a word, Heddle's when it is named, by a rule of its own each."""
    eth = Ether(src="02:aa:00:00:00:02", dst=net.mac)
    ports = {"vxlan-gpe": 4790, "stamp": 862, "pfcp": 8805, "bfd": 3784}
    frames = {"ethertype 0x894f": eth / Raw(b"\x0f\xc0\x01\x03" + b"n" * 60),
              "ethertype 0x8863": eth / Raw(b"\x11" * 60), "ethertype 0x8864": eth / Raw(b"\x11" * 60)}
    for match, frame in frames.items():
        frame.type = int(match.split()[1], 16)
    for port in ports.values():
        frames[f"UDP port {port}"] = eth / IP(src=HOST, dst=KERNEL) / UDP(sport=5, dport=port) / Raw(b"u" * 40)

    def send():
        with RawPort(net.host, "eth0") as port:
            port.send(*frames.values())
    send()
    assert not set(frames) & set(net.rules())
    net.heddle.reload(config(service=["nsh", "pppoe", *ports]))
    before = net.rules()
    assert all(before[match]["packets"] == 0 for match in frames)
    send()
    wait_for("one packet of each", lambda: all(net.rules()[match]["packets"] == 1 for match in frames))
    assert net.transfer() == 400000


def test_maps_are_pinned(lab):
    """With bpffs mounted program and maps can be looked at, and follow the configuration; they go at the end."""
    net = Net(lab, dp_wrap=["unshare", "-m", "sh", "-c", 'mount -t bpf bpf /sys/fs/bpf && exec "$@"', "sh"])

    def see(*argv):
        done = net.lab.run(["nsenter", "-m", "-t", str(net.heddle.dp.pid), "--", *argv], check=False)
        return done.stdout

    place = see("sh", "-c", "ls -d /sys/fs/bpf/heddle/*-wan").strip()
    assert {"heddle_steer", "xsks_map", "steer_ip4", "steer_udp"} <= set(see("ls", place).split())

    def udp_ports():
        return json.loads(see("bpftool", "-j", "map", "dump", "pinned", f"{place}/steer_udp"))
    assert udp_ports() == []
    net.heddle.reload(config(service=["stamp"]))
    assert [int.from_bytes(bytes(int(o, 16) for o in e["key"]), "little") for e in udp_ports()] == [862]
    net.heddle.reload(CONFIG)
    assert udp_ports() == []
    assert net.srv6() == 20
    net.heddle.reload({"interfaces": {"interface": []}})
    assert see("ls", "/sys/fs/bpf/heddle").strip() == ""


def test_all_unicast(net):
    """Mode "all": everything but the kernel's prefix, so that ssh keeps working."""
    net.heddle.reload(config(mode="all", **{"kernel-prefix": [f"{KERNEL}/32"]}))
    assert net.transfer() == 400000
    net.host.run(f"ip route add 10.99.0.0/16 via {OURS}")
    net.host.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("10.99.1.1", 9)))
    wait_for("the packet to be Heddle's", lambda: net.rules()["all unicast"]["packets"] >= 1)
    assert net.host.ping(KERNEL) == 3


def test_vlan(net):
    """Frames of a sub-interface's VLAN are Heddle's; of another one the kernel's."""
    with RawPort(net.host, "eth0") as port:
        for vid in (100, 200):
            port.send(Ether(src="02:aa:00:00:00:02", dst=net.mac) / Dot1Q(vlan=vid) /
                      IP(src="10.0.100.2", dst="10.0.100.1") / UDP(sport=1, dport=9))
    wait_for("one frame", lambda: net.rules()["VLAN 100"]["packets"] == 1)


@pytest.mark.parametrize("mode", ["owned", "all"])
def test_netlink_and_steering(lab, mode):
    """Addresses, routes and SIDs are those of iproute2, nothing of it is configured here: SIDs and transit traffic are
    Heddle's, TCP to the kernel's address and its ARP and ND are the kernel's, on one device."""
    steering = {"mode": mode} if mode == "all" else {"prefix": ["10.99.0.0/16"]}
    net = Net(lab, kernel=True, config={
        "interfaces": {"interface": [interface("wan", veth_port("wan", "af_xdp"), xdp_steering=steering)]},
        "kernel": {"enabled": True}})
    hd = net.hd
    for setting in ("net.ipv4.conf.all.forwarding=0", "net.ipv6.conf.all.forwarding=0"):
        hd.sysctl(setting)
    hd.addr("wan", "2001:db8:a::1/64")
    hd.ip("-6 route add fc00:2::/32 via 2001:db8:a::2 dev wan")
    hd.ip("-6 route add fc00:1::e/128 encap seg6local action End dev wan")
    hd.ip(f"route add 10.99.0.0/16 via {HOST}")
    net.host.ip(f"route add 10.99.0.0/16 via {KERNEL}")
    wait_for("the rule of the SID", lambda: "prefix fc00:1::e/128" in net.rules())
    wait_for("every SRv6 packet", lambda: net.srv6() == 20)
    octets = []
    thread = threading.Thread(target=lambda: octets.append(net.transfer(3000000)))
    thread.start()
    wait_for("every SRv6 packet beside TCP", lambda: net.srv6(100, timeout=5) == 100)
    thread.join(30)
    assert octets == [3000000]
    assert net.host.ping(KERNEL) == 3 and net.host.ping("2001:db8:a::1") == 3
    # transit: out and back through Heddle, one hop further; the kernel does not forward
    with RawPort(net.host, "eth0") as port:
        port.send(Ether(src="02:aa:00:00:00:02", dst=net.mac) / IP(src="10.99.0.1", dst="10.99.0.2", ttl=9) /
                  UDP(sport=1, dport=9))
        assert [p[IP].ttl for p in port.receive(lambda p: IP in p and p[IP].dst == "10.99.0.2")] == [8]
    # what the kernel no longer has is nobody's rule
    hd.ip("-6 route del fc00:1::e/128")
    hd.ip(f"addr del {KERNEL}/24 dev wan")
    wait_for("the rules to go", lambda: not {"prefix fc00:1::e/128", f"prefix {KERNEL}/32"} & set(net.rules()))


def test_detached_at_exit(net):
    assert net.program() is not None
    net.heddle.dp.stop(15)
    assert net.program() is None
    assert net.transfer() == 400000


def test_kill_leaves_the_kernel_working(net):
    """After kill -9 the program is still there and lets everything pass; the next start takes it over."""
    first = net.program()
    # the data plane has just started: its neighbour may not have answered yet
    wait_for("all packets of a run to come back", lambda: net.srv6() == 20, 20)
    net.heddle.kill_dp(signal.SIGKILL)
    assert net.program() == first
    assert net.transfer() == 400000 and net.host.ping(KERNEL) == 3
    assert net.srv6(5, timeout=0.5) == 0
    net.heddle.start_dp()
    net.heddle.wait_ready(30)
    wait_for("the program to be taken over", lambda: "taken over from a process that died" in net.heddle.dp.log(), 20)
    assert net.program() not in (None, first)
    wait_for("SRv6 again", lambda: net.srv6() == 20, 10)
    assert net.transfer() == 400000


def test_second_data_plane_is_refused(net):
    """Two data planes never share a device by accident."""
    other = Heddle(net.lab, net.hd, CONFIG, name="other")
    other.start_dp()
    other.start_ctrl()
    wait_for("the refusal", lambda: "steered by another heddle-dp" in other.ctrl.log(), 20)
    assert net.srv6() == 20


def test_made_anew(net):
    """A port that goes and comes back in one process finds its queue free."""
    for _ in range(3):
        net.heddle.reload({"interfaces": {"interface": []}})
        assert net.program() is None
        net.heddle.reload(CONFIG)
        wait_for("SRv6 again", lambda: net.srv6() == 20)
    assert net.transfer() == 400000


def foreign_program(net, dev):
    """A program of somebody else on a device, that lets every frame pass: two instructions in an object file."""
    source = net.lab.write("pass.c", '__attribute__((section("xdp"), used)) int somebody(void *c) { return 2; }\n'
                                     'char terms[] __attribute__((section("license"), used)) = "BSD";\n')
    net.lab.host(f"clang -O2 -target bpf -c {source} -o {source}.o")
    net.hd.ip(f"link set dev {dev} xdp obj {source}.o sec xdp")


def test_program_of_somebody_else(net):
    """It stays where it is: the port runs on af_packet, says whose program there is, and is steered when it is gone."""
    steered = copy.deepcopy(CONFIG)
    net.heddle.reload({"interfaces": {"interface": []}})
    assert net.program() is None
    foreign_program(net, "wan")
    theirs = net.program()
    for taken in (CONFIG, {**steered, "interfaces": {"interface": [
            interface("wan", veth_port("wan", "af_xdp"), f"{OURS}/24", "2001:db8:a::1/64")]}}):
        net.heddle.reload(taken)
        assert 'wan has the XDP program "somebody"' in net.heddle.dp.log(), net.heddle.dp.log(10)
        assert "wan runs on af_packet" in net.heddle.dp.log(4)
        assert net.program() == theirs
        wait_for("SRv6 through af_packet", lambda: net.srv6() == 20)
        assert net.transfer() == 400000
        net.heddle.reload({"interfaces": {"interface": []}})
    assert net.program() == theirs
    net.hd.ip("link set dev wan xdp off")
    net.heddle.reload(steered)
    assert net.program() not in (None, theirs)
    wait_for("SRv6 with steering", lambda: net.srv6() == 20)
    assert net.transfer() == 400000


def test_several_queues(lab):
    """A device of several queues, of which DPDK's driver opens one: that is said, and how to make it the only one."""
    net = Net(lab, queues=4)
    assert "frames of 1 of its 4 receive queues" in net.heddle.dp.log(), net.heddle.dp.log(10)
    assert net.transfer() == 400000
    net.host.run("ethtool -L eth0 tx 1")  # veth: no fewer here than the other end sends into
    net.hd.run("ethtool -L wan rx 1")
    wait_for("every SRv6 packet", lambda: net.srv6() == 20)
    assert net.transfer() == 400000


@pytest.mark.parametrize("without", ["-bpf,-sys_admin", "-sys_admin"])
def test_falls_back_to_af_packet(lab, without):
    """Where AF_XDP is refused the port runs on af_packet, and says so."""
    net = Net(lab, dp_wrap=["setpriv", "--bounding-set", without, "--inh-caps", without])
    assert "AF_XDP is refused" in net.heddle.dp.log()
    assert net.program() is None
    assert "runs on af_packet" in net.heddle.show("steering")
    assert net.srv6() == 20
    assert net.transfer() == 400000
