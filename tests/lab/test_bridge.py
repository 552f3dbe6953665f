# SPDX-License-Identifier: GPL-2.0-or-later
"""A router whose LAN is a bridge that has iptables see what it bridges, too (net.bridge.bridge-nf-call-iptables = 1, as
Docker and Kubernetes set it): a server and a LAN client are on it."""

import pytest

import clients
import servers
from lab import Lab

pytestmark = pytest.mark.daemon

LAN = "10.88.0.7"


class Bridged(Lab):
    """What are interfaces of the router elsewhere are ports of its bridge `lan`."""

    def _wire_home(self):
        super()._wire_home()
        server, gateway = self.server_addresses[0], self.family.gateway
        self.router.ip("addr flush dev lan0\naddr flush dev lan\nlink set lan down\nlink set lan name port\n"
                       "link add lan type bridge mcast_snooping 0\nlink set lan up\nlink set port master lan up\n"
                       "link set lan0 master lan\n" + self._add_address(gateway, "lan")
                       + "".join(f"route add {address}/32 dev lan\n" for address in (server, LAN)))
        self.lan[0].ip(f"route add {server}/32 dev eth0\n")
        self.servers[0].ip(f"route add {LAN}/32 dev eth0\n")

    def load_rules(self):
        super().load_rules()
        for chain in (("filter", "-A", "FORWARD"), ("nat", "-I", "POSTROUTING")):
            self.iptables("-t", *chain, "-m", "physdev", "--physdev-is-bridged", "-j", "ACCEPT")
        self.router.sysctl("net.bridge.bridge-nf-call-iptables", 1)     # is there since the first of these rules


@pytest.fixture
def server(common):
    with Bridged(lan=(LAN,), hairpin=True, **{**common, "firewall": "iptables"}) as lab:    # nft has no match like physdev
        yield servers.vsftpd(lab)


@pytest.mark.parametrize("client", ["curl", "curl-port"])
def test_whatever_way_clients_take_they_work(server, client):
    lab = server.lab
    ways = {"outside": (lab.clients[0], lab.publics[0]), "hairpin": (lab.lan[0], lab.publics[0]),
            "bridged": (lab.lan[0], server.address)}
    for way, (namespace, host) in ways.items():
        folder = lab.tmp / way
        folder.mkdir()
        trip = clients.Visit(namespace, host, 21, server.user, server.password, folder, folder.name)
        printed = clients.act(client, "download", trip)
        assert trip.local.exists(), (way, printed)
        assert trip.local.read_bytes() == server.content
    announced = {LAN: LAN, lab.client_address(): lab.client_address()} if client == "curl-port" else dict.fromkeys(
        (LAN, lab.client_address()), lab.publics[0])
    opened = {(fields["client"].rpartition(":")[0], fields["announced"].rpartition(":")[0]) for fields in lab.pasvd.opened()}
    assert opened >= set(announced.items())
