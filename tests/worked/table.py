"""The table of worked invoices: deals as sales people type them, and what the ledger must hold.

Each file of `cases/` holds firms (a region, the ledger's own settings, an excerpt of the config)
and cases: the deal in, and the invoice out or the code for which the deal is held. All values are
texts, so that no figure passes through a float. A figure that is left out has its default: see
`wanted`. The sums come from `sums.py`, which knows nothing of syncjob.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).parent / "cases"

#: What issue 5 lists; each must be shown in each of the four regions that it concerns.
THEMES = (
    "lines",
    "tax",
    "discounts",
    "terms",
    "schedules",
    "recurring",
    "currency",
    "reference, number, status",
    "to the cent",
)
REGIONS = ("AU", "NZ", "UK", "US", "GLOBAL")
CURRENCY = {"AU": "AUD", "NZ": "NZD", "UK": "GBP", "US": "USD", "GLOBAL": "EUR"}
TODAY = "2026-11-23"

#: Texts of the YAML that stand for themselves: figures stay as they are written.
_Loader = yaml.BaseLoader


@dataclass(frozen=True)
class Firm:
    """One organisation, one CRM account and one config; all its deals go through one batch."""

    name: str
    region: str
    today: str = TODAY
    config: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=dict)  # options of the sandbox
    crm: dict[str, Any] = field(default_factory=dict)
    books: list[Any] = field(default_factory=list)  # acts: [name, payload]
    people: list[Any] = field(default_factory=list)
    init: dict[str, Any] = field(default_factory=dict)
    then: list[Any] = field(default_factory=list)  # later days: {day, books, people}


@dataclass(frozen=True)
class Case:
    """A deal and what must become of it: invoices, or none and the code of its issue."""

    file: str
    name: str
    firm: str
    shows: list[str]
    deal: dict[str, Any]
    invoices: list[dict[str, Any]] = field(default_factory=list)
    repeating: list[dict[str, Any]] = field(default_factory=list)
    held: str = ""
    issue: str = ""  # the code of a note beside the invoice
    told: dict[str, str] = field(default_factory=dict)  # fields of the deal, by name
    customer: dict[str, Any] = field(default_factory=dict)
    contact: dict[str, Any] = field(default_factory=dict)  # in the ledger before
    source: dict[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """One file: its firms by name, and its cases."""

    path: Path
    firms: dict[str, Firm]
    cases: list[Case]


def raw(path: Path) -> dict[str, Any]:
    """The file as plain texts, lists and mappings."""
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    return found


def sheet(path: Path) -> Sheet:
    """The file; TypeError for a key that no case or firm has, KeyError for a firm it has not."""
    found = raw(path)
    firms = {name: Firm(name=name, **firm) for name, firm in found["firms"].items()}
    cases = []
    for row in found["cases"]:
        given = dict(row)
        if "invoice" in given:
            given["invoices"] = [given.pop("invoice")]
        case = Case(file=path.stem, **given)
        assert case.firm in firms, f"{path.name}: {case.name}: no firm {case.firm!r}"
        cases.append(case)
    return Sheet(path, firms, cases)


def sheets() -> list[Sheet]:
    """All files, by name."""
    return [sheet(path) for path in sorted(CASES.glob("*.yaml"))]


def wanted(case: Case, firm: Firm) -> list[dict[str, Any]]:
    """The case's invoices with their defaults filled in.

    A line has the quantity 1, the account 200, no discount, no item and no tracking; an invoice
    is exclusive of tax, a draft, in the firm's own currency, dated today and due 30 days later,
    without wording, and its reference is our key alone.
    """
    made = []
    for invoice in case.invoices:
        lines = [_usual_line(line) for line in invoice["lines"]]
        day = invoice.get("date", firm.today)
        made.append(
            {**_usual(firm), "date": day, "due": _net_30(day), "reference": "{key}", **invoice,
             "lines": lines}
        )  # fmt: skip
    return made


def wanted_templates(case: Case, firm: Firm) -> list[dict[str, Any]]:
    """The case's repeating invoices with the same defaults; dates they have their own."""
    return [
        {**_usual(firm), **template, "lines": [_usual_line(line) for line in template["lines"]]}
        for template in case.repeating
    ]


def _usual(firm: Firm) -> dict[str, Any]:
    return {"amounts": "Exclusive", "status": "DRAFT", "currency": CURRENCY[firm.region]}


def _usual_line(line: dict[str, Any]) -> dict[str, Any]:
    return {"quantity": "1", "account": "200", "discount": "", "item": "", "tracking": {}, **line}


def _net_30(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=30)).isoformat()


def main() -> None:
    """`python -m tests.worked.table`: how many cases show which theme in which region."""
    print(f"{'':28}" + "".join(f"{region:>8}" for region in REGIONS))
    rows = [(case, page.firms[case.firm]) for page in sheets() for case in page.cases]
    for theme in THEMES:
        counts = [sum(theme in c.shows and f.region == r for c, f in rows) for r in REGIONS]
        print(f"{theme:28}" + "".join(f"{count:8}" for count in counts))
    published = [case for case, _ in rows if case.source]
    differs = sum("differs" in case.source for case in published)
    print(f"{len(rows)} cases, {len(published)} of them published elsewhere, {differs} of which by "
          "another method")  # fmt: skip


if __name__ == "__main__":
    main()
