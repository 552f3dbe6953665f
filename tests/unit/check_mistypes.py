#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_mistypes.py - an admin mistypes the configuration, and `pasvd -n` tells him what and where

Comes in:  the binary to test in $PASVD, the example systemd/pasvd.conf.
Goes out:  for each key of the example, mistyped in each way below, in the key, in the section and in the value:
           whether the one line that is said names file, line, section, key and value, and what is allowed or
           meant.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = pathlib.Path(__file__).resolve().parents[2]
PASVD = pathlib.Path(os.environ.get("PASVD", TOP / "build" / "pasvd"))
EXAMPLE = (TOP / "systemd" / "pasvd.conf").read_text()
ANY_WORD = ("control-socket",)  # keys that take whatever begins with /
TIMEOUT = 120 * float(os.environ.get("SLOWNESS", "1"))


def entries():
    """(section, key, value) of the example, those that are commented out."""
    found, section = [], None
    for line in EXAMPLE.splitlines():
        if re.match(r"#?\[", line):
            section = line.strip("#[]")
        pair = re.fullmatch(r"#([a-z-]+) =(?: (.*))?", line)
        if pair:
            found.append((section, pair[1], pair[2] or ""))
    return found


SERVER = "server NAME"      # needs some of its keys, so that no key is right alone; see check_conf_mistake.c
ALL_ENTRIES = entries()
ENTRIES = [entry for entry in ALL_ENTRIES if entry[0] != SERVER]
SERVER_KEYS = [key for section, key, _ in ALL_ENTRIES if section == SERVER]
SECTIONS = sorted({section for section, _, _ in ENTRIES})
each_entry = pytest.mark.parametrize("section, key, value", ENTRIES, ids=lambda word: word.split(" ")[0])


def slips(word):
    """The word as fingers may have it."""
    yield word[:-1]                             # too short
    yield word[:2] + word[1:]                   # a letter twice
    yield word[:1] + word[2:3] + word[1:2] + word[3:]     # two swapped
    yield "w" + word[1:]                        # another key was hit
    yield word.capitalize()
    yield word.upper()
    if "-" in word:
        yield word.replace("-", "_")


@pytest.fixture
def check(tmp_path):
    """What is said of a file whose line 3 is the one to look at, without the file's name and the line's number."""
    path = tmp_path / "pasvd.conf"

    def run(section, line, good=False):
        path.write_text(f"# by hand\n[{section}]\n{line}\n[limits]\n")
        done = subprocess.run([PASVD, "-n", "-c", path], capture_output=True, text=True, timeout=TIMEOUT)
        if good:
            assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), line
            return None
        assert done.returncode == 2 and done.stdout == "", done
        assert re.fullmatch(r"pasvd: .*\n", done.stderr), done.stderr
        return done.stderr.removeprefix(f"pasvd: {path}:3: ").rstrip("\n")
    return run


def test_the_example_has_keys():
    assert len(ENTRIES) > 20 and len(SECTIONS) == 7 and len(SERVER_KEYS) > 5


@each_entry
def test_the_example_is_right(check, section, key, value):
    check(section, f"{key} = {value}", good=True)


@each_entry
def test_mistyped_key_is_told_with_the_right_one(check, section, key, value):
    others = [other for where, other, _ in ENTRIES if where == section]
    for typed in slips(key):
        if typed in others or typed in SERVER_KEYS or len(key) < 4:   # too short to be near anything
            continue
        told = check(section, f"{typed} = {value}")
        head, _, rest = told.partition(f"[{section}] {typed} = {value}: ")
        assert head == "" and rest.startswith("no such key ("), told
        guess, there = re.fullmatch(r"no such key \((.*)\?\), there are (.*)", rest).groups()
        assert guess == key or len(key) < 5 and guess in others, told
        assert there.split(", ") == others, told


@each_entry
def test_key_in_a_section_that_is_mistyped_or_another_is_told_where_it_belongs(check, section, key, value):
    owners = [where for where, other, _ in ALL_ENTRIES if other == key]
    for typed in [*slips(section), *SECTIONS]:
        if typed not in owners:
            assert check(typed, f"{key} = {value}") == \
                f"[{typed}] {key} = {value}: belongs to " + " or ".join(f"[{owner}]" for owner in owners)


@each_entry
def test_mistyped_value_is_told_with_what_is_allowed(check, section, key, value):
    wrong = ["certainly", "?", value.split(" ")[0] + ",,"]
    if key in ANY_WORD:
        wrong = ["run/pasvd/ctl", "ctl"]
    if key == "lan":
        wrong = ["?", "lan0, lan1", "lan+"]
    for typed in wrong:
        told = check(section, f"{key} = {typed}")
        head = re.match(rf"\[{section}\] {key} = (.*?): (.*)", told)
        assert head and head[1] in typed, told
        assert re.search(r"must be \w|missing at a comma", head[2]), told


@pytest.mark.parametrize("line", ["queue 21", "queue", "[pasvd", "= 21"])
def test_line_that_is_neither_is_told(check, line):
    assert check("pasvd", line) in ("neither [section] nor key = value", "[pasvd]  = 21: no such key, there are queue, "
                                    "ct-helper, ct-zone, rules, fail-open, expect-timeout, expect-timeout-active, connmark, "
                                    "control-socket, firewall, families")


if __name__ == "__main__":
    sys.exit(int(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__])))
