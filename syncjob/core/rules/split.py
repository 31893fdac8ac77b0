"""One part of an invoice as lines of its own, so that all parts come to the whole, to the cent.

Net amounts sum exactly per tax rate over the parts, and the last one takes the remainder; tax and
gross may differ by a cent a line and part, because each invoice rounds its own (BOOKKEEPING,
"Money"). Prices that include tax stay inclusive: of the amounts near a part's share the one is
taken that has exactly its net amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from syncjob.core.actions import InvoiceDraft
from syncjob.core.money import ZERO, half_up
from syncjob.core.records import Invoice, InvoiceLine, LineAmounts
from syncjob.core.rules.arithmetic import HUNDRED, is_text, line_amount, line_tax
from syncjob.core.rules.rows import DESCRIPTION_LENGTH_MAX
from syncjob.core.rules.schedule import Slot

_CENT = Decimal("0.01")

#: Net amount by tax code ("" where no tax applies).
Nets = Mapping[str, Decimal]
Rates = Mapping[str, Decimal]


class Group(NamedTuple):
    """Lines that are posted alike: tax code, account and tracking. `sign` is a line without its
    words and amounts; `words` are the first lines of their descriptions."""

    sign: InvoiceLine
    net: Decimal
    amount: Decimal
    words: tuple[str, ...]


def groups_of(lines: Sequence[InvoiceLine], line_amounts: LineAmounts, rates: Rates) -> list[Group]:
    """What these lines post, in their order; lines of words alone left out."""
    found: dict[InvoiceLine, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        if not is_text(line):
            found[_sign(line)].append(line)
    return [_group(sign, same, line_amounts, rates) for sign, same in found.items()]


def by_rate(groups: Sequence[Group]) -> dict[str, Decimal]:
    """Net amounts of the whole, by tax code."""
    nets: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for group in groups:
        nets[group.sign.tax_code or ""] += group.net
    return dict(nets)


def share_of(nets: Nets, slot: Slot) -> dict[str, Decimal]:
    """A part's net amounts by tax code, as its share says."""
    share = slot.share if slot.share is not None else ZERO
    return {code: half_up(net * share / slot.whole) for code, net in nets.items()}


def left_of(nets: Nets, others: Sequence[Nets]) -> dict[str, Decimal]:
    """What the other parts leave of the whole, by tax code, those that only they have included."""
    codes = dict.fromkeys([*nets, *(code for other in others for code in other)])
    return {
        code: nets.get(code, ZERO) - sum((other.get(code, ZERO) for other in others), ZERO)
        for code in codes
    }


def invoiced(invoice: Invoice, created: InvoiceDraft | None, rates: Rates, nets: Nets) -> Nets:
    """What an invoice of the deal has invoiced, net by tax code: by the ledger's own lines, else
    by those that were sent, else spread as the whole is."""
    lines = [line for line in invoice.lines or () if line.amount]
    if lines and all(line.tax is not None for line in lines):
        return _summed(
            (line.tax_code, _net(line.amount or ZERO, line.tax or ZERO, invoice.line_amounts))
            for line in lines
        )
    if created is not None:
        return by_rate(groups_of(created.lines, created.line_amounts, rates))
    total = sum(nets.values(), ZERO)
    if not total:
        return {"": invoice.sub_total}
    spread = {code: half_up(net * invoice.sub_total / total) for code, net in nets.items()}
    last = next(reversed(spread))
    spread[last] += invoice.sub_total - sum(spread.values(), ZERO)
    return spread


def lines_for(
    nets: Nets, groups: Sequence[Group], slot: Slot, amounts: LineAmounts, rates: Rates, *,
    account: str | None = None,
) -> tuple[InvoiceLine, ...]:  # fmt: skip
    """The lines of a part with these net amounts by tax code, one for each way of posting.

    `account` is that of deposits, where they have one. Within a rate the amount is spread as the
    whole's is; the last group of the rate takes what is left.
    """
    made: dict[InvoiceLine, list[Group]] = defaultdict(list)
    for code, net in nets.items():
        same = [group for group in groups if (group.sign.tax_code or "") == code]
        for group, part in zip(same, _spread(net, same), strict=True):
            sign = msgspec.structs.replace(group.sign, account=account or group.sign.account)
            made[sign].append(group._replace(net=part))
    return tuple(
        _line(sign, parts, slot, amounts, rates, alone=len(made) == 1)
        for sign, parts in made.items()
        if sum((part.net for part in parts), ZERO)
    )


