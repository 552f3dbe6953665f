# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped rules: loaded twice, removed, beside somebody else's."""

import os

import pytest

import lab as lab_module

pytestmark = pytest.mark.daemon

FOREIGN = """\
*raw
:MINE - [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -j MINE
-A MINE -j RETURN
COMMIT
*mangle
-A PREROUTING -p udp -m udp --dport 53 -j MARK --set-mark 1
COMMIT
*nat
-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.77.0.9
-A POSTROUTING -s 10.77.0.0/24 -j MASQUERADE
COMMIT
*filter
:MINE - [0:0]
-A INPUT -p icmp -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 8080 -j MINE
-A MINE -m limit --limit 3/sec -j ACCEPT
COMMIT
"""

FOREIGN_NFT = """\
table inet mine {
	ct helper control {
		type "sane" protocol tcp
	}
	chain control {
		type filter hook prerouting priority mangle + 10; policy accept;
		tcp dport 8021 ct helper set "control"
	}
}
"""


@pytest.fixture
def router(make_lab):
    """A router with rules of its own and none of ours."""
    with make_lab(engine="none", forwards=()) as lab:
        lab.restore(FOREIGN)
        if lab.firewall == "nft":
            lab.nft(FOREIGN_NFT)
        yield lab


def rules(lab, action, *more, server="10.77.0.2"):
    options = (*lab.firewall_options, "--wan", "wan", "--server", server, *more)
    return lab.router.run(*lab_module.RULES, action, *(options if action != "remove" else ()))


OPTIONS = [(), ("--port", "2121:21"), ("--port", "21", "--port", "2121", "--queue", "7")]


@pytest.mark.parametrize("more", OPTIONS, ids=lambda more: " ".join(more) or "plain")
def test_rules_loaded_twice_are_the_same(router, more):
    before = router.saved_rules()
    rules(router, "load", *more)
    once = router.saved_rules()
    assert once != before
    rules(router, "load", *more)
    assert router.saved_rules() == once


def test_rules_loaded_at_the_same_time_are_there_once(router):
    rules(router, "load")
    once = router.saved_rules()
    rules(router, "remove")
    loads = [router.router.popen(*lab_module.RULES, "load", *router.firewall_options, "--wan", "wan", "--server", "10.77.0.2")
             for _ in range(8)]
    assert [load.wait(timeout=lab_module.PATIENCE) for load in loads] == [0] * len(loads)
    assert router.saved_rules() == once


@pytest.mark.parametrize("more", OPTIONS, ids=lambda more: " ".join(more) or "plain")
def test_rules_removed_leave_what_was_there_before(router, more):
    before = router.saved_rules()
    rules(router, "load", *more)
    rules(router, "load", *more)
    rules(router, "remove", *more)
    assert router.saved_rules() == before


def test_foreign_rules_stay_as_they_are_and_in_order(router):
    before = [line for line in router.saved_rules() if line.startswith("-A")]
    rules(router, "load")
    after = [line for line in router.saved_rules() if line.startswith("-A")]
    assert [line for line in after if line in before] == before


def test_remove_with_nothing_loaded_is_no_error(router):
    before = router.saved_rules()
    rules(router, "remove")
    assert router.saved_rules() == before


LISTINGS = [("echo '# Warning: of another kind' >&2; echo 'Another app holds the lock.' >&2; exit 4", "Another app holds the lock."),
            ("echo 'Permission denied' >&2; exit 3", "Permission denied"),
            ("kill -9 $$", "Interrupted system call")]


@pytest.fixture
def iptables_router(make_lab):
    with make_lab(engine="none", forwards=(), firewall="iptables") as lab:
        yield lab


