# SPDX-License-Identifier: GPL-2.0-or-later
"""test_text.py - which options are allowed, and what is printed for them"""

import re
import subprocess

import pytest
from lab import PASVD, PATIENCE
from printed import ANY, CLIENTS, OPTIONS, OPTIONS6, PUBLIC, PUBLIC6, every_set, pasvd_rules, rules_of

REFUSED = [(option, value) for option in ("--wan", "--lan") for value in (
    "", " ", "eth 0", "eth0\n-A FORWARD -j ACCEPT", "eth0/1", "eth+", "!eth0", "-eth0", "eth0\"", "'", "eth;0",
    "$(id)", "@SERVER@", ".", "..", "wan\t", "w\u00e4n", "sixteen-letters-")]
REFUSED += [(option, value) for option in ("--server", "--public") for value in (
    "", "10.0.0", "10.0.0.256", "10.0.0.2/24", "10.0.0.2:22", "10.0.0.2 ", "010.0.0.2", "0.0.0.0", "127.0.0.1",
    "224.0.0.1", "255.255.255.255", "ftp.example.org", "10.0.0.2\n",
    "::", "::1", "::10.0.0.2", "::ffff:10.0.0.2", "ff02::1", "fe80::1", "fe80::1%lan0", "[fd00::2]", "fd00::2/64",
    "fd00:::2", "fd00::2 ", "fd00::12345", "1:2:3:4:5:6:7:8:9", "any ", "ANY", "anyone")]
REFUSED += [("--port", value) for value in (
    "", "0", "65536", "-1", "+21", "21 ", " 21", "21:", ":21", "21:0", "21:65536", "21:22:23", "0x15", "ftp",
    "21-22", "99999999999999999999", "21\n")]
REFUSED += [("--queue", value) for value in ("", "-1", "65536", "21 ", "0:3", "99999999999999999999")]


@pytest.mark.parametrize("option,value", REFUSED)
def test_value_that_is_not_allowed_is_refused(option, value):
    done = pasvd_rules(*OPTIONS, option, value)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(f"pasvd rules print: {option} \"[ -~]*\": must be .*\n", done.stderr)


@pytest.mark.parametrize("options,complaint", [
    ((), "--server or --lan: missing"),
    (("-6",), "--server or --lan: missing"),
    (("--wan", "wan0"), "--wan: needs --server"),
    (CLIENTS + ("--wan", "wan0"), "--wan: needs --server"),
    (OPTIONS + ("--accept-data",), "--accept-data: needs --server any"),
    (ANY + ("--accept-data", "--nft"), "--accept-data, --nft: "),
    (("--server", "any"), "--wan or --public: missing"),
    (ANY + ("--server", "10.0.0.2"), "--server: two servers have the same port outside"),
    (CLIENTS + ("--public", "203.0.113.1"), "--public \"203.0.113.1\": must come after the --server"),
    (CLIENTS + ("--port", "21"), "--port \"21\": must come after the --server"),
    (("--server", "10.0.0.2"), "--wan or --public: missing"),
    (("--server", "10.0.0.2", "--public", "10.0.0.2", "--port", "2121:21"), "--public, --port: a port of a server"),
    (OPTIONS + ("--public", "203.0.113.1"), "--wan, --public: only one"),
    (OPTIONS + ("--lan", "wan0"), "--wan, --lan: must be different"),
    (OPTIONS + ("--wan", "wan1", "--lan", "wan1"), "--wan, --lan: must be different"),
    (OPTIONS + ("--wan", "wan0"), "--wan \"wan0\": must be"),
    (OPTIONS + ("-6",), "-4, -6, --server: not of one family"),
    (OPTIONS6 + ("-4",), "-4, -6, --server: not of one family"),
    (("--server", "fd00::2", "--public", "203.0.113.1"), "--server, --public: each family needs both"),
    (OPTIONS + ("--lan-port", "990"), "--lan-port: needs --lan"),
    (CLIENTS + ("--lan-port", "21:990"), "--lan-port \"21:990\": must be"),
    (CLIENTS + ("--lan-port", "990", "--lan-port", "990"), "--lan-port \"990\": must be"),
    (CLIENTS + ("-5",), "unknown option \"-5\""),
    (OPTIONS + ("--port", "21", "--port", "21:2121"), "--port \"21:2121\": must be"),
    (OPTIONS + ("--port",), "--port: needs a value"),
    (OPTIONS + ("--nft=now",), "--nft: takes no value"),
    (OPTIONS + ("--prot", "21"), "unknown option \"--prot\", did you mean \"--port\"?"),
    (OPTIONS + ("-p", "21"), "unknown option \"-p\""),
    (OPTIONS + ("21",), "\"21\": takes no arguments"),
])
def test_wrong_arguments_are_named(options, complaint):
    done = pasvd_rules(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pasvd rules print: " + complaint)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("section,option,complaint", [
    ("address = 10.0.0.2\nwan = wan0\n", "-6", "address: none is of the families that the rules are for"),
    ("address = fd00::2\nwan = wan0\n", "-4", "address: none is of the families that the rules are for"),
    ("address = any\nwan = wan0\naccept-data = yes\n", "--nft", "accept-data: a table of nft cannot let through"),
])
def test_options_that_do_not_go_with_what_is_configured_are_named(folder, section, option, complaint):
    file = folder / "conf"
    file.write_text(f"[server ftp]\n{section}")
    assert pasvd_rules("--config", file).returncode == 0
    for command in "rules print", "check":
        done = subprocess.run([PASVD, *command.split(), "--config", file, option], capture_output=True, text=True, timeout=PATIENCE)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"pasvd {command}: {file}:1: [server ftp]: {complaint}")


