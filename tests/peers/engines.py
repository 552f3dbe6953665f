# SPDX-License-Identifier: GPL-2.0-or-later
"""engines.py - the lab, with each program that follows FTP on the router

Comes in:  the lab's Lab; the modules of the kernel, which are loaded and unloaded; conntrackd in $BUILD/servers.
Goes out:  PeerLab, a Lab whose engine is one of ENGINES, and whose engine can be killed; likewise one that has a second
           router, and one whose router translates for one server and not for the other.
Limits: in a virtual machine of tests/kernels only: what it does to the kernel and to /usr/lib is for the whole machine.
The helpers of the kernel and of conntrackd have the same name, so conntrackd's, which nobody unregisters, comes last.
"""

import os
import pathlib
import subprocess

import lab as lab_module
import rules
from failover import Failover
from lab import IP4, Lab, Process, wait_for
from servers import LIBRARIES
from test_side_by_side import SideBySide

ENGINES = ("pasvd", "kernel-ftp", "conntrackd")

CONNTRACKD = lab_module.BUILD / "servers" / "conntrackd" / "usr"
# Where conntrackd looks for what it knows of protocols.
LIBRARY = pathlib.Path("/usr/lib/x86_64-linux-gnu/conntrack-tools")
CONFIGURATION = """General {{
    Systemd no
    LockFile {folder}/conntrackd.lock
    UNIX {{
        Path {folder}/conntrackd.socket
    }}
}}
Helper {{
    Type ftp inet tcp {{
        QueueNum 0
        QueueLen 10240
        Policy ftp {{
            ExpectMax 1
            ExpectTimeout 300
        }}
    }}
    Type ftp inet6 tcp {{
        QueueNum 1
        QueueLen 10240
        Policy ftp {{
            ExpectMax 1
            ExpectTimeout 300
        }}
    }}
}}
"""
KERNEL_MODULES = ["nf_nat_ftp", "nf_conntrack_ftp"]
NFCT = lab_module.BUILD / "servers" / "nfct" / "usr" / "sbin" / "nfct"

rules.HELPERS["conntrackd"] = "ftp"
lab_module.ENGINES = (*lab_module.ENGINES, "conntrackd")


def prepare(engine):
    """Once for all labs with that engine."""
    if engine == "conntrackd":
        subprocess.run(["modprobe", "-r", *KERNEL_MODULES], check=True)
        # else the rule that names the helper loads them again
        pathlib.Path("/etc/modprobe.d/peers.conf").write_text(
            "".join(f"install {module} /bin/false\n" for module in KERNEL_MODULES))
        subprocess.run(["modprobe", "-a", "nfnetlink_cthelper", "nfnetlink_queue"], check=True)
        if not LIBRARY.exists():
            LIBRARY.symlink_to(CONNTRACKD / LIBRARY.relative_to("/usr"))
        for family in "inet", "inet6":
            subprocess.run([NFCT, "add", "helper", "ftp", family, "tcp"], check=True,
                           env={**os.environ, **LIBRARIES})
    if engine == "kernel-ftp":
        subprocess.run(["modprobe", "-a", *KERNEL_MODULES], check=True)


class PeerLab(Lab):
    """Other programs than the kernel can be killed."""

    conntrackd = None

    def load_rules(self):
        if self.engine == "conntrackd":     # before rules name its helper
            self._start_conntrackd()
        super().load_rules()

    def _start_conntrackd(self):
        folder = self.tmp / f"helper-{self.next_number()}"
        folder.mkdir()
        path = folder / "conf"
        path.write_text(CONFIGURATION.format(folder=folder))
        self.conntrackd = daemon = Process(self.router, [CONNTRACKD / "sbin" / "conntrackd", "-C", path],
                                           folder / "log", env=LIBRARIES)
        self.on_exit(lambda: self._end_conntrackd(daemon))
        wait_for(lambda: (folder / "conntrackd.socket").exists() or not daemon.alive(), 10, "conntrackd")
        assert daemon.alive(), daemon.log()

    def _end_conntrackd(self, daemon):
        alive = daemon.alive()
        daemon.stop()
        assert alive or daemon is not self.conntrackd, daemon.log()

    def kill_engine(self):
        if self.engine == "pasvd":
            self.pasvd.kill()
        else:
            daemon, self.conntrackd = self.conntrackd, None
            daemon.popen.kill()
            daemon.popen.wait()

    def restart_engine(self):
        if self.engine == "pasvd":
            self.start_pasvd()
        else:
            self._start_conntrackd()


class PeerFailover(PeerLab, Failover):
    """Beside each engine there are the two conntrackd that replicate."""

    def _start_conntrackd(self):
        for _ in self._each_router():
            super()._start_conntrackd()

    def load_rules(self):
        super().load_rules()
        if self.engine != "pasvd":
            for router in self._each_router():
                self._write_script(router)
                self.start_conntrackd(router)


class PeerSideBySide(PeerLab, SideBySide):
    """Server 0 is behind DNAT, server 1 is dialled by its own address, server 2 is outside."""

    def __init__(self, **options):
        super().__init__(IP4, forwards=((21, 0, 21), (21, 1, 21)), **options)
