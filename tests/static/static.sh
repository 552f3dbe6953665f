#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# static.sh - how the code is written, without running it
#
# usage: static.sh CHECK SOURCE_ROOT BUILD_ROOT
#
# CHECK is one of the functions check_* below. Exit status 0: nothing was found. A tool that is missing is a failure:
# a check that is not made proves nothing.
set -euo pipefail

check=$1
build=$(realpath "$3")
cd "$2"

c_files()
{
	find include src tests -name '*.[ch]' -print0 | sort -z
}

shell_files()
{
	find .ci debian/*.p*rm iptables packaging quickstart src systemd tests -type f -exec awk '
		FNR == 1 && /^#!\/(bin\/(ba)?sh|sbin\/openrc-run)/ {printf "%s%c", FILENAME, 0}
		{nextfile}' {} +
}

check_format()
{
	c_files | xargs -0 clang-format --dry-run -Werror
}

# Each file by itself: clang-tidy 14 takes va_start() for missing if it is given several.
# Not what another compiler reads: musl's, and that of BPF, whose headers no test needs.
check_tidy()
{
	find src tests -name '*.c' ! -path 'tests/musl/*' ! -path 'tests/bench/classifier/*' -print0 | sort -z |
		xargs -0 -n 1 -P 2 clang-tidy -p "$build" --quiet 2>/dev/null
}

# missingIncludeSystem: system headers are not read. uninitvar, ctuuninitvar: it takes for uninitialised what a function
# fills in behind a loop; compilers and clang-tidy look for the same. deallocuse: what
# stands in ck_assert() it sees twice. The two macros are those of libraries and of meson.
check_cppcheck()
{
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress='uninitvar:tests/*' --suppress='ctuuninitvar:tests/*' \
		--suppress='deallocuse:tests/*' --suppress='nullPointerOutOfMemory:tests/*' \
		--suppress=normalCheckLevelMaxBranches -DPASVD_VERSION='""' -DJSON_INTEGER_FORMAT='"lld"' \
		-I include -I src/config -I src/control -I src/daemon -I src/log -I src/netlink \
		-I src/replay -I src/rules -I src/pasvctl -I tests/support src tests
}

# Parts that a script reads in are looked at together with it: the one uses what the other sets.
check_shell()
{
	{ shell_files; find completion packaging \( -name "*.bash" -o -name "*BUILD" -o -name "*.install" \) -print0; } |
		xargs -0 shellcheck --external-sources --check-sourced
}

check_manual()
{
	find man -name '*.[1-8]' -print0 | xargs -0 mandoc -T lint -W warning
}

# Lines of each function of src/, shortest first: "LINES NAME FILE"
function_lines()
{
	find src -name '*.[ch]' -print0 | xargs -0 ctags-universal --languages=C --kinds-C=f --fields=+ne --sort=no -f - |
		sed -E 's/^([^\t]*)\t([^\t]*)\t.*\tline:([0-9]+).*\tend:([0-9]+).*/\3 \4 \1 \2/' |
		awk '{print $2 - $1 + 1, $3, $4}' | sort -n
}

# What fits a screen is understood at a glance. Half of the functions are far shorter, and 90 % are no longer. A file has
# up to 500 lines.
check_sizes()
{
	function_lines | awk '
		{ lines[NR] = $1; name[NR] = $2 " (" $3 ")" }
		END {
			median = lines[int((NR + 1) / 2)]
			most = lines[int((9 * NR + 9) / 10)]
			printf "%d functions: median %d lines, 90 %% up to %d, longest %d: %s\n",
				NR, median, most, lines[NR], name[NR]
			exit !(NR > 0 && median <= 16 && most <= 60)
		}'
	find src -name '*.[ch]' -print0 | xargs -0 wc -l | grep -v ' total$' | sort -n | awk '
		$1 > 500 { long++; print $2 ": too long" }
		END {
			printf "%d files, longest %d lines: %s\n", NR, $1, $2
			exit !(NR > 0 && !long)
		}'
}

# Who may use it, and what it is, stands at the head of each file.
check_head()
{
	local file head one two three status=0

	while IFS= read -r -d '' file; do
		one='' two='' three=''
		{ read -r one; read -r two; read -r three; } <"$file" || true
		head=$one$two$three
		if [[ $head != *'SPDX-License-Identifier: GPL-2.0-or-later'* ]]; then
			echo "$file: no SPDX-License-Identifier"
			status=1
		fi
	done < <(c_files; shell_files; find packaging scripts -type f -print0; find . -name meson.build -not -path './build*' -print0)
	return $status
}

# A dialogue, a unit test, a target for the fuzzer or its corpus that meson does not know is never run.
check_forgotten()
{
	local file name folder status=0
	local -A told # what the meson.build of a folder says

	while IFS= read -r -d '' file; do
		name=${file##*/}
		name=${name#fuzz_} name=${name#check_} name=${name%.c} name=${name%.ftp}
		folder=${file%/*}
		folder=${folder%/corpus}
		[[ -n ${told[$folder]-} ]] || told[$folder]=$(<"$folder/meson.build")
		if [[ ${told[$folder]} != *"'$name'"* ]]; then
			echo "$file: no test runs it"
			status=1
		fi
	done < <(find tests/dialogue -name '*.ftp' -print0
		find tests -name 'fuzz_*.c' -print0; find tests -name 'check_*.c' -print0; find tests/fuzz/corpus -mindepth 1 -type d -print0)
	return $status
}

# What an attacker would find in the service: systemd's own measure, 1.5 at most.
check_service()
{
	systemd-analyze security --offline=yes --threshold=15 "$build/systemd/pasvd.service" >/dev/null
}

"check_$check"
