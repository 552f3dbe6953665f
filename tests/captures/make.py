#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make.py - makes the captures in this folder, and the reports on them

usage: make.py [reports]

Comes in:  $PASVD or build/pasvd; root, network namespaces and tests/lab/packages.sh
           for the captures, none of that for the reports alone.
Goes out:  NAME.pcap, each a session of a real client with a real server through
           the lab's router; and what "pasvd replay" says about them, which is for
           somebody to read before it is committed: tests/unit/check_capture.py compares
           with it.
"""

import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(TESTS / folder) for folder in ("unit", "lab", "support")]
import captures  # noqa: E402
import check_capture  # noqa: E402
import clients  # noqa: E402
import servers  # noqa: E402
from lab import IP6, Lab  # noqa: E402
from scripted import RawClient, eprt_argument, port_argument  # noqa: E402


def visit(lab, server, namespace, host):
    folder = lab.tmp / "visit"
    folder.mkdir()
    return clients.Visit(namespace, host, 21, server.user, server.password, folder, folder.name)


def outside():
    """No pasvd; before the router. One of each offer, two of them not to be opened."""
    with Lab(engine="none") as lab:
        server = servers.vsftpd(lab, size=1000)
        ours = lab.client_address()
        with captures.capture(lab.router, "wan", HERE / "outside.pcap"):
            with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
                client.line()
                for command in (f"USER {server.user}", "PASS secret@example.net", "PASV", "EPSV",
                                f"PORT {port_argument((ours, 50000))}",
                                f"EPRT {eprt_argument((ours, 50001))}",
                                f"PORT {port_argument(('192.0.2.9', 50002))}",
                                f"PORT {port_argument((ours, 80))}", "PASV", "QUIT"):
                    client.ask(command)


def both_sides():
    """With pasvd, and all interfaces of the router: each packet is there twice."""
    with Lab() as lab:
        server = servers.proftpd(lab, size=1000)
        with captures.capture(lab.router, "any", HERE / "both-sides.pcap", farewells=2):
            print(clients.act("curl", "download", visit(lab, server, lab.clients[0], lab.publics[0])))


def inside_ip6():
    """With pasvd, between router and server."""
    with Lab(family=IP6) as lab:
        server = servers.pure_ftpd(lab, size=1000)
        with captures.capture(lab.router, "lan0", HERE / "inside-ip6.pcap"):
            print(clients.act("curl-epsv", "download", visit(lab, server, lab.clients[0], lab.publics[0])))


def active_client():
    """With pasvd, between a client of the LAN and the router."""
    with Lab(servers=(), outside=1, lan=("192.168.100.200",)) as lab:
        server = servers.pyftpdlib(lab, size=1000)
        with captures.capture(lab.router, "lan", HERE / "active-client.pcap"):
            print(clients.act("curl-port", "upload", upload(visit(lab, server, lab.lan[0], server.address))))


def upload(trip):
    trip.local.write_bytes(b"x" * 1000)
    return trip


def reports():
    for name, (capture, options) in check_capture.REPORTS.items():
        done = check_capture.replay(*options, HERE / f"{capture}.pcap")
        (HERE / name).write_text(done.stdout)


if __name__ == "__main__":
    if sys.argv[1:] != ["reports"]:
        for make in (outside, both_sides, inside_ip6, active_client):
            make()
        for log in HERE.glob("*.log"):
            log.unlink()
    reports()
