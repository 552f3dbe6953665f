# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - the tests of the package use the lab's servers and clients"""

import pathlib
import shutil
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import release  # noqa: E402


@pytest.fixture(scope="module")
def work():
    folder = release.folder()
    yield folder
    shutil.rmtree(folder)
