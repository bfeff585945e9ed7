"""``grokviz info RUN``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from grokviz.cli.common import json_option, quiet_option, without_user_code
from grokviz.cli.completion import complete_run
from grokviz.media.plain import clean_text, clean_values

LONG = ("problems", "notes", "facts", "shapes", "variables", "runs")
"""What only ``--json`` prints; of the facts the settings and the command are shown."""


@click.command("info")
@click.argument("run", shell_complete=complete_run)
@click.option("--verify", is_flag=True, help="Read every byte and compare checksums.")
@json_option
@quiet_option
@without_user_code
def command(run: str, verify: bool, as_json: bool, quiet: bool) -> int:
    """Say what a run directory, a bundled reference or a sweep's folder holds."""
    facts = _facts(run, verify)
    problems = facts["problems"]
    if as_json:
        click.echo(json.dumps(clean_values(facts), indent=2, default=str))
    elif not quiet:
        _print(facts, verified=verify and not problems)
    for problem in problems:
        click.echo(clean_text(f"{run}: {problem}"), err=True)
    return 1 if problems else 0


def _facts(run: str, verify: bool) -> dict[str, Any]:
    from grokviz.dataset.references.reference import reference_info, references
    from grokviz.errors import InputError
    from grokviz.runs import info, open_run, verify_run
    from grokviz.runs.sweeps import is_sweep

    if run in references() and not Path(run).exists():
        return reference_info(run, verify=verify)
    if is_sweep(Path(run)):
        return _sweep(Path(run), verify)
    try:
        return info(open_run(Path(run)), verify=verify)
    except InputError:
        # a folder without a single document is no run
        if not verify or not list(Path(run).glob("*.json")):
            raise
        # too damaged to be opened: what is wrong with each file is still said
        problems = [str(p) for p in verify_run(Path(run)) if not p.note]
        if not problems:
            raise
        unknown = dict.fromkeys(("recipe", "epochs", "checkpoints", "checksum"))
        return {"path": run, **unknown, "problems": problems}


def _sweep(path: Path, verify: bool) -> dict[str, Any]:
    """What each run in a sweep's folder holds; its problems are those of all of them."""
    from grokviz.runs.sweeps import members_of, read_sweep

    members = {member.name: _facts(str(member), verify) for member in members_of(path)}
    return {
        "path": str(path),
        "recipe": (read_sweep(path) or {}).get("recipe"),
        "epochs": {name: facts["epochs"] for name, facts in members.items()},
        "checkpoints": {name: facts["checkpoints"] for name, facts in members.items()},
        "checksum": {name: facts["checksum"] for name, facts in members.items()},
        "problems": [f"{n}: {text}" for n, facts in members.items() for text in facts["problems"]],
        "runs": members,
    }


def _print(facts: dict[str, Any], *, verified: bool) -> None:
    shown = {key: value for key, value in facts.items() if key not in LONG}
    run_facts = facts.get("facts") or {}
    shown |= {key: run_facts.get(key) for key in ("settings", "device", "versions", "command")}
    if "runs" in facts:
        shown = {"path": facts["path"], "recipe": facts["recipe"]}
        shown |= {name: _line(member) for name, member in facts["runs"].items()}
    for key, value in shown.items():
        if value not in (None, [], {}):
            click.echo(f"{key.replace('_', ' '):<17} {_shown(value)}")
    if verified:
        click.echo(f"{'verified':<17} every file is as it was written")


def _line(facts: dict[str, Any]) -> str:
    """One member of a sweep."""
    checkpoints = facts["checkpoints"]
    count = len(checkpoints) if isinstance(checkpoints, (list, tuple)) else checkpoints
    return f"epochs {_shown(facts['epochs'])}, checkpoints {count}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_shown(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return clean_text(str(value))
