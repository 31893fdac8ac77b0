"""What becomes an invoice, and how: chosen among what both accounts really have."""

from __future__ import annotations

from datetime import date
from typing import Any

from syncjob.config.template import Word
from syncjob.core.records import CrmReference, LedgerReference
from syncjob.core.references import Account, Pipeline
from syncjob.engine.firststeps import shapes
from syncjob.engine.firststeps.questions import Choice, Question, Said, Steps, one

#: An invoice's lines bear an option of so many tracking categories at most (facts: xero, 4).
TRACKING_MAX = 2
_LARGEST_LIST = 200


def which_deals(crm: CrmReference | None, today: date) -> Steps[dict[str, Any]]:
    """Pipelines, stages, owners and the first day, as values of a Start."""
    found: dict[str, Any] = {}
    if crm is not None and crm.pipelines:
        found["pipelines"] = yield Question(
            "pipeline", "Won deals of which pipelines become invoices", "many",
            choices=tuple(Choice(p.name, p.name) for p in crm.pipelines),
            help="Numbers or names with commas between them; Enter: of all.",
        )  # fmt: skip
        stages = _stages(crm.pipelines, found["pipelines"])
        found["stages"] = yield Question(
            "stage", "Only those that were won in certain stages", "many",
            choices=stages, help="Enter: in any.",
        )  # fmt: skip
    if crm is not None and len(people := _people(crm)) > 1:
        found["without_owners"] = yield Question(
            "without-owner", "Whose deals are never invoiced", "many",
            choices=people, help="Enter: everybody's are.",
        )  # fmt: skip
    first = Question(
        "won-since", "Deals won before this day are never invoiced", default=today.isoformat(),
        shape=shapes.day,
    )  # fmt: skip
    found["won_since"] = date.fromisoformat((yield from one(first)))
    return found


def _stages(pipelines: tuple[Pipeline, ...], chosen: tuple[str, ...]) -> tuple[Choice, ...]:
    """The stages in which a deal can be won, of the pipelines that count, each name once."""
    names = [
        name
        for pipeline in pipelines
        if not chosen or pipeline.name in chosen
        for id, name in pipeline.stages
        if id not in pipeline.unwon
    ]
    return tuple(Choice(name, name) for name in dict.fromkeys(names))


def _people(crm: CrmReference) -> tuple[Choice, ...]:
    """The CRM's users by name, or by e-mail where two have one name."""
    active = [user for user in crm.users if user.active and user.name]
    names = [user.name for user in active]
    picks = []
    for user in active[:_LARGEST_LIST]:
        alone = names.count(user.name) == 1 or not user.email
        shown = f"{user.name} <{user.email}>" if user.email else user.name
        picks.append(Choice(user.name if alone else str(user.email), shown))
    return tuple(picks)


def lines(ledger: LedgerReference | None) -> Steps[dict[str, Any]]:
    """Account, prices, tax rate, deals without lines and tracking, as values of a Start."""
    found: dict[str, Any] = {"account": (yield from _account(ledger))}
    registered = ledger is None or ledger.organisation.tax_registered
    found["amounts"] = Word((yield from one(_prices(registered))))
    if ledger is not None and found["amounts"] != "no_tax":
        found["tax_rules"] = yield from _tax(ledger, str(found["account"]))
    bare = yield from one(_without_products())
    found["without_products"] = Word(bare)
    if bare == "one_line":
        found["value_is"] = Word((yield from one(_VALUE_IS)))
    if ledger is not None and ledger.tracking:
        found["tracking_rules"] = yield from _tracking(ledger.tracking)
    return found


