# SPDX-License-Identifier: GPL-2.0-or-later
"""How a negotiated port ended: one line in the log, with the fields of its "opened" line."""

import re
import signal
import socket
import struct
import threading

import pytest

import clients
from lab import IP6, wait_for
from scripted import CONTENT, RawClient, ScriptedServer, read_all
from test_active import fetch, offer

pytestmark = pytest.mark.daemon

EVENTS = "net.netfilter.nf_conntrack_events"
NETLINK_NETFILTER, EXPECT_NEW_AND_DESTROY = "12", "00000028"   # as in /proc/net/netlink


@pytest.fixture
def lab(make_lab):
    with make_lab(daemon=False) as lab:
        yield lab


@pytest.fixture
def site(lab):
    """A server, the daemon, and a client that is logged in."""
    server = ScriptedServer(lab)
    daemon = lab.start_pasvd()
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        yield server, daemon, client


def wait_for_ports(daemon, *expected):
    """These lines about ports, in this order and no others; their fields."""
    def are_there():
        return len(daemon.ports()) >= len(expected)
    wait_for(are_there, 10, f"lines {expected}")
    assert [what for what, _ in daemon.ports()] == list(expected)
    return [fields for _, fields in daemon.ports()]


def pasv(client):
    numbers = re.search(r"\(([\d,]+)\)", client.ask("PASV"))[1].split(",")
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])


def retrieve(client, endpoint):
    data = client.namespace.connect(*endpoint)
    client.send(b"RETR anything\r\n")
    assert client.line().startswith("150")
    assert read_all(data) == CONTENT
    assert client.line().startswith("226")


def test_port_of_a_transfer_is_used(lab, visit):
    server = ScriptedServer(lab)
    daemon = lab.start_pasvd()
    trip = visit(lab, server)
    with clients.python_session(trip) as ftp:
        for _ in range(3):
            assert clients.download_bytes(ftp, trip) == CONTENT
    lines = wait_for_ports(daemon, *["opened", "used"] * 3)
    assert lines[0::2] == lines[1::2]
    assert set(lines[0]) == {"client", "server", "announced", "listener"}
    assert daemon.counters()["used"] == 3


def test_port_of_a_transfer_over_ipv6_is_used(make_lab):
    with make_lab(family=IP6, daemon=False) as lab:
        server = ScriptedServer(lab)
        daemon = lab.start_pasvd()
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            assert client.ask("EPSV").startswith("229")
            retrieve(client, (lab.publics[0], server.data_ports[-1]))
        opened, used = wait_for_ports(daemon, "opened", "used")
        assert opened == used


def test_port_of_an_active_client_is_used(make_lab):
    with make_lab(servers=(), outside=1, lan=("10.77.1.2",), daemon=False) as lab:
        server = ScriptedServer(lab)
        daemon = lab.start_pasvd()
        with RawClient(lab.lan[0], server.address) as client:
            assert offer(client, "PORT", client.listen()).startswith("200")
            assert fetch(client)[0] == server.address
        opened, used = wait_for_ports(daemon, "opened", "used")
        assert opened == used


def test_port_that_nobody_uses_expires(lab):
    path = lab.tmp / "pasvd.conf"
    path.write_text("[pasvd]\nexpect-timeout = 1\n")
    ScriptedServer(lab)
    daemon = lab.start_pasvd(["-c", path])
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        pasv(client)
        opened, expired = wait_for_ports(daemon, "opened", "expired")
        assert opened == expired
    assert daemon.counters()["expired"] == 1


def log_in_again(client):
    """A session that is older than the daemon counts as not logged in."""
    for command in ("USER lab", "PASS lab"):
        client.ask(command)


def test_port_expires_without_word_from_the_kernel(lab):
    """As with a kernel that tells of it half a minute later: the session has no events."""
    path = lab.tmp / "pasvd.conf"
    path.write_text("[pasvd]\nexpect-timeout = 2\n")
    ScriptedServer(lab)
    lab.router.sysctl(EVENTS, 0)
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        lab.router.sysctl(EVENTS, 2)
        daemon = lab.start_pasvd(["-c", path])
        log_in_again(client)
        pasv(client)
        opened, expired = wait_for_ports(daemon, "opened", "expired")
        assert opened == expired
        assert lab.expectations() == []


def test_next_pasv_replaces_the_port(site):
    _, daemon, client = site
    pasv(client)
    retrieve(client, pasv(client))
    first, replaced, second, used = wait_for_ports(daemon, "opened", "replaced", "opened", "used")
    assert first == replaced and second == used and first != second


def test_same_port_again_is_another_one(site):
    """Word of the end of the first is not taken for that of the second."""
    _, daemon, client = site
    endpoint = client.listen()
    for _ in range(2):
        assert offer(client, "PORT", endpoint).startswith("200")
    fetch(client)
    lines = wait_for_ports(daemon, "opened", "replaced", "opened", "used")
    assert lines == [lines[0]] * 4


