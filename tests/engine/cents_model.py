"""What a bookkeeper expects of one deal's invoice, in fractions; imports nothing of syncjob.

From the deal as the CRM holds it and the firm's config follow the reasons for which it must be
held, or the lines and totals that its draft must have and whether they agree with the deal's own
value (BOOKKEEPING, "Tax" and "Money"; facts: xero, 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.engine.world import World

#: Percent -> the rate's name, and the default of the sales account, for each region.
RATES: dict[str, dict[str, str]] = {
    "AU": {"10": "GST on Income", "0": "GST Free Income"},
    "NZ": {"15": "15% GST on Income", "0": "Zero Rated"},
    "UK": {"20": "20% (VAT on Income)", "5": "5% (VAT on Income)", "0": "Zero Rated Income"},
    "US": {"8.875": "Sales Tax 8.875%", "0": "Tax Exempt"},
}
DEFAULT = {"AU": "10", "NZ": "15", "UK": "20", "US": "0"}
FREE = {"AU": "EXEMPTOUTPUT", "NZ": "ZERORATED", "UK": "ZERORATEDOUTPUT", "US": "NONE"}
#: The customer that a firm may have exempted.
EXEMPT = "Customer 0"
BASE = {"AU": "AUD", "NZ": "NZD", "UK": "GBP", "US": "USD"}
FOREIGN = ("EUR", "JPY", "BHD")
NOT_ENABLED = "CAD"
LINE_MAX = Fraction("9999999999.99")
#: Figures of which the ledger keeps four decimals; what needs more is billed at its own sum.
FINE = ("quantity", "item_price")
METHODS = {"exclusive": "exclusive", "inclusive": "inclusive", "none": "no_tax"}


class Rate(NamedTuple):
    """A tax rate of the ledger."""

    name: str
    percent: Fraction


@dataclass(frozen=True)
class Firm:
    """One firm: where it is, how it is configured, and how its CRM answers the open questions."""

    region: str
    amounts: str
    value_is: str | None
    overrule: bool
    rules: bool
    one_line: bool
    per_unit: bool
    value_with_tax: bool
    full: bool
    registered: bool = True
    spread: bool = False  # a discount of the whole deal is spread over its lines
    exempt: bool = False  # the first customer has a tax of its own in the ledger: none

    @property
    def base(self) -> str:
        return BASE[self.region]

    def world(self) -> dict[str, Any]:
        """The options of its `World`."""
        rules = [
            {"name": f"at {percent}", "when": {"percent": percent}, "rate": name}
            for percent, name in RATES[self.region].items()
        ]
        invoices = {
            "status": "authorised" if self.full else "draft",
            "value_is": self.value_is,
            "description": "{name}\n{description}",
            "deal_discount": "spread" if self.spread else "own_line",
            "without_products": "one_line" if self.one_line else "hold",
            "tax": {
                "amounts": self.amounts,
                "overrule_crm": self.overrule,
                "rules": rules if self.rules else [],
            },
        }
        if self.value_is is None:
            del invoices["value_is"]
        return {
            "region": self.region,
            "ledger": {"extra_currencies": FOREIGN},
            "crm": {
                "currency": self.base,
                "amount_discount": "unit" if self.per_unit else "line",
                "value_includes_tax": self.value_with_tax,
            },
            "config": {
                "mode": "full" if self.full else "drafts_only",
                "invoices": invoices,
                "guard": {"times_largest": "1000000000000"},
            },
        }


def prepare(firm: Firm, w: World) -> None:
    """What finance has set in the ledger before the first batch."""
    if not firm.registered:
        w.books("set_tax_basis", basis="NONE")
    if firm.exempt:
        fields = {"Name": EXEMPT, "AccountsReceivableTaxType": FREE[firm.region]}
        w.books("create_contact", fields=fields)


@dataclass
class Expected:
    """Why the deal must be held (any of these codes), or what its draft must say."""

    holds: set[str] = field(default_factory=set)
    lines: list[Fraction] = field(default_factory=list)
    sub_total: Fraction = Fraction(0)
    total: Fraction = Fraction(0)
    doubt: bool = False


def rounded(value: Fraction, digits: int = 2) -> Fraction:
    """Half away from zero."""
    scaled = abs(value) * 10**digits + Fraction(1, 2)
    return Fraction(
        (1 if value >= 0 else -1) * (scaled.numerator // scaled.denominator), 10**digits
    )


def exact(value: Any) -> Fraction:
    """A number of the control door, by its shortest text."""
    return Fraction(str(value))


def expect(
    firm: Firm, deal: dict[str, Any], customer: str, rows: list[Any], discounts: list[Any]
) -> Expected:
    """The judgement on one deal as the CRM holds it."""
    made = Expected()
    free = firm.exempt and customer == EXEMPT
    if deal["currency"] == NOT_ENABLED:
        made.holds.add("currency_not_enabled")
    live = [row for row in rows if row["is_enabled"]]
    if not live:
        return _from_value(firm, deal, made, free)
    kind = _kind(firm, live, made)
    rates = [_row(firm, row, kind, made, free) for row in live]
    if made.holds:
        return made
    made.lines = [_amount(firm, row) for row in live]
    if sum(exact(row["sum"]) for row in live) != exact(deal["value"]):
        _discount(firm, discounts, made, rates)
    return made if made.holds else _totals(firm, deal, made, rates, kind)


def _from_value(firm: Firm, deal: dict[str, Any], made: Expected, free: bool) -> Expected:
    if not firm.one_line:
        made.holds.add("no_products")
    elif firm.value_is is None:
        made.holds.add("value_is_missing")
    kind = "inclusive" if firm.value_is == "gross" else "exclusive"
    kind = "no_tax" if firm.amounts == "no_tax" else kind
    if abs(exact(deal["value"])) > LINE_MAX:
        made.holds.add("amount_too_large")
    made.lines = [rounded(exact(deal["value"]))]
    return _totals(firm, deal, made, [_rate(firm, None, kind, made, free)], kind)


def _kind(firm: Firm, rows: list[Any], made: Expected) -> str:
    if firm.amounts == "as_deal":
        return METHODS[rows[0]["tax_method"]]
    told = {r["tax_method"] for r in rows if exact(r["tax"])} - {"none"}
    if not firm.overrule and firm.amounts != "no_tax" and told - {firm.amounts}:
        made.holds.add("tax_method_differs")
    return firm.amounts


def _row(firm: Firm, row: Any, kind: str, made: Expected, free: bool) -> Rate:
    """The row's tax rate in the ledger; adds the reasons for which it holds the deal."""
    tax, quantity, price = exact(row["tax"]), exact(row["quantity"]), exact(row["item_price"])
    if row["billing_frequency"] != "one-time":
        made.holds.add("recurring_line")
    if not rounded(quantity, 4):
        made.holds.add("zero_quantity")
    if row["discount_type"] == "percentage" and not 0 <= exact(row["discount"]) <= 100:
        made.holds.add("discount_invalid")
    parts = (quantity, price, quantity * price, _off(firm, row))
    if max(map(abs, parts)) > LINE_MAX:
        made.holds.add("amount_too_large")
    if _unclear(row):
        made.holds.add("line_doubt")
    rate = _rate(firm, tax, kind, made, free)
    asked = tax != rate.percent and tax and (kind != "no_tax" or firm.amounts == "no_tax")
    if asked and not firm.overrule:
        made.holds.add("tax_differs")
    return rate


