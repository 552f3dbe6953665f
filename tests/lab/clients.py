# SPDX-License-Identifier: GPL-2.0-or-later
"""clients.py - real FTP clients that believe the address they are told

Comes in:  a Visit: who asks whom, and a folder to work in.
Goes out:  list(), download() and upload() of each client; what a listing
           showed is returned, files are left to the caller to compare.

A client is a function from (action, visit) to (argv, text for its standard
input).  Every client of COMMANDS works in passive mode and connects to the
address of the 227 reply, also where its default would be to distrust it
(inetutils insists that it is the server's).  Those of ACTIVE_COMMANDS listen
themselves and name the address that they have.
The exception is ncftp, which fixes a private address by itself; it says so, and
MENDED recognises that.
Limits: wget cannot upload.  Exit statuses are not looked at, because several
clients end with 0 whatever happened: the caller compares what arrived.
"""

import dataclasses
import ftplib
import io
import os
import pathlib

from lab import PATIENCE, SLOWNESS, Namespace

REMOTE = "pub/data.bin"
MENDED = "Fixing what would have been a bogus|Fixing bogus PASV"
TIMEOUT = 30 * SLOWNESS
LIMIT = round(min(5 * SLOWNESS, 20))    # seconds, of what may be in vain: that a connection comes about


@dataclasses.dataclass
class Visit:
    """One client that goes to one server."""
    namespace: Namespace
    host: str
    port: int
    user: str
    password: str
    folder: pathlib.Path    # home and working directory of the client
    upload_name: str        # below upload/ on the server

    @property
    def local(self):
        """What is downloaded into, and uploaded from."""
        return self.folder / "data.bin"

    @property
    def host_in_url(self):
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self):
        return f"ftp://{self.host_in_url}:{self.port}"

    @property
    def remote_upload(self):
        return f"upload/{self.upload_name}"


def curl(action, visit, options=("--disable-epsv",)):
    where = {"list": ["--list-only", f"{visit.url}/pub/"],
             "download": ["-o", visit.local, f"{visit.url}/{REMOTE}"],
             "upload": ["-T", visit.local, f"{visit.url}/{visit.remote_upload}"]}
    return ["curl", "-q", "-sS", "--no-ftp-skip-pasv-ip", *options, "--connect-timeout", LIMIT,
            "-u", f"{visit.user}:{visit.password}", *where[action]], None


def curl_epsv(action, visit):
    return curl(action, visit, options=())


def curl_port(action, visit):
    return curl(action, visit, options=("--ftp-port", "-", "--disable-eprt"))


def curl_eprt(action, visit):
    return curl(action, visit, options=("--ftp-port", "-"))


def lftp(action, visit, passive="yes", extended="no"):
    what = {"list": "cls -1 pub/",
            "download": f"get {REMOTE} -o {visit.local}",
            "upload": f"put {visit.local} -o {visit.remote_upload}"}
    script = (f"set ftp:ignore-pasv-address no; set ftp:fix-pasv-address no; set ftp:prefer-epsv {extended}; "
              f"set ftp:passive-mode {passive}; "
              f"set net:max-retries 1; set net:timeout {LIMIT}; set cmd:fail-exit yes; "
              f"open -u {visit.user},{visit.password} -p {visit.port} ftp://{visit.host_in_url}; "
              f"{what[action]}; bye")
    return ["lftp", "--norc", "-c", script], None


def lftp_epsv(action, visit):
    return lftp(action, visit, extended="yes")


def lftp_active(action, visit):
    return lftp(action, visit, passive="no")


def tnftp(action, visit, mode="-p", extended="epsv4\n"):
    what = {"list": "ls pub",
            "download": f"get {REMOTE} {visit.local}",
            "upload": f"put {visit.local} {visit.remote_upload}"}
    # "epsv4" turns EPSV and EPRT off
    return (["tnftp", "-n", mode, "-i", "-q", LIMIT, visit.host, visit.port],
            f"user {visit.user} {visit.password}\n{extended}binary\n{what[action]}\nbye\n")


def tnftp_epsv(action, visit):
    return tnftp(action, visit, extended="")


def tnftp_port(action, visit):
    return tnftp(action, visit, mode="-A")


def tnftp_eprt(action, visit):
    return tnftp(action, visit, mode="-A", extended="")


def inetutils(action, visit, mode="-p"):
    what = {"list": "ls pub",
            "download": f"get {REMOTE} {visit.local}",
            "upload": f"put {visit.local} {visit.remote_upload}"}
    return (["inetutils-ftp", "-n", mode, "-i", "-v", visit.host, visit.port],
            f"user {visit.user} {visit.password}\nbinary\n{what[action]}\nbye\n")


