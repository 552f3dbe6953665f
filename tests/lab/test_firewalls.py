# SPDX-License-Identifier: GPL-2.0-or-later
"""test_firewalls.py - firewalls of Debian that are reloaded, and `pasvd rules watch` beside them"""

import contextlib
import hashlib
import json
import re

import pytest

import clients
import servers
from firewalls import FIREWALLS, Host, fw4, libvirt
from lab import IP4, IP6, PASVD, TOP, wait_for
from watch import Watch

pytestmark = pytest.mark.daemon

DEPLOYMENT = (TOP / "docs" / "deployment.md").read_text()


@contextlib.contextmanager
def bare_router(make_lab, **options):
    """A router without rules that somebody else would have loaded."""
    with make_lab(firewall="iptables", **options) as lab:
        lab.shipped_rules("remove")
        lab.iptables("-P", "FORWARD", "ACCEPT")
        lab.iptables("-t", "nat", "-F")
        lab.server = servers.vsftpd(lab)
        yield lab


@pytest.fixture
def router(make_lab):
    with bare_router(make_lab) as lab:
        yield lab


def download_from(lab, visit, visit_out):
    """By a LAN client from a server outside, if there is one."""
    trip = (visit_out if lab.lan_addresses else visit)(lab, lab.server)
    printed = clients.act("curl", "download", trip)
    assert trip.local.exists(), printed
    assert hashlib.sha256(trip.local.read_bytes()).digest() == hashlib.sha256(lab.server.content).digest()


@pytest.fixture
def download(router, visit, visit_out):
    return lambda: download_from(router, visit, visit_out)


def test_deployment_names_all_that_is_tried():
    shown = {f"restart-{name}": f"systemctl restart {name}" for name in ("firewalld", "docker", "libvirtd")}
    tried = {shown.get(action, action) for row in FIREWALLS.values() for action in row[3] if not action.startswith(("/", "sh "))}
    assert tried and [action for action in tried if f"`{action}`" not in DEPLOYMENT] == []


@pytest.mark.parametrize("name, file", [("shorewall", "/etc/shorewall/started"), ("ufw MANAGE_BUILTINS", "/etc/ufw/after.init")])
def test_hook_that_comes_along_loads_the_rules(router, download, name, file):
    """Without a watch."""
    package, iptables, setup, actions = FIREWALLS[name]
    host = Host(router, package, iptables)
    setup(host)
    example = file.removeprefix("/etc/").replace("/", "-")
    assert all(words in DEPLOYMENT for words in (f"/examples/{example} ", f"{file}\n"))
    hook = (TOP / "packaging" / "hooks" / example).read_text()
    options = " ".join(map(str, router.rule_options(0)))
    ours, times = re.subn("pasvd (rules load)$", rf"{PASVD} \1 {options}", hook, flags=re.M)
    assert times == 1
    host.write(file, ours, 0o755)
    for action in actions:
        host.run(action)
        assert host.is_whole()
        download()


@pytest.mark.parametrize("name, action", [(name, action) for name, row in FIREWALLS.items() for action in row[3]])
def test_rules_stay_or_are_loaded_again(make_lab, visit, name, action):
    with bare_router(make_lab, family=IP6 if name.endswith("6") else IP4) as router:
        stay_or_are_loaded_again(router, lambda: download_from(router, visit, None), name, action)


def stay_or_are_loaded_again(router, download, name, action):
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


# What drops FTP, and what then reloads it: firewalld drops what LAN clients ask for that are in no zone of its; a firewall of
# iptables-legacy does not see what rules of iptables-nft accept.
MENDED = {
    "fw4": ("fw4 reload", {}),
    "firewalld": ("firewall-cmd --reload", {"servers": (), "outside": 1, "lan": ("10.88.0.2",)}),
    "ufw": ("ufw reload", {}),
    "shorewall": ("shorewall reload", {}),
    "shorewall6": ("shorewall6 reload", {"family": IP6}),
    "Docker": ("restart-docker", {}),
}


@pytest.mark.parametrize("name", MENDED)
def test_printed_fix_is_enough_and_lasts(make_lab, visit, visit_out, name):
    action, options = MENDED[name]
    package, _, setup, _ = FIREWALLS.get(name, (None, None, fw4, {}))
    beside_legacy = name in ("ufw", "shorewall", "shorewall6", "Docker")
    with bare_router(make_lab, **options) as lab:
        iptables = lab.family.iptables
        host = Host(lab, package, "iptables-nft" if beside_legacy else None)
        if beside_legacy:
            host.shell(f"for end in '' -save -restore; do ln -sf /usr/sbin/{iptables}-legacy$end /usr/sbin/{iptables}$end; done")
        setup(host)
        host.rules("load")
        found = [finding for finding in json.loads(host.check("--json").stdout)["findings"] if finding["severity"] == "error"]
        assert found and {finding["about"] for finding in found} == {"packets"}
        client, server = (lab.lan[0], lab.server.address) if lab.lan else (lab.clients[0], lab.publics[0])
        assert client.is_shut(server, 21)
        for fix in 2 * list({finding["fix"]: None for finding in found}):
            host.shell(fix)
        for _ in range(2):
            assert host.check().returncode == 0, host.check().stdout
            download_from(lab, visit, visit_out)
            host.run(action)
            host.rules("load")


def test_printed_fix_for_one_server_leaves_that_of_another(router):
    """Their ports differ, and one finding says the same of both."""
    host = Host(router)
    fw4(host)
    host.write("/etc/pasvd-two.conf", f"[server one]\naddress = {router.server.address}\nwan = wan\n"
               "[server two]\naddress = 10.77.9.2\nwan = wan\nports = 2121:21\n")
    host.run(f"{PASVD} -c /etc/pasvd-two.conf rules load")

    def fix():
        found = json.loads(host.run(f"{PASVD} -c /etc/pasvd-two.conf check --json", check=False).stdout)["findings"]
        return next((finding["fix"] for finding in found if finding["about"] == "packets" and "fix" in finding), None)
    fixes = [fix()]
    while fixes[-1] and fixes[-1] not in fixes[:-1]:
        host.shell(fixes[-1])
        fixes.append(fix())
    assert len(fixes) == 3 and fixes[-1] is None


def test_helper_of_fw4_leaves_clients_to_pasvd(make_lab, visit_out):
    """It would be the kernel's own."""
    with bare_router(make_lab, servers=(), outside=1, lan=("10.88.0.2",)) as lab:
        host = Host(lab)
        fw4(host)
        host.rules("load")
        assert host.check().returncode == 0, host.check().stdout
        for client in ("curl", "curl-port"):
            clients.act(client, "download", visit_out(lab, lab.server))
        assert len(lab.pasvd.opened()) == 2
        host.rules("remove")
        download_from(lab, None, visit_out)
        assert len(lab.pasvd.opened()) == 2 and "helper=ftp" in str(lab.connections("-p", "tcp", "--dport", "21"))


def test_chains_that_libvirt_puts_in_front_are_found_and_mended(router, download):
    host = Host(router, "libvirt")
    host.rules("load")
    libvirt(host)
    found = [finding for finding in json.loads(host.check("--json").stdout)["findings"] if finding["severity"] in ("error", "warning")]
    assert found and router.clients[0].is_shut(router.publics[0], 21)
    for fix in {finding["fix"]: None for finding in found}:
        host.shell(fix)
    assert host.check().returncode == 0, host.check().stdout
    download()
