"""One deal and its invoices: what each must come to, whose it is, and what the deal says of it."""

from __future__ import annotations

import re
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syncjob.sandbox.xero.models import Document
from tests.sim.features import PART_DAYS, PART_PERCENTS
from tests.sim.judge_papers import repeats
from tests.sim.truth import deal_says, deal_total
from tests.sim.watch import Violation
from tests.sim.world import World

DEAD = ("VOIDED", "DELETED")
#: The config's `won_since`, as the CRM's own stamp: earlier wins are never invoiced.
WON_SINCE = datetime(2026, 11, 1, tzinfo=ZoneInfo("Australia/Sydney")).timestamp()


class Made(NamedTuple):
    """An invoice of ours: of which deal, which part of it, for which time, and as it stands."""

    deal: int
    part: str
    generation: int
    document: Document

    @property
    def live(self) -> bool:
        """Neither voided nor deleted."""
        return self.document.status not in DEAD


def owners(found: list[Made]) -> set[int]:
    """The deals, merged now, that these live invoices were made for."""
    return {made.deal for made in found if made.live}


def rivals(world: World, deal: int, found: list[Made]) -> bool:
    """Whether this deal came of several with an invoice each, and people are asked."""
    told = (f"deal:{deal}", "merged_deals_invoiced") in world.issues
    return told and len(owners(found)) > 1


def doubled(world: World, deal: int) -> bool:
    """Whether people are told that the deal has an invoice too many."""
    heir = world.truth.heir("deals", deal)
    return (f"deal:{heir}", "duplicate_effect") in world.issues


def judge_deal(world: World, deal: dict[str, Any], found: list[Made]) -> None:
    fields = deal_fields(world, deal)
    live = [made.document for made in found if made.live]
    newest = max(found, key=lambda made: made.generation).document if found else None
    for invoice in live:
        _customer(world, deal, invoice)
    asked = rivals(world, deal["id"], found)
    if not asked:
        _content(world, deal, [made for made in found if made.live], fields)
    if world.rules and (f"deal:{deal['id']}", "crm_rule") in world.issues:
        return  # an admin's rule refuses the deal's fields, and people are told
    if deal["status"] != "won" and not asked:
        _not_won(world, deal, live, fields)
    elif not live and not deal["is_archived"]:
        _won_without(world, deal, found, newest, fields)
    if deal["is_archived"] or (not live and fields.get("Invoice status") == "held"):
        return  # judged above
    if doubled(world, deal["id"]):
        return
    again = repeats(world, deal["id"])
    standing = [*live, *(one for one in again if one.status not in DEAD)]
    if standing:  # an invoice that ended is no part of what the others come to
        _fields_true(world, deal, standing, fields)
    elif found or again:
        _ended_true(world, deal, found, again, fields)


def _content(
    world: World, deal: dict[str, Any], live: list[Made], fields: dict[str, Any]
) -> None:  # fmt: skip
    """Nobody touched them: their sum is one that the deal has had, and that of drafts the one it
    has. Where the CRM's lists lag some lines may be missing: then it is a draft, and the deal says
    so."""
    documents = [made.document for made in live]
    if not live or any(d.id in world.watch.touched for d in documents):
        return
    draft = all(d.status == "DRAFT" for d in documents)
    lagging = world.truth.lag_s > 0 and draft
    told = any(subject == f"deal:{deal['id']}" for subject, _ in world.issues)
    # Lines that move no stamp are seen with the weekly walk (docs/guarantees.md).
    told = told or not world.truth.lines_stamp
    said = told or "the deal says" in str(fields.get("Invoice note"))
    if deal["is_archived"] or (lagging and said):
        return
    if all(made.part == "A" for made in live):
        _whole(world, deal, documents[0], told=told)
    else:
        _shares(world, deal, live)
        _in_parts(world, deal, documents, told=told)
    by_rule = world.config.mode == "full" and world.config.invoices.status == "authorised"
    for invoice in documents if by_rule else ():
        _approved(world, deal, invoice)


def _whole(world: World, deal: dict[str, Any], invoice: Document, *, told: bool) -> None:
    known = world.watch.totals.get(deal["id"], set())
    if invoice.total not in known:
        raise Violation("totals", f"deal {deal['id']}: {invoice.number} is {float(invoice.total)}")
    now = deal_total(world.truth, deal["id"])
    follows = deal["status"] == "won" and invoice.status == "DRAFT" and not world.state_lost
    if follows and not told and invoice.total != now:
        raise Violation(
            "follows",
            f"deal {deal['id']} comes to {float(now)}, its draft {invoice.number} to "
            f"{float(invoice.total)}, and nobody is told",
        )


