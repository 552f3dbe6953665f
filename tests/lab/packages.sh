#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# packages.sh - make sure that the lab's clients, tools and servers are there
#
# usage: packages.sh [--tools]    with --tools only names those that it would install
#
# Comes in:  BUILD, the build folder (default: build/ at the top of the tree).
# Goes out:  the clients and tools, installed with apt; the FTP servers and the
#            libraries that only they need, and firewalls, unpacked into $BUILD/servers.
# The servers are not installed, on purpose: an installed FTP server starts
# listening at once, and its packages conflict with each other.
# Does nothing and needs no network when everything is there already.
# Limits: Debian 12, 13 and their relatives; root when something has to be installed.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$top/build}
servers=$BUILD/servers

tools="curl lftp tnftp inetutils-ftp ncftp ftp-ssl wget python3-pytest python3-pytest-xdist
       python3-pyftpdlib python3-openssl openssl iptables conntrack iproute2 util-linux procps tcpdump tmux
       filezilla xvfb nftables ipset dbus-daemon python3-dbus python3-gi perl"
# Servers, conntrackd, which would listen to all connections of the machine, nfct, which names helpers to the kernel for it,
# keepalived, which would want the machine's addresses, and prometheus, for its promtool.
archives="vsftpd proftpd-core pure-ftpd conntrackd keepalived nfct prometheus"
# Each would become this machine's, and some exclude each other. Those of one word go to one folder.
firewalls="firewalld,python3-firewall,python3-nftables ufw shorewall,shorewall-core,shorewall6 ferm
           netfilter-persistent,iptables-persistent docker.io,containerd,runc"
libvirt="libvirt-daemon libvirt-clients dnsmasq-base"
say() {
	printf 'lab packages: %s\n' "$*"
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
		-o APT::Sandbox::User=root "$@"
}

refreshed=no
refresh_lists() {
	[ "$refreshed" = no ] || return 0
	say "reading the package lists"
	apt update
	refreshed=yes
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
	refresh_lists
	say "installing$missing"
	# shellcheck disable=SC2086 # a list of names
	apt install -y --no-install-recommends $missing
}

# libraries PACKAGE: those that it needs and this system lacks, by the names that they have in this release
libraries() {
	apt -s install --no-install-recommends "$1" | sed -n 's/^Inst \(lib[^ ]*\) .*/\1/p' | grep -Ev '^(libjs|libvirt)-' || true
}

# unpack PACKAGE FOLDER: the package's files, without its scripts
unpack() {
	[ ! -e "$servers/.unpacked-$1" ] || return 0
	refresh_lists
	say "unpacking $1 into $2"
	rm -rf "$servers/archive"
	mkdir -p "$servers/archive" "$2"
	(cd "$servers/archive" && apt download "$1")
	dpkg-deb -x "$servers/archive"/*.deb "$2"
	rm -rf "$servers/archive"
	touch "$servers/.unpacked-$1"
}

# unpack_server PACKAGE FOLDER: with the libraries that only it needs, some of which older releases have in /lib
unpack_server() {
	[ ! -e "$servers/.unpacked-$1" ] || return 0
	refresh_lists
	for library in $(libraries "$1"); do
		unpack "$library" "$servers/libraries"
	done
	[ ! -d "$servers/libraries/lib" ] || cp -a "$servers/libraries/lib" "$servers/libraries/usr/"
	unpack "$1" "$2"
}

# check PROGRAM: it finds all of its libraries
check() {
	lost=$(LD_LIBRARY_PATH=$servers/lib ldd "$1" | grep 'not found' || true)
	[ -z "$lost" ] && return 0
	say "$1 lacks:" "$lost" >&2
	return 1
}

if [ "${1-}" = --tools ]; then
	echo "$tools"
	exit
fi
install_tools
for package in $archives; do
	unpack_server "$package" "$servers/${package%-core}"
done
for firewall in $firewalls; do
	for package in $(echo "$firewall" | tr , ' '); do
		unpack "$package" "$servers/firewalls/${firewall%%,*}"
	done
done
for package in $libvirt; do
	unpack_server "$package" "$servers/firewalls/libvirt"
done
unpack_server proftpd-mod-crypto "$servers/proftpd"	# mod_tls
ln -sfn "libraries/usr/lib/$(uname -m)-linux-gnu" "$servers/lib"
check "$servers/vsftpd/usr/sbin/vsftpd"
check "$servers/proftpd/usr/sbin/proftpd"
check "$servers/proftpd/usr/lib/proftpd/mod_tls.so"
check "$servers/pure-ftpd/usr/sbin/pure-ftpd"
check "$servers/conntrackd/usr/sbin/conntrackd"
check "$servers/keepalived/usr/sbin/keepalived"
check "$servers/nfct/usr/sbin/nfct"
check "$servers/firewalls/libvirt/usr/sbin/libvirtd"
check "$servers/firewalls/libvirt/usr/bin/virsh"
check "$servers/prometheus/usr/bin/promtool"
say "all there (servers in $servers)"
