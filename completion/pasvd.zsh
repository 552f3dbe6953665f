#compdef pasvd pasvctl
# SPDX-License-Identifier: GPL-2.0-or-later
# pasvd.zsh - completion of pasvd and pasvctl for zsh
#
# Commands and options are those that the program's own --help lists.

_pasvd()
{
	local cur=${words[CURRENT]} prev=${words[CURRENT - 1]} word help value
	local -a command=("${words[1]}") offered

	for word in "${(@)words[2,CURRENT-1]}"; do
		[[ $word =~ '^[a-z][a-z-]*$' ]] && "${command[@]}" "$word" --help >/dev/null 2>&1 && command+=("$word")
	done
	help=$("${command[@]}" --help 2>/dev/null)
	[[ $prev == -* ]] && value=$(sed -nE "s/^  (-.,|   ) $prev ([A-Z]+).*/\2/p; s/^  $prev, [a-z-]+ ([A-Z]+).*/\1/p" <<<"$help")
	case $value in
	FILE | PATH) _files ;;
	IF) offered=(/sys/class/net/*(N:t)); compadd -a offered ;;
	?*) ;;
	*)
		if [[ $cur == -* ]]; then
			offered=(${(f)"$(sed -nE 's/^  (-.,|   ) (--[a-z-]+).*/\2/p' <<<"$help")"})
		else
			word="${command[2,-1]}"
			offered=(${(fu)"$(sed -nE "s/^  ${word:+$word }([a-z][a-z-]*)( [a-z-]+)?  .*/\1/p" <<<"$help")"})
		fi
		compadd -a offered
		;;
	esac
}

_pasvd "$@"
