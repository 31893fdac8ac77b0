"""The judge: what must hold once everything has come to rest, read from what the servers hold.

It knows the servers' records and what people did (world.deeds, world.watch), and nothing of the
program's own tables.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.sandbox.xero.models import Document
from tests.sim.truth import deal_total, fields_for
from tests.sim.watch import Violation
from tests.sim.world import PATIENCE, World

_MARKER = re.compile(r"syncjob=SJ-(\d+)-A(\d+)$")
DEAD = ("VOIDED", "DELETED")
#: What was forbidden is tried again when held deals are looked at again, once an hour.
RIGHTS_RECHECK = timedelta(minutes=60)
#: The config's `won_since`, as the CRM's own stamp: earlier wins are never invoiced.
WON_SINCE = datetime(2026, 11, 1, tzinfo=ZoneInfo("Australia/Sydney")).timestamp()
#: A batch ends well, or with issues that a person must look at.
GOOD_EXITS = (0, 1)


def recover(world: World) -> None:
    """Two batches without faults after the patience, judged; then one more that writes nothing.

    Raises Violation, its invariant first.
    """
    world.host.faults.clear()
    if world.away_until > world.time.now():
        world.advance(world.away_until - world.time.now() + timedelta(minutes=1))
    if any(kind == "403" and point.kind == "write" for point, kind in world.faults.fired):
        world.advance(RIGHTS_RECHECK)
    for number in (1, 2):
        world.advance(PATIENCE)
        report = world.run()
        if report is None or report.exit_code not in GOOD_EXITS:
            said = report and (report.exit_code, report.stopped_by)
            raise Violation("recovers", f"batch {number} after the faults ended with {said}")
    judge(world)
    world.advance(timedelta(minutes=2))
    last = world.last_call()
    world.run()
    written = [(c.method, c.path, c.body.decode()) for c in world.writes_since(last)]
    if written:
        raise Violation("quiet", f"at rest, but written: {written}")
    judge(world)


def judge(world: World) -> None:
    """Everything of DESIGN 5 that shows on the servers. Raises Violation."""
    invoices = _by_deal(world)
    _one_invoice(world, invoices)
    _contacts(world)
    for deal in world.pipedrive.company.all("deals"):
        if not deal["is_deleted"]:
            _deal(world, deal, invoices.get(deal["id"], []))


def _by_deal(world: World) -> dict[int, list[tuple[int, Document]]]:
    """Each deal's invoices with their generation, those that ended included."""
    found: dict[int, list[tuple[int, Document]]] = defaultdict(list)
    for document in world.xero.organisation.invoices:
        marker = _MARKER.search(document.url or "")
        if marker:
            found[int(marker[1])].append((int(marker[2]), document))
    return found


def _one_invoice(world: World, invoices: dict[int, list[tuple[int, Document]]]) -> None:
    late = any(kind == "late twice" and "/Invoices" in p.words for p, kind in world.faults.fired)
    for deal, found in invoices.items():
        live = [d.number for _, d in found if d.status not in DEAD]
        if len(live) > 1:
            raise Violation("one_invoice", f"deal {deal} has {live}")
        generations = sorted(generation for generation, _ in found)
        if late:  # a replay that outlives its key: the second draft was made and withdrawn
            generations = sorted(set(generations))
        if generations != list(range(1, len(generations) + 1)):
            raise Violation("one_effect", f"deal {deal} has the generations {generations}")


def _contacts(world: World) -> None:
    marked = Counter(
        c.number for c in world.xero.organisation.contacts if (c.number or "").startswith("SJ-")
    )
    doubled = {number: count for number, count in marked.items() if count > 1}
    if doubled:
        raise Violation("one_contact", f"{doubled}")
    active = Counter(
        c.name.casefold() for c in world.xero.organisation.contacts if c.status == "ACTIVE"
    )
    twins = [name for name, count in active.items() if count > 1]
    if twins:
        raise Violation("one_contact", f"several contacts named {twins}")


# --- one deal ------------------------------------------------------------------------------------


def _deal(world: World, deal: dict[str, Any], found: list[tuple[int, Document]]) -> None:
    fields = deal_fields(world, deal)
    live = next((d for _, d in found if d.status not in DEAD), None)
    newest = max(found, key=lambda pair: pair[0])[1] if found else None
    if live is not None:
        _content(world, deal, live, fields)
    if deal["status"] != "won":
        _not_won(world, deal, live, fields)
    elif live is None and not deal["is_archived"]:
        _won_without(world, deal, newest, fields)
    if deal["is_archived"]:
        return
    if live is None and fields.get("Invoice status") == "held":
        return  # judged above
    if (live or newest) is not None:
        _fields_true(world, deal, live or newest, fields)  # type: ignore[arg-type]


