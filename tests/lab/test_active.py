# SPDX-License-Identifier: GPL-2.0-or-later
"""Active mode in detail: what the other side is told, who gets in, and with which address.

Both ends are scripted.  Of the LAN client all ports accept anybody, so a
connection that does not come about was stopped by the router.
"""

import pytest

from lab import wait_for
from scripted import (CONTENT, DATA_PORT, RawClient, ScriptedServer, eprt_argument, parse_port,
                      port_argument, read_all)

ARGUMENT = {"PORT": port_argument, "EPRT": eprt_argument}
# As seen outside, and in the LAN: the command grows, shrinks or stays as long as it was.
ADDRESSES = {"longer": ("203.113.112.111", "10.7.0.2"),
             "shorter": ("9.9.9.9", "192.168.100.200"),
             "as-long": ("9.9.9.91", "10.7.0.2")}


def offer(client, verb, endpoint):
    return client.ask(f"{verb} {ARGUMENT[verb](endpoint)}")


def fetch(client):
    """RETR over the data connection that comes in; who it came from."""
    client.send(b"RETR anything\r\n")
    data, peer = client.accept()
    assert client.line().startswith("150")
    assert read_all(data) == CONTENT
    assert client.line().startswith("226")
    return peer


@pytest.fixture(scope="module")
def site(make_lab):
    with make_lab(servers=(), outside=1, lan=("192.168.100.200", "192.168.100.201")) as lab:
        yield ScriptedServer(lab), lab


@pytest.fixture
def client(site):
    server, lab = site
    with RawClient(lab.lan[0], server.address) as client:
        yield client


@pytest.mark.parametrize("verb", ARGUMENT)
@pytest.mark.parametrize("length", ADDRESSES)
def test_server_is_told_the_address_that_it_sees(make_lab, length, verb):
    public, private = ADDRESSES[length]
    with make_lab(servers=(), outside=1, lan=(private,), publics=(public,), snat=public) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            for _ in range(3):      # later ones find the numbers already shifted
                endpoint = client.listen()
                assert offer(client, verb, endpoint).startswith("200")
                assert server.offer() == (public, endpoint[1])
                assert fetch(client) == (server.address, DATA_PORT)


def test_masqueraded_client_is_announced_with_the_address_of_the_interface(site, client):
    server, lab = site
    endpoint = client.listen()
    offer(client, "PORT", endpoint)
    assert server.offer() == (lab.router_address, endpoint[1])
    assert lab.router_address == lab.lan_seen_as


@pytest.mark.parametrize("source_port", [DATA_PORT, 45678])
def test_data_connection_may_come_from_any_port(site, client, source_port):
    server, _ = site
    offer(client, "PORT", client.listen())
    assert server.attempt(server.offer(), source_port) == "open"


def test_ports_that_were_not_negotiated_are_shut(site, client):
    server, _ = site
    endpoint = client.listen()
    neighbours = [client.listen(endpoint[1] + step)[1] for step in (-1, 1)]
    offer(client, "PORT", endpoint)
    seen, port = server.offer()
    for other in neighbours:
        assert server.is_shut((seen, other))
    assert server.attempt((seen, port)) == "open"


def test_negotiated_port_is_shut_for_another_host_outside(site, client):
    server, lab = site
    offer(client, "PORT", client.listen())
    endpoint = server.offer()
    stranger = lab.clients[0]
    for source_port in (DATA_PORT, 0):
        source = (lab.client_address(), source_port)
        assert stranger.is_shut(*endpoint, source=source)
    assert server.attempt(endpoint) == "open"


def test_used_port_is_shut_for_a_second_connection(site, client):
    server, _ = site
    offer(client, "PORT", client.listen())
    endpoint = server.offer()
    assert server.attempt(endpoint) == "open"
    assert server.is_shut(endpoint, 2020)


