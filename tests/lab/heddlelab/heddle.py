# SPDX-License-Identifier: BSD-3-Clause
"""Heddle in a namespace: its two processes, its configuration, and its command line."""

import json
import os
import signal
import subprocess

import yaml

from .core import LabError, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
STAGE = os.environ.get("HEDDLE_STAGE", os.path.join(ROOT, "build", "stage"))
DP = os.path.join(STAGE, "usr/sbin/heddle-dp")
CTRL = os.path.join(STAGE, "usr/sbin/heddle-ctrl")
CLI = os.path.join(STAGE, "usr/bin/heddle")


def veth_port(dev, driver="af_packet", queues=1):
    """DPDK devargs that put a data plane on a device of its namespace."""
    if driver == "af_packet":
        return f"net_af_packet_{dev},iface={dev},qdisc_bypass=0" + (f",qpairs={queues}" if queues > 1 else "")
    if driver == "af_xdp":
        return f"net_af_xdp_{dev},iface={dev}" + (f",queue_count={queues}" if queues > 1 else "")
    raise ValueError(driver)
