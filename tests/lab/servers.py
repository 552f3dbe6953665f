# SPDX-License-Identifier: GPL-2.0-or-later
"""servers.py - real FTP servers in a server's namespace

Comes in:  a Lab, the number of the server namespace and the port.
Goes out:  a Server that answers, with pub/data.bin to download and upload/
           to write to.

No server is told anything about passive addresses or ports, unless a test
asks for it.  What is set is who may log in (the user "lab", or "anonymous"
where a local login would need PAM) and that names are not looked up.
With a Tls they speak TLS, too; their certificates are made here.
Limits: vsftpd, proftpd and pure-ftpd run from $BUILD/servers, where
packages.sh unpacked them.
"""

import dataclasses
import functools
import os
import pathlib
import socket
import ssl
import subprocess

import lab as lab_module
from lab import PATIENCE, Process, wait_for

HERE = pathlib.Path(__file__).resolve().parent
UNPRIVILEGED = 65534
# crypt(3) of the password "lab", for the servers that read a file of users
PASSWORD_HASH = ("$6$pasvdlab$es8s5v7/SqtSZKrdq5WZ3ASz4dWIs5fhtlwIaBMANvT4baS0"
                 "gZMtzt/ohwf0d2bJ4lOqRcfkigoGng5Uc9LTP0")


# These lose uploads with TLS 1.3: a client that never reads a data connection closes it with
# the server's session tickets unread, so TCP resets it, and they take that for a failure.
WITHOUT_TLS13 = ("pyftpdlib", "vsftpd")
OPENSSL_WITHOUT_TLS13 = """\
openssl_conf = conf
[conf]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MaxProtocol = TLSv1.2
"""

# What packages.sh unpacked beside the servers because the machine does not have it.
LIBRARIES = {"LD_LIBRARY_PATH": str(lab_module.BUILD / "servers" / "lib")}


@dataclasses.dataclass(frozen=True)
class Tls:
    """How a server speaks TLS.

    implicit: from the first byte on; else from AUTH TLS on, and plain FTP is served as well.
    reuse: a data connection must resume the session of its control connection.
    """
    implicit: bool = False
    reuse: bool = False


@functools.cache
def key_and_certificate():
    """That nobody knows."""
    return subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab",
                           "-keyout", "/dev/stdout"], check=True, capture_output=True, timeout=PATIENCE).stdout


def certificate(lab):
    """A file with both; one for each lab."""
    path = lab.tmp / "certificate.pem"
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(key_and_certificate())
    return path


def server_context(lab):
    """For servers of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(lab))
    return context


def client_context():
    """For clients of ours: whose certificate it is does not matter here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Server:
    """A running FTP server and its files."""

    def __init__(self, lab, name, number, port, user="lab", size=300_000, tls=None):
        self.lab = lab
        self.tls = tls
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
        self.process = Process(self.namespace, argv, self.home / "log", env=self._environment(),
                               cwd=self.home)
        self.lab.on_exit(self.process.stop)
        wait_for(self._answers, 10, f"{self.name} answers")
        return self

    def _environment(self):
        if not (self.tls and self.name in WITHOUT_TLS13):
            return LIBRARIES
        return {**LIBRARIES,
                "OPENSSL_CONF": str(self.config("openssl.cnf", OPENSSL_WITHOUT_TLS13))}

    def _answers(self):
        if not self.process.alive():
            raise RuntimeError(f"{self.name} ended: {self.process.log()}")
        try:
            with self.namespace.connect(self.address, self.port, timeout=5) as control:
                return self._greeting(control).startswith(b"220")
        except (ConnectionRefusedError, socket.timeout):
            return False

    def _greeting(self, control):
        if not (self.tls and self.tls.implicit):
            return control.recv(100)
        with client_context().wrap_socket(control) as secured:
            return secured.recv(100)


def _binary(path):
    binary = lab_module.BUILD / "servers" / path
    if not binary.exists():
        raise RuntimeError(f"{binary} is missing: run tests/lab/packages.sh")
    return binary


