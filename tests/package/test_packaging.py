# SPDX-License-Identifier: GPL-2.0-or-later
"""test_packaging.py - the packages in packaging/: their versions, what they install, and that their services start pasvd

The distributions' own tools stand in as little as they have to: rpmbuild, makepkg, make and
busybox are real, while arch-meson, abuild-meson and Fedora's macros do here what they do there, with one
build for all.
"""

import os
import re
import shutil
import subprocess
import tarfile

import pytest

import release
from lab import PASVD
from release import TOP, run
from test_install import INSTALLED, files_below

PACKAGING = TOP / "packaging"
SOURCE = f"pasvd-{release.VERSION}"
SYSTEMD = {name for name in INSTALLED if name.startswith(("lib/systemd/", "lib/sysusers.d/"))}
DOCUMENTS = {"usr/share/doc/pasvd/README.md", "usr/share/doc/pasvd/CHANGELOG.md"}
CONFIGURATION = {"etc/pasvd/pasvd.conf", "etc/default/pasvd"}
FOLDERS = "--prefix=/usr --sysconfdir=/etc --localstatedir=/var"

# What the distributions' programs give to meson, with the options that their caller adds: instead of a build folder of its
# own each gets the one of this test.
MESON = """#!/bin/sh -e
for word; do
	shift
	case $word in
	-* | *=*) set -- "$@" "$word" ;;
	*) folder=$word ;;
	esac
done
ln -s {build} "$folder"
exec meson configure {build} {options} "$@"
"""
WRAPPERS = {"arch-meson": f"{FOLDERS} --libexecdir=lib --sbindir=bin",
            "abuild-meson": f"{FOLDERS} --libdir=/usr/lib --libexecdir=/usr/libexec --sbindir=/usr/sbin"}
FEDORA = """
%meson meson configure {build} --prefix=%{{_prefix}} --libdir=%{{_libdir}} --libexecdir=%{{_libexecdir}} \\\\\\
  --bindir=%{{_bindir}} --sbindir=%{{_sbindir}} --datadir=%{{_datadir}} --mandir=%{{_mandir}} --sysconfdir=%{{_sysconfdir}}
%meson_build meson compile -C {build}
%meson_install DESTDIR=%{{buildroot}} meson install -C {build} --no-rebuild
%_unitdir %{{_prefix}}/lib/systemd/system
%_sysusersdir %{{_prefix}}/lib/sysusers.d
%bash_completions_dir %{{_datadir}}/bash-completion/completions
%fish_completions_dir %{{_datadir}}/fish/vendor_completions.d
%zsh_completions_dir %{{_datadir}}/zsh/site-functions
%_docdir_fmt %%{{NAME}}
%_build_id_links none
%systemd_post() : post %*
%systemd_preun() : preun %*
%systemd_postun_with_restart() : postun %*
"""
# What OpenWrt's makefiles define, as far as the package uses it; the package is installed into $(DEST).
OPENWRT = {
    "rules.mk": "INSTALL_DIR := install -d -m0755\nINSTALL_BIN := install -m0755\nINSTALL_CONF := install -m0600\nLN := ln -sf\n",
    "package.mk": "define BuildPackage\n.PHONY: install facts\ninstall:\n$(call Package/$(1)/install,$(DEST))\n"
                  "facts:\n\t@echo $(PKG_NAME) $(PKG_VERSION) $(PKG_SOURCE) $(MESON_ARGS)\nendef\n",
    "meson.mk": ""}


@pytest.fixture(scope="module")
def build(work):
    """The one build, of the tarball. Whoever installs it configures it anew, so that little is built again."""
    run("tar", "-xf", release.tarball(), "-C", work)
    folder = work / "build"
    run("meson", "setup", "--buildtype=plain", "-Dtests=false", "-Dwerror=false", folder, work / SOURCE)
    run("ninja", "-C", folder, timeout=release.BUILD_LIMIT)
    for name, options in WRAPPERS.items():
        path = work / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(MESON.format(build=folder, options=options))
        path.chmod(0o755)
    return folder


def below_usr(names, **moved):
    """Names below the prefix as a package has them, with folders that are other ones there."""
    for old, new in moved.items():
        names = {re.sub(rf"^{old}/", f"{new}/", name) for name in names}
    return {f"usr/{name}" for name in names}


