"""`status` in words: first whether all is well, then the facts, then what needs a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from rich.console import Console
from rich.markup import escape

from syncjob.core.reports import GOOD, Budget, ChoreStatus, StatusReport, Waits
from syncjob.reports.issue_words import ago
from syncjob.reports.terminal import organisation, pauses, show_issues
from syncjob.reports.words import batch_sentence, lasting, local

#: The width of the labels.
_LABEL_COLUMNS = 18
_MENDED = (
    "Held deals are looked at again when they change, and every hour. After a change in the "
    "ledger's or\nthe CRM's settings, `syncjob check` reads them anew and the next batch goes on."
)


def show_status(out: Console, status: StatusReport, *, every: bool = False) -> None:
    """One screen: whether all is well, who, the last batch, what waits, what needs a person."""
    for text in verdict(status):
        out.print(f"[bold]{escape(text)}[/]")
    for name, text in _status_lines(status):
        out.print(f"[bold]{name:<{_LABEL_COLUMNS}}[/] {escape(text)}")
    if status.issues:
        age = ""
        if status.oldest_issue:
            age = f", the oldest for {ago(status.now - status.oldest_issue)}"
        out.print(f"[bold]Needs a person: {len(status.issues):,}{age}[/]")
        show_issues(out, status.issues, status.titles, every=every)
        out.print(_MENDED)
    if status.ignored_issues:
        out.print(f"Put aside: {status.ignored_issues:,} (`syncjob issues --ignored`)")


def verdict(status: StatusReport) -> Iterator[str]:
    """Whether all is well, since when it is not, and what to do, in a sentence or a few."""
    since = f" since {local(status.unwell_since)}" if status.unwell_since else ""
    if status.troubles:
        ended_well = status.last is not None and status.last.result in GOOD
        yield "Batches end well; this needs a look:" if ended_well else f"Not well{since}."
        yield from status.troubles
    elif status.last is None:
        yield "No batch has run yet: `syncjob check`, then `syncjob plan`, then `syncjob run`."
    elif status.pauses or status.stop_file:
        yield "Paused: reading goes on, nothing is written until `syncjob resume`."
    elif status.unwell_since:
        yield f"Not well{since}: {batch_sentence(status.last)} The next batch tries again."
    elif status.issues:
        number = len(status.issues)
        waits = "1 thing waits" if number == 1 else f"{number:,} things wait"
        yield f"All is well, and {waits} for a person (below)."
    else:
        yield "All is well."


def _status_lines(status: StatusReport) -> Iterable[tuple[str, str]]:
    yield "connection", f"{status.connection}, mode {status.mode}"
    yield "CRM", organisation(status.crm, books=False)
    yield "ledger", organisation(status.ledger)
    yield "won since", str(status.won_since or "")
    yield "now", "a batch is running" if status.running else "no batch is running"
    if status.recovering:
        yield "", "recovering: nothing is created until the ledger's lists show what is ours"
    for text in pauses(status.pauses, status.stop_file):
        yield "paused", text
    yield "last batch", batch_sentence(status.last) if status.last else "none yet"
    yield "last good", _ago(status.last_good, status.now)
    hours = " (outside the office hours)" if status.outside_hours else ""
    yield "next batch", (local(status.next_run) if status.next_run else "as scheduled") + hours
    yield from _speed("won to draft", status.draft_waits)
    yield from _speed("money to deal", status.payment_waits)
    if status.open_intents:
        yield "open writes", f"{status.open_intents:,} to be settled by the next batch"
    links = ", ".join(f"{number:,} {kind}" for kind, number in sorted(status.links.items()))
    yield "links", links or "none"
    yield "last backup", _ago(status.last_backup, status.now)
    for chore in status.chores:
        yield f"nightly {chore.name}"[:_LABEL_COLUMNS], chore_words(chore)
    monitor = "told of each batch" if status.heartbeat else "none (notices.operator.heartbeat)"
    yield "monitor", monitor
    for stream in status.streams:
        walking = ", a walk is under way" if stream.walking else ""
        read = f"read through {local(stream.cursor)}" if stream.cursor else "not read yet"
        yield f"{stream.side} {stream.stream}", f"{read}{walking}; {stream.records:,} known"
    for vendor, used in sorted(status.calls_today.items()):
        yield f"{vendor} calls", f"{used:,} in the last 24 hours"
    for budget in status.budgets:
        yield from budget_lines(budget)
    for number, (what, why) in enumerate(sorted(status.left_out.items())):
        yield "" if number else "left for later", f"{what}: {why}"


def budget_lines(budget: Budget) -> Iterator[tuple[str, str]]:
    """A vendor's day in two lines: what is used, left, and until when; what the pace needs."""
    kept = budget.allowed - budget.cap
    others = f" ({budget.allowed:,} less {kept:,} for others)" if kept else ""
    at = "at" if budget.reset_seen else "by"
    anew = f"anew {at} {local(budget.resets_at)}" if budget.resets_at else "each free a day later"
    yield (
        f"{budget.vendor} {budget.counts}"[:_LABEL_COLUMNS],
        f"{budget.cap - budget.left:,} of {budget.cap:,} a day used{others}, "
        f"{budget.left:,} left; {anew}",
    )
    if budget.polls is None or budget.need is None:
        return
    batches = "1 batch needs" if budget.polls == 1 else f"{budget.polls:,} batches need"
    lasts = (
        f"what is left lasts until {local(budget.lasts_until)}, then what can wait waits"
        if budget.lasts_until
        else "what is left is enough"
    )
    yield "", f"at this pace a day's {batches} about {budget.need:,}; {lasts}"


def _speed(name: str, waits: Waits | None) -> Iterator[tuple[str, str]]:
    """How long it took in the last week: half, 95 of 100, and the longest."""
    if waits is None:
        return
    half, most, longest = (
        lasting(timedelta(seconds=seconds)) for seconds in (waits.half, waits.most, waits.longest)
    )
    yield (
        name,
        f"half within {half}, 95% within {most}, longest {longest} ({waits.count:,} in 7 days)",
    )


def chore_words(chore: ChoreStatus) -> str:
    """When a chore of the night was last done, what it said, and when it goes on."""
    if chore.again is not None:
        return f"{chore.said} Goes on after {local(chore.again)}."
    if chore.done is None:
        return "due with the next batch" if chore.due else f"not yet; due after {chore.at}"
    late = "; due with the next batch" if chore.due else ""
    return f"{local(chore.done)}: {chore.said}{late}"


def _ago(instant: datetime | None, now: datetime) -> str:
    return "none yet" if instant is None else f"{local(instant)} ({lasting(now - instant)} ago)"
