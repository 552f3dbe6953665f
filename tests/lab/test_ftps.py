# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions over TLS: long ones, several at once, over a bad way, in clear text again, without the
daemon; and the modes in which no port is opened on demand."""

import concurrent.futures
import contextlib
import re

import pytest

import clients
import ftps_clients
import ftps_sites
from ftps_sites import CONFIG, EXPLICIT, PORTS
from lab import IN_VAIN, PATIENCE
from scripted import CONTENT, RawClient, ScriptedServer, read_all
from test_active_matrix import check
from test_matrix import digest, sha256

pytestmark = pytest.mark.daemon

PORT = 60007
MARK = 0x40000000


def start(lab, name="pure-ftpd", **options):
    return ftps_sites.start(lab, EXPLICIT[name], **options)


def transfer(ftp, trip, server, name="one"):
    """Both ways over an open session."""
    assert clients.download_bytes(ftp, trip) == server.content
    clients.upload_bytes(ftp, trip, f"upload/{name}", server.content)
    assert (server.uploads / name).read_bytes() == server.content


def test_fifty_transfers_in_one_session(make_lab, visit):
    with make_lab(config=CONFIG) as lab:
        server = start(lab, "vsftpd-reuse", size=5000)
        trip = visit(lab, server)
        with ftps_clients.python_session(trip) as ftp:
            for _ in range(50):
                assert clients.download_bytes(ftp, trip) == server.content


def downloads(trip, server, open_session):
    with trip.namespace.inside(), open_session(trip) as ftp:
        return [clients.download_bytes(ftp, trip) == server.content for _ in range(5)]


def test_sessions_with_and_without_tls_at_the_same_time(make_lab, visit):
    """Several of each, of two clients."""
    with make_lab(clients=2, config=CONFIG) as lab:
        server = start(lab, size=20_000)
        kinds = [ftps_clients.python_session, clients.python_session] * 2
        trips = [(visit(lab, server, client=client), kind) for client in range(2) for kind in kinds]
        with concurrent.futures.ThreadPoolExecutor(len(trips)) as pool:
            running = [pool.submit(downloads, trip, server, kind) for trip, kind in trips]
            assert [future.result(timeout=PATIENCE) for future in running] == [[True] * 5] * len(trips)


def test_server_that_announces_the_public_address_serves_clear_text_as_well(make_lab, visit):
    with make_lab(config=CONFIG) as lab:
        server = start(lab, masquerade=lab.publics[0])
        for client in "curl", "wget", "ftplib":
            check(client, visit(lab, server), server)


@pytest.mark.parametrize("where", ["loss", "loss_behind"])
def test_transfers_survive_loss(make_lab, visit, where):
    """A first packet that is lost before or behind the router comes again."""
    with make_lab(config=CONFIG, **{where: 0.05}) as lab:
        server = start(lab, size=30_000)
        trip = visit(lab, server)
        with trip.namespace.inside(), ftps_clients.python_session(trip, timeout=PATIENCE) as ftp:
            for number in range(6):
                transfer(ftp, trip, server, str(number))


@pytest.mark.sane
def test_log_tells_each_port_and_packets_pass_by(make_lab):
    with make_lab(config=CONFIG) as lab:
        server = ScriptedServer(lab, tls="explicit")
        server.listen(PORT)
        with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
            own = client.control.getsockname()
            (line,) = lab.connections("-p", "tcp", "--sport", str(own[1]))[:1]
            assert int(line.split(" mark=")[1].split()[0]) & MARK == MARK
            assert client.ask("NOOP").startswith("200")
            before = lab.pasvd.counters()
            for _ in range(20):
                assert client.ask("NOOP").startswith("200")
            assert lab.pasvd.counters() == before
            assert lab.clients[0].attempt(lab.publics[0], PORT) == "open"
            (line,) = lab.pasvd.opened()
        assert line["client"] == f"{own[0]}:{own[1]}"
        assert line["announced"] == f"{lab.publics[0]}:{PORT}"
        assert line["listener"] == f"{server.address}:{PORT}"
        assert line["on-demand"] == "yes"


# Without the daemon, and after it.

@pytest.mark.parametrize("name", ["pyftpdlib", "vsftpd-reuse", "proftpd-reuse"])
def test_daemon_that_is_started_again_goes_on_in_mid_session(make_lab, visit, name):
    with make_lab(config=CONFIG) as lab:
        server = start(lab, name)
        trip = visit(lab, server)
        with ftps_clients.python_session(trip) as ftp:
            transfer(ftp, trip, server, "before")
            lab.pasvd.kill()
            ftp.voidcmd("NOOP")
            lab.start_pasvd()
            transfer(ftp, trip, server, "after")


@pytest.fixture
def scripted(make_lab):
    with make_lab(clients=2, config=CONFIG) as lab:
        server = ScriptedServer(lab, tls="explicit", passive_ports=PORTS)
        server.listen(PORTS[-1])
        yield server, lab


def is_open(lab):
    return lab.clients[0].attempt(lab.publics[0], PORTS[-1]) == "open"


def is_shut(lab, client=0):
    return lab.clients[client].is_shut(lab.publics[0], PORTS[-1])


def test_ports_are_shut_without_the_daemon(scripted):
    server, lab = scripted
    with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
        assert is_open(lab)
        lab.pasvd.kill()
        assert is_shut(lab)
        assert client.ask("NOOP").startswith("200")
        lab.start_pasvd()
        assert is_open(lab)


def test_session_that_ended_without_the_daemon_opens_nothing_afterwards(scripted):
    _, lab = scripted
    with RawClient(lab.clients[0], lab.publics[0], tls="explicit"):
        assert is_open(lab)
        lab.pasvd.kill()
    with RawClient(lab.clients[1], lab.publics[0], tls="explicit") as began_without_it:
        lab.start_pasvd()
        assert is_shut(lab)
        assert is_shut(lab, client=1)      # nobody has seen that this one is TLS
        assert began_without_it.ask("NOOP").startswith("200")


# CCC: clear text behind TLS.

def fetch_in_the_clear(client, lab, server):
    """Negotiated as in a session that never was TLS."""
    reply = client.ask("PASV")
    assert ",".join(lab.publics[0].split(".")) in reply
    port = server.data_ports[-1]
    assert lab.clients[1].is_shut(lab.publics[0], port)
    with lab.clients[0].connect(lab.publics[0], port) as data:
        client.send(b"RETR anything\r\n")
        assert client.line().startswith("150")
        assert read_all(data) == CONTENT
        assert client.line().startswith("226")


def test_session_in_clear_text_again_is_read_again(scripted):
    server, lab = scripted
    with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
        assert is_open(lab)
        client.clear()
        for _ in range(3):
            fetch_in_the_clear(client, lab, server)
        assert is_shut(lab)
        assert client.ask("AUTH TLS").startswith("234")
        client.secure()
        assert client.ask("NOOP").startswith("200")
        assert is_open(lab)


def restart(lab):
    lab.pasvd.kill()
    lab.start_pasvd()


@contextlib.contextmanager
def cleared_over_a_restart(make_lab, config, is_clear):
    """A session that is in clear text again, before the daemon is restarted or after that."""
    with make_lab(config=config, clients=2) as lab:
        server = ScriptedServer(lab, tls="explicit", passive_ports=PORTS)
        with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
            if not is_clear:
                restart(lab)
            client.clear()
            if is_clear:
                client.ask("NOOP")
                restart(lab)
                client.ask("NOOP")
            yield lab, server, client


# The rules let records pass by if there are ports on demand.
@pytest.mark.parametrize("config, is_clear", [(CONFIG, False), ("", True)])
def test_restarted_daemon_reads_what_is_in_clear_text_again(make_lab, config, is_clear):
    with cleared_over_a_restart(make_lab, config, is_clear) as (lab, server, client):
        fetch_in_the_clear(client, lab, server)


@pytest.mark.parametrize("config, is_clear", [(CONFIG, True), ("", False)])
def test_restarted_daemon_does_not_guess_where_tls_has_ended(make_lab, config, is_clear):
    """A client has its server's records look like anything."""
    with cleared_over_a_restart(make_lab, config, is_clear) as (lab, _, client):
        for _ in range(2):
            assert client.ask("PASV").startswith("227")
        assert lab.expectations() == []


