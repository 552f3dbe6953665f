# SPDX-License-Identifier: GPL-2.0-or-later
# arm.sh - of quickstart test cross: pasvd for 32-bit ARM on a kernel for it, in a virtual machine
#
# An emulator of programs installs no seccomp filter. A kernel does, and ends a process for each call that is not listed.

arm_packages=(busybox-static cpio kmod qemu-system-arm)
arm_libraries=(libc6 libcap-ng0 libinih1 libjansson4 libmnl0 libnetfilter-conntrack3 libnetfilter-queue1 libnfnetlink0
	libseccomp2 libsubunit0)
# What goes with these, beside the libraries.
arm_programs=(busybox-static libbsd0 libedit2 libgmp10 libmd0 libnftables1 libnftnl11 libtinfo6 libxtables12 nftables)
arm_modules=(veth nf_tables nft_ct nft_queue nft_nat nft_chain_nat nft_limit nft_objref nf_conntrack_netlink
	nfnetlink_queue nf_conntrack_sane)
arm_unit_tests=(child config_process sandbox)
arm_limit=300 # seconds; one minute on an idle machine

# arm_system FOLDER: kernel, modules, libraries and programs, unless they are there as a whole
arm_system()
{
	local kernel
	[[ ! -d $1 || -d $1/apt ]] || return 0
	rm -rf "$1"
	cross_lists armhf "$1" || return
	mapfile -t kernel < <(APT_CONFIG=$1/apt/apt.conf apt-cache depends --important linux-image-armmp |
		sed -n 's/.* \(linux-image-[0-9].*-armmp\)$/\1/p')
	cross_unpack "$1" "${arm_libraries[@]}" "${arm_programs[@]}" "${kernel[@]}" || return
	find "$1"/lib/modules/*/kernel/{drivers,sound} -name '*.ko*' ! -name 'veth.*' -delete # all take depmod long
	/sbin/depmod -b "$1" "$(arm_version "$1")" && rm -rf "$1/apt"
}

# arm_version FOLDER: of the kernel
arm_version()
{
	basename "$1"/lib/modules/*
}

# arm_fill FOLDER SYSTEM BUILD: what the machine has
arm_fill()
{
	local to=$1 system=$2 number=100 library module
	local triplet=arm-linux-gnueabihf
	rm -rf "$to"
	mkdir -p "$to"/{bin,dev,lib,modules,proc,run,sys,tests,tmp,"usr/lib/$triplet"}
	cp "$system/bin/busybox" "$system/usr/sbin/nft" "$3/pasvd" "$3/pasvctl" "$to/bin/" &&
		cp tests/arm/init tests/arm/server "$to/" &&
		cp "${arm_unit_tests[@]/#/$3/tests/unit/check_}" "$to/tests/" &&
		cp -L "$system/lib/ld-linux-armhf.so.3" "$to/lib/" || return
	for library in "$system"{,/usr}/lib/"$triplet"/*.so.*; do
		cp -L "$library" "$to/usr/lib/$triplet/" || return
	done
	while read -r module; do
		cp "$module" "$to/modules/$((number++))" || return
	done < <(/sbin/modprobe -a -d "$system" -S "$(arm_version "$system")" --show-depends "${arm_modules[@]}" |
		sed -n 's/^insmod //p' | awk '!seen[$0]++')
	(cd "$to" && find . | cpio --quiet -o -H newc) >"$to.img"
}

# arm_boot SYSTEM IMAGE: what is on its console goes to stdout
arm_boot()
{
	timeout "$((arm_limit * SLOWNESS))" qemu-system-arm -M virt,highmem=off -cpu cortex-a15 -m 512 \
		-nodefaults -no-user-config -display none -serial stdio -no-reboot \
		-kernel "$1"/boot/vmlinuz-* -initrd "$2" -append "console=ttyAMA0 quiet panic=-1" </dev/null
}

# arm_count CONSOLE: a test for each line that says so, and one for its end
arm_count()
{
	local line
	while read -r line; do
		case $line in
		passed:*) count 0 "$line" ;;
		failed:*) count 1 "on ARM: $line" ;;
		esac
	done < <(tr -d '\r' <"$1")
	grep -q '^end' "$1"
	count $? "the machine did not come to its end, see $1"
}

# arm_tests: of what is in build-cross/armhf/build/
arm_tests()
{
	local folder=$PWD/build-cross/armhf status=0
	say "The sandbox, and pasvd between a client and a server, on a kernel for ARM"
	arm_system "$folder/system" && arm_fill "$folder/initramfs" "$folder/system" "$folder/build" || status=$?
	count "$status" "system of $folder"
	((status)) && return
	arm_boot "$folder/system" "$folder/initramfs.img" | tee "$folder/console.log"
	arm_count "$folder/console.log"
}
