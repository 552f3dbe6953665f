#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_rules.py - `pasvd rules` and pasvd-rules

Comes in:  the binary to test in $PASVD, and in $OWN_RULES tests/own_rules.c; for
           what is loaded and what passes root, who can make network namespaces and
           load rules in them.
Goes out:  what is printed for which options; what of it gets loaded; and which
           packets pass: the tests in tests/rules.

Exits with 77 ("skipped") if it is not root.
"""

import os
import pathlib
import sys

import pytest

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).with_name("rules")

status = int(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], str(TESTS)]))
sys.exit(status or (0 if os.geteuid() == 0 else 77))
