# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is killed at the worst moment, and at many random ones: what a peer has received it receives again
the same, and no session breaks."""

import concurrent.futures
import errno
import ftplib
import functools
import itertools
import os
import random
import re
import signal
import threading

import pytest

import clients
import servers
from lab import PATIENCE, wait_for
from scripted import RawClient, ScriptedServer, retransmissions
from test_active import ARGUMENT, fetch
from test_active_sessions import lan_shape
from test_fail import CLOSED, OPEN
from test_overload import SHAPES, Site, addresses

pytestmark = pytest.mark.daemon

@pytest.mark.parametrize("config, successor", [(OPEN, True), (OPEN, False), (CLOSED, True)],
                         ids=["restarted", "absent", "closed"])
@pytest.mark.parametrize("shape", SHAPES)
def test_command_that_waits_when_the_daemon_is_killed(make_lab, shape, config, successor):
    """With it the acknowledgement of the 227 is lost, so the server repeats that."""
    with make_lab(config=config, **addresses(shape)) as lab:
        site = Site(lab, shape)
        site.check_offer(site.client.ask("PASV"))
        lab.pasvd.popen.send_signal(signal.SIGSTOP)
        site.client.send(b"NOOP\r\n")
        wait_for(lambda: lab.packets()[0], what="the command waits")
        lab.pasvd.kill()
        if successor:
            lab.start_pasvd()
        assert site.client.line() == "200 ok\r\n"
        assert site.client.ask("NONSENSE") == "500 unknown\r\n"
        if successor:
            site.check_session()


class Wire:
    """Packets to a namespace are lost on their way, all or those that have the text, until it is mended."""

    def __init__(self, namespace, text=None):
        self.namespace = namespace
        having = ["-m", "string", "--string", text, "--algo", "bm"] if text else []
        self.rule = ["PREROUTING", "-t", "raw", "-p", "tcp", *having, "-j", "DROP"]
        namespace.run("iptables", "-A", *self.rule)

    def mend(self):
        self.namespace.run("iptables", "-D", *self.rule)


@pytest.mark.parametrize("shape", SHAPES)
def test_reply_that_was_lost_with_the_daemon_comes_from_its_successor(make_lab, shape):
    with make_lab(config=OPEN, **addresses(shape)) as lab:
        site = Site(lab, shape)
        wire = Wire(lab.clients[0], "227 ")
        site.client.send(b"PASV\r\n")
        wait_for(lab.pasvd.opened, what="the port is open")
        lab.pasvd.kill()
        lab.start_pasvd()
        wire.mend()
        site.check_offer(site.client.line())
        assert len(lab.expectations()) == 1
        assert site.client.ask("NOOP") == "200 ok\r\n"
        site.check_session()


@pytest.mark.parametrize("verb", ARGUMENT)
@pytest.mark.parametrize("length", ["shorter", "longer", "as-long"])
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_offer_that_was_lost_with_the_daemon_comes_from_its_successor(make_lab, is_first, verb, length):
    """The one before the second was another daemon's."""
    with make_lab(**lan_shape(length), config=CLOSED) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            if not is_first:
                endpoint = client.listen()
                client.ask(f"{verb} {ARGUMENT[verb](endpoint)}")
                assert server.offer() == (lab.publics[0], endpoint[1])
                fetch(client)
                lab.pasvd.kill()
                lab.start_pasvd()
                client.ask("NOOP")
            wire = Wire(server.namespace, f"{verb} ")
            endpoint = client.listen()
            client.send(f"{verb} {ARGUMENT[verb](endpoint)}\r\n".encode())
            wait_for(lab.pasvd.opened, what="the port is open")
            lab.pasvd.kill()
            lab.start_pasvd()
            wire.mend()
            assert server.offer() == (lab.publics[0], endpoint[1])
            assert client.line() == "200 ok\r\n"
            assert len(lab.expectations()) == 1
            fetch(client)
            endpoint = client.listen()
            client.ask(f"{verb} {ARGUMENT[verb](endpoint)}")
            assert server.offer() == (lab.publics[0], endpoint[1])
            fetch(client)
            assert server.commands[-1] == b"RETR anything\r\n"


@pytest.mark.parametrize("config", [OPEN, CLOSED], ids=["open", "closed"])
def test_pasv_is_the_first_command_after_a_restart(make_lab, config):
    """A successor does not know where a reply begins, so it opens nothing."""
    with make_lab(config=config, **addresses("readme")) as lab:
        site = Site(lab, "readme")
        lab.pasvd.kill()
        lab.start_pasvd()
        site.client.ask("PASV")
        assert lab.expectations() == []
        site.check_session()


