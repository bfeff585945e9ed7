"""Record the output of every command, and compare two recordings, to check refactorings.

``python benchmarks/outputs.py record FOLDER`` draws every scene of the bundled references in every
format (films at quality l), writes every explorer, trains a short run of each task, analyses it,
and keeps the SHA-256 of every file; of a film that of its decoded frames too. Only the command line
is used, so that two versions can be compared, each with its own ``--grokviz``::

    python benchmarks/outputs.py record /tmp/before --grokviz old/.venv/dev/bin/grokviz
    python benchmarks/outputs.py record /tmp/after
    python benchmarks/outputs.py compare /tmp/before /tmp/after

Both must run on one machine with the same libraries, as rounding differs between processors.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

NAME = "outputs.json"
STILLS = ("png", "svg", "pdf")
RUNS = {
    "modular-addition": ("--set p=23 --set d-model=32 --set d-mlp=64 --set train-fraction=.6", 600),
    "repeated-subsequence-320": ("", 60),
    "digit-addition-small": ("", 60),
    "skip-trigram": ("", 120),
}
"""The short run of each task: its settings and number of epochs."""


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def frames(path: Path) -> str:
    """SHA-256 over the decoded frames of a film."""
    import av

    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray(format="rgb24").tobytes())
    return digest.hexdigest()


class Recording:
    """The commands of one version, run in one folder, and their output."""

    def __init__(self, folder: Path, grokviz: list[str]) -> None:
        self.folder, self.grokviz = folder, grokviz
        self.outputs: dict[str, str] = {}

    def run(self, *arguments: str) -> str:
        """Run a command and return its standard output; failures are recorded."""
        process = subprocess.run(
            [*self.grokviz, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            self.outputs[f"failed: {' '.join(arguments)}"] = process.stderr.strip()
        return process.stdout

    def keep(self, path: str) -> None:
        """Record the digest of a file, if the command has written it."""
        file = self.folder / path
        if not file.exists():
            return
        self.outputs[path] = digest(file)
        if file.suffix == ".mp4":
            self.outputs[f"{path} frames"] = frames(file)

    def scene(self, scene: dict[str, Any], films: bool) -> None:
        """Record every kind of file of one scene."""
        name, kinds = scene["name"], scene["formats"]
        paths = [f"{name}.{kind}" for kind in STILLS if kind in kinds]
        if films and "mp4" in kinds:
            paths.append(f"{name}.mp4")
        if scene["engine"] == "matplotlib":
            paths.append(f"{name}.html")
        outs = [word for path in paths for word in ("-o", path)]
        self.run("render", name, *outs, "--quality", "l", "--no-user-scenes", "-q")
        if scene["engine"] == "matplotlib":
            dark, paper = f"{name}-dark.png", f"{name}-icml.pdf"
            self.run("render", name, "-o", dark, "--theme", "dark", "--no-user-scenes", "-q")
            self.run("render", name, "-o", paper, "--venue", "icml", "--columns", "1",
                     "--no-user-scenes", "-q")  # fmt: skip
            paths += [dark, paper]
        self.run("data", name, "-o", f"{name}.nc", "--no-user-scenes", "-q")
        for path in [*paths, f"{name}.nc"]:
            self.keep(path)

    def short_run(self, recipe: str, scenes: list[dict[str, Any]]) -> None:
        """Record a short run of a task: its checkpoints, measures and drawings."""
        words, epochs = RUNS[recipe]
        out = f"runs/{recipe}"
        self.run("train", recipe, *words.split(), "--epochs", str(epochs), "--out", out, "-q")
        for file in sorted((self.folder / out).rglob("*.safetensors")):
            self.keep(str(file.relative_to(self.folder)))
        self.outputs[f"{recipe} measures"] = self.run("measures", out, "--json")
        for scene in scenes:
            if scene["engine"] == "matplotlib":
                path = f"{recipe}-{scene['name']}"
                self.run("data", scene["name"], "--run", out, "-o", f"{path}.nc",
                         "--no-user-scenes", "-q")  # fmt: skip
                self.run("render", scene["name"], "--run", out, "-o", f"{path}.png",
                         "--no-user-scenes", "-q")  # fmt: skip
                self.keep(f"{path}.nc")
                self.keep(f"{path}.png")


def record(folder: Path, grokviz: list[str], *, films: bool, workers: int) -> None:
    """Run every command and write the recording."""
    folder.mkdir(parents=True, exist_ok=True)
    recording = Recording(folder, grokviz)
    scenes = json.loads(recording.run("scenes", "--json", "--no-user-scenes"))
    recording.outputs["scenes"] = json.dumps(scenes, sort_keys=True)
    recording.outputs["recipes"] = recording.run("recipes", "--json")
    references = sorted({s["reference"] for s in scenes if s["reference"]})
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        work = [pool.submit(recording.scene, scene, films) for scene in scenes]
        work += [pool.submit(recording.short_run, recipe, scenes) for recipe in RUNS]
        for name in references:
            page = f"explore-{name}.html"
            recording.run("explore", name, "-o", page, "-q")
            recording.keep(page)
        for done in work:
            done.result()
    text = json.dumps(recording.outputs, indent=1, sort_keys=True)
    (folder / NAME).write_text(text + "\n", "utf-8")
    sys.stdout.write(f"{len(recording.outputs)} outputs recorded in {folder / NAME}\n")


def compare(before: Path, after: Path) -> int:
    """Print the differences; returns the exit status, 1 if there are any."""
    one, other = (json.loads((f / NAME).read_text("utf-8")) for f in (before, after))
    differing = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    for name in differing:
        state = "gone" if name not in other else "new" if name not in one else "differs"
        sys.stdout.write(f"{state}: {name}\n")
    sys.stdout.write(f"{len(differing)} of {len({*one, *other})} outputs differ\n")
    return bool(differing)


def main() -> int:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    recorder = commands.add_parser("record")
    recorder.add_argument("folder", type=Path)
    recorder.add_argument("--grokviz", default=str(Path(sys.executable).with_name("grokviz")))
    recorder.add_argument("--no-films", dest="films", action="store_false")
    recorder.add_argument("-j", "--workers", type=int, default=2)
    comparer = commands.add_parser("compare")
    comparer.add_argument("before", type=Path)
    comparer.add_argument("after", type=Path)
    words = parser.parse_args()
    if words.command == "compare":
        return compare(words.before, words.after)
    record(words.folder, [words.grokviz], films=words.films, workers=words.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
