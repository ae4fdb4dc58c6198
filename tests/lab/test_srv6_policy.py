# SPDX-License-Identifier: BSD-3-Clause
"""SR policies when the world changes: a link that the active path begins with, segment lists that are edited under
traffic, binding SIDs that are bound, taken and given back.

                           ┌ core ─┐
    host-a ── access heddle┤       ├ router (Linux) ── hosts ── host-b
                           └ other ┘"""

import os
import sys
import time

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from heddlelab import Heddle, RawPort, interface, malformed, veth_port, wait_for

FLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heddlelab", "flow.py")
A6, B6 = "2001:db8:a::2", "2001:db8:b::2"


def via(dev, address):
    return [{"interface": dev, "address": address}]


def path(name, preference, *lists, **leaves):
    return {"name": name, "preference": preference, **leaves,
            "segment-list": [{"name": f"l{n}", "segment": list(segments)} for n, segments in enumerate(lists)]}


def config(*paths, sid=(), **leaves):
    """One policy `there` with these candidate paths and leaves; more SIDs."""
    return {
        "interfaces": {"interface": [
            interface("access", veth_port("access"), "2001:db8:a::1/64"),
            interface("core", veth_port("core"), "2001:db8:12::1/64"),
            interface("other", veth_port("other"), "2001:db8:13::1/64")]},
        "ip": {"route": [{"prefix": "fc00:2::/48", "next-hop": via("core", "2001:db8:12::2")},
                         {"prefix": "fc00:3::/48", "next-hop": via("other", "2001:db8:13::2")},
                         {"prefix": "2001:db8:b::/64", "srv6-policy": "there"}]},
        "srv6": {
            "encapsulation": {"source-address": "fc00:1::1"},
            "locator": [{"name": "lab", "prefix": "fc00:1::/48"}],
            "sid": [{"sid": "fc00:1::46/128", "behavior": "end-dt46", "default-vrf": True}, *sid],
            "policy": [{"name": "there", "candidate-path": list(paths), **leaves}]},
    }


MAIN = path("main", 200, ["fc00:3::e", "fc00:2::d6"])
SPARE = path("spare", 100, ["fc00:2::e", "fc00:2::d6"])


class Net:
    def __init__(self, lab):
        self.lab = lab
        self.a, self.b, self.hd, self.r = (lab.ns(n) for n in ("host-a", "host-b", "hd", "router"))
        lab.link(self.a, "eth0", self.hd, "access", mtu=1300)
        lab.link(self.hd, "core", self.r, "core")
        lab.link(self.hd, "other", self.r, "other")
        lab.link(self.r, "hosts", self.b, "eth0", mtu=1300)
        for host, six in ((self.a, "2001:db8:a"), (self.b, "2001:db8:b")):
            host.addr("eth0", f"{six}::2/64")
            host.route(f"default via {six}::1")
        self.r.addr("hosts", "2001:db8:b::1/64")
        self.r.addr("core", "2001:db8:12::2/64")
        self.r.addr("other", "2001:db8:13::2/64")
        self.r.forwarding()
        self.r.route("fc00:1::/48 via 2001:db8:12::1",
                     "2001:db8:a::/64 encap seg6 mode encap segs fc00:1::46 dev core",
                     *(f"{sid} encap seg6local action End dev core"
                       for sid in ("fc00:2::e", "fc00:2::e2", "fc00:3::e", "fc00:3::e2")),
                     "fc00:2::d6 encap seg6local action End.DT6 table main dev hosts")
        self.heddle = Heddle(lab, self.hd, config(MAIN, SPARE)).start()
        self.runs = 0

    def traffic(self, seconds, rate, during):
        """Packets from host-a to host-b while `during` runs: (sent, arrived, repeated)."""
        self.runs += 1
        port = str(5000 + self.runs)  # what waited for a neighbour in one run must not count in the next
        result = self.lab.path(f"flow{self.runs}")
        receiver = self.b.popen(f"receiver{self.runs}", [sys.executable, FLOW, "receive", port, result])
        wait_for("the receiver", lambda: os.path.exists(result) and open(result).read() == "ready", 10)
        sender = self.a.popen(f"sender{self.runs}",
                              [sys.executable, FLOW, "send", B6, port, str(rate), str(seconds)])
        during()
        sender.wait(seconds + 20)
        time.sleep(0.3)
        receiver.stop()
        arrived, repeated = map(int, open(result).read().split())
        return int(sender.log().split()[-1]), arrived, repeated

    def policy(self, name="there"):
        return next(p for p in self.heddle.state("policies") if p["name"] == name)

    def active(self):
        return next((p["name"] for p in self.policy()["candidate-path"] if p["active"]), None)


