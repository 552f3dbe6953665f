# SPDX-License-Identifier: GPL-2.0-or-later
"""release.py - what is made of the tree: a tarball, packages, a system to install them into

Comes in:  the last commit; a build folder that is configured ($BUILD).
Goes out:  the tarball; the packages, built from the tarball alone by a user who has no
           privilege and no network; folders with a small Debian, which is kept in
           $BUILD/package.

Limits: needs root, and the packages that scripts/prepare.sh installs; the first time
also what this machine's apt has its packages from.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import lab as lab_module

TOP = lab_module.TOP
BUILD = lab_module.BUILD.resolve()
KEPT = BUILD / "package"
VERSION = re.search(r"version: '([\d.]+)'", (TOP / "meson.build").read_text())[1]
UNPRIVILEGED = ["unshare", "--net", "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
# Beside what the package depends on: who starts it, and who runs the service.
SYSTEM = ["systemd"]
# With the libraries that a small system may lack.
FIREWALLS = ["nftables", "libnftables1", "libedit2", "libbsd0", "libmd0", "iptables-persistent", "netfilter-persistent"]
BUILD_LIMIT = 900           # seconds
DOWNLOAD_LIMIT = 600


def run(*argv, timeout=60, check=True, **options):
    """A program to its end; what it prints comes back, and is shown if it fails."""
    done = subprocess.run([str(word) for word in argv], timeout=timeout * lab_module.SLOWNESS, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    if check and done.returncode != 0:
        failed = re.findall(r".*\b(?:FAIL|TIMEOUT|ERROR|error:).*", done.stdout)
        raise RuntimeError("\n".join([f"{argv[0]}: status {done.returncode}:", *failed[:20], done.stdout[-4000:]]))
    return done.stdout


def folder():
    """A new one that everybody can enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="pasvd-package-"))
    path.chmod(0o755)
    return path


def tarball():
    """Of the last commit, or of a tree that is unpacked from such a tarball. git may find that its folder belongs to somebody
    else than root."""
    path = BUILD / "meson-dist" / f"pasvd-{VERSION}.tar.xz"
    if not (TOP / ".git").exists():
        path.parent.mkdir(exist_ok=True)
        run("tar", "-cJf", path, "--exclude=./build*", "--exclude=__pycache__", "--exclude=.pytest_cache",
            f"--transform=s,^[.],pasvd-{VERSION},", "-C", TOP, ".", timeout=DOWNLOAD_LIMIT)
        return path
    trusted = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    run("meson", "dist", "-C", BUILD, "--no-tests", "--allow-dirty", "--formats", "xztar",
        env={**os.environ, **trusted})
    return path


def packages(work):
    """Builds the source package and the binary ones in the folder, which gets them.
    @returns those files by the kind that stands in their names."""
    shutil.copy(tarball(), work / f"pasvd_{VERSION}.orig.tar.xz")
    run("tar", "-xf", work / f"pasvd_{VERSION}.orig.tar.xz", "-C", work)
    run("chown", "-R", "nobody:nogroup", work)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(work), "LC_ALL": "C.UTF-8"}
    log = run(*UNPRIVILEGED, "dpkg-buildpackage", "-us", "-uc", cwd=work / f"pasvd-{VERSION}", timeout=BUILD_LIMIT,
              env=environment)
    (work / "log").write_text(log)
    found = {"changes": work.glob("*.changes"), "deb": work.glob("pasvd_*.deb"), "dbgsym": work.glob("*dbgsym*.deb")}
    return {kind: path for kind, (path,) in ((kind, list(paths)) for kind, paths in found.items())}


def dependencies(deb):
    """Names of the packages that it needs; of alternatives the first."""
    return sorted(re.match(r"[^ |(]+", word.strip())[0] for word in run("dpkg-deb", "-f", deb, "Depends").split(","))


def archive():
    """Where this machine's apt finds Debian's main archive."""
    for _ in range(2):
        text = run("apt-get", "indextargets", "--format", "$(LABEL) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
        found = re.search(r"^Debian main (\S+)", text, re.M)
        if found:
            return found[1]
        run("apt-get", "-q", "update", timeout=DOWNLOAD_LIMIT)  # it has not read them yet
    raise RuntimeError("apt's sources have no archive of Debian")


def _debian(names):
    """The kept system, of this machine's release: it is made if it is missing, or was made of other packages."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M)[1]
    recipe = f"{release} {','.join(names)}\n"
    root, made_of = KEPT / "root", KEPT / "made-of"
    if made_of.exists() and made_of.read_text() == recipe:
        return root
    made_of.unlink(missing_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    run("debootstrap", "--variant=minbase", f"--include={','.join(names)}", release, root, archive(),
        timeout=DOWNLOAD_LIMIT)
    made_of.write_text(recipe)
    return root


def apt_settings():
    """How this machine's apt gets at packages."""
    return "".join(re.findall(r"^(?:Acquire|APT::Sandbox)::.*\n", run("apt-config", "dump"), re.M))


def kept_system(deb):
    """Of those packages that the package needs; nobody may change it."""
    return _debian(dependencies(deb) + SYSTEM)


def system(deb, root):
    """A new folder with a system that has all that the package needs, the package in /root/pasvd.deb, and firewalls
    in /root/firewalls."""
    run("cp", "-a", kept_system(deb), root, timeout=DOWNLOAD_LIMIT)
    shutil.copy(deb, root / "root" / "pasvd.deb")
    firewalls = root / "root" / "firewalls"
    firewalls.mkdir()
    run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *FIREWALLS, cwd=firewalls, timeout=DOWNLOAD_LIMIT)
