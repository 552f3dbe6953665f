# SPDX-License-Identifier: GPL-2.0-or-later
"""Data in a SYN (TCP Fast Open): none of it passes before pasvd has read it. TCP sends it again without."""

import socket

import pytest

from lab import wait_for
from scripted import ScriptedServer, eprt_argument, port_argument

pytestmark = pytest.mark.daemon

LAN = "192.168.100.200"
ORDINARY = 40022
TCP_FASTOPEN = 23   # <linux/tcp.h>
CLIENTS, SERVERS = 1, 2     # bits of net.ipv4.tcp_fastopen
FORM = b"POST / HTTP/1.1\r\nHost: 198.51.100.100:21\r\nContent-Length: 400\r\n\r\n"


class Site:
    """A server, and the client that goes there, both of which have Fast Open, and a cookie for it."""

    def __init__(self, lab):
        self.server = ScriptedServer(lab)
        self.client = [*lab.lan, *lab.clients][0]
        self.address = self.server.address if lab.lan else lab.publics[0]
        self.server.namespace.sysctl("net.ipv4.tcp_fastopen", SERVERS)
        self.server.control_listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
        self.client.sysctl("net.ipv4.tcp_fastopen", CLIENTS)
        with self.open(b"NOOP\r\n"):
            wait_for(lambda: self.server.commands == [b"NOOP\r\n"], what="the request for a cookie")

    def open(self, data):
        sock = self.client.tcp_socket(self.address)
        sock.sendto(data, socket.MSG_FASTOPEN, (self.address, 21))
        return sock


SHAPES = {"from-the-lan": {"servers": (), "outside": 1, "lan": (LAN,)}, "from-outside": {}}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("engine, taken", [("none", 1), ("pasvd", 0)])
def test_data_in_a_syn_does_not_pass(make_lab, engine, taken, shape):
    with make_lab(engine=engine, **shape) as lab:
        site = Site(lab)
        with site.open(b"USER lab\r\n"):
            wait_for(lambda: site.server.commands[1:] == [b"USER lab\r\n"], what="it comes nevertheless")
            assert site.client.counter("TCPFastOpenActive" if taken else "TCPFastOpenActiveFail") == 1
            assert site.server.namespace.counter("TCPFastOpenPassive") == taken     # that began with data


def test_web_page_that_begins_in_a_syn_is_no_ftp_client(make_lab):
    """What it posts behind that looks like a login, and a PORT."""
    with make_lab(servers=(), outside=1, lan=(LAN,)) as lab:
        site = Site(lab)
        with site.open(FORM) as browser, site.client.listen(LAN, ORDINARY):
            for command in ("USER lab", "PASS lab", f"PORT {port_argument((LAN, ORDINARY))}",
                            f"EPRT {eprt_argument((LAN, ORDINARY))}"):
                browser.sendall(command.encode() + b"\r\n")
                wait_for(lambda: site.server.commands[-1].startswith(command[:4].encode()), what=command)
                assert lab.expectations() == []
            assert lab.router.attempt(LAN, ORDINARY) == "open"
            assert site.server.is_shut((lab.lan_seen_as, ORDINARY))
