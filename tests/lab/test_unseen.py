# SPDX-License-Identifier: GPL-2.0-or-later
"""A web page that has a browser in the LAN post to port 21 of its server, where pasvd has not seen the beginning
of it: what it posts later looks like a login, and an offer, and opens nothing."""

import pytest

from lab import wait_for
from rawtcp import ACK, PSH, RawTcp, positions
from scripted import RawClient, ScriptedServer, retransmissions, unacknowledged
from test_active import ARGUMENT, offer
from test_fail import CLOSED

pytestmark = pytest.mark.daemon

ORDINARY = 40022
LAN = "192.168.100.200"
FORM = b"POST / HTTP/1.1\r\nHost: 198.51.100.100:21\r\nContent-Length: 400\r\n\r\n"


class Site:
    def __init__(self, lab):
        self.lab = lab
        self.server = ScriptedServer(lab)

    def connected(self):
        client = RawClient(self.lab.lan[0], self.server.address, login=False)
        client.listen(ORDINARY)
        client.line()
        return client

    def browser(self, client=None):
        """It has posted the beginning of a form."""
        client = client or self.connected()
        client.send(FORM)
        for _ in range(FORM.count(b"\n")):
            client.line()
        return client


def began_without_pasvd(site):
    site.lab.pasvd.kill()
    browser = site.browser()
    site.lab.start_pasvd()
    return browser


def posted_without_pasvd(site):
    """A browser that connects in advance was greeted before."""
    client = site.connected()
    site.lab.pasvd.kill()
    browser = site.browser(client)
    site.lab.start_pasvd()
    return browser


def greeted_late(site):
    """The server says something once pasvd runs."""
    browser = began_without_pasvd(site)
    site.server.controls[-1].sendall(b"220 ready\r\n")
    browser.line()
    return browser


def goes_on_without_pasvd(site):
    """Two daemons miss something, and the one between them only sees a reply."""
    browser = greeted_late(site)
    site.lab.pasvd.kill()
    browser.ask("NOOP")
    site.lab.start_pasvd()
    return browser


def delete_entry(site):
    """As a RST does that ends at the router."""
    site.lab.router.run("conntrack", "-D", "-p", "tcp", "--dport", "21")


def lost_by_conntrack(site):
    browser = site.browser()
    delete_entry(site)
    return browser


def found_again_by_conntrack(site):
    """With data that nobody reads."""
    browser = lost_by_conntrack(site)
    browser.ask("NOOP")
    return browser


def found_again_without_data(site):
    """As after a reboot: the browser acknowledges what it has got, and conntrack takes that for the beginning."""
    browser = site.browser()
    site.lab.pasvd.kill()
    delete_entry(site)
    site.lab.start_pasvd()
    ends = site.lab.lan_addresses[0], site.server.address
    beside = RawTcp(browser.namespace, *ends, source_port=browser.control.getsockname()[1],
                    position=positions(browser.control))
    site.lab.on_exit(beside.socket.close)
    beside.segment(ACK)
    wait_for(lambda: site.lab.connections("-p", "tcp", "--dport", "21"), what="conntrack has found it")
    site.server.controls[-1].sendall(b"220 ready\r\n")
    browser.line()
    return browser


BEGINNINGS = [began_without_pasvd, posted_without_pasvd, greeted_late, goes_on_without_pasvd, lost_by_conntrack,
              found_again_by_conntrack, found_again_without_data]


def rest_opens_nothing(lab, begin, verb):
    site = Site(lab)
    with begin(site) as browser:
        for command in ("USER lab", "PASS lab"):
            browser.ask(command)
        assert offer(browser, verb, (LAN, ORDINARY)).startswith("200")
        assert lab.expectations() == []
        assert lab.router.attempt(LAN, ORDINARY) == "open"
        assert site.server.is_shut((lab.lan_seen_as, ORDINARY))


