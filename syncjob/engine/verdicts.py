"""What a person says about matches, checked row by row and put into the inbox for the next batch.

"same" links two records of this state (nothing is written at a vendor), "different" sets them
apart for good. Never are two records of one side linked to one of the other: neither by one
review, nor by it and what was decided before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from syncjob.core.records import Contact
from syncjob.core.review import LINKS, Answer, ApplyReport, Kind, Proposal, Refusal
from syncjob.engine.desk_parts import link_kind
from syncjob.engine.matched import DIFFERENT, SAME, gone, taken_contact
from syncjob.errors import Park
from syncjob.reports.match_csv import same_words
from syncjob.state.database import State

KINDS: tuple[Kind, ...] = ("pair", "invoice", "crm_double", "ledger_double")
_FRESH = "`syncjob match` writes a fresh review"


# --- a review that came back ----------------------------------------------------------------------


def apply_review(
    state: State, answers: Sequence[Answer], refused: Sequence[Refusal], *, file: str, who: str,
    reason: str, now: datetime,
) -> ApplyReport:  # fmt: skip
    """Take what a person answered into the inbox; a row that cannot be taken is refused alone."""
    said = [a for a in answers if a.verdict != "leave"]
    desk_of = _Desk(state, said, who=who, reason=reason or f"the review {file}", now=now)
    with state.commit():
        for answer in said:
            desk_of.take(answer)
    return ApplyReport(
        file=file,
        same=desk_of.counts["same"],
        different=desk_of.counts["different"],
        merges=tuple(desk_of.merges),
        known=desk_of.counts["known"],
        open=len(answers) - len(said),
        refused=tuple(sorted((*refused, *desk_of.refused), key=lambda r: r.line)),
    )


class _Desk:
    """One review's rows, each against the state, the inbox and the other rows."""

    def __init__(
        self, state: State, said: Sequence[Answer], *, who: str, reason: str, now: datetime
    ) -> None:
        self.state, self.who, self.reason, self.now = state, who, reason, now
        self.proposed = {p.key: p for p in state.matches.all(KINDS)}
        self.pending = {(d.kind, d.subject) for d in state.decisions.waiting()}
        self.doubled = _said_twice(said)
        self.verdicts: dict[str, set[str]] = {}
        for answer in said:
            self.verdicts.setdefault(answer.key, set()).add(answer.verdict)
        self.counts: Counter[str] = Counter()
        self.merges: list[str] = []
        self.refused: list[Refusal] = []

    def take(self, answer: Answer) -> None:
        """One row: into the inbox, known already, or refused with its line."""
        why = self._why_not(answer)
        if why is not None:
            self.refused.append(Refusal(answer.line, why))
            return
        proposal = self.proposed.get(answer.key)
        if proposal is None or self._waiting(answer):
            self.counts["known"] += 1
        elif answer.verdict == "same" and proposal.kind not in LINKS:
            self.merges.append(proposal.advice or f"merge {proposal.first} and {proposal.second}")
        else:
            self._decide(answer, proposal)

    def _decide(self, answer: Answer, proposal: Proposal) -> None:
        kind, subject = _decision(answer.verdict, proposal.kind, proposal.first, proposal.second)
        self.state.decisions.ask(kind, subject, who=self.who, reason=self.reason, at=self.now)
        self.pending.add((kind, subject))
        self.counts[answer.verdict] += 1

    def _waiting(self, answer: Answer) -> bool:
        """Whether just this was answered before and waits for the next batch."""
        kind = _KIND.get(answer.kind)
        if kind is None:
            return False
        return _decision(answer.verdict, kind, answer.first, answer.second) in self.pending

    def _why_not(self, answer: Answer) -> str | None:
        if len(self.verdicts[answer.key]) > 1:
            return "another row says the opposite of the same two records"
        proposal = self.proposed.get(answer.key)
        if proposal is None:
            return self._why_unknown(answer)
        if not _fits(answer, proposal):
            return (
                "its names are not those of its ids: was one column sorted or edited without the "
                f"others? {_FRESH}"
            )
        lost = _lost(self.state, proposal.first, proposal.second)
        if lost is not None:
            return f"{lost}; {_FRESH}"
        if answer.verdict == "same" and proposal.kind in LINKS:
            return self._why_taken(answer, proposal)
        return None

    def _why_unknown(self, answer: Answer) -> str | None:
        """A pair that is not proposed (any more): known already, decided otherwise, or strange."""
        decided = _decided(self.state, answer)
        if decided == answer.verdict:
            return None
        if decided is not None:
            undo = f"`syncjob match decide {answer.first} --contact {answer.second}"
            return f"it was decided to be {decided} before; to change that: {undo} ...`"
        lost = _lost(self.state, answer.first, answer.second)
        return f"{lost or 'it is not among what is proposed'}; {_FRESH}"

    def _why_taken(self, answer: Answer, proposal: Proposal) -> str | None:
        """Whether one of the two is, or is about to be, linked with another."""
        for record in (proposal.first, proposal.second):
            if (answer.key, record) in self.doubled:
                return f"another row says that {record} is the same as something else"
        for kind, subject in self.pending:
            one, other = _pair_of(kind, subject)
            if other is not None and len({one, other} & {proposal.first, proposal.second}) == 1:
                return f"{one} and {other} were answered to be the same before"
        return taken(self.state, proposal.kind, proposal.first, proposal.second)


