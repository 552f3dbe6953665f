# SPDX-License-Identifier: GPL-2.0-or-later
"""pasvd beside the kernel's own helper and conntrackd's: what each does in the same situations.

Comes in:  PEER, one of engines.ENGINES.
Only of pasvd something is expected. What the others do is noted, for table.py.
"""

import os

import pytest

import engines
from rows import ROWS

ENGINE = os.environ["PEER"]


@pytest.fixture(scope="module")
def make():
    engines.prepare(ENGINE)

    def make_lab(kind=engines.PeerLab, **options):
        return kind(engine=ENGINE, **options)
    return make_lab


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.situation)
def test_row(make, row):
    try:
        outcome = row.see(make)
    except (OSError, EOFError) as error:
        if ENGINE == "pasvd":
            raise
        print(repr(error))
        outcome = "hangs"
    print(f"# seen: {outcome or '-'}")
    assert ENGINE != "pasvd" or outcome == row.wanted
