# SPDX-License-Identifier: GPL-2.0-or-later
"""scripted.py - an FTP server that does exactly what a test wants

Comes in:  a Lab; optionally a function that sends the reply to PASV.
Goes out:  a server in a thread.  Its data listeners stay open and accept
           anybody, so whatever does not get through was stopped on the way.

Understands USER, PASS, TYPE, NOOP, PASV, EPSV, RETR and QUIT; a RETR sends CONTENT.
Limits: one thread per session; ends with the lab.
"""

import contextlib
import fcntl
import select
import socket
import struct
import termios
import threading

from lab import wait_for

CONTENT = bytes(range(256)) * 16
SANE_REQUEST = bytes((0, 0, 0, 7, 0, 0, 0, 0))


def unacknowledged(sock):
    """Bytes that the peer has not acknowledged yet (SIOCOUTQ)."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]


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
    def __init__(self, lab, number=0, port=21, send_pasv=send_whole):
        self.namespace = lab.servers[number]
        self.address = lab.server_addresses[number]
        self.user, self.password = "lab", "lab"
        self.send_pasv = send_pasv
        self.data_ports = []        # every data listener, in order
        self.control_listener = self.namespace.listen(self.address, port)
        self._sockets = [self.control_listener]
        lab.on_exit(self.close)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)     # wakes up whoever waits for it
            sock.close()

    def listen(self, port=0):
        """A data listener, also without a negotiation; its backlog accepts for it."""
        listener = self.namespace.listen(self.address, port)
        self._sockets.append(listener)
        self.data_ports.append(listener.getsockname()[1])
        return listener

    def pasv_text(self, port):
        numbers = ",".join(self.address.split("."))
        return f"227 Entering Passive Mode ({numbers},{port // 256},{port % 256}).\r\n".encode()

    def _serve(self):
        while True:
            try:
                control, _ = self.control_listener.accept()
            except OSError:
                return
            self._sockets.append(control)
            threading.Thread(target=self._session, args=(control,), daemon=True).start()

    def _session(self, control):
        control.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, control)
        try:
            session.run()
        except (OSError, TimeoutError):
            pass    # the test sees its own end of the session


class Session:
    def __init__(self, server, control):
        self.server = server
        self.control = control
        self.data = None

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
                if not self.command(line.decode("latin-1").strip()):
                    return

    def say(self, text):
        self.control.sendall(text.encode() + b"\r\n")

    def answer_as_saned(self):
        """What makes the kernel's sane helper open a port: status 0, 0, the port."""
        port = self.server.listen().getsockname()[1]
        self.control.sendall(struct.pack("!IHHI", 0, 0, port, 0))

    def command(self, line):
        verb, _, argument = line.partition(" ")
        handler = getattr(self, "do_" + verb.lower(), None)
        if handler is None:
            self.say("500 unknown")
            return True
        return handler(argument) is not False

    def do_user(self, _):
        self.say("331 password")

    def do_pass(self, _):
        self.say("230 welcome")

    def do_type(self, _):
        self.say("200 ok")

    def do_noop(self, _):
        self.say("200 ok")

    def do_quit(self, _):
        self.say("221 bye")
        return False

    def do_pasv(self, _):
        self.data = self.server.listen()
        self.server.send_pasv(self.control, self.server.pasv_text(self.data.getsockname()[1]))

    def do_epsv(self, _):
        self.data = self.server.listen()
        self.say(f"229 Extended Passive Mode Entered (|||{self.data.getsockname()[1]}|)")

    def do_retr(self, _):
        readable, _, _ = select.select([self.data], [], [], 10)
        if not readable:
            self.say("425 nobody came")
            return
        connection, _ = self.data.accept()
        with connection:
            self.say("150 here it comes")
            connection.sendall(CONTENT)
        self.say("226 done")
