# SPDX-License-Identifier: GPL-2.0-or-later
# fuzz.sh - quickstart fuzz
#
# Each target of tests/fuzz is run for its share of the time, two at once, from its corpus on. An input that fails stays
# in build-clang/crashes/. Other inputs that it finds are gone at the end, unless they are to be kept: then few and
# short ones that reach code which the corpus does not are added to it.

fuzz_packages=(clang libclang-rt-dev)
fuzz_jobs=2
fuzz_folder=build-clang/tests/fuzz
crashes=build-clang/crashes

# fuzz_one TARGET SECONDS
fuzz_one()
{
	"$fuzz_folder/libfuzzer_$1" -max_total_time="$2" -timeout=25 -dict=tests/fuzz/ftp.dict -print_final_stats=1 \
		-artifact_prefix="$crashes/$1-" "$scratch/$1" "tests/fuzz/corpus/$1"
}

# libFuzzer's last word on coverage: "cov: 512 ft: 2048 corp: 20/400b ...", and how many inputs it tried
print_result()
{
	local cov runs
	cov=$(sed -n 's/.*	\(INITED\|DONE\) *cov: \([0-9]*\) .*/\2/p' "$scratch/$1.log" | tr '\n' ' ')
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/$1.log")
	printf '%-8s %12s inputs, coverage before and after: %s\n' "$1" "${runs:-?}" "${cov:-?}"
}

# What a target that failed left behind.
show_crash()
{
	local log=$scratch/$1.log file
	cat "$log"
	file=$(sed -n 's/.*Test unit written to //p' "$log")
	say "$1 failed${file:+ on $file, which stays. Again:}"
	printf '%s\n' "${file:+$fuzz_folder/libfuzzer_$1 $file}"
}

keep_inputs()
{
	# use_counters=0: how often a line of code runs is not worth an input of its own
	"$fuzz_folder/libfuzzer_$1" -merge=1 -use_counters=0 "tests/fuzz/corpus/$1" "$scratch/$1" 2>&1 |
		grep -E 'new files with|ERROR'
}

# fuzz_some SECONDS TARGET...: all at once; how many failed is added to $failed
fuzz_some()
{
	local seconds=$1 target
	local -A process
	shift
	for target; do
		mkdir "$scratch/$target"
		fuzz_one "$target" "$seconds" >"$scratch/$target.log" 2>&1 &
		process[$target]=$!
		processes[$!]=1
	done
	for target; do
		if wait "${process[$target]}"; then
			print_result "$target"
			[[ -z $keep ]] || keep_inputs "$target"
		else
			show_crash "$target"
			failed=$((failed + 1))
		fi
		unset "processes[${process[$target]}]"
	done
}

# fuzz [MINUTES] [--keep]
fuzz()
{
	local minutes=10 keep='' failed=0 word targets seconds i
	for word; do
		case $word in
		--keep) keep=1 ;;
		[1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9]) minutes=$word ;;
		*) usage ;;
		esac
	done
	need "${build_packages[@]}" "${fuzz_packages[@]}"
	say "Building the targets in build-clang/"
	{ CC=clang configure build-clang --buildtype=debugoptimized && ninja -C build-clang fuzzers; } || fail "the build failed"
	mapfile -t targets < <(find tests/fuzz -name 'fuzz_*.c' -printf '%f\n' | sed 's/^fuzz_\(.*\)\.c$/\1/' | sort)
	seconds=$((minutes * 60 / ((${#targets[@]} + fuzz_jobs - 1) / fuzz_jobs)))
	mkdir -p "$crashes"
	say "${targets[*]}: $seconds seconds each, $fuzz_jobs at once"
	for ((i = 0; i < ${#targets[@]}; i += fuzz_jobs)); do
		fuzz_some "$seconds" "${targets[@]:i:fuzz_jobs}"
	done
	say "$failed of ${#targets[@]} targets failed"
	((failed == 0))
}
