# SPDX-License-Identifier: GPL-2.0-or-later
"""A flood of first packets to the ports on demand: others go on transferring, and are answered on their control
connections."""

import pytest

import clients
import ftps_clients
import ftps_sites
from ftps_sites import CONFIG, EXPLICIT, PORTS
from lab import wait_for
from rawtcp import Flood
from scripted import RawClient

pytestmark = pytest.mark.daemon

SYNS = 5_000_000    # at most; it ends with the transfers
TRANSFERS = 5
PATIENCE = 30       # seconds: a first packet that the flood pushes out comes again after 1, 3, 7
DURATION = TRANSFERS * PATIENCE     # at most, likewise


def is_answered(control):
    for _ in range(10):
        assert control.ask("NOOP").startswith("200")


@pytest.mark.parametrize("kind", [None, False, "explicit"], ids=["stranger", "clear-text", "tls"])
def test_flood_of_another_client_stops_nobody(make_lab, visit, kind):
    """With TLS it has ports opened, one after the other; none of them is the first client's."""
    with make_lab(clients=2, config=CONFIG) as lab:
        server = ftps_sites.start(lab, EXPLICIT["pyftpdlib"], size=20_000)
        trip = visit(lab, server)
        clear = RawClient(lab.clients[0], lab.publics[0])
        if kind is not None:
            other = RawClient(lab.clients[1], lab.publics[0], tls=kind)
        with Flood(lab.clients[1], lab.client_address(1), lab.publics[0], PORTS, SYNS, DURATION) as flood:
            wait_for(lambda: flood.sent > 100, what="the flood")
            with trip.namespace.inside(), ftps_clients.python_session(trip, timeout=PATIENCE) as ftp:
                for _ in range(TRANSFERS):
                    assert clients.download_bytes(ftp, trip) == server.content
                    is_answered(clear)
            assert flood.thread.is_alive(), "it ended too early to say anything"
        if kind is not None:
            assert other.ask("NOOP").startswith("200")
