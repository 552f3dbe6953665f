# SPDX-License-Identifier: GPL-2.0-or-later
"""image.py - the image that packaging/Containerfile describes, built by buildah

Comes in:  a folder that the images and containers are kept in; a root with a small Debian
           (release.py), which stands in for Debian's own image.
Goes out:  an Image; programs can be run in a container of it.

Nothing is asked for but packages, where this machine's apt has them from. No other
program is needed: chroot is all that isolates what runs.
"""

import json
import pathlib
import re

import release
from release import TOP, run

CONTAINERFILE = TOP / "packaging" / "Containerfile"
# What a root that is thrown away need not do.
DPKG = "force-unsafe-io\n"


class Buildah:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.options = ["--storage-driver=vfs", f"--root={self.folder}/images", f"--runroot={self.folder}/run"]

    def __call__(self, command, *argv, timeout=60, prefix=()):
        return run(*prefix, "buildah", *self.options, command, *argv, timeout=timeout).strip()

    def add_base(self, root):
        """The root becomes the image that the Containerfile begins with."""
        name, = set(re.findall(r"^FROM (\S+)", CONTAINERFILE.read_text(), re.M))
        settings = self.folder / "settings"
        for path, text in (("etc/apt/apt.conf.d/00machine", release.apt_settings()), ("etc/dpkg/dpkg.cfg.d/unsafe", DPKG)):
            (settings / path).parent.mkdir(parents=True)
            (settings / path).write_text(text)
        container = self.scratch()
        for folder in root, settings:
            self("add", "--quiet", container, folder, "/", timeout=300)
        self("commit", "--quiet", container, name, timeout=300)
        self("rm", container)

    def scratch(self):
        return self("from", "scratch")

    def build(self, context, containerfile=CONTAINERFILE, timeout=release.BUILD_LIMIT):
        """@returns a container of it"""
        self("bud", "--pull-never", "--isolation=chroot", "--network=host", "--tag=built", f"--file={containerfile}", context,
             timeout=timeout)
        return self("from", "--pull-never", "localhost/built")

    def files(self, container):
        return pathlib.Path(self("mount", container))

    def entrypoint(self, container):
        return json.loads(self("inspect", container))["OCIv1"]["config"]["Entrypoint"]

    def run(self, container, *argv, privileges=()):
        """In a network of its own, with these privileges and no others."""
        options = ["--isolation=chroot", *(f"--cap-add=CAP_{name}" for name in privileges)]
        bounds = ",".join(["-all", *(f"+{name.lower()}" for name in privileges)])
        return self("run", *options, container, "--", "setpriv", f"--bounding-set={bounds}", "--", *argv,
                    prefix=["unshare", "--net"])
