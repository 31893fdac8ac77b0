"""Reports as a person reads them on a terminal: a sentence, a table, what needs looking at.

The same text goes to a pipe, then without colour and links; NO_COLOR is rich's own to obey.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table

from syncjob.core.actions import Issue
from syncjob.core.printable import printable
from syncjob.core.records import Organisation
from syncjob.core.reports import BatchReport, FieldsReport, Pause, Row
from syncjob.reports.tables import Fitting
from syncjob.reports.words import (
    batch_sentence,
    group_lines,
    issue_groups,
    issue_lines,
    local,
    waiting_lines,
    why_hint,
)

#: How many columns a pipe gets: wide enough that no table is cut.
PIPE_COLUMNS = 160
#: How many rows and issues are shown before the rest is counted (`--all` shows every one).
ROWS_MAX = 40
#: From so many issues of one cause on, it is said once, with the records it is about.
GROUPED_MIN = 4


class _Console(Console):
    """Whatever people typed into a CRM, or a vendor answered, is shown as text and nothing else."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)


def console(stream: TextIO) -> Console:
    """A console that breaks no words for a pipe, and that no text on it can steer."""
    width = None if stream.isatty() else PIPE_COLUMNS
    return _Console(file=stream, width=width, highlight=False, soft_wrap=not stream.isatty())


def show_batch(out: Console, report: BatchReport, *, every: bool = False) -> None:
    """What a batch did: its rows, its issues, its sentence, what stopped it."""
    if report.rows:
        out.print(Fitting(_rows(report.rows if every else report.rows[:ROWS_MAX])))
        _rest(out, len(report.rows), every)
    shown = report.issues if every else report.new_issues
    show_issues(out, shown, report.titles, every=every)
    older = len(report.issues) - len(report.new_issues)
    if older and not every:
        known = "1 issue is" if older == 1 else f"{older:,} issues are"
        out.print(f"{known} open from before: `syncjob status` lists them.")
    if hint := why_hint(shown):
        out.print(hint)
    for text in waiting_lines(report.waits):
        out.print(escape(text))
    for what, why in sorted(report.left_out.items()):
        out.print(escape(f"Left for later: {what}: {why}"))
    if report.result == "outside_hours" and report.resume_at:
        out.print(f"Outside the office hours; the next batch is due {local(report.resume_at)}.")
        out.print(escape(f"Next: {report.next_step}"))
        return
    out.print(f"[bold]{escape(batch_sentence(report))}[/]")
    if report.stopped_by:
        out.print(escape(f"Stopped: {report.stopped_by}"))
    if report.next_step:
        out.print(escape(f"Next: {report.next_step}"))
    if report.resume_at:
        out.print(f"Goes on at {local(report.resume_at)}.")


def _rows(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("deal", "title", "customer", "invoice"):
        table.add_column(name, overflow="fold")
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("due", justify="right", no_wrap=True)
    for name in ("status", "done"):
        table.add_column(name, overflow="fold")
    for row in rows:
        link = f"[link={row.page}]{escape(row.deal_id)}[/]" if row.page else escape(row.deal_id)
        total, due = _amount(row.total, row.currency), _amount(row.due, row.currency)
        texts = (row.title, row.customer or "", row.number or "")
        table.add_row(link, *map(escape, texts), total, due, escape(row.status), escape(row.what))
    return table


def _amount(amount: Decimal | None, currency: str) -> str:
    return "" if amount is None else f"{amount:,.2f} {currency}".strip()


def _rest(out: Console, number: int, every: bool) -> None:
    if not every and number > ROWS_MAX:
        out.print(f"... and {number - ROWS_MAX:,} more (--all shows them)")


def show_issues(
    out: Console, issues: Sequence[Issue], titles: dict[str, str], *, every: bool = False
) -> None:
    """What a person must look at, each with what to do next; many of one cause are said once."""
    groups = issue_groups(issues)
    for group in groups if every else groups[:ROWS_MAX]:
        if every or len(group) < GROUPED_MIN:
            for issue in group:
                lines = issue_lines(issue, titles.get(issue.subject, ""))
                out.print(escape("\n".join(lines)))
        else:
            out.print(escape("\n".join(group_lines(group, titles))))
            out.print("    (--all shows each with its link)")
    _rest(out, len(groups), every)


def pauses(found: Sequence[Pause], stop_file: bool) -> Iterable[str]:
    """Each pause in force, one line each; the STOP file is one."""
    for pause in found:
        until = f"until {local(pause.until)}" if pause.until else "until `syncjob resume`"
        yield f"{pause.only} {until}: {pause.reason} ({pause.who}, {local(pause.since)})"
    if stop_file:
        yield "everything, by the file STOP beside the state; delete the file to go on"


def organisation(found: Organisation | None, *, books: bool = True) -> str:
    """Name, country, currency, and of books DEMO or REAL, as `connect` and `status` show them."""
    if found is None:
        return "not seen yet"
    kind = ("DEMO" if found.demo else "REAL") if books else None
    parts = (found.name, found.country, found.currency, found.time_zone, kind)
    return ", ".join(part for part in parts if part)


def show_fields(out: Console, fields: FieldsReport) -> None:
    """The CRM fields that are missing, were created, or must be created by hand."""
    for entity, name, kind, purpose in fields.wanted:
        out.print(escape(f"{entity} field {name!r} ({kind}): {purpose}"))
    for name in fields.created:
        out.print(escape(f"created {name}"))
    for text in fields.by_hand:
        out.print(escape(f"create by hand: {text}"))
    if not (fields.wanted or fields.created or fields.by_hand):
        out.print("The CRM has every field that the config names.")
