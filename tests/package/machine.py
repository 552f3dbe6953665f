# SPDX-License-Identifier: GPL-2.0-or-later
"""machine.py - a system that has been booted, with the lab's router for its network

Comes in:  a folder with a system (release.py), a network namespace.
Goes out:  a Machine, to be used with "with": systemd runs there as process 1, with the
           unit, its sandbox and the journal as they are on a router.

Its processes see nothing of this machine but the kernel. It ends with this process.
"""

import contextlib
import pathlib
import re
import subprocess

from lab import SLOWNESS, wait_for

BOOT_LIMIT = 60         # seconds
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
               "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
# What is there for as long as a system runs, or records what was done to it.
PASSING = re.compile(r"/(?:proc|sys|dev|run|tmp|var/tmp|var/log|var/cache|var/lib/apt/lists|var/lib/dpkg|root)(?:/.*)?"
                     r"|/var/lib/systemd/(?:random-seed|timers/.*|catalog/.*)|/etc/(?:passwd|group|g?shadow)-"
                     r"|/etc/\.pwd\.lock|/var/lib/apt/.*|/etc/ld\.so\.cache")


class Machine:
    def __init__(self, root, namespace):
        self.root = pathlib.Path(root)
        self.namespace = namespace
        self.log = self.root.with_suffix(".log")

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit",
                 f"--network-namespace-path={self.namespace.path}", "--capability=CAP_NET_ADMIN",
                 f"--directory={self.root}", "--boot"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.pid = wait_for(self._init, BOOT_LIMIT, "process 1")
            wait_for(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip()
                     in ("running", "degraded"), BOOT_LIMIT, "a system that runs")
        except BaseException as error:
            self.__exit__()
            raise RuntimeError(f"no system: {self.log.read_text(errors='replace')[-2000:]}") from error
        return self

    def __exit__(self, *_):
        """SIGTERM is handed on to systemd as the wish to halt."""
        self.popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout=20)
        self.popen.kill()
        self.popen.wait(timeout=10)

    def _init(self):
        if self.popen.poll() is not None:
            raise RuntimeError(f"systemd-nspawn ended with {self.popen.returncode}")
        for child in pathlib.Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError):    # one that only made the other
                if re.search(r"^NSpid:.*\t1$", pathlib.Path(f"/proc/{child}/status").read_text(), re.M):
                    return child
        return None

    def run(self, *argv, check=True, timeout=60):
        done = subprocess.run(["nsenter", f"--target={self.pid}", "--all", "--", *map(str, argv)], text=True,
                              timeout=timeout * SLOWNESS, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace")
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, argv))}: status {done.returncode}: {done.stderr}{done.stdout}")
        return done

    def output(self, *argv, **options):
        return self.run(*argv, **options).stdout

    def path(self, name):
        """Of a file there, seen from here."""
        return pathlib.Path(f"/proc/{self.pid}/root{name}")

    def property(self, name, unit="pasvd.service"):
        return self.output("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def journal(self):
        self.run("journalctl", "--sync")
        return self.output("journalctl", "--no-pager", "--output=short-precise", "--unit=pasvd.service")

    def files(self):
        """Names of all files that stay, and who users and groups are."""
        names = {name for name in self.output("find", "/", "-xdev").splitlines() if not PASSING.fullmatch(name)}
        return names | {f"{name}: {line}" for name in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
                        for line in self.path(name).read_text().splitlines()}
