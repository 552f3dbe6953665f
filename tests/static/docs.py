#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs.py - README, HACKING and the manual pages say what is so

Comes in:  the binary to test in $PASVD; root, who can make network namespaces.
Goes out:  whether options, reasons, files and commands in the documents are
           those of the program, and whether what is shown works as shown.

Fenced blocks of README.md and docs/deployment.md, by what stands behind the fence:
  sh           a router with interfaces eth0, eth1 and lan0, a new one for each block. Lines
               that begin with "$ " or "# " are commands, and are executed; what
               stands below one is its output, to the letter.
  sh session   the same on the lab's router, where a client has just sent PASV;
               ports, times and counts of the output may differ.
  text log     lines that pasvd has logged there, up to ports and its version.
  text check   a finding of `pasvd check` where the jump from FORWARD is missing.
  ini          a configuration that pasvd accepts.
  console      commands that are only looked up.
  text hooks   how hooks of firewalls get to their place; tests/lab/test_firewalls.py runs the hooks.
  text         for the eye.
Of the manual pages: commands that load rules, and all that pasvd.conf(5) shows.

Limits: without root only what needs none is checked.

As a program it runs itself and exits with 77 ("skipped") if it is not root.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.dont_write_bytecode = True
TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "lab"))
import clients  # noqa: E402
import lab as lab_module  # noqa: E402
from scripted import ScriptedServer  # noqa: E402

PASVD = lab_module.PASVD.resolve()
PASVCTL = lab_module.PASVCTL.resolve()
BUILD = PASVD.parent
README = (TOP / "README.md").read_text()
HACKING = (TOP / "HACKING.md").read_text()
DOCUMENTS = {path.name: path.read_text() for path in [TOP / "README.md", TOP / "HACKING.md", *sorted(TOP.glob("docs/*.md"))]}
DEPLOYMENT, DESIGN, TESTING, KERNELS = (DOCUMENTS[f"{name}.md"] for name in ("deployment", "design", "testing", "kernels"))
MANUAL = (TOP / "man" / "pasvd.8").read_text()
MANUAL_RULES, MANUAL_CHECK, MANUAL_REPLAY = (
    (TOP / "man" / f"pasvd-{name}.8").read_text() for name in ("rules", "check", "replay"))
TIMEOUT = lab_module.PATIENCE
README_LINES_MAX, HACKING_LINES_MAX = 131, 151

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")


def blocks(document, kind):
    """The contents of the fenced blocks of this kind."""
    return [body for info, body in re.findall(r"^```(.*)\n((?:.*\n)*?)```$", document, re.M)
            if info == kind]


def between(text, begin, end):
    assert begin in text and end in text, (begin, end)
    return text.split(begin, 1)[1].split(end, 1)[0]


def output_of(*argv, status=0):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=TIMEOUT)
    assert status is None or done.returncode == status, done
    return done.stdout + done.stderr


# --- the manual page

def options_in_manual(section):
    items = "\n".join(re.findall(r"^\.It (Fl .*)$", section, re.M))
    return {"-" + name for name in re.findall(r"\bFl (-?[\w-]+)", items)}


def options_in(text):
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z46][\w-]*", text))


def options_of(program, *command):
    """Those that its --help lists."""
    listed = re.findall(r"^  +(-.*?)  ", output_of(program, *command, "--help"), re.M)
    return options_in(" ".join(listed))


def test_options_of_the_daemon_are_those_of_the_manual():
    assert options_of(PASVD) == options_in_manual(between(MANUAL, ".Sh DESCRIPTION", ".Ss ct-helper")) | {"--version", "-V"}


def test_options_and_commands_of_pasvctl_are_those_of_its_manual():
    page = (TOP / "man" / "pasvctl.8").read_text()
    described = between(page, ".Sh DESCRIPTION", ".Sh JSON")
    commands = re.findall(r"^  (\w+)  ", output_of(PASVCTL, "--help"), re.M)
    assert commands and commands == re.findall(r"^\.It Cm (\w+)$", described, re.M)
    assert set().union(*(options_of(PASVCTL, command) for command in commands)) == options_in_manual(described)