@pytest.mark.parametrize("option,value,rule", [
    ("--wan", "fifteen-letters", "-A PASVD -i fifteen-letters -p tcp --dport 21 -j CT"),
    ("--wan", "br-lan.7_x", "-i br-lan.7_x "),
    ("--port", "1:65535", "--dport 1 -j DNAT --to-destination 10.0.0.2:65535"),
    ("--port", "65535:1", "--dport 65535 -j DNAT --to-destination 10.0.0.2:1"),
    ("--queue", "0", "--queue-num 0 --queue-bypass"),
    ("--queue", "65535", "--queue-num 65535 --queue-bypass"),
    ("--server", "223.255.255.255", "--to-destination 223.255.255.255:21"),
    ("--lan", "lan.7", "-A PASVD -i lan.7 -p tcp --dport 21 -j CT"),
])
def test_allowed_value_is_put_into_the_rules(option, value, rule):
    done = pasvd_rules(*(OPTIONS[:2] if option == "--server" else OPTIONS), option, value)
    assert (done.returncode, done.stderr) == (0, "")
    assert any(rule in line for line in rules_of(done.stdout))


def test_packets_pass_without_a_daemon_unless_told_otherwise(folder):
    for fail_open, bypass in ("yes", True), ("no", False):
        (folder / "conf").write_text(f"[pasvd]\nfail-open = {fail_open}\n")
        for nft in [], ["--nft"]:
            text = pasvd_rules(*OPTIONS, "--lan", "lan", *nft, "--config", str(folder / "conf")).stdout
            queued = [line for line in text.splitlines() if re.search(r"queue(-num| num) 21\b", line)]
            always = [line for line in queued if re.search("@ih,0,32 7 |,64 0 0 0,21 0 1 7,", line)]
            shifted = [line for line in queued if re.search("mark (0x20000000/|& )0xb0000000", line)]
            assert len(always) == 1 and len(shifted) == bypass
            assert not any(line.endswith("bypass") for line in always + shifted)
            queued = [line for line in queued if line not in always + shifted]
            assert len(queued) >= 2 and {line.endswith("bypass") for line in queued} == {bypass}
            assert len(re.findall(r"# (?:No )?(?:--queue-)?bypass: while", text)) == 1


