# SPDX-License-Identifier: GPL-2.0-or-later
"""test_nft.py - rules for nft: what is printed, and what of it gets loaded

Where the kernel has no queue for nft, what stands for it is to accept: all else is
tried as it is.  tests/kernels/list has the tests with the queue.
"""

import os
import re

import pytest
from lab import PASVD, Namespace
from printed import (CLIENTS, LOADER, OPTIONS, OPTIONS6, PUBLIC, PUBLIC6, SETS, edited_tools, needs_root, pasvd_rules)
from rules import let_through

BOTH = OPTIONS + ("--server", "fd00::2")
NFT_SETS = (*SETS, CLIENTS + ("-4",), BOTH, BOTH + CLIENTS, PUBLIC + PUBLIC6, PUBLIC + PUBLIC6 + CLIENTS,
            BOTH + ("--wan", "wan1", "--port", "2121:21", "--port", "990"))
TLS = "[pasvd]\nconnmark = 0xf0\n[tls]\npassive-ports = 60000-60100, 61000\n"

every_nft_set = pytest.mark.parametrize("options", NFT_SETS, ids=" ".join)


def nft_rules(*options):
    done = pasvd_rules("--nft", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rules_with(text, what):
    """The rules of the table that have this in them."""
    return [line.strip() for line in text.splitlines() if what in line and not line.lstrip().startswith("#")]


# What is printed.

@pytest.mark.parametrize("options,complaint", [
    (OPTIONS6 + ("-4",), "-4, -6, --server: not of one family"),
    (BOTH + ("-6",), "-4, -6, --server: not of one family"),
    (PUBLIC + ("--server", "fd00::2"), "--wan or --public: missing"),
    (PUBLIC + ("--public", "2001:db8:1::1"), "--server, --public: each family needs both"),
])
def test_wrong_arguments_are_named(options, complaint):
    done = pasvd_rules("--nft", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pasvd rules print: " + complaint)
    assert done.stderr.count("\n") == 1


@every_nft_set
def test_all_is_in_one_table_that_takes_the_place_of_the_old_one(options):
    text = nft_rules(*options)
    assert not re.search("@[A-Z_]+@", text)
    outside = re.sub(r"^table inet pasvd \{\n.*?^\}\n", "", text, flags=re.M | re.S)
    assert [line for line in outside.splitlines() if line and not line.startswith("#")] == [
        "table inet pasvd", "delete table inet pasvd"]


def families(text, what):
    """Of the rules that have this in them."""
    lines = rules_with(text, what)
    assert lines
    return {family for line in lines for family in ("ipv4", "ipv6")
            if f"nfproto {family} " in line or line.startswith(("ip ", "ip6 ")[family == "ipv6"])}


@pytest.mark.parametrize("options,server,clients", [
    (BOTH + CLIENTS, {"ipv4", "ipv6"}, {"ipv4", "ipv6"}),
    (PUBLIC + PUBLIC6 + CLIENTS, {"ipv4", "ipv6"}, {"ipv4", "ipv6"}),
    (OPTIONS6 + CLIENTS, {"ipv6"}, {"ipv4", "ipv6"}),
    (PUBLIC + CLIENTS, {"ipv4"}, {"ipv4", "ipv6"}),
    (OPTIONS6 + CLIENTS + ("-6",), {"ipv6"}, {"ipv6"}),
])
def test_rules_are_for_the_families_of_the_addresses_and_of_all_clients(options, server, clients):
    text = nft_rules(*options)
    assert families(text, "dnat") == families(text, "ct status dnat") == server
    assert families(text, '"lan0"') == clients


def test_every_rule_of_an_uplink_is_there_for_each_with_each_port():
    ports = ("--port", "2121:21", "--port", "990")
    one, two = nft_rules(*BOTH, *ports), nft_rules(*BOTH, "--wan", "wan1", *ports)
    of_uplink = rules_with(one, "wan0")
    assert len(of_uplink) == 12
    assert sorted(rules_with(two, "\t")) == sorted(rules_with(one, "\t") + [
        line.replace("wan0", "wan1") for line in of_uplink])


def test_ports_on_demand_are_there_for_the_server(folder):
    (folder / "conf").write_text(TLS)
    text = nft_rules(*OPTIONS, "--config", str(folder / "conf"))
    assert [re.findall(r"tcp dport (\S+) tcp flags .* queue num (\d+)$", line)[0] for line in rules_with(
        text, "tcp flags") if " queue num " in line] == [("60000-60100", "22"), ("61000", "22")]
    assert len(rules_with(text, "ct mark & 0x50 == 0x50")) == 2
    assert rules_with(nft_rules(*OPTIONS), "ct mark & 0x50000000") == []


# What is loaded.

STRANGERS = """\
table inet mine {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related counter accept
	}
}
table ip pasvd {
	chain other {
	}
}
"""


class Router:
    """A namespace with tables of somebody else."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.ns = Namespace("router")
        self.nft(STRANGERS)
        self.strangers = self.saved()
        trial = "table ip x {\nchain x {\nqueue num 1 bypass\n}\n}\ndelete table ip x\n"
        self.has_queue = self.nft(trial, check=False).returncode == 0
        self.sed = "" if self.has_queue else "s/queue num [0-9]*.*/accept/"

    def edited(self, sed):
        return edited_tools(self.tmp, sed)

    def nft(self, text, *options, check=True):
        return self.ns.run("nft", *options, "-f", "-", input=text, check=check)

    def printed(self, *options):
        return self.ns.run("sed", self.sed, input=self.ns.run(PASVD, "rules", "print", "--nft", *options).stdout).stdout

    def saved(self):
        return self.ns.run("nft", "-s", "list", "ruleset").stdout

    def loader(self, *words, env=None):
        return self.ns.run(*LOADER, *words, check=False, env=env or (os.environ if self.has_queue else self.edited(self.sed)))

    def loaded(self, *words):
        done = self.loader(*words)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return self.saved()


@pytest.fixture
def router(folder):
    result = Router(folder)
    yield result
    result.ns.close()


@needs_root
class TestNft:
    @every_nft_set
    def test_text_is_taken_and_so_is_what_nft_makes_of_it(self, router, options):
        (router.tmp / "conf").write_text(TLS)
        text = router.printed(*options, "--config", str(router.tmp / "conf"))
        router.nft(text, "-c")
        assert router.saved() == router.strangers
        router.nft(text)
        once = router.saved()
        router.nft(text)
        assert router.saved() == once
        router.nft("flush ruleset\n" + once)
        assert router.saved() == once

    @every_nft_set
    def test_forward_chain_takes_what_is_asked_of_it(self, router, options):
        lines = let_through(router.printed(*options))
        assert len(lines) > 2
        router.nft("table inet mine {\nchain forward {\n" + "\n".join(lines) + "\n}\n}\n")
        router.nft("flush ruleset\n" + router.saved())

    def test_loaded_replaced_and_removed(self, router):
        sets = (PUBLIC + ("--queue", "7"), CLIENTS, BOTH)
        expected = [router.loaded("load", "--nft", *options) for options in sets]
        assert [router.loaded("load", "--nft", *options) for options in sets] == expected
        assert len(set(expected)) == 3
        assert router.loaded("remove") == router.strangers
        assert router.loaded("remove") == router.strangers

    def test_failed_load_leaves_the_rules_of_before(self, router):
        before = router.loaded("load", "--nft", *OPTIONS)
        for mistake in ("s/counter.*/no-such-statement/", 's/type "[a-z]*"/type "no-such-helper"/'):
            done = router.loader("load", "--nft", *CLIENTS, env=router.edited(mistake))
            assert done.returncode == 1
            assert re.fullmatch("pasvd rules load: nft refuses \".+\": .+; nothing was changed\n", done.stderr)
            assert router.saved() == before

    def test_iptables_and_nft_do_not_touch_each_other(self, router):
        with_nft = router.loaded("load", "--nft", *OPTIONS)
        assert with_nft in router.loaded("load", *OPTIONS)
        saved = router.ns.run("iptables-save").stdout
        router.loaded("load", "--nft", *CLIENTS)
        assert re.sub(r"#.*", "", router.ns.run("iptables-save").stdout) == re.sub(r"#.*", "", saved)
        assert "PASVD" not in router.loaded("remove") and "inet pasvd" not in router.saved()


# What is compared.

@needs_root
class TestCheck:
    @pytest.fixture(params=["--nft", "-4", "-6"])
    def options(self, request):
        return (request.param, "--wan", "wan0", "--server", "fd00::2" if request.param == "-6" else "10.0.0.2")

    def check(self, router, *words):
        done = router.loader("diff", *words)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_what_was_loaded_is_the_same(self, router, options):
        router.loaded("load", *options)
        before = router.saved()
        assert self.check(router, *options) == (0, [], "")
        assert router.saved() == before

    def test_nothing_loaded_is_all_missing(self, router, options):
        status, lines, complaint = self.check(router, *options)
        assert (status, complaint) == (1, "")
        assert len(lines) > 6 and all(re.match(r"missing: [a-z ]+: \S", line) for line in lines)
        assert router.saved() == router.strangers

    def test_each_difference_has_a_line(self, router, options):
        router.loaded("load", *options, "--port", "2121:21")
        status, lines, _ = self.check(router, *options)
        assert status == 1
        missing = [line[len("missing: "):] for line in lines if line.startswith("missing: ")]
        unexpected = [line[len("unexpected: "):] for line in lines if line.startswith("unexpected: ")]
        assert len(missing) + len(unexpected) == len(lines)
        assert missing and [line.replace("2121", "21") for line in unexpected] == missing

    def test_jump_and_rule_that_somebody_took_or_added(self, router, options):
        router.loaded("load", *options)
        command = {"-4": "iptables", "-6": "ip6tables"}.get(options[0])
        jump = "-p tcp -m tcp --dport 21 -j PASVD"
        if command:
            router.ns.run(command, "-t", "nat", "-D", "PREROUTING", *jump.split())
            router.ns.run(command, "-A", "PASVD", "-j", "ACCEPT")
            expected = [f"missing: nat: -A PREROUTING {jump}", "unexpected: filter: -A PASVD -j ACCEPT"]
        else:
            router.ns.run("nft", "flush chain inet pasvd translation")
            router.ns.run("nft", "add rule inet pasvd control accept")
            expected = ["unexpected: chain control: accept",
                        'missing: chain translation: meta nfproto ipv4 iifname "wan0" tcp dport 21 dnat ip to 10.0.0.2:21']
        assert self.check(router, *options) == (1, expected, "")

    def test_options_in_front_of_the_command_count(self, router):
        router.loaded("load", *OPTIONS, "--queue", "7")
        assert router.ns.run(PASVD, "-q", "7", "rules", "diff", *OPTIONS).stdout == ""
        assert self.check(router, *OPTIONS)[0] == 1
        assert self.check(router, *OPTIONS, "--queue", "7") == (0, [], "")

    def test_wrong_arguments_have_status_2(self, router):
        for words in ((), ("--load",) + OPTIONS, OPTIONS + ("--port", "0"), OPTIONS + ("--config", "/nonexistent")):
            status, lines, complaint = self.check(router, *words)
            assert (status, lines, complaint.count("\n")) == (2, [], 1), words
