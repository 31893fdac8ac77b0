"""The config's decisions in words, for a person who has not read it: one sentence a decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from syncjob.config import Config
from syncjob.core.policy import Exclude, Guard, Invoices
from syncjob.core.policy_contacts import Contacts
from syncjob.core.policy_notices import Notices

_MODES = {
    "read_only": "read_only: nothing is written on either side.",
    "drafts_only": "drafts_only: invoices are drafts; nothing is approved, e-mailed or voided.",
    "full": "full: invoices may be approved, where a rule below says so.",
}
_NUMBERING = {
    "ledger": "Invoices get the ledger's own numbers.",
    "deal": "Invoices are numbered by the deal's key, so that the ledger refuses a second one.",
}
_TAX = {
    "exclusive": "Tax is added to the lines' prices",
    "inclusive": "Tax is in the lines' prices",
    "no_tax": "Lines bear no tax",
    "as_deal": "Whether tax is in the prices is as the deal's lines say",
}
_RECURRING = {
    "hold": "Deals with products that are billed again and again are held.",
    "first_period": "Of products that are billed again and again, the first period is invoiced.",
    "template": "Products that are billed again and again become a repeating invoice, as a draft.",
}
_UPDATE = {
    "off": "A deal finds or makes its customer in the ledger; contacts are not synced otherwise.",
    "blanks": "Contacts of both sides are linked and empty fields filled; what differs is listed.",
    "owners": "Contacts are synced both ways; each field has an owner who decides a conflict.",
}
_WHICH = {
    "customers": "Only customers that are invoiced get a contact in the ledger.",
    "won": "Customers with a won deal get a contact in the ledger.",
    "all": "All customers of the CRM get a contact in the ledger.",
}
_EVIDENCE = {"wording": "by words on the invoice", "credit_note": "by a credit note"}


def mode_words(mode: str) -> str:
    """What the mode allows."""
    return _MODES[mode]


def rules_words(config: Config) -> list[tuple[str, list[str]]]:
    """(heading, sentences) in the order in which a deal meets the rules."""
    return [
        ("Which deals", list(_which(config.invoices, config.guard))),
        ("What the invoice says", list(_what(config.invoices))),
        ("Customers", list(_customers(config.contacts))),
        ("Afterwards", list(_afterwards(config))),
        ("Who is told", list(_told(config.notices))),
    ]


def _which(invoices: Invoices, guard: Guard) -> Iterator[str]:
    yield f"Deals won on {invoices.won_since} or later; earlier wins are never invoiced."
    if invoices.when.pipelines:
        yield f"Only in the pipelines {_listed(invoices.when.pipelines)}."
    if invoices.when.stages:
        yield f"Only in the stages {_listed(invoices.when.stages)}."
    yield from _excluded(invoices.exclude)
    yield (
        f"At most {guard.creates} new invoices a batch ({guard.creates_first_week} in the first "
        f"week) and {guard.updates} changes, or a person must release the plan. An invoice of "
        f"more than {_plain(guard.times_largest)} times the largest so far is held."
    )


def _excluded(exclude: Exclude) -> Iterator[str]:
    for name in ("pipelines", "labels", "owners", "titles", "organizations", "currencies"):
        given = getattr(exclude, name)
        if given:
            yield f"Never: {name} {_listed(given)}."
    if exclude.value_below is not None:
        yield f"Never: a value below {_plain(exclude.value_below)}."
    if exclude.value_above is not None:
        yield f"Never: a value above {_plain(exclude.value_above)}."


def _what(invoices: Invoices) -> Iterator[str]:
    ends = {"draft": "stay drafts", "authorised": "are approved"}
    yield f"Invoices {ends[invoices.status]}, unless a rule says otherwise."
    for status in invoices.status_rules:
        yield f"Rule {status.name}: {status.status}{_when(status.when)}."
    yield _NUMBERING[invoices.numbering]
    yield f"Lines go to account {invoices.account}, unless a rule says otherwise."
    for account in invoices.account_rules:
        yield f"Rule {account.name}: account {_chosen(account.account, account)}."
    for tracking in invoices.tracking_rules:
        option = _chosen(tracking.option, tracking)
        yield f"Rule {tracking.name}: tracking {tracking.category} {option}."
    yield (
        f"{_TAX[invoices.tax.amounts]}; its rate is a forced rule's, the contact's, a rule's, "
        "or else the account's default."
    )
    for tax in invoices.tax.rules:
        rate = f"tax rate {_chosen(tax.rate, tax)}"
        told = f"held{_when(tax.when)}" if tax.hold else rate
        yield f"Rule {tax.name}: {told}{' (forced)' if tax.force else ''}."
    yield from _due(invoices)
    for schedule in invoices.schedules:
        parts = ", ".join(part.name for part in schedule.parts)
        yield f"Schedule {schedule.name}: in the parts {parts}{_when(schedule.when)}."
    yield _RECURRING[invoices.recurring]
    if invoices.email.enabled:
        to = _listed(invoices.email.allow_domains) or "everybody"
        cap = f"{invoices.email.daily_cap} a day at most"
        yield f"Approved invoices are e-mailed by the ledger to {to}, {cap}."
    yield (
        f"An invoice made by hand for the same customer and total within {invoices.double_days} "
        "days holds the deal."
    )


def _due(invoices: Invoices) -> Iterator[str]:
    order = ", then ".join(
        {"deal": "the deal's", "contact": "the contact's", "rules": "the rules'"}[who]
        for who in invoices.terms.order
    )
    yield f"Payment terms: {order}, or else {invoices.terms.default}."
    for rule in invoices.terms.rules:
        yield f"Rule {rule.name}: {rule.terms}{_when(rule.when)}."
    yield f"Early payment terms are evidenced {_EVIDENCE[invoices.terms.early.evidence]}."


def _customers(contacts: Contacts) -> Iterator[str]:
    yield _UPDATE[contacts.update]
    if contacts.update == "off":
        return
    yield _WHICH[contacts.which]
    if contacts.create_in_crm:
        yield "Contacts that only the ledger has are created in the CRM."
    if contacts.update == "owners":
        owners: dict[str, list[str]] = {}
        for name, owner in contacts.owners.model_dump().items():
            owners.setdefault(owner, []).append(name.replace("_", " "))
        for owner, names in sorted(owners.items()):
            whose = "a person decides" if owner == "ask" else f"the {_side(owner)}'s value counts"
            yield f"Of {_listed(names)}, {whose}."


def _afterwards(config: Config) -> Iterator[str]:
    written = config.crm.fields.names().values()
    yield f"Written to the deal: {_listed(list(written))}." if written else "Nothing is written."
    yield (
        f"Overdue counts after {config.overdue.grace_days} days of grace, and not below "
        f"{_plain(config.overdue.ignore_due_below)}."
    )
    for move in config.crm.moves:
        where = f" of {move.pipeline}" if move.pipeline else ""
        yield f"When {move.when}, the deal goes to the stage {move.stage}{where}."
    if config.crm.timeline:
        yield f"Noted in the deal's timeline: {_listed(config.crm.timeline)}."


def _told(notices: Notices) -> Iterator[str]:
    if notices.steps:
        whom = notices.to.replace("_", " ")
        whom = "the deal's owner and the account's" if whom == "both" else f"the {whom}"
        days = ", ".join(str(day) for day in notices.steps)
        ways = _listed(notices.by)
        yield f"Of overdue invoices: {whom}, {days} days after the due date, by {ways}."
    else:
        yield "Nobody is told of overdue invoices; the deal is flagged."
    if notices.summary.to:
        managers = _listed(notices.summary.to)
        yield f"A summary of what is overdue, each {notices.summary.every}: {managers}."
    operator = notices.operator
    if operator.to or set(operator.by) - {"email"}:
        to = f" ({_listed(operator.to)})" if operator.to else ""
        yield f"When the sync itself is broken: by {_listed(operator.by)}{to}, once a day."
    else:
        yield "Nobody is told when the sync itself is broken (notices.operator)."
    yield (
        "A monitor is told of each batch."
        if operator.heartbeat
        else "No monitor watches over it (notices.operator.heartbeat)."
    )


def _chosen(value: str | None, rule: Any) -> str:
    """What a rule says, or the field that says it, and when."""
    allowed = f"as the field {rule.from_field} says (of {_listed(rule.allowed)})"
    return f"{value or allowed}{_when(rule.when)}"


def _when(when: BaseModel) -> str:
    """The conditions of a rule: ", where pipelines is Web shop and total below is 500"."""
    given = when.model_dump(exclude_defaults=True)
    parts = [f"{name.replace('_', ' ')} is {_value(value)}" for name, value in given.items()]
    return f", where {' and '.join(parts)}" if parts else ""


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_value(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return " or ".join(str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _plain(value) if isinstance(value, Decimal) else str(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(str(name) for name in names)


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _side(owner: str) -> str:
    return "CRM" if owner == "crm" else owner
