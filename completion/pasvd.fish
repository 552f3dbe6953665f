# SPDX-License-Identifier: GPL-2.0-or-later
# pasvd.fish - completion of pasvd and pasvctl for fish
#
# Commands and options are those that the program's own --help lists.

function __pasvd_complete
	set -l words (commandline -opc)
	set -l cur (commandline -ct)
	set -l command $words[1]
	for word in $words[2..-1]
		if string match -qr '^[a-z][a-z-]*$' -- $word; and $command $word --help >/dev/null 2>&1
			set -a command $word
		end
	end
	set -l help ($command --help 2>/dev/null)
	set -l value
	if string match -q -- '-*' $words[-1]
		set value (string match -r -g -- "^  (?:-.,|   )? *$words[-1](?:, [a-z-]+)? ([A-Z]+)" $help)
	end
	switch "$value[1]"
		case FILE PATH
			__fish_complete_path $cur
		case IF
			command ls /sys/class/net
		case '?*'
		case '*'
			if string match -q -- '-*' $cur
				string match -r -g -- '^  (?:-.,|   ) (--[a-z-]+)' $help
			else
				set -l group (string join ' ' $command[2..-1] '')
				string match -r -g -- "^  $group([a-z][a-z-]*)(?: [a-z-]+)?  " $help | sort -u
			end
	end
end

complete -c pasvd -f -a '(__pasvd_complete)'
complete -c pasvctl -f -a '(__pasvd_complete)'
