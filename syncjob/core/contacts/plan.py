"""What one customer needs now, on both sides: link, fill, change, create, or why nothing.

`decide_contact` is asked before the first write and before each wave, as `decide` is for deals.
Nothing is ever deleted or archived by us, a deleted contact is not made again, and nobody's name
is changed to make room (BOOKKEEPING, "Whose customer"). Keeps invariants 6, 7 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from syncjob.core.actions import Action, ContactChange, Issue, MarkerChange, Wave
from syncjob.core.actions import Payload as AnyPayload
from syncjob.core.contacts.case import (
    ContactCase,
    ContactContext,
    ContactDecision,
    Take,
    crm_values,
    digest,
    free_name,
    holders,
)
from syncjob.core.contacts.create import missing_person, new_in_crm, new_in_ledger
from syncjob.core.contacts.fields import FIELDS, PARTS, Values, values_of
from syncjob.core.contacts.losses import LASTING, kept, replaced
from syncjob.core.contacts.merge import Field, Merged, merge
from syncjob.core.contacts.words import (
    archived,
    deleted_in_crm,
    differing,
    merged_in_ledger,
    not_cleared,
    supplier_held,
)
from syncjob.core.identity import fingerprint
from syncjob.core.markers import contact_marker, contact_of_marker, crm_marker
from syncjob.core.records import Contact, Side
from syncjob.errors import Held


class _Draft(msgspec.Struct):
    """The decision while it is being made."""

    case: ContactCase
    context: ContactContext
    actions: list[Action]
    issues: list[Issue]
    story: list[str]

    def add(
        self, side: Side, wave: Wave, target: str, payload: AnyPayload, reason: str,
        before: Values | None = None, record: Contact | None = None,
        rules: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        """One write, unless the vendor refused exactly this before."""
        action = Action(
            side=side, wave=wave, subject=self.case.subject, target=target, payload=payload,
            reason=reason, before=before or {}, rules=rules or {},
        )  # fmt: skip
        refused = self.case.parked.get(target)
        known = fingerprint(action, self.context.reference_hash, record)
        if refused and refused[0] == known:
            self.issues.append(msgspec.structs.replace(refused[1], subject=self.case.subject))
        else:
            self.actions.append(action)

    def done(self, **more: object) -> ContactDecision:
        made = ContactDecision(
            subject=self.case.subject, actions=tuple(self.actions), issues=tuple(self.issues),
            story=tuple(self.story),
        )  # fmt: skip
        return msgspec.structs.replace(made, **more)


def decide_contact(case: ContactCase, context: ContactContext) -> ContactDecision:
    """All writes for this customer in order, and what a person must look at."""
    draft = _Draft(case, context, [], [], [])
    if case.busy:
        return draft.done(waits="the outcome of the last write is still being found out")
    if case.ended:
        draft.story.append(case.ended)
        return draft.done()
    try:
        if case.crm is None:
            return _alone_in_ledger(draft)
        return _linked(draft) if case.linked else _alone_in_crm(draft)
    except Held as held:
        draft.issues.append(_issue(case, held))
        return draft.done()


# --- without a partner ---------------------------------------------------------------------------


def _alone_in_ledger(draft: _Draft) -> ContactDecision:
    case, context = draft.case, draft.context
    found = new_in_crm(case, context)
    if isinstance(found, str):
        draft.story.append(found)
        return draft.done()
    if context.wait:
        return draft.done(waits=context.wait)
    assert case.ledger is not None
    draft.add(
        "crm", Wave.CRM_CONTACTS, f"contact:{found.marker}", found,
        "no record of the CRM is this customer", record=case.ledger,
    )  # fmt: skip
    _person(draft)
    return draft.done()


def _alone_in_crm(draft: _Draft) -> ContactDecision:
    case, context = draft.case, draft.context
    assert case.crm is not None
    if case.crm.deleted or case.staff:
        draft.story.append("it is deleted" if case.crm.deleted else "it is a user of the CRM")
        return draft.done()
    try:
        found = new_in_ledger(case, context)
    except Held as held:
        if not case.crosses:  # only what is to cross is worth a person's time
            draft.story.append(held.what)
            return draft.done()
        raise
    if isinstance(found, Contact):
        return _link(draft, found)
    if not case.crosses:
        draft.story.append("the config does not let it cross (contacts.which)")
        return draft.done()
    if context.wait:
        return draft.done(waits=context.wait)
    draft.add(
        "ledger", Wave.LEDGER_CONTACTS, f"contact:{found.marker}", found,
        "no contact of the ledger is this customer",
    )  # fmt: skip
    return draft.done()


def _link(draft: _Draft, found: Contact) -> ContactDecision:
    """Two records that are one customer: linked, and merged as if they had been before."""
    case = msgspec.structs.replace(draft.case, ledger=found, linked=True)
    made = decide_contact(case, draft.context)
    return msgspec.structs.replace(made, link=found.id)


# --- linked --------------------------------------------------------------------------------------


def _linked(draft: _Draft) -> ContactDecision:
    case, context = draft.case, draft.context
    crm, ledger = case.crm, case.ledger
    assert crm is not None
    if ledger is None:
        draft.story.append("its ledger contact has not been read yet")
        return draft.done()
    if ledger.forgotten:
        return draft.done(forget=True)
    if crm.deleted:
        return _deleted_in_crm(draft, crm, ledger)
    if case.rival:
        draft.issues.append(merged_in_ledger(crm, ledger, case.rival, case.subject))
        return draft.done()
    if ledger.is_supplier and not ledger.is_customer and not context.policy.suppliers:
        draft.story.append("it has bills and no sales in the ledger (contacts.suppliers)")
        return draft.done()
    return _merge(draft, crm, ledger)


def _deleted_in_crm(draft: _Draft, crm: Contact, ledger: Contact) -> ContactDecision:
    """Follow a merge if everything of the deleted one has moved to one other; else tell."""
    survivors = dict(draft.case.survivors)
    if len(survivors) == 1:
        heir, other = next(iter(survivors.items()))
        if other is None:
            draft.story.append(f"it was merged into {heir} in the CRM")
            return draft.done(follow=heir)
        if other == ledger.id:
            draft.story.append(f"it was merged into {heir} on both sides")
            return draft.done(follow=None if draft.case.rival else heir)
    draft.issues.append(deleted_in_crm(crm, ledger, survivors, draft.case.subject))
    return draft.done()


def _merge(draft: _Draft, crm: Contact, ledger: Contact) -> ContactDecision:
    case, context = draft.case, draft.context
    fields, merged = _fields(case, context), _merged(case, context)
    agreed = {
        f: (m.crm, m.ledger)
        for f, m in merged.items()
        if m.verdict == "agree" and case.base.get(f) != (m.crm, m.ledger)
    }
    open_fields = [fields[f] for f, m in merged.items() if m.verdict in ("differs", "conflict")]
    conflict = any(m.verdict == "conflict" for m in merged.values())
    to_ledger, to_crm = _writes(case, context, merged)
    if ledger.archived:
        if to_ledger or to_crm:
            draft.issues.append(archived(crm, ledger, (*to_ledger, *to_crm), case.subject))
        return draft.done(agreed=agreed)
    if open_fields:
        draft.issues.append(
            differing(open_fields, crm, ledger, case.subject, conflict=conflict,
                      full=context.policy.update == "owners")
        )  # fmt: skip
    if to_ledger and ledger.is_supplier and not context.policy.suppliers:
        draft.issues.append(supplier_held(crm, ledger, tuple(to_ledger), case.subject))
        to_ledger = {}
    stay = kept(fields, merged)
    if stay:
        draft.issues.append(not_cleared(crm, ledger, stay, case.subject))
    _write_ledger(draft, ledger, to_ledger)
    _write_crm(draft, to_crm)
    if not context.wait:
        _person(draft)
    _mark(draft, crm, ledger)
    answered = {f for f in fields if _answer(case, fields[f])}
    late = context.wait and not draft.actions and missing_person(case, context) is not None
    return draft.done(
        agreed=agreed, waits=context.wait if late else None,
        replaced=replaced(fields, (to_ledger, to_crm), answered),
    )  # fmt: skip


def _fields(case: ContactCase, context: ContactContext) -> dict[str, Field]:
    """Each field that both sides can hold, with what they say and what they agreed on."""
    assert case.ledger is not None
    crm, ledger = crm_values(case, context), values_of(case.ledger)
    found, held = {}, holders(case, context)
    for name in (f for f in FIELDS if f in crm):
        known = case.base.get(name)
        crm_base, ledger_base = known or (None, None)
        found[name] = Field(
            name=name, crm=crm[name], ledger=ledger[name], known=known is not None,
            crm_base=crm_base, ledger_base=ledger_base,
            room=context.room.get(held[name].kind, {}).get(name),
        )  # fmt: skip
    return found


def _merged(case: ContactCase, context: ContactContext) -> dict[str, Merged]:
    owners, full = context.policy.owners.by_field(), context.policy.update == "owners"
    return {
        name: merge(field, owners[name], full=full, country=context.country,
                    take=_answer(case, field))
        for name, field in _fields(case, context).items()
    }  # fmt: skip


def _answer(case: ContactCase, field: Field) -> Take | None:
    """A person's word on this field, if it was given for these very values."""
    take, given_for = case.answers.get(field.name, (None, ""))
    if take in get_args(Take) and given_for == digest(field.crm, field.ledger):
        return take
    return None


