# SPDX-License-Identifier: GPL-2.0-or-later
"""FTP over TLS: every client works with every server, and data ports are opened on demand.

What the servers are told is what the documents say: a range of passive ports, and the public
address for clients that believe a 227, since nobody on the way can read it.
"""

import functools

import pytest

import ftps_clients
import ftps_sites
from ftps_sites import CONFIG, EXPLICIT, IMPLICIT, IMPLICIT_PORT
from lab import IP6
from test_active_matrix import check
from test_matrix import digest, sha256

pytestmark = pytest.mark.daemon


@pytest.fixture(scope="module", params=EXPLICIT)
def site(request, make_lab):
    with make_lab(config=CONFIG) as lab:
        yield ftps_sites.start(lab, EXPLICIT[request.param])


@pytest.fixture(scope="module", params=EXPLICIT)
def public_site(request, make_lab):
    """The server announces the public address."""
    with make_lab(config=CONFIG) as lab:
        yield ftps_sites.start(lab, EXPLICIT[request.param], masquerade=lab.publics[0])


@pytest.fixture(scope="module", params=IMPLICIT)
def implicit_site(request, make_lab):
    with make_lab(config=CONFIG, forwards=((IMPLICIT_PORT, 0, IMPLICIT_PORT),)) as lab:
        yield ftps_sites.start(lab, IMPLICIT[request.param])


@pytest.fixture(scope="module", params=EXPLICIT)
def ip6_site(request, make_lab):
    with make_lab(config=CONFIG, family=IP6) as lab:
        yield ftps_sites.start(lab, EXPLICIT[request.param])


@pytest.mark.parametrize("client", ftps_clients.CLIENTS)
def test_client_works(site, client, visit):
    check(client, visit(site.lab, site), site, act=ftps_clients.act)


@pytest.mark.parametrize("client", ftps_clients.BELIEVERS)
def test_believer_works_with_a_server_that_knows_its_address(public_site, client, visit):
    check(client, visit(public_site.lab, public_site), public_site, act=ftps_clients.act)


@pytest.mark.parametrize("client", ftps_clients.BELIEVERS)
def test_believer_goes_to_the_private_address(site, client, visit):
    """So it is the masquerade address that makes the test above pass."""
    trip = visit(site.lab, site)
    printed = ftps_clients.act(client, "download", trip)
    assert digest(trip.local) != sha256(site.content), printed


@pytest.mark.parametrize("client", ftps_clients.IMPLICIT_CLIENTS)
def test_client_works_with_tls_from_the_start(implicit_site, client, visit):
    check(client, visit(implicit_site.lab, implicit_site, port=IMPLICIT_PORT), implicit_site,
          act=functools.partial(ftps_clients.act, implicit=True))


@pytest.mark.parametrize("client", ftps_clients.IP6_CLIENTS)
def test_client_works_over_ip6(ip6_site, client, visit):
    check(client, visit(ip6_site.lab, ip6_site), ip6_site, act=ftps_clients.act)


def test_server_may_demand_that_data_connections_resume_the_session(site, visit):
    """So the tests above say something about servers that do."""
    trip = visit(site.lab, site)
    with trip.namespace.inside(), ftps_clients.python_session(trip, resume=False) as ftp:
        if site.tls.reuse:
            with pytest.raises((OSError, ftps_clients.ftplib.Error)):
                ftp.nlst("pub")
        else:
            assert "data.bin" in str(ftp.nlst("pub"))
