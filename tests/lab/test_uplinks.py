# SPDX-License-Identifier: GPL-2.0-or-later
"""Two uplinks: whatever belongs to a control connection takes the uplink that it came in by.

What takes the other one is lost: see uplinks.py.
"""

import socket

import pytest

import clients
import servers
from lab import IP4, IP6, wait_for
from scripted import CONTENT, DATA_PORT, RawClient, ScriptedServer, parse_port, read_all
from test_active import fetch, offer
from uplinks import MARK, TLS_MARK, Uplinks

pytestmark = pytest.mark.daemon

RECORD = b"\x16\x03\x03\0\x04\x0e\0\0\0"     # of TLS
FAMILIES = pytest.mark.parametrize("family", (IP4, IP6), ids=lambda family: family.name, scope="module")
UPLINKS = pytest.mark.parametrize("uplink", (0, 1))
LAN = {IP4: ("10.88.0.7", "10.88.0.8"), IP6: ("fd88::7", "fd88::8")}
CLIENTS = {IP4: ["curl", "curl-epsv", "lftp", "curl-port", "curl-eprt", "lftp-active", "ftplib-active"],
           IP6: ["curl-epsv", "lftp", "curl-eprt", "lftp-active", "ftplib-active"]}


def configured(lab, *lines):
    path = lab.tmp / "pasvd.conf"
    path.write_text("\n".join(lines) + "\n")
    return lab.start_pasvd(["-c", path])


def outer_addresses(lab):
    return "[translate]", *(f"external-address = {public} on wan{number}" for number, public in enumerate(lab.publics))


@pytest.fixture(scope="module")
def site(family, common):
    """A real server on port 21 behind the router, LAN clients beside it, and a scripted server outside."""
    with Uplinks(family=family, lan=LAN[family], outside=1, **common) as lab:
        yield lab, servers.vsftpd(lab), ScriptedServer(lab, number=1)


@pytest.fixture(scope="module")
def scripted(family):
    """A scripted server behind the router."""
    with Uplinks(family=family) as lab:
        yield lab, ScriptedServer(lab)


def passive_port(lab, client):
    """Where the client is told to connect to; a 229 leaves the address to it."""
    if lab.family is IP6:
        return client.control.getpeername()[0], int(client.ask("EPSV").split("|")[3])
    reply = client.ask("PASV")
    return parse_port(reply[reply.index("(") + 1:reply.index(")")])


def retrieve(client, endpoint):
    with client.namespace.connect(*endpoint) as data:
        client.send(b"RETR anything\r\n")
        assert client.line().startswith("150")
        assert read_all(data) == CONTENT
        assert client.line().startswith("226")


@FAMILIES
@UPLINKS
def test_client_works_by_each_uplink(site, visit, family, uplink):
    lab, server, _ = site
    for client in CLIENTS[family]:
        trip = visit(lab, server, public=uplink)
        printed = clients.act(client, "download", trip)
        assert trip.local.exists(), (client, printed)
        assert trip.local.read_bytes() == server.content, client


@FAMILIES
@UPLINKS
def test_client_is_told_the_address_that_it_dialled(scripted, uplink):
    lab, _ = scripted
    with RawClient(lab.clients[0], lab.publics[uplink]) as client:
        for _ in range(3):
            endpoint = passive_port(lab, client)
            assert endpoint[0] == lab.publics[uplink]
            retrieve(client, endpoint)


@FAMILIES
@UPLINKS
def test_active_data_connection_leaves_by_the_uplink_of_its_control_connection(scripted, family, uplink):
    lab, server = scripted
    lab.router.run("conntrack", "-F")
    with RawClient(lab.clients[0], lab.publics[uplink]) as client:
        for verb in ("PORT", "EPRT") if family is IP4 else ("EPRT",):
            endpoint = client.listen()
            offer(client, verb, endpoint)
            assert server.offer() == endpoint
            assert fetch(client)[0] == lab.publics[uplink]
    marks = lab.marks()
    assert len(marks) >= 2 and set(marks) == {MARK * uplink}


@FAMILIES
def test_server_is_reached_by_both_at_once(scripted, family):
    lab, server = scripted
    with RawClient(lab.clients[0], lab.publics[0]) as one, RawClient(lab.clients[0], lab.publics[1]) as other:
        for _ in range(3):
            endpoints = [passive_port(lab, client) for client in (one, other)]
            assert [endpoint[0] for endpoint in endpoints] == lab.publics
            for client, endpoint in reversed(list(zip((one, other), endpoints))):
                retrieve(client, endpoint)
            offers = [client.listen() for client in (one, other)]
            for client, endpoint in zip((one, other), offers):
                offer(client, "EPRT", endpoint)
                assert server.offer() == endpoint
            assert [fetch(client)[0] for client in (one, other)] == lab.publics


