# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs of tests/platform, for pytest: status 0 passed, 77 skipped, anything else failed."""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
LIMIT = 120 * float(os.environ.get("SLOWNESS", "1"))    # seconds
PROGRAMS = sorted(path for path in (BUILD / "tests" / "platform").glob("platform_*") if path.is_file())


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name.removeprefix("platform_"))
def test_fact(program):
    done = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LIMIT, check=False)
    print(done.stdout)
    if done.returncode == 77:
        pytest.skip(done.stdout)
    assert done.returncode == 0
