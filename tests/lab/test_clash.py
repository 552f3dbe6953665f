# SPDX-License-Identifier: GPL-2.0-or-later
"""A port for which the kernel still has an expectation: that of a session that is over gives way, that of one
that goes on does not."""

import re
import socket
import struct

import pytest

from lab import wait_for
from scripted import RawClient, ScriptedServer
from test_active import ARGUMENT, fetch, offer

pytestmark = pytest.mark.daemon

PORT = 40022
REPLIES = {"PASV": lambda server: server.pasv_text(PORT), "EPSV": lambda _: f"229 ok (|||{PORT}|)\r\n".encode()}


def stay(_):
    pass


def reset(client):
    client.control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.control.close()


def close(client):
    """Without a word: only the FIN is seen."""
    client.control.close()


ENDS = [(stay, PORT + 1), (reset, PORT), (close, PORT)]


def ask(client, asked):
    """The port of the reply."""
    numbers = [int(number) for number in re.findall(r"\d+", client.ask(asked))]
    return numbers[-2] * 256 + numbers[-1] if asked == "PASV" else numbers[-1]


def expected(lab):
    return {int(entry["dport"]) for entry in lab.expectations()}


def wait_for_end(lab, end):
    """Until conntrack has seen it."""
    count = 2 if end is stay else 1
    wait_for(lambda: len(lab.connections("-p", "tcp", "--dport", "21", "--state", "ESTABLISHED")) == count)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("end, port", ENDS)
@pytest.mark.parametrize("asked", REPLIES)
def test_port_that_a_server_announces_again(make_lab, asked, end, port, restarted):
    with make_lab() as lab:
        server = ScriptedServer(lab)
        server.listen(PORT)
        server.replies[asked] = lambda control: control.sendall(REPLIES[asked](server))
        with RawClient(lab.clients[0], lab.publics[0]) as first, RawClient(lab.clients[0], lab.publics[0]) as second:
            assert ask(first, asked) == PORT
            end(first)
            if restarted:
                lab.pasvd.kill()
                lab.start_pasvd()
                second.ask("NOOP")
            wait_for_end(lab, end)
            assert expected(lab) == {PORT}      # nobody has used it
            assert ask(second, asked) == port
            assert expected(lab) == {PORT, port}
            assert lab.clients[0].attempt(lab.publics[0], port) == "open"


def test_port_of_a_predecessor_keeps_its_lifetime(make_lab):
    """The kernel finds the expectation whose lifetime is set by its addresses and ports, whosever it is."""
    with make_lab(config="[pasvd]\nexpect-timeout = 300\n") as lab:
        server = ScriptedServer(lab)
        server.replies["PASV"] = lambda control: control.sendall(REPLIES["PASV"](server))
        with RawClient(lab.clients[0], lab.publics[0]) as first, RawClient(lab.clients[0], lab.publics[0]) as second:
            assert ask(first, "PASV") == PORT
            lab.pasvd.kill()
            (lab.tmp / "pasvd.conf").write_text("[pasvd]\nexpect-timeout = 30\n")
            lab.start_pasvd()
            second.ask("NOOP")
            assert ask(second, "PASV") == PORT + 1
            assert [entry["seconds"] > 100 for entry in lab.expectations() if int(entry["dport"]) == PORT] == [True]


@pytest.mark.parametrize("end, port", ENDS)
@pytest.mark.parametrize("verb", ARGUMENT)
def test_port_that_another_client_offers_again(make_lab, verb, end, port):
    """By short addresses: behind a line that became shorter in front of conntrack it does not believe a reset."""
    with make_lab(servers=(), outside=1, lan=("10.7.0.2", "10.7.0.3")) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as first, RawClient(lab.lan[1], server.address) as second:
            offer(first, verb, first.listen(PORT))
            assert server.offer() == (lab.lan_seen_as, PORT)
            end(first)
            wait_for_end(lab, end)
            assert expected(lab) == {PORT}
            offer(second, verb, second.listen(PORT))
            assert server.offer() == (lab.lan_seen_as, port)
            fetch(second)
