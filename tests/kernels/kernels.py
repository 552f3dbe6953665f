#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kernels.py - runs tests on the kernels of Debian, each in a virtual machine

usage: kernels.py [--ci] [-j NUMBER] [-l LIST] [-t SECONDS] [NAME...]

Comes in:  the names of releases, by default all of RELEASES; in $BUILD (default:
           build/ at the top of the tree) pasvd and the platform programs, built.
           LIST names the tests; by default it is tests/kernels/list. With --ci only its
           lines that say so count.
Goes out:  a line for each kernel; in $BUILD/kernels/NAME/exchange the logs, and
           in $BUILD/kernels/report.xml one JUnit report of all.
           Exit status 0 only if on each kernel every test was run and passed, and the
           kernel had nothing to complain of.

The virtual machine has this machine's files, below a layer in memory: the same
tools, the same binaries, at the same paths. What its tests write goes with it.

Limits: amd64; root, so that all files can be read; emulated, so it is slow: about
ten times. One machine keeps one processor busy, and has one.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as tree

sys.dont_write_bytecode = True

import runs  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
HERE = TOP / "tests" / "kernels"
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build")).resolve()
KERNELS = BUILD / "kernels"
EMULATED = 5    # limits are multiplied by that once more

RELEASES = ("bookworm", "trixie", "trixie-backports")
LIMIT = 3600    # s, for one kernel
# Documentation/admin-guide/tainted-kernels.rst
TAINT_DIE = 1 << 7
TAINT_WARN = 1 << 9
FIRST_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")

# One processor: two that are emulated wait for each other, and take longer. An old one: what newer ones have is emulated, too.
QEMU = """qemu-system-x86_64 -M q35 -accel tcg,thread=single,tb-size=512 -cpu qemu64 -smp 1 -m 1024
-nodefaults -no-user-config -display none -serial stdio -no-reboot""".split()
# norandmaps: the emulator translates code once for each address at which it lies.
KERNEL_LINE = ("console=ttyS0 quiet panic=-1 mitigations=off nokaslr norandmaps random.trust_cpu=on "
               "rcupdate.rcu_expedited=1")


