# SPDX-License-Identifier: GPL-2.0-or-later
"""path.py - a host outside, a router with the rules, a host on its LAN

    outside -- hop -- (wan0) router (lan) -- inside

The hop has a small MTU towards the host outside, the router's forward policy is
to drop.  Either host is client or server.  The in-kernel helper "ftp" stands in for
daemon and ct_helper, so that a failure here is one of the rules.  The rules are those
for iptables or for nft; with nft, what the router lets through is what they ask for.
"""

import contextlib
import ipaddress
import re
import socket
import threading
import typing

from lab import PASVD, PATIENCE, Namespace
from printed import edited_tools
from rules import let_through

SMALL_MTU = 1300
LENGTH = 100000 # more than the first window, and many times the MTU
PASSIVE, ACTIVE = 50000, 40000 # data ports


class Net(typing.NamedTuple):
    """The addresses of one family: those of the host outside, the hop, the router, the host on the LAN."""

    flag: str
    iptables: str
    bits: int
    outside: str
    stranger: str
    hop_down: str
    hop_up: str
    public: str
    gateway: str
    inside: str
    neighbour: str

    @property
    def at_once(self):
        """An address that others are asked about is good a little later; with accept_dad=0 as well."""
        return " nodad" if self.flag == "-6" else ""

    def options(self, text):
        return text.format(**self._asdict()).split()

    def destination(self):
        return f"[{self.inside}]:21" if self.flag == "-6" else f"{self.inside}:21"

    def port_command(self, address):
        if self.flag == "-4":
            return f"PORT {address.replace('.', ',')},{ACTIVE >> 8},{ACTIVE & 255}\r\n"
        return f"EPRT |2|{address}|{ACTIVE}|\r\n"

    def address_in(self, command):
        """The kernel writes IPv6 addresses in full."""
        if self.flag == "-4":
            return ".".join(re.search(r"(\d+),(\d+),(\d+),(\d+),", command).groups())
        return str(ipaddress.ip_address(command.split("|")[2]))

    def passive_reply(self, address):
        if self.flag == "-4":
            return f"227 Entering Passive Mode ({address.replace('.', ',')},{PASSIVE >> 8},{PASSIVE & 255})\r\n"
        return f"229 Entering Extended Passive Mode (|||{PASSIVE}|)\r\n"


NETS = (
    Net("-4", "iptables", 24, "198.51.100.2", "198.51.100.3", "198.51.100.1", "203.0.113.254", "203.0.113.1",
        "10.0.0.1", "10.0.0.2", "10.0.0.3"),
    Net("-6", "ip6tables", 64, "2001:db8:2::2", "2001:db8:2::3", "2001:db8:2::1", "2001:db8:1::fe", "2001:db8:1::1",
        "fd00::1", "fd00::2", "fd00::3"))

FORWARDED = "--wan wan0 --server {inside}"
FORWARDED_2121 = FORWARDED + " --port 2121:21"
DIALLED = "--server {inside} --public {public}"
BEHIND = "--lan lan {flag}"

# nft cannot name a queue where the kernel has none for it; nobody listens to it here.
STAND_IN = "s/sane/ftp/; s/--helper pasvd/--helper ftp/; s/\"pasvd\"/\"ftp\"/; s/queue num [0-9]*\\( bypass\\)\\?$/accept/"


