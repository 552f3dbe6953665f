# SPDX-License-Identifier: GPL-2.0-or-later
"""rows.py - situations, each with a way to see what becomes of it

A row's function gets a function that makes a lab with the engine under test, and says in a word or two what it saw.
None: the situation does not arise with this engine. Exceptions that stand for a session that does not go on become
"hangs" in test_peers.py.
"""

import contextlib
import dataclasses
import re
import socket
import typing

import clients
import ftps_clients
import ftps_sites
import servers
from lab import IP4, IP6
from rawtcp import ACK, PSH, RawTcp
from scripted import (CONTENT, RawClient, ScriptedServer, eprt_argument, parse_port, port_argument,
                      read_all, send_split)
from test_attacks import AT_CLIENT, AT_SERVER, LAN

EXTERNAL = "192.0.2.77"
SESSIONS = 8
LAN_OF = {IP4: ("192.168.100.200",), IP6: ("fd00:77::2",)}


@dataclasses.dataclass(frozen=True)
class Row:
    situation: str
    see: typing.Callable
    wanted: str     # what pasvd has to do


def behind(make, family=IP4, **options):
    """A server behind the router, where a client outside dials the public address."""
    return make(family=family, **options)


def lan(make, family=IP4, **options):
    """A client behind the router, and a server outside."""
    return make(family=family, servers=(), outside=1, lan=LAN_OF[family], **options)


# Negotiations of a client that takes what the reply says, with real servers.

def reply_to(client, command=None):
    """The last line of a reply, which may have several."""
    if command:
        client.send(f"{command}\r\n".encode())
    line = client.line()
    while not re.match(r"\d{3} ", line):
        line = client.line()
    return line


def logged_in(namespace, address, server):
    client = RawClient(namespace, address, login=False)
    reply_to(client)
    for command in (f"USER {server.user}", f"PASS {server.password}", "TYPE I"):
        reply_to(client, command)
    return client


def passive_endpoint(client, verb, reply):
    if verb == "PASV":
        return parse_port(re.search(r"\d+(?:,\d+){5}", reply)[0])
    return client.control.getpeername()[0], int(re.search(r"\|\|\|(\d+)\|", reply)[1])


def fetch_passively(namespace, dialled, server, verb):
    with logged_in(namespace, dialled, server) as client:
        address, port = passive_endpoint(client, verb, reply_to(client, verb))
        if address != dialled:
            return "private address leaks"
        try:
            data = client.namespace.connect(address, port)
        except OSError:
            return "no data connection"
        client.send(f"RETR {clients.REMOTE}\r\n".encode())
        client.line()
        return "works" if read_all(data) == server.content else "damaged"


def passive(verb, family, make_server):
    def see(make):
        with behind(make, family) as lab:
            return fetch_passively(lab.clients[0], lab.publics[0], make_server(lab), verb)
    return see


def untranslated(verb):
    """The firewall lets the client in the LAN get to port 21 of a server outside, which sees the client's own address."""
    def see(make):
        with lan(make, masquerade=False) as lab:
            server = servers.vsftpd(lab)
            server.namespace.ip(f"route add {lab.lan_addresses[0]}/32 via {lab.router_address}\n")
            return fetch_passively(lab.lan[0], server.address, server, verb)
    return see


def active(verb, family, place, make_server):
    argument = {"PORT": port_argument, "EPRT": eprt_argument}[verb]

    def see(make):
        with place(make, family) as lab:
            server = make_server(lab)
            inside = place is lan
            with logged_in((lab.lan if inside else lab.clients)[0],
                           server.address if inside else lab.publics[0], server) as client:
                answer = reply_to(client, f"{verb} {argument(client.listen())}")
                if not answer.startswith("200"):
                    return f"the server says {answer[:3]}"
                client.send(f"RETR {clients.REMOTE}\r\n".encode())
                try:
                    data, _ = client.accept()
                except OSError:
                    return "no data connection"
                return "works" if read_all(data) == server.content else "damaged"
    return see


def download(client):
    """A client that people use."""
    def see(make, act=clients.act, start=servers.vsftpd, **options):
        with behind(make, **options) as lab:
            server = start(lab)
            folder = lab.tmp / "visit"
            folder.mkdir()
            visit = clients.Visit(lab.clients[0], lab.publics[0], 21, server.user, server.password, folder, "up")
            act(client, "download", visit)
            return "works" if visit.local.exists() and visit.local.read_bytes() == server.content else "fails"
    return see


