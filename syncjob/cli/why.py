"""`why` and `history`: the story of a record, and every write to it."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from syncjob.cli.common import json_option, opened, print_json
from syncjob.cli.values import Day
from syncjob.errors import Exit


@click.command("why")
@click.argument("subject", nargs=-1, required=True)
@click.option("--fresh", is_flag=True, help="Read it anew first; nothing is written.")
@click.option("--all", "every", is_flag=True, help="Show every event and value.")
@json_option
@click.pass_context
def why_command(
    ctx: click.Context, subject: tuple[str, ...], fresh: bool, every: bool, as_json: bool
) -> int:
    """Tell the story of one record: what was seen, decided, sent and answered, what it waits for.

    SUBJECT is a deal's number (1042), an invoice's (INV-0123), a customer by name, e-mail or id
    (org:12), a marker or reference, or a page's address from the browser; "deal", "invoice" or
    "contact" may stand before it. No vendor is asked, except with --fresh.
    """
    with opened(ctx) as (_, handle):
        report = handle.why(" ".join(subject), fresh=fresh)
    if as_json:
        print_json(report)
    else:
        from syncjob.reports.terminal import console
        from syncjob.reports.why_words import show_why

        show_why(console(sys.stdout), report, every=every)
    return Exit.DONE if report.story is not None else Exit.ISSUES


@click.command("history")
@click.argument("record", nargs=-1, required=True)
@click.option("--since", type=Day(), help="From this day on.")
@click.option("--field", metavar="NAME", help="Only fields with this in their name.")
@click.option("--all", "every", is_flag=True, help="Show every write and value.")
@json_option
@click.pass_context
def history_command(
    ctx: click.Context,
    record: tuple[str, ...],
    since: datetime | None,
    field: str | None,
    every: bool,
    as_json: bool,
) -> int:
    """List every write to a record: when, what, before, after, by which rule, and the answer.

    RECORD as for `syncjob why`. What people decided about it stands there, too.
    """
    with opened(ctx) as (_, handle):
        report = handle.history(
            " ".join(record), since=since.date() if since else None, field=field
        )
    if as_json:
        print_json(report)
    else:
        from syncjob.reports.terminal import console
        from syncjob.reports.why_words import show_history

        show_history(console(sys.stdout), report, every=every)
    return Exit.DONE if report.subject else Exit.ISSUES