@pytest.mark.parametrize("verb", ARGUMENT)
@pytest.mark.parametrize("begin", BEGINNINGS)
def test_rest_of_a_form_opens_nothing(make_lab, begin, verb):
    with make_lab(servers=(), outside=1, lan=(LAN,)) as lab:
        rest_opens_nothing(lab, begin, verb)


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_rule_that_accepts_all_in_front_does_not_hide_that_a_form_has_begun(make_lab, begin):
    with make_lab(servers=(), outside=1, lan=(LAN,)) as lab:
        lab.iptables("-I", "FORWARD", "-j", "ACCEPT")
        rest_opens_nothing(lab, begin, "PORT")


def goes_on_to_no_port(lab, verb, browser, page, server):
    """A browser behind the beginning of its form, and a page's server that says that it has that."""
    wait_for(lambda: unacknowledged(browser.control) == 0, what="the browser goes on")
    for text in (b"x\r\n", b"USER lab\r\n", f"{verb} {ARGUMENT[verb]((LAN, ORDINARY))}\r\n".encode()):
        before = lab.packets()[1]
        browser.send(text)
        wait_for(lambda: lab.packets()[1] > before, what="it comes by")
        server.ack += len(text)
        server.segment(PSH | ACK, b"230 in\r\n")
        browser.line()
    assert lab.expectations() == []
    assert lab.pasvd.counters()["not-ftp"] == 1
    assert lab.router.attempt(LAN, ORDINARY) == "open"
    assert page.is_shut(lab.lan_seen_as, ORDINARY)


@pytest.mark.parametrize("greets", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("verb", ARGUMENT)
def test_form_whose_first_segment_is_lost_opens_nothing(make_lab, verb, greets):
    """As from a full queue; the page's server, which knows how long it is, acknowledges it all the same, and greets
    before the browser goes on or after that."""
    with make_lab(servers=(), outside=1, lan=(LAN,)) as lab:
        page = lab.servers[0]
        lab.iptables("-t", "mangle", "-I", "PREROUTING", "-p", "tcp", "-m", "string", "--string", "POST", "--algo", "bm",
                     "-j", "DROP")
        with page.listen(lab.server_addresses[0], 21) as listener, \
                RawClient(lab.lan[0], lab.server_addresses[0], login=False) as browser, listener.accept()[0] as control:
            browser.listen(ORDINARY)
            sent, received = positions(control)
            browser.send(FORM)
            server = RawTcp(page, lab.server_addresses[0], lab.lan_seen_as, port=control.getpeername()[1], source_port=21,
                            position=(sent, received + len(FORM)))
            lab.on_exit(server.socket.close)
            if greets:
                server.segment(PSH | ACK, b"220 ready\r\n")
                browser.line()
            else:
                server.segment(ACK)
            goes_on_to_no_port(lab, verb, browser, page, server)


@pytest.mark.parametrize("verb", ARGUMENT)
def test_form_that_is_acknowledged_unseen_opens_nothing(make_lab, verb):
    """It ends at the router while no pasvd runs; the browser, which was greeted before, goes on behind it."""
    with make_lab(servers=(), outside=1, lan=(LAN,), config=CLOSED) as lab:
        page = lab.servers[0]
        with page.listen(lab.server_addresses[0], 21) as listener, \
                RawClient(lab.lan[0], lab.server_addresses[0], login=False) as browser, listener.accept()[0] as control:
            browser.listen(ORDINARY)
            control.sendall(b"220 ready\r\n")
            browser.line()
            sent, received = positions(control)
            lab.pasvd.kill()
            browser.send(FORM)
            wait_for(lambda: retransmissions(browser.control) > 0, what="the form, sent again")
            server = RawTcp(page, lab.server_addresses[0], lab.lan_seen_as, port=control.getpeername()[1], source_port=21,
                            position=(sent, received + len(FORM)))
            lab.on_exit(server.socket.close)
            server.segment(ACK)
            wait_for(lambda: unacknowledged(browser.control) == 0, what="the ACK")
            lab.start_pasvd()
            goes_on_to_no_port(lab, verb, browser, page, server)
