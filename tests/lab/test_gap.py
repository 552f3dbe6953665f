# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes beyond a gap is dropped, however often it comes: else what fills the gap could be taken
for a repetition, and the whole pass unread."""

import pytest

from rawtcp import ACK, PSH, RawTcp, free_port
from scripted import ScriptedServer

pytestmark = pytest.mark.daemon

COPIES = 6
STRICT = "[strict]\nbad-offer = refuse\nspoofed-reply = refuse\n[tls]\nmode = refuse\n"
REFUSED = [b"PORT 192,0,2,99,0,25\r\n", b"EPRT |1|192.0.2.99|25|\r\n", b"AUTH TLS\r\n",
           b"LPRT 4,4,192,0,2,99,2,0,25\r\n", b"LPSV\r\n", b"227 Entering Passive Mode (192,0,2,99,0,25)\r\n"]


@pytest.fixture(scope="module")
def site(make_lab):
    with make_lab(config=STRICT) as lab:
        yield lab, ScriptedServer(lab)


@pytest.mark.parametrize("command", REFUSED, ids=lambda command: command[:4].decode())
def test_command_of_which_the_end_comes_first_is_refused(site, command):
    lab, server = site
    with RawTcp(lab.clients[0], lab.client_address(), lab.publics[0], source_port=free_port(lab)) as client:
        for line in (b"", b"USER lab\r\n", b"PASS lab\r\n"):
            client.ask(line)
        server.commands.clear()
        before = lab.pasvd.counters()["reordered"]
        for _ in range(COPIES):
            client.stray(1, command[1:])
        for part in (command[:1], command[1:]):     # as TCP repeats it
            client.segment(PSH | ACK, part)
        assert client.reply().startswith(b"500 ")
        assert len(server.commands) == 1
        assert b"XX" in server.commands[0] and len(server.commands[0]) == len(command)
        assert lab.pasvd.counters()["reordered"] == before + COPIES
