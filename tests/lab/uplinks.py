# SPDX-License-Identifier: GPL-2.0-or-later
"""uplinks.py - a router with two uplinks

Comes in:  what a Lab is given; whether the providers translate.
Goes out:  a Lab with two public addresses, one behind each uplink.

    client 0 --+               +-- provider 0 -- wan0 [router] lan0 -- server 0
               +---- bridge ---+                     |   lan -- bridge --+-- LAN client 0
    server 1 --+               +-- provider 1 -- wan1                    +-- LAN client 1

A provider lets nothing out that does not come from its public address, so what
takes the wrong uplink is lost.  Either the router has the public addresses
itself, or addresses that nobody outside knows, and each provider translates its
public one to that, whatever the port ("1:1 NAT").

The router sends what has no mark by uplink 0.  What came in by uplink 1, and
what LAN client 1 begins, is marked, and so is all that belongs to it: this is
the admin's, and stands in README.  TLS_MARK is pasvd's.
"""

from lab import IP4, IP6, Lab, Namespace

LINK = {IP4: "192.168.17.", IP6: "fd17::"}  # networks between providers and router
PUBLIC = {IP4: ("203.0.113.1", "192.0.2.77"), IP6: ("2001:db8:113::1", "2001:db8:77::77")}
MARK, TABLE = 2, 2
TLS_MARK = 0x40000000
CONNMARK = 0xf0000000     # all of its bits


class Uplinks(Lab):
    def __init__(self, translated=False, family=IP4, **options):
        super().__init__(family=family, publics=PUBLIC[family], **options)
        self.translated = translated

    def _make_namespaces(self, stack):
        super()._make_namespaces(stack)
        self.providers = []
        for number in range(2):
            provider = Namespace(f"provider{number}")
            stack.callback(provider.close)
            provider.sysctl("net.ipv6.conf.default.accept_dad", 0)
            self.providers.append(provider)

    @property
    def ways(self):
        return [self.outside_address(2 + number) for number in range(2)]

    def gateway(self, number):
        """The provider's address for the router."""
        return f"{LINK[self.family]}{2 * number + 1}"

    def uplink_address(self, number):
        """The router's own."""
        return f"{LINK[self.family]}{2 * number + 2}" if self.translated else self.publics[number]

    def _wire(self):
        self._wire_bridge("hub", [(host, "eth0") for host in [*self._outside(), *self.providers]])
        self._wire_home()
        self._route_outside()
        self._forward(self.router)
        if self.family is IP4:  # what comes in by an uplink would not be sent there without a mark
            self.router.sysctl("net.ipv4.conf.all.rp_filter", 2)
        for number, provider in enumerate(self.providers):
            provider.ip("link set lo up\nlink set eth0 up\n"
                        + self._add_address(self.ways[number], "eth0", self.family.outside_bits))
            self._forward(provider)
            self.plug(number)
        self.router.run("ip", f"-{4 if self.family is IP4 else 6}", "rule", "add", "fwmark",
                        f"{MARK}/{MARK}", "table", TABLE)

    def plug(self, number):
        """The wire of an uplink with its addresses and routes."""
        provider, device = self.providers[number], f"wan{number}"
        gateway, address = self.gateway(number), self.uplink_address(number)
        self.router.ip(f"link add {device} type veth peer name cpe netns {provider.path}\n"
                       f"link set {device} up\n" + self._add_address(address, device, peer=gateway)
                       + f"route add default via {gateway} dev {device} onlink "
                       + (f"table {TABLE}\n" if number else "\n"))
        provider.ip("link set cpe up\n" + self._add_address(gateway, "cpe", peer=address))

    def unplug(self, number):
        """The interface is gone, with all that belongs to it."""
        self.router.ip(f"link del wan{number}\n")

    def rule_options(self, number):
        clients = self.firewall_options + (["--lan", "lan"] if self.lan_addresses else [])
        if not self.inside_addresses:
            return [*clients, "-6" if self.family is IP6 else "-4"]
        return ["--wan", "wan0", "--wan", "wan1", "--server", self.server_addresses[0], *clients]

    def load_rules(self):
        """The admin's first, as when a router starts."""
        self.restore(f"""\
*mangle
-A PREROUTING -i wan1 -m conntrack --ctstate NEW -j CONNMARK --set-mark {MARK}/{MARK}
{self._marks_of_lan()}-A PREROUTING -i lan+ -j CONNMARK --restore-mark
COMMIT
*nat
-A POSTROUTING -o wan+ -j MASQUERADE
COMMIT
""")
        super().load_rules()
        for number, provider in enumerate(self.providers):
            self._provide(provider, self.publics[number], self.uplink_address(number))

    def _marks_of_lan(self):
        return "".join(f"-A PREROUTING -i lan -s {address} -m conntrack --ctstate NEW "
                       f"-j CONNMARK --set-mark {MARK}/{MARK}\n" for address in self.lan_addresses[1:2])

    def _provide(self, provider, public, address):
        text = f"*raw\n-A PREROUTING -i cpe -p tcp ! -s {address} -j DROP\nCOMMIT\n"
        if self.translated:
            text += (f"*nat\n-A PREROUTING -d {public} -j DNAT --to-destination {address}\n"
                     f"-A POSTROUTING -s {address} -j SNAT --to-source {public}\nCOMMIT\n")
        provider.run(f"{self.family.iptables}-restore", "--noflush", input=text)

    def marks(self):
        """The marks of the TCP connections that are tracked, of pasvd's bits only that of TLS."""
        marks = (int(line.split(" mark=")[1].split()[0]) for line in self.connections("-p", "tcp"))
        return [mark & (~CONNMARK | TLS_MARK) for mark in marks]
