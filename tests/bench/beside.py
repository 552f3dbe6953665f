#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""beside.py - how long a session's PASV takes while another client sends all the PORT commands that it can

Comes in:  seconds for each line, and what the other client sends, in Mbit/s.  Runs as root, after ninja; needs the lab's
           packages.
Goes out:  a line each without the other client, beside one who has not logged in, and beside one who has: what it really
           sent; median, the slowest of a hundred, and the slowest of all PASVs from sending to the reply, in ms.

Its segments are full of PORT lines.  Its server reads them and says nothing, so that it is pasvd that sets the pace.
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import threading
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

import lab as lab_module  # noqa: E402
from scripted import RawClient, ScriptedServer  # noqa: E402

LINES = b"PORT 198,51,100,11,195,80\r\n" * 53      # what fits into a segment
TURN = 0.005    # seconds between bursts
PORT = 2121


class Flood:
    """The other client, and its server."""

    def __init__(self, lab, reply, mbits):
        self.sent, self.stopping = 0, threading.Event()
        with lab.servers[0].listen(lab.inside_addresses[0], PORT) as listener:
            self.client = lab.clients[1].connect(lab.publics[0], PORT)
            self.server = listener.accept()[0]
        self.server.sendall(b"220 ready\r\n")
        self.client.sendall(b"USER x\r\n")
        self.server.recv(100)
        self.server.sendall(reply)
        self.threads = [threading.Thread(target=self.drain), threading.Thread(target=self.send, args=(mbits,))]
        for thread in self.threads:
            thread.start()

    def drain(self):
        with contextlib.suppress(ConnectionResetError):     # it has sent what nobody answered
            while self.server.recv(1 << 16):
                pass

    def send(self, mbits):
        begin = time.monotonic()
        while not self.stopping.is_set():
            while self.sent * 8 < mbits * 1e6 * (time.monotonic() - begin):
                self.client.sendall(LINES)
                self.sent += len(LINES)
            time.sleep(TURN)
        self.client.close()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.server.close()


def measure(client, seconds):
    """What each PASV took, in ms."""
    taken, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        assert client.ask("PASV").startswith("227")
        taken.append((time.perf_counter() - begin) * 1000)
    return sorted(taken)


def main():
    parser = argparse.ArgumentParser(description="PASV beside a client that floods pasvd.")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--mbits", type=float, default=10)
    chosen = parser.parse_args()
    forwards = ((21, 0, 21), (PORT, 0, PORT))
    for what, reply in ("nobody", None), ("not logged in", b"530 no\r\n"), ("logged in", b"230 in\r\n"):
        with lab_module.Lab(clients=2, forwards=forwards) as lab:
            server = ScriptedServer(lab)
            with RawClient(lab.clients[0], lab.publics[0]) as client:
                flood = reply and Flood(lab, reply, chosen.mbits)
                begin = time.monotonic()
                taken = measure(client, chosen.seconds)
                rate = flood.sent * 8e-6 / (time.monotonic() - begin) if flood else 0
                if flood:
                    flood.stop()
        print(f"beside {what}: {rate:.1f} Mbit/s; {len(taken)} PASV, median {statistics.median(taken):.2f} ms, "
              f"99 % {taken[len(taken) * 99 // 100]:.2f} ms, slowest {taken[-1]:.2f} ms")


if __name__ == "__main__":
    main()