def functions(script, shell, folder, work, *names):
    """The functions of the script are called, with the folders src/ and pkg/; what is installed there is returned."""
    (folder / "pkg").mkdir()
    calls = "".join(f'cd "{folder}/src/{where}"; {name}; ' for name, where in names)
    run(*shell, "-ec", f'srcdir="{folder}/src"; pkgdir="{folder}/pkg"; . {script}; {calls}',
        env={**os.environ, "PATH": f"{work / 'bin'}:{os.environ['PATH']}"}, timeout=release.BUILD_LIMIT)
    return files_below(folder / "pkg")


# --- versions and dependencies

@pytest.mark.parametrize("name, pattern", [
    ("rpm/pasvd.spec", r"^Version: +(\S+)$"), ("rpm/pasvd.spec", r"^\* .* - (\S+)-\d+$"), ("arch/PKGBUILD", r"^pkgver=(\S+)$"),
    ("alpine/APKBUILD", r"^pkgver=(\S+)$"), ("openwrt/Makefile", r"^PKG_VERSION:=(\S+)$")])
def test_version_is_that_of_the_project(name, pattern):
    assert re.search(pattern, (PACKAGING / name).read_text(), re.M)[1] == release.VERSION


def libraries(condition):
    """Those of meson.build, needed by the program or by the tests alone."""
    found = re.findall(r"^\w+ = dependency\('([\w-]+)'(.*)\)$", (TOP / "meson.build").read_text(), re.M)
    return {name for name, options in found if condition == ("'tests'" in options)}


def library(package):
    """A distribution's name of a package without what names it a library."""
    return re.sub(r"^lib|-dev$", "", package).replace("-", "_")


@pytest.mark.parametrize("name, pattern", [
    ("arch/PKGBUILD", r"^depends=\(glibc (.*)\)$"), ("alpine/APKBUILD", r'^makedepends="([^"]*)"$'),
    ("openwrt/Makefile", r"^  DEPENDS:=((?:.*\\\n)*.*)$")])
def test_libraries_are_those_that_meson_looks_for(name, pattern):
    packages = re.search(pattern, (PACKAGING / name).read_text(), re.M)[1].replace("\\", "").replace("+", "").split()
    others = {"meson", "linux-headers", "nftables", *(package for package in packages if package.startswith("kmod-"))}
    wanted = {library(package) for package in libraries(False)} - ({"pcap"} if name.startswith("openwrt") else set())
    assert {library(package) for package in packages if package not in others} == wanted


def test_libraries_of_the_rpm_are_those_that_meson_looks_for():
    spec = (PACKAGING / "rpm" / "pasvd.spec").read_text()
    always, tests = spec.split("%if %{with tests}\nBuildRequires", 1)
    for text, condition in (always, False), (tests, True):
        assert set(re.findall(r"pkgconfig\((\S+)\)", text)) == libraries(condition)


# --- what they install

def test_rpm_has_the_files_of_the_project(work, build):
    folder = work / "rpm"
    (folder / "SOURCES").mkdir(parents=True)
    shutil.copy(release.tarball(), folder / "SOURCES")
    macros = folder / "macros"
    macros.write_text(FEDORA.format(build=build))
    run("rpmbuild", "-bb", "--nodeps", "--without=tests", f"--load={macros}", f"--define=_topdir {folder}",
        PACKAGING / "rpm" / "pasvd.spec", timeout=release.BUILD_LIMIT, env={**os.environ, "HOME": str(folder)})
    (package,) = folder.glob("RPMS/*/*.rpm")
    query = "rpm", f"--dbpath={folder}", "--query", "--package", package
    listed = {re.sub(r"(/man/.*)\.gz$", r"\1", line.lstrip("/")) for line in run(*query, "--list").splitlines()}
    listed = {name for name in listed if not any(other.startswith(f"{name}/") for other in listed)}
    licenses = {"usr/share/licenses/pasvd/LICENSE"}
    assert listed == below_usr(INSTALLED) | DOCUMENTS | CONFIGURATION | licenses
    assert set(run(*query, "--configfiles").split()) == {f"/{name}" for name in CONFIGURATION}
    assert "pasvd rules remove" in run(*query, "--scripts")


