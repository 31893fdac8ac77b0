"""The rules of an invoice as data: when each applies, and what it then says.

Every rule has a name, which `plan --why` shows, and a `when`; in each list the first rule that
matches wins. What a field of the CRM may choose stands in the rule's own list of allowed values:
no field can name an account, a tax rate or a tracking option that the config does not.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from syncjob.core.policy_base import Strict
from syncjob.core.rules.terms_text import KNOWN_FORMS, parse_terms

Supply = Literal["goods", "services"]
Evidence = Literal["wording", "credit_note"]


def _one_or_more(value: Any) -> Any:
    """`countries: NZ` is as good as `countries: [NZ]`."""
    return (value,) if isinstance(value, str) else value


def _currency(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _rate(value: Decimal) -> Decimal:
    if value <= 0 or round(value, RATE_DIGITS) != value:
        raise ValueError(f"must be a rate above 0 with at most {RATE_DIGITS} decimals")
    return value


#: Xero keeps a currency's rate with so many decimals (facts: xero, 3).
RATE_DIGITS = 6

#: An ISO code, in capitals however it is written.
Currency = Annotated[str, BeforeValidator(_currency)]
CurrencyRate = Annotated[Decimal, AfterValidator(_rate)]

#: A list of texts of which one is enough.
Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]


class DealWhen(Strict):
    """Conditions on a deal and its customer. Those that are given must all hold; of the values
    of one list, one. Names are compared without regard to case, `*` stands for any characters."""

    pipelines: Texts = ()
    labels: Texts = ()
    owners: Texts = ()
    currencies: Texts = ()
    customers: Texts = ()
    customer: Literal["organization", "person"] | None = None
    #: Where the goods go: ISO codes, names, `home`, `EU`, or a group of `invoices.places`.
    countries: Texts = ()
    #: The same, for everywhere else.
    outside: Texts = ()
    regions: Texts = ()
    tax_number: Literal["present", "missing"] | None = None
    #: Fields of the deal, by name, with the values of which each must have one.
    fields: dict[str, Texts] = Field(default={})


class LineWhen(DealWhen):
    """Conditions on one line, too."""

    products: Texts = ()
    skus: Texts = ()
    categories: Texts = ()
    supply: Supply | None = None
    percent: Decimal | None = None


class PostedWhen(LineWhen):
    """Conditions on a line whose account is known."""

    accounts: Texts = ()


class InvoiceWhen(DealWhen):
    """Conditions on the whole invoice; totals are in its own currency, tax included."""

    total_from: Decimal | None = None
    total_below: Decimal | None = None
    new_customer: bool | None = None


class Rule(Strict):
    """What all rules have."""

    name: str = Field(min_length=1)


class _Choosing(Rule):
    """A rule whose answer may stand in a field of the deal, among the values allowed here."""

    from_field: str | None = None
    allowed: Texts = ()
    force: bool = False

    def _check(self, key: str, *others: str) -> None:
        given = [name for name in (key, *others, "from_field") if getattr(self, name) is not None]
        if len(given) != 1:
            words = ", ".join((key, *others, "from_field"))
            raise ValueError(f"must have exactly one of {words}")
        if bool(self.from_field) != bool(self.allowed):
            raise ValueError("from_field and allowed stand together: the values it may choose")


class AccountRule(_Choosing):
    """The account of a line, by code or name."""

    when: LineWhen = LineWhen()
    account: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._check("account")
        return self


class TrackingRule(_Choosing):
    """The option of one tracking category on a line; first match wins in each category."""

    when: PostedWhen = PostedWhen()
    category: str
    option: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._check("option")
        return self


class TaxRule(_Choosing):
    """The tax rate of a line, by name in the ledger, or why such a line is held."""

    when: PostedWhen = PostedWhen()
    rate: str | None = None
    #: Held with these words instead: what finance must decide each time.
    hold: str | None = None
    needs_tax_number: bool = False
    #: The exact words that the invoice must bear, as a line of text below the others.
    wording: str | None = None
    branding: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        self._check("rate", "hold")
        return self


class StatusRule(Rule):
    """What an invoice ends as, within the mode."""

    when: InvoiceWhen = InvoiceWhen()
    status: Literal["draft", "authorised"]


class BrandingRule(Rule):
    """The branding theme of an invoice, by name."""

    when: InvoiceWhen = InvoiceWhen()
    branding: str


def _stated(text: str) -> str:
    if parse_terms(text) is None:
        raise ValueError(f"must state payment terms, such as {KNOWN_FORMS}")
    return text


#: Payment terms in words that are understood.
TermsText = Annotated[str, AfterValidator(_stated)]


class TermsRule(Rule):
    """Payment terms of an invoice, in words: see `invoices.terms`."""

    when: DealWhen = DealWhen()
    terms: TermsText


class TextRule(Rule):
    """A line of text below the others; every rule that matches adds its own."""

    when: InvoiceWhen = InvoiceWhen()
    text: str = Field(min_length=1)


class ExtraLine(Strict):
    """One more line, from an amount in a field of the deal; no line where it is empty or zero."""

    field: str
    description: str = Field(min_length=1)
    account: str
    #: A tax rate by name; without one the tax is found as for any other line.
    tax: str | None = None
    #: Whether the deal's value has this amount in it already.
    in_value: bool = False


class Things(Strict):
    """Lines by what they are: one of these lists is enough."""

    categories: Texts = ()
    products: Texts = ()
    skus: Texts = ()
    accounts: Texts = ()


class Supplies(Strict):
    """What counts as goods and what as services, for rules with `when.supply`."""

    #: What all other lines are; without it such a line is held where a rule asks.
    default: Supply | None = None
    goods: Things = Things()
    services: Things = Things()


class Rounding(Strict):
    """A line that makes up for rounding, at most 0.05, never for a tax difference. Off without
    an account."""

    account: str | None = None
    #: A rate of 0% by name, which the line bears.
    rate: str | None = None


class Early(Strict):
    """Early payment terms such as 2/10 net 30: the words printed from the start, and how a
    short payment in time is evidenced. UK law allows the one or the other."""

    evidence: Evidence = "credit_note"
    #: With {percent}, {days}, {day}, {discount}, {reduced}, {reduced_tax} and {currency}; without
    #: one, the words that fit the evidence.
    wording: str | None = None


class Terms(Strict):
    """When an invoice is due: who says so, in which order, and how texts are understood."""

    default: TermsText = "net 30"
    order: tuple[Literal["deal", "contact", "rules"], ...] = ("deal", "contact", "rules")
    rules: tuple[TermsRule, ...] = ()
    #: What a text in the deal's field means: "14 Tage": net 14.
    texts: dict[str, TermsText] = Field(default={})
    early: Early = Early()


class Tax(Strict):
    """How a line's tax rate is found (BOOKKEEPING, "Tax"): forced rule, contact, rules, account."""

    amounts: Literal["exclusive", "inclusive", "no_tax", "as_deal"] = "exclusive"
    rules: tuple[TaxRule, ...] = ()
    #: Where no rule fits: the account's default, or held.
    otherwise: Literal["account", "hold"] = "account"
    #: False: a line whose percentage in the CRM differs from the rate's is held.
    overrule_crm: bool = False


#: An invoice line bears at most so many tracking categories (facts: xero, 3).
TRACKING_MAX = 2


def at_most_two(rules: tuple[TrackingRule, ...]) -> tuple[TrackingRule, ...]:
    """Refuse rules that name more tracking categories than a line can bear."""
    named = {rule.category.casefold(): rule.category for rule in rules}
    if len(named) > TRACKING_MAX:
        words = ", ".join(sorted(named.values()))
        raise ValueError(f"must name at most {TRACKING_MAX} tracking categories, not {words}")
    return rules
