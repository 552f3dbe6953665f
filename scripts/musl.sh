# SPDX-License-Identifier: GPL-2.0-or-later
# musl.sh - quickstart test musl: pasvd with another C library, its unit tests, so that the sandbox meets its system calls, and
# the dialogues
#
# It is linked with this system's libraries, which were built with glibc, see tests/musl/glibc.c.

musl_packages=(musl-tools)
# What musl gets of this system, below /usr/include and /usr/lib/x86_64-linux-gnu.
musl_headers=(asm-generic cap-ng.h check.h check_stdint.h ini.h jansson.h jansson_config.h libmnl libnetfilter_conntrack
	libnetfilter_queue libnfnetlink linux pcap pcap.h seccomp-syscalls.h seccomp.h x86_64-linux-gnu/asm)
musl_libraries=(libcap-ng libinih libjansson libmnl libnetfilter_conntrack libnetfilter_queue libnfnetlink libpcap libseccomp
	libsubunit)

# musl_root FOLDER: this system's libraries and the kernel's headers, without the C library and what belongs to it
musl_root()
{
	local from=/usr/lib/x86_64-linux-gnu to=$1/usr/lib/x86_64-linux-gnu name
	rm -rf "$1"
	mkdir -p "$1/usr/include" "$to"
	for name in "${musl_headers[@]}"; do
		ln -s "/usr/include/$name" "$1/usr/include/" || return
	done
	for name in "${musl_libraries[@]}"; do
		ln -s "$from/$name.so" "$to/" || return
		ln -sf "$from/$name.so" "$to/$(readelf -d "$from/$name.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')" || return
	done
	ln -s "$from/libcheck_pic.a" "$from/pkgconfig" "$to/" || return
	musl-gcc -shared -fPIC -Wall -Wextra -Werror -o "$to/libglibc.so" -Wl,-soname,libglibc.so tests/musl/glibc.c || return
	# The dynamic linker is part of musl. libpcap needs dbus for one kind of interface.
	ln -s libglibc.so "$to/ld-linux-x86-64.so.2" && ln -s libglibc.so "$to/libdbus-1.so.3"
}

# musl_cross_file ROOT: what meson has to know
musl_cross_file()
{
	local library=$1/usr/lib/x86_64-linux-gnu
	cat <<-END
		[binaries]
		c = 'musl-gcc'
		ar = 'ar'
		strip = 'strip'
		pkgconfig = 'pkg-config'
		[built-in options]
		c_args = ['-isystem', '$1/usr/include']
		c_link_args = ['-L$library', '-Wl,-rpath,$library', '-Wl,--allow-shlib-undefined', '-Wl,--no-as-needed', '-lglibc']
		[properties]
		sys_root = '$1'
		pkg_config_libdir = '$library/pkgconfig'
		[host_machine]
		system = 'linux'
		cpu_family = 'x86_64'
		cpu = 'x86_64'
		endian = 'little'
	END
}

# The programs, the unit tests and the dialogues; the others are for the kernel, or take long. Optimised less, to take less
# time.
musl_build()
{
	local targets
	[[ -f build-musl/build.ninja ]] || meson setup build-musl -Doptimization=1 -Dwerror=true --cross-file build-musl-root/meson || return
	mapfile -t targets < <(ninja -C build-musl -t targets all |
		sed -nE 's,^(pasvd|pasvd-replay|pasvctl|tests/unit/(check_[a-z_]+|model)|tests/dialogue/play): .*,\1,p')
	ninja -C build-musl "${targets[@]}"
}

test_musl()
{
	local root=$PWD/build-musl-root status=0
	say "Building: musl, in build-musl/"
	musl_root "$root" && musl_cross_file "$root" >"$root/meson" && musl_build || status=$?
	count "$status" "build of build-musl"
	((status)) && return
	run_suites build-musl --suite unit
	run_dialogues build-musl
}
