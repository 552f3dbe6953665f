# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies in pieces, and the request on which the borrowed ct helper would act."""

import re
import select
import shlex

import pytest

import clients
from lab import wait_for
from scripted import (CONTENT, SANE_REQUEST, ScriptedServer, retransmissions, send_split,
                      send_whole)


@pytest.fixture(scope="module", params=["longer", "shorter"])
def site(request, make_lab):
    addresses = {"longer": ("203.113.112.111", "10.7.0.2"),
                 "shorter": ("9.9.9.9", "192.168.100.200")}[request.param]
    with make_lab(publics=addresses[:1], servers=addresses[1:], patient=True) as lab:
        yield ScriptedServer(lab), lab


@pytest.mark.daemon
@pytest.mark.parametrize("wait", [True, False], ids=["after-the-ack", "at-once"])
def test_reply_cut_at_any_byte_is_rewritten_without_a_stall(site, visit, wait):
    """Only the complete reply is looked at: how it is cut on its way is open.

    A stall would show in what the server had to send again.
    """
    server, lab = site
    trip = visit(lab, server)
    longest = len(server.pasv_text(65535))
    with clients.python_session(trip) as ftp:
        for position in range(1, longest - 2):
            server.send_pasv = send_split(position, wait)
            assert ftp.makepasv()[0] == lab.publics[0], f"cut after {position} bytes"
            assert retransmissions(server.controls[-1]) == 0, f"cut after {position} bytes"
            server.send_pasv = send_whole
            assert clients.download_bytes(ftp, trip) == CONTENT


def sane_port(lab, server):
    """Send the request of the scanner protocol; the port that the answer names."""
    with lab.clients[0].connect(lab.publics[0], 21) as control:
        assert control.recv(100).startswith(b"220")
        known = len(server.data_ports)
        control.sendall(SANE_REQUEST)
        readable, _, _ = select.select([control], [], [], 1)
        answer = control.recv(100) if readable else b""
        opened = lab.expectations()
        new = server.data_ports[known:]
        reached = [port for port in new if lab.clients[0].attempt(lab.publics[0], port) == "open"]
        return answer, opened, reached


@pytest.mark.daemon
def test_request_of_the_scanner_protocol_opens_nothing(make_lab):
    with make_lab() as lab:
        _, opened, reached = sane_port(lab, ScriptedServer(lab))
        assert opened == [] and reached == []
        wait_for(lambda: "sane" in lab.pasvd.log() or "refused" in str(lab.pasvd.counters()), 5,
                 "word of the refusal")


def let_requests_pass(lab):
    """The rule for them is removed."""
    if lab.firewall == "nft":
        listed = lab.router.run("nft", "-a", "list", "chain", "inet", "pasvd", "control").stdout
        handle = re.search(r"@ih,0,32 .* handle (\d+)", listed)[1]
        lab.router.run("nft", f"delete rule inet pasvd control handle {handle}")
    else:
        listed = lab.iptables("-t", "mangle", "-S", "PASVD").stdout
        rule = re.search(r"^-A (PASVD .*64 0 0 0,21 0 1 7,.*)$", listed, re.M)[1]
        lab.iptables("-t", "mangle", "-D", *shlex.split(rule))


@pytest.mark.daemon
@pytest.mark.sane
def test_request_of_the_scanner_protocol_waits_for_the_daemon(make_lab):
    """Without the rule it opens a port, so this test and the one before can fail."""
    with make_lab(daemon=False) as lab:
        server = ScriptedServer(lab)
        assert sane_port(lab, server) == (b"", [], [])
        let_requests_pass(lab)
        answer, opened, _ = sane_port(lab, server)
        assert len(answer) == 12
        assert opened       # the first request is sent again, too
