# SPDX-License-Identifier: GPL-2.0-or-later
"""test_ctl.py - pasvctl asks a running daemon: what it prints, who may ask, and what happens when
something is not as it should be"""

import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest

import clients
import lab as lab_module
from lab import BUILD, PASVCTL, PATIENCE, TOP, wait_for
from schema import validated
from scripted import CONTENT, RawClient, ScriptedServer
from watch import Watch

pytestmark = pytest.mark.daemon

ENDPOINT = r"(\d+\.){3}\d+:\d+"
WHEN = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
WIDTH, HEIGHT = 80, 24
COUNTED = "counters", "endings"     # objects whose members are names of reasons and endings


def pasvctl(lab, *words, check=True, prefix=(), path=None, **options):
    done = subprocess.run([*prefix, PASVCTL, "-s", path or lab.control_socket, *words], timeout=PATIENCE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)
    assert not check or (done.returncode == 0 and not done.stderr), done
    return done


def checked(text):
    """What the JSON says; it is as its schema demands, an object or each of an array."""
    value = json.loads(text)
    for it in value if isinstance(value, list) else [value]:
        validated("pasvctl", it)
    return value


def of_json(lab, command):
    return checked(pasvctl(lab, command, "--json").stdout)


def complaint(done, status=1):
    assert done.returncode == status and done.stdout == "", done
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture
def lab(make_lab):
    with make_lab() as lab:
        yield lab


@pytest.fixture
def stopped(make_lab):
    with make_lab(daemon=False) as lab:
        yield lab


@pytest.fixture
def client(lab):
    """One that is logged in and has a port open."""
    ScriptedServer(lab)
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        client.told = client.ask("PASV")
        yield client


def documented(command):
    """The members that the manual has for the command's objects."""
    page = (TOP / "man" / "pasvctl.8").read_text().split(".Sh JSON", 1)[1].split(".Sh FILES", 1)[0]
    text = re.search(rf"^\.It Cm {command}\n(.*?)^\.(?:It|El)", page, re.M | re.S)[1]
    return {"format"} | set(re.findall(r"[a-z_]+", " ".join(re.findall(r"^\.Va (.*)$", text, re.M))))


def members(value):
    """Their names."""
    found = set()
    for name, inner in value.items():
        found |= {name} | (members(inner) if isinstance(inner, dict) and name not in COUNTED else set())
    return found


# --- what is printed

def test_status_is_told(lab, client):
    Watch(lab, *lab.rule_options(0))
    status = of_json(lab, "status")
    assert members(status) - set(status["endings"]) == documented("status") - {"on_demand_syns"}
    assert status["ct_helper"] == lab_module.helper("pasvd") and status["queues"] == {"control": 21}
    assert {**status["counters"], **status["endings"]} == lab.pasvd.counters()
    text = pasvctl(lab, "status").stdout
    assert re.search(r"^version +\d", text) and re.search(r"^ +opened +1$", text, re.M)


def test_queue_of_on_demand_syns_is_shown(make_lab):
    with make_lab(config="[tls]\npassive-ports = 60000-60100\n") as lab:
        assert of_json(lab, "status")["queues"] == {"control": 21, "on_demand_syns": 22}
        assert "on_demand_syns" in documented("status")


def test_session_is_listed_with_its_port(lab, client):
    (session,) = of_json(lab, "sessions")
    (expectation,) = lab.expectations()
    assert members(session) == documented("sessions")
    assert session["client"] == lab.endpoint(*client.control.getsockname())
    assert session["dialled"] == lab.endpoint(lab.publics[0], 21)
    assert session["server"] == lab.endpoint(lab.server_addresses[0], 21)
    assert session["state"] == "logged-in" and session["shift"]["server"] == 0
    assert session["port"]["announced"] == lab.endpoint(lab.publics[0], expectation["dport"])
    lines = pasvctl(lab, "sessions").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["CLIENT", session["client"]]
    assert len({line.index(word) for line, word in zip(lines, ("SERVER", session["server"]))}) == 1


