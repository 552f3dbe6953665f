# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - in a virtual machine of tests/kernels, and nowhere else"""

import os
import pathlib
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))


def pytest_sessionstart():
    if "KERNEL" not in os.environ:
        pytest.exit("loads and unloads modules of the kernel, so it needs a virtual machine: see HACKING.md", returncode=1)
