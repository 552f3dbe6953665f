#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""names.py - what can be checked of names and of the form of the source

usage: names.py SOURCE_ROOT

Comes in:  the C files of src/, include/ and tests/, in the form that clang-format gives them.
Goes out:  a line for each fault, FILE:LINE: what; exit status 1 if there is one.
           "names.py --self-test" shows each fault in a small file and expects it to be found.
"""

import pathlib
import re
import sys
import tempfile

COLUMNS = 100
SPDX = "/* SPDX-License-Identifier: GPL-2.0-or-later */"

# Words that the glossary replaced: not in an identifier of src/ and include/.
OLD_WORDS = {"carrier", "keeper", "doctor", "judge", "knock", "knocks", "announcement", "stranger", "isolation", "told", "beat"}

HEAD = re.compile(r"\n/\* (\w+\.[ch]) - ")
FUNCTION = re.compile(r"^(static )?(?!struct \w+ \{|enum \w+ \{|return|else|typedef)[\w *]*?\b(\w+)\((?!\*)")
TYPE = re.compile(r"^(struct|enum|union) (\w+) \{")
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
COUNT = re.compile(r"sizeof\((\w+)\) / sizeof(?:\(\*\1\)|\(\1\[0\]\)|\(\1\)\[0\])")


def blank(match):
    """Comments and strings without their text: lines stay where they are."""
    return re.sub(r"[^\n]", " ", match.group())


def function_at(lines, i):
    """(name, is static) if a function is defined from line `i` on."""
    match = FUNCTION.match(lines[i])
    if not match:
        return None
    for line in lines[i:i + 12]:
        if line.startswith("{"):
            return match.group(2), bool(match.group(1))
        if line.rstrip().endswith((";", "}", "{")) or not line.strip():
            return None
    return None


class Names:
    """Faults of the files that it is given."""

    def __init__(self):
        self.faults = []
        self.defined = {}

    def fault(self, file, line, what):
        self.faults.append(f"{file}:{line}: {what}")

    def define(self, file, line, kind, name):
        first = self.defined.setdefault((kind, name), file)
        if first != file and name != "main":
            self.fault(file, line, f"{kind} {name} is also defined in {first}")

    def read(self, root, path):
        file = str(path.relative_to(root))
        text = path.read_text()
        ours = not file.startswith("tests/")
        if not text.startswith(SPDX + "\n"):
            self.fault(file, 1, f"the first line is not {SPDX}")
        head = HEAD.match(text, len(SPDX))
        if head and head.group(1) != path.name:
            self.fault(file, 2, f"the head is that of {head.group(1)}")
        for number, line in enumerate(text.split("\n"), 1):
            if len(line.expandtabs(8)) > COLUMNS:
                self.fault(file, number, f"more than {COLUMNS} columns")
        code = COMMENT_OR_STRING.sub(blank, text)
        lines = code.split("\n")
        for number, line in enumerate(lines, 1):
            self.read_line(file, number, line, ours)
            if ours:
                self.read_definition(file, lines, number)

    def read_line(self, file, number, line, ours):
        if re.search(r"\bsizeof [\w*]", line):
            self.fault(file, number, "sizeof without parentheses")
        if COUNT.search(line):
            self.fault(file, number, "not ARRAY_SIZE()")
        if re.match(r"#define (ARRAY_SIZE|COUNT_OF|N_ELEMENTS)\b", line) and file != "include/pasvd/array.h":
            self.fault(file, number, "ARRAY_SIZE() is in pasvd/array.h")
        for name in re.findall(r"\b[A-Za-z_]\w*", line) if ours else ():
            for word in OLD_WORDS.intersection(name.lower().split("_")):
                self.fault(file, number, f"{name}: {word} is an old word, see the glossary")

    def read_definition(self, file, lines, number):
        found = function_at(lines, number - 1)
        if found:
            name, static = found
            self.define(file, number, "function", name)
            if static and "_" not in name and not file.endswith("/main.c"):
                self.fault(file, number, f"{name}: a static function carries its module's noun")
        found = TYPE.match(lines[number - 1])
        if found:
            self.define(file, number, found.group(1), found.group(2))


def check(root):
    names = Names()
    files = [f for top in ("include", "src", "tests") for f in sorted((root / top).rglob("*.[ch]"))]
    if not files:
        names.fault(root, 0, "no C files")
    for path in files:
        names.read(root, path)
    return names.faults


# What is wrong, in which file, and the words by which it has to be found.
EXAMPLES = [
    ("src/a/a.c", "int x;", "first line"),
    ("src/a/a.c", SPDX + "\nstatic int run(int x)\n{\n}\n", "module's noun"),
    ("src/a/a.c", SPDX + "\nstatic int a_run(\n\tint x)\n{\n}\nint b_run(void)\n{\n}\n", "function b_run"),
    ("src/a/a.c", SPDX + "\nstruct b_type {\n\tint x;\n};\n", "struct b_type"),
    ("src/a/a.c", SPDX + "\nint n = sizeof x;\n", "sizeof without"),
    ("src/a/a.c", SPDX + "\nint n = sizeof(x) / sizeof(x[0]);\n", "not ARRAY_SIZE"),
    ("src/a/a.c", SPDX + "\nint n = sizeof(x) / sizeof(*x);\n", "not ARRAY_SIZE"),
    ("src/a/a.c", SPDX + "\n#define ARRAY_SIZE(x) 1\n", "pasvd/array.h"),
    ("src/a/a.c", SPDX + "\n/* " + 100 * "x" + " */\n", "columns"),
    ("src/a/a.c", SPDX + "\nint keeper_fd;\n", "keeper is an old word"),
    ("src/a/a.c", SPDX + "\n/* b.c - another file */\n", "the head is that of b.c"),
]
GOOD = SPDX + "\nstruct b_type {\n\tint x;\n};\nint b_run(void)\n{\n}\n/* run() of a keeper, sizeof x */\n"


def self_test():
    failed = []
    for file, text, wanted in EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, content in (("src/b/b.c", GOOD), (file, text)):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content)
            faults = check(root)
            if len(faults) != 1 or wanted not in faults[0]:
                failed.append(f"self-test: {wanted}: found {faults}")
    return failed


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    faults = self_test() if argv[1] == "--self-test" else check(pathlib.Path(argv[1]))
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
