"""`syncjob relink`: the connection goes over to another CRM account, and its links with it.

Keeps invariants 1 and 2: every invoice keeps its marker and its one deal, which has a new id now.
What the new CRM shows is read first; everything is changed in one commit, after a backup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache

import msgspec

from syncjob.connectors.registry import record_page
from syncjob.core.markers import left_id
from syncjob.core.records import Contact, Deal, Invoice, Organisation
from syncjob.core.relink import (
    NAMED_MAX,
    Judged,
    Kind,
    Known,
    MapRow,
    Refused,
    RelinkReport,
    judge,
    words_of,
)
from syncjob.engine.batch import Batch
from syncjob.engine.identify import PINS, code_of
from syncjob.engine.keeping import back_up
from syncjob.engine.maps import keep_map, stamp_of
from syncjob.engine.marked import LEFT
from syncjob.engine.merging import carry_answers, settle_deal
from syncjob.engine.pull import take_again
from syncjob.errors import ConfigError, Park, WrongOrganisation
from syncjob.state.backup import SUFFIX


class Move(msgspec.Struct, frozen=True):
    """Where the connection goes: the account that the CRM's credentials open, the code of the CRM
    that the map's old ids are of, and whether that one is left now (else it was before)."""

    account: Organisation
    code: str
    first: bool


def relink(
    batch: Batch, rows: Sequence[MapRow], refused: Sequence[Refused], *, write: bool, reason: str,
    copy: Callable[[Sequence[MapRow]], str],
) -> RelinkReport:  # fmt: skip
    """Carry the links over, or say what that would be; `copy` writes rows as a map again.

    Raises ConfigError (the config is not ready for it), WrongOrganisation (another ledger), Park
    (writes to the ledger are open), and what any call may raise; nothing is changed then.
    """
    move = _move(batch)
    known = _known(batch, move, rows)
    judged = judge(rows, known)
    report = _report(batch, move, judged, known, refused)
    if not write:
        return report
    _nothing_open(batch)
    now, folder = batch.clock.now(), batch.config.resolve(batch.config.connection.backups)
    file = folder / f"{batch.config.connection.name}-before-relink-{stamp_of(now)}{SUFFIX}"
    code = move.code if move.first else None
    # Not among the nightly ones, which go after a fortnight: it is the way back.
    before = back_up(
        batch.config, batch.state, now=now, who=batch.options.who, file=file, code=code
    )
    wins = {row.old: _won(batch, row) for row in judged.taken} if move.first else {}
    kept = keep_map(batch.config, copy(judged.taken), now)  # one too many does no harm
    with batch.state.commit():
        batch.lease.check(batch.state)
        _carry_out(batch, move, judged.taken, wins, reason)
    batch.log.info("crm.relinked", account=move.account.name, rows=report.rows)
    return msgspec.structs.replace(report, done=True, backup=before.file, kept=str(kept))


# --- whether it can be ---------------------------------------------------------------------------


def _move(batch: Batch) -> Move:
    """Whose account this is now, and what the config must say for it. Raises ConfigError."""
    _same_ledger(batch)
    reference = batch.crm.reference()
    batch.crm.use(reference)
    account, book = reference.organisation, batch.state.book
    pinned = book.fact(PINS["crm"])
    codes, said = batch.config.connection, code_of(batch.state)
    first = pinned is not None and pinned != account.id
    problems = []
    if first and said is not None and said not in codes.former_codes:
        new = f"{said[:3]}{len(codes.former_codes) + 2}"
        problems.append(
            f"connection.code: give this connection a new code, such as {new}, so that the new "
            f"CRM's deals are never taken for the old one's, and list the old one: "
            f"`former_codes: [{', '.join([*codes.former_codes, said])}]`"
        )
    elif not codes.former_codes:
        problems.append(
            f"connection.former_codes: the state belongs to {account.name!r} already; name the "
            "code that this connection had with the CRM before it"
        )
    if batch.config.invoices.cut_over is None:
        now = batch.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        problems.append(
            "invoices.cut_over: say from when on wins in the new CRM count; what was won there "
            f"earlier and is not in the map is history. For now: {now}"
        )
    if problems:
        raise ConfigError(problems, where=str(batch.config.path),
                          next_step="Add this to the config, then repeat the command.")  # fmt: skip
    code = said if first and said in codes.former_codes else codes.former_codes[-1]
    return Move(account, code, first)


