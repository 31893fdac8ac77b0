"""`handover`: one page without secrets for whoever looks after this connection next."""

from __future__ import annotations

from pathlib import Path

import click

from syncjob.cli.common import opened, private_file, who
from syncjob.cli.screen import echo
from syncjob.core.printable import printable
from syncjob.errors import Exit, WrongFile


@click.command("handover")
@click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write it there instead of printing it.",
)  # fmt: skip
@click.pass_context
def handover_command(ctx: click.Context, file: Path | None) -> int:
    """One page without secrets: connected as whom, the rules in words, what is open, where things
    are, what to do when it stops. Calls no vendor."""
    from syncjob.reports.handover import handover

    with opened(ctx) as (config, handle):
        page = printable(handover(config, handle.status(), who()))
    if file is None:
        echo(page, nl=False)
        return Exit.DONE
    try:
        private_file(file, page)
    except OSError as error:
        raise WrongFile(
            f"The page cannot be written ({error.strerror}).", where=str(file),
            next_step="Name another file.",
        ) from None  # fmt: skip
    echo(f"Wrote {file}.", err=True)
    return Exit.DONE
