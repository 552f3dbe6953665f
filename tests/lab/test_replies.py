# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands and replies as they come in the wild: many lines, many in a segment, in pieces, with Telnet in them.

That nothing stalls is seen by what a sender had to send again: a segment that is
held back without an acknowledgement shows there, whatever the machine's speed.
"""

import re
import socket

import pytest

import clients
import servers
from lab import wait_for
from scripted import (CONTENT, RawClient, ScriptedServer, eprt_argument, parse_port, port_argument,
                      read_all, retransmissions, send_split, send_whole)
from test_active import ARGUMENT, fetch, offer

# Outside and inside: the numbers grow or shrink.
ADDRESSES = {"longer": ("203.113.112.111", "10.7.0.2"),
             "shorter": ("9.9.9.9", "192.168.100.200")}
NUMBERS = r"\d+(?:,\d+){5}"
IAC_IP_SYNCH, DATA_MARK = b"\xff\xf4\xff", b"\xf2"      # RFC 854; the last of the first is urgent


@pytest.fixture(scope="module", params=ADDRESSES)
def passive_site(request, make_lab):
    public, private = ADDRESSES[request.param]
    with make_lab(publics=(public,), servers=(private,), patient=True) as lab:
        yield ScriptedServer(lab), lab


@pytest.fixture(scope="module", params=ADDRESSES)
def active_site(request, make_lab):
    public, private = ADDRESSES[request.param]
    with make_lab(publics=(public,), snat=public, servers=(), outside=1, lan=(private,),
                  patient=True) as lab:
        yield ScriptedServer(lab), lab


@pytest.fixture
def passive(passive_site):
    server, lab = passive_site
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        yield client
    server.send_pasv = send_whole


@pytest.fixture
def active(active_site):
    server, lab = active_site
    server.forget_offers()
    with RawClient(lab.lan[0], server.address) as client:
        yield client


def fetch_passively(client, port):
    with client.namespace.connect(client.control.getpeername()[0], port) as data:
        client.send(b"RETR anything\r\n")
        assert client.line().startswith("150")
        assert read_all(data) == CONTENT
        assert client.line().startswith("226")


def check_reply(site, client, text):
    """The text of a whole reply names the server's port at the dialled address, once."""
    server, lab = site
    (numbers,) = re.findall(NUMBERS, text)
    assert parse_port(numbers) == (lab.publics[0], server.data_ports[-1])
    fetch_passively(client, server.data_ports[-1])


def read_reply(client):
    """All lines of a reply that ends with a 227."""
    text = line = client.line()
    while not line.startswith("227 "):
        line = client.line()
        text += line
    return text


MULTI_LINE = {
    "numbers-on-the-last": "227-Entering\r\n227 Passive Mode ({})\r\n",
    "numbers-on-the-first": "227-Entering Passive Mode ({})\r\n227 End\r\n",
    "numbers-between": "227-Entering\r\n Passive Mode ({}).\r\n227 End\r\n",
    "numbers-between-with-code": "227-Entering\r\n227-Passive Mode ({}).\r\n227 End\r\n",
    "many-lines": "227-Entering\r\n" + "text, 1,2,3\r\n" * 20 + "227 Passive Mode ({})\r\n",
}


@pytest.mark.daemon
@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "line-by-line"])
@pytest.mark.parametrize("reply", MULTI_LINE.values(), ids=MULTI_LINE)
def test_numbers_on_any_line_of_a_reply_are_rewritten(passive_site, passive, reply, in_pieces):
    server, _ = passive_site

    def send(control, _):
        numbers = port_argument((server.address, server.data_ports[-1]))
        text = reply.format(numbers).encode()
        for piece in text.splitlines(keepends=True) if in_pieces else [text]:
            control.sendall(piece)
    server.send_pasv = send
    for _ in range(2):
        passive.send(b"PASV\r\n")
        check_reply(passive_site, passive, read_reply(passive))


BESIDE = {"behind-another": "200 ok\r\n{}", "before-another": "{}200 ok\r\n",
          "between": "200-two\r\n200 lines\r\n{}200 ok\r\n"}


@pytest.mark.daemon
@pytest.mark.parametrize("replies", BESIDE.values(), ids=BESIDE)
def test_replies_in_one_segment_are_told_apart(passive_site, passive, replies):
    """NOOP, PASV and NOOP asked at once, and answered at once."""
    server, _ = passive_site
    server.send_pasv = lambda control, reply: control.sendall(
        replies.format(reply.decode()).encode())
    server.replies["NOOP"] = lambda control: None
    ahead, behind = replies.index("{}") > 0, replies.endswith("ok\r\n")
    try:
        for _ in range(2):
            passive.send(b"NOOP\r\n" * ahead + b"PASV\r\n" + b"NOOP\r\n" * behind)
            text = read_reply(passive)
            assert not behind or passive.line() == "200 ok\r\n"
            check_reply(passive_site, passive, text)
    finally:
        del server.replies["NOOP"]


