#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_rules.py - `pasvd rules` and pasvd-rules

Comes in:  the binary to test in $PASVD; for the second half root, who can make
           network namespaces and load rules in them.
Goes out:  what is printed for which options; what of it gets loaded, by both
           families of iptables; and which packets pass.

Packets: a client, a hop with a small MTU towards it, a router whose FORWARD
policy is DROP, a server.  The in-kernel helper "ftp" stands in for daemon and
carrier, so that a failure here is one of the rules.

As a program it runs itself and exits with 77 ("skipped") if it is not root.
"""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading

import pytest

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "lab"))
from lab import PASVD, Namespace  # noqa: E402

LOADER = TOP / "iptables" / "pasvd-rules"
FAMILIES = ("iptables-nft", "iptables-legacy")
OPTIONS = ("--wan", "wan0", "--server", "10.0.0.2")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")


def pasvd_rules(*options):
    return subprocess.run([PASVD, "rules", *options], capture_output=True, text=True, timeout=10)


def rules_of(text):
    """The lines that do something."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


# --- what is printed

REFUSED = [("--wan", value) for value in (
    "", " ", "eth 0", "eth0\n-A FORWARD -j ACCEPT", "eth0/1", "eth+", "!eth0", "-eth0", "eth0\"", "'", "eth;0",
    "$(id)", "@SERVER@", ".", "..", "wan\t", "w\u00e4n", "sixteen-letters-")]
REFUSED += [("--server", value) for value in (
    "", "10.0.0", "10.0.0.256", "10.0.0.2/24", "10.0.0.2:22", "10.0.0.2 ", "010.0.0.2", "0.0.0.0", "127.0.0.1",
    "224.0.0.1", "255.255.255.255", "2001:db8::1", "ftp.example.org", "10.0.0.2\n")]
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
    ((), "--wan: missing"),
    (("--wan", "wan0"), "--server: missing"),
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
])
def test_allowed_value_is_put_into_the_rules(option, value, rule):
    done = pasvd_rules(*OPTIONS, option, value)
    assert (done.returncode, done.stderr) == (0, "")
    assert any(rule in line for line in rules_of(done.stdout))


def test_no_placeholder_is_left():
    assert not re.search("@[A-Z_]+@", "\n".join(rules_of(pasvd_rules(*OPTIONS).stdout)))


def test_every_rule_of_a_port_is_there_for_each_port():
    one = rules_of(pasvd_rules(*OPTIONS, "--port", "2121:21").stdout)
    two = rules_of(pasvd_rules(*OPTIONS, "--port", "2121:21", "--port", "990").stdout)
    of_port = [line for line in one if "2121" in line]
    assert len(of_port) == 6
    assert len(two) == len(one) + len(of_port)


def test_at_most_64_ports():
    ports = [word for n in range(64) for word in ("--port", str(1000 + n))]
    assert pasvd_rules(*OPTIONS, *ports).returncode == 0
    assert pasvd_rules(*OPTIONS, *ports, "--port", "21").returncode == 2


def test_only_own_chains_and_the_jumps_to_them():
    for line in rules_of(pasvd_rules(*OPTIONS).stdout):
        assert re.match(r"\*|COMMIT$|:PASVD - |-A PASVD |-I (PREROUTING|FORWARD) -j PASVD$", line), line


def test_full_disk_is_an_error():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([PASVD, "rules", "--remove"], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=10)
    assert done.returncode == 1
    assert done.stderr == "pasvd rules: stdout: No space left on device\n"


# --- what is loaded

class Router:
    """A namespace with rules of somebody else in all tables."""

    def __init__(self, family, tmp):
        self.family = family
        self.tmp = tmp
        self.ns = Namespace("router")
        for rule in ("raw -A PREROUTING -i lo -j ACCEPT", "mangle -A FORWARD -j MARK --set-mark 7",
                     "nat -A POSTROUTING -o wan0 -j MASQUERADE", "filter -P FORWARD DROP",
                     "filter -A FORWARD -i lan0 -j ACCEPT", "filter -N MINE"):
            self.iptables(*rule.split())
        self.strangers = self.saved()

    def iptables(self, table, *words, check=True):
        return self.ns.run(self.family, "-t", table, *words, check=check)

    def saved(self):
        """Table by table, because the order of tables is that of their first use."""
        return {table: re.sub(r"#.*\n|\[\d+:\d+\]", "", self.ns.run(f"{self.family}-save", "-t", table).stdout)
                for table in ("raw", "mangle", "nat", "filter")}

    def loader(self, *words, pasvd=PASVD):
        return self.ns.run(LOADER, *words, check=False,
                           env={**os.environ, "PASVD": str(pasvd), "IPTABLES": self.family})

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