@pytest.fixture(scope="module")
def net(module_lab):
    return Net(module_lab)


def counted(net, path_name):
    lists = next(p for p in net.policy()["candidate-path"] if p["name"] == path_name)["segment-list"]
    return sum(int(c["value"]) for one in lists for c in one["counter"] if c["name"] == "packets")


def test_first_segment_goes_away(net):
    """The link behind the first segment of the active path goes down: traffic is on the next path within half a second;
    it comes back when the link does, and loses nothing then."""
    net.heddle.reload(config(MAIN, SPARE))
    wait_for("the main path", lambda: net.active() == "main", 10)
    net.a.ping(B6)
    rate = 1000

    def down():
        time.sleep(0.5)
        net.r.ip("link set other down")
        time.sleep(1.5)

    try:
        sent, arrived, repeated = net.traffic(3, rate, down)
        lost = sent - arrived
        print(f"first segment gone: {lost} of {sent} packets lost at {rate} a second, {lost * 1000 // rate} ms")
        assert net.active() == "spare" and repeated == 0
        assert 0 < lost <= rate // 2, f"{lost} packets lost"
        reason = next(p for p in net.policy()["candidate-path"] if p["name"] == "main")["reason"]
        assert "no way to the first segment fc00:3::e" in reason
        assert "no way to the first segment" in net.heddle.show("policies")
    finally:
        net.r.ip("link set other up")
        net.r.run("ip -6 addr replace 2001:db8:13::2/64 dev other nodad")  # the kernel takes it off a link that is down
    before = counted(net, "main")

    def back():
        wait_for("the main path", lambda: net.active() == "main", 10)
        time.sleep(0.5)

    sent, arrived, repeated = net.traffic(3, rate, back)
    assert (arrived, repeated) == (sent, 0)
    assert counted(net, "main") > before + 100


def test_first_segment_without_a_route(net):
    """The route to the first segment is taken out: the list is spared at once, the path given up within two seconds."""
    net.heddle.reload(config(MAIN, SPARE))
    wait_for("the main path", lambda: net.active() == "main", 10)

    def gone():
        time.sleep(0.3)
        tree = config(MAIN, SPARE)
        tree["ip"]["route"] = [r for r in tree["ip"]["route"] if r["prefix"] != "fc00:3::/48"]
        net.heddle.reload(tree)
        wait_for("the spare path", lambda: net.active() == "spare", 5)

    sent, arrived, _ = net.traffic(3, 500, gone)
    assert sent - arrived <= 1000, f"{sent - arrived} of {sent} lost"
    net.heddle.reload(config(MAIN, SPARE))
    wait_for("the main path", lambda: net.active() == "main", 10)


def test_lists_are_edited_under_traffic(net):
    """Make before break: lists added, removed, exchanged and weighed anew lose, repeat and misdirect nothing."""
    forms = [(MAIN, SPARE),
             (path("main", 200, ["fc00:3::e", "fc00:2::d6"], ["fc00:2::e", "fc00:2::d6"]), SPARE),
             (path("main", 200, ["fc00:2::e", "fc00:3::e2", "fc00:2::d6"]), SPARE),
             (path("other", 300, ["fc00:2::d6"]), MAIN),
             (SPARE,)]
    changes = 0

    def edit():
        nonlocal changes
        end = time.monotonic() + 3
        while time.monotonic() < end:
            changes += 1
            net.heddle.reload(config(*forms[changes % len(forms)]))

    net.heddle.reload(config(*forms[0]))
    net.a.ping(B6)
    sent, arrived, repeated = net.traffic(4, 1000, edit)
    print(f"{changes} changes, {sent} packets")
    assert changes >= 10 and (arrived, repeated) == (sent, 0)