def test_port_that_was_used_is_not_listed(lab, client):
    assert len(of_json(lab, "expectations")) == 1
    host, port = lab.publics[0], int(of_json(lab, "expectations")[0]["to"].rsplit(":")[1])
    assert lab.clients[0].attempt(host, port) == "open"
    assert of_json(lab, "expectations") == [] and of_json(lab, "sessions")[0]["port"] is None


def test_session_that_ended_is_not_listed(lab):
    ScriptedServer(lab)
    with RawClient(lab.clients[0], lab.publics[0]) as client:
        client.ask("QUIT")
    wait_for(lambda: not [s for s in of_json(lab, "sessions") if s["state"] != "closing"], 5, "it is gone")


def test_states_are_told(lab):
    ScriptedServer(lab, tls=True)
    with RawClient(lab.clients[0], lab.publics[0], login=False) as client:
        client.line()
        assert of_json(lab, "sessions")[0]["state"] == "login"
        client.ask("USER lab")
        client.ask("PASS lab")
        assert of_json(lab, "sessions")[0]["state"] == "logged-in"
        client.ask("AUTH TLS")
        client.secure()
        assert of_json(lab, "sessions")[0]["state"] == "tls"


def test_expectations_are_those_of_the_kernel(lab, client):
    (told,) = of_json(lab, "expectations")
    (expectation,) = lab.expectations()
    assert members(told) == documented("expectations")
    assert told["from"] == expectation["src"]
    assert told["to"] == lab.endpoint(expectation["dst"], expectation["dport"])
    assert 0 < told["expires_in_s"] <= 60
    lab.router.run("conntrack", "-F", "expect")
    assert of_json(lab, "expectations") == []


def test_reasons_are_those_of_the_log(lab, client):
    reasons = of_json(lab, "counters")
    assert {name for reason in reasons for name in reason} == documented("counters")
    told, counters = {reason["reason"]: reason["count"] for reason in reasons}, lab.pasvd.counters()
    assert told == {name: counters[name] for name in told} and told["opened"] == 1
    text = pasvctl(lab, "counters").stdout
    assert all(reason["meaning"] in text for reason in reasons)


def configured(lab, text, *options):
    """A daemon with that file, and the file."""
    path = lab.tmp / "config.conf"
    path.write_text(text)
    daemon = lab_module.Pasvd(lab, ["-c", path, "-s", lab.control_socket, *options])
    lab.on_exit(daemon.stop)
    return path


def settings(lab):
    return {(setting["section"], setting["key"]): setting for setting in of_json(lab, "config")}


def test_config_says_what_is_in_force_and_where_it_stands(stopped):
    path = configured(stopped, "[pasvd]\nexpect-timeout = 90s # long\n[policy]\ndeny-ports = 2049, 3306\n"
                      "deny-ports = 6379\n", "--queue", "21")
    found = settings(stopped)
    assert {member for setting in found.values() for member in setting} == documented("config")
    assert found["pasvd", "expect-timeout"] == {
        "format": 1, "type": "setting", "section": "pasvd", "key": "expect-timeout", "value": "90s", "from": f"{path}:2",
        "default": "60s", "takes_effect": "reload"}
    assert found["policy", "deny-ports"]["value"] == "2049, 3306, 6379"
    assert found["policy", "deny-ports"]["from"] == f"{path}:4, {path}:5"
    assert (found["pasvd", "queue"]["value"], found["pasvd", "queue"]["from"]) == ("21", "command line")
    assert found["pasvd", "control-socket"]["value"] == str(stopped.control_socket)
    assert (found["strict", "bare-lf"]["value"], found["strict", "bare-lf"]["from"]) == ("pass", "default")


def test_config_can_be_given_to_pasvd_again(stopped):
    path = configured(stopped, "[pasvd]\nfail-open = no\n[tls]\nqueue = 25\nmode = refuse for 10.0.0.0/8\n"
                      "[limits]\nmax-sessions = 100\n")
    before = settings(stopped)
    text = pasvctl(stopped, "config").stdout
    path.write_text(text)
    pasvctl(stopped, "reload")
    assert {key: setting["value"] for key, setting in settings(stopped).items()} == {
        key: setting["value"] for key, setting in before.items()}