def _same_ledger(batch: Batch) -> None:
    pinned = batch.state.book.fact(PINS["ledger"])
    found = batch.ledger.identity()
    if pinned not in (None, found.id):
        raise WrongOrganisation(
            f"The credentials open the books of {found.name!r}, and this state belongs to others. "
            "Only the CRM can be changed.",
            where=f"{batch.config.path}: ledger",
            next_step="Connect the right organisation again; other books need their own state.",
        )


def _nothing_open(batch: Batch) -> None:
    """What was sent to the ledger and not answered is settled under the old CRM's numbers."""
    count = sum(1 for intent in batch.state.journal.open_intents() if intent.side == "ledger")
    if count:
        raise Park(
            f"The outcome of {count} writes to the ledger is not known yet.", where="connection",
            next_step="Put the old config back and `syncjob run` once (it may end with an error "
            "where the old CRM is gone), then relink.",
        )  # fmt: skip


# --- what both sides say -------------------------------------------------------------------------


def _known(batch: Batch, move: Move, rows: Sequence[MapRow]) -> Callable[[MapRow], Known]:
    """What is known of each row; the new CRM's records are read in bulk."""
    shown = _shown(batch, rows)

    @cache
    def known(row: MapRow) -> Known:
        record = shown.get((row.kind, row.new))
        gone = isinstance(record, Contact) and record.deleted
        return Known(
            shown=record is not None,
            deleted=gone or (isinstance(record, Deal) and record.status == "deleted"),
            account=_account(record), earlier=_earlier(batch, move, row),
            papers=tuple(_papers(batch, row.kind, _now(move, row))),
            own=() if move.first else tuple(_papers(batch, row.kind, row.new)),
        )  # fmt: skip

    return known


def _shown(batch: Batch, rows: Sequence[MapRow]) -> dict[tuple[Kind, str], Deal | Contact]:
    """The new CRM's records, also under the ids that were merged into them."""
    found: dict[tuple[Kind, str], Deal | Contact] = {}
    kinds: tuple[Kind, ...] = ("deals", "contacts")
    for kind in kinds:
        ids = list(dict.fromkeys(row.new for row in rows if row.kind == kind))
        size = batch.crm.capabilities.get_batch.get(kind, 1)
        for start in range(0, len(ids), size):
            batch.progress("read", start, len(ids))
            for record in batch.crm.get(kind, ids[start : start + size]):
                if isinstance(record, Deal | Contact):
                    for name in (record.id, *record.merged_from):
                        found.setdefault((kind, name), record)
    return found


def _account(record: Deal | Contact | None) -> str:
    page = record_page(record.page) if record is not None and record.page else None
    return page[1].account if page else ""


def _now(move: Move, row: MapRow) -> str:
    """What the state calls the old record at present."""
    return row.old if move.first else left_id(move.code, row.old)


def _earlier(batch: Batch, move: Move, row: MapRow) -> str | None:
    return batch.state.relinks.target(row.kind, left_id(move.code, row.old))


def _papers(batch: Batch, kind: Kind, name: str) -> Iterator[str]:
    """The live invoices of a deal, or the ledger contact of a customer, in words."""
    links, get = batch.state.links, batch.state.snapshots.get
    if kind == "deals":
        for part in links.parts(name):
            if part.ended is None:
                invoice = get("ledger", "invoices", part.ledger_id, Invoice)
                yield (invoice.number if invoice else None) or part.ledger_id
        return
    linked = links.contact(name) or batch.state.relinks.left_link(name)
    if linked:
        contact = get("ledger", "contacts", linked, Contact)
        yield f"{contact.name} [{linked[:8]}]" if contact else linked


def _won(batch: Batch, row: MapRow) -> datetime | None:
    """When the deal was first won in the old CRM, which an import may not have told the new one."""
    deal = batch.state.snapshots.get("crm", "deals", row.old, Deal) if row.kind == "deals" else None
    return (deal.first_won_at or deal.won_at) if deal else None


