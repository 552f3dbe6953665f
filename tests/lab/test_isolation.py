# SPDX-License-Identifier: GPL-2.0-or-later
"""test_isolation.py - what the daemon's two processes may still do, and signs of life"""

import os
import pathlib
import signal
import socket

import pytest

import clients
import lab as lab_module
from lab import PATIENCE, wait_for
from scripted import CONTENT, RawClient, ScriptedServer

pytestmark = pytest.mark.daemon

CAP_NET_ADMIN = 1 << 12
SECCOMP_FILTER = 2


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def children(pid):
    return [int(word) for word in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def lab(make_lab):
    with make_lab(daemon=False) as lab:
        yield lab


def test_each_process_has_what_it_needs_and_no_more(lab):
    parser = lab.start_pasvd().pid
    (config_process,) = children(parser)
    for pid, capabilities in ((parser, CAP_NET_ADMIN), (config_process, 0)):
        fields = status(pid)
        for kind in ("CapEff", "CapPrm"):
            assert int(fields[kind], 16) == capabilities, (kind, fields)
        for kind in ("CapBnd", "CapInh", "CapAmb"):
            assert int(fields[kind], 16) == 0, (kind, fields)
        assert int(fields["Seccomp"]) == SECCOMP_FILTER
        assert int(fields["NoNewPrivs"]) == 1


def test_reader_of_files_ends_with_the_daemon(lab):
    daemon = lab.start_pasvd()
    (config_process,) = children(daemon.pid)
    daemon.kill()
    wait_for(lambda: not pathlib.Path(f"/proc/{config_process}").exists(), 5, "end of the reader")


def test_without_the_reader_of_files_sessions_go_on(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    daemon = lab.start_pasvd()
    os.kill(children(daemon.pid)[0], signal.SIGKILL)
    daemon.popen.send_signal(signal.SIGHUP)
    wait_for(lambda: "configuration process died" in daemon.log(), 5, "line in the log")
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT


def test_a_packet_behind_a_change_finds_it(lab):
    """The look at the file is answered before the packet is."""
    path = lab.tmp / "address"
    path.write_text("203.0.113.77\n")
    conf = lab.tmp / "pasvd.conf"
    conf.write_text(f"[translate]\nexternal-address = file:{path}\n")
    lab.start_pasvd(["-c", conf])
    ScriptedServer(lab)
    path.write_text("203.0.113.78\n")
    client = RawClient(lab.clients[0], lab.publics[0])
    assert "203,0,113,78" in client.ask("PASV")


def test_signs_of_life_are_for_the_process_that_is_named(lab):
    path = lab.tmp / "watchdog"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(PATIENCE)
        process = lab.router.popen(lab_module.PASVD, env={
            **os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "40000", "WATCHDOG_PID": str(os.getpid())})
        lab.on_exit(process.wait)
        lab.on_exit(process.kill)
        assert notify.recv(4096).startswith(b"READY=1\n")
        notify.settimeout(0.4)
        with pytest.raises(socket.timeout):
            notify.recv(4096)


@pytest.fixture
def watched(lab):
    """A daemon that is to give signs of life, and the socket to which it does."""
    path = lab.tmp / "watchdog"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(PATIENCE)
        process = lab.router.popen(lab_module.PASVD, env={
            **os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "40000"})
        lab.on_exit(process.wait)
        lab.on_exit(process.kill)
        assert notify.recv(4096).startswith(b"READY=1\n")
        yield process, notify


def test_signs_of_life_come_while_verdicts_are_given(watched):
    process, notify = watched
    for _ in range(5):
        assert notify.recv(4096) == b"WATCHDOG=1"
    process.send_signal(signal.SIGTERM)
    while (state := notify.recv(4096)) == b"WATCHDOG=1":
        pass
    assert state == b"STOPPING=1"
    assert process.wait(timeout=PATIENCE) == 0


def silence(notify, seconds):
    """Nothing comes for that long."""
    notify.settimeout(seconds)
    try:
        notify.recv(4096)
    except socket.timeout:
        return True
    return False


def test_signs_of_life_end_with_the_verdicts(watched):
    process, notify = watched
    assert notify.recv(4096) == b"WATCHDOG=1"
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: silence(notify, 0.5), 10, "silence")   # where more than twenty would have come
    process.send_signal(signal.SIGCONT)
    notify.settimeout(PATIENCE)
    assert notify.recv(4096) == b"WATCHDOG=1"
