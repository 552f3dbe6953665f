# SPDX-License-Identifier: GPL-2.0-or-later
"""crowd.py - thousands of FTP sessions, in one process for each side

  crowd.py serve ADDRESS PORT        greets everybody, takes any user, opens no data port at all
  crowd.py dial ADDRESS PORT COUNT   that many sessions one after the other, each waits for its
                                     greeting; each hundredth logs in and asks PASV
  crowd.py dial ADDRESS PORT COUNT 1 the same, and each logs in and asks PASV

Both say "ready" on a line when they are, and stay until they are killed. For each number that is a
line of its standard input, dial says as many NOOPs, in one session after the other, and "done".
Limits: what one side says at once is a whole line; as many sessions as a process may have files.
"""

import itertools
import resource
import select
import signal
import socket
import sys

from lab import PATIENCE

PASV_EACH = 100


def allow_descriptors():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def ready():
    print("ready", flush=True)


def answer(control, address):
    line = control.recv(100)
    if line.startswith(b"PASV"):
        port = control.getpeername()[1]     # another one for each
        numbers = ",".join([*address.split("."), str(port // 256), str(port % 256)])
        control.sendall(b"227 Entering Passive Mode (%s).\r\n" % numbers.encode())
    else:
        control.sendall(b"230 welcome\r\n")
    return line


def serve(address, port):
    allow_descriptors()
    listener = socket.create_server((address, port), backlog=4096)
    poll, controls = select.epoll(), {}     # by descriptor
    poll.register(listener, select.EPOLLIN)
    ready()
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                control, _ = listener.accept()
                controls[control.fileno()] = control
                poll.register(control, select.EPOLLIN)
                control.sendall(b"220 crowd\r\n")
            elif not answer(controls[fd], address):
                poll.unregister(fd)
                controls.pop(fd).close()


def ask(control, line, code):
    control.sendall(line)
    assert control.recv(200).startswith(code)


def dial(address, port, count, pasv_each=PASV_EACH):
    allow_descriptors()
    controls = []
    for number in range(count):
        control = socket.create_connection((address, port), timeout=PATIENCE)
        assert control.recv(100) == b"220 crowd\r\n"
        if number % pasv_each == 0:
            ask(control, b"USER crowd\r\n", b"230")
            ask(control, b"PASV\r\n", b"227")
        controls.append(control)
    ready()
    turns = itertools.cycle(controls)
    for line in sys.stdin:
        for control in itertools.islice(turns, int(line)):
            ask(control, b"NOOP\r\n", b"2")
        print("done", flush=True)
    signal.pause()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    dial(sys.argv[2], *map(int, sys.argv[3:]))
