#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A small STAMP or TWAMP Light reflector on the kernel's UDP stack, as a peer of Heddle's Session-Sender.

Usage: stamp_reflector.py ADDRESS PORT [--extra N] [--cut N] [--lose A,B] [--twice A,B] [--hold-ms N] [--stateful] [--key HEX]
       [--forget-ssid]
--lose, --twice: sequence numbers that get no reply, or two; --extra, --cut: octets of replies more or less than usual.
"""
import argparse
import hashlib
import hmac
import socket
import struct
import time

UNIX_TO_NTP = 2208988800


def ntp(ns):
    return (ns // 10**9 + UNIX_TO_NTP) << 32 | (ns % 10**9 << 32) // 10**9


def numbers(text):
    return {int(n) for n in text.split(",") if n}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("address")
    p.add_argument("port", type=int)
    p.add_argument("--extra", type=int, default=0)
    p.add_argument("--cut", type=int, default=0)
    p.add_argument("--lose", default="")
    p.add_argument("--twice", default="")
    p.add_argument("--hold-ms", type=int, default=0)
    p.add_argument("--stateful", action="store_true")
    p.add_argument("--forget-ssid", action="store_true")
    p.add_argument("--key", default="")
    a = p.parse_args()
    lose, twice, counted = numbers(a.lose), numbers(a.twice), {}
    s = socket.socket(socket.AF_INET6 if ":" in a.address else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((a.address, a.port))
    print("ready", flush=True)
    while True:
        q, peer = s.recvfrom(65535)
        t2 = time.time_ns()
        seq, = struct.unpack(">I", q[:4])
        if seq in lose:
            continue
        if a.hold_ms:
            time.sleep(a.hold_ms / 1000)
        for _ in range(2 if seq in twice else 1):
            number = counted.setdefault(peer, 0) if a.stateful else seq
            counted[peer] = number + 1
            if a.key:
                t1, error, ssid = q[16:24], q[24:26], q[26:28]
                reply = (struct.pack(">I12xQH", number, ntp(time.time_ns()), 0x9001) + ssid + bytes(4) +
                         struct.pack(">Q8xI12x", ntp(t2), seq) + t1 + error + bytes(6) + b"\xff" + bytes(15))
                reply += hmac.new(bytes.fromhex(a.key), reply, hashlib.sha256).digest()[:16]
            else:
                ssid = bytes(2) if a.forget_ssid else q[14:16]
                reply = (struct.pack(">IQH", number, ntp(time.time_ns()), 0x9001) + ssid +
                         struct.pack(">QI", ntp(t2), seq) + q[4:14] + bytes(2) + b"\xff" + bytes(3) + q[44:])
            s.sendto(reply[:len(reply) - a.cut] + bytes(a.extra), peer)


if __name__ == "__main__":
    main()
