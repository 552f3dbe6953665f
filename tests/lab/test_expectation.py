# SPDX-License-Identifier: GPL-2.0-or-later
"""What "conntrack -L" shows for a negotiated port."""

import pytest

import clients
import lab as lab_module
from scripted import CONTENT, RawClient, ScriptedServer, port_argument


@pytest.fixture
def site(make_lab):
    with make_lab() as lab:
        yield ScriptedServer(lab), lab


def test_expectation_names_client_port_and_ct_helper(site, engine, visit):
    server, lab = site
    with clients.python_session(visit(lab, server)) as ftp:
        assert lab.expectations() == []
        host, port = ftp.makepasv()
        # any port may come; in its place pasvd notes the one at which the server listens
        sport = str(port) if engine == "pasvd" else "0"
        expected = {"proto": "6", "src": lab.client_address(), "dst": host, "sport": sport,
                    "dport": str(port), "mask-src": "255.255.255.255",
                    "mask-dst": "255.255.255.255", "master-src": lab.client_address(),
                    "master-dst": host, "helper": lab_module.helper(engine)}
        (shown,) = lab.expectations()
        assert {key: shown.get(key) for key in expected} == expected


def test_expectation_goes_when_it_is_used(site, visit):
    server, lab = site
    trip = visit(lab, server)
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT
        assert lab.expectations() == []


def test_epsv_leaves_the_text_and_makes_the_expectation(site, visit):
    server, lab = site
    with clients.python_session(visit(lab, server)) as ftp:
        reply = ftp.sendcmd("EPSV")
        port = server.data_ports[-1]
        assert reply == f"229 Extended Passive Mode Entered (|||{port}|)"
        (shown,) = lab.expectations()
        assert shown["dport"] == str(port)


@pytest.mark.daemon
@pytest.mark.parametrize("command, seconds", [("PASV", 60), ("EPSV", 60), ("PORT {}", 300), ("EPRT |1|{}|", 300)])
def test_expectation_waits_a_minute_in_passive_and_five_in_active_mode(site, command, seconds):
    """Some servers connect that late."""
    _, lab = site
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        endpoint = client.listen()
        argument = port_argument(endpoint) if "PORT" in command else "{}|{}".format(*endpoint)
        assert client.ask(command.format(argument))[0] == "2"
        (shown,) = lab.expectations()
        assert seconds * 3 / 4 < shown["seconds"] <= seconds


@pytest.mark.daemon
def test_log_says_which_port_was_opened_for_whom(site, visit):
    server, lab = site
    with clients.python_session(visit(lab, server)) as ftp:
        _, port = ftp.makepasv()
        client = "{}:{}".format(*ftp.sock.getsockname())
        (line,) = lab.pasvd.opened()
        assert line["client"] == client
        assert line["server"] == f"{server.address}:21"
        assert line["announced"] == f"{lab.publics[0]}:{port}"
        assert line["listener"] == f"{server.address}:{server.data_ports[-1]}"


def test_nothing_is_left_without_a_helper(make_lab, visit):
    """With the control port forwarded and no engine, the private address leaks."""
    with make_lab(engine="none") as lab:
        server = ScriptedServer(lab)
        trip = visit(lab, server)
        with clients.python_session(trip) as ftp:
            assert ftp.makepasv() == (server.address, server.data_ports[-1])
            assert lab.expectations() == []
            with pytest.raises(OSError):
                clients.download_bytes(ftp, trip)
