# SPDX-License-Identifier: BSD-3-Clause
"""Ports of every kind that needs no hardware, and their coming and going at run time."""

import json
import os
import re

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from heddlelab import Heddle, Lab, LabError, RawPort, interface, malformed, veth_port, wait_for
from heddlelab.heddle import DP


def two_hosts(lab):
    """host-a and host-b, wired to a namespace for Heddle by "access" and "far"."""
    a, b, hd = lab.ns("host-a"), lab.ns("host-b"), lab.ns("hd")
    lab.link(a, "eth0", hd, "access")
    lab.link(b, "eth0", hd, "far")
    for host, four, six in ((a, "10.0.1", "2001:db8:a"), (b, "10.0.2", "2001:db8:b")):
        host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
        host.route(f"default via {four}.1", f"default via {six}::1")
    return a, b, hd


def two_ports(driver, queues=1, **leaves):
    return [interface("access", veth_port("access", driver, queues), "10.0.1.1/24", "2001:db8:a::1/64", **leaves),
            interface("far", veth_port("far", driver, queues), "10.0.2.1/24", "2001:db8:b::1/64", **leaves)]


def config(*interfaces, **more):
    return {"interfaces": {"interface": list(interfaces)}, **more}


@pytest.mark.parametrize("driver", ["af_packet", "af_xdp"])
def test_veth(lab, rng, driver):
    a, b, hd = two_hosts(lab)
    heddle = Heddle(lab, hd, config(*two_ports(driver))).start()
    for target in ("10.0.2.2", "2001:db8:b::2"):
        a.ping(target, size=1400, count=20, interval=0.01)
    # A burst larger than any queue's share, all sizes: nothing lost, nothing changed.
    gateway = re.search(r"lladdr (\S+)", a.out("ip neigh show 10.0.1.1")).group(1)
    sent = {}
    with RawPort(a, "eth0") as tx, RawPort(b, "eth0") as rx:
        for n in range(500):
            sent[n] = rng.randbytes(rng.randrange(1, 1400))
            tx.send(Ether(src=tx.mac, dst=gateway) / IP(src="10.0.1.2", dst="10.0.2.2", id=n) /
                    UDP(sport=1000 + n, dport=9) / Raw(sent[n]))
        got = rx.receive(lambda p: UDP in p and p[UDP].dport == 9, count=500, timeout=5)
    assert len(got) == 500, f"{len(got)} of 500; {heddle.show('drops')}"
    for frame in got:
        data = sent[frame[UDP].sport - 1000]
        assert bytes(frame[UDP].payload)[:len(data)] == data
    assert malformed(got[:50]) == ""


def test_mtu_of_the_kernel_is_kept(lab):
    """Without a configured MTU the kernel interface keeps its own, and packets are checked against that."""
    a, b, hd = lab.ns("host-a"), lab.ns("host-b"), lab.ns("hd")
    lab.link(a, "eth0", hd, "access", mtu=1400)
    lab.link(b, "eth0", hd, "far", mtu=9000)
    a.addr("eth0", "10.0.1.2/24")
    a.route("default via 10.0.1.1")
    b.addr("eth0", "10.0.2.2/24")
    b.route("default via 10.0.2.1")

    def mtus():
        kernel = [json.loads(hd.out(f"ip -j link show dev {dev}"))[0]["mtu"] for dev in ("access", "far")]
        return kernel, [i["mtu"] for i in heddle.state("interfaces")]

    heddle = Heddle(lab, hd, config(*two_ports("af_packet"))).start()
    # frames of an AF_PACKET port hold 2048 octets: what is larger than that is not offered
    assert mtus() == ([1400, 9000], [1400, 1500])
    assert "hold less than the MTU" in heddle.dp.log()
    a.ping("10.0.2.2", size=1372)
    refused = b.run("ping -n -c 1 -M do -s 1472 -W 2 10.0.1.2", check=False).stdout
    assert "mtu = 1400" in refused, refused
    first, second = two_ports("af_packet")
    heddle.reload(config({**first, "mtu": 1300}, second))
    assert mtus() == ([1300, 9000], [1300, 1500])
    refused = b.run("ping -n -c 1 -M do -s 1372 -W 2 10.0.1.2", check=False).stdout
    assert "mtu = 1300" in refused, refused