@pytest.mark.sane
@pytest.mark.parametrize("verb", ARGUMENT)
@pytest.mark.parametrize("length", ["shorter", "longer"])
@pytest.mark.parametrize("under_way", [(), (b"213-Status\r\n", b"213 End\r\n")], ids=["between-replies", "within-one"])
def test_offer_that_is_sent_again_waits_for_the_successor(make_lab, under_way, length, verb):
    """The reply is lost with the daemon, and with it the acknowledgement of the offer: the server would take what it
    does not have of the repetition for the next command."""
    with make_lab(**lan_shape(length), config=OPEN) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.lan[0], server.address) as client:
            def send(control, reply):
                lab.pasvd.popen.send_signal(signal.SIGSTOP)
                control.sendall(b"".join(under_way[1:]) + reply)

            server.send_port = send
            endpoint = client.listen()
            if under_way:
                server.controls[-1].sendall(under_way[0])
                assert client.line().encode() == under_way[0]
            wire = Wire(client.namespace)
            client.send(f"{verb} {ARGUMENT[verb](endpoint)}\r\n".encode())
            assert server.offer() == (lab.publics[0], endpoint[1])
            wait_for(lambda: lab.packets()[0], what="the reply waits")
            lab.pasvd.kill()
            before = retransmissions(client.control)
            wait_for(lambda: retransmissions(client.control) > before, what="the offer is sent again")
            wire.mend()
            for line in (*under_way[1:], b"200 ok\r\n"):
                assert client.line().encode() == line
            client.send(b"NOOP\r\n")
            lab.start_pasvd()
            assert client.line() == "200 ok\r\n"
            fetch(client)
            assert server.commands[-2:] == [b"NOOP\r\n", b"RETR anything\r\n"]


# At random moments.

KILLS = int(os.environ.get("KILLS", "10"))
FILES = 20      # of a session
LIFE = 400      # packets that a daemon gets, at most
# Clients that stay connected if a data port is not reached, and print the replies.
PRINTING = {"inetutils": (["inetutils-ftp", "-n", "-p", "-i", "-v"], []),
            "tnftp": (["tnftp", "-n", "-p", "-i", "-v"], ["epsv4"])}
# Each file is fetched; or its offer was not read, and the client does not go where that leads.
REPLIES = re.compile("220 331 230 200( 227( 1[25][05] 226| 22[56])?)*( 257)? 221")


def ftplib_session(trip, names, passive=True):
    """The files that it fetched. Where an offer is not read, it leads to the server's own address, or the server
    refuses that of the client."""
    fetched = {}
    with clients.python_session(trip, timeout=PATIENCE, passive=passive) as ftp:
        for name in names:
            try:
                fetched[name] = clients.download_bytes(ftp, trip, name)
            except OSError as error:
                if error.errno != errno.ENETUNREACH:
                    raise
            except ftplib.error_perm as error:
                if passive or "PORT" not in str(error):
                    raise
        assert ftp.pwd() == "/" and ftp.quit().startswith("221")
    return fetched


def active_session(trip, names):
    return ftplib_session(trip, names, passive=False)


def printing_session(client, trip, names):
    argv, settings = PRINTING[client]
    commands = [f"user {trip.user} {trip.password}", *settings, "binary",
                *(f"get {name} {trip.folder / name}" for name in names), "pwd", "bye"]
    done = trip.namespace.run(*argv, trip.host, trip.port, input="\n".join(commands) + "\n", check=False,
                              cwd=trip.folder, env={**os.environ, "HOME": str(trip.folder), "LC_ALL": "C"})
    codes = " ".join(re.findall(r"^(\d{3}) ", done.stdout, re.M))
    assert REPLIES.fullmatch(codes), done.stdout + done.stderr
    return {name: (trip.folder / name).read_bytes() for name in names if (trip.folder / name).exists()}


PASSIVE = [ftplib_session] * 4 + [functools.partial(printing_session, client) for client in PRINTING for _ in range(2)]
ACTIVE = [active_session] * 8


def sessions(session, make_trip, files, kills_are_over):
    """One after the other; the last one finds a daemon that lives, and fetches all. How many there were."""
    for count in itertools.count(1):
        is_last = kills_are_over.is_set()
        fetched = session(make_trip(), files)
        assert all(files[name] == content for name, content in fetched.items())
        if is_last:
            assert fetched.keys() == files.keys()
            return count


def kill_again_and_again(lab, running):
    for life in random.choices(range(1, LIFE), k=KILLS):
        wait_for(lambda: lab.packets()[1] >= life or any(one.done() for one in running), what=f"{life} packets")
        lab.pasvd.kill()
        lab.start_pasvd()


def keep_killing(lab, server, kinds, make_trip):
    files = {f"{number}": server.add_file(f"{number}", os.urandom(1000 + number)) for number in range(FILES)}
    kills_are_over = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        running = [pool.submit(sessions, kind, make_trip, files, kills_are_over) for kind in kinds]
        try:
            kill_again_and_again(lab, running)
        finally:
            kills_are_over.set()
        assert sum(one.result() for one in running) >= len(kinds)


@pytest.mark.parametrize("shape, name", [("shorter", "vsftpd"), ("longer", "proftpd")])
def test_kills_break_no_session(make_lab, visit, shape, name):
    with make_lab(config=OPEN, **addresses(shape)) as lab:
        server = servers.SERVERS[name](lab)
        keep_killing(lab, server, PASSIVE, lambda: visit(lab, server))


@pytest.mark.parametrize("length", ["shorter", "longer"])
def test_kills_break_no_session_of_an_active_client(make_lab, visit_out, length):
    """A command that shrinks must not be repeated while nobody is there who knows of it."""
    with make_lab(**lan_shape(length), config=CLOSED) as lab:
        server = servers.vsftpd(lab)
        keep_killing(lab, server, ACTIVE, lambda: visit_out(lab, server))
