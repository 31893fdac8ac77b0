"""What must hold of the calls themselves, read from the servers' log: bytes, keys, pace, secrets.

A call here is what reached a server; what the program believed it sent is not asked.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.sandbox.kernel import Call
from tests.sim.watch import Violation
from tests.sim.world import World

_MARKER = re.compile(r"syncjob=([A-Z]{2}-\d+-[A-Z]{1,3}\d+)(?:&|$)")
_STAMP = re.compile(r"/Date\((\d+)")
#: A call may be sent once more within this time, with the same bytes and key (DESIGN 5.3).
REPLAY_MAX = timedelta(minutes=4)
#: How long what was lost may still appear in Xero (DESIGN 5.4).
LEDGER_PATIENCE = timedelta(minutes=15)
#: The host's faults after which a client knows nothing of what became of its request.
NOTHING_KNOWN = ("lost", "late", "refuse", "timeout", "truncate")
#: So many refusals for too many calls within so short a time are a hot loop (DESIGN 5.11).
HOT_COUNT, HOT_TIME = 4, timedelta(seconds=5)
#: So many writes of single records go to a CRM at once at most, each about another record.
AT_ONCE_MAX = 8
#: A machine's clock may be off by an hour, and bytes are sent soon after they are made.
DAY_SLACK = timedelta(minutes=70)
#: What the config holds of credentials.
SECRETS = ("sandbox-secret", "sandbox-web-secret", "sandbox-token")
#: Where a plan does not know yet what the ledger will give.
NOT_YET = b"(assigned by the ledger)"
#: The verb that creates in Xero; POST updates by id.
CREATES = "PUT"


def judge_calls(world: World) -> None:
    """Raises Violation."""
    calls = world.host.log.find()
    ledger = [call for call in calls if call.server == "xero"]
    _replays(world, ledger)
    _patience(ledger)
    _books(world, ledger)
    _nothing_expected(calls)
    _pace(calls)
    _secrets(world, calls)


def _replays(world: World, ledger: list[Call]) -> None:
    """One key, one call: the same bytes, at most twice, soon, and never after a 500. What was
    refused for its token has not begun: under the renewed one it may be sent as often as any."""
    by_key: dict[str, list[Call]] = defaultdict(list)
    for call in ledger:
        if key := call.headers.get("idempotency-key"):
            by_key[key].append(call)
    altered = world.faults.met("some refused", "error in 200")  # on the server's side of the wire
    for key, sent in by_key.items():
        first, last = sent[0], sent[-1]
        begun = [call for call in sent if call.status != 401]
        same = altered or all((c.method, c.path, c.body) == (first.method, first.path, first.body)
                   for c in sent)  # fmt: skip
        soon = last.at - first.at <= REPLAY_MAX
        after_500 = len(begun) > 1 and begun[0].status == 500
        if len(begun) > 2 or not same or not soon or after_500:
            words = [f"{c.method} {c.path} at {c.at:%H:%M:%S}, {c.status}" for c in sent]
            raise Violation("write_ahead", f"{key}: {words}, the same bytes: {same}")


def _patience(ledger: list[Call]) -> None:
    """What may still appear is not created under another key before its time is over."""
    waiting: dict[str, Call] = {}
    for call in ledger:
        if call.method != CREATES or not call.path.endswith("/Invoices"):
            continue
        for marker in _markers(call):
            before = waiting.get(marker)
            another = before is not None and (
                before.headers.get("idempotency-key") != call.headers.get("idempotency-key")
            )
            if before is not None and another and call.at - before.at < LEDGER_PATIENCE:
                raise Violation(
                    "patience",
                    f"{marker} was sent at {before.at:%H:%M:%S} and lost, and made again at "
                    f"{call.at:%H:%M:%S}",
                )
            if call.fault in NOTHING_KNOWN:
                waiting[marker] = call
            else:
                waiting.pop(marker, None)


def _markers(call: Call) -> Iterator[str]:
    for element in _elements(call):
        if found := _MARKER.search(str(element.get("Url"))):
            yield found[1]


def _nothing_expected(calls: list[Call]) -> None:
    """What a plan expects of a server is never written to one."""
    for call in calls:
        if NOT_YET in call.body:
            raise Violation("expected", f"{call.method} {call.path} holds a plan's own words")


def _books(world: World, ledger: list[Call]) -> None:
    """What the books require of the bytes: no tax of our own, no e-mail, and today's date."""
    for call in ledger:
        if call.path.endswith("/Email"):
            raise Violation("mode", f"an e-mail was sent: {call.path}")
        if b'"TaxAmount"' in call.body:
            raise Violation("tax", f"{call.method} {call.path} says what the tax is")
        dated = call.path.endswith(("/Invoices", "/CreditNotes"))
        for element in _elements(call) if call.method == CREATES and dated else ():
            _dated(world, call, element)


