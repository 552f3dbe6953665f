# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks: text that looks like a negotiation, and negotiations of what is nobody's business.

Each is run against the in-kernel helper first, where it works, to show that it
is one; then against pasvd, which opens nothing and counts why.  The port that
is aimed at has a listener that accepts anybody.
"""

import contextlib
import dataclasses
import typing

import pytest

from lab import PATIENCE, wait_for
from rawtcp import ACK, PSH, WIDE, RawTcp, free_port
from scripted import RawClient, ScriptedServer, port_argument, retransmissions, unacknowledged
from test_active import ARGUMENT
from test_fail import CLOSED

SSH, ORDINARY = 22, 40022
ROUTER = 1      # the time to live of what ends there
LAN = ("192.168.100.200", "192.168.100.201")


@dataclasses.dataclass(frozen=True)
class Attack:
    """talk(server, client, port) makes the two say it; client has not logged in yet."""
    talk: typing.Callable
    reason: str         # what pasvd counts
    port: int = ORDINARY
    kernel: bool = True # the in-kernel helper falls for it


def announce(server, port, code="227"):
    numbers = port_argument((server.address, port)) if code == "227" else f"|||{port}|"
    return f"{code} Entering Passive Mode ({numbers}).\r\n"


def log_in(client):
    client.line()
    for command in ("USER lab", "PASS lab"):
        client.ask(command)


def answers(server, command, *segments):
    """The server's reply to the command, each part in a segment of its own."""
    def send(control):
        for segment in segments:
            control.sendall(segment.encode())
    server.replies[command] = send


def answer_to(command, *texts, code="227"):
    """Log in, give the command, and get these lines; {} is the announcement."""
    def talk(server, client, port):
        lines = [text.format(announce(server, port, code).strip()) + "\r\n" for text in texts]
        answers(server, command, *lines)
        log_in(client)
        client.send(command.encode() + b"\r\n")
        for _ in lines:
            client.line()
    return talk


def before_login(command, code):
    def talk(server, client, port):
        answers(server, command, announce(server, port, code))
        client.line()
        assert client.ask(command).startswith(code)
    return talk


def number_too_large(server, client, port):
    """The port as one number, where two of 8 bits should be."""
    address = server.address.replace(".", ",")
    answers(server, "PASV", f"227 Entering Passive Mode ({address},0,{port}).\r\n")
    log_in(client)
    assert client.ask("PASV").startswith("227")


def other_host(server, client, port):
    """The router, seen from the server."""
    answers(server, "PASV", f"227 Entering Passive Mode (10,255,255,1,{port // 256},{port % 256}).\r\n")
    log_in(client)
    assert client.ask("PASV").startswith("227")


# Somebody outside, and a server behind the router that says what it is made to say.
AT_SERVER = {
    "227 inside a 211 reply": Attack(answer_to("STAT", "211-Status", "{}", "211 End"), "unpaired"),
    "227 inside a 214 reply": Attack(answer_to("HELP", "214-Help", "{}", "214 End"), "unpaired"),
    "227 in a name with a line end": Attack(
        answer_to("PWD", '257 "/a', "{}", '" is the directory'), "unpaired"),
    "227 as the answer to NOOP": Attack(answer_to("NOOP", "{}"), "unpaired"),
    "227 behind 200": Attack(answer_to("NOOP", "200 ok", "{}"), "unpaired"),
    "227 before login": Attack(before_login("PASV", "227"), "not-logged-in"),
    "227 with port 22": Attack(answer_to("PASV", "{}"), "low-port", SSH),
    "227 with a number over 255": Attack(number_too_large, "unreadable"),
    "227 with the address of another": Attack(other_host, "foreign-address", kernel=False),
    "229 inside a 211 reply": Attack(answer_to("STAT", "211-Status", "{}", "211 End", code="229"), "unpaired"),
    "229 as the answer to NOOP": Attack(answer_to("NOOP", "{}", code="229"), "unpaired"),
    "229 before login": Attack(before_login("EPSV", "229"), "not-logged-in"),
    "229 with port 22": Attack(answer_to("EPSV", "{}", code="229"), "low-port", SSH),
}


def offer_command(verb, endpoint):
    return f"{verb} {ARGUMENT[verb](endpoint)}\r\n".encode()


def own_port(verb):
    def talk(server, client, port):
        log_in(client)
        client.send(offer_command(verb, (client.address, port)))
        client.line()
    return talk


def port_before_login(verb):
    def talk(server, client, port):
        client.line()
        client.ask("NOOP")      # the in-kernel helper wants to see the end of a line first
        client.send(offer_command(verb, (client.address, port)))
        client.line()
    return talk


def port_of_another(verb, address):
    def talk(server, client, port):
        log_in(client)
        client.send(offer_command(verb, (address, port)))
        assert server.offer() == (address, port)    # what is refused passes untouched
        client.line()
    return talk


def web_page(verb):
    """A browser that a page has made post a form to port 21 of the page's server."""
    def talk(server, client, port):
        answers(server, "POST", "331 password\r\n", "230 welcome\r\n")
        client.line()
        client.send(b"POST / HTTP/1.1\r\nHost: 198.51.100.100:21\r\nContent-Length: 40\r\n\r\n")
        client.line()
        client.send(offer_command(verb, (client.address, port)))
        client.line()
    return talk


