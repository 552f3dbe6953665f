# SPDX-License-Identifier: GPL-2.0-or-later
# router.sh - quickstart router

prefix=/usr/local
installed_pasvd=$prefix/sbin/pasvd
installed_files=$prefix/libexec/pasvd/installed-files
installed_user=$prefix/lib/sysusers.d/pasvd.conf
settings=/etc/pasvd/pasvd.conf.d/quickstart.conf
pid_file=/run/pasvd.pid
log_file=/var/log/pasvd.log

systemd_runs()
{
	[[ -d /run/systemd/system ]]
}

# The list of what was installed keeps what an earlier run put in, also folders that only that one had to make.
install_files()
{
	say "Installing below $prefix"
	meson install -C build --no-rebuild || fail "the installation failed"
	mkdir -p "$(dirname "$installed_files")"
	{
		dirname "$installed_files"
		cat "$installed_files" 2>/dev/null
		grep -v '^#' build/meson-logs/install-log.txt
	} | sort -ru >"$scratch/installed"
	cp "$scratch/installed" "$installed_files" || fail "cannot write $installed_files"
}

# The options of `pasvd rules` that are asked for, each with its value in an element of `asked`. They go into a file, so
# nothing but rules may be asked for.
check_options()
{
	asked=()
	build/pasvd rules print "$@" >/dev/null || exit 2
	while (($#)); do
		case $1 in
		--wan | --public | --server | --port | --lan | --queue) asked+=("$1 $2"); shift ;;
		--wan=* | --public=* | --server=* | --port=* | --lan=* | --queue=*) asked+=("${1%%=*} ${1#*=}") ;;
		--accept-data | -4 | -6 | --nft) asked+=("$1 ") ;;
		*) usage ;;
		esac
		shift
	done
}

print_general_sections()
{
	local option families=()
	echo "# Written by quickstart, which removes it too."
	echo "[pasvd]"
	for option in "${asked[@]}"; do
		case $option in
		"--queue "*) echo "queue = ${option#* }" ;;
		"--nft ") echo "firewall = nft" ;;
		"-4 ") families+=(ipv4) ;;
		"-6 ") families+=(ipv6) ;;
		esac
	done
	[[ -z ${families[*]} ]] || echo "families = $( ((${#families[@]} > 1)) && echo both || echo "${families[0]}")"
	for option in "${asked[@]}"; do
		[[ $option != "--lan "* ]] || printf '[clients]\nlan = %s\n' "${option#* }"
	done
}

# --wan is for all servers; a --server of the other family right after one is the same server's address.
print_servers()
{
	local option value family alone='' n=0
	for option in "${asked[@]}"; do
		value=${option#* }
		case $option in
		"--server "*)
			[[ $value == *:* ]] && family=6 || family=4
			if [[ $value != any && $alone == $((10 - family)) ]]; then
				echo "address = $value"
				alone=''
				continue
			fi
			printf '[server server%d]\naddress = %s\n' $((++n)) "$value"
			printf '%s\n' "${asked[@]}" | sed -n 's/^--wan /wan = /p'
			if [[ $value == any ]]; then
				printf '%s\n' "${asked[@]}" | sed -n 's/^--accept-data $/accept-data = yes/p'
				family=''
			fi
			alone=$family
			;;
		"--public "*) echo "public = $value"; alone='' ;;
		"--port "*) echo "ports = $value"; alone='' ;;
		esac
	done
}

write_configuration()
{
	say "Writing $settings"
	mkdir -p "${settings%/*}"
	[[ ! -e $settings ]] || cp -p "$settings" "$scratch/settings" || fail "cannot read $settings"
	{
		print_general_sections
		print_servers
	} >"$settings" || fail "cannot write $settings"
	"$installed_pasvd" --test-config && return
	if [[ -e $scratch/settings ]]; then
		mv "$scratch/settings" "$settings"
		fail "beside this configuration there can be no other; $settings is as it was"
	fi
	rm "$settings"
	fail "beside this configuration there can be no other; $settings was removed"
}

# The process of a daemon that we started by hand, if it still runs.
running_by_hand()
{
	local pid
	[[ -r $pid_file ]] && read -r pid <"$pid_file" &&
		[[ $(readlink "/proc/$pid/exe") == "$installed_pasvd"* ]] && echo "$pid"
}

stop_by_hand()
{
	local pid
	if pid=$(running_by_hand); then
		say "Stopping pasvd, process $pid"
		kill "$pid"
		timeout 10 tail --pid="$pid" -f /dev/null || fail "process $pid does not end"
	fi
	rm -f "$pid_file"
}

start_by_hand()
{
	stop_by_hand
	say "systemd does not run here. Starting by hand: $installed_pasvd 2>>$log_file &"
	modprobe -aq nf_conntrack_sane nfnetlink_queue
	start_daemon "$log_file" setsid "$installed_pasvd" ||
		fail "pasvd did not get ready: $(tail -n 1 "$log_file")"
	say "Loading the rules: pasvd rules load"
	"$installed_pasvd" rules load || fail "the rules could not be loaded"
	unset "processes[$daemon]" # it stays
	echo "$daemon" >"$pid_file"
}

# Started by hand the daemon is root's, and its control socket too.
start_service()
{
	systemd-sysusers "$installed_user" || fail "the user of the service cannot be made"
	say "Starting pasvd.service, which loads the rules when it is ready"
	systemctl daemon-reload
	systemctl enable pasvd.service pasvd-rules.service || fail "pasvd.service cannot be enabled"
	systemctl restart pasvd.service && return
	journalctl -n 20 --no-pager -u pasvd.service
	fail "pasvd.service did not start"
}

router_install()
{
	build_pasvd --prefix=$prefix
	check_options "$@"
	install_files
	write_configuration
	if systemd_runs; then
		start_service
	else
		start_by_hand
	fi
	say "pasvd runs, the rules are loaded. \`./quickstart router --remove\` takes it all back."
	[[ $(</proc/sys/net/ipv4/ip_forward) == 1 ]] ||
		echo "This machine forwards nothing yet: net.ipv4.ip_forward is 0."
}

stop_service()
{
	systemctl cat pasvd.service >/dev/null 2>&1 || return 0
	say "Stopping pasvd.service"
	systemctl disable --now pasvd.service pasvd-rules.service || fail "pasvd.service cannot be stopped"
}

# Not that of a package, which names it too.
remove_user()
{
	[[ -e /usr/lib/sysusers.d/pasvd.conf ]] || ! getent passwd pasvd >/dev/null || userdel pasvd
}

remove_files()
{
	local file
	say "Removing what was installed"
	mv "$installed_files" "$scratch/installed" || fail "cannot read $installed_files"
	while IFS= read -r file; do
		if [[ -d $file ]]; then
			rmdir "$file" 2>/dev/null # not if others use it
		else
			rm -fv "$file"
		fi
	done <"$scratch/installed"
}

router_remove()
{
	if systemd_runs; then
		stop_service
	else
		stop_by_hand
	fi
	if [[ -x $installed_pasvd ]]; then
		say "Removing the rules"
		"$installed_pasvd" rules remove || fail "the rules could not be removed"
	fi
	[[ ! -e $installed_user ]] || remove_user
	[[ ! -f $installed_files ]] || remove_files
	rm -f "$settings" "$log_file"
	rmdir "${settings%/*}" 2>/dev/null # not if it has others
	rm -rf /run/pasvd
	! systemd_runs || systemctl daemon-reload
	say "pasvd is gone from this machine; packages that were installed for it stay."
}
