# SPDX-License-Identifier: GPL-2.0-or-later
"""Long sessions, many sessions, sessions over a bad way."""

import concurrent.futures
import ftplib
import os
import socket
import threading

import pytest

import clients
import servers
from lab import PATIENCE

SERVER_PORTS = range(50000, 50004)


def test_hundred_transfers_in_one_session(make_lab, visit):
    with make_lab(publics=("203.113.112.111",)) as lab:
        server = servers.pyftpdlib(lab)
        small = {f"pub/{n}": server.add_file(f"pub/{n}", os.urandom(5000 + n)) for n in range(100)}
        trip = visit(lab, server)
        with clients.python_session(trip) as ftp:
            for name, content in small.items():
                assert clients.download_bytes(ftp, trip, name) == content


def clashing_session(trip, everybody_has_a_port):
    """PASV, wait until all sessions hold their port, then download through it."""
    with trip.namespace.inside(), clients.python_session(trip) as ftp:
        ftp.voidcmd("TYPE I")
        host, port = ftp.makepasv()
        everybody_has_a_port.wait(timeout=PATIENCE)
        with trip.namespace.connect(host, port) as data:
            ftp.putcmd(f"RETR {clients.REMOTE}")
            content = b"".join(iter(lambda: data.recv(65536), b""))
        # 125 or 150, then 226; a server may leave the first one out
        while ftp.getresp()[0] == "1":
            pass
        return port, content


def test_eight_sessions_with_clashing_ports_all_transfer(make_lab, visit):
    """Two servers announce the same four ports, to the same client at the same time."""
    forwards = ((21, 0, 21), (2121, 1, 21))
    with make_lab(servers=("10.77.0.2", "10.77.1.2"), forwards=forwards) as lab:
        ports = f"{SERVER_PORTS[0]}:{SERVER_PORTS[-1]}"
        sites = [servers.pyftpdlib(lab, number, passive_ports=ports) for number in range(2)]
        trips = [(site, visit(lab, site, port=port)) for _ in range(4)
                 for site, port in zip(sites, (21, 2121))]
        barrier = threading.Barrier(len(trips))
        with concurrent.futures.ThreadPoolExecutor(len(trips)) as pool:
            running = [pool.submit(clashing_session, trip, barrier) for _, trip in trips]
            results = [future.result(timeout=PATIENCE) for future in running]
        for (site, _), (_, content) in zip(trips, results):
            assert content == site.content
        announced = [port for port, _ in results]
        assert len(set(announced)) == len(trips)
        assert len([port for port in announced if port not in SERVER_PORTS]) >= 4
        if lab.pasvd:
            moved = [line for line in lab.pasvd.opened()
                     if line["announced"].split(":")[1] != line["listener"].split(":")[1]]
            assert len(moved) >= 4


def through_a_bad_way(trip, server, files=4):
    """Only the transfers have to be right; a session that breaks is an error, too."""
    with trip.namespace.inside():
        ftp = clients.python_session(trip, timeout=PATIENCE)
        with ftp:
            assert ftp.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 536
            for number in range(files):
                assert clients.download_bytes(ftp, trip) == server.content
                clients.upload_bytes(ftp, trip, f"upload/{number}", server.content)
                assert (server.uploads / f"{number}").read_bytes() == server.content


@pytest.mark.parametrize("where", ["loss", "loss_behind"])
def test_transfers_survive_loss_with_small_segments(make_lab, visit, where):
    """Lost before the router, the engine has not seen it; behind, it sees it again."""
    addresses = {"publics": ("203.113.112.111",), "servers": ("10.7.0.2",)}
    with make_lab(mss=536, **{where: 0.05}, **addresses) as lab:
        server = servers.pyftpdlib(lab, size=60_000)
        through_a_bad_way(visit(lab, server), server)


def test_transfers_survive_loss_on_both_sides_when_replies_shrink(make_lab, visit):
    addresses = {"publics": ("9.9.9.9",), "servers": ("192.168.100.200",)}
    with make_lab(mss=536, loss=0.025, loss_behind=0.025, **addresses) as lab:
        server = servers.vsftpd(lab, size=60_000)
        through_a_bad_way(visit(lab, server), server)


def test_sessions_of_several_clients_do_not_mix(make_lab, visit):
    with make_lab(clients=3) as lab:
        server = servers.vsftpd(lab)
        trips = [visit(lab, server, client=number) for number in range(3)]
        sessions = [clients.python_session(trip) for trip in trips]
        for _ in range(5):
            for ftp, trip in zip(sessions, trips):
                assert clients.download_bytes(ftp, trip) == server.content
        for ftp in sessions:
            try:
                ftp.quit()
            except ftplib.Error as error:
                raise AssertionError("a session ended early") from error
