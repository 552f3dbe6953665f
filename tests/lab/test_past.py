# SPDX-License-Identifier: GPL-2.0-or-later
"""What went past pasvd, as there was no daemon or no rule, does not come again: sessions do not wait for it."""

import signal

import pytest

from lab import helper, wait_for
from rawtcp import ACK, PSH, RawTcp, positions
from scripted import RawClient, ScriptedServer, port_argument
from test_fail import CLOSED, OPEN
from test_kills import Wire
from test_overload import Site, addresses

pytestmark = pytest.mark.daemon

FIRST, SECOND, THIRD = b"150 here it comes\r\n", b"226-done,\r\n", b"226 really\r\n"


@pytest.fixture
def site(make_lab, request):
    with make_lab(config=request.param, **addresses("readme")) as lab:
        yield Site(lab, "readme")


def lose_first_of_two(site, control):
    """The first segment is lost with the daemon, and comes again when its successor is there; the second goes past."""
    lab = site.lab
    lab.pasvd.popen.send_signal(signal.SIGSTOP)
    control.sendall(FIRST)
    wait_for(lambda: lab.packets()[0], what="the reply waits")
    lab.pasvd.kill()
    wire = Wire(site.client.namespace, "150 here")
    control.sendall(SECOND)
    lab.start_pasvd()
    wire.mend()


@pytest.mark.parametrize("site", [OPEN], indirect=True)
@pytest.mark.parametrize("who_goes_on", ["server", "client"])
def test_reply_that_comes_again_after_the_next_one_has_gone_past(site, who_goes_on):
    site.server.replies["STAT"] = lambda control: lose_first_of_two(site, control)
    site.client.send(b"STAT\r\n")
    for line in (FIRST, SECOND):
        assert site.client.line().encode() == line
    if who_goes_on == "server":
        site.server.controls[-1].sendall(THIRD)
        assert site.client.line().encode() == THIRD
    site.check_session()


def without_rules(lab, do):
    """Something happens while the rules that queue are not there, as with a firewall that is reloaded."""
    if lab.firewall == "nft":
        lab.nft("flush chain inet pasvd control")
    else:
        for table in ("raw", "mangle"):
            lab.iptables("-t", table, "-F", "PREROUTING")
    do()
    lab.shipped_rules("load")


@pytest.mark.parametrize("site", [OPEN, CLOSED], indirect=True)
def test_command_while_there_are_no_rules(site):
    def ask():
        assert site.client.ask("NOOP") == "200 ok\r\n"

    site.check_session()
    for _ in range(2):
        without_rules(site.lab, ask)
        assert site.client.ask("NOOP") == "200 ok\r\n"
        site.check_session()


@pytest.mark.parametrize("site", [OPEN, CLOSED], indirect=True)
def test_reply_behind_one_that_went_past_while_the_client_waits(site):
    """As at the end of a transfer. The server repeats it, and not what the client has. What went past may have been the
    beginning of a reply that quotes a name, so the client has to log in again."""
    site.server.replies["STAT"] = lambda control: None
    site.client.send(b"STAT\r\n")
    wait_for(lambda: site.server.commands[-1:] == [b"STAT\r\n"], what="the command")

    def reply(line):
        site.server.controls[-1].sendall(line)
        assert site.client.line().encode() == line

    without_rules(site.lab, lambda: reply(FIRST))
    reply(THIRD)
    assert site.client.ask("PASV").encode() == site.reply()
    for command in ("USER lab", "PASS lab"):
        site.client.ask(command)
    site.check_session()


@pytest.mark.parametrize("site", [OPEN], indirect=True)
def test_command_behind_one_that_went_past_while_the_server_waits(site):
    """As an ABOR."""
    site.server.replies["STAT"] = lambda control: None

    def command():
        site.client.send(b"STAT\r\n")
        wait_for(lambda: site.server.commands[-1:] == [b"STAT\r\n"], what="the command")

    without_rules(site.lab, command)
    assert site.client.ask("ABOR") == "226 nothing to abort\r\n"
    site.check_session()


# What others may try with that.

REFUSE = "[tls]\nmode = refuse\n"
HIDDEN = b"AUTH TLS\r\n"     # pasvd masks it


def test_client_that_acknowledges_a_lost_reply_passes_nothing_unread(make_lab):
    """As from a full queue. What the client then sends late would be taken for a repetition."""
    with make_lab(config=REFUSE) as lab:
        server = ScriptedServer(lab)
        client = RawClient(lab.clients[0], lab.publics[0])
        (sent, received), source = positions(client.control), client.control.getsockname()
        before_the_queue = "mangle" if helper("pasvd") == "sane" else "raw"
        lab.iptables("-t", before_the_queue, "-I", "PREROUTING", "-p", "tcp", "-m", "string", "--string", "200 ok", "--algo", "bm",
                     "-j", "DROP")
        raw = RawTcp(client.namespace, source[0], lab.publics[0], port=21, source_port=source[1], position=(sent, received))
        lab.on_exit(raw.socket.close)
        raw.segment(PSH | ACK, b"NOOP\r\n")
        wait_for(lambda: server.commands[-1:] == [b"NOOP\r\n"], what="the reply is lost")
        raw.ack += len(b"200 ok\r\n")
        behind = raw.seq + len(HIDDEN)
        raw.seq = behind
        raw.segment(PSH | ACK, b"NOOP\r\n")
        before = lab.packets()[1]
        raw.seq = behind - len(HIDDEN)
        raw.segment(PSH | ACK, HIDDEN)
        wait_for(lambda: lab.packets()[1] > before and not lab.packets()[0], what="it has come by")
        assert lab.pasvd.counters()["reordered"] == 1
        assert server.commands == [b"USER lab\r\n", b"PASS lab\r\n", b"NOOP\r\n"]


@pytest.mark.parametrize("goes_past", ["USER lab", "NOOP"])
def test_client_whose_first_line_went_past_may_be_a_web_page(make_lab, goes_past):
    """It visits a server outside, which says that any login succeeds. Who has begun with FTP is no browser."""
    with make_lab(servers=(), outside=1, lan=("192.168.100.200",)) as lab:
        server = ScriptedServer(lab)
        is_first = goes_past != "NOOP"
        with RawClient(lab.lan[0], server.address, login=False) as client:
            client.line()
            if not is_first:
                client.ask("USER lab")
            without_rules(lab, lambda: client.ask(goes_past))
            for command in ("USER lab", "PASS lab", f"PORT {port_argument(client.listen())}"):
                client.ask(command)
            assert lab.pasvd.counters()["not-ftp"] == is_first
            assert len(lab.expectations()) == (not is_first)
