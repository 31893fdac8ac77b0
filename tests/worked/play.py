"""Plays one firm of the table: its deals are sold, a batch runs, and the ledger is read back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.core.reports import BatchReport
from tests.engine.world import PATIENCE, World
from tests.worked.face import Face
from tests.worked.table import CURRENCY, Case, Firm, wanted, wanted_templates

ZONES = {
    "AU": "Australia/Sydney",
    "NZ": "Pacific/Auckland",
    "UK": "Europe/London",
    "US": "America/New_York",
    "GLOBAL": "Europe/Berlin",
}
#: Names that nobody would take for each other.
CUSTOMERS = (
    "Abbotsford Glass", "Brindle and Moss", "Cartwright Foods", "Dunmore Textiles", "Eastgate Oil",
    "Fairholme School", "Gullwing Charter", "Hexley Instruments", "Ironbark Timber", "Juniper Ink",
    "Kestrel Optics", "Lindqvist Bakery", "Marlow Ceramics", "Nettleton Farm", "Osprey Divers",
    "Pemberton Tools", "Quayside Hotel", "Rosewood Dental", "Silverton Mines", "Thornbury Radio",
)  # fmt: skip
#: What people type as numbers; the rest of a deal are texts.
_NUMBERS = frozenset(
    {"price", "quantity", "discount", "tax", "amount", "value", "percent", "order_nr", "cap",
     "billing_frequency_cycles", "Day", "Quantity", "UnitAmount"}
)  # fmt: skip
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_YES_NO = {"true": True, "false": False}
#: Figures of an invoice that are compared as numbers, and those compared as texts.
_SUMS = ("sub_total", "total_tax", "total")
_TEXTS = (
    "amounts",
    "status",
    "currency",
    "date",
    "due",
    "branding",
    "words",
    "unit",
    "start",
    "end",
)
_NAMED = ("reference", "number")  # texts with our key in them
_LINE_TEXTS = ("text", "account", "tax", "item", "tracking")
_LINE_SUMS = ("quantity", "price", "amount", "of_tax")


@dataclass
class Played:
    """A firm after its batches: which deal is which case, and what the ledger shows of it."""

    deals: dict[str, int] = field(default_factory=dict)
    invoices: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    templates: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    codes: dict[int, set[str]] = field(default_factory=dict)
    told: dict[int, dict[str, Any]] = field(default_factory=dict)


def play(firm: Firm, cases: list[Case], folder: Path) -> Played:
    """Sells the cases' deals, runs the batches, and reads the ledger's HTTP face."""
    w = World(folder, **_options(firm))
    try:
        played = Played()
        _set_up(w, firm)
        for case in cases:
            played.deals[case.name] = _offer(w, firm, case)
        w.init()  # after the offers, so that the products are there which rules name
        for deal in played.deals.values():
            w.crm("win", deal=deal)
        report = w.run()
        assert report.exit_code in (0, 1), (report.stopped_by, report.issues)
        for step in firm.then:
            report = _go_on(w, firm, step, played)
        _read(w, played, report)
        return played
    finally:
        w.close()


def _options(firm: Firm) -> dict[str, Any]:
    """What the World is made of; the sandbox's own options are texts in the table."""
    return {
        "region": firm.region,
        "start": _noon(firm, firm.today),
        "ledger": _typed(firm.ledger),
        "crm": {"currency": CURRENCY[firm.region], **_typed(firm.crm)},
        "config": {
            **firm.config,
            "invoices": {
                "won_since": (date.fromisoformat(firm.today) - timedelta(days=20)).isoformat(),
                **firm.config.get("invoices", {}),
            },
            "guard": {"times_largest": "1000000000", **firm.config.get("guard", {})},
        },
    }


def _noon(firm: Firm, day: str) -> datetime:
    local = datetime.fromisoformat(f"{day}T12:00:00")
    return local.replace(tzinfo=ZoneInfo(ZONES[firm.region])).astimezone(UTC)


def _set_up(w: World, firm: Firm) -> None:
    for act, payload in firm.books:
        w.books(act, **_typed(payload))
    for act, payload in firm.people:
        w.crm(act, **_typed(payload))


def _offer(w: World, firm: Firm, case: Case) -> int:
    """The customer, what the ledger knows of it, and the deal, not yet won."""
    deal = {"title": case.name, "currency": CURRENCY[firm.region], **_typed(case.deal)}
    if not {"org", "person"} & set(deal):
        deal["org"] = case.customer.get("name", CUSTOMERS[len(w.crm_state()["organizations"])])
        w.crm("create_org", **{**_typed(case.customer), "name": deal["org"]})
    elif "person" in deal:
        w.crm("create_person", name=deal["person"])
    if case.contact:
        w.books("create_contact", fields={"Name": deal["org"], **_typed(case.contact)})
    return int(w.crm("create_deal", **deal)["id"])


