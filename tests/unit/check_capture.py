#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_capture.py - "pasvd replay" on files

Comes in:  the binary to test in $PASVD; tests/captures/, captures of listener sessions
           and the reports that are right for them.
Goes out:  whether the reports are those, whatever the link type, the file's format
           and where it ends; and whether mistakes are reported as they should be.

Needs no privilege; run by root, one test runs the program as nobody.
"""

import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import pytest

sys.dont_write_bytecode = True
TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "support"))
from schema import validated  # noqa: E402

PASVD = pathlib.Path(os.environ.get("PASVD", TOP / "build" / "pasvd")).resolve()
CAPTURES = TOP / "tests" / "captures"
TIMEOUT = 120 * float(os.environ.get("SLOWNESS", "1"))
NOBODY = 65534
# What looks for leaks at the end makes a process, which the program may not; check_follow.c and the fuzz target look too.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}

NAT = ("--nat", "203.0.113.1=10.77.0.2")
# The report's file: the capture it is on, and the options.
REPORTS = {
    "outside.txt": ("outside", NAT),
    "outside.json": ("outside", ("--json", *NAT)),
    "outside-assumed.txt": ("outside", ()),
    "outside-other-nat.txt": ("outside", ("--nat", "203.0.113.2=10.77.0.2")),
    "both-sides.txt": ("both-sides", NAT),
    "inside-ip6.txt": ("inside-ip6", ("--nat", "2001:db8:113::1=fd77::2")),
    "inside-ip6-assumed.txt": ("inside-ip6", ()),
    "active-client.txt": ("active-client", ("--nat", "198.51.100.1=192.168.100.200")),
    "active-client.json": ("active-client", ("--json", "--nat", "198.51.100.1=192.168.100.200")),
}

# pcap-linktype(7)
ETHERNET, RAW, IEEE802_11, COOKED, COOKED2 = 1, 101, 105, 113, 276
IP_ETHERTYPE = b"\x08\x00"


def run(*argv, **options):
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "env": ENVIRONMENT, **options}
    return subprocess.run([str(word) for word in (PASVD, *argv)], stderr=subprocess.PIPE, text=True,
                          timeout=TIMEOUT, **options)


def replay(*argv, status=0, **options):
    done = run("replay", *argv, **options)
    assert done.returncode == status, done
    return done


def records(path):
    """The packets of a file as tcpdump wrote it: (seconds, microseconds, bytes)."""
    data, at = path.read_bytes(), 24
    while at < len(data):
        seconds, microseconds, length, _ = struct.unpack_from("<IIII", data, at)
        yield seconds, microseconds, data[at + 16:at + 16 + length]
        at += 16 + length


def pcap(link_type, packets):
    text = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type)
    for seconds, microseconds, frame in packets:
        text += struct.pack("<IIII", seconds, microseconds, len(frame), len(frame)) + frame
    return text


def pcapng_block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def pcapng(link_type, packets):
    """draft-ietf-opsawg-pcapng: section header, interface description, enhanced packets."""
    text = pcapng_block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    text += pcapng_block(1, struct.pack("<HHI", link_type, 0, 262144))
    for seconds, microseconds, frame in packets:
        time = seconds * 1000000 + microseconds
        text += pcapng_block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xffffffff, len(frame), len(frame))
                             + frame)
    return text


def framed(change):
    """The packets of outside.pcap, in other frames; what is no IP is left as it is."""
    return [(seconds, microseconds, change(frame[14:]) if frame[12:14] == IP_ETHERTYPE else frame)
            for seconds, microseconds, frame in records(CAPTURES / "outside.pcap")]


@pytest.fixture
def folder():
    """In place of pytest's tmp_path, which keeps what was in it."""
    with tempfile.TemporaryDirectory(prefix="pasvd-capture-") as name:
        yield pathlib.Path(name)


@pytest.fixture
def file(folder):
    """A function that writes a file and returns its name."""
    def write(content, name="x.pcap"):
        (folder / name).write_bytes(content)
        return folder / name
    return write


def expected(name):
    return (CAPTURES / name).read_text()


# --- what is right

def comparable(text):
    """A new reason is no difference."""
    if not text.startswith("{"):
        return text
    report = validated("replay", json.loads(text))
    verdicts = report["summary"]["verdicts"]
    report["summary"]["verdicts"] = {reason: count for reason, count in verdicts.items() if count}
    return report


@pytest.mark.parametrize("name", REPORTS)
def test_report_is_as_it_was_read(name):
    capture, options = REPORTS[name]
    done = replay(*options, CAPTURES / f"{capture}.pcap")
    assert comparable(done.stdout) == comparable(expected(name)) and done.stderr == ""


