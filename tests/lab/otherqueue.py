# SPDX-License-Identifier: GPL-2.0-or-later
"""otherqueue.py - another program with a queue, which accepts all packets

Comes in:  a namespace and the number of the queue.
Goes out:  OtherQueue, to be used with "with"; packets is how many it has accepted.

The messages are those of linux/netfilter/nfnetlink_queue.h.
"""

import itertools
import os
import select
import socket
import struct
import threading

NETLINK_NETFILTER = 12
SUBSYSTEM = 3 << 8                  # NFNL_SUBSYS_QUEUE
PACKET, VERDICT, CONFIG = 0, 1, 2   # NFQNL_MSG_*
PACKET_HDR, VERDICT_HDR = 1, 2      # NFQA_*
CMD, PARAMS = 1, 2                  # NFQA_CFG_*
BIND, COPY_META, ACCEPT = 1, 1, 1
REQUEST, ACK = 1, 4                 # NLM_F_*


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


class OtherQueue:
    def __init__(self, namespace, number):
        self.number = number
        self.packets = 0
        self._sequence = itertools.count(1)
        with namespace.inside():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._end, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._accept_all)

    def __enter__(self):
        self._configure(attribute(CMD, struct.pack(">BBH", BIND, 0, socket.AF_UNSPEC)))
        self._configure(attribute(PARAMS, struct.pack(">IB", 0, COPY_META)))
        self._thread.start()
        return self

    def __exit__(self, *exc):
        os.close(self._stop)
        self._thread.join()
        os.close(self._end)
        self._socket.close()

    def _send(self, kind, flags, attributes):
        message = struct.pack(">BBH", socket.AF_UNSPEC, 0, self.number) + attributes
        self._socket.send(struct.pack("=IHHII", 16 + len(message), SUBSYSTEM | kind, REQUEST | flags,
                                      next(self._sequence), 0) + message)

    def _configure(self, attributes):
        self._send(CONFIG, ACK, attributes)
        error, = struct.unpack_from("=i", self._socket.recv(4096), 16)
        if error:
            raise OSError(-error, f"queue {self.number}: {os.strerror(-error)}")

    def _accept_all(self):
        while True:
            readable, _, _ = select.select([self._socket, self._end], [], [])
            if self._end in readable:
                return
            message = self._socket.recv(65536)
            kind, = struct.unpack_from("=H", message, 4)
            first, = struct.unpack_from("=H", message, 22)
            if kind != SUBSYSTEM | PACKET or first != PACKET_HDR:
                continue
            self._send(VERDICT, 0, attribute(VERDICT_HDR, struct.pack(">I", ACCEPT) + message[24:28]))
            self.packets += 1
