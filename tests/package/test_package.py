# SPDX-License-Identifier: GPL-2.0-or-later
"""test_package.py - the Debian package on a router, from its installation to its purge

A system that has just been made is the lab's router. The tests follow each other as an
admin's days would: installed, configured as the documents say, changed, broken, upgraded,
removed. Real systemd, real server, real client.
"""

import gzip
import hashlib
import re

import pytest

import clients
import image
import lab as lab_module
import release
import servers
from lab import wait_for
from machine import Machine
from release import run
from test_install import files_below

PACKAGE = "/root/pasvd.deb"
DEFAULTS = "/etc/default/pasvd"
CONF = "/etc/pasvd/pasvd.conf"
NOTHING_CONFIGURED = "pasvd rules load: nothing is configured, neither [server NAME] nor [clients]: nothing was loaded"
CAP_NET_ADMIN = 1 << 12
SECCOMP_FILTER = "2"
APT = "apt-get", "-q", "-y", "--no-install-recommends"


@pytest.fixture(scope="module")
def built(work):
    """The files that dpkg-buildpackage has made, by their kind."""
    folder = work / "build"
    folder.mkdir()
    return release.packages(folder)


class Router:
    """A machine in the lab, what it was before, and a file to fetch through it."""

    def __init__(self, lab, machine):
        self.lab = lab
        self.machine = machine
        self.server = servers.vsftpd(lab)
        self.rules = lab.saved_rules()
        self.files = machine.files()

    def visit(self):
        folder = self.lab.tmp / f"visit-{self.lab.next_number()}"
        folder.mkdir()
        return clients.Visit(self.lab.clients[0], self.lab.publics[0], 21, self.server.user, self.server.password,
                             folder, folder.name)

    def download(self):
        trip = self.visit()
        printed = clients.act("curl", "download", trip)
        assert trip.local.exists(), printed
        assert hashlib.sha256(trip.local.read_bytes()).digest() == hashlib.sha256(self.server.content).digest()

    def session(self):
        return clients.python_session(self.visit())

    def fetches(self, ftp):
        """Whether a session that was there before still works."""
        return clients.download_bytes(ftp, self.visit()) == self.server.content

    def main_pid(self):
        return int(self.machine.property("MainPID"))

    def processes(self):
        """The fields of /proc/PID/status of the daemon and its child."""
        main = self.main_pid()
        for pid in [main, *self.machine.path(f"/proc/{main}/task/{main}/children").read_text().split()]:
            lines = self.machine.path(f"/proc/{pid}/status").read_text().splitlines()
            yield dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def configure(self, name, text):
        path = self.machine.path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.fixture(scope="module")
def router(work, built):
    root = work / "router"
    release.system(built["deb"], root)
    with lab_module.Lab(daemon=False) as lab:
        lab.shipped_rules("remove")
        with Machine(root, lab.router) as machine:
            yield Router(lab, machine)


# --- what was built

def test_lintian_has_nothing_to_say(built):
    assert run(*release.UNPRIVILEGED, "lintian", "-EI", "--pedantic", built["changes"], timeout=300) == ""


def test_tests_were_run_when_it_was_built(built):
    log = (built["deb"].parent / "log").read_text()
    counted = dict(re.findall(r"^(Ok|Fail|Timeout): +(\d+)", log, re.M))
    assert int(counted["Ok"]) > 200 and counted["Fail"] == counted["Timeout"] == "0"


def test_debug_symbols_are_in_a_package_of_their_own(built):
    assert re.search(r"/usr/lib/debug/\.build-id/.*\.debug", run("dpkg-deb", "-c", built["dbgsym"]))


def test_files_that_an_admin_edits_are_conffiles(built):
    run("dpkg-deb", "-e", built["deb"], built["deb"].parent / "control")
    assert set((built["deb"].parent / "control" / "conffiles").read_text().split()) == {CONF, DEFAULTS}


# --- in a container

# What the Containerfile asks for.
PRIVILEGES = re.findall(r"--cap-add (\S+)", image.CONTAINERFILE.read_text())


@pytest.fixture(scope="module")
def buildah(work):
    return image.Buildah(work / "buildah")


@pytest.fixture(scope="module")
def context(work):
    run("tar", "-xf", release.tarball(), "-C", work)
    return work / f"pasvd-{release.VERSION}"


