# SPDX-License-Identifier: GPL-2.0-or-later
# cross.sh - quickstart test cross: pasvd for a 32-bit processor and for a big-endian one, and tests in an emulator of them;
# those of the sandbox in a virtual machine, see arm.sh
#
# It is linked with the libraries of Debian 12 for that processor, unpacked into build-cross/NAME/root/.

cross_packages=(binutils-arm-linux-gnueabihf binutils-s390x-linux-gnu clang qemu-user)
cross_libraries=(check libc6 libc6-dev libcap-ng-dev libcap-ng0 libgcc-12-dev libgcc-s1 libinih-dev libinih1 libjansson-dev
	libjansson4 libmnl-dev libmnl0 libnetfilter-conntrack-dev libnetfilter-conntrack3 libnetfilter-queue-dev
	libnetfilter-queue1 libnfnetlink-dev libnfnetlink0 libpcap0.8 libpcap0.8-dev libseccomp-dev libseccomp2 libsubunit-dev
	libsubunit0 linux-libc-dev)
# The emulator, not pasvd, would fail: it installs no seccomp filter (sandbox), and does not tell why posix_spawn() failed
# (child). A virtual machine runs these, see arm.sh. Tests in Python start the programs themselves, without it.
cross_left_out=(child sandbox)
cross_model_packets=20000

# cross_lists ARCHITECTURE FOLDER: apt gets settings and lists of its own, in FOLDER/apt/: this system stays as it is.
cross_lists()
{
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg settings=$2/apt/apt.conf archive
	mkdir -p "$2"/apt/{lists,archives}/partial
	: >"$2/apt/status"
	# shellcheck disable=SC2016 # the names are apt's
	archive=$(apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		sed -n 's/^Debian main //p' | head -n 1)
	echo "deb [signed-by=$keyring] ${archive:-http://deb.debian.org/debian} bookworm main" >"$2/apt/sources.list"
	cat >"$settings" <<-END
		Dir::State "$2/apt";
		Dir::State::status "$2/apt/status";
		Dir::Cache "$2/apt";
		Dir::Etc::sourcelist "$2/apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		APT::Architecture "$1";
		APT::Architectures { "$1"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
	END
	APT_CONFIG=$settings apt-get -qq update
}

# cross_unpack FOLDER PACKAGE...
cross_unpack()
{
	local folder=$1 package
	shift
	(cd "$folder/apt" && APT_CONFIG=$folder/apt/apt.conf apt-get -qq download "$@") || return
	for package in "$folder"/apt/*.deb; do
		dpkg-deb -x "$package" "$folder" || return
	done
}

# cross_root ARCHITECTURE FOLDER: unless it is there as a whole; apt/ goes last
cross_root()
{
	[[ ! -d $2 || -d $2/apt ]] || return 0
	rm -rf "$2"
	cross_lists "$@" && cross_unpack "$2" "${cross_libraries[@]}" || return
	# What it needs to capture from USB and the like. We read files.
	sed -i '/^Requires.private:/d' "$2"/usr/lib/*/pkgconfig/libpcap.pc && rm -rf "$2/apt"
}

# cross_file ROOT TRIPLET EMULATOR ENDIAN: what meson has to know
cross_file()
{
	local libraries=$1/usr/lib/$2
	cat <<-END
		[binaries]
		c = ['clang', '--target=$2', '--sysroot=$1']
		ar = '$2-ar'
		strip = '$2-strip'
		pkgconfig = 'pkg-config'
		exe_wrapper = ['$3', '-L', '$1']
		[built-in options]
		c_args = ['-isystem', '$1/usr/include']
		c_link_args = ['-L$libraries', '-Wl,--allow-shlib-undefined']
		[properties]
		sys_root = '$1'
		pkg_config_libdir = '$libraries/pkgconfig'
		[host_machine]
		system = 'linux'
		cpu_family = '${3#qemu-}'
		cpu = '${3#qemu-}'
		endian = '$4'
	END
}

# cross_build FOLDER: the programs and the tests that are written in C; those that are for the kernel not. Optimised less, to
# take less time.
cross_build()
{
	local targets
	[[ -f $1/build/build.ninja ]] || meson setup "$1/build" -Doptimization=1 -Dwerror=true --cross-file "$1/meson" || return
	mapfile -t targets < <(ninja -C "$1/build" -t targets all |
		sed -nE 's,^(pasvd|pasvd-replay|pasvctl|tests/unit/(check_[a-z_]+|model)|tests/dialogue/play): .*,\1,p')
	ninja -C "$1/build" "${targets[@]}"
}

# cross_tests FOLDER EMULATOR
cross_tests()
{
	local names
	mapfile -t names < <(cd "$1/build/tests/unit" && printf '%s\n' check_* | sed -nE 's/^check_([a-z_]+)$/\1/p' |
		grep -vxF "$(printf '%s\n' "${cross_left_out[@]}")")
	run_suites "$1/build" --suite unit "${names[@]}"
	run_dialogues "$1/build" "$2" -L "$1/root"
	say "The model in $1/: $cross_model_packets packets"
	"$2" -L "$1/root" "$1/build/tests/unit/model" 1 "$cross_model_packets"
	count $? "model of $1"
}

# cross_processor ARCHITECTURE TRIPLET EMULATOR ENDIAN
cross_processor()
{
	local folder=build-cross/$1 status=0
	local root=$PWD/$folder/root
	say "Building: $1, in $folder/"
	cross_root "$1" "$root" && cross_file "$root" "${@:2}" >"$folder/meson" && cross_build "$folder" || status=$?
	count "$status" "build of $folder"
	((status)) || cross_tests "$folder" "$3"
	return "$status"
}

test_cross()
{
	cross_processor armhf arm-linux-gnueabihf qemu-arm little && arm_tests
	cross_processor s390x s390x-linux-gnu qemu-s390x big
}