def test_end_of_tls_that_is_guessed_opens_no_more_than_tls(make_lab):
    with make_lab(config=CONFIG) as lab:
        ScriptedServer(lab, tls="explicit", passive_ports=range(PORTS[-1] + 1, PORTS[-1] + 100))
        with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
            client.clear()
            assert client.ask("PASV").startswith("227")
            assert lab.expectations() == [] and lab.pasvd.counters()["no-range"] == 1


def test_clear_text_that_begins_while_no_daemon_runs_opens_nothing(scripted):
    """Nobody has seen that TLS has ended: a client has its server's records look like anything."""
    _, lab = scripted
    with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
        lab.pasvd.kill()
        client.clear()
        lab.start_pasvd()
        for _ in range(2):
            assert client.ask("PASV").startswith("227")
        assert lab.expectations() == []


def ccc_curl(action, trip, mode):
    argv, text = ftps_clients.curl_believing(action, trip, implicit=False)
    done = trip.namespace.run(*argv, "-v", "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", mode, check=False,
                              input=text or "")
    return done.stdout + done.stderr


# pure-ftpd waits for the client's own closing of TLS, which curl leaves out when it is passive.
@pytest.mark.parametrize("name, mode", [("proftpd-reuse", "passive"), ("proftpd-reuse", "active"),
                                        ("pure-ftpd", "active")])