def _writes(
    case: ContactCase, context: ContactContext, merged: Mapping[str, Merged]
) -> tuple[Values, Values]:
    """The new values of the ledger and of the CRM, without what cannot be cleared."""
    now = _fields(case, context)
    to_ledger: Values = {}
    to_crm: Values = {}
    for name, wish in merged.items():
        if wish.verdict != "write":
            continue
        if wish.ledger != now[name].ledger and (wish.ledger or name not in LASTING["ledger"]):
            to_ledger[name] = wish.ledger
        if wish.crm != now[name].crm and (wish.crm or name not in LASTING["crm"]):
            to_crm[name] = wish.crm
    if "name" in to_ledger:
        _own_name(case, context, to_ledger)
    if "name" in to_ledger and case.crm is not None and case.crm.kind == "person":
        parts, held = values_of(case.crm), context.fields.get("contact", frozenset())
        to_ledger |= {part: parts[part] for part in sorted(PARTS & held) if parts[part]}
    return to_ledger, to_crm


def _own_name(case: ContactCase, context: ContactContext, to_ledger: Values) -> None:
    """A name that another contact bears is written with the config's suffix; one that the ledger
    has in that form already is not written."""
    assert case.ledger is not None
    name = free_name(case, context.policy)
    if name is None or name == case.ledger.name:
        del to_ledger["name"]
    else:
        to_ledger["name"] = name


