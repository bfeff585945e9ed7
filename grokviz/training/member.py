"""A process that trains members of a sweep, one after another.

It reads a request a line from standard input and answers in lines of JSON on standard output:
where the member stands, and at last how it ended. It ends when its input does, and at once when
the process that started it is gone: what was kept until then is whole.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

from grokviz import plugins
from grokviz.errors import GrokvizError
from grokviz.options import word

Tell = Callable[..., None]

WATCH_SECONDS = 0.2


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Train each member that is asked for."""

    def tell(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    for line in iter(requests.readline, ""):
        _train(json.loads(line), tell)


def _train(request: Mapping[str, Any], tell: Tell) -> None:
    from grokviz.training.loop import Progress, train

    def report(progress: Progress) -> None:
        tell(epoch=progress.epoch, epochs=progress.epochs, train_loss=progress.train_loss)

    try:
        with plugins.looking_in(request["places"]):
            outcome = train(
                request["recipe"],
                request["out"],
                settings=request["settings"],
                device=request["device"],
                exact_path=request["exact_path"],
                # the run says the command that trains this member alone
                command=" ".join(command(request["recipe"], request["out"], request["settings"])),
                report=report,
            )
    except GrokvizError as error:
        tell(failed=str(error))
    except Exception as error:  # the other members are worth more than the traceback
        tell(failed=f"{type(error).__name__}: {error}")
    else:
        tell(ended=outcome.epoch, interrupted=outcome.interrupted)


def command(recipe: str, out: str, settings: Mapping[str, Any]) -> list[str]:
    """The words of the command that trains one member by itself."""
    given = [f"{key}={word(value)}" for key, value in settings.items()]
    return ["grokviz", "train", recipe, "--out", out, *(f"--set {pair}" for pair in given)]


def end_with(parent: int) -> None:
    """End this process when ``parent`` is no longer its parent, as a killed one is not.

    Where a parent's death changes nothing (Windows), the next answer finds no reader.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve on the standard streams; whatever else is printed goes to standard error."""
    end_with(os.getppid())
    # the loop's own handler takes its place while it trains; before and after nothing is to stop
    signal.signal(signal.SIGTERM, lambda *_: None)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers)
