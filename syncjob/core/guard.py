"""The check that a plan is not absurdly large; a tripped guard writes nothing.

Keeps invariant 12 (small blast radius). A fold over the plan's actions: it needs no state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from syncjob.core.actions import Action, ContactChange, DealChange
from syncjob.core.policy import Guard

#: The first days in which a batch may create less: `Guard.creates_first_week`.
FIRST_WEEK_DAYS = 7
#: A batch may always take back this many of its own drafts; more looks like a mistake.
DELETES_MAX = 5
#: One deal field emptied on more deals than this looks like a lost mapping.
BLANKED_MAX = 10
#: Updates may also reach this share of what is linked, so that a large firm is not stopped daily.
UPDATES_SHARE = 5  # one in five


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan is measured against."""

    first_week: bool
    linked: int
    mapping_changed: bool = False
    side_empty: str | None = None
    replaced: int = 0  # customers' values that the first run of contact sync would overwrite


class Tally:
    """What the guard counts, as the parts of a plan go by. All of a subject stands in one part."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.alone: Counter[str] = Counter()  # of those that may follow an invoice of this plan
        self.blanked: Counter[str] = Counter()  # by field

    def add(self, actions: Sequence[Action]) -> None:
        """Count one part."""
        self.kinds.update(action.kind for action in actions)
        for kind in _FOLLOWING:
            self.alone[kind] += _following_nothing(actions, kind)
        self.blanked.update(_blanked(actions))


def verdict(actions: Sequence[Action], guard: Guard, scale: Scale) -> list[str]:
    """One sentence for each limit that the plan exceeds; none: it may go ahead."""
    tally = Tally()
    tally.add(actions)
    return verdict_of(tally, guard, scale)


def verdict_of(tally: Tally, guard: Guard, scale: Scale) -> list[str]:
    """The same of a plan that was counted part by part."""
    limits = _limits(tally, guard, scale)
    found = [f"{count} {words} {limit}." for count, limit, words in limits if count > limit]
    found += [
        f"The field {field!r} would be emptied on {count} records; the limit is {BLANKED_MAX}."
        for field, count in sorted(tally.blanked.items())
        if count > BLANKED_MAX
    ]
    if tally.kinds and scale.mapping_changed:
        found.append("The config's rules or field names have changed since the last batch.")
    if scale.replaced:
        found.append(
            f"Contact sync runs for the first time with this state, and {scale.replaced} values "
            "that differ would be overwritten with those of their owners; what is empty is filled "
            "in any case, and `contacts.update: blanks` does no more than that."
        )
    if tally.kinds and scale.side_empty:
        found.append(f"The {scale.side_empty} suddenly shows no records at all.")
    return found


#: Writes that count for themselves unless they follow an invoice that the same plan creates.
_FOLLOWING = ("invoice.approve", "deal.update", "note.create")


def _limits(tally: Tally, guard: Guard, scale: Scale) -> list[tuple[int, int, str]]:
    """(how many there are, how many may be, in words) of each kind of write that is counted."""
    counts, alone = tally.kinds, tally.alone
    creates = guard.creates_first_week if scale.first_week else guard.creates
    week = " in the first week" if scale.first_week else ""
    updates = max(guard.updates, scale.linked // UPDATES_SHARE)
    return [
        (counts["invoice.create"], creates, f"invoices would be created; the limit{week} is"),
        (
            counts["template.create"],
            creates,
            f"repeating invoices would be created; the limit{week} is",
        ),
        (counts["invoice.email"], creates, f"invoices would be e-mailed; the limit{week} is"),
        (counts["contact.create"], creates, f"contacts would be created; the limit{week} is"),
        (
            counts["crm_contact.create"],
            creates,
            f"CRM records would be created; the limit{week} is",
        ),
        (counts["contact.update"], updates, "contacts would be changed; the limit is"),
        (
            alone["invoice.approve"],
            creates,
            f"drafts of earlier batches would be approved; the limit{week} is",
        ),
        (counts["invoice.update"], updates, "drafts would be changed; the limit is"),
        (counts["invoice.delete"], DELETES_MAX, "drafts would be deleted; the limit is"),
        (alone["deal.update"], updates, "deals would be changed; the limit is"),
        (alone["note.create"], updates, "notes would be written; the limit is"),
    ]


def _following_nothing(actions: Sequence[Action], kind: str) -> int:
    """How many of this kind do not merely follow an invoice created by this plan."""
    new = [action for action in actions if action.kind == "invoice.create"]
    made = {name for action in new for name in (action.subject, action.target)}
    same = [action for action in actions if action.kind == kind and not _counts_days(action)]
    # The target names the invoice: an earlier part of the same deal follows no new one.
    ours = (a.target if kind == "invoice.approve" else a.subject for a in same)
    return sum(1 for name in ours if name not in made)


def _counts_days(action: Action) -> bool:
    """Whether it only says that a debt is a day older: as many as there are debts, each day."""
    return isinstance(action.payload, DealChange) and action.payload.counts_days


def _blanked(actions: Sequence[Action]) -> Counter[str]:
    blanked: Counter[str] = Counter()
    for action in actions:
        payload = action.payload
        if isinstance(payload, DealChange | ContactChange):
            new = payload.fields if isinstance(payload, DealChange) else payload.values
            passing = payload.passing if isinstance(payload, DealChange) else ()
            blanked.update(
                f for f, v in new.items() if not v and f not in passing and action.before.get(f)
            )
    return blanked
