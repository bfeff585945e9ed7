"""The record of a network that composes elements in a family of runs: its group."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from grokviz.dataset.families.family_member import MemberMeasures, Record
from grokviz.dataset.variables import Variable
from grokviz.runs import Run
from grokviz.tasks.group_composition.formulas.groups import read_name

if TYPE_CHECKING:
    import xarray as xr

ROWS = (
    Variable(
        "member_group", ("member",), "group", "1",
        "the group whose elements are composed, such as D30; empty where a run does not say it",
        "arXiv:2302.03025", "str"),
)  # fmt: skip


def of_run(run: Run) -> Record:
    """The group that the run's settings say."""
    return {"member_group": _group(run.facts.get("settings") or run.facts)}


def of_dataset(data: xr.Dataset) -> Record:
    """The same from a dataset."""
    return {"member_group": _group(json.loads(data.attrs.get("settings") or "{}"))}


def _group(settings: Mapping[str, Any]) -> str:
    try:
        return read_name(settings.get("group", ""))
    except ValueError:
        return ""


MEMBER = MemberMeasures(of_run, of_dataset, ROWS)
