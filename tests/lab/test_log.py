# SPDX-License-Identifier: GPL-2.0-or-later
"""test_log.py - where the daemon's lines go, what they look like there, and that nobody is waited for"""

import contextlib
import os
import re
import select
import socket

import pytest

import clients
import lab as lab_module
from lab import PATIENCE, helper, wait_for
from scripted import CONTENT, RawClient, ScriptedServer

pytestmark = pytest.mark.daemon

PIECE = 65536
QUIET = 20      # ports, each with two lines: less than one client may have in a second
SYSLOG_INFO = 3 * 8 + 6     # daemon.info


@pytest.fixture
def lab(make_lab):
    with make_lab(daemon=False, clients=2) as lab:
        yield lab


def start(lab, args=(), **options):
    """A daemon that logs to somewhere else."""
    daemon = lab_module.Pasvd(lab, ["-s", lab.control_socket, *args], **options)
    lab.on_exit(daemon.stop)
    return daemon


def pipe(lab):
    read, write = os.pipe()
    for fd in read, write:
        lab.on_exit(lambda fd=fd: close(fd))
    return read, write


def close(fd):
    with contextlib.suppress(OSError):
        os.close(fd)


def read_all(fd):
    """What is there by now."""
    text = b""
    while select.select([fd], [], [], 0)[0]:
        piece = os.read(fd, PIECE)
        if not piece:
            break
        text += piece
    return text.decode()


def sessions_work(lab, visit, server, count=1):
    trip = visit(lab, server)
    for _ in range(count):
        with clients.python_session(trip) as ftp:
            assert clients.download_bytes(ftp, trip) == CONTENT


# --- what a line looks like