def less(
    invoice: Invoice, created: InvoiceDraft | None, amounts: LineAmounts, rates: Rates
) -> tuple[InvoiceLine, ...]:
    """The negative lines that take an earlier part off the last invoice, with its number: by their
    net amounts, since the two may write their prices with and without tax."""
    lines, theirs = (created.lines, created.line_amounts) if created else ((), amounts)
    if invoice.lines:
        lines, theirs = invoice.lines, invoice.line_amounts
    name = invoice.number or invoice.marker or invoice.id
    return tuple(
        msgspec.structs.replace(
            _sign(line), quantity=Decimal(1), unit_price=-_price(line, theirs, amounts, rates),
            description=_cut(f"Less {_first(line.description)}, invoiced as {name}"),
        )
        for line in lines
        if not is_text(line) and _amount(line)
    )  # fmt: skip


def _price(line: InvoiceLine, theirs: LineAmounts, amounts: LineAmounts, rates: Rates) -> Decimal:
    """What a line of an invoice that writes its prices so comes to where they are written so."""
    amount, percent = _amount(line), rates.get(line.tax_code or "", ZERO)
    reckoned = line_tax(amount, theirs, percent)
    net = _net(amount, reckoned if line.tax is None else line.tax, theirs)
    if amounts != "inclusive":
        return net
    same = theirs == "inclusive" and net == amount - reckoned
    return amount if same else gross_for(net, percent)


# --- amounts --------------------------------------------------------------------------------------


def _sign(line: InvoiceLine) -> InvoiceLine:
    """How a line is posted, as a line without words and amounts; an item's price is the whole's."""
    return InvoiceLine(
        description=None, quantity=Decimal(1), unit_price=ZERO, tax_code=line.tax_code,
        account=line.account, tracking=line.tracking,
    )  # fmt: skip


def _group(
    sign: InvoiceLine, lines: Sequence[InvoiceLine], amounts: LineAmounts, rates: Rates
) -> Group:
    percent = rates.get(sign.tax_code or "", ZERO)
    sums = [line_amount(line) for line in lines]
    nets = [_net(amount, line_tax(amount, amounts, percent), amounts) for amount in sums]
    words = tuple(dict.fromkeys(_first(line.description) for line in lines))
    return Group(sign, sum(nets, ZERO), sum(sums, ZERO), words)


def _amount(line: InvoiceLine) -> Decimal:
    return line.amount if line.amount is not None else line_amount(line)


def _net(amount: Decimal, tax: Decimal, amounts: LineAmounts) -> Decimal:
    return amount - tax if amounts == "inclusive" else amount


def _summed(pairs: Iterable[tuple[str | None, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for code, net in pairs:
        sums[code or ""] += net
    return dict(sums)


def _spread(net: Decimal, groups: Sequence[Group]) -> list[Decimal]:
    """An amount over the groups of one rate, in proportion to what they are of the whole."""
    total = sum((group.net for group in groups), ZERO)
    if not groups:
        return []
    parts = [half_up(net * group.net / total) if total else ZERO for group in groups]
    parts[-1] += net - sum(parts, ZERO)
    return parts


def _line(
    sign: InvoiceLine, parts: Sequence[Group], slot: Slot, amounts: LineAmounts, rates: Rates, *,
    alone: bool,
) -> InvoiceLine:  # fmt: skip
    net = sum((part.net for part in parts), ZERO)
    price = net
    if amounts == "inclusive":
        price = gross_for(net, rates.get(sign.tax_code or "", ZERO))
    words = ", ".join(dict.fromkeys(word for part in parts for word in part.words if word))
    text = f"{slot.title}: {words}" if words and not (alone and words in slot.title) else slot.title
    return msgspec.structs.replace(sign, description=_cut(text), unit_price=price)


def gross_for(net: Decimal, percent: Decimal) -> Decimal:
    """The amount with tax whose net is exactly this, when its tax is taken out of it and rounded.

    There always is one: from cent to cent the net grows by a cent or stays.
    """
    near = half_up(net * (HUNDRED + percent) / HUNDRED)
    for step in (0, 1, -1, 2, -2):
        gross = near + step * _CENT
        if gross - line_tax(gross, "inclusive", percent) == net:
            return gross
    raise ArithmeticError(f"no gross amount has the net {net} at {percent}%")


def _first(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def _cut(text: str) -> str:
    return (
        text if len(text) <= DESCRIPTION_LENGTH_MAX else text[: DESCRIPTION_LENGTH_MAX - 3] + "..."
    )
