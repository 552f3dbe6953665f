#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""facts.py - what tests/platform found on which kernel, as the table in docs/kernels.md

Comes in:  what tests/kernels/kernels.py left in $BUILD/kernels; and this machine, on
           which the programs are run now.
Goes out:  a table in Markdown on stdout: a row for each program, "yes" where its fact
           holds, and a row for each thing that it noted, without asserting it, and
           that is not the same everywhere.
Limits: root. A program that was not run on a kernel has no entry there.
"""

import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
KERNELS = pathlib.Path(os.environ.get("BUILD", TOP / "build")).resolve() / "kernels"
OUTCOMES = {"failure": "no", "error": "no", "skipped": "not tried"}


def facts(report):
    """What a report of test_platform.py says: {row: entry}."""
    found = {}
    for case in tree.parse(report).getroot().iter("testcase"):
        name = re.fullmatch(r"test_fact\[(\w+)\]", case.get("name"))
        if not name:
            continue
        program = f"`{name[1]}`"
        outcomes = [entry for kind, entry in OUTCOMES.items() if case.find(kind) is not None]
        found[program] = outcomes[0] if outcomes else "yes"
        for what, seen in re.findall(r"^# (.+): (.+)$", "".join(case.itertext()), re.MULTILINE):
            found[f"{program} {what}"] = seen
    return found


def facts_here():
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.xml")
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                        "-o", "junit_logging=system-out", f"--junitxml={report}",
                        HERE / "test_platform.py"], stdout=sys.stderr, check=False)
        return facts(report)


def main():
    columns = {platform.release(): facts_here()}
    for report in KERNELS.glob("*/exchange/nft.xml"):
        columns[(report.parents[1] / "version").read_text()] = facts(report)
    versions = sorted(columns, key=lambda version: [int(number) for number in re.findall(r"\d+", version)])
    print("| fact |", " | ".join(re.match(r"\d+\.\d+", version)[0] for version in versions), "|")
    print("|---|" + "---|" * len(versions))
    for row in sorted(set().union(*columns.values())):
        entries = [columns[version].get(row, "") for version in versions]
        if row.endswith("`") or len(set(entries)) > 1:
            print("|", row, "|", " | ".join(entries), "|")


if __name__ == "__main__":
    main()