def _rate(firm: Firm, tax: Fraction | None, kind: str, made: Expected, free: bool) -> Rate:
    """The customer's own rate, else the rule for this percentage, else the account's."""
    known = {Fraction(percent): name for percent, name in RATES[firm.region].items()}
    usual = Fraction(DEFAULT[firm.region])
    if kind == "no_tax":
        return Rate("", Fraction(0))
    rate = Rate("Tax on Sales" if firm.region == "US" else known[usual], usual)
    if free:
        rate = Rate(known[Fraction(0)], Fraction(0))
    elif firm.rules and tax in known:
        rate = Rate(known[tax], tax)
    if rate.percent and not firm.registered:
        made.holds.add("tax_unregistered")
    return rate


def _off(firm: Firm, row: Any) -> Fraction:
    """The discount amount on the whole line; 0 for a percentage."""
    if row["discount_type"] == "percentage":
        return Fraction(0)
    return exact(row["discount"]) * (exact(row["quantity"]) if firm.per_unit else 1)


def _unclear(row: Any) -> bool:
    """Whether the row's sum can be read both ways: a discount per unit, and one per line."""
    off, quantity = exact(row["discount"]), exact(row["quantity"])
    if row["discount_type"] == "percentage" or not off or off == off * quantity:
        return False
    gross, tax = quantity * exact(row["item_price"]), exact(row["tax"]) / 100
    factors = {"exclusive": [1, 1 + tax], "inclusive": [1, 1 / (1 + tax)], "none": [1]}
    digits = {"JPY": 0, "BHD": 3}.get(row["currency"], 2)
    half = Fraction(1, 2 * 10**digits)
    fits = [
        any(abs(net * f - exact(row["sum"])) <= half for f in factors[row["tax_method"]])
        for net in (gross - off, gross - off * quantity)
    ]
    return all(fits)


