"""A plan, and what became of it, in words and numbers: one sentence, then each write with its
reason, before and after, by kind in the order in which they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from syncjob.core.actions import Action, DealChange, InvoiceDraft
from syncjob.core.applying import AppliedReport, Fate, Item
from syncjob.core.comparing import Difference
from syncjob.core.reports import PlanReport, Tie
from syncjob.reports.action_words import before_of, headline, values
from syncjob.reports.words import KIND_ORDER, counted, why_hint

#: How long a value may be in a before and after before it is cut.
VALUE_LENGTH_MAX = 60

#: The heading of each kind of write, in the order of the waves.
_HEADINGS = {
    "contact.create": "New customers in the ledger",
    "contact.update": "Customers changed in the ledger",
    "contact.mark": "Our marker on contacts",
    "invoice.create": "New drafts",
    "invoice.update": "Drafts changed",
    "invoice.delete": "Drafts deleted",
    "credit.create": "New credit notes",
    "invoice.approve": "Invoices approved",
    "template.create": "New repeating invoices",
    "invoice.email": "Invoices e-mailed by the ledger",
    "crm_contact.create": "New organizations and persons in the CRM",
    "deal.update": "Deals brought up to date",
    "task.create": "Tasks for people",
    "message.send": "Messages to people",
    "note.create": "Notes in timelines",
}
#: What a rule that leaves deals out is called, by its code.
_RULES = {
    "won_before_start": "won before invoices.won_since",
    "won_before_cut_over": "won before invoices.cut_over",
    "not_in_when": "not in a pipeline or stage of invoices.when",
    "do_not_invoice": "marked not to be invoiced",
    "never": "never to be invoiced, as a person decided",
}
#: The fates of a plan's writes, in the order in which they are told: (one, many).
FATES: dict[Fate, tuple[str, str]] = {
    "done": ("1 done as shown", "{n} done as shown"),
    "already": ("1 had been done before", "{n} had been done before"),
    "changed": ("1 skipped, because it changed", "{n} skipped, because they changed"),
    "over": ("1 skipped, because it is over", "{n} skipped, because they are over"),
    "follows": ("1 skipped with what it follows", "{n} skipped with what they follow"),
    "refused": ("1 refused", "{n} refused"),
    "unknown": ("1 without an answer", "{n} without an answer"),
    "waits": ("1 still to do", "{n} still to do"),
}


# --- the plan as one sentence ------------------------------------------------------------------


def plan_sentence(plan: PlanReport) -> str:
    """The plan as one sentence with its numbers: what is created, linked, changed and skipped."""
    parts = [*_written(plan.actions), *_linked(plan.ties)]
    skipped = _skipped(plan)
    would = f"Would {', '.join(parts)}" if parts else "Would write nothing"
    return f"{would}; skip {skipped}." if skipped else f"{would}."


def _written(actions: Sequence[Action]) -> Iterator[str]:
    kinds = Counter(action.kind for action in actions)
    for kind in sorted(kinds, key=[*KIND_ORDER, *sorted(kinds)].index):
        same = [action for action in actions if action.kind == kind]
        if kind == "invoice.create":
            yield f"{counted(kind, len(same))} for {amounts(drafts_worth(same))}"
        elif kind in ("deal.update", "contact.update"):
            yield _fields_changed(kind, same)
        else:
            yield counted(kind, len(same))


def _fields_changed(kind: str, actions: Sequence[Action]) -> str:
    number = sum(1 for action in actions for _ in changes(action))
    records = "deal" if kind == "deal.update" else "customer"
    return f"change {_number(number, 'field')} of {_number(len(actions), records)}"


def _linked(ties: Sequence[Tie]) -> Iterator[str]:
    contacts = sum(1 for tie in ties if tie.subject.startswith("contact:"))
    if contacts:
        yield f"link {_number(contacts, 'contact')}"
    if len(ties) > contacts:
        yield f"link {_number(len(ties) - contacts, 'invoice')}"


def _skipped(plan: PlanReport) -> str:
    held, waiting = len(held_subjects(plan)), len(plan.waits.keys() - {"connection"})
    excluded = sum(plan.excluded.values())
    parts = []
    if excluded:
        parts.append(f"{excluded:,} by rule")
    if held:
        parts.append(f"{held:,} held")
    if waiting:
        parts.append(f"{waiting:,} waiting")
    total = excluded + held + waiting
    return f"{total:,} ({', '.join(parts)})" if total else ""


def held_subjects(plan: PlanReport) -> set[str]:
    """The records that a rule or a doubt holds back."""
    return {issue.subject for issue in plan.issues if issue.state == "held"}


def drafts_worth(actions: Iterable[Action]) -> dict[str, Decimal]:
    """The sum of the new invoices by currency."""
    totals: dict[str, Decimal] = {}
    for action in actions:
        if isinstance(action.payload, InvoiceDraft):
            currency = action.payload.currency
            totals[currency] = totals.get(currency, Decimal(0)) + action.payload.total
    return totals


def amounts(totals: dict[str, Decimal]) -> str:
    """{"AUD": 48210} -> "48,210.00 AUD"."""
    return " + ".join(f"{total:,.2f} {currency}" for currency, total in sorted(totals.items()))


def left_out(plan: PlanReport) -> Iterator[str]:
    """Why deals are skipped: each rule with its count, each reason of what is held."""
    for code, number in sorted(plan.excluded.items()):
        yield f"{number:,} not invoiced: {rule_words(code)}."
    reasons = Counter(issue.code for issue in plan.issues if issue.state == "held")
    if reasons:
        listed = ", ".join(f"{number:,} {code}" for code, number in sorted(reasons.items()))
        yield f"{len(held_subjects(plan)):,} held: {listed}."
    if hint := why_hint(plan.issues):
        yield hint
    waiting = len(plan.waits.keys() - {"connection"})
    if waiting:
        yield f"{waiting:,} waiting."


def rule_words(code: str) -> str:
    """The rule that leaves a deal out, in words."""
    if code.startswith("excluded_by_"):
        return f"invoices.exclude.{code.removeprefix('excluded_by_')}"
    return _RULES.get(code, code)


# --- its writes, by kind -------------------------------------------------------------------------


def groups(actions: Iterable[Action]) -> Iterator[tuple[str, list[Action]]]:
    """(heading, writes) for each kind and side, in the order in which they are written."""
    ordered = sorted(actions, key=lambda a: (a.wave, a.kind, a.side))
    for (_, kind, side), same in groupby(ordered, key=lambda a: (a.wave, a.kind, a.side)):
        listed = list(same)
        yield f"{heading(kind, side)} ({len(listed):,})", listed


def heading(kind: str, side: str) -> str:
    """What a kind of write is called above a list of them."""
    if kind == "contact.update" and side == "crm":
        return "Customers changed in the CRM"
    return _HEADINGS.get(kind, kind)


def action_lines(action: Action, title: str = "") -> Iterator[str]:
    """One action with its reason and each value before and after."""
    name = f" {title}" if title else ""
    yield f"{action.subject}{name}: {headline(action)}"
    yield f"    because {action.reason}"
    for label, before, after in changes(action):
        was = "" if before is None else f"{_cut(before)} -> "
        yield f"    {label}: {was}{_cut(after)}"


def changes(action: Action) -> Iterator[tuple[str, str | None, str]]:
    """(what, before or None if there was nothing, after) for each value of the action."""
    stood = before_of(action)
    stamp = action.payload.stamp_field if isinstance(action.payload, DealChange) else None
    for name, after in values(action):
        before = stood.get(name)
        if before != after and name != stamp:
            yield name, before, "(empty)" if after is None else after


def tie_line(tie: Tie) -> str:
    """One link that reading alone makes."""
    name = f" {tie.title}" if tie.title else ""
    return f"{tie.subject}{name} belongs to {tie.ledger} of the ledger, because {tie.why}"


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[: VALUE_LENGTH_MAX - 1]}…"


def _number(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


# --- a plan that was applied ---------------------------------------------------------------------


def applied_sentence(report: AppliedReport) -> str:
    """What became of the plan's writes, counted."""
    said = [
        one if number == 1 else many.format(n=f"{number:,}")
        for fate, (one, many) in FATES.items()
        if (number := report.counts.get(fate, 0))
    ]
    number = len(report.items)
    writes = "1 write" if number == 1 else f"{number:,} writes"
    return f"Plan {report.plan}, {writes}: {', '.join(said) or 'nothing to do'}."