def test_states_of_sessions_are_those_of_the_manual_and_the_schema():
    page, schema = ((TOP / name).read_text() for name in ("man/pasvctl.8", "docs/pasvctl.schema.json"))
    given, counted = ((TOP / "src" / name).read_text() for name in ("control/answer.c", "pasvctl/metrics.c"))
    states = set(json.loads(schema)["definitions"]["session"]["properties"]["state"]["enum"])
    assert set(re.findall(r'"([\w-]+)"', between(given, "*answer_state_of(", "\n}"))) == states
    assert set(re.findall(r'"([\w-]+)"', between(counted, "states[] = {", "};"))) == states
    assert set(re.findall(r"^\.Cm ([\w-]+)", between(page, "The state is one of\n", "the last one as in"), re.M)) == states


def test_options_of_rules_are_those_of_the_manual():
    manual = options_in_manual(between(MANUAL_RULES, ".Sh DESCRIPTION", ".Ss iptables"))
    for command in "print", "load", "diff", "watch":
        assert options_of(PASVD, "rules", command) == manual


def test_options_of_replay_are_those_of_the_manual():
    done = output_of(PASVD, "replay", "--help", status=None)
    if "built with libpcap" in done:
        pytest.skip("built without libpcap or jansson")
    standard = {"-h", "--help", "-V", "--version"}
    assert options_of(PASVD, "replay") == options_in_manual(between(MANUAL_REPLAY, ".Sh DESCRIPTION", ".Sh EXIT STATUS")) | standard


def test_reasons_are_in_the_manual_with_their_meaning():
    header = (TOP / "include" / "pasvd" / "reason.h").read_text()
    listed = re.sub(r"\\\n\s*", "", between(header, "#define REASONS(X)", "\nenum reason"))
    reasons = re.findall(r'X\(\w+, "([\w-]+)", (\w+), *"((?:[^"]|" *")*)"\)', listed)
    assert len(reasons) == listed.count("X(") > 0
    manual = between(MANUAL, ".Sh DIAGNOSTICS", ".Sh SEE ALSO")
    items = re.findall(r"^\.It Cm (\S+) Pq (\S+)\n((?:[^.].*\n)*)", manual, re.M)
    assert [(name, level.lower()) for name, level, _ in reasons] == [item[:2] for item in items]
    for (name, _, meaning), (_, _, text) in zip(reasons, items):
        meaning, text = re.sub(r'" *"', "", meaning), " ".join(text.split())
        assert text.lower().startswith(meaning.lower()), (name, meaning, text)


def test_endings_are_in_the_manual_with_their_meaning():
    header = (TOP / "include" / "pasvd" / "ending.h").read_text()
    listed = between(header, "#define ENDINGS(X)", "\nenum ending")
    listed = re.sub(r'" *\\\n\s*"|\\\n\s*', "", listed)
    endings = re.findall(r'X\(\w+, "(\w+)", *"([^"]*)"\)', listed)
    assert len(endings) == listed.count("X(") > 0
    manual = between(MANUAL, ".Sh DIAGNOSTICS", ".Sh SEE ALSO")
    items = re.findall(r"^\.It Sy (\S+)\n((?:[^.].*\n)*)", manual, re.M)
    assert [name for name, _ in endings] == [name for name, _ in items]
    for (name, meaning), (_, text) in zip(endings, items):
        assert " ".join(text.split()).lower().startswith(meaning.lower()), (name, meaning, text)


def test_events_are_in_the_manual():
    source = "".join(path.read_text() for path in (TOP / "src").rglob("*.c"))
    events = set(re.findall(r'\blog_(?:at|fields|packet)\(\s*REASON_LEVEL_\w+,\s*(?:[^";]*,\s*)?"([\w-]+)",', source))
    in_manual = {word for items in re.findall(r"^\.It Ic (.*)", MANUAL, re.M) for word in items.split(" , ")}
    assert len(events) > 10 and events <= in_manual


def test_findings_of_check_are_in_the_manual():
    sources = "".join(path.read_text() for path in TOP.glob("src/check/*.c"))
    about = set(re.findall(r'\bSEVERITY_\w+,\s*"([^"%]+)"|\babout\[\] = "([^"]+)"|check_room\(r,\s*"(\w+)"', sources))
    manual = re.findall(r"^\.It ([a-z ,-]+)$", between(MANUAL_CHECK, ".Sh DESCRIPTION", ".Sh EXIT STATUS"), re.M)
    assert len(about) > 8 and {name for names in about for name in names if name} == {
        name for item in manual for name in item.split(" , ")}


