# SPDX-License-Identifier: GPL-2.0-or-later
"""Another router goes on with the sessions of one that is gone."""

import contextlib
import json
import os

import pytest

import clients
import scripted
from failover import Failover, KeepalivedFailover
from ftps_sites import CONFIG as ON_DEMAND
from lab import IP6, PASVCTL, wait_for
from scripted import CONTENT, RawClient, ScriptedServer, read_all

pytestmark = pytest.mark.daemon

FAILOVERS = int(os.environ.get("FAILOVERS", "10"))
SESSIONS = 100
MUCH = bytes(range(256)) * (1 << 12)    # more than what is on its way in a connection that nobody reads


@pytest.fixture
def make_lab(common):
    """A function that makes one with two routers."""
    def make(kind=Failover, **options):
        return kind(**{**common, **options})
    return make


# Shorter than the server's, and longer: sequence numbers are shifted either way.
@pytest.mark.parametrize("public", ["5.5.5.5", "203.113.112.111"])
def test_session_goes_on_at_the_other_router(make_lab, visit, public):
    with make_lab(publics=(public,)) as lab:
        trip = visit(lab, ScriptedServer(lab))
        with clients.python_session(trip) as ftp:
            for _ in range(2):
                assert clients.download_bytes(ftp, trip) == CONTENT
            lab.wait_until_the_other_knows()
            lab.take_over()
            ftp.voidcmd("NOOP")
            assert any("dport=21 " in line and "helper=" in line for line in lab.connections("-p", "tcp"))
            for _ in range(2):
                assert ftp.makepasv()[0] == public
                assert len(lab.expectations()) == 1
                assert clients.download_bytes(ftp, trip) == CONTENT


def test_transfer_that_runs_goes_on_at_the_other_router(make_lab, visit):
    with make_lab() as lab:
        trip = visit(lab, ScriptedServer(lab))
        with clients.python_session(trip) as ftp:
            host, port = ftp.makepasv()
            with trip.namespace.connect(host, port) as data:
                lab.wait_until_the_other_knows()
                lab.take_over()
                ftp.putcmd(f"RETR {clients.REMOTE}")
                assert ftp.getresp().startswith("150")
                assert b"".join(iter(lambda: data.recv(65536), b"")) == CONTENT
            ftp.voidresp()
            assert clients.download_bytes(ftp, trip) == CONTENT


def retrieve(ftp, data):
    ftp.putcmd(f"RETR {clients.REMOTE}")
    assert ftp.getresp().startswith("150")
    assert read_all(data) == CONTENT
    ftp.voidresp()


def negotiate(ftp, public, extended):
    """PASV or EPSV; where to connect."""
    if not extended:
        return ftp.makepasv()
    return public, int(ftp.sendcmd("EPSV").split("|")[3])


def test_no_port_is_lost_when_routers_die_before_it_is_used(make_lab, visit):
    """Time and again, back and forth, in one session."""
    with make_lab() as lab:
        trip = visit(lab, ScriptedServer(lab))
        with clients.python_session(trip) as ftp:
            own = f"sport={ftp.sock.getsockname()[1]} "
            for number in range(FAILOVERS):
                lab.wait_until_known(own, "-p", "tcp")
                where = negotiate(ftp, lab.publics[0], extended=number % 2)
                lab.wait_until_known(f"dport={where[1]} ", "expect")
                lab.take_over()
                with trip.namespace.connect(*where) as data:
                    retrieve(ftp, data)
                lab.come_back()


def transfer_after_takeover(lab, trip):
    """The other router gets a port that nobody has used yet; what it logged of that. It may do so twice: at the takeover,
    and at the event of conntrackd, which was before that or comes after it."""
    with clients.python_session(trip) as ftp:
        host, port = ftp.makepasv()
        lab.wait_until_known(f"dport={port} ", "expect", "-f", lab.family.name)
        lab.take_over()
        with trip.namespace.connect(host, port) as data:
            retrieve(ftp, data)
        assert clients.download_bytes(ftp, trip) == CONTENT
    events = lab.router.run(PASVCTL, "events", "--json", "-s", lab.control_socket).stdout.splitlines()
    told = [event for event in map(json.loads, events) if event["event"] == "adopted"]
    lines = [line for event, line in lab.pasvd.ports() if event == "adopted"]
    assert lines and [{key: event[key] for key in lines[0]} for event in told] == lines == lines[:1] * len(lines)
    return lines[0]


def test_port_over_ipv6_is_not_lost(make_lab, visit):
    with make_lab(family=IP6) as lab:
        transfer_after_takeover(lab, visit(lab, ScriptedServer(lab)))


def test_port_that_is_announced_as_another_is_not_lost(make_lab, visit):
    with make_lab(config="[translate]\nannounce-ports = 60000-60009\n") as lab:
        adopted = transfer_after_takeover(lab, visit(lab, ScriptedServer(lab, passive_ports=range(20000, 20009))))
        assert adopted["listener"].endswith(":20000")
        assert not adopted["announced"].endswith(":20000")


