"""Which writes of a plan file are still what a person was shown, and what became of the others.

Pure: the plan of the file and the plan that the rules make now go in, a fate for each write of the
file comes out. What the file does not hold is never among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from syncjob.core.actions import Action, Issue
from syncjob.core.comparing import Days, Difference, Ours, compare, key_of, new_dates
from syncjob.core.reports import BatchReport, Origin
from syncjob.errors import Exit

#: What became of one write of the file. "same" is one that may be sent, before it is; "done" was
#: sent and stored now, "already" before by another batch. "changed": it would now be another one;
#: "over": nothing is to be written any more, or the rules now hold it; "follows": what it rests on
#: was not written. "waits": nobody changed it, a later batch or another try does it. "refused" by
#: the vendor; "unknown": the answer is lost and looked up by the next batch.
Fate = Literal[
    "same", "done", "already", "changed", "over", "follows", "waits", "refused", "unknown"
]
#: The fates of what changed since a person saw it: each is an issue of its own code.
SKIPPED: dict[Fate, str] = {
    "changed": "plan_changed", "over": "plan_over", "follows": "plan_follows",
}  # fmt: skip
#: A file is used up when each of its writes has one of these.
FINAL: tuple[Fate, ...] = ("done", "already", "changed", "over", "follows", "refused")
#: How many differences an issue names.
NAMED_MAX = 4
#: What each kind of write is called in an issue.
_NAMES = {
    "contact.create": "a new customer", "contact.update": "a customer's fields",
    "contact.mark": "our marker on a contact", "crm_contact.create": "a new contact in the CRM",
    "invoice.create": "a new draft", "invoice.update": "a changed draft",
    "invoice.delete": "a draft taken back", "invoice.approve": "an approval",
    "invoice.email": "an e-mail of the ledger", "template.create": "a new repeating invoice",
    "template.delete": "a repeating invoice taken back", "credit.create": "a credit note",
    "deal.update": "the deal's fields", "note.create": "a note", "task.create": "a task",
    "message.send": "a message",
}  # fmt: skip


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write of the file: what became of it, why, what differs, and which dates moved."""

    action: Action
    fate: Fate
    why: str = ""
    differences: tuple[Difference, ...] = ()
    moved: tuple[Difference, ...] = ()


class AppliedReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What applying a plan file did: the batch, and the fate of each write of the file.

    `left` counts what the rules want besides and the file does not hold: the next batch's.
    """

    batch: BatchReport
    plan: str
    origin: Origin
    items: tuple[Item, ...] = ()
    counts: dict[str, int] = {}  # by fate
    left: int = 0
    titles: dict[str, str] = {}

    @property
    def to_do(self) -> int:
        """How many writes of the file are still to be done: it can be applied again for them."""
        return sum(self.counts.get(fate, 0) for fate in ("waits", "unknown"))

    @property
    def exit_code(self) -> int:
        """The batch's, but that a plan of which something is left to do is not done."""
        done = self.batch.exit_code == Exit.DONE
        return int(Exit.ISSUES) if done and self.to_do else self.batch.exit_code


