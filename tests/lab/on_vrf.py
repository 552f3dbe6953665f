# SPDX-License-Identifier: GPL-2.0-or-later
"""Interfaces that belong to a VRF: pasvd(8), "VRFs".

The kernel takes packets through PREROUTING twice there, first for the interface, then for the
VRF, and forgets those that are queued the second time.
Not all kernels have VRFs, so this is run by tests/kernels.
"""

import pytest

import clients
from lab import Lab
from scripted import CONTENT, RawClient, ScriptedServer
from test_active import fetch, offer

pytestmark = pytest.mark.daemon


class Vrf(Lab):
    def _wire(self):
        super()._wire()
        self.router.ip("link add vrf0 type vrf table 10\nlink set vrf0 up\n"
                       "link set wan master vrf0\nlink set lan0 master vrf0\n")

    def load_rules(self):
        super().load_rules()
        self.iptables("-t", "mangle", "-I", "PREROUTING", "-i", "vrf0", "-j", "ACCEPT")


@pytest.fixture
def lab():
    with Vrf(hairpin=True, masquerade=True, publics=("5.5.5.5",)) as lab:
        yield lab


def test_passive_client_downloads(lab, visit):
    trip = visit(lab, ScriptedServer(lab))
    with clients.python_session(trip) as ftp:
        for _ in range(2):
            assert ftp.makepasv()[0] == lab.publics[0]
            assert clients.download_bytes(ftp, trip) == CONTENT


def test_active_client_downloads(lab):
    server = ScriptedServer(lab)
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        offer(client, "PORT", client.listen())
        server.offer()
        assert fetch(client)[0] == lab.publics[0]
