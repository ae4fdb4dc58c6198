# SPDX-License-Identifier: BSD-3-Clause
"""A client of heddle-dp's table API (include/heddle/api/api.h), for labs that need more objects than a file holds."""

import array
import ipaddress
import os
import socket
import struct

VERSION = 1
HELLO, BEGIN, COMMIT, EPOCH_BEGIN, EPOCH_END, REPLY, EVENT = 1, 2, 3, 5, 6, 8, 9
PORT, IFACE, ADDR, NEXTHOP, ROUTE, NEIGH = 0x101, 0x102, 0x202, 0x203, 0x205, 0x206
TARGET_NEXTHOP = 1
HDR = struct.Struct("<IHHII")
ROUTE_BODY = struct.Struct("<IBBH16sII")


def port(ident, name, devargs, mtu=1500):
    return PORT, struct.pack("<I32s256s6H", ident, name.encode(), devargs.encode(), 0, 0, 0, 0, mtu, 0)


def iface(ident, name, on_port, mac):
    return IFACE, struct.pack("<I32sII4H6sBBB3x", ident, name.encode(), on_port, 0, 0, 0, 0, 0,
                              bytes.fromhex(mac.replace(":", "")), 1, 0, 0)


def address(on_iface, text):
    net = ipaddress.ip_interface(text)
    return ADDR, struct.pack("<IBBH16sI", on_iface, net.version, net.network.prefixlen, 0, net.ip.packed, 0)


def nexthop(ident, on_iface, gateway):
    ip = ipaddress.ip_address(gateway)
    return NEXTHOP, struct.pack("<IIB3x16s", ident, on_iface, ip.version, ip.packed)


def neighbour(on_iface, text, mac):
    ip = ipaddress.ip_address(text)
    return NEIGH, struct.pack("<IB3x16s6sH", on_iface, ip.version, ip.packed, bytes.fromhex(mac.replace(":", "")), 0)


def route(family, packed, plen, nexthop_id, vrf=0):
    return ROUTE, ROUTE_BODY.pack(vrf, family, plen, 0, packed, TARGET_NEXTHOP, nexthop_id)


class TableApi:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(120)
        self.sock.connect(path)
        self.seq = 0
        hello = struct.pack("<IIQ64s12I", VERSION, os.getpid(), 0, b"lab", *[0] * 12)
        self.sock.sendall(self._message(HELLO, hello))
        data, anc, _, _ = self.sock.recvmsg(HDR.size + len(hello), socket.CMSG_SPACE(4))
        assert HDR.unpack_from(data)[1] == HELLO
        fds = array.array("i")
        for _, _, raw in anc:
            fds.frombytes(raw[:len(raw) - len(raw) % fds.itemsize])
        for fd in fds:
            os.close(fd)

    def close(self):
        self.sock.close()

    def _message(self, kind, body=b"", flags=0):
        self.seq += 1
        return HDR.pack(HDR.size + len(body), kind, VERSION, self.seq & 0xffffffff, flags) + body

    def _reply(self):
        """(error, set, unchanged, deleted, text) of the next REPLY; events before it are passed over."""
        while True:
            head = self._exactly(HDR.size)
            length, kind, _, _, _ = HDR.unpack(head)
            body = self._exactly(length - HDR.size)
            if kind == REPLY:
                error, _, _, n_set, same, gone = struct.unpack_from("<6I", body)
                return error, n_set, same, gone, body[24:].split(b"\0")[0].decode()
            assert kind == EVENT, hex(kind)

    def _exactly(self, n):
        parts = b""
        while len(parts) < n:
            got = self.sock.recv(n - len(parts))
            assert got, "the data plane closed the connection"
            parts += got
        return parts

    def request(self, kind, body=b""):
        self.sock.sendall(self._message(kind, body))
        return self._reply()

    def commit(self, messages):
        """One transaction of (kind, body) messages; returns like _reply()."""
        out = bytearray(self._message(BEGIN))
        for kind, body in messages:
            out += self._message(kind, body)
            if len(out) > 1 << 20:
                self.sock.sendall(out)
                out.clear()
        self.sock.sendall(out + self._message(COMMIT))
        return self._reply()
