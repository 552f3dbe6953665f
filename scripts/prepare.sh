# SPDX-License-Identifier: GPL-2.0-or-later
# prepare.sh - what has to be there: packages from Debian, and pasvd built

build_packages=(gcc libc6-dev meson ninja-build pkg-config python3 check libinih-dev libjansson-dev libmnl-dev libpcap-dev
	libnetfilter-queue-dev libnetfilter-conntrack-dev libseccomp-dev libcap-ng-dev)
run_packages=(iptables iproute2 kmod nftables procps)
demo_packages=(conntrack curl python3-pyftpdlib)
package_packages=(build-essential buildah busybox-static debhelper debootstrap dpkg-dev file git libarchive-tools lintian makepkg
	pacman-package-manager rpm systemd-container xz-utils)
# What the tests in tests/lab and tests/kernels need beside these tests/lab/packages.sh and tests/kernels/packages.sh
# know, and tell with --tools.
test_packages=(ethtool fish python3-jsonschema python3-pytest systemd zsh util-linux)
static_packages=(clang-format clang-tidy cppcheck mandoc shellcheck universal-ctags)

installed()
{
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# announce PACKAGE...: how much it is, with all that they need
announce()
{
	local all
	mapfile -t all < <(apt-get -s install --no-install-recommends "$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
	say "Installing $*"
	apt-cache --no-all-versions show "${all[@]}" | awk -v n="${#all[@]}" '
		/^Size: / { bytes += $2 }
		/^Installed-Size: / { kib += $2 }
		END { printf "With what they need: %d packages, %d MB to fetch, %d MB on disk\n", n, bytes / 1e6, kib / 1000 }'
}

# need PACKAGE...: once, at the beginning, with all that the command is going to want
need()
{
	local package missing=()
	for package; do
		installed "$package" || missing+=("$package")
	done
	((${#missing[@]})) || return 0
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q -o DPkg::Lock::Timeout=300 update || fail "apt-get could not read the package lists"
	announce "${missing[@]}"
	apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" ||
		fail "apt-get could not install ${missing[*]}"
}

# configure FOLDER OPTION...: a build folder that is there keeps its compiler, the options are set anew
configure()
{
	local folder=$1
	shift
	if [[ -f $folder/build.ninja ]]; then
		(($# == 0)) || meson configure "$folder" "$@"
	else
		rm -rf "$folder/meson-private" # of a configuration that was interrupted
		meson setup "$folder" "$@"
	fi
}

# build_pasvd MESON_OPTION...
build_pasvd()
{
	need "${build_packages[@]}" "${run_packages[@]}"
	say "Building pasvd in build/"
	configure build "$@" || fail "the build could not be configured"
	ninja -C build pasvd pasvd-replay pasvctl || fail "the build failed"
}
