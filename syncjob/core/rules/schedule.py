"""The parts in which a deal is invoiced, and the day of each: by the CRM's instalments or a rule.

A part is known by its key: the instalment's id, or the names of the rule and of its part; never by
its place, which moves when others are added or removed.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from syncjob.core.money import plain
from syncjob.core.policy import Invoices
from syncjob.core.policy_schedules import Deposit, PartRule, ScheduleRule, When
from syncjob.core.records import Deal, Instalment, Organisation
from syncjob.core.rules.arithmetic import Sums, tolerance
from syncjob.core.rules.dating import day_said
from syncjob.core.rules.texts import one_line, short
from syncjob.core.rules.when import Facts, InvoiceFacts, applies
from syncjob.errors import Held

#: Parts are named with two letters at most, and names are never used twice.
INSTALMENTS_MAX = 500

_HUNDRED = Decimal(100)
_MONTHS = 12


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One part as the schedule has it now.

    `share` of `whole` is its part of every net amount; `share` None: what the others leave.
    `title` says which part of what, for the invoice's lines. `on` is the organisation's day on
    which it is made, None while the field that gives the day is empty (`waits` says so).
    """

    key: str
    name: str
    title: str = ""
    share: Decimal | None = None
    whole: Decimal = _HUNDRED
    on: date | None = None
    waits: str = ""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a deal in order, how its deposits are treated, and where all that comes from."""

    slots: tuple[Slot, ...]
    deposit: Deposit
    because: str


def rule_for(
    policy: Invoices, facts: Facts, invoice: InvoiceFacts, begun: Sequence[str]
) -> ScheduleRule | None:
    """The schedule whose parts (keys in `begun`) were invoiced, else the first that applies.

    A schedule that was begun is kept to, whatever becomes of the deal. Raises Held as `applies`.
    """
    for rule in policy.schedules:
        if any(key.startswith(_prefix(rule)) for key in begun):
            return rule
    if begun:
        return None
    rules = (r for r in policy.schedules if applies(r.when, r.name, facts, invoice=invoice))
    return next(rules, None)


def by_rule(
    rule: ScheduleRule, deal: Deal, policy: Invoices, sums: Sums, zone: ZoneInfo
) -> Schedule:
    """The schedule that a rule gives this deal. Raises Held "schedule_day_invalid",
    "value_is_missing"."""
    won = deal.won_at.astimezone(zone).date() if deal.won_at else None
    slots = tuple(_slot(rule, part, deal, policy, sums, won, zone) for part in rule.parts)
    return Schedule(
        slots=slots, deposit=rule.deposit or policy.deposit,
        because=f'in {len(slots)} parts, as the schedule "{rule.name}" says',
    )  # fmt: skip


def by_instalments(deal: Deal, policy: Invoices, sums: Sums) -> Schedule:
    """The deal's own instalments, in the order of their days.

    They must add up to the deal's value, to a cent for each. Raises Held "instalments_differ",
    "instalment_not_positive", "too_many_instalments".
    """
    parts = sorted(deal.instalments or (), key=lambda one: (one.due, _order(one.id)))
    total = sum((part.amount for part in parts), Decimal(0))
    if len(parts) > INSTALMENTS_MAX:
        raise Held(
            "too_many_instalments",
            f"The deal has {len(parts)} instalments; {INSTALMENTS_MAX} can be invoiced.",
            field="instalments",
            next_step="Put them together in the CRM.",
        )
    for part in parts:
        if part.amount <= 0:
            raise _not_positive(deal, part)
    _check_total(deal, policy, sums, total, len(parts))
    slots = tuple(
        Slot(
            key=f"crm.{part.id}", name=_called(part, number, len(parts)), on=part.due,
            title=f"{_called(part, number, len(parts))} of {one_line(deal.title)}",
            share=part.amount, whole=total,
        )
        for number, part in enumerate(parts, 1)
    )  # fmt: skip
    words = f"in {len(slots)} parts, as the deal's own instalments say"
    return Schedule(slots=slots, deposit=policy.deposit, because=words)


def check_deposit(deposit: Deposit, organisation: Organisation) -> None:
    """Raise Held for what only finance may decide: "deposit_refundable", "deposit_gst"."""
    if deposit.kind == "refundable":
        raise Held(
            "deposit_refundable",
            "Its deposit is refundable, which is no sale: finance makes it.",
            field="deposit",
            next_step="Record the deposit in the ledger by hand, and invoice the deal there; "
            "`syncjob resolve deal ID --link NUMBER` ties the invoice to it.",
        )
    accruals = organisation.tax_basis in (None, "ACCRUALS")
    at_once = organisation.country == "AU" and organisation.tax_registered and accruals
    if at_once and not deposit.progressive:
        raise Held(
            "deposit_gst",
            "On the accruals basis, Australian GST falls on the whole supply with its first "
            "invoice, unless the supply is progressive.",
            field="deposit",
            next_step="Ask finance: where the supply is progressive or periodic, set "
            "progressive: true in invoices.deposit (or in the schedule's own deposit); else "
            "invoice the deal as a whole.",
        )


def key_of(rule: ScheduleRule, part: PartRule) -> str:
    """The key of a rule's part."""
    return f"{_prefix(rule)}{_plain_name(part.name)}"


