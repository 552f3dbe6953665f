# SPDX-License-Identifier: GPL-2.0-or-later
"""ftps_clients.py - real FTP clients over TLS

Comes in:  a Visit, as in clients.py, and whether TLS is implicit.
Goes out:  list(), download() and upload() of each client, all with TLS on the
           control connection and (PROT P) on the data connections.

What a router does for them is not the same, since it cannot rewrite what it
cannot read.  BELIEVERS connect to the address of the 227 reply; the others
have the address that they dialled, by EPSV or because they distrust a 227.
Nobody checks the server's certificate.
Limits: wget cannot upload, ftp-ssl knows no implicit TLS and no EPSV.
"""

import ftplib
import os
import ssl

from clients import LIMIT, REMOTE, TIMEOUT, python_act
from lab import PATIENCE
from servers import client_context


def _url(visit, implicit, explicit_scheme="ftp"):
    return f"{'ftps' if implicit else explicit_scheme}://{visit.host_in_url}:{visit.port}"


def curl(action, visit, implicit, options=()):
    url = _url(visit, implicit)
    where = {"list": ["--list-only", f"{url}/pub/"],
             "download": ["-o", visit.local, f"{url}/{REMOTE}"],
             "upload": ["-T", visit.local, f"{url}/{visit.remote_upload}"]}
    return ["curl", "-q", "-sS", "--ssl-reqd", "--insecure", *options, "--connect-timeout", LIMIT,
            "-u", f"{visit.user}:{visit.password}", *where[action]], None


def curl_pasv(action, visit, implicit):
    return curl(action, visit, implicit, ["--disable-epsv"])


def curl_believing(action, visit, implicit):
    return curl(action, visit, implicit, ["--disable-epsv", "--no-ftp-skip-pasv-ip"])


def lftp(action, visit, implicit, options=""):
    what = {"list": "cls -1 pub/",
            "download": f"get {REMOTE} -o {visit.local}",
            "upload": f"put {visit.local} -o {visit.remote_upload}"}
    script = ("set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ftp:ssl-protect-list yes; "
              f"set ssl:verify-certificate no; set ssl:check-hostname no; {options}"
              f"set net:max-retries 1; set net:timeout {LIMIT}; set cmd:fail-exit yes; "
              f"open -u {visit.user},{visit.password} {_url(visit, implicit)}; "
              f"{what[action]}; bye")
    return ["lftp", "--norc", "-c", script], None


def lftp_epsv(action, visit, implicit):
    return lftp(action, visit, implicit, "set ftp:prefer-epsv yes; ")


def lftp_believing(action, visit, implicit):
    return lftp(action, visit, implicit,
                "set ftp:ignore-pasv-address no; set ftp:fix-pasv-address no; ")


def wget(action, visit, implicit):
    """With TLS 1.3, it waits 50 ms at most for the ticket that its data connections need."""
    url = _url(visit, implicit, "ftps")
    where = {"list": ["-O", "-", f"{url}/pub/"], "download": ["-O", visit.local, f"{url}/{REMOTE}"]}
    return ["wget", "--no-config", "-nv", "-t", "1", "-T", LIMIT, "--no-check-certificate",
            "--ciphers=NORMAL:-VERS-TLS1.3", "--ftps-resume-ssl", *(["--ftps-implicit"] if implicit else []),
            f"--user={visit.user}", f"--password={visit.password}", *where[action]], None


def ftp_ssl(action, visit, implicit):
    what = {"list": "ls pub",
            "download": f"get {REMOTE} {visit.local}",
            "upload": f"put {visit.local} {visit.remote_upload}"}
    return (["ftp-ssl", "-z", "secure", "-n", "-p", "-i", "-v", visit.host, visit.port],
            f"user {visit.user} {visit.password}\nbinary\n{what[action]}\nbye\n")


COMMANDS = {"curl": curl, "curl-pasv": curl_pasv, "curl-believing": curl_believing, "lftp": lftp,
            "lftp-epsv": lftp_epsv, "lftp-believing": lftp_believing, "wget": wget,
            "ftp-ssl": ftp_ssl}


class PythonFtps(ftplib.FTP_TLS):
    """FTP_TLS with what it lacks: implicit TLS, and data connections that resume the session."""

    def __init__(self, implicit=False, resume=True, **options):
        super().__init__(context=client_context(), **options)
        self.implicit = implicit
        self.resume = resume

    def connect(self, *arguments, **options):
        if not self.implicit:
            return super().connect(*arguments, **options)
        read_greeting, self.getresp = self.getresp, lambda: None
        super().connect(*arguments, **options)
        self.getresp = read_greeting
        self.file.close()
        self.sock = self.context.wrap_socket(self.sock)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, session=self.sock.session if self.resume else None)
        return conn, size


def python_session(visit, implicit=False, timeout=2 * LIMIT, believing=False, **options):
    """A logged-in session with protected data connections; those need the namespace, too."""
    ftp = PythonFtps(implicit, timeout=timeout, **options)
    ftp.trust_server_pasv_ipv4_address = believing
    with visit.namespace.inside():
        ftp.connect(visit.host, visit.port)
        ftp.login(visit.user, visit.password)
        ftp.prot_p()
    return ftp


def act(client, action, visit, implicit=False):
    """Let the client do it; returns what it printed."""
    if client.startswith("ftplib"):
        return _python(action, visit, implicit, believing=client == "ftplib-believing")
    argv, text = COMMANDS[client](action, visit, implicit)
    environment = {**os.environ, "HOME": str(visit.folder), "LC_ALL": "C"}
    done = visit.namespace.run("timeout", TIMEOUT, *argv, input=text or "", check=False,
                               cwd=visit.folder, env=environment, timeout=TIMEOUT + PATIENCE)
    return done.stdout + done.stderr


# Have the address that they dialled: by EPSV, or because a 227 is not to be trusted.
CLIENTS = ["curl", "curl-pasv", "lftp", "lftp-epsv", "ftplib"]
# Go where the 227 says.
BELIEVERS = ["curl-believing", "lftp-believing", "wget", "ftp-ssl", "ftplib-believing"]
IMPLICIT_CLIENTS = ["curl", "lftp", "ftplib"]
IP6_CLIENTS = ["curl", "lftp", "wget", "ftp-ssl", "ftplib"]


def _python(action, visit, implicit, believing):
    with visit.namespace.inside():
        try:
            with python_session(visit, implicit, believing=believing) as ftp:
                return python_act(ftp, action, visit)
        except (OSError, EOFError, ssl.SSLError, ftplib.Error) as error:
            return f"failed: {error}"
