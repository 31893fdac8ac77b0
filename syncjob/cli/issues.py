"""`issues`: what needs a person, and what to do about it; no call to a vendor."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from syncjob.cli.common import (
    all_option,
    json_option,
    opened,
    print_json,
    reason_option,
    reason_or_ask,
    who,
)
from syncjob.cli.pause import Moment
from syncjob.cli.screen import echo
from syncjob.cli.values import Day
from syncjob.core.issue_reports import Asked, IssueRow, Which
from syncjob.errors import Exit, Park

if TYPE_CHECKING:
    from syncjob.engine.connection import ConnectionHandle

_DAY = Day()
#: No state has had so many issues that their numbers are longer.
_NUMBER = re.compile(r"[0-9]{1,15}")
_what = click.argument("what", nargs=-1, metavar="[ID... | deal N | contact ID]")
_kind = click.option("--kind", metavar="CODE", help="All of this kind, as they are listed.")


@click.group("issues", invoke_without_command=True)
@click.option("--kind", metavar="CODE", help="Only of this kind, such as possible_double.")
@click.option("--subject", metavar="WHAT", help="Only about this record: deal:7, contact:org:12.")
@click.option("--ignored", is_flag=True, help="Those that were put aside.")
@click.option("--closed", is_flag=True, help="Those that have closed.")
@click.option("--since", type=_DAY, help="With --closed: from this day on.")
@all_option
@json_option
@click.pass_context
def issues_command(
    ctx: click.Context,
    kind: str | None,
    subject: str | None,
    ignored: bool,
    closed: bool,
    since: datetime | None,
    every: bool,
    as_json: bool,
) -> int:
    """List what needs a person: what happened, since when, what to do next, and where.

    An issue closes by itself once its cause is gone. Exit codes: 0 nothing open is listed, 1
    something is; with --ignored and --closed always 0.
    """
    if ctx.invoked_subcommand is not None:
        return Exit.DONE
    if (ignored and closed) or (since and not closed):
        raise click.UsageError("--since goes with --closed, and --closed not with --ignored")
    which: Which = "ignored" if ignored else "closed" if closed else "open"
    with opened(ctx) as (_, handle):
        report = handle.issues(
            which=which, since=_aware(since), kind=kind,
            subject=_subject(subject.split()) if subject else None,
        )  # fmt: skip
    if as_json:
        print_json(report)
    else:
        from syncjob.reports.issue_words import show_issues_report
        from syncjob.reports.terminal import console

        show_issues_report(console(sys.stdout), report, every=every)
    return Exit.ISSUES if which == "open" and report.issues else Exit.DONE


@issues_command.command("retry")
@_what
@_kind
@reason_option
@json_option
@click.pass_context
def retry(
    ctx: click.Context, what: tuple[str, ...], kind: str | None, reason: str, as_json: bool
) -> int:
    """Try again in the next batch what a vendor refused, or what is held.

    By itself that happens when the record, the config or the accounts' settings change; ask for
    it when the cause went without a trace in any of them.
    """
    with opened(ctx) as (_, handle):
        numbers, subject = _meant(what, kind)
        found = handle.chosen_issues(numbers=numbers, subject=subject, kind=kind)
        asked = handle.retry_issues(found, who=who(), reason=reason)
    return _end(asked, f"the next batch tries again {_counted(asked)}", as_json=as_json)


@issues_command.command("ignore")
@_what
@_kind
@click.option(
    "--until", type=Moment(), required=True, help="Until when: 3d, 2026-08-01, 2026-08-01T09:00."
)
@reason_option
@json_option
@click.pass_context
def ignore(
    ctx: click.Context,
    what: tuple[str, ...],
    kind: str | None,
    until: datetime,
    reason: str,
    as_json: bool,
) -> int:
    """Put issues aside until a day, or until their cause changes.

    They are neither listed nor counted nor told to the operator. What they hold stays held:
    nothing is invoiced by this.
    """
    with opened(ctx) as (_, handle):
        numbers, subject = _meant(what, kind)
        found = handle.chosen_issues(numbers=numbers, subject=subject, kind=kind)
        words = reason_or_ask(reason)
        asked = handle.ignore_issues(found, until=until, who=who(), reason=words)
    said = f"{_counted(asked)} put aside until {until.astimezone():%Y-%m-%d %H:%M}"
    return _end(asked, f"{said}; what is held stays held", as_json=as_json)


@issues_command.command("unignore")
@_what
@_kind
@reason_option
@json_option
@click.pass_context
def unignore(
    ctx: click.Context, what: tuple[str, ...], kind: str | None, reason: str, as_json: bool
) -> int:
    """Tell again of issues that were put aside."""
    with opened(ctx) as (_, handle):
        numbers, subject = _meant(what, kind)
        found = handle.chosen_issues(numbers=numbers, subject=subject, kind=kind)
        asked = handle.unignore_issues(found, who=who(), reason=reason)
    return _end(asked, f"{_counted(asked)} told of again", as_json=as_json)


@issues_command.command("resolve", short_help="Answer an issue, or show which answers it takes.")
@click.argument("number", metavar="ID")
@click.option("--create", is_flag=True, help="Invoice it: it is no double and the sum is right.")
@click.option("--never", is_flag=True, help="Leave the deal alone for good.")
@click.option("--link", metavar="NUMBER", help="The deal is invoiced already, by this invoice.")
@click.option("--reissue", is_flag=True, help="Invoice it anew after a person's void or delete.")
@click.option("--part", metavar="NAME", help="With --link or --reissue: of a deal in parts.")
@click.option("--take", type=click.Choice(["crm", "ledger"]), help="Whose value counts.")
@click.option("--field", metavar="NAME", help="With --take: for this field alone.")
@click.option("--only-instance", is_flag=True, help="No other syncjob writes to these books.")
@click.option("--seen", is_flag=True, help="It is all right so; not told until its cause changes.")
@reason_option
@click.pass_context
def resolve(
    ctx: click.Context,
    number: str,
    create: bool,
    never: bool,
    link: str | None,
    reissue: bool,
    part: str | None,
    take: str | None,
    field: str | None,
    only_instance: bool,
    seen: bool,
    reason: str,
) -> int:
    """Answer an issue; the next batch applies it. Without an answer: which ones it takes."""
    answers = {
        "--create": "create" if create else None,
        "--never": "never" if never else None,
        "--link NUMBER": f"link:{link}" if link else None,
        "--reissue": "reissue" if reissue else None,
        f"--take {take}": ":".join(filter(None, ("take", take, field))) if take else None,
        "--only-instance": "only-instance" if only_instance else None,
        "--seen": "seen" if seen else None,
    }
    given = [(flag, kind) for flag, kind in answers.items() if kind]
    if len(given) > 1 or (field and not take) or (part and not (link or reissue)):
        raise click.UsageError(
            "give one answer; --field goes with --take, --part with --link or --reissue"
        )
    with opened(ctx) as (_, handle):
        row = _row(handle, number)
        if not given or given[0][0] not in row.answers:
            return _show_choices(row, refused=bool(given))
        _answer(handle, row, given[0][1], part, reason_or_ask(reason))
    echo(f"Noted for #{row.id} ({row.subject}): {row.answers[given[0][0]]}.")
    if not seen:
        echo("Next: `syncjob plan` shows what follows, the next batch does it.")
    return Exit.DONE


def _row(handle: ConnectionHandle, number: str) -> IssueRow:
    """The open issue of this number as it is listed. Raises Park if it is not open."""
    known = handle.chosen_issues(numbers=_meant((number,), None)[0])[0]
    for which in ("open", "ignored"):
        report = handle.issues(which=which, subject=known.issue.subject)
        for row in report.issues:
            if row.id == known.id:
                return row
    raise Park(f"The issue #{known.id} has just closed.", next_step="There is nothing to answer.")


def _show_choices(row: IssueRow, *, refused: bool) -> int:
    from syncjob.reports.issue_words import choice_lines

    if refused:
        echo(f"The issue #{row.id} does not take that answer.", err=True)
    for line in choice_lines(row):
        echo(line)
    return Exit.ISSUES


def _answer(
    handle: ConnectionHandle, row: IssueRow, kind: str, part: str | None, reason: str
) -> None:
    if kind == "seen":
        found = handle.chosen_issues(numbers=(row.id,))
        handle.ignore_issues(found, until=None, who=who(), reason=reason)
    else:
        handle.answer(kind=kind, subject=row.subject, who=who(), reason=reason, part=part)


def _meant(what: tuple[str, ...], kind: str | None) -> tuple[tuple[int, ...], str | None]:
    """The numbers or the record that a person names: `12 #13`, `deal 7`, `contact:org:12`."""
    numbers = [word.removeprefix("#") for word in what]
    if numbers and all(_NUMBER.fullmatch(number) for number in numbers):
        if kind:
            raise click.UsageError("give numbers or --kind, not both")
        return tuple(int(number) for number in numbers), None
    if not what and not kind:
        raise click.UsageError("name issues by their numbers, or a deal, or --kind CODE")
    return (), _subject(list(what)) if what else None


def _subject(words: list[str]) -> str:
    """A record as issues name it: "deal 7" and "deal:7" alike."""
    return ":".join(words) if len(words) < 3 else _bad(words)


def _bad(words: list[str]) -> str:
    raise click.UsageError(f"{' '.join(words)!r} names no record: write deal 7, contact org:12")


def _aware(day: datetime | None) -> datetime | None:
    """The start of that day where this machine stands."""
    return day.astimezone() if day is not None else None


def _counted(asked: Asked) -> str:
    named = ", ".join(f"#{number}" for number in asked.issues[:8])
    more = len(asked.issues) - 8
    return f"{named} and {more:,} more" if more > 0 else named


def _end(asked: Asked, words: str, *, as_json: bool) -> int:
    if as_json:
        print_json(asked)
    else:
        echo(f"Noted: {words}.")
    return Exit.DONE
