"""Measure a run of a model of 160 million weights: CPU seconds, and the peak of its memory.

    python benchmarks/large_model.py [FOLDER] [CHECKPOINTS] [NEEDS...]

The run has the tensors of a GPT-NeoX of 12 layers: 162 million weights, 0.65 GB a checkpoint. They
are drawn at random and move along a straight line: they take as long to measure as trained ones,
and say nothing else. 150 checkpoints would take 97 GB of disk: only six are written, and the others
are hard links to these in turn, which take as long to read. A run that is in the folder already is
measured again.
``NEEDS`` are scenes, or ``all`` for every measure; by default the scenes of any run, then ``all``.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from grokviz.runs import RunWriter, layout

LAYERS, MODEL, HEADS, VOCABULARY = 12, 768, 12, 50_304
WRITTEN = 6
"""So many checkpoints are written; others are links."""
SCENES = ("tensors", "steps", "path", "spectra", "weights", "heads", "embedding-map", "matrix")
CODE = """
import resource, grokviz as gv
from grokviz.scene.registry import scene
needs = None if NAME == "all" else scene(NAME).needs
gv.analyze(RUN, needs, cache=False, workers=0)
used = resource.getrusage(resource.RUSAGE_SELF)
print(round(used.ru_utime + used.ru_stime), used.ru_maxrss // 1024)
"""


def shapes() -> dict[str, tuple[int, ...]]:
    """The shape of each tensor."""
    every: dict[str, tuple[int, ...]] = {"gpt_neox.embed_in.weight": (VOCABULARY, MODEL)}
    sides = {
        "attention.query_key_value": (3 * MODEL, MODEL), "attention.dense": (MODEL, MODEL),
        "mlp.dense_h_to_4h": (4 * MODEL, MODEL), "mlp.dense_4h_to_h": (MODEL, 4 * MODEL),
    }  # fmt: skip
    for layer in range(LAYERS):
        start = f"gpt_neox.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            every |= {f"{start}{norm}.{part}": (MODEL,) for part in ("weight", "bias")}
        for name, shape in sides.items():
            every |= {f"{start}{name}.weight": shape, f"{start}{name}.bias": shape[:1]}
    every |= {f"gpt_neox.final_layer_norm.{part}": (MODEL,) for part in ("weight", "bias")}
    return {**every, "embed_out.weight": (VOCABULARY, MODEL)}


def record(path: Path, count: int) -> None:
    """Write the run."""
    rng = np.random.default_rng(0)
    state = {
        name: 0.02 * rng.standard_normal(shape, np.float32) for name, shape in shapes().items()
    }
    way = {name: rng.standard_normal(len(array), np.float32) for name, array in state.items()}
    with RunWriter.create(path, {"settings": {"num-attention-heads": HEADS}}) as writer:
        for number in range(min(count, WRITTEN)):
            writer.checkpoint(1000 * number, state)
            for name, array in state.items():
                array += (0.002 * way[name]).reshape(-1, *[1] * (array.ndim - 1))
        writer.close(finished=True)
    index = path / "index.json"
    content = layout.decode_document(index.read_bytes(), None)
    written = content["checkpoints"]
    for number in range(WRITTEN, count):
        one, epoch = written[number % WRITTEN], 1000 * number
        file = f"checkpoints/{epoch}.safetensors"
        os.link(path / one["file"], path / file)
        content["checkpoints"] = [*content["checkpoints"], {**one, "epoch": epoch, "file": file}]
    index.write_bytes(layout.encode_document(content, None))


def main(folder: Path, count: int, needs: list[str]) -> None:
    path = folder / f"large-{count}"
    size = sum(int(np.prod(shape)) for shape in shapes().values())
    if not path.exists():
        # the peak of a process that was started counts the memory of the one that started it
        writing = multiprocessing.get_context("spawn").Process(target=record, args=(path, count))
        writing.start()
        writing.join()
    print(f"{count} checkpoints of {size:,} weights")
    for name in needs:
        code = f"RUN = {str(path)!r}; NAME = {name!r}\n{CODE}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        seconds, peak = done.stdout.split()
        print(f"  {name:16} {seconds:>6} s, peak {peak} MiB", flush=True)


if __name__ == "__main__":
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 150
    wanted = sys.argv[3:] or [*SCENES, "all"]
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), number, wanted)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary), number, wanted)
