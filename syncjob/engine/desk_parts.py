"""Which invoice and which part of a deal a person means, and what becomes of both.

A part is named by its letter in the marker, by its name in the rule, or by the instalment's id or
description; what is written down is its key, which means the same tomorrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from syncjob.core.markers import WHOLE, free_part, invoice_marker
from syncjob.core.policy_schedules import ScheduleRule
from syncjob.core.records import DEAD, Deal, Invoice
from syncjob.core.rules.schedule import key_matches, key_of
from syncjob.core.rules.texts import one_line
from syncjob.engine.auditing import tie_invoice
from syncjob.engine.batch import Batch
from syncjob.errors import Park
from syncjob.state.database import State
from syncjob.state.links import Part

#: Between what is linked and its part, as an answer is written down.
_AS_PART = " --part "


class _Known(NamedTuple):
    """A part that a deal may have: its key, and the words that a person may call it by."""

    key: str
    names: tuple[str, ...]


def link_kind(
    state: State, subject: str, number: str, wanted: str | None, rules: Sequence[ScheduleRule]
) -> str:
    """How the answer "linked with NUMBER" is written down. Raises Park where the deal, its part or
    the invoice has a partner already, or is not known."""
    deal, links = subject.removeprefix("deal:"), state.links
    found = invoices_named(state, number)
    mine = [p for p in map(links.part_of_invoice, found) if p is not None and p.deal == deal]
    key = _key(state, deal, wanted, rules) if wanted else ""
    taken = links.live_key(deal, key) if key else _in_the_way(links.parts(deal))
    if taken is not None and taken not in mine:
        raise _taken(subject, taken, wanted)
    if key and mine:
        return f"link:{number}{_AS_PART}{key}"  # an invoice of this deal, of another part
    if all(links.part_of_invoice(i) is not None for i in found):
        what = "belongs to a deal already" if found else "is not among the invoices that were read"
        raise Park(
            f"The invoice {number} {what}.",
            where=number,
            next_step="Check the number in the ledger; `syncjob run` reads new invoices.",
        )
    return f"link:{number}{_AS_PART}{key}" if key else f"link:{number}"


def reissue_kind(state: State, subject: str, wanted: str | None) -> str:
    """How the answer "issue it anew" is written down: with the part, where one is named. Raises
    Park where nothing was ended."""
    parts = state.links.parts(subject.removeprefix("deal:"))
    if wanted is not None:
        parts = [part for part in parts if key_matches(part.key, part.part, wanted)]
    if not _ended(parts):
        of = f' for "{wanted}"' if wanted else ""
        has = f"still has its invoice{of}" if parts else f"never had an invoice{of}"
        raise Park(
            f"The deal {has}, so there is nothing to issue anew.",
            where=subject,
            next_step="Void or delete the invoice in the ledger first; `syncjob run` reads that.",
        )
    return f"reissue:{parts[-1].part}" if wanted is not None else "reissue"


def reissue(batch: Batch, deal: str, name: str) -> str:
    """Let the part be made anew, or all that have ended. What came of it, in words."""
    links = batch.state.links
    for ended in _ended(links.parts(deal)) if not name else [name]:
        links.allow_reissue(deal, ended)
    return "a new invoice may be made"


def link_invoice(batch: Batch, deal: str, words: str) -> str:
    """Tie an invoice that a person made to the deal, if both are free; it is named by its number
    or its id. What came of it, in words."""
    links, snapshots = batch.state.links, batch.state.snapshots
    number, _, key = words.partition(_AS_PART)
    snapshots.want([deal], "a person decided")
    found = invoices_named(batch.state, number)
    mine = [p for p in map(links.part_of_invoice, found) if p is not None and p.deal == deal]
    if key and mine and links.live_key(deal, key) in (None, mine[0]):
        links.name_part(mine[0].ledger_id, key)
        return f"{number} is the part {key}"
    found = [i for i in found if not links.part_of_invoice(i)]
    past = links.parts(deal)
    taken = links.live_key(deal, key) if key else _in_the_way(past)
    if not found or taken is not None:
        return f"{number} is not in the ledger or not free, or the deal has an invoice already"
    name = _name(past, key)
    generation = 1 + max((p.generation for p in past if p.part == name), default=0)
    marker = invoice_marker(batch.config.connection.code, deal, name, generation)
    part = Part(deal, name, generation, marker, found[0], None, "person", key)
    tie_invoice(batch, part)
    snapshots.index(found[0], {"invoice.loose": []})
    for record in (f"deal:{deal}", f"invoice:{found[0]}"):
        batch.state.matches.drop_of(record, ("invoice",))
    return f"linked with {number}"


def invoices_named(state: State, name: str) -> list[str]:
    """The sales invoices of this number, or the one of this id."""
    found = state.snapshots.get("ledger", "invoices", name, Invoice)
    if found is not None:
        return [found.id] if found.kind == "sale" and found.status not in DEAD else []
    return state.snapshots.find("invoice.number", name)


def _ended(parts: Sequence[Part]) -> list[str]:
    """The names of the parts that have had invoices and have none now."""
    live = {part.part for part in parts if part.ended is None}
    return list(dict.fromkeys(part.part for part in parts if part.part not in live))


def _in_the_way(parts: Sequence[Part]) -> Part | None:
    """The invoice beside which no other can be that of the whole deal."""
    return next((part for part in parts if part.ended is None), None)


def _taken(subject: str, taken: Part, wanted: str | None) -> Park:
    if wanted is None and taken.part != WHOLE:
        return Park(
            "The deal is invoiced in parts.",
            where=subject,
            next_step="Say which part the invoice is: --part with its name in the schedule, or "
            "the instalment's id.",
        )
    has = f'an invoice for "{wanted}"' if wanted else "an invoice"
    return Park(
        f"The deal has {has} already.",
        where=subject,
        next_step="Void or delete that one in the ledger first, or leave things as they are.",
    )


def _name(past: Sequence[Part], key: str) -> str:
    if not key:
        return WHOLE
    known = next((part.part for part in past if part.key == key), None)
    return known or free_part({part.part for part in past})


def _key(state: State, deal: str, wanted: str, rules: Sequence[ScheduleRule]) -> str:
    """The key of the part that a person names. Raises Park if none or several may be meant."""
    words = one_line(wanted).casefold()
    known = _parts_of(state, deal, rules)
    found = {part.key for part in known if words in (name.casefold() for name in part.names)}
    if len(found) == 1:
        return found.pop()
    listed = "; ".join(", ".join(part.names) for part in known) or "none"
    how = "is no part of" if not found else "may be several parts of"
    raise Park(
        f'"{wanted}" {how} the deal\'s schedule.',
        where=f"deal:{deal}",
        next_step=f"Name one of its parts: {listed}.",
    )


def _parts_of(state: State, deal: str, rules: Sequence[ScheduleRule]) -> list[_Known]:
    """The parts that the deal's instalments or the config's schedules give it, and those that it
    has had, each with what it may be called."""
    details = state.snapshots.get("crm", "details", deal, Deal)
    own = (details.instalments if details else None) or ()
    parts = [
        _Known(f"crm.{i.id}", tuple(filter(None, (i.id, one_line(i.description))))) for i in own
    ]
    if not own:
        parts = [
            _Known(key_of(rule, part), (part.name, f"{rule.name}/{part.name}"))
            for rule in rules
            for part in rule.parts
        ]
    had = {part.key: part.part for part in state.links.parts(deal) if part.key}
    parts = [_Known(key, (*names, had[key]) if key in had else names) for key, names in parts]
    listed = {part.key for part in parts}
    return [*parts, *(_Known(k, (name, k)) for k, name in had.items() if k not in listed)]
