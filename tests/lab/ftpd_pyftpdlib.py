# SPDX-License-Identifier: GPL-2.0-or-later
"""ftpd_pyftpdlib.py - an FTP server made of Debian's pyftpdlib

Comes in:  ADDRESS PORT ROOT MASQUERADE|- FIRST:LAST|-
Goes out:  nothing; runs until it is killed.  The user is lab, the password lab.
"""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main(address, port, root, masquerade, passive_ports):
    authorizer = DummyAuthorizer()
    authorizer.add_user("lab", "lab", root, perm="elradfmw")
    FTPHandler.authorizer = authorizer
    if masquerade != "-":
        FTPHandler.masquerade_address = masquerade
    if passive_ports != "-":
        first, last = passive_ports.split(":")
        FTPHandler.passive_ports = range(int(first), int(last) + 1)
    server = FTPServer((address, int(port)), FTPHandler, backlog=256)
    server.serve_forever()


main(*sys.argv[1:])
