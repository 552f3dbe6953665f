# SPDX-License-Identifier: GPL-2.0-or-later
# lines.sed - a template becomes the initialiser of an array of struct rules_line: "fail-open raw|TEXT" becomes
# {0 | IF_FAIL_OPEN | IF_RAW, "TEXT"}, and lines without a bar are left out.
/|/!d
h
s/|.*//
y/abcdefghijklmnopqrstuvwxyz-/ABCDEFGHIJKLMNOPQRSTUVWXYZ_/
s/[A-Z][A-Z0-9_]*/| IF_&/g
s/.*/{0 &, /
x
s/[^|]*|//
s/[\\"]/\\&/g
s/.*/"&"},/
H
x
s/\n//
