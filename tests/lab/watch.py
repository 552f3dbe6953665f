# SPDX-License-Identifier: GPL-2.0-or-later
"""watch.py - `pasvd rules watch` on a lab's router"""

import signal

from lab import PATIENCE, RULES, wait_for


class Watch:
    """It has looked at the rules once."""

    def __init__(self, lab, *options, prefix=(), env=None):
        self.log_path = lab.tmp / f"watch-{lab.next_number()}.log"
        with open(self.log_path, "wb") as log:
            self.popen = lab.router.popen(*prefix, *RULES, "watch", *options, stdout=log, stderr=log, env=env)
        lab.on_exit(self.stop)
        self.wait("rules-watched")

    def log(self):
        return self.log_path.read_text()

    def count(self, event):
        return self.log().count(f"event={event} ")

    def wait(self, event, more_than=0):
        def happened():
            assert self.popen.poll() is None, self.log()
            return self.count(event) > more_than
        wait_for(happened, what=event)

    def reload(self):
        """SIGHUP, which has it look at once."""
        before = self.count("rules-watched")
        self.popen.send_signal(signal.SIGHUP)
        self.wait("rules-watched", before)

    def stop(self):
        """Returns its status. It takes its file in /run with it."""
        self.popen.terminate()
        return self.popen.wait(timeout=PATIENCE)
