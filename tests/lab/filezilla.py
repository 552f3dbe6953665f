# SPDX-License-Identifier: GPL-2.0-or-later
"""filezilla.py - the FileZilla that people have, on a display that nobody sees

Comes in:  a Visit to a server.
Goes out:  a FileZilla that connects to it as if its address had been typed in, and shows its directory; what the program
           says of that.
Its settings are made anew: no greeting, no look for updates, and a log in a file.
Limits: it does not end by itself; the process is ended with the lab.
"""

import pathlib
import re
import ssl

import servers
from lab import Process, wait_for

SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><Settings>
<Setting name="Greeting version">99.0.0</Setting>
<Setting name="Disable update check">1</Setting>
<Setting name="Update Check">0</Setting>
<Setting name="Number of Transfers">1</Setting>
<Setting name="Timeout">10</Setting>
<Setting name="Reconnect count">0</Setting>
<Setting name="Logging file">{log}</Setting>
</Settings></FileZilla3>
"""


# To whom it talks without asking: over TLS, as the certificate is known, or in clear text.
TRUST = """<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><TrustedCerts>{certificates}</TrustedCerts><InsecureHosts>{hosts}</InsecureHosts></FileZilla3>
"""
CERTIFICATE = """<Certificate><Data>{data}</Data><ActivationTime>1000000000</ActivationTime>
<ExpirationTime>4000000000</ExpirationTime><Host>{host}</Host><Port>{port}</Port><TrustSANs>0</TrustSANs></Certificate>"""
HOST = """<Host Port="{port}">{host}</Host>"""


def der(path):
    text = path.read_text()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE-----"):])


def trust(lab, visit, tls):
    if not tls:
        return TRUST.format(certificates="", hosts=HOST.format(host=visit.host, port=visit.port))
    data = der(servers.certificate(lab)).hex()
    return TRUST.format(certificates=CERTIFICATE.format(data=data, host=visit.host, port=visit.port), hosts="")


class FileZilla:
    def __init__(self, lab, visit, tls=None):
        self.path = visit.folder / "filezilla.log"
        folder = visit.folder / "config" / "filezilla"
        folder.mkdir(parents=True)
        (folder / "filezilla.xml").write_text(SETTINGS.format(log=self.path))
        (folder / "trustedcerts.xml").write_text(trust(lab, visit, tls))
        self.display = Process(visit.namespace, ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"],
                               visit.folder / "display.log")
        number = wait_for(lambda: re.search(r"^(\d+)\n", self.display.log(), re.M), 20, "a display")[1]
        lab.on_exit(lambda: self.clean_up(number))
        url = f"ftp://{visit.user}:{visit.password}@{visit.host_in_url}:{visit.port}/"
        self.program = Process(visit.namespace, ["filezilla", url], visit.folder / "output.log", cwd=visit.folder,
                               env={"DISPLAY": f":{number}", "HOME": str(visit.folder), "LC_ALL": "C.UTF-8",
                                    "XDG_CONFIG_HOME": str(folder.parent), "NO_AT_BRIDGE": "1"})
        lab.on_exit(self.program.stop)

    def clean_up(self, number):
        """A display that is killed leaves its socket and lock to the next one."""
        self.display.stop()
        for path in (f"/tmp/.X11-unix/X{number}", f"/tmp/.X{number}-lock"):
            pathlib.Path(path).unlink(missing_ok=True)

    def log(self):
        return self.path.read_text(errors="replace") if self.path.exists() else ""
