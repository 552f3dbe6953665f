# SPDX-License-Identifier: GPL-2.0-or-later
"""Another router goes on with the sessions of one that is gone."""

import pytest

import clients
from failover import Failover
from scripted import CONTENT, ScriptedServer

pytestmark = pytest.mark.daemon


# Shorter than the server's, and longer: sequence numbers are shifted either way.
@pytest.mark.parametrize("public", ["5.5.5.5", "203.113.112.111"])
def test_session_goes_on_at_the_other_router(visit, public):
    with Failover(publics=(public,)) as lab:
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


def test_transfer_that_runs_goes_on_at_the_other_router(visit):
    with Failover() as lab:
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