def inetutils_active(action, visit):
    return inetutils(action, visit, mode="-A")


def ncftp(action, visit, mode="-F"):
    login = [mode, "-d", "/dev/stdout", "-t", LIMIT, "-u", visit.user, "-p", visit.password]
    one_try = ["-V", "-r", "1", "-P", visit.port]
    return {"list": ["ncftpls", "-l", *login, f"{visit.url}/pub/"],
            "download": ["ncftpget", *login, *one_try, visit.host, visit.folder, REMOTE],
            "upload": ["ncftpput", *login, *one_try, "-C", visit.host, visit.local,
                       visit.remote_upload]}[action], None


def ncftp_active(action, visit):
    return ncftp(action, visit, mode="-E")


def wget(action, visit, options=()):
    where = {"list": ["-O", "-", f"{visit.url}/pub/"],
             "download": ["-O", visit.local, f"{visit.url}/{REMOTE}"]}
    return ["wget", "--no-config", "-nv", "-t", "1", "-T", LIMIT, *options, f"--user={visit.user}",
            f"--password={visit.password}", *where[action]], None


def wget_active(action, visit):
    return wget(action, visit, options=("--no-passive-ftp",))


COMMANDS = {"curl": curl, "curl-epsv": curl_epsv, "lftp": lftp, "tnftp": tnftp,
            "inetutils": inetutils, "ncftp": ncftp, "wget": wget}
# What is left out of COMMANDS because it never sees a 227.
EXTENDED_COMMANDS = {"lftp-epsv": lftp_epsv, "tnftp-epsv": tnftp_epsv}
ACTIVE_COMMANDS = {"curl-port": curl_port, "curl-eprt": curl_eprt, "lftp-active": lftp_active,
                   "tnftp-port": tnftp_port, "tnftp-eprt": tnftp_eprt,
                   "inetutils-active": inetutils_active, "ncftp-active": ncftp_active,
                   "wget-active": wget_active}


def python_session(visit, timeout=2 * LIMIT, passive=True):
    """A logged-in ftplib session; its data connections need the namespace, too."""
    ftp = ftplib.FTP(timeout=timeout)
    ftp.trust_server_pasv_ipv4_address = True
    ftp.set_pasv(passive)
    with visit.namespace.inside():
        ftp.connect(visit.host, visit.port)
        ftp.login(visit.user, visit.password)
    return ftp


def python_act(ftp, action, visit):
    if action == "list":
        return "\n".join(ftp.nlst("pub"))
    if action == "download":
        with open(visit.local, "wb") as out:
            return ftp.retrbinary(f"RETR {REMOTE}", out.write)
    with open(visit.local, "rb") as source:
        return ftp.storbinary(f"STOR {visit.remote_upload}", source)


def _python(action, visit, passive):
    with visit.namespace.inside():
        try:
            with python_session(visit, passive=passive) as ftp:
                return python_act(ftp, action, visit)
        except (OSError, EOFError, ftplib.Error) as error:
            return f"failed: {error}"


def act(client, action, visit):
    """Let the client do it; returns what it printed."""
    if client.startswith("ftplib"):
        return _python(action, visit, passive=client == "ftplib")
    argv, text = {**COMMANDS, **EXTENDED_COMMANDS, **ACTIVE_COMMANDS}[client](action, visit)
    environment = {**os.environ, "HOME": str(visit.folder), "LC_ALL": "C"}
    done = visit.namespace.run("timeout", TIMEOUT, *argv, input=text or "", check=False,
                               cwd=visit.folder, env=environment, timeout=TIMEOUT + PATIENCE)
    return done.stdout + done.stderr


def download_bytes(ftp, visit, name=REMOTE):
    """One file over an open ftplib session."""
    content = io.BytesIO()
    with visit.namespace.inside():
        ftp.retrbinary(f"RETR {name}", content.write)
    return content.getvalue()


def upload_bytes(ftp, visit, name, content):
    with visit.namespace.inside():
        ftp.storbinary(f"STOR {name}", io.BytesIO(content))


CLIENTS = [*COMMANDS, "ftplib"]
BELIEVERS = [client for client in CLIENTS if client not in ("curl-epsv", "ncftp")]
UPLOADING_CLIENTS = [client for client in CLIENTS if client != "wget"]
ACTIVE_CLIENTS = [*ACTIVE_COMMANDS, "ftplib-active"]