def _dated(world: World, call: Call, element: dict[str, Any]) -> None:
    """A new invoice bears the organisation's day on which it is made, and a due date."""
    made = _day(str(element.get("Date")))
    if not _near(world, call.at, made):
        raise Violation("dates", f"made at {call.at:%d %H:%M:%S} with the date {made}")
    if call.path.endswith("/Invoices") and not element.get("DueDate"):
        raise Violation("dates", f"made at {call.at:%d %H:%M:%S} without a due date")


def _day(said: str) -> date:
    """A day as Xero takes it: in ISO's form, or as milliseconds since 1970 (facts: xero, 4)."""
    stamp = _STAMP.match(said)
    if stamp:
        return datetime.fromtimestamp(int(stamp[1]) / 1000, UTC).date()
    return date.fromisoformat(said[:10])


def _near(world: World, at: datetime, day: date) -> bool:
    zone = ZoneInfo(world.xero.organisation.region.zone)
    slack = DAY_SLACK if not world.faults.met("clock +1 h", "clock -1 h") else 3 * DAY_SLACK
    return (at - slack).astimezone(zone).date() <= day <= (at + slack).astimezone(zone).date()


def _elements(call: Call) -> list[dict[str, Any]]:
    """The records that a write carries."""
    if not call.body.startswith(b"{"):
        return []
    body = json.loads(call.body)
    lists = [value for value in body.values() if isinstance(value, list)]
    return [e for e in lists[0] if isinstance(e, dict)] if lists else [body]


def _pace(calls: list[Call]) -> None:
    """Who is refused for too many calls does not hammer on. Those that are on their way at once
    are refused at once, and count as one."""
    refused: dict[str, list[list[Call]]] = defaultdict(list)
    for call in calls:
        since = refused[call.server]
        if call.status != 429:
            since.clear()
            continue
        if since and _together(since[-1], call):
            since[-1].append(call)
            continue
        since.append([call])
        if len(since) >= HOT_COUNT and call.at - since[-HOT_COUNT][0].at < HOT_TIME:
            raise Violation("limits", f"{call.server} refused {HOT_COUNT} calls within {HOT_TIME}")


def _together(round: list[Call], call: Call) -> bool:
    """Whether this one goes with those in one round: each of them writes a record of its own."""
    kinds = {(one.method, one.path.rpartition("/")[0]) for one in (*round, call)}
    own = call.path not in [one.path for one in round]
    return call.method == "PATCH" and len(kinds) == 1 and own and len(round) < AT_ONCE_MAX


def _secrets(world: World, calls: list[Call]) -> None:
    """No credential stands in an address, in what is written, or in what is said."""
    identity = world.xero.identity
    secrets = (*SECRETS, *identity.access, *identity.refresh)
    said = "\n".join(world.story)
    for call in calls:
        if call.server != "xero-identity":
            said += f"\n{call.path} {call.query} {call.body.decode('utf-8', 'replace')}"
    for secret in secrets:
        if secret in said:
            raise Violation("secrets", f"{secret[:4]}... stands where everybody reads")