def test_each_report_and_capture_is_used():
    used = set(REPORTS) | {f"{capture}.pcap" for capture, _ in REPORTS.values()} | {"make.py", "README"}
    assert {path.name for path in CAPTURES.iterdir() if path.name != "__pycache__"} == used


MACS = bytes(range(12))
FRAMES = {
    "vlan": (ETHERNET, lambda ip: MACS + b"\x81\x00\x00\x07" + IP_ETHERTYPE + ip),
    "two-vlans": (ETHERNET, lambda ip: MACS + b"\x88\xa8\x00\x07\x81\x00\x00\x08" + IP_ETHERTYPE + ip),
    "padded": (ETHERNET, lambda ip: MACS + IP_ETHERTYPE + ip + b"padding"),
    "raw": (RAW, lambda ip: ip),
    "cooked": (COOKED, lambda ip: b"\x00\x00\x00\x01\x00\x06" + bytes(8) + IP_ETHERTYPE + ip),
    "cooked-2": (COOKED2, lambda ip: IP_ETHERTYPE + bytes(18) + ip),
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("write", (pcap, pcapng), ids=("pcap", "pcapng"))
def test_frames_and_format_of_the_file_make_no_difference(file, name, write):
    link_type, change = FRAMES[name]
    done = replay(*NAT, file(write(link_type, framed(change))))
    assert done.stdout == expected("outside.txt")


def test_standard_input_is_a_file_as_well():
    with open(CAPTURES / "outside.pcap", "rb") as stdin:
        assert replay(*NAT, "-", stdin=stdin).stdout == expected("outside.txt")


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody has no privilege to give up")
def test_no_privilege_is_needed():
    """Where nobody may go: a build folder need not be such a place."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for program in (PASVD, PASVD.parent / "pasvd-replay"):
            shutil.copy(program, folder)
        (folder / "x.pcap").write_bytes((CAPTURES / "outside.pcap").read_bytes())
        done = subprocess.run([folder / PASVD.name, "replay", *NAT, folder / "x.pcap"], capture_output=True,
                              text=True, timeout=TIMEOUT, env=ENVIRONMENT, user=NOBODY, group=NOBODY, extra_groups=[])
        assert (done.returncode, done.stdout, done.stderr) == (0, expected("outside.txt"), "")


def test_packets_that_come_twice_open_nothing_twice(file):
    packets = [packet for packet in records(CAPTURES / "outside.pcap") for _ in range(2)]
    report = json.loads(replay("--json", *NAT, file(pcap(ETHERNET, packets))).stdout)
    assert report["connections"][0]["events"] == json.loads(expected("outside.json"))["connections"][0]["events"]


def test_configuration_decides(file):
    configuration = file(b"[policy]\nallow-foreign = 192.0.2.9\ndeny-ports = 50001\n", "pasvd.conf")
    done = run("-c", configuration, "replay", "--json", *NAT, CAPTURES / "outside.pcap")
    verdicts = json.loads(done.stdout)["summary"]["verdicts"]
    assert (verdicts["foreign-address"], verdicts["denied-port"], verdicts["low-port"]) == (0, 1, 1)


def test_long_report_needs_no_more_calls_than_it_may_make(file):
    """Two connections make memory grow by turns; a call that the isolation does not know would end the program."""
    packets = []
    for number in range(600):
        payload = b"NOOP\r\n" * 200
        tcp = struct.pack(">HHIIBBHHH", 40000 + number % 2, 21, 1 + number // 2 * len(payload), 1, 0x50, 0x10,
                          100, 0, 0) + payload
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + bytes((10, 0, 0, 1, 10, 0, 0, 2))
        packets.append((1, number, ip + tcp))
    name = file(pcap(RAW, packets))
    assert replay(name).stdout.count(" NOOP\n") == 120000
    assert len(json.loads(replay("--json", name).stdout)["connections"][0]["events"]) == 60000


def conversation(lines, client=bytes((198, 51, 100, 10)), server=bytes((203, 0, 113, 1))):
    """The packets of a session: (who speaks, what)."""
    at = {"C": 1000, "S": 5000}
    for number, (who, payload) in enumerate([("C", None), ("S", None), *lines]):
        other = "S" if who == "C" else "C"
        ports = (40000, 21) if who == "C" else (21, 40000)
        syn, ack = payload is None, (who, payload) != ("C", None)
        tcp = struct.pack(">HHIIBBHHH", *ports, at[who], at[other] if ack else 0, 0x50, 2 * syn + 16 * ack, 100, 0, 0)
        tcp += payload or b""
        addresses = client + server if who == "C" else server + client
        yield 1, number, struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + addresses + tcp
        at[who] += len(payload) if payload else 1


def record(kind, length):
    return bytes((kind, 3, 3)) + struct.pack(">H", length) + b"x" * length


# RFC 4217, section 12.3
CCC = [("S", b"220 hello\r\n"), ("C", b"AUTH TLS\r\n"), ("S", b"234 go on\r\n"), ("C", record(22, 80)),
       ("S", record(22, 80)), ("C", record(23, 30)), ("S", record(23, 40)), ("C", record(21, 19)), ("S", record(21, 19)),
       ("C", b"PASV\r\n"), ("S", b"227 ok (203,0,113,1,200,1)\r\n")]
LOGIN = [("S", b"220 hello\r\n"), ("C", b"USER lab\r\n"), ("S", b"331 and\r\n"), ("C", b"PASS lab\r\n"),
         ("S", b"230 ok\r\n")]
ANSWERS = {
    "ccc-behind-the-router": (NAT, CCC, "open"),
    "ccc-assumed": ((), CCC, "encrypted"),
    "227-unreadable": ((), [*LOGIN, ("C", b"PASV\r\n"), ("S", b"227 ok\r\n")], "unreadable"),
    "227-unpaired": ((), [*LOGIN, ("C", b"NOOP\r\n"), ("S", b"227 ok (203,0,113,1,200,1)\r\n")], "unpaired"),
    "227-unpaired-unreadable": ((), [*LOGIN, ("C", b"NOOP\r\n"), ("S", b"227 ok\r\n")], "unpaired"),
    "227-unasked-unreadable": ((), [*LOGIN, ("S", b"227 ok\r\n")], "unpaired"),
    "229-unpaired-unreadable": ((), [*LOGIN, ("C", b"NOOP\r\n"), ("S", b"229 ok\r\n")], "unpaired"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_offer_is_opened_or_has_its_reason(file, name):
    options, lines, what = ANSWERS[name]
    report = replay(*options, file(pcap(RAW, conversation(lines)))).stdout.splitlines()
    answer = next(i for i, line in enumerate(report) if line.split()[1:3] in (["server", "227"], ["server", "229"]))
    assert report[answer + 1].split()[1] == what, report


def test_verbose_tells_of_each_verdict():
    done = run("-v", "replay", *NAT, CAPTURES / "outside.pcap")
    lines = [line for line in done.stdout.splitlines() if line.split()[1:2] == ["passed"]]
    assert f"passed={len(lines)} " in done.stdout


def test_control_port_can_be_another_one(file):
    def change(ip):
        return ip.replace(b"\x00\x15", b"\x1f\x55")     # 21 and 8021
    packets = framed(change)
    name = file(pcap(RAW, packets))
    assert "connections=0 " in replay(*NAT, name).stdout
    want = expected("outside.txt").replace(":21 ", ":8021 ")
    assert replay(*NAT, "--port", "8021", name).stdout == want
    rule = ("--nat", "203.0.113.1:8021=10.77.0.2:21")
    assert replay(*rule, name).stdout == want.replace("-> 10.77.0.2:8021 ", "-> 10.77.0.2:21 ")


def members(value):
    """The names of all members in it, but for those of verdicts."""
    if isinstance(value, list):
        return set().union(*map(members, value))
    if not isinstance(value, dict):
        return set()
    return set(value) | set().union(*(members(v) for key, v in value.items() if key != "verdicts"))


def test_members_are_those_of_the_manual(file):
    packets = [packet for packet in records(CAPTURES / "outside.pcap") if b"EPSV" not in packet[2]]
    reports = [expected("outside.json"), replay("--json", file(pcap(ETHERNET, packets))).stdout]
    section = (TOP / "man" / "pasvd-replay.8").read_text().split(".Fl -json\nhas these members", 1)[1]
    section = section.split(".Sh EXIT STATUS", 1)[0]
    named = set(re.findall(r"^(?:\.It )?\.?Cm (\w+)", section, re.M))
    named |= set(re.findall(r"^\.It Cm (\w+)", section, re.M))
    shown = members([json.loads(report) for report in reports])
    kinds = {"open", "shut", "verdict", "gap", "reply", "other"}
    assert shown - named == set() and named - shown - kinds == {"lines"}


# --- what is wrong

def complaint(done):
    (line,) = done.stderr.splitlines()
    return line.removeprefix("pasvd replay: ")


def test_file_that_ends_anywhere_gets_its_report(file):
    content = (CAPTURES / "outside.pcap").read_bytes()
    whole = expected("outside.txt").splitlines()
    for length in range(24, len(content), 7):
        name = file(content[:length])
        done = run("replay", *NAT, name)
        lines = done.stdout.splitlines()
        told = [line for line in lines[:-2] if " -> " in line or line.startswith("  +")]
        assert told == whole[:len(told)]
        if done.returncode == 0:    # between two packets
            assert done.stderr == "" and "could not be read" not in done.stdout
        else:
            assert done.returncode == 1 and lines[-1] == "The capture could not be read to its end."
            assert complaint(done).startswith(f"{name}: truncated")


def test_json_says_that_the_file_is_not_whole(file):
    done = replay("--json", *NAT, file((CAPTURES / "outside.pcap").read_bytes()[:-1]), status=1)
    assert json.loads(done.stdout)["summary"]["complete"] is False


WRONG_FILES = {
    "empty": (b"", "truncated dump file; tried to read 4 file header bytes, only got 0"),
    "text": (b"nothing that anybody captured\n", "unknown file format"),
    "wireless": (pcap(IEEE802_11, []), "link type IEEE802_11 (105) is not known; "
                 "Ethernet, Linux cooked v1 and v2 and raw IP are"),
    "private": (pcap(147, []), "link type without a name (147) is not known; "
                "Ethernet, Linux cooked v1 and v2 and raw IP are"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_file_that_is_no_capture_is_named(file, name):
    content, why = WRONG_FILES[name]
    path = file(content, name)
    done = replay(path, status=1)
    assert complaint(done) == f"{path}: {why}" and done.stdout == ""


def test_file_that_cannot_be_opened_is_named(folder):
    missing = folder / "missing.pcap"
    assert complaint(replay(missing, status=1)).startswith(f"{missing}: ")
    assert complaint(replay("/", status=1)).startswith("/: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="root reads what belongs to somebody else")
def test_root_reads_a_file_in_a_home_that_nobody_else_may_enter(folder):
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "a.pcap").write_bytes((CAPTURES / "outside.pcap").read_bytes())
    os.chown(home, NOBODY, NOBODY)
    assert replay(*NAT, home / "a.pcap").stdout == expected("outside.txt")


WRONG_ARGUMENTS = {
    (): "FILE: missing; it is a capture as tcpdump(8) writes it, or - for standard input",
    ("a", "b"): "\"b\": one file at a time",
    ("--jsn", "a"): "unknown option \"--jsn\", did you mean \"--json\"?",
    ("-x", "a"): "unknown option \"-x\", see pasvd replay --help",
    ("a", "--nat"): "--nat: needs a value, PUBLIC=SERVER",
    ("--port", "0", "a"): "--port \"0\": must be a control port from 1 to 65535; at most 64 of them",
    ("--nat", "203.0.113.1", "a"): "--nat \"203.0.113.1\": must be PUBLIC=SERVER, two addresses of one family, or two "
                                   "ADDRESS:PORT; at most 64 of them",
}


@pytest.mark.parametrize("arguments", WRONG_ARGUMENTS, ids=" ".join)
def test_wrong_arguments_are_told(arguments):
    done = replay(*arguments, status=2)
    assert complaint(done) == WRONG_ARGUMENTS[arguments] and done.stdout == ""


def test_wrong_configuration_is_told_as_the_daemon_does(file):
    configuration = file(b"[policy]\ndeny-ports = 0\n", "pasvd.conf")
    done = run("-c", configuration, "replay", CAPTURES / "outside.pcap")
    assert done.returncode == 2 and f"{configuration}:2" in done.stderr


def test_report_that_cannot_be_written_is_an_error():
    with open("/dev/full", "wb") as full:
        done = replay(*NAT, CAPTURES / "outside.pcap", stdout=full, status=1)
    assert complaint(done) == "stdout: No space left on device"


def test_nothing_that_was_sent_gets_out(file):
    """Passwords, control characters: the report has neither, in whatever state the file is."""
    generator = random.Random(1)
    content = bytearray((CAPTURES / "outside.pcap").read_bytes())
    for _ in range(200):
        spoilt = bytearray(content)
        for _ in range(generator.randrange(1, 30)):
            spoilt[generator.randrange(24, len(spoilt))] = generator.randrange(256)
        done = run("replay", *NAT, file(bytes(spoilt)))
        assert done.returncode in (0, 1) and "Sanitizer" not in done.stderr, done
        assert "secret" not in done.stdout.lower() and done.stdout.replace("\n", "").isprintable()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
