"""Whose books, whose CRM: pinned at first use, compared before anything is read or written.

Keeps BOOKKEEPING's rule that other ids than the pinned ones end the run. What an account calls its
own things is read here too, and kept for a day.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import partial
from typing import TypeVar

import msgspec
from pydantic import SecretStr

from syncjob.core.policy import Mode
from syncjob.core.records import CrmReference, LedgerReference, Organisation, Side
from syncjob.engine.batch import Batch, mapping_hash, notices_hash
from syncjob.errors import ConfigError, WrongOrganisation
from syncjob.state.database import State

R = TypeVar("R", CrmReference, LedgerReference)

#: Lock dates, rates, stages and fields are read this often (BOOKKEEPING: "read daily").
REFERENCE_HOURS = 24

#: The facts that name the accounts that this state belongs to.
PINS = {"crm": "crm_account", "ledger": "ledger_organisation"}


#: The next step of a firm that has changed its CRM.
_RELINK = " If the firm has changed its CRM: `syncjob relink`."


def identify(batch: Batch) -> None:
    """Load both references, verify both pins, and tell the connectors the accounts' names.

    Raises WrongOrganisation before anything of another organisation is read, ConfigError if the
    config's code is not that of this state's markers.
    """
    for side in ("ledger", "crm"):
        _verify_if_renewed(batch, side)
        batch.channels[side].meet_tokens(partial(_verify_again, batch, side))
    _same_code(batch)
    batch.ledger_reference, ledger_hash = _reference(batch, "ledger", LedgerReference)
    batch.crm_reference, crm_hash = _reference(batch, "crm", CrmReference)
    batch.ledger.use(batch.ledger_reference)
    batch.crm.use(batch.crm_reference)
    batch.reference_hash = _names_hash(ledger_hash, crm_hash)
    _note_changes(batch)


def code_of(state: State) -> str | None:
    """The code that this state's markers begin with now; None if it has made nothing yet."""
    return state.book.fact("code") or state.relinks.code()


def _same_code(batch: Batch) -> None:
    """Under another code it would know none of its own invoices (BOOKKEEPING: kept for ever)."""
    known, said = code_of(batch.state), batch.config.connection.code
    if known not in (None, said):
        raise ConfigError(
            [f"connection.code: it is {said!r}, but what this state has made bears {known!r}"],
            where=str(batch.config.path), next_step=f"Put {known} back.{_RELINK}",
        )  # fmt: skip


def recall(batch: Batch) -> bool:
    """The accounts' own names as they were read last, for a batch that only looks; False if no
    batch has ever read them. Nobody is asked, nothing is written."""
    ledger = batch.state.book.reference("ledger", LedgerReference)
    crm = batch.state.book.reference("crm", CrmReference)
    if ledger is None or crm is None:
        return False
    batch.ledger_reference, batch.crm_reference = ledger[0], crm[0]
    batch.ledger.use(ledger[0])
    batch.crm.use(crm[0])
    batch.reference_hash = _names_hash(ledger[2], crm[2])
    return True


def _names_hash(ledger: str, crm: str) -> str:
    return hashlib.sha256(f"{ledger}{crm}".encode()).hexdigest()[:16]


def verify(batch: Batch, side: Side) -> None:
    """Ask whose account this is and compare it with the pin; once a batch and side."""
    if side not in batch.verified:
        _compare(batch, side, batch.side(side).identity())


def _verify_if_renewed(batch: Batch, side: Side) -> None:
    """A new token, or another word in the config, may open other books: ask before it is used for
    anything else."""
    if batch.state.book.fact(PINS[side]) is None:
        return  # nothing is pinned yet; the reference that is read next pins it
    access = _access(batch, side, batch.channels[side].next_generation())
    if batch.state.book.fact(f"access:{side}") != access:
        verify(batch, side)


def _access(batch: Batch, side: Side, generation: int) -> str:
    """What decides whose account this is, as one word: the token's generation, and a hash of all
    that the config says of this side, for a tenant, an app or a fixed token may be another one."""
    part = batch.config.crm if side == "crm" else batch.config.ledger
    said = json.dumps(part.model_dump(), default=_plain, sort_keys=True)
    return f"{hashlib.sha256(said.encode()).hexdigest()[:16]}:{generation}"


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _verify_again(batch: Batch, side: Side) -> None:
    """The token was renewed in the middle of the batch: whose books does the new one open?"""
    if batch.state.book.fact(PINS[side]) is not None:
        batch.verified.discard(side)
        verify(batch, side)


