#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_command_line.py - help and mistakes of each command of pasvd and pasvctl

Comes in:  the binaries in $PASVD and $PASVCTL, completion/.
Goes out:  whether each command explains itself, names what is wrong with its command line, and is completed.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

sys.dont_write_bytecode = True
TOP = pathlib.Path(__file__).resolve().parent
while not (TOP / "completion").is_dir():
    TOP = TOP.parent
PASVD, PASVCTL = os.environ["PASVD"], os.environ["PASVCTL"]
TIMEOUT = 120 * float(os.environ.get("SLOWNESS", "1"))


def run(*argv):
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=TIMEOUT)


def commands_of(program):
    """As its help lists them."""
    done = run(program, "help")
    assert (done.returncode, done.stderr) == (0, "")
    return [name.split() for name in re.findall(r"^  ([a-z][a-z -]*?)  ", done.stdout, re.M)]


def has_replay():
    return (pathlib.Path(PASVD).parent / "pasvd-replay").exists()


COMMANDS = [(PASVD, [])] + [(program, words) for program in (PASVD, PASVCTL) for words in commands_of(program)
                            if words != ["replay"] or has_replay()]
each_command = pytest.mark.parametrize("program, words", COMMANDS,
                                       ids=lambda word: word if isinstance(word, str) else " ".join(word))


