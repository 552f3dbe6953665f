# SPDX-License-Identifier: GPL-2.0-or-later
"""The hole of a PORT: there from the command on, for the server alone, and gone when it refuses.

It cannot wait for the server's 200: some servers (pyftpdlib) connect first and
answer then.
"""

import threading

import pytest

from scripted import RawClient, ScriptedServer
from test_active import ARGUMENT, fetch, offer

REFUSALS = ["500 Illegal PORT command.", "425 no", "530 Please login.", "501-many\r\n501 words"]
COMMANDS = 16   # behind a PORT


class Gate:
    """Keeps the reply to a PORT until the test lets it go, or gives another one."""

    def __init__(self):
        self.open = threading.Event()
        self.reply = None

    def __call__(self, control, reply):
        assert self.open.wait(10)
        control.sendall(self.reply or reply)

    def let_go(self, reply=None):
        self.reply = reply and reply.encode() + b"\r\n"
        self.open.set()


@pytest.fixture(scope="module")
def site(make_lab):
    with make_lab(servers=(), outside=1, lan=("10.77.1.2",)) as lab:
        yield ScriptedServer(lab), lab


@pytest.fixture
def gate(site):
    server, _ = site
    server.send_port = Gate()
    yield server.send_port
    server.send_port.let_go()


@pytest.fixture
def client(site, gate):
    server, lab = site
    with RawClient(lab.lan[0], server.address) as client:
        yield client


def announce(server, client):
    """A PORT that waits for its reply; the endpoint as the server sees it."""
    endpoint = client.listen()
    client.send("PORT {},{},{}\r\n".format(endpoint[0].replace(".", ","), endpoint[1] // 256,
                                         endpoint[1] % 256).encode())
    return server.offer()


def expected_ports(lab):
    return [int(entry["dport"]) for entry in lab.expectations()]


def test_server_may_connect_before_it_answers(site, client, gate):
    server, lab = site
    endpoint = announce(server, client)
    assert endpoint[1] in expected_ports(lab)
    assert server.attempt(endpoint) == "open"
    gate.let_go()
    assert client.line().startswith("200")


def test_nobody_else_may_connect_before_the_answer(site, client, gate):
    server, lab = site
    endpoint = announce(server, client)
    assert lab.clients[0].is_shut(*endpoint)
    gate.let_go()
    assert client.line().startswith("200")
    assert lab.clients[0].is_shut(*endpoint)
    fetch(client)


def test_hole_stays_when_the_server_agrees(site, client, gate):
    server, lab = site
    endpoint = announce(server, client)
    gate.let_go()
    assert client.line().startswith("200")
    assert endpoint[1] in expected_ports(lab)
    assert server.attempt(endpoint) == "open"


@pytest.mark.daemon
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal[:3])
def test_hole_is_gone_when_the_server_refuses(site, client, gate, refusal):
    server, lab = site
    endpoint = announce(server, client)
    assert endpoint[1] in expected_ports(lab)
    gate.let_go(refusal)
    while client.line()[3] != " ":
        pass
    assert endpoint[1] not in expected_ports(lab)
    assert server.is_shut(endpoint)


@pytest.mark.daemon
@pytest.mark.parametrize("verb", ARGUMENT)
def test_hole_is_gone_when_many_commands_follow_the_refused_one(site, client, gate, verb):
    server, lab = site
    endpoint = client.listen()
    client.send(f"{verb} {ARGUMENT[verb](endpoint)}\r\n".encode() + b"NOOP\r\n" * COMMANDS)
    assert server.offer() == (lab.lan_seen_as, endpoint[1])
    assert endpoint[1] in expected_ports(lab)
    gate.let_go("500 no")
    assert [client.line()[:3] for _ in range(1 + COMMANDS)] == ["500"] + ["200"] * COMMANDS
    assert endpoint[1] not in expected_ports(lab)
    assert server.is_shut((lab.lan_seen_as, endpoint[1]))


@pytest.mark.daemon
def test_refused_port_does_not_stand_in_the_way_of_the_next(site, client, gate):
    server, lab = site
    announce(server, client)
    gate.let_go("500 no")
    assert client.line().startswith("500")
    gate.reply = None
    assert offer(client, "EPRT", client.listen()).startswith("200")
    server.offer()
    fetch(client)


@pytest.mark.daemon
def test_failure_of_another_command_leaves_the_hole(site, client, gate):
    server, lab = site
    endpoint = announce(server, client)
    gate.let_go()
    assert client.line().startswith("200")
    assert client.ask("NONSENSE").startswith("500")
    assert endpoint[1] in expected_ports(lab)
    assert server.attempt(endpoint) == "open"


@pytest.mark.daemon
def test_good_bye_shuts_a_hole_that_was_not_used(site, client, gate):
    server, lab = site
    endpoint = announce(server, client)
    gate.let_go()
    assert client.line().startswith("200")
    assert client.ask("QUIT").startswith("221")
    assert endpoint[1] not in expected_ports(lab)
    assert server.is_shut(endpoint)