LAN_CONFIG = """\
[pasvd]
fail-open = no
[clients]
lan = lan0
ports = 21, 990
passive-ports = 40000-49999, 60000
active-ports = 50000-50009 for 10.0.0.5, 50010 for fd00::5
"""


def test_ports_of_clients_are_queued_while_a_daemon_runs(folder):
    (folder / "conf").write_text(LAN_CONFIG)
    queue = "--syn -j NFQUEUE --queue-num 22 --queue-bypass"
    syn = "-p tcp -m tcp --dport {} --tcp-flags FIN,SYN,RST,ACK SYN -j PASVD"
    for family, own in ("-4", "50000:50009"), ("-6", "50010"):
        rules = rules_of(pasvd_rules(family, "--config", str(folder / "conf")).stdout)
        for what, ports in ("-i lan0", ("40000:49999", "60000")), ("! -i lan0", (own,)):
            for port in ports:
                assert f"-A PASVD {what} -p tcp --dport {port} {queue}" in rules
                assert f"-A PREROUTING {what} {syn.format(port)}" in rules
        assert len([rule for rule in rules if queue in rule]) == 3


def test_ports_of_clients_are_those_of_the_interface_that_is_configured(folder):
    (folder / "conf").write_text(LAN_CONFIG)
    for nft in (), ("--nft",):
        for lan, configured in ("lan0", True), ("lan1", False):
            text = pasvd_rules("--lan", lan, *nft, "--config", str(folder / "conf")).stdout
            assert bool(re.search(r"queue(-num| num) 22\b", text)) == configured
            assert "990" not in text


def test_clients_dial_other_ports(folder):
    (folder / "conf").write_text(LAN_CONFIG)
    asked = pasvd_rules("--lan", "lan0", "--lan-port", "990", "--lan-port", "2121").stdout
    configured = pasvd_rules("--config", str(folder / "conf")).stdout
    for text, ports in (asked, {"990", "2121"}), (configured, {"21", "990"}):
        assert set(re.findall(r"-i lan0 -p tcp --dport (\d+) -j CT", text)) == ports
        assert set(re.findall(r"--ctorigdstport (\d+) -j PASVD", text)) == ports


