"""The optimisers that a run may be trained by, one file each.

A file defines ``RULE``, an :class:`~grokviz.training.optimisers.rule.UpdateRule`, and its name is
the value of the setting ``optimiser``, with dashes. It imports torch when it builds.
"""

from __future__ import annotations

import importlib
import pkgutil

from grokviz.training.optimisers.rule import UpdateRule


def names() -> list[str]:
    """The optimisers by name, in alphabetical order."""
    files = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in files if name != "rule")


def rule_of(name: str) -> UpdateRule:
    """The optimiser of that name."""
    file = name.replace("-", "_")
    rule: UpdateRule = importlib.import_module(f"{__name__}.{file}").RULE
    return rule
