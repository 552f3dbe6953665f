# SPDX-License-Identifier: GPL-2.0-or-later
# soak.sh - quickstart soak
#
# What takes too long for each commit. Parts that could go on for ever get a quarter of the time each; the whole lab in a
# virtual machine takes its hours. What a part printed stays in build/soak/ if it failed, with seeds and inputs.

soak_parts=(fuzzers model kills memory kernels)
soak_kernels_limit=28800 # seconds

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

soak_kernels()
{
	tests/kernels/kernels.py -l tests/kernels/soak -t "$soak_kernels_limit" bookworm ||
		{ cp -r build/kernels/bookworm/exchange "$kept/"; return 1; }
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
	share=$(((minutes + 3) / 4))
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