def key_matches(key: str, name: str, wanted: str) -> bool:
    """Whether a person who names a part by these words means this one: by its letter in the
    marker, its key, the instalment's id or the part's name in the rule."""
    words = wanted.strip().casefold()
    return words in (name.casefold(), key.casefold(), key.rsplit(".", 1)[-1].casefold())


# --- rules ----------------------------------------------------------------------------------------


def _prefix(rule: ScheduleRule) -> str:
    return f"rule.{_plain_name(rule.name)}."


def _plain_name(name: str) -> str:
    """A name as it stands in a key: no dots, which divide, and no capitals."""
    return one_line(name).casefold().replace(".", "_")


def _slot(
    rule: ScheduleRule,
    part: PartRule,
    deal: Deal,
    policy: Invoices,
    sums: Sums,
    won: date | None,
    zone: ZoneInfo,
) -> Slot:
    on, waits = _day(part.on, deal, won, zone)
    percent = f" {plain(part.percent)}%" if part.percent is not None else ""
    name = one_line(part.name)
    slot = Slot(
        key=key_of(rule, part), name=name, on=on, waits=waits,
        title=f"{name[:1].upper()}{name[1:]}{percent} of {one_line(deal.title)}",
        share=part.percent,
    )  # fmt: skip
    if part.amount is None:
        return slot
    return msgspec.structs.replace(slot, share=part.amount, whole=_meant(deal, policy, sums))


def _meant(deal: Deal, policy: Invoices, sums: Sums) -> Decimal:
    """The sum of the whole that a fixed amount is a part of: net or gross, as the value is."""
    if policy.value_is is None and sums.sub_total != sums.total:
        raise Held(
            "value_is_missing",
            "Its schedule has a fixed amount, and nothing says whether that includes tax.",
            field="value",
            next_step="Set invoices.value_is to net or gross.",
        )
    return sums.total if policy.value_is == "gross" else sums.sub_total


def _day(when: When, deal: Deal, won: date | None, zone: ZoneInfo) -> tuple[date | None, str]:
    """The day, or None and what it waits for."""
    start = won
    if when.field is not None:
        text = one_line(deal.fields.get(when.field))
        start = _read(text, when.field, zone) if text else None
        if start is None:
            return None, f'when "{when.field}" is filled'
    if start is None:
        return None, "when the CRM says when the deal was won"
    day = _later(start, when)
    return (_month_end(day) if when.end_of_month else day), ""


def _read(text: str, field: str, zone: ZoneInfo) -> date:
    day = day_said(text, zone)
    if day is None:
        raise Held(
            "schedule_day_invalid",
            f'The field "{field}" says "{short(text)}", which is not a date.',
            field=field,
            next_step=f'Write the date as YYYY-MM-DD in "{field}".',
        )
    return day


def _later(day: date, when: When) -> date:
    if when.unit == "month":
        years, month = divmod(day.month - 1 + when.later, _MONTHS)
        year, month = day.year + years, month + 1
        if year > date.max.year:
            return date.max
        return date(year, month, min(day.day, monthrange(year, month)[1]))
    days = when.later * (7 if when.unit == "week" else 1)
    return day + timedelta(days=min(days, (date.max - day).days))


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


# --- the CRM's own -------------------------------------------------------------------------------


def _order(id: str) -> tuple[int, str]:
    """Ids as numbers where they are: the one that was made first comes first."""
    return (len(id), id)


def _called(part: Instalment, number: int, count: int) -> str:
    words = short(one_line(part.description)) or "Instalment"
    return f"{words} ({number} of {count})"


def _check_total(deal: Deal, policy: Invoices, sums: Sums, total: Decimal, count: int) -> None:
    """Whether the lines add up to the value is asked of the whole invoice."""
    value = deal.value if deal.value_is_sum or deal.lines == () else None
    if value is None:
        known = {
            "net": (sums.sub_total,),
            "gross": (sums.total,),
            None: (sums.sub_total, sums.total),
        }
        value = min(known[policy.value_is], key=lambda amount: abs(amount - total))
    if abs(value - total) > tolerance(count):
        raise Held(
            "instalments_differ",
            f"The deal's {count} instalments come to {total:,.2f} {deal.currency}, but its value "
            f"is {value:,.2f}.",
            field="instalments",
            next_step="Correct the instalments in the CRM, so that they add up to the deal.",
        )


def _not_positive(deal: Deal, part: Instalment) -> Held:
    return Held(
        "instalment_not_positive",
        f"The instalment of {part.due} is {part.amount:,.2f} {deal.currency}.",
        field="instalments",
        next_step="Correct the instalment in the CRM, or remove it.",
    )