def test_good_bye_closes_the_port(site):
    _, daemon, client = site
    pasv(client)
    assert client.ask("QUIT").startswith("221")
    opened, closed = wait_for_ports(daemon, "opened", "cancelled")
    assert opened == closed


def test_refusal_of_a_port_closes_it(site):
    server, daemon, client = site
    server.send_port = lambda control, _: control.sendall(b"500 Illegal PORT command.\r\n")
    assert offer(client, "PORT", client.listen()).startswith("500")
    opened, closed = wait_for_ports(daemon, "opened", "cancelled")
    assert opened == closed


def test_port_goes_with_its_control_connection(lab, site):
    """Which is reset, and then forgotten; listing connections has the kernel look at their time."""
    _, daemon, client = site
    lab.router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_close", 1)
    pasv(client)
    client.control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.control.close()
    wait_for(lambda: not lab.connections("-p", "tcp", "--dport", "21"), 10, "end of the connection")
    opened, gone = wait_for_ports(daemon, "opened", "orphaned")
    assert opened == gone


def test_expectation_that_another_program_deletes_is_removed(lab, site):
    _, daemon, client = site
    pasv(client)
    lab.router.run("conntrack", "-F", "expect")
    opened, removed = wait_for_ports(daemon, "opened", "deleted")
    assert opened == removed


def test_daemon_of_before_has_its_ports_for_itself(lab, site):
    """Its successor knows nothing of them until the next packet of their session."""
    _, daemon, client = site
    endpoint = pasv(client)
    daemon.kill()
    successor = lab.start_pasvd()
    retrieve(client, endpoint)
    retrieve(client, pasv(client))
    assert wait_for_ports(successor, "opened", "used")[0]["announced"] != "{}:{}".format(*endpoint)


def test_session_that_began_without_events_shows_what_pasvd_does_itself(lab):
    server = ScriptedServer(lab)
    lab.router.sysctl(EVENTS, 0)
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        lab.router.sysctl(EVENTS, 2)
        daemon = lab.start_pasvd()
        log_in_again(client)
        retrieve(client, pasv(client))
        pasv(client)
        pasv(client)
        with RawClient(lab.clients[0], lab.publics[0]) as other:
            retrieve(other, pasv(other))
        lines = wait_for_ports(daemon, "opened", "opened", "replaced", "opened", "opened", "used")
        assert lines[1] == lines[2] and lines[4] == lines[5]
    assert len(server.data_ports) == 4


def test_use_that_came_before_the_next_reply_is_seen_before_it(lab, site):
    """Both wait for the daemon, the use for its log and the reply for its verdict."""
    server, daemon, client = site
    first = pasv(client)
    asked, go = threading.Event(), threading.Event()

    def send(control, reply):
        asked.set()
        assert go.wait(10)
        control.sendall(reply)

    server.send_pasv = send
    client.send(b"PASV\r\n")
    assert asked.wait(10)
    daemon.popen.send_signal(signal.SIGSTOP)
    try:
        client.namespace.connect(*first).close()
        go.set()
        wait_for(lambda: lab.packets()[0] > 0, 5, "the reply is in the queue")
    finally:
        daemon.popen.send_signal(signal.SIGCONT)
    assert client.line().startswith("227")
    lines = wait_for_ports(daemon, "opened", "used", "opened")
    assert lines[0] == lines[1] and lines[0] != lines[2]


def lost_events(lab):
    """How many the kernel could not give to the router's one listener to ends of expectations."""
    with lab.router.inside():
        with open("/proc/thread-self/net/netlink", encoding="ascii") as sockets:
            fields = [line.split() for line in sockets]
    (listener,) = [it for it in fields if it[1] == NETLINK_NETFILTER and it[3] == EXPECT_NEW_AND_DESTROY]
    return int(listener[8])


def test_events_that_find_no_room_are_said_to_be_lost_once(lab, site):
    """While the daemon stands still another program makes and deletes expectations of the session."""
    _, daemon, client = site
    port = client.control.getsockname()[1]
    make = (f"conntrack -I expect -t 100 -p tcp --orig-src {client.address} --orig-dst {lab.publics[0]}"
            f" --orig-port-src {port} --orig-port-dst 21 --tuple-src 192.0.2.1 --tuple-dst 192.0.2.2"
            " --tuple-port-src 1 --tuple-port-dst 2 --mask-src 255.255.255.255 --mask-dst 255.255.255.255"
            " --mask-port-src 65535 --mask-port-dst 65535")
    daemon.popen.send_signal(signal.SIGSTOP)
    try:
        for _ in range(50):
            lab.router.run("sh", "-c", f"for i in $(seq 50); do {make}; conntrack -F expect; done")
            if lost_events(lab):
                break
    finally:
        daemon.popen.send_signal(signal.SIGCONT)
    assert lost_events(lab)
    retrieve(client, pasv(client))
    wait_for_ports(daemon, "opened", "used")
    assert re.findall(r"event=lost-events.*", daemon.log()) == [
        'event=lost-events bursts=1 msg="how some ports ended is not known, nor what other programs opened"']
