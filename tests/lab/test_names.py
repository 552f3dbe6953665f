# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of files, and servers' messages, that look like the reply to a PASV that is sent with the
command that shows them; and that a client which pipelines works all the same."""

import re

import pytest

import clients
from each_server import each_server
from scripted import RawClient, port_argument
from servers import SERVERS

pytestmark = pytest.mark.daemon

ORDINARY = 40022
QUOTED = {"PASV": lambda address: f"227 Entering Passive Mode ({port_argument((address, ORDINARY))}).",
          "EPSV": lambda _: f"229 Entering Extended Passive Mode (|||{ORDINARY}|)"}
# Before it, what may end the reply that shows it.
SHOWN = ["x\r\n211 End\r\n212 End\r\n213 End\r\n250 End\r\n257 End\r\n{}\r\n", "y\n{}\n"]
MESSAGES = [".message", ".banner", "README", "welcome.msg"]
COMMANDS = ["STAT /names", "STAT /names/{}", "MLST /names/{}", "CWD /names/{}", "PWD", "STAT", "CWD /messages{}",
            "CDUP", "CWD /names", "MDTM {}", "SIZE {}", "RMD {}", "DELE {}", "HELP", "SITE HELP"]


@pytest.fixture(scope="module")
def sites(make_lab):
    with each_server(make_lab) as sites:
        yield sites


@pytest.fixture(params=SERVERS)
def site(request, sites):
    return sites[request.param]


def show(server, number, text):
    """As the name of a folder, by a link to it, and as a message."""
    names, messages = server.root / "names", server.root / f"messages{number}"
    for folder in (names, names / text, messages):
        folder.mkdir(exist_ok=True)
    (names / f"{number}").unlink(missing_ok=True)
    (names / f"{number}").symlink_to(text)
    for name in MESSAGES:
        (messages / name).write_text(text)


def port_of(line):
    """That of a reply that announces one."""
    six = re.match(r"227.*\((?:\d+,){4}(\d+),(\d+)\)", line)
    extended = re.match(r"229.*\(\|\|\|(\d+)\|\)", line)
    return int(six[1]) * 256 + int(six[2]) if six else int(extended[1]) if extended else None


def read_until(client, is_last):
    lines = [client.line()]
    while not is_last(lines[-1]):
        lines.append(client.line())
    return lines


def log_in(client, server):
    for command in ("", f"USER {server.user}\r\n", f"PASS {server.password}\r\n"):
        client.send(command.encode())
        read_until(client, re.compile(r"\d{3} ").match)


@pytest.mark.parametrize("asked", QUOTED)
def test_reply_that_is_a_name_opens_nothing(site, asked):
    lab, server, dialled = site
    for number, form in enumerate(SHOWN):
        show(server, number, form.format(QUOTED[asked](server.address)))
    with server.namespace.listen(server.address, ORDINARY), \
            RawClient(lab.clients[0], lab.publics[0], dialled, login=False) as client:
        log_in(client, server)
        heard = []
        for command in (form.format(number) for number in range(len(SHOWN)) for form in COMMANDS):
            client.send(f"{command}\r\n{asked}\r\n".encode())
            heard += read_until(client, lambda line: port_of(line) not in (None, ORDINARY))
        assert ORDINARY in map(port_of, heard)      # else it was no attack
        assert lab.router.attempt(server.address, ORDINARY) == "open"
        assert lab.clients[0].is_shut(lab.publics[0], ORDINARY)


@pytest.mark.parametrize("passive", ["yes", "no"])
def test_lftp_that_pipelines_works(site, visit, passive):
    lab, server, dialled = site
    if server.name == "pyftpdlib" and passive == "no":
        return      # loses data with such a client, whatever is between them
    trip, before = visit(lab, server, port=dialled), lab.pasvd.counters()["opened"]
    for action in ("list", "download", "upload"):
        (*argv, script), _ = clients.lftp(action, trip, passive=passive)
        done = trip.namespace.run(*argv, "set ftp:sync-mode off; " + script)
        assert action != "list" or done.stdout.split() == [clients.REMOTE]
    assert trip.local.read_bytes() == (server.root / trip.remote_upload).read_bytes() == server.content
    assert lab.pasvd.counters()["opened"] == before + 3
