"""``grokviz info RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grokviz.cli.common import json_option, quiet_option, without_user_code
from grokviz.cli.completion import complete_run
from grokviz.cli.output import echo, echo_json

JSON_ONLY = ("problems", "notes", "facts", "shapes", "variables", "runs")
"""Keys that only ``--json`` prints, except for a few of the facts."""

LONGEST = 200
"""Characters of a setting that is shown whole, unlike the pairs of a split."""


@click.command("info")
@click.argument("run", shell_complete=complete_run)
@click.option("--verify", is_flag=True, help="Read every byte and compare checksums.")
@json_option
@quiet_option
@without_user_code
def command(run: str, verify: bool, as_json: bool, quiet: bool) -> int:
    """Say what a run directory, a bundled reference or a sweep's folder holds."""
    summary = _summary(run, verify)
    problems = summary["problems"]
    if as_json:
        echo_json(summary, default=str)
    elif not quiet:
        _print_summary(summary, verified=verify and not problems)
    for problem in problems:
        echo(f"{run}: {problem}", err=True)
    return 1 if problems else 0


def _summary(run: str, verify: bool) -> dict[str, Any]:
    from grokviz.dataset.references.reference import reference_info, references
    from grokviz.errors import InputError
    from grokviz.runs import info, open_run, verify_run
    from grokviz.runs.sweeps import is_sweep

    if run in references() and not Path(run).exists():
        return reference_info(run, verify=verify)
    if is_sweep(Path(run)):
        return _sweep_summary(Path(run), verify)
    try:
        return info(open_run(Path(run)), verify=verify)
    except InputError:
        # a folder without any document is not a run
        if not verify or not list(Path(run).glob("*.json")):
            raise
        # if the run is too damaged to be opened, verify each file
        problems = [str(finding) for finding in verify_run(Path(run)) if not finding.note]
        if not problems:
            raise
        unknown = dict.fromkeys(("recipe", "epochs", "checkpoints", "checksum"))
        return {"path": run, **unknown, "problems": problems}


def _sweep_summary(path: Path, verify: bool) -> dict[str, Any]:
    """Summary of a sweep: its members' summaries and all their problems."""
    from grokviz.runs.sweeps import members_of, read_sweep

    members = {member.name: _summary(str(member), verify) for member in members_of(path)}
    return {
        "path": str(path),
        "recipe": (read_sweep(path) or {}).get("recipe"),
        "epochs": {name: member["epochs"] for name, member in members.items()},
        "checkpoints": {name: member["checkpoints"] for name, member in members.items()},
        "checksum": {name: member["checksum"] for name, member in members.items()},
        "problems": [
            f"{name}: {problem}"
            for name, member in members.items()
            for problem in member["problems"]
        ],
        "runs": members,
    }


def _print_summary(summary: dict[str, Any], *, verified: bool) -> None:
    rows = {key: value for key, value in summary.items() if key not in JSON_ONLY}
    facts = summary.get("facts") or {}
    rows |= {key: facts.get(key) for key in ("settings", "device", "versions", "command")}
    if "runs" in summary:
        rows = {"path": summary["path"], "recipe": summary["recipe"]}
        rows |= {name: _member_text(member) for name, member in summary["runs"].items()}
    for key, value in rows.items():
        if value not in (None, [], {}) and (text := _text(value)):
            echo(f"{key.replace('_', ' '):<17} {text}")
    if verified:
        echo(f"{'verified':<17} every file is as it was written")


def _member_text(member: dict[str, Any]) -> str:
    """Epochs and number of checkpoints of a sweep's member."""
    checkpoints = member["checkpoints"]
    count = len(checkpoints) if isinstance(checkpoints, (list, tuple)) else checkpoints
    return f"epochs {_text(member['epochs'])}, checkpoints {count}"


def _text(value: object) -> str:
    if isinstance(value, dict):
        texts = ((key, _text(item)) for key, item in value.items() if item is not None)
        return ", ".join(f"{k}={t if len(t) <= LONGEST else t[:20] + '...'}" for k, t in texts)
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value)
