#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""layering.py - the core stays pure, and files know what they may know

usage: layering.py SOURCE_ROOT CORE_ARCHIVE

Comes in:  the sources, and the archive made from those of the core.
Goes out:  a line for each function that the core calls and must not, each
           object that it can write to, each include that is not allowed, each
           circle of headers; exit status 1 if there is one.

The tables below are the design. A new line in them is a decision.
"""

import graphlib
import pathlib
import re
import subprocess
import sys

# Functions that only look at the memory that they are given.
PURE = {"memchr", "memcmp", "memcpy", "memmove", "memset", "strlen"}

# What compilers put in: stack protector, fortified variants of the above, bcmp()
# for a memcmp() that asks for equality only, position-independent code,
# sanitizers, coverage.
COMPILER = re.compile(
    r"bcmp|__stack_chk_fail|__mem(cpy|move|set)_chk|_GLOBAL_OFFSET_TABLE_"
    r"|__(asan|ubsan|tsan|sanitizer|gcov|llvm)_\w+"
)

SYSTEM_HEADERS = {"assert.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}

# Headers of its own that src/core has, and who includes them.
PRIVATE = {
    "bytes.h": {"seg", "siphash", "conntab"},
    "siphash.h": {"siphash", "addr_hash", "masters"},
    "addr_hash.h": {"addr_hash", "conntab", "conntab_lend", "crowd", "gaps", "quota", "syns", "adopt"},
    "conntab_lend.h": {"conntab_lend", "conntab"},
    "evict.h": {"evict", "meet", "ondemand"},
    "sane.h": {"sane", "engine"},
    "budget.h": {"adopt", "budget", "offer", "ondemand"},
    "step.h": {"step", "offer", "clear", "engine", "meet"},
    "clear.h": {"clear", "meet"},
    "meet.h": {"meet", "engine"},
    "outstanding.h": {"outstanding", "session"},
    "offer.h": {"offer", "engine", "evict", "meet", "ondemand"},
}

# Module: the modules that its header and its .c may include.
MAY_KNOW = {
    "array": set(),
    "reason": set(),
    "seqadj": set(),
    "endpoint": set(),
    "line": {"seqadj"},
    "seg": {"endpoint"},
    "ftp": {"endpoint"},
    "ftp_fit": {"ftp", "line"},
    "session": {"ftp", "reason"},
    "outstanding": {"session"},
    "ct_ops": {"endpoint", "seqadj"},
    "quota": {"endpoint"},
    "strict": {"line", "session"},
    "trust": set(),
    "policy": {"ct_ops", "ftp", "quota", "reason", "strict", "trust"},
    "edit": {"seg", "seqadj"},
    "addr_hash": {"endpoint"},
    "adopt": {"engine"},
    "list": set(),
    "pool": {"list"},
    "deadlines": set(),
    "crowd": {"endpoint", "list", "pool"},
    "conntab": {"crowd", "ct_ops", "deadlines", "edit", "line", "policy", "pool", "quota", "session",
                "tls"},
    "conntab_lend": {"conntab"},
    "evict": {"engine"},
    "tls": {"endpoint", "ftp"},
    "masters": {"endpoint"},
    "gaps": {"endpoint", "seqadj"},
    "syns": {"endpoint"},
    "ondemand": {"engine"},
    "sane": {"seg"},
    "budget": {"engine"},
    "step": {"engine", "tls"},
    "clear": {"ondemand", "step"},
    "meet": {"engine", "ondemand", "seqadj"},
    "offer": {"engine", "ftp_fit"},
    "ending": set(),
    "engine": {"conntab", "ending", "gaps", "masters", "ondemand", "policy", "quota", "syns", "tls"},
    "siphash": set(),
    "bytes": set(),
}

# Folder of src/: those whose headers it may include, besides its own. What include/ has is the core's.
FOLDERS = {
    "log": {"core"},
    "netlink": {"core", "log"},
    "config": {"core", "log", "netlink"},
    "control": {"core", "log", "config"},
    "rules": {"core", "netlink", "config"},
    "check": {"core", "netlink", "config", "rules"},
    "daemon": {"core", "log", "netlink", "config", "control", "rules", "check"},
    "replay": {"core", "log", "config", "daemon"},
    "pasvctl": {"config", "rules"},
}


def core_files(root):
    return sorted(root.glob("src/core/*.[ch]")) + sorted(root.glob("include/pasvd/*.h"))


def includes(path):
    pattern = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
    return pattern.findall(path.read_text())


def judge_include(module, header):
    """None, or why `module` must not include `header`."""
    if header in SYSTEM_HEADERS:
        return None
    if header in PRIVATE:
        return None if module in PRIVATE[header] else "is private to others"
    if not header.startswith("pasvd/"):
        return "is not of the core"
    known = header[len("pasvd/") : -len(".h")]
    if known in (module, "array") or known in MAY_KNOW[module]:
        return None
    return "is not below it"


def check_includes(root):
    for path in core_files(root):
        module = path.stem
        if module not in MAY_KNOW:
            yield f"{path}: module {module} is not in layering.py"
            continue
        for header in includes(path):
            why = judge_include(module, header)
            if why:
                yield f"{path}: includes {header}, which {why}"


def source_files(root):
    return sorted(root.glob("src/*/*.[ch]")) + sorted(root.glob("include/pasvd/*.h"))


def folder_of(path):
    return "core" if path.parent.name == "pasvd" else path.parent.name


def headers(root):
    """{the name by which it is included: path}"""
    return {("pasvd/" if path.parent.name == "pasvd" else "") + path.name: path
            for path in source_files(root) if path.suffix == ".h"}


def check_folders(root):
    known = headers(root)
    for path in source_files(root):
        folder = folder_of(path)
        if folder == "core":
            continue
        if folder not in FOLDERS:
            yield f"{path}: folder {folder} is not in layering.py"
            continue
        for header in set(includes(path)) & known.keys() - {"pasvd/array.h"}:
            other = folder_of(known[header])
            if other != folder and other not in FOLDERS[folder]:
                yield f"{path}: includes {header}, and src/{folder} must not know src/{other}"


def check_circles(root):
    known = headers(root)
    graph = {name: set(includes(path)) & known.keys() for name, path in known.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield "headers include each other: " + ", ".join(error.args[1])


def nm(archive, *options):
    command = ["nm", "-P", *options, archive]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    lines = [line.split() for line in result.stdout.splitlines()]
    return {fields[0] for fields in lines if len(fields) >= 2}


def check_calls(archive):
    foreign = nm(archive, "-u") - nm(archive, "--defined-only")
    for symbol in sorted(foreign):
        if symbol not in PURE and not COMPILER.fullmatch(symbol):
            yield f"{archive}: calls {symbol}"


def check_objects(archive):
    """Objects in sections that can be written to; sanitizers put their own there."""
    command = ["objdump", "-t", archive]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    if "asan" in result.stdout:
        return
    writable = re.compile(r" O (\.data|\.bss|\*COM\*|\.tdata|\.tbss)(\.(?!rel\.ro)\S*)?\s+\S+\s+(?:\.hidden )?(\S+)$")
    for line in result.stdout.splitlines():
        found = writable.search(line)
        if found:
            yield f"{archive}: {found.group(3)} is a global that can change"


def main():
    root, archive = pathlib.Path(sys.argv[1]), sys.argv[2]
    if not core_files(root):
        sys.exit("layering: no core below " + str(root))
    wrong = [*check_includes(root), *check_folders(root), *check_circles(root),
             *check_calls(archive), *check_objects(archive)]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
