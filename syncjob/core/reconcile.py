"""What reconciling finds: its kinds, its report, and the comparisons that need no state. Values.

Texts hold ids, numbers, amounts and names of fields, never a customer's name or address: reports
and issues outlast a person's wish to be forgotten (BOOKKEEPING, "Whose customer").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from syncjob.core.case import Case, Context
from syncjob.core.markers import WHOLE, parse_invoice_marker
from syncjob.core.records import Invoice, Record
from syncjob.core.reports import Progress, Waiting, never, unseen, unwaited
from syncjob.core.rules.invoicing import compared, doubt_of

Kind = Literal[
    "no_invoice", "extra", "duplicate", "no_link", "amount", "payment", "status", "missed",
    "dead_link", "marker", "contact", "empty_side",
]  # fmt: skip
#: Who mends it: the next batch; a person, whom an issue tells; a person whom an earlier issue
#: told; nobody, since it does no harm.
Mends = Literal["next_batch", "person", "known", "nobody"]

#: What each kind is called in the table of counts, in its order.
KINDS: dict[Kind, str] = {
    "no_invoice": "won deals without an invoice",
    "extra": "invoices whose deal is not won",
    "duplicate": "second invoices with one marker",
    "no_link": "records with our marker and no link",
    "amount": "amounts that differ between deal and invoice",
    "payment": "payments that were not seen",
    "status": "deals that do not say what the ledger says",
    "missed": "other changes that were not seen",
    "dead_link": "links to what is deleted, archived or gone",
    "marker": "markers that were cleared",
    "contact": "customers that differ between the sides",
    "empty_side": "a side that shows next to nothing",
}
#: What of an invoice is money that came or went.
_MONEY = frozenset({"paid", "credited", "paid_on", "settlements"})
#: Of no interest to a person: that something else differs says it.
_QUIET = frozenset({"updated", "page"})
#: How many fields are named, and numbers listed, before the rest is counted.
NAMED_MAX = 6
NUMBERS_MAX = 50


class ReconcileOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`repair`: correct what is known of both sides, and have the next batch mend the rest;
    without it everything is looked at on a copy. `since`: only what changed since that day."""

    repair: bool = True
    since: date | None = None
    who: str = ""
    progress: Progress = unseen
    waiting: Waiting = unwaited
    should_stop: Callable[[], bool] = never


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is not as it should be. `subject` is the record ("deal:1042",
    "invoice:<id>", "contact:org:12"), `deal` the deal that it is about, `pages` are links into
    the systems."""

    kind: Kind
    subject: str
    what: str
    next_step: str
    mends: Mends
    deal: str | None = None
    pages: tuple[str, ...] = ()


class Numbers(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sequence of invoice numbers from our first to the last: those that nobody has, and those
    of invoices that were deleted or voided. Gaplessness is not promised (BOOKKEEPING, "Money")."""

    first: str
    last: str
    missing_count: int = 0
    missing: tuple[str, ...] = ()
    dead_count: int = 0
    dead: tuple[str, ...] = ()


class ReconcileReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one pass over both sides found; `complete` is False where it goes on later.

    `read` counts records by list, `explained` won deals without an invoice by the rule or issue
    that says why, `waiting` what the next batch does anyway, `unread` lists that could not be
    read. `titles` names deals by subject.
    """

    connection: str
    started: datetime
    ended: datetime
    complete: bool = True
    repair: bool = True
    since: date | None = None
    findings: tuple[Finding, ...] = ()
    counts: dict[str, int] = {}
    explained: dict[str, int] = {}
    waiting: int = 0
    read: dict[str, int] = {}
    compared: int = 0
    unread: tuple[str, ...] = ()
    numbers: tuple[Numbers, ...] = ()
    calls: dict[str, int] = {}
    titles: dict[str, str] = {}
    stopped_by: str = ""
    next_step: str = ""
    resume_at: datetime | None = None

    @property
    def found(self) -> int:
        """How many findings somebody or something has to mend."""
        return sum(1 for finding in self.findings if finding.mends != "nobody")


# --- comparisons ------------------------------------------------------------------------------


def changed_fields(old: Record, new: Record) -> tuple[str, ...]:
    """The fields in which two versions of a record differ."""
    names = (name for name in new.__struct_fields__ if name not in _QUIET)
    return tuple(name for name in names if getattr(old, name) != getattr(new, name))


def is_money(fields: Iterable[str]) -> bool:
    """Whether an invoice was paid, credited, or paid back."""
    return not _MONEY.isdisjoint(fields)


def named(fields: Sequence[str]) -> str:
    """The fields in words, the rest counted."""
    words = [name.replace("_", " ") for name in fields]
    rest = len(words) - NAMED_MAX
    return ", ".join(words[:NAMED_MAX]) + (f" and {rest} more" if rest > 0 else "")


def amounts_apart(case: Case, context: Context) -> tuple[str, bool] | None:
    """Where the deal's value and its one invoice differ by more than rounding, in words, and
    whether a person has approved the invoice knowing that; None if they agree or nobody can say.

    By the tolerance of BOOKKEEPING, "Money". What was credited counts either way.
    """
    part = case.live[0] if len(case.live) == 1 else None
    invoice = part.invoice if part is not None else None
    if part is None or invoice is None or part.name != WHOLE or part.key:
        return None
    created = part.created
    beside = created.beside if created else None
    if beside is None and any(not extra.in_value for extra in context.policy.extra_lines):
        return None
    net, gross = beside or (invoice.total * 0, invoice.total * 0)
    count = max(len(invoice.lines or ()), 1)
    words = ""
    for credited in dict.fromkeys((invoice.credited * 0, invoice.credited)):
        sums = _Sums(invoice.sub_total - net - credited, invoice.total - gross - credited)
        found = compared(case.deal, context.policy, sums, count)
        if found is None or found.verdict != "differs":
            return None
        words = words or found.words
    known = created is not None and doubt_of(case.deal, created, context.policy) is not None
    return words, known and created is not None and created.total == invoice.total


class _Sums(msgspec.Struct, frozen=True):
    """An invoice's sums without what the deal's value does not have in it."""

    sub_total: Decimal
    total: Decimal


# --- numbers ------------------------------------------------------------------------------------

_NUMBER = re.compile(r"^(.*?)(\d{1,9})$")
#: So much sparser than its numbers is no sequence (a date, say, or a customer's own number).
_SPARSE = 10


def sequences(known: Mapping[str, bool], ours: Iterable[str]) -> list[Numbers]:
    """The sequences that our own invoices' numbers belong to.

    `known` are all numbers seen, with whether the invoice still stands; `ours` those of our own
    invoices: before the first of them nothing was read for certain.
    """
    seen: dict[str, dict[int, str]] = {}
    for number in known:
        found = _split(number)
        if found:
            seen.setdefault(found[0], {})[found[1]] = number
    first: dict[str, int] = {}
    for prefix, value in filter(None, map(_split, ours)):
        first[prefix] = min(value, first.get(prefix, value))
    return [
        made
        for prefix, low in sorted(first.items())
        if (made := _sequence(prefix, low, seen.get(prefix, {}), known)) is not None
    ]


def _split(number: str) -> tuple[str, int] | None:
    """("INV-0012") -> ("INV-", 12); None for a marker that serves as number, and for words."""
    found = _NUMBER.match(number)
    return None if found is None or parse_invoice_marker(number) else (found[1], int(found[2]))


def _sequence(
    prefix: str, low: int, seen: Mapping[int, str], known: Mapping[str, bool]
) -> Numbers | None:
    there = sorted(value for value in seen if value >= low)
    if not there or there[-1] - low > _SPARSE * len(there) + NUMBERS_MAX:
        return None
    width = min(len(seen[value]) - len(prefix) for value in there)
    gaps = [value for value in range(low, there[-1]) if value not in seen]
    dead = [seen[value] for value in there if not known[seen[value]]]
    missing = [f"{prefix}{value:0{width}}" for value in gaps]
    return Numbers(
        first=f"{prefix}{low:0{width}}", last=seen[there[-1]],
        missing_count=len(missing), missing=tuple(missing[:NUMBERS_MAX]),
        dead_count=len(dead), dead=tuple(dead[:NUMBERS_MAX]),
    )  # fmt: skip


def pages_of(case: Case | None, invoice: Invoice | None) -> tuple[str, ...]:
    """Links into both systems, as far as they are known."""
    found = (case.deal.page if case else None, invoice.page if invoice else None)
    return tuple(page for page in found if page)