@pytest.mark.daemon
def test_address_in_a_229_is_rewritten(passive_site, visit):
    """lftp asks for it with CEPR, if FEAT has that."""
    server, lab = passive_site
    server.replies["FEAT"] = lambda control: control.sendall(b"211-\r\n CEPR\r\n EPSV\r\n211 End\r\n")
    server.replies["CEPR"] = lambda control: control.sendall(b"200 on\r\n")
    server.epsv_form = "|1|{address}|{port}|"
    try:
        trip = visit(lab, server)
        printed = clients.act("lftp-epsv", "download", trip)
        assert trip.local.exists() and trip.local.read_bytes() == CONTENT, printed
    finally:
        server.replies.clear()
        server.epsv_form = "|||{port}|"


@pytest.mark.parametrize("command", [b"PASV\n", b"pasv\r\n", b"PaSv\n"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_case_and_line_ends_do_not_matter(passive_site, passive, command, end):
    server, _ = passive_site
    server.send_pasv = lambda control, reply: control.sendall(reply.rstrip() + end)
    passive.send(command)
    line = passive.line()
    assert line.endswith("\r\n") == (end == b"\r\n")
    check_reply(passive_site, passive, line)


@pytest.mark.parametrize("form", ["PORT {port}\n", "port {port}\r\n", "Eprt {eprt}\n", "eprt {eprt}\r\n",
                                  "EPRT ,1,{address},{number},\r\n", "EPRT !1!{address}!{number}!\n"])
def test_client_may_write_its_offer_in_any_form(active_site, active, form, engine):
    server, lab = active_site
    endpoint = active.listen()
    if engine == "kernel-ftp" and not form.endswith("\r\n"):
        pytest.skip("the in-kernel helper wants CR in front of LF")
    active.send(form.format(port=port_argument(endpoint), eprt=eprt_argument(endpoint),
                            address=endpoint[0], number=endpoint[1]).encode())
    assert server.offer() == (lab.publics[0], endpoint[1])
    assert active.line().startswith("200")
    assert server.commands[-1].endswith(b"\r\n") == form.endswith("\r\n")
    fetch(active)


@pytest.mark.daemon
def test_pipelined_commands_are_each_understood(passive_site, passive):
    server, _ = passive_site
    passive.send(b"TYPE I\r\nNOOP\r\nPASV\r\nNOOP\r\n")
    assert [passive.line()[:3] for _ in range(2)] == ["200", "200"]
    line = passive.line()
    assert passive.line().startswith("200")
    check_reply(passive_site, passive, line)


@pytest.mark.daemon
@pytest.mark.parametrize("verb", ARGUMENT)
def test_offer_among_pipelined_commands_is_rewritten(active_site, active, verb):
    server, lab = active_site
    for _ in range(2):
        endpoint = active.listen()
        active.send(f"NOOP\r\n{verb} {ARGUMENT[verb](endpoint)}\r\nRETR anything\r\n".encode())
        assert server.offer() == (lab.publics[0], endpoint[1])
        data, _ = active.accept()
        assert read_all(data) == CONTENT
        assert [active.line()[:3] for _ in range(4)] == ["200", "200", "150", "226"]


@pytest.mark.daemon
@pytest.mark.parametrize("verb", ARGUMENT)
def test_session_older_than_the_daemon_offers_once_it_logs_in(make_lab, verb):
    """Of what no pasvd has seen nobody knows whether it is logged in. With a server outside: test_unseen.py."""
    with make_lab(daemon=False) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            lab.start_pasvd()
            offer(client, verb, client.listen())
            server.offer()
            assert lab.expectations() == []
            for command in ("USER lab", "PASS lab"):
                client.ask(command)
            endpoint = client.listen()
            offer(client, verb, endpoint)
            assert server.offer() == endpoint
            fetch(client)


# Pieces.

def one_by_one(sock, content):
    """Each byte in a segment of its own, whether or not the last one has arrived."""
    for number in range(len(content)):
        sock.send(content[number:number + 1])


@pytest.mark.daemon
@pytest.mark.parametrize("nodelay", [1, 0], ids=["nodelay", "nagle"])
def test_reply_byte_by_byte_is_never_sent_twice(passive_site, passive, nodelay):
    server, _ = passive_site
    control = server.controls[-1]
    control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)
    server.send_pasv = one_by_one
    for _ in range(3):
        passive.send(b"PASV\r\n")
        check_reply(passive_site, passive, read_reply(passive))
    assert retransmissions(control) == 0


@pytest.mark.daemon
@pytest.mark.parametrize("nodelay", [1, 0], ids=["nodelay", "nagle"])
@pytest.mark.parametrize("verb", ARGUMENT)
def test_command_byte_by_byte_is_never_sent_twice(active_site, active, verb, nodelay):
    server, lab = active_site
    active.control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)
    for _ in range(3):
        endpoint = active.listen()
        one_by_one(active.control, f"{verb} {ARGUMENT[verb](endpoint)}\r\n".encode())
        assert server.offer() == (lab.publics[0], endpoint[1])
        assert active.line().startswith("200")
        fetch(active)
    assert retransmissions(active.control) == 0