def test_schemas_define_what_they_share_in_the_same_way():
    """Each has its own definitions, so that one file is all that a validator needs."""
    one, other = (json.loads((TOP / "docs" / f"{name}.schema.json").read_text())["definitions"] for name in ("pasvctl", "replay"))
    shared = one.keys() & other.keys()
    assert len(shared) >= 6 and {name: one[name] for name in shared} == {name: other[name] for name in shared}


MANUALS = sorted((TOP / "man").glob("*.[1-8]"))
# Of which package of Debian a manual page is that ours refer to.
OTHER_MANUALS = {"conntrack 8": "conntrack", "conntrackd 8": "conntrackd", "ip-rule 8": "iproute2",
                 "iptables 8": "iptables", "iptables-restore 8": "iptables",
                 "nft 8": "nftables", "sd-daemon 3": "libsystemd-dev", "sd_notify 3": "libsystemd-dev",
                 "systemd.exec 5": "systemd", "tcpdump 8": "tcpdump"}


@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_manual_is_correct_mdoc(page):
    """Except that mandoc only knows pages of others that happen to be on this machine: those are looked at below."""
    complaints = output_of("mandoc", "-Tlint", page, status=None).splitlines()
    assert [line for line in complaints if "mandoc.db" not in line and "referenced manual not found" not in line] == []


@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_words_of_a_list_have_quotes_each(page):
    """.Ql quotes all that is on its line, with the commas in between."""
    assert re.findall(r"^\..*\bQl .* [,;] \S.*", page.read_text(), re.M) == []


@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_manual_names_folders_that_the_installed_one_has_in_its_own_place(page):
    """man/meson.build puts the prefix in the place of /usr/local."""
    assert re.findall(r"/usr/(?!local/)\S*", page.read_text()) == []


def test_manuals_refer_to_pages_that_there_are():
    named = {name for page in MANUALS for name in re.findall(r"^\.Xr (\S+ \d)\b", page.read_text(), re.M)}
    ours = {f"{page.stem} {page.suffix[1:]}" for page in MANUALS}
    assert named - ours == set(OTHER_MANUALS)
    files = {package: subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, timeout=TIMEOUT).stdout
             for package in set(OTHER_MANUALS.values())}
    assert [name for name, package in OTHER_MANUALS.items() if files[package]
            and not re.search(rf"/man\d/{re.escape(name.replace(' ', '.'))}(\.gz)?$", files[package], re.M)] == []


def test_manual_pages_refer_to_each_other():
    for page in MANUALS:
        other = {f"{it.stem} {it.suffix[1:]}" for it in MANUALS if it != page}
        see_also = between(page.read_text() + "\n.Sh ", ".Sh SEE ALSO", "\n.Sh ")
        named = set(re.findall(r"^\.Xr (pasv\S* \d)", see_also + "\n", re.M))
        assert other and named == other, page.name


def test_keys_that_are_named_are_there():
    keys = re.findall(r"^\.It Ic (\S+)$", (TOP / "man" / "pasvd.conf.5").read_text(), re.M)
    named = re.findall(r"^\.Ic ([\w-]+)|^\.Pq Ic ([\w-]+)", MANUAL, re.M)
    assert keys and named and [a or b for a, b in named if (a or b) not in keys] == []


# --- what README shows

def commands_of(block):
    """[command, lines of output] of each command."""
    commands = []
    for line in block.splitlines():
        if re.match(r"[$#] ", line):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


def execute(namespace, command, folder, control_socket="/run/pasvd/ctl"):
    tools = folder / "bin"
    if not tools.exists():
        tools.mkdir()
        (tools / "pasvd").symlink_to(PASVD)
        (tools / "pasvctl").write_text(f'#!/bin/sh\nexec {PASVCTL} -s "$CONTROL_SOCKET" "$@"\n')
        (tools / "pasvctl").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}:/usr/sbin:/sbin", "PASVD": str(PASVD),
                   "LC_ALL": "C", "CONTROL_SOCKET": str(control_socket)}
    done = namespace.run("bash", "-o", "pipefail", "-euc", command, timeout=TIMEOUT, env=environment,
                         cwd=folder, check=False)
    assert done.returncode == 0, done
    return done.stdout.splitlines()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="pasvd-docs-") as name:
        yield pathlib.Path(name)


