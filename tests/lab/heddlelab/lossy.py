# SPDX-License-Identifier: BSD-3-Clause
"""A wire that loses packets: frames between two devices, of which chosen ones are dropped and counted.

    python3 lossy.py LEFT RIGHT SECONDS --every 7 --next-header 0

drops every 7th IPv6 frame from LEFT to RIGHT whose next header is 0 (hop-by-hop options), after the first --skip ones,
and prints {"passed": .., "dropped": ..} of those that could have been dropped when its time is over."""

import argparse
import json
import select
import socket
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def open_device(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((name, ETH_P_ALL))
    return s


def main():
    p = argparse.ArgumentParser()
    p.add_argument("left")
    p.add_argument("right")
    p.add_argument("seconds", type=float)
    p.add_argument("--every", type=int, default=0)
    p.add_argument("--next-header", type=int, default=0)
    p.add_argument("--skip", type=int, default=0)
    p.add_argument("--delay-ms", type=float, default=0)
    a = p.parse_args()
    left, right = open_device(a.left), open_device(a.right)
    passed = dropped = seen = 0
    queue = []
    end = time.monotonic() + a.seconds
    print("ready", flush=True)
    while time.monotonic() < end:
        wait = 0.1 if not queue else max(0, min(0.1, queue[0][0] - time.monotonic()))
        for s in select.select([left, right], [], [], wait)[0]:
            frame, where = s.recvfrom(65536)
            if where[2] == PACKET_OUTGOING:
                continue
            if s is right:
                left.send(frame)
                continue
            if frame[12:14] == b"\x86\xdd" and frame[20] == a.next_header:
                seen += 1
                if a.every and seen > a.skip and (seen - a.skip) % a.every == 0:
                    dropped += 1
                    continue
                passed += 1
            queue.append((time.monotonic() + a.delay_ms / 1000, frame))
        while queue and queue[0][0] <= time.monotonic():
            right.send(queue.pop(0)[1])
    print(json.dumps({"passed": passed, "dropped": dropped}), flush=True)


if __name__ == "__main__":
    main()
