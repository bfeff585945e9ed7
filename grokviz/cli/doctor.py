"""``grokviz doctor``."""

from __future__ import annotations

import click

from grokviz.cli.common import json_option, quiet_option, without_user_code
from grokviz.cli.output import echo, echo_json, echo_styled


@click.command("doctor")
@json_option
@quiet_option
@without_user_code
def command(as_json: bool, quiet: bool) -> int:
    """Say what is installed, what is missing, and the command that mends it."""
    from grokviz.cli.checks import run_checks

    checks = run_checks()
    if as_json:
        echo_json([check.as_dict() for check in checks])
    elif not quiet:
        for check in checks:
            mark, colour = ("ok     ", "green") if check.ok else ("missing", "red")
            echo_styled(mark, f"  {check.name:<12} {check.detail or check.purpose}", fg=colour)
            if not check.ok:
                echo(f"         {'':<12} {check.remedy}")
    return 1 if any(check.needed and not check.ok for check in checks) else 0
