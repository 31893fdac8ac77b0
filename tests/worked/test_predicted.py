"""Issue 5, "What it must show", 2: what we predict is what the ledger's own arithmetic gives.

Random drafts leave as the very bytes that the connector forms; the sandbox, which computes in
fractions and knows nothing of syncjob, reads them and adds them up.
"""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncjob.core.actions import Action
from syncjob.core.records import InvoiceLine
from syncjob.core.rules.arithmetic import predict
from syncjob.sandbox.kernel import Request
from tests.connectors.xero_kit import connector, create, line
from tests.sandbox.xero_support import ROOT, World

#: Rates that no country has, and those of the four regions, with up to four decimals.
PERCENTS = ("0", "5", "10", "15", "19", "20", "7.25", "8.875", "9.975", "3.3333", "99.9999", "100")
CODES = [f"TAX9{number:02}" for number in range(len(PERCENTS))]
RATES = dict(zip(CODES, map(Decimal, PERCENTS), strict=True))


def numbers(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


#: Half cents are where roundings part: prices that end in 5 beside any others.
PRICES = numbers("0", "99999", 4) | numbers("0", "999", 3).map(lambda p: p + Decimal("0.0005"))
COMMON = {
    "quantity": numbers("0.0001", "999", 4) | st.integers(1, 50).map(Decimal),
    "unit_price": PRICES,
    "tax_code": st.sampled_from(CODES),
}
LINES = st.lists(
    st.builds(line, **COMMON)
    | st.builds(line, **COMMON, discount_percent=numbers("0", "100", 2))
    | st.builds(line, **COMMON, discount_amount=numbers("0", "9", 2))
    | st.builds(line, unit_price=numbers("-99", "-0.01", 2), tax_code=st.sampled_from(CODES)),
    min_size=1,
    max_size=6,
)
KINDS = st.sampled_from(["exclusive", "inclusive", "no_tax"])


@cache
def ledger() -> tuple[World, str]:
    """A sandbox with these rates and a customer."""
    w = World()
    for code, percent in RATES.items():
        w.act("add_tax_rate", name=f"{percent}%", tax_type=code, percent=str(percent))
    return w, w.contact("Acme")


def stored(w: World, actions: list[Action]) -> list[dict[str, Any]]:
    """What the ledger answers to the bytes that the connector forms for these drafts."""
    found = []
    for prepared in connector().prepare(actions):
        sent, parts = prepared.request, urlsplit(prepared.request.url)
        headers = (*sent.headers, ("Authorization", f"Bearer {w.token}"))
        path = f"{ROOT}/{parts.path.rsplit('/', 1)[1]}"
        query = tuple(parse_qsl(parts.query))
        reply = w.host.exchange(Request(sent.method, path, query, headers, sent.body))
        assert reply.status == 200, reply.body
        found += json.loads(reply.body, parse_float=Fraction, parse_int=Fraction)["Invoices"]
    return found


@settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(st.lists(st.tuples(LINES, KINDS), min_size=1, max_size=12))
def test_the_ledgers_own_arithmetic_gives_what_was_predicted(
    rows: list[tuple[list[InvoiceLine], Any]],
) -> None:
    w, customer = ledger()
    pairs = [(tuple(lines), kind) for lines, kind in rows]
    pairs = [(lines, kind) for lines, kind in pairs if predict(lines, kind, RATES).total > 0]
    drafts = [
        create(number, lines=lines, line_amounts=kind, contact_id=customer)
        for number, (lines, kind) in enumerate(pairs, 1)
    ]
    for (lines, kind), made in zip(pairs, stored(w, drafts), strict=True):
        assert made.get("HasErrors") in (False, None), made
        foreseen = predict(lines, kind, RATES)
        for name, key in (("sub_total", "SubTotal"), ("total_tax", "TotalTax"), ("total", "Total")):
            assert Fraction(getattr(foreseen, name)) == made[key], (name, lines, kind)
        amounts = [(Fraction(s.amount), Fraction(s.tax)) for s in foreseen.lines]
        assert [(x["LineAmount"], x["TaxAmount"]) for x in made["LineItems"]] == amounts
