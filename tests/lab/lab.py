# SPDX-License-Identifier: GPL-2.0-or-later
"""lab.py - clients, a strict router and servers in network namespaces

Comes in:  who is there (family and addresses of servers and clients, public
           addresses, forwarded control ports), how bad the way is (MSS, loss)
           and which engine follows FTP on the router.
Goes out:  a Lab, to be used with "with": namespaces that are wired up, the
           router's rules loaded, the daemon running.

    client 0 --+
    client 1 --+-- bridge -- wan [router] lan0 -- server 0
    server 2 --+                          lan1 -- server 1
               ...                         lan -- bridge --+-- LAN client 0
                                                           +-- LAN client 1

A client has routes to the public addresses only, so a private address that
reaches it in a reply is unreachable at once.  The same holds for a server
outside.  LAN clients may go anywhere; outside they are seen with an address
of the router.  Nobody has a default route but servers, so look-ups of names
fail at once.  The router's FORWARD policy is DROP; whatever passes was let
through by the engine's rules.

The namespaces have no names: file descriptors of this process hold them, and
every program started here is told to die with this process.  So runs do not
see each other, and nothing stays behind however a run ends.

The shipped rules are those for iptables, or those for nft; then the router's
own rules are of nft, too, and what they let through is what the shipped ones say
of it.

Engines:
  pasvd       the shipped rules and the daemon
  kernel-ftp  the in-kernel helper "ftp" in place of both
  direct      every port forwarded, the server announces the public address
  blanket     every port forwarded, the server announces its own address
  none        the control ports forwarded and nothing else

Limits: needs root, one family at a time.
"""

import contextlib
import ctypes
import dataclasses
import errno
import functools
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import rules

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
PASVD = pathlib.Path(os.environ.get("PASVD", BUILD / "pasvd"))
PASVCTL = PASVD.parent / "pasvctl"
RULES = (PASVD, "rules")

# A daemon of a test build: at its end the leak checker would make a process, which the daemon forbids itself.
os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")

ENGINES = ("pasvd", "kernel-ftp", "direct", "blanket", "none")
FIREWALLS = ("iptables", "nft")

# Deadlines for what has to come are that many times later: for a machine that is slow as a rule.
SLOWNESS = float(os.environ.get("SLOWNESS", "1"))
PATIENCE = 120 * SLOWNESS   # seconds for what has to come: only a failure takes so long
IN_VAIN = 0.15              # seconds for what is not to come, see turns()
TURN = 0.01                 # seconds, see turns()


@dataclasses.dataclass(frozen=True)
class Family:
    """What differs between IPv4 and IPv6."""
    name: str               # as ip(8) and conntrack(8) call it
    socket: int
    iptables: str
    outside: str            # the network around the router, without the host's number
    outside_bits: int
    host_bits: int
    gateway: str            # of servers and LAN clients
    public: str
    server: str


IP4 = Family("ipv4", socket.AF_INET, "iptables", "198.51.100.", 24, 32, "10.255.255.1",
             "203.0.113.1", "10.77.0.2")
IP6 = Family("ipv6", socket.AF_INET6, "ip6tables", "2001:db8:51::", 64, 128, "fd00:ffff::1",
             "2001:db8:113::1", "fd77::2")

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def wait_for(predicate, timeout=0, what="condition"):
    """Poll until predicate() is true and return its value; fail when patience ends, or the timeout if that is later."""
    timeout = max(timeout * SLOWNESS, PATIENCE)
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(0.005)