class Path:
    """outside -- hop -- (wan0) router (lan) -- inside"""

    def __init__(self, tmp, net, firewall, options, pasvd=PASVD):
        self.on_exit = contextlib.ExitStack()
        self.net = net
        self.nft = firewall == "nft"
        self.outside, self.hop, self.router, self.inside = (self.namespace(name) for name in (
            "outside", "hop", "router", "inside"))
        self.home = {self.outside: net.outside, self.inside: net.inside}
        for ns in (self.hop, self.router):
            ns.sysctl("net.ipv4.ip_forward", 1)
            ns.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.wire(self.outside, [net.outside, net.stranger], "wan", self.hop, net.hop_down, "down0")
        self.wire(self.hop, [net.hop_up], "up0", self.router, net.public, "wan0")
        self.wire(self.inside, [net.inside, net.neighbour], "eth0", self.router, net.gateway, "lan")
        self.route(self.outside, "default", net.hop_down, "wan")
        self.route(self.hop, f"{net.inside}/{net.bits}", net.public, "up0")
        self.route(self.router, "default", net.hop_up, "wan0")
        self.route(self.inside, "default", net.gateway, "eth0")
        self.hop.ip(f"link set down0 mtu {SMALL_MTU}")
        self.load(tmp, net.options(options), pasvd)

    def namespace(self, name):
        ns = Namespace(name)
        self.on_exit.callback(ns.close)
        ns.sysctl("net.ipv6.conf.default.accept_dad", 0) # addresses are good at once
        return ns

    def wire(self, left, left_addresses, left_name, right, right_address, right_name):
        left.ip(f"link add {left_name} type veth peer name {right_name} netns {right.path}")
        for ns, name in ((left, left_name), (right, right_name)):
            ns.ip(f"link set {name} up\nlink set lo up")
            ns.run("ethtool", "-K", name, "tso", "off", "gso", "off")
        for ns, name, addresses in ((left, left_name, left_addresses), (right, right_name, [right_address])):
            for address in addresses:
                ns.ip(f"address add {address}/{self.net.bits} dev {name}{self.net.at_once}")

    def route(self, ns, to, gateway, device):
        network = to if to == "default" else str(ipaddress.ip_interface(to).network)
        ns.ip(f"route add {network} via {gateway} dev {device} onlink")

    def load(self, tmp, options, pasvd):
        tools = edited_tools(tmp, STAND_IN)
        if self.nft:
            options = [*options, "--nft"]
            text = self.router.run("sed", STAND_IN, input=self.router.run(pasvd, "rules", "print", *options).stdout).stdout
            self.router.run("nft", "-f", "-", input="table inet firewall {\nchain forward {\n"
                            "type filter hook forward priority filter; policy drop;\n"
                            + "\n".join(let_through(text)) + "\n}\n}\n")
        else:
            self.iptables("-P FORWARD DROP")
        self.router.run(pasvd, "rules", "load", *options, env=tools)

    def accept_all(self):
        if self.nft:
            self.router.run("nft", "add rule inet firewall forward accept")
        else:
            self.iptables("-A FORWARD -j ACCEPT")

    def accept_new(self, port):
        if self.nft:
            self.router.run("nft", f"add rule inet firewall forward tcp dport {port} ct state new accept")
        else:
            self.iptables(f"-A FORWARD -p tcp --dport {port} -m conntrack --ctstate NEW -j ACCEPT")

    def iptables(self, words):
        return self.router.run(self.net.iptables, *words.split()).stdout

    def masquerade(self, device):
        self.iptables(f"-t nat -A POSTROUTING -o {device} -j MASQUERADE")

    def listen(self, ns, address, port):
        family = socket.AF_INET if self.net.flag == "-4" else socket.AF_INET6
        with ns.inside():
            listener = socket.create_server((address, port), family=family)
        listener.settimeout(PATIENCE)
        self.on_exit.callback(listener.close)
        return listener

    def connect(self, ns, address, port, timeout=PATIENCE, source=None):
        return ns.connect(address, port, timeout=timeout, source=source or (self.home[ns], 0))

    def dial(self, ns, address, port, listener, source=None):
        """Both ends of a connection; closed with the path."""
        near = self.connect(ns, address, port, source=source)
        self.on_exit.callback(near.close)
        far = listener.accept()[0]
        self.on_exit.callback(far.close)
        return near, far

    def forwarded(self, port=21):
        """A control connection from outside to the server: client's end, server's end."""
        listener = self.listen(self.inside, self.net.inside, 21)
        return self.dial(self.outside, self.net.public, port, listener)

    def outgoing(self):
        """A control connection from the LAN to a server outside: client's end, server's end."""
        listener = self.listen(self.outside, self.net.outside, 21)
        return self.dial(self.inside, self.net.outside, 21, listener)

    def blocked(self, ns, address, port, source=None):
        """A refusal would do as well; the rules drop, so most of this is waiting."""
        try:
            self.connect(ns, address, port, 0.3, source).close()
        except OSError:
            return True
        return False

    def diverted(self, table="mangle"):
        """Packets with payload that met a rule that queues."""
        if self.nft:
            listed = self.router.run("nft", "list", "table", "inet", "pasvd").stdout
            return sum(int(count) for count in re.findall(r"@ih,0,8 >= 0x0 counter packets (\d+)", listed))
        listed = self.iptables(f"-t {table} -vxnL PASVD")
        return sum(int(count) for count in re.findall(r"^ *(\d+) +\d+ NFQUEUE .*bpf", listed, re.M))

    def connections(self):
        family = "ipv4" if self.net.flag == "-4" else "ipv6"
        return self.router.run("conntrack", "-L", "-f", family, "-p", "tcp").stdout


def receive(connection, length):
    connection.settimeout(PATIENCE)
    got = b""
    while len(got) < length:
        part = connection.recv(65536)
        assert part, f"{len(got)} of {length} bytes"
        got += part
    return got


def say(sender, receiver, text):
    """Sends a line and returns it as it comes out."""
    sender.sendall(text.encode())
    got = ""
    while not got.endswith("\n"):
        got += receive(receiver, 1).decode()
    return got


def transfer(sender, receiver):
    """In a thread, as the receiver has to read at the same time."""
    thread = threading.Thread(target=sender.sendall, args=(b"x" * LENGTH,), daemon=True)
    thread.start()
    assert receive(receiver, LENGTH) == b"x" * LENGTH
    thread.join(PATIENCE)


def greet(client, server):
    """A helper has to see where lines end, in both directions."""
    say(server, client, "220 Ready\r\n")
    say(client, server, "USER me\r\n")
