# SPDX-License-Identifier: GPL-2.0-or-later
"""rows.py - situations, each with a way to see what becomes of it

A row's function gets a function that makes a lab with the engine under test, and says in a word or two what it saw.
None: the situation does not arise with this engine. Exceptions that stand for a session that does not go on become
"hangs" in test_peers.py.
"""

import contextlib
import dataclasses
import functools
import re
import socket
import typing

import clients
import ftps_clients
import ftps_sites
import scripted
import servers
import test_ftps_lan
from engines import PeerFailover, PeerSideBySide
from lab import IP4, IP6, SLOWNESS
from rawtcp import ACK, PSH, RawTcp
from scripted import CONTENT, ScriptedServer, eprt_argument, parse_port, port_argument, read_all, send_split
from test_attacks import AT_CLIENT, AT_SERVER, LAN

EXTERNAL = "192.0.2.77"
SESSIONS = 8
LAN_OF = {IP4: ("192.168.100.200",), IP6: ("fd00:77::2",)}
# What a peer leaves undone never comes, so there is less patience than in the lab.
RawClient = functools.partial(scripted.RawClient, timeout=10 * SLOWNESS)


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


# Through a firewall that translates nothing.
routed_behind = functools.partial(behind, routed=True)
routed_lan = functools.partial(lan, routed=True)


def ends(lab, server):
    """Which client dials what."""
    return (lab.lan[0], server.address) if lab.lan else (lab.clients[0], lab.publics[0])


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


def take(client, address, port, name="anything", content=CONTENT):
    """The file, over the data connection that was negotiated."""
    try:
        data = client.namespace.connect(address, port, client.timeout)
    except OSError:
        return "no data connection"
    with data:
        client.send(f"RETR {name}\r\n".encode())
        client.line()
        return "works" if read_all(data) == content else "damaged"


def fetch_passively(namespace, dialled, server, verb):
    with logged_in(namespace, dialled, server) as client:
        address, port = passive_endpoint(client, verb, reply_to(client, verb))
        if address != dialled:
            return "private address leaks"
        return take(client, address, port, clients.REMOTE, server.content)


def passive(verb, family, place, make_server):
    def see(make):
        with place(make, family) as lab:
            server = make_server(lab)
            return fetch_passively(*ends(lab, server), server, verb)
    return see


def active(verb, family, place, make_server):
    argument = {"PORT": port_argument, "EPRT": eprt_argument}[verb]

    def see(make):
        with place(make, family) as lab:
            server = make_server(lab)
            with logged_in(*ends(lab, server), server) as client:
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


def ftps_of_the_lan(act):
    """pasvd has the ports of the servers and of the clients, of which the others know nothing."""
    def see(make):
        with test_ftps_lan.lab_of(make, IP4, routed=False, outside=1) as lab:
            server = ftps_sites.start(lab, ftps_sites.EXPLICIT["vsftpd"])
            visit = clients.Visit(*ends(lab, server), server.port, server.user, server.password, lab.tmp, "up")
            act(lab, visit)
            return "works" if visit.local.exists() and visit.local.read_bytes() == server.content else "fails"
    return see


def ftps_passively(_, visit):
    ftps_clients.act("curl", "download", visit)


def ftps_actively(lab, visit):
    test_ftps_lan.lftp_active("download", visit, False, lab.lan_seen_as)


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
                return take(client, address, port)
    return see


def early(make):
    with behind(make) as lab:
        server = ScriptedServer(lab)
        server.replies["HOST"] = lambda control: control.sendall(b"220 at your service\r\n")
        with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
            client.send(b"HOST ftp.example.com\r\nUSER lab\r\nPASS lab\r\nPASV\r\n")
            address, port = passive_endpoint(client, "PASV", [client.line() for _ in range(5)][-1])
            return take(client, address, port) if address == lab.publics[0] else "private address leaks"


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


def restarted(make):
    """The server has a PORT that is not as long as what the client sent."""
    with lan(make) as lab:
        if lab.engine == "kernel-ftp":
            return None
        server = ScriptedServer(lab)
        with contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(RawClient(lab.lan[0], server.address)) for _ in range(SESSIONS)]
            for client in sessions:
                client.ask(f"PORT {port_argument(client.listen())}")
            lab.kill_engine()
            for client in sessions:
                client.send(b"NOOP\r\n")
            lab.restart_engine()
            broken = sum(not goes_on(client) for client in sessions)
            return f"{broken} of {SESSIONS} break" if broken else "sessions go on"


def failed_over(make):
    with make(PeerFailover) as lab:
        ScriptedServer(lab)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            address, port = passive_endpoint(client, "PASV", client.ask("PASV"))
            lab.wait_until_the_other_knows()
            lab.switch_over()
            return take(client, address, port)


