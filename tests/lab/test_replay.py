# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture of what the daemon saw is told as the daemon told it.

Whichever side of the router it was made on: what "pasvd replay" says was opened
is what is in the daemon's log.
"""

import contextlib

import pytest

import captures
import clients
import ftps_clients
import ftps_sites
import servers
from lab import IP4, IP6
from scripted import RawClient, ScriptedServer, eprt_argument, port_argument

pytestmark = [pytest.mark.daemon, pytest.mark.skipif(not captures.can_replay(), reason="built without libpcap")]

LAN = {"ipv4": "192.168.100.200", "ipv6": "fd00:100::200"}


@contextlib.contextmanager
def captured(lab, devices, farewells, **options):
    """A capture on each device of the router."""
    paths = {device: lab.tmp / f"{device}-{lab.next_number()}.pcap" for device in devices}
    with contextlib.ExitStack() as stack:
        for device, path in paths.items():
            both = 2 if device == "any" else 1
            stack.enter_context(captures.capture(lab.router, device, path, farewells=farewells * both, **options))
        yield paths


def logged(lab):
    return [{key: line[key] for key in ("client", "server", "announced", "listener")}
            for line in lab.pasvd.opened()]


def by_connection(opens):
    """In the order of each connection's own opens; connections may overlap."""
    return sorted(opens, key=lambda entry: entry["client"])


@pytest.mark.parametrize("family", (IP4, IP6), ids=lambda family: family.name)
@pytest.mark.parametrize("client", ("curl", "curl-epsv", "curl-port", "curl-eprt", "lftp"))
def test_server_behind_the_router(make_lab, visit, family, client):
    with make_lab(family=family) as lab:
        server = servers.vsftpd(lab)
        trip = visit(lab, server)
        with captured(lab, ("wan", "lan0", "any"), farewells=1) as paths:
            printed = clients.act(client, "download", trip)
        assert trip.local.read_bytes() == server.content, printed
        want = logged(lab)
        assert want
        nat = f"{lab.publics[0]}={server.address}"
        for device, path in paths.items():
            report = captures.replay(lab.router, path, "--nat", nat)
            assert captures.opened(report) == want, device
            assert report["summary"]["complete"] and not report["summary"]["assumed"]


@pytest.mark.parametrize("family", (IP4, IP6), ids=lambda family: family.name)
@pytest.mark.parametrize("client", ("curl-port", "curl-eprt"))
def test_client_behind_the_router(make_lab, visit_out, family, client):
    with make_lab(servers=(), outside=1, lan=(LAN[family.name],), family=family) as lab:
        server = servers.pyftpdlib(lab)
        trip = visit_out(lab, server)
        with captured(lab, ("lan", "wan", "any"), farewells=1) as paths:
            printed = clients.act(client, "download", trip)
        assert trip.local.read_bytes() == server.content, printed
        want = logged(lab)
        assert want
        nat = f"{lab.lan_seen_as}={LAN[family.name]}"
        for device, path in paths.items():
            assert captures.opened(captures.replay(lab.router, path, "--nat", nat)) == want, device


def test_several_sessions_and_ports_that_clash(make_lab):
    """Two servers with the same passive port for one client: the second is announced the next port."""
    servers_ = ("10.77.0.2", "10.77.0.3")
    with make_lab(servers=servers_, forwards=((21, 0, 21), (2121, 1, 21))) as lab:
        both = [ScriptedServer(lab, number) for number in range(2)]
        for server in both:
            server.replies["EPSV"] = lambda control: control.sendall(b"229 (|||50000|)\r\n")
        with captured(lab, ("any",), farewells=2) as paths, contextlib.ExitStack() as stack:
            sessions = [stack.enter_context(RawClient(lab.clients[0], lab.publics[0], port))
                        for port in (21, 2121)]
            for command in ("EPSV", "QUIT"):
                for client in sessions:
                    client.ask(command)
        want = by_connection(logged(lab))
        assert {entry["announced"] for entry in want} == {"203.0.113.1:50000", "203.0.113.1:50001"}
        report = captures.replay(lab.router, paths["any"], "--nat", "203.0.113.1:21=10.77.0.2:21",
                                 "--nat", "203.0.113.1:2121=10.77.0.3:21")
        assert by_connection(captures.opened(report)) == want


def test_refusals_are_those_of_the_log(make_lab):
    with make_lab() as lab:
        server = ScriptedServer(lab)
        server.replies["EPSV"] = lambda control: control.sendall(b"229 (|||22|)\r\n")
        with captured(lab, ("wan", "lan0"), farewells=1) as paths:
            with RawClient(lab.clients[0], lab.publics[0]) as client:
                client.ask("EPSV")
                client.ask(f"PORT {port_argument(('192.0.2.1', 50000))}")
                client.ask(f"EPRT {eprt_argument((lab.client_address(), 50000))}")
                client.ask("QUIT")
        counted = lab.pasvd.counters()
        assert counted["low-port"] == 1 and counted["foreign-address"] == 1 and counted["opened"] == 1
        for device, path in paths.items():
            report = captures.replay(lab.router, path, "--nat", f"{lab.publics[0]}={server.address}")
            verdicts = report["summary"]["verdicts"]
            assert {reason: counted[reason] for reason in verdicts} == verdicts, device


def test_configuration_is_that_of_the_daemon(make_lab):
    with make_lab(daemon=False) as lab:
        configuration = lab.tmp / "pasvd.conf"
        configuration.write_text("[policy]\ndeny-ports = 50000\n"
                                 "[translate]\nannounce-ports = 60000-60999\nexternal-address = 192.0.2.7\n")
        lab.start_pasvd(["-c", configuration])
        server = ScriptedServer(lab)
        with captured(lab, ("lan0",), farewells=1) as paths:
            with RawClient(lab.clients[0], lab.publics[0]) as client:
                client.ask("PASV")
                server.replies["EPSV"] = lambda control: control.sendall(b"229 (|||50000|)\r\n")
                client.ask("EPSV")
                client.ask("QUIT")
        (want,) = logged(lab)
        assert want["announced"].startswith("192.0.2.7:60")
        report = captures.replay(lab.router, paths["lan0"], "--nat", f"{lab.publics[0]}={server.address}",
                                 arguments=("-c", configuration))
        assert captures.opened(report) == [want]
        assert report["summary"]["verdicts"]["denied-port"] == 1


def test_ports_on_demand_are_those_of_the_log(make_lab, visit):
    """Of a session over TLS the good-bye cannot be read: one in clear text behind it ends the captures."""
    with make_lab(config=ftps_sites.CONFIG) as lab:
        server = ftps_sites.start(lab, ftps_sites.EXPLICIT["vsftpd"], size=5000)
        trip = visit(lab, server)
        expression = f"tcp port 21 or tcp portrange {ftps_sites.PORTS[0]}-{ftps_sites.PORTS[-1]}"
        with captured(lab, ("wan", "lan0", "any"), farewells=1, expression=expression) as paths:
            with ftps_clients.python_session(trip) as ftp:
                for _ in range(3):
                    assert clients.download_bytes(ftp, trip) == server.content
            with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
                client.line()
                client.ask("QUIT")
        want = logged(lab)
        assert len(want) == 3
        for device, path in paths.items():
            report = captures.replay(lab.router, path, "--nat", f"{lab.publics[0]}={server.address}",
                                     arguments=lab.config_options("-c"))
            assert captures.opened(report) == want, device
            assert report["summary"]["verdicts"]["secured"] == 1
            assert all(event["on_demand"] for event in report["connections"][0]["events"]
                       if event["event"] == "open")