def help_of(program, words):
    done = run(program, *words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rows_of(text):
    """(letter, name, value, explanation) of each option."""
    rows = re.findall(r"^  (?:(-\w)|  )(?:[, ] (--[a-z-]+)|)(?: ([A-Z][^ ]*)|) {2,}(\S.*)$", text, re.M)
    return [row for row in rows if row[0] or row[1]]


def test_commands_are_those_that_are_documented():
    assert [" ".join(words) for program, words in COMMANDS if program == PASVCTL][:10] == [
        "status", "sessions", "expectations", "events", "counters", "metrics", "config", "reload", "takeover",
        "top"]
    assert [" ".join(words) for program, words in COMMANDS if program == PASVD] == [
        "", "check", "rules print", "rules load", "rules diff", "rules watch", "rules remove",
        *(["replay"] if has_replay() else []), "ct-helper"]


@each_command
def test_help_explains_each_option_in_a_line_of_100_columns(program, words):
    text = help_of(program, words)
    rows = rows_of(text)
    options = [line for line in text.splitlines() if re.match("  +-", line) and " eth0 " not in line]
    assert len(rows) == len(options) >= 2 and all(explanation for *_, explanation in rows)
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith(f"usage: {pathlib.Path(program).name} {' '.join(words)}".rstrip())


@each_command
def test_help_and_version_are_there_in_each_form(program, words):
    text = help_of(program, words)
    assert run(program, "help", *words).stdout == run(program, *words, "-h").stdout == text
    for option in "--version", "-V":
        assert re.fullmatch(r"pasvd \S+\n|pasvctl \S+\n", run(program, *words, option).stdout)


def complaint(program, *argv):
    done = run(program, *argv)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    return done.stderr.rstrip("\n")


@each_command
def test_mistyped_option_is_told_with_the_one_that_was_meant(program, words):
    whole = " ".join([pathlib.Path(program).name, *words])
    for _, name, *_ in rows_of(help_of(program, words)):
        for typed in (name + name[-1], name[:-2] + name[-1] + name[-2]) if name else ():
            told = complaint(program, *words, typed, "x")
            assert re.fullmatch(rf'{whole}: unknown option "{typed}", did you mean "--[a-z-]+"\?', told), told
            assert f'"{name}"' in told or len(name) < 6
    assert complaint(program, *words, "--no-such-option").startswith(f'{whole}: unknown option "--no-such-option", see ')
    assert complaint(program, *words, "-9").startswith(f'{whole}: unknown option "-9"')


@each_command
def test_value_that_is_missing_or_not_wanted_is_told(program, words):
    whole = " ".join([pathlib.Path(program).name, *words])
    for letter, name, value, _ in rows_of(help_of(program, words)):
        if value:
            assert complaint(program, *words, name or letter) == f"{whole}: {name or letter}: needs a value, {value}"
        elif name and name not in ("--help", "--version"):
            assert complaint(program, *words, name + "=x") == f"{whole}: {name}: takes no value"


@each_command
def test_value_that_is_given_twice_is_told_unless_it_may_be_repeated(program, words):
    whole = " ".join([pathlib.Path(program).name, *words])
    values = {"--queue": "5", "--socket": "/x", "--lan": "eth7"}
    for _, name, value, explanation in rows_of(help_of(program, words)):
        if value and not explanation.endswith("; repeatable"):
            given = values.get(name, "x")
            assert complaint(program, *words, name, given, f"{name}={given}") == f'{whole}: {name} "{given}": given twice'


@each_command
def test_argument_that_is_not_wanted_is_told(program, words):
    whole = " ".join([pathlib.Path(program).name, *words])
    if words != ["replay"]:
        told = complaint(program, *words, "nonsense")
        assert told.startswith(f'{whole}: "nonsense": takes no arguments' if words else f'{whole}: unknown command "nonsense"')


@pytest.mark.parametrize("program, typed, told", [
    (PASVCTL, ["stauts"], 'pasvctl: unknown command "stauts", did you mean "status"?'),
    (PASVCTL, ["help", "evnets"], 'pasvctl: unknown command "evnets", did you mean "events"?'),
    (PASVCTL, [], "pasvctl: a command is missing, there are status, sessions,"),
    (PASVD, ["rules", "laod"], 'pasvd rules: unknown command "laod", did you mean "load"?'),
    (PASVD, ["rules"], "pasvd rules: a command is missing, there are print, load, diff, watch, remove"),
    (PASVD, ["chekc"], 'pasvd: unknown command "chekc", did you mean "check"?'),
    (PASVD, ["-n", ""], 'pasvd: unknown command "", there are check, rules, replay, ct-helper'),
    (PASVD, ["--sokcet", "/x"], 'pasvd: unknown option "--sokcet", did you mean "--socket"?'),
    (PASVD, ["rules", "load", "--wann", "eth0"], 'pasvd rules load: unknown option "--wann", did you mean "--wan"?'),
    (PASVD, ["rules", "load", "--wan", "e\n0"], 'pasvd rules load: --wan "e?0": must be an interface name'),
    (PASVD, ["check", "--server", "x"], 'pasvd check: --server "x": must be the server\'s own address'),
    (PASVD, ["-q", "70000"], 'pasvd: -q "70000": must be a queue number from 0 to 65535'),
])
def test_mistake_is_told_in_one_line(program, typed, told):
    assert complaint(program, *typed).startswith(told)


@pytest.mark.parametrize("options, text, told", [
    ([], "[pasvd]\nqueue = 22\n", "FILE:2: [pasvd] queue = 22: is the queue of [tls] as well"),
    ([], "[tls]\nqueue = 21\n", "FILE:2: [tls] queue = 21: is the queue of [pasvd] as well"),
    (["-q", "22"], "", "command line: [pasvd] queue = 22: is the queue of [tls] as well"),
])
def test_queue_that_two_kinds_of_packets_have_is_a_mistake(tmp_path, options, text, told):
    file = tmp_path / "conf"
    file.write_text(text)
    assert run(PASVD, "-n", "-c", file, *options).returncode == 0
    file.write_text(text + "[tls]\npassive-ports = 60000-60100\n")
    done = run(PASVD, "-n", "-c", file, *options)
    assert (done.returncode, done.stderr) == (2, f"pasvd: {told}\n".replace("FILE", str(file)))


@pytest.mark.parametrize("words", [[], ["ct-helper"], ["rules", "print"], ["rules", "load"], ["rules", "diff"],
                                   ["rules", "watch"], ["replay", "/dev/null"]], ids=" ".join)
def test_mistake_in_the_configuration_is_told_and_has_status_2(tmp_path, words):
    file = tmp_path / "conf"
    file.write_text("[policy]\ndeny-ports = x\n")
    assert f"{file}:2: [policy] deny-ports = x: must be ports" in complaint(PASVD, *words, "-c", file)


def test_options_may_stand_before_and_after_the_command():
    for argv in (["-c", "/nonexistent", "ct-helper"], ["ct-helper", "-c/nonexistent"],
                 ["ct-helper", "--config=/nonexistent"], ["--config", "/nonexistent", "ct-helper"]):
        assert run(PASVD, *argv).stderr.endswith("/nonexistent: No such file or directory\n")


# --- completion, in each shell

BASH = r"""source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pasvd; printf '%s\n' "${COMPREPLY[@]}" """
ZSH = r"""CURRENT=$(($# - 1)); file=$1; shift; words=("$@"); _files() print FILES
compadd() { [[ $1 = -a ]] && print -rl -- ${(M)${(P)2}:#${words[CURRENT]}*} }
source $file"""
FISH = "source $argv[1]; complete -C (string join ' ' -- $argv[2..-1])"


def completed(shell, line):
    words = line.split(" ")
    file = TOP / "completion" / f"pasvd.{shell}"
    argv = {"bash": ["bash", "-c", BASH, "bash"], "zsh": ["zsh", "-fc", ZSH, "zsh"], "fish": ["fish", "-Nc", FISH]}[shell]
    path = f"{pathlib.Path(PASVD).parent}:{os.environ['PATH']}"
    done = subprocess.run([*argv, file, *words], capture_output=True, text=True, timeout=TIMEOUT,
                          env={**os.environ, "PATH": path})
    assert done.stderr == "", done
    return {word.split("\t")[0] for word in done.stdout.splitlines() if word}


each_shell = pytest.mark.parametrize("shell", [
    pytest.param(shell, marks=pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed"))
    for shell in ("bash", "zsh", "fish")])


@each_shell
@each_command
def test_completion_offers_all_options_of_a_command(shell, program, words):
    line = " ".join([pathlib.Path(program).name, *words, "--"])
    assert completed(shell, line) == {name for _, name, *_ in rows_of(help_of(program, words)) if name}


@each_shell
@pytest.mark.parametrize("line, offered", [
    ("pasvctl ", {words[0] for program, words in COMMANDS if program == PASVCTL}),
    ("pasvctl ex", {"expectations"}), ("pasvctl -j se", {"sessions"}), ("pasvctl status ", set()),
    ("pasvctl status --s", {"--socket"}), ("pasvd rules ", {"print", "load", "diff", "watch", "remove"}),
    ("pasvd ru", {"rules"}), ("pasvd rules l", {"load"}), ("pasvd rules load --wan l", {"lo"}),
    ("pasvd rules load --queue ", set()), ("pasvd rules load -q ", set())])
def test_completion_offers_what_there_is(shell, line, offered):
    assert completed(shell, line) == offered


if __name__ == "__main__":
    sys.exit(int(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__])))
