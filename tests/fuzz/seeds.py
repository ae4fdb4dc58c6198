#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes seed corpora for the fuzz targets of wire formats.

Usage: tests/fuzz/seeds.py DIR    makes DIR/fuzz_wire_eth/..., one file per packet of tests/wire/golden.h
                                  (DIR is tests/fuzz/corpus for the committed ones)
"""
import pathlib
import re
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "wire" / "golden.h"


def golden():
    """Name -> octets of every packet in golden.h."""
    for name, body in re.findall(r"uint8_t golden_(\w+)\[\d+\] = \{(.*?)\};", GOLDEN.read_text(), re.S):
        yield name, bytes(int(x, 16) for x in re.findall(r"0x[0-9a-f]{2}", body))


def layers(name, data):
    """The targets a packet is a seed for, and from which octet on."""
    if name.startswith("arp"):
        yield "fuzz_wire_arp", data
        return
    if data[:6] == bytes.fromhex("020000000002"):
        yield "fuzz_wire_eth", data
        off = 12
        while data[off:off + 2] in (b"\x81\x00", b"\x88\xa8"):
            off += 4
        data = data[off + 2:]
    if data[0] >> 4 == 4:
        yield "fuzz_wire_ip4", data
        return
    yield "fuzz_wire_ip6", data
    if data[6] == 58:
        yield "fuzz_wire_icmp6", data[8:40] + data[7:8] + data[40:]
    if data[6] == 43:
        yield "fuzz_wire_srh", data[40:]


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    n = 0
    for name, data in golden():
        for target, seed in list(layers(name, data)) + [("fuzz_wire_csum", b"\x02\x04\x01" + data)]:
            path = pathlib.Path(sys.argv[1]) / target
            path.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(seed)
            n += 1
    # an SRH with an HMAC TLV, and one with room but no list
    srh = pathlib.Path(sys.argv[1]) / "fuzz_wire_srh"
    (srh / "hmac").write_bytes(bytes.fromhex("2909040101000000") + bytes(range(32)) +
                               bytes.fromhex("052600000000002a") + bytes(32))
    (srh / "empty").write_bytes(bytes.fromhex("2900040000000000"))
    print(f"{n + 2} seeds in {sys.argv[1]}")


if __name__ == "__main__":
    main()