@pytest.mark.parametrize("action", ["load", "remove"])
@pytest.mark.parametrize("script, complaint", LISTINGS, ids=["locked", "denied", "killed"])
def test_without_a_listing_nothing_is_changed(iptables_router, action, script, complaint):
    router = iptables_router
    rules(router, "load")
    loaded = router.saved_rules()
    for name in ("iptables", "ip6tables"):
        for kind, command in (("", script), ("-restore", f'exec /usr/sbin/{name}-restore "$@"')):
            program = router.tmp / (name + kind)
            program.write_text(f"#!/bin/sh\n{command}\n")
            program.chmod(0o755)
    options = ("--wan", "wan", "--server", "10.77.0.2") if action == "load" else ()
    done = router.router.run(*lab_module.RULES, action, *options, check=False,
                             env=os.environ | {"IPTABLES": str(router.tmp / "iptables")})
    assert (done.returncode, done.stdout) == (1, "") and complaint in done.stderr
    assert router.saved_rules() == loaded


@pytest.mark.parametrize("command", [("rules", "diff"), ("check",)], ids=" ".join)
def test_firewall_with_the_lock_of_iptables_legacy_is_none_of_the_business_of_who_only_looks(iptables_router, command):
    """It is one lock for all namespaces, and a firewall that does not wait for it fails half-way."""
    options, legacy = ("--wan", "wan", "--server", "10.77.0.2"), os.environ | {"IPTABLES": "iptables-legacy"}
    iptables_router.router.run(*lab_module.RULES, "load", *options, env=legacy)
    script = 'mount -t tmpfs none /run && exec flock /run/xtables.lock "$@"'
    done = iptables_router.router.run("unshare", "--mount", "sh", "-c", script, "sh", lab_module.PASVD, *command, *options,
                                      check=False, env=legacy)
    assert "xtables lock" not in done.stderr + done.stdout and done.returncode == (0 if command == ("rules", "diff") else 1)


@pytest.mark.parametrize("table", ["", "add table inet pasvd"], ids=["without", "with"])
def test_without_iptables_the_table_of_nft_is_removed_if_there_is_one(iptables_router, table):
    iptables_router.router.run("nft", "-f", "-", input=table)
    iptables_router.router.run(*lab_module.RULES, "remove", env=os.environ | {"IPTABLES": "iptables-none"})
    assert "inet pasvd" not in iptables_router.router.run("nft", "list", "tables").stdout


@pytest.mark.parametrize("rule", ["ct state vmap { new : accept }", "meta mark set 1"])
def test_what_iptables_cannot_show_is_reported_and_the_rest_removed(iptables_router, rule):
    router = iptables_router
    router.router.run("iptables", "-A", "FORWARD", "-j", "ACCEPT")
    router.router.run("nft", "-f", "-", input=f"add chain ip filter a\nadd rule ip filter a {rule}\n")
    assert "may be there twice" in rules(router, "load").stderr
    differ = router.router.run(*lab_module.RULES, "diff", "--wan", "wan", "--server", "10.77.0.2", check=False)
    assert (differ.returncode, differ.stdout) == (1, "") and differ.stderr
    removed = router.router.run(*lab_module.RULES, "remove", check=False)
    assert removed.returncode == 1 and removed.stderr
    assert "PASVD" not in router.router.run("iptables-save", "-t", "mangle").stdout
    router.router.run("nft", "delete", "chain", "ip", "filter", "a")
    rules(router, "remove")
    assert "PASVD" not in "".join(router.saved_rules())


def test_rules_can_be_changed_by_loading_others(router):
    rules(router, "load", "--port", "2121:21")
    rules(router, "load", "--port", "21")
    changed = router.saved_rules()
    assert not [line for line in changed if "2121" in line]
    rules(router, "remove")
    rules(router, "load", "--port", "21")
    assert router.saved_rules() == changed


def test_every_rule_of_ours_is_in_a_chain_of_ours(router):
    before = router.saved_rules()
    rules(router, "load")
    after = router.saved_rules()
    if router.firewall == "nft":    # one piece, wherever it stands
        first = after.index("table inet pasvd {")
        last = after.index("}", first)
        assert after[:first] + after[last + 1:] == before
        return
    added = [line for line in after if line not in before]
    assert len(added) > 8
    assert all("PASVD" in line for line in added), added
