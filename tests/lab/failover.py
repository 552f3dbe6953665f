# SPDX-License-Identifier: GPL-2.0-or-later
"""failover.py - two routers, one of which stands by

Comes in:  what a Lab is given.
Goes out:  a Lab with a second router.  Both have the same rules and run pasvd, and
           conntrackd, which tells the other one's connection tracking what it sees.

    client 0 --+           +-- wan [routers[0]] lan0 --+
    client 1 --+-- bridge -+           | sync          +-- bridge -- server 0
               ...         +-- wan [routers[1]] lan0 --+

The two have the same addresses, those of the link layer too, as with VRRP; the
interfaces of the one that stands by are down.  "router" is the one that does the work.

Limits: IPv4, one server, no LAN clients.
"""

from lab import BUILD, Lab, Namespace, Process, wait_for
from servers import LIBRARIES

CONNTRACKD = BUILD / "servers" / "conntrackd" / "usr" / "sbin" / "conntrackd"
SYNC = ("10.9.0.1", "10.9.0.2")
MAC = {"wan": "02:00:5e:00:01:01", "lan0": "02:00:5e:00:01:02"}

CONFIGURATION = """\
Sync {{
	Mode FTFW {{
		DisableExternalCache yes
	}}
	UDP {{
		IPv4_address {ours}
		IPv4_Destination_Address {theirs}
		Port 3780
		Interface sync
		Checksum on
	}}
	Options {{
		ExpectationSync On
	}}
}}
General {{
	HashSize 1024
	HashLimit 4096
	LockFile {folder}/{name}.lock
	UNIX {{
		Path {folder}/{name}.socket
	}}
	Filter From Kernelspace {{
		Protocol Accept {{
			TCP
		}}
	}}
}}
"""


class Failover(Lab):
    def _make_namespaces(self, stack):
        super()._make_namespaces(stack)
        standby = Namespace("standby")
        stack.callback(standby.close)
        standby.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self.routers = [self.router, standby]

    def _wire(self):
        self._wire_bridge("hub", [*((router, "wan") for router in self.routers),
                                  *((host, "eth0") for host in self._outside())])
        self._wire_bridge("back", [*((router, "lan0") for router in self.routers),
                                   (self.servers[0], "eth0")])
        self.routers[0].ip(f"link add sync type veth peer name sync netns {self.routers[1].path}\n")
        server, gateway = self.server_addresses[0], self.family.gateway
        for router, address in zip(self.routers, SYNC):
            router.ip("link set lo up\nlink set sync up\n" + self._add_address(address, "sync", 30)
                      + "".join(f"link set {device} address {mac}\n" for device, mac in MAC.items())
                      + self._add_address(self.router_address, "wan", self.family.outside_bits)
                      + "".join(self._add_address(address, "wan") for address in self.publics)
                      + self._add_address(gateway, "lan0", peer=server))
            self._forward(router)
        self._work(self.router, "up")
        self._route_outside()
        self.servers[0].ip("link set lo up\nlink set eth0 up\n"
                           + self._add_address(server, "eth0", peer=gateway)
                           + f"route add default via {gateway} dev eth0 onlink\n")

    def _work(self, router, state):
        router.ip("".join(f"link set {device} {state}\n" for device in MAC))

    def _each_router(self):
        """The one that does the work comes last."""
        for self.router in reversed(self.routers):
            yield self.router

    def load_rules(self):
        for _ in self._each_router():
            super().load_rules()

    def start_pasvd(self, args=()):
        for router in self._each_router():
            self._start_conntrackd(router)
            self.daemons = getattr(self, 'daemons', []) + [super().start_pasvd(args)]
        return self.pasvd

    @property
    def control_socket(self):
        return self.tmp / f"ctl-{self.router.name}"

    def standby_log(self):
        return "".join(p.log() for p in self.daemons)

    def _start_conntrackd(self, router):
        ours, theirs = SYNC if router is self.routers[0] else reversed(SYNC)
        path = self.tmp / f"conntrackd-{router.name}.conf"
        path.write_text(CONFIGURATION.format(ours=ours, theirs=theirs, name=router.name, folder=self.tmp))
        daemon = Process(router, [CONNTRACKD, "-C", path], path.with_suffix(".log"), env=LIBRARIES)
        self.on_exit(daemon.stop)
        wait_for(lambda: (self.tmp / f"{router.name}.socket").exists() or not daemon.alive(), 10,
                 "conntrackd")
        assert daemon.alive(), daemon.log()

    def wait_until_the_other_knows(self):
        """One connection more, of client 0: what it is told of last, it has heard all before."""
        with self.clients[0].connect(self.publics[0], 21) as last:
            wait_for(lambda: f"sport={last.getsockname()[1]} " in self.routers[1].run(
                "conntrack", "-L", "-p", "tcp").stdout, 10, "the last connection on the other router")

    def take_over(self):
        """The first router is gone from one moment to the next; the other one works."""
        self._work(self.router, "down")
        self.router = self.routers[1]
        self._work(self.router, "up")
