# SPDX-License-Identifier: GPL-2.0-or-later
"""test_fail.py - what becomes of control connections while nobody looks at them: the admin's choice"""

import pathlib
import signal
import socket
import subprocess
import sys

import pytest

from lab import wait_for
from scripted import RawClient

pytestmark = pytest.mark.daemon

CROWD = pathlib.Path(__file__).with_name("crowd.py")
PACKETS = 4096      # that may wait
EACH = 10           # segments that a sender has under way without an answer
CONNECTIONS = 2 * PACKETS // EACH

OPEN, CLOSED = "[pasvd]\nfail-open = yes\n", "[pasvd]\nfail-open = no\n"


@pytest.fixture
def make(make_lab):
    """A lab whose server answers many sessions, and a client that is logged in."""
    def make(config):
        return make_lab(config=config)
    return make


def serve(lab):
    process = lab.servers[0].popen(sys.executable, CROWD, "serve", lab.server_addresses[0], "21",
                                   stdout=subprocess.PIPE, text=True)
    lab.on_exit(process.wait)
    lab.on_exit(process.kill)
    assert process.stdout.readline() == "ready\n"


def is_answered(client, timeout):
    """Whether the answer to what was sent comes in time."""
    client.control.settimeout(timeout)
    try:
        return client.line().startswith("230")
    except socket.timeout:
        return False


def fill_queue(lab):
    controls = [RawClient(lab.clients[0], lab.publics[0], login=False) for _ in range(CONNECTIONS)]
    for client in controls:
        lab.on_exit(client.control.close)
        client.line()
    lab.pasvd.popen.send_signal(signal.SIGSTOP)
    for client in controls:
        for _ in range(EACH):
            client.send(b"NOOP\r\n")


@pytest.mark.parametrize("config", ["", OPEN, CLOSED], ids=["default", "open", "closed"])
def test_packets_that_would_wait_behind_too_many_are_dropped_and_repeated(make, config):
    with make(config) as lab:
        serve(lab)
        with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
            client.line()
            fill_queue(lab)
            try:
                before = lab.packets()[0]
                client.send(b"NOOP\r\n")
                assert not is_answered(client, 1) and before > PACKETS // 4
            finally:
                lab.pasvd.popen.send_signal(signal.SIGCONT)
            assert is_answered(client, 30)    # it was only late


@pytest.mark.parametrize("config, passes", [("", True), (OPEN, True), (CLOSED, False)], ids=["default", "open", "closed"])
def test_packets_while_no_daemon_runs(make, config, passes):
    with make(config) as lab:
        serve(lab)
        with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
            client.line()
            lab.pasvd.kill()
            client.send(b"NOOP\r\n")
            assert is_answered(client, 10 if passes else 1) == passes
            lab.start_pasvd()
            assert passes or is_answered(client, 30)
