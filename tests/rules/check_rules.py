#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_rules.py - `pasvd rules`

Comes in:  files of this folder, by default all; the binary to test in $PASVD, and in $OWN_RULES tests/own_rules.c; root,
           who can ask for the ct_helper, make network namespaces and load rules in them.
Goes out:  what is printed for which options; what of it gets loaded; and which
           packets pass: the tests in tests/rules.

Exits with 77 ("skipped") without that privilege, as where packages are built.
"""

import pathlib
import re
import sys

import pytest

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parent
NEEDED = 1 << 12 | 1 << 21  # CAP_NET_ADMIN, CAP_SYS_ADMIN

held = int(re.search(r"^CapEff:\t(\w+)", pathlib.Path("/proc/self/status").read_text(), re.M)[1], 16)
if held & NEEDED != NEEDED:
    sys.exit(77)
sys.exit(int(pytest.main(["-q", "-p", "no:cacheprovider", *(sys.argv[1:] or [str(TESTS)])])))
