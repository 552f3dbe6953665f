# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever the addresses and control ports are, the client is told what it can reach."""

import pytest

import clients
import servers
from scripted import CONTENT, ScriptedServer, port_argument

# The reply grows, shrinks or stays as long as it was.
ADDRESSES = {"longer": ("203.113.112.111", "10.7.0.2"),
             "shorter": ("9.9.9.9", "192.168.100.200"),
             "as-long": ("9.9.9.91", "10.7.0.2")}


def transfer_both_ways(lab, server, trip, files=3):
    """Several in one session: the second one finds the numbers already shifted."""
    with clients.python_session(trip) as ftp:
        for number in range(files):
            assert clients.download_bytes(ftp, trip) == server.content
            clients.upload_bytes(ftp, trip, f"upload/{number}", server.content)
            assert (server.uploads / f"{number}").read_bytes() == server.content


@pytest.mark.parametrize("length", ADDRESSES)
def test_public_address_of_any_length_works(make_lab, visit, length):
    public, private = ADDRESSES[length]
    with make_lab(servers=(private,), publics=(public,)) as lab:
        server = servers.pyftpdlib(lab)
        transfer_both_ways(lab, server, visit(lab, server))


@pytest.mark.parametrize("length", ADDRESSES)
def test_announced_address_is_the_dialled_one(make_lab, visit, length):
    public, private = ADDRESSES[length]
    with make_lab(servers=(private,), publics=(public,)) as lab:
        server = servers.vsftpd(lab)
        with clients.python_session(visit(lab, server)) as ftp:
            assert ftp.makepasv()[0] == public


def test_each_of_several_public_addresses_is_announced_to_who_dialled_it(make_lab, visit):
    publics = ("9.9.9.9", "203.113.112.111", "203.0.113.77")
    with make_lab(publics=publics, clients=2) as lab:
        server = servers.pyftpdlib(lab)
        for client in range(2):
            for number, public in enumerate(publics):
                trip = visit(lab, server, client=client, public=number)
                with clients.python_session(trip) as ftp:
                    assert ftp.makepasv()[0] == public
                    assert clients.download_bytes(ftp, trip) == server.content


@pytest.mark.daemon
@pytest.mark.parametrize("named", ["0.0.0.0", "127.0.0.1", "127.255.255.254"])
def test_server_that_names_no_host_means_itself(make_lab, visit, named):
    with make_lab(clients=2) as lab:
        server = ScriptedServer(lab)
        server.send_pasv = lambda control, _: control.sendall(
            f"227 Entering Passive Mode ({port_argument((named, server.data_ports[-1]))}).\r\n".encode())
        trip = visit(lab, server)
        with clients.python_session(trip) as ftp:
            endpoint = ftp.makepasv()
            assert endpoint == (lab.publics[0], server.data_ports[-1])
            assert lab.pasvd.opened()[-1]["listener"] == f"{server.address}:{endpoint[1]}"
            assert lab.clients[1].is_shut(*endpoint)
            assert clients.download_bytes(ftp, trip) == CONTENT


def test_control_port_translated_on_the_way_works(make_lab, visit):
    with make_lab(forwards=((2121, 0, 21),)) as lab:
        server = servers.vsftpd(lab)
        transfer_both_ways(lab, server, visit(lab, server, port=2121))
        assert lab.clients[0].is_shut(lab.publics[0], 21)


def test_control_port_other_than_21_works(make_lab, visit):
    with make_lab(forwards=((2100, 0, 2100), (21, 0, 21))) as lab:
        server = servers.vsftpd(lab, port=2100)
        transfer_both_ways(lab, server, visit(lab, server, port=2100))
