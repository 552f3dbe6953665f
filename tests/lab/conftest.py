# SPDX-License-Identifier: GPL-2.0-or-later
"""conftest.py - what the lab's tests share

--engine=kernel-ftp runs the tests against the in-kernel helper, which proves
the lab rather than pasvd; the tests about the daemon itself are then left out.
--firewall=nft, or FIREWALL=nft in the environment, has the rules for nft in place
of those for iptables; for tests that load no other rules than a Lab does.
CT_HELPER=own in the environment is for a kernel that has no helper sane (tests/kernels makes
it so), where pasvd has to choose its own; tests that hold with sane only are left out.
Exit status 77: not root, or no network namespaces here, so nothing was tested.
Anything else that is missing is a failure.
"""

import collections
import os
import pathlib
import signal
import sys
import threading

import pytest

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import clients  # noqa: E402
import lab as lab_module  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--engine", default="pasvd", choices=("pasvd", "kernel-ftp"),
                     help="what follows FTP on the router")
    parser.addoption("--firewall", default=os.environ.get("FIREWALL", "iptables"), choices=lab_module.FIREWALLS,
                     help="which of the shipped rules")


def pytest_sessionstart(session):
    # A killed run unwinds its labs as well.
    if threading.current_thread() is threading.main_thread():   # of xdist it may be another one
        signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))
    try:
        lab_module.Namespace("trial").close()
    except OSError as error:
        pytest.exit(f"the lab needs root and network namespaces: {error}", returncode=77)
    if os.environ.get("CT_HELPER") == "own" and lab_module.helper("pasvd") == "sane":
        pytest.exit("CT_HELPER=own, and the kernel has the helper sane", returncode=1)


def shares(item):
    """Whether it uses what other tests of its file use as well."""
    return any(fixture.scope == "module" for fixtures in item._fixtureinfo.name2fixturedefs.values() for fixture in fixtures)


def group(items):
    """With --dist loadgroup one process has all tests of a file that share something, and any process each of the others.
    The large groups come first, so that no process has a long one when the others have nothing left to do."""
    members = collections.Counter(item.path.stem for item in items if shares(item))
    for item in filter(shares, items):
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: -members[item.path.stem] if shares(item) else 0)


@pytest.hookimpl(tryfirst=True)     # before xdist looks at the groups
def pytest_collection_modifyitems(config, items):
    marks = set() if config.getoption("--engine") == "pasvd" else {"daemon"}
    if os.environ.get("CT_HELPER") == "own":
        marks.add("sane")
    if config.getoption("--firewall") != "nft":
        marks.add("nft")
    left_out = [item for item in items if any(map(item.get_closest_marker, marks))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    group(items)


@pytest.fixture(scope="session")
def engine(request):
    return request.config.getoption("--engine")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A failure comes with the logs of the labs that are there; one that the test leaves has printed its own."""
    report = (yield).get_result()
    if report.failed:
        report.sections += [("pasvd's log", lab.logged()) for lab in lab_module.Lab.entered]


@pytest.fixture(scope="session")
def common(request):
    """What all labs are given, unless they are told otherwise."""
    return {option: request.config.getoption(f"--{option}") for option in ("engine", "firewall")}


@pytest.fixture(scope="session")
def make_lab(common):
    """A function that makes a Lab with the engine under test, unless told otherwise."""
    def make(**options):
        return lab_module.Lab(**{**common, **options})
    return make


@pytest.fixture
def visit():
    """A function that makes a Visit to a server, by default of client 0 on port 21."""
    def make(lab, server, client=0, port=21, public=0):
        folder = lab.tmp / f"visit-{lab.next_number()}"
        folder.mkdir()
        return clients.Visit(lab.clients[client], lab.publics[public], port, server.user,
                             server.password, folder, folder.name)
    return make


@pytest.fixture
def visit_out():
    """A function that makes a Visit of a LAN client, by default of the first, to a server
    outside."""
    def make(lab, server, client=0):
        folder = lab.tmp / f"visit-{lab.next_number()}"
        folder.mkdir()
        return clients.Visit(lab.lan[client], server.address, server.port, server.user,
                             server.password, folder, folder.name)
    return make
