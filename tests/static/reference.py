#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""reference.py - what pasvd.conf(5) and the example file say about each key is the program's table

usage: reference.py PRINT_REFERENCE [--write]

Comes in:  the program of src/config/reference.c.
Goes out:  how the reference in man/pasvd.conf.5 and systemd/pasvd.conf differ from what it prints; exit status 1 if they
           do. With --write both are written anew.
"""

import difflib
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
MANUAL, EXAMPLE = TOP / "man" / "pasvd.conf.5", TOP / "systemd" / "pasvd.conf"
REFERENCE = re.compile(r'(?<=^\.\\" The reference begins\.\n).*(?=^\.\\" The reference ends\.\n)', re.M | re.S)


def printed(program, what):
    return subprocess.run([program, what], check=True, capture_output=True, text=True).stdout


def wanted(program):
    """{path: text}"""
    reference, page = printed(program, "manual"), MANUAL.read_text()
    assert len(REFERENCE.findall(page)) == 1, f"{MANUAL}: the reference has no beginning or no end"
    return {MANUAL: REFERENCE.sub(lambda _: reference, page), EXAMPLE: printed(program, "example")}


def main(program, write=None):
    status = 0
    for path, text in wanted(program).items():
        if write == "--write":
            path.write_text(text)
        elif path.read_text() != text:
            sys.stdout.writelines(difflib.unified_diff(
                path.read_text().splitlines(True), text.splitlines(True), str(path), "the table: ninja -C build reference"))
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