class Fresh(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say now: the writes, and by subject why there is none."""

    actions: Sequence[Action]
    waits: Mapping[str, str]
    issues: Sequence[Issue]
    stories: Mapping[str, Sequence[str]]
    days: Days


def judge(
    planned: Iterable[Action], fresh: Fresh, done: Collection[tuple[str, ...]], ours: Ours
) -> tuple[list[Item], dict[str, dict[str, str]]]:
    """The fate of each write of the file before any is sent, and by subject the dates that move.

    `done` names (`key_of`) what other batches have written since just as planned.
    """
    listed = list(planned)
    now = {key_of(action): action for action in fresh.actions}
    moved: dict[str, dict[str, str]] = {}
    for action in listed:
        other = now.get(key_of(action))
        if other is not None:
            dates = new_dates(action, other, fresh.days)
            moved.setdefault(action.subject, {}).update(dates)
    items = []
    for action in listed:
        other = now.get(key_of(action))
        if other is None:
            items.append(_absent(action, fresh, done))
            continue
        changed, calendar = compare(action, other, fresh.days, moved.get(action.subject, {}), ours)
        fate: Fate = "changed" if changed else "same"
        items.append(
            Item(action=action, fate=fate, differences=tuple(changed), moved=tuple(calendar))
        )
    return items, moved


def _absent(action: Action, fresh: Fresh, done: Collection[tuple[str, ...]]) -> Item:
    """Nothing of the kind is to be written now: done before, waiting, or not wanted any more."""
    if key_of(action) in done:
        return Item(action=action, fate="already")
    waits = fresh.waits.get(action.subject)
    if waits is not None:
        return Item(action=action, fate="waits", why=waits)
    return Item(action=action, fate="over", why=_why_over(action, fresh))


def _why_over(action: Action, fresh: Fresh) -> str:
    instead = [a.kind for a in fresh.actions if (a.side, a.target) == (action.side, action.target)]
    if instead:
        return f"now it would be: {instead[0]}"
    held = [i.what for i in fresh.issues if i.subject == action.subject]
    if held:
        return held[0].rstrip(".")
    story = fresh.stories.get(action.subject)
    return story[0].rstrip(".") if story else "there is nothing to do for it any more"


def to_send(items: Iterable[Item], fresh: Sequence[Action]) -> list[Action]:
    """The writes as they are decided now of all that are still what was shown, in their order."""
    wanted = {key_of(item.action) for item in items if item.fate == "same"}
    return [action for action in fresh if key_of(action) in wanted]


def beside(planned: Iterable[Action], fresh: Iterable[Action]) -> int:
    """How many writes the rules want that the file does not hold."""
    known = {key_of(action) for action in planned}
    return sum(1 for action in fresh if key_of(action) not in known)


def skipped_issues(items: Iterable[Item], pages: Mapping[str, str | None]) -> list[Issue]:
    """One issue a record for what changed since a person saw the plan: its code and words are those
    of its first write that was skipped, for the others follow from that."""
    found: dict[str, list[Item]] = {}
    for item in items:
        # A digest and a summary have no record whose next decision would close their issue.
        if item.fate in SKIPPED and item.action.subject.startswith(("deal:", "contact:")):
            found.setdefault(item.action.subject, []).append(item)
    return [
        Issue(
            code=SKIPPED[same[0].fate], subject=subject, state="note", page=pages.get(subject),
            what=_what(same),
            next_step="Look at it with `syncjob plan`; the next batch does what is right by then.",
        )
        for subject, same in found.items()
    ]  # fmt: skip


def _what(items: Sequence[Item]) -> str:
    """What of a record was not done, and why; then what was not done with it."""
    first = items[0]
    alike = [i for i in items if (i.fate, i.why, i.differences) == (first.fate, first.why, ())]
    lead = alike or [first]
    text = f"Not done, though planned ({_listed(lead)}){_because(first)}."
    rest = [item for item in items if item not in lead]
    return f"{text} Nor what goes with it ({_listed(rest)})." if rest else text


def _listed(items: Sequence[Item]) -> str:
    return ", ".join(dict.fromkeys(_NAMES.get(i.action.kind, i.action.kind) for i in items))


def _because(item: Item) -> str:
    if item.fate == "follows":
        return ": what it follows was not done"
    if item.fate == "over":
        return f": {item.why}"
    said = [_said(found) for found in item.differences[:NAMED_MAX]]
    rest = len(item.differences) - len(said)
    more = f"; and {rest} more" if rest > 0 else ""
    return f", because it changed: {'; '.join(said)}{more}"


def _said(found: Difference) -> str:
    """One difference in words: before, as planned, and now."""
    if found.stood:
        return (
            f"{found.name} was {_shown(found.before)} and is {_shown(found.now_before)} now "
            f"(planned: {_shown(found.after)})"
        )
    before = "" if found.before is None else f"{_shown(found.before)} -> "
    return f"{found.name} {before}{_shown(found.after)} would now be {_shown(found.now_after)}"


def _shown(value: str | None) -> str:
    return "empty" if value in (None, "") else f'"{value}"'


def ended(
    items: Iterable[Item], states: Mapping[tuple[str, ...], str], parked: Collection[str],
    other: Mapping[tuple[str, ...], tuple[Difference, ...]], *, whole: bool,
) -> list[Item]:  # fmt: skip
    """The fates once the sending is over: `states` of the batch's intents by `key_of`, the targets
    that were refused unsent, what the vendors' answers made another write (`other`), and whether
    the batch came to its end unhindered (`whole`)."""
    fates: dict[str, Fate] = {"done": "done", "failed": "refused", "void": "waits"}
    found = []
    for item in items:
        if item.fate == "same":
            key = key_of(item.action)
            if key in states:
                fate: Fate = fates.get(states[key], "unknown")
            elif key in other:
                fate = "changed"
                item = msgspec.structs.replace(item, differences=other[key])
            elif item.action.target in parked:
                fate = "refused"
            else:
                fate = "follows" if whole else "waits"
            item = msgspec.structs.replace(item, fate=fate)
        found.append(item)
    return found


def counted(items: Iterable[Item]) -> dict[str, int]:
    """How many writes met each fate."""
    return dict(Counter(item.fate for item in items))
