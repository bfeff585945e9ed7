"""``grokviz doctor``."""

from __future__ import annotations

import json

import click

from grokviz.cli.common import json_option, quiet_option, without_user_code


@click.command("doctor")
@json_option
@quiet_option
@without_user_code
def command(as_json: bool, quiet: bool) -> int:
    """Say what is installed, what is missing, and the command that mends it."""
    from grokviz.cli.checks import run_checks

    checks = run_checks()
    if as_json:
        click.echo(json.dumps([check.as_dict() for check in checks], indent=2))
    elif not quiet:
        for check in checks:
            mark = (
                click.style("ok     ", fg="green") if check.ok else click.style("missing", fg="red")
            )
            click.echo(f"{mark}  {check.name:<12} {check.detail or check.purpose}")
            if not check.ok:
                click.echo(f"         {'':<12} {check.remedy}")
    return 1 if any(check.needed and not check.ok for check in checks) else 0
