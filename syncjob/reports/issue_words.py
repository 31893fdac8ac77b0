"""Issues as a person works through them: by kind, each with its number, age, pages and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from syncjob.core.issue_reports import IssueRow, IssuesReport
from syncjob.reports.words import GROUP_NAMES_MAX, local

#: From so many issues of one cause on, it is said once, with the records it is about.
GROUPED_MIN = 4
#: The year of what was put aside without an end.
FOR_GOOD_YEAR = 9999
_NONE = {
    "open": "Nothing needs a person.",
    "ignored": "Nothing is put aside.",
    "closed": "Nothing has closed since then.",
}


def show_issues_report(out: Console, report: IssuesReport, *, every: bool) -> None:
    """All that was asked for, by kind, and a line that sums it up."""
    for line in issue_report_lines(report, every=every):
        out.print(escape(line))


def issue_report_lines(report: IssuesReport, *, every: bool) -> Iterator[str]:
    """The lines of it, without colours."""
    for code, rows in groupby(report.issues, key=lambda row: row.code):
        found = list(rows)
        yield _heading(code, found, report.now)
        for same in _by_cause(found):
            if every or len(same) < GROUPED_MIN:
                for row in same:
                    yield from row_lines(row)
            else:
                yield from _cause_lines(same)
    yield _sum(report)


def _heading(code: str, rows: Sequence[IssueRow], now: datetime) -> str:
    if rows[0].closed_at is not None:
        return f"{code}: {len(rows):,} closed"
    oldest = min(rows, key=lambda row: row.opened_at)
    age = ago(now - oldest.opened_at)
    since = f"since {local(oldest.opened_at)} ({age}, batch {oldest.batch})"
    return f"{code}: {since}" if len(rows) == 1 else f"{code}: {len(rows):,}, the oldest {since}"


def row_lines(row: IssueRow) -> Iterator[str]:
    """One issue: which record, what happened, what next, which answers, where to look."""
    at = f" ({row.field})" if row.field else ""
    name = f" {row.title}" if row.title else ""
    yield f"  #{row.id} {row.subject}{name} {row.state}: {row.what}{at}"
    if row.closed_at is None:
        yield f"      next: {row.next_step}"
    if row.elsewhere and row.closed_at is None:
        yield f"      or: {row.elsewhere}"
    if row.answers and row.closed_at is None:
        yield f"      answer: `syncjob issues resolve {row.id}` with {_either(row.answers)}"
    for label, page in row.pages.items():
        yield f"      {label}: {page}"
    yield from _times(row)


def _times(row: IssueRow) -> Iterator[str]:
    if row.closed_at is not None:
        yield f"      open from {local(row.opened_at)} to {local(row.closed_at)}"
    if row.ignored_until is not None:
        good = row.ignored_until.year == FOR_GOOD_YEAR
        until = "until its cause changes" if good else f"until {local(row.ignored_until)}"
        because = f": {row.ignored_because}" if row.ignored_because else ""
        yield f"      put aside {until} by {row.ignored_by or 'somebody'}{because}"
    if row.retry:
        yield "      the next batch tries it again, as a person asked"


def _by_cause(rows: Iterable[IssueRow]) -> list[list[IssueRow]]:
    groups: dict[tuple[str, str], list[IssueRow]] = {}
    for row in rows:
        groups.setdefault((row.state, row.what), []).append(row)
    return list(groups.values())


def _cause_lines(rows: Sequence[IssueRow]) -> Iterator[str]:
    first = rows[0]
    at = f" ({first.field})" if first.field else ""
    yield f"  {len(rows):,} {first.state}: {first.what}{at}"
    if first.closed_at is None:
        yield f"      next: {first.next_step}"
    shown = [f"#{r.id} {r.subject} {r.title}".strip() for r in rows[:GROUP_NAMES_MAX]]
    rest = len(rows) - len(shown)
    yield f"      {', '.join(shown)}{f' and {rest:,} more' if rest else ''}"
    yield "      (--all shows each with its pages)"
    if first.ignored_until is not None:
        yield from _times(first)


def _sum(report: IssuesReport) -> str:
    aside = ""
    if report.ignored and report.which == "open":
        aside = f" {report.ignored:,} put aside: `syncjob issues --ignored`."
    word = {"open": "open", "ignored": "put aside", "closed": "closed"}[report.which]
    if report.others:
        others = ", ".join(f"{code} ({count:,})" for code, count in report.others.items())
        return f"None of those is {word}. What is: {others}.{aside}"
    if not report.issues:
        return f"{_NONE[report.which]}{aside}"
    number = len(report.issues)
    issues = "1 issue is" if number == 1 else f"{number:,} issues are"
    return f"{issues} {word}.{aside}"


def _either(answers: Iterable[str]) -> str:
    flags = list(answers)
    return " or ".join([", ".join(flags[:-1]), flags[-1]] if len(flags) > 1 else flags)


def choice_lines(row: IssueRow) -> Iterator[str]:
    """Which answers this issue takes, and what each does."""
    yield from row_lines(row)
    if not row.answers:
        yield "It takes no answer: mend what it names, and it closes by itself."
        yield f"`syncjob issues retry {row.id}` has the next batch try it again."
        return
    yield "It takes one of these answers:"
    for flag, does in row.answers.items():
        yield f"    syncjob issues resolve {row.id} {flag}    {does}"


def ago(span: timedelta) -> str:
    """A person's idea of an age: "20 min", "5 h", "3 d"."""
    minutes = max(int(span.total_seconds() // 60), 0)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
