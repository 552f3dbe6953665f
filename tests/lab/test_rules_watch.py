# SPDX-License-Identifier: GPL-2.0-or-later
"""test_rules_watch.py - `pasvd rules watch`: what it loads again, and what it leaves alone"""

import json
import os
import pathlib

import pytest

import lab as lab_module
from lab import wait_for
from watch import Watch

pytestmark = pytest.mark.daemon

OPTIONS = ("--wan", "wan", "--server", "10.77.0.2")
OTHER_OPTIONS = (*OPTIONS, "--port", "2121:21")


class Router:
    def __init__(self, lab):
        self.lab = lab
        self.conf = lab.tmp / "watched.conf"
        self.configure("")

    def configure(self, text):
        self.conf.write_text(text)

    def rules(self, command, *options, check=True):
        more = ("--config", self.conf) if command != "remove" else ()
        return self.lab.router.run(*lab_module.RULES, command, *options, *more, check=check)

    def watch(self, *more, env=None):
        return Watch(self.lab, *OPTIONS, *more, "--config", self.conf, env=env)

    def is_whole(self, options=OPTIONS):
        return self.rules("diff", *options, check=False).returncode == 0

    def findings_about(self, subject):
        """That `pasvd check` finds."""
        done = self.lab.router.run(lab_module.PASVD, "-c", self.conf, "check", "--json", *OPTIONS, check=False)
        return [finding for finding in json.loads(done.stdout)["findings"]
                if finding["severity"] in ("error", "warning") and finding["about"] == subject]

    def flush(self):
        self.lab.iptables("-F")

    def state(self):
        with self.lab.router.inside():
            return pathlib.Path(f"/run/pasvd-rules/{pathlib.Path('/proc/thread-self/ns/net').stat().st_ino}")


@pytest.fixture
def router(make_lab):
    with make_lab(engine="none", forwards=(), firewall="iptables") as lab:
        yield Router(lab)


@pytest.fixture
def nft_router(make_lab):
    with make_lab(engine="none", forwards=()) as lab:
        yield Router(lab)


def test_rules_are_loaded_at_the_start_and_stay_at_the_end(router):
    watch = router.watch()
    assert router.is_whole() and router.state().exists()
    assert watch.stop() == 0
    assert router.is_whole() and not router.state().exists()


def test_without_options_it_ends_at_once(router):
    assert router.rules("watch").stderr == (
        "pasvd rules watch: nothing is configured, neither [server NAME] nor [clients]: nothing is watched\n")
    assert not router.state().exists()


def test_without_room_for_what_it_keeps_it_does_not_start(router):
    script = 'mount -t tmpfs -o size=4k none /run && head -c 4096 /dev/zero >/run/full && exec "$0" "$@"'
    done = router.lab.router.run("unshare", "--mount", "sh", "-c", script, *lab_module.RULES, "watch", *OPTIONS, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1, 'pasvd: event=start msg="cannot watch the rules: No space left on device"')


def test_members_of_the_group_may_read_what_it_found_whatever_its_umask_is(router):
    script = 'umask 077 && mount -t tmpfs none /run && exec "$0" "$@"'
    watch = Watch(router.lab, *OPTIONS, prefix=("unshare", "--mount", "sh", "-c", script))
    folder = pathlib.Path(f"/proc/{watch.popen.pid}/root/run/pasvd-rules")
    assert folder.stat().st_mode & 0o777 == 0o755
    assert sorted(path.stat().st_mode & 0o777 for path in folder.iterdir()) == [0o600, 0o644]


@pytest.mark.parametrize("command", [
    "iptables -F", "iptables -t nat -F PREROUTING", "nft flush ruleset", "iptables -t mangle -F PASVD",
    "iptables -D FORWARD 1", "printf '*raw\\nCOMMIT\\n' | iptables-restore"])
def test_rules_that_are_removed_are_loaded_again(router, command):
    watch = router.watch()
    loaded = watch.count("rules-loaded")
    router.lab.router.run("sh", "-euc", command)
    watch.wait("rules-loaded", loaded)
    assert router.is_whole()


# A firewall that takes its time, as with many rules or on a slow router.
SLOW_FIREWALL = """\
"$IPTABLES" -w -F
until=$(($(date +%s) + 8))
n=0
while [ "$(date +%s)" -lt "$until" ] && [ "$n" -lt 5000 ]; do
	"$IPTABLES" -w -A INPUT -p udp -j ACCEPT
	n=$((n + 1))
done
"$IPTABLES" -w -X
"""


