# SPDX-License-Identifier: GPL-2.0-or-later
"""scripted.py - an FTP server that does exactly what a test wants

Comes in:  a Lab; optionally functions that send the reply to PASV, PORT or any
           other command.
Goes out:  a server in a thread.  Its last LISTENERS_MAX data listeners stay open and
           accept anybody, so whatever does not get through was stopped on the way.
           What it was told is in commands and offers.

Understands USER, PASS, TYPE, NOOP, ABOR, PASV, EPSV, PORT, EPRT, RETR and QUIT; a RETR
sends CONTENT.  With tls also AUTH, PBSZ, PROT and CCC: of the control connection only, data
stay clear.
RawClient is its counterpart: it says what a test wants, byte by byte.
Limits: one thread per session; ends with the lab.
"""

import contextlib
import fcntl
import itertools
import queue
import select
import socket
import struct
import termios
import threading

from lab import PATIENCE, wait_for
from servers import client_context, server_context

CONTENT = bytes(range(256)) * 16
DATA_PORT = 20
BACKLOG = 1024      # more than any test tries
LISTENERS_MAX = 512 # so many descriptors any user has
TELNET = "".join(map(chr, range(0xf0, 0x100)))  # IAC and the commands behind it
TCP_INFO_TOTAL_RETRANS = 100    # offset of tcpi_total_retrans in struct tcp_info
SANE_REQUEST = bytes((0, 0, 0, 7, 0, 0, 0, 0))


def unacknowledged(sock):
    """Bytes that the peer has not acknowledged yet (SIOCOUTQ)."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]


def retransmissions(sock):
    """Segments that this end had to send again since the connection began."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from("I", info, TCP_INFO_TOTAL_RETRANS)[0]


def port_argument(endpoint):
    """What PORT says of an IPv4 endpoint; also what stands in a 227."""
    address, port = endpoint
    return ",".join([*address.split("."), str(port // 256), str(port % 256)])


def eprt_argument(endpoint):
    address, port = endpoint
    return f"|{2 if ':' in address else 1}|{address}|{port}|"


def parse_port(argument):
    numbers = argument.split(",")
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])


def parse_eprt(argument):
    _, _, address, port, _ = argument.split(argument[0])
    return address, int(port)


def send_whole(sock, reply):
    sock.sendall(reply)


def send_split(position, wait):
    """A sender that cuts the reply; with wait, the first part must arrive first."""
    def send(sock, reply):
        sock.sendall(reply[:position])
        if wait:
            wait_for(lambda: unacknowledged(sock) == 0, 5, "acknowledgement of the first part")
        sock.sendall(reply[position:])
    return send


class ScriptedServer:
    """tls: False, "explicit" or "implicit".
    passive_ports: where PASV and EPSV listen, one after the other; by default where there is room.
    """

    def __init__(self, lab, number=0, port=21, send_pasv=send_whole, tls=False, passive_ports=None):
        self.tls = server_context(lab) if tls else None
        self.implicit = tls == "implicit"
        self.passive_ports = iter(passive_ports) if passive_ports else itertools.repeat(0)
        self.namespace = lab.servers[number]
        self.address = lab.server_addresses[number]
        self.user, self.password = "lab", "lab"
        self.control_port = port
        self.send_pasv = send_pasv
        self.send_port = send_whole
        self.epsv_form = "|||{port}|"
        self.replies = {}           # command -> what to do with the control connection instead
        self.data_ports = []        # every data listener, in order
        self.commands = []          # every line, as it came
        self.offers = queue.Queue() # endpoints of PORT and EPRT
        self.controls = []          # control connections, in order
        self.control_listener = self.namespace.listen(self.address, port)
        self._sockets, self._listeners = [self.control_listener], []
        lab.on_exit(self.close)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        for sock in self._sockets + self._listeners:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)     # wakes up whoever waits for it
            sock.close()

    def own(self, sock):
        """Ends with the lab."""
        self._sockets.append(sock)
        return sock

    def listen(self, port=0):
        """A data listener, also without a negotiation; its backlog accepts for it."""
        listener = self.namespace.listen(self.address, port, backlog=BACKLOG)
        self.data_ports.append(listener.getsockname()[1])
        self._listeners.append(listener)
        if len(self._listeners) > LISTENERS_MAX:
            self._listeners.pop(0).close()
        return listener

    def pasv_text(self, port):
        numbers = port_argument((self.address, port))
        return f"227 Entering Passive Mode ({numbers}).\r\n".encode()

    def offer(self):
        """The endpoint of the next PORT or EPRT, as it arrived."""
        return self.offers.get(timeout=PATIENCE)

    def forget_offers(self):
        self.offers = queue.Queue()

    def attempt(self, endpoint, source_port=DATA_PORT):
        """A data connection to a client: "open", "refused" or "silence"."""
        return self.namespace.attempt(*endpoint, source=(self.address, source_port))

    def is_shut(self, endpoint, source_port=DATA_PORT):
        """That none comes about."""
        return self.namespace.is_shut(*endpoint, source=(self.address, source_port))

    def _serve(self):
        while True:
            try:
                control, _ = self.control_listener.accept()
            except OSError:
                return
            self.own(control)
            self.controls.append(control)
            threading.Thread(target=self._session, args=(control,), daemon=True).start()

    def _session(self, control):
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, control)
        try:
            if self.implicit:
                session.secure()
            session.run()
        except (OSError, TimeoutError):
            pass    # the test sees its own end of the session