@pytest.mark.parametrize("given,printed", [
    ("fd00::2", "fd00::2"), ("FD00:0:0::0:2", "fd00::2"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("64:ff9b::10.0.0.2", "64:ff9b::a00:2")])
def test_ipv6_address_is_printed_in_one_form(given, printed):
    rules = rules_of(pasvd_rules("--server", given, "--public", "2001:db8:7::1", "--port", "2121:21").stdout)
    assert f"-A PASVD -d 2001:db8:7::1 -p tcp --dport 2121 -j DNAT --to-destination [{printed}]:21" in rules
    rules = rules_of(pasvd_rules("--server", "fd00::7", "--public", given, "--port", "2121:21").stdout)
    assert f"-A PASVD -d {printed} -p tcp --dport 2121 -j DNAT --to-destination [fd00::7]:21" in rules


@every_set
def test_no_placeholder_is_left(options):
    assert not re.search("@[A-Z_]+@", pasvd_rules(*options).stdout)


@every_set
def test_text_begins_with_the_command_that_it_is_for(options):
    command = "ip6tables" if "-6" in options or "fd00::2" in options else "iptables"
    assert pasvd_rules(*options).stdout.startswith(f"# Rules of pasvd for {command}-restore --noflush\n")


@every_set
def test_one_family_is_in_the_text(options):
    text = "\n".join(rules_of(pasvd_rules(*options).stdout))
    ipv6 = "-6" in options or "fd00::2" in options
    assert ("-p ipv6-icmp" in text) == ipv6
    assert ("-p icmp" in text) == (not ipv6)
    assert ("--bytecode \"8,48 0 0 6," in text) == ipv6
    assert ("--bytecode \"8,177 0 0 0," in text) == (not ipv6)


@pytest.mark.parametrize("address", ["10.0.0.2", "2001:db8:1::2"])
def test_nothing_translates_a_server_that_is_dialled_by_its_own_address(address):
    options = ("--server", address, "--public", address)
    text = "\n".join(rules_of(pasvd_rules(*options).stdout))
    assert "DNAT" not in text
    assert f"-A PASVD -p tcp -m conntrack --ctorigdst {address} --ctorigdstport 21 " in text
    done = pasvd_rules(*options, "--port", "2121:21")
    assert done.returncode == 2 and "--public, --port: a port of a server that is dialled" in done.stderr
    assert "dnat" not in re.sub("#.*", "", pasvd_rules(*options, "--nft").stdout)


def test_rules_of_server_and_clients_combine():
    def rules(*options):
        return set(rules_of(pasvd_rules(*options).stdout))
    for server, clients in ((OPTIONS, CLIENTS), (PUBLIC, CLIENTS), (OPTIONS6, CLIENTS + ("-6",))):
        assert rules(*server, *clients) == rules(*server) | rules(*clients)


def test_every_rule_of_a_port_is_there_for_each_port():
    for options in (OPTIONS, PUBLIC, OPTIONS6, PUBLIC6, OPTIONS + CLIENTS):
        one = rules_of(pasvd_rules(*options, "--port", "2121:21").stdout)
        two = rules_of(pasvd_rules(*options, "--port", "2121:21", "--port", "990").stdout)
        of_port = [line for line in one if "2121" in line]
        assert len(of_port) == 14
        assert len(two) == len(one) + len(of_port)


@pytest.mark.parametrize("options", [OPTIONS, OPTIONS6, OPTIONS + CLIENTS], ids=" ".join)
def test_every_rule_of_an_uplink_is_there_for_each_with_each_port(options):
    ports = ("--port", "2121:21", "--port", "990")
    one = rules_of(pasvd_rules(*options, *ports).stdout)
    two = rules_of(pasvd_rules(*options, "--wan", "wan1", *ports).stdout)
    of_uplink = [line for line in one if "wan0" in line]
    assert len(of_uplink) == 10
    assert sorted(two) == sorted(one + [line.replace("wan0", "wan1") for line in of_uplink])
    assert [line.replace("wan1", "wan0") for line in two if "wan1" in line] == of_uplink


def test_ports_on_demand_are_there_for_each_uplink(folder):
    (folder / "conf").write_text("[tls]\npassive-ports = 60000-60100, 61000\n")
    text = pasvd_rules(*OPTIONS, "--wan", "wan1", "--config", str(folder / "conf")).stdout
    assert re.findall(r"-i (\w+) -p tcp --dport ([\d:]+) --syn -j NFQUEUE", text) == [
        (wan, ports) for wan in ("wan0", "wan1") for ports in ("60000:60100", "61000")]


def test_at_most_8_uplinks():
    uplinks = [word for n in range(1, 8) for word in ("--wan", f"wan{n}")]
    assert pasvd_rules(*OPTIONS, *uplinks).returncode == 0
    assert pasvd_rules(*OPTIONS, *uplinks, "--wan", "wan8").returncode == 2


def test_at_most_64_ports():
    ports = [word for n in range(64) for word in ("--port", str(1000 + n))]
    assert pasvd_rules(*OPTIONS, *ports).returncode == 0
    assert pasvd_rules(*OPTIONS, *ports, "--port", "21").returncode == 2


@every_set
def test_only_own_chains_and_the_jumps_to_them(options):
    for line in rules_of(pasvd_rules(*options).stdout):
        assert re.match(r"\*|COMMIT$|:PASVD - |-A PASVD |-[AI] (PREROUTING|FORWARD) -p \S+ -m \S+ --.* -j PASVD$", line), line


@every_set
def test_jump_of_mangle_is_the_last_and_the_others_are_the_first(options):
    tables = re.findall(r"^\*(\w+)\n(.*?)^COMMIT", pasvd_rules(*options).stdout, re.M | re.S)
    jumps = {table: set(re.findall(r"^(-[AI] \w+) .*-j PASVD$", text, re.M)) for table, text in tables}
    nat = {"-I PREROUTING"} if "--server" in options else set()
    assert jumps == {"raw": {"-I PREROUTING"}, "mangle": {"-A PREROUTING"}, "nat": nat, "filter": {"-I FORWARD"}}


@every_set
def test_jump_for_each_port_is_there_once(options):
    jumps = [line for line in rules_of(pasvd_rules(*options, *(("--lan", "lan7") if "--lan" not in options else ())).stdout)
             if re.match(r"\*|-[AI] (PREROUTING|FORWARD) ", line)]
    for table in "\n".join(jumps).split("*")[1:]:
        lines = table.splitlines()
        assert len(lines) == len(set(lines)), lines


@pytest.mark.parametrize("flag,options", [("-4", ANY), ("-6", ANY), ("-4", ("--server", "any", "--public", "203.0.113.1"))])
def test_without_a_server_of_ours_there_are_its_helper_and_its_queue_and_no_more(flag, options):
    """Rules of others translate, and let pass."""
    rules = rules_of(pasvd_rules(*options, "--port", "2121:21", flag).stdout)
    server = ("--server", "10.0.0.2" if flag == "-4" else "fd00::2", *(word for word in options if word not in ("--server", "any")))
    ours = rules_of(pasvd_rules(*server, "--port", "2121:21").stdout)
    nat, filtered = rules.index("*nat"), rules.index("*filter")
    assert rules[:nat] == ours[:ours.index("*nat")]
    assert rules[nat:filtered] == ["*nat", ":PASVD - [0:0]", "COMMIT"]
    in_middle, replaced, unread = [line for line in ours if "-j CONNMARK" in line]
    jump = "-I FORWARD -p tcp -m conntrack --ctorigdstport 2121 -j PASVD"
    assert "! --syn" in in_middle and "SYN,ACK SYN,ACK" in replaced
    assert rules[filtered:] == ["*filter", ":PASVD - [0:0]", unread, jump, "COMMIT"]
    more = rules_of(pasvd_rules(*options, "--port", "2121:21", flag, "--accept-data").stdout)
    assert more[:filtered] == rules[:filtered]
    assert [re.sub("-p icmp(v6)?|-p ipv6-icmp", "-p icmp", line) for line in more[filtered:]] == [
        "*filter", ":PASVD - [0:0]", unread,
        "-A PASVD -p tcp -m conntrack --ctstate RELATED,ESTABLISHED -m helper --helper sane -j ACCEPT",
        "-A PASVD -p icmp -m conntrack --ctstate RELATED -m helper --helper sane -j ACCEPT",
        "-I FORWARD -p icmp -m conntrack --ctstate RELATED -j PASVD", jump,
        "-I FORWARD -p tcp -m conntrack --ctstatus EXPECTED -j PASVD", "COMMIT"]


def test_table_of_nft_without_a_server_of_ours_translates_nothing():
    text = pasvd_rules(*ANY, "--nft").stdout
    assert "dnat " not in text.replace("ct status dnat", "") and "chain translation" not in text
    ours = [line for line in pasvd_rules(*OPTIONS, *OPTIONS6[2:], "--nft").stdout.splitlines() if "counter" in line or "set " in line]
    assert [line for line in text.splitlines() if "counter" in line or "set " in line] == ours


def test_server_of_ours_and_one_of_others_have_ports_of_their_own():
    rules = rules_of(pasvd_rules(*OPTIONS, "--server", "any", "--port", "2121").stdout)
    assert [line for line in rules if "DNAT --to" in line] == ["-A PASVD -i wan0 -p tcp --dport 21 -j DNAT --to-destination 10.0.0.2:21"]
    assert {port for line in rules for port in re.findall(r"-i wan0 -p tcp --dport (\d+) -j CT", line)} == {"21", "2121"}


@pytest.mark.parametrize("option", ["--lan=lan0", "--help"])
def test_full_disk_is_an_error(option):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([PASVD, "rules", "print", option], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert done.returncode == 1
    assert done.stderr == "pasvd rules print: stdout: No space left on device\n"
