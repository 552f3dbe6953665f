# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases by which netfilter's own test of FTP through NAT goes, with pasvd in place of the in-kernel helper.

That test is tests/shell/testcases/packetpath/nat_ftp of nftables: a client, a router,
vsftpd; IPv6; passive and active; what is translated is the server's address (port
2121 becomes 21), the client's address, or both.
"""

import pytest

import clients
import servers
from lab import IP6, Lab

pytestmark = pytest.mark.daemon

OUTSIDE, CONTROL = 2121, 21
SOURCE_PORT = 16500     # of the control connection, once the client's address is translated
DNAT, SNAT = "DNAT", "SNAT"


class Site(Lab):
    """Client 0 and server 0, between them a router that translates what `nat` says."""

    def __init__(self, nat, **options):
        super().__init__(family=IP6, forwards=((OUTSIDE, 0, CONTROL),), **options)
        self.nat = nat

    def rule_options(self, number):
        """A client whose address is translated, and a server that is not, is what --lan is for."""
        return super().rule_options(number) if DNAT in self.nat else [
            *self.firewall_options, "--lan", "wan", "-6"]

    def load_rules(self):
        super().load_rules()
        server, router = self.server_addresses[0], self.family.gateway
        self.clients[0].ip(f"route add {server} via {self.router_address}\n")
        if SNAT in self.nat and self.firewall == "nft":
            self.nft(f"add rule inet firewall postrouting ip6 daddr {server} tcp dport {CONTROL} "
                     f"snat ip6 to [{router}]:{SOURCE_PORT}\n")
        elif SNAT in self.nat:
            self.iptables("-t", "nat", "-A", "POSTROUTING", "-d", server, "-p", "tcp", "--dport", CONTROL,
                          "-j", "SNAT", "--to-source", f"[{router}]:{SOURCE_PORT}")

    @property
    def dialled(self):
        return (self.publics[0], OUTSIDE) if DNAT in self.nat else (self.server_addresses[0], CONTROL)

    @property
    def seen(self):
        """The address that the server knows the client by."""
        return self.family.gateway if SNAT in self.nat else self.client_address()

    def ends_at_the_server(self):
        """The client's address as the server sees it, for each connection that there was."""
        server = self.server_addresses[0]
        for line in self.connections("-p", "tcp"):
            ends = [dict(word.split("=") for word in half.split() if "=" in word)
                    for half in line.replace(" src=", "\nsrc=").splitlines()[1:]]
            yield next(end["dst"] for end in ends if end["src"] == server)


@pytest.fixture(scope="module", params=[(DNAT, SNAT), (DNAT,), (SNAT,)], ids="+".join)
def site(request, common):
    with Site(request.param, **common) as lab:
        yield lab, servers.vsftpd(lab, size=4096)


@pytest.mark.parametrize("client", ["curl-epsv", "curl-eprt"], ids=["passive", "active"])
def test_file_is_the_same_behind_nat(site, client):
    lab, server = site
    lab.router.run("conntrack", "-F")
    before = lab.pasvd.counters()["opened"]
    folder = lab.tmp / client
    folder.mkdir()
    trip = clients.Visit(lab.clients[0], *lab.dialled, server.user, server.password, folder, client)
    printed = clients.act(client, "download", trip)
    assert trip.local.exists(), printed
    assert trip.local.read_bytes() == server.content
    assert list(lab.ends_at_the_server()) == [lab.seen] * 2
    assert lab.pasvd.counters()["opened"] == before + 1