def test_next_port_command_shuts_the_port_of_the_one_before(site, client):
    server, _ = site
    offer(client, "PORT", client.listen())
    unused = server.offer()
    offer(client, "EPRT", client.listen())
    endpoint = server.offer()
    assert server.is_shut(unused)
    assert server.attempt(endpoint) == "open"


def test_private_address_of_the_client_is_shut_even_with_a_route(site, client):
    server, lab = site
    endpoint = client.listen()
    offer(client, "PORT", endpoint)
    server.offer()
    route = f"{endpoint[0]}/32 via {lab.router_address}\n"
    server.namespace.ip(f"route replace {route}")
    try:
        assert server.is_shut(endpoint)
    finally:
        server.namespace.ip(f"route del {route}")


def test_two_clients_with_the_same_port_get_two(site, client):
    """The server sees one address, so one of them has to be moved; each gets its own data."""
    server, lab = site
    with RawClient(lab.lan[1], server.address) as other:
        port = client.listen()[1]
        offer(client, "PORT", (client.address, port))
        offer(other, "PORT", other.listen(port))
        seen = [server.offer(), server.offer()]
        assert seen[0] == (lab.lan_seen_as, port)
        assert seen[1] != seen[0] and seen[1][0] == lab.lan_seen_as
        for session in (client, other):
            fetch(session)


def test_passive_mode_through_the_same_router_still_works(site, client):
    """A server outside says its own, reachable address; the LAN client goes there by itself."""
    server, _ = site
    offer(client, "PORT", client.listen())
    server.offer()
    fetch(client)
    reply = client.ask("PASV")
    assert parse_port(reply[reply.index("(") + 1:reply.index(")")])[0] == server.address
    with client.namespace.connect(server.address, server.data_ports[-1]) as data:
        client.send(b"RETR anything\r\n")
        assert client.line().startswith("150")
        assert read_all(data) == CONTENT
        assert client.line().startswith("226")


@pytest.mark.daemon
def test_log_says_which_port_was_opened_for_the_client(site, client):
    """But for what is more than the log's limit."""
    server, lab = site

    def opened():
        endpoint = client.listen()
        offer(client, "PORT", endpoint)
        server.offer()
        return [(line, endpoint) for line in lab.pasvd.opened()
                if line["client"] == "{}:{}".format(*client.control.getsockname())]

    line, endpoint = wait_for(opened, what="a line of the session")[-1]
    assert line["server"] == f"{server.address}:21"
    assert line["announced"] == f"{lab.lan_seen_as}:{endpoint[1]}"
    assert line["listener"] == "{}:{}".format(*endpoint)


# The server is behind the router, the client outside.

@pytest.fixture
def inside(make_lab):
    """Two public addresses, and everybody behind the router is seen as a third one by default."""
    with make_lab(publics=("203.0.113.1", "203.0.113.77"), masquerade=True) as lab:
        yield ScriptedServer(lab), lab


@pytest.mark.parametrize("verb", ARGUMENT)
def test_data_connection_leaves_with_the_address_that_was_dialled(inside, verb):
    server, lab = inside
    for public in lab.publics:
        with RawClient(lab.clients[0], public) as client:
            for _ in range(2):
                endpoint = client.listen()
                assert offer(client, verb, endpoint).startswith("200")
                assert server.offer() == endpoint
                assert fetch(client)[0] == public


def test_server_is_seen_with_another_address_by_default(inside):
    """So the test above says something: what the server begins by itself leaves as the router."""
    server, lab = inside
    lab.forward_policy("accept")
    listener = lab.clients[0].listen(lab.client_address())
    with listener, server.namespace.connect(*listener.getsockname()):
        peer = listener.accept()[1][0]
    assert peer == lab.router_address


def test_server_reaches_no_other_port_of_the_client(inside):
    server, lab = inside
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        endpoint = client.listen()
        offer(client, "PORT", endpoint)
        other = client.listen()
        assert server.is_shut(other)
        assert server.attempt(endpoint) == "open"
        assert server.is_shut(endpoint, 2020)
