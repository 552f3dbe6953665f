# SPDX-License-Identifier: GPL-2.0-or-later
"""failover.py - two routers, one of which stands by

Comes in:  what a Lab is given.
Goes out:  a Lab with a second router.  Both have the same rules and run pasvd, and
           conntrackd, which tells the other one's connection tracking what it sees;
           its file and the script that a change runs are those of docs/deployment.md.

    client 0 --+           +-- wan [routers[0]] lan0 --+
    client 1 --+-- bridge -+           | eth2          +-- bridge -- server 0
               ...         +-- wan [routers[1]] lan0 --+

The two have the same addresses, those of the link layer too, as with VRRP; the
interfaces of the one that stands by are down.  "router" is the one that does the work.
With KeepalivedFailover each has addresses of its own, and keepalived moves the others.

Limits: one server, no LAN clients; KeepalivedFailover: IPv4.
"""

import re

from lab import BUILD, IP4, IP6, PASVCTL, TOP, Lab, Namespace, Process, wait_for
from servers import LIBRARIES

CONNTRACKD = BUILD / "servers" / "conntrackd" / "usr" / "sbin" / "conntrackd"
KEEPALIVED = BUILD / "servers" / "keepalived" / "usr" / "sbin" / "keepalived"
SYNC = ("10.9.0.1", "10.9.0.2")
MAC = {"wan": "02:00:5e:00:01:01", "lan0": "02:00:5e:00:01:02"}


def documented(name):
    """A file of docs/deployment.md."""
    text = (TOP / "docs" / "deployment.md").read_text()
    return re.search(rf"^```text {re.escape(name)}\n(.*?)^```$", text, re.M | re.S)[1]