def ftps(make):
    return download("curl")(make, act=ftps_clients.act, config=ftps_sites.CONFIG,
                            start=lambda lab: ftps_sites.start(lab, ftps_sites.EXPLICIT["vsftpd"]))


# Replies as they come in the wild.

def reply(change=None, send=None, ask=b"PASV\r\n", quiet=()):
    """PASV, answered with what `change` makes of the reply, in the way of `send`."""
    def see(make):
        with behind(make) as lab:
            def send_pasv(control, text):
                (send or socket.socket.sendall)(control, change(text) if change else text)
            server = ScriptedServer(lab, send_pasv=send_pasv)
            with RawClient(lab.clients[0], lab.publics[0]) as client:
                server.replies.update((command, lambda control: None) for command in quiet)
                client.send(ask)
                text = line = client.line()
                while not line.startswith("227 "):
                    line = client.line()
                    text += line
                address, port = parse_port(re.search(r"\d+(?:,\d+){5}", text)[0])
                if address != lab.publics[0]:
                    return "private address leaks"
                with client.namespace.connect(address, port) as data:
                    client.send(b"RETR anything\r\n")
                    client.line()
                    return "works" if read_all(data) == CONTENT else "damaged"
    return see


def unreadable(make):
    with behind(make) as lab:
        server = ScriptedServer(lab)
        server.replies["REIN"] = lambda control: control.sendall(b"227 Logout.\r\n")
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            client.ask("REIN")
            return "passes" if client.ask("NOOP").startswith("200") else "damaged"


def repeated(make):
    """A reply that is not acknowledged comes again."""
    with behind(make) as lab:
        ScriptedServer(lab)
        with RawTcp(lab.clients[0], lab.client_address(), lab.publics[0]) as client:
            for command in (b"", b"USER lab\r\n", b"PASS lab\r\n"):
                client.ask(command)
            client.segment(PSH | ACK, b"PASV\r\n")
            (first_at, _, first), (again_at, _, again) = client.next(), client.next()
            if lab.publics[0].replace(".", ",").encode() not in first:
                return "private address leaks"
            same = (first_at, first) == (again_at, again)
            return "same bytes, one port" if same and len(lab.expectations()) == 1 else "differs"


# Whether a port is open that should not be.

def hole(lab, attempt, if_open="opens it"):
    expected = lab.expectations()
    if attempt() == "open":
        return if_open
    return "expected, but not reached" if expected else "shut"


def at_server(name):
    attack = AT_SERVER[name]

    def see(make):
        with behind(make) as lab:
            server = ScriptedServer(lab)
            server.listen(attack.port)
            with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
                attack.talk(server, client, attack.port)
                return hole(lab, lambda: lab.clients[0].attempt(lab.publics[0], attack.port))
    return see


def at_client(name):
    attack = AT_CLIENT[name]

    def see(make):
        with make(servers=(), outside=1, lan=LAN) as lab:
            server = ScriptedServer(lab)
            with RawClient(lab.lan[0], server.address, login=False) as client:
                client.listen(attack.port)
                attack.talk(server, client, attack.port)
                return hole(lab, lambda: server.attempt((lab.lan_seen_as, attack.port)))
    return see


def left_open(last_words):
    """A port that was negotiated and not used, after something else was said."""
    def see(make):
        with behind(make) as lab:
            server = ScriptedServer(lab)
            with RawClient(lab.clients[0], lab.publics[0]) as client:
                client.ask("PASV")
                if not lab.expectations():
                    return "no port"
                client.ask(last_words)
                return hole(lab, lambda: lab.clients[0].attempt(lab.publics[0], server.data_ports[-1]), "stays open")
    return see


def refused_port(make):
    with lan(make) as lab:
        server = ScriptedServer(lab)
        server.send_port = lambda control, _: control.sendall(b"500 no\r\n")
        with RawClient(lab.lan[0], server.address) as client:
            client.ask("NOOP")
            client.ask(f"PORT {port_argument(client.listen())}")
            address, port = server.offer()
            if address == client.address:
                return "private address leaks"
            return hole(lab, lambda: server.attempt((address, port)), "stays open")


# What is around it.

def goes_on(client):
    try:
        answer = client.ask("NOOP")
    except (OSError, EOFError) as error:
        answer = repr(error)
    print(answer)
    return answer == "200 ok\r\n"


