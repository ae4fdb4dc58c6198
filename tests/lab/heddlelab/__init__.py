# SPDX-License-Identifier: BSD-3-Clause
"""Labs in network namespaces: hosts, Linux routers and Heddle, wired with veth pairs.

A Lab owns everything it made (namespaces, processes, files) and gives all of it back in close(), also after
an interrupt; what a killed run left behind is removed by the next one.

    with Lab() as lab:
        host, hd = lab.ns("host"), lab.ns("hd")
        lab.link(host, "eth0", hd, "port0")
        host.addr("eth0", "10.0.1.2/24")
        heddle = Heddle(lab, hd, config).start()
        host.run("ping -c 1 10.0.1.1")

Commands enter a namespace with nsenter, not "ip netns exec", which would hide /sys/fs/bpf from them.
"""

from .core import Lab, LabError, Namespace, Process, wait_for
from .frr import Frr
from .heddle import Heddle, interface, subinterface, veth_port
from .packets import RawPort, decode, malformed

__all__ = ["Lab", "LabError", "Namespace", "Process", "wait_for", "Frr", "Heddle", "interface", "subinterface",
           "veth_port", "RawPort", "decode", "malformed"]
