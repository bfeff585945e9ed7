"""The first state of a recorded loop: whether it is a model of its task, and in which layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grokviz import plugins
from grokviz.errors import InputError
from grokviz.models import transformer_lens
from grokviz.runs import tensors
from grokviz.task import known_task

_INSTEAD = "leave out task= to record it as a run of any kind"


def is_foreign_layout(facts: Mapping[str, Any], state: Mapping[str, Any], model: Any) -> bool:
    """Whether the states of a run are TransformerLens', to be converted for their task.

    ``model`` is what the state was taken from. Raises InputError unless the state, converted or
    as it is, has the names and shapes of the task's models.
    """
    with plugins.looking_in([plugins.INSTALLED]):
        task = known_task(facts.get("task"))
    view = task.load("view") if task else None
    if task is None or view is None:
        return False
    settings = {name: v for name, v in facts.get("settings", {}).items() if v is not None}
    try:
        view.check_model(_shapes(state), settings)
        return False
    except InputError as error:
        if not transformer_lens.is_transformer_lens(state):
            raise _refused(task.name, str(error)) from error
    config = getattr(getattr(model, "cfg", None), "__dict__", None)
    if other := transformer_lens.reason_in_config(config):
        raise _refused(task.name, f"its config says {other}", joined="; ")
    if trained := transformer_lens.trained_bias(model):
        raise _refused(
            task.name,
            f"{trained} is trained, and the published model has no such bias; set its "
            "requires_grad to False before training",
            joined=", or ",
        )
    try:
        view.check_model(_shapes(converted(state, task.name)), settings)
    except InputError as error:
        raise _refused(task.name, str(error)) from error
    return True


def converted(state: Mapping[str, Any], task: str) -> dict[str, np.ndarray]:
    """A state of TransformerLens under the published names and shapes.

    Raises InputError for one without a published counterpart, as with biases that are not zero.
    """
    arrays = tensors.as_arrays(state, "weights")
    if reason := transformer_lens.reason_against(arrays):
        raise _refused(task, reason, joined="; ")
    return transformer_lens.to_published(arrays)


def _refused(task: str, reason: str, joined: str = "; or ") -> InputError:
    return InputError(f"the model is none of {task}: {reason}{joined}{_INSTEAD}")


def _shapes(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Arrays of the shapes alone, since a state may be large, on another device, or not finite."""
    zero = np.float32(0)
    return {n: np.broadcast_to(zero, tuple(getattr(a, "shape", ()))) for n, a in state.items()}
