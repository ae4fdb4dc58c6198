# SPDX-License-Identifier: BSD-3-Clause
"""Raw frames at a device of a namespace, and tshark as the judge of what they hold."""

import io
import json
import select
import socket
import struct
import subprocess
import time

from scapy.layers.l2 import Ether
from scapy.utils import PcapWriter

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_ADD_MEMBERSHIP = 1
PACKET_MR_PROMISC = 1
PACKET_OUTGOING = 4
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6


class RawPort:
    """Sends and receives whole frames at one device, from the test's own process."""

    def __init__(self, namespace, dev):
        self.namespace = namespace
        self.dev = dev
        self.sock = namespace.call(self._open)
        self.mac = ":".join(f"{b:02x}" for b in self.sock.getsockname()[4])

    def _open(self):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        sock.bind((self.dev, ETH_P_ALL))
        index = socket.if_nametoindex(self.dev)
        sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                        struct.pack("IHH8s", index, PACKET_MR_PROMISC, 0, b""))
        return sock

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, *frames):
        for frame in frames:
            self.sock.send(bytes(frame))

    def _receive_one(self, deadline):
        """One frame that came in from the wire as bytes, or None at the deadline."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            data, ancillary, _, address = self.sock.recvmsg(65536, socket.CMSG_SPACE(20))
            if address[2] == PACKET_OUTGOING:
                continue
            for level, kind, aux in ancillary:
                if level != SOL_PACKET or kind != PACKET_AUXDATA:
                    continue
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", aux[:20])
                if status & TP_STATUS_VLAN_VALID:
                    # The kernel took the outer tag out; put it back where it was.
                    if not status & TP_STATUS_VLAN_TPID_VALID:
                        tpid = 0x8100
                    data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
            return data

    def receive(self, match=lambda p: True, timeout=2.0, count=1):
        """Up to count frames (scapy packets) for which match holds; fewer when time runs out."""
        deadline = time.monotonic() + timeout
        found = []
        while len(found) < count:
            data = self._receive_one(deadline)
            if data is None:
                break
            frame = Ether(data)
            if match(frame):
                found.append(frame)
        return found

    def drain(self):
        while self._receive_one(time.monotonic() + 0.0001) is not None:
            pass

    def exchange(self, frame, match, timeout=2.0):
        """Send one frame and return the first frame that matches, or None."""
        self.drain()
        self.send(frame)
        found = self.receive(match, timeout)
        return found[0] if found else None


def tshark(frames, *args):
    """What tshark prints about these frames."""
    path_args = ["tshark", "-n", "-r", "-"] + list(args)
    process = subprocess.Popen(path_args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    pcap = io.BytesIO()
    writer = PcapWriter(pcap, linktype=1)
    for frame in frames:
        writer.write(frame if hasattr(frame, "fields") else Ether(bytes(frame)))
    writer.flush()
    out, err = process.communicate(pcap.getvalue(), timeout=60)
    if process.returncode != 0:
        raise RuntimeError(f"tshark: {err.decode()}")
    return out.decode(errors="replace")


def decode(frames, *args):
    """tshark's JSON dissection: one dict of layers per frame."""
    return [p["_source"]["layers"] for p in json.loads(tshark(frames, "-T", "json", *args) or "[]")]


def malformed(frames):
    """What tshark calls malformed, or a checksum that it finds wrong; an empty string is good."""
    # Payloads are random: tshark shall not take them for some protocol that it then finds malformed.
    checks = ["-d", "udp.port==1-65535,data"]
    for proto in ("ip", "tcp", "udp"):
        checks += ["-o", f"{proto}.check_checksum:TRUE"]
    return tshark(frames, *checks, "-Y",
                   "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || "
                   "tcp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0")
