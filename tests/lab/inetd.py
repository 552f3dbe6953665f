# SPDX-License-Identifier: GPL-2.0-or-later
"""inetd.py - starts a program for each connection, which is its standard input and output

usage: inetd.py ADDRESS PORT PROGRAM [ARGUMENT...]
"""

import socket
import subprocess
import sys


def main(address, port, *argv):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, int(port)), family=family, backlog=128) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                subprocess.Popen(argv, stdin=connection, stdout=connection)


if __name__ == "__main__":
    main(*sys.argv[1:])
