# SPDX-License-Identifier: GPL-2.0-or-later
"""clients.py - real FTP clients that believe the address they are told

Comes in:  a Visit: who asks whom, and a folder to work in.
Goes out:  list(), download() and upload() of each client; what a listing
           showed is returned, files are left to the caller to compare.

A client is a function from (action, visit) to (argv, text for its standard
input).  Every client works in passive mode and connects to the address of the
227 reply, also where its default would be to distrust it (inetutils insists
that it is the server's).
The exception is ncftp, which mends a private address by itself; it says so, and
MENDED recognises that.
Limits: wget cannot upload.  Exit statuses are not looked at, because several
clients end with 0 whatever happened: the caller compares what arrived.
"""

import dataclasses
import ftplib
import io
import os
import pathlib

from lab import Namespace

REMOTE = "pub/data.bin"
MENDED = "Fixing what would have been a bogus|Fixing bogus PASV"
TIMEOUT = 30


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
    def url(self):
        return f"ftp://{self.host}:{self.port}"

    @property
    def remote_upload(self):
        return f"upload/{self.upload_name}"


def curl(action, visit, options=("--disable-epsv",)):
    where = {"list": ["--list-only", f"{visit.url}/pub/"],
             "download": ["-o", visit.local, f"{visit.url}/{REMOTE}"],
             "upload": ["-T", visit.local, f"{visit.url}/{visit.remote_upload}"]}
    return ["curl", "-q", "-sS", "--no-ftp-skip-pasv-ip", *options, "--connect-timeout", "5",
            "-u", f"{visit.user}:{visit.password}", *where[action]], None


def curl_epsv(action, visit):
    return curl(action, visit, options=())


def lftp(action, visit):
    what = {"list": "cls -1 pub/",
            "download": f"get {REMOTE} -o {visit.local}",
            "upload": f"put {visit.local} -o {visit.remote_upload}"}
    script = ("set ftp:ignore-pasv-address no; set ftp:fix-pasv-address no; set ftp:prefer-epsv no; set ftp:passive-mode yes; "
              "set net:max-retries 1; set net:timeout 5; set cmd:fail-exit yes; "
              f"open -u {visit.user},{visit.password} -p {visit.port} ftp://{visit.host}; "
              f"{what[action]}; bye")
    return ["lftp", "--norc", "-c", script], None


def tnftp(action, visit):
    what = {"list": "ls pub",
            "download": f"get {REMOTE} {visit.local}",
            "upload": f"put {visit.local} {visit.remote_upload}"}
    # "epsv4" turns EPSV off
    return (["tnftp", "-n", "-p", "-i", "-q", "5", visit.host, visit.port],
            f"user {visit.user} {visit.password}\nepsv4\nbinary\n{what[action]}\nbye\n")


def inetutils(action, visit):
    what = {"list": "ls pub",
            "download": f"get {REMOTE} {visit.local}",
            "upload": f"put {visit.local} {visit.remote_upload}"}
    return (["inetutils-ftp", "-n", "-p", "-i", "-v", visit.host, visit.port],
            f"user {visit.user} {visit.password}\nbinary\n{what[action]}\nbye\n")


def ncftp(action, visit):
    login = ["-F", "-d", "/dev/stdout", "-t", "5", "-u", visit.user, "-p", visit.password]
    one_try = ["-V", "-r", "1", "-P", visit.port]
    return {"list": ["ncftpls", "-l", *login, f"{visit.url}/pub/"],
            "download": ["ncftpget", *login, *one_try, visit.host, visit.folder, REMOTE],
            "upload": ["ncftpput", *login, *one_try, "-C", visit.host, visit.local,
                       visit.remote_upload]}[action], None


def wget(action, visit):
    where = {"list": ["-O", "-", f"{visit.url}/pub/"],
             "download": ["-O", visit.local, f"{visit.url}/{REMOTE}"]}
    return ["wget", "--no-config", "-nv", "-t", "1", "-T", "5", f"--user={visit.user}",
            f"--password={visit.password}", *where[action]], None


COMMANDS = {"curl": curl, "curl-epsv": curl_epsv, "lftp": lftp, "tnftp": tnftp,
            "inetutils": inetutils, "ncftp": ncftp, "wget": wget}


def python_session(visit, timeout=10):
    """A logged-in ftplib session; its data connections need the namespace, too."""
    ftp = ftplib.FTP(timeout=timeout)
    ftp.trust_server_pasv_ipv4_address = True
    with visit.namespace.inside():
        ftp.connect(visit.host, visit.port)
        ftp.login(visit.user, visit.password)
    return ftp


def _python_act(ftp, action, visit):
    if action == "list":
        return "\n".join(ftp.nlst("pub"))
    if action == "download":
        with open(visit.local, "wb") as out:
            return ftp.retrbinary(f"RETR {REMOTE}", out.write)
    with open(visit.local, "rb") as source:
        return ftp.storbinary(f"STOR {visit.remote_upload}", source)


def _python(action, visit):
    with visit.namespace.inside():
        try:
            with python_session(visit) as ftp:
                return _python_act(ftp, action, visit)
        except (OSError, EOFError, ftplib.Error) as error:
            return f"failed: {error}"


def act(client, action, visit):
    """Let the client do it; returns what it printed."""
    if client == "ftplib":
        return _python(action, visit)
    argv, text = COMMANDS[client](action, visit)
    environment = {**os.environ, "HOME": str(visit.folder), "LC_ALL": "C"}
    done = visit.namespace.run("timeout", TIMEOUT, *argv, input=text or "", check=False,
                               cwd=visit.folder, env=environment, timeout=TIMEOUT + 5)
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
