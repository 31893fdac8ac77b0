"""`status` and `log`: how things stand, and what happened."""

from __future__ import annotations

import sys

import click

from syncjob.cli.common import all_option, json_option, logged, print_json, read_config
from syncjob.cli.screen import echo
from syncjob.errors import Exit


@click.command("status")
@all_option
@json_option
@click.pass_context
def status_command(ctx: click.Context, every: bool, as_json: bool) -> int:
    """One screen: who, the last batch, what waits, what needs a person. Calls no vendor."""
    from syncjob.engine.status import status_now

    with logged(ctx) as config:
        status = status_now(config)
    if as_json:
        print_json(status)
    else:
        from syncjob.reports.status import show_status
        from syncjob.reports.terminal import console

        show_status(console(sys.stdout), status, every=every)
    return Exit.ISSUES if status.issues else Exit.DONE


@click.command("log")
@click.option(
    "-n",
    "number",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="So many of the last batches.",
)
@click.option("--batch", metavar="ID", help="Every event of this batch.")
@json_option
@click.pass_context
def log_command(ctx: click.Context, number: int, batch: str | None, as_json: bool) -> int:
    """Read the log back: the last batches, or all that happened in one of them."""
    from syncjob.reports.review import read_batches, review

    config, _ = read_config(ctx)
    path = config.resolve(config.connection.log)
    found = read_batches(path, last=None if batch else number, batch=batch)
    if as_json:
        print_json(found)
        return Exit.DONE
    for one in found:
        for line in review(one, details=batch is not None):
            echo(line)
    if not found:
        wanted = f"no batch {batch}" if batch else "no batch yet"
        echo(f"The log {path} has {wanted}.", err=True)
    return Exit.DONE
