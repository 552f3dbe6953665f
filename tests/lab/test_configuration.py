# SPDX-License-Identifier: GPL-2.0-or-later
"""test_configuration.py - the configuration file in a running daemon: one control
connection sees each change from its next PASV on"""

import re
import signal

import pytest

from lab import PASVCTL, PASVD, TOP, wait_for
from scripted import RawClient, ScriptedServer

pytestmark = pytest.mark.daemon


class Configured:
    """A router whose daemon has a file, and a client that is logged in."""

    def __init__(self, lab, text):
        self.lab = lab
        self.path = lab.tmp / "pasvd.conf"
        self.path.write_text(text)
        self.pasvd = lab.start_pasvd(["-c", self.path])
        self.server = ScriptedServer(lab)
        self.client = RawClient(lab.clients[0], lab.publics[0])

    def drop_in(self, name, text):
        folder = self.lab.tmp / "pasvd.conf.d"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    def reload(self, text=None):
        """Returns what the log says about it; without a text the file stays as it is."""
        before = len(self.pasvd.log())
        if text is not None:
            self.path.write_text(text)
        self.pasvd.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: "configuration" in self.pasvd.log()[before:], 5, "the file is read")
        return self.pasvd.log()[before:]

    def setting(self, name):
        """As pasvctl shows it."""
        done = self.lab.router.run(PASVCTL, "config", "-s", self.lab.control_socket)
        return re.search(rf"^#?\s*{name} = (\S+)", done.stdout, re.M)[1]

    def pasv(self):
        """The address and the port that the client is told."""
        *address, high, low = re.search(r"\(([\d,]+)\)", self.client.ask("PASV"))[1].split(",")
        return ".".join(address), int(high) * 256 + int(low)


@pytest.fixture
def lab(make_lab):
    with make_lab(daemon=False) as lab:
        yield lab


@pytest.fixture
def configured(lab):
    return lambda text: Configured(lab, text)


def test_a_range_of_ports_is_announced_from_the_reload_on(configured):
    router = configured("")
    assert router.pasv()[0] == router.lab.publics[0]
    assert "configuration read" in router.reload("[translate]\nannounce-ports = 60990-60999\n")
    assert {60990 <= router.pasv()[1] <= 60999 for _ in range(5)} == {True}
    (expectation,) = router.lab.expectations()
    assert 60990 <= int(expectation["dport"]) <= 60999


def test_a_mistake_leaves_what_was_in_force(configured):
    router = configured("[translate]\nannounce-ports = 60990-60999\n")
    log = router.reload("[translate]\nannounce-ports = 50000-50009\n[policy]\ndeny-ports = x\n")
    assert re.search(r"configuration kept as it was: \S+pasvd.conf:4: \[policy\] deny-ports = x: ", log)
    assert log.count("\n") == 1
    assert 60990 <= router.pasv()[1] <= 60999


def test_the_ct_helper_stays_until_the_end(configured):
    router = configured("")
    router.reload("[pasvd]\nct-helper = sane\n")
    wait_for(lambda: "the ct helper stays until pasvd is started again" in router.pasvd.log(), 5, "the daemon says so")
    assert router.pasv()[0] == router.lab.publics[0]


def test_what_needs_a_restart_stays_also_when_a_file_has_changed(configured):
    """The configuration process has read another connmark by then."""
    router = configured("[translate]\nexternal-address = file:/nonexistent\n")
    address = router.lab.tmp / "address"
    address.write_text("203.0.113.7\n")
    changed = f"[pasvd]\nconnmark = 0xf\n[translate]\nexternal-address = file:{address}\n"
    router.reload(changed)
    wait_for(lambda: "connmark=0xf0000000 stays until pasvd is started again" in router.pasvd.log(), 5, "the daemon says so")
    address.write_text("203.0.113.8\n")
    wait_for(lambda: router.pasv()[0] == "203.0.113.8", 5, "the file is read again")
    assert router.setting("connmark") == "0xf0000000"
    with RawClient(router.lab.clients[0], router.lab.publics[0]) as client:
        assert "227" in client.ask("PASV")
        marks = [int(mark) for mark in re.findall(r" dport=21 .* mark=(\d+) ", "\n".join(router.lab.connections("-p", "tcp")))]
        assert len(marks) == 2 and all(mark & 0xf0000000 and not mark & 0xf for mark in marks)


def test_an_external_address_follows_its_file(configured):
    router = configured("")
    wan = router.lab.tmp / "wan"
    log = router.reload(f"[translate]\nexternal-address = file:{wan}\n")
    assert f"file {wan}: No such file or directory; there is no address yet" in log
    assert router.pasv()[0] == router.lab.publics[0]
    for address in "203.0.113.77", "192.0.2.7":
        wan.write_text(address + "\n")
        wait_for(lambda told=address: router.pasv()[0] == told, 5, "the address is told")
    wan.unlink()
    wait_for(lambda: router.pasv() and "the last address stays" in router.pasvd.log(), 5, "it is missed")
    assert router.pasv()[0] == "192.0.2.7"
    (expectation,) = router.lab.expectations()
    assert expectation["dst"] == router.lab.publics[0]


def test_a_wrong_file_ends_the_start_with_2(lab):
    path = lab.tmp / "pasvd.conf"
    path.write_text("[policy]\n\nallow-foreign = 10.0.0.1/8\n")
    for arguments in (["-c", path], ["-n", "-c", path]):
        done = lab.router.run(PASVD, *arguments, check=False)
        assert done.returncode == 2
        assert done.stderr == f"pasvd: {path}:3: [policy] allow-foreign = 10.0.0.1/8: bits behind the prefix are set\n"


def test_drop_ins_are_read_behind_the_file(configured):
    router = configured("[translate]\nannounce-ports = 50000-50009\n")
    router.drop_in("b.conf", "[translate]\nannounce-ports = 60990-60999\n")
    router.drop_in("a.conf", "[translate]\nannounce-ports = 40000-40009\nexternal-address = 203.0.113.77\n")
    assert "configuration read" in router.reload()
    address, port = router.pasv()
    assert address == "203.0.113.77" and 60990 <= port <= 60999


def test_a_mistake_in_a_drop_in_leaves_what_was_in_force(configured):
    router = configured("[translate]\nannounce-ports = 60990-60999\n")
    router.drop_in("a.conf", "[translate]\nannounce-ports = 50000-50009\n")
    router.drop_in("b.conf", "[policy]\ndeny-ports = x\n")
    log = router.reload()
    assert re.search(r"configuration kept as it was: \S+pasvd.conf.d/b.conf:2: \[policy\] deny-ports = x: ", log)
    assert log.count("\n") == 1
    assert 60990 <= router.pasv()[1] <= 60999
    done = router.lab.router.run(PASVD, "-n", "-c", router.path, check=False)
    assert done.returncode == 2 and done.stderr.startswith(f"pasvd: {router.path}.d/b.conf:2: [policy] deny-ports = x: ")


def test_the_example_works_with_all_its_keys(lab, configured):
    """But for those of a server: there is none in it."""
    example = re.sub(r"^#\[server NAME\]\n(.|\n)*?(?=^\[)", "", (TOP / "systemd" / "pasvd.conf").read_text(), flags=re.M)
    example = re.sub("^#(?=[a-z])", "", example, flags=re.M)
    example = re.sub("^control-socket = .*", f"control-socket = {lab.control_socket}", example, flags=re.M)
    router = configured(example)
    assert "configuration read" in router.reload(example)
    assert router.pasv()[0] == lab.publics[0]