@pytest.mark.parametrize("config", [CONFIG, ""], ids=["ports on demand", "none"])
def test_client_that_clears_the_control_connection(make_lab, visit, name, mode, config):
    """It believes the 227, and the server announces its private address. If there are ports on demand, most records pass by;
    else all are followed."""
    with make_lab(config=config) as lab:
        server = start(lab, name)
        trip = visit(lab, server)
        printed = ccc_curl("download", trip, mode)
        assert digest(trip.local) == sha256(server.content), printed
        assert re.search(r"227 .*\({}".format(lab.publics[0].replace(".", ",")), printed)


# The other modes.

REFUSE = "[tls]\nmode = refuse\n"
PASS = f"[tls]\npassive-ports = {PORTS[0]}-{PORTS[-1]}\nmode = pass\n"


@pytest.mark.parametrize("name", ["pyftpdlib", "vsftpd", "proftpd-reuse", "pure-ftpd"])
def test_refused_tls_leaves_clear_text_or_nothing(make_lab, visit, name):
    with make_lab(config=REFUSE) as lab:
        server = start(lab, name)
        trip = visit(lab, server)
        printed = ftps_clients.act("curl", "download", trip)
        assert "(64)" in printed and not trip.local.exists()    # CURLE_USE_SSL_FAILED
        check("curl", trip, server, act=with_tls_if_possible)
        assert lab.pasvd.counters()["tls-refused"] > 0


def with_tls_if_possible(client, action, trip):
    """And it believes the 227."""
    argv, text = getattr(clients, client)(action, trip)
    done = trip.namespace.run(*argv, "--ssl", "--insecure", check=False, input=text or "")
    return done.stdout + done.stderr


def test_refused_tls_is_a_command_that_the_server_does_not_know(make_lab):
    with make_lab(config=REFUSE) as lab:
        server = ScriptedServer(lab, tls="explicit")
        with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
            assert client.line().startswith("220")
            for word in ("AUTH TLS", "AUTH SSL", "auth tls-c", "AUTH GSSAPI"):
                assert client.ask(word).startswith("5")
            assert client.ask("NOOP").startswith("200")
        assert not [line for line in server.commands if line.upper().startswith(b"AUTH")]
        assert len(server.commands) == 5


