# SPDX-License-Identifier: GPL-2.0-or-later
"""Active mode in long sessions, over a bad way, and without the daemon."""

import os

import pytest

import clients
import servers
from scripted import RawClient, ScriptedServer, parse_port
from test_active import ADDRESSES, fetch, offer

LAN = {"servers": (), "outside": 1}


def lan_shape(length):
    public, private = ADDRESSES[length]
    return {**LAN, "publics": (public,), "snat": public, "lan": (private,)}


def transfer(trip, server, files, timeout=10):
    with trip.namespace.inside(), clients.python_session(trip, timeout, passive=False) as ftp:
        for number in range(files):
            assert clients.download_bytes(ftp, trip) == server.content
            clients.upload_bytes(ftp, trip, f"upload/{number}", server.content)
            assert (server.uploads / f"{number}").read_bytes() == server.content


@pytest.mark.parametrize("length", ADDRESSES)
def test_hundred_transfers_in_one_session(make_lab, visit_out, length):
    with make_lab(**lan_shape(length)) as lab:
        server = servers.vsftpd(lab, size=5000)
        transfer(visit_out(lab, server), server, files=50)


@pytest.mark.parametrize("length", ["longer", "shorter"])
@pytest.mark.parametrize("loss", ["loss", "loss_behind"])
def test_transfers_of_a_lan_client_survive_loss(make_lab, visit_out, loss, length):
    with make_lab(mss=536, **{loss: 0.04}, **lan_shape(length)) as lab:
        server = servers.pyftpdlib(lab, size=30_000)
        transfer(visit_out(lab, server), server, files=4, timeout=60)


def test_transfers_of_an_outside_client_survive_loss(make_lab, visit):
    with make_lab(mss=536, loss=0.03, loss_behind=0.03, masquerade=True) as lab:
        server = servers.vsftpd(lab, size=30_000)
        transfer(visit(lab, server), server, files=4, timeout=60)


def test_sessions_of_several_lan_clients_do_not_mix(make_lab, visit_out):
    with make_lab(**LAN, lan=("10.77.1.2", "10.77.1.3", "10.77.1.4")) as lab:
        server = servers.pyftpdlib(lab, size=5000)
        mine = [server.add_file(f"pub/{number}", os.urandom(5000)) for number in range(3)]
        trips = [visit_out(lab, server, client=number) for number in range(3)]
        sessions = [clients.python_session(trip, passive=False) for trip in trips]
        for _ in range(5):
            for number, (ftp, trip) in enumerate(zip(sessions, trips)):
                assert clients.download_bytes(ftp, trip, f"pub/{number}") == mine[number]
        for ftp in sessions:
            assert ftp.quit().startswith("221")


@pytest.mark.daemon
def test_killed_daemon_breaks_no_session_and_its_successor_goes_on(make_lab):
    with make_lab(**lan_shape("longer")) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            for _ in range(2):
                offer(client, "PORT", client.listen())
                server.offer()
                fetch(client)
            lab.pasvd.kill()
            for _ in range(3):
                assert client.ask("NOOP").startswith("200")
            endpoint = client.listen()
            offer(client, "PORT", endpoint)
            assert server.offer() == endpoint   # nobody to rewrite it
            lab.start_pasvd()
            assert client.ask("NOOP").startswith("200")     # no offer is read before a line end was seen
            for verb in ("PORT", "EPRT"):
                endpoint = client.listen()
                offer(client, verb, endpoint)
                assert server.offer() == (lab.publics[0], endpoint[1])
                fetch(client)


# Long forms (RFC 1639) are refused: the command does not reach the server as such.

@pytest.mark.daemon
@pytest.mark.parametrize("command", ["LPSV", "lpsv", "LPRT 4,4,10,7,0,2,2,195,80"])
def test_long_form_is_refused_by_the_server(make_lab, command):
    with make_lab() as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            assert client.ask(command).startswith("500")
            assert server.commands[-1] == b"XXXX" + command[4:].encode() + b"\r\n"
            assert lab.expectations() == []
            assert lab.pasvd.counters()["long-form"] == 1
            reply = client.ask("PASV")      # and the session goes on
            assert parse_port(reply[reply.index("(") + 1:reply.index(")")])[0] == lab.publics[0]


@pytest.mark.daemon
def test_promise_to_use_epsv_only_is_understood(make_lab):
    """EPSV ALL (RFC 2428 section 4) announces nothing, and its 200 is no answer to the next."""
    with make_lab() as lab:
        server = ScriptedServer(lab)
        server.replies["EPSV"] = answer_all_first(server)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            assert client.ask("EPSV ALL").startswith("200")
            assert lab.expectations() == []
            port = int(client.ask("EPSV").split("|")[3])
            assert [entry["dport"] for entry in lab.expectations()] == [str(port)]


def answer_all_first(server):
    replies = iter([b"200 ok\r\n"])

    def reply(control):
        port = server.listen().getsockname()[1]
        control.sendall(next(replies, f"229 Extended Passive Mode (|||{port}|)\r\n".encode()))
    return reply