class Kernel:
    """An unpacked kernel, and what is exchanged with the machine that runs it."""

    def __init__(self, name, wanted):
        self.name = name
        self.wanted = wanted
        self.folder = KERNELS / name
        self.exchange = self.folder / "exchange"
        self.version = (self.folder / "version").read_text().strip()

    def make_initramfs(self):
        """busybox, init, and what is needed to see the host's files."""
        root = self.folder / "initramfs"
        shutil.rmtree(root, ignore_errors=True)
        for folder in ("bin", "modules"):
            (root / folder).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin")
        shutil.copy(HERE / "init", root)
        (root / "top").write_text(f"{TOP}\n")
        for number, module in enumerate(self.first_modules()):
            self.unpack_module(module, root / "modules" / f"{number:02}")
        files = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        image = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, input=files.encode(),
                               stdout=subprocess.PIPE, check=True).stdout
        (self.folder / "initramfs.img").write_bytes(image)

    def first_modules(self):
        """Their files, in the order in which they have to be loaded."""
        lines = subprocess.run(["/sbin/modprobe", "-a", "-d", self.folder, "-S", self.version,
                                "--show-depends", *FIRST_MODULES],
                               stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        paths = [line.split()[1] for line in lines if line.startswith("insmod ")]
        return list(dict.fromkeys(paths))

    @staticmethod
    def unpack_module(path, to):
        with open(to, "wb") as out:
            subprocess.run(["xz", "-dc", path] if path.endswith(".xz") else ["cat", path],
                           stdout=out, check=True)

    def make_exchange(self):
        shutil.rmtree(self.exchange, ignore_errors=True)
        self.exchange.mkdir()
        (self.exchange / "runs").write_text("".join(f"{run.line()}\n" for run in self.wanted))
        for run in self.wanted:
            (self.exchange / f"{run.name}.tests").write_text("".join(f"{test}\n" for test in run.tests))
        (self.exchange / "settings").write_text(f"export BUILD={shlex.quote(str(BUILD))}\n"
                                                f"export KERNEL={shlex.quote(str(self.folder))}\n"
                                                f"export SLOWNESS={EMULATED * float(os.environ.get('SLOWNESS', 1))}\n")

    def qemu(self):
        def share(tag, path, more=""):
            path = str(path).replace(",", ",,")
            return ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none{more}"]
        return [*QEMU, "-kernel", self.folder / "vmlinuz", "-initrd", self.folder / "initramfs.img",
                "-append", KERNEL_LINE, *share("host", "/", ",readonly=on,multidevs=remap"),
                *share("exchange", self.exchange)]

    def boot(self, limit):
        """Until the machine ends. @returns what is wrong with that, or None."""
        with open(self.exchange / "console.log", "wb") as console:
            try:
                subprocess.run(["setpriv", "--pdeathsig", "KILL", "--", *self.qemu()], timeout=limit,
                               check=True, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
            except subprocess.TimeoutExpired:
                return f"not at its end after {limit} s"
            except subprocess.CalledProcessError as error:
                return f"the emulator ended with status {error.returncode}"
        try:
            version, taints = ((self.exchange / name).read_text().strip() for name in ("end", "tainted"))
        except FileNotFoundError:
            return "the machine did not come to its end"
        if version != self.version:
            return f"the machine ran Linux {version}"
        if int(taints) & (TAINT_DIE | TAINT_WARN):
            return "the kernel found a fault in itself, see dmesg.log"
        return None

    def reports(self):
        """pytest's reports, named after the kernel; what did not end well has a failure in any case."""
        for run in self.wanted:
            name = f"{self.name} {run.name}"
            try:
                suite, = tree.parse(self.exchange / f"{run.name}.xml").getroot().iter("testsuite")
                status = int((self.exchange / f"{run.name}.status").read_text())
            except (FileNotFoundError, tree.ParseError, ValueError):
                yield failed_suite(name, f"pytest did not come to its end: {self.last_line(run)}")
                continue
            suite.set("name", name)
            yield suite
            if status != 0 and count([suite])[1] == 0:
                yield failed_suite(name, f"pytest's status is {status}: {self.last_line(run)}")

    def last_line(self, run):
        """What pytest printed last: of a test that hangs, its name."""
        with contextlib.suppress(FileNotFoundError, IndexError):
            return (self.exchange / f"{run.name}.log").read_text(errors="replace").splitlines()[-1]
        return "it was not begun"


def failed_suite(name, why):
    suite = tree.Element("testsuite", name=name, tests="1", errors="1", failures="0", skipped="0")
    tree.SubElement(tree.SubElement(suite, "testcase", name=name), "error", message=why)
    return suite


def count(suites):
    """(passed, failed, skipped)"""
    tests, errors, failures, skipped = (sum(int(suite.get(key, "0")) for suite in suites)
                                        for key in ("tests", "errors", "failures", "skipped"))
    return tests - errors - failures - skipped, errors + failures, skipped


def complaints(suite):
    """A line for each test that did not pass."""
    for case in suite.iter("testcase"):
        for kind in ("error", "failure", "skipped"):
            for found in case.findall(kind):
                why = (found.get("message") or "").strip().splitlines()
                yield f"{suite.get('name')}: {case.get('name')}: {kind}: {why[0] if why else ''}"


def fetch(name):
    """@returns whether the kernel is there, and all that is needed to run it."""
    environment = {**os.environ, "BUILD": str(BUILD)}
    return subprocess.run([HERE / "packages.sh", name], env=environment, check=False).returncode == 0


def run_on(name, wanted, limit):
    """All tests on one kernel; prints what came of them. @returns the reports."""
    start = time.monotonic()
    kernel = Kernel(name, wanted)
    kernel.make_initramfs()
    kernel.make_exchange()
    print(f"{name}: Linux {kernel.version} ...", flush=True)
    wrong = kernel.boot(limit)
    suites = list(kernel.reports())
    if wrong:
        suites.append(failed_suite(name, wrong))
    return tell(f"{name}: Linux {kernel.version}", suites, f" in {time.monotonic() - start:.0f} s",
                f"  logs: {kernel.exchange}")


def tell(what, suites, time_taken="", where=""):
    """Prints all at once: other kernels are at work meanwhile. @returns the reports."""
    passed, failed, skipped = count(suites)
    lines = [f"{what}: {passed} passed, {failed} failed, {skipped} skipped{time_taken}"]
    lines += [f"  {line}" for suite in suites for line in complaints(suite)]
    if where and (failed or skipped):
        lines.append(where)
    print("\n".join(lines), flush=True)
    return suites


def main():
    parser = argparse.ArgumentParser(description="Runs tests on the kernels of Debian.")
    parser.add_argument("--ci", action="store_true", help="only the lines of the list that say \"ci\"")
    parser.add_argument("-j", dest="at_once", type=int, metavar="NUMBER", default=1, choices=range(1, 9),
                        help="so many kernels at once; by default one after the other")
    parser.add_argument("-l", dest="list", type=pathlib.Path, default=HERE / "list", help="which tests")
    parser.add_argument("-t", dest="limit", type=int, metavar="SECONDS", default=LIMIT,
                        help=f"the time that each kernel has; by default {LIMIT}")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RELEASES))
    options = parser.parse_args()
    for name in options.names:
        if name not in RELEASES:
            parser.error(f"{name}: must be one of {', '.join(RELEASES)}")
    try:
        wanted = runs.read(options.list, options.ci)
    except (OSError, runs.ListError) as error:
        parser.error(str(error))
    names = options.names or RELEASES
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # this ends, and the emulators with it
    (KERNELS / "report.xml").unlink(missing_ok=True)
    report = tree.Element("testsuites")
    there = [name for name in names if fetch(name)]
    for name in names:
        if name not in there:
            report.extend(tell(name, [failed_suite(name, "could not be fetched, see above")]))
    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        for suites in pool.map(lambda name: run_on(name, wanted, options.limit), there):
            report.extend(suites)
    KERNELS.mkdir(exist_ok=True)
    tree.ElementTree(report).write(KERNELS / "report.xml")
    passed, failed, skipped = count(report)
    return 0 if passed and not failed and not skipped else 1


if __name__ == "__main__":
    sys.exit(main())
