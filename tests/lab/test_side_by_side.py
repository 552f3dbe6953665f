# SPDX-License-Identifier: GPL-2.0-or-later
"""One router that translates some and not others: a server over IPv4 behind an address of the router, the same over IPv6
and another one over IPv4 by their own addresses, and clients of the LAN that are masqueraded."""

import pytest

from configured import ConfiguredLab
from lab import IP4, IP6
from scripted import CONTENT, RawClient, ScriptedServer, port_argument, read_all
from test_active import fetch, offer

pytestmark = pytest.mark.daemon

TRANSLATED, ROUTED = "10.77.0.2", "10.78.0.2"
LAN = {IP4: "192.168.100.200", IP6: "fd99::200"}
CONFIG = f"""\
[server first]
address = {TRANSLATED}, fd77::2
public = {IP4.public}, fd77::2
[server second]
address = {ROUTED}
public = {ROUTED}
[clients]
lan = lan
"""


class SideBySide(ConfiguredLab):
    """The router has both families; those of one are connected."""

    def __init__(self, family, **options):
        servers, publics = {IP4: ([TRANSLATED, ROUTED], [IP4.public, ROUTED]), IP6: (["fd77::2"], ["fd77::2"])}[family]
        super().__init__(family=family, servers=servers, publics=publics, clients=2, outside=1, lan=[LAN[family]],
                         masquerade=False, config=CONFIG, **options)

    def _wire(self):
        super()._wire()
        for public in self.publics:
            if public in self.inside_addresses:
                self.router.ip(f"addr del {public}/{self.family.host_bits} dev wan\n")

    def load_rules(self):
        if self.firewall == "nft":
            (self.tmp / "pasvd.conf").write_text(CONFIG + "[pasvd]\nfirewall = nft\n")
        super().load_rules()
        self._masquerade_the_lan()

    def _masquerade_the_lan(self):
        if self.firewall == "nft":
            ip = "ip" if self.family is IP4 else "ip6"
            self.nft(f"add rule inet firewall postrouting oifname wan {ip} saddr {LAN[self.family]} masquerade\n")
        else:
            self.iptables("-t", "nat", "-A", "POSTROUTING", "-o", "wan", "-s", LAN[self.family], "-j", "MASQUERADE")


@pytest.fixture
def lab(request, common):
    with SideBySide(request.param, **common) as lab:
        yield lab


over_ip4 = pytest.mark.parametrize("lab", [IP4], indirect=True, ids=["ipv4"])
over_each = pytest.mark.parametrize("lab", [IP4, IP6], indirect=True, ids=["ipv4", "ipv6"])


def download(client, namespace, address, port):
    with namespace.connect(address, port) as data:
        client.send(b"RETR anything\r\n")
        assert client.line().startswith("150")
        assert read_all(data) == CONTENT
        assert client.line().startswith("226")


@over_ip4
def test_each_server_announces_the_address_by_which_it_is_dialled(lab):
    sites = [ScriptedServer(lab, number) for number in range(2)]
    first, second = sites
    with RawClient(lab.clients[0], lab.publics[0]) as one, RawClient(lab.clients[0], lab.publics[1]) as other:
        for _ in range(2):
            reply = one.ask("PASV")
            assert port_argument((IP4.public, first.data_ports[-1])) in reply
            assert other.ask("PASV") == second.pasv_text(second.data_ports[-1]).decode()
            ports = [site.data_ports[-1] for site in sites]
            for address, wrong in zip(lab.publics, reversed(ports)):
                assert lab.clients[1].is_shut(address, wrong)
            for client, address, port in zip((one, other), lab.publics, ports):
                assert lab.clients[1].is_shut(address, port)
                download(client, lab.clients[0], address, port)


@over_each
def test_data_of_a_server_comes_from_the_address_that_was_dialled(lab):
    for number, public in enumerate(lab.publics):
        ScriptedServer(lab, number)
        with RawClient(lab.clients[0], public) as client:
            assert offer(client, "EPRT", client.listen()).startswith("200")
            assert fetch(client)[0] == public


@over_each
def test_client_of_the_lan_visits_a_server_elsewhere(lab):
    server = ScriptedServer(lab, len(lab.inside_addresses))
    with RawClient(lab.lan[0], server.address) as client:
        endpoint = client.listen()
        assert offer(client, "EPRT", endpoint).startswith("200")
        assert server.offer()[0] == lab.router_address
        assert fetch(client) == (server.address, 20)
        client.ask("EPSV")
        download(client, lab.lan[0], server.address, server.data_ports[-1])


@over_each
def test_epsv_opens_what_was_announced_to_its_client_alone(lab):
    for number, public in enumerate(lab.publics):
        server = ScriptedServer(lab, number)
        with RawClient(lab.clients[0], public) as client:
            port = int(client.ask("EPSV").split("|")[3])
            assert port == server.data_ports[-1]
            assert lab.clients[1].is_shut(public, port)
            download(client, lab.clients[0], public, port)
            assert lab.clients[0].is_shut(public, port)
