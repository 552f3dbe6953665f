# SPDX-License-Identifier: GPL-2.0-or-later
"""test_passes.py - which packets pass, IPv4 and IPv6"""

import contextlib

import pytest
from path import (ACTIVE, BEHIND, DIALLED, FORWARDED, FORWARDED_2121, NETS, PASSIVE, Path, greet, receive, say,
                  transfer)
from printed import needs_root


@pytest.fixture(params=("iptables", "nft"))
def firewall(request):
    return request.param


@pytest.fixture(params=NETS, ids=("IPv4", "IPv6"))
def path(request, folder, firewall):
    """Makes a path with the rules of the options that it is given."""
    with contextlib.ExitStack() as on_exit:
        def make(options):
            made = Path(folder, request.param, firewall, options)
            on_exit.enter_context(made.on_exit)
            return made
        yield make


@needs_root
class TestServer:
    """A server on the LAN, clients outside."""

    @pytest.mark.parametrize("options,port", [
        (FORWARDED, 21), (FORWARDED_2121, 2121), (DIALLED, 21), (FORWARDED + " --lan lan", 21)])
    def test_control_connection_passes_over_a_small_mtu(self, path, options, port):
        client, server = path(options).forwarded(port)
        transfer(server, client)

    def test_passive_data_connection_passes_over_a_small_mtu(self, path):
        path = path(FORWARDED)
        listener = path.listen(path.inside, path.net.inside, PASSIVE)
        client, server = path.forwarded()
        greet(client, server)
        assert say(server, client, path.net.passive_reply(path.net.inside)) == path.net.passive_reply(path.net.public)
        data, sender = path.dial(path.outside, path.net.public, PASSIVE, listener)
        transfer(sender, data)
        assert path.blocked(path.outside, path.net.public, PASSIVE)

    @pytest.mark.parametrize("options", [FORWARDED, DIALLED])
    def test_active_data_connection_passes_over_a_small_mtu(self, path, options):
        """The server begins it, and the client sees it come from the address that it dialled."""
        path = path(options)
        listener = path.listen(path.outside, path.net.outside, ACTIVE)
        assert path.blocked(path.inside, path.net.outside, ACTIVE)
        client, server = path.forwarded()
        greet(client, server)
        say(client, server, path.net.port_command(path.net.outside))
        sender, data = path.dial(path.inside, path.net.outside, ACTIVE, listener)
        assert data.getpeername()[0] == path.net.public
        transfer(sender, data)
        assert path.blocked(path.inside, path.net.outside, ACTIVE)

    @pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
    def test_short_segments_are_diverted_and_empty_ones_are_not(self, path, length):
        path = path(FORWARDED_2121)
        client, server = path.forwarded(2121)
        assert path.diverted() == 0
        client.sendall(b"x" * length)
        receive(server, length)
        assert path.diverted() == 1
        server.sendall(b"y" * length)
        receive(client, length)
        assert path.diverted() == 2

    @pytest.mark.parametrize("options", [FORWARDED, DIALLED])
    def test_connections_that_only_pass_through_are_not_diverted(self, path, options):
        path = path(options)
        path.accept_all()
        path.masquerade("wan0")
        client, server = path.outgoing()
        say(client, server, "USER me\r\n")
        assert server.getpeername()[0] == path.net.public
        assert path.diverted() == 0

    @pytest.mark.parametrize("options", [FORWARDED, DIALLED])
    def test_nothing_else_is_open(self, path, options):
        """The hop has a route to the server's own address."""
        path = path(options + " --port 2121:21")
        path.listen(path.inside, path.net.inside, 21)
        path.listen(path.inside, path.net.inside, PASSIVE)
        assert not path.blocked(path.outside, path.net.public, 2121)
        for address in (path.net.public, path.net.inside):
            for port in (21, PASSIVE):
                assert path.blocked(path.outside, address, port), (address, port)
        # Not even a SYN came through: the only connection is the one to the forwarded port.
        assert path.connections().count("\n") == 1

    def test_public_address_is_the_only_one(self, path):
        path = path(DIALLED + " --port 2121:21")
        path.listen(path.inside, path.net.inside, 21)
        path.iptables(f"-t nat -A PREROUTING -d {path.net.gateway} -p tcp --dport 2121 -j DNAT "
                      f"--to-destination {path.net.destination()}")
        assert path.blocked(path.outside, path.net.inside, 2121)
        assert path.blocked(path.outside, path.net.gateway, 2121)
        assert path.connections() == ""

    def test_answers_of_strangers_connections_do_not_pass(self, path):
        path = path(FORWARDED)
        path.accept_new(80)
        path.listen(path.inside, path.net.inside, 80)
        assert path.blocked(path.outside, path.net.inside, 80)
        assert "SYN_RECV" in path.connections()

    def test_hairpin(self, path):
        """Somebody on the server's own network dials the public address."""
        path = path(DIALLED)
        path.masquerade("lan")
        control = path.listen(path.inside, path.net.inside, 21)
        passive = path.listen(path.inside, path.net.inside, PASSIVE)
        client, server = path.dial(path.inside, path.net.public, 21, control, source=(path.net.neighbour, 0))
        assert server.getpeername()[0] == path.net.gateway
        greet(client, server)
        assert say(server, client, path.net.passive_reply(path.net.inside)) == path.net.passive_reply(path.net.public)
        assert path.diverted() == 3
        data, sender = path.dial(path.inside, path.net.public, PASSIVE, passive, source=(path.net.neighbour, 0))
        assert sender.getpeername()[0] == path.net.gateway
        transfer(sender, data)


