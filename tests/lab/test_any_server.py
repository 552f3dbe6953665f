# SPDX-License-Identifier: GPL-2.0-or-later
"""test_any_server.py - rules of others send connections to a server, and `--server any` follows them"""

import pathlib
import re

import pytest

import clients
from lab import RULES, Lab
from rules import restore_text
from scripted import CONTENT, ScriptedServer
from servers import SERVERS
from test_check import Practice

pytestmark = pytest.mark.daemon

BRIDGE_FILTER = "net.bridge.bridge-nf-call-iptables"
BRIDGE_FILTERS = [0, 1] if pathlib.Path("/proc/sys/" + BRIDGE_FILTER.replace(".", "/")).exists() else [0]
FIRST, SECOND = "172.17.0.2", "172.17.0.3"


def docker(lab, address):
    """What Docker 28 writes for a container, abridged."""
    return {
        "raw": [f"-A PREROUTING -d {address}/32 ! -i docker0 -j DROP"],
        "nat": [f"-A DOCKER ! -i docker0 -p tcp -m tcp --dport {outside} -j DNAT --to-destination {address}:{own}"
                for outside, own in lab.ports],
        "filter": [*(f"-A DOCKER -d {address}/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport {own} -j ACCEPT"
                     for _, own in lab.ports), "-A DOCKER ! -i docker0 -o docker0 -j DROP"]}


DOCKER = """\
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
COMMIT
"""


def kube_proxy(lab, address):
    """What kube-proxy writes for an endpoint of a service with an external address, abridged."""
    return {"nat": [line for outside, own in lab.ports for line in (
        f"-A KUBE-SERVICES -d {lab.publics[0]}/32 -p tcp -m tcp --dport {outside} -j KUBE-EXT-FTP{outside}",
        f"-A KUBE-EXT-FTP{outside} -j KUBE-MARK-MASQ",
        f"-A KUBE-EXT-FTP{outside} -j KUBE-SVC-FTP{outside}",
        f"-A KUBE-SVC-FTP{outside} -j KUBE-SEP-FTP{outside}",
        f"-A KUBE-SEP-FTP{outside} -s {address}/32 -j KUBE-MARK-MASQ",
        f"-A KUBE-SEP-FTP{outside} -p tcp -m tcp -j DNAT --to-destination {address}:{own}")]}


KUBE_PROXY = """\
*nat
:KUBE-SERVICES - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-EXT-FTP21 - [0:0]
:KUBE-SVC-FTP21 - [0:0]
:KUBE-SEP-FTP21 - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
COMMIT
*filter
:FORWARD DROP [0:0]
:KUBE-FORWARD - [0:0]
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
"""


def plain(lab, address):
    """A router's own rules, of which none is about what is related."""
    return {"nat": [f"-A PREROUTING -i wan -p tcp -m tcp --dport {outside} -j DNAT --to-destination {address}:{own}"
                    for outside, own in lab.ports],
            "filter": [line for _, own in lab.ports for line in (
                f"-A FORWARD -d {address}/32 -p tcp -m tcp --dport {own} -j ACCEPT",
                f"-A FORWARD -s {address}/32 -p tcp -m tcp --sport {own} -j ACCEPT")]}


class Containers(Lab):
    """Servers are on a bridge of the router, and others say which of them connections go to."""

    def __init__(self, others=docker, begin=DOCKER, ports=((21, 21),), more=(), bridge_filter=0, **options):
        super().__init__(servers=(FIRST, SECOND), clients=2, **options)
        self.others, self.begin = others, begin
        self.ports = ports
        self.more = more
        self.bridge_filter = bridge_filter
        self.served = None

    def _wire_servers(self):
        self.router.ip("link add docker0 type bridge mcast_snooping 0\nlink set docker0 up\n"
                       "addr add 172.17.0.1/16 dev docker0\n")
        for number, address in enumerate(self.inside_addresses):
            server = self.servers[number]
            self.router.ip(f"link add veth{number} type veth peer name eth0 netns {server.path}\n"
                           f"link set veth{number} master docker0 up\n")
            server.ip(f"link set lo up\nlink set eth0 up\naddr add {address}/16 dev eth0\n"
                      "route add default via 172.17.0.1\n")
        if len(BRIDGE_FILTERS) > 1:
            self.router.sysctl(BRIDGE_FILTER, self.bridge_filter)

    def load_rules(self):
        self.restore(self.begin)
        self.serve(FIRST)
        self.router.run(*RULES, "load", *self.rule_options(0))

    def rules_by_table(self):
        """Without those that have none."""
        return {table: rules for table in ("raw", "mangle", "nat", "filter")
                if (rules := re.findall("^-[AN].*", self.iptables("-t", table, "-S").stdout, re.M))}

    def rule_options(self, number):
        ports = (f"{outside}:{own}" if outside != own else f"{outside}" for outside, own in self.ports)
        return ["--wan", "wan", "--server", "any", *(word for port in ports for word in ("--port", port)),
                *self.more, *self.firewall_options]

    def serve(self, address):
        """As if the container were made anew; nothing of pasvd's changes."""
        if self.served:
            self.restore(restore_text(self.others(self, self.served)).replace("-A ", "-D "))
        self.restore(restore_text(self.others(self, address)))
        self.served = address


