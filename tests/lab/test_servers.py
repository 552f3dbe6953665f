# SPDX-License-Identifier: GPL-2.0-or-later
"""test_servers.py - the configuration says which servers there are, and `pasvd rules load` loads that"""

import re

import pytest

import clients
from configured import ConfiguredLab
from lab import IP4, IP6, RULES
from scripted import CONTENT, ScriptedServer
from servers import SERVERS
from test_check import Practice

pytestmark = pytest.mark.daemon

ADDRESSES = {IP4: ("10.77.0.2", "10.78.0.2"), IP6: ("fd77::2", "fd78::2")}
CONFIG = """\
[server first]
address = 10.77.0.2, fd77::2
wan = wan
[server second]
address = 10.78.0.2
wan = wan
"""
DROP_IN = """\
[server second]
address = fd78::2
ports = 2121:21, 2122
"""


class Configured(ConfiguredLab):
    """No option says for whom the rules are. The router has both families; those of one are connected."""

    def __init__(self, family, **options):
        super().__init__(family=family, servers=ADDRESSES[family], clients=2,
                         forwards=((21, 0, 21), (2121, 1, 21)), config=CONFIG, **options)

    def _wire(self):
        super()._wire()
        self.router.sysctl("net.ipv6.conf.all.disable_ipv6", 0)
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.router.sysctl("net.ipv4.ip_forward", 1)
        other = IP6 if self.family is IP4 else IP4
        self.router.ip(f"addr add {other.outside}1/{other.outside_bits} dev wan\n"
                       + "".join(f"route add {address}/{other.host_bits} dev lan{number}\n"
                                 for number, address in enumerate(ADDRESSES[other])))
        for number in range(2):
            self.give_up_neighbours(f"lan{number}")

    def load_rules(self):
        (self.tmp / "pasvd.conf.d").mkdir()
        (self.tmp / "pasvd.conf.d" / "second.conf").write_text(DROP_IN)
        if self.firewall == "nft":
            (self.tmp / "pasvd.conf.d" / "nft.conf").write_text("[pasvd]\nfirewall = nft\n")
        super().load_rules()
        if self.firewall == "iptables":
            for iptables in "iptables", "ip6tables":
                self.router.run(iptables, "-P", "FORWARD", "DROP")


@pytest.fixture(params=[IP4, IP6], ids=["ipv4", "ipv6"])
def lab(request, common):
    with Configured(request.param, **common) as lab:
        yield lab


def diff(lab):
    return lab.router.run(*RULES, "diff", *lab.config_options("--config"), check=False)


def test_servers_of_the_configuration_are_served_each_on_its_port(lab, visit):
    for number, port in (0, 21), (1, 2121):
        server = SERVERS["vsftpd"](lab, number)
        trip = visit(lab, server, port=port)
        printed = clients.act("curl-epsv", "download", trip)
        assert trip.local.exists() and trip.local.read_bytes() == server.content, printed


def test_what_is_opened_is_opened_to_its_client_alone(lab, visit):
    second = ScriptedServer(lab, 1)
    trip = visit(lab, second, port=2121)
    with clients.python_session(trip) as ftp:
        host, port = ftp.makepasv()
        assert lab.clients[1].is_shut(host, port)
        assert lab.clients[0].is_shut(lab.publics[0], 21)     # that of the first, where nobody listens
        assert clients.download_bytes(ftp, trip) == CONTENT


def complaints(lab):
    """Of the check, but for servers: those of the other family are nowhere."""
    return [finding for finding in Practice(lab).check().of("error") if finding["about"] != "server"]


def test_diff_and_check_and_remove_agree(lab):
    assert (diff(lab).returncode, diff(lab).stdout) == (0, "")
    assert complaints(lab) == []
    before = sorted(lab.saved_rules())
    lab.shipped_rules("remove")
    missing = diff(lab)
    assert missing.returncode == 1 and "missing" in missing.stdout and "unexpected" not in missing.stdout
    assert not re.search("PASVD|inet pasvd", "".join(lab.saved_rules()))
    lab.router.run("sh", "-euc", complaints(lab)[0]["fix"])
    assert diff(lab).stdout == "" and sorted(lab.saved_rules()) == before and complaints(lab) == []


def test_options_are_all_that_counts(lab):
    address = ADDRESSES[lab.family][1]
    options = ("--wan", "wan", "--server", address)
    text = lab.router.run(*RULES, "print", *lab.config_options("--config"), *options).stdout
    assert text == lab.router.run(*RULES, "print", *options).stdout
