# SPDX-License-Identifier: GPL-2.0-or-later
"""test_limits.py - who has used up the ports of a minute gets no more, and nobody else
is the worse for it; limits of one a minute, so that no test has to wait"""

import pathlib
import signal

import pytest

from lab import PATIENCE, wait_for
from scripted import RawClient, ScriptedServer, port_argument

pytestmark = pytest.mark.daemon


class Limited:
    """Two clients and two servers, on port 21 and on port 2121, and a daemon with limits."""

    def __init__(self, lab, limits):
        self.lab = lab
        self.path = lab.tmp / "pasvd.conf"
        self.write(limits)
        self.pasvd = lab.start_pasvd(["-c", self.path])
        self.servers = [ScriptedServer(lab), ScriptedServer(lab, number=1)]

    def write(self, limits):
        self.path.write_text(f"[limits]\n{limits}\n")

    def reload(self, limits):
        before = self.pasvd.log().count("configuration read")
        self.write(limits)
        self.pasvd.popen.send_signal(signal.SIGHUP)
        wait_for(lambda: self.pasvd.log().count("configuration read") > before, 5, "the file is read")

    def session(self, client, server=0):
        return Session(self, client, server)

    def logged(self, reason):
        return [line for line in self.pasvd.log().splitlines() if f"reason={reason} client=" in line]


class Session(RawClient):
    """One that is logged in."""

    def __init__(self, limited, client, server):
        super().__init__(limited.lab.clients[client], limited.lab.publics[0], (21, 2121)[server])
        self.lab, self.server = limited.lab, limited.servers[server]

    def gets_port(self):
        """Whether PASV leads to the server; else its own address is told, and nothing open."""
        reply = self.ask("PASV")
        port, public = self.server.data_ports[-1], self.lab.publics[0]
        opened = port_argument((public, port)) in reply
        assert opened or port_argument((self.server.address, port)) in reply
        attempt = self.namespace.attempt(public, port, timeout=PATIENCE if opened else 0.2)
        assert (attempt == "open") == opened
        return opened


@pytest.fixture
def limited(make_lab):
    with make_lab(daemon=False, clients=2, servers=["10.77.0.2", "10.77.0.3"],
                  forwards=[(21, 0, 21), (2121, 1, 21)]) as lab:
        yield lambda limits: Limited(lab, limits)


def test_a_client_over_its_limit_gets_no_port_and_others_do(limited):
    router = limited("ports-per-minute-per-client = 1")
    first = router.session(client=0)
    assert first.gets_port()
    assert not first.gets_port()
    assert not router.session(client=0, server=1).gets_port()
    assert router.session(client=1).gets_port()
    assert len(router.pasvd.opened()) == 2
    refused = router.logged("client-limit")
    assert len(refused) == 2
    assert f"client={router.lab.client_address(0)}:" in refused[0]
    assert f"server={router.servers[0].address}:21 msg=\"the client has used up" in refused[0]
    assert f"server={router.servers[1].address}:21 msg=\"the client has used up" in refused[1]
    assert router.pasvd.counters()["client-limit"] == 2


def test_a_server_over_its_limit_gets_no_port_and_others_do(limited):
    router = limited("ports-per-minute-per-server = 1")
    assert router.session(client=0).gets_port()
    assert not router.session(client=1).gets_port()
    assert router.session(client=1, server=1).gets_port()
    assert len(router.logged("server-limit")) == 1


def test_a_session_over_its_limit_gets_no_port_and_the_clients_next_does(limited):
    router = limited("ports-per-minute-per-session = 1")
    first = router.session(client=0)
    assert first.gets_port()
    assert not first.gets_port()
    assert router.session(client=0).gets_port()
    assert len(router.logged("session-limit")) == 1


def test_another_limit_is_in_force_at_once_and_knows_what_was_used(limited):
    router = limited("ports-per-minute-per-client = 1")
    client = router.session(client=0)
    assert client.gets_port()
    router.reload("")
    assert client.gets_port()
    router.reload("ports-per-minute-per-client = 1")
    assert not client.gets_port()
    assert router.session(client=1).gets_port()


@pytest.mark.parametrize("limit, warned", [(None, False), (100_000, True), (0, True)])
def test_limit_that_leaves_others_no_expectations_is_logged(make_lab, limit, warned):
    room = int(pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_expect_max").read_text())
    config = f"[limits]\nopen-ports-per-client = {limit}\n" if limit is not None else ""
    with make_lab(config=config) as lab:
        lines = [line for line in lab.pasvd.log().splitlines() if "event=expectations " in line]
        if warned:
            (line,) = lines
            assert f"open-ports-per-client={limit}" in line and f"nf_conntrack_expect_max={room};" in line
        else:
            assert (lines == []) == (300 <= room // 2)
