# SPDX-License-Identifier: GPL-2.0-or-later
"""test_loader.py - pasvd rules load and remove: what of it gets loaded, by both families of iptables"""

import os
import re

import pytest
from lab import Namespace
from printed import (CLIENTS, LOADER, OPTIONS, OPTIONS6, PUBLIC, VARIANTS, edited_tools, every_set, needs_root,
                     pasvd_rules)

FORWARD_JUMP = "-p tcp -m conntrack --ctstatus EXPECTED -j PASVD".split()
MANGLE_JUMP = "-p tcp -m conntrack --ctorigdstport 21 -j PASVD".split()


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

    def loader(self, *words, iptables=None, env=None):
        return self.ns.run(*LOADER, *words, check=False,
                           env=env or {**os.environ, "IPTABLES": str(iptables or self.variant)})

    def loaded(self, *words):
        done = self.loader(*words)
        assert (done.returncode, done.stderr) == (0, "")
        return self.saved()

    def edited(self, sed):
        """What is loaded goes through sed, what takes it back does not."""
        return edited_tools(self.tmp, sed, self.variant, once=True)


@pytest.fixture(params=VARIANTS)
def router(request, folder):
    result = Router(request.param, folder)
    yield result
    result.ns.close()


@needs_root
class TestLoader:
    @every_set
    def test_loaded_twice_is_loaded_once(self, router, options):
        once = router.loaded("load", *options)
        loaded = [command for (command, _), rules in once.items() if "-j PASVD" in rules]
        ipv6 = "-6" in options or "fd00::2" in options
        tables = 4 if "--server" in options else 3      # in nat there is nothing for clients
        assert loaded == [router.variant.replace("ip", "ip6", 1) if ipv6 else router.variant] * tables
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
        done = router.loader("load", *OPTIONS6, env=router.edited("/^.filter/,$s/--dport/--no-such-match/"))
        assert done.returncode == 1
        assert re.fullmatch("pasvd rules load: .+; nothing was changed\n", done.stderr)
        assert router.saved() == before

    def test_without_ip6tables_ipv4_is_loaded_and_removed(self, router):
        iptables = router.tmp / "iptables" / "iptables"
        iptables.parent.mkdir()
        for suffix in ("", "-restore"):
            (iptables.parent / ("iptables" + suffix)).symlink_to("/usr/sbin/" + router.variant + suffix)
        for words, status in ((("load",) + OPTIONS, 0), (("remove",), 0), (("load",) + OPTIONS6, 1)):
            done = router.loader(*words, iptables=iptables)
            assert done.returncode == status, done
        assert done.stderr == f"pasvd rules load: {iptables.parent}/ip6tables-restore is not installed\n"
        assert router.saved() == router.strangers

    def test_help_loads_nothing(self, router):
        done = router.loader("load", *OPTIONS, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.replace(" load ", " print ").splitlines()[4:] == pasvd_rules("--help").stdout.splitlines()[4:]
        assert router.saved() == router.strangers

    def test_command_that_is_not_iptables(self, router):
        done = router.loader("remove", iptables="nft")
        assert (done.returncode, done.stderr) == (1, "pasvd rules remove: IPTABLES \"nft\": not a name of iptables\n")

    def test_removed_leaves_what_was_there_before(self, router):
        router.loaded("load", *OPTIONS)
        assert router.loaded("remove") == router.strangers

    def test_removed_twice_or_without_options(self, router):
        router.loaded("load", *OPTIONS)
        assert router.loaded("remove") == router.strangers
        assert router.loaded("remove") == router.strangers

    def test_half_of_it_is_completed_and_removed(self, router):
        whole = router.loaded("load", *OPTIONS6)
        for broken in (("filter", "-D", "FORWARD", *FORWARD_JUMP), ("raw", "-F", "PASVD")):
            router.ip6tables(*broken)
            assert router.loaded("load", *OPTIONS6) == whole
            router.ip6tables(*broken)
        router.ip6tables("mangle", "-D", "PREROUTING", *MANGLE_JUMP)
        router.ip6tables("mangle", "-F", "PASVD")
        router.ip6tables("mangle", "-X", "PASVD")
        assert router.loaded("remove") == router.strangers

    def test_second_jump_made_by_hand_is_removed(self, router):
        router.loaded("load", *OPTIONS)
        router.iptables("nat", "-A", "PREROUTING", "-j", "PASVD")
        assert router.loaded("remove") == router.strangers

    def test_failed_load_leaves_nothing(self, router):
        done = router.loader("load", *OPTIONS, env=router.edited("/^.filter/,$s/--dport/--no-such-match/"))
        assert done.returncode == 1
        assert re.fullmatch("pasvd rules load: .+; nothing was changed\n", done.stderr)
        assert router.saved() == router.strangers

    def test_rule_that_the_kernel_refuses_leaves_nothing(self, router):
        """The owner match is not for FORWARD, which only the kernel knows; raw, mangle and nat went through."""
        refused = router.edited("/^.filter/,$s/-A PASVD/& -m owner --uid-owner 3/")
        done = router.loader("load", *OPTIONS, env=refused)
        assert done.returncode == 1
        assert re.fullmatch("pasvd rules load: .+; nothing was changed\n", done.stderr)
        assert router.saved() == router.strangers

    def test_failed_load_leaves_the_rules_of_before(self, router):
        before = router.loaded("load", *OPTIONS, "--port", "2121:21")
        done = router.loader("load", *OPTIONS, env=router.edited("/^.filter/,$s/--dport/--no-such-match/"))
        assert done.returncode == 1
        assert router.saved() == before

    def test_jump_of_mangle_comes_behind_what_is_there(self, router):
        rules = router.loaded("load", *OPTIONS)[router.variant, "mangle"]
        assert rules.index("-j CONNMARK") < rules.index("-A PREROUTING " + " ".join(MANGLE_JUMP))

    def test_jump_that_is_there_stays_at_its_place(self, router):
        router.iptables("mangle", "-N", "PASVD")
        router.iptables("mangle", "-I", "PREROUTING", *MANGLE_JUMP)
        rules = router.loaded("load", *OPTIONS)[router.variant, "mangle"]
        assert rules.index("-A PREROUTING " + " ".join(MANGLE_JUMP)) < rules.index("-j CONNMARK")
        assert rules.count(" -j PASVD") == 1

    def test_jump_of_other_options_goes(self, router):
        router.iptables("mangle", "-N", "PASVD")
        router.iptables("mangle", "-I", "PREROUTING", "-j", "PASVD")
        rules = router.loaded("load", *OPTIONS)[router.variant, "mangle"]
        assert rules.index("-j CONNMARK") < rules.index("-A PREROUTING " + " ".join(MANGLE_JUMP))
        assert rules.count(" -j PASVD") == 1

    def test_chain_that_is_in_use_elsewhere_is_an_error_of_one_line(self, router):
        router.loaded("load", *OPTIONS)
        router.iptables("filter", "-A", "MINE", "-j", "PASVD")
        done = router.loader("remove")
        assert done.returncode == 1
        assert re.fullmatch("pasvd rules remove: .+\n", done.stderr)

    def test_what_is_loaded_stays_if_nothing_is_configured(self, router):
        router.loader("load", *OPTIONS)
        before = router.saved()
        done = router.loader("load")
        assert (done.returncode, router.saved()) == (0, before) and "nothing was loaded" in done.stderr

    def test_wrong_arguments_change_nothing(self, router):
        for words in ((), ("reload",), ("load", "-6", "--nft", "--port", "21"), ("load", "--wan", "wan0"), ("load", *OPTIONS, "--port", "0")):
            done = router.loader(*words)
            assert done.returncode == 2, words
            assert done.stderr.count("\n") == 1
        assert router.saved() == router.strangers