def pyftpdlib(lab, number=0, port=21, masquerade=None, passive_ports=None, **options):
    server = Server(lab, "pyftpdlib", number, port, **options)
    tls = [] if not server.tls else ["implicit" if server.tls.implicit else "explicit", certificate(lab)]
    return server.start(["/usr/bin/python3", "-B", HERE / "ftpd_pyftpdlib.py", server.address,
                         port, server.root, masquerade or "-", passive_ports or "-", *tls])


def _vsftpd_tls(lab, tls):
    yes = {True: "YES", False: "NO"}
    return "" if tls is None else f"""\
ssl_enable=YES
allow_anon_ssl=YES
rsa_cert_file={certificate(lab)}
rsa_private_key_file={certificate(lab)}
implicit_ssl={yes[tls.implicit]}
require_ssl_reuse={yes[tls.reuse]}
ssl_ciphers=HIGH
"""


def vsftpd(lab, number=0, port=21, masquerade=None, passive_ports=None, **options):
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
dirmessage_enable=YES
""" + (f"pasv_address={masquerade}\n" if masquerade else "")
        + ("pasv_min_port={}\npasv_max_port={}\n".format(*passive_ports.split(":"))
           if passive_ports else "")
        + _vsftpd_tls(lab, server.tls))
    return server.start([_binary("vsftpd/usr/sbin/vsftpd"), config])


def _proftpd_tls(lab, tls):
    if tls is None:
        return ""
    options = [word for word, wanted in (("UseImplicitSSL", tls.implicit),
                                         ("NoSessionReuseRequired", not tls.reuse)) if wanted]
    return f"""\
ModulePath {lab_module.BUILD / "servers/proftpd/usr/lib/proftpd"}
LoadModule mod_tls.c
TLSEngine on
TLSLog {lab.tmp}/proftpd-tls.log
TLSRSACertificateFile {certificate(lab)}
TLSRSACertificateKeyFile {certificate(lab)}
TLSVerifyClient off
""" + (f"TLSOptions {' '.join(options)}\n" if options else "")


def proftpd(lab, number=0, port=21, masquerade=None, passive_ports=None, **options):
    server = Server(lab, "proftpd", number, port, **options)
    users = server.config("users", f"lab:{PASSWORD_HASH}:{UNPRIVILEGED}:{UNPRIVILEGED}"
                                   f"::{server.root}:/bin/sh\n")
    config = server.config("proftpd.conf", f"""\
ServerName lab
ServerType inetd
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
DisplayChdir .message
DisplayLogin welcome.msg
""" + (f"MasqueradeAddress {masquerade}\n" if masquerade else "")
        + ("PassivePorts {} {}\n".format(*passive_ports.split(":")) if passive_ports else "")
        + _proftpd_tls(lab, server.tls))
    # Standing alone, it does nothing for 0.4 s whenever a session has ended.
    return server.start(["/usr/bin/python3", "-B", HERE / "inetd.py", server.address, port,
                         _binary("proftpd/usr/sbin/proftpd"), "-c", config])


def pure_ftpd(lab, number=0, port=21, masquerade=None, passive_ports=None, **options):
    """Limits: implicit TLS has to be compiled in, and is not in Debian's."""
    server = Server(lab, "pure-ftpd", number, port, **options)
    more = [*(["-P", masquerade] if masquerade else []),
            *(["-p", passive_ports] if passive_ports else []),
            *(["-Y", "1", "-2", certificate(lab)] if server.tls else [])]
    users = server.config("users", f"lab:{PASSWORD_HASH}:{UNPRIVILEGED}:{UNPRIVILEGED}"
                                   f"::{server.root}/./::::::::::::\n")
    database = server.home / "users.pdb"
    server.namespace.run(_binary("pure-ftpd/usr/bin/pure-pw"), "mkdb", database, "-f", users,
                         env={**os.environ, **LIBRARIES})
    return server.start([_binary("pure-ftpd/usr/sbin/pure-ftpd"),
                         "-6" if ":" in server.address else "-4", "-E", "-H", "-A",
                         "-S", f"{server.address},{port}", "-g", server.home / "pid",
                         "-l", f"puredb:{database}", "-u", "1", "-C", "60", *more])


SERVERS = {"pyftpdlib": pyftpdlib, "vsftpd": vsftpd, "proftpd": proftpd, "pure-ftpd": pure_ftpd}
