#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_rules.py - `pasvd rules` and pasvd-rules

Comes in:  the binary to test in $PASVD; for the second half root, who can make
           network namespaces and load rules in them.
Goes out:  what is printed for which options; what of it gets loaded, by both
           families of iptables; and which packets pass, IPv4 and IPv6.

Packets: a host outside, a hop with a small MTU towards it, a router whose
FORWARD policy is DROP, a host on its LAN.  Either host is client or server.
The in-kernel helper "ftp" stands in for daemon and carrier, so that a failure
here is one of the rules.

As a program it runs itself and exits with 77 ("skipped") if it is not root.
"""

import contextlib
import ipaddress
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import threading
import typing

import pytest

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "lab"))
from lab import PASVD, Namespace, wait_for  # noqa: E402

LOADER = TOP / "iptables" / "pasvd-rules"
VARIANTS = ("iptables-nft", "iptables-legacy")
OPTIONS = ("--wan", "wan0", "--server", "10.0.0.2")
OPTIONS6 = ("--wan", "wan0", "--server", "fd00::2")
CLIENTS = ("--clients", "lan0")
PUBLIC = ("--public", "203.0.113.1", "--server", "10.0.0.2")
PUBLIC6 = ("--public", "2001:db8:1::1", "--server", "fd00::2")
SETS = (OPTIONS, OPTIONS6, PUBLIC, PUBLIC6, CLIENTS, CLIENTS + ("-6",), OPTIONS + CLIENTS, OPTIONS6 + CLIENTS,
        PUBLIC + CLIENTS, PUBLIC6 + CLIENTS)

every_set = pytest.mark.parametrize("options", SETS, ids=" ".join)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")


def pasvd_rules(*options):
    return subprocess.run([PASVD, "rules", *options], capture_output=True, text=True, timeout=10)


def rules_of(text):
    """The lines that do something."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


# --- what is printed

REFUSED = [(option, value) for option in ("--wan", "--clients") for value in (
    "", " ", "eth 0", "eth0\n-A FORWARD -j ACCEPT", "eth0/1", "eth+", "!eth0", "-eth0", "eth0\"", "'", "eth;0",
    "$(id)", "@SERVER@", ".", "..", "wan\t", "w\u00e4n", "sixteen-letters-")]
REFUSED += [(option, value) for option in ("--server", "--public") for value in (
    "", "10.0.0", "10.0.0.256", "10.0.0.2/24", "10.0.0.2:22", "10.0.0.2 ", "010.0.0.2", "0.0.0.0", "127.0.0.1",
    "224.0.0.1", "255.255.255.255", "ftp.example.org", "10.0.0.2\n",
    "::", "::1", "::10.0.0.2", "::ffff:10.0.0.2", "ff02::1", "fe80::1", "fe80::1%lan0", "[fd00::2]", "fd00::2/64",
    "fd00:::2", "fd00::2 ", "fd00::12345", "1:2:3:4:5:6:7:8:9")]
REFUSED += [("--port", value) for value in (
    "", "0", "65536", "-1", "+21", "21 ", " 21", "21:", ":21", "21:0", "21:65536", "21:22:23", "0x15", "ftp",
    "21-22", "99999999999999999999", "21\n")]
REFUSED += [("--queue", value) for value in ("", "-1", "65536", "21 ", "0:3", "99999999999999999999")]


@pytest.mark.parametrize("option,value", REFUSED)
def test_value_that_is_not_allowed_is_refused(option, value):
    done = pasvd_rules(*OPTIONS, option, value)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(f"pasvd rules: {option} [ -~]*: must be .*\n", done.stderr)


@pytest.mark.parametrize("options,complaint", [
    ((), "--server or --clients: missing"),
    (("-6",), "--server or --clients: missing"),
    (("--wan", "wan0"), "--wan: needs --server"),
    (CLIENTS + ("--wan", "wan0"), "--wan: needs --server"),
    (CLIENTS + ("--public", "203.0.113.1"), "--public: needs --server"),
    (CLIENTS + ("--port", "21"), "--port: needs --server"),
    (("--server", "10.0.0.2"), "--wan or --public: missing"),
    (OPTIONS + ("--public", "203.0.113.1"), "--wan, --public: only one"),
    (OPTIONS + ("--clients", "wan0"), "--wan, --clients: must be different"),
    (OPTIONS + ("--wan", "wan1", "--clients", "wan1"), "--wan, --clients: must be different"),
    (OPTIONS + ("--wan", "wan0"), "--wan wan0: must be"),
    (OPTIONS + ("-6",), "-4, -6, --server, --public: not of one family"),
    (OPTIONS6 + ("-4",), "-4, -6, --server, --public: not of one family"),
    (OPTIONS6 + ("-4", "--remove"), "-4, -6, --server, --public: not of one family"),
    (("--public", "203.0.113.1", "--server", "fd00::2"), "-4, -6, --server, --public: not of one family"),
    (CLIENTS + ("-46",), "-4, -6, --server, --public: not of one family"),
    (CLIENTS + ("-5",), "-5: not an option"),
    (OPTIONS + ("--port", "21", "--port", "21:2121"), "--port 21:2121: must be"),
    (OPTIONS + ("--port",), "--port: needs a value"),
    (OPTIONS + ("--remove=now",), "--remove=now: not an option"),
    (OPTIONS + ("--prot", "21"), "--prot: not an option"),
    (OPTIONS + ("-p", "21"), "-p: not an option"),
    (OPTIONS + ("21",), "21: not an option"),
])
def test_wrong_arguments_are_named(options, complaint):
    done = pasvd_rules(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pasvd rules: " + complaint)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("option,value,rule", [
    ("--wan", "fifteen-letters", "-A PASVD -i fifteen-letters -p tcp --dport 21 -j CT"),
    ("--wan", "br-lan.7_x", "-i br-lan.7_x "),
    ("--port", "1:65535", "--dport 1 -j DNAT --to-destination 10.0.0.2:65535"),
    ("--port", "65535:1", "--dport 65535 -j DNAT --to-destination 10.0.0.2:1"),
    ("--queue", "0", "--queue-num 0 --queue-bypass"),
    ("--queue", "65535", "--queue-num 65535 --queue-bypass"),
    ("--server", "223.255.255.255", "--to-destination 223.255.255.255:21"),
    ("--clients", "lan.7", "-A PASVD -i lan.7 -p tcp --dport 21 -j CT"),
])
def test_allowed_value_is_put_into_the_rules(option, value, rule):
    done = pasvd_rules(*OPTIONS, option, value)
    assert (done.returncode, done.stderr) == (0, "")
    assert any(rule in line for line in rules_of(done.stdout))