@pytest.mark.daemon
@pytest.mark.parametrize("wait", [True, False], ids=["after-the-ack", "at-once"])
def test_command_cut_anywhere_is_rewritten(active_site, active, wait):
    server, lab = active_site
    port = active.listen()[1]
    command = f"PORT {port_argument((active.address, port))}\r\n".encode()
    for position in range(1, len(command)):
        send_split(position, wait)(active.control, command)
        assert server.offer() == (lab.publics[0], port), f"cut after {position} bytes"
        assert active.line().startswith("200")
    fetch(active)
    assert retransmissions(active.control) == 0


def test_retransmitted_reply_is_the_same_again(make_lab):
    """Also proves that retransmissions are counted."""
    with make_lab(publics=("203.113.112.111",), servers=("10.7.0.2",)) as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            control = server.controls[-1]
            lab.iptables("-t", "raw", "-A", "PREROUTING", "-p", "tcp", "--sport", "21", "-m", "string",
                         "--string", "227 ", "--algo", "bm", "-m", "statistic", "--mode", "nth",
                         "--every", "1000", "--packet", "0", "-j", "DROP", namespace=lab.clients[0])
            client.send(b"PASV\r\n")
            text = read_reply(client)
            assert retransmissions(control) == 1
            assert len(lab.expectations()) == 1
            check_reply((server, lab), client, text)
            assert retransmissions(control) == 1


# Telnet and urgent data.

def abort(client):
    """As RFC 959 section 4.1.3 (ABOR) wants it: interrupt, synch, the command."""
    client.send(IAC_IP_SYNCH, socket.MSG_OOB)
    client.send(DATA_MARK + b"ABOR\r\n")


@pytest.mark.daemon
@pytest.mark.parametrize("verb", ARGUMENT)
def test_urgent_byte_arrives_at_its_place_in_a_shifted_stream(active_site, active, verb):
    server, lab = active_site
    for _ in range(3):
        endpoint = active.listen()
        offer(active, verb, endpoint)
        assert server.offer() == (lab.publics[0], endpoint[1])
        before = len(server.commands)
        abort(active)
        assert active.line().startswith("226")
        # the urgent byte is out of band, so the stream lacks just that one
        assert server.commands[before:] == [IAC_IP_SYNCH[:-1] + DATA_MARK + b"ABOR\r\n"]
    endpoint = active.listen()
    offer(active, verb, endpoint)
    assert server.offer() == (lab.publics[0], endpoint[1])
    fetch(active)


@pytest.mark.daemon
@pytest.mark.parametrize("prefix", [IAC_IP_SYNCH + DATA_MARK, b"\xff\xf9", b"\xff\xfb\x06"])
def test_telnet_commands_in_front_of_an_offer_are_skipped(active_site, active, prefix):
    server, lab = active_site
    endpoint = active.listen()
    active.send(prefix + f"PORT {port_argument(endpoint)}\r\n".encode("latin-1"))
    # what the scripted server makes of the prefix is its own affair
    wait_for(lambda: server.commands[-1].startswith(prefix), 5, "the command")
    arrived = re.search(NUMBERS, server.commands[-1].decode("latin-1")).group()
    assert parse_port(arrived) == (lab.publics[0], endpoint[1])
    assert server.commands[-1].startswith(prefix + b"PORT ")


@pytest.mark.parametrize("name", servers.SERVERS)
@pytest.mark.parametrize("passive_mode", [True, False], ids=["passive", "active"])
def test_session_goes_on_after_a_transfer_was_aborted(make_lab, visit_out, visit, name, passive_mode):
    """The data connection is full when ABOR comes, with urgent data in front of it."""
    shape = {} if passive_mode else {"servers": (), "outside": 1, "lan": ("192.168.100.200",)}
    with make_lab(**shape) as lab:
        server = servers.SERVERS[name](lab, size=8_000_000)
        small = server.add_file("pub/small", b"0123456789" * 1000)
        trip = visit(lab, server) if passive_mode else visit_out(lab, server)
        with trip.namespace.inside(), clients.python_session(trip, passive=passive_mode) as ftp:
            for _ in range(2):
                data = ftp.transfercmd(f"RETR {clients.REMOTE}")
                assert len(data.recv(1000)) > 0
                abort_transfer(ftp, data)
                assert clients.download_bytes(ftp, trip, "pub/small") == small


def abort_transfer(ftp, data):
    """Servers answer once or twice, and with 2xx as well as 4xx; so a NOOP ends it.

    Not ftplib's abort(): it makes the LF behind ABOR urgent, and proftpd then misses it.
    """
    ftp.sock.sendall(IAC_IP_SYNCH, socket.MSG_OOB)
    ftp.sock.sendall(DATA_MARK + b"ABOR\r\n")
    data.close()
    ftp.putcmd("NOOP")
    while not re.match("200.*(NOOP|Zzz|nothing)", ftp.getmultiline()):
        pass
