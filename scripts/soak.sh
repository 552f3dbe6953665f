# SPDX-License-Identifier: GPL-2.0-or-later
# soak.sh - quickstart soak
#
# What takes too long for each commit. Each part gets a fifth of the time. The lab in a virtual machine takes hours: each soak
# goes on with the test file behind the one that was the last, and ends with a whole file. What a part printed stays in
# build/soak/ if it failed, with seeds and inputs.

soak_parts=(fuzzers model kills memory kernels)
kernels_limit=7200 # seconds, for one test file
kernels_last=build/soak/last # the line of kernels_lines that was run last

# until_the_end COMMAND...: again and again while there is time; ends with the first failure
until_the_end()
{
	local end=$((SECONDS + share * 60)) rounds=0
	while ((rounds == 0 || SECONDS < end)); do
		"$@" || return
		rounds=$((rounds + 1))
	done
	echo "$rounds rounds"
}

soak_fuzzers()
{
	./quickstart fuzz "$share" || { cp -r build-clang/crashes "$kept/"; return 1; }
}

play_model()
{
	local seed=$SRANDOM
	echo "tests/unit/model $seed"
	build/tests/unit/model "$seed" 10000000
}

soak_model()
{
	until_the_end play_model
}

soak_kills()
{
	until_the_end env KILLS=200 FAILOVERS=50 /usr/bin/python3 -m pytest tests/lab -q -x -k 'kill or routers_die'
}

soak_memory()
{
	tests/soak/memory.py "$share"
}

# kernels_lines: those of tests/kernels/soak, one for each file
kernels_lines()
{
	local line file
	grep '^[a-z]' tests/kernels/soak | tr -s ' ' | while read -r line; do
		for file in "${line##* }"/test_*.py; do
			echo "${line% *} $file"
		done
	done
}

# run_line LINE: in a virtual machine of its own
run_line()
{
	local status=0
	echo "$1" >"$kept/list"
	tests/kernels/kernels.py -l "$kept/list" -t "$kernels_limit" bookworm ||
		{ cp -r build/kernels/bookworm/exchange "$kept/$(basename "$1" .py)"; status=1; }
	rm "$kept/list"
	echo "$1" >"$kernels_last"
	return "$status"
}

count_passed()
{
	grep -o '[0-9]* passed' "$kept/kernels.log" | awk '{ n += $1 } END { print n + 0 }'
}

soak_kernels()
{
	local end=$((SECONDS + share * 60)) lines at first rounds=0 status=0
	mapfile -t lines < <(kernels_lines)
	touch "$kernels_last"
	at=$(printf '%s\n' "${lines[@]}" | grep -Fxn -f "$kernels_last" | cut -d : -f 1)
	first=$((${at:-0} % ${#lines[@]}))
	while ((rounds == 0 || (SECONDS < end && rounds < ${#lines[@]}))); do
		at=$(((first + rounds) % ${#lines[@]}))
		run_line "${lines[at]}" || status=1
		rounds=$((rounds + 1))
	done
	echo "$(count_passed) tests passed; files $((first + 1)) to $((at + 1)) of ${#lines[@]}:" \
		"${lines[first]#* } to ${lines[at]#* }"
	return "$status"
}

# run_part PART: its output goes to a file, its result to $results
run_part()
{
	local part=$1 status begin=$SECONDS
	say "$part ..."
	"soak_$part" >"$kept/$part.log" 2>&1 &
	processes[$!]=1
	wait "$!"
	status=$?
	unset "processes[$!]"
	results+=("$(printf '%-8s %s in %d s: %s' "$part" "$( ((status)) && echo FAILED || echo passed)" \
		$((SECONDS - begin)) "$(tail -n 1 "$kept/$part.log")")")
	if ((status)); then
		failed=$((failed + 1))
	else
		rm "$kept/$part.log"
	fi
}

# soak [MINUTES]
soak()
{
	local minutes=${1-60} share part results=() failed=0 kept
	[[ $minutes =~ ^[1-9][0-9]{0,4}$ ]] || usage
	share=$(((minutes + 4) / 5))
	kept=build/soak/$(date +%Y%m%d-%H%M%S)
	# shellcheck disable=SC2046 # lists of names
	need "${build_packages[@]}" "${run_packages[@]}" "${fuzz_packages[@]}" \
		$(tests/lab/packages.sh --tools) $(tests/kernels/packages.sh --tools)
	build_pasvd
	ninja -C build || fail "the build failed"
	tests/lab/packages.sh || fail "the lab's packages could not be installed"
	mkdir -p "$kept"
	for part in "${soak_parts[@]}"; do
		run_part "$part"
	done
	say "All parts are done."
	printf '%s\n' "${results[@]}"
	((failed == 0)) || echo "What failed is in $kept"
	rmdir --ignore-fail-on-non-empty "$kept"
	((failed == 0))
}
