# SPDX-License-Identifier: GPL-2.0-or-later
"""FTP over TLS from the LAN to servers outside: which ports of theirs and of the clients open, for whom and when.

What goes out is filtered as strictly as what comes in.
"""

import contextlib
import functools
import os
import socket

import pytest

import ftps_clients
import ftps_sites
from clients import python_act
from ftps_sites import EXPLICIT, IMPLICIT, IMPLICIT_PORT
from lab import IP4, IP6, PATIENCE, wait_for
from scripted import RawClient, ScriptedServer
from test_active_matrix import check

pytestmark = pytest.mark.daemon

LAN = {IP4: ("192.168.100.200", "192.168.100.201"), IP6: ("fd00::200", "fd00::201")}
LAN_IP6_ROUTED = ("2001:db8:99::200", "2001:db8:99::201")
PASSIVE = (60007, 60042)
DENIED, BELOW, BEYOND = 60500, 1024, 61001
ACTIVE = (50003, 50013)     # the first port of a range of each client
ACTIVE_RANGE = "50003-50012"
ACTIVE_DENIED = 50030

CONFIG = """\
[clients]
lan = lan
passive-ports = 60000-61000
active-ports = 50003-50012 for {0}, 50030 for {0}, 50013-50022 for {1}
[policy]
deny-ports = 60500, 50030
[tls]
implicit-ports = 990
"""


def lab_of(make_lab, family, routed, **more):
    clients = LAN_IP6_ROUTED if routed and family is IP6 else LAN[family]
    return make_lab(family=family, routed=routed, servers=(), lan=clients, lan_ports=(21, IMPLICIT_PORT),
                    config=CONFIG.format(*clients), **{"outside": 2, **more})


@pytest.fixture(scope="module", params=[(IP4, False), (IP4, True), (IP6, False), (IP6, True)],
                ids=["ipv4", "ipv4-routed", "ipv6-nat", "ipv6-routed"])
def site(request, make_lab):
    """Two clients in the LAN, two servers outside, each with all ports open."""
    with lab_of(make_lab, *request.param) as lab:
        servers = [ScriptedServer(lab, number, tls="explicit") for number in range(2)]
        implicit = ScriptedServer(lab, 0, port=IMPLICIT_PORT, tls="implicit")
        for server in servers:
            for port in (*PASSIVE, DENIED, BELOW, BEYOND):
                server.listen(port)
        yield lab, servers, implicit


def session(lab, server, client=0, tls="explicit", **options):
    return RawClient(lab.lan[client], server.address, port=server.control_port, tls=tls, **options)


def reachable(lab, server, client=0, awaited=()):
    return lab.lan[client].scan(server.address, (*PASSIVE, DENIED, BELOW, BEYOND), awaited)


def opened_for(lab, client, attempt):
    """A line of the log on a port that was opened for the session. The log has a limit, so some may be left out."""
    def lines():
        assert attempt() == "open"
        return [line for line in lab.pasvd.opened() if line["client"] == lab.endpoint(*client.control.getsockname()[:2])]
    return wait_for(lines, what="a line of the session")[-1]


def seen(lab, client=0):
    """The address at which a server sees a client."""
    return lab.lan_addresses[client] if lab.routed else lab.lan_seen_as


def test_passive_ports_of_a_server_are_open_to_a_client_with_a_tls_session_only(site):
    lab, servers, _ = site
    assert reachable(lab, servers[0]) == set()
    with session(lab, servers[0]) as client:
        assert reachable(lab, servers[0], awaited=PASSIVE) == set(PASSIVE)
        assert reachable(lab, servers[1]) == set()
        assert reachable(lab, servers[0], client=1) == set()
        client.ask("QUIT")
    wait_for(lambda: reachable(lab, servers[0]) == set(), what="the ports are shut")


def test_passive_ports_are_shut_to_a_session_in_clear_text(site):
    lab, servers, _ = site
    with session(lab, servers[0], tls=False) as client:
        assert reachable(lab, servers[0]) == set()
        assert client.ask("NOOP").startswith("200")


def test_tls_from_the_start_opens_passive_ports(site):
    lab, _, implicit = site
    with session(lab, implicit, tls="implicit"):
        assert reachable(lab, implicit, awaited=PASSIVE) == set(PASSIVE)
        assert reachable(lab, implicit, client=1) == set()


def test_passive_port_is_logged_as_on_demand(site):
    lab, servers, _ = site
    with session(lab, servers[0]) as client:
        line = opened_for(lab, client, lambda: lab.lan[0].attempt(servers[0].address, PASSIVE[0]))
    assert line["on-demand"] == "yes"
    assert line["announced"] == line["listener"] == lab.endpoint(servers[0].address, PASSIVE[0])


def test_session_that_outlives_a_daemon_has_its_ports(site):
    lab, servers, _ = site
    with session(lab, servers[0]):
        lab.pasvd.kill()
        assert reachable(lab, servers[0]) == set()
        lab.start_pasvd()
        assert reachable(lab, servers[0], awaited=PASSIVE) == set(PASSIVE)


def test_syn_of_others_passes_without_the_daemon_if_the_firewall_lets_it(site):
    lab, servers, _ = site
    lab.pasvd.kill()
    lab.forward_policy("accept")
    try:
        assert lab.lan[0].attempt(servers[0].address, PASSIVE[0]) == "open"
    finally:
        lab.forward_policy("drop")
        lab.start_pasvd()


