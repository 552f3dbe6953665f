# SPDX-License-Identifier: GPL-2.0-or-later
"""Data ports on demand through a firewall that translates nothing: the server is dialled by its own address.

As test_ftps_closed.py, the server listens whether anything was negotiated or not.
"""

import pytest

import clients
import ftps_clients
import ftps_sites
from ftps_sites import CONFIG, IMPLICIT_PORT, PORTS
from scripted import RawClient, ScriptedServer
from test_routed import FAMILIES

pytestmark = pytest.mark.daemon

CONTROL = {"explicit": 21, "implicit": IMPLICIT_PORT}
OUTSIDE_THE_RANGE = {1024, PORTS[0] - 1, PORTS[-1] + 1}
LISTENING = {PORTS[0], PORTS[-1]}


def routed(make_lab, family, **more):
    return make_lab(family=FAMILIES[family], routed=True, clients=2, config=CONFIG,
                    forwards=[(port, 0, port) for port in CONTROL.values()], **more)


@pytest.fixture(params=FAMILIES)
def lab(request, make_lab):
    with routed(make_lab, request.param) as lab:
        yield lab


def session(lab, tls, client=0, **options):
    return RawClient(lab.clients[client], lab.publics[0], port=CONTROL[tls], tls=tls, **options)


def scan(lab, client=0, awaited=()):
    return lab.clients[client].scan(lab.publics[0], sorted({*PORTS, *OUTSIDE_THE_RANGE}), awaited)


@pytest.mark.parametrize("tls", CONTROL)
def test_ports_are_open_to_the_client_of_the_session_while_it_lasts(lab, tls):
    server = ScriptedServer(lab, port=CONTROL[tls], tls=tls)
    for port in LISTENING | OUTSIDE_THE_RANGE:
        server.listen(port)
    assert scan(lab) == set()
    with session(lab, tls) as client:
        assert client.ask("NOOP").startswith("200")
        assert scan(lab, awaited=LISTENING) == LISTENING
        assert scan(lab, client=1) == set()
        lab.pasvd.kill()
        assert scan(lab) == set()
        lab.start_pasvd()
        assert scan(lab, awaited=LISTENING) == LISTENING
        assert scan(lab, client=1) == set()
        client.ask("QUIT")
    assert scan(lab) == set()


@pytest.mark.parametrize("kind, name", [("explicit", "vsftpd-reuse"), ("explicit", "pyftpdlib"), ("implicit", "proftpd")])
@pytest.mark.parametrize("family", FAMILIES)
def test_client_works_with_a_server_over_tls(make_lab, visit, family, kind, name):
    """It believes the address of a 227, which is the one that it dialled."""
    sites = {"explicit": ftps_sites.EXPLICIT, "implicit": ftps_sites.IMPLICIT}[kind]
    with routed(make_lab, family) as lab:
        server = ftps_sites.start(lab, sites[name], size=5000)
        trip = visit(lab, server, port=CONTROL[kind])
        with ftps_clients.python_session(trip, kind == "implicit", believing=True) as ftp:
            for _ in range(2):
                assert clients.download_bytes(ftp, trip) == server.content