def fate_lines(item: Item, title: str = "") -> Iterator[str]:
    """One write that was not done as shown: what it was to be, and what has changed."""
    name = f" {title}" if title else ""
    yield f"{item.action.subject}{name}: {headline(item.action)}"
    one, _ = FATES[item.fate]
    yield f"    {one.removeprefix('1 ')}{f': {item.why}' if item.why else ''}"
    for found in item.differences:
        yield f"    {difference_line(found)}"


def difference_line(found: Difference) -> str:
    """One value: before, as planned, and now."""
    if found.stood:
        planned, now = _or_empty(found.before), _or_empty(found.now_before)
        return f"{found.name}: was {planned}, is {now} now; planned {_or_empty(found.after)}"
    before = "" if found.before is None else f"{_or_empty(found.before)} -> "
    now = _or_empty(found.now_after)
    return f"{found.name}: planned {before}{_or_empty(found.after)}, would be {now} now"


def _or_empty(text: str | None) -> str:
    return _cut(text) if text else "(empty)"


def redated(report: AppliedReport) -> Iterator[str]:
    """The invoices that bear the day on which they are made, and not that of the plan."""
    for item in report.items:
        dates = {found.name: found for found in item.moved if found.name in ("date", "due date")}
        date, due = dates.get("date"), dates.get("due date")
        if item.fate in ("done", "unknown") and date is not None:
            then = f", due {due.now_after} instead of {due.after}" if due else ""
            yield (
                f"{item.action.target.removeprefix('invoice:')} is dated {date.now_after} instead "
                f"of {date.after}{then}: an invoice bears the day on which it is made."
            )
