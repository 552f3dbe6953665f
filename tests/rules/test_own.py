# SPDX-License-Identifier: GPL-2.0-or-later
"""test_own.py - the rules for a ct helper of our own

$OWN_RULES prints them. What is loaded has the in-kernel helper "ftp" in its place.
"""

import contextlib
import os
import re
import subprocess

import pytest
from path import BEHIND, DIALLED, FORWARDED_2121, NETS, Path, receive
from lab import PATIENCE
from printed import ANY, OPTIONS, SETS, every_set, needs_root, pasvd_rules, rules_of

OWN_RULES = os.environ["OWN_RULES"]


def tables(text):
    """{table: its rules}, without what queues."""
    return dict(re.findall(r"^\*(\w+)\n(.*?)^COMMIT$", "\n".join(rules_of(text)), re.M | re.S))


def own_rules(*options):
    return subprocess.run([OWN_RULES, "rules", "print", *options], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=PATIENCE).stdout


def counts_syns(line):
    """It tells the SYNs that are one too many, as only a queue behind conntrack can."""
    return re.search(r" --syn .*-j CONNMARK --set-xmark 0x80000000/0xf| tcp flags syn .* ct mark set .* \| 0x80000000", line) \
        and "! --syn" not in line


def queueing(rules):
    return [line for line in rules.splitlines() if "NFQUEUE" in line]


@every_set
def test_queued_in_raw_behind_the_helper_and_nowhere_else(options):
    found = tables(own_rules(*options))
    assert [table for table in found if queueing(found[table])] == ["raw"]
    assert re.fullmatch(r":PASVD - \[0:0\]\n(-A PASVD .* -j CONNMARK .*\n)+(-A PREROUTING .* -j PASVD\n)+",
                        found["mangle"])
    assert re.fullmatch(r":PASVD - \[0:0\]\n(-A PASVD .* -j DROP\n)+(-A PASVD .* -j CT --helper pasvd\n)+(-A PASVD .* NFQUEUE .*\n)+"
                        r"(-I PREROUTING -p tcp -m tcp --[ds]port \d+ -j PASVD\n)+", found["raw"])


@every_set
def test_the_rest_is_the_same(options):
    def rest(text):
        return [line for line in rules_of(text)
                if not re.search("NFQUEUE|^-[AI] PREROUTING .*--sport", line) and not counts_syns(line)]
    assert rest(own_rules(*options)) == [line.replace("--helper sane", "--helper pasvd")
                                         for line in rest(pasvd_rules(*options).stdout)]


@every_set
def test_each_is_of_one_direction_and_has_payload(options):
    (program,) = set(re.findall(r'-m bpf --bytecode "[\d ,]+"', own_rules(*options)))
    syn = "-A PASVD -i lan0 -p tcp --dport 21 --syn -m limit --limit 500/sec --limit-burst 1000 -j NFQUEUE "\
        "--queue-num 21 --queue-bypass"
    lines = queueing(own_rules(*options))
    assert lines.count(syn) == ("lan0" in options)
    for line in lines:
        assert line == syn or re.fullmatch(rf"-A PASVD (! )?-[ids] \S+ -p tcp ! --syn --[sd]port 21 {program} "
                            r"-j NFQUEUE --queue-num 21 --queue-bypass", line)


@pytest.mark.parametrize("options,ends", [
    (ANY, ["-i wan0 --dport 2121", "--sport 21"]),
    (SETS[0], ["-i wan0 --dport 2121", "-s 10.0.0.2 --sport 21"]),
    (SETS[3], ["-d 2001:db8:1::1 --dport 2121", "-s fd00::2 --sport 21"]),
    (SETS[6], ["-i wan0 --dport 2121", "-s 10.0.0.2 --sport 21", "-i lan0 --dport 21", "! -i lan0 --sport 21"]),
])
def test_packets_are_told_by_their_own_ends(options, ends):
    found = re.findall(r"-A PASVD (.*?) ?-p tcp ! --syn (--\w+ \d+) ", own_rules(*options, "--port", "2121:21"))
    assert [" ".join(pair).strip() for pair in found] == ends


def test_tls_that_is_marked_does_not_pass_by_and_on_demand_syns_are_queued(folder):
    (folder / "conf").write_text("[tls]\npassive-ports = 60000-60100\n")
    text = own_rules(*OPTIONS, "--config", str(folder / "conf"))
    assert "--mark 0x50000000" not in text
    assert len(re.findall(r"--dport 60000:60100 --syn -j NFQUEUE --queue-num 22\n", text)) == 1


@every_set
def test_nft_queues_in_a_chain_of_its_own_and_the_rest_is_the_same(options):
    def chains(text):
        text = re.sub(r"^\s*(#.*)?\n", "", text, flags=re.M)
        return {name: rules.splitlines() for name, rules in re.findall(r"^\tchain (\w+) \{\n(.*?)^\t\}$", text,
                                                                       re.M | re.S)}
    own, sane = chains(own_rules("--nft", *options)), chains(pasvd_rules("--nft", *options).stdout)
    hook, others, *data = own.pop("data")
    assert " prerouting priority raw + 10;" in hook
    assert others.strip() == "meta l4proto != tcp return"
    syns = [line for line in data if " tcp flags syn / fin,syn,rst,ack limit rate 500/second burst 1000 packets counter queue num 21 bypass" in line]
    assert bool(syns) == ("lan0" in options)
    assert data and all(" @ih,0,8 >= 0 counter queue num 21 bypass" in line for line in data if line not in syns)
    assert own == {**sane, "control": [line for line in sane["control"]
                                       if "queue" not in line and not counts_syns(line)]}


@needs_root
@pytest.mark.parametrize("firewall", ["iptables", "nft"])
@pytest.mark.parametrize("net", NETS, ids=("IPv4", "IPv6"))
@pytest.mark.parametrize("options,side,port", [(FORWARDED_2121, "forwarded", 2121), (DIALLED, "forwarded", 21),
                                               (BEHIND, "outgoing", None)])
def test_both_directions_are_diverted_and_pass(net, firewall, options, side, port, folder):
    with contextlib.ExitStack() as on_exit:
        path = Path(folder, net, firewall, options, OWN_RULES)
        on_exit.enter_context(path.on_exit)
        path.masquerade("wan0")
        client, server = getattr(path, side)(*([port] if port else []))
        assert path.diverted("raw") == 0
        for count, (sender, receiver) in enumerate([(client, server), (server, client)] * 2, 1):
            sender.sendall(b"x\n")
            receive(receiver, 2)
            assert path.diverted("raw") == count