def port_in_reply(server, client, port):
    """The name of a file that the server tells."""
    command = offer_command("PORT", (client.address, port)).decode()
    answers(server, "STAT", '550 "a\r\n', command, '": no such file\r\n')
    log_in(client)
    client.send(b"STAT\r\n")
    assert [client.line() for _ in range(3)][1] == command


# A client in the LAN that is made to say something, to a server outside that wants in.
AT_CLIENT = {
    **{f"{verb} {name}": attack for verb in ARGUMENT for name, attack in {
        "with port 22": Attack(own_port(verb), "low-port", SSH),
        "before login": Attack(port_before_login(verb), "not-logged-in"),
        "in what a web page posts": Attack(web_page(verb), "not-ftp"),
        "of somebody else in the LAN": Attack(port_of_another(verb, LAN[1]), "foreign-address", kernel=False),
        "of the loopback address": Attack(port_of_another(verb, "127.0.0.1"), "foreign-address", kernel=False),
        "of no address": Attack(port_of_another(verb, "0.0.0.0"), "foreign-address", kernel=False),
    }.items()},
    "PORT in a reply": Attack(port_in_reply, "passed", kernel=False),
}


def only_kernel(attacks):
    return [name for name, attack in attacks.items() if attack.kernel]


@pytest.fixture
def at_server(make_lab):
    """Runs an attack at a server: what is expected then, whether the port is as it should be, what was counted."""
    def run(engine, attack, opens):
        with make_lab(engine=engine) as lab:
            server = ScriptedServer(lab)
            server.listen(attack.port)
            with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
                attack.talk(server, client, attack.port)
                assert lab.router.attempt(server.address, attack.port) == "open"
                expectations, client = lab.expectations(), lab.clients[0]
                is_so = (client.attempt(lab.publics[0], attack.port, timeout=10) == "open" if opens else
                         client.is_shut(lab.publics[0], attack.port))
                return expectations, is_so, lab.pasvd and lab.pasvd.counters()
    return run


@pytest.fixture
def at_client(make_lab):
    def run(engine, attack, opens):
        with make_lab(engine=engine, servers=(), outside=1, lan=LAN) as lab:
            server = ScriptedServer(lab)
            with RawClient(lab.lan[0], server.address, login=False) as client:
                client.listen(attack.port)
                attack.talk(server, client, attack.port)
                assert lab.router.attempt(client.address, attack.port) == "open"
                expectations, port = lab.expectations(), (lab.lan_seen_as, attack.port)
                is_so = server.attempt(port) == "open" if opens else server.is_shut(port)
                return expectations, is_so, lab.pasvd and lab.pasvd.counters()
    return run


@pytest.mark.parametrize("name", only_kernel(AT_SERVER))
def test_in_kernel_helper_opens_the_server(at_server, name):
    expectations, is_open, _ = at_server("kernel-ftp", AT_SERVER[name], opens=True)
    assert len(expectations) == 1
    assert is_open


@pytest.mark.parametrize("name", only_kernel(AT_CLIENT))
def test_in_kernel_helper_opens_the_client(at_client, name):
    expectations, is_open, _ = at_client("kernel-ftp", AT_CLIENT[name], opens=True)
    assert len(expectations) == 1
    assert is_open


@pytest.mark.parametrize("name", AT_SERVER)
def test_server_stays_shut(at_server, name):
    expectations, is_shut, counters = at_server("pasvd", AT_SERVER[name], opens=False)
    assert expectations == []
    assert is_shut
    assert counters[AT_SERVER[name].reason] > 0 and counters["opened"] == 0, counters


@pytest.mark.parametrize("name", AT_CLIENT)
def test_client_stays_shut(at_client, name):
    expectations, is_shut, counters = at_client("pasvd", AT_CLIENT[name], opens=False)
    assert expectations == []
    assert is_shut
    assert counters[AT_CLIENT[name].reason] > 0 and counters["opened"] == 0, counters


# A client that decides where the server's segments begin.

HARMLESS = b"550 "


@contextlib.contextmanager
def quoting(lab, *passive):
    """A server that quotes a name like an announcement when it is asked for a size, and what it replies to PASV; and a
    logged-in client that acknowledges what it likes."""
    server = ScriptedServer(lab)
    server.listen(ORDINARY)
    answers(server, "SIZE", f"550 {announce(server, ORDINARY).strip()}: no such file\r\n")
    answers(server, "PASV", *passive)
    with RawTcp(lab.clients[0], lab.client_address(), lab.publics[0]) as client:
        for command in (b"", b"USER lab\r\n", b"PASS lab\r\n"):
            client.ask(command)
        yield server, client


@pytest.fixture
def cutting(make_lab):
    """The PASV waits for its answer."""
    with make_lab() as lab, quoting(lab) as (_, client):
        yield lab, client


def check_shut(lab):
    assert lab.expectations() == []
    assert lab.clients[0].is_shut(lab.publics[0], ORDINARY)


