# SPDX-License-Identifier: GPL-2.0-or-later
"""The helper that control connections carry: chosen by configuration, and beside other programs."""

import subprocess

import pytest

import clients
import lab as lab_module
from otherqueue import OtherQueue
from scripted import CONTENT, RawClient, ScriptedServer
from test_daemon import complaint, run_pasvd

pytestmark = pytest.mark.daemon

OWN = "[pasvd]\nct-helper = own\n"


@pytest.fixture
def lab(make_lab):
    with make_lab(daemon=False) as lab:
        yield lab


@pytest.fixture
def configured(lab):
    """A function that writes the configuration and gives its path."""
    def write(text):
        path = lab.tmp / "pasvd.conf"
        path.write_text(text)
        return path
    return write


def takes_helpers():
    """Whether the kernel has nfnetlink_cthelper: what pasvd should find out by asking."""
    return subprocess.run(["modprobe", "-q", "nfnetlink_cthelper"], check=False).returncode == 0


def test_own_ct_helper_is_used_or_said_to_be_impossible(lab, configured, visit):
    path = configured(OWN)
    if not takes_helpers():
        for args in ((), ("ct-helper",), ("rules", "print", "--lan", "lan")):
            assert "modprobe nfnetlink_cthelper" in complaint(run_pasvd(lab, "-c", path, *args), 1)
        return
    assert run_pasvd(lab, "-c", path, "ct-helper").stdout == "pasvd\n"
    lab.shipped_rules("load", "--config", path)
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    daemon = lab.start_pasvd(["-c", path])
    with clients.python_session(trip) as first:
        daemon.kill()
        lab.start_pasvd(["-c", path])   # the helper stays, and the connection goes on carrying it
        first.voidcmd("NOOP")           # behind whose reply lines are read again
        with clients.python_session(trip) as second:
            for ftp in (first, second) * 3:
                assert ftp.makepasv()[0] == lab.publics[0]
                assert [shown["helper"] for shown in lab.expectations()] == ["pasvd"]
                assert clients.download_bytes(ftp, trip) == CONTENT
            assert any("helper=pasvd" in line for line in lab.connections("-p", "tcp"))


def test_packet_that_is_not_tracked_passes(lab):
    """Queued in front of conntrack, as with our own ct helper; conntrack has not seen how the connection began."""
    for chain, rule in (("PREROUTING", "--dport 2121 --tcp-flags PSH PSH -j NFQUEUE --queue-num 21"),
                        ("PREROUTING", "--dport 2121 -j CT --notrack"),
                        ("OUTPUT", "--sport 2121 -j CT --notrack")):
        lab.iptables("-t", "raw", "-A", chain, "-p", "tcp", *rule.split())
    daemon = lab.start_pasvd()
    listener = lab.router.listen(lab.router_address, 2121)
    with listener, lab.clients[0].connect(lab.router_address, 2121) as client:
        server, _ = listener.accept()
        with server:
            client.sendall(b"PASV\r\n")
            server.settimeout(lab_module.PATIENCE)
            assert server.recv(100) == b"PASV\r\n"
    assert daemon.counters()["not-tracked"] == 1


@pytest.mark.sane
def test_another_program_may_queue_the_same_packets(lab, visit):
    """Behind conntrack, in both directions; what is rewritten longer and shorter arrives whole."""
    lab.iptables("-t", "mangle", "-A", "FORWARD", "-p", "tcp", "-j", "NFQUEUE", "--queue-num", "99")
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    lab.start_pasvd()
    with OtherQueue(lab.router, 99) as other, clients.python_session(trip) as ftp:
        for _ in range(3):
            assert ftp.makepasv()[0] == lab.publics[0]
            assert clients.download_bytes(ftp, trip) == CONTENT
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            assert client.ask("PASV").startswith("227")
        assert other.packets > 50
