"""Line items: what a client sent, checked and priced, and the totals that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from syncjob.sandbox.xero.models import ZERO, Document, Line
from syncjob.sandbox.xero.wire import Element, num, round_half_up, words
from syncjob.sandbox.xero.world import Invalid, Organisation

LINE_FIELDS = words(
    "LineItemID Description Quantity UnitAmount ItemCode AccountCode AccountID TaxType "
    "TaxAmount Item LineAmount Tracking DiscountRate DiscountAmount RepeatingInvoiceID "
    "Taxability SalesTaxCodeId TaxBreakdown"
)
_TRACKING = frozenset({"TrackingCategoryID", "TrackingOptionID", "Name", "Option"})
_CLOSED_SYSTEM = ("DEBTORS", "CREDITORS", "GST", "HISTORICAL")
_LENGTHS = {"Description": 4000, "ItemCode": 30, "AccountCode": 10}
_MAX_LINE = Fraction("9999999999.99")


def price_lines(
    org: Organisation, sent: Sequence[Element], old: Sequence[Line], unitdp: int
) -> tuple[Line, ...]:
    """The lines as Xero will hold them; a LineItemID it does not know is refused."""
    known = {line.id: line for line in old}
    return tuple(_line(org, element, known, unitdp) for element in sent)


def _line(org: Organisation, sent: Element, known: dict[str, Line], unitdp: int) -> Line:
    line_id = sent.uuid("LineItemID")
    before = known.get(line_id) if line_id else None
    if line_id and before is None:
        raise Invalid("The LineItemID provided does not belong to this document")
    base = before or Line(org.entropy.uuid(), "", ZERO, ZERO, None, "", ZERO, ZERO)
    if before is None and set(sent.raw) == {"Description"}:
        return replace(base, description=_texts(org, base, sent, False).description)
    line = _with_item(org, _texts(org, base, sent, before is None), sent)
    line = _amounts(line, sent, unitdp, before is not None)
    account = _check_account(org, line)
    tax_type = line.tax_type or account or org.region.none_tax
    _check_tax(org, tax_type, line.account_code)
    return replace(line, tax_type=tax_type)


def _texts(org: Organisation, base: Line, sent: Element, fresh: bool) -> Line:
    for name, limit in _LENGTHS.items():
        if len(sent.text(name) or "") > limit:
            raise Invalid(f"The {name} field must not exceed {limit} characters.")
    account = sent.text("AccountCode")
    by_id = sent.uuid("AccountID")
    if account is None and by_id is not None:
        found = org.accounts.get(by_id)
        account = found.code if found else by_id
    tracking = sent.objects("Tracking", _TRACKING)
    if tracking is not None and len(tracking) > 2:
        raise Invalid("Only 2 tracking categories can be used on a line item")
    return replace(
        base,
        description=base.description
        if "Description" not in sent
        else sent.text("Description") or "",
        item_code=sent.text("ItemCode") if "ItemCode" in sent else base.item_code,
        account_code=account if account is not None else base.account_code,
        tax_type=_or(sent.text("TaxType"), base.tax_type),
        tracking=base.tracking if tracking is None else tuple(_tracked(org, t) for t in tracking),
        quantity=Fraction(1) if fresh else base.quantity,
    )


def _or(sent: str | None, kept: str) -> str:
    return kept if sent is None else sent


def _tracked(org: Organisation, sent: Element) -> dict[str, str]:
    for category in org.tracking:
        named = sent.text("Name") in (None, category["Name"])
        if named and sent.uuid("TrackingCategoryID") in (None, category["TrackingCategoryID"]):
            for option in category["Options"]:
                if sent.text("Option") == option["Name"] or (
                    sent.uuid("TrackingOptionID") == option["TrackingOptionID"]
                ):
                    return {
                        "Name": category["Name"],
                        "Option": option["Name"],
                        "TrackingCategoryID": category["TrackingCategoryID"],
                        "TrackingOptionID": option["TrackingOptionID"],
                    }
    raise Invalid("The tracking category or option does not exist")


def _with_item(org: Organisation, line: Line, sent: Element) -> Line:
    """An item fills what the line leaves open; explicit fields win (facts: xero, 3)."""
    if not line.item_code:
        return line
    item = org.item(line.item_code)
    if item is None:
        raise Invalid(f"Item code '{line.item_code}' is not valid")
    fill = "UnitAmount" not in sent and "LineItemID" not in sent and item.price is not None
    return replace(
        line,
        description=line.description or item.description or item.name,
        account_code=line.account_code or item.account_code,
        tax_type=line.tax_type or item.tax_type or "",
        unit_amount=item.price if fill and item.price is not None else line.unit_amount,
    )


def _amounts(line: Line, sent: Element, unitdp: int, update: bool) -> Line:
    quantity, unit = sent.number("Quantity"), sent.number("UnitAmount")
    amount, rate, off = (
        sent.number("LineAmount"),
        sent.number("DiscountRate"),
        sent.number("DiscountAmount"),
    )
    if rate is None and off is None and update:
        rate, off = line.discount_rate, line.discount_amount
    if rate is not None and off is not None and "DiscountRate" in sent and "DiscountAmount" in sent:
        raise Invalid("Only one of DiscountRate or DiscountAmount can be specified on a line item")
    if rate is not None and not 0 <= rate <= 100:
        raise Invalid("The DiscountRate must be between 0 and 100")
    quantity = line.quantity if quantity is None else round_half_up(quantity, 4)
    if unit is None and amount is not None and not update and quantity:
        unit = amount / quantity
    unit = line.unit_amount if unit is None else round_half_up(unit, unitdp)
    net, gross = _net(quantity, unit, rate, off)
    if amount is not None and round_half_up(amount) != net and "UnitAmount" in sent:
        raise Invalid(mismatch(amount, net))
    if abs(net) > _MAX_LINE:
        raise Invalid("The line amount must not exceed 9,999,999,999.99")
    return replace(
        line,
        quantity=quantity,
        unit_amount=unit,
        line_amount=net,
        discount_rate=None if rate is None else round_half_up(rate),
        discount_amount=None if off is None else round_half_up(off),
        discount=gross - net,
        given_tax=_given_tax(sent, net),
    )


def _given_tax(sent: Element, net: Fraction) -> Fraction | None:
    """A TaxAmount that a client sends stands as it is (spec, LineItem.TaxAmount)."""
    tax = sent.number("TaxAmount")
    if tax is not None and abs(tax) > abs(net):
        raise Invalid("The TaxAmount must not exceed the line amount.")
    return None if tax is None else round_half_up(tax)


def _net(
    quantity: Fraction, unit: Fraction, rate: Fraction | None, off: Fraction | None
) -> tuple[Fraction, Fraction]:
    gross = quantity * unit
    net = gross if rate is None else gross * (100 - rate) / 100
    return round_half_up(net - (off or 0)), round_half_up(gross)


def mismatch(got: Fraction, expected: Fraction) -> str:
    return f"The line total {num(got)} does not match the expected line total {num(expected)}"


def _check_account(org: Organisation, line: Line) -> str | None:
    """The account's default tax type, or None for a line without an account."""
    if not line.account_code:
        return None
    account = org.account(line.account_code)
    if account is None or account.type == "BANK" or account.system in _CLOSED_SYSTEM:
        raise Invalid(f"Account code '{line.account_code}' is not a valid code for this document.")
    if account.status != "ACTIVE":
        raise Invalid(
            f"Account code '{line.account_code}' has been archived, or has been deleted. "
            "Each line item must reference a valid account."
        )
    return account.tax_type


