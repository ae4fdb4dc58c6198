# SPDX-License-Identifier: BSD-3-Clause
"""FRR's daemons in a namespace of a lab, with sockets and files of their own."""

import os
import shutil

from .core import wait_for

DAEMONS = "/usr/lib/frr"


class Frr:
    """Some daemons of FRR. config is the text of all of them; each reads what it understands of it."""

    def __init__(self, lab, namespace, config, daemons=("zebra", "staticd", "bgpd")):
        self.lab = lab
        self.ns = namespace
        self.dir = lab.path(f"frr-{namespace.name}")
        os.makedirs(self.dir, exist_ok=True)
        self.config = lab.write(f"frr-{namespace.name}/frr.conf", config)
        for path in (self.dir, self.config):
            shutil.chown(path, "frr", "frr")
        self.daemons = list(daemons)
        self.running = {}
        self._starts = 0

    def start(self):
        for daemon in self.daemons:
            self.start_one(daemon)
        return self

    def start_one(self, daemon):
        self._starts += 1
        argv = [f"{DAEMONS}/{daemon}", "-z", f"{self.dir}/zserv.sock",
                "-i", f"{self.dir}/{daemon}.pid", "--vty_socket", self.dir, "-A", "127.0.0.1", "-P", "0",
                "-f", self.config, "--log", "stdout", "--log-level", "warnings"]
        self.running[daemon] = self.ns.popen(f"frr-{self.ns.name}-{daemon}{self._starts}", argv)
        socket = "zserv.sock" if daemon == "zebra" else f"{daemon}.vty"
        wait_for(f"{daemon} of {self.ns.name}", lambda: os.path.exists(os.path.join(self.dir, socket)))

    def restart(self, daemon):
        """Kill one, as a crash would, and start it again."""
        self.running[daemon].kill()
        for name in (f"{daemon}.pid", f"{daemon}.vty", "zserv.sock" if daemon == "zebra" else ""):
            if name and os.path.exists(os.path.join(self.dir, name)):
                os.unlink(os.path.join(self.dir, name))
        self.start_one(daemon)

    def vtysh(self, *commands, check=True):
        argv = ["vtysh", "--vty_socket", self.dir]
        for command in commands:
            argv += ["-c", command]
        return self.ns.run(argv, check=check)

    def configure(self, *commands, check=True):
        return self.vtysh("configure terminal", *commands, check=check)
