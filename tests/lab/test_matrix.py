# SPDX-License-Identifier: GPL-2.0-or-later
"""Every client works with every server through the router."""

import hashlib
import os
import re

import pytest

import clients
import servers


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def digest(path):
    return sha256(path.read_bytes()) if path.exists() else None


@pytest.fixture(scope="module", params=servers.SERVERS)
def site(request, make_lab):
    with make_lab() as lab:
        yield servers.SERVERS[request.param](lab)


@pytest.fixture(scope="module", params=servers.SERVERS)
def blanket_site(request, make_lab):
    with make_lab(engine="blanket") as lab:
        yield servers.SERVERS[request.param](lab)


@pytest.mark.parametrize("client", clients.CLIENTS)
def test_client_lists(site, client, visit):
    printed = clients.act(client, "list", visit(site.lab, site))
    assert "data.bin" in printed


@pytest.mark.parametrize("client", clients.CLIENTS)
def test_client_downloads(site, client, visit):
    trip = visit(site.lab, site)
    printed = clients.act(client, "download", trip)
    assert trip.local.exists(), printed
    assert digest(trip.local) == sha256(site.content), printed
    assert not re.search(clients.MENDED, printed)


@pytest.mark.parametrize("client", clients.UPLOADING_CLIENTS)
def test_client_uploads(site, client, visit):
    trip = visit(site.lab, site)
    content = os.urandom(200_000)
    trip.local.write_bytes(content)
    printed = clients.act(client, "upload", trip)
    arrived = site.uploads / trip.upload_name
    assert arrived.exists(), printed
    assert digest(arrived) == sha256(content), printed
    assert not re.search(clients.MENDED, printed)


@pytest.mark.parametrize("client", clients.BELIEVERS)
def test_client_believes_the_private_address(blanket_site, client, visit):
    """The other tests mean something only if the client uses the address of the 227."""
    trip = visit(blanket_site.lab, blanket_site)
    printed = clients.act(client, "download", trip)
    assert digest(trip.local) != sha256(blanket_site.content), printed


def test_ncftp_mends_the_private_address(blanket_site, visit):
    """It cannot be told not to, so that must show where the other tests look for it."""
    printed = clients.act("ncftp", "download", visit(blanket_site.lab, blanket_site))
    assert re.search(clients.MENDED, printed)
