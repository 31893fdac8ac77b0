"""`match`: what is one customer on both sides, or was invoiced by hand; proposed, then answered."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncjob.cli.common import json_option, opened, print_json, private_file, who
from syncjob.cli.progress import show_progress
from syncjob.cli.screen import echo
from syncjob.cli.values import Day
from syncjob.errors import Exit, WrongFile
from syncjob.signals import StopFlag

if TYPE_CHECKING:
    from syncjob.core.review import MatchOptions, MatchReport

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both matches."""
    options = (
        click.option("--accept-certain", is_flag=True, help="Link what is certain at once."),
        click.option(
            "--apply", "review", type=_FILE, metavar="REVIEW.csv",
            help="Take the answers of a review: same, different or leave.",
        ),
        click.option("--all", "every", is_flag=True, help="Also what an earlier review has shown."),
        click.option(
            "--out", "folder", type=_FOLDER, default=Path(), help="Folder of the review's files.",
        ),
        click.option("--reason", default="", help="Why; kept in the audit."),
        json_option,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group("match", invoke_without_command=True)
@_common
@click.option("--suppliers", is_flag=True, help="Also contacts that have only bills.")
@click.pass_context
def match_command(ctx: click.Context, /, suppliers: bool, **given: Any) -> int | None:
    """Find what is one customer on both sides, or twice on one side.

    Reads both sides in full and writes at neither. What may be one is proposed, with a score and
    reasons, in a CSV file to answer in and a page to look at. While a customer waits for an
    answer, nothing is created for it. Can be run again at any time.
    """
    if ctx.invoked_subcommand is not None:
        return None
    return _match(ctx, "contacts", suppliers=suppliers, **given)


@match_command.command("invoices")
@_common
@click.option("--since", type=Day(), help="Read deals and invoices back to it.")
@click.pass_context
def match_invoices(ctx: click.Context, /, since: datetime | None, **given: Any) -> int:
    """Find invoices that people made by hand for won deals, and tie them to the deals.

    Nothing is created or changed in the ledger.
    """
    return _match(ctx, "invoices", since=since.date() if since else None, **given)


@match_command.command("decide")
@click.argument("customer", metavar="CRM_ID")
@click.option("--same", "verdict", flag_value="same", help="They are one customer: link them.")
@click.option("--different", "verdict", flag_value="different", help="They are two customers.")
@click.option("--contact", metavar="ID", help="The ledger's contact, where several are proposed.")
@click.option("--reason", default="", help="Why; kept in the audit.")
@click.pass_context
def match_decide(
    ctx: click.Context, customer: str, verdict: str | None, contact: str | None, reason: str
) -> int:
    """Say whether a CRM customer ("org:12", "person:7") is a contact of the ledger.

    `--different` also ends a link that was made by mistake. The next batch applies it.
    """
    if verdict not in ("same", "different"):
        raise click.UsageError("give one of --same or --different")
    with opened(ctx) as (_, handle):
        made = handle.decide_match(
            crm_id=customer,
            contact=contact,
            verdict="same" if verdict == "same" else "different",
            who=who(),
            reason=reason,
        )
    words = "one customer" if verdict == "same" else "two customers"
    echo(f"Noted: {made.first_name} ({made.first}) and {made.second_name} ({made.second})")
    echo(f"are {words}. The next batch applies it.")
    return Exit.DONE


def _match(
    ctx: click.Context, what: str, *, review: Path | None, folder: Path, as_json: bool,
    reason: str, **given: Any,
) -> int:  # fmt: skip
    if review is not None:
        return _apply(ctx, review, reason, as_json)
    from syncjob.core.review import MatchOptions

    with contextlib.ExitStack() as stack:
        _, handle = stack.enter_context(opened(ctx))
        stop = stack.enter_context(StopFlag())
        progress = stack.enter_context(show_progress(quiet=as_json))
        options = MatchOptions(
            who=who(),
            reason=reason,
            progress=progress,
            waiting=progress.waiting,
            should_stop=stop,
            **given,
        )
        match: Callable[[MatchOptions], MatchReport]
        match = handle.match_invoices if what == "invoices" else handle.match
        report = match(options)
        now = handle.clock.now().astimezone()
    if as_json:
        print_json(report)
    else:
        _show(report, folder, now)
    return Exit.ISSUES if report.waiting else Exit.DONE


def _show(report: MatchReport, folder: Path, now: datetime) -> None:
    from syncjob.reports.match_csv import write_review
    from syncjob.reports.match_page import match_page
    from syncjob.reports.match_words import match_lines

    csv_file = folder / f"match-{report.what}-{now:%Y%m%d-%H%M%S}.csv"
    page = csv_file.with_suffix(".html")
    if report.rows:
        try:
            private_file(csv_file, write_review(report.rows))
            private_file(page, match_page(report, at=now))
        except OSError as error:
            raise WrongFile(
                f"The review cannot be written ({error.strerror}).",
                where=str(error.filename or csv_file),
                next_step="Choose another folder with --out, and add --all: what would have been "
                "in this review is known already.",
            ) from None
    for line in match_lines(report, str(csv_file), str(page)):
        echo(line)


def _apply(ctx: click.Context, review: Path, reason: str, as_json: bool) -> int:
    from syncjob.reports.match_csv import read_review
    from syncjob.reports.match_words import apply_lines

    try:
        data = review.read_bytes()
    except OSError as error:
        raise WrongFile(
            f"The review cannot be read ({error.strerror}).", where=str(review),
            next_step="Name the CSV file that `syncjob match` wrote and you answered in.",
        ) from None  # fmt: skip
    answers, refused = read_review(data, str(review))
    with opened(ctx) as (_, handle):
        report = handle.apply_review(answers, refused, file=review.name, who=who(), reason=reason)
    if as_json:
        print_json(report)
    else:
        for line in apply_lines(report):
            echo(line)
    return Exit.ISSUES if report.refused else Exit.DONE
