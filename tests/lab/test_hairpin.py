# SPDX-License-Identifier: GPL-2.0-or-later
"""Hairpin: a LAN client dials the public address; both ends of its connections are translated."""

import pytest

import clients
import servers
from scripted import CONTENT, RawClient, ScriptedServer, parse_port, read_all
from test_active import fetch, offer

LAN = "10.88.0.7"
PASSIVE = ["curl", "curl-epsv", "lftp", "tnftp", "ftplib"]
ACTIVE = ["curl-port", "curl-eprt", "lftp-active", "ftplib-active"]


@pytest.fixture(scope="module")
def lab(make_lab):
    """Port 21 is a real server's, 2121 a scripted one's."""
    with make_lab(lan=(LAN,), publics=("203.113.112.111",),
                  forwards=((21, 0, 21), (2121, 0, 2121)), hairpin=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def server(lab):
    return servers.vsftpd(lab)


@pytest.fixture(scope="module")
def scripted(lab):
    return ScriptedServer(lab, port=2121)


@pytest.fixture
def raw(lab, scripted):
    with RawClient(lab.lan[0], lab.publics[0], scripted.control_port) as client:
        yield client


@pytest.fixture
def hairpin_visit(lab, server):
    folder = lab.tmp / f"visit-{lab.next_number()}"
    folder.mkdir()
    return clients.Visit(lab.lan[0], lab.publics[0], 21, server.user, server.password, folder,
                         folder.name)


@pytest.mark.parametrize("client", PASSIVE + ACTIVE)
def test_lan_client_works_by_the_public_address(server, hairpin_visit, client):
    printed = clients.act(client, "download", hairpin_visit)
    assert hairpin_visit.local.exists(), printed
    assert hairpin_visit.local.read_bytes() == server.content


def test_passive_port_is_announced_with_the_dialled_address(lab, scripted, raw):
    for _ in range(3):
        reply = raw.ask("PASV")
        host, port = parse_port(reply[reply.index("(") + 1:reply.index(")")])
        assert (host, port) == (lab.publics[0], scripted.data_ports[-1])
        assert lab.clients[0].is_shut(host, port)
        with lab.lan[0].connect(host, port) as data:
            raw.send(b"RETR anything\r\n")
            assert raw.line().startswith("150")
            assert read_all(data) == CONTENT
            assert raw.line().startswith("226")


@pytest.mark.parametrize("verb", ["PORT", "EPRT"])
def test_active_client_is_announced_with_the_address_that_the_server_sees(lab, scripted, raw, verb):
    for _ in range(3):
        endpoint = raw.listen()
        assert offer(raw, verb, endpoint).startswith("200")
        assert scripted.offer() == (lab.family.gateway, endpoint[1])
        assert fetch(raw)[0] == lab.publics[0]


def test_outside_client_works_beside_it(lab, server, visit):
    trip = visit(lab, server)
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == server.content


@pytest.mark.daemon
@pytest.mark.parametrize("where", [{"hairpin": True}, {"routed": True}], ids=["translated", "routed"])
def test_session_of_a_lan_client_is_read_from_its_beginning(make_lab, where):
    """Its SYN gives it a mark, as those of clients of servers elsewhere: it is no connection that takes the place of another.
    A login by another code than 230 is only believed in what was read as a whole."""
    with make_lab(lan=(LAN,), **where) as lab:
        server = ScriptedServer(lab)
        server.replies["PASS"] = lambda control: control.sendall(b"200 welcome\r\n")
        with RawClient(lab.lan[0], lab.publics[0]) as client:
            assert client.ask("PASV").startswith("227")
            assert lab.pasvd.counters()["opened"] == 1