def _write_ledger(draft: _Draft, ledger: Contact, values: Values) -> None:
    if not values:
        return
    said = crm_values(draft.case, draft.context)
    now, follows = values_of(ledger), {f: said[f] for f in values if f in said}
    draft.add(
        "ledger", Wave.LEDGER_CONTACTS, f"contact:{ledger.id}",
        ContactChange(contact_id=ledger.id, values=values, follows=follows),
        "the CRM says so", {f: now[f] for f in values}, ledger, _rules(draft, values, now),
    )  # fmt: skip


def _write_crm(draft: _Draft, values: Values) -> None:
    """One change for each CRM record that holds some of these fields."""
    case = draft.case
    assert case.ledger is not None
    holding, said = holders(case, draft.context), values_of(case.ledger)
    records = {holding[field].id: holding[field] for field in values}
    for record in records.values():
        mine = {f: v for f, v in values.items() if holding[f].id == record.id}
        now = values_of(record)
        draft.add(
            "crm", Wave.CRM_CONTACTS, f"contact:{record.id}",
            ContactChange(contact_id=record.id, values=mine, follows={f: said[f] for f in mine}),
            "the ledger says so", {f: now[f] for f in mine}, record, _rules(draft, mine, now),
        )  # fmt: skip


def _rules(draft: _Draft, values: Values, now: Values) -> dict[str, str]:
    """Which rule decided each field: a person's word, that it was empty, or the field's owner."""
    owners, fields = draft.context.policy.owners.by_field(), _fields(draft.case, draft.context)
    found = {}
    for field in values:
        asked = field in fields and _answer(draft.case, fields[field]) is not None
        said = "a person's word" if asked else f"contacts.owners: {owners.get(field, 'the name')}"
        found[field] = said if asked or now.get(field) else "an empty field is filled"
    return found


def _person(draft: _Draft) -> None:
    """The main person that the ledger names, where the organization has nobody."""
    found = missing_person(draft.case, draft.context)
    if found is not None:
        draft.add(
            "crm", Wave.CRM_PEOPLE, f"contact:{found.marker}", found,
            "the ledger names a person and the CRM has none", record=draft.case.ledger,
        )  # fmt: skip


def _mark(draft: _Draft, crm: Contact, ledger: Contact) -> None:
    """A link leaves one marker, so that a lost state finds it again: in the ledger if that is
    free, else in the CRM."""
    code, case = draft.context.code, draft.case
    mine, in_crm = contact_marker(code, crm.id), crm_marker(code, ledger.id)
    ours = contact_of_marker(code, ledger.marker) is not None
    if case.marked or ledger.marker == mine or crm.marker == in_crm:
        return
    none: Values = {"marker": None}
    if ledger.marker is None:
        change = MarkerChange(contact_id=ledger.id, marker=mine)
        why = "so that the link is never lost"
        draft.add("ledger", Wave.LEDGER_CONTACTS, f"mark:{ledger.id}", change, why, none, ledger)
    elif crm.marker is None and not ours:
        change = MarkerChange(contact_id=crm.id, marker=in_crm)
        why = "the ledger contact bears another program's number"
        draft.add("crm", Wave.CRM_CONTACTS, f"mark:{crm.id}", change, why, none, crm)


def _issue(case: ContactCase, held: Held) -> Issue:
    record = case.crm or case.ledger
    return Issue(
        code=held.code, subject=case.subject, what=held.what, next_step=held.next_step,
        field=held.field, page=record.page if record else None, state="note",
    )  # fmt: skip
