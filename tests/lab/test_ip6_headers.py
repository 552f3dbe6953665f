# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 extension headers: what stands after them is read, however many there are.

Conntrack and servers skip any number of destination options headers, and of
fragment headers of a packet that is whole (RFC 6946).
"""

import socket
import struct

import pytest

from lab import IP6, wait_for
from rawtcp import ACK, FIN, PSH, SYN, checksum
from scripted import ScriptedServer, eprt_argument
from test_active import offer
from test_unseen import ORDINARY, Site

LAN = "2001:db8:88::7"
TCP, FRAGMENT, DESTINATION = 6, 44, 60
OPTIONS, ATOMIC = (DESTINATION, 9), (FRAGMENT, 2)
CT_HELPER_REQUEST = bytes((0, 0, 0, 7, 0, 0, 0, 0))
STRICT = "[strict]\nbad-offer = refuse\n[tls]\nmode = refuse\n"


def extension_headers(kind, count):
    """The headers, and the next header of what stands in front of them."""
    chain, following = b"", TCP
    for number in range(count):
        body = bytes((1, 4, 0, 0, 0, 0)) if kind == DESTINATION else struct.pack("!HI", 0, number)
        chain, following = bytes((following, 0)) + body + chain, kind
    return chain, following


class RawTcp6:
    def __init__(self, namespace, source, destination, port=21, source_port=34567):
        self.ends = [socket.inet_pton(socket.AF_INET6, end) for end in (source, destination)]
        self.destination, self.ports = destination, (source_port, port)
        namespace.run("ip6tables", "-A", "OUTPUT", "-p", "tcp", "--sport", source_port, "--tcp-flags", "RST", "RST",
                      "-j", "DROP")
        with namespace.inside():
            self.sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86dd))
            self.receiver.bind(("eth0", 0))
        self.receiver.settimeout(10)
        self.seq, self.ack = 1000, 0

    def __enter__(self):
        self.send(SYN)
        self.ack = self.receive()[0] + 1
        self.send(ACK)
        return self

    def __exit__(self, *_):
        self.sender.close()
        self.receiver.close()

    def segment(self, flags, payload):
        def header(check):
            return struct.pack("!HHIIBBHHH", *self.ports, self.seq, self.ack, 5 << 4, flags, 60000, check, 0)
        tcp = header(0) + payload
        return header(checksum(b"".join(self.ends) + struct.pack("!IxxxB", len(tcp), TCP) + tcp)) + payload

    def send(self, flags, payload=b"", headers=(DESTINATION, 0)):
        tcp = self.segment(flags, payload)
        chain, following = extension_headers(*headers)
        packet = struct.pack("!IHBB", 6 << 28, len(chain) + len(tcp), following, 64) + b"".join(self.ends) + chain + tcp
        self.sender.sendto(packet, (self.destination, 0))
        self.seq += len(payload) + bool(flags & (SYN | FIN))

    def receive(self):
        """Sequence number and payload of the next segment that has any, or a SYN."""
        while True:
            packet = self.receiver.recv(65536)[14:]
            if packet[6] != TCP:
                continue
            source, target, seq, _, offset, flags = struct.unpack_from("!HHIIBB", packet, 40)
            payload = packet[40 + (offset >> 4) * 4:40 + struct.unpack_from("!H", packet, 4)[0]]
            if (target, source) == self.ports and (payload or flags & SYN):
                return seq, payload

    def line(self):
        seq, payload = self.receive()
        while seq != self.ack:
            seq, payload = self.receive()
        self.ack += len(payload)
        self.send(ACK)
        return payload

    def ask(self, command, headers=(DESTINATION, 0)):
        self.send(PSH | ACK, command, headers)
        return self.line()


@pytest.fixture
def session(make_lab):
    with make_lab(family=IP6, config=STRICT) as lab:
        server = ScriptedServer(lab)
        with RawTcp6(lab.clients[0], lab.client_address(), lab.publics[0]) as client:
            client.line()
            client.ask(b"USER lab\r\n")
            client.ask(b"PASS lab\r\n")
            server.commands.clear()
            yield lab, server, client


@pytest.mark.parametrize("headers", (OPTIONS, ATOMIC), ids=("options", "fragments"))
def test_strict_reads_after_extension_headers(session, headers):
    _, server, client = session
    command = f"EPRT {eprt_argument(('2001:db8::bad', 25))}\r\n".encode()
    assert client.ask(command, headers).startswith(b"500")
    assert client.ask(b"AUTH TLS\r\n", headers).startswith(b"500")
    assert all(told.startswith(b"XXXX ") for told in server.commands)


@pytest.mark.parametrize("headers", (OPTIONS, ATOMIC), ids=("options", "fragments"))
def test_ct_helper_request_after_extension_headers_is_made_unreadable(session, headers):
    lab, _, client = session
    assert client.ask(CT_HELPER_REQUEST, headers).startswith(b"500")
    assert lab.pasvd.counters()["ct-helper-request"] == 1


@pytest.mark.daemon
@pytest.mark.sane
def test_syn_of_a_server_does_not_say_where_clients_are(make_lab):
    """A web page's server answers a SYN with one of its own, which comes by as all with extension headers do. It does
    not become a server behind this router: the form whose beginning nobody read is none of an FTP client. Behind a ct
    helper of our own no SYN of a server comes by, nor does one with the rules for nft, which know of any packet whether
    it has data."""
    with make_lab(firewall="iptables", family=IP6, routed=True, servers=(), outside=1, lan=(LAN,)) as lab:
        site = Site(lab)
        lab.pasvd.kill()
        browser = site.browser()
        lab.start_pasvd()
        server, port = site.server, 34567
        server.namespace.run("ip6tables", "-A", "INPUT", "-p", "tcp", "--sport", port, "-j", "DROP")
        with browser.namespace.tcp_socket(server.address) as dials:
            dials.bind((LAN, port))
            dials.setblocking(False)
            dials.connect_ex((server.address, 21))
            wait_for(lambda: lab.connections("-p", "tcp", "--sport", str(port)), what="its SYN has come by")
            before = lab.packets()[1]
            RawTcp6(server.namespace, server.address, LAN, port, 21).send(SYN, headers=OPTIONS)
            wait_for(lambda: lab.packets()[1] > before, what="that of the server as well")
        with browser:
            for command in ("USER lab", "PASS lab"):
                browser.ask(command)
            assert offer(browser, "EPRT", (LAN, ORDINARY)).startswith("200")
            assert lab.expectations() == []