@pytest.fixture(params=FAMILIES)
def router(request, tmp_path):
    result = Router(request.param, tmp_path)
    yield result
    result.ns.close()


@needs_root
class TestLoader:
    def test_loaded_twice_is_loaded_once(self, router):
        once = router.loaded("load", *OPTIONS)
        assert once != router.strangers
        assert all("-j PASVD" in rules for rules in once.values())
        assert router.loaded("load", *OPTIONS) == once

    def test_other_options_replace_the_rules(self, router):
        other = OPTIONS + ("--port", "2121:21", "--queue", "7")
        expected = router.loaded("load", *other)
        router.loaded("load", *OPTIONS)
        assert router.loaded("load", *other) == expected

    def test_removed_leaves_what_was_there_before(self, router):
        router.loaded("load", *OPTIONS)
        assert router.loaded("remove", *OPTIONS) == router.strangers

    def test_removed_twice_or_without_options(self, router):
        router.loaded("load", *OPTIONS)
        assert router.loaded("remove") == router.strangers
        assert router.loaded("remove") == router.strangers

    def test_half_of_it_is_completed_and_removed(self, router):
        whole = router.loaded("load", *OPTIONS)
        for broken in (("filter", "-D", "FORWARD", "-j", "PASVD"), ("raw", "-F", "PASVD")):
            router.iptables(*broken)
            assert router.loaded("load", *OPTIONS) == whole
            router.iptables(*broken)
        router.iptables("mangle", "-D", "PREROUTING", "-j", "PASVD")
        router.iptables("mangle", "-F", "PASVD")
        router.iptables("mangle", "-X", "PASVD")
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

PUBLIC, SERVER = "203.0.113.1", "10.0.0.2"
SMALL_MTU = 1300
LENGTH = 100000 # more than the first window, and many times the MTU


class Path:
    """client -- hop -- (wan0) router (lan0) -- server"""

    def __init__(self, tmp, *ports):
        self.on_exit = contextlib.ExitStack()
        self.client, self.hop, self.router, self.server = (self.namespace(name) for name in (
            "client", "hop", "router", "server"))
        self.wire(self.client, "198.51.100.2", self.hop, "198.51.100.1", "down0")
        self.wire(self.hop, "203.0.113.254", self.router, PUBLIC, "wan0")
        self.wire(self.router, "10.0.0.1", self.server, SERVER, "lan")
        self.client.ip("route add default via 198.51.100.1")
        self.hop.ip(f"link set down0 mtu {SMALL_MTU}\nroute add 10.0.0.0/24 via {PUBLIC}")
        self.router.ip("route add default via 203.0.113.254")
        self.server.ip("route add default via 10.0.0.1")
        for ns in (self.hop, self.router):
            ns.sysctl("net.ipv4.ip_forward", 1)
        self.load(tmp, ports)

    def namespace(self, name):
        ns = Namespace(name)
        self.on_exit.callback(ns.close)
        return ns

    def wire(self, left, left_address, right, right_address, right_name):
        left_name = "to-" + right.name
        left.ip(f"link add {left_name} type veth peer name {right_name} netns {right.path}")
        for ns, name, address in ((left, left_name, left_address), (right, right_name, right_address)):
            ns.ip(f"address add {address}/24 dev {name}\nlink set {name} up\nlink set lo up")
            ns.run("ethtool", "-K", name, "tso", "off", "gso", "off")

    def load(self, tmp, ports):
        stand_in = tmp / "pasvd"
        stand_in.write_text(f"#!/bin/sh\n{PASVD} \"$@\" | sed 's/--helper sane/--helper ftp/'\n")
        stand_in.chmod(0o755)
        self.router.run("iptables", "-P", "FORWARD", "DROP")
        options = [word for port in ports for word in ("--port", port)]
        self.router.run(LOADER, "load", "--wan", "wan0", "--server", SERVER, *options,
                        env={**os.environ, "PASVD": str(stand_in)})

    def listen(self, port):
        with self.server.inside():
            listener = socket.create_server((SERVER, port))
        listener.settimeout(5)
        self.on_exit.callback(listener.close)
        return listener

    def diverted(self):
        """Packets that met an NFQUEUE rule."""
        listed = self.router.run("iptables", "-t", "mangle", "-vxnL", "PASVD").stdout
        return sum(int(count) for count in re.findall(r"^ *(\d+) +\d+ NFQUEUE", listed, re.M))