def test_container_is_made_of_what_is_in_the_repository(work, buildah, context):
    """Of a tree in which somebody has worked, too."""
    released = files_below(context)
    for name in ".git/x", "build/x", "build-asan/x", "obj-x86_64-linux-gnu/x", "tests/lab/__pycache__/x":
        path = context / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    everything = work / "Containerfile"
    everything.write_text("FROM scratch\nCOPY . /\n")
    assert files_below(buildah.files(buildah.build(context, everything))) == released


def test_container_has_the_package_and_its_programs_run(built, buildah, context):
    buildah.add_base(release.kept_system(built["deb"]))
    container = buildah.build(context)
    program, = buildah.entrypoint(container)
    for name, usage in (program, f"pasvd {release.VERSION}"), ("pasvctl", f"pasvctl {release.VERSION}"):
        assert buildah.run(container, name, "--version") == usage
    packaged = re.findall(r"\./(\S*[^/\s])(?: -> .*)?$", run("dpkg-deb", "-c", built["deb"]), re.M)
    installed = buildah.run(container, "sh", "-c", 'for f in $(dpkg -L pasvd); do [ -d "$f" ] || echo "$f"; done')
    assert set(installed.split()) == {f"/{name}" for name in packaged}
    rules = f"for what in load diff; do {program} rules $what --wan lo --server 192.0.2.2; done"
    loaded = buildah.run(container, "sh", "-euc", f"{rules}\niptables-save", privileges=PRIVILEGES[1].split(","))
    assert "-j NFQUEUE" in loaded


# --- installed

def test_fresh_installation_runs_and_changes_nothing(router):
    assert "Setting up pasvd" in router.machine.output(*APT, "install", PACKAGE, timeout=300)
    assert router.machine.output("systemctl", "is-enabled", "pasvd") == "enabled\n"
    assert router.machine.output("systemctl", "is-active", "pasvd") == "active\n"
    assert router.machine.output("systemctl", "--failed", "--plain", "--no-legend") == ""
    assert router.lab.saved_rules() == router.rules
    assert router.machine.output("pasvd", "-n") == ""


def test_journal_has_what_is_worth_reading(router):
    ours = re.findall(r" pasvd\[\d+\]: (.*)", router.machine.journal())
    assert [re.sub(r"\d.*", "", line) for line in ours] == ["event=ready version=", NOTHING_CONFIGURED]


def test_service_has_a_user_and_few_privileges(router):
    uid, gid = re.search(r"^pasvd:x:(\d+):(\d+):.*:/usr/sbin/nologin$",
                         router.machine.path("/etc/passwd").read_text(), re.M).groups()
    for fields, capabilities in zip(router.processes(), (CAP_NET_ADMIN, 0), strict=True):
        assert set(fields["Uid"].split()) == {uid} and set(fields["Gid"].split()) == {gid}, fields
        assert int(fields["CapEff"], 16) == capabilities and int(fields["CapBnd"], 16) == CAP_NET_ADMIN, fields
        assert fields["Seccomp"] == SECCOMP_FILTER and fields["NoNewPrivs"] == "1", fields


def test_group_may_ask_and_others_may_not(router):
    def ask(*groups):
        return router.machine.run("setpriv", "--reuid=nobody", "--regid=nogroup", *groups, "--",
                                  "pasvctl", "status", check=False)
    assert re.match(r"version +\d", ask("--groups=pasvd").stdout)
    refused = ask("--clear-groups")
    assert refused.returncode == 1 and "permission denied" in refused.stderr


def test_manual_pages_are_there_and_name_its_folders(router):
    for name in ("man8/pasvd.8", "man8/pasvd-rules.8", "man8/pasvctl.8", "man5/pasvd.conf.5"):
        page = gzip.decompress(router.machine.path(f"/usr/share/man/{name}.gz").read_bytes()).decode()
        assert ".Sh FILES" in page and "/usr/local/" not in page


# --- configured

def test_ftp_works_once_the_server_is_configured(router):
    """The lines that the file offers, with this router's names."""
    with pytest.raises(Exception, match="(?i)refused|timed out|timeout|unreachable"), router.session():
        pass
    path = router.machine.path(CONF)
    text = path.read_text()
    for offered, configured in (("[server NAME]", "[server ftp]"), ("wan =", "wan = wan"),
                                ("address =", f"address = {router.lab.server_addresses[0]}")):
        assert text.count(f"\n#{offered}\n") == 1
        text = text.replace(f"\n#{offered}\n", f"\n{configured}\n")
    path.write_text(text)
    router.machine.run("systemctl", "restart", "pasvd")
    router.download()
    assert "event=used client=" in router.machine.journal()


