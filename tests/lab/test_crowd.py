# SPDX-License-Identifier: GPL-2.0-or-later
"""test_crowd.py - ten thousand sessions at once: all are followed and listed, and nobody waits for it"""

import json
import pathlib
import subprocess
import sys
import threading
import time

import pytest

from lab import PASVCTL, PATIENCE, memory_of
from scripted import RawClient, ScriptedServer, port_argument

pytestmark = pytest.mark.daemon

CROWD = pathlib.Path(__file__).with_name("crowd.py")
COUNT = 10000
OPEN = COUNT // 100
EXPECTATIONS = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_expect_max")
OPEN_EACH = 300     # open-ports-per-client, by default
PATIENT = "[pasvd]\nexpect-timeout = 300\n"     # no port's time is up before all have asked, on a slow machine either


@pytest.fixture
def lab(make_lab):
    with make_lab(config=PATIENT, servers=("10.77.0.2", "10.77.0.3"), publics=("203.0.113.1", ),
                  forwards=((21, 0, 21), (2121, 1, 21))) as lab:
        yield lab


def start(lab, namespace, *words):
    process = namespace.popen(sys.executable, CROWD, *words, stdout=subprocess.PIPE, text=True)
    lab.on_exit(process.wait)
    lab.on_exit(process.kill)
    assert process.stdout.readline() == "ready\n"


def ask(lab, *words):
    done = subprocess.run([PASVCTL, "-s", lab.control_socket, *words], timeout=PATIENCE, text=True,
                          capture_output=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


class Talker(threading.Thread):
    """Asks something on a control connection, again and again; how long the longest answer took."""

    def __init__(self, client):
        super().__init__()
        self.client, self.going, self.longest, self.count = client, True, 0.0, 0

    def run(self):
        while self.going:
            begin = time.monotonic()
            self.client.ask("NOOP")
            self.longest = max(self.longest, time.monotonic() - begin)
            self.count += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.join()


def test_ten_thousand_sessions_are_listed_and_nobody_waits(lab):
    ScriptedServer(lab)
    start(lab, lab.servers[1], "serve", lab.server_addresses[1], "21")
    before = memory_of(lab.pasvd.pid)
    start(lab, lab.clients[0], "dial", lab.publics[0], "2121", str(COUNT))
    each = (memory_of(lab.pasvd.pid) - before) / COUNT
    with RawClient(lab.clients[0], lab.publics[0]) as client, Talker(client) as talker:
        sessions = json.loads(ask(lab, "sessions", "--json"))
        expectations = json.loads(ask(lab, "expectations", "--json"))
        text = ask(lab, "sessions")
        status = json.loads(ask(lab, "status", "--json"))
    assert len({(s["client"], s["dialled"]) for s in sessions}) == len(sessions) == COUNT + 1
    assert len(expectations) == len([s for s in sessions if s["port"]]) == OPEN
    assert text.count("\n") == COUNT + 2
    assert status["sessions"] == COUNT + 1 <= status["max_sessions"]
    assert talker.count > 10 and talker.longest < PATIENCE
    assert each < 1, "kB of memory for a session"


def test_client_with_more_sessions_than_there_are_expectations_leaves_others_theirs(make_lab):
    """Each session logs in and asks for a port that it never uses; the limits are the default ones."""
    with make_lab(config=PATIENT, clients=2, servers=("10.77.0.2", "10.77.0.3"), publics=("203.0.113.1", ),
                  forwards=((21, 0, 21), (2121, 1, 21))) as lab:
        room = int(EXPECTATIONS.read_text())
        server = ScriptedServer(lab)
        start(lab, lab.servers[1], "serve", lab.server_addresses[1], "21")
        start(lab, lab.clients[0], "dial", lab.publics[0], "2121", str(room + 100), "1")
        assert lab.pasvd.counters()["open-ports-limit"] >= room + 100 - OPEN_EACH
        assert len(lab.expectations()) <= OPEN_EACH
        with RawClient(lab.clients[1], lab.publics[0]) as client:
            reply = client.ask("PASV")
            assert port_argument((lab.publics[0], server.data_ports[-1])) in reply
            assert lab.clients[1].attempt(lab.publics[0], server.data_ports[-1], timeout=PATIENCE) == "open"
