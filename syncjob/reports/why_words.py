"""A record's story and its history as a person reads them: plain lines for pipe and terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from syncjob.core.because import money
from syncjob.core.contacts.words import plain_text
from syncjob.core.history import HistoryReport, HistoryRow
from syncjob.core.story import Awaited, Candidate, Event, InvoiceNow, Story, WhyReport
from syncjob.reports.words import local

#: How many events and rows are shown before the rest is counted (`--all` shows every one).
EVENTS_MAX = 40
#: How many lines of a write's values are shown without `--all`.
DETAILS_MAX = 12
#: How long a value may be before it is cut.
VALUE_LENGTH_MAX = 200

_SETTLED = {
    "payment": "payment", "credit_note": "credit note", "prepayment": "prepayment",
    "overpayment": "overpayment",
}  # fmt: skip


def show_why(out: Console, report: WhyReport, *, every: bool = False) -> None:
    """The answer, the story, what is awaited, the next step."""
    if report.story is None:
        _show_unknown(out, report.words, report.reasons, report.candidates, report.next_step)
        return
    story = report.story
    if report.words:
        out.print(escape(report.words))
    out.print(f"[bold]{escape(_title(story))}[/]")
    if story.page:
        out.print(escape(story.page))
    out.print(escape(story.answer))
    _section(out, "What happened", _events(story.events, every=every))
    _section(out, "As last read", (line for i in story.invoices for line in _invoice(i)))
    rules = "What the rules say now" if story.kind != "contact" else "Now"
    _section(out, rules, story.rules)
    _section(out, "Awaited", map(_awaited, story.awaited))
    _section(out, "Not known here", story.unknown)
    out.print(escape(_source(story)))
    out.print(f"[bold]Next:[/] {escape(story.next_step)}")


def show_history(out: Console, report: HistoryReport, *, every: bool = False) -> None:
    """Each write once, with its fields; each decision with who and why."""
    if not report.subject:
        _show_unknown(out, report.words, (), report.candidates, report.next_step)
        return
    out.print(f"[bold]{escape(f'{report.subject} {report.title}'.strip())}[/]")
    if report.page:
        out.print(escape(report.page))
    groups = [list(rows) for _, rows in groupby(report.rows, key=_same)]
    shown = groups if every else groups[-EVENTS_MAX:]
    if len(shown) < len(groups):
        out.print(f"({len(groups) - len(shown):,} earlier; --all shows them)")
    for rows in shown:
        out.print(escape("\n".join(_rows(rows, every=every))))
    if report.words:
        out.print(escape(report.words))
    elif len(report.rows) < report.total:
        out.print(f"{len(report.rows):,} of {report.total:,} rows; the others were filtered out.")
    out.print(escape(f"Next: {report.next_step}"))


def _show_unknown(
    out: Console, words: str, reasons: Iterable[str], candidates: Sequence[Candidate], step: str
) -> None:
    out.print(escape(words))
    for reason in reasons:
        out.print(escape(f"- {reason}"))
    for one in candidates:
        out.print(escape(f"  {one.ask:<16}  {one.text}"))
        if one.page:
            out.print(escape(f"  {'':<16}  {one.page}"))
    out.print(f"[bold]Next:[/] {escape(step)}")


def _title(story: Story) -> str:
    kind, _, record = story.subject.partition(":")
    name = " ".join(filter(None, (story.title, f"({story.customer})" if story.customer else "")))
    hidden = "(its customer asked to be forgotten)" if story.hidden else ""
    return " ".join(filter(None, (kind, record, name, hidden)))


def _section(out: Console, title: str, lines: Iterable[str]) -> None:
    found = list(lines)
    if found:
        out.print(f"[bold]{title}[/]")
        for line in found:
            out.print(escape(f"  {line}"))


def _events(events: Sequence[Event], *, every: bool) -> Iterator[str]:
    shown = events if every else events[-EVENTS_MAX:]
    if len(shown) < len(events):
        yield f"({len(events) - len(shown):,} earlier; --all shows them)"
    for event in shown:
        when = str(event.day) if event.day else local(event.at) if event.at else ""
        batch = f"batch {event.batch}: " if event.batch else ""
        times = f" ({event.times} times by now)" if event.times > 1 else ""
        yield f"{when:<22} {batch}{event.text}{times}"
        details = event.details if every else event.details[:DETAILS_MAX]
        yield from (f"{'':<22}   {cut(detail)}" for detail in details)
        if len(details) < len(event.details):
            yield f"{'':<22}   and {len(event.details) - len(details)} more (--all)"


def _invoice(invoice: InvoiceNow) -> Iterator[str]:
    dates = ", ".join(
        filter(
            None,
            (
                f"dated {invoice.date}" if invoice.date else "",
                f"due {invoice.due_date}" if invoice.due_date else "",
                f"expected {invoice.expected_on}" if invoice.expected_on else "",
            ),
        )
    )
    part = f" (part {invoice.part})" if invoice.part else ""
    yield f"{invoice.name}{part}: {invoice.word}{f', {dates}' if dates else ''}"
    sums = f"total {money(invoice.total, invoice)}, received {invoice.paid:,.2f}, "
    yield f"  {sums}credited {invoice.credited:,.2f}, to pay {invoice.due:,.2f}"
    for one in invoice.settlements:
        yield f"  {one.date or 'no date'}: {_SETTLED[one.kind]} of {money(one.amount, invoice)}"
    if invoice.unapplied:
        yield f"  the customer has {money(invoice.unapplied, invoice)} unapplied"
    if invoice.read_at:
        stamp = f"; the ledger stamped it {_utc(invoice.stamp)}" if invoice.stamp else ""
        by = f" by batch {invoice.batch}" if invoice.batch > 0 else ""
        yield f"  read {local(invoice.read_at)}{by}{stamp}"
    if invoice.page:
        yield f"  {invoice.page}"


def _awaited(one: Awaited) -> str:
    until = f" (until {local(one.until)})" if one.until else ""
    day = f" (on {one.day})" if one.day else ""
    return f"{one.text}{until}{day}"


def _source(story: Story) -> str:
    """How old the answer is, and when it is looked at again."""
    if story.fresh:
        return "Read anew for this answer; nothing was written."
    last = f"as of the batch of {local(story.last_batch)}" if story.last_batch else "as it stands"
    then = f"; the next one is expected {local(story.next_batch)}" if story.next_batch else ""
    return f"From the state alone, {last}{then}."


def _same(row: HistoryRow) -> tuple[object, ...]:
    """What one write or one decision has in common."""
    alone = (row.target, row.reason, row.by) if row.write is None else ()
    return (row.at, row.batch, row.write, *alone)


def _rows(rows: Sequence[HistoryRow], *, every: bool) -> Iterator[str]:
    first = rows[0]
    batch = f"batch {first.batch}" if first.batch else "between batches"
    if first.rule == "a person" and first.by != "syncjob":
        reason = f": {first.reason}" if first.reason else ""
        yield f"{local(first.at)}  {batch}  {first.by} decided {first.field}{reason}"
        came = first.after or first.answer
        if came:
            yield f"    what came of it: {came}"
        return
    what = first.what or f"{first.target} in the state"
    yield f"{local(first.at)}  {batch}  {what}"
    rules = ", ".join(dict.fromkeys(row.rule for row in rows if row.rule))
    yield f"    because {first.reason}{f' [{rules}]' if rules else ''}"
    shown = rows if every else rows[:DETAILS_MAX]
    for row in shown:
        if row.field:
            before, after = (plain_text(row.field, v) for v in (row.before, row.after))
            yield f"    {row.field}: {_value(before)} -> {_value(after)}"
    if len(shown) < len(rows):
        yield f"    and {len(rows) - len(shown)} more fields (--all)"
    if first.answer:
        yield f"    {first.answer}"


def _value(value: str | None) -> str:
    return "(empty)" if value is None or value == "" else cut(value)


def cut(text: str) -> str:
    """The text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= VALUE_LENGTH_MAX else f"{line[: VALUE_LENGTH_MAX - 1]}…"


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
