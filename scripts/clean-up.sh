# SPDX-License-Identifier: GPL-2.0-or-later
# clean-up.sh - what has to go again: processes, namespaces, files

scratch=
namespaces=()
declare -A processes=() # process ids are the keys
process_groups=()

# Ends a process of ours, in 5 seconds at most, and returns its status.
end()
{
	kill "$1" 2>/dev/null
	timeout 5 tail --pid="$1" -s 0.05 -f /dev/null || kill -KILL "$1" 2>/dev/null
	unset "processes[$1]"
	wait "$1" 2>/dev/null
}

clean_up()
{
	local status=$? it
	trap '' INT TERM HUP PIPE
	for it in "${process_groups[@]}"; do
		kill -- "-$it" 2>/dev/null
	done
	for it in "${!processes[@]}"; do
		end "$it"
	done
	for it in "${namespaces[@]}"; do
		ip netns delete "$it" 2>/dev/null
	done
	[[ -z $scratch ]] || rm -rf "$scratch"
	exit "$status"
}

watch_for_the_end()
{
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	trap 'exit 141' PIPE
	scratch=$(mktemp -d /tmp/pasvd-quickstart.XXXXXX) || fail "mktemp failed"
	chmod 755 "$scratch"
}
