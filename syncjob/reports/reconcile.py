"""What reconciling found, for a person: the counts first, then each finding with its next step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from syncjob.core.reconcile import KINDS, Finding, Kind, Numbers, ReconcileReport
from syncjob.reports.tables import Fitting
from syncjob.reports.words import lasting, local

#: How many findings of a kind are shown before the rest is counted (`--all` shows every one).
SHOWN_MAX = 20
_WHO = {
    "next_batch": "the next batch mends it",
    "person": "a person must look",
    "known": "an open issue says so",
    "nobody": "harmless",
}


def show_reconcile(out: Console, report: ReconcileReport, *, every: bool = False) -> None:
    """The table of counts, the findings kind by kind, the numbers, and what was not compared."""
    if report.findings:
        out.print(Fitting(_counts(report.findings)))
        out.print()
        for kind in KINDS:
            _kind(out, kind, report, every=every)
    for line in _rest(report):
        out.print(escape(line))
    out.print(f"[bold]{escape(_sentence(report))}[/]")
    if report.stopped_by:
        out.print(escape(f"Stopped: {report.stopped_by}"))
    if report.next_step and not report.complete:
        out.print(escape(f"Next: {report.next_step}"))
    if report.resume_at and not report.complete:
        out.print(f"Goes on at {local(report.resume_at)}.")


def _counts(findings: Iterable[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("found", overflow="fold")
    for name in ("all", "next batch", "person", "known", "harmless"):
        table.add_column(name, justify="right")
    listed = list(findings)
    for kind, words in KINDS.items():
        of_kind = [finding for finding in listed if finding.kind == kind]
        if of_kind:
            by = [sum(1 for f in of_kind if f.mends == mends) for mends in _WHO]
            table.add_row(words, *(f"{n:,}" if n else "" for n in (len(of_kind), *by)))
    return table


def _kind(out: Console, kind: Kind, report: ReconcileReport, *, every: bool) -> None:
    found = [finding for finding in report.findings if finding.kind == kind]
    if not found:
        return
    out.print(f"[bold]{escape(KINDS[kind])}[/]")
    for finding in found if every else found[:SHOWN_MAX]:
        for line in finding_lines(finding, report.titles.get(finding.subject, "")):
            out.print(escape(line))
    rest = len(found) - SHOWN_MAX
    if rest > 0 and not every:
        out.print(f"  ... and {rest:,} more (--all shows them)")


def finding_lines(finding: Finding, title: str = "") -> Iterator[str]:
    """One finding: which record, what is wrong, who mends it and how, links into both systems."""
    about = f"deal:{finding.deal}" if finding.deal else finding.subject
    name = f"{about} {title}" if title else about
    yield f"  {name}: {finding.what} ({_WHO[finding.mends]})"
    yield f"    next: {finding.next_step}"
    for page in finding.pages:
        yield f"    {page}"


def _rest(report: ReconcileReport) -> Iterator[str]:
    if report.explained:
        rules = ", ".join(
            f"{number:,} {why.replace('_', ' ')}" for why, number in report.explained.items()
        )
        yield f"Left alone, as a rule or an open issue says: {rules}."
    if report.waiting:
        one = report.waiting == 1
        yield f"{report.waiting:,} deal{' waits' if one else 's wait'} for the next batch."
    for numbers in report.numbers:
        yield from _numbers(numbers)
    for name in report.unread:
        yield f"Not read: {name}; its issue says why."


def _numbers(numbers: Numbers) -> Iterator[str]:
    """Gaps are listed, and are no fault: a ledger gives a deleted draft's number to nobody."""
    span = f"Invoice numbers {numbers.first} to {numbers.last}"
    if not (numbers.missing_count or numbers.dead_count):
        yield f"{span}: none is missing."
    if numbers.missing_count:
        yield f"{span}: {_listed(numbers.missing_count, numbers.missing)} missing."
    if numbers.dead_count:
        yield f"{span}: {_listed(numbers.dead_count, numbers.dead)} deleted or voided."


def _listed(count: int, names: tuple[str, ...]) -> str:
    rest = count - len(names)
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"{count:,} ({', '.join(names)}{more})"


def _sentence(report: ReconcileReport) -> str:
    records = sum(report.read.values())
    calls = ", ".join(f"{vendor} {n:,}" for vendor, n in sorted(report.calls.items()))
    used = f"; calls: {calls}" if calls else ""
    took = lasting(report.ended - report.started)
    state = "Reconciled" if report.complete else "Reconciled in part"
    found = f"{report.found:,} found" if report.found else "nothing found"
    kept = "" if report.repair else "; nothing was changed"
    since = f" changed since {report.since}" if report.since else ""
    return (
        f"{state}: {records:,} records{since} read, {report.compared:,} deals compared, "
        f"{found}{kept}{used}; {took}."
    )
