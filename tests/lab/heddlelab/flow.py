# SPDX-License-Identifier: BSD-3-Clause
"""A UDP flow that knows every packet: numbered datagrams at a rate, and who counts them.

    flow.py send ADDRESS PORT RATE SECONDS     prints how many were sent
    flow.py receive PORT FILE                  until SIGTERM; writes how many different ones came, and repeats
"""

import signal
import socket
import struct
import sys
import time


SO_RCVBUFFORCE = 33  # socket(7); Python has no name for it


def send(address, port, rate, seconds):
    out = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    out.connect((address, port))
    sent, start, pad = 0, time.monotonic(), bytes(56)
    while True:
        now = time.monotonic() - start
        if now >= seconds:
            break
        # what is due: a sender that was not scheduled catches up in small steps, not in one burst
        for _ in range(min(int(now * rate) - sent, 16)):
            out.send(struct.pack("!Q", sent) + pad)
            sent += 1
        time.sleep(0.0005)
    print(sent)


def receive(port, path):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    sock.bind(("::", port))
    sock.settimeout(0.1)
    seen, repeats, running = set(), 0, True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    with open(path, "w") as out:
        out.write("ready")
    while running:
        try:
            number = struct.unpack("!Q", sock.recv(2048)[:8])[0]
        except TimeoutError:
            continue
        repeats += number in seen
        seen.add(number)
    with open(path, "w") as out:
        out.write(f"{len(seen)} {repeats}")


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
    else:
        receive(int(sys.argv[2]), sys.argv[3])
