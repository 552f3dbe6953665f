# SPDX-License-Identifier: GPL-2.0-or-later
"""A web page that has a browser in the LAN post to port 21 of its server, where pasvd has not seen the beginning
of it: what it posts later looks like a login, and an offer, and opens nothing."""

import pytest

from scripted import CONFIG_TO_SETTLE, RawClient, ScriptedServer, settle
from test_active import ARGUMENT, offer

pytestmark = pytest.mark.daemon

ORDINARY = 40022
LAN = "192.168.100.200"
FORM = b"POST / HTTP/1.1\r\nHost: 198.51.100.100:21\r\nContent-Length: 400\r\n\r\n"


class Site:
    def __init__(self, lab):
        self.lab = lab
        self.server = ScriptedServer(lab)

    def browser(self):
        """It has posted the beginning of a form."""
        client = RawClient(self.lab.lan[0], self.server.address, login=False)
        client.listen(ORDINARY)
        client.line()
        client.send(FORM)
        for _ in range(FORM.count(b"\n")):
            client.line()
        return client

    def settle(self):
        settle(self.server, self.lab.lan[0], self.server.address)


def began_without_pasvd(site):
    site.lab.pasvd.kill()
    browser = site.browser()
    site.lab.start_pasvd()
    site.settle()
    return browser


def lost_by_conntrack(site):
    """As after a RST that ends at the router."""
    site.settle()
    browser = site.browser()
    site.lab.router.run("conntrack", "-D", "-p", "tcp", "--dport", "21")
    return browser


@pytest.mark.parametrize("verb", ARGUMENT)
@pytest.mark.parametrize("begin", [began_without_pasvd, lost_by_conntrack])
def test_rest_of_a_form_opens_nothing(make_lab, begin, verb):
    with make_lab(servers=(), outside=1, lan=(LAN,), config=CONFIG_TO_SETTLE) as lab:
        site = Site(lab)
        with begin(site) as browser:
            for command in ("USER lab", "PASS lab"):
                browser.ask(command)
            assert offer(browser, verb, (LAN, ORDINARY)).startswith("200")
            assert lab.expectations() == []
            assert lab.router.attempt(LAN, ORDINARY) == "open"
            assert site.server.attempt((lab.lan_seen_as, ORDINARY)) != "open"
