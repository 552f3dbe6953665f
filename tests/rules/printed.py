# SPDX-License-Identifier: GPL-2.0-or-later
"""printed.py - what `pasvd rules` is asked for by the tests, and prints"""

import os
import pathlib
import shutil
import subprocess

import pytest
from lab import PASVD, PATIENCE

TOP = pathlib.Path(__file__).resolve().parents[2]
LOADER = (PASVD, "rules")
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
VARIANTS = ("iptables-nft", "iptables-legacy")
OPTIONS = ("--wan", "wan0", "--server", "10.0.0.2")
OPTIONS6 = ("--wan", "wan0", "--server", "fd00::2")
ANY = ("--wan", "wan0", "--server", "any")
CLIENTS = ("--lan", "lan0")
PUBLIC = ("--server", "10.0.0.2", "--public", "203.0.113.1")
PUBLIC6 = ("--server", "fd00::2", "--public", "2001:db8:1::1")
SETS = (OPTIONS, OPTIONS6, PUBLIC, PUBLIC6, CLIENTS, CLIENTS + ("-6",), OPTIONS + CLIENTS, OPTIONS6 + CLIENTS,
        PUBLIC + CLIENTS, PUBLIC6 + CLIENTS)

every_set = pytest.mark.parametrize("options", SETS, ids=" ".join)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")


def pasvd_rules(*options):
    return subprocess.run([PASVD, "rules", "print", *options], capture_output=True, text=True, timeout=PATIENCE)


def edited_tools(folder, sed, variant="iptables", once=False):
    """An environment in which what is loaded goes through sed before iptables-restore, ip6tables-restore and nft; `once`:
    only what each of them gets first."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    names = (variant, variant.replace("ip", "ip6", 1))
    for name in names:
        (tools / name).unlink(missing_ok=True)
        (tools / name).symlink_to(shutil.which(name, path=SBIN))
    for name in (*(name + "-restore" for name in names), "nft"):
        real, mark, wrapper = shutil.which(name, path=SBIN), tools / f"{name}.used", tools / name
        wrapper.unlink(missing_ok=True)
        mark.unlink(missing_ok=True)
        reads = '[ "$1" = -f ]' if name == "nft" else ":"
        wrapper.write_text("#!/bin/sh\n"
                           f"{{ {reads} && ! [ -e {mark} ]; }} || exec {real} \"$@\"\n"
                           + (f"touch {mark}\n" if once else "") +
                           f"sed '{sed}' | {real} \"$@\"\n")
        wrapper.chmod(0o755)
    return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "IPTABLES": str(tools / variant)}


def rules_of(text):
    """The lines that do something."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]