def _check_tax(org: Organisation, tax_type: str, account_code: str | None) -> None:
    rate = org.tax_rate(tax_type)
    if rate is None or rate.status != "ACTIVE":
        raise Invalid(f"The TaxType code '{tax_type}' does not exist or is not active.")
    account = org.account(account_code) if account_code else None
    klass = account.klass if account else "REVENUE"
    usable = {"REVENUE": rate.revenue, "EXPENSE": rate.expenses}.get(klass, True)
    if not usable:
        raise Invalid(
            f"The TaxType code '{tax_type}' cannot be used with account code "
            f"'{account_code or ''}'."
        )


def is_words(line: Line) -> bool:
    """A line item with just a description (spec, LineItem.Description): no money, no account."""
    return not line.quantity and not line.unit_amount and not line.account_code


def with_totals(org: Organisation, document: Document) -> Document:
    """Tax per line, rounded half up on the rounded line amount, then summed (facts: xero, 3)."""
    style = document.line_amount_types
    lines = tuple(replace(x, tax_amount=_tax(org, x, style)) for x in document.lines)
    amounts = sum((x.line_amount for x in lines), ZERO)
    tax = sum((x.tax_amount for x in lines), ZERO)
    subtotal = amounts - tax if style == "Inclusive" else amounts
    return replace(document, lines=lines, subtotal=subtotal, total_tax=tax, total=subtotal + tax)


def _tax(org: Organisation, line: Line, style: str) -> Fraction:
    rate = org.tax_rate(line.tax_type)
    if style == "NoTax" or rate is None:
        return ZERO
    if line.given_tax is not None:
        return line.given_tax
    if style == "Inclusive":
        return round_half_up(line.line_amount * rate.percent / (100 + rate.percent))
    return round_half_up(line.line_amount * rate.percent / 100)


def check_for_approval(document: Document) -> list[str]:
    """What keeps a document's lines from being approved.

    A discount is kept to 2 decimals while the line amount was made with all of them, so a line
    whose stored figures no longer agree cannot be approved (the vendor's forum and Xero-Net 198).
    """
    errors = []
    for line in document.lines:
        if is_words(line):
            continue
        if not line.description:
            errors.append("The description field is mandatory for each line item.")
        if not line.account_code:
            errors.append("Account code '' is not a valid code for this document.")
        net, _ = _net(line.quantity, line.unit_amount, line.discount_rate, line.discount_amount)
        if net != line.line_amount:
            errors.append(mismatch(line.line_amount, net))
    return errors
