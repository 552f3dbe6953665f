#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench.py - what pasvd costs, beside direct forwarding, the in-kernel helper and a bare queue

Comes in:  options, see --help.  Runs as root, after ninja; needs the lab's packages.
Goes out:  tables, what machine that was, and with --svg a plot.  Everything runs in network
           namespaces of this machine.

Transfers.  A router stands for each engine, with a vsftpd behind it:
  direct      every port forwarded, no engine
  kernel-ftp  the in-kernel helper
  bare        the in-kernel helper, and pasvd's rules divert packets to bare.c,
              which accepts them: what any program behind NFQUEUE costs
  pasvd       the daemon; more builds of it may be given with --pasvd
A cell is a file size and a number of clients; a round visits every cell of
every engine, the engines of a cell right after each other and in an order that
turns from round to round.  So whatever else the machine does hits all of them
alike, and ratios are taken within a round.  A client is one session that does
PASV, RETR again and again (ftpload.c).
  transfers/s   of all clients together, median over the rounds
  of kernel, of bare, of direct   ratio in the same round, median (lowest-highest)
  PASV          from sending PASV to having its reply, median
  CPU           of the program behind the queue, per transfer
  calls         its system calls per transfer, in a round of their own; needs perf

Other traffic.  One flow of UDP through a router without and with the rules of
pasvd (flood.c), in turns; of some runs right after each other the fastest
counts.  The ratio of packets per second, median over the pairs (quartiles).
Also where raw and mangle are in use already, with nft two chains at the hooks of
pasvd's: a packet then goes through them anyway, and the rules of pasvd alone are
the difference.  What those cost without a rule in them is the floor.

Limits: clients, router and server share the CPUs, so the absolute figures are
about this machine.  On a machine that does other things, run it with nice -n -20.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import lab as lab_module  # noqa: E402
import report  # noqa: E402
import rules  # noqa: E402
import servers  # noqa: E402

PROGRAMS = lab_module.BUILD / "tests/bench"
BASES = {"kernel-ftp": "of kernel", "bare": "of bare", "direct": "of direct"}
SIZES = {"1 B": 1, "64 MiB": 64 << 20}
UDP_PORT = 9
STREAMS = (1, 4)    # of large files at the same time
BULK_SECONDS = 3    # of such a cell for each second of others: a file takes a part of a second
RUNS = 10          # of other traffic, of which the fastest counts
# The hooks that pasvd's rules need, without a rule. On top of that come those that a router has anyway, of nat and filter.
EMPTY = {"iptables": "*raw\n:PREROUTING ACCEPT\nCOMMIT\n*mangle\n:PREROUTING ACCEPT\nCOMMIT\n",
         "nft": "table inet empty {\n"
                "chain prerouting { type filter hook prerouting priority mangle + 10; }\n"
                "chain forward { type filter hook forward priority filter; }\n}\n"}


def options():
    parser = argparse.ArgumentParser(description="Compare engines that let FTP through a router.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1, help="per cell and round")
    parser.add_argument("--count", type=int, default=10000,
                        help="most transfers of one client per cell and round")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--engines", nargs="*", default=[*BASES, "pasvd"],
                        choices=[*BASES, "pasvd"])
    parser.add_argument("--no-bulk", action="store_true", help="no cells of large files")
    parser.add_argument("--pairs", type=int, default=30, help="of runs with other traffic")
    parser.add_argument("--packets", type=int, default=10000, help="of other traffic per run")
    parser.add_argument("--pasvd", nargs="+", type=pathlib.Path, default=[lab_module.PASVD],
                        metavar="BINARY", help="builds that are compared")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE",
                        help="to which a plot of the transfers is written; needs the engine bare")
    chosen = parser.parse_args()
    if chosen.pairs == 1:
        parser.error("--pairs 1: quartiles need two at least")
    return chosen


def use_build(pasvd):
    """The labs made from here on have this pasvd."""
    lab_module.PASVD = pasvd
    lab_module.RULES = (pasvd, "rules")


