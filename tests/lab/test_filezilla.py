# SPDX-License-Identifier: GPL-2.0-or-later
"""FileZilla itself, not only its way to negotiate: it lists the directory of a server behind the router."""

import contextlib

import pytest

import ftps_sites
import servers
from filezilla import FileZilla
from lab import IP4, IP6, wait_for

LISTED, FAILED = 'Directory listing of "/" successful', "Failed to retrieve directory listing"
VERBS = {IP4: "PASV", IP6: "EPSV"}


def look(lab, visit, server):
    """What FileZilla says until it has the directory, or has given up."""
    program = FileZilla(lab, visit(lab, server), server.tls)
    with contextlib.suppress(TimeoutError):     # then what it says tells how far it came
        wait_for(lambda: LISTED in program.log() or FAILED in program.log(), 60)
    return program.log()


def check(lab, said, verb):
    assert LISTED in said and f"Command: {verb}\n" in said, said
    assert "unroutable address" not in said     # it would have gone where it came from, whatever the 227 says
    assert len(lab.pasvd.opened()) == 1


@pytest.mark.daemon
@pytest.mark.parametrize("family", VERBS, ids=lambda family: family.name)
def test_filezilla_lists(make_lab, visit, family):
    with make_lab(family=family) as lab:
        check(lab, look(lab, visit, servers.vsftpd(lab)), VERBS[family])
        wait_for(lambda: "used" in [what for what, _ in lab.pasvd.ports()], 10, "use of the port")


@pytest.mark.daemon
@pytest.mark.parametrize("site", ["vsftpd-reuse", "proftpd-reuse"])
def test_filezilla_lists_over_tls(make_lab, visit, site):
    with make_lab(config=ftps_sites.CONFIG) as lab:
        said = look(lab, visit, ftps_sites.start(lab, ftps_sites.EXPLICIT[site]))
        assert LISTED in said and "TLS connection established" in said, said
        assert lab.pasvd.opened()


def test_filezilla_lists_nothing_when_nobody_follows(make_lab, visit):
    with make_lab(engine="none") as lab:
        said = look(lab, visit, servers.vsftpd(lab))
        assert FAILED in said and "Command: LIST" in said, said
