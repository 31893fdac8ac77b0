"""What may and what must be true after a spoilt answer, read from the servers alone.

While it is spoilt: no crash, no second invoice, none that is approved for another sum, no contact
emptied or doubled, nothing said on a deal that the books do not say, one issue for a record. After
it is right again: all is as if nothing had been, and nothing is written any more.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from syncjob.core.reports import BatchReport
from syncjob.engine.connection import ConnectionHandle
from syncjob.errors import Exit, SyncJobError
from tests.drift.bench import Bench
from tests.drift.mutate import Case, Place
from tests.drift.scene import ready

#: The time between batches: two that are spoilt, two past each lag, two a day later, one for quiet.
SPOILT = (timedelta(), timedelta(minutes=5))
HEALED = tuple(timedelta(minutes=m) for m in (5, 25, 60, 5, 25 * 60, 5, 25, 5))
DEAD = ("VOIDED", "DELETED")
MARKER = re.compile(r"SJ-(-?\w+)-A(\d+)")
#: What is true of a deal at every moment, or else it says what it said before.
SAID = ("Invoice status", "Invoice total", "Invoice due", "Invoice paid", "Invoice credited")
#: What a person may have emptied; we never do.
KEPT_LEDGER = ("name", "first_name", "last_name", "email", "tax_number")
KEPT_CRM = ("name", "first_name", "last_name")


@dataclass
class Seen:
    """What both servers hold at one moment."""

    invoices: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by deal
    others: int = 0
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    deals: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: int = 0

    def live(self, deal: str) -> list[dict[str, Any]]:
        """The deal's invoices that ask for money, or may come to."""
        return [i for i in self.invoices.get(deal, []) if i["status"] not in DEAD]


def look(bench: Bench) -> Seen:
    """The servers as they are."""
    seen, state = Seen(), bench.crm_state()
    for invoice in bench.invoices():
        found = MARKER.search(invoice["url"] or "")
        if found is None:
            seen.others += 1
        else:
            seen.invoices.setdefault(found[1], []).append(invoice)
    seen.contacts = {c["id"]: c for c in bench.contacts()}
    for kind in ("organizations", "persons"):
        seen.customers |= {f"{kind}:{key}": row for key, row in state[kind].items()}
    names = state["fields"]["deals"]
    for key, row in state["deals"].items():
        own = row.get("custom_fields") or {}
        said = {
            names[code]["field_name"]: _plain(names[code], value)
            for code, value in own.items()
            if code in names
        }
        seen.deals[key] = said
    seen.tasks = len(state.get("activities") or state.get("tasks") or ())
    return seen


def _plain(known: dict[str, Any], value: Any) -> Any:
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    options = {str(o["id"]): o["label"] for o in known.get("options") or []}
    said = options.get(str(value), value)
    try:
        return float(said)
    except (TypeError, ValueError):
        return said or None


# --- one case -----------------------------------------------------------------------------------

Command = Callable[[Bench], BatchReport | None]


def _with(act: Callable[[ConnectionHandle], object]) -> Command:
    def command(bench: Bench) -> None:
        with bench.connection() as handle:
            act(handle)

    return command


def _reconcile(handle: ConnectionHandle) -> object:
    from syncjob.core.reconcile import ReconcileOptions

    return handle.reconcile(ReconcileOptions(repair=True))


COMMANDS: dict[str, Command] = {
    "run": Bench.run,
    "check": _with(lambda handle: handle.check()),
    "init": _with(lambda handle: handle.init_fields(create=True)),
    "connect": _with(lambda handle: (handle.identity("ledger"), handle.identity("crm"))),
    "reconcile": _with(_reconcile),
}


@cache
def seen_by(crm: str, command: str) -> tuple[Place, ...]:
    """Every place in the answers that this command reads."""
    bench = ready(crm).copy()
    bench.seen = {}
    try:
        for wait in SPOILT:
            bench.advance(wait)
            COMMANDS[command](bench)
    finally:
        bench.close()
    return tuple(bench.seen.values())


@cache
def undisturbed(crm: str) -> tuple[Seen, list[Seen], Seen]:
    """What was, what is after each of the batches that a case spoils, and what is at the end."""
    bench = ready(crm).copy()
    before, steps = look(bench), []
    for wait in SPOILT:
        bench.advance(wait)
        report = bench.run()
        assert report.exit_code == 0, report
        steps.append(look(bench))
    for wait in HEALED:
        bench.advance(wait)
        assert bench.run().exit_code == 0
    end = look(bench)
    bench.close()
    return before, steps, end


def play(crm: str, command: str, case: Case) -> tuple[int, list[str]]:
    """How often the answer was spoilt, and what is wrong with what followed."""
    bench, wrong = ready(crm).copy(), []
    try:
        bench.case = case
        for wait in SPOILT:
            bench.advance(wait)
            wrong += _once(bench, COMMANDS[command], alone=_one_record(case))
            wrong += _while_spoilt(crm, look(bench))
        hits, bench.case = bench.hits, None
        for n, wait in enumerate(HEALED):
            bench.advance(wait)
            mark = bench.host.log.count()
            wrong += _once(bench, Bench.run)
            if n == len(HEALED) - 1:
                wrong += _quiet(bench, mark)
        wrong += _healed(crm, look(bench))
    finally:
        bench.close()
    return hits, list(dict.fromkeys(wrong))


