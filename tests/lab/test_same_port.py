# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that comes again from the port that it had before is not taken for the session that was:
nothing stalls, nobody is reset, and each line is the right one."""

import socket
import struct

import pytest

import clients
from each_server import each_server
from rawtcp import ACK, PSH, RawTcp
from scripted import RawClient, ScriptedServer
from servers import SERVERS
from test_endings import pasv, retrieve

pytestmark = pytest.mark.daemon

ADDRESSES = {"longer": ("203.113.112.111", "10.7.0.2"), "shorter": ("9.9.9.9", "192.168.100.200"),
             "as-long": ("203.0.113.1", "10.77.0.122")}
CONTROL, PORT = 2100, 20021
COMES = 4   # how often


def stalls(lab):
    """How often any host has waited in vain, and sent again."""
    return sum(host.counter("TCPTimeouts") for host in (*lab.clients, *lab.servers))


def reset(client, _):
    client.control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def say_good_bye(client, server):
    assert client.ask("QUIT") == "221 bye\r\n"
    server.controls[-1].shutdown(socket.SHUT_RDWR)
    assert client.control.recv(1) == b""


@pytest.fixture(scope="module")
def lab(make_lab):
    """Each server has an address of its own outside, and a port."""
    publics, servers = zip(*ADDRESSES.values())
    forwards = [(CONTROL + number, number, 21) for number in range(len(servers))]
    with make_lab(publics=publics, servers=servers, forwards=forwards, patient=True) as lab:
        lab.scripted = [ScriptedServer(lab, number) for number in range(len(servers))]
        yield lab


@pytest.mark.parametrize("end", [reset, say_good_bye])
@pytest.mark.parametrize("number", range(len(ADDRESSES)), ids=ADDRESSES)
def test_client_comes_again_from_the_same_port(lab, number, end):
    server, public = lab.scripted[number], lab.publics[number]
    before = stalls(lab), lab.pasvd.counters()["opened"]
    for _ in range(COMES):
        with RawClient(lab.clients[0], public, CONTROL + number, source=(lab.client_address(), PORT)) as client:
            assert client.greeting == "220 scripted\r\n"
            for _ in range(2):
                endpoint = pasv(client)
                assert endpoint == (public, server.data_ports[-1])
                retrieve(client, endpoint)
            assert client.ask("NOOP") == "200 ok\r\n"
            end(client, server)
    assert (stalls(lab), lab.pasvd.counters()["opened"]) == (before[0], before[1] + 2 * COMES)


FAR = 700_000_000


def forget(server):
    """As a machine does whose power fails: without a word. conntrack does not hear of it."""
    host = server.namespace
    host.run("iptables", "-I", "OUTPUT", "-p", "tcp", "--tcp-flags", "RST", "RST", "-j", "DROP")
    host.run("ss", "-K", "state", "established", "sport", "=", ":21")


def test_connection_that_takes_the_place_of_one_that_both_ends_have_forgotten(make_lab):
    """conntrack keeps its entry, with the mark of the session that was: that is not taken for the new one's."""
    with make_lab() as lab:
        server = ScriptedServer(lab)
        ends = lab.clients[0], lab.client_address(), lab.publics[0]

        def say(client, line):
            client.segment(PSH | ACK, line)
            return client.reply()[:3]

        def log_in(client):
            assert [say(client, line) for line in (b"USER lab\r\n", b"PASS lab\r\n")] == [b"331", b"230"]

        before = RawTcp(*ends, source_port=PORT)
        lab.on_exit(before.socket.close)
        before.reply()
        log_in(before)
        assert say(before, b"PASV\r\n") == b"227" and lab.pasvd.counters()["opened"] == 1
        forget(server)
        with RawTcp(*ends, source_port=PORT, begin=FAR) as client:
            assert client.reply() == b"220 scripted\r\n"
            assert say(client, b"NOOP\r\n") == b"200"
            assert say(client, b"PASV\r\n") == b"227" and lab.pasvd.counters()["opened"] == 1
            log_in(client)
            assert say(client, b"PASV\r\n") == b"227" and lab.pasvd.counters()["opened"] == 2


@pytest.fixture(scope="module")
def sites(make_lab):
    with each_server(make_lab, patient=True) as sites:
        yield sites


@pytest.mark.parametrize("name", SERVERS)
def test_curl_with_few_ports_downloads_again_and_again(sites, visit, name):
    """Control and data connections take turns with them."""
    lab, server, dialled = sites[name]
    trip, before = visit(lab, server, port=dialled), stalls(lab)
    argv, _ = clients.curl("download", trip, options=("--disable-epsv", "--local-port", "20021-20030"))
    for _ in range(COMES):
        trip.namespace.run(*argv)
        assert trip.local.read_bytes() == server.content
        trip.local.unlink()
    assert stalls(lab) == before
