# SPDX-License-Identifier: GPL-2.0-or-later
"""lab.py - clients, a strict router and servers in network namespaces

Comes in:  who is there (addresses of servers and clients, public addresses,
           forwarded control ports), how bad the way is (MSS, loss) and which
           engine follows FTP on the router.
Goes out:  a Lab, to be used with "with": namespaces that are wired up, the
           router's rules loaded, the daemon running.

    client 0 --+
    client 1 --+-- bridge -- wan [router] lan0 -- server 0
               ...                        lan1 -- server 1

A client has routes to the public addresses only, so a private address that
reaches it in a reply is unreachable at once.  The router's FORWARD policy is
DROP; whatever passes was let through by the engine's rules.

The namespaces have no names: file descriptors of this process hold them, and
every program started here is told to die with this process.  So runs do not
see each other, and nothing stays behind however a run ends.

Engines:
  pasvd       the shipped rules and the daemon
  kernel-ftp  the in-kernel helper "ftp" in place of both
  direct      every port forwarded, the server announces the public address
  blanket     every port forwarded, the server announces its own address
  none        the control ports forwarded and nothing else

Limits: needs root, IPv4 only, /24 towards the clients.
"""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
PASVD = pathlib.Path(os.environ.get("PASVD", BUILD / "pasvd"))
RULES = TOP / "iptables" / "pasvd-rules"

