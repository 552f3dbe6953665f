# SPDX-License-Identifier: GPL-2.0-or-later
"""configured.py - a lab whose configuration says for whom the rules are

Comes in:  what a Lab is given, `config` with sections [server NAME] or [clients].
Goes out:  a Lab whose rules are loaded by `pasvd rules load`, without a word more.
"""

import re

from lab import Lab


class ConfiguredLab(Lab):
    def _load_all_shipped_rules(self):
        self.shipped_rules("load")

    def _let_through(self):
        return re.findall(r"^#\t(.+)$", self.shipped_text(0), re.M)

    def rule_options(self, number):
        return []
