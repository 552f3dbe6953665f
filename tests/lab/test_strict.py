# SPDX-License-Identifier: GPL-2.0-or-later
"""Strict mode: what real servers and clients make of a line that is refused, and of a connection
that is reset; and that real clients say nothing that strict mode minds."""

import contextlib
import ftplib
import re

import pytest

import clients
import ftps_clients
import ftps_sites
from lab import IP6, PATIENCE, wait_for
from scripted import CONTENT, RawClient, ScriptedServer, port_argument, send_whole
from servers import SERVERS

pytestmark = pytest.mark.daemon

CHECKS = ("spoofed-reply", "spoofed-command", "pipelined", "long-line", "unprintable", "bare-lf", "bad-offer")
SPOOFED = b"227 Entering Passive Mode (10,0,0,9,195,80).\r\n"
NEIGHBOUR = "192.168.100.201"
NOOP_PACKET = 58    # bytes of a packet with a NOOP: with timestamps


def configuration(outcomes):
    return "[strict]\n" + "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in outcomes.items())


def everything(outcome):
    return {check: outcome for check in CHECKS}


@pytest.fixture
def strict_lab(make_lab):
    """A function that makes a lab whose daemon has these outcomes."""
    with contextlib.ExitStack() as stack:
        yield lambda outcomes, more="", **options: stack.enter_context(
            make_lab(config=configuration(outcomes) + more, **options))


def strict_counters(lab):
    counters = lab.pasvd.counters()
    return {check: counters[check] for check in CHECKS if counters.get(check)}


class Logged:
    """A client of a real server, logged in, whose port is open."""

    def __init__(self, lab, server):
        self.lab = lab
        self.server = server
        self.control = RawClient(lab.clients[0], lab.publics[0], login=False)
        self.reply()
        self.ask(f"USER {server.user}")
        assert self.ask(f"PASS {server.password}").startswith("230")

    def reply(self):
        """Its last line."""
        while not re.match(r"\d{3} ", line := self.control.line()):
            pass
        return line

    def ask(self, command):
        self.control.send(command.encode() + b"\r\n")
        return self.reply()

    def open_port(self):
        assert self.ask("PASV").startswith("227")
        assert len(self.lab.expectations()) == 1


def ends_reset(sock):
    """The socket's connection is reset; what comes before that is read."""
    sock.settimeout(PATIENCE)
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return False


def sessions(namespace, port=21):
    """Connections at the port that are there, as "ss" has them."""
    return namespace.run("ss", "-Htn", "state", "established", f"( sport = :{port} )").stdout


def drop_once(lab, namespace, *match):
    """The first packet that matches is lost in front of its receiver."""
    lab.iptables("-A", "INPUT", "-p", "tcp", *match, "-m", "limit", "--limit", "1/hour",
                 "--limit-burst", "1", "-j", "DROP", namespace=namespace)


def check_over(lab, client):
    """Both ends are gone, the port is shut, conntrack has seen the end."""
    assert ends_reset(client.control)
    wait_for(lambda: not sessions(lab.servers[0]), what="the server's end is gone")
    assert lab.expectations() == []
    assert not [line for line in lab.connections("-p", "tcp", "--dport", "21") if "ESTABLISHED" in line]


# Reset.

@pytest.mark.parametrize("name", SERVERS)
def test_both_ends_of_a_reset_connection_end(strict_lab, name):
    lab = strict_lab({"spoofed_reply": "reset"})
    server = SERVERS[name](lab)
    client = Logged(lab, server)
    client.open_port()
    assert len(sessions(lab.servers[0]).splitlines()) == 1
    client.control.send(SPOOFED)
    check_over(lab, client.control)
    assert strict_counters(lab) == {"spoofed-reply": 1}
    assert re.search(r"event=refused reason=spoofed-reply client=\S+ server=\S+ done=reset msg=", lab.pasvd.log())
    Logged(lab, server).open_port()


@pytest.fixture
def scripted(strict_lab):
    """A function that makes a lab with these outcomes, its server, and a client who is logged
    in, and was told a longer text than the server sent."""
    def make(outcomes, **options):
        lab = strict_lab(outcomes, servers=("10.7.0.2",), publics=("203.113.112.111",), **options)
        server = ScriptedServer(lab)
        client = RawClient(lab.clients[0], lab.publics[0])
        assert client.ask("PASV").startswith("227")
        return lab, server, client
    return make


def test_a_reset_by_the_servers_line_takes_both_ends(scripted):
    lab, server, client = scripted({"spoofed_command": "reset"})
    server.replies["NOOP"] = lambda control: control.sendall(b"PORT 10,7,0,2,195,80\r\n200 ok\r\n")
    client.send(b"NOOP\r\n")
    assert ends_reset(client.control)
    wait_for(lambda: not sessions(lab.servers[0]), what="the server's end is gone")
    assert lab.expectations() == []


