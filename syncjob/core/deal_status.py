"""What the deal's own fields should say, and the one write that makes them say it.

Keeps invariants 6 (a field is written only if the wish is new or somebody changed it) and 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from syncjob.core.actions import Action, DealChange, Issue, Move, Wave
from syncjob.core.case import Case, Context
from syncjob.core.records import Invoice
from syncjob.core.rules.moves import REFUSED, move_of, reached
from syncjob.core.rules.settlement import deal_values


def deal_change(
    case: Case,
    context: Context,
    invoices: Sequence[Invoice],
    issue: Issue | None,
    to_come: str | None = None,
) -> tuple[Action | Issue | None, Issue | None]:
    """The write that makes the deal's own fields true; None if they are; an issue if the deal
    can no longer be written to. `issue` is why the deal is held or in doubt, `to_come` which
    invoice of its schedule is made next. Second, an issue about a move that was refused."""
    if (
        not invoices
        and not to_come
        and (issue is None or issue.state == "excluded")
        and not case.deal_base
    ):
        return None, None
    values = deal_values(
        invoices, issue, context.today, context.overdue, context.stamp, to_come=to_come,
        credit_notes=case.credit_notes, bad_debt_accounts=context.policy.bad_debt_accounts,
    )  # fmt: skip
    values["online"] = _page_of(case, invoices)
    names = context.fields.names()
    wanted = {names[key]: value for key, value in values.items() if key in names}
    changed = _changed(case, invoices, names, wanted)
    move, unmoved = _move(case, context, values, names)
    if not changed or context.mode == "read_only":
        return None, unmoved
    synced = names.get("synced")
    change = DealChange(
        deal_id=case.deal.id, fields=changed, stamp_field=synced, move=move,
        currency=invoices[0].currency if invoices else None, days_field=names.get("overdue_days"),
        passing=tuple(names[key] for key in _PASSING if key in names),
    )  # fmt: skip
    if case.deal.archived or case.deal.status == "deleted":
        quiet = "never" in case.answers or change.counts_days
        return None if quiet else _cannot_write(case, changed), unmoved
    if synced in wanted:
        changed[synced] = wanted[synced]
    before = {name: case.deal.fields.get(name) for name in changed}
    action = Action(
        side="crm", wave=Wave.DEAL_STATUS, subject=case.subject, target=case.subject,
        payload=change, reason=f"the invoice is: {values.get('status')}",
        before=before | (_stage_before(case, context) if move else {}),
    )  # fmt: skip
    return action, unmoved


#: Fields that are empty unless somebody owes, so that they are emptied whenever somebody pays.
_PASSING = ("overdue_days", "overdue_amount", "part_paid_since", "reason")


def _changed(
    case: Case,
    invoices: Sequence[Invoice],
    names: Mapping[str, str],
    wanted: Mapping[str, str | None],
) -> dict[str, str | None]:
    """The fields that do not say what they should, but for the stamp."""
    changed = {
        name: value
        for name, value in wanted.items()
        if name != names.get("synced") and _differs(case, name, value)
    }
    for name in (names.get("number"), names.get("link")):
        if name in changed and wanted[name] is None and not _ours(case, name, invoices):
            del changed[name]  # a person named an invoice here; it is what holds the deal
    return changed


def _move(
    case: Case, context: Context, values: Mapping[str, str | None], names: Mapping[str, str]
) -> tuple[Move | None, Issue | None]:
    """The stage that the deal goes to with this write, by what its fields said last."""
    if not context.moves:
        return None, None
    known = case.deal_base.get(REFUSED)
    said = {
        key: case.deal_base[name].wanted if name in case.deal_base else case.deal.fields.get(name)
        for key, name in names.items()
        if key in ("status", "overdue")
    }
    state = reached(values, said)
    return move_of(case.deal, context.moves, state, context.crm, known.wanted if known else None)


def _stage_before(case: Case, context: Context) -> dict[str, str | None]:
    stages = {id: name for pipeline in context.crm.pipelines for id, name in pipeline.stages}
    return {"stage": stages.get(case.deal.stage_id or ""), "stage_id": case.deal.stage_id}


def _page_of(case: Case, invoices: Sequence[Invoice]) -> str | None:
    """The customer's own page of the invoice whose money is expected next, as far as it is read;
    of several, the first that still asks for money."""
    pages = {i.id: case.after.online[i.id] for i in invoices if case.after.online.get(i.id)}
    asking = [i for i in invoices if i.id in pages and i.status == "authorised"]
    first = min(asking, key=lambda i: i.due_date or date.max, default=None)
    return pages[first.id] if first else next(iter(pages.values()), None)


def _ours(case: Case, name: str, invoices: Sequence[Invoice]) -> bool:
    """Whether we wrote what the field says: this state remembers it, or a lost one must have,
    since it names these very invoices, or those of the deal that ended."""
    if name in case.deal_base:
        return True
    every = [*invoices, *(part.last for part in case.parts if part.last is not None)]
    known = {text for invoice in every for text in (invoice.number, invoice.page) if text}
    return known.issuperset((case.deal.fields.get(name) or "").split(", "))


def _differs(case: Case, name: str, value: str | None) -> bool:
    """Whether the deal's field must be written: the wish is new, or somebody changed the field."""
    current, agreed = case.deal.fields.get(name), case.deal_base.get(name)
    if agreed is None:
        return current != value and not _same(current, value)
    if agreed.wanted != value and not _same(agreed.wanted, value):
        return True
    return agreed.stored != current and not _same(agreed.stored, current)


def _same(one: str | None, other: str | None) -> bool:
    """Equal as texts or as numbers; an empty field is no value."""
    one, other = one or None, other or None
    if one == other or one is None or other is None:
        return one == other
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _cannot_write(case: Case, changed: dict[str, str | None]) -> Issue:
    how = "archived" if case.deal.archived else "deleted"
    return Issue(
        code=f"deal_{how}", subject=case.subject, page=case.deal.page, state="note",
        what=f"The deal is {how}, so {', '.join(sorted(changed))} cannot be brought up to date.",
        next_step="Restore the deal in the CRM if its owner still needs the figures; else "
        f"`syncjob resolve deal {case.deal.id} --never` leaves it alone.",
    )  # fmt: skip