def test_restart_and_crash_break_no_session(router):
    with router.session() as ftp:
        assert router.fetches(ftp)
        before = router.main_pid()
        router.machine.run("systemctl", "restart", "pasvd")
        assert router.fetches(ftp)
        pid = router.main_pid()
        assert pid != before
        router.machine.run("sh", "-c", f"kill -KILL {pid}")
        wait_for(lambda: router.machine.property("ActiveState") == "active" and router.main_pid() not in (0, pid), 30,
                 "the next one")
        assert router.fetches(ftp)


# --- beside a firewall

def log_of_rules(router):
    router.machine.run("journalctl", "--sync")
    return router.machine.output("journalctl", "--no-pager", "--output=cat", "--unit=pasvd-rules.service")


def has_rules(router):
    return any("-j PASVD" in line for line in router.lab.saved_rules())


@pytest.fixture(scope="module")
def firewalls(router):
    """Installed, and gone after the tests that ask for them."""
    def installed():
        return set(router.machine.output("dpkg-query", "--show", "--showformat=${Package}\\n").split())
    before = installed()
    router.machine.run("sh", "-c", "dpkg --install /root/firewalls/*.deb", timeout=300)
    return sorted(installed() - before)


def loads_again(router, *action):
    """The action takes the rules away, and they come back."""
    loaded = log_of_rules(router).count("event=rules-loaded ")
    router.machine.run(*action)
    wait_for(lambda: log_of_rules(router).count("event=rules-loaded ") > loaded, 30, "rules that are loaded again")
    assert has_rules(router)
    router.download()


def test_rules_are_watched_while_the_service_runs(router):
    assert router.machine.output("systemctl", "is-enabled", "pasvd-rules") == "enabled\n"
    for action, state in ("stop", "inactive"), ("start", "active"), ("restart", "active"):
        router.machine.run("systemctl", action, "pasvd")
        wait_for(lambda: router.machine.property("ActiveState", "pasvd-rules.service") == state, 30, f"rules: {state}")
    loads_again(router, "iptables", "-F")


@pytest.mark.usefixtures("firewalls")
def test_rules_stay_over_a_reload_and_a_restart_of_nftables(router):
    router.configure("/etc/nftables.conf", "#!/usr/sbin/nft -f\nflush ruleset\n")
    router.machine.run("systemctl", "start", "nftables")
    for action in "reload", "restart", "stop":
        loads_again(router, "systemctl", action, "nftables")
    pid = router.main_pid()
    router.machine.run("systemctl", "stop", "nftables")
    assert router.main_pid() == pid and router.machine.property("ActiveState", "pasvd-rules.service") == "active"


@pytest.mark.usefixtures("firewalls")
def test_rules_stay_over_a_reload_and_a_restart_of_netfilter_persistent(router):
    router.configure("/etc/iptables/rules.v4", "".join(f"*{table}\nCOMMIT\n" for table in ("raw", "mangle", "nat", "filter")))
    loads_again(router, "netfilter-persistent", "reload")
    loads_again(router, "systemctl", "restart", "netfilter-persistent")


@pytest.mark.usefixtures("firewalls")
def test_reload_of_a_firewall_has_the_rules_looked_at(router):
    """Also where the kernel notifies nobody."""
    for unit in "nftables", "netfilter-persistent", "pasvd":
        assert "pasvd-rules.service" in router.machine.property("PropagatesReloadTo", f"{unit}.service").split()


def test_rules_that_the_admin_removes_stay_removed(router):
    router.machine.run("pasvd", "rules", "remove")
    router.machine.run("systemctl", "reload", "pasvd-rules")
    wait_for(lambda: "event=rules-left-alone " in log_of_rules(router), 30, "rules that are left alone")
    assert not has_rules(router)
    router.machine.run("systemctl", "reload", "pasvd")
    assert has_rules(router)
    loads_again(router, "iptables", "-F")


def test_firewalls_go_again(router, firewalls):
    router.machine.run("dpkg", "--purge", *firewalls)
    for name in "iptables", "ip6tables":    # other names of netfilter-persistent, which it leaves
        router.machine.path(f"/etc/systemd/system/{name}.service").unlink(missing_ok=True)
    router.machine.run("systemctl", "daemon-reload")
    router.machine.run("pasvd", "rules", "remove")
    router.rules = router.lab.saved_rules()     # the firewalls have flushed the others
    router.machine.run("systemctl", "restart", "pasvd")
    router.download()


