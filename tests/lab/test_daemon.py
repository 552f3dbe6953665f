# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's life: killed, absent, started twice, started wrongly, ended."""

import concurrent.futures
import ftplib
import os
import re
import signal
import subprocess
import threading

import pytest

import clients
import lab as lab_module
from lab import wait_for
from scripted import CONTENT, RawClient, ScriptedServer

pytestmark = pytest.mark.daemon


@pytest.fixture
def lab(make_lab):
    with make_lab(daemon=False) as lab:
        yield lab


def run_pasvd(lab, *args, prefix=(), binary=None):
    """Run it to its end, which is expected to come at once."""
    environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
    return lab.router.run(*prefix, binary or lab_module.PASVD, *args, check=False,
                          env=environment)


def complaint(done, status):
    """The one line on stderr of a program that ended with this status."""
    assert done.returncode == status, done
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and len(lines[0]) > 10, done
    return lines[0]


def test_killed_daemon_breaks_no_session_and_its_successor_goes_on(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    first = lab.start_pasvd()
    with clients.python_session(trip) as ftp:
        for _ in range(2):
            assert clients.download_bytes(ftp, trip) == CONTENT
        first.kill()
        for _ in range(3):
            ftp.voidcmd("NOOP")
        lab.start_pasvd()
        ftp.voidcmd("NOOP")
        for _ in range(2):
            assert ftp.makepasv()[0] == lab.publics[0]
            assert clients.download_bytes(ftp, trip) == CONTENT


def test_transfer_that_runs_outlives_the_daemon(lab, visit):
    server = ScriptedServer(lab)
    daemon = lab.start_pasvd()
    with clients.python_session(visit(lab, server)) as ftp:
        host, port = ftp.makepasv()
        with lab.clients[0].connect(host, port) as data:
            daemon.kill()
            ftp.putcmd("RETR anything")
            assert b"".join(iter(lambda: data.recv(65536), b"")) == CONTENT
        assert ftp.getresp().startswith("150")
        assert ftp.getresp().startswith("226")


@pytest.fixture
def crowd(make_lab, visit):
    """A daemon that is stopped, and the PASV of each of some sessions in its queue."""
    with make_lab(daemon=False, config="[pasvd]\nfail-open = no\n") as lab:
        yield from wait_in_queue(lab, visit)


def wait_in_queue(lab, visit):
    server = ScriptedServer(lab)
    daemon = lab.start_pasvd()
    sessions = [clients.python_session(visit(lab, server)) for _ in range(6)]
    daemon.popen.send_signal(signal.SIGSTOP)
    for ftp in sessions:
        ftp.putcmd("PASV")

    def waiting():
        queue = lab.router.run("cat", "/proc/net/netfilter/nfnetlink_queue").stdout
        return int(queue.split()[2]) >= len(sessions)  # more once some are sent again
    wait_for(waiting, what="each session's packet waits")
    yield lab, daemon, sessions
    daemon.popen.send_signal(signal.SIGCONT)
    for ftp in sessions:
        ftp.close()


def transfer(lab, ftp):
    """After PASV."""
    host, port = ftplib.parse227(ftp.getresp())
    assert host == lab.publics[0]
    with lab.clients[0].connect(host, port) as data:
        ftp.putcmd("RETR anything")
        assert b"".join(iter(lambda: data.recv(65536), b"")) == CONTENT
    assert ftp.getresp().startswith("150")
    assert ftp.getresp().startswith("226")


def test_packets_that_waited_together_go_on_together(crowd):
    lab, daemon, sessions = crowd
    daemon.popen.send_signal(signal.SIGCONT)
    for ftp in sessions:
        transfer(lab, ftp)
    assert len(daemon.opened()) == len(sessions)


def test_packets_that_waited_when_the_daemon_was_killed_are_repeated(crowd):
    lab, daemon, sessions = crowd
    daemon.kill()
    lab.start_pasvd()
    for ftp in sessions:
        assert ftp.getresp().startswith("227")  # perhaps as it is: a successor reads whole lines
        ftp.voidcmd("NOOP")
        ftp.putcmd("PASV")
        transfer(lab, ftp)


def test_daemon_that_always_has_a_packet_answers_and_ends(lab):
    """It waits for the next packet alone, but not for ever."""
    ScriptedServer(lab)
    daemon = lab.start_pasvd()
    over = threading.Event()

    def talk():
        with RawClient(lab.clients[0], lab.publics[0]) as client:
            while not over.is_set():
                client.send(b"NOOP\r\n" * 20)
                assert all(client.line() == "200 ok\r\n" for _ in range(20))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        talking = [pool.submit(talk) for _ in range(4)]
        try:
            lab.router.run(lab_module.PASVCTL, "-s", lab.control_socket, "status")
            daemon.stop()
        finally:
            over.set()
        assert not any(one.exception() for one in talking)


def test_negotiated_port_outlives_the_daemon(lab, visit):
    server = ScriptedServer(lab)
    daemon = lab.start_pasvd()
    with clients.python_session(visit(lab, server)) as ftp:
        host, port = ftp.makepasv()
        daemon.kill()
        assert lab.clients[0].attempt(host, port) == "open"


def test_control_connection_works_without_a_daemon(lab, visit):
    server = ScriptedServer(lab)
    with clients.python_session(visit(lab, server)) as ftp:
        ftp.voidcmd("NOOP")
        assert ftp.makepasv() == (server.address, server.data_ports[-1])
        assert lab.expectations() == []


def test_session_older_than_the_daemon_is_followed_once_it_logs_in(lab, visit):
    """Of what no pasvd has seen nobody knows whether it is logged in."""
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    with clients.python_session(trip) as ftp:
        lab.start_pasvd()
        ftp.sendcmd("PASV")
        assert lab.expectations() == []
        ftp.login(trip.user, trip.password)
        assert clients.download_bytes(ftp, trip) == CONTENT


def test_second_daemon_on_the_queue_says_so_and_ends(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    lab.start_pasvd()
    assert "21" in complaint(run_pasvd(lab), 1)
    with clients.python_session(trip) as ftp:   # and the first one is none the worse
        assert clients.download_bytes(ftp, trip) == CONTENT


def test_daemon_without_privilege_says_so_and_ends(lab):
    prefix = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "--")
    assert "CAP_NET_ADMIN" in complaint(run_pasvd(lab, prefix=prefix), 1)


def test_kernel_without_the_ct_helper_is_told_with_what_to_load(lab):
    """Most kernels here have it, so a copy of the daemon asks for one that none has."""
    content = lab_module.PASVD.read_bytes()
    assert b"sane\0" in content
    copy = lab.tmp / "pasvd-with-another-ct-helper"
    copy.write_bytes(content.replace(b"sane\0", b"nosu\0"))
    copy.chmod(0o755)
    path = lab.tmp / "pasvd.conf"
    path.write_text("[pasvd]\nct-helper = nosu\n")
    for args in ((), ("ct-helper",)):
        line = complaint(run_pasvd(lab, "-c", path, *args, binary=copy), 1)
        assert "no ct helper" in line and "modprobe nf_conntrack_sane" in line


@pytest.mark.parametrize("args", [("--no-such-option",), ("-q",), ("-q", "many"), ("-q", "65536"),
                                  ("-q", "-1"), ("no-such-command",)], ids=" ".join)
def test_wrong_arguments_are_told_with_status_2(lab, args):
    done = run_pasvd(lab, *args)
    assert done.returncode == 2
    assert done.stdout == "" and 1 <= len(done.stderr.splitlines()) <= 3, done


def test_ct_helper_command_prints_the_helper(lab):
    done = run_pasvd(lab, "ct-helper")
    rules = "\n".join(lab.saved_rules())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("sane\n", "pasvd\n")
    assert re.findall(r"-j CT --helper (\S+)|type \"(\S+)\" protocol tcp", rules) in (
        [(done.stdout.strip(), "")], [("", done.stdout.strip())])


def test_other_queue_number_works(lab, visit):
    lab.shipped_rules("load", "--queue", "4711")
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    lab.start_pasvd(["-q", "4711"])
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT


def test_verbose_daemon_works(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    lab.start_pasvd(["-v"])
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT


@pytest.mark.parametrize("signal_name", ["TERM", "INT"])
def test_daemon_ends_with_status_0(lab, signal_name):
    daemon = lab.start_pasvd()
    subprocess.run(["kill", "-s", signal_name, str(daemon.pid)], check=True)
    assert daemon.popen.wait(timeout=lab_module.PATIENCE) == 0


def test_counters_count_what_was_opened(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    daemon = lab.start_pasvd()
    before = daemon.counters()
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT
    after = daemon.counters()
    grown = {key: value - before.get(key, 0) for key, value in after.items()
             if value != before.get(key, 0)}
    assert 1 in grown.values(), (before, after)


def test_many_lines_of_one_priority_leave_room_for_the_others(lab):
    """Far more than 100 a second about ports that are opened and replaced, and a few warnings between them."""
    server = ScriptedServer(lab)
    daemon = lab.start_pasvd()
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        def pasv(port):
            server.replies["PASV"] = lambda control: control.sendall(server.pasv_text(port))
            return client.ask("PASV")
        for _ in range(10):
            for _ in range(40):
                pasv(50000)
            pasv(22)
        wait_for(lambda: pasv(50000) and "left-out" in daemon.log(), 10, "word of what was left out")
    assert set(re.findall(r"event=left-out priority=(\S+)", daemon.log())) == {"info"}
    assert daemon.log().count("reason=low-port client=") == 10