def test_config_has_any_path_that_a_file_may_have(stopped):
    path = stopped.tmp / "b\u00e4\"\\.conf"
    path.write_text("[pasvd]\nct-zone = 0\n")
    daemon = lab_module.Pasvd(stopped, ["-c", path, "-s", stopped.control_socket])
    stopped.on_exit(daemon.stop)
    assert settings(stopped)["pasvd", "ct-zone"]["from"] == f"{stopped.tmp}/b\\xc3\\xa4\"\\.conf:2"


def test_reload_reads_the_file_again_or_says_that_it_did_not(stopped):
    name = "own" if lab_module.helper("pasvd") == "pasvd" else "sane"
    path = configured(stopped, f"[pasvd]\nexpect-timeout = 90s\nct-helper = {name}\n")
    path.write_text("[pasvd]\nexpect-timeout = 30s\nct-helper = auto\n")
    assert pasvctl(stopped, "reload").stdout == ""
    found = settings(stopped)
    assert found["pasvd", "expect-timeout"]["value"] == "30s"
    assert found["pasvd", "ct-helper"]["value"] == name     # until the next start
    path.write_text("[pasvd]\nexpect-timeout = soon\n")
    assert complaint(pasvctl(stopped, "reload", check=False)) == \
        "pasvctl reload: the daemon refuses: the configuration stays as it was; the log says why"
    assert settings(stopped)["pasvd", "expect-timeout"]["value"] == "30s"