def _shares(world: World, deal: dict[str, Any], live: list[Made]) -> None:
    """Of a deal that never came to anything else each part is its share, but for cents."""
    totals = world.watch.totals.get(deal["id"], set()) - {Fraction(0)}
    if len(totals) != 1 or world.truth.lag_s:
        return
    for _, part, _, invoice in live:
        share = next(iter(totals)) * PART_PERCENTS.get(part, 0) / 100
        if share and abs(invoice.total - share) > Fraction(2 * len(invoice.lines) + 2, 100):
            raise Violation("parts", f"deal {deal['id']}: {part} is {float(invoice.total)}")


def _in_parts(world: World, deal: dict[str, Any], made: list[Document], *, told: bool) -> None:
    """All parts together are the deal, but for a cent a line and part."""
    if deal["status"] != "won" or told or world.state_lost or len(made) < len(PART_DAYS):
        return
    total, now = sum(d.total for d in made), deal_total(world.truth, deal["id"])
    if abs(total - now) > Fraction(sum(len(d.lines) for d in made), 100):
        raise Violation("parts", f"deal {deal['id']} is {float(now)}, its parts {float(total)}")


def _customer(world: World, deal: dict[str, Any], invoice: Document) -> None:
    """Its customer is one of the deal's, unless a person touched it."""
    if invoice.id in world.watch.touched:
        return
    ours = _names(world, world.watch.parties.get(deal["id"], set()))
    theirs = _billed(world, invoice)
    if not ours & theirs:
        raise Violation("customer", f"deal {deal['id']} of {ours}: {invoice.number} is to {theirs}")


def _names(world: World, parties: set[str]) -> set[str]:
    """All names that these customers of the CRM have ever had."""
    return {_key(name) for party in parties for name in world.watch.names.get(party, set())}


def _billed(world: World, invoice: Document) -> set[str]:
    """All names that the contact of this invoice has ever had."""
    contact = world.xero.organisation.contacts[invoice.contact_id]
    return {_key(name) for name in world.watch.names.get(contact.id, set())}


def _key(name: str) -> str:
    """As people read it, without what tells it from another customer's (contacts.name_suffix)."""
    return re.sub(r" \([^()]*\)$", "", " ".join(name.casefold().split()))


def _approved(world: World, deal: dict[str, Any], invoice: Document) -> None:
    edited = len(world.watch.totals.get(deal["id"], set()) - {Fraction(0)}) > 1
    edited = edited or not deal_total(world.truth, deal["id"])  # its lines are gone
    won = deal["status"] == "won" and not edited and not world.state_lost
    left = not _names(world, _party(deal)) & _billed(world, invoice)  # for another, or nobody
    if left and (f"deal:{deal['id']}", "changed_after_invoice") in world.issues:
        return  # an invoice is never moved to another customer
    if won and invoice.status == "DRAFT":
        raise Violation("approved", f"deal {deal['id']}: {invoice.number} is still a draft")


def _party(deal: dict[str, Any]) -> set[str]:
    """The customer that the deal has now, as it is watched: its organization, else its person."""
    named = [f"{kind}:{deal[name]}" for name, kind in
             (("org_id", "organizations"), ("person_id", "persons")) if deal[name]]  # fmt: skip
    return set(named[:1])


def _not_won(
    world: World, deal: dict[str, Any], live: list[Document], fields: dict[str, Any]
) -> None:
    for invoice in live:
        draft = invoice.status == "DRAFT" and not world.state_lost
        if draft and invoice.id not in world.watch.touched and not doubled(world, deal["id"]):
            raise Violation(
                "withdrawn", f"deal {deal['id']} is {deal['status']}, {invoice.number} is a draft"
            )
    forgotten = deal["is_archived"] or world.state_lost  # what a lost state wrote is nobody's
    if fields.get("Invoice status") == "held" and not forgotten:
        raise Violation("fields", f"deal {deal['id']} is {deal['status']}, and says held")


def _won_without(
    world: World, deal: dict[str, Any], found: list[Made], newest: Document | None,
    fields: dict[str, Any],
) -> None:  # fmt: skip
    """Won and not invoiced: a person ended its invoice, or it is held and says why."""
    if newest is not None and newest.id in world.watch.ended:
        return
    if newest is not None and _twin_ended(world, deal, found, newest):
        return
    if len({made.deal for made in found}) > 1 and any(
        made.document.id in world.watch.ended for made in found
    ):
        return  # of merged deals it may be the one's that a person ended
    if first_won(world, deal) < WON_SINCE:
        return
    if fields.get("Invoice status") == "held" and fields.get("Invoice note"):
        world.held[str(fields["Invoice note"])[:60]] += 1
        if _holdable(world, deal):
            return
    if newest is not None and world.state_lost and newest.status == "DELETED":
        return  # nobody can tell any more that it was us who withdrew it
    raise Violation(
        "nothing_forgotten",
        f"deal {deal['id']} is won ({float(deal_total(world.truth, deal['id']))}), "
        f"has no invoice, and says {fields.get('Invoice status')}: {fields.get('Invoice note')}",
    )