def test_active_port_of_a_client_is_open_to_the_server_of_its_tls_session_only(site):
    lab, servers, _ = site
    port, other_port = ACTIVE
    for number in range(2):
        lab.lan[number].listening = [lab.lan[number].listen(lab.lan_addresses[number], each)
                                     for each in (*ACTIVE, ACTIVE_DENIED)]
    try:
        assert servers[0].is_shut((seen(lab), port))
        with session(lab, servers[0]) as client:
            line = opened_for(lab, client, lambda: servers[0].attempt((seen(lab), port), source_port=0))
            assert line["on-demand"] == "yes"
            assert servers[0].attempt((seen(lab), port)) == "open"
            assert servers[0].is_shut((seen(lab), ACTIVE_DENIED))
            assert servers[0].is_shut((seen(lab), other_port))
            assert servers[0].is_shut((seen(lab, 1), other_port))
            assert servers[1].is_shut((seen(lab), port))
            assert lab.clients[0].is_shut(seen(lab), port)
            client.ask("QUIT")
        wait_for(lambda: servers[0].is_shut((seen(lab), port)), what="the port is shut")
        with session(lab, servers[0], tls=False):
            assert servers[0].is_shut((seen(lab), port))
    finally:
        for number in range(2):
            for listener in lab.lan[number].listening:
                listener.close()


# Real clients, with real servers.

@pytest.fixture(scope="module", params=["vsftpd-reuse", "proftpd-reuse", "pure-ftpd"])
def explicit(request, make_lab):
    with lab_of(make_lab, IP4, False, outside=1) as lab:
        yield ftps_sites.start(lab, EXPLICIT[request.param])


@pytest.fixture(scope="module", params=[IP4, IP6], ids=lambda family: family.name)
def routed(request, make_lab):
    with lab_of(make_lab, request.param, True, outside=1) as lab:
        yield ftps_sites.start(lab, EXPLICIT["pure-ftpd"])


@pytest.fixture(scope="module", params=IMPLICIT)
def implicit(request, make_lab):
    with lab_of(make_lab, IP4, False, outside=1) as lab:
        yield ftps_sites.start(lab, IMPLICIT[request.param])


@pytest.mark.parametrize("client", [*ftps_clients.CLIENTS, "wget"])
def test_client_works(explicit, client, visit_out):
    check(client, visit_out(explicit.lab, explicit), explicit, act=ftps_clients.act)


@pytest.mark.parametrize("client", ftps_clients.IP6_CLIENTS)
def test_client_works_without_nat(routed, client, visit_out):
    check(client, visit_out(routed.lab, routed), routed, act=ftps_clients.act)


@pytest.mark.parametrize("client", ftps_clients.IMPLICIT_CLIENTS)
def test_client_works_with_tls_from_the_start(implicit, client, visit_out):
    check(client, visit_out(implicit.lab, implicit), implicit,
          act=functools.partial(ftps_clients.act, implicit=True))


# Active mode: clients that are told how servers see them, and their range, as docs/deployment.md says.

class ActiveFtps(ftps_clients.PythonFtps):
    def __init__(self, seen_as, implicit):
        super().__init__(implicit, timeout=PATIENCE)
        self.seen_as, self.ports = seen_as, iter(range(ACTIVE[0], ACTIVE[0] + 10))
        self.set_pasv(False)

    def listen(self, port):
        with contextlib.suppress(OSError):  # an older data connection still has it
            return socket.create_server((self.sock.getsockname()[0], port), family=self.af)
        return None

    def makeport(self):
        listener = next(filter(None, map(self.listen, self.ports)))
        listener.settimeout(self.timeout)
        self.sendeprt(self.seen_as, listener.getsockname()[1])
        return listener


def ftplib_active(action, trip, implicit, seen_as):
    with trip.namespace.inside(), ActiveFtps(seen_as, implicit) as ftp:
        ftp.connect(trip.host, trip.port)
        ftp.login(trip.user, trip.password)
        ftp.prot_p()
        return python_act(ftp, action, trip)


def lftp_active(action, trip, implicit, seen_as):
    argv, _ = ftps_clients.lftp(action, trip, implicit, "set ftp:passive-mode off; "
                                f"set ftp:port-ipv4 {seen_as}; set ftp:port-range {ACTIVE_RANGE}; ")
    done = trip.namespace.run(*argv, check=False, cwd=trip.folder, timeout=60,
                              env={**os.environ, "HOME": str(trip.folder), "LC_ALL": "C"})
    return done.stdout + done.stderr


def check_active(command, site, trip, implicit=False):
    lab = site.lab
    before, logged = lab.pasvd.counters()["opened"], len(lab.pasvd.opened())
    check("", trip, site, act=lambda _, action, of: command(action, of, implicit, seen(lab)))
    own = {lab.endpoint(lab.lan_addresses[0], ACTIVE[0] + step) for step in range(10)}
    assert lab.pasvd.counters()["opened"] >= before + 3
    assert {line["listener"] for line in lab.pasvd.opened()[logged:]} <= own


@pytest.mark.parametrize("command", [lftp_active, ftplib_active])
def test_active_client_works(explicit, command, visit_out):
    check_active(command, explicit, visit_out(explicit.lab, explicit))


@pytest.mark.parametrize("command", [lftp_active, ftplib_active])
def test_active_client_works_with_tls_from_the_start(implicit, command, visit_out):
    check_active(command, implicit, visit_out(implicit.lab, implicit), implicit=True)


def test_active_client_works_without_nat(routed, visit_out):
    check_active(ftplib_active, routed, visit_out(routed.lab, routed))


def test_client_does_not_work_without_passive_ports(make_lab, visit_out):
    """So it is they that make the tests above pass."""
    with make_lab(servers=(), outside=1, lan=LAN[IP4]) as lab:
        server = ftps_sites.start(lab, EXPLICIT["pure-ftpd"])
        trip = visit_out(lab, server)
        with ftps_clients.python_session(trip, timeout=PATIENCE) as ftp:
            assert trip.namespace.is_shut(*ftp.makepasv())
