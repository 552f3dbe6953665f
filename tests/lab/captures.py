# SPDX-License-Identifier: GPL-2.0-or-later
"""captures.py - what passes an interface of the lab, as a file for "pasvd replay"

Comes in:  a namespace, a device ("any" is all of them) and a file.
Goes out:  the file, closed; it has at least the good-bye of one session.

Sessions that are captured have to end with QUIT: tcpdump is told to end when
the last reply is in the file, and not by the clock.
"""

import contextlib
import json
import pathlib
import signal
import subprocess

import lab as lab_module
from schema import validated

FAREWELL = b"221 "
# In immediate mode the kernel has room for as many packets as fit into the buffer at snapshot length.
ROOM = ("--immediate-mode", "--buffer-size=4096", "--snapshot-length=4096")


@contextlib.contextmanager
def capture(namespace, device, path, *options, expression="tcp port 21 or tcp port 2121", farewells=1):
    """tcpdump runs while the body does; the last `farewells` replies must have been seen."""
    path = pathlib.Path(path)
    log = path.with_suffix(".log")
    with open(log, "wb") as out:
        tcpdump = namespace.popen("tcpdump", "-U", *ROOM, "-n", "-Z", "root", "-i", device, "-w", path,
                                  *options, expression, stdout=out, stderr=out)
    try:
        lab_module.wait_for(lambda: b"listening on" in log.read_bytes(), 10, "tcpdump listens")
        yield path
        lab_module.wait_for(lambda: path.read_bytes().count(FAREWELL) >= farewells, 10, "the last reply")
    finally:
        tcpdump.send_signal(signal.SIGINT)
        tcpdump.wait(timeout=lab_module.PATIENCE)


def can_replay():
    """False for a build without libpcap or jansson."""
    done = subprocess.run([lab_module.PASVD, "replay"], capture_output=True, timeout=lab_module.PATIENCE)
    return b"built without" not in done.stderr


def replay(namespace, path, *options, arguments=()):
    """The report on a capture, as JSON."""
    done = namespace.run(lab_module.PASVD, *arguments, "replay", "--json", *options, path)
    return validated("replay", json.loads(done.stdout))


def opened(report):
    """What was opened, in the words of the daemon's log."""
    return [{"client": connection["client"], "server": connection["server"],
             "announced": event["announced"], "listener": event["listener"]}
            for connection in report["connections"]
            for event in connection["events"] if event["event"] == "open"]
