"""`check`: whether all that the config names is there and may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncjob.cli.common import json_option, opened, print_json
from syncjob.cli.screen import echo
from syncjob.errors import Exit

if TYPE_CHECKING:
    from syncjob.config import Config
    from syncjob.connectors.base import Problem


@click.command("check")
@click.option("--no-message", is_flag=True, help="Send no test message by notices.ways.")
@json_option
@click.pass_context
def check_command(ctx: click.Context, as_json: bool, no_message: bool) -> int:
    """Try credentials, scopes, accounts, tax rates, fields, stages, mode, clock and notices.

    Writes nothing to a vendor; a test message goes by each of notices.ways. Each problem is
    named with its place in the config and its fix.
    """
    with opened(ctx) as (config, handle):
        problems = handle.check(messages=not no_message)
    if as_json:
        print_json(problems)
    else:
        show_problems(config, problems)
    return Exit.CONFIG if any(problem.fatal for problem in problems) else Exit.DONE


def show_problems(config: Config, problems: list[Problem]) -> None:
    """Each problem with its place and its fix, or that there is none."""
    for problem in problems:
        kind = "" if problem.fatal else "warning: "
        echo(f"{config.path.name} {problem.where}: {kind}{problem.what}")
        echo(f"    fix: {problem.fix}")
    if not problems:
        echo("Everything that the config names is there, and syncjob may use it.")
