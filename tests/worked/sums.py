"""The sums of the worked invoices, in fractions: `python -m tests.worked.sums [--write]`.

Imports nothing of syncjob or of its sandbox, so that the three can disagree. The rule is Xero's
(facts: xero, 3): quantity times price less the discount, rounded half up to two decimals; the tax
on that rounded amount, or in it, rounded half up; totals are sums of rounded figures.
A published example that comes out otherwise must say why in `source.differs`.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import yaml

HERE = Path(__file__).parent
CENT = Fraction(1, 100)
SUMS = ("sub_total", "total_tax", "total")


class _Plain(yaml.SafeDumper):
    """Writes texts as they are: 25.60 stays 25.60, without quotes, and nothing is an alias."""

    yaml_implicit_resolvers: ClassVar[dict[Any, Any]] = {}

    def ignore_aliases(self, data: Any) -> bool:
        return True


def cents(exact: Fraction) -> Fraction:
    """To the cent, half away from zero."""
    units = (2 * abs(exact) / CENT + 1) // 2
    return units * CENT if exact >= 0 else -units * CENT


def text(amount: Fraction) -> str:
    """A sum of cents with its two decimals."""
    units = amount / CENT
    assert units.denominator == 1, amount
    sign = "-" if units < 0 else ""
    return f"{sign}{abs(units.numerator) // 100}.{abs(units.numerator) % 100:02d}"


def number(value: Any) -> Fraction:
    return Fraction(str(value).replace(",", ""))


def percents() -> dict[str, Fraction]:
    """Each rate's percentage by its name: the regions' own, and those that firms add."""
    found = yaml.load((HERE / "rates.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return {name: number(percent) for name, percent in found.items()}


def line_sums(line: dict[str, Any], amounts: str, rates: dict[str, Fraction]) -> tuple[str, str]:
    """A line's amount and its tax."""
    gross = number(line.get("quantity", 1)) * number(line["price"])
    discount = str(line.get("discount") or "0")
    if discount.endswith("%"):
        exact = gross * (100 - number(discount[:-1])) / 100
    else:
        exact = gross - number(discount)
    amount = cents(exact)
    if amounts == "NoTax" or not line.get("tax"):
        return text(amount), "0.00"
    rate = rates[line["tax"]]
    base = 100 + rate if amounts == "Inclusive" else Fraction(100)
    return text(amount), text(cents(amount * rate / base))


def invoice_sums(invoice: dict[str, Any], rates: dict[str, Fraction]) -> None:
    """Puts the figures into the invoice: of each line, and of the whole."""
    amounts = invoice.get("amounts", "Exclusive")
    for line in invoice["lines"]:
        line["amount"], line["of_tax"] = line_sums(line, amounts, rates)
    net = sum((number(line["amount"]) for line in invoice["lines"]), Fraction(0))
    tax = sum((number(line["of_tax"]) for line in invoice["lines"]), Fraction(0))
    net -= tax if amounts == "Inclusive" else 0
    figures = zip(SUMS, (net, tax, net + tax), strict=True)
    invoice.update({name: text(figure) for name, figure in figures})


def documents(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The invoices and templates of a case."""
    one = [case["invoice"]] if "invoice" in case else []
    return one + list(case.get("invoices", [])) + list(case.get("repeating", []))


def against_source(case: dict[str, Any]) -> list[str]:
    """Where a published figure is another than ours, without a word why."""
    source, wrong = case.get("source") or {}, []
    says = source.get("says") or {}
    ours = [document for document in documents(case) if document.get("lines")]
    for name, published in says.items():
        if name in SUMS and number(ours[0][name]) != number(published):
            wrong.append(f"{name}: {ours[0][name]} here, {published} published")
        if name == "amounts" and [x["amount"] for x in ours[0]["lines"]] != published:
            wrong.append(f"amounts: {[x['amount'] for x in ours[0]['lines']]}, not {published}")
        if name in ("date", "due") and ours[0].get(name) != published:
            wrong.append(f"{name}: {ours[0].get(name)} here, {published} published")
    if bool(wrong) != bool(source.get("differs")):
        return wrong or ["says that it differs, and does not"]
    return []


def checked(path: Path, rates: dict[str, Fraction]) -> tuple[dict[str, Any], list[str]]:
    """The file with its figures as they must be, and what was wrong in it."""
    found = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    before, wrong = yaml.dump(found, Dumper=_Plain), []
    for case in found["cases"]:
        for document in documents(case):
            invoice_sums(document, rates)
        wrong += [f"{path.name}: {case['name']}: {words}" for words in against_source(case)]
    if yaml.dump(found, Dumper=_Plain) != before:
        wrong.append(f"{path.name}: its figures are not those of this script")
    return found, wrong


def write(path: Path, found: dict[str, Any]) -> None:
    """The file anew; its first lines of comment stay."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = "".join(f"{line}\n" for line in lines[: _comment_lines(lines)])
    body = yaml.dump(
        found, Dumper=_Plain, sort_keys=False, width=98, allow_unicode=True, default_flow_style=None
    )
    path.write_text(head + body, encoding="utf-8")


def _comment_lines(lines: list[str]) -> int:
    return next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))


def main(argv: list[str]) -> int:
    rates, wrong = percents(), []
    for path in sorted((HERE / "cases").glob("*.yaml")):
        found, words = checked(path, rates)
        if "--write" in argv:
            write(path, found)
            words = [w for w in words if not w.endswith("of this script")]
        wrong += words
    print("\n".join(wrong) or "every figure is that of the fractions")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
