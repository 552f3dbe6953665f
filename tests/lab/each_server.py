# SPDX-License-Identifier: GPL-2.0-or-later
"""each_server.py - one lab with a server of each kind

Comes in:  a function that makes a Lab, and what it is given beside addresses and ports.
Goes out:  {name: Site}.
"""

import contextlib
import typing

from lab import Lab
from servers import SERVERS, Server

FIRST_PORT = 2100


class Site(typing.NamedTuple):
    lab: Lab
    server: Server
    dialled: int    # its control port outside


@contextlib.contextmanager
def each_server(make_lab, **options):
    addresses = [f"10.77.0.{2 + number}" for number in range(len(SERVERS))]
    forwards = [(FIRST_PORT + number, number, 21) for number in range(len(SERVERS))]
    with make_lab(servers=addresses, forwards=forwards, **options) as lab:
        yield {name: Site(lab, start(lab, number), FIRST_PORT + number)
               for number, (name, start) in enumerate(SERVERS.items())}
