# SPDX-License-Identifier: GPL-2.0-or-later
"""Active mode: every client works with every server, whichever of the two is behind the router."""

import os

import pytest

import clients
import servers
from test_matrix import digest, sha256

LAN = "192.168.100.200"


@pytest.fixture(scope="module", params=servers.SERVERS)
def outside(request, make_lab):
    """A server outside, clients in the LAN."""
    with make_lab(servers=(), outside=1, lan=(LAN,)) as lab:
        yield servers.SERVERS[request.param](lab)


@pytest.fixture(scope="module", params=servers.SERVERS)
def inside(request, make_lab):
    """A server behind the router, clients outside."""
    with make_lab() as lab:
        yield servers.SERVERS[request.param](lab)


def check(client, trip, server, act=clients.act):
    """List, download, upload."""
    printed = act(client, "list", trip)
    assert "data.bin" in printed
    printed = act(client, "download", trip)
    assert digest(trip.local) == sha256(server.content), printed
    if client.startswith("wget"):   # cannot
        return
    content = os.urandom(200_000)
    trip.local.write_bytes(content)
    printed = act(client, "upload", trip)
    assert digest(server.uploads / trip.upload_name) == sha256(content), printed


@pytest.mark.parametrize("client", clients.ACTIVE_CLIENTS)
def test_lan_client_works_with_server_outside(outside, client, visit_out):
    check(client, visit_out(outside.lab, outside), outside)


@pytest.mark.parametrize("client", clients.ACTIVE_CLIENTS)
def test_outside_client_works_with_server_behind_the_router(inside, client, visit):
    check(client, visit(inside.lab, inside), inside)


def test_lftp_in_the_lan_that_pipelines_works(outside, visit_out):
    """It speaks before the greeting."""
    if outside.name == "pyftpdlib":
        return      # loses data with such a client, whatever is between them
    trip = visit_out(outside.lab, outside)
    for action in ("list", "download", "upload"):
        (*argv, script), _ = clients.lftp(action, trip, passive="no")
        done = trip.namespace.run(*argv, "set ftp:sync-mode off; " + script)
        assert action != "list" or done.stdout.split() == [clients.REMOTE]
    assert trip.local.read_bytes() == (outside.root / trip.remote_upload).read_bytes() == outside.content
