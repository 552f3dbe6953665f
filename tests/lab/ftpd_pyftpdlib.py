# SPDX-License-Identifier: GPL-2.0-or-later
"""ftpd_pyftpdlib.py - an FTP server made of Debian's pyftpdlib

Comes in:  ADDRESS PORT ROOT MASQUERADE|- FIRST:LAST|- [explicit|implicit CERTIFICATE]
Goes out:  nothing; runs until it is killed.  The user is lab, the password lab.
"""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer


class PatientData(TLS_DTPHandler):
    """curl 7.88 begins the handshake before there is a command for the data connection, for
    which pyftpdlib 1.5.7 closes it."""

    def readable(self):
        return self._ssl_accepting or super().readable()


class ExplicitTls(TLS_FTPHandler):
    dtp_handler = PatientData


class ImplicitTls(ExplicitTls):
    """The greeting comes behind the handshake; the library has AUTH TLS only."""

    greeted = False

    def handle(self):
        self.secure_connection(self.ssl_context)

    def handle_ssl_established(self):
        if not self.greeted:
            self.greeted = True
            super().handle()


HANDLERS = {"plain": FTPHandler, "explicit": ExplicitTls, "implicit": ImplicitTls}


def main(address, port, root, masquerade, passive_ports, tls="plain", certificate=None):
    handler = HANDLERS[tls]
    handler.certfile = certificate
    handler.authorizer = DummyAuthorizer()
    handler.authorizer.add_user("lab", "lab", root, perm="elradfmw")
    if masquerade != "-":
        handler.masquerade_address = masquerade
    if passive_ports != "-":
        first, last = passive_ports.split(":")
        handler.passive_ports = range(int(first), int(last) + 1)
    FTPServer((address, int(port)), handler, backlog=256).serve_forever()


main(*sys.argv[1:])
