# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - the tests of the rules use the lab's namespaces, and leave no files behind"""

import pathlib
import sys
import tempfile

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))


@pytest.fixture
def folder():
    """In place of pytest's tmp_path, which keeps what was in it."""
    with tempfile.TemporaryDirectory(prefix="pasvd-rules-") as name:
        yield pathlib.Path(name)
