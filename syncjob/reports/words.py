"""Plans, batches and issues in words and numbers: plain lines for a pipe and a terminal alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from syncjob.core.actions import Issue
from syncjob.core.reports import BatchReport

#: What a kind of action is called: (one, many), after "would " and in the past tense.
_KINDS = {
    "contact.create": ("create 1 customer", "create {n} customers", "created"),
    "contact.mark": ("mark 1 customer", "mark {n} customers", "marked"),
    "invoice.create": ("create 1 draft", "create {n} drafts", "created"),
    "invoice.approve": ("approve 1 invoice", "approve {n} invoices", "approved"),
    "invoice.update": ("update 1 draft", "update {n} drafts", "updated"),
    "invoice.delete": ("delete 1 draft", "delete {n} drafts", "deleted"),
    "deal.update": ("update 1 deal", "update {n} deals", "updated"),
    "contact.update": ("update 1 customer", "update {n} customers", "updated"),
    "crm_contact.create": ("create 1 CRM contact", "create {n} CRM contacts", "created"),
    "template.create": ("create 1 repeating invoice", "create {n} repeating invoices", "created"),
    "template.delete": ("delete 1 repeating invoice", "delete {n} repeating invoices", "deleted"),
    "credit.create": ("create 1 credit note", "create {n} credit notes", "created"),
    "invoice.email": ("have 1 invoice e-mailed", "have {n} invoices e-mailed", ""),
    "task.create": ("create 1 task", "create {n} tasks", "created"),
    "message.send": ("send 1 message", "send {n} messages", "sent"),
}
#: What a batch counts besides its writes.
_COUNTS = {
    "waiting": "waiting for a later batch",
    "left_out": "left for later, since calls are scarce",
    "unknown": "without an answer (looked up by the next batch)",
    "rejected": "refused",
    "settled": "found done",
    "voided": "found not done",
    "adopted": "found by our marker and linked",
}
#: How a batch ended.
_RESULTS = {
    "issues": "done with issues",
    "later": "ended early",
    "outside_hours": "not run: the office hours are over",
    "guard": "stopped by the guard",
    "credentials": "stopped (credentials refused)",
    "wrong_organisation": "stopped (wrong organisation)",
}
#: How many records of a group of issues are named.
GROUP_NAMES_MAX = 8
#: In this order kinds are named in a sentence.
KIND_ORDER = tuple(_KINDS)


def counted(kind: str, number: int, *, done: bool = False) -> str:
    """("invoice.create", 12) -> "create 12 drafts"; done: "created 12 drafts"."""
    one, many, past = _KINDS.get(kind, (f"1 {kind}", f"{{n}} {kind}", ""))
    text = one if number == 1 else many.format(n=f"{number:,}")
    return f"{past} {text.partition(' ')[2]}" if done and past else text


def issue_lines(issue: Issue, title: str = "") -> Iterator[str]:
    """One issue: which record, what happened, and what to do next."""
    at = f" ({issue.field})" if issue.field else ""
    name = f" {title}" if title else ""
    yield f"{issue.subject}{name} {issue.state}: {issue.what}{at} [{issue.code}]"
    yield f"    next: {issue.next_step}"
    if issue.page:
        yield f"    {issue.page}"


def why_hint(issues: Iterable[Issue]) -> str:
    """How to learn more of the first deal that is held; empty where none is."""
    held = (i.subject for i in issues if i.state == "held" and i.subject.startswith("deal:"))
    first = next(held, None)
    return f"How it came to this: `syncjob why {first.replace(':', ' ')}`." if first else ""


def issue_groups(issues: Iterable[Issue]) -> list[list[Issue]]:
    """Issues of one kind and one cause together, the first of them leading, in given order."""
    groups: dict[tuple[str, str, str], list[Issue]] = {}
    for issue in issues:
        groups.setdefault((issue.state, issue.code, issue.what), []).append(issue)
    return list(groups.values())


def group_lines(group: list[Issue], titles: dict[str, str]) -> Iterator[str]:
    """Several issues with one cause: said once, then the records it is about."""
    first = group[0]
    at = f" ({first.field})" if first.field else ""
    yield f"{len(group):,} {first.state}: {first.what}{at} [{first.code}]"
    yield f"    next: {first.next_step}"
    shown = [f"{i.subject} {titles.get(i.subject, '')}".strip() for i in group[:GROUP_NAMES_MAX]]
    rest = len(group) - len(shown)
    yield f"    {', '.join(shown)}{f' and {rest:,} more' if rest else ''}"


def waiting_lines(waits: dict[str, str]) -> Iterator[str]:
    """Why deals wait, one line a reason."""
    if "connection" in waits:
        yield f"Not yet: {waits['connection']}."
    subjects: dict[str, list[str]] = {}
    for subject, reason in waits.items():
        if subject != "connection":
            subjects.setdefault(reason, []).append(subject)
    for reason, waiting in subjects.items():
        who = f"{waiting[0]} waits" if len(waiting) == 1 else f"{len(waiting):,} deals wait"
        yield f"{who}: {reason}."


def batch_sentence(report: BatchReport) -> str:
    """One batch as one sentence: what was written, what was left, calls and time."""
    written = [
        counted(kind, number, done=True)
        for kind, number in report.counts.items()
        if kind in _KINDS and number
    ]
    rest = [
        f"{n:,} {_COUNTS.get(kind, kind)}"
        for kind, n in report.counts.items()
        if kind not in _KINDS and n
    ]
    calls = ", ".join(f"{vendor} {n:,}" for vendor, n in sorted(report.calls.items()))
    text = ", ".join(written) or "nothing written"
    tail = f"; {', '.join(rest)}" if rest else ""
    used = f"; calls: {calls}" if calls else ""
    took = lasting(report.ended - report.started)
    result = _RESULTS.get(report.result, report.result.replace("_", " "))
    return f"Batch {report.batch} {result}: {text}{tail}{used}; {took}."


def lasting(span: timedelta) -> str:
    """A length of time as a person says it: "0.4 s", "3 min 20 s", "2 h 5 min"."""
    seconds = span / timedelta(seconds=1)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def local(instant: datetime | None) -> str:
    """An instant in this machine's zone, to the minute, with its offset."""
    return "never" if instant is None else instant.astimezone().strftime("%Y-%m-%d %H:%M %z")