def _twin_ended(world: World, deal: dict[str, Any], found: list[Made], newest: Document) -> bool:
    """Whether there were two of one generation, of which a person ended the one that the deal
    shows while we withdrew the other, and people are told."""
    shown = next(made for made in found if made.document is newest)
    twins = [made.document.id for made in found if made[:3] == shown[:3]]
    told = (f"deal:{deal['id']}", "reissue_needed") in world.issues
    return told and any(twin in world.watch.ended for twin in twins)


def first_won(world: World, deal: dict[str, Any]) -> float:
    """The CRM's own word, or what was seen of the deal and of what was merged into it."""
    if deal["first_won_time"]:
        return float(deal["first_won_time"])
    known = world.watch.first_won
    heir = world.truth.heir
    seen = [at for key, at in known.items() if heir("deals", key) == deal["id"]]
    return float(min([*seen, deal["won_time"]]))


def _holdable(world: World, deal: dict[str, Any]) -> bool:
    """Whether anything that people did can be a reason to hold it."""
    if deal_total(world.truth, deal["id"]) <= 0 or not deal["org_id"]:
        return True
    if world.features.templates and len(world.truth.children("rows", deal["id"])) > 1:
        return True  # recurring lines that do not agree
    if (f"deal:{deal['id']}", "unusually_large") in world.issues:
        return True  # beside the cents that the others come to
    lines = {"add_line", "edit_line", "remove_line", "disable_line"}
    if not world.truth.lines_stamp and any(deed.act in lines for deed in world.deeds):
        return True  # seen by the next night's reading (docs/guarantees.md)
    doubtful = {"archive_contact", "merge_contacts", "create_contact", "edit_contact", "delete_org",
                "merge_orgs", "create_invoice", "rename_contact", "forget_contact", "delete_person",
                "edit_org", "merge_persons", "restore_org", "merge_deals"}  # fmt: skip
    return any(deed.act in doubtful for deed in world.deeds)


def _ended_true(
    world: World, deal: dict[str, Any], found: list[Made], again: list[Document],
    fields: dict[str, Any],
) -> None:  # fmt: skip
    """Of those that ended it tells of one: of a template's, else of the last part's newest; of
    merged deals, of any."""
    told = list(again)
    if not again:
        last = max(found, key=lambda made: (len(made.part), made.part, made.generation))
        merged = len({made.deal for made in found}) > 1
        told = [last.document, *(made.document for made in found if merged)]
    for number, document in enumerate(told, 1):
        try:
            _fields_true(world, deal, [document], fields)
        except Violation:
            if number == len(told):
                raise
        else:
            return


def _fields_true(
    world: World, deal: dict[str, Any], shown: list[Document], fields: dict[str, Any]
) -> None:
    """What the deal says is true of its invoices; some of a schedule may still be to come."""
    org = world.xero.organisation
    begun = world.features.schedule and len(shown) < len(PART_DAYS) and deal["status"] == "won"
    wanted = [deal_says(org, shown, to_come=to_come) for to_come in ((False, True)[: 1 + begun])]
    numbers = ", ".join(invoice.number for invoice in shown)
    for name, value in wanted[0].items():
        said = fields.get(name)
        if not any(_same(said, way[name]) for way in wanted):
            raise Violation(
                "fields",
                f"deal {deal['id']} ({deal['status']}) says {name} = {said!r}, but "
                f"{numbers} ({', '.join(i.status for i in shown)}) says {_shown(value)!r}",
            )
    link = str(fields.get("Invoice link"))
    if not all(i.status == "DELETED" for i in shown) and not any(i.id in link for i in shown):
        raise Violation("fields", f"deal {deal['id']} links {link}, not {numbers}")


def _same(said: Any, value: Any) -> bool:
    if isinstance(value, frozenset):
        return frozenset(str(said or "").split(", ")) - {""} == value
    if isinstance(value, Fraction):
        return said is not None and Fraction(str(said)) == value
    return bool((said or None) == value)


def _shown(value: Any) -> Any:
    return float(value) if isinstance(value, Fraction) else value


def deal_fields(world: World, deal: dict[str, Any]) -> dict[str, Any]:
    """The deal's own fields by name, as the CRM holds them, in words."""
    known = world.truth.fields["deals"]
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
