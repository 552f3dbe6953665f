# SPDX-License-Identifier: GPL-2.0-or-later
"""rawtcp.py - one end of a TCP connection that acknowledges what it likes

Comes in:  a namespace, both addresses, the port to go to.
Goes out:  a connection over a raw socket: what is sent, the window and what is
           acknowledged are the test's; nothing is ever repeated or answered by itself.
           Also one beside a socket of the kernel, and first packets, and no end of them.
Limits: IPv4, no options, so the other end sends no timestamps and no SACK and segments of
up to 536 bytes; one connection per source port.
"""

import contextlib
import itertools
import re
import socket
import struct
import threading
import time

from lab import PATIENCE

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
HEADER = struct.Struct("!HHIIBBHHH")
WIDE = 60000
TTL = 64
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21    # <linux/tcp.h>
RECEIVED, SENT = 1, 2
REPAIR_OFF = -1     # and no window probe


def checksum(content):
    content += b"\0" * (len(content) % 2)
    total = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(ends, ports, seq, ack, flags, window, payload=b""):
    """The bytes of a segment, between addresses in their packed form."""
    def header(check):
        return HEADER.pack(*ports, seq, ack, HEADER.size // 4 << 4, flags, window, check, 0) + payload
    length = HEADER.size + len(payload)
    pseudo = b"".join(ends) + struct.pack("!BBH", 0, socket.IPPROTO_TCP, length)
    return header(checksum(pseudo + header(0)))


def positions(sock):
    """The next sequence numbers of a connected socket: that it sends, that it receives."""
    def option(*setting):
        sock.setsockopt(socket.IPPROTO_TCP, *setting)
    found = []
    option(TCP_REPAIR, 1)
    for queue in (SENT, RECEIVED):
        option(TCP_REPAIR_QUEUE, queue)
        found.append(sock.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) % (1 << 32))
    option(TCP_REPAIR, REPAIR_OFF)
    return found


class Flood:
    """SYNs to all of the ports in turn, from many ports of one host, BURST of them each PAUSE
    seconds, for as long as it is used, but not more than most nor for more than seconds.
    Limits: IPv4, and what comes back is left to the host."""

    BURST, PAUSE = 50, 0.01

    def __init__(self, namespace, source, destination, ports, most, seconds):
        ends = socket.inet_aton(source), socket.inet_aton(destination)
        self.syns = [segment(ends, (source_port, port), 1000, 0, SYN, WIDE)
                     for source_port in range(20000, 20040) for port in ports]
        self.destination, self.most, self.sent = destination, most, 0
        self.end = time.monotonic() + seconds
        with namespace.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._send, daemon=True)

    def _send(self):
        syns = itertools.islice(itertools.cycle(self.syns), self.most)
        while time.monotonic() < self.end and not self.stop.wait(self.PAUSE):
            for syn in itertools.islice(syns, self.BURST):
                with contextlib.suppress(BlockingIOError):
                    self.socket.sendto(syn, socket.MSG_DONTWAIT, (self.destination, 0))
                    self.sent += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.socket.close()


def free_port(lab):
    """Another source port for each, below those that the kernel chooses."""
    return 20000 + lab.next_number()


class RawTcp:
    """first: what the segment that ends the handshake carries.
    begin: its first sequence number.
    position: no handshake, but a connection that is there, as positions() says."""

    def __init__(self, namespace, source, destination, port=21, source_port=34567, first=b"", begin=1000, position=None):
        self.ends = socket.inet_aton(source), socket.inet_aton(destination)
        self.ports = source_port, port
        self.destination = destination
        self.seq, self.ack = position or (begin, 0)
        # the kernel knows nothing of the connection, and would reset it
        namespace.run("iptables", "-A", "OUTPUT", "-p", "tcp", "--sport", source_port,
                      "--tcp-flags", "RST", "RST", "-j", "DROP")
        with namespace.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        if position is None:
            self._handshake(first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.segment(RST | ACK)
        self.socket.close()

    def segment(self, flags=ACK, payload=b"", window=WIDE, ttl=TTL):
        self._send(segment(self.ends, self.ports, self.seq, self.ack, flags, window, payload), ttl)
        self.seq = (self.seq + len(payload) + (1 if flags & (SYN | FIN) else 0)) % (1 << 32)

    def stray(self, distance, payload, ttl=TTL):
        """A segment that lies so far from the next one, and does not count. With a small ttl it ends on its way."""
        self._send(segment(self.ends, self.ports, (self.seq + distance) % (1 << 32), self.ack, PSH | ACK, WIDE, payload), ttl)

    def _send(self, content, ttl):
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        self.socket.sendto(content, (self.destination, 0))

    def next(self, timeout=PATIENCE):
        """The next segment of the other end that carries something: (seq, flags, payload)."""
        deadline = time.monotonic() + timeout
        while True:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            packet = self.socket.recv(65536)
            tcp = packet[(packet[0] & 15) * 4:]
            there, here, seq, _, offset, flags, *_ = HEADER.unpack_from(tcp)
            payload = tcp[(offset >> 4) * 4:]
            if (here, there) == self.ports and (payload or flags & (SYN | FIN | RST)):
                return seq, flags, payload

    def _handshake(self, first):
        self.segment(SYN)
        seq, flags, _ = self.next()
        assert flags & SYN and flags & ACK
        self.ack = (seq + 1) % (1 << 32)
        self.segment(PSH | ACK if first else ACK, first)

    def acknowledge(self, number, window=WIDE, ttl=TTL):
        """That many bytes more have arrived."""
        self.ack = (self.ack + number) % (1 << 32)
        self.segment(window=window, ttl=ttl)

    def ask(self, command):
        """One command, and one segment of reply, which is acknowledged."""
        if command:
            self.segment(PSH | ACK, command)
        seq, _, payload = self.next()
        assert seq == self.ack, "a segment is missing"
        self.acknowledge(len(payload))
        return payload

    def receive(self, is_enough):
        """What comes, in order and acknowledged, until it is enough."""
        text = b""
        while not is_enough(text):
            seq, _, payload = self.next()
            if seq == self.ack:
                self.acknowledge(len(payload))
                text += payload
        return text

    def reply(self):
        """All lines of a reply."""
        return self.receive(lambda text: re.search(rb"^\d{3} .*\n\Z", text, re.M))
