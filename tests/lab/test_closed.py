# SPDX-License-Identifier: GPL-2.0-or-later
"""Closed means closed: only what was negotiated, by whom it was negotiated, once.

The server is scripted: all of its data ports accept anybody, so a connection
that does not come about was stopped by the router.
"""

import socket

import pytest

import clients
from lab import wait_for
from scripted import CONTENT, ScriptedServer


@pytest.fixture(scope="module")
def site(make_lab):
    with make_lab(clients=2) as lab:
        yield ScriptedServer(lab), lab


@pytest.fixture
def session(site, visit):
    server, lab = site
    with clients.python_session(visit(lab, server)) as ftp:
        yield ftp


def fetch(ftp, data):
    """RETR over a data connection that is there already."""
    ftp.putcmd("RETR anything")
    content = b"".join(iter(lambda: data.recv(65536), b""))
    assert ftp.getresp().startswith("150")
    assert ftp.getresp().startswith("226")
    return content


def test_port_that_was_not_negotiated_is_shut(site, session):
    server, lab = site
    public = lab.publics[0]
    session.makepasv()
    for port in (server.listen(40000).getsockname()[1], server.listen(1024).getsockname()[1]):
        assert lab.clients[0].is_shut(public, port)
    # the listeners are fine: from the router itself they can be reached
    assert lab.router.attempt(server.address, 40000) == "open"


def test_private_address_is_shut_even_with_a_route(site, session):
    server, lab = site
    session.makepasv()
    real = server.data_ports[-1]
    lab.clients[0].ip(f"route replace {server.address}/32 via 198.51.100.1\n")
    try:
        assert lab.clients[0].is_shut(server.address, real)
    finally:
        lab.clients[0].ip(f"route del {server.address}/32\n")


def test_negotiated_port_is_shut_for_another_client(site, session):
    _, lab = site
    host, port = session.makepasv()
    assert lab.clients[1].is_shut(host, port)
    with lab.clients[0].connect(host, port) as data:
        assert fetch(session, data) == CONTENT


def test_neighbours_of_the_negotiated_port_are_shut(site, session):
    server, lab = site
    host, port = session.makepasv()
    for neighbour in (port - 1, port + 1):
        server.listen(neighbour)
        assert lab.clients[0].is_shut(host, neighbour)
    with lab.clients[0].connect(host, port) as data:
        assert fetch(session, data) == CONTENT


def test_used_port_is_shut_for_a_second_connection(site, session):
    _, lab = site
    host, port = session.makepasv()
    with lab.clients[0].connect(host, port) as data:
        assert lab.clients[0].is_shut(host, port)
        assert fetch(session, data) == CONTENT
    assert lab.clients[0].is_shut(host, port)


def test_used_port_is_shut_after_epsv_as_well(site, session):
    server, lab = site
    session.sendcmd("EPSV")
    with lab.clients[0].connect(lab.publics[0], server.data_ports[-1]) as data:
        assert lab.clients[0].is_shut(lab.publics[0], server.data_ports[-1])
        assert fetch(session, data) == CONTENT


def test_next_pasv_shuts_the_port_of_the_one_before(site, session):
    _, lab = site
    host, unused = session.makepasv()
    _, port = session.makepasv()
    assert lab.clients[0].is_shut(host, unused)
    with lab.clients[0].connect(host, port) as data:
        assert fetch(session, data) == CONTENT


def test_port_is_shut_once_its_expectation_was_deleted(site, session):
    _, lab = site
    host, port = session.makepasv()
    assert [e for e in lab.expectations() if e["dport"] == str(port)]
    lab.router.run("conntrack", "-F", "expect")
    assert lab.clients[0].is_shut(host, port)


def test_port_is_shut_when_the_control_connection_has_ended(make_lab, visit):
    with make_lab() as lab:
        server = ScriptedServer(lab)
        for state in ("time_wait", "fin_wait", "last_ack", "close", "close_wait"):
            lab.router.sysctl(f"net.netfilter.nf_conntrack_tcp_timeout_{state}", 1)
        ftp = clients.python_session(visit(lab, server))
        host, port = ftp.makepasv()
        assert lab.expectations()
        ftp.quit()
        # listing the connections is also what makes the kernel look at their timeouts
        wait_for(lambda: not lab.connections("-p", "tcp", "--dport", "21"), 10,
                 "end of the control connection")
        wait_for(lambda: not lab.expectations(), 5, "end of the expectation")
        assert lab.clients[0].is_shut(host, port)


def test_server_opens_nothing_to_the_outside(site, session):
    server, lab = site
    session.makepasv()
    client, address = lab.clients[0], lab.client_address()

    target, source = (address, 45000), (server.address, 2000)
    client.ip(f"route replace {server.address}/32 via 198.51.100.1\n")     # the way back
    try:
        with client.listen(address, 45000):
            assert server.namespace.is_shut(*target, source=source)
            lab.forward_policy("accept")
            assert server.namespace.attempt(*target, source=source) == "open"      # so it was the policy that stopped it
    finally:
        lab.forward_policy("drop")
        client.ip(f"route del {server.address}/32\n")


def test_router_itself_is_not_reached_instead_of_the_server(site, session):
    """A port that is announced stays the server's, whoever listens on the router."""
    server, lab = site
    host, port = session.makepasv()
    with lab.router.listen("0.0.0.0", port), lab.clients[0].connect(host, port) as data:
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert fetch(session, data) == CONTENT