@pytest.mark.parametrize("iptables", ["iptables-nft", "iptables-legacy"])
def test_firewall_that_is_at_work_is_left_alone(router, iptables):
    """With a chain of pasvd's in the table its `iptables -X` would fail, and it might end half-way."""
    watch = router.watch(env={**os.environ, "IPTABLES": iptables})
    loaded = watch.count("rules-loaded")
    router.lab.router.run("sh", "-euc", SLOW_FIREWALL, env={**os.environ, "IPTABLES": iptables})
    assert watch.count("rules-loaded") == loaded
    watch.wait("rules-loaded", loaded)


def test_deletions_of_others_rules_are_none_of_its_business(router):
    watch = router.watch()
    before = watch.count("rules-missing")
    router.lab.iptables("-A", "FORWARD", "-p", "udp", "-j", "ACCEPT")
    router.lab.iptables("-D", "FORWARD", "-p", "udp", "-j", "ACCEPT")
    watch.reload()
    assert watch.count("rules-missing") == before and router.is_whole()


@pytest.mark.parametrize("table, rule", [
    ("filter", "FORWARD -p tcp -j REJECT"), ("nat", "PREROUTING -p tcp -m tcp --dport 21 -j DNAT --to-destination 10.77.0.9"),
    ("mangle", "PREROUTING -i wan -j ACCEPT"), ("raw", "PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp")])
def test_what_others_put_before_the_jumps_is_named_by_check_and_left_alone(router, table, rule):
    watch = router.watch()
    loaded = watch.count("rules-loaded")
    router.lab.iptables("-t", table, "-I", *rule.split())
    watch.reload()
    assert watch.count("rules-loaded") == loaded and router.is_whole()
    (finding,) = router.findings_about("packets")
    assert f'"-A {rule}' in finding["what"]
    router.lab.router.run("sh", "-euc", finding["fix"])
    watch.reload()
    assert watch.count("rules-loaded") == loaded and router.is_whole() and router.findings_about("packets") == []


def test_only_logs_if_the_configuration_says_so(router):
    router.rules("load", *OPTIONS)
    router.configure("[pasvd]\nrules = log\n")
    watch = router.watch()
    router.flush()
    watch.wait("rules-missing")
    watch.reload()
    assert not router.is_whole() and watch.count("rules-loaded") == 0
    router.configure("[pasvd]\nrules = ignore\n")
    watch.reload()
    missing = watch.count("rules-missing")
    watch.reload()
    assert watch.count("rules-missing") == missing
    router.configure("")
    watch.reload()
    assert router.is_whole()


def test_rules_that_the_admin_removed_are_left_alone_until_he_loads_them(router):
    watch = router.watch()
    router.rules("remove")
    watch.wait("rules-left-alone")
    assert "PASVD" not in "".join(router.lab.saved_rules())
    router.rules("load", *OPTIONS)
    loaded = watch.count("rules-loaded")
    router.flush()
    watch.wait("rules-loaded", loaded)
    assert router.is_whole()


def test_what_iptables_cannot_show_is_not_loaded_again(router):
    watch = router.watch()
    loaded = watch.count("rules-loaded")
    router.lab.router.run("nft", "-f", "-", input="add chain ip filter a\nadd rule ip filter a ct state vmap { new : accept }\n")
    watch.reload()
    watch.reload()
    assert watch.count("rules-loaded") == loaded
    router.lab.router.run("iptables", "-t", "mangle", "-F")
    watch.wait("rules-loaded", loaded)
    watch.reload()
    watch.reload()
    assert watch.count("rules-loaded") == loaded + 1
    router.lab.router.run("nft", "delete", "chain", "ip", "filter", "a")
    router.rules("load", *OPTIONS)
    assert router.is_whole()


def test_one_more_does_not_start_and_the_first_goes_on(router):
    watch = router.watch()
    again = router.rules("watch", *OPTIONS, check=False)
    assert (again.returncode, again.stderr) == (1, 'pasvd: event=start msg="cannot watch the rules: another program does"\n')
    router.rules("remove")
    watch.reload()
    assert watch.count("rules-left-alone") == 1 and not router.is_whole()