def test_tap(lab):
    """The kernel of Heddle's own namespace is the host behind a TAP port."""
    hd = lab.ns("hd")
    Heddle(lab, hd, config(interface("tap", "net_tap0,iface=htap0", "10.0.5.1/24", "2001:db8:5::1/64"))).start()
    hd.ip("link set htap0 up")
    hd.addr("htap0", "10.0.5.2/24", "2001:db8:5::2/64")
    for target in ("10.0.5.1", "2001:db8:5::1"):
        wait_for(f"an answer from {target}", lambda t=target: hd.ping(t, count=1, check=False, wait=1), 5)
        hd.ping(target, count=20, interval=0.02)


def test_memif_between_two_data_planes(lab):
    """host-a ── first ══ memif ══ second ── host-b"""
    a, b = lab.ns("host-a"), lab.ns("host-b")
    first, second = lab.ns("first"), lab.ns("second")
    lab.link(a, "eth0", first, "access")
    lab.link(b, "eth0", second, "access")
    for host, four, six in ((a, "10.0.1", "2001:db8:a"), (b, "10.0.2", "2001:db8:b")):
        host.addr("eth0", f"{four}.2/24", f"{six}::2/64")
        host.route(f"default via {four}.1", f"default via {six}::1")
    socket = lab.path("memif.sock")

    def side(role, mac, own, other, four, six, far4, far6):
        devargs = f"net_memif0,role={role},socket={socket},socket-abstract=no,mac={mac}"
        hops = [{"prefix": prefix, "next-hop": [{"interface": "link", "address": gateway}]}
                for prefix, gateway in ((far4, f"10.0.12.{other}"), (far6, f"2001:db8:12::{other}"))]
        return config(interface("access", veth_port("access"), f"{four}.1/24", f"{six}::1/64"),
                      interface("link", devargs, f"10.0.12.{own}/24", f"2001:db8:12::{own}/64"),
                      ip={"route": hops})

    Heddle(lab, first, side("server", "02:00:00:00:12:01", 1, 2, "10.0.1", "2001:db8:a",
                            "10.0.2.0/24", "2001:db8:b::/64")).start()
    heddle = Heddle(lab, second, side("client", "02:00:00:00:12:02", 2, 1, "10.0.2", "2001:db8:b",
                                      "10.0.1.0/24", "2001:db8:a::/64")).start()
    for target in ("10.0.2.2", "2001:db8:b::2"):
        wait_for("the memif link", lambda t=target: a.ping(t, count=1, check=False, wait=1), 10)
        a.ping(target, count=50, interval=0.01, size=1400)
    assert "link" in heddle.show("interfaces")


# net_admin: DPDK's af_packet driver sets the MAC address of the device at every start.
# sys_admin: libxdp looks its program up by number; ipc_lock: the packet memory is shared with the kernel.
@pytest.mark.parametrize("driver,capabilities", [("af_packet", "net_raw,net_admin"),
                                                 ("af_xdp", "net_raw,net_admin,sys_admin,ipc_lock")])
def test_capabilities_instead_of_root(lab, driver, capabilities):
    """heddle-dp runs as nobody with just the capabilities that its ports need."""
    a, b, hd = two_hosts(lab)
    caps = ",".join("+" + c for c in capabilities.split(","))
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps=-all,{caps}",
              f"--ambient-caps=-all,{caps}", f"--bounding-set=-all,{caps}", "--no-new-privs"]
    if hd.run(nobody + ["test", "-x", DP], check=False).returncode != 0:
        pytest.skip(f"user nobody cannot reach {DP}")
    heddle = Heddle(lab, hd, config(*two_ports(driver)), dp_wrap=nobody)
    os.chown(heddle.run_dir, 65534, 65534)
    heddle.start()
    with open(f"/proc/{heddle.dp.pid}/status") as status:
        assert re.search(r"^Uid:\t65534", status.read(), re.M)
    a.ping("10.0.2.2", count=10)
    a.ping("2001:db8:b::2", count=10)


def test_queues_spread_over_workers(lab):
    """Two queues per port and two workers: each worker has queues, and all traffic passes."""
    a, b, hd = two_hosts(lab)
    heddle = Heddle(lab, hd, config(*two_ports("af_packet", queues=2, rx_queues=2)),
                    dp_args=["--workers", "2"]).start()
    a.ping("10.0.2.2", count=50, interval=0.01)
    a.ping("2001:db8:b::2", count=50, interval=0.01)
    state = heddle.state("workers")
    workers = state.get("worker", state) if isinstance(state, dict) else state
    assert len(workers) == 2
    assert all(worker.get("queue") for worker in workers), workers