def replaced(text, *pairs):
    """With the paths and names of the lab; each of them is in the text."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


class Failover(Lab):
    def _make_namespaces(self, stack):
        super()._make_namespaces(stack)
        standby = Namespace("standby")
        stack.callback(standby.close)
        self.routers = [self.router, standby]
        for router in self.routers:
            if self.family is IP4:
                router.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            else:
                router.sysctl("net.ipv6.conf.default.accept_dad", 0)
        self.daemons, self.conntrackds = {}, {}

    def _wire(self):
        self._wire_bridge("hub", [*((router, "wan") for router in self.routers),
                                  *((host, "eth0") for host in self._outside())])
        self._wire_bridge("back", [*((router, "lan0") for router in self.routers),
                                   (self.servers[0], "eth0")])
        self.routers[0].ip(f"link add eth2 type veth peer name eth2 netns {self.routers[1].path}\n")
        for router, address in zip(self.routers, SYNC):
            router.ip("link set lo up\nlink set eth2 up\n" + self._add_address(address, "eth2", 30)
                      + self._addresses_of(router))
            self._forward(router)
        self._work(self.router, "up")
        self._route_outside()
        server, gateway = self.server_addresses[0], self.family.gateway
        self.servers[0].ip("link set lo up\nlink set eth0 up\n"
                           + self._add_address(server, "eth0", peer=gateway)
                           + f"route add default via {gateway} dev eth0 onlink\n")

    def _addresses_of(self, _):
        """Lines for ip(8)."""
        return "".join(f"link set {device} address {mac}\n" for device, mac in MAC.items()) + self._shared_addresses()

    def _shared_addresses(self):
        return (self._add_address(self.router_address, "wan", self.family.outside_bits)
                + "".join(self._add_address(address, "wan") for address in self.publics)
                + self._add_address(self.family.gateway, "lan0", peer=self.server_addresses[0]))

    def _work(self, router, state):
        router.ip("".join(f"link set {device} {state}\n" for device in MAC))
        if state == "up" and self.family is IP6:    # an interface that goes down loses them
            router.ip("".join(f"addr flush dev {device} scope global\n" for device in MAC) + self._shared_addresses())

    def _each_router(self):
        """The one that does the work comes last."""
        for self.router in reversed(self.routers):
            yield self.router

    @property
    def standby(self):
        return next(router for router in self.routers if router is not self.router)

    def load_rules(self):
        for _ in self._each_router():
            super().load_rules()

    def start_pasvd(self, args=()):
        for router in self._each_router():
            self._write_script(router)
            self.start_pasvd_at(router, args)
            self.start_conntrackd(router)
        return self.pasvd

    def start_pasvd_at(self, router, args=()):
        active, self.router = self.router, router
        try:
            self.daemons[router] = super().start_pasvd(args)
        finally:
            self.router = active
        self.pasvd = self.daemons.get(active)

    @property
    def control_socket(self):
        return self.tmp / f"ctl-{self.router.name}"

    def _path(self, router, name):
        return self.tmp / f"{router.name}.{name}"

    def _executable(self, path, text):
        path.write_text(text)
        path.chmod(0o755)

    def _write_script(self, router):
        """That of the manual, which finds the two programs of this router."""
        folder = self._path(router, "bin")
        folder.mkdir()
        self._executable(folder / "pasvctl", f'#!/bin/sh\nexec {PASVCTL} "$@" -s {self.tmp}/ctl-{router.name}\n')
        libraries = "".join(f"export {key}={value}\n" for key, value in LIBRARIES.items())
        self._executable(folder / "conntrackd",
                         f'#!/bin/sh\n{libraries}exec {CONNTRACKD} -C {self._path(router, "conf")} "$@"\n')
        script = documented("pasvd-failover").split("\n", 1)
        self._executable(folder / "pasvd-failover", f"{script[0]}\nPATH={folder}:$PATH\n{script[1]}")

    def script(self, router, what):
        router.run(self._path(router, "bin") / "pasvd-failover", what)

    def start_conntrackd(self, router):
        ours, theirs = SYNC if router is self.routers[0] else reversed(SYNC)
        socket = self._path(router, "socket")
        for left in "lock", "log":
            self._path(router, left).unlink(missing_ok=True)
        self._path(router, "conf").write_text(replaced(
            documented("conntrackd.conf"), (f"IPv4_address {SYNC[0]}", f"IPv4_address {ours}"),
            (f"Address {SYNC[1]}", f"Address {theirs}"), ("/var/lock/conntrack.lock", str(self._path(router, "lock"))),
            ("/var/run/conntrackd.ctl", str(socket))))
        daemon = Process(router, [CONNTRACKD, "-C", self._path(router, "conf")], self._path(router, "log"),
                         env=LIBRARIES)
        self.conntrackds[router] = daemon
        self.on_exit(daemon.stop)
        # Its socket is there before it hears the kernel's events.
        wait_for(lambda: "-- starting in console mode --" in daemon.log() or not daemon.alive(), 10, "conntrackd")
        assert daemon.alive(), daemon.log()

    def knows(self, router, text, *what):
        return text in router.run("conntrack", "-L", *what).stdout

    def wait_until_known(self, text, *what):
        """The router that stands by has it in its list of connections, or of what else."""
        wait_for(lambda: self.knows(self.standby, text, *what), 10, f"{text} on the other router")

    def wait_until_its_own(self, text):
        """The conntrackd of the router that works has taken over the connection, and replicates its expectations."""
        program = self._path(self.router, "bin") / "conntrackd"
        wait_for(lambda: text in self.router.run(program, "-i").stdout, 10, f"{text} in conntrackd")

    def wait_until_the_other_knows(self):
        """One connection more, of client 0: what it is told of last, it has heard all before."""
        with self.clients[0].connect(self.publics[0], 21) as last:
            self.wait_until_known(f"sport={last.getsockname()[1]} ", "-p", "tcp")

    def die(self):
        """All of the router that works is gone from one moment to the next."""
        self._work(self.router, "down")
        self.daemons[self.router].kill()
        self.conntrackds[self.router].stop()

    def take_over(self):
        """The other router works in the place of the one that is gone."""
        self.die()
        self.switch_over()

    def switch_over(self, script=True):
        """Likewise, but nothing is gone: the router that worked stands by."""
        self._work(self.router, "down")
        self.router = self.standby
        self.pasvd = self.daemons.get(self.router)
        self._work(self.router, "up")
        if script:
            self.script(self.router, "active")

    def come_back(self):
        """The router that is gone has started again, and stands by."""
        router = self.standby
        router.run("conntrack", "-F")
        router.run("conntrack", "-F", "expect")
        self.start_pasvd_at(router)
        self.start_conntrackd(router)
        self.script(router, "standby")


class KeepalivedFailover(Failover):
    """Both have their interfaces up; keepalived, with the manual's file, decides who works."""

    def _addresses_of(self, router):
        number = 2 + self.routers.index(router)
        home = self.family.gateway.rpartition(".")[0]
        return (self._add_address(self.outside_address(number), "wan", self.family.outside_bits)
                + self._add_address(f"{home}.{number}", "lan0")
                + f"link set lan0 up\nroute add {self.server_addresses[0]} dev lan0\n"
                + ("link set wan up\n" if router is not self.router else ""))

    def start_pasvd(self, args=()):
        self.keepaliveds = {}
        super().start_pasvd(args)
        for router in self.routers:
            self._start_keepalived(router)
            self.wait_until_active(self.routers[0])
        return self.pasvd

    def wait_until_active(self, router):
        """It has the addresses before its pasvd is told."""
        wait_for(lambda: self.is_active(router), 20, "the router is active")
        wait_for(self._path(router, "is-active").exists, what="the script's end")

    def is_active(self, router):
        return self.publics[0] in router.run("ip", "-4", "addr", "show", "dev", "wan").stdout

    def _write_script(self, router):
        super()._write_script(router)
        folder = self._path(router, "bin")
        self._executable(folder / "notify",
                         f'#!/bin/sh\n{folder}/pasvd-failover "$@"; touch {self._path(router, "is")}-"$1"\n')

    def _start_keepalived(self, router):
        path = self._path(router, "keepalived.conf")
        path.write_text(replaced(
            documented("keepalived.conf"), ("interface eth0", "interface wan"), ("interface eth1", "interface lan0"),
            ("203.0.113.1/32", f"{self.publics[0]}/32\n\t\t{self.router_address}/{self.family.outside_bits}"),
            ("192.168.1.1/24", f"{self.family.gateway}/32"),
            ("/etc/keepalived/pasvd-failover", str(self._path(router, "bin") / "notify"))))
        pids = [f"--{name}={self._path(router, name)}" for name in ("pid", "vrrp_pid", "checkers_pid", "bfd_pid")]
        # One that does not run in time has the other router take over.
        daemon = Process(router, ["nice", "-n", "-20", KEEPALIVED, "-n", "-l", "-D", "-P", "-f", path, *pids],
                         self._path(router, "keepalived.log"), env=LIBRARIES)
        self.keepaliveds[router] = daemon
        self.on_exit(daemon.stop)

    def take_over(self):
        dead, self.router = self.router, self.standby
        self._path(self.router, "is-active").unlink(missing_ok=True)
        dead.ip("".join(f"link set {device} down\n" for device in MAC))
        for daemon in self.daemons[dead].popen, self.conntrackds[dead].popen, self.keepaliveds[dead].popen:
            daemon.kill()
        self.pasvd = self.daemons[self.router]
        self.wait_until_active(self.router)