def strictly_prometheus(text):
    """{name with labels: value}; the text format 0.0.4 as `promtool check metrics` wants it."""
    values, described, name = {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = re.fullmatch(r"# HELP (pasvd_[a-z_]+[a-z]) [A-Z].*\.", line)[1]
            assert name not in described
            described.add(name)
        elif line.startswith("#"):
            kind = re.fullmatch(rf"# TYPE {name} (counter|gauge)", line)[1]
            assert (kind == "counter") == name.endswith("_total")
        else:
            sample, value = re.fullmatch(rf'({name}(?:{{\w+="[\w.+-]+"(?:,\w+="[\w.+-]+")*}})?) (\d+)', line).groups()
            assert sample not in values
            values[sample] = int(value)
    assert text.endswith("\n") and described == {sample.split("{")[0] for sample in values}
    return values


def test_metrics_are_for_prometheus(lab, client):
    values = metrics(lab)
    for name, count in lab.pasvd.counters().items():
        ended = f'pasvd_expectations_ended_total{{mode="passive",ending="{name}"}}'
        assert values.get(f'pasvd_verdicts_total{{reason="{name}"}}', values.get(ended)) == count


def metrics(lab):
    return strictly_prometheus(pasvctl(lab, "metrics").stdout)


def ports_of(values, mode):
    """{how they ended, or "installed": number} of those that are not 0."""
    pattern = re.compile(rf'pasvd_expectations_(installed|ended)_total{{mode="{mode}"(?:,ending="(\w+)")?}}')
    found = {pattern.fullmatch(sample): value for sample, value in values.items()}
    return {match[2] or match[1]: value for match, value in found.items() if match and value}


def test_metrics_tell_modes_and_endings(lab, client):
    assert ports_of(metrics(lab), "passive") == {"installed": 1}
    client.ask("PASV")
    client.ask("PORT " + ",".join(client.address.split(".")) + ",200,1")
    values = metrics(lab)
    assert ports_of(values, "passive") == {"installed": 2, "replaced": 2}
    assert ports_of(values, "active") == {"installed": 1} and ports_of(values, "on_demand") == {}


def test_metrics_tell_sessions_by_state(lab, client):
    values = metrics(lab)
    assert values['pasvd_sessions{state="logged-in"}'] == 1 and values['pasvd_sessions{state="login"}'] == 0
    assert values["pasvd_remembered_sessions"] == 1 and values["pasvd_max_sessions"] == of_json(lab, "status")["max_sessions"]
    assert values["pasvd_evicted_sessions_total"] == 0


def test_metrics_of_queues_are_those_of_the_kernel(lab, client):
    file = lab.router.run("cat", "/proc/net/netfilter/nfnetlink_queue").stdout
    (line,) = [[int(word) for word in line.split()] for line in file.splitlines() if line.split()[0] == "21"]
    values = metrics(lab)
    assert values['pasvd_queue_packets{queue="control"}'] == line[2] == 0
    assert values['pasvd_queue_dropped_packets_total{queue="control",cause="queue_full"}'] == line[5]
    assert values['pasvd_queue_dropped_packets_total{queue="control",cause="socket_full"}'] == line[6]


def reload_of(lab):
    values = metrics(lab)
    return [values[f"pasvd_config_last_reload_{name}"] for name in ("successful", "success_timestamp_seconds")]


def test_metrics_tell_the_start_and_the_last_reload(stopped):
    before = int(time.time())
    path = configured(stopped, "[pasvd]\nexpect-timeout = 90s\n")
    started = metrics(stopped)["pasvd_start_time_seconds"]
    assert before <= started <= time.time() and reload_of(stopped) == [1, started]
    path.write_text("[pasvd]\nexpect-timeout = soon\n")
    pasvctl(stopped, "reload", check=False)
    assert reload_of(stopped) == [0, started]
    path.write_text("[pasvd]\nexpect-timeout = 30s\n")
    pasvctl(stopped, "reload")
    successful, when = reload_of(stopped)
    assert successful == 1 and started <= when <= time.time()


def rules_of(lab):
    """(state, when it began), and the metric."""
    rules = of_json(lab, "status")["rules"]
    return (rules["state"], rules.get("since_us")), metrics(lab).get("pasvd_rules_loaded")


def wait_for_rules(lab, state):
    wait_for(lambda: of_json(lab, "status")["rules"]["state"] == state, what=state)
    return rules_of(lab)


def test_rules_are_loaded_or_missing_since(lab):
    assert rules_of(lab) == (("unknown", None), None)
    path = lab.tmp / "watched.conf"
    path.write_text("[pasvd]\nrules = log\n")
    watch = Watch(lab, *lab.rule_options(0), "--config", path)
    (state, loaded), metric = rules_of(lab)
    assert (state, metric) == ("loaded", 1) and 0 <= time.time() - loaded / 1e6 < PATIENCE
    lab.iptables("-F", "FORWARD")
    (_, missing), metric = wait_for_rules(lab, "missing")
    assert metric == 0 and missing > loaded
    assert re.search(r"^rules +missing for \d+ s$", pasvctl(lab, "status").stdout, re.M)
    lab.shipped_rules("remove")
    assert wait_for_rules(lab, "removed") == (("removed", missing), 0)
    lab.shipped_rules("load")
    watch.reload()
    assert rules_of(lab)[0][0] == "loaded"
    watch.stop()
    assert rules_of(lab) == (("unknown", None), None)


def test_rules_are_unknown_once_the_watcher_was_killed(lab):
    watch = Watch(lab, *lab.rule_options(0))
    assert rules_of(lab)[1] == 1
    watch.popen.kill()
    watch.popen.wait(timeout=PATIENCE)
    assert rules_of(lab) == (("unknown", None), None)
    Watch(lab, *lab.rule_options(0))
    assert rules_of(lab)[1] == 1


def test_rules_that_are_not_watched_are_left_alone(lab):
    watch = Watch(lab, *lab.rule_options(0))
    lab.router.run(*lab_module.RULES, "load", *lab.rule_options(0), "--port", "2121:21")
    watch.reload()
    state, metric = rules_of(lab)
    assert state[0] == "left-alone" and metric is None


def test_promtool_finds_nothing_to_say(lab, client):
    promtool = BUILD / "servers" / "prometheus" / "usr" / "bin" / "promtool"
    done = subprocess.run([promtool, "check", "metrics"], input=pasvctl(lab, "metrics").stdout, text=True,
                          capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Follower:
    def __init__(self, lab, *options):
        self.lines = []
        self.process = subprocess.Popen([PASVCTL, "-s", lab.control_socket, "events", "-f", *options],
                                        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")),
                         daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(timeout=PATIENCE)


def provoke(client, follower):
    """Until the follower is known to the daemon; each PASV opens a port."""
    wait_for(lambda: client.ask("PASV") and opened(follower), 10, "an event")


def opened(follower):
    return [line for line in follower.lines if re.search(r"\bopened\b", line)]


def endings_of(follower, announced):
    events = [checked(line) for line in follower.lines]
    return [event for event in events if event.get("announced") == announced and event["event"] != "opened"]


def test_events_are_followed(lab, client):
    with Follower(lab) as text, Follower(lab, "--json") as objects:
        provoke(client, text)
        provoke(client, objects)
        client.ask("PASV")
        assert re.fullmatch(rf"{WHEN} event=opened client={ENDPOINT} server={ENDPOINT} announced={ENDPOINT} "
                            rf"listener={ENDPOINT}\n", opened(text)[0])
        event = checked(opened(objects)[0])
        assert members(event) == documented("events") - {"meaning", "reason", "count"}
        told = wait_for(lambda: endings_of(objects, event["announced"]), 5, "its end")
        assert told[0]["event"] == "replaced" and members(told[0]) == members(event) - {"on_demand"}
        client.ask("PORT 10,9,8,7,4,1")
        wait_for(lambda: " event=refused reason=foreign-address client=" in text.lines[-1], 5, "the refusal")
        lab.pasvd.stop()
        for follower in text, objects:
            assert follower.process.wait(timeout=PATIENCE) == 1
            assert "breaks off" in follower.process.stderr.read()


def test_events_that_were_are_those_of_the_log(lab, client):
    client.ask("PASV")
    client.ask("PORT 10,9,8,7,4,1")
    logged = [line.removeprefix("pasvd: ") for line in lab.pasvd.log().splitlines() if " client=" in line]
    told = pasvctl(lab, "events").stdout.splitlines()
    assert len(logged) == 4 and [re.sub(f"^{WHEN} ", "", line) for line in told] == logged
    assert [checked(line)["event"] for line in pasvctl(lab, "events", "--json").stdout.splitlines()] == \
        [re.match("event=([a-z]+)", line)[1] for line in logged]
    with Follower(lab) as follower:
        wait_for(lambda: len(follower.lines) == len(told), 5, "what was before")
        client.ask("PASV")
        wait_for(lambda: len(follower.lines) > len(told), 5, "what comes")
        assert [line.rstrip("\n") for line in follower.lines[:len(told)]] == told


def test_sessions_are_listed_while_transfers_run(make_lab, visit):
    with make_lab(clients=4) as lab:
        server = ScriptedServer(lab)
        going, failures = threading.Event(), []

        def transfer(number):
            try:
                trip = visit(lab, server, client=number)
                with clients.python_session(trip) as ftp:
                    while not going.is_set():
                        assert clients.download_bytes(ftp, trip) == CONTENT
            except Exception as error:  # told by the thread that asserts
                failures.append(error)

        threads = [threading.Thread(target=transfer, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: len(of_json(lab, "sessions")) == 4, 10, "four sessions")
            opened = of_json(lab, "status")["counters"]["opened"]
            for _ in range(20):
                for command in "sessions", "expectations", "status":
                    of_json(lab, command)
            wait_for(lambda: of_json(lab, "status")["counters"]["opened"] > opened + 8, 20, "transfers")
        finally:
            going.set()
            for thread in threads:
                thread.join(timeout=PATIENCE)
        assert failures == []


# --- top, in a terminal

class Terminal:
    """tmux, with a server of its own."""

    def __init__(self, folder, *command, width=WIDTH):
        self.socket = folder / "tmux"
        self.status = folder / "status"
        words = " ".join(f"'{word}'" for word in command)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(HEIGHT),
                  f"TERM=dumb {words}; echo $? >{self.status}; sleep 60")

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", str(self.socket), *words], check=True, timeout=PATIENCE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p").splitlines()

    def title(self):
        """The line with the names of the columns."""
        return next((line for line in self.screen() if line.startswith("CLIENT ")), "")

    def shows(self, pattern, timeout=10):
        return wait_for(lambda: re.search(pattern, "\n".join(self.screen()), re.M), timeout, pattern)

    def key(self, key):
        self.tmux("send-keys", key)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")


def test_top_shows_sessions_and_quits(lab, client):
    with Terminal(lab.tmp, PASVCTL, "-s", lab.control_socket, "top") as terminal:
        terminal.shows(rf"^{re.escape(client.address)}:\d+ .* logged-in ")
        terminal.shows(r"1 sessions, 1 ports opened")
        client.ask("PASV")
        terminal.shows(r"1 sessions, 2 ports opened")
        assert max(map(len, terminal.screen())) <= WIDTH
        for order in "client", "server", "state", "idle, greatest first", "idle":
            terminal.key("s")
            terminal.shows(rf"^by {order};")
        lab.pasvd.stop()
        terminal.shows(r"^pasvctl: .*nobody listens there")
        lab.start_pasvd()
        terminal.shows(r"^pasvd .* 0 sessions")
        terminal.key("q")
        wait_for(terminal.status.exists, 5, "its end")
        assert wait_for(terminal.status.read_text, 5) == "0\n"


def test_top_follows_the_size_of_its_terminal(lab, client):
    with Terminal(lab.tmp, PASVCTL, "-s", lab.control_socket, "top", width=120) as terminal:
        terminal.shows(r"^CLIENT .* DIALLED .* SHIFT .* IDLE$")
        for width, height, there in (60, 8, False), (120, HEIGHT, True):
            terminal.tmux("resize-window", "-x", str(width), "-y", str(height))
            wait_for(lambda wide=there: terminal.title() and ("DIALLED" in terminal.title()) == wide, 10, "another width")
            assert max(map(len, terminal.screen())) <= width and len(terminal.screen()) <= height
            terminal.shows(rf"^{re.escape(client.address)}:\d+ .* logged-in ")


def test_columns_that_do_not_fit_are_left_out(lab, client):
    for width, left_out in (160, False), (60, True):
        folder = lab.tmp / f"terminal-{width}"
        folder.mkdir()
        with Terminal(folder, PASVCTL, "-s", lab.control_socket, "sessions", width=width) as terminal:
            terminal.shows(r" logged-in ")
            screen = "\n".join(terminal.screen())
            assert ("SHIFT" in screen.splitlines()[0]) != left_out, screen
            assert (f"(left out of {width} columns: DIALLED, SHIFT" in screen) == left_out, screen


def test_top_needs_a_terminal(lab):
    assert "terminal" in complaint(pasvctl(lab, "top", check=False))


# --- who may ask

def test_others_may_not_ask(lab):
    os.chmod(lab.tmp, 0o755)
    copy = lab.tmp / "pasvctl"
    copy.write_bytes(PASVCTL.read_bytes())
    copy.chmod(0o755)
    done = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", copy, "-s", lab.control_socket, "status"],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert "permission denied" in complaint(done)


def test_group_may_ask(stopped):
    number, group = 4242, stopped.tmp / "group"
    group.write_text(f"root:x:0:\npasvd:x:{number}:\n")
    os.chmod(stopped.tmp, 0o755)
    script = f'mount --bind {group} /etc/group && exec "$@"'
    daemon = lab_module.Pasvd(stopped, ["-s", stopped.control_socket],
                              prefix=("unshare", "--mount", "sh", "-c", script, "sh"))
    stopped.on_exit(daemon.stop)
    about = stopped.control_socket.stat()
    assert about.st_gid == number and about.st_mode & 0o777 == 0o660
    copy = stopped.tmp / "pasvctl"
    copy.write_bytes(PASVCTL.read_bytes())
    copy.chmod(0o755)

    def ask(what):
        return subprocess.run(["setpriv", "--reuid=nobody", f"--regid={number}", "--clear-groups", copy, "-s",
                               stopped.control_socket, what], capture_output=True, text=True, timeout=PATIENCE)

    done = ask("status")
    assert done.returncode == 0 and done.stdout.startswith("version"), done
    assert ask("reload").returncode == 0
    assert "only root" in complaint(ask("takeover"))    # sessions would lose what is under way
    assert pasvctl(stopped, "takeover").returncode == 0


def test_daemon_that_hangs_is_told(lab):
    os.kill(lab.pasvd.pid, signal.SIGSTOP)
    try:
        assert "does not answer" in complaint(pasvctl(lab, "status", check=False))
    finally:
        os.kill(lab.pasvd.pid, signal.SIGCONT)


# --- when something is not as it should be

def test_no_daemon_is_told(stopped):
    assert "no such socket" in complaint(pasvctl(stopped, "status", check=False))
    stopped.start_pasvd().kill()
    for command in "sessions", "events", "metrics":
        assert "nobody listens" in complaint(pasvctl(stopped, command, check=False))
    stopped.start_pasvd()   # takes the place of the one that was killed
    assert of_json(stopped, "status")["counters"]["opened"] == 0


@pytest.mark.parametrize("words", [(), ("stat",), ("status", "x"), ("--no-such-option",), ("-s",), ("metrics", "-j"),
                                   ("top", "-j"), ("status", "-f")], ids=" ".join)
def test_wrong_arguments_are_told_with_status_2(words):
    done = subprocess.run([PASVCTL, *words], capture_output=True, text=True, timeout=PATIENCE)
    assert complaint(done, 2).startswith("pasvctl")


def test_full_disk_is_told(lab):
    with open("/dev/full", "w") as full:
        done = subprocess.run([PASVCTL, "-s", lab.control_socket, "counters"], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "stdout: No space left on device" in done.stderr


@pytest.mark.parametrize("answer, told", [
    (b"", "breaks off"), (b'{"type":"status"', "breaks off"), (b'{"type":"status"}\n', "breaks off"),
    (b"nonsense\n", "makes no sense"), (b"{}\n", "makes no sense"), (b"[1]\n", "makes no sense"),
    (b'{"type":"error","error":"no"}\n', "refuses: no"), (b"x" * 100000, "breaks off")])
def test_answers_that_are_none_are_told(tmp_path, answer, told):
    path = tmp_path / "ctl"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def serve():
            with listener.accept()[0] as peer:
                peer.recv(100)
                try:
                    peer.sendall(answer)
                except OSError:
                    pass    # it has heard enough

        thread = threading.Thread(target=serve)
        thread.start()
        done = pasvctl(None, "status", check=False, path=path)
        thread.join(timeout=PATIENCE)
    assert told in complaint(done)


def test_what_is_odd_in_an_answer_is_not_sent_to_the_terminal(tmp_path):
    path = tmp_path / "ctl"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        thread = threading.Thread(target=lambda: listener.accept()[0].sendall(
            b'{"type":"session","client":"\\u001b[2Jx"}\n{"type":"end"}\n'))
        thread.start()
        done = pasvctl(None, "sessions", path=path)
        thread.join(timeout=PATIENCE)
    assert "\x1b" not in done.stdout and "?[2Jx" in done.stdout


def test_folder_that_is_none_is_warned_of_and_the_daemon_works(stopped, visit):
    server = ScriptedServer(stopped)
    path = "/dev/null/pasvd/ctl"
    daemon = stopped.start_pasvd(["-s", path])
    assert re.search(rf"control socket {path}: Not a directory; pasvctl will not work", daemon.log())
    assert daemon.log().count("\n") == 2
    trip = visit(stopped, server)
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT


@pytest.mark.parametrize("name", ["ctl", "pasvd/ctl"])
def test_folder_that_cannot_be_written_to_is_warned_of(stopped, visit, name):
    server, folder = ScriptedServer(stopped), stopped.tmp / "run"
    folder.mkdir()
    script = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    daemon = lab_module.Pasvd(stopped, ["-s", folder / name],
                              prefix=("unshare", "--mount", "sh", "-c", script, folder))
    stopped.on_exit(daemon.stop)
    assert f"control socket {folder}/{name}: Read-only file system; pasvctl will not work" in daemon.log()
    trip = visit(stopped, server)
    with clients.python_session(trip) as ftp:
        assert clients.download_bytes(ftp, trip) == CONTENT


def test_socket_of_a_living_daemon_is_left_alone(lab):
    second = lab_module.Pasvd(lab, ["-q", "5", "-s", lab.control_socket])
    lab.on_exit(second.stop)
    assert f"control socket {lab.control_socket}: another program listens there" in second.log()
    assert of_json(lab, "status")["queues"] == {"control": 21}


def test_no_socket_if_none_is_wanted(stopped):
    config = stopped.tmp / "none.conf"
    config.write_text("[pasvd]\ncontrol-socket =\n")
    daemon = lab_module.Pasvd(stopped, ["-c", config])
    stopped.on_exit(daemon.stop)
    assert daemon.log().count("\n") == 1
    sockets = stopped.router.run("ss", "-xlpH").stdout
    assert f"pid={daemon.pid}," not in sockets


def test_reloads_without_end_do_not_fill_the_log(stopped):
    path = stopped.tmp / "config.conf"
    path.write_text("[limits]\nmax-sessions = 100\n[translate]\nexternal-address = file:/nowhere/at/all\n")
    daemon = lab_module.Pasvd(stopped, ["-c", path, "-s", stopped.control_socket])
    stopped.on_exit(daemon.stop)
    path.write_text(path.read_text().replace("= 100", "= 200"))
    begin = time.monotonic()
    for _ in range(500):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as control:
            control.connect(str(stopped.control_socket))
            control.sendall(b"reload\n")
            assert b'"reload"' in control.recv(4096)
    lines = daemon.log().splitlines()
    most = 20 * (time.monotonic() - begin + 2)      # LOG_RELOAD_RATE
    for event in "configuration", "restart-needed", "external-address":
        found = [line for line in lines if f"event={event} " in line]
        assert 1 <= len(found) <= most, event


def test_socket_stays_over_a_reload(stopped):
    config = stopped.tmp / "socket.conf"
    config.write_text(f"[pasvd]\ncontrol-socket = {stopped.control_socket}\n")
    daemon = lab_module.Pasvd(stopped, ["-c", config])
    stopped.on_exit(daemon.stop)
    config.write_text(f"[pasvd]\ncontrol-socket = {stopped.tmp}/other\n")
    daemon.popen.send_signal(signal.SIGHUP)
    wait_for(lambda: f"control-socket={stopped.control_socket} stays until" in daemon.log(), 5, "the warning")
    assert of_json(stopped, "status")["type"] == "status"
    assert not (stopped.tmp / "other").exists()


# --- many, and slow ones

def test_who_does_not_read_keeps_nobody_from_asking(lab, visit):
    server = ScriptedServer(lab)
    trip = visit(lab, server)
    idle = []
    try:
        for _ in range(12):
            sock = socket.socket(socket.AF_UNIX)
            idle.append(sock)
            sock.connect(str(lab.control_socket))
            with contextlib.suppress(BrokenPipeError):  # one that was sent away at once
                sock.sendall(b"reas")
        assert "too many ask at once" in complaint(pasvctl(lab, "status", check=False))
        with clients.python_session(trip) as ftp:
            assert clients.download_bytes(ftp, trip) == CONTENT
        wait_for(lambda: pasvctl(lab, "status", check=False).returncode == 0, 15, "a place")
    finally:
        for sock in idle:
            sock.close()


def sleeps(pid):
    """A program that spins never does."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S"


def test_who_finds_no_free_descriptor_waits_and_the_daemon_does_not_spin(lab, visit):
    trip, pid = visit(lab, ScriptedServer(lab)), lab.pasvd.pid
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    was = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(set(range(1024)) - used), was[1]))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(lab.control_socket))
        sock.sendall(b"status\n")
        wait_for(lambda: "event=control-socket" in lab.pasvd.log(), what="the daemon wants to accept it")
        wait_for(lambda: sleeps(pid), what="sleep")
        with clients.python_session(trip) as ftp:
            assert clients.download_bytes(ftp, trip) == CONTENT
        resource.prlimit(pid, resource.RLIMIT_NOFILE, was)
        sock.settimeout(PATIENCE)
        assert b'"status"' in sock.recv(4096)
