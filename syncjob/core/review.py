"""What `syncjob match` proposes and what a person answers: values that the review is made of.

A proposal names two records: a CRM customer and a ledger contact that may be one ("pair"), a deal
and an invoice made by hand for it ("invoice"), or two records of one side that may be one
("crm_double", "ledger_double"). Ids say which side they are of: "org:12", "person:7", "deal:1042",
a ledger contact's own id, "invoice:<id>".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Literal

import msgspec

from syncjob.core.reports import Progress, Waiting, never, unseen, unwaited

Kind = Literal["pair", "invoice", "crm_double", "ledger_double"]
Band = Literal["certain", "near"]
Verdict = Literal["same", "different", "leave"]

#: The kinds that are linked when a person says "same"; doubles are merged by people, where they
#: stand.
LINKS: frozenset[Kind] = frozenset({"pair", "invoice"})
#: Hex digits of a row's key: enough that no slip of a spreadsheet makes another row's key.
KEY_DIGITS = 10


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two records that may be one, with the reasons in words.

    `score` is in thousandths. `digest` is of what was compared: when it changes, what was proposed
    is looked at anew. `advice` says of a double what to merge into what, and why. `shown`: a review
    has been written that holds it.
    """

    kind: Kind
    first: str
    second: str
    first_name: str
    second_name: str
    score: int
    band: Band
    agrees: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    because: str = ""
    advice: str = ""
    digest: str = ""
    shown: bool = False

    @property
    def key(self) -> str:
        """What a row of the review is known by; it belongs to these two ids and no others."""
        return row_key(self.kind, self.first, self.second)


def row_key(kind: str, first: str, second: str) -> str:
    """The key of a row: a digest of its kind and ids, without regard to case.

    It begins with an m, so that no spreadsheet takes it for a number.
    """
    text = "\n".join((kind, first, second)).casefold()
    return "m" + hashlib.blake2b(text.encode(), digest_size=KEY_DIGITS // 2).hexdigest()


class Face(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record as the review shows it: lines of (what, value), and where a person can open it."""

    id: str
    name: str
    page: str | None = None
    lines: tuple[tuple[str, str], ...] = ()


class ReviewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal beside its two records."""

    proposal: Proposal
    first: Face
    second: Face


class MatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `syncjob match` is asked for. `suppliers`: contacts that have only bills are proposed
    like others. `every`: also what an earlier review has shown and nobody has answered. `since`
    reads deals and invoices back to that day. `who` is for the audit."""

    accept_certain: bool = False
    every: bool = False
    suppliers: bool = False
    since: date | None = None
    who: str = ""
    reason: str = ""
    progress: Progress = unseen
    waiting: Waiting = unwaited
    should_stop: Callable[[], bool] = never


class MatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, what is proposed, and what was linked at once.

    `linked` are proposals that `accept_certain` linked; `rows` are what this review asks, `waiting`
    counts all that waits for a person.
    """

    connection: str
    what: Literal["contacts", "invoices"]
    first: int
    second: int
    known: int
    waiting: int = 0
    rows: tuple[ReviewRow, ...] = ()
    linked: tuple[Proposal, ...] = ()
    calls: dict[str, int] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a review that came back. `line` is where it begins in the file."""

    line: int
    verdict: Verdict
    key: str
    kind: str
    first: str
    second: str
    first_name: str
    second_name: str


class Refusal(msgspec.Struct, frozen=True):
    """A row that was not taken: its line in the file, and why, with what to do."""

    line: int
    why: str


class ApplyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a review that came back. `merges` are doubles that a person confirmed: they
    are merged where they stand; `known` rows had been taken before; `open` ones were left."""

    file: str
    same: int = 0
    different: int = 0
    merges: tuple[str, ...] = ()
    known: int = 0
    open: int = 0
    refused: tuple[Refusal, ...] = ()
