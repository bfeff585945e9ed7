"""Hostile names of others: on the terminal, and in every kind of file that carries text."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import zipfile
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from grokviz.media.film.captions import Caption, subrip
from grokviz.render.captions import write_captions
from grokviz.runs import RunWriter
from tests.torture.common import Torture, Workshop, command, require

CANARY = "x5canary"
NAMES = {
    "screen cleared": f"a\x1b[2J\x1b]0;{CANARY}\x07b",
    "a line of ours": f"a\ngrokviz: {CANARY}",
    "carriage return": f"a\rgrokviz: {CANARY}",
    "eight-bit controls": f"a\x9b2J\x9d{CANARY}\x9c",
    "other line breaks": f"a\u2028grokviz: {CANARY}\u2029\x85\x0b\x0c",
    "backspaces": f"abc\x08\x08\x08{CANARY}\x7f",
    "turned direction": f"a\u202e{CANARY}\u2066",
    "a script": f"\"'><script>{CANARY}()</script><img src=x onerror={CANARY}()>",
    "the end of one": f"</script></style></title><script>{CANARY}()</script>",
    "an entity": f"&lt;{CANARY}&#60;script&#62;&{CANARY};",
    "CDATA": f"]]><{CANARY}/><![CDATA[",
    "an attribute": f"\" onload=\"{CANARY}()\" x=\"",
    "a template": "${" + CANARY + "}`{{" + CANARY + "}}",
    "a link": f"[a](javascript:{CANARY}()) <javascript:{CANARY}()>",
    "mathtext": f"$\\frac{{{CANARY}$ $x^{{2$",
    "rich's markup": f"[red]{CANARY}[/red] [link=http://{CANARY}]",
    "a surrogate": f"\udce9{CANARY}",
    "a comment": f"--><{CANARY}><!--",
    "a caption": f"a\n\n2\n00:00:00,000 --> 00:00:09,000\n{CANARY}",
    "a heading": f"a\n\n# {CANARY}\n\n```\n{CANARY}",
}  # fmt: skip
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
FILES = (
    "out.html", "out.svg", "out.pdf", "out.png", "page.html", "talk.html", "talk.pptx",
    "captions.md",
)  # fmt: skip


def run(torture: Torture, workshop: Workshop) -> None:
    names = list(NAMES.items())
    if torture.scale < 0.01:
        names = torture.random.sample(names, 2)
    for label, name in names:
        place = torture.place()
        _record(place / "work" / "run", name)
        if torture.scale >= 0.01 or label == names[0][0]:
            _terminal(torture, place, label)
        _files(torture, place, label, name)
        with torture.trial("names in files", f"{label}, captions"):
            _check_captions(name)
            torture.tally("names in files").add((label, "captions"), "harmless")
        shutil.rmtree(place)


def _record(path: Path, name: str) -> None:
    """A run whose facts and tensors have the name."""
    text = name.encode("utf-8", "replace").decode()
    facts = {"recipe": name, "task": name, "device": name, "settings": {name: name}}
    with RunWriter.create(path, facts) as writer:
        for epoch in range(3):
            writer.checkpoint(epoch, {text: np.full((2, 2), epoch, np.float32)})
            writer.log(epoch, train_loss=1 / (epoch + 1), test_loss=1 / (epoch + 1))
        writer.close(finished=True)


def _terminal(torture: Torture, place: Path, label: str) -> None:
    """What commands write to a terminal of their own."""
    tally = torture.tally("names on a terminal")
    for words in (["info", "run"], ["measures", "run"], ["info", NAMES[label]]):
        with torture.trial("names on a terminal", f"{label}, {words[0]}"):
            shown = _on_terminal(place, words)
            require("Traceback" not in shown, shown[-1500:])
            require(not CONTROL.search(shown), f"a control character: {shown!r}")
            lines = [line for line in shown.split("\n") if line.startswith(f"grokviz: {CANARY}")]
            require(not lines, f"a line of its own: {shown!r}")
            tally.add((label, words[0], words[1] == "run"), "one line each")


def _on_terminal(place: Path, words: list[str]) -> str:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "grokviz", *words], cwd=place / "work",
        stdin=follower, stdout=follower, stderr=follower,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm", "TMPDIR": str(place / "tmp")},
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:  # the end, on Linux
            break
        if not data:
            break
        shown += data
    process.wait()
    os.close(leader)
    return shown.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def _files(torture: Torture, place: Path, label: str, name: str) -> None:
    """Pictures, pages and talks of the run, with the name as their title."""
    tally = torture.tally("names in files")
    curve = ["render", "grokking-curve", "--run", "run", "--title", name, "-q", "-o"]
    work = place / "work"
    for file in FILES if torture.scale >= 0.01 else FILES[:2]:
        with torture.trial("names in files", f"{label}, {file}"):
            words = {
                "page.html": ["explore", "run", "-q", "-o", file],
                "talk.html": ["slides", "out.png", "--title", name, "-q", "-o", file],
                "talk.pptx": ["slides", "out.png", "--title", name, "-q", "-o", file],
                # its sentence names a tensor
                "captions.md": ["render", "spectra", "--run", "run", "-q", "-o", "spectra.pdf"],
            }.get(file, [*curve, file])
            result = command(place, words)
            require(result.status == 0, result.err[-1500:])
            if file == "captions.md":
                write_captions([work / "spectra.pdf"])
            _check_file(work / file)
            tally.add((label, file), "harmless")


def _check_file(path: Path) -> None:
    """Raise Loss if a name has become markup, a script or a control character."""
    if path.suffix == ".html":
        text = path.read_text("utf-8")
        require(not CONTROL.search(text), "a control character")
        _Page().feed(text)
    elif path.suffix == ".svg":
        _check_xml(path.read_bytes())
    elif path.suffix == ".pptx":
        with zipfile.ZipFile(path) as archive:
            for part in archive.namelist():
                if part.endswith((".xml", ".rels")):
                    _check_xml(archive.read(part))

    elif path.suffix == ".md":
        _check_markdown(path.read_text("utf-8"))


def _check_markdown(text: str) -> None:
    """Raise Loss for a tag, a link, or a paragraph that is not ours."""
    require(not CONTROL.search(text), "a control character")
    require(not re.search(r"(?<!\\)[<`[]", text), "markup")
    begins = re.compile(r"# Suggested captions|## spectra\.pdf|No matrix |Alt text: |")
    other = [
        row for row in text.split("\n") if not begins.match(row) or begins.match(row)[0] == row
    ]
    require(all(begins.fullmatch(row) for row in other), f"a line of its own: {other}")


def _check_captions(name: str) -> None:
    """Raise Loss if a name ends its caption, or begins one of its own."""
    shown = subrip([Caption(0, 10, name), Caption(10, 20, "the next")], Fraction(10))
    require(not CONTROL.search(shown), "a control character")
    cues = shown.strip().split("\n\n")
    require(len(cues) == 2, f"{len(cues)} captions of two")
    require(shown.count("-->") == 2, "a time of its own")
    shown.encode()


def _check_xml(data: bytes) -> None:
    for element in ElementTree.fromstring(data).iter():
        tag = str(element.tag).rpartition("}")[2]
        require(tag != "script" and CANARY not in tag, f"an element {tag}")
        for key, value in element.attrib.items():
            bad = key.startswith("on") or value.strip().startswith("javascript:")
            require(not bad and CANARY not in key, f"an attribute {key}={value[:50]}")
    text = "".join(ElementTree.fromstring(data).itertext())
    require(not CONTROL.search(text), "a control character")


class _Page(HTMLParser):
    """Fails where a name got out of its text."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        require(CANARY not in tag, f"an element {tag}")
        for key, value in attrs:
            require(CANARY not in key, f"an attribute {key}")
            handler = key.startswith("on") or (value or "").strip().startswith("javascript:")
            require(not (handler and CANARY in (value or "")), f"a handler {key}={value}")
        self.script = tag == "script" and ("type", "application/json") not in attrs

    def handle_data(self, data: str) -> None:
        if getattr(self, "script", False) and CANARY in data:
            quoted = re.sub(r'"(?:[^"\\]|\\.)*"', '""', data)
            require(CANARY not in quoted, "a name is code in a script")
            require("<script" not in data and "</" not in data, "markup in a script")