@FAMILIES
def test_what_belongs_to_no_control_connection_leaves_by_the_first_uplink(scripted):
    """So the tests above say something."""
    lab, server = scripted
    lab.forward_policy("accept")
    try:
        with lab.clients[0].listen(lab.client_address()) as listener:
            with server.namespace.connect(*listener.getsockname()[:2]):
                assert listener.accept()[1][0] == lab.publics[0]
    finally:
        lab.forward_policy("drop")


@FAMILIES
@UPLINKS
def test_lan_client_is_active_by_each_uplink(site, family, uplink):
    """Which it takes is the admin's choice, by a mark."""
    lab, _, server = site
    with RawClient(lab.lan[uplink], server.address) as client:
        for verb in ("PORT", "EPRT") if family is IP4 else ("EPRT",):
            for _ in range(2):
                endpoint = client.listen()
                offer(client, verb, endpoint)
                assert server.offer() == (lab.publics[uplink], endpoint[1])
                assert fetch(client) == (server.address, DATA_PORT)


@FAMILIES
def test_session_that_cannot_be_read_and_its_data_leave_by_its_uplink(family):
    """What is negotiated behind AUTH is no matter here, only that the mark of TLS leaves that of the uplink alone."""
    with Uplinks(family=family, daemon=False) as lab:
        configured(lab, "[tls]", "passive-ports = 60000-60100")
        lab.shipped_rules("load", "--config", lab.tmp / "pasvd.conf")
        server = ScriptedServer(lab)
        server.replies["AUTH"] = lambda control: control.sendall(b"234 go ahead\r\n")
        for uplink, public in enumerate(lab.publics):
            with RawClient(lab.clients[0], public, login=False) as client:
                assert client.line().startswith("220")
                assert client.ask("AUTH TLS").startswith("234")
                listener = server.listen(60000 + uplink)
                for _ in range(2):
                    server.controls[-1].sendall(RECORD)
                    assert client.control.recv(len(RECORD), socket.MSG_WAITALL) == RECORD
                    with client.namespace.connect(public, 60000 + uplink) as data, listener.accept()[0] as sender:
                        sender.sendall(CONTENT)
                        sender.shutdown(socket.SHUT_WR)
                        assert read_all(data) == CONTENT
        assert set(lab.marks()) == {TLS_MARK, TLS_MARK | MARK}


# Each provider translates the public address to one that only the router knows.

@pytest.fixture(scope="module")
def translated(family):
    with Uplinks(translated=True, family=family, lan=LAN[family], outside=1, daemon=False) as lab:
        configured(lab, *outer_addresses(lab))
        yield lab, servers.vsftpd(lab), ScriptedServer(lab, number=1)


@FAMILIES
@UPLINKS
def test_client_is_told_the_outer_address_of_its_uplink(translated, visit, family, uplink):
    lab, server, _ = translated
    for client in CLIENTS[family]:
        trip = visit(lab, server, public=uplink)
        printed = clients.act(client, "download", trip)
        assert trip.local.exists(), (client, printed)
        assert trip.local.read_bytes() == server.content, client
    if family is IP4:
        with clients.python_session(visit(lab, server, public=uplink)) as ftp:
            assert ftp.makepasv()[0] == lab.publics[uplink]


@FAMILIES
@UPLINKS
def test_server_outside_is_told_the_outer_address_of_the_uplink(translated, family, uplink):
    lab, _, server = translated
    with RawClient(lab.lan[uplink], server.address) as client:
        for verb in ("PORT", "EPRT") if family is IP4 else ("EPRT",):
            endpoint = client.listen()
            offer(client, verb, endpoint)
            assert server.offer() == (lab.publics[uplink], endpoint[1])
            assert fetch(client) == (server.address, DATA_PORT)


def test_interface_may_go_and_come_back():
    """Which is seen within a second."""
    with Uplinks(translated=True, daemon=False) as lab:
        ScriptedServer(lab)
        lab.unplug(1)
        pasvd = configured(lab, *outer_addresses(lab))
        for turn in (1, 2):
            assert pasvd.log().count("interface wan1: not there; its entry does not count") == turn
            lab.plug(1)
            with RawClient(lab.clients[0], lab.publics[1]) as client:
                wait_for(lambda told=client: passive_port(lab, told)[0] == lab.publics[1], 5, "the address is told")
                retrieve(client, passive_port(lab, client))
            assert pasvd.log().count("interface=wan1 index=") == turn
            lab.unplug(1)
            with RawClient(lab.clients[0], lab.publics[0]) as client:
                wait_for(lambda told=client, gone=turn + 1: passive_port(lab, told)[0] == lab.publics[0]
                         and pasvd.log().count("interface wan1: not there") == gone, 5, "wan1 is missed")