def test_a_line_in_pieces_is_reset(scripted):
    lab, server, client = scripted(everything("refuse"))
    for piece in b"227", b" x", b"\r\n":
        client.send(piece)
    check_over(lab, client)
    assert strict_counters(lab) == {"spoofed-reply": 1}


def test_a_reset_that_is_lost_is_repeated(scripted):
    lab, server, client = scripted({"spoofed_reply": "reset"})
    drop_once(lab, lab.servers[0], "--tcp-flags", "RST", "RST")
    client.send(SPOOFED)
    check_over(lab, client)
    assert SPOOFED not in server.commands


def test_a_reset_behind_a_lost_segment_takes_effect(scripted):
    """The RST is not where the receiver waits: RFC 5961 has it answer, and nothing else."""
    lab, server, client = scripted({"spoofed_reply": "reset"})
    drop_once(lab, lab.servers[0], "-m", "length", "--length", NOOP_PACKET)
    client.send(b"NOOP\r\n")
    client.send(SPOOFED)
    assert ends_reset(client.control)
    wait_for(lambda: not sessions(lab.servers[0]), 5, "the server's end is gone")
    assert server.commands[-1] == b"NOOP\r\n"


def test_a_reset_over_ipv6_ends_both(strict_lab):
    lab = strict_lab({"spoofed_reply": "reset"}, family=IP6)
    ScriptedServer(lab)
    client = RawClient(lab.clients[0], lab.publics[0])
    assert client.ask("EPSV").startswith("229")
    client.send(SPOOFED)
    check_over(lab, client)


# Refusal.

@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("line", [SPOOFED, b"NO\x01P\r\n", b"RETR " + b"x" * 600 + b"\r\n",
                                  f"PORT {port_argument((NEIGHBOUR, 40000))}\r\n".encode()],
                         ids=["spoofed", "unprintable", "long", "bounce"])
def test_a_server_does_not_know_what_is_refused(strict_lab, name, line):
    lab = strict_lab(everything("refuse"))
    server = SERVERS[name](lab)
    client = Logged(lab, server)
    client.control.send(line)
    assert re.match(r"50[02] ", client.reply())
    assert re.search(r" done=masked msg=", lab.pasvd.log())
    client.open_port()
    assert client.ask("PWD").startswith("257")


def test_what_passes_without_strict_mode_is_known_to_the_server(make_lab):
    """The line above that a server does know, so that its test can fail."""
    with make_lab() as lab:
        server = ScriptedServer(lab)
        client = RawClient(lab.clients[0], lab.publics[0])
        assert client.ask(f"PORT {port_argument((NEIGHBOUR, 40000))}").startswith("200")
        assert server.offer() == (NEIGHBOUR, 40000)


def test_a_client_finds_no_port_in_a_refused_reply(scripted, visit):
    """And its session goes on: the reply has its code."""
    lab, server, client = scripted({"bad_offer": "refuse"})
    trip = visit(lab, server)
    with clients.python_session(trip) as ftp:
        server.send_pasv = lambda control, _: control.sendall(b"227 Entering Passive Mode (10,7,0,2,0,22).\r\n")
        with pytest.raises(ftplib.error_proto, match="227 XXXXXXXX XXXXXXX XXXX XXXX"):
            ftp.makepasv()
        server.send_pasv = send_whole
        assert clients.download_bytes(ftp, trip) == CONTENT


# Real clients.

@pytest.mark.parametrize("name", SERVERS)
def test_real_clients_violate_nothing(strict_lab, visit, name):
    lab = strict_lab(everything("reset"))
    server = SERVERS[name](lab)
    for client in (*clients.COMMANDS, *clients.ACTIVE_COMMANDS, "ftplib"):
        trip = visit(lab, server)
        told = clients.act(client, "download", trip)
        assert trip.local.read_bytes() == server.content, (client, told)
    assert strict_counters(lab) == {}


@pytest.mark.parametrize("more", ["", ftps_sites.CONFIG], ids=["passes", "on-demand"])
def test_what_is_encrypted_is_not_judged(strict_lab, visit, more):
    """Not even if the daemon meets it in its middle."""
    lab = strict_lab(everything("reset"), more)
    server = ftps_sites.start(lab, ftps_sites.EXPLICIT["vsftpd"])
    with ftps_clients.python_session(visit(lab, server)) as ftp:
        for _ in range(20):
            ftp.voidcmd("NOOP")
        lab.pasvd.kill()
        lab.start_pasvd()
        for _ in range(20):
            ftp.voidcmd("NOOP")
    assert strict_counters(lab) == {}


@pytest.mark.parametrize("passive", ["yes", "no"])
def test_lftp_pipelines_if_told_to(strict_lab, visit, passive):
    lab = strict_lab({"pipelined": "log"})
    server = SERVERS["vsftpd"](lab)
    trip = visit(lab, server)
    (*argv, script), _ = clients.lftp("download", trip, passive=passive)
    trip.namespace.run(*argv, "set ftp:sync-mode off; " + script)
    assert trip.local.read_bytes() == server.content
    assert strict_counters(lab) == {"pipelined": 1}