def side_by_side(make):
    """A server behind DNAT, one that is dialled by its own address, and a client in the LAN that is masqueraded."""
    with make(PeerSideBySide) as lab:
        outside = [ScriptedServer(lab, number) for number in range(3)][-1]
        for public in lab.publics:
            with RawClient(lab.clients[0], public) as client:
                address, port = passive_endpoint(client, "PASV", client.ask("PASV"))
                outcome = take(client, address, port) if address == public else "private address leaks"
                if outcome != "works":
                    return outcome
        with RawClient(lab.lan[0], outside.address) as client:
            client.ask(f"PORT {port_argument(client.listen())}")
            client.send(b"RETR anything\r\n")
            data, _ = client.accept()
            return "works" if read_all(data) == CONTENT else "damaged"


def external(make):
    """The router is behind NAT itself, and its address not the one that is dialled."""
    with behind(make, config=f"[translate]\nexternal-address = {EXTERNAL}\n") as lab:
        ScriptedServer(lab)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            address, _ = passive_endpoint(client, "PASV", client.ask("PASV"))
            return {EXTERNAL: "as configured", lab.publics[0]: "the router's"}.get(address, "the server's")


ROWS = [
    Row("PASV, server behind DNAT (vsftpd)", passive("PASV", IP4, behind, servers.vsftpd), "works"),
    Row("EPSV, server behind DNAT (proftpd)", passive("EPSV", IP4, behind, servers.proftpd), "works"),
    Row("EPSV over IPv6, server behind DNAT (pure-ftpd)", passive("EPSV", IP6, behind, servers.pure_ftpd),
        "works"),
    Row("PORT, client in the LAN, masqueraded (vsftpd)", active("PORT", IP4, lan, servers.vsftpd), "works"),
    Row("EPRT, client in the LAN, masqueraded (proftpd)", active("EPRT", IP4, lan, servers.proftpd), "works"),
    Row("EPRT over IPv6, client in the LAN, masqueraded (vsftpd)", active("EPRT", IP6, lan, servers.vsftpd), "works"),
    Row("PORT, server behind DNAT, client outside (vsftpd)", active("PORT", IP4, behind, servers.vsftpd), "works"),
    Row("EPRT, server behind DNAT, client outside (pyftpdlib)", active("EPRT", IP4, behind, servers.pyftpdlib), "works"),
    Row("download with curl, PASV", download("curl"), "works"),
    Row("download with lftp, PASV", download("lftp"), "works"),
    Row("download with curl over explicit TLS", ftps, "works"),
    Row("download with curl over explicit TLS, client in the LAN", ftps_of_the_lan(ftps_passively), "works"),
    Row("download with lftp over explicit TLS, active, client in the LAN", ftps_of_the_lan(ftps_actively), "works"),
    Row("227 in two segments, sent at once", reply(send=send_split(35, False)), "works"),
    Row("227 in two segments, the second after the first is acknowledged", reply(send=send_split(35, True)), "works"),
    Row("`227-` and `227 (...)`, a reply of two lines",
        reply(lambda text: b"227-Entering\r\n" + text), "works"),
    Row("200 and 227 in one segment (pipelining)",
        reply(lambda text: b"200 ok\r\n" + text, ask=b"NOOP\r\nPASV\r\n", quiet=["NOOP"]), "works"),
    Row("HOST, USER, PASS and PASV in one segment, before the greeting", early, "works"),
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
    Row("no NAT: PASV, server behind the firewall (vsftpd)", passive("PASV", IP4, routed_behind, servers.vsftpd), "works"),
    Row("no NAT: EPSV over IPv6, server behind the firewall (pure-ftpd)",
        passive("EPSV", IP6, routed_behind, servers.pure_ftpd), "works"),
    Row("no NAT: PASV, client behind the firewall (vsftpd)", passive("PASV", IP4, routed_lan, servers.vsftpd), "works"),
    Row("no NAT: EPSV, client behind the firewall (vsftpd)", passive("EPSV", IP4, routed_lan, servers.vsftpd), "works"),
    Row("no NAT: PORT, client behind the firewall (vsftpd)", active("PORT", IP4, routed_lan, servers.vsftpd), "works"),
    Row("NAT for one server, none for another, and a masqueraded client", side_by_side, "works"),
    Row("program killed in the middle of 8 sessions", killed, "sessions go on"),
    Row("program killed and started again in 8 sessions whose PORT it changed", restarted, "sessions go on"),
    Row("port that was not used, another router takes over", failed_over, "works"),
    Row("address in the 227, if another one is configured as the external one", external, "as configured"),
]
