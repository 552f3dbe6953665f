# SPDX-License-Identifier: GPL-2.0-or-later
"""test_firewalls.py - firewalls of Debian that are reloaded, and `pasvd rules watch` beside them"""

import hashlib
import re

import pytest

import clients
import servers
from firewalls import FIREWALLS, Host
from lab import PASVD, TOP, wait_for
from watch import Watch

pytestmark = pytest.mark.daemon

DEPLOYMENT = (TOP / "docs" / "deployment.md").read_text()


@pytest.fixture
def router(make_lab):
    """A router without rules that somebody else would have loaded."""
    with make_lab(firewall="iptables") as lab:
        lab.shipped_rules("remove")
        lab.iptables("-P", "FORWARD", "ACCEPT")
        lab.iptables("-t", "nat", "-F")
        lab.server = servers.vsftpd(lab)
        yield lab


@pytest.fixture
def download(router, visit):
    def act():
        trip = visit(router, router.server)
        printed = clients.act("curl", "download", trip)
        assert trip.local.exists(), printed
        assert hashlib.sha256(trip.local.read_bytes()).digest() == hashlib.sha256(router.server.content).digest()
    return act


def test_deployment_names_all_that_is_tried():
    shown = {"restart-firewalld": "systemctl restart firewalld"}
    tried = {shown.get(action, action) for row in FIREWALLS.values() for action in row[3] if not action.startswith(("/", "sh "))}
    assert tried and [action for action in tried if f"`{action}`" not in DEPLOYMENT] == []


@pytest.mark.parametrize("name, file", [("shorewall", "/etc/shorewall/started"), ("ufw MANAGE_BUILTINS", "/etc/ufw/after.init")])
def test_hook_of_the_documents_loads_the_rules(router, download, name, file):
    """Without a watch."""
    package, iptables, setup, actions = FIREWALLS[name]
    host = Host(router, package, iptables)
    setup(host)
    hook = re.search(rf"^```text {file.rpartition('/')[2]}\n(.*?)^```$", DEPLOYMENT, re.M | re.S)[1]
    options = " ".join(map(str, router.rule_options(0)))
    ours, times = re.subn("pasvd (rules load) .*", rf"{PASVD} \1 {options}", hook)
    assert times == 1
    host.write(file, ours, 0o755)
    for action in actions:
        host.run(action)
        assert host.is_whole()
        download()


@pytest.mark.parametrize("name, action", [(name, action) for name, row in FIREWALLS.items() for action in row[3]])
def test_rules_stay_or_are_loaded_again(router, download, name, action):
    package, iptables, setup, actions = FIREWALLS[name]
    host = Host(router, package, iptables)
    setup(host)
    host.rules("load")
    assert host.is_whole()
    download()

    host.run(action)
    assert host.is_whole() != actions[action]
    assert (host.check().returncode == 1) == actions[action], host.check().stdout

    watch = Watch(router, *router.rule_options(0), prefix=host.enter, env=host.environment)
    download()
    loaded = watch.count("rules-loaded")
    host.run(action)
    if actions[action]:
        watch.wait("rules-loaded", loaded)
    wait_for(host.is_whole, what="all rules")
    download()
    assert host.check().returncode == 0, host.check().stdout
    assert watch.stop() == 0
    host.rules("remove")
    assert "PASVD" not in host.saved()
