#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""measure.py - what is left for the queue if a BPF program lets harmless lines pass by it

Comes in:  options of bench.py.  Runs as root; needs clang, and the headers of libbpf, libmnl and
           libnetfilter_queue; bench.py's programs are built.
Goes out:  the table of bench.py for bare and for classified.c; packets in the queue and lines that
           passed by, per transfer.

Limits: a prototype (docs/performance.md), of IPv4 and iptables; nothing of it is installed.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import bench  # noqa: E402

WARNINGS = ("-O2", "-g", "-Wall", "-Wextra", "-Werror")
LIBRARIES = ("-lbpf", "-lmnl", "-lnetfilter_queue")


def build(folder):
    machine = os.uname().machine
    subprocess.run(["clang", *WARNINGS, "-mcpu=v3", "-target", "bpf", f"-I/usr/include/{machine}-linux-gnu", "-c",
                    HERE / "classifier.bpf.c", "-o", folder / "classifier.bpf.o"], check=True)
    subprocess.run(["cc", *WARNINGS, "-D_GNU_SOURCE", HERE / "classified.c", "-o", folder / "classified", *LIBRARIES],
                   check=True)


class Classified(bench.Bare):
    """As bare, and lines that the classifier knows pass by the queue."""

    def __init__(self, lab, folder):
        self.lab, self.folder, self.pin = lab, folder, folder / "bpf" / f"{id(self)}"
        super().__init__(lab)
        lab.router.run("iptables", "-w", "-t", "mangle", "-I", "PASVD", "-p", "tcp", "-m", "conntrack", "--ctstate",
                       "ESTABLISHED", "-m", "bpf", "--object-pinned", self.pin, "-j", "RETURN")

    def command(self, queue):
        return (self.folder / "classified", queue, self.folder / "classifier.bpf.o", self.pin)

    def stop(self):
        self.popen.terminate()
        self.popen.wait()
        self.counted = [int(word) for word in self.popen.stdout.read().split()]
        self.popen.stdout.close()


class ClassifiedSite(bench.Site):
    """Counts the transfers that the numbers of its program are for."""

    def __init__(self, folder, stack):
        self.transfers = 0
        self.folder = folder
        super().__init__("classified", "bare", stack)

    def start_program(self, engine):
        return Classified(self.lab, self.folder)

    def measure(self, *words, **options):
        found = super().measure(*words, **options)
        self.transfers += found["transfers"]
        return found


def main():
    arguments = bench.options()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as outside:
        folder = pathlib.Path(name)
        build(folder)
        (folder / "bpf").mkdir()
        subprocess.run(["mount", "-t", "bpf", "bpf", folder / "bpf"], check=True)
        outside.callback(subprocess.run, ["umount", folder / "bpf"], check=True)
        with contextlib.ExitStack() as stack:
            site = ClassifiedSite(folder, stack)
            sites = [bench.Site("bare", "bare", stack), site]
            cells = bench.run_rounds(sites, arguments)
            bench.print_transfers(cells, bench.count_calls(sites, cells, arguments))
        packets, passed = site.program.counted
        print(f"\nper transfer: {packets / site.transfers:.2f} packets in the queue, {passed / site.transfers:.2f} lines by it")


main()
