# SPDX-License-Identifier: GPL-2.0-or-later
"""firewalls.py - a lab's router with a firewall of Debian on it, as its manual sets it up

Comes in:  a Lab; which of the firewalls that packages.sh has unpacked.
Goes out:  a Host: this machine's files with the package's over them, in the router's
           network; what is written there goes with it.

Each firewall drops what is forwarded unless it knows it, and lets pass what it has been
told to, as an admin would who has never heard of pasvd.
"""

import os
import pathlib
import re
import shlex
import subprocess

from lab import BUILD, PASVD, RULES, TOP, Process, wait_for

PACKAGES = BUILD / "servers" / "firewalls"

# Made in a mount namespace of its own, which this process holds.
HOST = """\
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/new" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/new,workdir=$1/work" "$1/root"
for folder in proc sys dev tmp; do mount --rbind "/$folder" "$1/root/$folder"; done
mount --bind "$2" "$1/root$2"
mount --bind "$3" "$1/root$3"
mount -t tmpfs tmpfs "$1/root/run"
mkdir -p "$1/root/opt/firewalls"
mount --bind "$5" "$1/root/opt/firewalls"
[ -z "$4" ] || tar -C "$4" -c . | tar -C "$1/root" -x --keep-directory-symlink
exec chroot "$1/root" sh -c 'echo mounted; exec sleep infinity'
"""


