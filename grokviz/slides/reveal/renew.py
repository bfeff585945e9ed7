"""Fetch the files of reveal.js that slides carry: ``python renew.py [VERSION]``.

It takes the published npm package through npm, keeps three files and the licences beside
this script, and writes their checksums, which a test compares.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "6.0.2"
HERE = Path(__file__).resolve().parent
REVEAL = {
    "reveal.js": "package/dist/reveal.js",
    "reveal.css": "package/dist/reveal.css",
    "notes.js": "package/dist/plugin/notes.js",
    "LICENSE": "package/LICENSE",
}
MARKED = {"LICENSE-marked": "package/LICENSE"}
"""marked is a part of notes.js, which does not carry its licence."""

SUMS = "SHA256SUMS"


def main(version: str = VERSION) -> None:
    """Replace the files by those of ``version``."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed; it fetches the package of reveal.js")
    _fetch(npm, f"reveal.js@{version}", REVEAL)
    _fetch(npm, "marked", MARKED)
    (HERE / SUMS).write_text(f"# reveal.js {version}\n{sums()}", "utf-8")


def _fetch(npm: str, package: str, files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        pack = [npm, "pack", "--silent", "--pack-destination", place, package]
        subprocess.run(pack, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(place).glob("*.tgz")
        with tarfile.open(archive) as packed:
            for name, member in files.items():
                found = packed.extractfile(member)
                assert found is not None, member
                (HERE / name).write_bytes(found.read())


def sums() -> str:
    """A line a file, as sha256sum writes them."""
    names = [*REVEAL, *MARKED]
    digests = [(hashlib.sha256((HERE / name).read_bytes()).hexdigest(), name) for name in names]
    return "".join(f"{digest}  {name}\n" for digest, name in digests)


if __name__ == "__main__":
    main(*sys.argv[1:2])