ENGINES = ("pasvd", "kernel-ftp", "direct", "blanket", "none")
HELPERS = {"pasvd": "sane", "kernel-ftp": "ftp"}

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def wait_for(predicate, timeout=5.0, what="condition"):
    """Poll until predicate() is true and return its value; fail at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(0.005)


def _check(status, what):
    if status != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


class Namespace:
    """A network namespace that lives as long as this object's descriptor."""

    def __init__(self, name):
        self.name = name
        self.fd = None
        failure = []

        def make():
            try:
                _check(_libc.unshare(CLONE_NEWNET), "unshare")
                self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                failure.append(error)

        # The thread takes the namespace and ends; the rest of us stays at home.
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]

    def close(self):
        os.close(self.fd)

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    @contextlib.contextmanager
    def inside(self):
        """This thread is in the namespace; sockets made here stay in it for good."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.setns(self.fd, CLONE_NEWNET), "setns")
            try:
                yield self
            finally:
                _check(_libc.setns(home, CLONE_NEWNET), "setns")
        finally:
            os.close(home)

    def command(self, argv, die_with_us=True):
        command = ["nsenter", f"--net={self.path}", "--"]
        if die_with_us:
            command += ["setpriv", "--pdeathsig", "KILL", "--"]
        return command + [str(word) for word in argv]

    def run(self, *argv, timeout=20, check=True, text=True, **options):
        """Run a program to its end; bounded."""
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(self.command(argv), timeout=timeout, text=text,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              errors="replace" if text else None, **options)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, argv))}: status "
                               f"{done.returncode}: {done.stderr}{done.stdout}")
        return done

    def popen(self, *argv, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.command(argv), **options)

    def ip(self, text):
        self.run("ip", "-batch", "-", input=text)

    def sysctl(self, key, value):
        with self.inside():
            pathlib.Path("/proc/sys/" + key.replace(".", "/")).write_text(f"{value}\n")

    def connect(self, address, port, timeout=5.0, source=None):
        with self.inside():
            return socket.create_connection((address, port), timeout=timeout,
                                            source_address=source)

    def listen(self, address, port=0, backlog=16):
        with self.inside():
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(backlog)
        return listener

    def attempt(self, address, port, timeout=1.0, source=None):
        """How a connection ends: "open", "refused" or "silence"."""
        try:
            self.connect(address, port, timeout, source).close()
        except (socket.timeout, TimeoutError):
            return "silence"
        except OSError:
            return "refused"
        return "open"


class Process:
    """A program in a namespace; killed together with all of its children."""

    def __init__(self, namespace, argv, log, env=None, cwd=None):
        self.log_path = pathlib.Path(log)
        # In a PID namespace of its own, nothing that it forks can outlive it.
        # The shell is that namespace's init: unlike a server, it never changes
        # its user, which would make the kernel forget --kill-child.
        argv = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--",
                "/bin/sh", "-c", '"$@"; exit $?', "sh", *argv]
        with open(self.log_path, "a+b") as out:
            # vsftpd complains on its standard input
            self.popen = namespace.popen(*argv, stdin=out, stdout=out, stderr=out, cwd=cwd,
                                         env={**os.environ, **(env or {})})

    def alive(self):
        return self.popen.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        if self.alive():
            self.popen.kill()
        self.popen.wait(timeout=10)


class Pasvd:
    """The daemon in the router's namespace; its log is a file."""

    def __init__(self, lab, args=(), prefix=(), start_timeout=10):
        number = lab.next_number()
        self.lab = lab
        self.log_path = lab.tmp / f"pasvd-{number}.log"
        notify_path = lab.tmp / f"notify-{number}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(notify_path))
            notify.setblocking(False)
            with open(self.log_path, "wb") as log:
                self.popen = lab.router.popen(
                    *prefix, PASVD, *args, stdout=log, stderr=log,
                    env={**os.environ, "NOTIFY_SOCKET": str(notify_path)})
            try:
                wait_for(lambda: self._is_ready(notify), start_timeout, "READY=1")
            except BaseException:
                self.kill()
                raise

    def _is_ready(self, notify):
        if self.popen.poll() is not None:
            raise RuntimeError(f"pasvd ended with {self.popen.returncode}: {self.log()}")
        try:
            return b"READY=1" in notify.recv(4096).split(b"\n")
        except BlockingIOError:
            return False

    @property
    def pid(self):
        return self.popen.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def opened(self):
        """The negotiated ports in the log: a list of dictionaries."""
        lines = [line for line in self.log().splitlines() if re.search(r"\bopen client=", line)]
        return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in lines]

    def counters(self):
        """What the daemon has counted so far: {reason: count}."""
        def lines():
            return re.findall(r"\bcounters\b(.*)", self.log())
        before = len(lines())
        self.popen.send_signal(signal.SIGUSR1)
        line = wait_for(lambda: lines()[before:], 5, "counters in the log")[0]
        return {key: int(value) for key, value in re.findall(r"(\S+)=(\d+)", line)}

    def kill(self):
        """SIGKILL, as the out-of-memory killer would."""
        self.popen.kill()
        self.popen.wait(timeout=10)

    def stop(self):
        """End it the regular way; it must do so with status 0 and no complaint."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        complaint = re.search(r"AddressSanitizer|LeakSanitizer|runtime error:", self.log())
        if complaint or self.popen.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"pasvd: status {self.popen.returncode}: {self.log()}")


class Lab:
    """See the head of this file.

    servers, publics: addresses as text.
    forwards: (port outside, number of the server, port of the server).
    mss: announced by both sides.
    loss: probability that a packet is lost on its way to the router;
    loss_behind: on its way from the router to either side.
    """

    def __init__(self, engine="pasvd", servers=("10.77.0.2",), publics=("203.0.113.1",),
                 clients=1, forwards=((21, 0, 21),), mss=None, loss=0.0, loss_behind=0.0,
                 daemon=True):
        assert engine in ENGINES, engine
        self.engine = engine
        self.server_addresses = list(servers)
        self.publics = list(publics)
        self.client_count = clients
        self.forwards = list(forwards)
        self.mss = mss
        self.loss = loss
        self.loss_behind = loss_behind
        self.daemon = daemon
        self.pasvd = None
        self._number = 0

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="pasvd-lab-"))
            stack.callback(shutil.rmtree, self.tmp, ignore_errors=True)
            self.tmp.chmod(0o755)  # servers read it without privileges
            self._stack = stack
            self._make_namespaces(stack)
            self._wire()
            self.load_rules()
            if self.engine == "pasvd" and self.daemon:
                self.start_pasvd()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        return self._stack.__exit__(*exc)

    def on_exit(self, function):
        """Call function when the lab is left; the last one first."""
        self._stack.callback(function)

    def next_number(self):
        self._number += 1
        return self._number

    def _make_namespaces(self, stack):
        def make(name):
            namespace = Namespace(name)
            stack.callback(namespace.close)
            namespace.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            return namespace
        self.switch = make("switch")
        self.router = make("router")
        self.clients = [make(f"client{i}") for i in range(self.client_count)]
        self.servers = [make(f"server{i}") for i in range(len(self.server_addresses))]

    def client_address(self, number=0):
        return f"198.51.100.{10 + number}"

    def _wire(self):
        self._wire_clients()
        self._wire_servers()
        self.router.ip("link set lo up\nlink set wan up\naddr add 198.51.100.1/24 dev wan\n"
                       + "".join(f"addr add {address}/32 dev wan\n" for address in self.publics))
        self._route_clients()
        self.router.sysctl("net.ipv4.ip_forward", 1)

    def _wire_clients(self):
        ports = ["wan0"] + [f"c{i}" for i in range(self.client_count)]
        text = "link set lo up\nlink add name hub type bridge\nlink set hub up\n"
        text += f"link add wan0 type veth peer name wan netns {self.router.path}\n"
        for port, client in zip(ports[1:], self.clients):
            text += f"link add {port} type veth peer name eth0 netns {client.path}\n"
        text += "".join(f"link set {port} master hub up\n" for port in ports)
        self.switch.ip(text)
        bridge_filter = pathlib.Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
        if bridge_filter.exists():
            self.switch.sysctl("net.bridge.bridge-nf-call-iptables", 0)

    def _route_clients(self):
        advmss = f" advmss {self.mss}" if self.mss else ""
        for number, client in enumerate(self.clients):
            text = ("link set lo up\nlink set eth0 up\n"
                    f"addr add {self.client_address(number)}/24 dev eth0\n")
            text += "".join(f"route add {address}/32 via 198.51.100.1{advmss}\n"
                            for address in self.publics)
            client.ip(text)

    def _wire_servers(self):
        """Point to point, so that a server's address can be any."""
        gateway = "10.255.255.1"
        advmss = f" advmss {self.mss}" if self.mss else ""
        for number, server in enumerate(self.servers):
            address = self.server_addresses[number]
            self.router.ip(f"link add lan{number} type veth peer name eth0 netns {server.path}\n"
                           f"link set lan{number} up\n"
                           f"addr add {gateway} peer {address} dev lan{number}\n")
            server.ip("link set lo up\nlink set eth0 up\n"
                      f"addr add {address} peer {gateway} dev eth0\n"
                      f"route add default via {gateway}{advmss}\n")

    # The router's rules.

    def load_rules(self):
        self.router.run("iptables", "-P", "FORWARD", "DROP")
        if self.engine == "pasvd":
            self.shipped_rules("load")
            for number in range(1, len(self.servers)):
                self._load_shipped_rules_under_another_name(number)
        else:
            self.restore(self._forward_rules())
        self._lose(self.loss, self.router)
        self._lose(self.loss_behind, *self.clients, *self.servers)

    def _lose(self, probability, *namespaces):
        """On arrival, before connection tracking: a wire that loses packets.

        Not in the router's FORWARD: a SYN that is dropped between connection
        tracking and POSTROUTING takes its expectation with it, and that is
        nothing that a wire does.
        """
        for namespace in namespaces if probability else ():
            namespace.run("iptables", "-t", "raw", "-A", "PREROUTING", "-m", "statistic",
                          "--mode", "random", "--probability", probability, "-j", "DROP")

    def rule_options(self, number):
        """What "pasvd rules" is told about a server."""
        ports = [f"{outside}:{inside}" if outside != inside else f"{outside}"
                 for outside, server, inside in self.forwards if server == number]
        return ["--wan", "wan", "--server", self.server_addresses[number],
                *(word for port in ports for word in ("--port", port))]

    def shipped_rules(self, action, *more):
        """Load or remove the rules for server 0, the way the project ships them."""
        self.router.run(RULES, action, *self.rule_options(0), *more,
                        env={**os.environ, "PASVD": str(PASVD)})

    def _load_shipped_rules_under_another_name(self, number):
        """One more server: the same rules, in chains of their own."""
        text = self.router.run(PASVD, "rules", *self.rule_options(number)).stdout
        self.restore(re.sub(r"\bPASVD\b", f"PASVD{number}", text))

    def restore(self, text):
        self.router.run("iptables-restore", "--noflush", input=text)

    def saved_rules(self):
        """iptables-save without what changes by itself: comments and counters."""
        text = self.router.run("iptables-save").stdout
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return [re.sub(r"\[\d+:\d+\]", "", line) for line in lines]

    def _forward_rules(self):
        """What the engines other than pasvd need."""
        raw, nat, forward = [], [], []
        for outside, number, inside in self.forwards:
            server = self.server_addresses[number]
            if self.engine == "kernel-ftp":
                raw.append(f"-A PREROUTING -i wan -p tcp --dport {outside} -j CT --helper ftp")
            nat.append(f"-A PREROUTING -i wan -p tcp --dport {outside} "
                       f"-j DNAT --to-destination {server}:{inside}")
            forward.append(f"-A FORWARD -d {server} -p tcp --dport {inside} "
                           f"-m conntrack --ctorigdstport {outside} -j ACCEPT")
            forward.append(f"-A FORWARD -s {server} -p tcp --sport {inside} "
                           f"-m conntrack --ctorigdstport {outside} -j ACCEPT")
            if self.engine in ("direct", "blanket"):
                nat.append("-A PREROUTING -i wan -p tcp --dport 1024:65535 "
                           f"-j DNAT --to-destination {server}")
                forward.append(f"-A FORWARD -d {server} -p tcp --dport 1024:65535 -j ACCEPT")
                forward.append(f"-A FORWARD -s {server} -p tcp --sport 1024:65535 -j ACCEPT")
        if self.engine == "kernel-ftp":
            forward.append("-A FORWARD -p tcp -m conntrack --ctstate RELATED,ESTABLISHED "
                           "-m helper --helper ftp -j ACCEPT")
        tables = {"raw": raw, "nat": nat, "filter": forward}
        return "".join(f"*{table}\n" + "".join(rule + "\n" for rule in rules) + "COMMIT\n"
                       for table, rules in tables.items() if rules)

    # The daemon and what it leaves in the kernel.

    def start_pasvd(self, args=()):
        """Start the daemon and wait until its queue is bound."""
        self.pasvd = Pasvd(self, args)
        self.on_exit(self.pasvd.stop)
        return self.pasvd

    def expectations(self):
        """What "conntrack -L expect" shows: a list of dictionaries."""
        text = self.router.run("conntrack", "-L", "expect").stdout
        found = []
        for line in text.splitlines():
            fields = re.findall(r"([\w-]+)=(\S+)", line)
            if fields:
                entry = {}
                for key, value in fields:
                    entry.setdefault(key, value)  # the tuple's ports come first
                found.append(entry)
        return found

    def connections(self, *options):
        return self.router.run("conntrack", "-L", *options).stdout.splitlines()
