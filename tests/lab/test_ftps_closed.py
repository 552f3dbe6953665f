# SPDX-License-Identifier: GPL-2.0-or-later
"""Data ports on demand: for whom they open, when, and which.

The server is scripted, and listens where it is told to whether anything was negotiated or not:
a connection that does not come about was stopped by the router.
"""

import socket
import struct

import pytest

from ftps_sites import CONFIG, IMPLICIT_PORT, PORTS
from lab import IP4, IP6, wait_for
from rawtcp import SYN, RawTcp
from scripted import CONTENT, RawClient, ScriptedServer, read_all

pytestmark = pytest.mark.daemon

LISTENING = {PORTS[0], 60007, 60042, PORTS[-1]}
OUTSIDE_THE_RANGE = {1024, PORTS[0] - 1, PORTS[-1] + 1, 65000}
SCANNED = sorted({*PORTS, *OUTSIDE_THE_RANGE})
PORT = 60007


@pytest.fixture(scope="module", params=[IP4, IP6], ids=lambda family: family.name)
def site(request, make_lab):
    """Two clients, two addresses; the second client goes wherever the first one may."""
    family = request.param
    publics = [family.public, {IP4: "203.0.113.77", IP6: "2001:db8:113::77"}[family]]
    with make_lab(family=family, clients=2, publics=publics, config=CONFIG,
                  forwards=((21, 0, 21), (IMPLICIT_PORT, 0, IMPLICIT_PORT))) as lab:
        server = ScriptedServer(lab, tls="explicit")
        for port in LISTENING | OUTSIDE_THE_RANGE:
            server.listen(port)
        yield server, lab


def session(lab, client=0, **options):
    return RawClient(lab.clients[client], lab.publics[0], **{"tls": "explicit", **options})


def scan(lab, client=0, awaited=()):
    return lab.clients[client].scan(lab.publics[0], SCANNED, awaited)


def is_open(lab, client=0, public=0, port=PORT, source=None):
    return lab.clients[client].attempt(lab.publics[public], port, source=source) == "open"


def is_shut(lab, client=0, public=0, port=PORT, source=None):
    return lab.clients[client].is_shut(lab.publics[public], port, source=source)


def test_scan_finds_what_the_server_listens_on_during_the_session_only(site):
    _, lab = site
    assert scan(lab) == set()
    with session(lab) as client:
        assert scan(lab, awaited=LISTENING) == LISTENING
        assert scan(lab, client=1) == set()
        assert scan(lab, awaited=LISTENING) == LISTENING       # none is used up
        client.ask("QUIT")
    assert scan(lab) == set()
    assert scan(lab, client=1) == set()


def test_nothing_stays_expected(site):
    """Nobody will come who was not there already."""
    _, lab = site
    with session(lab):
        scan(lab)
        wait_for(lambda: not lab.expectations(), 5, "end of the expectations of ports that are shut")


@pytest.mark.parametrize("login", [True, False], ids=["logged-in", "connected"])
def test_clear_text_session_of_another_client_opens_nothing(site, login):
    _, lab = site
    with session(lab) as client, session(lab, client=1, tls=False, login=login):
        for _ in range(3):
            assert is_shut(lab, client=1)
            assert is_open(lab)
            assert client.ask("NOOP").startswith("200")


def test_clear_text_session_opens_what_it_negotiates_within_the_range(make_lab):
    """As everywhere else, whatever others do with TLS."""
    with make_lab(clients=2, config=CONFIG) as lab:
        server = ScriptedServer(lab, tls="explicit", passive_ports=PORTS)
        server.listen(PORTS[-1])
        with session(lab, client=1), session(lab, tls=False) as client:
            for command in ("PASV", "EPSV", "PASV"):
                client.ask(command)
                port = server.data_ports[-1]
                assert port in PORTS
                assert is_shut(lab, port=PORTS[-1])
                with lab.clients[0].connect(lab.publics[0], port) as data:
                    client.send(b"RETR anything\r\n")
                    assert client.line().startswith("150")
                    assert read_all(data) == CONTENT
                    assert client.line().startswith("226")
                assert is_shut(lab, port=port)


def client_resets(client, _):
    client.control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.control.close()


def both_close(client, control):
    client.control.close()
    control.shutdown(socket.SHUT_RDWR)


ENDS = {"client closes": lambda client, _: client.control.close(),
        "client closes its half": lambda client, _: client.control.shutdown(socket.SHUT_WR),
        "server closes its half": lambda _, control: control.shutdown(socket.SHUT_WR),
        "both close": both_close,
        "client resets": client_resets}


def states(lab, port):
    """Of the control connection from this port."""
    return [line.split()[3] for line in lab.connections("-p", "tcp", "--sport", port)]