class Bare:
    """The engine that accepts everything, on the queue and with the rules of pasvd."""

    def __init__(self, lab):
        text = lab.shipped_text(0)
        text = re.sub(r"--helper \S+", "--helper ftp", text)
        lab.restore(re.sub(r"^-(I|A PREROUTING) .*\n", "", text, flags=re.M))     # the jumps are there
        queue = re.search(r"--queue-num (\d+)", text)[1]
        self.popen = lab.router.popen(*self.command(queue), stdout=subprocess.PIPE, text=True)
        lab.on_exit(self.stop)
        if self.popen.stdout.readline() != "ready\n":
            raise RuntimeError("bare is not ready")

    def command(self, queue):
        return (PROGRAMS / "bare", queue)

    @property
    def pid(self):
        return self.popen.pid

    def stop(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdout.close()


class Site:
    """A router with one engine, a server behind it, a client in front of it."""

    def __init__(self, name, engine, stack):
        self.name = name
        self.lab = stack.enter_context(lab_module.Lab(
            engine="pasvd" if engine == "bare" else engine, daemon=engine != "bare"))
        # thousands of transfers: what is over must not pile up
        self.lab.router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_time_wait", 2)
        self.program = self.start_program(engine)
        public = self.lab.publics[0]
        self.server = servers.vsftpd(self.lab, masquerade=public if engine == "direct" else None)
        for size in SIZES.values():
            self.server.add_file(f"pub/{size}", os.urandom(size))

    def start_program(self, engine):
        return Bare(self.lab) if engine == "bare" else self.lab.pasvd

    def program_cpu(self):
        """Seconds that the program's threads have run so far."""
        return lab_module.cpu_of(self.program.pid) if self.program else 0.0

    def start_client(self, size, seconds, count):
        return self.lab.clients[0].popen(
            PROGRAMS / "ftpload", self.lab.publics[0], "21", self.server.user, self.server.password,
            f"pub/{size}", seconds, count, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, size, clients, seconds, count, count_calls=False):
        """One cell: transfers per second, PASV round trip and CPU in seconds, system calls."""
        running = [self.start_client(size, seconds, count) for _ in range(clients)]
        try:
            return self._run_clients(running, size, count_calls)
        finally:
            for client in running:
                client.kill()
                client.wait()
                client.stdin.close()
                client.stdout.close()

    def _run_clients(self, running, size, count_calls):
        for client in running:
            if client.stdout.readline() != "ready\n":
                raise RuntimeError(f"{self.name}: a client could not log in")
        calls = CallCounter(self.program.pid) if count_calls else None
        before = self.program_cpu()
        for client in running:
            client.stdin.write("go\n")
            client.stdin.flush()
        results = [[int(word) for word in client.stdout.readline().split()] for client in running]
        used = self.program_cpu() - before
        if not all(len(result) == 4 and result[2] == result[0] * size for result in results):
            raise RuntimeError(f"{self.name}: a client failed: {results}")
        transfers = sum(result[0] for result in results)
        return {"transfers": transfers,
                "rate": sum(result[0] / (result[1] / 1e9) for result in results),
                "pasv": statistics.median(result[3] for result in results) / 1e9,
                "cpu": used / transfers,
                "calls": calls.stop() / transfers if calls else None}


class CallCounter:
    """Counts the system calls of a process; perf counts until its command ends."""

    def __init__(self, pid):
        self.popen = subprocess.Popen(
            ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", str(pid), "--", "cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.popen.stdin.write("counting\n")
        self.popen.stdin.flush()
        self.popen.stdout.readline()

    def stop(self):
        return int(self.popen.communicate()[1].split(",")[0])


def make_sites(arguments, stack):
    sites = []
    for engine in arguments.engines:
        builds = arguments.pasvd if engine == "pasvd" else arguments.pasvd[:1]
        for build in builds:
            use_build(build)
            sites.append(Site(engine if build == builds[0] else str(build), engine, stack))
    return sites


def run_rounds(sites, arguments):
    """{(size, clients): {name of the site: [measurement of each round]}}"""
    where = [("1 B", clients) for clients in arguments.clients]
    where += [] if arguments.no_bulk else [("64 MiB", streams) for streams in STREAMS]
    cells = {cell: {site.name: [] for site in sites} for cell in where}
    for turn in range(arguments.rounds):
        order = sites[turn % len(sites):] + sites[:turn % len(sites)]
        for (size, clients), found in cells.items():
            for site in order:
                seconds = arguments.seconds * (BULK_SECONDS if size == "64 MiB" else 1)
                found[site.name].append(site.measure(SIZES[size], clients, seconds, arguments.count))
        print(f"round {turn + 1} of {arguments.rounds}", file=sys.stderr)
    return cells


def count_calls(sites, cells, arguments):
    """{(size, clients, name of the site): system calls per transfer}"""
    return {(size, clients, site.name):
            site.measure(SIZES[size], clients, arguments.seconds, arguments.count, True)["calls"]
            for size, clients in cells for site in sites if site.program and shutil.which("perf")}


def spread(values):
    """Median, lowest and highest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def print_transfers(cells, calls):
    row = "{:>6} {:>7}  {:<11} {:>11}  " + "{:<17} " * len(BASES) + "{:>7} {:>6} {:>5}"
    print(row.format("file", "clients", "engine", "transfers/s", *BASES.values(), "PASV us", "CPU us",
                     "calls"))
    for (size, clients), found in cells.items():
        for name, rounds in found.items():
            ratios = [spread([mine["rate"] / base["rate"] for mine, base in zip(rounds, found[base_name])])
                      if base_name in found else "" for base_name in BASES]
            def median(key, rounds=rounds):
                return statistics.median(one[key] for one in rounds)
            number = calls.get((size, clients, name))
            print(row.format(size, clients, name, f"{median('rate'):.0f}", *ratios,
                             f"{median('pasv') * 1e6:.0f}", f"{median('cpu') * 1e6:.0f}",
                             "-" if number is None else f"{number:.1f}"))


def plot_transfers(cells, path):
    """What each engine makes of the rate of bare, in each cell."""
    names = {(size, clients): f"{size} x {clients}" for size, clients in cells}
    ratios = {}
    for cell, found in cells.items():
        for name, rounds in found.items():
            if name != "bare":
                ratios.setdefault(name, {})[names[cell]] = [
                    mine["rate"] / base["rate"] for mine, base in zip(rounds, found["bare"])]
    path.write_text(report.Plot("Transfers per second, of those of bare", "file and clients", "ratio",
                                ratios).svg())


class OtherTraffic:
    """A router with a few rules of its own, and a flow of UDP through it."""

    def __init__(self, stack, firewall, in_use=False):
        """In use: the hooks that pasvd's rules need are those of others as well."""
        self.lab = stack.enter_context(lab_module.Lab(engine="none"))
        self.lab.firewall = firewall
        self.empty = EMPTY[firewall] if in_use else ""
        server = self.lab.server_addresses[0]
        self.lab.clients[0].ip(f"route add {server}/32 via {self.lab.router_address}\n")
        with self.lab.servers[0].inside():
            sink = lab_module.socket.socket(lab_module.socket.AF_INET, lab_module.socket.SOCK_DGRAM)
        stack.callback(sink.close)
        sink.bind((server, UDP_PORT))
        self.flood = (PROGRAMS / "flood", server, UDP_PORT)

    def _own_rules(self):
        """As a router has them that does nothing for FTP."""
        self.lab.router.run("nft", "flush", "ruleset")
        if self.lab.firewall == "nft":
            self.lab.nft(rules.nft_firewall(self.lab, ["meta l4proto udp accept"]))
            self.lab.nft("add rule inet firewall postrouting oifname \"wan\" masquerade\n" + self.empty)
        else:
            self.lab.restore(self.empty + "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
                             "*filter\n-P FORWARD DROP\n-A FORWARD -p udp -j ACCEPT\nCOMMIT\n")

    def _load_shipped(self, build):
        """No packet of this flow gets to a queue, which the kernel may not have for nft."""
        use_build(build)
        if self.lab.firewall == "nft":
            self.lab.nft(re.sub(r"queue num \d+( bypass)?$", "accept", self.lab.shipped_text(0), flags=re.M))
        else:
            self.lab.shipped_rules("load")

    def _received(self):
        with self.lab.servers[0].inside():
            text = pathlib.Path("/proc/thread-self/net/snmp").read_text()
        udp = dict(zip(*(line.split() for line in text.splitlines() if line.startswith("Udp:"))))
        return int(udp["InDatagrams"]) + int(udp["RcvbufErrors"])

    def _run(self, packets):
        """Packets per second; 0 if some were lost, as they are if the machine leaves no time to receive them."""
        before = self._received()
        seconds = int(self.lab.clients[0].run(*self.flood, packets).stdout) / 1e9
        return packets / seconds if self._received() == before + packets else 0

    def rate(self, packets, build):
        """Packets per second, with the rules of a build of pasvd unless it is None."""
        self._own_rules()
        if build:
            self._load_shipped(build)
        best = max(self._run(packets) for _ in range(RUNS))
        if not best:
            raise RuntimeError("packets were lost in each run")
        return best


def other_traffic_pairs(stack, builds):
    """What is compared: where it is, and a router with a build's rules, or with hooks alone, and without."""
    pairs = {}
    for firewall in EMPTY:
        plain, in_use = OtherTraffic(stack, firewall), OtherTraffic(stack, firewall, in_use=True)
        for build in builds:
            pairs[firewall, str(build)] = ((plain, build), (plain, None))
            pairs[f"{firewall}, hooks in use", str(build)] = ((in_use, build), (in_use, None))
        pairs[firewall, "hooks, empty"] = ((in_use, None), (plain, None))
    return pairs


def measure_other_traffic(arguments):
    with contextlib.ExitStack() as stack:
        pairs = other_traffic_pairs(stack, arguments.pasvd)
        ratios = {names: [] for names in pairs}
        for turn in range(arguments.pairs):
            for names, pair in pairs.items():
                rate = [router.rate(arguments.packets, build) for router, build in pair[::1 if turn % 2 else -1]]
                ratios[names].append(rate[0] / rate[1] if turn % 2 else rate[1] / rate[0])
    print("\nother traffic, with these rules of that without:")
    for (where, build), found in ratios.items():
        quarter = statistics.quantiles(found, n=4)
        print(f"{where:>32} {statistics.median(found):.3f} ({quarter[0]:.3f}-{quarter[2]:.3f})  {build}")


def main():
    arguments = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    machine = report.Machine()
    if arguments.engines:
        with contextlib.ExitStack() as stack:
            sites = make_sites(arguments, stack)
            cells = run_rounds(sites, arguments)
            print_transfers(cells, count_calls(sites, cells, arguments))
            if arguments.svg:
                plot_transfers(cells, arguments.svg)
    if arguments.pairs:
        measure_other_traffic(arguments)
    print(f"\n{machine.describe()}")


if __name__ == "__main__":
    main()