@functools.cache
def helper(engine):
    """The helper that control connections carry."""
    if engine != "pasvd":
        return rules.HELPERS[engine]
    return subprocess.run([PASVD, "ct-helper"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _check(status, what):
    if status != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def ends_with_us(argv):
    return ["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)]


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

    def run(self, *argv, timeout=0, check=True, text=True, **options):
        """Run a program to its end; bounded."""
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        with self.inside():
            done = subprocess.run(ends_with_us(argv), timeout=max(timeout * SLOWNESS, PATIENCE), text=text,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  errors="replace" if text else None, **options)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, argv))}: status "
                               f"{done.returncode}: {done.stderr}{done.stdout}")
        return done

    def popen(self, *argv, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        with self.inside():
            return subprocess.Popen(ends_with_us(argv), **options)

    def ip(self, text):
        self.run("ip", "-batch", "-", input=text)

    def sysctl(self, key, value):
        with self.inside():
            pathlib.Path("/proc/sys/" + key.replace(".", "/")).write_text(f"{value}\n")

    def counter(self, name):
        """One of the kernel's, as "nstat" has them, without its prefix."""
        with self.inside():
            lines = [line.split() for kind in ("snmp", "netstat")
                     for line in pathlib.Path(f"/proc/thread-self/net/{kind}").read_text().splitlines()]
        return next(int(values[names.index(name)]) for names, values in zip(lines[::2], lines[1::2]) if name in names)

    def tcp_socket(self, address):
        """A TCP socket of the address' family that stays in the namespace."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.inside():
            sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return sock

    def connect(self, address, port, timeout=PATIENCE, source=None):
        sock = self.tcp_socket(address)
        try:
            sock.settimeout(timeout)
            if source:
                sock.bind(source)
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def listen(self, address, port=0, backlog=16):
        listener = self.tcp_socket(address)
        listener.bind((address, port))
        listener.listen(backlog)
        return listener

    def attempt(self, address, port, timeout=1.0, source=None):
        """How a connection ends: "open", "refused" or "silence". Of a port that has to be open."""
        try:
            self.connect(address, port, timeout * SLOWNESS, source).close()
        except (socket.timeout, TimeoutError):
            return "silence"
        except OSError:
            return "refused"
        return "open"

    def is_shut(self, address, port, source=None):
        """That no connection comes about, see scan()."""
        return not self.scan(address, [port], source=source)

    def scan(self, address, ports, awaited=(), source=None):
        """The ports on which a connection comes about; all are tried at once, and those awaited with patience.
        Who is silent is asked once more from the same port: the first SYN might have opened it for the one that
        repeats it, for which TCP would wait a second."""
        found, sources = set(), dict.fromkeys(ports, source)
        for expected in (awaited, ()):
            with contextlib.ExitStack() as stack:
                sockets = {stack.enter_context(self.tcp_socket(address)): port for port in sources}
                for sock, port in sockets.items():
                    if sources[port]:
                        sock.bind(sources[port])
                connected, sources = _connected(sockets, address, expected)
            found |= connected
        return found


def turns():
    """For what is not to come, in steps. It is waited for in vain, so not SLOWNESS times as long; but each step lasts
    until this process is given its turn, which on a busy machine is late, as for the daemon and the servers."""
    for _ in range(round(IN_VAIN / TURN)):
        yield TURN


def _connected(sockets, address, awaited):
    """Of {socket: port}, the ports on which a connection comes about, and {port: source} of those that are silent."""
    poll, waiting, found = select.poll(), {}, set()
    for sock, port in sockets.items():
        sock.setblocking(False)
        if sock.connect_ex((address, port)) == errno.EINPROGRESS:
            poll.register(sock, select.POLLOUT)
            waiting[sock.fileno()] = port, sock

    def take(wait):
        for fd, _ in poll.poll(1000 * wait):
            port, sock = waiting.pop(fd)
            poll.unregister(fd)
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.add(port)

    deadline = time.monotonic() + PATIENCE
    while waiting and not found.issuperset(awaited) and time.monotonic() < deadline:
        take(TURN)
    for turn in turns():
        if not waiting:
            break
        time.sleep(turn)
        take(0)
    return found, {port: sock.getsockname() for port, sock in waiting.values()}


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
        self.popen.wait(timeout=PATIENCE)


def memory_of(pid):
    """Of its pages, those in memory: kB."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def cpu_of(pid):
    """Seconds that its threads have run so far."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


class Pasvd:
    """The daemon in the router's namespace; its log is a file, unless stderr is given."""

    def __init__(self, lab, args=(), prefix=(), start_timeout=10, stderr=None, env=None):
        number = lab.next_number()
        self.lab = lab
        self.log_path = lab.tmp / f"pasvd-{number}.log"
        notify_path = lab.tmp / f"notify-{number}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(notify_path))
            notify.setblocking(False)
            with open(self.log_path, "wb") as log:
                self.popen = lab.router.popen(
                    *prefix, PASVD, *args, stdout=log, stderr=log if stderr is None else stderr,
                    env={**os.environ, "NOTIFY_SOCKET": str(notify_path), **(env or {})})
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
        """All that it has to say of what has happened: it logs what it did after a packet has left."""
        if self.popen.poll() is None:
            wait_for(self._is_idle, what="pasvd waits for packets")
        return self.log_path.read_text(errors="replace")

    def _is_idle(self):
        """It sleeps, which it does only when all is done, or has been stopped or ended."""
        try:
            stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        except FileNotFoundError:
            return True
        return stat.rpartition(")")[2].split()[0] not in "RD"

    def ports(self):
        """What became of the negotiated ports, in order: "opened" or how it ended, and the
        fields of the line as a dictionary."""
        lines = re.findall(r"\bevent=([\w-]+) (client=\S+ server=\S+ announced=.*)", self.log())
        return [(what, dict(re.findall(r"([\w-]+)=(\S+)", fields))) for what, fields in lines]

    def opened(self):
        """The negotiated ports in the log: a list of dictionaries."""
        return [fields for what, fields in self.ports() if what == "opened"]

    def counters(self):
        """What the daemon has counted so far: {reason: count}."""
        def lines():
            return re.findall(r"\bevent=counters (.*)", self.log())
        before = len(lines())
        self.popen.send_signal(signal.SIGUSR1)
        line = wait_for(lambda: lines()[before:], 5, "counters in the log")[0]
        return {key: int(value) for key, value in re.findall(r"(\S+)=(\d+)", line)}

    def kill(self):
        """SIGKILL, as the out-of-memory killer would."""
        self.popen.kill()
        self.popen.wait(timeout=PATIENCE)

    def stop(self):
        """End it the regular way; it must do so with status 0 and no complaint."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        complaint = re.search(r"AddressSanitizer|LeakSanitizer|runtime error:", self.log())
        if complaint or self.popen.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"pasvd: status {self.popen.returncode}: {self.log()}")


class Lab:
    """See the head of this file.

    servers, publics: addresses as text; by default one of each.
    forwards: (port outside, number of the server, port of the server).
    outside: how many servers there are outside; they are numbered behind the others.
    lan: addresses of the LAN clients; lan_ports: the control ports that they dial, unless it is 21.
    masquerade: what goes out and is not translated otherwise gets the address of wan, or
    the address snat; by default so if there are LAN clients.
    routed: nothing is translated, clients outside dial a server's own address.
    hairpin: LAN clients may dial the first public address, too.
    mss: announced by both sides.
    patient: who gets no acknowledgement waits for a second before sending again, so that
    retransmissions tell of stalls and not of a slow machine; all is on one processor, for two of them
    may let one segment overtake another, which pasvd has TCP repeat.
    loss: probability that a packet is lost on its way to the router;
    loss_behind: on its way from the router to either side.
    config: text of the configuration file of pasvd, which its rules follow, too.
    firewall: the shipped rules are for iptables or for nft; other engines have iptables.
    """

    entered = []

    def __init__(self, engine="pasvd", family=IP4, servers=None, publics=None,
                 clients=1, forwards=((21, 0, 21),), outside=0, lan=(), snat=None,
                 masquerade=None, routed=False, hairpin=False, lan_ports=(), mss=None, patient=False,
                 loss=0.0, loss_behind=0.0, daemon=True, config=None, firewall="iptables"):
        assert engine in ENGINES, engine
        assert firewall in FIREWALLS, firewall
        self.engine = engine
        self.family = family
        self.inside_addresses = [family.server] if servers is None else list(servers)
        self.server_addresses = self.inside_addresses + [
            self.outside_address(100 + number) for number in range(outside)]
        self.publics = self.inside_addresses if routed else [family.public] if publics is None else list(publics)
        self.client_count = clients
        self.forwards = list(forwards) if self.inside_addresses else []
        self.lan_addresses = list(lan)
        self.lan_ports = list(lan_ports)
        self.snat = snat
        self.masquerade = bool(lan) and not routed if masquerade is None else masquerade
        self.routed = routed
        self.hairpin = hairpin
        self.mss = mss
        self.patient = patient
        self.loss = loss
        self.loss_behind = loss_behind
        self.daemon = daemon
        self.config = config
        self.firewall = firewall
        self.pasvd = None
        self._number = 0

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="pasvd-lab-"))
            stack.callback(shutil.rmtree, self.tmp, ignore_errors=True)
            self.tmp.chmod(0o755)  # servers read it without privileges
            if self.config is not None:
                (self.tmp / "pasvd.conf").write_text(self.config)
            self._stack = stack
            if self.patient:
                self._stay_on_one_processor(stack)
            self._make_namespaces(stack)
            self._wire()
            self.load_rules()
            if self.engine == "pasvd" and self.daemon:
                self.start_pasvd()
            self._stack = stack.pop_all()
        self.entered.append(self)
        return self

    def __exit__(self, *exc):
        if exc[0]:
            print(self.logged())
        self.entered.remove(self)
        return self._stack.__exit__(*exc)

    def logged(self):
        """What pasvd said last, for the report of a test that fails."""
        logs = sorted(self.tmp.glob("pasvd-*.log"))
        return "\n".join(line for log in logs for line in [log.name, *log.read_text(errors="replace").splitlines()[-30:]])

    def on_exit(self, function):
        """Call function when the lab is left; the last one first."""
        self._stack.callback(function)

    def next_number(self):
        self._number += 1
        return self._number

    @staticmethod
    def _stay_on_one_processor(stack):
        """With what is started from now on."""
        processors = sorted(os.sched_getaffinity(0))
        stack.callback(os.sched_setaffinity, 0, processors)
        os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})

    def _make_namespaces(self, stack):
        def make(name):
            namespace = Namespace(name)
            stack.callback(namespace.close)
            if self.family is IP4:
                namespace.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            else:   # an address that is looked for elsewhere first is of no use for a second
                namespace.sysctl("net.ipv6.conf.default.accept_dad", 0)
            if self.patient:
                namespace.sysctl("net.ipv4.tcp_early_retrans", 0)   # tail loss probes
            if self.loss or self.loss_behind:
                self._bound_the_patience(namespace)
            return namespace
        self.switch = make("switch")
        self.router = make("router")
        self.clients = [make(f"client{i}") for i in range(self.client_count)]
        self.servers = [make(f"server{i}") for i in range(len(self.server_addresses))]
        self.lan = [make(f"lan{i}") for i in range(len(self.lan_addresses))]

    def _bound_the_patience(self, namespace):
        """What is lost again and again is waited for a second each time, not 2, 4, 8."""
        if pathlib.Path("/proc/sys/net/ipv4/tcp_rto_max_ms").exists():  # since Linux 6.15
            namespace.sysctl("net.ipv4.tcp_rto_max_ms", 1000)
            # A closed socket that waits as long as it may is given up at once, without a word
            # to its peer, unless told how often to try (tcp_orphan_retries() in tcp_timer.c).
            namespace.sysctl("net.ipv4.tcp_orphan_retries", 15)

    def outside_address(self, host):
        return f"{self.family.outside}{host}"

    def client_address(self, number=0):
        return self.outside_address(10 + number)

    @property
    def router_address(self):
        """That of wan itself, which the router chooses by default."""
        return self.outside_address(1)

    @property
    def lan_seen_as(self):
        """The address with which LAN clients are seen outside."""
        return self.snat or self.router_address

    def _wire(self):
        self._wire_bridge("hub", [(self.router, "wan"), *((host, "eth0") for host in self._outside())])
        self._wire_home()
        self.router.ip("link set wan up\n"
                       + self._add_address(self.router_address, "wan", self.family.outside_bits)
                       + "".join(self._add_address(address, "wan")
                                 for address in self.publics if not self.routed))
        self._route_outside()
        self._forward(self.router)

    def _wire_home(self):
        self._wire_bridge("home", [(self.router, "lan"), *((host, "eth0") for host in self.lan)])
        self._wire_servers()
        self.router.ip("link set lo up\nlink set lan up\n")
        self._route_lan()

    def _forward(self, namespace):
        forward = {IP4: "net.ipv4.ip_forward", IP6: "net.ipv6.conf.all.forwarding"}
        namespace.sysctl(forward[self.family], 1)

    def _add_address(self, address, device, bits=None, peer=None):
        """A line for ip(8)."""
        where = f"{address} peer {peer}" if peer else f"{address}/{bits or self.family.host_bits}"
        return f"addr add {where} dev {device}\n"

    def _wire_bridge(self, bridge, ends):
        """Namespaces, each with a device, on one bridge."""
        text = f"link set lo up\nlink add name {bridge} type bridge mcast_snooping 0\n"
        text += f"link set {bridge} up\n"
        for number, (namespace, device) in enumerate(ends):
            port = f"{bridge}{number}"
            text += f"link add {port} type veth peer name {device} netns {namespace.path}\n"
            text += f"link set {port} master {bridge} up\n"
        self.switch.ip(text)
        bridge_filter = pathlib.Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
        if bridge_filter.exists():
            self.switch.sysctl("net.bridge.bridge-nf-call-iptables", 0)
            self.switch.sysctl("net.bridge.bridge-nf-call-ip6tables", 0)

    @property
    def _metrics(self):
        return (f" advmss {self.mss}" if self.mss else "") + (" rto_min 1s" if self.patient else "")

    def _outside(self):
        """The hosts outside: {namespace: address}."""
        first = len(self.inside_addresses)
        clients = {client: self.client_address(number) for number, client in enumerate(self.clients)}
        return {**clients, **dict(zip(self.servers[first:], self.server_addresses[first:]))}

    @property
    def ways(self):
        """Whom a host outside sends to who dials a public address, for each of them."""
        return [self.router_address] * len(self.publics)

    def _route_outside(self):
        for host, address in self._outside().items():
            host.ip("link set lo up\nlink set eth0 up\n"
                    + self._add_address(address, "eth0", self.family.outside_bits)
                    + "".join(f"route add {public}/{self.family.host_bits} via {way}{self._metrics}\n"
                              for public, way in zip(self.publics, self.ways))
                    + "".join(f"route add {address}/{self.family.host_bits} via {self.router_address}\n"
                              for address in (self.lan_addresses if self.routed else ())))

    def _route_lan(self):
        """The addresses need not be neighbours: each has a route of its own."""
        gateway, bits = self.family.gateway, self.family.host_bits
        world = [f"{self.outside_address(0)}/{self.family.outside_bits}",
                 *(f"{address}/{bits}" for address in self.publics)]
        if self.lan:
            self.router.ip(self._add_address(gateway, "lan") + "".join(
                f"route add {address}/{bits} dev lan\n" for address in self.lan_addresses))
        for client, address in zip(self.lan, self.lan_addresses):
            client.ip("link set lo up\nlink set eth0 up\n" + self._add_address(address, "eth0")
                      + f"route add {gateway}/{bits} dev eth0\n"
                      + "".join(f"route add {where} via {gateway}{self._metrics}\n" for where in world))

    def _wire_servers(self):
        """Point to point, so that a server's address can be any."""
        gateway = self.family.gateway
        for number, address in enumerate(self.inside_addresses):
            server = self.servers[number]
            self.router.ip(f"link add lan{number} type veth peer name eth0 netns {server.path}\n"
                           f"link set lan{number} up\n"
                           + self._add_address(gateway, f"lan{number}", peer=address))
            server.ip("link set lo up\nlink set eth0 up\n"
                      + self._add_address(address, "eth0", peer=gateway)
                      + f"route add default via {gateway} dev eth0 onlink{self._metrics}\n")

    # The router's rules.

    def load_rules(self):
        if self.engine == "pasvd":
            self._load_all_shipped_rules()
        else:
            self.restore(rules.forwarding(self))
            if self.lan:
                self.restore(rules.clients(self))
        if self.engine == "pasvd" and self.firewall == "nft":
            self.nft(rules.nft_firewall(self, self._let_through()))
        else:
            self.iptables("-P", "FORWARD", "DROP")
            self.restore(rules.source_nat(self))
        self._lose(self.loss, self.router)
        self._lose(self.loss_behind, *self.clients, *self.servers)

    def _load_all_shipped_rules(self):
        self.shipped_rules("load")
        for number in range(1, len(self.inside_addresses)):
            self._load_shipped_rules_under_another_name(number)

    def _let_through(self):
        """What the rules for nft ask of the forward chain."""
        return [line for number in range(max(1, len(self.inside_addresses)))
                for line in rules.let_through(self.shipped_text(number))]

    def forward_policy(self, policy):
        """What the router does with what nobody asked for: "drop", or "accept"."""
        if self.firewall == "nft":
            self.nft(f"table inet firewall {{\nchain forward {{\npolicy {policy};\n}}\n}}\n")
        else:
            self.iptables("-P", "FORWARD", policy.upper())

    def iptables(self, *argv, namespace=None):
        return (namespace or self.router).run(self.family.iptables, *argv)

    def give_up_neighbours(self, device):
        """The router asks for an address that is on no host in vain: three times, and not for three seconds."""
        for ip in "ipv4", "ipv6":
            self.router.sysctl(f"net.{ip}.neigh.{device}.retrans_time_ms", 50)

    def _lose(self, probability, *namespaces):
        """On arrival, before connection tracking: a wire that loses packets.

        Not in the router's FORWARD: a SYN that is dropped between connection
        tracking and POSTROUTING takes its expectation with it, and that is
        nothing that a wire does.
        """
        for namespace in namespaces if probability else ():
            self.iptables("-t", "raw", "-A", "PREROUTING", "-m", "statistic", "--mode", "random",
                          "--probability", probability, "-j", "DROP", namespace=namespace)

    def config_options(self, option):
        """The configuration for the daemon (-c) or "pasvd rules" (--config)."""
        return [option, self.tmp / "pasvd.conf"] if self.config is not None else []

    @property
    def firewall_options(self):
        return ["--nft"] if self.firewall == "nft" else []

    def rule_options(self, number):
        """What "pasvd rules" is told about a server, and with the first about LAN clients."""
        clients = self.firewall_options
        if self.lan_addresses and number == 0:
            clients += ["--lan", "lan", *(word for port in self.lan_ports for word in ("--lan-port", port))]
        if not self.inside_addresses:
            return [*clients, "-6" if self.family is IP6 else "-4"]
        server = ["--server", self.server_addresses[number]]
        public = self.publics[number if self.routed else 0]
        dialled = ([*server, "--public", public] if self.hairpin or self.routed
                   else ["--wan", "wan", *server])
        ports = [f"{outside}:{inside}" if outside != inside else f"{outside}"
                 for outside, server, inside in self.forwards if server == number]
        return [*dialled, *(word for port in ports for word in ("--port", port)), *clients]

    def shipped_rules(self, action, *more):
        """Load or remove the rules for server 0 and LAN clients, the way the project ships
        them."""
        options = [*self.config_options("--config"), *self.rule_options(0), *more]
        self.router.run(*RULES, action, *(options if action != "remove" else ()))

    def shipped_text(self, number):
        return self.router.run(*RULES, "print", *self.config_options("--config"),
                               *self.rule_options(number)).stdout

    def _load_shipped_rules_under_another_name(self, number):
        """One more server: the same rules, in chains or a table of their own."""
        text = self.shipped_text(number)
        if self.firewall == "nft":
            self.nft(text.replace("table inet pasvd", f"table inet pasvd{number}"))
        else:
            self.restore(re.sub(r"\bPASVD\b", f"PASVD{number}", text))

    def endpoint(self, address, port):
        return f"[{address}]:{port}" if self.family is IP6 else f"{address}:{port}"

    def restore(self, text):
        self.router.run(f"{self.family.iptables}-restore", "--noflush", input=text)

    def nft(self, text):
        self.router.run("nft", "-f", "-", input=text)

    def saved_rules(self):
        """iptables-save, or all of nft, without what changes by itself: comments and counters."""
        save = ["nft", "-s", "list", "ruleset"] if self.firewall == "nft" else [f"{self.family.iptables}-save"]
        text = self.router.run(*save).stdout
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return [re.sub(r"\[\d+:\d+\]", "", line) for line in lines]

    # The daemon and what it leaves in the kernel.

    def start_pasvd(self, args=()):
        """Start the daemon and wait until its queue is bound."""
        socket = () if "-s" in args else ("-s", self.control_socket)
        self.pasvd = Pasvd(self, [*self.config_options("-c"), *socket, *args])
        self.on_exit(self.pasvd.stop)
        return self.pasvd

    @property
    def control_socket(self):
        return self.tmp / "ctl"

    def expectations(self):
        """What "conntrack -L expect" shows: a list of dictionaries."""
        text = self.router.run("conntrack", "-L", "expect", "-f", self.family.name).stdout
        found = []
        for line in text.splitlines():
            fields = re.findall(r"([\w-]+)=(\S+)", line)
            if fields:
                entry = {"inactive": "INACTIVE" in line, "seconds": int(line.split()[0])}
                for key, value in fields:
                    entry.setdefault(key, value)  # the tuple's ports come first
                found.append(entry)
        return found

    def packets(self):
        """Of pasvd's first queue: how many wait in it, and how many have been in it."""
        with self.router.inside():
            fields = pathlib.Path("/proc/thread-self/net/netfilter/nfnetlink_queue").read_text().split()
        return int(fields[2]), int(fields[7])

    def connections(self, *options):
        return self.router.run("conntrack", "-L", "-f", self.family.name, *options).stdout.splitlines()
