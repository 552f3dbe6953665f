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

dialogues_each=31 # a prime, so that the places differ from dialogue to dialogue

# run_dialogues FOLDER [EMULATOR...]: all in one process, with a part of the cuts; the suite dialogue has them all
run_dialogues()
{
	local folder=$1
	shift
	say "All dialogues in $folder/, with one of $dialogues_each of their cuts"
	"$@" "$folder/tests/dialogue/play" -e "$dialogues_each" tests/dialogue/*.ftp >/dev/null
	count $? "dialogues of $folder"
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

# Optimised less: that takes half of the time to build. Sanitizers bring warnings of their own, which are no mistakes; without
# them there are none, says the part gcc.
test_sanitizers()
{
	build_only build-asan "gcc with AddressSanitizer and UndefinedBehaviorSanitizer" -Db_sanitize=address,undefined \
		-Doptimization=1 -Dwerror=false &&
		run_suites build-asan --no-suite static --no-suite tidy --no-suite platform --no-suite rules
}

# For its warnings, which do not depend on how it optimises.
test_clang()
{
	CC=clang build_only build-clang "clang" --buildtype=plain
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
	# Most of the time they wait, so two at once for each processor, and each may wait longer. What tests share is set up
	# once, see conftest.py.
	SLOWNESS=$((2 * SLOWNESS)) /usr/bin/python3 -m pytest tests/lab -q -n "$((2 * $(nproc)))" --dist loadgroup \
		--junitxml="$report"
	status=$?
	count_report "$status" "$report" "tests in the lab"
}

ci_limit=900 # seconds for each of the three kernels, one after the other, which take two minutes on an idle machine

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

# Parts in one lane follow each other, and the lanes run beside each other: they take about as long. In the second one the tests
# wait most of the time, and the virtual machines of the third keep one processor busy.
test_lanes=("gcc static tidy sanitizers musl clang" "lab package" "kernels cross")
read -ra test_parts <<<"${test_lanes[*]}"

# prepare_lanes PART...: what several parts use is made before them
prepare_lanes()
{
	local part
	for part; do
		[[ " sanitizers clang musl cross " == *" $part "* ]] || build_only build "gcc"
	done
	if [[ " $* " == *" lab "* || " $* " == *" package "* || " $* " == *" kernels "* ]]; then
		lab_packages
	fi
}

# run_lane RESULT PART...: each line has its part in front; the counts and complaints go to the file RESULT
run_lane()
{
	local result=$1 part begin
	shift
	passed=0 failed=0 skipped=0
	complaints=()
	for part; do
		begin=$SECONDS
		"test_$part" > >(sed -u "s/^/$part: /") 2>&1
		wait "$!" # for the last lines
		say "Part $part: $((SECONDS - begin)) s"
	done
	printf '%s\n' "$passed $failed $skipped" "${complaints[@]}" >"$result"
}

# collect_lane RESULT PARTS
collect_lane()
{
	local good=0 bad=0 left=0 lines=()
	[[ -s $1 ]] && mapfile -t lines <"$1"
	((${#lines[@]})) || { count 1 "the parts $2 did not come to their end"; return; }
	read -r good bad left <<<"${lines[0]}"
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + left))
	complaints+=("${lines[@]:1}")
}

# run_lanes PART...: all at once, so that each may wait longer; each in a process group, to be ended with all that it started
run_lanes()
{
	local lane part lanes=()
	for lane in "${test_lanes[@]}"; do
		lanes+=("$(for part in $lane; do [[ " $* " != *" $part "* ]] || printf '%s ' "$part"; done)")
	done
	mapfile -t lanes < <(printf '%s\n' "${lanes[@]}" | grep .)
	SLOWNESS=$((SLOWNESS * ${#lanes[@]}))
	set -m
	for lane in "${!lanes[@]}"; do
		# shellcheck disable=SC2086 # several parts
		run_lane "$scratch/lane-$lane" ${lanes[lane]} </dev/null &
		process_groups+=("$!")
	done
	set +m
	wait "${process_groups[@]}"
	process_groups=()
	for lane in "${!lanes[@]}"; do
		collect_lane "$scratch/lane-$lane" "${lanes[lane]}"
	done
}

# packages_of PART: what it needs beside those that all need
packages_of()
{
	case $1 in
	static | tidy) echo "${static_packages[@]}" ;;
	clang) echo clang ;;
	musl) echo "${musl_packages[@]}" ;;
	cross) echo "${cross_packages[@]}" "${arm_packages[@]}" ;;
	lab) tests/lab/packages.sh --tools ;;
	kernels) tests/lab/packages.sh --tools && tests/kernels/packages.sh --tools ;;
	package) tests/lab/packages.sh --tools && echo "${package_packages[@]}" ;;
	esac
}

print_count()
{
	printf '%d passed, %d failed' "$passed" "$failed"
	((skipped == 0)) || printf ', %d skipped' "$skipped"
	printf '\n'
}

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
		$(for part; do packages_of "$part"; done)
	measure_slowness
	modprobe -aq nf_conntrack_sane nf_conntrack_ftp nf_nat_ftp nfnetlink_queue nf_conntrack_netlink
	prepare_lanes "$@"
	run_lanes "$@"
	say "All tests are done."
	((${#complaints[@]} == 0)) || printf 'Not right: %s\n' "${complaints[@]}"
	print_count
	((failed == 0 && skipped == 0))
}