@pytest.fixture
def path(request, tmp_path):
    result = Path(tmp_path, *getattr(request, "param", ("21", "2121:21")))
    yield result
    result.on_exit.close()


def receive(connection, length):
    connection.settimeout(5)
    got = b""
    while len(got) < length:
        part = connection.recv(65536)
        assert part, f"{len(got)} of {length} bytes"
        got += part
    return got


def blocked(ns, address, port):
    """A refusal would do as well; the rules drop, so most of this is waiting."""
    try:
        ns.connect(address, port, timeout=0.3).close()
    except OSError:
        return True
    return False


def send(connection, data):
    """In a thread, as the receiver has to read at the same time."""
    thread = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
    thread.start()
    return thread


@needs_root
class TestPackets:
    @pytest.mark.parametrize("port", [21, 2121])
    def test_control_connection_passes_over_a_small_mtu(self, path, port):
        listener = path.listen(21)
        with path.client.connect(PUBLIC, port) as client, listener.accept()[0] as server:
            thread = send(server, b"x" * LENGTH)
            assert receive(client, LENGTH) == b"x" * LENGTH
            thread.join(5)

    def test_data_connection_passes_over_a_small_mtu(self, path):
        listener, data_listener = path.listen(21), path.listen(50000)
        with path.client.connect(PUBLIC, 21) as client, listener.accept()[0] as server:
            server.sendall(b"220 A helper has to see where lines end.\r\n")
            receive(client, 42)
            server.sendall(b"227 Entering Passive Mode (10,0,0,2,195,80)\r\n")
            reply = receive(client, len("227 Entering Passive Mode (203,0,113,1,195,80)\r\n"))
            assert b"(203,0,113,1,195,80)" in reply
            with path.client.connect(PUBLIC, 50000) as data, data_listener.accept()[0] as sender:
                thread = send(sender, b"x" * LENGTH)
                assert receive(data, LENGTH) == b"x" * LENGTH
                thread.join(5)
            assert blocked(path.client, PUBLIC, 50000)

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
    def test_short_segments_are_diverted_and_empty_ones_are_not(self, path, length):
        listener = path.listen(21)
        with path.client.connect(PUBLIC, 2121) as client, listener.accept()[0] as server:
            assert path.diverted() == 0
            client.sendall(b"x" * length)
            receive(server, length)
            assert path.diverted() == 1
            server.sendall(b"y" * length)
            receive(client, length)
            assert path.diverted() == 2

    def test_connections_that_only_pass_through_are_not_diverted(self, path):
        path.router.run("iptables", "-A", "FORWARD", "-j", "ACCEPT")
        with path.client.inside():
            listener = socket.create_server(("198.51.100.2", 21))
        with listener, path.server.connect("198.51.100.2", 21) as client, listener.accept()[0] as server:
            client.sendall(b"USER me\r\n")
            receive(server, 9)
            assert path.diverted() == 0

    @pytest.mark.parametrize("path", [["2121:21"]], indirect=True)
    def test_nothing_else_is_open(self, path):
        """The hop has a route to the server's own address."""
        path.listen(21)
        path.listen(50000)
        assert not blocked(path.client, PUBLIC, 2121)
        for address in (PUBLIC, SERVER):
            for port in (21, 50000):
                assert blocked(path.client, address, port), (address, port)
        # Not even a SYN came through: the only connection is the one to the forwarded port.
        assert path.router.run("conntrack", "-L", "-p", "tcp").stdout.count("\n") == 1

    def test_answers_of_strangers_connections_do_not_pass(self, path):
        path.router.run("iptables", "-A", "FORWARD", "-p", "tcp", "--dport", "80", "-m", "conntrack", "--ctstate",
                        "NEW", "-j", "ACCEPT")
        path.listen(80)
        assert blocked(path.client, SERVER, 80)
        assert "SYN_RECV" in path.router.run("conntrack", "-L", "-p", "tcp", "--dport", "80").stdout


if __name__ == "__main__":
    status = int(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
    sys.exit(status or (0 if os.geteuid() == 0 else 77))
