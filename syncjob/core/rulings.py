"""Which rule decided a write, in the words of the config: for the audit, `why` and `history`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncjob.core.actions import Action

#: Who decides where the write itself names nobody: keys of the config, or a rule that has none.
_BY_KIND = {
    "contact.create": "new customers of won deals",
    "contact.update": "contacts.owners",
    "contact.mark": "a link bears our key on one side",
    "crm_contact.create": "contacts.create_in_crm",
    "invoice.create": "won deals (invoices.when, invoices.won_since)",
    "invoice.update": "an untouched draft follows its deal",
    "invoice.approve": "invoices.status",
    "invoice.delete": "an untouched draft that its deal no longer wants",
    "deal.update": "crm.fields",
    "task.create": "notices",
    "message.send": "notices",
    "note.create": "crm.timeline",
    "template.create": "invoices.recurring",
    "template.delete": "a person (syncjob cancel)",
    "credit.create": "a person (syncjob credit)",
    "invoice.email": "invoices.email",
}

#: The field of a deal's write that is its stage.
STAGE = "stage"


def rule_of(action: Action, field: str) -> str:
    """The rule that decided this field of the write: the one it names, else that of its kind."""
    named = action.rules.get(field) or action.rules.get("")
    if named is None and field == STAGE and action.kind == "deal.update":
        return "crm.moves"
    return named or _BY_KIND[action.kind]


def rules_of(action: Action, fields: Iterable[str]) -> Mapping[str, str] | str:
    """The rule of each of these fields; one for all where the write names none for one alone."""
    fields = tuple(fields)
    if STAGE not in fields and not any(action.rules):
        return rule_of(action, "")
    return {field: rule_of(action, field) for field in fields}
