"""Which invoices in the ledger were made by hand for which won deals, before syncjob was there.

Only proposals: `syncjob match invoices` shows them with their reasons, and a person (or a flag
that a person gives) ties them. A pair needs the same currency and a sum that agrees or nearly
does; and the customer, or words of the deal in the invoice's reference, must tie the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from syncjob.core.records import DEAD, Deal, Invoice
from syncjob.core.review import Band
from syncjob.core.rules.matching import name_key

#: A sum so near may be the deal's after a rounding or a small correction by hand.
NEARLY_SHARE = Decimal("0.01")
NEARLY_MIN = Decimal("1.00")
#: More proposals a deal help nobody to choose.
PER_DEAL_MAX = 5
#: A title's or number's trace in a reference says nothing if it is shorter than this.
WORDS_MIN = 4

#: A word that so many invoices bear names none of them.
WORD_INVOICES_MAX = 200

#: Thousandths, by what speaks for the pair; the highest sum is 1000.
_CUSTOMER = {"linked": 350, "named": 330, "matched": 230}
_EXACT, _NEAR_SUM = 300, 120
_NAMED = 250
_DATE_BEST = 100
#: A proposal below this is not worth a person's look: a sum and a date alone meet by chance.
SCORE_MIN = 400


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """A won deal as it is compared: when it was won (in the organisation's zone), the ledger
    contacts that its customer is or may be ("linked", "named" or "matched"), and what a person
    would write into an invoice's reference: its number, its title, the customer's own number."""

    deal: Deal
    won: date | None
    contacts: Mapping[str, str] = {}
    purchase_order: str | None = None
    invoice_number: str | None = None


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """A deal and an invoice that may be its own; `score` in thousandths."""

    deal: str
    invoice: str
    score: int
    band: Band
    agrees: tuple[str, ...]
    differs: tuple[str, ...]
    because: str


class _Signs(msgspec.Struct):
    """What speaks for and against one pair while it is weighed."""

    score: int
    agrees: list[str]
    differs: list[str]
    sure: bool  # customer, sum and date leave no doubt of their own


def ties(sales: Sequence[Sale], invoices: Iterable[Invoice], *, days: int) -> list[Tie]:
    """The proposals, best first. `days` is how far the win and the invoice's date may lie apart.

    Certain is only what is the one pair of its deal and of its invoice, with the customer known,
    the sum exact and the date within reach.
    """
    live = [i for i in invoices if i.kind == "sale" and i.status not in DEAD]
    found: dict[tuple[str, str], _Signs] = {}
    for sale, invoice in _plausible(sales, live):
        signs = _weigh(sale, invoice, days)
        if signs is not None:
            found[sale.deal.id, invoice.id] = signs
    rivals = _rivals(found)
    made = [_tie(pair, signs, rivals) for pair, signs in found.items()]
    return _best(made)


def _plausible(
    sales: Sequence[Sale], invoices: Sequence[Invoice]
) -> Iterator[tuple[Sale, Invoice]]:
    """Pairs worth weighing: the customer's own invoices, and those whose words name the deal."""
    of_contact: dict[str, list[Invoice]] = {}
    by_word: dict[str, list[Invoice]] = {}
    for invoice in invoices:
        of_contact.setdefault(invoice.contact_id or "", []).append(invoice)
        for word in {*_tokens(invoice.reference), name_key(invoice.number)} - {""}:
            by_word.setdefault(word, []).append(invoice)
    for sale in sales:
        mine = {i.id: i for c in sale.contacts for i in of_contact.get(c, ())}
        for word in sorted(_trace(sale)):
            bearing = by_word.get(word, ())
            mine |= {i.id: i for i in bearing if len(bearing) <= WORD_INVOICES_MAX}
        for invoice_id in sorted(mine):
            yield sale, mine[invoice_id]


def _trace(sale: Sale) -> set[str]:
    """One word of each text by which an invoice may name the deal, enough to find it."""
    texts = (sale.purchase_order, sale.invoice_number, sale.deal.title, sale.deal.id)
    longest = (max(_tokens(text), key=lambda w: (len(w), w), default="") for text in texts)
    return {*longest, name_key(sale.invoice_number)} - {""}


def _weigh(sale: Sale, invoice: Invoice, days: int) -> _Signs | None:
    """The signs for this pair; None if it is not worth proposing."""
    if sale.deal.currency != invoice.currency:
        return None
    signs = _Signs(0, [], [], sure=True)
    if not _sum(sale, invoice, signs):
        return None
    _customer(sale, invoice, signs)
    _dated(sale, invoice, signs, days)
    _naming(sale, invoice, signs)
    return signs if signs.score >= SCORE_MIN else None


def _sum(sale: Sale, invoice: Invoice, signs: _Signs) -> bool:
    value, currency = sale.deal.value, invoice.currency
    if value is None or value <= 0:
        return False
    for sum_, what in ((invoice.total, "total"), (invoice.sub_total, "net sum")):
        if sum_ == value:
            signs.score += _EXACT
            signs.agrees.append(f"the deal's value is the invoice's {what}, {sum_:,.2f} {currency}")
            return True
    signs.sure = False
    nearest = min((invoice.total, invoice.sub_total), key=lambda s: abs(s - value))
    if abs(nearest - value) > max(NEARLY_MIN, value * NEARLY_SHARE):
        return False
    signs.score += _NEAR_SUM
    signs.differs.append(
        f"the deal's value is {value:,.2f}, the invoice says {nearest:,.2f} {currency}"
    )
    return True


_OF_CUSTOMER = {
    "linked": "the invoice is of the contact that the deal's customer is linked with",
    "named": "the invoice's contact bears the name of the deal's customer",
    "matched": "the invoice's contact looks like the deal's customer",
}


def _customer(sale: Sale, invoice: Invoice, signs: _Signs) -> None:
    how = sale.contacts.get(invoice.contact_id or "")
    signs.score += _CUSTOMER.get(how or "", 0)
    signs.sure = signs.sure and how in ("linked", "named")
    if how:
        signs.agrees.append(_OF_CUSTOMER[how])
    else:
        signs.differs.append("the invoice is of another contact than any like the customer")


def _dated(sale: Sale, invoice: Invoice, signs: _Signs, days: int) -> None:
    if invoice.date is None or sale.won is None:
        signs.sure = False
        return
    apart = abs((invoice.date - sale.won).days)
    said = f"dated {invoice.date}, the deal was won on {sale.won}"
    if apart > days:
        signs.sure = False
        signs.differs.append(f"{said}: {apart:,} days apart")
        return
    signs.score += _DATE_BEST - apart * _DATE_BEST // (days + 1)
    signs.agrees.append(said)


def _naming(sale: Sale, invoice: Invoice, signs: _Signs) -> None:
    """Whether the invoice names the deal, or the deal the invoice."""
    said = _named(sale, invoice)
    if said:
        signs.score += _NAMED
        signs.agrees.append(said)


def _named(sale: Sale, invoice: Invoice) -> str | None:
    number = name_key(sale.invoice_number)
    if number and number == name_key(invoice.number):
        return f"the deal names the invoice {invoice.number}"
    order = sale.purchase_order
    if order and _within(order, invoice.reference):
        return f"the reference has the customer's order {order!r}"
    if _within(sale.deal.title, invoice.reference):
        return "the reference has the deal's title"
    if re.search(rf"\bdeal\W{{0,3}}{re.escape(sale.deal.id)}\b", name_key(invoice.reference)):
        return f"the reference names deal {sale.deal.id}"
    return None


def _within(text: str, reference: str | None) -> bool:
    """Whether the words of the text stand in the reference, one after the other."""
    wanted, there = " ".join(_tokens(text)), " ".join(_tokens(reference))
    return len(wanted) >= WORDS_MIN and f" {wanted} " in f" {there} "


def _tokens(text: str | None) -> list[str]:
    return re.findall(r"\w+", name_key(text))


# --- among all ------------------------------------------------------------------------------------


def _rivals(found: Mapping[tuple[str, str], _Signs]) -> dict[str, list[int]]:
    """The scores of all pairs that each deal and each invoice stands in."""
    rivals: dict[str, list[int]] = {}
    for (deal, invoice), signs in found.items():
        rivals.setdefault(f"deal {deal}", []).append(signs.score)
        rivals.setdefault(f"invoice {invoice}", []).append(signs.score)
    return rivals


def _tie(pair: tuple[str, str], signs: _Signs, rivals: Mapping[str, list[int]]) -> Tie:
    deal, invoice = pair
    others = len(rivals[f"deal {deal}"]) + len(rivals[f"invoice {invoice}"]) - 2
    certain = signs.sure and not others
    if others:
        because = "Not the only pair that may be: a person must choose."
    elif certain:
        because = "The customer, the sum and the date agree, and there is no other like it."
    else:
        because = "Something of it is open: a person must look."
    return Tie(
        deal=deal, invoice=invoice, score=min(signs.score, 1000),
        band="certain" if certain else "near", agrees=tuple(signs.agrees),
        differs=tuple(signs.differs), because=because,
    )  # fmt: skip


def _best(made: Sequence[Tie]) -> list[Tie]:
    """Best first, and of each deal only the best few."""
    kept: list[Tie] = []
    seen: dict[str, int] = {}
    for tie in sorted(made, key=lambda t: (-t.score, t.deal, t.invoice)):
        seen[tie.deal] = seen.get(tie.deal, 0) + 1
        if seen[tie.deal] <= PER_DEAL_MAX:
            kept.append(tie)
    return kept