def test_refused_for_one_server_only(make_lab):
    config = CONFIG + "mode = refuse for 10.77.1.2\n"
    with make_lab(servers=("10.77.0.2", "10.77.1.2"), forwards=((21, 0, 21), (2121, 1, 21)),
                  config=config) as lab:
        for number in range(2):
            ScriptedServer(lab, number, tls="explicit")
        for port, code in ((21, "234"), (2121, "500")):
            with RawClient(lab.clients[0], lab.publics[0], port=port, login=False) as client:
                assert client.line().startswith("220")
                assert client.ask("AUTH TLS").startswith(code)


def test_tls_that_only_passes_opens_nothing(make_lab):
    with make_lab(config=PASS) as lab:
        server = ScriptedServer(lab, tls="explicit")
        server.listen(PORT)
        with RawClient(lab.clients[0], lab.publics[0], tls="explicit") as client:
            assert lab.clients[0].scan(lab.publics[0], PORTS) == set()
            assert client.ask("NOOP").startswith("200")
        assert lab.pasvd.opened() == []


def forward_range(lab, server):
    """What an admin has who forwards the whole range to everybody."""
    if lab.firewall == "nft":
        ports = f"{PORTS[0]}-{PORTS[-1]}"
        lab.nft("table inet firewall {\nchain prerouting {\ntype nat hook prerouting priority dstnat;\n"
                f'iifname "wan" tcp dport {ports} dnat ip to {server.address}\n}}\nchain forward {{\n'
                f"ip daddr {server.address} tcp dport {ports} accept\n"
                f"ip saddr {server.address} tcp sport {ports} accept\n}}\n}}\n")
        return
    ports = f"{PORTS[0]}:{PORTS[-1]}"
    lab.iptables("-t", "nat", "-A", "PREROUTING", "-i", "wan", "-p", "tcp", "--dport", ports,
                 "-j", "DNAT", "--to-destination", server.address)
    lab.iptables("-A", "FORWARD", "-d", server.address, "-p", "tcp", "--dport", ports, "-j", "ACCEPT")
    lab.iptables("-A", "FORWARD", "-s", server.address, "-p", "tcp", "--sport", ports, "-j", "ACCEPT")


@pytest.mark.parametrize("config", [None, PASS], ids=["no-configuration", "pass"])
def test_forwarded_range_goes_on_as_it_was(make_lab, visit, config):
    with make_lab(config=config) as lab:
        server = start(lab)
        forward_range(lab, server)
        check("ftplib", visit(lab, server), server, act=ftps_clients.act)


# Active mode over TLS: the address in the PORT is the client's own, and nobody can open for it.

def lists_actively(trip, timeout=PATIENCE):
    with trip.namespace.inside(), ftps_clients.python_session(trip, timeout=PATIENCE) as ftp:
        ftp.set_pasv(False)
        ftp.timeout = timeout
        ftp.sock.settimeout(timeout)
        try:
            return "data.bin" in str(ftp.nlst("pub"))
        except OSError:
            ftp.close()     # no good-bye: the server still tries
            return False


def let_out(lab, server):
    """The server may connect to anybody, from the public address."""
    if lab.firewall == "nft":
        lab.nft("table inet firewall {\nchain forward {\n"
                f"ip saddr {server.address} meta l4proto tcp accept\n"
                f"ip daddr {server.address} meta l4proto tcp ct state established accept\n}}\nchain postrouting {{\n"
                f"ip saddr {server.address} snat ip to {lab.publics[0]}\n}}\n}}\n")
        return
    lab.iptables("-A", "FORWARD", "-s", server.address, "-p", "tcp", "-j", "ACCEPT")
    lab.iptables("-A", "FORWARD", "-d", server.address, "-p", "tcp", "-m", "conntrack",
                 "--ctstate", "ESTABLISHED", "-j", "ACCEPT")
    lab.iptables("-t", "nat", "-A", "POSTROUTING", "-s", server.address, "-j", "SNAT",
                 "--to-source", lab.publics[0])


def test_active_mode_over_tls_needs_a_way_out_for_the_server(make_lab, visit):
    with make_lab(config=CONFIG) as lab:
        server = start(lab)
        trip = visit(lab, server)
        assert not lists_actively(trip, timeout=IN_VAIN)
        assert lab.pasvd.opened() == []
        let_out(lab, server)
        assert lists_actively(trip)