@pytest.mark.parametrize("given,printed", [
    ("fd00::2", "fd00::2"), ("FD00:0:0::0:2", "fd00::2"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("64:ff9b::10.0.0.2", "64:ff9b::a00:2")])
def test_ipv6_address_is_printed_in_one_form(given, printed):
    rules = rules_of(pasvd_rules("--public", given, "--server", given, "--port", "2121:21").stdout)
    assert f"-A PASVD -d {printed} -p tcp --dport 2121 -j DNAT --to-destination [{printed}]:21" in rules


@every_set
def test_no_placeholder_is_left(options):
    assert not re.search("@[A-Z_]+@", pasvd_rules(*options).stdout)


@every_set
def test_text_begins_with_the_command_that_it_is_for(options):
    command = "ip6tables" if "-6" in options or "fd00::2" in options else "iptables"
    assert pasvd_rules(*options).stdout.startswith(f"# Rules of pasvd for {command}-restore --noflush\n")


@every_set
def test_one_family_is_in_the_text(options):
    text = "\n".join(rules_of(pasvd_rules(*options).stdout))
    ipv6 = "-6" in options or "fd00::2" in options
    assert ("-p ipv6-icmp" in text) == ipv6
    assert ("-p icmp" in text) == (not ipv6)
    assert ("--bytecode \"8,48 0 0 6," in text) == ipv6
    assert ("--bytecode \"8,177 0 0 0," in text) == (not ipv6)


def test_rules_of_server_and_clients_combine():
    def rules(*options):
        return set(rules_of(pasvd_rules(*options).stdout))
    for server, clients in ((OPTIONS, CLIENTS), (PUBLIC, CLIENTS), (OPTIONS6, CLIENTS + ("-6",))):
        assert rules(*server, *clients) == rules(*server) | rules(*clients)


def test_every_rule_of_a_port_is_there_for_each_port():
    for options in (OPTIONS, PUBLIC, OPTIONS6, PUBLIC6, OPTIONS + CLIENTS):
        one = rules_of(pasvd_rules(*options, "--port", "2121:21").stdout)
        two = rules_of(pasvd_rules(*options, "--port", "2121:21", "--port", "990").stdout)
        of_port = [line for line in one if "2121" in line]
        assert len(of_port) == 6
        assert len(two) == len(one) + len(of_port)


@pytest.mark.parametrize("options", [OPTIONS, OPTIONS6, OPTIONS + CLIENTS], ids=" ".join)
def test_every_rule_of_an_uplink_is_there_for_each_with_each_port(options):
    ports = ("--port", "2121:21", "--port", "990")
    one = rules_of(pasvd_rules(*options, *ports).stdout)
    two = rules_of(pasvd_rules(*options, "--wan", "wan1", *ports).stdout)
    of_uplink = [line for line in one if "wan0" in line]
    assert len(of_uplink) == 8
    assert sorted(two) == sorted(one + [line.replace("wan0", "wan1") for line in of_uplink])
    assert [line.replace("wan1", "wan0") for line in two if "wan1" in line] == of_uplink


def test_ports_on_demand_are_there_for_each_uplink(tmp_path):
    (tmp_path / "conf").write_text("[tls]\nports = 60000-60100, 61000\n")
    text = pasvd_rules(*OPTIONS, "--wan", "wan1", "--config", str(tmp_path / "conf")).stdout
    assert re.findall(r"-i (\w+) -p tcp --dport ([\d:]+) --syn ", text) == [
        (wan, ports) for wan in ("wan0", "wan1") for ports in ("60000:60100", "61000")]


def test_at_most_8_uplinks():
    uplinks = [word for n in range(1, 8) for word in ("--wan", f"wan{n}")]
    assert pasvd_rules(*OPTIONS, *uplinks).returncode == 0
    assert pasvd_rules(*OPTIONS, *uplinks, "--wan", "wan8").returncode == 2


def test_at_most_64_ports():
    ports = [word for n in range(64) for word in ("--port", str(1000 + n))]
    assert pasvd_rules(*OPTIONS, *ports).returncode == 0
    assert pasvd_rules(*OPTIONS, *ports, "--port", "21").returncode == 2


@every_set
def test_only_own_chains_and_the_jumps_to_them(options):
    for line in rules_of(pasvd_rules(*options).stdout):
        assert re.match(r"\*|COMMIT$|:PASVD - |-A PASVD |-[AI] (PREROUTING|FORWARD) -j PASVD$", line), line


@every_set
def test_jump_of_mangle_is_the_last_and_the_others_are_the_first(options):
    jumps = re.findall(r"\*(\w+)\n(?:[^*].*\n|\n)*?(-[AI] \w+) -j PASVD\n", pasvd_rules(*options).stdout)
    assert jumps == [("raw", "-I PREROUTING"), ("mangle", "-A PREROUTING"), ("nat", "-I PREROUTING"),
                     ("filter", "-I FORWARD")]


@every_set
def test_removal_depends_on_nothing(options):
    removal = pasvd_rules("--remove")
    assert (removal.returncode, removal.stderr) == (0, "")
    assert pasvd_rules("--remove", *options).stdout == removal.stdout
    undone = re.findall(r"\*(\w+)\n-D (\w+) -j PASVD\n-F PASVD\n-X PASVD\nCOMMIT\n", removal.stdout)
    assert undone == re.findall(r"\*(\w+)\n(?:[^*].*\n|\n)*?-[AI] (\w+) -j PASVD\n", pasvd_rules(*options).stdout)


@pytest.mark.parametrize("option", ["--remove", "--help"])
def test_full_disk_is_an_error(option):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([PASVD, "rules", option], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=10)
    assert done.returncode == 1
    assert done.stderr == "pasvd rules: stdout: No space left on device\n"


# --- what is loaded

class Router:
    """A namespace with rules of somebody else in all tables of both families."""

    def __init__(self, variant, tmp):
        self.variant = variant
        self.tmp = tmp
        self.ns = Namespace("router")
        for rule in ("raw -A PREROUTING -i lo -j ACCEPT", "mangle -A PREROUTING -j CONNMARK --restore-mark",
                     "nat -A POSTROUTING -o wan0 -j MASQUERADE", "filter -P FORWARD DROP",
                     "filter -A FORWARD -i lan0 -j ACCEPT", "filter -N MINE"):
            self.iptables(*rule.split())
            self.ip6tables(*rule.split())
        self.strangers = self.saved()

    def iptables(self, table, *words):
        return self.ns.run(self.variant, "-t", table, *words)

    def ip6tables(self, table, *words):
        return self.ns.run(self.variant.replace("ip", "ip6", 1), "-t", table, *words)

    def saved(self):
        """Table by table, because the order of tables is that of their first use."""
        return {(command, table): re.sub(r"#.*\n|\[\d+:\d+\]", "",
                                         self.ns.run(f"{command}-save", "-t", table).stdout)
                for command in (self.variant, self.variant.replace("ip", "ip6", 1))
                for table in ("raw", "mangle", "nat", "filter")}

    def loader(self, *words, pasvd=PASVD, iptables=None):
        return self.ns.run(LOADER, *words, check=False,
                           env={**os.environ, "PASVD": str(pasvd), "IPTABLES": str(iptables or self.variant)})

    def loaded(self, *words):
        done = self.loader(*words)
        assert (done.returncode, done.stderr) == (0, "")
        return self.saved()

    def edited(self, sed):
        """A pasvd whose rules, not their removal, went through sed."""
        path = self.tmp / "pasvd"
        path.write_text(f"#!/bin/sh\ncase $* in *--remove*) exec {PASVD} \"$@\";; esac\n"
                        f"{PASVD} \"$@\" | sed '{sed}'\n")
        path.chmod(0o755)
        return path


@pytest.fixture(params=VARIANTS)
def router(request, tmp_path):
    result = Router(request.param, tmp_path)
    yield result
    result.ns.close()


@needs_root
class TestLoader:
    @every_set
    def test_loaded_twice_is_loaded_once(self, router, options):
        once = router.loaded("load", *options)
        loaded = [command for (command, _), rules in once.items() if "-j PASVD" in rules]
        ipv6 = "-6" in options or "fd00::2" in options
        assert loaded == [router.variant.replace("ip", "ip6", 1) if ipv6 else router.variant] * 4
        assert router.loaded("load", *options) == once

    def test_other_options_replace_the_rules(self, router):
        sets = (PUBLIC + ("--queue", "7"), CLIENTS, OPTIONS)
        expected = [router.loaded("load", *options) for options in sets]
        assert [router.loaded("load", *options) for options in sets] == expected
        assert len(set(map(str, expected))) == 3
        router.loaded("remove")
        assert router.loaded("load", *CLIENTS) == expected[1]

    def test_families_do_not_touch_each_other(self, router):
        ipv4 = router.loaded("load", *OPTIONS)
        both = router.loaded("load", *OPTIONS6)
        assert [key for key in both if both[key] != ipv4[key]] == [key for key in both if "ip6" in key[0]]
        router.loaded("load", *CLIENTS)
        assert router.loaded("load", *OPTIONS) == both
        assert router.loaded("remove") == router.strangers

    def test_failed_load_of_ipv6_leaves_ipv4(self, router):
        before = router.loaded("load", *OPTIONS)
        done = router.loader("load", *OPTIONS6, pasvd=router.edited("/^.filter/,$s/--dport/--no-such-match/"))
        assert done.returncode == 1
        assert re.fullmatch("pasvd-rules: .+; nothing was changed\n", done.stderr)
        assert router.saved() == before

    def test_without_ip6tables_ipv4_is_loaded_and_removed(self, router):
        iptables = router.tmp / "iptables" / "iptables"
        iptables.parent.mkdir()
        for suffix in ("", "-restore"):
            (iptables.parent / ("iptables" + suffix)).symlink_to("/usr/sbin/" + router.variant + suffix)
        for words, status in ((("load",) + OPTIONS, 0), (("remove",), 0), (("load",) + OPTIONS6, 1)):
            done = router.loader(*words, iptables=iptables)
            assert done.returncode == status, done
        assert done.stderr == f"pasvd-rules: {iptables.parent}/ip6tables-restore is not installed\n"
        assert router.saved() == router.strangers

    def test_help_loads_nothing(self, router):
        done = router.loader("load", *OPTIONS, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == pasvd_rules("--help").stdout
        assert router.saved() == router.strangers

    def test_command_that_is_not_iptables(self, router):
        done = router.loader("remove", iptables="nft")
        assert (done.returncode, done.stderr) == (1, "pasvd-rules: nft (from $IPTABLES) is not a name of iptables\n")

    def test_removed_leaves_what_was_there_before(self, router):
        router.loaded("load", *OPTIONS)
        assert router.loaded("remove", *OPTIONS) == router.strangers

    def test_removed_twice_or_without_options(self, router):
        router.loaded("load", *OPTIONS)
        assert router.loaded("remove") == router.strangers
        assert router.loaded("remove") == router.strangers

    def test_half_of_it_is_completed_and_removed(self, router):
        whole = router.loaded("load", *OPTIONS6)
        for broken in (("filter", "-D", "FORWARD", "-j", "PASVD"), ("raw", "-F", "PASVD")):
            router.ip6tables(*broken)
            assert router.loaded("load", *OPTIONS6) == whole
            router.ip6tables(*broken)
        router.ip6tables("mangle", "-D", "PREROUTING", "-j", "PASVD")
        router.ip6tables("mangle", "-F", "PASVD")
        router.ip6tables("mangle", "-X", "PASVD")
        assert router.loaded("remove") == router.strangers

    def test_second_jump_made_by_hand_is_removed(self, router):
        router.loaded("load", *OPTIONS)
        router.iptables("nat", "-A", "PREROUTING", "-j", "PASVD")
        assert router.loaded("remove") == router.strangers

    def test_failed_load_leaves_nothing(self, router):
        done = router.loader("load", *OPTIONS, pasvd=router.edited("/^.filter/,$s/--dport/--no-such-match/"))
        assert done.returncode == 1
        assert re.fullmatch("pasvd-rules: .+; nothing was changed\n", done.stderr)
        assert router.saved() == router.strangers

    def test_rule_that_the_kernel_refuses_leaves_nothing(self, router):
        """The owner match is not for FORWARD, which only the kernel knows; raw, mangle and nat went through."""
        refused = router.edited("/^.filter/,$s/-A PASVD/& -m owner --uid-owner 3/")
        done = router.loader("load", *OPTIONS, pasvd=refused)
        assert done.returncode == 1
        assert re.fullmatch("pasvd-rules: .+; nothing was changed\n", done.stderr)
        assert router.saved() == router.strangers

    def test_failed_load_leaves_the_rules_of_before(self, router):
        before = router.loaded("load", *OPTIONS, "--port", "2121:21")
        done = router.loader("load", *OPTIONS, pasvd=router.edited("/^.filter/,$s/--dport/--no-such-match/"))
        assert done.returncode == 1
        assert router.saved() == before

    def test_jump_of_mangle_comes_behind_what_is_there(self, router):
        rules = router.loaded("load", *OPTIONS)[router.variant, "mangle"]
        assert rules.index("-j CONNMARK") < rules.index("-A PREROUTING -j PASVD")

    def test_jump_that_is_there_stays_at_its_place(self, router):
        router.iptables("mangle", "-N", "PASVD")
        router.iptables("mangle", "-I", "PREROUTING", "-j", "PASVD")
        rules = router.loaded("load", *OPTIONS)[router.variant, "mangle"]
        assert rules.index("-A PREROUTING -j PASVD") < rules.index("-j CONNMARK")
        assert rules.count("-A PREROUTING -j PASVD") == 1

    def test_chain_that_is_in_use_elsewhere_is_an_error_of_one_line(self, router):
        router.loaded("load", *OPTIONS)
        router.iptables("filter", "-A", "MINE", "-j", "PASVD")
        done = router.loader("remove")
        assert done.returncode == 1
        assert re.fullmatch("pasvd-rules: .+\n", done.stderr)

    def test_wrong_arguments_change_nothing(self, router):
        for words in ((), ("reload",), ("load",), ("load", "--wan", "wan0"), ("load", *OPTIONS, "--port", "0")):
            done = router.loader(*words)
            assert done.returncode == 2, words
            assert done.stderr.count("\n") == 1
        assert router.saved() == router.strangers

    def test_binary_that_is_not_there(self, router):
        done = router.loader("load", *OPTIONS, pasvd="/nonexistent/pasvd")
        assert (done.returncode, done.stderr) == (1, "pasvd-rules: /nonexistent/pasvd (from $PASVD) cannot be run\n")


# --- what passes

SMALL_MTU = 1300
LENGTH = 100000 # more than the first window, and many times the MTU
PASSIVE, ACTIVE = 50000, 40000 # data ports


class Net(typing.NamedTuple):
    """The addresses of one family: those of the host outside, the hop, the router, the host on the LAN."""

    flag: str
    iptables: str
    bits: int
    outside: str
    stranger: str
    hop_down: str
    hop_up: str
    public: str
    gateway: str
    inside: str
    neighbour: str

    def options(self, text):
        return text.format(**self._asdict()).split()

    def destination(self):
        return f"[{self.inside}]:21" if self.flag == "-6" else f"{self.inside}:21"

    def port_command(self, address):
        if self.flag == "-4":
            return f"PORT {address.replace('.', ',')},{ACTIVE >> 8},{ACTIVE & 255}\r\n"
        return f"EPRT |2|{address}|{ACTIVE}|\r\n"

    def address_in(self, command):
        """The kernel writes IPv6 addresses in full."""
        if self.flag == "-4":
            return ".".join(re.search(r"(\d+),(\d+),(\d+),(\d+),", command).groups())
        return str(ipaddress.ip_address(command.split("|")[2]))

    def passive_reply(self, address):
        if self.flag == "-4":
            return f"227 Entering Passive Mode ({address.replace('.', ',')},{PASSIVE >> 8},{PASSIVE & 255})\r\n"
        return f"229 Entering Extended Passive Mode (|||{PASSIVE}|)\r\n"


NETS = (
    Net("-4", "iptables", 24, "198.51.100.2", "198.51.100.3", "198.51.100.1", "203.0.113.254", "203.0.113.1",
        "10.0.0.1", "10.0.0.2", "10.0.0.3"),
    Net("-6", "ip6tables", 64, "2001:db8:2::2", "2001:db8:2::3", "2001:db8:2::1", "2001:db8:1::fe", "2001:db8:1::1",
        "fd00::1", "fd00::2", "fd00::3"))

FORWARDED = "--wan wan0 --server {inside}"
FORWARDED_2121 = FORWARDED + " --port 2121:21"
DIALLED = "--public {public} --server {inside}"
BEHIND = "--clients lan {flag}"


class Path:
    """outside -- hop -- (wan0) router (lan) -- inside"""

    def __init__(self, tmp, net, options):
        self.on_exit = contextlib.ExitStack()
        self.net = net
        self.outside, self.hop, self.router, self.inside = (self.namespace(name) for name in (
            "outside", "hop", "router", "inside"))
        self.home = {self.outside: net.outside, self.inside: net.inside}
        for ns in (self.hop, self.router):
            ns.sysctl("net.ipv4.ip_forward", 1)
            ns.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.wire(self.outside, [net.outside, net.stranger], "wan", self.hop, net.hop_down, "down0")
        self.wire(self.hop, [net.hop_up], "up0", self.router, net.public, "wan0")
        self.wire(self.inside, [net.inside, net.neighbour], "eth0", self.router, net.gateway, "lan")
        self.route(self.outside, "default", net.hop_down, "wan")
        self.route(self.hop, f"{net.inside}/{net.bits}", net.public, "up0")
        self.route(self.router, "default", net.hop_up, "wan0")
        self.route(self.inside, "default", net.gateway, "eth0")
        self.hop.ip(f"link set down0 mtu {SMALL_MTU}")
        self.load(tmp, net.options(options))

    def namespace(self, name):
        ns = Namespace(name)
        self.on_exit.callback(ns.close)
        ns.sysctl("net.ipv6.conf.default.accept_dad", 0) # addresses are good at once
        return ns

    def wire(self, left, left_addresses, left_name, right, right_address, right_name):
        left.ip(f"link add {left_name} type veth peer name {right_name} netns {right.path}")
        for ns, name in ((left, left_name), (right, right_name)):
            ns.ip(f"link set {name} up\nlink set lo up")
            ns.run("ethtool", "-K", name, "tso", "off", "gso", "off")
        for ns, name, addresses in ((left, left_name, left_addresses), (right, right_name, [right_address])):
            for address in addresses:
                ns.ip(f"address add {address}/{self.net.bits} dev {name}")

    def route(self, ns, to, gateway, device):
        network = to if to == "default" else str(ipaddress.ip_interface(to).network)
        ns.ip(f"route add {network} via {gateway} dev {device} onlink")

    def load(self, tmp, options):
        stand_in = tmp / "pasvd"
        stand_in.write_text(f"#!/bin/sh\n{PASVD} \"$@\" | sed 's/--helper sane/--helper ftp/'\n")
        stand_in.chmod(0o755)
        self.iptables("-P FORWARD DROP")
        self.router.run(LOADER, "load", *options, env={**os.environ, "PASVD": str(stand_in)})

    def iptables(self, words):
        return self.router.run(self.net.iptables, *words.split()).stdout

    def masquerade(self, device):
        self.iptables(f"-t nat -A POSTROUTING -o {device} -j MASQUERADE")

    def listen(self, ns, address, port):
        family = socket.AF_INET if self.net.flag == "-4" else socket.AF_INET6
        with ns.inside():
            listener = socket.create_server((address, port), family=family)
        listener.settimeout(5)
        self.on_exit.callback(listener.close)
        return listener

    def connect(self, ns, address, port, timeout=5, source=None):
        return ns.connect(address, port, timeout=timeout, source=source or (self.home[ns], 0))

    def dial(self, ns, address, port, listener, source=None):
        """Both ends of a connection; closed with the path."""
        near = self.connect(ns, address, port, source=source)
        self.on_exit.callback(near.close)
        far = listener.accept()[0]
        self.on_exit.callback(far.close)
        return near, far

    def forwarded(self, port=21):
        """A control connection from outside to the server: client's end, server's end."""
        listener = self.listen(self.inside, self.net.inside, 21)
        return self.dial(self.outside, self.net.public, port, listener)

    def outgoing(self):
        """A control connection from the LAN to a server outside: client's end, server's end."""
        listener = self.listen(self.outside, self.net.outside, 21)
        return self.dial(self.inside, self.net.outside, 21, listener)

    def blocked(self, ns, address, port, source=None):
        """A refusal would do as well; the rules drop, so most of this is waiting."""
        try:
            self.connect(ns, address, port, 0.3, source).close()
        except OSError:
            return True
        return False

    def diverted(self):
        """Packets that met an NFQUEUE rule."""
        listed = self.iptables("-t mangle -vxnL PASVD")
        return sum(int(count) for count in re.findall(r"^ *(\d+) +\d+ NFQUEUE", listed, re.M))

    def connections(self):
        family = "ipv4" if self.net.flag == "-4" else "ipv6"
        return self.router.run("conntrack", "-L", "-f", family, "-p", "tcp").stdout


@pytest.fixture(params=NETS, ids=("IPv4", "IPv6"))
def path(request, tmp_path):
    """Makes a path with the rules of the options that it is given."""
    with contextlib.ExitStack() as on_exit:
        def make(options):
            made = Path(tmp_path, request.param, options)
            on_exit.enter_context(made.on_exit)
            return made
        yield make


def receive(connection, length):
    connection.settimeout(5)
    got = b""
    while len(got) < length:
        part = connection.recv(65536)
        assert part, f"{len(got)} of {length} bytes"
        got += part
    return got


def say(sender, receiver, text):
    """Sends a line and returns it as it comes out."""
    sender.sendall(text.encode())
    got = ""
    while not got.endswith("\n"):
        got += receive(receiver, 1).decode()
    return got


def transfer(sender, receiver):
    """In a thread, as the receiver has to read at the same time."""
    thread = threading.Thread(target=sender.sendall, args=(b"x" * LENGTH,), daemon=True)
    thread.start()
    assert receive(receiver, LENGTH) == b"x" * LENGTH
    thread.join(5)


def greet(client, server):
    """A helper has to see where lines end, in both directions."""
    say(server, client, "220 Ready\r\n")
    say(client, server, "USER me\r\n")


@needs_root
class TestServer:
    """A server on the LAN, clients outside."""

    @pytest.mark.parametrize("options,port", [
        (FORWARDED, 21), (FORWARDED_2121, 2121), (DIALLED, 21), (FORWARDED + " --clients lan", 21)])
    def test_control_connection_passes_over_a_small_mtu(self, path, options, port):
        client, server = path(options).forwarded(port)
        transfer(server, client)

    def test_passive_data_connection_passes_over_a_small_mtu(self, path):
        path = path(FORWARDED)
        listener = path.listen(path.inside, path.net.inside, PASSIVE)
        client, server = path.forwarded()
        greet(client, server)
        assert say(server, client, path.net.passive_reply(path.net.inside)) == path.net.passive_reply(path.net.public)
        data, sender = path.dial(path.outside, path.net.public, PASSIVE, listener)
        transfer(sender, data)
        assert path.blocked(path.outside, path.net.public, PASSIVE)

    @pytest.mark.parametrize("options", [FORWARDED, DIALLED])
    def test_active_data_connection_passes_over_a_small_mtu(self, path, options):
        """The server begins it, and the client sees it come from the address that it dialled."""
        path = path(options)
        listener = path.listen(path.outside, path.net.outside, ACTIVE)
        assert path.blocked(path.inside, path.net.outside, ACTIVE)
        client, server = path.forwarded()
        greet(client, server)
        say(client, server, path.net.port_command(path.net.outside))
        sender, data = path.dial(path.inside, path.net.outside, ACTIVE, listener)
        assert data.getpeername()[0] == path.net.public
        transfer(sender, data)
        assert path.blocked(path.inside, path.net.outside, ACTIVE)

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
    def test_short_segments_are_diverted_and_empty_ones_are_not(self, path, length):
        path = path(FORWARDED_2121)
        client, server = path.forwarded(2121)
        assert path.diverted() == 0
        client.sendall(b"x" * length)
        receive(server, length)
        assert path.diverted() == 1
        server.sendall(b"y" * length)
        receive(client, length)
        assert path.diverted() == 2

    @pytest.mark.parametrize("options", [FORWARDED, DIALLED])
    def test_connections_that_only_pass_through_are_not_diverted(self, path, options):
        path = path(options)
        path.iptables("-A FORWARD -j ACCEPT")
        path.masquerade("wan0")
        client, server = path.outgoing()
        say(client, server, "USER me\r\n")
        assert server.getpeername()[0] == path.net.public
        assert path.diverted() == 0

    @pytest.mark.parametrize("options", [FORWARDED, DIALLED])
    def test_nothing_else_is_open(self, path, options):
        """The hop has a route to the server's own address."""
        path = path(options + " --port 2121:21")
        path.listen(path.inside, path.net.inside, 21)
        path.listen(path.inside, path.net.inside, PASSIVE)
        assert not path.blocked(path.outside, path.net.public, 2121)
        for address in (path.net.public, path.net.inside):
            for port in (21, PASSIVE):
                assert path.blocked(path.outside, address, port), (address, port)
        # Not even a SYN came through: the only connection is the one to the forwarded port.
        assert path.connections().count("\n") == 1

    def test_public_address_is_the_only_one(self, path):
        path = path(DIALLED + " --port 2121:21")
        path.listen(path.inside, path.net.inside, 21)
        path.iptables(f"-t nat -A PREROUTING -d {path.net.gateway} -p tcp --dport 2121 -j DNAT "
                      f"--to-destination {path.net.destination()}")
        assert path.blocked(path.outside, path.net.inside, 2121)
        assert path.blocked(path.outside, path.net.gateway, 2121)
        assert path.connections() == ""

    def test_answers_of_strangers_connections_do_not_pass(self, path):
        path = path(FORWARDED)
        path.iptables("-A FORWARD -p tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT")
        path.listen(path.inside, path.net.inside, 80)
        assert path.blocked(path.outside, path.net.inside, 80)
        assert "SYN_RECV" in path.connections()

    def test_hairpin(self, path):
        """Somebody on the server's own network dials the public address."""
        path = path(DIALLED)
        path.masquerade("lan")
        control = path.listen(path.inside, path.net.inside, 21)
        passive = path.listen(path.inside, path.net.inside, PASSIVE)
        client, server = path.dial(path.inside, path.net.public, 21, control, source=(path.net.neighbour, 0))
        assert server.getpeername()[0] == path.net.gateway
        greet(client, server)
        assert say(server, client, path.net.passive_reply(path.net.inside)) == path.net.passive_reply(path.net.public)
        assert path.diverted() == 3
        data, sender = path.dial(path.inside, path.net.public, PASSIVE, passive, source=(path.net.neighbour, 0))
        assert sender.getpeername()[0] == path.net.gateway
        transfer(sender, data)


@needs_root
class TestClients:
    """Clients on the LAN, a server outside, MASQUERADE between them."""

    @pytest.mark.parametrize("options", [BEHIND, BEHIND + " " + FORWARDED, BEHIND + " " + DIALLED])
    def test_active_data_connection_passes_over_a_small_mtu(self, path, options):
        path = path(options)
        path.masquerade("wan0")
        listener = path.listen(path.inside, path.net.inside, ACTIVE)
        assert path.blocked(path.outside, path.net.public, ACTIVE)
        client, server = path.outgoing()
        greet(client, server)
        command = say(client, server, path.net.port_command(path.net.inside))
        assert path.net.address_in(command) == path.net.public
        assert path.diverted() == 3
        data, receiver = path.dial(path.outside, path.net.public, ACTIVE, listener)
        assert receiver.getpeername()[0] == path.net.outside
        transfer(receiver, data)
        assert path.blocked(path.outside, path.net.public, ACTIVE)

    def test_active_data_connection_is_for_that_server_alone(self, path):
        path = path(BEHIND)
        path.masquerade("wan0")
        path.listen(path.inside, path.net.inside, ACTIVE)
        client, server = path.outgoing()
        greet(client, server)
        say(client, server, path.net.port_command(path.net.inside))
        assert path.blocked(path.outside, path.net.public, ACTIVE, source=(path.net.stranger, 0))
        assert not path.blocked(path.outside, path.net.public, ACTIVE)

    def test_passive_data_connection_passes_over_a_small_mtu(self, path):
        path = path(BEHIND)
        path.masquerade("wan0")
        listener = path.listen(path.outside, path.net.outside, PASSIVE)
        assert path.blocked(path.inside, path.net.outside, PASSIVE)
        client, server = path.outgoing()
        greet(client, server)
        say(server, client, path.net.passive_reply(path.net.outside))
        receiver, data = path.dial(path.inside, path.net.outside, PASSIVE, listener)
        transfer(receiver, data)

    def test_control_connection_passes_over_a_small_mtu(self, path):
        path = path(BEHIND)
        path.masquerade("wan0")
        client, server = path.outgoing()
        transfer(client, server)

    def test_control_connection_without_nat_passes_and_is_not_diverted(self, path):
        path = path(BEHIND)
        client, server = path.outgoing()
        say(client, server, "USER me\r\n")
        say(server, client, "331 And the password?\r\n")
        assert server.getpeername()[0] == path.net.inside
        assert path.diverted() == 0

    def test_nothing_is_open_from_outside(self, path):
        path = path(BEHIND)
        for port in (21, ACTIVE):
            path.listen(path.inside, path.net.inside, port)
            assert path.blocked(path.outside, path.net.inside, port)
        assert path.connections() == ""

    def test_answers_to_strangers_whose_own_port_is_21_do_not_pass(self, path):
        path = path(BEHIND)
        path.iptables("-A FORWARD -p tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT")
        path.listen(path.inside, path.net.inside, 80)
        assert path.blocked(path.outside, path.net.inside, 80, source=(path.net.outside, 21))
        assert "SYN_RECV" in path.connections()


# --- the program that looks for payload

IPV6_HDRINCL = 36 # linux/in6.h
TCP_ACK = 0x10


def tcp_segment(header_words, length):
    """Numbers of all ones: who takes them for a header length finds nothing behind it."""
    return struct.pack("!HHIIBBHHH", 4000, 4001, 0xffffffff, 0xffffffff, header_words << 4, TCP_ACK, 1000, 0, 0) + \
        bytes((header_words - 5) * 4) + b"x" * length


class Matcher:
    """A namespace that sends packets to itself past the `-m bpf` of the printed rules."""

    def __init__(self, *options):
        self.ns = Namespace("matcher")
        self.ns.ip("link set lo up")
        text = pasvd_rules(*options).stdout
        self.iptables = "ip6tables" if "ip6tables" in text else "iptables"
        self.ipv6 = self.iptables == "ip6tables"
        self.ns.run(self.iptables + "-restore", input="*mangle\n-A PREROUTING -p tcp " + re.search(
            r'-m bpf --bytecode "[\d ,]+"', text)[0] + " -j ACCEPT\nCOMMIT\n")
        family = socket.AF_INET6 if self.ipv6 else socket.AF_INET
        with self.ns.inside():
            self.socket = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def close(self):
        self.socket.close()
        self.ns.close()

    def send(self, segment, options=b"", next_header=socket.IPPROTO_TCP):
        if self.ipv6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
            address = socket.inet_pton(socket.AF_INET6, "::1")
            head = struct.pack("!IHBB", 6 << 28, len(options + segment), next_header, 64) + address * 2
            self.socket.sendto(head + options + segment, ("::1", 0))
        else:
            head = struct.pack("!BBHHHBBHII", 4 << 4 | (5 + len(options) // 4), 0, 0, 0, 0, 64, next_header, 0,
                               0x7f000001, 0x7f000001) # the kernel fills in length and checksum
            self.socket.sendto(head + options + segment, ("127.0.0.1", 0))

    def seen(self):
        listed = self.ns.run(self.iptables, "-t", "mangle", "-vxnL", "PREROUTING").stdout
        return int(re.search(r"^ *(\d+) +\d+ ACCEPT ", listed, re.M)[1])

    def matches_exactly(self, count):
        """A last packet that surely matches shows that all before it have been through."""
        self.send(tcp_segment(5, 5))
        wait_for(lambda: self.seen() > count, what=f"{count} matches and one")
        return self.seen() == count + 1


@pytest.fixture
def matcher(request):
    result = Matcher(*request.param)
    yield result
    result.close()


HEADER_WORDS = range(5, 16)


@needs_root
class TestPayloadProgram:
    @pytest.mark.parametrize("matcher", [OPTIONS, OPTIONS6], indirect=True, ids=("IPv4", "IPv6"))
    @pytest.mark.parametrize("length", range(6))
    def test_is_exact_for_all_header_lengths(self, matcher, length):
        for words in HEADER_WORDS:
            matcher.send(tcp_segment(words, length))
        assert matcher.matches_exactly(len(HEADER_WORDS) if length else 0)

    @pytest.mark.parametrize("matcher", [OPTIONS], indirect=True)
    @pytest.mark.parametrize("length", range(6))
    def test_is_exact_behind_ipv4_options(self, matcher, length):
        for words in range(1, 11):
            matcher.send(tcp_segment(8, length), options=b"\x01" * words * 4) # no operation
        assert matcher.matches_exactly(10 if length else 0)

    @pytest.mark.parametrize("matcher", [OPTIONS6], indirect=True)
    @pytest.mark.parametrize("length", range(2))
    def test_matches_all_behind_ipv6_extension_headers(self, matcher, length):
        for first in (socket.IPPROTO_HOPOPTS, socket.IPPROTO_DSTOPTS):
            for units in range(3):
                size = 8 + units * 8
                # An option that is to be skipped if it is not known: padding of this length would be refused.
                header = struct.pack("BBBB", socket.IPPROTO_TCP, units, 0x1e, size - 4) + b"\xff" * (size - 4)
                matcher.send(tcp_segment(8, length), options=header, next_header=first)
        assert matcher.matches_exactly(6)


if __name__ == "__main__":
    status = int(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
    sys.exit(status or (0 if os.geteuid() == 0 else 77))