def _account(ledger: LedgerReference | None) -> Steps[str]:
    if ledger is None:
        asked = Question("account", "Code of the revenue account in the ledger", default="200")
        return (yield from one(asked))
    sales = [a for a in ledger.accounts if a.active and not a.system and a.kind == "REVENUE"]
    picks = tuple(Choice(a.code, f"{a.code} {a.name}", a.name) for a in sales)
    codes = [account.code for account in sales]
    usual = "200" if "200" in codes else (codes or [""])[0]
    asked = Question(
        "account", "Revenue account of the lines", "one", default=usual, choices=picks,
        needed=True,
    )  # fmt: skip
    return (yield from one(asked))


def _prices(registered: bool) -> Question:
    picks = (
        Choice("exclusive", "without tax (net): the ledger adds it"),
        Choice("inclusive", "with tax (gross): the ledger takes it out"),
        Choice("as_deal", "as each deal says"),
        Choice("no_tax", "there is no tax"),
    )
    return Question(
        "amounts", "The prices on deals are", "one", choices=picks,
        default="exclusive" if registered else "no_tax",
    )  # fmt: skip


def _tax(ledger: LedgerReference, code: str) -> Steps[tuple[dict[str, str], ...]]:
    """The rate that every line bears; only rates that sales can bear are offered."""
    rates = [rate for rate in ledger.tax_rates if rate.active and rate.for_sales]
    own = _own_rate(ledger, next((a for a in ledger.accounts if a.code == code), None))
    picks = (
        Choice("account", f"the account's own{own}"),
        *(Choice(rate.name, f"{rate.name} ({rate.percent.normalize():f}%)") for rate in rates),
    )
    asked = Question("tax-rate", "Tax rate of the lines", "one", default="account", choices=picks)
    name = yield from one(asked)
    return () if name == "account" else ({"name": "every line", "rate": name},)


def _own_rate(ledger: LedgerReference, account: Account | None) -> str:
    code = account.tax_code if account else None
    found = [rate.name for rate in ledger.tax_rates if rate.code == code]
    return f": {found[0]}" if found else ""


def _without_products() -> Question:
    picks = (
        Choice("hold", "is held until it has some"),
        Choice("one_line", "becomes one line from the deal's value"),
    )
    return Question(
        "without-products", "A won deal without products", "one", default="hold", choices=picks
    )


_VALUE_IS = Question(
    "value-is", "The value of such a deal is", "one", needed=True,
    choices=(Choice("net", "net: without tax"), Choice("gross", "gross: with tax")),
    help="There is no default: a guess would be wrong by the tax.",
)  # fmt: skip


def _tracking(
    categories: tuple[tuple[str, tuple[str, ...]], ...],
) -> Steps[tuple[dict[str, str], ...]]:
    picks = tuple(
        Choice(f"{category}={option}", f"{category}: {option}")
        for category, options in categories
        for option in options
    )
    while True:
        chosen = yield Question(
            "tracking", "Tracking that every line bears", "many", choices=picks,
            help="One option a category, two categories at most; Enter: none.",
        )  # fmt: skip
        parts = [choice.partition("=") for choice in chosen]
        named = [category for category, _, _ in parts]
        if len(named) <= TRACKING_MAX and len(set(named)) == len(named):
            break
        yield Said("Choose one option a category, and two categories at most.", bad=True)
    return tuple(
        {"name": f"every line: {category}", "category": category, "option": option}
        for category, _, option in parts
    )


def who_is_told(crm: CrmReference | None) -> Steps[dict[str, Any]]:
    """Reminders of overdue invoices, as values of a Start."""
    asked = Question(
        "remind", "Days after the due date on which the deal's owner gets a task",
        shape=shapes.days,
        help="Such as 7, 14, 30; Enter: nobody is reminded.",
    )  # fmt: skip
    days = yield from one(asked)
    if not days:
        return {}
    found: dict[str, Any] = {"steps": tuple(map(int, days.split(",")))}
    if crm is not None and (people := _people(crm)):
        fallback = Question(
            "fallback", "Who gets it where the owner has left", "one", choices=people,
            help="Enter: nobody.",
        )  # fmt: skip
        found["fallback"] = (yield from one(fallback)) or None
    return found
