"""`report`: write the report page now, and open it in a browser if asked."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from syncjob.cli.common import json_option, opened, print_json
from syncjob.cli.screen import echo
from syncjob.errors import Exit


@click.command("report")
@click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write it there instead of connection.page.",
)  # fmt: skip
@click.option("--open", "show", is_flag=True, help="Open it in this machine's browser.")
@json_option
@click.pass_context
def report_command(ctx: click.Context, file: Path | None, show: bool, as_json: bool) -> int:
    """Write the page of health, issues and money as of now. Calls no vendor."""
    from syncjob.engine.page import store_page

    with opened(ctx) as (config, handle):
        page = handle.page()
        if as_json:
            print_json(page)
            return Exit.DONE
        path = file or config.resolve(config.connection.page or Path("report.html"))
        store_page(path, page)
    echo(f"Wrote {path}.")
    if show and not webbrowser.open(path.resolve().as_uri()):
        echo("No browser was found here; open the file in one.", err=True)
    return Exit.DONE
