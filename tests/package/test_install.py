# SPDX-License-Identifier: GPL-2.0-or-later
"""test_install.py - what `meson install` puts where, and that a release has what belongs into it"""

import os
import re
import tarfile

import release
from release import BUILD, TOP, run

# Below the prefix.
INSTALLED = {
    "lib/systemd/system/pasvd.service", "lib/systemd/system/pasvd-rules.service", "libexec/pasvd/pasvd-replay",
    "lib/sysusers.d/pasvd.conf", "sbin/pasvctl", "sbin/pasvd",
    "share/bash-completion/completions/pasvctl", "share/bash-completion/completions/pasvd",
    "share/fish/vendor_completions.d/pasvctl.fish", "share/fish/vendor_completions.d/pasvd.fish",
    "share/zsh/site-functions/_pasvd", "share/doc/pasvd/examples/alerts.yml",
    "share/doc/pasvd/examples/dashboard.json", "share/doc/pasvd/examples/pasvd.conf",
    "share/doc/pasvd/examples/shorewall-started", "share/doc/pasvd/examples/ufw-after.init",
    "share/pasvd/check.schema.json", "share/pasvd/pasvctl.schema.json", "share/pasvd/replay.schema.json", "share/man/man5/pasvd.conf.5",
    "share/man/man8/pasvctl.8", "share/man/man8/pasvd-check.8", "share/man/man8/pasvd-replay.8",
    "share/man/man8/pasvd-rules.8", "share/man/man8/pasvd.8"}

# What has the privilege, and parses packets, brings along no more than it has to.
LIBRARIES = {"libc", "libcap-ng", "libinih", "libjansson", "libmnl", "libnetfilter_queue", "libnfnetlink", "libseccomp"}

# At the top of the tarball: all that is in the repository, since all tests can be run there as well.
RELEASED = {
    ".ci", ".clang-format", ".clang-tidy", ".containerignore", ".gitignore", "CHANGELOG.md", "HACKING.md", "LICENSE", "README.md",
    "completion", "debian", "docs", "include", "iptables", "man", "meson.build", "meson_options.txt", "packaging", "quickstart",
    "scripts", "src", "systemd", "tests"}


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_installed_files_are_those_of_the_list_and_go_again(work):
    build, dest, prefix = work / "build", work / "dest", "/opt/ftp"
    run("meson", "setup", "-Doptimization=1", "-Dtests=false", f"--prefix={prefix}", build, TOP)
    run("ninja", "-C", build, timeout=300)
    environment = {**os.environ, "DESTDIR": str(dest)}
    run("meson", "install", "-C", build, "--no-rebuild", env=environment)
    root = dest / prefix.lstrip("/")
    assert files_below(dest) == {f"{prefix.lstrip('/')}/{name}" for name in INSTALLED}
    unit = (root / "lib/systemd/system/pasvd.service").read_text()
    assert f"ExecStart={prefix}/sbin/pasvd " in unit and not re.search(r"@\w+@", unit)
    assert "/usr/local/" not in (root / "share/man/man8/pasvd-rules.8").read_text()
    assert run(root / "sbin" / "pasvd", "--version") == f"pasvd {release.VERSION}\n"
    assert run(root / "sbin" / "pasvctl", "--version") == f"pasvctl {release.VERSION}\n"
    assert run(root / "sbin" / "pasvd", "rules", "load", "--help").startswith("usage: pasvd rules load")
    assert set(re.findall(r"^\s*(lib[\w-]+)\.so", run("ldd", root / "sbin" / "pasvd"), re.M)) == LIBRARIES
    run("ninja", "-C", build, "uninstall", env=environment)
    assert files_below(dest) == set()


def test_tarball_has_what_belongs_into_it():
    with tarfile.open(release.tarball()) as archive:
        names = [member.name.split("/") for member in archive if "/" in member.name]
    assert {name[0] for name in names} == {f"pasvd-{release.VERSION}"}
    assert {name[1] for name in names} == RELEASED


def test_versions_agree():
    changelog = (TOP / "CHANGELOG.md").read_text()
    assert f"\n## [{release.VERSION}]" in changelog
    package = run("dpkg-parsechangelog", "-l", TOP / "debian" / "changelog", "-S", "Version")
    assert package.startswith(f"{release.VERSION}-")


def test_build_folder_is_this_trees():
    """Else the tarball would be of another one."""
    assert f'"source": "{TOP}"' in (BUILD / "meson-info" / "meson-info.json").read_text()
