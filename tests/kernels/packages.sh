#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# packages.sh - make sure that the emulator and the kernels are there
#
# usage: packages.sh NAME...    releases of Debian, as in tests/kernels/kernels.py
#        packages.sh --tools    names the packages that it would install
#
# Comes in:  BUILD, the build folder (default: build/ at the top of the tree).
# Goes out:  the emulator and its tools, installed with apt; of each release the
#            newest kernel in $BUILD/kernels/NAME: vmlinuz, version and lib/modules.
# The kernels are unpacked, not installed. They come from the mirror that this
# machine has its own packages from, by way of package lists of their own: what
# apt knows otherwise stays as it is.
# Does nothing and needs no network when everything is there already; remove a
# kernel's folder to have a newer one.
# Limits: amd64; Debian 12 and its relatives; root when something has to be installed.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$top/build}
kernels=$(realpath -m "$BUILD")/kernels
tools="qemu-system-x86 busybox-static cpio kmod xz-utils util-linux debian-archive-keyring"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() {
	printf 'kernel packages: %s\n' "$*"
}

give_up() {
	say "$@" >&2
	exit 1
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@"
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install_tools() {
	missing=
	for package in $tools; do
		installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	say "installing$missing"
	apt update || give_up "apt cannot read its package lists"
	# shellcheck disable=SC2086 # a list of names
	apt install -y --no-install-recommends $missing || give_up "apt cannot install$missing"
}

# The addresses under which this machine's apt finds Debian's main archive.
archives() {
	# shellcheck disable=SC2016 # the names are apt's
	apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		sed -n 's/^Debian main //p'
}

# The first of them.
archive() {
	[ -n "$(archives)" ] || apt update >&2 # it has not read them yet
	archives | head -n 1
}

# make_lists FOLDER RELEASE: package lists of that release and nothing else
make_lists() {
	mirror=$(archive)
	[ -n "$mirror" ] || give_up "apt's sources have no archive of Debian"
	mkdir -p "$1/lists/partial" "$1/archives/partial" "$1/parts"
	echo "deb [signed-by=$keyring] $mirror $2 main" >"$1/sources.list"
	with_lists "$1" apt-get update -o APT::Update::Error-Mode=any ||
		give_up "$mirror does not have $2, or cannot be reached"
}

# with_lists FOLDER COMMAND...: a command of apt that sees only these lists
with_lists() {
	lists=$1
	shift
	"$@" -q -o APT::Sandbox::User=root -o Dir::State="$lists" -o Dir::Cache="$lists" \
		-o Dir::State::status=/var/lib/dpkg/status \
		-o Dir::Etc::sourcelist="$lists/sources.list" -o Dir::Etc::sourceparts="$lists/parts" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$lists/parts"
}

# kernel_packages FOLDER: what linux-image-amd64 stands for
kernel_packages() {
	with_lists "$1" apt-cache depends --important --recurse linux-image-amd64 |
		grep -E '^linux-(image|base|binary|modules)-[0-9].*-amd64$'
}

# unpack FOLDER: vmlinuz, version and lib/modules come out of the archives in it
unpack() (
	cd "$1"
	for archive in ./*.deb; do
		dpkg-deb -x "$archive" unpacked
	done
	modules=$(find unpacked -type d -path '*/lib/modules/*' -prune)
	# Not those of hardware: all modules take depmod eight seconds.
	find "$modules/kernel/drivers" "$modules/kernel/sound" -name '*.ko*' ! -regex '.*/drivers/\(net/[^/]*\|virtio/.*\)' -delete
	mkdir -p kernel/lib/modules
	mv "$modules" kernel/lib/modules
	basename "$modules" >kernel/version
	mv "$(find unpacked kernel -name 'vmlinuz*')" kernel/vmlinuz
	/sbin/depmod -b kernel "$(cat kernel/version)"
)

# fetch RELEASE
fetch() {
	[ ! -e "$kernels/$1/vmlinuz" ] || return 0
	say "fetching the kernel of $1"
	work=$kernels/.$1
	rm -rf "$work"
	mkdir -p "$work"
	make_lists "$work" "$1"
	packages=$(kernel_packages "$work") || give_up "$1 at $mirror has no kernel for amd64"
	# shellcheck disable=SC2086 # a list of names
	(cd "$work" && with_lists "$work" apt-get download $packages) ||
		give_up "$mirror has the lists of $1, but not" $packages
	unpack "$work"
	rm -rf "${kernels:?}/$1"
	mv "$work/kernel" "$kernels/$1"
	rm -rf "$work"
	say "$1 has $(cat "$kernels/$1/version")"
}

if [ "${1-}" = --tools ]; then
	echo "$tools"
	exit
fi
install_tools
for release; do
	fetch "$release"
done
