# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6 with addresses translated on the way: EPSV and EPRT, servers and clients behind the router.

What is marked as about pasvd fails with the in-kernel helper, which writes addresses
with all of their zeros: a server that compares text (pyftpdlib) refuses that.
"""

import dataclasses
import ftplib
import ipaddress
import re

import pytest

import clients
import servers
from lab import IP6
from scripted import CONTENT, DATA_PORT, RawClient, ScriptedServer, read_all
from test_active import fetch, offer
from test_active_matrix import check

PASSIVE = ["curl", "curl-epsv", "lftp", "tnftp-epsv", "inetutils", "wget", "ftplib"]
ACTIVE = ["curl-eprt", "lftp-active", "tnftp-eprt", "inetutils-active", "ftplib-active"]
# As seen outside, and behind the router: text that grows, shrinks or stays as long as it was.
ADDRESSES = {"longer": ("2001:db8:1234:5678:9abc:def0:1234:5678", "fd00::2"),
             "shorter": ("2001:db8::9", "fd12:3456:789a:bcde:f012:3456:789a:bcde"),
             "as-long": ("2001:db8::9", "fd12:345::9")}


@pytest.fixture(scope="module", params=servers.SERVERS)
def inside(request, make_lab):
    with make_lab(family=IP6) as lab:
        yield servers.SERVERS[request.param](lab)


@pytest.fixture(scope="module", params=servers.SERVERS)
def outside(request, make_lab):
    with make_lab(family=IP6, servers=(), outside=1, lan=("fd88::7",)) as lab:
        yield servers.SERVERS[request.param](lab)


@pytest.mark.parametrize("client", PASSIVE)
def test_passive_client_works_with_server_behind_the_router(inside, client, visit):
    check(client, visit(inside.lab, inside), inside)


@pytest.mark.daemon
@pytest.mark.parametrize("client", ACTIVE)
def test_active_client_works_with_server_behind_the_router(inside, client, visit):
    check(client, visit(inside.lab, inside), inside)


@pytest.mark.daemon
@pytest.mark.parametrize("client", ACTIVE)
def test_lan_client_works_with_server_outside(outside, client, visit_out):
    check(client, visit_out(outside.lab, outside), outside)


def numbers(port):
    return f"{port // 256},{port % 256})"


def ask_pasv(trip):
    """A session that has asked, the reply, and its port. Each server says what it can of its address."""
    ftp = clients.python_session(trip)
    ftp.voidcmd("TYPE I")
    reply = ftp.sendcmd("PASV")
    high, low = map(int, re.search(r"(\d+),(\d+)\)", reply).groups())
    return ftp, reply, high * 256 + low


@pytest.mark.daemon
def test_port_of_a_reply_to_pasv_is_opened_and_its_text_left(inside, visit):
    lab, trip = inside.lab, visit(inside.lab, inside)
    if inside.name == "pure-ftpd":
        with pytest.raises(ftplib.error_temp, match="425 You cannot use PASV on IPv6"):
            ask_pasv(trip)
        return
    at_the_server, unchanged, its_port = ask_pasv(dataclasses.replace(trip, namespace=lab.router, host=inside.address))
    ftp, reply, port = ask_pasv(trip)
    with at_the_server, ftp:
        assert reply.replace(numbers(port), "") == unchanged.replace(numbers(its_port), "")
        assert [int(entry["dport"]) for entry in lab.expectations()] == [port]
        with lab.clients[0].connect(lab.publics[0], port) as data:
            ftp.putcmd(f"RETR {clients.REMOTE}")
            assert read_all(data) == inside.content
            while ftp.getresp()[0] == "1":
                pass
        assert lab.clients[0].is_shut(lab.publics[0], port)


def epsv_port(client):
    reply = client.ask("EPSV")
    assert reply.startswith("229")
    return int(reply.split("|")[3])


@pytest.mark.parametrize("length", ADDRESSES)
def test_extended_passive_port_is_opened_and_its_text_left(make_lab, length):
    public, private = ADDRESSES[length]
    with make_lab(family=IP6, servers=(private,), publics=(public,), clients=2) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], public) as client:
            for _ in range(3):
                port = epsv_port(client)
                assert port == server.data_ports[-1]
                assert lab.clients[1].is_shut(public, port)
                with lab.clients[0].connect(public, port) as data:
                    client.send(b"RETR anything\r\n")
                    assert client.line().startswith("150")
                    assert read_all(data) == CONTENT
                    assert client.line().startswith("226")
                assert lab.clients[0].is_shut(public, port)


@pytest.mark.daemon
@pytest.mark.parametrize("length", ADDRESSES)
def test_server_outside_is_told_the_address_that_it_sees(make_lab, length):
    public, private = ADDRESSES[length]
    with make_lab(family=IP6, servers=(), outside=1, lan=(private,), publics=(public,),
                  snat=public) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            for _ in range(3):
                endpoint = client.listen()
                assert offer(client, "EPRT", endpoint).startswith("200")
                assert server.offer() == (public, endpoint[1])      # as RFC 5952 has it
                assert lab.clients[0].is_shut(public, endpoint[1])
                assert fetch(client) == (server.address, DATA_PORT)


@pytest.mark.daemon
def test_masqueraded_client_is_announced_with_the_address_of_the_interface(make_lab):
    with make_lab(family=IP6, servers=(), outside=1, lan=("fd88::7",)) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            endpoint = client.listen()
            offer(client, "EPRT", endpoint)
            assert server.offer() == (lab.router_address, endpoint[1])


@pytest.mark.daemon
def test_data_connection_leaves_with_the_address_that_was_dialled(make_lab):
    """Also where what the server begins by itself leaves with another one."""
    publics = ("2001:db8:113::1", "2001:db8:113::77")
    with make_lab(family=IP6, publics=publics, masquerade=True) as lab:
        server = ScriptedServer(lab)
        for public in publics:
            with RawClient(lab.clients[0], public) as client:
                endpoint = client.listen()
                offer(client, "EPRT", endpoint)
                assert server.offer() == endpoint
                assert fetch(client)[0] == public


@pytest.mark.daemon
@pytest.mark.parametrize("text", [ipaddress.IPv6Address("fd88::7").exploded, "FD88::7",
                                  "fd88:0:0::0:7"])
def test_address_written_in_another_way_is_the_same_address(make_lab, text):
    with make_lab(family=IP6, servers=(), outside=1, lan=("fd88::7",)) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            port = client.listen()[1]
            assert client.ask(f"EPRT |2|{text}|{port}|").startswith("200")
            assert server.offer() == (lab.router_address, port)
            fetch(client)
