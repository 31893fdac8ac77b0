"""Names in the rules that neither account has: pipelines, categories, fields, accounts, rates,
tracking, themes, currencies. A typing error would let deals through, or hold them, unseen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from syncjob.core.needs import conditions, needs_of
from syncjob.core.policy import Invoices
from syncjob.core.policy_rules import LineWhen, Things
from syncjob.core.policy_schedules import Deposit
from syncjob.core.records import Account, CrmReference, LedgerReference
from syncjob.core.rules.basis import account_of
from syncjob.core.rules.early import PLACES as EARLY_PLACES
from syncjob.core.rules.places import Groups
from syncjob.core.rules.reach import posts, ruled
from syncjob.core.rules.rows import unknown_in, unknown_places
from syncjob.core.rules.schedule import check_deposit
from syncjob.core.rules.tax import check_tax, fault_of
from syncjob.errors import Held

#: So many of what there is are listed; the rest a person finds in the account itself.
LISTED_MAX = 12


class Unknown(NamedTuple):
    """A name that means nothing: where it stands, what is wrong, what to do, and whether a batch
    would go wrong with it."""

    where: str
    what: str
    fix: str
    fatal: bool = True


def unknown_in_rules(policy: Invoices, crm: CrmReference, ledger: LedgerReference) -> list[Unknown]:
    """Every name in the rules that does not exist."""
    return [
        *_of_crm(policy, crm, ledger),
        *_places(policy, ledger),
        *_accounts(policy, ledger.accounts),
        *_held_deposits(policy, ledger),
        *_rates(policy, ledger),
        *_tracking(policy, ledger),
        *_brandings(policy, ledger),
        *_templates(policy),
        *_same_names(policy),
        *_items(policy, ledger),
    ]


def _of_crm(policy: Invoices, crm: CrmReference, ledger: LedgerReference) -> Iterator[Unknown]:
    people = [text for user in crm.users for text in (user.name, user.email) if text]
    enabled = sorted({*ledger.currencies, ledger.organisation.currency or ""} - {""})
    categories = [name for _, name in crm.categories or ()]
    whens = list(conditions(policy))
    lines = [w for w in whens if isinstance(w, LineWhen)]
    things: list[LineWhen | Things] = [policy.supply.goods, policy.supply.services, *lines]
    asked: tuple[tuple[str, Iterable[str], Sequence[str]], ...] = (
        ("pipeline", (n for w in whens for n in w.pipelines), [p.name for p in crm.pipelines]),
        ("deal label", (n for w in whens for n in w.labels), [name for _, name in crm.labels]),
        ("user", (n for w in whens for n in w.owners), people),
        ("currency", (n for w in whens for n in w.currencies), enabled),
        ("currency", policy.currency_rates, enabled),
        ("product category", (n for w in things for n in w.categories), categories),
    )
    for kind, names, known in asked:
        for name in dict.fromkeys(names):
            if not _any_fits(name, known):
                what = f'There is no {kind} "{name}"; there are: {_listed(known)}.'
                yield Unknown("invoices", what, "Use a name as it stands there.")
    deal_fields = [f.name for f in crm.fields if f.entity == "deal"]
    for name in needs_of(policy).fields:
        if deal_fields.count(name) != 1:
            count = deal_fields.count(name) or "no"
            what = f'The rules name the deal field "{name}", of which there are {count}.'
            yield Unknown("invoices", what, "Create it in the CRM, or name another.")


def _any_fits(pattern: str, known: Iterable[str]) -> bool:
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for text in known)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:LISTED_MAX]) or "none"
    return f"{shown}, ..." if len(names) > LISTED_MAX else shown


def _places(policy: Invoices, ledger: LedgerReference) -> Iterator[Unknown]:
    groups = Groups((ledger.organisation.country or "").upper() or None, policy.places)
    named = [n for w in conditions(policy) for n in (*w.countries, *w.outside)]
    named += [member for members in policy.places.values() for member in members]
    named += [policy.country] if policy.country else []
    for name in dict.fromkeys(named):
        if not groups.codes(name):
            yield Unknown(
                "invoices", f'"{name}" is no country and no group of countries.',
                "Use an ISO code or a name, home, EU, or a group of invoices.places.",
            )  # fmt: skip


def _accounts(policy: Invoices, accounts: tuple[Account, ...]) -> Iterator[Unknown]:
    posted: list[tuple[str, str]] = []
    for rule in policy.account_rules:
        where = f'invoices.account_rules "{rule.name}"'
        posted += [(where, name) for name in (rule.account, *rule.allowed) if name]
    posted += [(f'invoices.extra_lines "{e.field}"', e.account) for e in policy.extra_lines]
    if policy.rounding.account:
        posted.append(("invoices.rounding.account", policy.rounding.account))
    posted += [(where, d.account) for where, d in _deposits(policy) if d.account]
    for where, name in posted:
        try:
            account_of(name, accounts, where)
        except Held as held:
            yield Unknown(where, held.what, "Name an active revenue account, by code or name.")
    for code in policy.bad_debt_accounts:
        if code not in [account.code for account in accounts]:
            what = f'The ledger has no account with the code "{code}", so no debt is written off.'
            yield Unknown("invoices.bad_debt_accounts", what, "Use the code of an account there.")
    texts = [text for a in accounts for text in (a.code, a.name)]
    things = (policy.supply.goods, policy.supply.services)
    asked = [name for w in conditions(policy) for name in posts(w)]
    for name in dict.fromkeys([*asked, *(n for t in things for n in t.accounts)]):
        if not _any_fits(name, texts):
            what = f'A condition names the account "{name}", which the ledger does not have.'
            yield Unknown("invoices", what, "Use a code or a name as it stands in the ledger.")


def _deposits(policy: Invoices) -> Iterator[tuple[str, Deposit]]:
    """Each deposit that the config describes, and where."""
    yield "invoices.deposit", policy.deposit
    for rule in policy.schedules:
        if rule.deposit is not None:
            yield f'the deposit of the schedule "{rule.name}"', rule.deposit


def _held_deposits(policy: Invoices, ledger: LedgerReference) -> Iterator[Unknown]:
    """Schedules whose deals would all be held, because only finance may decide."""
    for rule in policy.schedules:
        try:
            check_deposit(rule.deposit or policy.deposit, ledger.organisation)
        except Held as held:
            where = f'the schedule "{rule.name}"'
            yield Unknown(where, f"Its deals are held: {held.what}", held.next_step, fatal=False)


def _rates(policy: Invoices, ledger: LedgerReference) -> Iterator[Unknown]:
    fix = "Use a tax rate's name as it stands in the ledger's settings."
    registered = ledger.organisation.tax_registered
    for line in check_tax(policy.tax, ledger.tax_rates, registered=registered):
        yield Unknown("invoices.tax", line, fix)
    for extra in policy.extra_lines:
        fault = fault_of(extra.tax, ledger.tax_rates) if extra.tax else None
        if fault:
            where = f'invoices.extra_lines "{extra.field}"'
            yield Unknown(where, f'The tax rate "{extra.tax}" {fault}.', fix)
    if policy.rounding.account and policy.tax.amounts != "no_tax":
        name = policy.rounding.rate or ""
        zero = [r for r in ledger.tax_rates if r.name.casefold() == name.casefold()]
        if not any(r.active and r.for_sales and not r.percent for r in zero):
            what = f'invoices.rounding.rate "{name}" is no rate of 0% for sales.'
            yield Unknown("invoices.rounding.rate", what, fix)
    if not registered and policy.tax.amounts != "no_tax" and policy.tax.otherwise == "account":
        yield from _unregistered(policy, ledger)


def _unregistered(policy: Invoices, ledger: LedgerReference) -> Iterator[Unknown]:
    """A default that is taxed, where the organisation may not charge tax."""
    names = [policy.account, *(r.account for r in policy.account_rules if r.account)]
    percents = {rate.code: rate.percent for rate in ledger.tax_rates}
    for name in dict.fromkeys(names):
        account = next((a for a in ledger.accounts if name in (a.code, a.name)), None)
        if account is not None and percents.get(account.tax_code or "", 0) > 0:
            yield Unknown(
                "invoices.tax",
                f'The account {account.code} "{account.name}" is taxed by default, and the '
                "organisation is not registered for tax.",
                "Set invoices.tax.amounts: no_tax, or give the account a rate of 0%.",
            )


def _tracking(policy: Invoices, ledger: LedgerReference) -> Iterator[Unknown]:
    known = {name.casefold(): options for name, options in ledger.tracking or ()}
    for rule in policy.tracking_rules:
        where, options = (
            f'invoices.tracking_rules "{rule.name}"',
            known.get(rule.category.casefold()),
        )
        if options is None:
            has = _listed([name for name, _ in ledger.tracking or ()])
            what = f'There is no active tracking category "{rule.category}"; there are: {has}.'
            yield Unknown(where, what, "Use a category's name as it stands in the ledger.")
            continue
        there = {option.casefold() for option in options}
        for name in (rule.option, *rule.allowed):
            if name and name.casefold() not in there:
                what = f'{rule.category} has no option "{name}"; it has: {_listed(options)}.'
                yield Unknown(where, what, "Use an option's name as it stands in the ledger.")


def _brandings(policy: Invoices, ledger: LedgerReference) -> Iterator[Unknown]:
    known = [name for _, name in ledger.brandings or ()]
    named = [("invoices.branding", policy.branding)]
    named += [(f'invoices.branding_rules "{r.name}"', r.branding) for r in policy.branding_rules]
    named += [(f'invoices.tax.rules "{r.name}"', r.branding) for r in policy.tax.rules]
    for where, name in named:
        if name and name.casefold() not in [theme.casefold() for theme in known]:
            what = f'There is no branding theme "{name}"; there are: {_listed(known)}.'
            yield Unknown(where, what, "Use a theme's name as it stands in the ledger.")


def _templates(policy: Invoices) -> Iterator[Unknown]:
    of_line = "Use {name}, {description}, {sku}, {title}, {date}, {month} or {field:NAME}."
    for place in unknown_places(policy.description):
        what = f"{{{place}}} means nothing in a line's description."
        yield Unknown("invoices.description", what, of_line)
    for rule in policy.texts:
        for place in unknown_places(rule.text, of_line=False):
            what = f"{{{place}}} means nothing in a line of words."
            fix = "Use {title}, {date}, {month} or {field:NAME}."
            yield Unknown(f'invoices.texts "{rule.name}"', what, fix)
    for place in unknown_in(policy.terms.early.wording or "", EARLY_PLACES):
        what = f"{{{place}}} means nothing in the words of early payment."
        fix = f"Use {', '.join(f'{{{name}}}' for name in EARLY_PLACES)}."
        yield Unknown("invoices.terms.early.wording", what, fix)


def _same_names(policy: Invoices) -> Iterator[Unknown]:
    """Rules of one list with one name: `plan --why` names them, and would not say which it was."""
    for where, rules, _ in ruled(policy):
        names = [rule.name.strip().casefold() for rule in rules]
        for name in sorted({name for name in names if names.count(name) > 1}):
            what = f'Two rules are called "{name}", so that nobody can tell them apart.'
            yield Unknown(where, what, "Give each its own name.", fatal=False)


def _items(policy: Invoices, ledger: LedgerReference) -> Iterator[Unknown]:
    """Tracked stock is named, because approving such an invoice moves it (BOOKKEEPING, "Money")."""
    if policy.item_code == "sku" and ledger.tracked_items:
        yield Unknown(
            "invoices.item_code",
            f"The ledger tracks the stock of {_listed(ledger.tracked_items)}: an approved invoice "
            "takes it out, and is refused where there is not enough.",
            "Nothing, if that is meant; else give these products no code in the CRM.",
            fatal=False,
        )