class Session:
    def __init__(self, server, control):
        self.server = server
        self.control = control
        self.data = None        # listener of the last PASV or EPSV
        self.target = None      # endpoint of the last PORT or EPRT

    def run(self):
        self.say("220 scripted")
        buffer = b""
        while True:
            received = self.control.recv(4096)
            if not received:
                return
            if received == SANE_REQUEST:
                self.answer_as_saned()
                continue
            buffer += received
            while b"\n" in buffer:
                line, buffer = buffer.split(b"\n", 1)
                self.server.commands.append(line + b"\n")
                if not self.command(line.decode("latin-1").strip()):
                    return

    def say(self, text):
        self.control.sendall(text.encode() + b"\r\n")

    def secure(self):
        """From here on TLS; the socket is another object then."""
        plain, controls = self.control, self.server.controls
        self.control = self.server.own(self.server.tls.wrap_socket(plain, server_side=True))
        controls[controls.index(plain)] = self.control

    def answer_as_saned(self):
        """What makes the kernel's sane helper open a port: status 0, 0, the port."""
        port = self.server.listen().getsockname()[1]
        self.control.sendall(struct.pack("!IHHI", 0, 0, port, 0))

    def command(self, line):
        verb, _, argument = line.lstrip(TELNET).partition(" ")
        scripted = self.server.replies.get(verb.upper())
        if scripted:
            scripted(self.control)
            return True
        handler = getattr(self, "do_" + verb.lower(), None)
        if handler is None:
            self.say("500 unknown")
            return True
        return handler(argument) is not False

    def do_port(self, argument):
        self.active(parse_port(argument))

    def do_eprt(self, argument):
        self.active(parse_eprt(argument))

    def active(self, endpoint):
        self.target = endpoint
        self.server.offers.put(endpoint)
        self.server.send_port(self.control, b"200 ok\r\n")

    def do_abor(self, _):
        self.say("226 nothing to abort")

    def do_user(self, _):
        self.say("331 password")

    def do_pass(self, _):
        self.say("230 welcome")

    def do_type(self, _):
        self.say("200 ok")

    do_noop = do_pbsz = do_prot = do_type

    def do_auth(self, _):
        if self.server.tls is None:
            self.say("502 no TLS here")
            return
        self.say("234 go ahead")
        self.secure()

    def do_ccc(self, _):
        self.say("200 in the clear")
        self.control = self.control.unwrap()

    def do_quit(self, _):
        self.say("221 bye")
        return False

    def do_pasv(self, _):
        self.target = None
        self.data = self.server.listen(next(self.server.passive_ports))
        self.server.send_pasv(self.control, self.server.pasv_text(self.data.getsockname()[1]))

    def do_epsv(self, _):
        self.target = None
        self.data = self.server.listen(next(self.server.passive_ports))
        address, port = self.data.getsockname()[:2]
        self.say(f"229 Extended Passive Mode Entered ({self.server.epsv_form.format(address=address, port=port)})")

    def do_retr(self, _):
        connection = self.to_client() if self.target else self.from_client()
        if connection is None:
            self.say("425 no data connection")
            return
        with connection:
            self.say("150 here it comes")
            connection.sendall(CONTENT)
        self.say("226 done")

    def to_client(self):
        with contextlib.suppress(OSError):
            return self.server.namespace.connect(*self.target,
                                                 source=(self.server.address, DATA_PORT))

    def from_client(self):
        readable, _, _ = select.select([self.data], [], [], 10)
        return self.data.accept()[0] if readable else None


class RawClient:
    """A control connection on which a test says what it wants.

    tls: False, "explicit" or "implicit".
    timeout: seconds for what has to come.
    """

    def __init__(self, namespace, address, port=21, login=True, tls=False, source=None, timeout=PATIENCE):
        self.namespace = namespace
        self.timeout = timeout
        self.control = namespace.connect(address, port, timeout, source)
        self.control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = self.control.getsockname()[0]
        self._buffer = b""
        self._listeners = []
        if tls == "implicit":
            self.secure()
        if login or tls == "explicit":
            self.greeting = self.line()
        if tls == "explicit":
            assert self.ask("AUTH TLS").startswith("234")
            self.secure()
        if login:
            for command in ("USER lab", "PASS lab"):
                self.ask(command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (self.control, *self._listeners):
            sock.close()

    def secure(self):
        self.control = client_context().wrap_socket(self.control)

    def clear(self):
        """CCC: from here on clear text again."""
        assert self.ask("CCC").startswith("200")
        self.control = self.control.unwrap()

    def send(self, content, flags=0):
        self.control.send(content, flags)

    def line(self):
        """The next line of the server, whole."""
        while b"\n" not in self._buffer:
            received = self.control.recv(4096)
            if not received:
                raise EOFError(f"the server left after {self._buffer!r}")
            self._buffer += received
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode("latin-1") + "\n"

    def ask(self, command):
        """One command, one line of reply."""
        self.send(command.encode("latin-1") + b"\r\n")
        return self.line()

    def listen(self, port=0):
        """Listens for a data connection; the endpoint."""
        listener = self.namespace.listen(self.address, port)
        listener.settimeout(self.timeout)
        self._listeners.append(listener)
        return listener.getsockname()[:2]

    def accept(self):
        """The data connection to the last listener, and who it is from."""
        data, peer = self._listeners[-1].accept()
        data.settimeout(self.timeout)
        return data, peer[:2]


def read_all(data):
    with data:
        return b"".join(iter(lambda: data.recv(65536), b""))
