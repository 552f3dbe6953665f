# SPDX-License-Identifier: GPL-2.0-or-later
"""printed.py - what `pasvd rules` is asked for by the tests, and prints"""

import os
import pathlib
import subprocess

import pytest
from lab import PASVD

TOP = pathlib.Path(__file__).resolve().parents[2]
LOADER = TOP / "iptables" / "pasvd-rules"
VARIANTS = ("iptables-nft", "iptables-legacy")
OPTIONS = ("--wan", "wan0", "--server", "10.0.0.2")
OPTIONS6 = ("--wan", "wan0", "--server", "fd00::2")
CLIENTS = ("--clients", "lan0")
PUBLIC = ("--public", "203.0.113.1", "--server", "10.0.0.2")
PUBLIC6 = ("--public", "2001:db8:1::1", "--server", "fd00::2")
SETS = (OPTIONS, OPTIONS6, PUBLIC, PUBLIC6, CLIENTS, CLIENTS + ("-6",), OPTIONS + CLIENTS, OPTIONS6 + CLIENTS,
        PUBLIC + CLIENTS, PUBLIC6 + CLIENTS)

every_set = pytest.mark.parametrize("options", SETS, ids=" ".join)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")


def pasvd_rules(*options):
    return subprocess.run([PASVD, "rules", *options], capture_output=True, text=True, timeout=10)


def rules_of(text):
    """The lines that do something."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]