#: Answers that are lists of records: of one bad record there the others must know nothing.
RECORDS = ("deals", "organizations", "persons", "Invoices", "Contacts", "CreditNotes", "search",
           "read", "archived", "products", "line_items", "RepeatingInvoices")  # fmt: skip


def _one_record(case: Case) -> bool:
    """Whether a single record is spoilt, and others stand beside it."""
    verb, _, path = case.place.endpoint.partition(" ")
    steps, word = case.place.steps, path.rpartition("/")[2]
    inside = "[]" in steps and steps[-1] != "[]" and steps[1:2] == ("[]",)
    reads = verb == "GET" or word in ("search", "read")
    known = case.place.record is not None
    return case.scope == "one" and known and inside and reads and word in RECORDS


def _once(bench: Bench, command: Command, *, alone: bool = False) -> list[str]:
    try:
        report = command(bench)
    except SyncJobError as error:
        return [f"bug: {error}"] if error.exit_code == Exit.BUG else []
    except Exception:
        return [f"crash: {''.join(traceback.format_exc(limit=-3))}"]
    if report is None:
        return []
    if alone and report.stopped_by:
        return [f"one record stopped the batch: {report.stopped_by}"]
    # A deal's repeating invoice is a record of its own; its issues stand on the deal.
    about = [(i.subject, i.code.startswith("template_"), i.code) for i in report.issues]
    told = Counter((subject, of_template) for subject, of_template, _ in about)
    several = {one: sorted(code for *record, code in about if tuple(record) == one)
               for one, n in told.items() if n > 1}  # fmt: skip
    return [f"several issues for {s}: {codes}" for (s, _), codes in several.items()]


def _quiet(bench: Bench, mark: int) -> list[str]:
    calls = bench.host.log.find(since=mark)
    writes = [c for c in calls if not bench.vendor.reads(c.method, c.path)
              and not c.path.endswith("/token")]  # fmt: skip
    return [f"not quiet: {c.method} {c.path}" for c in writes]


def _while_spoilt(crm: str, now: Seen) -> list[str]:
    before, steps, end = undisturbed(crm)
    allowed = [before, *steps, end]
    wrong = []
    for deal, found in now.invoices.items():
        if deal not in end.invoices:
            wrong.append(f"an invoice for deal {deal}, which there is none of")
            continue
        if len(now.live(deal)) > 1:
            wrong.append(f"deal {deal} has {len(now.live(deal))} invoices")
        sums = {i["total"] for i in end.invoices[deal]}
        approved = [i for i in found if i["status"] not in ("DRAFT", *DEAD)]
        wrong += [
            f"deal {deal}: {i['number']} {i['status']} of {i['total']}, not {sums}"
            for i in approved
            if i["total"] not in sums
        ]
    wrong += _emptied(before, now)
    if len(now.contacts) > len(end.contacts):
        wrong.append(f"{len(now.contacts)} contacts, not {len(end.contacts)}")
    if len(now.customers) > len(end.customers):
        wrong.append(f"{len(now.customers)} customers in the CRM, not {len(end.customers)}")
    for deal, said in now.deals.items():
        for name in SAID:
            value, fine = said.get(name), [s.deals.get(deal, {}).get(name) for s in allowed]
            drafts = any(i["status"] == "DRAFT" for i in now.live(deal))
            held = value == "held" or (value == "draft" and drafts)
            if value not in fine and not (name == "Invoice status" and held):
                wrong.append(f"deal {deal} says {name} = {value!r}, not {fine[-1]!r}")
    return wrong


def _emptied(before: Seen, now: Seen) -> list[str]:
    wrong = []
    pairs = (
        (before.contacts, now.contacts, KEPT_LEDGER),
        (before.customers, now.customers, KEPT_CRM),
    )
    for old, new, names in pairs:
        for key, row in old.items():
            gone = [n for n in names if row.get(n) and not new.get(key, {}).get(n)]
            if key not in new or gone:
                wrong.append(f"{key} lost {gone or 'all'}")
    return wrong


def _healed(crm: str, now: Seen) -> list[str]:
    _, _, end = undisturbed(crm)
    wrong = []
    for deal in end.deals:
        was = sorted((i["status"], str(i["total"]), str(i["due"])) for i in end.live(deal))
        has = sorted((i["status"], str(i["total"]), str(i["due"])) for i in now.live(deal))
        if was != has:
            wrong.append(f"at the end: deal {deal} has {has}, not {was}")
        for name in SAID:
            said, fine = now.deals[deal].get(name), end.deals[deal].get(name)
            if said != fine:
                wrong.append(f"at the end: deal {deal} says {name} = {said!r}, not {fine!r}")
    if len(now.contacts) != len(end.contacts):
        wrong.append(f"at the end: {len(now.contacts)} contacts, not {len(end.contacts)}")
    return wrong