def test_reply_cut_by_a_small_window_announces_nothing(cutting):
    lab, client = cutting
    client.segment(PSH | ACK, b"NOOP\r\n")
    client.acknowledge(len(client.next()[2]), window=len(HARMLESS))
    client.segment(PSH | ACK, b"SIZE 227\r\nPASV\r\n", window=len(HARMLESS))
    assert client.next()[2] == HARMLESS
    client.acknowledge(len(HARMLESS))
    assert client.next()[2].startswith(b"227 Entering Passive Mode (10,")
    check_shut(lab)


def test_retransmission_that_begins_with_the_announcement_announces_nothing(cutting):
    lab, client = cutting
    client.segment(PSH | ACK, b"SIZE 227\r\nPASV\r\n")
    assert client.next()[2].startswith(HARMLESS + b"227 ")
    client.acknowledge(len(HARMLESS))
    assert client.next()[2].startswith(b"227 Entering Passive Mode (10,")
    check_shut(lab)


# What a client says in the segment that ends the handshake, so before any server has greeted it.

class Ends:
    """A client that is seen at an address, a server, and where the client goes."""

    def __init__(self, lab, number, namespace, address, seen, dialled):
        self.namespace, self.address, self.seen = namespace, address, seen
        self.dialled = dialled
        self.server = ScriptedServer(lab, number)
        self.server.replies = {command: lambda control: control.sendall(b"530 Please log in.\r\n")
                               for command in (*ARGUMENT, "NOOP")}


@pytest.fixture(scope="module")
def both_ways(make_lab):
    with make_lab(outside=1, lan=LAN) as lab:
        outside = lab.server_addresses[1]
        yield lab, {"outside": Ends(lab, 0, lab.clients[0], lab.client_address(), lab.client_address(), lab.publics[0]),
                    "lan": Ends(lab, 1, lab.lan[0], LAN[0], lab.lan_seen_as, outside)}


@pytest.mark.daemon
@pytest.mark.parametrize("behind", [0, 16])
@pytest.mark.parametrize("verb", ARGUMENT)
@pytest.mark.parametrize("where", ["outside", "lan"])
def test_offer_before_the_greeting_opens_nothing(both_ways, where, verb, behind):
    """Also if the refusal stands before many replies, and once the client has logged in."""
    lab, ends = both_ways[0], both_ways[1][where]
    offer = f"{verb} {ARGUMENT[verb]((ends.address, ORDINARY))}\r\n".encode() + b"NOOP\r\n" * behind
    before = lab.pasvd.counters()
    with ends.namespace.listen(ends.address, ORDINARY), \
            RawTcp(ends.namespace, ends.address, ends.dialled, source_port=free_port(lab), first=offer) as client:
        client.receive(lambda text: text.count(b"\n") == 2 + behind)
        assert lab.expectations() == []
        for command in (b"USER lab\r\n", b"PASS lab\r\n"):
            client.ask(command)
        assert lab.expectations() == []
        assert lab.router.attempt(ends.address, ORDINARY) == "open"
        assert ends.server.is_shut((ends.seen, ORDINARY))
    after = lab.pasvd.counters()
    assert after["not-logged-in"] == before["not-logged-in"] + 1 and after["opened"] == before["opened"], after


@pytest.mark.parametrize("wide", [True, False])
def test_acknowledgement_that_ends_at_the_router_is_believed_by_no_successor(make_lab, wide):
    """Conntrack takes all for acknowledged; the server has to send again from where the client says."""
    with make_lab(config=CLOSED) as lab, quoting(lab, "227 no more ports\r\n") as (_, client):
        client.segment(PSH | ACK, b"SIZE 227\r\n")
        whole = client.next()[2]
        client.acknowledge(len(whole), ttl=ROUTER)
        rest = len(whole) - len(HARMLESS)
        client.ack -= rest
        lab.pasvd.kill()
        lab.start_pasvd()
        client.segment(PSH | ACK, b"PASV\r\n", window=WIDE if wide else rest)
        client.receive(lambda text: b"\n" in text)
        check_shut(lab)


def test_reply_that_is_acknowledged_unseen_is_believed_by_no_successor(make_lab):
    """While no pasvd runs, the server's segment ends at the router, where conntrack has seen it, and the client's ACK of
    it passes: the server goes on in the middle of a line."""
    with make_lab(config=CLOSED) as lab, quoting(lab) as (server, client):
        control = server.controls[0]
        client.segment(PSH | ACK, b"SIZE 227\r\n", window=0)
        wait_for(lambda: unacknowledged(control) > 0, PATIENCE, "the reply, which waits for a window")
        whole = unacknowledged(control)
        lab.pasvd.kill()
        client.acknowledge(0, window=len(HARMLESS))
        wait_for(lambda: retransmissions(control) > 0, PATIENCE, "the first part, sent again")
        client.acknowledge(len(HARMLESS), window=0)
        wait_for(lambda: unacknowledged(control) == whole - len(HARMLESS), PATIENCE, "the ACK")
        lab.start_pasvd()
        client.segment(PSH | ACK, b"PASV\r\n")
        client.receive(lambda text: b"\n" in text)
        check_shut(lab)
