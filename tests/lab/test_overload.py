# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that fills the queue delays the sessions of others; no line of theirs is lost, shifted or other
than it should be. What does not fit is dropped, also with fail-open, and TCP repeats it."""

import signal
import time

import pytest

from lab import wait_for
from rawtcp import ACK, PSH, Flood, RawTcp
from scripted import (CONTENT, DATA_PORT, RawClient, ScriptedServer, parse_port, port_argument, read_all,
                      retransmissions)
from test_active import ARGUMENT, fetch
from test_active_sessions import lan_shape
from test_fail import OPEN, PACKETS

pytestmark = pytest.mark.daemon

# Outside, inside, and the reply to PASV: its numbers become fewer or more. The last has no room for more, so
# that what follows is shifted.
USUAL, BARE = "227 Entering Passive Mode ({}).\r\n", "227 {}\r\n"
SHAPES = {"shorter": ("5.5.5.5", "192.168.100.200", USUAL), "readme": ("203.0.113.1", "192.168.1.10", USUAL),
          "longer": ("203.113.112.111", "10.7.0.2", USUAL), "longer-bare": ("203.113.112.111", "10.7.0.2", BARE)}
NEIGHBOUR = "192.168.100.201"


class Site:
    """A server whose replies are like that, and a client that is logged in."""

    def __init__(self, lab, shape):
        self.lab = lab
        self.form = SHAPES[shape][-1]
        self.server = ScriptedServer(lab)
        self.server.send_pasv = lambda control, _: control.sendall(self.reply())
        self.client = RawClient(lab.clients[-1], lab.publics[0])
        lab.on_exit(self.client.control.close)

    def reply(self):
        return self.form.format(port_argument((self.server.address, self.server.data_ports[-1]))).encode()

    def check_offer(self, line):
        """It names the server's port at the address that was dialled."""
        assert line.startswith("227 ")
        assert parse_port(line.strip().rstrip(").").replace("(", " ").split()[-1]) == (
            self.lab.publics[0], self.server.data_ports[-1])

    def check_session(self):
        """Each further line is the right one, and a transfer works."""
        for command, reply in (("NOOP", "200 ok\r\n"), ("NONSENSE", "500 unknown\r\n"), ("TYPE I", "200 ok\r\n")):
            assert self.client.ask(command) == reply
        self.check_offer(self.client.ask("PASV"))
        with self.client.namespace.connect(self.lab.publics[0], self.server.data_ports[-1]) as data:
            self.client.send(b"RETR anything\r\n")
            assert self.client.line().startswith("150")
            assert read_all(data) == CONTENT
        assert self.client.line().startswith("226")


def addresses(shape):
    public, private, _ = SHAPES[shape]
    return {"publics": (public,), "servers": (private,)}


def fill_queue(lab, client):
    """With one byte, again and again."""
    client.segment(PSH | ACK, b"N")
    for _ in range(2 * PACKETS):
        client.stray(-1, b"N")
    assert lab.packets()[0] > PACKETS // 4


@pytest.mark.parametrize("shape", SHAPES)
def test_full_queue_delays_the_session_of_another_client(make_lab, shape):
    with make_lab(clients=2, config=OPEN, **addresses(shape)) as lab:
        site = Site(lab, shape)
        control = site.server.controls[0]
        with RawTcp(lab.clients[0], lab.client_address(), lab.publics[0]) as flooder:
            flooder.reply()
            site.server.send_pasv = lambda *_: None
            site.client.send(b"PASV\r\n")
            wait_for(lambda: site.server.data_ports, what="PASV arrives")
            lab.pasvd.popen.send_signal(signal.SIGSTOP)
            try:
                control.sendall(site.reply())
                wait_for(lambda: lab.packets()[0], what="the reply waits")
                fill_queue(lab, flooder)
                before = retransmissions(control)
                wait_for(lambda: retransmissions(control) > before, what="it is sent again")
            finally:
                lab.pasvd.popen.send_signal(signal.SIGCONT)
            site.check_offer(site.client.line())
            site.server.send_pasv = lambda control, _: control.sendall(site.reply())
            site.check_session()


@pytest.mark.parametrize("verb", ARGUMENT)
@pytest.mark.parametrize("length", ["shorter", "longer"])
def test_full_queue_delays_the_offer_of_another_client(make_lab, length, verb):
    shape = lan_shape(length)
    with make_lab(**{**shape, "lan": (*shape["lan"], NEIGHBOUR)}, config=OPEN) as lab:
        server = ScriptedServer(lab)
        with RawTcp(lab.lan[1], NEIGHBOUR, server.address) as flooder, RawClient(lab.lan[0], server.address) as client:
            flooder.reply()
            endpoint = client.listen()
            lab.pasvd.popen.send_signal(signal.SIGSTOP)
            try:
                client.send(f"{verb} {ARGUMENT[verb](endpoint)}\r\n".encode())
                wait_for(lambda: lab.packets()[0], what="the command waits")
                fill_queue(lab, flooder)
                before = retransmissions(client.control)
                wait_for(lambda: retransmissions(client.control) > before, what="it is sent again")
            finally:
                lab.pasvd.popen.send_signal(signal.SIGCONT)
            assert server.offer() == (lab.publics[0], endpoint[1])
            assert client.line() == "200 ok\r\n"
            assert client.ask("NONSENSE") == "500 unknown\r\n"
            assert fetch(client) == (server.address, DATA_PORT)
            assert client.ask(f"{verb} {ARGUMENT[verb](client.listen())}") == "200 ok\r\n"
            assert fetch(client) == (server.address, DATA_PORT)
            assert server.commands[-1] == b"RETR anything\r\n"


# SYNs of a client in the LAN that the rules queue, see iptables/pasvd.rules.in.
SYN_RATE, SYN_BURST = 500, 1000
SYNS, FLOOD_SECONDS = 5_000_000, 60    # at most; it ends when it was a flood


def test_flood_of_syns_in_the_lan_is_not_queued(make_lab):
    """Nor is a session of a neighbour evicted by it, or what it says lost."""
    with make_lab(servers=(), outside=1, lan=("192.168.100.200", NEIGHBOUR)) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            # To answer them all takes too long in an emulated machine.
            server.namespace.run("iptables", "-t", "raw", "-A", "PREROUTING", "-p", "tcp", "--syn", "-j", "DROP")
            begin, before = time.monotonic(), sum(lab.pasvd.counters().values())

            def allowed():
                return SYN_BURST + SYN_RATE * (time.monotonic() - begin)

            with Flood(lab.lan[1], NEIGHBOUR, server.address, [21], SYNS, FLOOD_SECONDS) as flood:
                wait_for(lambda: flood.sent > allowed() + SYN_BURST, FLOOD_SECONDS, "a flood")
                client.ask(f"PORT {port_argument(client.listen())}")
                fetch(client)
            read = sum(lab.pasvd.counters().values()) - before
            assert SYN_BURST / 2 < read < allowed() + 200
            assert client.ask("NOOP") == "200 ok\r\n"