def test_queues_move_under_traffic(lab):
    """`heddle workers place` and `spread` while a ping runs: what is shown moves, and no packet is lost."""
    a, _, hd = two_hosts(lab)
    heddle = Heddle(lab, hd, config(*two_ports("af_packet", queues=2, rx_queues=2)),
                    dp_args=["--workers", "2"]).start()

    def queues():
        state = heddle.state("workers")
        return [sorted(w.get("queue", [])) for w in (state["worker"] if isinstance(state, dict) else state)]

    names = sorted(queues()[0] + queues()[1])
    assert len(names) == 4
    ping = a.popen("ping", "ping -n -i 0.005 -c 600 -W 2 10.0.2.2")
    for n in range(6):
        for name in names:
            port, queue = name.split("/")
            heddle.cli("workers", "place", port, queue, str(n % 2))
        assert queues()[n % 2] == names and queues()[1 - n % 2] == []
    heddle.cli("workers", "spread")
    assert [len(q) for q in queues()] == [2, 2]
    ping.wait(30)
    assert "600 packets transmitted, 600 received" in ping.log(), ping.log()[-300:]
    for wrong in (["place", "nosuch", "0", "0"], ["place", "a", "9", "0"], ["place", "a", "0", "7"], ["sort"]):
        assert heddle.cli("workers", *wrong, check=False).returncode != 0


def test_ports_come_and_go(lab):
    """Ports and sub-interfaces are added and removed under traffic that does not notice."""
    a, b, hd = two_hosts(lab)
    lab.link(lab.ns("host-c"), "eth0", hd, "third")
    base = config(*two_ports("af_packet"))
    heddle = Heddle(lab, hd, base).start()
    a.ping("10.0.2.2")
    stream = a.popen("stream", "ping -n -q -i 0.01 -c 400 -W 2 10.0.2.2")
    third = interface("third", veth_port("third"), "10.0.3.1/24")
    for _ in range(2):
        heddle.reload(config(*two_ports("af_packet"), third))
        assert "third" in heddle.show("interfaces")
        heddle.reload(base)
        assert "third" not in heddle.show("interfaces")
    stream.wait(20)
    assert " 0% packet loss" in stream.log(), stream.log()


@pytest.mark.parametrize("devargs", ["net_null0", "net_null0,size=128", "net_ring0"])
def test_devices_without_a_wire(lab, devargs):
    heddle = Heddle(lab, lab.ns("hd"), config(interface("p", devargs, "10.0.1.1/24"))).start()
    assert re.search(r"\bp\b", heddle.show("interfaces"))


def test_pcap_port(lab):
    """What is sent into a pcap port is in the file when the data plane has stopped."""
    hd = lab.ns("hd")
    out = lab.path("out.pcap")
    heddle = Heddle(lab, hd, config(interface("p", f"net_pcap0,rx_iface=lo,tx_pcap={out}", "10.0.1.1/24"))).start()
    heddle.dp.stop()
    assert os.path.getsize(out) >= 24


@pytest.mark.parametrize("devargs", ["net_af_packet0,iface=nosuch0", "net_no_such_driver0", "0000:ff:1f.7",
                                     "net_af_packet0,colour=blue", "!"])
def test_bad_device_is_refused(lab, devargs):
    """The refusal names the interface; what runs keeps running."""
    a, _, hd = two_hosts(lab)
    heddle = Heddle(lab, hd, config(*two_ports("af_packet"))).start()
    a.ping("10.0.2.2")
    with pytest.raises(LabError) as refusal:
        heddle.reload(config(*two_ports("af_packet"), interface("wrong", devargs, "10.0.3.1/24")))
    assert "wrong" in str(refusal.value)
    a.ping("10.0.2.2")
    assert "wrong" not in heddle.show("interfaces")


def test_labs_leave_nothing_behind():
    """This library's own promise: after close() there is no namespace, process or file of the lab."""
    with Lab() as made:
        namespace = made.ns("x")
        process = namespace.popen("sleeper", "sleep 1000")
        path, netns = made.dir, namespace.path
        assert os.path.exists(path) and os.path.exists(netns) and process.running
    assert not os.path.exists(path) and not os.path.exists(netns) and not process.running
