# SPDX-License-Identifier: GPL-2.0-or-later
# lines.sed - a text becomes the initialiser of an array of C strings, one per line
s/[\\"]/\\&/g
s/.*/"&",/
