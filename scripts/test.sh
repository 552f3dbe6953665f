# SPDX-License-Identifier: GPL-2.0-or-later
# test.sh - quickstart test

passed=0 failed=0 skipped=0
complaints=()

# count STATUS WHAT: one more test
count()
{
	if (($1 == 0)); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		complaints+=("$2")
	fi
}

# measure_slowness: how many times longer than on the machine that the limits are for, at least 1; all limits of the
# tests are multiplied by it.
measure_slowness()
{
	SLOWNESS=${SLOWNESS:-$(/usr/bin/python3 -c '
import time
begin = time.monotonic()
for _ in range(10_000_000):
    pass
print(max(1, round((time.monotonic() - begin) / 0.4)))
')}
	export SLOWNESS
	say "This machine, with what else it does: limits are multiplied by $SLOWNESS"
}

# Of a JUnit report: how many passed, failed and were skipped, and under it the name of each that did not pass.
summary='
import sys
import xml.etree.ElementTree as tree
counts = {"passed": 0, "failed": 0, "skipped": 0}
names = []
for case in tree.parse(sys.argv[1]).getroot().iter("testcase"):
    kinds = {child.tag for child in case}
    how = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
    counts[how] += 1
    if how != "passed":
        names.append(" ".join([how + ":", case.get("classname", ""), case.get("name", "")]))
print(*counts.values())
print(*names, sep="\n")
'

# count_report STATUS REPORT WHAT: what a JUnit report says; a run that failed has at least one failure
count_report()
{
	local good=0 bad=0 left=0 lines=() line
	[[ -s $2 ]] && mapfile -t lines < <(/usr/bin/python3 -c "$summary" "$2")
	read -r good bad left <<<"${lines[0]:-0 0 0}"
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + left))
	for line in "${lines[@]:1}"; do
		[[ -z $line ]] || complaints+=("$3: $line")
	done
	(($1 == 0 && good + left > 0)) || ((bad > 0)) || count 1 "$3"
}

declare -A built=() # folders, once each

# build_only FOLDER WHAT MESON_OPTION...
build_only()
{
	local folder=$1 what=$2 status
	shift 2
	[[ -z ${built[$folder]-} ]] || return "${built[$folder]}"
	say "Building: $what, in $folder/"
	configure "$folder" "$@" && ninja -C "$folder"
	status=$?
	count "$status" "build of $folder"
	built[$folder]=$status
	return "$status"
}

# run_suites FOLDER OPTION...: meson test there, with these options
run_suites()
{
	local folder=$1 report=$1/meson-logs/testlog.junit.xml status
	shift
	say "Tests in $folder/: $*"
	rm -f "$report"
	meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier "$SLOWNESS" "$@"
	status=$?
	count_report "$status" "$report" "tests of $folder ($*)"
}

test_gcc()
{
	build_only build "gcc" && run_suites build --no-suite static --no-suite tidy
}

test_static()
{
	build_only build "gcc" && run_suites build --suite static
}

test_tidy()
{
	build_only build "gcc" && run_suites build --suite tidy
}

test_sanitizers()
{
	build_only build-asan "gcc with AddressSanitizer and UndefinedBehaviorSanitizer" -Db_sanitize=address,undefined &&
		run_suites build-asan --no-suite static --no-suite tidy --no-suite platform --no-suite rules
}

test_clang()
{
	CC=clang build_only build-clang "clang"
}

lab_packages()
{
	build_only build "gcc" && tests/lab/packages.sh && return
	count 1 "packages of the lab"
	return 1
}

test_lab()
{
	local report=$scratch/lab.xml status
	lab_packages || return
	say "Tests in the lab: servers and clients in network namespaces"
	# As many at once as there are processors, so that each may wait longer. A file of tests is for one of them, since its
	# tests share what they set up.
	SLOWNESS=$((2 * SLOWNESS)) /usr/bin/python3 -m pytest tests/lab -q -n auto --dist loadfile --junitxml="$report"
	status=$?
	count_report "$status" "$report" "tests in the lab"
}

# One after the other, for emulated processors wait for each other: two machines on two processors take three times as long.
ci_limit=900 # seconds for each of the three kernels, which take three minutes on an idle machine

test_kernels()
{
	local status
	lab_packages || return
	say "Tests on the kernels of Debian, in virtual machines"
	tests/kernels/kernels.py --ci -t "$((ci_limit * SLOWNESS))"
	status=$?
	count_report "$status" build/kernels/report.xml "tests on the kernels of Debian, see build/kernels/"
}

test_package()
{
	local report=$scratch/package.xml status
	lab_packages || return
	say "Tests of the package, in a system that is booted"
	/usr/bin/python3 -m pytest tests/package -q --junitxml="$report"
	status=$?
	count_report "$status" "$report" "tests of the package"
}

print_count()
{
	printf '%d passed, %d failed' "$passed" "$failed"
	((skipped == 0)) || printf ', %d skipped' "$skipped"
	printf '\n'
}

test_parts=(gcc static tidy sanitizers clang musl lab package kernels)

# run_tests [PART]...: these, else all
run_tests()
{
	local part
	for part; do
		[[ " ${test_parts[*]} " == *" $part "* ]] || usage
	done
	(($#)) || set -- "${test_parts[@]}"
	# shellcheck disable=SC2046 # lists of names
	need "${build_packages[@]}" "${run_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}" \
		"${package_packages[@]}" "${musl_packages[@]}" $(tests/lab/packages.sh --tools) $(tests/kernels/packages.sh --tools)
	measure_slowness
	modprobe -aq nf_conntrack_sane nf_conntrack_ftp nfnetlink_queue nf_conntrack_netlink
	for part; do
		SECONDS=0
		"test_$part"
		say "Part $part: $SECONDS s"
	done
	say "All tests are done."
	((${#complaints[@]} == 0)) || printf 'Not right: %s\n' "${complaints[@]}"
	print_count
	((failed == 0 && skipped == 0))
}
