#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""delay.py - how much later a line of a control connection arrives than a packet that is not queued

Comes in:  the number of round trips.  Runs as root, after ninja; needs the lab's packages.
Goes out:  one line: the round trip of a NOOP and its reply by way of pasvd, and of one to the same server by a port
           that no rule of pasvd has; the ratio; and what the queue adds to each of the two packets.

The two sessions take turns, so whatever else the machine does hits both alike.  Medians, quartiles in parentheses.
"""

import argparse
import pathlib
import statistics
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import lab as lab_module  # noqa: E402
from scripted import RawClient, ScriptedServer  # noqa: E402

PLAIN = 2222


def forward(lab, server):
    """The plain port goes to the server, too."""
    to = f"{server.address}:{server.control_port}"
    lab.iptables("-t", "nat", "-I", "PREROUTING", "-p", "tcp", "--dport", PLAIN, "-j", "DNAT", "--to-destination", to)
    for side in "--ctorigdst", "--ctreplsrc":
        address = lab.publics[0] if side == "--ctorigdst" else server.address
        lab.iptables("-I", "FORWARD", "-p", "tcp", "-m", "conntrack", "--ctorigdstport", PLAIN, side, address,
                     "-j", "ACCEPT")


def round_trip(client):
    begin = time.perf_counter()
    client.ask("NOOP")
    return (time.perf_counter() - begin) * 1e6


def spread(values):
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.0f} ({low:.0f}-{high:.0f})"


def main():
    parser = argparse.ArgumentParser(description="Measure what the queue adds to the way of a packet.")
    parser.add_argument("--count", type=int, default=5000, help="of round trips")
    count = parser.parse_args().count
    with lab_module.Lab() as lab:
        server = ScriptedServer(lab)
        forward(lab, server)
        with RawClient(lab.clients[0], lab.publics[0]) as queued, \
                RawClient(lab.clients[0], lab.publics[0], port=PLAIN) as plain:
            before = lab.packets()[1]
            pairs = [(round_trip(queued), round_trip(plain)) for _ in range(count)]
            assert lab.packets()[1] - before >= 2 * count
    through, past = zip(*pairs)
    print(f"round trip: queued {spread(through)} us, not queued {spread(past)} us, "
          f"ratio {statistics.median(a / b for a, b in pairs):.2f}, "
          f"each packet {statistics.median((a - b) / 2 for a, b in pairs):.0f} us later")


if __name__ == "__main__":
    main()
