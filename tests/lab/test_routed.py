# SPDX-License-Identifier: GPL-2.0-or-later
"""A firewall that translates nothing: each side dials the other's own address, FORWARD drops what nobody negotiated.

Servers behind it, and clients behind it; passive and active; IPv4 and IPv6.
"""

import pytest

import clients
import servers
from lab import IP4, IP6
from scripted import CONTENT, RawClient, ScriptedServer, read_all
from test_active import ARGUMENT, fetch, offer
from test_active_matrix import check

FAMILIES = {"ipv4": IP4, "ipv6": IP6}
LAN = {"ipv4": "192.168.100.200", "ipv6": "2001:db8:88::7"}
MODES = {"ipv4": ["curl", "lftp", "curl-port"], "ipv6": ["curl-epsv", "lftp", "curl-eprt"]}
pytestmark = pytest.mark.daemon


def behind(make_lab, family, **more):
    """Servers are behind the firewall."""
    return make_lab(family=FAMILIES[family], routed=True, **more)


def outside(make_lab, family, **more):
    """Clients are."""
    return make_lab(family=FAMILIES[family], routed=True, servers=(), outside=1, lan=(LAN[family],), **more)


@pytest.mark.parametrize("server", servers.SERVERS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("place", [behind, outside])
def test_client_works_with_a_server_through_the_firewall(make_lab, visit, visit_out, place, family, server):
    with place(make_lab, family) as lab:
        site = servers.SERVERS[server](lab)
        for client in MODES[family]:
            check(client, (visit if place is behind else visit_out)(lab, site), site)


def passive(client, verb):
    """The port that the server announces, of its own address if there is one."""
    reply = client.ask(verb)
    assert reply[:3] in ("227", "229")
    return int(reply.split("|")[3]) if verb == "EPSV" else sum(
        int(number) * factor for number, factor in zip(reply.partition(")")[0].split(",")[-2:], (256, 1)))


@pytest.mark.parametrize("family, verb", [("ipv4", "PASV"), ("ipv4", "EPSV"), ("ipv6", "EPSV")])
def test_only_the_negotiated_passive_port_is_open_to_who_negotiated_it(make_lab, family, verb):
    with behind(make_lab, family, clients=2) as lab:
        server = ScriptedServer(lab)
        other = server.listen()
        with RawClient(lab.clients[0], server.address) as client:
            port = passive(client, verb)
            assert port == server.data_ports[-1]
            expected, = lab.expectations()
            assert (expected["dst"], int(expected["dport"])) == (server.address, port)
            assert lab.clients[1].is_shut(server.address, port)
            assert lab.clients[0].is_shut(server.address, other.getsockname()[1])
            with lab.clients[0].connect(server.address, port) as data:
                client.send(b"RETR anything\r\n")
                assert client.line().startswith("150")
                assert read_all(data) == CONTENT
                assert client.line().startswith("226")
            assert lab.clients[0].is_shut(server.address, port)


@pytest.mark.parametrize("family, verb", [("ipv4", "PORT"), ("ipv4", "EPRT"), ("ipv6", "EPRT")])
def test_only_the_negotiated_active_port_is_open_to_its_server(make_lab, family, verb):
    with outside(make_lab, family) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            other, endpoint = client.listen(), client.listen()
            assert offer(client, verb, endpoint).startswith("200")
            assert server.offer() == endpoint
            assert lab.clients[0].is_shut(*endpoint)
            assert server.is_shut(other)
            assert fetch(client) == (server.address, 20)
            assert server.is_shut(endpoint)


@pytest.mark.parametrize("waits", [True, False], ids=["after-the-greeting", "before-the-greeting"])
def test_client_outside_is_none_of_the_lan(make_lab, waits):
    """The SYN of a client in the LAN is looked at, that of a client outside is not; and the server is on a third side."""
    with behind(make_lab, "ipv4", lan=(LAN["ipv4"],), outside=1) as lab:
        server, elsewhere = ScriptedServer(lab), ScriptedServer(lab, 1)
        with RawClient(lab.lan[0], elsewhere.address) as client:
            assert offer(client, "PORT", client.listen()).startswith("200")
            assert fetch(client) == (elsewhere.address, 20)
        with RawClient(lab.clients[0], server.address, login=False) as client:
            assert not waits or client.line().startswith("220")
            client.send(b"USER lab\r\nPASS lab\r\n")
            for code in ("220", "331", "230")[waits:]:
                assert client.line().startswith(code)
            assert offer(client, "PORT", client.listen()).startswith("200")
            assert fetch(client) == (server.address, 20)


def configured(make_lab, family):
    """The daemon is told of the server, and no client of the LAN has come by."""
    address = FAMILIES[family].server
    return behind(make_lab, family, config=f"[server ftp]\naddress = {address}\npublic = {address}\n")


@pytest.mark.parametrize("family, verb", [("ipv4", "PORT"), ("ipv6", "EPRT")])
def test_client_may_speak_before_the_greeting_of_a_server_that_is_configured(make_lab, family, verb):
    with configured(make_lab, family) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], server.address, login=False) as client:
            client.send(b"USER lab\r\nPASS lab\r\n")
            for code in ("220", "331", "230"):
                assert client.line().startswith(code)
            assert offer(client, verb, client.listen()).startswith("200")
            assert fetch(client) == (server.address, 20)


@pytest.mark.parametrize("family", FAMILIES)
def test_session_in_clear_text_again_is_read_again(make_lab, family):
    with configured(make_lab, family) as lab:
        server = ScriptedServer(lab, tls="explicit")
        with RawClient(lab.clients[0], server.address, tls="explicit") as client:
            client.clear()
            port = passive(client, "EPSV")
            with lab.clients[0].connect(server.address, port) as data:
                client.send(b"RETR anything\r\n")
                assert client.line().startswith("150")
                assert read_all(data) == CONTENT


def test_text_is_as_the_server_wrote_it(make_lab):
    with behind(make_lab, "ipv4") as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], server.address) as client:
            replies = [client.ask("PASV") for _ in range(3)]
        assert replies == [server.pasv_text(port).decode() for port in server.data_ports]


def test_nothing_is_opened_before_a_login(make_lab):
    with behind(make_lab, "ipv4") as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], server.address, login=False) as client:
            client.line()
            passive(client, "PASV")
            assert lab.expectations() == []
            assert lab.clients[0].is_shut(server.address, server.data_ports[-1])


def test_rules_leave_other_hosts_alone(make_lab):
    """A control connection to a host that the rules do not name is neither let through nor followed."""
    with behind(make_lab, "ipv4") as lab:
        neighbour = "10.77.0.3"
        lab.servers[0].ip(f"addr add {neighbour}/32 dev eth0\n")
        lab.router.ip(f"route add {neighbour}/32 dev lan0\n")
        lab.clients[0].ip(f"route add {neighbour}/32 via {lab.router_address}\n")
        with lab.servers[0].listen(neighbour, 21):
            assert lab.clients[0].is_shut(neighbour, 21)
            lab.forward_policy("accept")
            assert lab.clients[0].attempt(neighbour, 21) == "open"
        assert lab.pasvd.counters()["no-ct-helper"] == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_session_goes_on_after_a_kill(make_lab, family):
    verb = "EPSV"
    with behind(make_lab, family) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], server.address) as client:
            passive(client, verb)
            lab.pasvd.kill()
            lab.start_pasvd()
            client.ask("NOOP")
            port = passive(client, verb)
            with lab.clients[0].connect(server.address, port) as data:
                client.send(b"RETR anything\r\n")
                assert client.line().startswith("150")
                assert read_all(data) == CONTENT