def _report(
    batch: Batch, move: Move, judged: Judged, known: Callable[[MapRow], Known],
    unread: Sequence[Refused],
) -> RelinkReport:  # fmt: skip
    deals = [row for row in judged.taken if row.kind == "deals"]
    contacts = [row for row in judged.taken if row.kind == "contacts"]
    without = list(_without(batch, move, {_now(move, row) for row in deals}))
    refused = sorted([*unread, *judged.refused], key=lambda one: one.line)
    return RelinkReport(
        connection=batch.config.connection.name, account=move.account.name, old_code=move.code,
        code=batch.config.connection.code, first=move.first,
        again=batch.state.book.fact(f"{LEFT}{move.code}") is None,
        deals=len(deals), invoiced=sum(1 for row in deals if known(row).papers),
        contacts=len(contacts), linked=sum(1 for row in contacts if known(row).papers),
        already=judged.already, without_count=len(without), without=tuple(without[:NAMED_MAX]),
        refused=tuple(refused),
    )  # fmt: skip


def _without(batch: Batch, move: Move, mapped: set[str]) -> Iterator[str]:
    """The old CRM's deals with a live invoice that have no place in the new one."""
    state = batch.state
    found = state.links.live_invoices() if move.first else list(state.relinks.untied(move.code))
    for deal, invoice_id in found:
        if deal in mapped:
            continue
        invoice = state.snapshots.get("ledger", "invoices", invoice_id, Invoice)
        said = f"{invoice.number or invoice.id}, {invoice.total:,.2f} {invoice.currency}, due " \
               f"{invoice.due:,.2f}" if invoice else invoice_id  # fmt: skip
        yield f"{words_of('deals', deal.removeprefix(left_id(move.code, '')))}: {said}"


# --- doing it ------------------------------------------------------------------------------------


def _carry_out(
    batch: Batch, move: Move, rows: Sequence[MapRow], wins: dict[str, datetime | None], reason: str
) -> None:
    """Everything at once; the caller's commit holds it together."""
    state, now = batch.state, batch.clock.now()
    before = state.book.fact(f"{PINS['crm']}_name")
    if move.first:
        state.relinks.void_crm_writes("the CRM was changed before its outcome was known")
        state.relinks.leave(move.code, at=now)
    state.book.note(PINS["crm"], move.account.id)
    state.book.note(f"{PINS['crm']}_name", move.account.name)
    state.book.note("code", batch.config.connection.code)
    state.book.note(f"{LEFT}{move.code}", now.isoformat())
    for row in rows:
        _lead(batch, row, left_id(move.code, row.old), wins.get(row.old))
    take_again(batch)
    state.book.record(
        batch=batch.id, at=now, side="us", target="connection", subject="connection",
        changes={"crm": (before, move.account.name)}, intent=None,
        reason=reason or f"relink by {batch.options.who}",
    )  # fmt: skip
    state.decisions.done(
        f"relink:{move.code}", "connection", who=batch.options.who, reason=reason, at=now,
        batch=batch.id, outcome=f"{len(rows)} records of {before or 'an earlier CRM'} are records "
        f"of {move.account.name} now",
    )  # fmt: skip


def _lead(batch: Batch, row: MapRow, left: str, won: datetime | None) -> None:
    """One record of the old CRM is one of the new CRM from now on, as if they had been merged."""
    state = batch.state
    state.relinks.note(row.kind, left, row.new, won, batch=batch.id)
    state.merges.note(row.kind, left, row.new, batch=batch.id)
    if row.kind == "deals":
        carry_answers(batch, left, row.new)
        state.relinks.lead_answers(left, row.new)
        settle_deal(batch, row.new)
        state.snapshots.want([row.new], f"deal {row.old} of the earlier CRM is it now")
        return
    state.merges.move_contact(left, row.new)
    state.relinks.take_link(left, row.new, batch=batch.id)
    state.contacts.want([row.new], f"{row.old} of the earlier CRM is it now")