def each_block(kind):
    return pytest.mark.parametrize("block", blocks(README + DEPLOYMENT, kind), ids=lambda block: str(block).partition("\n")[0])


@contextlib.contextmanager
def some_router():
    namespace = lab_module.Namespace("readme")
    try:
        namespace.ip("link set lo up\nlink add eth0 type veth peer name eth1\nlink set eth0 up\n"
                     "link add lan0 type veth peer name lan1\nlink set lan0 up\n"
                     "link set eth1 up\naddress add 203.0.113.1/24 dev eth0\n"
                     "address add 198.51.100.1/24 dev eth1\n")
        yield namespace
    finally:
        namespace.close()


@needs_root
@each_block("sh")
def test_commands_of_readme_work_as_shown(block, folder):
    with some_router() as namespace:
        for command, shown in commands_of(block):
            output = execute(namespace, command, folder)
            assert not shown or output == shown, command


def shown_in(page):
    """The blocks of a manual page."""
    return [block.replace("\\", "") for block in re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", page.read_text(), re.M)]


@needs_root
def test_rules_of_manuals_can_be_loaded(folder):
    commands = re.findall(r"^# (pasvd rules load .+)$", "\n".join(block for page in MANUALS for block in shown_in(page)), re.M)
    assert len(commands) > 4
    with some_router() as namespace:
        for command in commands:
            execute(namespace, command, folder)


def test_configurations_of_the_manual_are_accepted_and_its_mistake_is_reported_so(folder):
    *configurations, mistake = shown_in(TOP / "man" / "pasvd.conf.5")[1:]
    file = folder / "pasvd.conf"
    assert len(configurations) > 4
    for text in configurations:
        file.write_text(text)
        # What is not there on this machine is logged.
        assert "pasvd.conf:" not in output_of(PASVD, "-n", "-c", file)
    file.write_text("[policy]\n\n" + re.search(r"deny-ports = \d+", mistake)[0])
    assert output_of(PASVD, "-n", "-c", file, status=2).replace(str(file), "/etc/pasvd/pasvd.conf") == re.sub(r"\n(?=.)", " ", mistake)


def shape(line):
    """The line without what differs from run to run: ports, times, counts, the version."""
    line = re.sub(r"^(tcp +6 |)\d+ ", r"\1TIME ", line)
    line = re.sub(r"\b(use|version)=[\d.]+", r"\1=", line)
    line = re.sub(r" \d+ s$", " TIME", line)
    return re.sub(r"(?<=[=: ])\d{5}\b", "PORT", line)


@pytest.fixture(scope="module")
def session():
    """A router's lab and what pasvd logged there about a transfer, with a session that then has its answer to PASV."""
    with lab_module.Lab(servers=("192.168.1.10",)) as lab:
        server = ScriptedServer(lab)
        visit = clients.Visit(lab.clients[0], lab.publics[0], 21, server.user, server.password, lab.tmp, "")
        with clients.python_session(visit) as ftp:
            clients.download_bytes(ftp, visit)
            lab_module.wait_for(lambda: len(lab.pasvd.ports()) == 2, 5, "the port is used")
            logged = lab.pasvd.log().splitlines()
            ftp.makepasv()
            yield lab, logged


@needs_root
@each_block("sh session")
def test_session_looks_as_shown(block, session, folder):
    lab, _ = session
    for command, shown in commands_of(block):
        output = execute(lab.router, command, folder, lab.control_socket)
        assert shown and [shape(line) for line in output] == [shape(line) for line in shown]


@needs_root
@each_block("text log")
def test_log_looks_as_shown(block, session):
    _, logged = session
    assert [shape(line) for line in block.splitlines()] == [shape(line) for line in logged]


@needs_root
@each_block("text check")
def test_finding_looks_as_shown(block, folder):
    options = ["--wan", "eth0", "--server", "192.168.1.10"]
    namespace = lab_module.Namespace("check")
    try:
        namespace.ip("link set lo up\nlink add eth0 type veth peer name eth1\nlink set eth0 up\nlink set eth1 up\n"
                     "address add 203.0.113.1/24 dev eth0\naddress add 192.168.1.1/24 dev eth1\n")
        execute(namespace, " ".join(["pasvd", "rules", "load", *options]), folder)
        execute(namespace, "iptables -F FORWARD", folder)
        done = namespace.run(PASVD, "check", *options, check=False, timeout=TIMEOUT)
    finally:
        namespace.close()
    told = " ".join(done.stdout.replace(str(PASVD), "pasvd").split())
    for line in re.split(r"\n +", block.strip()):
        assert " ".join(line.split()) in told, (line, done.stdout)


@pytest.mark.parametrize("block", blocks(README + DEPLOYMENT, "ini"))
def test_configuration_is_accepted(block, folder):
    (folder / "pasvd.conf").write_text(block)
    assert output_of(PASVD, "-n", "-c", folder / "pasvd.conf") == ""
    (folder / "pasvd.conf").write_text(block + "nonsense = 1\n")
    assert "nonsense" in output_of(PASVD, "-n", "-c", folder / "pasvd.conf", status=2)


def test_all_kinds_of_blocks_are_there():
    """A fence that is misspelt would take its block out of the tests above."""
    kinds = set(re.findall(r"^```(.+)$", README + DEPLOYMENT, re.M))
    assert kinds == {"console", "ini", "sh", "sh session", "text", "text check",
                     "text conntrackd.conf", "text hooks", "text keepalived.conf", "text log", "text pasvd-failover"}
    for name, document in DOCUMENTS.items():
        if name not in ("README.md", "deployment.md"):
            assert set(re.findall(r"^```(.+)$", document, re.M)) <= {"text", "console"}, name


def test_shape_tells_lines_apart():
    line = "299 proto=6 src=198.51.100.10 dst=203.0.113.1 sport=0 dport=10684 helper=sane"
    assert shape(line) == shape(line.replace("299", "300").replace("10684", "50000"))
    for other in (line.replace("sane", "ftp"), line.replace(".10 ", ".11 "), line + " use=1", "",
                  line.replace("sport=0", "sport=50000")):
        assert shape(line) != shape(other)


# --- what the documents name

def code_spans(document):
    prose = re.sub(r"^```(.*\n)*?```$", "", document, flags=re.M)
    return re.findall(r"`([^`\n]+)`", prose)


def words(document):
    return sorted({word.strip(",;") for span in code_spans(document) for word in span.split()})


def installed(path):
    """What quickstart puts onto a router, or the daemon looks for there."""
    text = (TOP / "scripts" / "router.sh").read_text() + (TOP / "src" / "config" / "conf.h").read_text()
    text = text.replace("$prefix", re.search(r"^prefix=(\S+)", text, re.M)[1])
    return re.search(rf"(^|[\s=\"]){re.escape(path)}($|[\s\"])", text, re.M)


# Those of firewalls, which tests/lab/test_firewalls.py has, and for failover, which tests/lab/failover.py has.
OTHER_FILES = {"/etc/ferm/ferm.conf", "/etc/shorewall/started", "/etc/ufw/after.init", "/etc/conntrackd/conntrackd.conf",
               "/etc/keepalived/keepalived.conf", "/etc/keepalived/pasvd-failover"}


def exists(path):
    if path in OTHER_FILES:
        return True
    if path.startswith("/"):
        return os.path.exists(path) or path.startswith("/proc/") or installed(path)
    if path.startswith("build/"):
        return (BUILD / path[len("build/"):]).exists()
    return any(TOP.glob(path))


PATH = re.compile(r"[\w.]*(?:/[\w.*-]+)+/?|[\w.-]+\.(?:c|h|py|md|sh|in|8|build|ftp)|[\w.-]+/|LICENSE|quickstart")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_are_named_are_there(name):
    document, folder = DOCUMENTS[name], TOP if (TOP / name).exists() else TOP / "docs"
    paths = [word for word in words(document) if PATH.fullmatch(word)]
    assert [path for path in paths if not exists(path.removeprefix("./"))] == []
    links = re.findall(r"\]\(([^):]+)\)", document)
    headings = {"#" + re.sub(r"\W+", "-", title.lower()) for title in re.findall(r"^#+ (.*)$", document, re.M)}
    assert [link for link in links if link not in headings and not (folder / link).exists()] == []


def test_functions_that_are_named_are_there():
    sources = "".join(path.read_text() for folder in ("include", "src") for path in TOP.glob(f"{folder}/**/*.[ch]"))
    names = re.findall(r"\b(\w+)\(\)", re.sub(r"\[[^\]]*\]\(\)", "", HACKING + DESIGN))
    assert names and [name for name in names if not re.search(rf"\b{name}\(", sources)] == []


def test_constants_that_are_named_have_their_value():
    """Those of the engine in docs/design.md, as NAME or as NAME (value); the kernel's begin with NF."""
    sources = "".join(path.read_text() for path in TOP.glob("include/pasvd/*.h"))
    named = re.findall(r"`(?!NF)([A-Z]+_[A-Z_0-9]+)`(?: \((\d+)\))?", DESIGN)
    known = dict(re.findall(r"\b([A-Z]+_[A-Z_0-9]+) = (\d+)", sources))
    assert named
    for name, value in named:
        assert name in known and value in ("", known[name]), name


def test_dialogue_that_is_shown_goes_so(folder):
    shown = [block for block in blocks(TESTING, "text") if "\nconnection " in block]
    assert len(shown) == 1
    for text, status in (shown[0], 0), (shown[0].replace("=> 227 Passive", "=> 227 Massive"), 1):
        (folder / "shown.ftp").write_text(text)
        output_of(BUILD / "tests" / "dialogue" / "play", folder / "shown.ftp", status=status)


def test_every_folder_is_on_the_map():
    table = between(HACKING, "## Map", "## House rules")
    folders = {str(path.parent.relative_to(TOP)) for path in TOP.glob("src/**/*.[ch]")} | {"include/pasvd", "iptables", "systemd"}
    assert len(folders) > 10 and [name for name in sorted(folders) if f"`{name}/`" not in table] == []


def test_suites_that_are_named_are_there():
    build_files = "".join(path.read_text() for path in TOP.glob("tests/**/meson.build"))
    suites = re.findall(r"--suite (\w+)", TESTING)
    assert suites and [name for name in suites if f"suite: '{name}'" not in build_files] == []


def test_every_fact_about_the_kernel_is_in_the_table():
    programs = re.findall(r"^  '(\w+)',$", (TOP / "tests" / "platform" / "meson.build").read_text(), re.M)
    assert programs and [name for name in programs if f"\n| `{name}` | " not in KERNELS] == []


def quickstart_usage():
    done = subprocess.run([TOP / "quickstart"], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 2, done
    return re.findall(r"\./quickstart (.*)", done.stderr)


def test_commands_that_are_shown_are_there():
    commands = [command for block in blocks(README, "console") for command, _ in commands_of(block)]
    assert commands
    usage = quickstart_usage()
    for command in commands:
        name, *arguments = command.removeprefix("sudo ").split()
        assert shutil.which(TOP / name if name.startswith("./") else name), command
        if name == "./quickstart":
            assert [line for line in usage if line.split()[0] == arguments[0]
                    and options_in(command) <= options_in(line)], command


def test_continuous_integration_runs_the_first_two_commands():
    """In a fresh Debian, and all else that it runs there are commands too."""
    first = [command for command, _ in commands_of(blocks(README, "console")[0])]
    lines = [line.strip() for line in (TOP / ".ci" / "run").read_text().splitlines()]
    here = next(number for number, line in enumerate(lines) if " on bookworm " in line and line.endswith("<<'END'"))
    assert len(first) == 2 and first == lines[here + 1:lines.index("END", here)]


def test_readme_and_hacking_are_short():
    assert README.count("\n") < README_LINES_MAX and HACKING.count("\n") < HACKING_LINES_MAX


if __name__ == "__main__":
    status = int(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
    sys.exit(status or (0 if os.geteuid() == 0 else 77))