def _go_on(w: World, firm: Firm, step: dict[str, Any], played: Played) -> BatchReport:
    """A later day: what people did, and two batches, the second after the ledger's patience."""
    if "day" in step:
        w.time.set(_noon(firm, step["day"]))
    for act, payload in step.get("books", []):
        w.books(act, **_typed(_named(w, payload, played)))
    for act, payload in step.get("people", []):
        w.crm(act, **_typed(_named(w, payload, played)))
    w.run()
    w.advance(PATIENCE)
    return w.run()


def _named(w: World, payload: dict[str, Any], played: Played) -> dict[str, Any]:
    """`case: NAME` in a step becomes the deal's id or its newest invoice's."""
    given = dict(payload)
    if "invoice_of" in given:
        key = f"SJ-{played.deals[given.pop('invoice_of')]}-{given.pop('part', '')}"
        given["invoice"] = [i["id"] for i in w.invoices() if key in (i["url"] or "")][-1]
    if "deal_of" in given:
        given["deal"] = played.deals[given.pop("deal_of")]
    return given


def _read(w: World, played: Played, report: BatchReport) -> None:
    face = Face(w.base)
    try:
        played.invoices, played.templates = face.invoices(), face.templates()
    finally:
        face.close()
    for issue in report.issues:
        kind, _, number = issue.subject.partition(":")
        if kind == "deal" and number.isdigit():
            played.codes.setdefault(int(number), set()).add(issue.code)
    for deal in played.deals.values():
        played.told[deal] = w.deal_fields(deal)


def _typed(value: Any, key: str = "") -> Any:
    """Numbers and truths as JSON has them, where people type such."""
    if isinstance(value, dict):
        return {k: _typed(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_typed(v, key) for v in value]
    if value in _YES_NO:
        return _YES_NO[value]
    if key in _NUMBERS and _NUMBER.fullmatch(value):
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return None if value == "~" else value


def wrong(case: Case, firm: Firm, played: Played) -> list[str]:
    """What of the case is not as the table says; nothing, it is hoped."""
    deal = played.deals[case.name]
    found, codes = played.invoices.get(deal, []), played.codes.get(deal, set())
    expected = {code for code in (case.held, case.issue) if code}
    told = played.told[deal]
    words = [] if codes == expected else [f"issues {sorted(codes)}, not {sorted(expected)}"]
    if case.held and told.get("Invoice status") != "held":
        words.append(f"the deal says {told.get('Invoice status')!r}, not held")
    words += [
        f"the deal's {name} is {told.get(name)!r}, not {value!r}"
        for name, value in case.told.items()
        if str(told.get(name)) != value
    ]
    invoices = wanted(case, firm)
    if len(found) != len(invoices):
        return [*words, f"{len(found)} invoices, not {len(invoices)}"]
    for number, (one, ours) in enumerate(zip(found, invoices, strict=True), 1):
        words += [f"invoice {number}: {w}" for w in _differences(one, ours)]
    templates, ours = played.templates.get(deal, []), wanted_templates(case, firm)
    if len(templates) != len(ours):
        words.append(f"{len(templates)} repeating invoices, not {len(ours)}")
    for one, our in zip(templates, ours, strict=False):
        words += [f"the repeating invoice: {w}" for w in _differences(one, our)]
    return words


def _differences(found: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    words = [
        f"{name} is {found[name]!r}, not {ours[name]!r}"
        for name in _TEXTS
        if name in ours and found[name] != ours[name]
    ]
    words += [
        f"{name} is {found[name]!r}, not {ours[name]!r}"
        for name in _NAMED
        if name in ours and found[name] != ours[name].replace("{key}", found["key"])
    ]
    words += [
        f"{name} is {_money(found[name])}, not {ours[name]}"
        for name in (*_SUMS, "rate", "period")
        if name in ours and found[name] != Fraction(ours[name])
    ]
    if "words" not in ours and found.get("words"):
        words.append(f"it has the words {found['words']}")
    if len(found["lines"]) != len(ours["lines"]):
        texts = [line["text"] for line in found["lines"]]
        return [*words, f"{len(texts)} lines, not {len(ours['lines'])}: {texts}"]
    for number, (line, our) in enumerate(zip(found["lines"], ours["lines"], strict=True), 1):
        words += [f"line {number}: {w}" for w in _line_differences(line, our)]
    return words


def _line_differences(found: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    words = [
        f"{name} is {found[name]!r}, not {ours[name]!r}"
        for name in _LINE_TEXTS
        if name in ours and found[name] != ours[name]
    ]
    words += [
        f"{name} is {_money(found[name])}, not {ours[name]}"
        for name in _LINE_SUMS
        if found[name] != Fraction(ours[name])
    ]
    off = ours["discount"]
    kind, amount = ("%", off[:-1]) if off.endswith("%") else ("", off or "0")
    if found["discount"] != (kind, Fraction(amount)):
        words.append(f"discount is {_money(found['discount'][1])}{found['discount'][0]}, not {off}")
    return words


def _money(value: Fraction) -> str:
    """A figure of the ledger, which has four decimals at most."""
    return f"{value.numerator * 10000 // value.denominator / 10000:.4f}"
