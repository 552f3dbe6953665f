#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""memory.py - the daemon's memory does not grow, however many sessions there were

usage: memory.py MINUTES

Comes in:  the daemon in $PASVD; the lab.
Goes out:  a line a minute: seconds, sessions, kB that all of the daemon's processes have asked for, and kB that are
           resident. Exit status 0 only if in the last quarter of the time they have asked for no more than GROWTH_MAX
           above what it was in the second. Resident memory grows until each place in the tables has been used once,
           and is bounded by the other.
"""

import itertools
import pathlib
import re
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
import clients  # noqa: E402
import lab as lab_module  # noqa: E402
import servers  # noqa: E402

GROWTH_MAX = 256    # kB
# Each second session leaves a port that nobody uses: of these a client may have 300.
SHORT = "[pasvd]\nexpect-timeout = 1\n[limits]\nopen-ports-per-client = 2000\n"


def family(pid):
    """The process and all that it made."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *itertools.chain.from_iterable(map(family, children))]


def memory(pid):
    """(asked for, resident) in kB"""
    texts = [pathlib.Path(f"/proc/{each}/status").read_text() for each in family(pid)]
    return [sum(int(re.search(rf"^{key}:\s+(\d+) kB", text, re.M)[1]) for text in texts) for key in ("VmSize", "VmRSS")]


def session(lab, visit, in_order):
    """Login, a transfer and a port that nobody uses; then an end as it should be, or none."""
    with visit.namespace.inside():
        ftp = clients.python_session(visit)
        clients.download_bytes(ftp, visit)
        ftp.makepasv()
        if in_order:
            ftp.quit()
        else:
            ftp.close()


def watch(seconds):
    """@returns (time, kB that were asked for) after each session."""
    samples, told = [], 0
    with lab_module.Lab(servers=("192.168.1.10",), config=SHORT) as lab:
        server = servers.pyftpdlib(lab)
        visit = clients.Visit(lab.clients[0], lab.publics[0], 21, server.user, server.password, lab.tmp, "")
        begin = time.monotonic()
        while not samples or samples[-1][0] < seconds:
            session(lab, visit, in_order=len(samples) % 2)
            now = time.monotonic() - begin
            size, resident = memory(lab.pasvd.popen.pid)
            samples.append((now, size))
            if now >= told:
                print(f"{now:.0f} s, {len(samples)} sessions, {size} kB, {resident} kB resident", flush=True)
                told = now + 60
    return samples


def main():
    seconds = float(sys.argv[1]) * 60
    samples = watch(seconds)
    before = max(kib for when, kib in samples if when < seconds / 2)
    after = max(kib for when, kib in samples if when >= seconds * 3 / 4)
    print(f"{len(samples)} sessions: {before} kB, then {after} kB")
    return 0 if after <= before + GROWTH_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