def bound_sid(net):
    return net.policy().get("binding-sid")


def into(net, sid):
    """First segments with which a packet to a binding SID leaves, its own header behind: [] if it does not."""
    net.r.ping("2001:db8:12::1", count=1, check=False)
    gateway = net.r.out("ip neigh show 2001:db8:12::1").split("lladdr ")[1].split()[0]
    with RawPort(net.r, "core") as core, RawPort(net.r, "other") as other:
        srh = bytes([17, 2, 4, 1, 0, 0, 0, 0])
        sent = IPv6(src="2001:db8:12::2", dst=sid, nh=43) / (srh + bytes.fromhex("fc0000010000000000000000000000ee") +
                                                             bytes(UDP(sport=1, dport=9)))
        core.send(Ether(src=core.mac, dst=gateway) / sent)
        got = [f for port in (other, core)
               for f in port.receive(lambda p: IPv6 in p and p[IPv6].src == "fc00:1::1", timeout=0.3)]
    assert malformed(got) == ""
    return [f[IPv6].dst for f in got]


def test_binding_sid_from_a_locator(net):
    """Bound when the policy comes, the same over changes of the path and a restart of the control process."""
    net.heddle.reload(config(MAIN, SPARE, **{"binding-sid-locator": "lab"}))
    sid = bound_sid(net)
    assert sid.startswith("fc00:1:0:8") and net.policy()["binding-sid-dynamic"] is True
    assert into(net, sid) == ["fc00:3::e"]
    net.heddle.reload(config(path("main", 200, ["fc00:2::e2", "fc00:2::d6"]), SPARE, **{"binding-sid-locator": "lab"}))
    assert bound_sid(net) == sid and into(net, sid) == ["fc00:2::e2"]
    net.heddle.kill_ctrl()
    net.heddle.start_ctrl()
    net.heddle.wait_ready()
    assert bound_sid(net) == sid and into(net, sid) == ["fc00:2::e2"]
    assert sid in net.heddle.show("policies")


def test_binding_sid_in_use(net):
    """RFC 9256 sections 6.2, 6.2.3: an alert in log, events and state; specified-bsid-only goes on to the next path."""
    wanted = {"binding-sid": "fc00:1::b6"}
    net.heddle.reload(config(MAIN, SPARE, **wanted))
    assert bound_sid(net) == "fc00:1::b6" and "binding-sid-alert" not in net.policy()
    assert into(net, "fc00:1::b6") == ["fc00:3::e"]
    taken = [{"sid": "fc00:1::b6/128", "behavior": "end"}]
    net.heddle.reload(config(MAIN, SPARE, sid=taken, **wanted))
    said = "binding SID fc00:1::b6 is in use: a SID with behavior end"
    assert bound_sid(net) is None and net.policy()["binding-sid-alert"] == said
    assert said in net.heddle.ctrl.log() and said in net.heddle.show("policies")
    net.a.ping(B6)  # the policy itself goes on
    net.heddle.reload(config(MAIN, SPARE, sid=taken, **{**wanted, "binding-sid-locator": "lab"}))
    assert bound_sid(net).startswith("fc00:1:0:8")
    spare = {**SPARE, "binding-sid": "fc00:1::b7"}
    net.heddle.reload(config(MAIN, spare, sid=taken, **{**wanted, "specified-bsid-only": True}))
    assert net.active() == "spare" and bound_sid(net) == "fc00:1::b7" and net.policy()["binding-sid-alert"] == said
    net.heddle.reload(config(MAIN, spare, **{**wanted, "specified-bsid-only": True}))
    assert net.active() == "main" and bound_sid(net) == "fc00:1::b6"
