#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench.py - pasvd beside direct forwarding and the in-kernel helper

Comes in:  options, see --help.  Runs as root; needs the lab's packages and cc.
Goes out:  a table.  Everything runs in network namespaces of this machine.

Three routers stand at the same time, one per engine, each with a vsftpd
behind it.  A cell is a file size and a number of clients; a round visits every
cell of every engine, the engines of a cell right after each other and in an
order that turns from round to round.  So whatever else the machine does hits
all of them alike, and ratios are taken within a round.

A client is one session that does PASV, RETR again and again (ftpload.c).
  transfers/s   of all clients together, median over the rounds
  ratio         to the in-kernel helper in the same round, median (lowest-highest)
  PASV          from sending PASV to having its reply, median
  daemon CPU    of all its threads, per transfer

Limits: clients, router and server share the CPUs, so the absolute figures are
about this machine; it is bounded by --seconds and --count per cell and round.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import lab as lab_module  # noqa: E402
import servers  # noqa: E402

ENGINES = ("direct", "kernel-ftp", "pasvd")
BASE = "kernel-ftp"
SIZES = {"1 B": 1, "64 KiB": 65536}


def options():
    parser = argparse.ArgumentParser(description="Compare engines that let FTP through a router.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1, help="per cell and round")
    parser.add_argument("--count", type=int, default=10000,
                        help="most transfers of one client per cell and round")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    return parser.parse_args()


def build_client(folder):
    binary = folder / "ftpload"
    subprocess.run(["cc", "-std=gnu11", "-O2", "-o", binary, HERE / "ftpload.c"], check=True)
    return binary


class Site:
    """A router with one engine, a server behind it, a client in front of it."""

    def __init__(self, engine, stack):
        self.engine = engine
        self.lab = stack.enter_context(lab_module.Lab(engine=engine))
        # thousands of transfers: what is over must not pile up
        self.lab.router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_time_wait", 2)
        public = self.lab.publics[0]
        self.server = servers.vsftpd(self.lab, masquerade=public if engine == "direct" else None)
        for size in SIZES.values():
            self.server.add_file(f"pub/{size}", os.urandom(size))

    def daemon_cpu(self):
        """Seconds that the daemon's threads have run so far."""
        if not self.lab.pasvd:
            return 0.0
        tasks = pathlib.Path(f"/proc/{self.lab.pasvd.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def start_client(self, binary, size, seconds, count):
        return self.lab.clients[0].popen(
            binary, self.lab.publics[0], "21", self.server.user, self.server.password,
            f"pub/{size}", seconds, count, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, binary, size, clients, seconds, count):
        """One cell: transfers per second, PASV round trip and daemon CPU in seconds."""
        running = [self.start_client(binary, size, seconds, count) for _ in range(clients)]
        try:
            return self._run_clients(running, size)
        finally:
            for client in running:
                client.kill()
                client.wait()
                client.stdin.close()
                client.stdout.close()

    def _run_clients(self, running, size):
        for client in running:
            if client.stdout.readline() != "ready\n":
                raise RuntimeError(f"{self.engine}: a client could not log in")
        before = self.daemon_cpu()
        for client in running:
            client.stdin.write("go\n")
            client.stdin.flush()
        results = [[int(word) for word in client.stdout.readline().split()] for client in running]
        used = self.daemon_cpu() - before
        if not all(len(result) == 4 and result[2] == result[0] * size for result in results):
            raise RuntimeError(f"{self.engine}: a client failed: {results}")
        transfers = sum(result[0] for result in results)
        return {"rate": sum(result[0] / (result[1] / 1e9) for result in results),
                "pasv": statistics.median(result[3] for result in results) / 1e9,
                "cpu": used / transfers}


def run_rounds(sites, binary, arguments):
    """{(size, clients): {engine: [measurement of each round]}}"""
    cells = {(size, clients): {site.engine: [] for site in sites}
             for size in SIZES for clients in arguments.clients}
    for turn in range(arguments.rounds):
        order = sites[turn % len(sites):] + sites[:turn % len(sites)]
        for (size, clients), found in cells.items():
            for site in order:
                found[site.engine].append(site.measure(binary, SIZES[size], clients,
                                                       arguments.seconds, arguments.count))
        print(f"round {turn + 1} of {arguments.rounds}", file=sys.stderr)
    return cells


def ratios(found, engine, key):
    """Median, lowest and highest of the ratios to the base, round by round."""
    if BASE not in found:
        return ""
    each = [mine[key] / base[key] for mine, base in zip(found[engine], found[BASE])]
    return f"{statistics.median(each):.2f} ({min(each):.2f}-{max(each):.2f})"


def print_table(cells):
    row = "{:>7} {:>8}  {:<11} {:>11}  {:<18} {:>10}  {:<18} {:>11}"
    print(row.format("file", "clients", "engine", "transfers/s", "ratio", "PASV us", "ratio",
                     "daemon us"))
    for (size, clients), found in cells.items():
        for engine, rounds in found.items():
            def median(key, scale=1.0, rounds=rounds):
                return statistics.median(one[key] for one in rounds) * scale
            cpu = f"{median('cpu', 1e6):.1f}" if engine == "pasvd" else "-"
            print(row.format(size, clients, engine, f"{median('rate'):.0f}",
                             ratios(found, engine, "rate"), f"{median('pasv', 1e6):.0f}",
                             ratios(found, engine, "pasv"), cpu))


def main():
    arguments = options()
    with contextlib.ExitStack() as stack:
        sites = [Site(engine, stack) for engine in arguments.engines]
        binary = build_client(sites[0].lab.tmp)
        cells = run_rounds(sites, binary, arguments)
    print_table(cells)


main()
