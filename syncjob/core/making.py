"""The decision about one deal while it is being made: its writes, its issues, its story.

Keeps invariant 10: what a vendor refused is not asked for again before it, or the rules, change.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from syncjob.core.actions import (
    Action,
    Decision,
    InvoiceChange,
    InvoiceDraft,
    InvoiceEmail,
    InvoiceUpdate,
    Issue,
    Payload,
    TemplateDraft,
    Wave,
)
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.identity import fingerprint
from syncjob.core.records import Contact
from syncjob.core.rules.invoicing import date_is_given
from syncjob.errors import Held


class Refused(Exception):
    """The vendor refused exactly this before; it waits until data, config or rules change."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.what)
        self.issue = issue


class Making(msgspec.Struct):
    """What has been decided so far about one deal."""

    case: Case
    context: Context
    actions: list[Action]
    issues: list[Issue]
    story: list[str]
    wakes: list[date] = msgspec.field(default_factory=list)
    passed_over: list[str] = msgspec.field(default_factory=list)

    def wake(self, day: date | None) -> None:
        """Decide this deal again on that day, though nothing changes."""
        if day is not None:
            self.wakes.append(day)

    def ledger(
        self,
        wave: Wave,
        target: str,
        payload: Payload,
        reason: str,
        part: PartCase,
        before: dict[str, str | None] | None = None,
        rule: str = "",
    ) -> None:
        """One write to the ledger for this part, in its place in the order. `rule`: who decided,
        where that is another than always (core/rulings)."""
        action = Action(
            side="ledger", wave=wave, subject=self.case.subject, target=target, payload=payload,
            reason=reason, before=before or {}, rules={"": rule} if rule else {},
        )  # fmt: skip
        self.append(action, part)

    def append(self, action: Action, part: PartCase | None = None) -> None:
        """Add the write once, unless the vendor refused exactly this before: raises Refused."""
        refused = self.case.parked.get(action.target)
        if refused and refused[0] == self._known_as(action, part):
            # A customer's refusal was first told of another of its deals; each deal has its own.
            raise Refused(
                msgspec.structs.replace(
                    refused[1], subject=self.case.subject, page=self.case.deal.page
                )
            )
        if not any(a.target == action.target and a.kind == action.kind for a in self.actions):
            self.actions.append(action)  # the parts of a deal ask for one customer

    def _known_as(self, action: Action, part: PartCase | None) -> str:
        return fingerprint(
            action, self.context.reference_hash, self._billed(action.payload, part),
            day_given=date_is_given(self.case.deal, self.context.inputs),
        )  # fmt: skip

    def _billed(self, payload: Payload, part: PartCase | None) -> Contact | None:
        """The ledger contact that this write is for, if it is for one that exists."""
        if isinstance(payload, InvoiceChange | InvoiceUpdate | InvoiceEmail | TemplateDraft):
            return part.contact if part else None
        if not isinstance(payload, InvoiceDraft):
            return None
        return next((c for c in self.case.candidates if c.id == payload.contact_id), None)

    def held(self, held: Held, state: Literal["held", "note"] = "held") -> Issue:
        """Note what a rule held, as an issue of this deal."""
        issue = Issue(
            code=held.code, subject=self.case.subject, what=held.what, next_step=held.next_step,
            field=held.field, page=self.case.deal.page, state=state,
            about=held.about,
        )  # fmt: skip
        self.issues.append(issue)
        return issue

    def done(self, *, wake_on: date | None = None, waits: str | None = None) -> Decision:
        """The decision. Issues of one code are one issue that says all of it."""
        told: dict[str, Issue] = {}
        for issue in self.issues:
            told[issue.code] = _both(told[issue.code], issue) if issue.code in told else issue
        return Decision(
            subject=self.case.subject, actions=tuple(self.actions), issues=tuple(told.values()),
            story=tuple(dict.fromkeys(self.story)), wake_on=wake_on, waits=waits,
            passed_over=tuple(m for m in self.passed_over if m not in self.case.noted),
        )  # fmt: skip


def _both(one: Issue, other: Issue) -> Issue:
    """What two parts of a deal have to say under one code; held is what one of them holds."""
    state = "held" if other.state == "held" else one.state
    what = one.what if other.what in one.what else f"{one.what} {other.what}"
    about = "\n".join(dict.fromkeys(text for text in (one.about, other.about) if text))
    return msgspec.structs.replace(one, what=what, state=state, about=about)