WORLDS = {"docker": {}, "docker on port 2121": {"ports": ((2121, 21),)},
          "docker, bridged packets filtered": {"bridge_filter": 1},
          "kube-proxy": {"others": kube_proxy, "begin": KUBE_PROXY},
          "plain": {"others": plain, "begin": "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", "more": ("--accept-data",)}}


def download(lab, visit, server, client):
    trip = visit(lab, server, port=lab.ports[0][0])
    printed = clients.act(client, "download", trip)
    return trip.local.exists() and trip.local.read_bytes() == server.content or printed


@pytest.fixture(params=WORLDS)
def world(request):
    if WORLDS[request.param].get("bridge_filter", 0) not in BRIDGE_FILTERS:
        pytest.skip("no br_netfilter")
    with Containers(**WORLDS[request.param]) as lab:
        yield lab


def test_server_is_followed_to_another_address(world, visit):
    """Also: what is opened is opened to its client alone; the check has no objection; nothing of it stays."""
    loaded = world.rules_by_table()
    world.router.run(*RULES, "remove")
    before = world.rules_by_table()
    assert "PASVD" not in str(before)
    world.router.run(*RULES, "load", *world.rule_options(0))
    assert world.rules_by_table() == loaded
    first = SERVERS["vsftpd"](world, 0)
    for client in ("curl", "curl-port", "curl-epsv"):
        assert download(world, visit, first, client) is True
    second = ScriptedServer(world, 1)
    world.serve(SECOND)
    trip = visit(world, second, port=world.ports[0][0])
    with clients.python_session(trip) as ftp:
        host, port = ftp.makepasv()
        assert (host, second.data_ports[-1]) == (world.publics[0], port)
        assert world.clients[1].is_shut(host, port)
        assert world.clients[0].is_shut(host, second.listen(40000).getsockname()[1])
        assert clients.download_bytes(ftp, trip) == CONTENT
    assert Practice(world).check().is_well()
    assert Practice(world).check(*world.rule_options(0)).is_well()
    assert world.router.run(*RULES, "diff", *world.rule_options(0)).stdout == ""
    world.serve(FIRST)
    assert world.rules_by_table() == loaded
    world.router.run(*RULES, "remove")
    assert world.rules_by_table() == before


def test_without_the_rules_a_client_is_given_the_address_of_a_container(visit):
    with Containers() as lab:
        lab.router.run(*RULES, "remove")
        with clients.python_session(visit(lab, ScriptedServer(lab))) as ftp:
            assert FIRST.replace(".", ",") in ftp.sendcmd("PASV")


def test_data_connections_are_accepted_only_if_that_is_asked_for(visit):
    """A router whose own rules know nothing of what is related."""
    with Containers(plain, WORLDS["plain"]["begin"]) as lab:
        assert not [rule for rule in lab.saved_rules() if rule.startswith("-A PASVD") and rule.endswith("-j ACCEPT")]
        server = SERVERS["vsftpd"](lab, 0)
        assert download(lab, visit, server, "curl") is not True
        lab.router.run(*RULES, "load", *lab.rule_options(0), "--accept-data")
        assert download(lab, visit, server, "curl") is True
        assert Practice(lab).check().is_well()


# Where those accept what is related; instead of that only what is established.
RELATED = {"docker": ("DOCKER-CT", 1, "-o", "docker0"), "kube-proxy": ("KUBE-FORWARD", 3)}


@pytest.mark.parametrize("name", RELATED)
def test_check_sees_data_connections_that_others_do_not_accept(visit, name):
    with Containers(**WORLDS[name]) as lab:
        server = SERVERS["vsftpd"](lab, 0)
        assert download(lab, visit, server, "curl") is True
        lab.iptables("-R", *RELATED[name], "-m", "conntrack", "--ctstate", "ESTABLISHED", "-j", "ACCEPT")
        assert download(lab, visit, server, "curl") is not True
        found = Practice(lab).check().of("error", "unsure")
        assert any(re.search("a data connection to the server", finding["what"]) for finding in found)
        lab.router.run(*RULES, "load", *lab.rule_options(0), "--accept-data")
        assert Practice(lab).check().is_well() and download(lab, visit, server, "curl") is True


def test_client_on_the_router_itself_is_named_in_the_log():
    """Docker translates it in OUTPUT, where no CT rule gives it the helper."""
    with Containers() as lab:
        server = ScriptedServer(lab)
        with lab.router.connect(lab.publics[0], 21) as control:
            replies = control.makefile("r", newline="")
            replies.readline()
            for command in (b"USER lab\r\n", b"PASS lab\r\n", b"PASV\r\n"):
                control.sendall(command)
                reply = replies.readline()
        assert FIRST.replace(".", ",") in reply and server.data_ports
        assert re.search("reason=no-ct-helper .*it is the router's own", lab.pasvd.log()), lab.pasvd.log()


def test_own_rule_for_an_address_that_the_container_had_is_warned_of():
    with Containers() as lab:
        lab.router.run(*RULES, "load", "--wan", "wan", "--server", FIRST)
        assert Practice(lab).check().is_well()
        lab.serve(SECOND)
        finding = Practice(lab).check().the("warning", f"server: ipv4: .*--to-destination {SECOND}:21\" never counts")
        assert f"sends port 21 to {FIRST}" in finding["why"] and "--server any" in finding["advice"]
        lab.router.run(*RULES, "load", "--wan", "wan", "--server", "any")
        assert Practice(lab).check().is_well()
