"""Files of a model on the Hugging Face hub, read in parts by HTTP ranges.

Whatever is read lies in the cache until the import has ended, so that the same command goes on
where an interrupted one stopped, in the middle of a part too. ``HF_ENDPOINT`` and ``HF_TOKEN`` are
heeded as by the hub's own library.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from grokviz.errors import InputError, MissingExtra, WorkError
from grokviz.files import cache_home, write_error
from grokviz.importers.reading.opening import MOST_HEADER
from grokviz.importers.reading.tables import MOST_BYTES

ENDPOINT = "https://huggingface.co"
SECONDS, TRIES, WAIT = 30, 4, 0.5
PIECE = 1 << 16
"""Bytes that are written at once; of a broken answer as many are lost."""

log = logging.getLogger(__name__)
_NAME = re.compile(r"[\w.-]{1,96}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Revision(NamedTuple):
    """A branch or a tag, and the commit that it stands for."""

    name: str
    commit: str


class Repository:
    """A model on the hub: its revisions, and bytes of its files.

    Raises :class:`InputError` for a name that is none, and for answers that are not the hub's;
    :class:`WorkError` where the hub cannot be reached.
    """

    def __init__(self, owner: str, name: str) -> None:
        if not (_NAME.fullmatch(owner) and _NAME.fullmatch(name)):
            raise InputError(f"hf://{owner}/{name} is no model; give it as hf://OWNER/NAME")
        self.title = f"{owner}/{name}"
        self._endpoint = os.environ.get("HF_ENDPOINT", ENDPOINT).rstrip("/")
        place = hashlib.sha256(f"{self._endpoint}/{self.title}".encode()).hexdigest()[:24]
        self.cache = cache_home() / "hub" / place
        self._session = _session()

    def revisions(self) -> list[Revision]:
        """All branches and tags."""
        refs = self._json(f"api/models/{self.title}/refs")
        revisions = []
        for kind in ("branches", "tags"):
            for ref in refs.get(kind) or ():
                name, commit = ref.get("name"), ref.get("targetCommit")
                if not isinstance(name, str) or not _COMMIT.fullmatch(str(commit)):
                    raise InputError(f"the answer about {self.title} is not the hub's; try again")
                revisions.append(Revision(name, commit))
        return revisions

    def files(self, commit: str) -> list[str]:
        """The names of the files of a commit."""
        answer = self._json(f"api/models/{self.title}/revision/{commit}")
        names = [entry.get("rfilename") for entry in answer.get("siblings") or ()]
        return [name for name in names if isinstance(name, str)]

    def document(self, commit: str, file: str) -> Any:
        """The content of a JSON file."""
        return self._parsed(self._url(commit, file))

    def header(self, commit: str, file: str) -> tuple[dict[str, Any], int]:
        """The header of a safetensors file, and where its numbers begin."""
        size = int.from_bytes(self.bytes_of(commit, file, 0, 8), "little")
        if not 2 <= size <= MOST_HEADER:
            raise InputError(f"{file} of {self.title} is no safetensors file")
        try:
            header = json.loads(self.bytes_of(commit, file, 8, 8 + size))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{file} of {self.title} has a damaged header") from error
        if not isinstance(header, dict):
            raise InputError(f"{file} of {self.title} has a damaged header")
        return header, 8 + size

    def bytes_of(self, commit: str, file: str, start: int, stop: int) -> bytes:
        """The bytes from ``start`` to ``stop`` of a file, from the cache where they are there."""
        if stop <= start:
            return b""
        url = self._url(commit, file)
        key = hashlib.sha256(f"{url} {start} {stop}".encode()).hexdigest()[:40]
        path, part = self.cache / key, self.cache / f"{key}.part"
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            content = _cached(path)
            if content is None:
                self._fetch(url, start, stop, part)
                content = part.read_bytes()
                with part.open("ab") as handle:
                    handle.write(_seal(content))
                part.replace(path)
            return content
        except OSError as error:
            raise write_error(error, path) from error

    def forget(self) -> None:
        """Remove what was kept for an import that might be interrupted."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def _fetch(self, url: str, start: int, stop: int, part: Path) -> None:
        """Append what is missing of a range to a file."""
        for _ in range(TRIES):
            have = part.stat().st_size if part.is_file() else 0
            if have > stop - start:  # two processes wrote it at once
                part.unlink()
                have = 0
            if have == stop - start:
                break
            with (
                self._answer(url, {"Range": f"bytes={start + have}-{stop - 1}"}) as answer,
                part.open("ab") as file,
            ):
                if answer.status_code != 206:
                    raise InputError(f"{url} cannot be read in parts; download the file")
                self._copy(answer, file, stop - start - have)
        if part.stat().st_size != stop - start:
            raise WorkError(f"{url} was cut short; the same command goes on where it stopped")

    def _copy(self, answer: Any, file: Any, most: int) -> None:
        """Write an answer's bytes, as far as they come."""
        import requests

        with contextlib.suppress(requests.RequestException):  # tried again from there on
            for piece in answer.iter_content(PIECE):
                file.write(piece[:most])
                most -= len(piece)
                if most <= 0:
                    return

    def _json(self, place: str) -> dict[str, Any]:
        content = self._parsed(f"{self._endpoint}/{place}")
        if not isinstance(content, dict):
            raise InputError(f"the answer about {self.title} is not the hub's; try again")
        return content

    def _parsed(self, url: str) -> Any:
        data = bytearray()
        with self._answer(url, {}) as answer:
            for piece in answer.iter_content(PIECE):
                data += piece
                if len(data) > MOST_BYTES:
                    raise InputError(f"{url} has more than {MOST_BYTES:,} bytes of JSON")
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{url} is no JSON; try again") from error

    @contextlib.contextmanager
    def _answer(self, url: str, headers: Mapping[str, str]) -> Iterator[Any]:
        import requests

        try:
            with self._session.get(url, headers=headers, stream=True, timeout=SECONDS) as answer:
                if answer.status_code in (401, 403, 404):
                    raise InputError(
                        f"the hub has no {url.removeprefix(self._endpoint + '/')}; check the name, "
                        "or give HF_TOKEN for a model that is not public"
                    )
                answer.raise_for_status()
                yield answer
        except requests.RequestException as error:
            raise WorkError(
                f"{self.title} cannot be read from the hub ({type(error).__name__}); the same "
                "command goes on where it stopped"
            ) from error

    def _url(self, commit: str, file: str) -> str:
        return f"{self._endpoint}/{self.title}/resolve/{quote(commit, safe='')}/{quote(file)}"


def _cached(path: Path) -> bytes | None:
    """The bytes of a part in the cache, which end in their checksum; None where they do not."""
    if not path.is_file():
        return None
    stored = path.read_bytes()
    content, seal = stored[:-_SEAL_BYTES], stored[-_SEAL_BYTES:]
    if _seal(content) == seal:
        return content
    log.warning("%s is damaged and is read from the hub again", path)
    return None


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


_SEAL_BYTES = len(_seal(b""))


def _session() -> Any:
    try:
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry
    except ImportError as error:
        raise MissingExtra("reading the hub", "hub") from error
    session = requests.Session()
    retry = Retry(TRIES, backoff_factor=WAIT, status_forcelist=(429, 500, 502, 503, 504))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    if token := os.environ.get("HF_TOKEN"):  # requests keeps it from other hosts
        session.headers["Authorization"] = f"Bearer {token}"
    return session
