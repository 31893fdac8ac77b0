"""What is written to a deal: its own fields, its stage, a note in its timeline. Values only."""

from __future__ import annotations

import msgspec


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A stage to move the deal to, because its invoice is `when` (core/rules/moves). A stage
    brings its pipeline with it; both are named for people."""

    when: str
    stage_id: str
    stage: str
    pipeline: str


class DealChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="deal"):
    """Values for the deal's own fields, keyed by the field's name; None clears a field.

    `currency` is that of the amounts in them (the invoice's, BOOKKEEPING "Money").
    `stamp_field` takes the instant of the batch: it is written along, never a reason to write.
    `days_field` moves with the calendar alone, and `passing` fields are empty again once an
    invoice is settled: a plan that does no more than that is not large.
    """

    deal_id: str
    fields: dict[str, str | None]
    currency: str | None = None
    stamp_field: str | None = None
    days_field: str | None = None
    passing: tuple[str, ...] = ()
    move: Move | None = None

    @property
    def counts_days(self) -> bool:
        """Whether nothing has happened but that a day has passed."""
        return self.move is None and set(self.fields) - {self.stamp_field} == {self.days_field}


class NoteDraft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="note"):
    """A note in the deal's timeline of what happened to an invoice: once, by its marker."""

    marker: str
    deal_id: str
    invoice_id: str
    happening: str
    text: str