def killed(make):
    with behind(make) as lab:
        if lab.engine == "kernel-ftp":
            return None
        ScriptedServer(lab)
        with contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(RawClient(lab.clients[0], lab.publics[0])) for _ in range(SESSIONS)]
            for client in sessions:
                client.ask("PASV")
            lab.kill_engine()
            broken = sum(not goes_on(client) for client in sessions)
            return f"{broken} of {SESSIONS} break" if broken else "sessions go on"


def external(make):
    """The router is behind NAT itself, and its address not the one that is dialled."""
    with behind(make, config=f"[translate]\nexternal-address = {EXTERNAL}\n") as lab:
        ScriptedServer(lab)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            address, _ = passive_endpoint(client, "PASV", client.ask("PASV"))
            return {EXTERNAL: "as configured", lab.publics[0]: "the router's"}.get(address, "the server's")


ROWS = [
    Row("PASV, server behind DNAT (vsftpd)", passive("PASV", IP4, servers.vsftpd), "works"),
    Row("EPSV, server behind DNAT (proftpd)", passive("EPSV", IP4, servers.proftpd), "works"),
    Row("EPSV over IPv6, server behind DNAT (pure-ftpd)", passive("EPSV", IP6, servers.pure_ftpd), "works"),
    Row("PORT, client in the LAN, masqueraded (vsftpd)", active("PORT", IP4, lan, servers.vsftpd), "works"),
    Row("EPRT, client in the LAN, masqueraded (proftpd)", active("EPRT", IP4, lan, servers.proftpd), "works"),
    Row("EPRT over IPv6, client in the LAN, masqueraded (vsftpd)", active("EPRT", IP6, lan, servers.vsftpd), "works"),
    Row("PORT, server behind DNAT, client outside (vsftpd)", active("PORT", IP4, behind, servers.vsftpd), "works"),
    Row("EPRT, server behind DNAT, client outside (pyftpdlib)", active("EPRT", IP4, behind, servers.pyftpdlib), "works"),
    Row("download with curl, PASV", download("curl"), "works"),
    Row("download with lftp, PASV", download("lftp"), "works"),
    Row("download with curl over explicit TLS", ftps, "works"),
    Row("227 in two segments, sent at once", reply(send=send_split(35, False)), "works"),
    Row("227 in two segments, the second after the first is acknowledged", reply(send=send_split(35, True)), "works"),
    Row("`227-` and `227 (...)`, a reply of two lines",
        reply(lambda text: b"227-Entering\r\n" + text), "works"),
    Row("200 and 227 in one segment (pipelining)",
        reply(lambda text: b"200 ok\r\n" + text, ask=b"NOOP\r\nPASV\r\n", quiet=["NOOP"]), "works"),
    Row("227 with `=` in place of the parentheses",
        reply(lambda text: text.replace(b"(", b"=").replace(b")", b"")), "works"),
    Row("227 that has no numbers (`227 Logout.`)", unreadable, "passes"),
    Row("227 that is retransmitted", repeated, "same bytes, one port"),
    Row("227 as a line of a reply to STAT", at_server("227 inside a 211 reply"), "shut"),
    Row("227 that answers NOOP", at_server("227 as the answer to NOOP"), "shut"),
    Row("227 before login", at_server("227 before login"), "shut"),
    Row("227 with port 22", at_server("227 with port 22"), "shut"),
    Row("227 with a number over 255", at_server("227 with a number over 255"), "shut"),
    Row("227 with the address of another host", at_server("227 with the address of another"), "shut"),
    Row("PORT with port 22 of the client in the LAN", at_client("PORT with port 22"), "shut"),
    Row("PORT before login", at_client("PORT before login"), "shut"),
    Row("PORT in what a web page posts (NAT slipstreaming)", at_client("PORT in what a web page posts"), "shut"),
    Row("PORT that the server refuses with 500", refused_port, "shut"),
    Row("port that was not used, after QUIT", left_open("QUIT"), "shut"),
    Row("PASV through a firewall that translates nothing", untranslated("PASV"), "works"),
    Row("EPSV through a firewall that translates nothing", untranslated("EPSV"), "works"),
    Row("program killed in the middle of 8 sessions", killed, "sessions go on"),
    Row("address in the 227, if another one is configured as the external one", external, "as configured"),
]