def _compare(batch: Batch, side: Side, found: Organisation) -> None:
    pinned = batch.state.book.fact(PINS[side])
    if pinned is not None and pinned != found.id:
        name = batch.state.book.fact(f"{PINS[side]}_name") or pinned
        raise WrongOrganisation(
            f"The credentials open {found.name!r}, but this state belongs to {name!r}. "
            "Nothing was read or written.",
            where=f"{batch.config.path}: {side}",
            next_step="Connect the right one again, or give the other one its own config "
            "and state." + (_RELINK if side == "crm" else ""),
        )
    batch.verified.add(side)
    with batch.state.commit():
        batch.state.book.note(PINS[side], found.id)
        batch.state.book.note(f"{PINS[side]}_name", found.name)
        generation = batch.channels[side].token_generation()
        batch.state.book.note(f"access:{side}", _access(batch, side, generation))


def _reference(batch: Batch, side: Side, kind: type[R]) -> tuple[R, str]:
    """The account's own names, from the cache if it is younger than a day, not in doubt, and read
    for these rules: others may name more, and whoever changed them has most likely changed the
    account's settings, too."""
    book, now, rules = batch.state.book, batch.clock.now(), mapping_hash(batch.config)
    known = book.reference(side, kind)
    doubt = book.fact(f"reference_doubt:{side}")
    current = doubt is None and book.fact(f"reference_rules:{side}") == rules
    if known is not None and current and now - known[1] < timedelta(hours=REFERENCE_HOURS):
        return known[0], known[2]
    reference = (batch.ledger if side == "ledger" else batch.crm).reference()
    assert isinstance(reference, kind)
    _compare(batch, side, reference.organisation)
    body = msgspec.json.encode(reference)
    digest = hashlib.sha256(body).hexdigest()[:16]
    with batch.state.commit():
        book.remember_reference(side, body, now, digest)
        book.note(f"reference_doubt:{side}", None)
        book.note(f"reference_rules:{side}", rules)
    batch.log.info("reference.read", side=side)
    return reference, digest


def _note_changes(batch: Batch) -> None:
    """New rules, names or modes make every held deal and every draft worth another look: `fill`
    gives it, and notes then what was decided with, since a check or a batch that ends before must
    not use the change up."""
    book = batch.state.book
    mode = batch.config.mode
    rules = f"{mapping_hash(batch.config)}|{notices_hash(batch.config)}"
    batch.decided_with = f"{rules}|{batch.reference_hash}|{mode}"
    known = book.fact("decided_with")
    batch.replan = known not in (None, batch.decided_with)
    previous = book.fact("mode")
    if known is not None and not batch.replan and previous == mode:
        return
    with batch.state.commit():
        if known is None:
            book.note("decided_with", batch.decided_with)
        if batch.replan:
            book.unpark_all()
        if previous != mode and batch.options.who:  # a check leaves it to the next batch
            book.note("mode", mode)
            book.record(
                batch=batch.id, at=batch.clock.now(), side="us", target="connection",
                subject="connection", changes={"mode": (previous, mode)},
                reason=f"changed by {batch.options.who} in {batch.config.path.name}",
                intent=None,
            )  # fmt: skip
            batch.state.decisions.done(
                f"mode:{mode}", "connection", who=batch.options.who,
                reason=f"set in {batch.config.path.name}; this batch is the first with it",
                at=batch.clock.now(), batch=batch.id, outcome=_raised(previous, mode),
            )  # fmt: skip
    if previous not in (None, mode):
        batch.log.warning("mode.changed", before=previous, after=mode, who=batch.options.who)


#: What a mode allows, least first.
_MODES: tuple[Mode, ...] = ("read_only", "drafts_only", "full")


def _raised(previous: str | None, mode: Mode) -> str:
    """What a change of mode is, in words."""
    if previous is None:
        return "the first mode of this state"
    raised = _MODES.index(mode) > [*_MODES, previous].index(previous)
    return f"{'raised' if raised else 'lowered'} from {previous}"
