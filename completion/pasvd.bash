# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# pasvd.bash - completion of pasvd and pasvctl for bash
#
# Commands and options are those that the program's own --help lists.

_pasvd()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} word help value
	local -a command=("${COMP_WORDS[0]}")

	COMPREPLY=()
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word =~ ^[a-z-]+$ && $word != -* ]] && "${command[@]}" "$word" --help >/dev/null 2>&1 && command+=("$word")
	done
	help=$("${command[@]}" --help 2>/dev/null)
	[[ $prev == -* ]] && value=$(sed -nE "s/^ +(-., )?$prev ([A-Z]+).*/\2/p; s/^  $prev, [a-z-]+ ([A-Z]+).*/\1/p" <<<"$help")
	case $value in
	FILE | PATH) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	IF) mapfile -t COMPREPLY < <(cd /sys/class/net && compgen -f -- "$cur") ;;
	?*) ;;
	*)
		if [[ $cur == -* ]]; then
			word=$(sed -nE 's/^  (-.,|   ) (--[a-z-]+).*/\2/p' <<<"$help")
		else
			word=$(sed -nE "s/^  ([a-z][a-z -]*[a-z])  .*/\1/p" <<<"$help")
			word=$(awk -v n="${#command[@]}" -v all="${command[*]:1}" '{
				given = split(all, g)
				for (i = 1; i <= given && $i == g[i]; i++)
					;
				if (i == n) print $n
			}' <<<"$word")
		fi
		mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur" | sort -u)
		;;
	esac
}

complete -F _pasvd pasvd pasvctl
