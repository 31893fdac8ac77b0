"""An undo in words: what is put back, what stays and why, what nothing here can take back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncjob.core.contacts.words import NAMES, plain_text
from syncjob.core.undoing import Fate, Item, UndoReport

#: How long a value may be before it is cut.
_VALUE_MAX = 60
#: How many items of a kind are shown before the rest is counted (`--all` shows every one).
ITEMS_MAX = 20

#: What each kind of write is called where it cannot be undone.
_KINDS = {
    "contact.create": "contact created",
    "contact.mark": "our key written",
    "crm_contact.create": "CRM record created",
    "invoice.create": "draft created",
    "invoice.approve": "invoice approved",
    "invoice.update": "draft updated",
    "invoice.delete": "draft deleted",
    "deal.update": "invoice fields of the deal written",
    "task.create": "task created",
    "message.send": "message sent",
    "note.create": "note written",
    "template.create": "repeating invoice drafted",
    "template.delete": "repeating invoice deleted",
    "credit.create": "credit note drafted",
    "invoice.email": "invoice e-mailed",
    "field.create": "field created",
}
_HEADS: dict[Fate, str] = {
    "undo": "To be put back:",
    "open": "Not put back (yet):",
    "touched": "Stays as it is:",
    "cannot": "Cannot be undone here:",
}
#: The targets that bear a name which people can look for on the other side.
_NAMED = ("invoice", "contact", "template", "credit", "mail", "mark", "field")


def undo_sentence(report: UndoReport) -> str:
    """What it comes to, in one line."""
    if not report.items:
        return f"Batch {report.undoes} wrote nothing of this."
    one = report.count("undo") == 1
    verb = ("was" if one else "were") if report.written else "would be"
    parts = [f"{_values(report.count('undo'))} {verb} put back"]
    if report.count("open"):
        parts.append(f"{report.count('open')} not (yet)")
    if report.count("done"):
        parts.append(f"{report.count('done')} as before already")
    if report.count("touched"):
        parts.append(f"{report.count('touched')} changed since and left alone")
    if report.count("cannot"):
        parts.append(f"{report.count('cannot')} that cannot be undone")
    return f"Batch {report.undoes}: " + ", ".join(parts) + "."


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"


def undo_lines(report: UndoReport, *, every: bool = False) -> Iterator[str]:
    """Each item under its head; what is as before already is only counted. Of an undo that is
    done, only what was not confirmed: the rest was shown before."""
    for fate, head in _HEADS.items():
        items = [item for item in report.items if item.fate == fate]
        if items and (not report.written or fate == "open"):
            yield head
            yield from _listed(items, every)
    for words in report.guard if not report.written else ():
        yield f"The guard stops this: {words}"


def _listed(items: Sequence[Item], every: bool) -> Iterator[str]:
    shown = items if every else items[:ITEMS_MAX]
    for item in shown:
        yield f"  {_name(item)}{_what(item)}"
        if item.why:
            yield f"      {item.why}"
        if item.next_step:
            yield f"      next: {item.next_step}"
    if len(shown) < len(items):
        yield f"  ... and {len(items) - len(shown):,} more (--all shows them)."


def _name(item: Item) -> str:
    kind, _, name = item.subject.partition(":")
    where = "" if item.side in ("us", "people") else f" in the {_side(item)}"
    number = f"deal {name}" if kind == "deal" else name
    return f"{item.title} ({number}){where}: " if item.title else f"{number}{where}: "


def _side(item: Item) -> str:
    return "CRM" if item.side == "crm" else "ledger"


def _what(item: Item) -> str:
    if not item.field:
        kind, _, name = item.target.partition(":")
        words = _KINDS.get(item.after or "", item.after or "")
        return f"{words} ({name})" if kind in _NAMED else words
    if item.field == "link":
        return f"linked with {item.after}"
    name = NAMES.get(item.field, item.field)
    if item.fate in ("undo", "open"):
        return f"{name} {_text(item, item.now)} -> {_text(item, item.before)}"
    if item.fate == "touched":
        return f"{name} is {_text(item, item.now)}; the batch wrote {_text(item, item.after)}"
    return f"{name} {_text(item, item.after)}, before it {_text(item, item.before)}"


def _text(item: Item, value: str | None) -> str:
    text = plain_text(item.field, value) or "(empty)"
    return text if len(text) <= _VALUE_MAX else f"{text[: _VALUE_MAX - 3]}..."