def test_package_of_arch_has_the_files_of_the_project(work, build):
    folder = work / "arch"
    shutil.copytree(PACKAGING / "arch", folder)
    shutil.copy(release.tarball(), folder)
    run("chown", "-R", "nobody:nogroup", folder, build)  # makepkg does not run as root
    environment = {**os.environ, "HOME": str(folder), "PATH": f"{work / 'bin'}:{os.environ['PATH']}"}
    run(*release.UNPRIVILEGED, "makepkg", "--nodeps", cwd=folder, timeout=release.BUILD_LIMIT, env=environment)
    (package,) = folder.glob(f"{SOURCE}-1-*.pkg.tar.*")
    with tarfile.open(package) as archive:
        members = {re.sub(r"(/man/.*)\.gz$", r"\1", member.name): member for member in archive if not member.isdir()}
        info, script, service = (archive.extractfile(name).read().decode()
                                 for name in (".PKGINFO", ".INSTALL", "usr/lib/systemd/system/pasvd.service"))
    files = {name: member for name, member in members.items() if not name.startswith(".")}
    licenses = {"usr/share/licenses/pasvd/LICENSE"}
    assert set(files) == below_usr(INSTALLED, sbin="bin", libexec="lib") | DOCUMENTS | CONFIGURATION | licenses
    programs = {"usr/bin/pasvd", "usr/bin/pasvctl", "usr/lib/pasvd/pasvd-replay"}
    assert {name: (member.uid, member.mode) for name, member in files.items()} == {
        name: (0, 0o755 if name in programs else 0o644) for name in files}
    assert set(re.findall(r"^backup = (.*)$", info, re.M)) == CONFIGURATION
    assert "pasvd rules remove" in script
    assert "ExecStart=/usr/bin/pasvd " in service


def test_package_of_alpine_has_the_files_of_the_project_and_services_of_openrc(work, build):
    folder = work / "alpine"
    shutil.copytree(PACKAGING / "alpine", folder / "src")
    (folder / "src" / SOURCE).symlink_to(work / SOURCE)
    found = functions(PACKAGING / "alpine" / "APKBUILD", ["busybox", "ash"], folder, work, ("build", SOURCE), ("package", SOURCE))
    services = {"etc/init.d/pasvd", "etc/init.d/pasvd-rules", "etc/conf.d/pasvd"}
    assert found == below_usr(INSTALLED - SYSTEMD) | DOCUMENTS | {"etc/pasvd/pasvd.conf"} | services
    text = (PACKAGING / "alpine" / "APKBUILD").read_text()
    sources = re.search(r'^source="([^"]*)"$', text, re.M)[1].replace("$pkgver", release.VERSION).split()
    scripts = re.search(r'^install="([^"]*)"$', text, re.M)[1].replace("$pkgname", "pasvd").split()
    assert {path.name for path in (PACKAGING / "alpine").iterdir()} == {"APKBUILD", *scripts, *sources} - {f"{SOURCE}.tar.xz"}


def openwrt(work, target):
    folder = work / "openwrt"
    folder.mkdir(exist_ok=True)
    for name, text in OPENWRT.items():
        (folder / name).write_text(text)
    return run("make", "--silent", "-C", PACKAGING / "openwrt", f"TOPDIR={folder}", f"INCLUDE_DIR={folder}", target,
               f"PKG_INSTALL_DIR={folder / 'installed'}", f"DEST={folder / 'pkg'}")


def test_package_of_openwrt_has_programs_and_their_service(work, build):
    name, version, source, *options = openwrt(work, "facts").split()
    assert (name, version, source) == ("pasvd", release.VERSION, f"{SOURCE}.tar.xz")
    run("meson", "configure", build, *FOLDERS.split(), "--sbindir=sbin", "--libexecdir=libexec", *options)
    run("ninja", "-C", build, timeout=release.BUILD_LIMIT)
    run("meson", "install", "-C", build, "--no-rebuild", "--destdir", work / "openwrt" / "installed")
    openwrt(work, "install")
    package = work / "openwrt" / "pkg"
    assert files_below(package) == {"usr/sbin/pasvd", "usr/sbin/pasvctl", "etc/init.d/pasvd", "etc/config/pasvd",
                                    "etc/pasvd/pasvd.conf"}
    assert os.readlink(package / "etc/pasvd/pasvd.conf") == "/var/etc/pasvd.conf"


# --- services

