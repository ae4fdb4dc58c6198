# SPDX-License-Identifier: BSD-3-Clause
"""UDP datagrams to hosts of many prefixes, and who sees which of them. Prefix number k is 20.0.0.0/24 + k.

    scatter.py send COUNT PORT RATE SECONDS    to a random one of COUNT prefixes each; prints how many were sent
    scatter.py watch DEVICE PORT MODULUS FILE  until SIGTERM; writes how many came of each class k mod MODULUS
"""

import random
import signal
import socket
import struct
import sys
import time

ETH_P_IP = 0x800
SO_RCVBUFFORCE = 33  # socket(7); Python has no name for it
BASE = 20 << 24


def send(count, port, rate, seconds):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    rng, pad = random.Random(count), bytes(48)
    sent, start = 0, time.monotonic()
    while True:
        now = time.monotonic() - start
        if now >= seconds:
            break
        for _ in range(min(int(now * rate) - sent, 16)):
            address = BASE + (rng.randrange(count) << 8) + 7
            out.sendto(struct.pack("!Q", sent) + pad, (socket.inet_ntoa(struct.pack("!I", address)), port))
            sent += 1
        time.sleep(0.0005)
    print(sent)


def watch(device, port, modulus, path):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    sock.bind((device, ETH_P_IP))
    sock.settimeout(0.1)
    seen, running = [0] * modulus, True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    with open(path, "w") as out:
        out.write("ready")
    while running:
        try:
            data = sock.recv(2048)
        except TimeoutError:
            continue
        if len(data) < 28 or data[0] != 0x45 or data[9] != 17:
            continue
        address, dport = struct.unpack("!I2xH", data[16:24])
        if dport == port and address >= BASE:
            seen[(address - BASE >> 8) % modulus] += 1
    with open(path, "w") as out:
        out.write(" ".join(map(str, seen)))


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
    else:
        watch(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
