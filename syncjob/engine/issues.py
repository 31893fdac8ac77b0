"""`syncjob issues`: what needs a person, and what a person may do about it from the state alone.

Nothing here writes to a vendor and nothing invoices a deal: another try is made by the next batch,
and what is put aside goes on to stop whatever it stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from syncjob.core.answers import choices, elsewhere, stops_all
from syncjob.core.issue_reports import Asked, IssueRow, IssuesReport, Which
from syncjob.core.records import Contact, Deal, Invoice, Side, Template
from syncjob.core.rules.moves import REFUSED
from syncjob.engine import credits
from syncjob.engine.batch import Batch
from syncjob.engine.cases import load_case
from syncjob.engine.titles import titles_of
from syncjob.errors import Park
from syncjob.state.database import State
from syncjob.state.decisions import Decision
from syncjob.state.issues import FOR_GOOD, KnownIssue

#: A person's wish that what was refused be tried again by the next batch.
RETRY = "retry"
#: What a batch, or the night, reads or sends anew, asked or not.
_ALWAYS = frozenset({"stream", "way", "connection", "template", "templates", "chore", "reconcile"})
#: Streams whose records are read again at a person's word, and the side they stand on.
_STREAMS: dict[str, Side] = {
    "invoices": "ledger", "contacts": "ledger", "deals": "crm",
    **{stream: side for side, stream in credits.STREAMS},
}  # fmt: skip


# --- what there is --------------------------------------------------------------------------------


def issues_report(
    state: State, connection: str, now: datetime, *, which: Which = "open",
    since: datetime | None = None, kind: str | None = None, subject: str | None = None,
) -> IssuesReport:  # fmt: skip
    """The issues of this kind and subject, or all. `since` goes with those that were closed."""
    if which == "closed":
        found = state.issues.closed_since(since or datetime.min.replace(tzinfo=now.tzinfo))
    else:
        found = [i for i in state.issues.open() if i.ignored(now) == (which == "ignored")]
    chosen = [
        known
        for known in found
        if kind in (None, known.issue.code) and subject in (None, known.issue.subject)
    ]
    rows = _rows(state, chosen, now)
    others = {} if chosen else Counter(known.issue.code for known in found)
    return IssuesReport(
        connection=connection, now=now, which=which, issues=rows,
        counts=dict(Counter(row.code for row in rows)), ignored=state.issues.ignored_count(now),
        others=dict(others),
    )  # fmt: skip


def _rows(state: State, found: Sequence[KnownIssue], now: datetime) -> tuple[IssueRow, ...]:
    titles = titles_of(state, [known.issue for known in found])
    retried = {d.subject for d in state.decisions.waiting() if d.verb == RETRY}
    first: dict[str, int] = {}
    for known in found:
        first.setdefault(known.issue.code, known.id)
    ordered = sorted(found, key=lambda known: (first[known.issue.code], known.id))
    return tuple(
        _row(state, known, titles.get(known.issue.subject, ""), retried, now) for known in ordered
    )


def _row(state: State, known: KnownIssue, title: str, retried: set[str], now: datetime) -> IssueRow:
    issue = known.issue
    ignored = known.ignored_until if known.ignored(now) else None
    aside = _put_aside(state, known) if ignored else None
    return IssueRow(
        id=known.id, code=issue.code, subject=issue.subject, state=issue.state, what=issue.what,
        next_step=issue.next_step, field=issue.field, opened_at=known.opened_at,
        batch=known.opened_batch, title=title, pages=_pages(state, known),
        answers={c.flag: c.does for c in choices(issue, recovering=_recovering(state))},
        elsewhere=elsewhere(issue),
        retry=issue.subject in retried, closed_at=known.closed_at, ignored_until=ignored,
        ignored_by=aside.who if aside else "", ignored_because=aside.reason if aside else "",
    )  # fmt: skip


def _recovering(state: State) -> bool:
    return state.book.fact("recovering_since") is not None


def _put_aside(state: State, known: KnownIssue) -> Decision | None:
    """The newest decision by which this issue was put aside."""
    kinds = (f"ignore:{known.issue.code}", f"seen:{known.issue.code}")
    made = [d for d in state.decisions.of(known.issue.subject) if d.kind in kinds]
    return made[-1] if made else None


def _pages(state: State, known: KnownIssue) -> dict[str, str]:
    """The addresses of the records that the issue is about, in both systems."""
    kind, _, name = known.issue.subject.partition(":")
    found: dict[str, str | None] = {}
    if kind == "deal":
        found = _deal_pages(state, name)
    elif kind == "contact":
        found = _contact_pages(state, name)
    elif kind == "invoices":
        found["invoice"] = _invoice_page(state, name)
    elif kind in ("template", "templates"):
        made = state.snapshots.get("ledger", "templates", name, Template)
        found["repeating invoice"] = made.page if made else None
    pages = {label: page for label, page in found.items() if page}
    if known.issue.page and known.issue.page not in pages.values():
        pages["record"] = known.issue.page
    return pages


def _deal_pages(state: State, deal_id: str) -> dict[str, str | None]:
    deal = state.snapshots.get("crm", "deals", deal_id, Deal)
    pages = {"deal": deal.page if deal else None}
    parts = state.links.parts(deal_id)
    live = [part for part in parts if part.ended is None] or parts[-1:]
    for number, part in enumerate(live, 1):
        label = "invoice" if len(live) == 1 else f"invoice {number}"
        pages[label] = _invoice_page(state, part.ledger_id)
    return pages


def _invoice_page(state: State, invoice_id: str) -> str | None:
    invoice = state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
    return invoice.page if invoice else None


def _contact_pages(state: State, key: str) -> dict[str, str | None]:
    if key.startswith("ledger:"):
        ledger_id: str | None = key.removeprefix("ledger:")
        crm_id = state.links.contact_owner(ledger_id or "")
    else:
        crm_id, ledger_id = key, state.links.contact(key)
    get = state.snapshots.get
    crm = get("crm", "contacts", crm_id, Contact) if crm_id else None
    ledger = get("ledger", "contacts", ledger_id, Contact) if ledger_id else None
    return {"customer": crm.page if crm else None, "contact": ledger.page if ledger else None}


# --- which are meant ------------------------------------------------------------------------------


def chosen(
    state: State, *, numbers: Iterable[int] = (), subject: str | None = None,
    kind: str | None = None,
) -> list[KnownIssue]:  # fmt: skip
    """The open issues that a person means. Raises Park where one of them is not open, or none."""
    if numbers:
        return [_open(state, number) for number in numbers]
    found = [
        known
        for known in state.issues.open()
        if kind in (None, known.issue.code) and subject in (None, known.issue.subject)
    ]
    if not found:
        of = f" of {subject}" if subject else f" of the kind {kind}" if kind else ""
        raise Park(
            f"There is no open issue{of}.", where=subject or kind or "",
            next_step="`syncjob issues` lists those that are open, with their numbers.",
        )  # fmt: skip
    return found


def _open(state: State, number: int) -> KnownIssue:
    known = state.issues.get(number)
    if known is not None and known.closed_at is None:
        return known
    what = "has closed by itself: its cause is gone" if known else "does not exist"
    raise Park(
        f"The issue #{number} {what}.", where=f"#{number}",
        next_step="`syncjob issues` lists those that are open, with their numbers.",
    )  # fmt: skip


# --- what a person does about them ----------------------------------------------------------------


def ignore(
    state: State, found: Sequence[KnownIssue], *, until: datetime | None, who: str, reason: str,
    now: datetime,
) -> Asked:  # fmt: skip
    """Tell nobody of these until then, or (None) until their cause is another. What they stop
    stays stopped. Raises Park where that is everything."""
    for known in found:
        if stops_all(known.issue, recovering=_recovering(state)):
            raise Park(
                f"The issue #{known.id} stops every new invoice, so it is told until it is over.",
                where=f"#{known.id}", next_step=known.issue.next_step,
            )  # fmt: skip
    end = until.astimezone(UTC).isoformat() if until else FOR_GOOD
    words = "until its cause is another"
    if until is not None:
        words = f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    with state.commit():
        state.issues.ignore([known.id for known in found], end)
        for known in found:
            state.decisions.done(
                f"{'ignore' if until else 'seen'}:{known.issue.code}", known.issue.subject,
                who=who, reason=reason, at=now, outcome=f"#{known.id} is not told of {words}",
            )  # fmt: skip
    return _asked(found, until)


def unignore(
    state: State, found: Sequence[KnownIssue], *, who: str, reason: str, now: datetime
) -> Asked:
    """Tell of these again. Raises Park where one was not put aside."""
    for known in found:
        if not known.ignored(now):
            raise Park(
                f"The issue #{known.id} is not ignored.", where=f"#{known.id}",
                next_step="`syncjob issues --ignored` lists those that are.",
            )  # fmt: skip
    with state.commit():
        state.issues.ignore([known.id for known in found], None)
        for known in found:
            state.decisions.done(
                f"unignore:{known.issue.code}", known.issue.subject, who=who, reason=reason,
                at=now, outcome=f"#{known.id} is told of again",
            )  # fmt: skip
    return _asked(found)


def retry(
    state: State, found: Sequence[KnownIssue], *, who: str, reason: str, now: datetime
) -> Asked:
    """Ask the next batch to try again what these are about, though nothing has changed. Raises
    Park where every batch does so unasked."""
    subjects = tuple(dict.fromkeys(known.issue.subject for known in found))
    useless = [s for s in subjects if s.partition(":")[0] in _ALWAYS]
    if useless and len(useless) == len(subjects):
        raise Park(
            "This is tried again unasked.", where=useless[0],
            next_step="`syncjob run` runs a batch now, `syncjob reconcile` reads both sides.",
        )  # fmt: skip
    asked = {d.subject for d in state.decisions.waiting() if d.verb == RETRY}
    with state.commit():
        for subject in subjects:
            if subject not in asked and subject not in useless:
                state.decisions.ask(RETRY, subject, who=who, reason=reason, at=now)
    return _asked(found)


def _asked(found: Sequence[KnownIssue], until: datetime | None = None) -> Asked:
    subjects = tuple(dict.fromkeys(known.issue.subject for known in found))
    return Asked(issues=tuple(known.id for known in found), subjects=subjects, until=until)


# --- in the next batch ----------------------------------------------------------------------------


def try_again(batch: Batch, subject: str) -> str:
    """Forget what was refused of this subject, and have it decided anew; what was done, in words.
    Call it inside a commit."""
    kind, _, name = subject.partition(":")
    state, refused = batch.state, batch.state.book.unpark_subject(subject)
    if kind == "deal":
        refused += _unpark_deal(batch, name)
        state.snapshots.want([name], "a person asked for another try")
    elif kind == "contact":
        state.contacts.want([name], "a person asked for another try")
    elif subject == "organisation":
        for fact in ("approvals_wait_until", "emails_wait_until"):
            state.book.note(fact, None)
        drafts = state.snapshots.deals_with_invoices("draft")
        state.snapshots.want(drafts, "a person asked for another try")
    elif kind in _STREAMS:
        side = "crm" if ":" in name else _STREAMS[kind]  # only a CRM's contacts are of two kinds
        key = f"doubt:{side}.{kind}"
        known = set(filter(None, (state.book.fact(key) or "").split(",")))
        state.book.note(key, ",".join(sorted({*known, name})))
    return "what was refused is tried again" if refused else "it is decided anew"


def _unpark_deal(batch: Batch, deal_id: str) -> int:
    """What was refused for the deal, its invoices and its customer, and its move to a stage."""
    case = load_case(batch, deal_id)
    if case is None:
        return 0
    for target in case.parked:
        batch.state.book.unpark([target])
    moved = case.deal_base.get(REFUSED)
    if moved is not None and moved.wanted is not None:
        batch.state.links.agree("crm", case.subject, {REFUSED: None}, {REFUSED: None})
        return len(case.parked) + 1
    return len(case.parked)
