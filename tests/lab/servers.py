# SPDX-License-Identifier: GPL-2.0-or-later
"""servers.py - real FTP servers in a server's namespace

Comes in:  a Lab, the number of the server namespace and the port.
Goes out:  a Server that answers, with pub/data.bin to download and upload/
           to write to.

No server is told anything about passive addresses or ports, unless a test
asks for it.  What is set is who may log in (the user "lab", or "anonymous"
where a local login would need PAM) and that names are not looked up.
Limits: vsftpd, proftpd and pure-ftpd run from $BUILD/servers, where
packages.sh unpacked them.
"""

import os
import pathlib
import socket

import lab as lab_module
from lab import Process, wait_for

HERE = pathlib.Path(__file__).resolve().parent
UNPRIVILEGED = 65534
# crypt(3) of the password "lab", for the servers that read a file of users
PASSWORD_HASH = ("$6$pasvdlab$es8s5v7/SqtSZKrdq5WZ3ASz4dWIs5fhtlwIaBMANvT4baS0"
                 "gZMtzt/ohwf0d2bJ4lOqRcfkigoGng5Uc9LTP0")


# What packages.sh unpacked beside the servers because the machine does not have it.
LIBRARIES = {"LD_LIBRARY_PATH": str(lab_module.BUILD / "servers" / "lib")}


class Server:
    """A running FTP server and its files."""

    def __init__(self, lab, name, number, port, user="lab", size=300_000):
        self.lab = lab
        self.name = name
        self.namespace = lab.servers[number]
        self.address = lab.server_addresses[number]
        self.port = port
        self.user = user
        self.password = "lab"
        self.home = lab.tmp / f"{name}-{lab.next_number()}"
        self.root = self.home / "root"
        self.uploads = self.root / "upload"
        (self.root / "pub").mkdir(parents=True)
        self.uploads.mkdir()
        self.uploads.chmod(0o1777)
        self.content = self.add_file("pub/data.bin", os.urandom(size))

    def add_file(self, name, content):
        (self.root / name).write_bytes(content)
        return content

    def config(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def start(self, argv):
        self.process = Process(self.namespace, argv, self.home / "log", env=LIBRARIES, cwd=self.home)
        self.lab.on_exit(self.process.stop)
        wait_for(self._answers, 10, f"{self.name} answers")
        return self

    def _answers(self):
        if not self.process.alive():
            raise RuntimeError(f"{self.name} ended: {self.process.log()}")
        try:
            with self.namespace.connect(self.address, self.port, timeout=5) as control:
                return control.recv(100).startswith(b"220")
        except (ConnectionRefusedError, socket.timeout):
            return False


def _binary(path):
    binary = lab_module.BUILD / "servers" / path
    if not binary.exists():
        raise RuntimeError(f"{binary} is missing: run tests/lab/packages.sh")
    return binary


def pyftpdlib(lab, number=0, port=21, masquerade=None, passive_ports=None, **options):
    server = Server(lab, "pyftpdlib", number, port, **options)
    return server.start(["/usr/bin/python3", "-B", HERE / "ftpd_pyftpdlib.py", server.address,
                         port, server.root, masquerade or "-", passive_ports or "-"])


def vsftpd(lab, number=0, port=21, masquerade=None, **options):
    server = Server(lab, "vsftpd", number, port, user="anonymous", **options)
    empty = server.home / "empty"
    empty.mkdir()
    # seccomp_sandbox: the list of system calls is older than the C library.
    # ftp_username: its home must exist, and nobody's does not.
    # isolate*: one kernel namespace per session is a load that tells us nothing.
    ip6 = ":" in server.address
    config = server.config("vsftpd.conf", f"""\
{"listen_ipv6" if ip6 else "listen"}=YES
background=NO
{"listen_address6" if ip6 else "listen_address"}={server.address}
listen_port={port}
anonymous_enable=YES
local_enable=NO
write_enable=YES
anon_upload_enable=YES
anon_umask=022
anon_root={server.root}
ftp_username=daemon
nopriv_user=nobody
secure_chroot_dir={empty}
xferlog_enable=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
max_per_ip=0
connect_from_port_20=YES
""" + (f"pasv_address={masquerade}\n" if masquerade else ""))
    return server.start([_binary("vsftpd/usr/sbin/vsftpd"), config])


def proftpd(lab, number=0, port=21, **options):
    server = Server(lab, "proftpd", number, port, **options)
    users = server.config("users", f"lab:{PASSWORD_HASH}:{UNPRIVILEGED}:{UNPRIVILEGED}"
                                   f"::{server.root}:/bin/sh\n")
    config = server.config("proftpd.conf", f"""\
ServerName lab
ServerType standalone
DefaultServer on
DefaultAddress {server.address}
SocketBindTight on
Port {port}
UseIPv6 {"on" if ":" in server.address else "off"}
UseReverseDNS off
User nobody
Group nogroup
PidFile {server.home}/pid
ScoreboardFile {server.home}/scoreboard
DelayEngine off
AuthUserFile {users}
AuthOrder mod_auth_file.c
RequireValidShell off
DefaultRoot ~
WtmpLog off
TransferLog none
SystemLog {server.home}/system.log
AllowOverwrite on
""")
    return server.start([_binary("proftpd/usr/sbin/proftpd"), "-n", "-c", config])


def pure_ftpd(lab, number=0, port=21, **options):
    server = Server(lab, "pure-ftpd", number, port, **options)
    users = server.config("users", f"lab:{PASSWORD_HASH}:{UNPRIVILEGED}:{UNPRIVILEGED}"
                                   f"::{server.root}/./::::::::::::\n")
    database = server.home / "users.pdb"
    server.namespace.run(_binary("pure-ftpd/usr/bin/pure-pw"), "mkdb", database, "-f", users,
                         env={**os.environ, **LIBRARIES})
    return server.start([_binary("pure-ftpd/usr/sbin/pure-ftpd"),
                         "-6" if ":" in server.address else "-4", "-E", "-H", "-A",
                         "-S", f"{server.address},{port}", "-g", server.home / "pid",
                         "-l", f"puredb:{database}", "-u", "1", "-C", "60"])


SERVERS = {"pyftpdlib": pyftpdlib, "vsftpd": vsftpd, "proftpd": proftpd, "pure-ftpd": pure_ftpd}
