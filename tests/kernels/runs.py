# SPDX-License-Identifier: GPL-2.0-or-later
"""runs.py - which tests are run on a kernel, from tests/kernels/list

Comes in:  the list; whether only its lines with "ci" count.
Goes out:  runs of pytest, in the order in which the list begins them: lines with the
           same family of iptables and the same environment are one run.
A line that cannot be read ends it all, naming file and line.
"""

import re

FAMILIES = ("nft", "legacy")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*=[A-Za-z0-9_.,:/-]*")


class ListError(Exception):
    """A line of the list that cannot be read."""


class Run:
    """One run of pytest."""

    def __init__(self, family, environment):
        self.family = family
        self.environment = environment
        self.name = "-".join((family, *environment)).replace("/", "_")
        self.tests = []

    def line(self):
        """As tests/kernels/inside reads it."""
        return " ".join((self.name, self.family, *self.environment))


def read_line(line):
    """@returns family, whether it has "ci", environment, test"""
    family, *words, test = line.split()
    if family not in FAMILIES:
        raise ListError(f"{family}: must be one of {', '.join(FAMILIES)}")
    in_ci = words[:1] == ["ci"]
    environment = tuple(words[1:] if in_ci else words)
    for word in environment:
        if not VARIABLE.fullmatch(word):
            raise ListError(f"{word}: must be NAME=VALUE; the test is the last word, and \"ci\" the second")
    if VARIABLE.fullmatch(test) or test == "ci":
        raise ListError(f"{test}: the last word must be a test")
    return family, in_ci, environment, test


def read(path, ci_only):
    runs = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if len(line.split()) < 2:
                raise ListError("must be a family of iptables and a test")
            family, in_ci, environment, test = read_line(line)
        except ListError as error:
            raise ListError(f"{path}:{number}: {error}") from None
        if in_ci or not ci_only:
            runs.setdefault((family, environment), Run(family, environment)).tests.append(test)
    return list(runs.values())