def _amount(firm: Firm, row: Any) -> Fraction:
    """What the line comes to, with every decimal of its price and quantity."""
    gross = exact(row["quantity"]) * exact(row["item_price"])
    if row["discount_type"] == "percentage":
        percent = exact(row["discount"])
        off = gross * percent / 100
        if percent == rounded(percent):
            return rounded(gross - off)
    else:
        off = _off(firm, row)
    amount = rounded(gross - off)
    # Sent as whole cents, which take nothing but half a cent too much or too little from half a
    # cent: it stays a cent.
    fine = any(exact(row[name]) != rounded(exact(row[name]), 4) for name in FINE)
    halved = (gross * 100) % 1 == Fraction(1, 2) and off <= gross and not fine
    return Fraction(1, 100) if not amount and halved else amount


def _discount(firm: Firm, discounts: list[Any], made: Expected, rates: list[Rate]) -> None:
    """The deal's own discounts, each a line of its own, or all taken off the lines."""
    before, offs = sum(made.lines, Fraction(0)), []
    for discount in discounts:
        amount = exact(discount["amount"])
        part = discount["type"] == "percentage"
        off = before * amount / 100 if part else amount
        if off < 0 or (part and not 0 <= amount <= 100):
            made.holds.add("discount_invalid")
        offs.append(rounded(off))
    if firm.spread:
        _spread(sum(offs, Fraction(0)), made)
        return
    made.lines += [-off for off in offs if off]
    if any(offs) and len(set(rates)) > 1:
        made.holds.add("discount_mixed_tax")


def _spread(off: Fraction, made: Expected) -> None:
    """The sum of the discounts in proportion to the lines above zero, in whole cents: each rounded
    down, and the cents that are left one by one to the largest remainders, the first of equals."""
    weights = [max(line, Fraction(0)) for line in made.lines]
    whole = sum(weights, Fraction(0))
    if off > whole:
        made.holds.add("discount_invalid")
    if off > whole or not whole or off <= 0:
        return
    exact_cents = [off * weight / whole * 100 for weight in weights]
    cents = [share.numerator // share.denominator for share in exact_cents]
    left = int(off * 100 - sum(cents))
    by_remainder = sorted(range(len(cents)), key=lambda n: (cents[n] - exact_cents[n], n))
    for n in by_remainder[:left]:
        cents[n] += 1
    made.lines = [line - Fraction(c, 100) for line, c in zip(made.lines, cents, strict=True)]


def _totals(
    firm: Firm, deal: dict[str, Any], made: Expected, rates: list[Rate], kind: str
) -> Expected:
    rates = rates + rates[:1] * (len(made.lines) - len(rates))
    pairs = [(line, rate.percent) for line, rate in zip(made.lines, rates, strict=True)]
    amounts = sum(made.lines, Fraction(0))
    if kind == "inclusive":  # no_tax has rates of 0
        tax = sum((rounded(a * r / (100 + r)) for a, r in pairs), Fraction(0))
        made.sub_total, made.total = amounts - tax, amounts
    else:
        tax = sum((rounded(a * r / 100) for a, r in pairs), Fraction(0))
        made.sub_total, made.total = amounts, amounts + tax
    if made.total <= 0:
        made.holds.add("total_not_positive")
    tolerance = min(Fraction(len(made.lines), 100), Fraction(5, 100))
    sums = {"net": made.sub_total, "gross": made.total}
    wanted = [sums[firm.value_is]] if firm.value_is else list(sums.values())
    made.doubt = all(abs(exact(deal["value"]) - s) > tolerance for s in wanted)
    return made