_KIND: dict[str, Kind] = {kind: kind for kind in KINDS}


def _said_twice(said: Iterable[Answer]) -> set[tuple[str, str]]:
    """(row's key, record) of records that several rows say to be the same as different others."""
    rows: dict[str, set[str]] = {}
    for answer in said:
        if answer.verdict == "same" and answer.kind in LINKS:
            for record in (answer.first, answer.second):
                rows.setdefault(record, set()).add(answer.key)
    return {(key, record) for record, keys in rows.items() if len(keys) > 1 for key in keys}


def _fits(answer: Answer, proposal: Proposal) -> bool:
    """Whether the row still names the two records; a review without names is taken by its ids."""
    given = ((answer.first_name, proposal.first_name), (answer.second_name, proposal.second_name))
    return all(not said or same_words(said, name) for said, name in given)


def _decision(verdict: str, kind: Kind, first: str, second: str) -> tuple[str, str]:
    """A verdict as the inbox holds it: (kind, subject)."""
    if kind == "invoice":
        invoice = second.removeprefix("invoice:")
        return (f"link:{invoice}" if verdict == "same" else f"{DIFFERENT}:{second}"), first
    side = "ledger:" if kind == "ledger_double" else ""
    return f"{SAME if verdict == 'same' else DIFFERENT}:{second}", f"contact:{side}{first}"


def _pair_of(kind: str, subject: str) -> tuple[str, str | None]:
    """The two records that a waiting decision links; None for any other decision."""
    verb, _, other = kind.partition(":")
    if verb == "link":
        return subject, f"invoice:{other}"
    return subject.removeprefix("contact:"), (other if verb == SAME else None)


# --- what the state knows -------------------------------------------------------------------------


def taken(state: State, kind: Kind, first: str, second: str) -> str | None:
    """Why the two cannot be linked, in words; None if both are free."""
    if kind == "invoice":
        try:
            link_kind(state, first, second.removeprefix("invoice:"), None, ())
        except Park as refusal:
            return refusal.what.rstrip(".")
        return None
    return taken_contact(state, first, second)


def _decided(state: State, answer: Answer) -> str | None:
    """What was said of the two before, where it has taken effect."""
    first, second = answer.first, answer.second
    if state.matches.are_apart(first, second):
        return "different"
    if answer.kind == "pair" and state.links.contact(first) == second:
        return "same"
    if answer.kind == "invoice":
        part = state.links.part_of_invoice(second.removeprefix("invoice:"))
        if part is not None and part.deal == first.removeprefix("deal:"):
            return "same"
    return None


def _lost(state: State, first: str, second: str) -> str | None:
    return gone(state, first) or gone(state, second)


# --- one answer by hand ---------------------------------------------------------------------------


def decide(
    state: State, *, crm_id: str, contact: str | None, verdict: str, who: str, reason: str,
    now: datetime,
) -> Proposal:  # fmt: skip
    """A person's word about one CRM customer and one ledger contact, for the next batch.

    Without `contact` it is about the one that is proposed. Raises Park where it can name nothing.
    """
    proposal = _proposed(state, crm_id, contact)
    why = _lost(state, proposal.first, proposal.second)
    if verdict == "same" and not why:
        why = taken(state, "pair", proposal.first, proposal.second)
    if why:
        raise Park(f"This cannot be decided: {why}.", where=crm_id, next_step=_FRESH + ".")
    kind, subject = _decision(verdict, "pair", proposal.first, proposal.second)
    with state.commit():
        state.decisions.ask(kind, subject, who=who, reason=reason, at=now)
    return proposal


def _proposed(state: State, crm_id: str, contact: str | None) -> Proposal:
    found = [p for p in state.matches.of(crm_id) if p.kind == "pair" and p.first == crm_id]
    if contact is not None:
        made = [p for p in found if p.second == contact]
        return made[0] if made else _by_hand(state, crm_id, contact)
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{p.second_name} ({p.second})" for p in found) or "none"
    raise Park(
        f"There is not one undecided match of {crm_id}, but: {names}.", where=crm_id,
        next_step="Name the ledger's contact with --contact ID.",
    )  # fmt: skip


def _by_hand(state: State, crm_id: str, contact: str) -> Proposal:
    """Two records that a person names without being asked."""
    names = [_name(state, "crm", crm_id), _name(state, "ledger", contact)]
    return Proposal(
        kind="pair", first=crm_id, second=contact, first_name=names[0], second_name=names[1],
        score=0, band="near",
    )  # fmt: skip


def _name(state: State, side: str, record_id: str) -> str:
    found = state.snapshots.get(
        "crm" if side == "crm" else "ledger", "contacts", record_id, Contact
    )
    if found is None:
        raise Park(
            f"No contact {record_id} of the {'CRM' if side == 'crm' else 'ledger'} was read yet.",
            where=record_id,
            next_step='A CRM contact is named "org:12" or "person:7", a ledger contact by its id; '
            "`syncjob match` reads them all.",
        )
    return found.name or record_id