@pytest.mark.parametrize("end", ENDS)
def test_session_that_has_begun_to_end_opens_nothing(site, end):
    """Though connection tracking remembers it for minutes."""
    server, lab = site
    with session(lab) as client:
        port = client.control.getsockname()[1]
        assert is_open(lab)
        ENDS[end](client, server.controls[-1])
        wait_for(lambda: states(lab, port) != ["ESTABLISHED"], 5, "the end")
        assert scan(lab) == set()
        assert states(lab, port) and states(lab, port) != ["ESTABLISHED"]


def test_session_beside_one_that_has_ended_opens_its_ports(site):
    _, lab = site
    with session(lab) as first:
        with session(lab):
            pass
        assert is_open(lab)
        with session(lab) as third:
            first.control.close()
            assert is_open(lab)
            third.control.close()
        wait_for(lambda: is_shut(lab), 5, "the ports are shut")


def test_port_of_a_data_connection_that_lingers_is_shut(site):
    """The same ports on both ends, so connection tracking still has the old one."""
    _, lab = site
    source = (lab.client_address(), 40404)
    with session(lab) as client:
        port = client.control.getsockname()[1]
        assert is_open(lab, source=source)
        assert states(lab, source[1])
        assert is_open(lab, source=source)
        client.ask("QUIT")
    wait_for(lambda: states(lab, port) != ["ESTABLISHED"], 5, "the end")
    assert states(lab, source[1])
    assert is_shut(lab, source=source)


def test_another_address_of_the_router_is_shut(site):
    _, lab = site
    with session(lab):
        assert is_open(lab)
        assert is_shut(lab, public=1)
        with RawClient(lab.clients[0], lab.publics[1], tls="explicit"):
            assert is_open(lab, public=1)


def test_refused_or_unasked_tls_opens_nothing(site):
    """A 234 is the server's consent only as the answer to AUTH."""
    server, lab = site
    say = {"AUTH": "534 not today", "NOOP": "234 no reason", "HELP": "214-help\r\n234 of\r\n214 end",
           "STAT": "211-status\r\n234-a\r\n234 b\r\n211 end"}
    server.replies = {verb: lambda control, text=text: control.sendall(text.encode() + b"\r\n")
                      for verb, text in say.items()}
    try:
        with session(lab, tls=False) as client:
            for verb, text in say.items():
                client.send(verb.encode() + b" TLS\r\n")
                for _ in text.splitlines():
                    client.line()
                assert is_shut(lab), verb
    finally:
        server.replies = {}


def test_address_of_the_server_is_shut_even_with_a_route(site):
    server, lab = site
    route = f"{server.address}/{lab.family.host_bits} via {lab.router_address}"
    lab.clients[0].ip(f"route replace {route}\n")
    try:
        with session(lab):
            assert is_open(lab)
            assert lab.clients[0].scan(server.address, SCANNED) == set()
    finally:
        lab.clients[0].ip(f"route del {route}\n")


def test_tls_from_the_start_opens_the_ports(make_lab):
    with make_lab(clients=2, config=CONFIG,
                  forwards=((21, 0, 21), (IMPLICIT_PORT, 0, IMPLICIT_PORT))) as lab:
        server = ScriptedServer(lab, port=IMPLICIT_PORT, tls="implicit")
        server.listen(PORT)
        assert is_shut(lab)
        with session(lab, port=IMPLICIT_PORT, tls="implicit"):
            assert is_open(lab)
            assert is_shut(lab, client=1)
        wait_for(lambda: is_shut(lab), 5, "the ports are shut")


TWO_RANGES = """\
[tls]
passive-ports = 60000-60049 for 10.77.0.2, 60050-60100 for 10.77.1.2
mode = pass for 10.77.2.2
"""


def test_ports_are_those_of_the_server_that_the_session_is_with(make_lab):
    addresses = ("10.77.0.2", "10.77.1.2", "10.77.2.2")
    forwards = tuple((21 + number, number, 21) for number in range(3))
    with make_lab(servers=addresses, forwards=forwards, config=TWO_RANGES) as lab:
        everywhere = {60001, 60002, 60051, 60052}
        for number in range(3):
            server = ScriptedServer(lab, number, tls="explicit")
            for port in everywhere:
                server.listen(port)
        for number, expected in enumerate(({60001, 60002}, {60051, 60052}, set())):
            with session(lab, port=21 + number) as client:
                assert scan(lab, awaited=expected) == expected
                client.ask("QUIT")
        with session(lab, port=21), session(lab, port=22):
            assert scan(lab, awaited=everywhere) == everywhere


def test_repeated_syn_leaves_nothing_open(make_lab):
    """It is part of a connection that is there already, so nobody would use up what it opens."""
    with make_lab(config=CONFIG) as lab:
        server = ScriptedServer(lab, tls="explicit")
        server.listen(PORT)
        with session(lab) as client:
            with RawTcp(lab.clients[0], lab.client_address(), lab.publics[0], port=PORT) as data:
                for _ in range(3):
                    data.seq = 1000
                    data.segment(SYN)
            client.ask("QUIT")
        assert lab.expectations() == []
        assert scan(lab) == set()
