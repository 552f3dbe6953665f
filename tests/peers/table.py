#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""table.py - what test_peers.py saw, as a table in Markdown

usage: table.py NAME      the release of Debian on whose kernel it was run

Comes in:  $BUILD/kernels/NAME/exchange (default of BUILD: build/ at the top of the tree).
Goes out:  a row for each situation, a column for each program, on stdout.
"""

import os
import pathlib
import re
import sys
import xml.etree.ElementTree as tree

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build")).resolve()
# As in tests/peers/list, and what they are called.
ENGINES = {"pasvd": "pasvd", "kernel-ftp": "nf_nat_ftp", "conntrackd": "conntrackd"}


def seen(report):
    """{situation: outcome}"""
    found = {}
    for case in tree.parse(report).getroot().iter("testcase"):
        situation = re.fullmatch(r"test_row\[(.+)\]", case.get("name"))[1]
        outcome = re.search(r"^# seen: (.+)$", "".join(case.itertext()), re.MULTILINE)
        found[situation] = outcome[1] if outcome else "?"
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = BUILD / "kernels" / sys.argv[1]
    columns = [seen(folder / "exchange" / f"nft-PEER={engine}.xml") for engine in ENGINES]
    print(f"Linux {(folder / 'version').read_text().strip()}\n")
    print("| situation |", " | ".join(ENGINES.values()), "|")
    print("|---|" + "---|" * len(ENGINES))
    for situation in columns[0]:
        print("|", situation, "|", " | ".join(column.get(situation, "?") for column in columns), "|")


if __name__ == "__main__":
    main()