@pytest.mark.parametrize("environment, colours", [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                                                  ({"TERM": "xterm", "NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)])
def test_terminal_gets_the_time_and_colours_if_it_has_them(lab, environment, colours):
    ours, terminal = os.openpty()
    lab.on_exit(lambda: close(ours))
    environment = {"NO_COLOR": "", **environment}
    start(lab, stderr=terminal, env=environment)
    close(terminal)
    head = r"\d\d:\d\d:\d\d \x1b\[32minfo   \x1b\[0m" if colours else r"\d\d:\d\d:\d\d info   "
    assert re.fullmatch(head + rf" event=ready version=\S+ queue=21 ct-helper={helper('pasvd')}\r\n", read_all(ours))


@pytest.mark.parametrize("is_ours", [True, False], ids=["the-journal", "something-else"])
def test_priorities_are_for_the_journal_only(lab, is_ours):
    read, write = pipe(lab)
    about = os.fstat(write)
    stream = f"{about.st_dev}:{about.st_ino + (not is_ours)}"
    start(lab, stderr=write, env={"JOURNAL_STREAM": stream})
    assert read_all(read).startswith("<6>event=ready version=" if is_ours else "pasvd: event=ready version=")


def test_journal_gets_the_fields(lab):
    folder = lab.tmp / "journal"
    folder.mkdir()
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    lab.on_exit(journal.close)
    journal.bind(str(folder / "socket"))
    journal.settimeout(5)
    read, write = pipe(lab)
    about = os.fstat(write)
    prefix = ("unshare", "--mount", "sh", "-c",
              f'mount -t tmpfs none /run/systemd && mkdir /run/systemd/journal && mount --bind {folder} /run/systemd/journal && '
              'exec "$@"', "sh")
    os.makedirs("/run/systemd", exist_ok=True)
    start(lab, stderr=write, prefix=prefix, env={"JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"})

    def fields():
        return dict(line.split("=", 1) for line in journal.recv(8192).decode().splitlines())
    ready = fields()
    assert (ready["PRIORITY"], ready["SYSLOG_IDENTIFIER"]) == ("6", "pasvd")
    assert (ready["PASVD_EVENT"], ready["PASVD_QUEUE"], ready["PASVD_CT_HELPER"]) == ("ready", "21", helper("pasvd"))
    assert ready["MESSAGE"].startswith("event=ready version=")
    ScriptedServer(lab)
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        client.ask("PORT 10,9,8,7,4,1")
    refused = fields()
    assert (refused["PRIORITY"], refused["PASVD_EVENT"], refused["PASVD_REASON"]) == ("4", "refused", "foreign-address")
    assert refused["PASVD_MSG"] in refused["MESSAGE"] and refused["PASVD_CLIENT"]
    assert read_all(read) == ""


# --- syslog

class Syslog:
    """A /dev/log, in a folder that the daemon alone has for /dev."""

    def __init__(self, lab):
        self.folder = lab.tmp / "dev"
        self.folder.mkdir()
        self.prefix = ("unshare", "--mount", "sh", "-c", f'mount --bind {self.folder} /dev && exec "$@"', "sh")
        self.socket = None
        lab.on_exit(self.close)

    def open(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.folder / "log"))
        self.socket.settimeout(PATIENCE)

    def close(self):
        if self.socket:
            self.socket.close()
            (self.folder / "log").unlink(missing_ok=True)
            self.socket = None

    def next(self):
        return self.socket.recv(4096).decode()


def test_syslog_gets_priorities_and_the_name(lab):
    syslog = Syslog(lab)
    syslog.open()
    daemon = start(lab, ["--syslog"], prefix=syslog.prefix)
    line = re.fullmatch(r"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d pasvd\[(\d+)\]: event=ready version=\S+ queue=21 "
                        f"ct-helper={helper('pasvd')}", syslog.next())
    assert line and (int(line[1]), int(line[2])) == (SYSLOG_INFO, daemon.pid)
    assert daemon.log() == ""


def test_syslog_that_is_started_again_is_found(lab):
    syslog = Syslog(lab)
    daemon = start(lab, ["--syslog"], prefix=syslog.prefix)
    assert daemon.log().startswith("pasvd: event=ready")     # nobody was there: it is not lost
    for _ in range(2):
        syslog.open()
        daemon.popen.send_signal(lab_module.signal.SIGUSR1)
        assert "]: event=counters " in syslog.next()
        syslog.close()
        daemon.counters()   # to stderr


# --- nobody is waited for

def test_full_disk_costs_lines_and_nothing_else(lab, visit):
    server = ScriptedServer(lab)
    with open("/dev/full", "wb") as full:
        start(lab, ["-v"], stderr=full)
    sessions_work(lab, visit, server, count=3)


def test_disk_that_has_room_again_is_told_what_is_missing(lab, visit):
    server = ScriptedServer(lab)
    disk, script = lab.tmp / "disk", 'mount -t tmpfs -o size=8k none "$0" && exec "$@" 2>"$0/log"'
    disk.mkdir()
    daemon = start(lab, ["-v"], prefix=("unshare", "--mount", "--propagation", "private", "sh", "-c", script, disk))
    log = f"/proc/{daemon.pid}/root{disk}/log"

    def read():
        with open(log, encoding="utf-8") as file:
            return file.read()
    wait_for(lambda: sessions_work(lab, visit, server) or os.stat(log).st_size == 8192, 30, "a full disk")
    sessions_work(lab, visit, server)
    torn = read().rsplit("\n", 1)[1]
    os.truncate(log, 4096)  # the daemon writes on where it was, behind a hole
    sessions_work(lab, visit, server)
    behind = read()[8192:].splitlines()
    assert bool(torn) == (behind[0] == "")
    assert re.fullmatch(r"pasvd: event=left-out lines=\d+ msg=\"the log did not take them\"", behind[bool(torn)])
    assert behind[-1].startswith("pasvd: ")


def test_reader_that_does_not_read_keeps_nobody_waiting(lab, visit):
    server = ScriptedServer(lab)
    read, write = pipe(lab)
    start(lab, ["-v"], stderr=write)
    before = read_all(read)
    os.write(write, b"\n" * PIECE)     # that is all it holds
    assert not select.select([], [write], [], 0)[1]
    sessions_work(lab, visit, server, count=3)
    assert set(read_all(read)) == {"\n"}
    sessions_work(lab, visit, server)
    lines = read_all(read).splitlines()
    assert before and re.fullmatch(r"pasvd: event=left-out lines=[1-9]\d+ msg=\"the log did not take them\"", lines[0])
    assert all(line.startswith("pasvd: ") for line in lines)


def test_reader_that_goes_away_ends_nothing(lab, visit):
    server = ScriptedServer(lab)
    read, write = pipe(lab)
    start(lab, ["-v"], stderr=write)
    close(write)
    close(read)
    sessions_work(lab, visit, server)


def test_descriptors_that_are_missing_are_nobody_elses(lab, visit):
    """Else the first socket would be stderr, and get the lines."""
    server = ScriptedServer(lab)
    daemon = start(lab, ["-v"], prefix=("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"))
    assert {os.readlink(f"/proc/{daemon.pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}
    sessions_work(lab, visit, server)


# --- how much

def test_one_clients_flood_leaves_the_others_their_lines(lab):
    ScriptedServer(lab)
    daemon = start(lab)
    with RawClient(lab.clients[0], lab.publics[0]) as loud, RawClient(lab.clients[1], lab.publics[0]) as quiet:
        port = f"PORT {loud.address.replace('.', ',')},200,0"   # each PASV would leave a listener

        def flood():
            for _ in range(100):
                loud.ask(port)
            return "left-out" in daemon.log()
        for _ in range(QUIET):
            flood()
            quiet.ask("PASV")
        wait_for(flood, 20, "word of what was left out")
    heard = [fields for fields in daemon.opened() if fields["client"].startswith(f"{quiet.address}:")]
    assert set(re.findall(r"event=left-out priority=(\S+)", daemon.log())) == {"info"}
    assert len(heard) == QUIET
