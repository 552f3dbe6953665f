# SPDX-License-Identifier: GPL-2.0-or-later
"""A segment far away from where its stream is: conntrack takes it if the receiver's window is large
enough, and no session is forgotten over it.

Else it would begin anew with the next segment, whose first byte is then the first of a line: a
peer has that begin where it likes, in the middle of a form or of a reply that quotes a name.
"""

import pytest

from each_server import each_server
from rawtcp import ACK, PSH, RawTcp, free_port, positions
from scripted import RawClient, ScriptedServer, port_argument
from servers import SERVERS
from test_active import ARGUMENT

pytestmark = pytest.mark.daemon

ORDINARY = 40022
FAR = [(1 << 20) + 5000, -(1 << 20) - 5000, 1 << 31]
ROUTER = 1      # the time to live of what ends there
LAN = "192.168.100.200"
WINDOW = "4096 16777216 16777216"   # of a receiver: least, default, most
ANSWER = (b"x" * 1022 + b"\r\n") * 3072
FORM = b"POST / HTTP/1.1\r\nHost: 198.51.100.100:21\r\nContent-Length: 400\r\n\r\n"


def reordered(lab):
    return lab.pasvd.counters()["reordered"]


def check_shut(lab, is_shut, reachable):
    """The port is shut for whom it was aimed at, though somebody listens."""
    assert [entry for entry in lab.expectations() if entry["dport"] == str(ORDINARY)] == []
    assert [port for port in lab.pasvd.opened() if port["listener"].endswith(f":{ORDINARY}")] == []
    assert lab.router.attempt(*reachable) == "open"
    assert is_shut()


def test_web_page_is_no_ftp_client_after_its_server_sent_a_far_segment(make_lab):
    """A browser posts a form to port 21 and gets much data, so its window is large. The server's far
    segment ends at the router; what the form has next looks like a login, and a PORT."""
    with make_lab(servers=(), outside=1, lan=(LAN,)) as lab:
        server = ScriptedServer(lab)
        server.replies["POST"] = lambda control: control.sendall(ANSWER)
        lab.lan[0].sysctl("net.ipv4.tcp_rmem", WINDOW)
        with RawClient(lab.lan[0], server.address, login=False) as browser:
            browser.listen(ORDINARY)
            browser.line()
            browser.send(FORM)
            for _ in range((ANSWER + FORM).count(b"\n") - 1):
                browser.line()
            before = reordered(lab)
            control = server.controls[-1]
            with RawTcp(server.namespace, server.address, lab.lan_seen_as, port=control.getpeername()[1],
                        source_port=21, position=positions(control)) as forger:
                forger.stray(FAR[0], b"z", ttl=ROUTER)
                for command in ("USER lab", "PASS lab"):
                    browser.ask(command)
                for verb, argument in ARGUMENT.items():
                    assert browser.ask(f"{verb} {argument((LAN, ORDINARY))}").startswith("200")
                    check_shut(lab, lambda: server.is_shut((lab.lan_seen_as, ORDINARY)), (LAN, ORDINARY))
                assert reordered(lab) == before + 1     # it came by


# Real servers whose replies quote what they were sent.

QUOTED = {"PASV": "227{0}({1})", "EPSV": "229{0}(|||40022|)"}
# Who is asked what, and what stands behind the code that it quotes; vsftpd quotes nothing before the login.
QUOTING = {"pyftpdlib": [("outsider", "{}", "-"), ("user", "MLST /pub/{}", " ")],
           "vsftpd": [("user", "STAT /pub/{}", " ")],
           "proftpd": [("outsider", "USER {}", "-"), ("user", "CWD {}", " ")],
           "pure-ftpd": [("outsider", "USER {}", " "), ("user", "DELE {}", " ")]}


def log_in(client, server):
    for command in (f"USER {server.user}", f"PASS {server.password}"):
        client.segment(PSH | ACK, command.encode() + b"\r\n")
        client.reply()


def cut_reply(client, command, quoted):
    """The server's reply has come up to what it quotes: the window had no room for more."""
    client.segment(PSH | ACK, command)
    room = client.reply().index(quoted)
    client.segment(PSH | ACK, b"NOOP\r\n")
    client.acknowledge(len(client.next()[2]), window=room)
    client.segment(PSH | ACK, command, window=room)
    while room:
        received = len(client.next()[2])
        room -= received
        client.acknowledge(received, window=room)


@pytest.fixture(scope="module")
def sites(make_lab):
    """Conntrack takes all that is far, as where kube-proxy runs."""
    with each_server(make_lab) as sites:
        sites["vsftpd"].lab.router.sysctl("net.netfilter.nf_conntrack_tcp_be_liberal", 1)
        yield sites


@pytest.fixture(params=SERVERS)
def site(request, sites):
    return sites[request.param]


@pytest.mark.parametrize("asked", QUOTED)
@pytest.mark.parametrize("distance", FAR)
def test_client_cuts_a_quoted_reply_and_sends_a_far_segment(site, asked, distance):
    lab, server, dialled = site
    for who, what, separator in QUOTING[server.name]:
        quoted = QUOTED[asked].format(separator, port_argument((server.address, ORDINARY)))
        server.add_file(f"pub/{quoted}", b"")
        with server.namespace.listen(server.address, ORDINARY), \
                RawTcp(lab.clients[0], lab.client_address(), lab.publics[0], dialled, free_port(lab)) as client:
            client.reply()
            if who == "user":
                log_in(client, server)
            cut_reply(client, what.format(quoted).encode() + b"\r\n", quoted.encode())
            before = reordered(lab)
            client.stray(distance, b"zz", ttl=ROUTER)
            client.segment(PSH | ACK, asked.encode() + b"\r\n", window=0)
            client.acknowledge(0)
            seq, _, payload = client.next()
            check_shut(lab, lambda: lab.clients[0].is_shut(lab.publics[0], ORDINARY), (server.address, ORDINARY))
            assert seq == client.ack and payload.startswith(quoted.encode()), who
            assert reordered(lab) == before + 1     # it came by


@pytest.mark.parametrize("distance", FAR)
def test_client_begins_where_the_server_waits_for_it(make_lab, distance):
    """And not where somebody says who sends in its name, and need not know more of the connection than its ends."""
    with make_lab() as lab:
        ScriptedServer(lab)
        lab.router.sysctl("net.netfilter.nf_conntrack_tcp_be_liberal", 1)
        with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
            client.line()
            before = reordered(lab)
            with RawTcp(client.namespace, lab.client_address(), lab.publics[0], source_port=client.control.getsockname()[1],
                        position=positions(client.control)) as forger:
                forger.stray(distance, b"z", ttl=ROUTER)
                for command, code in (("USER lab", "331"), ("PASS lab", "230"), ("PASV", "227")):
                    assert client.ask(command).startswith(code)
            assert len(lab.expectations()) == 1
            assert reordered(lab) == before + 1     # it came by
