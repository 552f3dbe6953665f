# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections in a conntrack zone of their own, which the rules for iptables give where they give the helper."""

import re

import pytest

import clients
from lab import PASVD, wait_for
from scripted import CONTENT, RawClient, ScriptedServer
from test_active import fetch, offer
from test_check import Practice

pytestmark = pytest.mark.daemon

ZONE = 7


@pytest.fixture
def lab(make_lab):
    """The shipped rules, with a zone beside the helper; everything on either side of the router is tracked in the zone."""
    with make_lab(firewall="iptables", daemon=False, clients=2, masquerade=True) as lab:
        lab.shipped_rules("remove")
        text = lab.router.run(PASVD, "rules", "print", *lab.rule_options(0)).stdout
        lab.restore(re.sub(r"CT --helper", f"CT --zone {ZONE} --helper", text))
        # Packets that are queued in raw do not get to rules behind; the first CT rule counts.
        for where, device in (("-A", "wan"), ("-I", "lan0")):
            lab.iptables("-t", "raw", where, "PREROUTING", "-i", device, "-j", "CT", "--zone", ZONE)
        path = lab.tmp / "pasvd.conf"
        path.write_text(f"[pasvd]\nct-zone = {ZONE}\n")
        lab.start_pasvd(["-c", path])
        yield lab


def test_passive_port_is_opened_in_the_zone(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    with clients.python_session(trip) as ftp:
        for _ in range(2):
            host, port = ftp.makepasv()
            assert host == lab.publics[0]
            assert len(lab.expectations()) == 1
            assert lab.clients[1].is_shut(host, port)
            assert clients.download_bytes(ftp, trip) == CONTENT
    tracked = lab.connections("-p", "tcp")
    assert len(tracked) >= 3 and all(f"zone={ZONE}" in line for line in tracked)


def test_active_port_is_opened_in_the_zone(lab):
    server = ScriptedServer(lab)
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        for verb in ("PORT", "EPRT"):
            offer(client, verb, client.listen())
            server.offer()
            assert fetch(client)[0] == lab.publics[0]


def test_use_of_a_port_is_seen_in_the_zone(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT
    wait_for(lambda: [what for what, _ in lab.pasvd.ports()] == ["opened", "used"], 5, "the line for it")


def test_check_knows_the_zone(lab):
    """The rules are not as they were shipped, but no other rule is in their way, unless it names another zone."""
    practice = Practice(lab)
    assert {finding["about"] for finding in practice.check().of("error", "unsure")} == {"rules"}
    lab.iptables("-t", "raw", "-R", "PREROUTING", 1, "-i", "lan0", "-j", "CT", "--zone", ZONE + 1)
    assert any("the server's replies" in finding["what"] for finding in practice.check().of("error"))
