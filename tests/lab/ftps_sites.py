# SPDX-License-Identifier: GPL-2.0-or-later
"""ftps_sites.py - FTP servers over TLS as they are set up behind a router

Comes in:  nothing.
Goes out:  the servers to test with, their range of passive ports, and what pasvd
           is told of it.
"""

import servers

PORTS = range(60000, 60101)
PASSIVE_PORTS = f"{PORTS[0]}:{PORTS[-1]}"
IMPLICIT_PORT = 990
CONFIG = f"[tls]\npassive-ports = {PORTS[0]}-{PORTS[-1]}\nimplicit-ports = {IMPLICIT_PORT}\n"

# proftpd demands that sessions are resumed unless told otherwise; of vsftpd both are tried.
EXPLICIT = {"pyftpdlib": (servers.pyftpdlib, servers.Tls()),
            "vsftpd": (servers.vsftpd, servers.Tls()),
            "vsftpd-reuse": (servers.vsftpd, servers.Tls(reuse=True)),
            "proftpd-reuse": (servers.proftpd, servers.Tls(reuse=True)),
            "pure-ftpd": (servers.pure_ftpd, servers.Tls())}
IMPLICIT = {"pyftpdlib": (servers.pyftpdlib, servers.Tls(implicit=True)),
            "vsftpd": (servers.vsftpd, servers.Tls(implicit=True)),
            "proftpd": (servers.proftpd, servers.Tls(implicit=True))}


def start(lab, site, **options):
    """The server of a row above, behind the router of the lab."""
    make, tls = site
    port = IMPLICIT_PORT if tls.implicit else 21
    return make(lab, port=port, tls=tls, passive_ports=PASSIVE_PORTS, **options)