def test_pasvd_that_starts_after_the_takeover_loses_no_port(make_lab, visit):
    with make_lab() as lab:
        lab.daemons[lab.standby].kill()
        trip = visit(lab, ScriptedServer(lab))
        with clients.python_session(trip) as ftp:
            host, port = ftp.makepasv()
            lab.wait_until_known(f"dport={port} ", "expect")
            lab.die()
            lab.switch_over(script=False)
            lab.start_pasvd_at(lab.router)
            with trip.namespace.connect(host, port) as data:
                retrieve(ftp, data)


def test_active_port_is_not_lost(make_lab):
    with make_lab() as lab:
        server = ScriptedServer(lab)
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            host, port = client.listen()
            assert client.ask("PORT " + scripted.port_argument((host, port))).startswith("200")
            lab.wait_until_known(f"dport={port} ", "expect")
            lab.take_over()
            client.send(b"RETR x\r\n")
            data, peer = client.accept()
            assert peer == (lab.publics[0], scripted.DATA_PORT)
            assert read_all(data) == CONTENT
            assert server.offer() == (host, port)


def test_ports_of_an_ftps_session_open_on_demand_at_the_other_router(make_lab):
    with make_lab(config=ON_DEMAND) as lab:
        server = ScriptedServer(lab, tls="explicit")
        with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
            server.listen(60007)
            assert lab.clients[0].attempt(lab.publics[0], 60007) == "open"
            lab.wait_until_the_other_knows()
            lab.take_over()
            assert client.ask("NOOP").startswith("200")
            assert lab.clients[0].attempt(lab.publics[0], 60007) == "open"
            server.listen(59999)
            assert lab.clients[0].is_shut(lab.publics[0], 59999)


def test_a_hundred_transfers_go_on_at_the_other_router(make_lab, visit, monkeypatch):
    monkeypatch.setattr(scripted, "CONTENT", MUCH)
    with make_lab() as lab, contextlib.ExitStack() as stack:
        trip = visit(lab, ScriptedServer(lab))
        running = []
        for _ in range(SESSIONS):
            ftp = stack.enter_context(clients.python_session(trip))
            data = stack.enter_context(trip.namespace.connect(*ftp.makepasv()))
            ftp.putcmd(f"RETR {clients.REMOTE}")
            assert ftp.getresp().startswith("150")
            running.append((ftp, data, data.recv(1)))
        lab.wait_until_the_other_knows()
        lab.take_over()
        for ftp, data, first in running:
            assert first + read_all(data) == MUCH
            ftp.voidresp()


def test_session_goes_on_where_it_was_before(make_lab, visit):
    """None of the routers dies: the work goes there and back, and each of the daemons has a past."""
    with make_lab() as lab:
        trip = visit(lab, ScriptedServer(lab))
        with clients.python_session(trip) as ftp:
            own = f"sport={ftp.sock.getsockname()[1]} "
            for extended in False, True, False, True:
                lab.wait_until_its_own(own)
                assert clients.download_bytes(ftp, trip) == CONTENT
                where = negotiate(ftp, lab.publics[0], extended)
                lab.wait_until_known(f"dport={where[1]} ", "expect")
                lab.switch_over()
                lab.script(lab.standby, "standby")
                with trip.namespace.connect(*where) as data:
                    retrieve(ftp, data)


def test_port_whose_listener_is_not_known_is_removed(make_lab):
    """A third party's, as the server may say here."""
    third = "10.77.0.9"
    with make_lab(config=f"[policy]\nallow-foreign = {third}\n") as lab:
        server = ScriptedServer(lab)
        server.pasv_text = lambda port: f"227 ok ({scripted.port_argument((third, port))}).\r\n".encode()
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            assert client.ask("PASV").startswith("227")
            assert len(lab.expectations()) == 1
            daemon = lab.daemons[lab.standby]
            wait_for(lambda: "event=removed reason=unknown-listener" in daemon.log(), 10, "it is removed")
            assert "dport" not in lab.standby.run("conntrack", "-L", "expect").stdout


def test_conntrackd_that_sends_back_what_it_got_loses_no_port(make_lab, visit):
    """One that is started again at the router that stands by takes what it finds there for its own."""
    with make_lab() as lab:
        trip = visit(lab, ScriptedServer(lab))
        with clients.python_session(trip) as ftp:
            lab.wait_until_the_other_knows()
            lab.conntrackds[lab.standby].stop()
            lab.start_conntrackd(lab.standby)
            host, port = ftp.makepasv()
            daemon = lab.daemons[lab.standby]
            wait_for(lambda: "reason=sent-back" in daemon.log(), 10, "it is sent to and fro")
            with trip.namespace.connect(host, port) as data:
                retrieve(ftp, data)


def test_keepalived_has_the_other_router_go_on(make_lab, visit):
    with make_lab(KeepalivedFailover, config=ON_DEMAND) as lab:
        server = ScriptedServer(lab, tls="explicit")
        with RawClient(lab.clients[0], lab.publics[0], tls="explicit"):
            transfer_after_takeover(lab, visit(lab, server))
            server.listen(60007)
            wait_for(lambda: lab.clients[0].attempt(lab.publics[0], 60007) == "open", 10, "a port on demand")