def _content(world: World, deal: dict[str, Any], invoice: Document, fields: dict[str, Any]) -> None:
    """Nobody touched it: its sum is one the deal has had, its customer one of the deal's. Where
    the CRM's lists lag some lines may be missing: then it is a draft, and the deal says so."""
    if invoice.id in world.watch.touched:
        return
    lagging = world.pipedrive.company.options.lag_max_s > 0 and invoice.status == "DRAFT"
    said = deal["is_archived"] or "the deal says" in str(fields.get("Invoice note"))
    known = world.watch.totals.get(deal["id"], set())
    if invoice.total not in known and not (lagging and said):
        raise Violation("totals", f"deal {deal['id']}: {invoice.number} is {float(invoice.total)}")
    contact = world.xero.organisation.contacts[invoice.contact_id]
    theirs = {_key(name) for name in world.watch.names.get(contact.id, set())}
    ours = {
        _key(name)
        for party in world.watch.parties.get(deal["id"], set())
        for name in world.watch.names.get(party, set())
    }
    if not ours & theirs:
        raise Violation("customer", f"deal {deal['id']} of {ours}: {invoice.number} is to {theirs}")
    by_rule = world.config.mode == "full" and world.config.invoices.status == "authorised"
    if by_rule and not (lagging and said):
        _approved(world, deal, invoice)


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _approved(world: World, deal: dict[str, Any], invoice: Document) -> None:
    edited = len(world.watch.totals.get(deal["id"], set()) - {Fraction(0)}) > 1
    won = deal["status"] == "won" and not edited and not world.state_lost
    if won and invoice.status == "DRAFT":
        raise Violation("approved", f"deal {deal['id']}: {invoice.number} is still a draft")


def _not_won(
    world: World, deal: dict[str, Any], live: Document | None, fields: dict[str, Any]
) -> None:
    draft = live is not None and live.status == "DRAFT" and not world.state_lost
    if live is not None and draft and live.id not in world.watch.touched:
        raise Violation(
            "withdrawn", f"deal {deal['id']} is {deal['status']}, {live.number} is a draft"
        )
    forgotten = deal["is_archived"] or world.state_lost  # what a lost state wrote is nobody's
    if fields.get("Invoice status") == "held" and not forgotten:
        raise Violation("fields", f"deal {deal['id']} is {deal['status']}, and says held")


def _won_without(
    world: World, deal: dict[str, Any], newest: Document | None, fields: dict[str, Any]
) -> None:
    """Won and not invoiced: a person ended its invoice, or it is held and says why."""
    if newest is not None and newest.id in world.watch.ended:
        return
    if (deal["first_won_time"] or deal["won_time"]) < WON_SINCE:
        return
    if fields.get("Invoice status") == "held" and fields.get("Invoice note"):
        world.held[str(fields["Invoice note"])[:60]] += 1
        if _holdable(world, deal):
            return
    if newest is not None and world.state_lost and newest.status == "DELETED":
        return  # nobody can tell any more that it was us who withdrew it
    raise Violation(
        "nothing_forgotten",
        f"deal {deal['id']} is won ({float(deal_total(world.pipedrive.company, deal['id']))}), "
        f"has no invoice, and says {fields.get('Invoice status')}: {fields.get('Invoice note')}",
    )


def _holdable(world: World, deal: dict[str, Any]) -> bool:
    """Whether anything that people did can be a reason to hold it."""
    if deal_total(world.pipedrive.company, deal["id"]) <= 0 or not deal["org_id"]:
        return True
    doubtful = {"archive_contact", "merge_contacts", "create_contact", "edit_contact", "delete_org",
                "merge_orgs", "create_invoice", "rename_contact", "forget_contact", "delete_person",
                "edit_org"}  # fmt: skip
    return any(deed.act in doubtful for deed in world.deeds)


def _fields_true(
    world: World, deal: dict[str, Any], invoice: Document, fields: dict[str, Any]
) -> None:
    for name, value in fields_for(world.xero.organisation, invoice).items():
        said = fields.get(name)
        if not _same(said, value):
            raise Violation(
                "fields",
                f"deal {deal['id']} ({deal['status']}) says {name} = {said!r}, but "
                f"{invoice.number} ({invoice.status}) says {_shown(value)!r}",
            )
    link = fields.get("Invoice link")
    if invoice.status != "DELETED" and invoice.id not in str(link):
        raise Violation("fields", f"deal {deal['id']} links {link}, not {invoice.number}")


def _same(said: Any, value: Any) -> bool:
    if isinstance(value, Fraction):
        return said is not None and Fraction(str(said)) == value
    return (said or None) == value


def _shown(value: Any) -> Any:
    return float(value) if isinstance(value, Fraction) else value


def deal_fields(world: World, deal: dict[str, Any]) -> dict[str, Any]:
    """The deal's own fields by name, as the CRM holds them, in words."""
    known = world.pipedrive.company.fields["deals"]
    return {
        known[code]["field_name"]: _plain(known[code], value)
        for code, value in (deal.get("custom_fields") or {}).items()
        if code in known
    }


def _plain(field: dict[str, Any], value: Any) -> Any:
    if isinstance(value, dict) and "value" in value:
        return value["value"]
    options = {o["id"]: o["label"] for o in field.get("options") or []}
    return options.get(value, value) if options else value