SCRIPTS = ["alpine/pasvd.initd", "alpine/pasvd-rules.initd", "alpine/pasvd.pre-install", "alpine/pasvd.pre-deinstall",
           "openwrt/files/pasvd.init"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_one_for_the_shell_of_small_systems(name):
    run("busybox", "ash", "-n", PACKAGING / name)


def ash(script):
    return run("busybox", "ash", "-ec", script).splitlines()


@pytest.mark.parametrize("name, harmless", [("pasvd", ["--test-config", f"--config={TOP}/systemd/pasvd.conf"]),
                                            ("pasvd-rules", ["--help"])])
def test_service_of_openrc_starts_what_pasvd_knows(name, harmless):
    script = PACKAGING / "alpine" / f"{name}.initd"
    command, arguments, pidfile = ash(f'RC_SVCNAME={name}; . {script}; echo "$command"; echo "$command_args"; echo "$pidfile"')
    assert command == "/usr/sbin/pasvd" and pidfile == f"/run/{name}.pid"
    run(PASVD, *arguments.split(), *harmless)


# As /lib/functions.sh reads what `uci export` prints, and procd.sh is called.
UCI = """
package() { :; }
config() { config_cb "$@"; }
option() { option_cb "$@"; }
list() { list_cb "$@"; }
reset_cb() { :; }
config_load() { . "$uci"; config_cb; }
logger() { echo "logger $*"; }
procd_open_instance() { echo "instance $*"; }
procd_set_param() { echo "$*"; }
procd_close_instance() { :; }
"""


@pytest.fixture
def openwrt_service(tmp_path):
    """The init script with this build of pasvd, and with files of its own; it gets the text of /etc/config/pasvd. A pasvd
    that is told no configuration takes the one that the script writes, as it does there by way of a link."""
    text = (PACKAGING / "openwrt" / "files" / "pasvd.init").read_text()
    program = tmp_path / "pasvd"
    program.write_text(f'#!/bin/sh\ncase "$*" in *" -c "*) ;; *) set -- "$@" -c {tmp_path}/pasvd.conf ;; esac\n'
                       f'exec {PASVD} "$@"\n')
    program.chmod(0o755)
    for old, new in ("/usr/sbin/pasvd", str(program)), ("/var/etc", str(tmp_path)):
        assert old in text
        text = text.replace(old, new)
    script = tmp_path / "init"
    script.write_text(text)

    def start(configured):
        (tmp_path / "uci").write_text(configured)
        done = subprocess.run(["busybox", "ash", "-c", f'uci={tmp_path}/uci\n{UCI}\n. {script}\nstart_service'], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        conf = tmp_path / "pasvd.conf"
        started = re.findall(rf"^command {program} (.*)$", done.stdout, re.M)
        return done, started, conf.read_text() if conf.exists() else None
    return start


DEFAULTS = (PACKAGING / "openwrt" / "files" / "pasvd.config").read_text()


def test_service_of_openwrt_is_one_for_a_small_router(openwrt_service):
    done, started, conf = openwrt_service(DEFAULTS)
    assert done.returncode == 0 and started == ["--syslog"], done.stdout
    assert conf == "[pasvd]\nfirewall = nft\n[limits]\nmax-sessions = 1000\n"


def test_service_of_openwrt_watches_the_rules_of_servers_with_lists(openwrt_service):
    _, started, conf = openwrt_service(re.sub(r"^#(config|\t)", r"\1", DEFAULTS, flags=re.M) + "\tlist wan 'pppoe-wan'\n")
    assert started == ["--syslog", "rules watch"]
    assert conf.endswith("[server ftp]\naddress = 192.168.1.10\nwan = eth1\nwan = pppoe-wan\n")


def test_service_of_openwrt_goes_on_with_what_was_right(openwrt_service):
    _, _, right = openwrt_service(DEFAULTS)
    done, started, conf = openwrt_service(DEFAULTS.replace("1000", "many"))
    assert done.returncode == 0 and started == ["--syslog"] and conf == right
    assert re.search(r"^logger -s -t pasvd .*max-sessions = many", done.stdout, re.M)


def test_service_of_openwrt_does_not_start_with_a_mistake(openwrt_service):
    done, started, conf = openwrt_service(DEFAULTS.replace("1000", "many"))
    assert done.returncode != 0 and started == [] and conf is None