class Host:
    def __init__(self, lab, package=None, iptables=None):
        self.lab = lab
        folder = lab.tmp / f"host-{lab.next_number()}"
        folder.mkdir()
        self.environment = {**os.environ, "LC_ALL": "C", "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
        if iptables:
            self.environment["IPTABLES"] = iptables
        self.holder = self.process("sh", "-c", HOST, "sh", folder, TOP, BUILD.resolve(),
                                   PACKAGES / package if package else "", PACKAGES, prefix=["unshare", "--mount", "--"])
        wait_for(lambda: self.holder.log().endswith("mounted\n"), what="the mounts")
        pid = self.pid_of("^sleep infinity$")
        self.enter = ["nsenter", f"--mount=/proc/{pid}/ns/mnt", f"--root=/proc/{pid}/root", "--wd=/", "--"]
        self.root = pathlib.Path(f"/proc/{pid}/root")

    def pid_of(self, command):
        """Of the process in the router's network whose command line is like that."""
        pid, = subprocess.run(["pgrep", f"--ns={self.holder.popen.pid}", "--nslist=net", "--full", "--", command], text=True,
                              stdout=subprocess.PIPE, check=True).stdout.split()
        return int(pid)

    def process(self, *argv, prefix=None):
        process = Process(self.lab.router, [*(self.enter if prefix is None else prefix), *argv],
                          self.lab.tmp / f"host-{self.lab.next_number()}.log", env=self.environment)
        self.lab.on_exit(process.stop)
        return process

    def run(self, command, check=True):
        """A command as it is typed."""
        return self.lab.router.run(*self.enter, *shlex.split(command), check=check, env=self.environment)

    def shell(self, text):
        return self.lab.router.run(*self.enter, "sh", "-euc", text, env=self.environment)

    def write(self, name, text, mode=0o644):
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def write_restart(self, name, pid_file, start):
        """A command restart-NAME, for a daemon that nothing supervises here."""
        self.write(f"/usr/local/sbin/restart-{name}", f"""\
#!/bin/sh
[ ! -e {pid_file} ] || {{
	pid=$(cat {pid_file})
	kill "$pid"
	tail --pid="$pid" --sleep-interval=0.02 --follow /dev/null
}}
{start}
""", 0o755)

    def edit(self, name, pattern, text):
        path = self.root / name.lstrip("/")
        changed, times = re.subn(pattern, text, path.read_text(), flags=re.M)
        assert times == 1, (name, pattern)
        path.write_text(changed)

    # pasvd's rules

    def rules(self, command, check=True):
        options = self.lab.rule_options(0) if command != "remove" else []
        return self.run(shlex.join(map(str, [*RULES, command, *options])), check=check)

    def is_whole(self):
        return self.rules("diff", check=False).returncode == 0

    def check(self, *options):
        return self.run(shlex.join(map(str, [PASVD, "check", *options, *self.lab.rule_options(0)])), check=False)

    def saved(self):
        return self.shell("${IPTABLES:-iptables}-save; nft list ruleset").stdout


# --- the firewalls: how each is set up and started

def firewalld(host):
    host.write("/etc/dbus-lab.conf", """\
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/>
<allow receive_type="method_call"/><allow receive_sender="*"/></policy></busconfig>
""")
    host.shell("mkdir -p /run/dbus")
    host.process("dbus-daemon", "--config-file=/etc/dbus-lab.conf", "--nofork", "--nopidfile")
    wait_for((host.root / "run/dbus/system_bus_socket").exists, what="the bus")
    host.run("firewall-offline-cmd --zone=external --change-interface=wan")
    host.run("firewall-offline-cmd --zone=internal --change-interface=lan0")
    # firewall-cmd takes long to start: it is asked once the bus knows the daemon.
    host.write_restart("firewalld", "/run/firewalld.pid", """\
firewalld
until dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetNameOwner \\
	string:org.fedoraproject.FirewallD1; do sleep 0.02; done
until firewall-cmd --state; do :; done""")
    host.run("restart-firewalld")


def ufw(host):
    host.shell("""\
cp /usr/share/ufw/iptables/*.rules /etc/ufw/
cp /usr/share/ufw/ufw.conf /etc/ufw/ 2>/dev/null || printf 'ENABLED=no\\nLOGLEVEL=low\\n' >/etc/ufw/ufw.conf
""")
    host.edit("/etc/default/ufw", "^IPV6=.*", "IPV6=no")
    host.run("ufw --force enable")


def ufw_built_in(host):
    ufw(host)
    host.edit("/etc/default/ufw", "^MANAGE_BUILTINS=.*", "MANAGE_BUILTINS=yes")


def shorewall(host):
    host.edit("/etc/shorewall/shorewall.conf", "^STARTUP_ENABLED=.*", "STARTUP_ENABLED=Yes")
    host.edit("/etc/shorewall/shorewall.conf", "^IP_FORWARDING=.*", "IP_FORWARDING=On")
    host.write("/etc/shorewall/zones", "fw firewall\nnet ipv4\nloc ipv4\n")
    host.write("/etc/shorewall/interfaces", "?FORMAT 2\nnet wan\nloc lan0\n")
    host.write("/etc/shorewall/policy", "$FW all ACCEPT\nloc net ACCEPT\nall all DROP\n")
    host.run("shorewall start")


def shorewall6(host):
    host.edit("/etc/shorewall6/shorewall6.conf", "^STARTUP_ENABLED=.*", "STARTUP_ENABLED=Yes")
    host.write("/etc/shorewall6/zones", "fw firewall\nnet ipv6\nloc ipv6\n")
    host.write("/etc/shorewall6/interfaces", "?FORMAT 2\nnet wan\nloc lan0\n")
    host.write("/etc/shorewall6/policy", "$FW all ACCEPT\nloc net ACCEPT\nall all DROP\n")
    host.run("shorewall6 start")


def ferm(host):
    host.write("/etc/ferm/ferm.conf", """\
domain ip table filter {
    chain INPUT policy ACCEPT;
    chain FORWARD { policy DROP; mod state state (ESTABLISHED RELATED) ACCEPT; }
}
domain ip table nat chain POSTROUTING outerface wan MASQUERADE;
""")
    host.run("ferm /etc/ferm/ferm.conf")


SAVED = """\
*nat
-A POSTROUTING -o wan -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
COMMIT
"""


def netfilter_persistent(host):
    host.write("/etc/iptables/rules.v4", SAVED)
    host.run("netfilter-persistent start")


def nftables(host):
    host.write("/etc/nftables.conf", """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct status dnat accept
	}
}
""")
    host.run("nft -f /etc/nftables.conf")


def script(host):
    host.write("/etc/firewall.sh", """\
#!/bin/sh
ipt=${IPTABLES:-iptables}
for table in raw mangle nat filter; do "$ipt" -w 10 -t "$table" -F; done
"$ipt" -w 10 -P FORWARD DROP
"$ipt" -w 10 -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
""", 0o755)
    host.run("/etc/firewall.sh")


FW4 = """\
table inet fw4
flush table inet fw4
table inet fw4 {
	ct helper ftp {
		type "ftp" protocol tcp;
	}
	chain prerouting {
		type filter hook prerouting priority filter; policy accept;
		iifname { "lan", "lan0" } jump helper_lan comment "!fw4: Handle lan IPv4/IPv6 helper assignment"
	}
	chain helper_lan {
		meta l4proto tcp tcp dport 21 ct helper set "ftp" comment "!fw4: FTP passive connection tracking"
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		include "/usr/share/nftables.d/chain-pre/forward/*.nft"
		ct state vmap { established : accept, related : accept } comment "!fw4: Handle forwarded flows"
		iifname { "lan", "lan0" } jump forward_lan comment "!fw4: Handle lan IPv4/IPv6 forward traffic"
		iifname "wan" jump forward_wan comment "!fw4: Handle wan IPv4/IPv6 forward traffic"
		jump handle_reject
	}
	chain handle_reject {
		meta l4proto tcp reject with tcp reset comment "!fw4: Reject TCP traffic"
		reject with icmpx type port-unreachable comment "!fw4: Reject any other traffic"
	}
	chain forward_lan {
		jump accept_to_wan comment "!fw4: Accept lan to wan forwarding"
		jump accept_to_lan
	}
	chain accept_to_lan {
		oifname { "lan", "lan0" } counter accept comment "!fw4: accept lan IPv4/IPv6 traffic"
	}
	chain forward_wan {
		jump reject_to_wan
	}
	chain accept_to_wan {
		meta nfproto ipv4 oifname "wan" ct state invalid counter drop comment "!fw4: Prevent NAT leakage"
		oifname "wan" counter accept comment "!fw4: accept wan IPv4/IPv6 traffic"
	}
	chain reject_to_wan {
		oifname "wan" counter jump handle_reject comment "!fw4: reject wan IPv4/IPv6 traffic"
	}
	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan" jump srcnat_wan comment "!fw4: Handle wan IPv4/IPv6 srcnat traffic"
	}
	chain srcnat_wan {
		meta nfproto ipv4 masquerade comment "!fw4: Masquerade IPv4 wan traffic"
	}
}
"""


def fw4(host):
    """Debian does not have it: its rules as its templates print them for the zones lan and wan, without redirects, and
    with the helper that it gives to clients in the LAN if the kernel has one."""
    host.write("/etc/fw4.nft", FW4)
    fw4_install(host)


def fw4_install(host):
    host.write("/usr/local/sbin/fw4", "#!/bin/sh\nnft -f /etc/fw4.nft\n", 0o755)
    host.run("fw4 start")


def fw4_with_redirect(host):
    """Some port is forwarded, whichever that is."""
    accept = '\t\tct status dnat accept comment "!fw4: Accept port forwards"\n'
    host.write("/etc/fw4.nft", FW4.replace("\t\tjump reject_to_wan\n", f"{accept}\t\tjump reject_to_wan\n"))
    fw4_install(host)


def docker(host):
    """Where the package is, as it is too large to be copied. Containers are not started: a network has all of its rules.
    It turns forwarding on itself, and drops what is forwarded then, as on a router that leaves both to it."""
    programs = "/opt/firewalls/docker.io/usr"
    host.environment["PATH"] = f"{programs}/sbin:{programs}/bin:{host.environment['PATH']}"
    host.write_restart("docker", "/run/docker.pid", """\
dockerd --storage-driver=vfs --pidfile=/run/docker.pid >/run/docker.log 2>&1 &
until docker network ls; do sleep 0.05; done""")
    host.lab.router.sysctl("net.ipv4.ip_forward", 0)
    host.run("restart-docker")
    host.lab.on_exit(lambda: host.run("sh -c 'kill $(cat /run/docker.pid)'"))


def libvirt(host):
    """The server is a guest in its network. No machine is started: a network has all of its rules."""
    lab = host.lab
    gateway = lab.server_addresses[0].rpartition(".")[0] + ".1"
    host.environment |= {"LIBVIRT_DEFAULT_URI": "network:///system", "LD_LIBRARY_PATH": str(BUILD / "servers" / "lib")}
    host.shell("mkdir -p /var/log/libvirt /var/lib/libvirt")
    host.write("/etc/libvirt/lab.xml", f"""\
<network><name>lab</name><forward mode='nat'/><bridge name='virbr0' stp='off'/><dns enable='no'/>
<ip address='{gateway}' prefix='24'/></network>
""")
    host.write_restart("libvirtd", "/run/libvirtd.pid", "libvirtd --daemon || exit\nuntil virsh net-list; do sleep 0.02; done")
    host.write("/usr/local/sbin/start-guest", "#!/bin/sh\nvirsh net-start lab\nip link set lan0 master virbr0\n", 0o755)
    host.run("restart-libvirtd")
    host.lab.on_exit(lambda: host.run("sh -c 'kill $(cat /run/libvirtd.pid)'"))
    host.shell("ip address flush dev lan0; virsh net-define /etc/libvirt/lab.xml; start-guest")
    lab.servers[0].ip(f"route replace default via {gateway} dev eth0 onlink\n")


# name: (the package, iptables, how it is set up, {what is done to it: whether that takes pasvd's rules away})
FIREWALLS = {
    "firewalld": ("firewalld", None, firewalld, {"firewall-cmd --reload": True, "firewall-cmd --complete-reload": True,
                                                 "restart-firewalld": True}),
    "ufw": ("ufw", None, ufw, {"ufw reload": False, "sh -c 'ufw disable; ufw --force enable'": False}),
    "ufw MANAGE_BUILTINS": ("ufw", None, ufw_built_in, {"ufw reload": True}),
    "shorewall": ("shorewall", None, shorewall, {"shorewall reload": True, "shorewall restart": True}),
    "shorewall6": ("shorewall", None, shorewall6, {"shorewall6 reload": True, "shorewall6 restart": True}),
    "ferm": ("ferm", "iptables-legacy", ferm, {"ferm /etc/ferm/ferm.conf": True}),
    "netfilter-persistent": ("netfilter-persistent", None, netfilter_persistent, {
        "netfilter-persistent reload": True, "netfilter-persistent flush": True}),
    "nftables.conf": (None, None, nftables, {"nft -f /etc/nftables.conf": True}),
    "OpenWrt's fw4": (None, None, fw4_with_redirect, {"fw4 reload": False}),
    "Docker": (None, None, docker, {"restart-docker": False, "sh -c 'docker network create lab; docker network rm lab'": False}),
    "libvirt": ("libvirt", None, libvirt, {"restart-libvirtd": False, "sh -c 'virsh net-destroy lab; start-guest'": False}),
    "a script": (None, None, script, {"/etc/firewall.sh": True}),
    "a script, legacy": (None, "iptables-legacy", script, {"/etc/firewall.sh": True}),
}
