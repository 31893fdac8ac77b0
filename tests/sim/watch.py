"""What must hold at every moment, judged at each batch and each deed on the servers' own records.

An invoice of ours may only be made as a draft; a draft that nobody ever touched may be rewritten,
withdrawn, or approved where the mode says full; an approved one is never changed by us; nothing is
ever deleted by verb.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.xero.models import Document

if TYPE_CHECKING:
    from tests.sim.judge_back import Told
    from tests.sim.world import World


_MARKER = re.compile(r"syncjob=([A-Z]{2})-(\d+)-([A-Z]{1,3})(\d+)(?:&|$)")


class Violation(AssertionError):
    """An invariant does not hold; its name comes first."""

    def __init__(self, invariant: str, words: str) -> None:
        super().__init__(f"{invariant}: {words}")
        self.invariant = invariant


#: What shows a batch which invoices a person has touched.
_INVOICES = "/xero/api.xro/2.0/Invoices"


class Watch:
    """Compares the books before and after everything that is not a person's deed."""

    def __init__(self) -> None:
        self.known: dict[str, Document] = {}
        #: The names that each contact and CRM customer has ever had.
        self.names: dict[str, set[str]] = {}
        #: Every gross total that a deal has ever had, by deal.
        self.totals: dict[int, set[Any]] = {}
        #: Every customer that a deal has ever had, by deal, named as in `names`.
        self.parties: dict[int, set[str]] = {}
        #: When each deal was first won, where the CRM forgets it.
        self.first_won: dict[int, int] = {}
        self.batch_began: datetime | None = None
        #: When each batch began.
        self.begins: list[datetime] = []
        #: What deals said truly of their invoices when the batch began.
        self.true_before: dict[int, Told] = {}
        #: What deals said while it was untrue, for as long as they say it (judge_back).
        self.untrue: dict[int, object] = {}
        #: When a person last touched an invoice, by id.
        self.touched: dict[str, datetime] = {}
        #: Of these, those of which a person changed nothing but the number.
        self.numbered: set[str] = set()
        #: Those of which a person changed what no rewrite of ours sends: such an edit lasts.
        self.lasting: set[str] = set()
        #: The touched ones when the batch began.
        self.seen_touched: set[str] = set()
        #: The same before the batch that runs now, and the last call before it.
        self._seen_before: set[str] = set()
        self._calls_before = 0
        #: Invoices that a person ended.
        self.ended: set[str] = set()
        #: Invoices that we approved.
        self.approved: set[str] = set()
        #: Tasks that people have been given, by id.
        self.tasks: set[int] = set()

    def copy(self) -> Watch:
        """A watch with the same memory."""
        twin = Watch()
        twin.known, twin.touched = dict(self.known), dict(self.touched)
        twin.names = {k: set(v) for k, v in self.names.items()}
        twin.parties = {k: set(v) for k, v in self.parties.items()}
        twin.totals = {k: set(v) for k, v in self.totals.items()}
        twin.first_won = dict(self.first_won)
        twin.batch_began, twin.ended = self.batch_began, set(self.ended)
        twin.numbered, twin.lasting = set(self.numbered), set(self.lasting)
        twin.seen_touched, twin._seen_before = set(self.seen_touched), set(self._seen_before)
        twin._calls_before, twin.begins = self._calls_before, list(self.begins)
        twin.approved, twin.tasks = set(self.approved), set(self.tasks)
        twin.untrue = dict(self.untrue)
        return twin

    def batch_begins(self, world: World) -> None:
        """Remember the books as they are."""
        from tests.sim.judge_back import told_truly

        self.batch_began, self._seen_before = world.time.now(), self.seen_touched
        self.seen_touched, self._calls_before = set(self.touched), world.last_call()
        self.begins.append(self.batch_began)
        self.true_before = told_truly(world)
        self._remember(world)

    def batch_ended(self, world: World) -> None:
        """Judge what the batch did."""
        from tests.sim.judge_back import gone_back, note_untrue

        self._judge(world)
        back = gone_back(world, self.true_before)
        if back is not None:
            raise Violation("goes_back", back)
        note_untrue(world)  # where the books' reads lag, what was written now is behind them
        if world.features.contacts:
            self._remember_crm(world)
        if not world.host.log.find(method="GET", path=_INVOICES, since=self._calls_before):
            self.seen_touched = self._seen_before  # it ended before it saw anything

    def after_late(self, world: World, sent: datetime | None = None) -> None:
        """Judge what a late request did that we had sent then: nobody reads an invoice again
        between two writes of one batch."""
        began = [at for at in self.begins if sent is not None and at <= sent]
        self._judge(world, max(began, default=sent))

    def people_acted(self, world: World) -> None:
        """What changed now was a person's doing."""
        from tests.sim.judge_back import note_untrue

        note_untrue(world)
        now = world.time.now()
        for document in world.xero.organisation.invoices:
            before = self.known.get(document.id)
            if (
                before is not None
                and before is not document
                and _content(before) != _content(document)
            ):
                only = _content(replace(before, number=document.number)) == _content(document)
                if only and document.id not in self.touched.keys() - self.numbered:
                    self.numbered.add(document.id)
                else:
                    self.numbered.discard(document.id)
                self.touched[document.id] = now
                if _unsent(before) != _unsent(document):
                    self.lasting.add(document.id)
                if document.status in ("VOIDED", "DELETED"):
                    self.ended.add(document.id)
        self._remember(world)
        self._remember_crm(world)

    def _remember(self, world: World) -> None:
        org = world.xero.organisation
        self.known = {d.id: d for d in org.invoices}
        for contact in org.contacts:
            self.names.setdefault(contact.id, set()).add(contact.name)
        for contact in org.contacts:
            if contact.merged_to:  # its invoices are the survivor's from now on
                self.names[contact.merged_to] |= self.names[contact.id]

    def _remember_crm(self, world: World) -> None:
        """Only people change customers, lines and deals' links."""
        from tests.sim.truth import deal_total

        truth = world.truth
        for kind in ("organizations", "persons"):
            for row in truth.all(kind):
                known = self.names.setdefault(f"{kind}:{row['id']}", set())
                known.add(row["name"])
                self.names.setdefault(f"{kind}:{truth.heir(kind, row['id'])}", set()).update(known)
        for deal in truth.all("deals"):
            key, heir = deal["id"], truth.heir("deals", deal["id"])
            parties = self.parties.setdefault(key, set())
            totals = self.totals.setdefault(key, set())
            if heir != key:  # all that was ever true of it is so of what it has become
                self.parties.setdefault(heir, set()).update(parties)
                self.totals.setdefault(heir, set()).update(totals)
                continue
            totals.add(deal_total(truth, key))
            for name, kind in (("org_id", "organizations"), ("person_id", "persons")):
                if deal.get(name):
                    parties.add(f"{kind}:{deal[name]}")
            if deal["won_time"]:
                won = self.first_won.get(key, deal["won_time"])
                self.first_won[key] = min(won, deal["won_time"])

    def _judge(self, world: World, sent: datetime | None = None) -> None:
        for document in world.xero.organisation.invoices:
            before = self.known.get(document.id)
            if before is not document and not document.repeating_id and _of(world, document):
                self._judge_one(world, before, document, sent or self.batch_began)
        for call in world.host.log.find(method="DELETE"):
            raise Violation("no_delete", f"{call.method} {call.path}")
        self._remember(world)
        if world.features.notices:
            self._judge_tasks(world, sent or self.batch_began)

    def _judge_one(
        self, world: World, before: Document | None, after: Document, sent: datetime | None
    ) -> None:
        words = f"{after.number} {after.reference}"
        if before is None:
            if after.status != "DRAFT":
                raise Violation("mode", f"{words} was made as {after.status}")
            self._judge_anew(world, after)
            return
        if _content(before) == _content(after):
            return
        touched = self.touched.get(after.id)
        if touched is not None and sent is not None and touched >= sent:
            self._judge_approval(before, after, words)
            self._forget_overwritten(before, after)
            return  # since we read it nobody can tell: Xero has no "change it only if"
        if before.status != "DRAFT":
            raise Violation("approved_untouched", f"{words} was {before.status}, we changed it")
        if touched is not None and not self._unseen_number(world, after):
            raise Violation("touched_draft", f"{words}: touched at {touched}, {after.status} by us")
        if after.status == "AUTHORISED" and world.config.mode == "full":
            self.approved.add(after.id)
        elif after.status == "DRAFT":
            self._judge_rewrite(before, after, words)
        elif after.status != "DELETED":
            raise Violation("mode", f"{words} went from {before.status} to {after.status}")

    def _judge_anew(self, world: World, made: Document) -> None:
        """What a person ended is not made again unasked, though its deal is still won."""
        mine = place(made)
        for earlier in self.known.values():
            if earlier.id in self.ended and mine and place(earlier) == mine:
                asked = world.host.log.find(method="POST", path="/xero/")
                ours = (c.body for c in asked if b"DELETED" in c.body)
                if not any(earlier.id.encode() in body for body in ours):
                    raise Violation(
                        "ended_stays", f"{made.number}: a person ended {earlier.number} of {mine}"
                    )

    def _unseen_number(self, world: World, document: Document) -> bool:
        """Whether a person changed only a number that we may never have read: where the answer to
        a create was lost, nobody knows which number Xero had given."""
        lost = any(p.kind == "write" and "/Invoices" in p.words for p, _ in world.faults.fired)
        return lost and document.id in self.numbered

    def _forget_overwritten(self, before: Document, after: Document) -> None:
        """Of an edit that a rewrite of ours met on its way nothing is left that anybody could see
        (docs/guarantees.md, "Two people at once"), unless it was of what no rewrite sends."""
        drafts = before.status in ("DRAFT", "SUBMITTED") and after.status == "DRAFT"
        if drafts and after.id not in self.seen_touched | self.lasting:
            self.touched.pop(after.id, None)

    def _judge_approval(self, before: Document, after: Document, words: str) -> None:
        """It sets the status and the days; what a person did to the rest meanwhile stays."""
        if before.status != "DRAFT" or after.status != "AUTHORISED":
            return
        for name in ("contact_id", "number", "url", "reference", "lines", "currency"):
            if getattr(before, name) != getattr(after, name):
                raise Violation("approval_only", f"{words}: our approval changed its {name}")

    def _judge_rewrite(self, before: Document, after: Document, words: str) -> None:
        """A draft may follow its deal in what it says, and stays the same invoice."""
        for name in ("contact_id", "number", "url", "applied"):
            old, new = getattr(before, name), getattr(after, name)
            if name == "url":  # the page of a merged deal is another one, our key in it is not
                old, new = (_key_in(url) for url in (old, new))
            if old != new:
                raise Violation("rewrite", f"{words}: we changed its {name}")

    def _judge_tasks(self, world: World, sent: datetime | None) -> None:
        """Nobody is told in vain: at the moment of the telling the debt is there."""
        from tests.sim.judge_papers import judge_task

        for row in world.truth.all("activities"):
            if row["id"] not in self.tasks:
                self.tasks.add(row["id"])
                judge_task(world, row, sent)


def place(document: Document) -> tuple[str, str, str] | None:
    """The connection's code, the deal and the part of it that an invoice of ours is for."""
    found = _MARKER.search(document.url or "")
    return (found[1], found[2], found[3]) if found else None


def _of(world: World, document: Document) -> bool:
    """Whether it may be this connection's doing: another one's is judged by that one's watch."""
    made = place(document)
    return made is None or made[0] == world.config.connection.code


def _key_in(url: str | None) -> str:
    return (url or "").partition("?")[2]


def _unsent(document: Document) -> object:
    """What of an invoice a rewrite leaves as it is. It sends the status DRAFT, which Xero takes for
    what waits for approval, too."""
    status = "DRAFT" if document.status == "SUBMITTED" else document.status
    return status, document.number, document.applied, document.expected_day


def _content(document: Document) -> object:
    return (
        document.status, document.contact_id, document.day, document.due_day, document.reference,
        document.lines, document.total, document.applied, document.number, document.currency,
        document.expected_day,
    )  # fmt: skip