def test_watchdog_ends_a_daemon_that_hangs(router):
    """The unit's watchdog, in less time."""
    shorter = "/run/systemd/system/pasvd.service.d/shorter.conf"
    router.machine.path(shorter).parent.mkdir(parents=True)
    router.machine.path(shorter).write_text("[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n")
    router.machine.run("systemctl", "daemon-reload")
    router.machine.run("systemctl", "restart", "pasvd")
    pid = router.main_pid()
    router.machine.run("sh", "-c", f"kill -STOP {pid}")
    wait_for(lambda: router.machine.property("ActiveState") == "active" and router.main_pid() not in (0, pid), 30,
             "the next one")
    assert "Watchdog timeout" in router.machine.journal()
    router.machine.path(shorter).unlink()
    router.machine.run("systemctl", "daemon-reload")
    router.machine.run("pasvd", "rules", "remove")
    router.rules = router.lab.saved_rules()     # the firewalls have flushed the others
    router.machine.run("systemctl", "restart", "pasvd")
    router.download()


def test_reload_takes_a_drop_in(router):
    router.configure(f"{CONF}.d/ports.conf", "[translate]\nannounce-ports = 60990-60999\n")
    router.machine.run("systemctl", "reload", "pasvd")
    with router.session() as ftp:
        wait_for(lambda: 60990 <= ftp.makepasv()[1] <= 60999, 10, "the range")


def test_reload_with_a_mistake_fails_and_changes_nothing(router):
    pid = router.main_pid()
    router.configure(f"{CONF}.d/wrong.conf", "[policy]\ndeny-ports = x\n")
    assert router.machine.run("systemctl", "reload", "pasvd", check=False).returncode != 0
    assert f"{CONF}.d/wrong.conf:2: [policy] deny-ports = x: " in router.machine.journal()
    assert router.main_pid() == pid and router.machine.property("ActiveState") == "active"
    router.download()


def test_start_with_a_mistake_is_tried_once(router):
    assert router.machine.run("systemctl", "restart", "pasvd", check=False).returncode != 0
    assert router.machine.property("Result") == "exit-code" and router.machine.property("NRestarts") == "0"
    router.machine.path(f"{CONF}.d/wrong.conf").unlink()
    router.machine.run("systemctl", "start", "pasvd")
    router.download()


# --- upgraded, removed

def test_upgrade_keeps_sessions_and_what_was_configured(router):
    with router.session() as ftp:
        assert router.fetches(ftp)
        pid, rules = router.main_pid(), router.lab.saved_rules()
        router.machine.run("dpkg", "--install", PACKAGE)
        assert router.main_pid() not in (0, pid)
        assert router.fetches(ftp)
    assert router.lab.saved_rules() == rules
    assert "\n[server ftp]\n" in router.machine.path(CONF).read_text()


def test_removal_leaves_the_router_as_it_was_and_names_files_that_bring_its_rules_back(router):
    saved, others = router.machine.path("/etc/iptables/rules.v4"), router.machine.path("/etc/nftables.conf")
    for path, text in (saved, router.lab.router.run("iptables-save").stdout), (others, "table inet filter {\n}\n"):
        assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert ":PASVD " in saved.read_text()
    done = router.machine.run(*APT, "remove", "pasvd")
    assert re.findall("pasvd: (/etc/.*) still has its rules", done.stdout + done.stderr) == ["/etc/iptables/rules.v4"]
    saved.unlink()
    saved.parent.rmdir()
    others.unlink()
    assert router.lab.saved_rules() == router.rules
    assert router.machine.run("systemctl", "is-active", "pasvd", "pasvd-rules", check=False).stdout == "inactive\n" * 2
    assert not router.machine.path("/run/pasvd").exists()
    assert router.machine.path(DEFAULTS).exists() and router.machine.path(CONF).exists()


def test_purge_leaves_nothing(router):
    router.machine.run(*APT, "purge", "pasvd")
    assert router.machine.files() == router.files
    assert router.machine.output("systemctl", "--failed", "--plain", "--no-legend") == ""
    assert "Package: pasvd\n" not in router.machine.path("/var/lib/dpkg/status").read_text()