@needs_root
class TestClients:
    """Clients on the LAN, a server outside, MASQUERADE between them."""

    @pytest.mark.parametrize("options", [BEHIND, BEHIND + " " + FORWARDED, BEHIND + " " + DIALLED])
    def test_active_data_connection_passes_over_a_small_mtu(self, path, options):
        path = path(options)
        path.masquerade("wan0")
        listener = path.listen(path.inside, path.net.inside, ACTIVE)
        assert path.blocked(path.outside, path.net.public, ACTIVE)
        client, server = path.outgoing()
        greet(client, server)
        command = say(client, server, path.net.port_command(path.net.inside))
        assert path.net.address_in(command) == path.net.public
        assert path.diverted() == 3
        data, receiver = path.dial(path.outside, path.net.public, ACTIVE, listener)
        assert receiver.getpeername()[0] == path.net.outside
        transfer(receiver, data)
        assert path.blocked(path.outside, path.net.public, ACTIVE)

    def test_active_data_connection_is_for_that_server_alone(self, path):
        path = path(BEHIND)
        path.masquerade("wan0")
        path.listen(path.inside, path.net.inside, ACTIVE)
        client, server = path.outgoing()
        greet(client, server)
        say(client, server, path.net.port_command(path.net.inside))
        assert path.blocked(path.outside, path.net.public, ACTIVE, source=(path.net.stranger, 0))
        assert not path.blocked(path.outside, path.net.public, ACTIVE)

    def test_passive_data_connection_passes_over_a_small_mtu(self, path):
        path = path(BEHIND)
        path.masquerade("wan0")
        listener = path.listen(path.outside, path.net.outside, PASSIVE)
        assert path.blocked(path.inside, path.net.outside, PASSIVE)
        client, server = path.outgoing()
        greet(client, server)
        say(server, client, path.net.passive_reply(path.net.outside))
        receiver, data = path.dial(path.inside, path.net.outside, PASSIVE, listener)
        transfer(receiver, data)

    def test_control_connection_passes_over_a_small_mtu(self, path):
        path = path(BEHIND)
        path.masquerade("wan0")
        client, server = path.outgoing()
        transfer(client, server)

    def test_control_connection_without_nat_is_diverted_too(self, path):
        path = path(BEHIND)
        client, server = path.outgoing()
        say(client, server, "USER me\r\n")
        say(server, client, "331 And the password?\r\n")
        assert server.getpeername()[0] == path.net.inside
        assert path.diverted() == 2

    def test_nothing_is_open_from_outside(self, path):
        path = path(BEHIND)
        for port in (21, ACTIVE):
            path.listen(path.inside, path.net.inside, port)
            assert path.blocked(path.outside, path.net.inside, port)
        assert path.connections() == ""

    def test_answers_to_strangers_whose_own_port_is_21_do_not_pass(self, path):
        path = path(BEHIND)
        path.accept_new(80)
        path.listen(path.inside, path.net.inside, 80)
        assert path.blocked(path.outside, path.net.inside, 80, source=(path.net.outside, 21))
        assert "SYN_RECV" in path.connections()
