#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A small STAMP Session-Sender on the kernel's UDP stack, as a peer of Heddle's Session-Reflector.

Usage: stamp_sender.py ADDRESS PORT COUNT [--ssid N] [--tlv HEX]    prints one JSON object per reply, times in ns (UTC)
"""
import argparse
import json
import socket
import struct
import time

UNIX_TO_NTP = 2208988800


def ntp(ns):
    return (ns // 10**9 + UNIX_TO_NTP) << 32 | (ns % 10**9 << 32) // 10**9


def unix(ntp64):
    return ((ntp64 >> 32) - UNIX_TO_NTP) * 10**9 + ((ntp64 & 0xffffffff) * 10**9 >> 32)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("address")
    p.add_argument("port", type=int)
    p.add_argument("count", type=int)
    p.add_argument("--ssid", type=int, default=0)
    p.add_argument("--tlv", default="")
    a = p.parse_args()
    tlv = bytes.fromhex(a.tlv)
    family = socket.AF_INET6 if ":" in a.address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.connect((a.address, a.port))
    for seq in range(a.count):
        t1 = time.time_ns()
        s.send(struct.pack(">IQHH", seq, ntp(t1), 0x8801, a.ssid) + bytes(28) + tlv)
        try:
            reply = s.recv(65535)
        except (socket.timeout, ConnectionRefusedError) as e:
            print(json.dumps({"seq": seq, "error": str(e)}), flush=True)
            continue
        t4 = time.time_ns()
        rseq, t3, estimate, ssid, t2, sseq, st1, _sest, _mbz, ttl = struct.unpack(">IQHHQIQHHB", reply[:41])
        print(json.dumps({"seq": seq, "length": len(reply), "reply_seq": rseq, "sender_seq": sseq, "ssid": ssid,
                          "t1": t1, "t2": unix(t2), "t3": unix(t3), "t4": t4, "t1_echo": unix(st1),
                          "estimate": estimate, "ttl": ttl, "tlv": reply[44:].hex()}), flush=True)
        time.sleep(0.005)


if __name__ == "__main__":
    main()
