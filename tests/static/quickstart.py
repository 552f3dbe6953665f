#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""quickstart.py - what ./quickstart says to somebody who gives it the wrong words, or is not root

Comes in:  root, to become somebody else; nothing is installed or built.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 120 * float(os.environ.get("SLOWNESS", 1))
NOBODY = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]


def quickstart(*words):
    return subprocess.run([TOP / "quickstart", *words], capture_output=True, text=True, timeout=TIMEOUT)


@pytest.mark.parametrize("words", [(), ("demo", "twice"), ("tset",), ("test", "gcc", "nothing"), ("fuzz", "soon"),
                                   ("soak", "0"), ("soak", "1", "2"), ("router",)], ids=" ".join)
def test_wrong_words_are_answered_with_the_usage(words):
    done = quickstart(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("usage: ./quickstart demo\n")


@pytest.fixture
def folder():
    """A copy that anybody may read, beside what quickstart runs before it knows who it is; without sudo."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        shutil.copy(TOP / "quickstart", folder)
        shutil.copytree(TOP / "scripts", folder / "scripts")
        (folder / "bin").mkdir()
        for tool in ("bash", "dirname"):
            (folder / "bin" / tool).symlink_to(shutil.which(tool))
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
@pytest.mark.parametrize("has_sudo", [True, False])
def test_who_is_not_root_is_told_how_to_be(folder, has_sudo):
    if has_sudo:
        (folder / "bin" / "sudo").symlink_to(shutil.which("true"))
    done = subprocess.run([shutil.which("setpriv"), *NOBODY, folder / "bin" / "bash", folder / "quickstart", "test", "gcc"],
                          env={"PATH": str(folder / "bin"), "LC_ALL": "C"}, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stdout) == (1, "")
    how = "sudo ./quickstart test gcc" if has_sudo else "su -c './quickstart test gcc'"
    assert done.stderr.startswith("quickstart: has to be run as root") and how in done.stderr


WRITE = """\
say() { :; }
fail() { echo "$*" >&2; exit 1; }
source "$1"
settings=$2 scratch=$3 installed_pasvd=$4 asked=("--wan eth0" "--server 10.0.0.2")
write_configuration
"""


@pytest.mark.parametrize("before", ["", "[pasvd]\nqueue = 7\n"])
@pytest.mark.parametrize("fits", [True, False])
def test_configuration_that_does_not_fit_leaves_the_one_before(tmp_path, before, fits):
    settings = tmp_path / "conf.d" / "quickstart.conf"
    settings.parent.mkdir()
    if before:
        settings.write_text(before)
    done = subprocess.run(["bash", "-uc", WRITE, "bash", TOP / "scripts" / "router.sh", settings, tmp_path,
                           "true" if fits else "false"], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == (0 if fits else 1), done.stderr
    if fits:
        assert "address = 10.0.0.2" in settings.read_text()
    elif before:
        assert settings.read_text() == before and "is as it was" in done.stderr
    else:
        assert not settings.exists() and "was removed" in done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__]))
