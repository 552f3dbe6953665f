#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""crowd.py - what a session costs pasvd, and what many of them do to a packet

Comes in:  options, see --help.  Runs as root; needs the lab's packages.
Goes out:  a table in Markdown, what machine that was, and with --svg a plot.  Everything runs in
           network namespaces of this machine.

For each number of sessions one router is made, and a scripted server and its
clients hold that many sessions open.  Then each session in turn says NOOP.
  memory       that pasvd has in use (VmRSS), and the part of it that a session takes
  CPU          of pasvd for a NOOP and its answer: two packets; median of the rounds
               (lowest-highest)
  own          the part of it that is pasvd's own; the rest is the kernel's: the packets' way to and
               from the queue, and on to their receivers
  list         pasvctl sessions --json
  restart      from SIGKILL to the answer of the first session that speaks then

Limits: clients, router and server share the CPUs, whose caches are theirs as well.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
LAB = pathlib.Path(__file__).resolve().parents[1] / "lab"
sys.path.insert(0, str(LAB))

import lab as lab_module  # noqa: E402
import report  # noqa: E402

EACH = 18_000       # sessions of one pair of processes, which may have 20,000 descriptors
PORTS = range(2121, 2127)


def options():
    parser = argparse.ArgumentParser(description="What many sessions cost pasvd.")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 1000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--noops", type=int, default=5000, help="in each round")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="to which the plot is written")
    return parser.parse_args()


class Side:
    """One process of tests/lab/crowd.py."""

    def __init__(self, lab, namespace, *words):
        self.process = namespace.popen(sys.executable, LAB / "crowd.py", *words, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lab.on_exit(self.process.wait)
        lab.on_exit(self.process.kill)
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            sys.exit(f"crowd: {line!r} in place of {word}")

    def say_noops(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        self.expect("done")


def own_cpu_of(pid):
    """us, in steps of a tick"""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) * 1e6 / os.sysconf("SC_CLK_TCK")


def time_of(function, *arguments):
    """ms"""
    begin = time.monotonic()
    function(*arguments)
    return (time.monotonic() - begin) * 1e3


def dial(lab, sessions):
    """One side for each EACH sessions, with the share of all that is its own."""
    sides = []
    for place, port in enumerate(PORTS):
        count = min(EACH, sessions - place * EACH)
        if count > 0:
            words = ("dial", lab.publics[0], str(port), str(count))
            sides.append((Side(lab, lab.clients[0], *words), count / sessions))
    return sides


def cost_of_noop(lab, sides, noops):
    before = lab_module.cpu_of(lab.pasvd.pid)
    for side, share in sides:
        side.say_noops(round(noops * share))
    return (lab_module.cpu_of(lab.pasvd.pid) - before) * 1e6 / noops


def restart(lab, sides):
    lab.pasvd.kill()
    lab.start_pasvd()
    sides[0][0].say_noops(1)


def measure(sessions, rounds, noops):
    forwards = tuple((port, 0, port) for port in PORTS)
    with lab_module.Lab(forwards=forwards, servers=("10.77.0.2", )) as lab:
        lab.clients[0].sysctl("net.ipv4.ip_local_port_range", "1024 65535")
        for port in PORTS:
            Side(lab, lab.servers[0], "serve", lab.server_addresses[0], str(port))
        empty = lab_module.memory_of(lab.pasvd.pid)
        sides = dial(lab, sessions)
        cost_of_noop(lab, sides, sessions)      # the first one sets a mark
        memory = lab_module.memory_of(lab.pasvd.pid)
        own = own_cpu_of(lab.pasvd.pid)
        cpu = [cost_of_noop(lab, sides, noops) for _ in range(rounds)]
        own = (own_cpu_of(lab.pasvd.pid) - own) / (rounds * noops)
        words = (lab_module.PASVCTL, "-s", lab.control_socket, "sessions", "--json")
        listing = time_of(lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL))
        return empty, memory, cpu, own, listing, time_of(restart, lab, sides)


def row(sessions, empty, memory, cpu, own, listing, again):
    return (f"{sessions:,}", f"{memory / 1024:.1f} MB", f"{(memory - empty) * 1024 / sessions:.0f} B" if sessions > 1 else "-",
            f"{statistics.median(cpu):.1f} ({min(cpu):.1f}-{max(cpu):.1f}) µs", f"{own:.1f} µs",
            f"{listing / 1e3:.2f} s", f"{again / 1e3:.2f} s")


def main():
    chosen = options()
    machine = report.Machine()
    rows, cpu, own = [], {}, {}
    for sessions in chosen.sessions:
        found = measure(sessions, chosen.rounds, chosen.noops)
        cpu[sessions], own[sessions] = found[2], [found[3]]
        rows.append(row(sessions, *found))
        print(f"{sessions} sessions are measured", file=sys.stderr)
    head = ("sessions", "memory", "a session", "CPU", "own", "`pasvctl sessions`", "restart")
    print(report.table(head, rows), machine.describe(), sep="\n\n")
    if chosen.svg:
        plot = report.Plot("CPU of pasvd for a NOOP and its answer", "sessions", "µs",
                           {"all": cpu, "its own": own})
        chosen.svg.write_text(plot.svg())


if __name__ == "__main__":
    main()