def test_rules_that_the_admin_loaded_with_other_options_are_left_alone(router):
    watch = router.watch()
    router.rules("load", *OTHER_OPTIONS)
    watch.wait("rules-left-alone")
    assert router.is_whole(OTHER_OPTIONS)
    router.flush()
    watch.reload()
    assert not router.is_whole(OTHER_OPTIONS) and watch.count("rules-missing") == 1   # at the start


def test_changed_configuration_is_loaded_at_sighup(router):
    watch = router.watch()
    router.configure("[tls]\npassive-ports = 60000-60100\n")
    assert not router.is_whole()
    watch.reload()
    assert router.is_whole()
    loaded = watch.count("rules-loaded")
    router.flush()
    watch.wait("rules-loaded", loaded)
    assert router.is_whole()


def test_changed_configuration_is_only_logged_if_it_says_so(router):
    watch = router.watch()
    missing = watch.count("rules-missing")
    router.configure("[pasvd]\nrules = log\n[tls]\npassive-ports = 60000-60100\n")
    watch.reload()
    assert not router.is_whole() and watch.count("rules-missing") == missing + 1


def test_configuration_is_tried_once_for_each_reload(router):
    """Each time the rules are loaded in a network namespace of their own, to see how they are listed."""
    calls = router.lab.tmp / "calls"
    folder = router.lab.tmp / "counting"
    folder.mkdir()
    for name in ("iptables", "iptables-restore"):
        program = folder / name
        program.write_text(f'#!/bin/sh\necho {name} >>{calls}\nexec /usr/sbin/{name} "$@"\n')
        program.chmod(0o755)
    watch = router.watch(env={**os.environ, "IPTABLES": str(folder / "iptables")})

    def tried(change):
        change()
        calls.write_text("")
        watch.reload()
        return calls.read_text().split().count("iptables-restore")
    assert tried(lambda: None) == 1
    router.configure("[tls]\npassive-ports = 60000-60100\n")
    assert tried(lambda: router.rules("load", *OPTIONS)) == 1


@pytest.mark.nft
@pytest.mark.parametrize("command", [
    "flush ruleset", "delete table inet pasvd", "flush chain inet pasvd control",
    "add table inet pasvd { flags dormant; }"])
def test_rules_of_nft_that_are_removed_are_loaded_again(nft_router, command):
    watch = nft_router.watch("--nft")
    loaded = watch.count("rules-loaded")
    nft_router.lab.nft(command + "\n")
    watch.wait("rules-loaded", loaded)
    assert nft_router.is_whole((*OPTIONS, "--nft"))
    assert "dormant" not in nft_router.lab.router.run("nft", "list", "table", "inet", "pasvd").stdout


@pytest.mark.nft
def test_dormant_table_of_nft_is_not_loaded(nft_router):
    options = (*OPTIONS, "--nft")
    nft_router.rules("load", *options)
    nft_router.lab.nft("add table inet pasvd { flags dormant; }\n")
    difference = nft_router.rules("diff", *options, check=False)
    assert difference.returncode == 1 and "unexpected: flags dormant\n" in difference.stdout
    nft_router.rules("load", *options)
    assert nft_router.is_whole(options)


def test_configuration_that_was_loaded_by_hand_is_the_watched_one(router):
    watch = router.watch()
    router.configure("[tls]\npassive-ports = 60000-60100\n")
    router.rules("load", *OPTIONS)
    loaded = watch.count("rules-loaded")
    router.flush()
    watch.wait("rules-loaded", loaded)
    assert router.is_whole() and watch.count("rules-left-alone") == 0


def test_mistake_in_the_configuration_leaves_what_is_watched(router):
    watch = router.watch()
    router.configure("[pasvd]\nqueue = x\n")
    watch.reload()
    assert "queue = x: " in watch.log()
    loaded = watch.count("rules-loaded")
    router.flush()
    watch.wait("rules-loaded", loaded)


def test_who_removes_them_again_and_again_wins_until_sighup(router):
    watch = router.watch()
    while not watch.count("rules-given-up"):
        done = watch.count("rules-loaded") + watch.count("rules-given-up")
        router.flush()
        wait_for(lambda: watch.count("rules-loaded") + watch.count("rules-given-up") > done, what="an answer")
    assert watch.count("rules-loaded") == 5
    watch.reload()
    wait_for(router.is_whole, what="all rules")
    assert watch.count("rules-loaded") == 6
