"""A plan as a file: everything that a batch would write, kept so that exactly that can be applied.

The file restricts and never orders: what is applied is decided anew by the rules and compared with
it, so a forged file can make nothing happen that a batch would not do by itself. Its seal is a
digest of all it holds, which tells a file that was edited or cut off; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import msgspec

from syncjob.core.identity import plan_hash
from syncjob.core.reports import Origin, PlanReport
from syncjob.errors import WrongPlan

#: What the file says of itself; another version is read by another program.
FORMAT, VERSION = "syncjob plan", 1
#: An older plan is refused: lock dates, rates and what people know have moved on, and a new one
#: costs nothing. It also bounds how far back the state is asked what was done since.
AGE_DAYS_MAX = 7

_ANEW = "Make a new one with `syncjob plan -o FILE`. Nothing was read or written."


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was read back whole. `seal` names this very file."""

    seal: str
    plan: PlanReport
    origin: Origin


def write_plan(plan: PlanReport, program: str) -> str:
    """The plan as the text of a file; `program` is the version that made it."""
    assert plan.origin is not None
    content = {
        "format": FORMAT, "version": VERSION, "program": program,
        "plan": msgspec.to_builtins(plan, str_keys=True),
    }  # fmt: skip
    whole = {**content, "seal": _seal(content)}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def read_plan(text: str, name: str, program: str) -> PlanFile:
    """The plan in the text of the file `name`. Raises WrongPlan, whose words say what it is."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):  # the latter: brackets in brackets without end
        raise _wrong(
            name, "This is no whole plan file: it was cut off, or is something else."
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _wrong(name, "This file is no plan of syncjob.")
    if content.get("version") != VERSION or content.get("program") != program:
        made = f"{content.get('program')} (format {content.get('version')})"
        raise _wrong(name, f"This plan was made by syncjob {made}; this is {program}.")
    seal = content.pop("seal", None)
    if seal != _seal(content):
        raise _wrong(name, "This plan was edited, or damaged, since syncjob wrote it.")
    try:
        plan = msgspec.convert(content["plan"], PlanReport)
    except (msgspec.ValidationError, KeyError):
        raise _wrong(name, "This plan does not hold what a plan holds.") from None
    if plan.origin is None:
        raise _wrong(name, "This plan does not say where it was made.")
    if plan.origin.made_at.tzinfo is None or plan.hash != plan_hash(plan.actions):
        # Whoever releases a hash from the guard has seen the writes that it names, and no others.
        raise _wrong(name, "This plan was edited: it is not what its hash says.")
    return PlanFile(seal=seal, plan=plan, origin=plan.origin)


def refuse_foreign(file: PlanFile, here: Origin, name: str) -> None:
    """Compare where the plan was made with this connection as it is now (`here`, whose `made_at`
    is now). Raises WrongPlan."""
    there = file.origin
    if (there.connection, there.code) != (here.connection, here.code):
        raise _wrong(
            name, f"This plan belongs to the connection {there.connection!r} ({there.code}), and "
            f"this is {here.connection!r} ({here.code}).",
        )  # fmt: skip
    foreign_side(file, here, name)
    if there.config != here.config:
        raise _wrong(name, "The config has changed since this plan was made.")
    if here.made_at - there.made_at > timedelta(days=AGE_DAYS_MAX):
        made = f"{there.made_at:%Y-%m-%d %H:%M} UTC"
        raise _wrong(name, f"This plan is of {made}; one older than {AGE_DAYS_MAX} days is stale.")


def foreign_side(file: PlanFile, here: Origin, name: str) -> None:
    """The same for the ids of both accounts alone, as far as they are known. Raises WrongPlan."""
    there = file.origin
    sides = (
        ("ledger organisation", there.ledger, here.ledger),
        ("CRM account", there.crm, here.crm),
    )
    for side, theirs, ours in sides:
        if ours and theirs != ours:
            raise _wrong(name, f"This plan was made for another {side} than this connection's.")


def used(name: str, at: datetime, who: str, batch: int) -> WrongPlan:
    """The words for a plan of which nothing is left to do."""
    return _wrong(
        name, f"This plan was applied already: on {at:%Y-%m-%d %H:%M} UTC by {who}, batch {batch}."
    )


def _wrong(name: str, what: str) -> WrongPlan:
    return WrongPlan(what, where=name, next_step=_ANEW)


def _seal(content: dict[str, Any]) -> str:
    """A digest of everything in the file, whatever the order and the white space."""
    plain = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode(errors="surrogatepass")).hexdigest()
