# SPDX-License-Identifier: GPL-2.0-or-later
"""What went past pasvd, as there was no daemon or no rule, does not come again: sessions do not wait for it."""

import signal

import pytest

from lab import wait_for
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
def test_reply_that_comes_again_after_the_next_one_has_gone_past(site):
    site.server.replies["STAT"] = lambda control: lose_first_of_two(site, control)
    site.client.send(b"STAT\r\n")
    for line in (FIRST, SECOND):
        assert site.client.line().encode() == line
    site.server.controls[-1].sendall(THIRD)
    assert site.client.line().encode() == THIRD
    site.check_session()


@pytest.mark.parametrize("site", [OPEN], indirect=True)
def test_command_after_a_reply_that_comes_again(site):
    site.server.replies["STAT"] = lambda control: lose_first_of_two(site, control)
    site.client.send(b"STAT\r\n")
    for line in (FIRST, SECOND):
        assert site.client.line().encode() == line
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
