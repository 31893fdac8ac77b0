"""The lines of an invoice: each row of the deal priced, posted, taxed and tracked by the rules.

Rows keep the order that the deal has them in; lines from the deal's fields follow, then what is
off for the whole deal. Keeps invariant 8 (to the cent).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from syncjob.core.money import plain
from syncjob.core.policy import Invoices
from syncjob.core.policy_rules import ExtraLine
from syncjob.core.records import Account, Contact, InvoiceLine, LedgerReference, Line
from syncjob.core.rules.basis import Basis, account_of
from syncjob.core.rules.choosing import Tracked, account_for, tracking_for
from syncjob.core.rules.discounts import deal_discounts, own_line, spread
from syncjob.core.rules.extras import EXTRA, extra_rows
from syncjob.core.rules.rows import check_row, to_line
from syncjob.core.rules.tax import Choice, rate_named, tax_for
from syncjob.core.rules.texts import line_label, one_line, short
from syncjob.core.rules.when import Facts, LineFacts
from syncjob.errors import Held

#: So many lines are named where several have one reason; a person finds the others.
LABELS_TOLD_MAX = 4


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a line depends on besides itself; `texts` are what templates may show of the deal."""

    facts: Facts
    basis: Basis
    contact: Contact | None
    ledger: LedgerReference
    texts: Mapping[str, str]


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the deal as a line, with the reasons; `in_value`: the deal's value has it."""

    row: Line
    line: InvoiceLine
    account: Account
    choice: Choice | None
    because: tuple[str, ...]
    in_value: bool = True

    @property
    def is_extra(self) -> bool:
        """Whether it comes from a field of the deal, not from a product."""
        return self.row.id.startswith(EXTRA)


def made_lines(asked: Asked) -> list[Made]:
    """A line for each row, then one for each extra amount. Raises Held with the codes of rows,
    basis, choosing, tax and extras, and "item_unknown"."""
    rows = [_made(row, asked) for row in asked.basis.rows]
    return [*rows, *(_extra(extra, row, asked) for extra, row in extra_rows(asked.facts))]


def _made(row: Line, asked: Asked) -> Made:
    check_row(row)
    policy, ledger = asked.facts.policy, asked.ledger
    posted = account_for(LineFacts(line=row), asked.facts, asked.contact, ledger)
    facts = LineFacts(line=row, account=(posted.account.code, posted.account.name))
    choice = _choice(facts, posted.account, asked)
    tracked = tracking_for(facts, asked.facts, asked.contact, ledger)
    line = to_line(
        row, asked.texts, policy.description, account=posted.account.code,
        tax_code=choice.rate.code if choice else None, item=_item(row, policy, ledger),
        tracking=tuple((t.category, t.option) for t in tracked),
    )  # fmt: skip
    account = f'account {posted.account.code} "{posted.account.name}", because {posted.because}'
    why = (account, *_tax_words(choice), *_tracking_words(tracked))
    return Made(row=row, line=line, account=posted.account, choice=choice, because=why)


def _extra(extra: ExtraLine, row: Line, asked: Asked) -> Made:
    """A line whose account, and if it says so whose rate, the config names outright."""
    check_row(row)
    where = f'invoices.extra_lines "{extra.field}"'
    account = account_of(extra.account, asked.ledger.accounts, where)
    facts = LineFacts(line=row, account=(account.code, account.name))
    choice = None
    if asked.basis.line_amounts != "no_tax":
        choice = (
            rate_named(row, extra.tax, f"{where} says so", asked.ledger.tax_rates)
            if extra.tax
            else tax_for(facts, asked.facts, asked.contact, account, asked.ledger)
        )
    tracked = tracking_for(facts, asked.facts, asked.contact, asked.ledger)
    line = to_line(
        row, asked.texts, "{name}", account=account.code,
        tax_code=choice.rate.code if choice else None, item=None,
        tracking=tuple((t.category, t.option) for t in tracked),
    )  # fmt: skip
    why = (
        f'account {account.code} "{account.name}", because {where} says so',
        *_tax_words(choice),
        *_tracking_words(tracked),
    )
    return Made(
        row=row, line=line, account=account, choice=choice, because=why, in_value=extra.in_value
    )


def _choice(facts: LineFacts, account: Account, asked: Asked) -> Choice | None:
    """The tax of a line, None on an invoice without tax. Raises Held "tax_differs"."""
    tax, row = asked.facts.policy.tax, facts.line
    if asked.basis.line_amounts != "no_tax":
        return tax_for(facts, asked.facts, asked.contact, account, asked.ledger)
    if row.tax_percent and tax.amounts == "no_tax" and not tax.overrule_crm:
        raise Held(
            "tax_differs",
            f"The {line_label(row)} has {plain(row.tax_percent)}% tax in the CRM, but "
            "invoices.tax.amounts says no_tax.",
            field="tax",
            next_step="Correct the line's tax in the CRM, or set invoices.tax.amounts.",
        )
    return None


def _item(row: Line, policy: Invoices, ledger: LedgerReference) -> str | None:
    """The ledger's item of the row's product code; items are never created by us."""
    code = one_line(row.sku)
    if policy.item_code != "sku" or not code:
        return None
    if code in ledger.items:
        return code
    if policy.unknown_items == "leave_out":
        return None
    raise Held(
        "item_unknown",
        f'The {line_label(row)} has the product code "{short(code)}", which is no item of the '
        "ledger.",
        field="sku",
        next_step="Add the item in the ledger, correct the code in the CRM, or set "
        "invoices.unknown_items: leave_out.",
    )


def discounted(made: list[Made], asked: Asked) -> list[InvoiceLine]:
    """The lines of the deal's own rows after its discounts as a whole; the value of a deal without
    products is after its discounts. Raises Held with the codes of discounts."""
    deal, policy = asked.facts.deal, asked.facts.policy
    own = [m.line for m in made if not m.is_extra]
    offs = deal_discounts(deal, own) if deal.lines else []
    if offs and policy.deal_discount == "spread":
        return spread(own, offs)
    account = account_of(policy.account, asked.ledger.accounts).code if offs else ""
    return [*own, *(own_line(own, off, account) for off in offs)]


def rates_of(made: Iterable[Made]) -> dict[str, Decimal]:
    """Tax code -> percent of all that these lines bear."""
    return {m.choice.rate.code: m.choice.rate.percent for m in made if m.choice}


def reasons(made: list[Made]) -> list[str]:
    """Which rule gave what, one text a reason, each with the lines that it is about."""
    found: dict[str, list[str]] = {}
    for number, one in enumerate(made, 1):
        for why in one.because:
            found.setdefault(why, []).append(f"{number} ({short(one_line(one.row.name))})")
    return [f"{_labels(labels, len(made))}: {why}" for why, labels in found.items()]


def _labels(labels: list[str], count: int) -> str:
    if len(labels) == count:
        return "each line" if count > 1 else f"line {labels[0]}"
    more = f" and {len(labels) - LABELS_TOLD_MAX} more" if len(labels) > LABELS_TOLD_MAX else ""
    return f"line {', '.join(labels[:LABELS_TOLD_MAX])}{more}"


def _tax_words(choice: Choice | None) -> tuple[str, ...]:
    return (f'tax "{choice.rate.name}", because {choice.because}',) if choice else ()


def _tracking_words(tracked: tuple[Tracked, ...]) -> tuple[str, ...]:
    return tuple(f'tracking {t.category} = "{t.option}", because {t.because}' for t in tracked)
