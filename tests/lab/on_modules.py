# SPDX-License-Identifier: GPL-2.0-or-later
"""on_modules.py - a module of the kernel is unloaded: pasvd-rules(8), "Watching the rules"

Not all kernels have modules, so this is run by tests/kernels.
"""

import subprocess

import pytest

import clients
import servers
from watch import Watch

pytestmark = pytest.mark.daemon


def test_ct_rules_work_after_another_helpers_module_was_unloaded(make_lab, visit):
    with make_lab() as lab:
        watch = Watch(lab, *lab.rule_options(0))
        loaded = watch.count("rules-loaded")
        subprocess.run(["modprobe", "nf_conntrack_tftp"], check=True)
        subprocess.run(["modprobe", "--remove", "nf_conntrack_tftp"], check=True)
        watch.wait("rules-loaded", loaded)
        assert watch.count("module-unloaded") == 1 and watch.count("rules-missing") == 0
        clients.act("curl", "download", visit(lab, servers.vsftpd(lab)))
        assert len(lab.pasvd.opened()) == 1
