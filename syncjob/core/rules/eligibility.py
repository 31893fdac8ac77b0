"""Whether a won deal is one that becomes an invoice, and if not, by which of the firm's rules.

Excluded deals are listed in every plan with their rule, and never written to (BOOKKEEPING,
"Which deals, and when").
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from syncjob.core.actions import Issue
from syncjob.core.money import plain
from syncjob.core.policy import DealInputs, Exclude, Invoices, When
from syncjob.core.policy_base import once_each
from syncjob.core.records import CrmReference, Deal, User
from syncjob.core.rules.matching import name_key
from syncjob.core.rules.texts import one_line, subject_of

#: What a "do not invoice" field may hold and still let the deal pass. Any other text stops it,
#: because an invoice that should not be is worse than one that waits.
_NO = frozenset({"", "no", "n", "false", "off", "0"})


def eligible(
    deal: Deal,
    policy: Invoices,
    inputs: DealInputs,
    crm: CrmReference,
    organization_name: str | None,
    zone: ZoneInfo,
    *,
    relinked: bool = False,
) -> Issue | None:
    """None if the deal is to be invoiced, else an Issue of state "excluded".

    The caller asks for won deals only. The first win counts, as a calendar day in `zone` (the
    ledger organisation's). A won deal without any date of winning is an Issue of state "held",
    code "no_won_date": nobody can say on which side of `won_since` it lies. `relinked`: it is a
    deal of an earlier CRM, to which `cut_over` does not apply.
    """
    won = first_win(deal, zone)
    if won is None:
        return _no_date(deal)
    if won < policy.won_since:
        return _excluded(
            deal,
            "won_before_start",
            f"It was first won on {won}, before invoices.won_since ({policy.won_since}).",
            "Make this invoice by hand, if it is still wanted.",
        )
    if policy.cut_over is not None and not relinked and _won_before(deal, policy.cut_over, zone):
        return _excluded(
            deal,
            "won_before_cut_over",
            f"It was won before the CRM was changed (invoices.cut_over, {policy.cut_over}), and "
            "the map names no deal of the earlier CRM that it is.",
            "Make this invoice by hand, if it is still wanted; or put the deal into the map and "
            "repeat `syncjob relink`.",
        )
    if not _in_when(deal, policy.when, crm):
        return _excluded(
            deal,
            "not_in_when",
            f"It is in {place(deal, crm)}, which invoices.when does not name.",
            "Move the deal, or name its pipeline or stage in invoices.when.",
        )
    return left_out(deal, policy, inputs, crm, organization_name)


def left_out(
    deal: Deal,
    policy: Invoices,
    inputs: DealInputs,
    crm: CrmReference,
    organization_name: str | None,
    *,
    but: Collection[str] = (),
) -> Issue | None:
    """The rule of `invoices.exclude`, or the deal's own field, that leaves it out, as an Issue of
    state "excluded"; None if none does. `but` names rules that are not asked."""
    found = _excluding_rule(deal, policy.exclude, crm, organization_name, but)
    if found:
        rule, what = found
        step = f"Nothing, if that is right; else change invoices.exclude.{rule}."
        return _excluded(deal, f"excluded_by_{rule}", what, step)
    return _flagged(deal, inputs)


def first_win(deal: Deal, zone: ZoneInfo) -> date | None:
    """The calendar day in `zone` on which the deal was won for the first time."""
    instant = deal.first_won_at or deal.won_at
    return instant.astimezone(zone).date() if instant else None


def _won_before(deal: Deal, moment: date, zone: ZoneInfo) -> bool:
    """Whether its first win lies before this day in `zone`, or before this instant."""
    won = deal.first_won_at or deal.won_at
    if won is None:
        return False
    if isinstance(moment, datetime):
        return won < moment
    return won.astimezone(zone).date() < moment


def place(deal: Deal, crm: CrmReference) -> str:
    """The deal's pipeline and stage by name, for messages."""
    pipeline = _pipeline_name(deal, crm) or deal.pipeline_id or "none"
    stage = _stage_name(deal, crm) or deal.stage_id or "none"
    return f'pipeline "{pipeline}", stage "{stage}"'


def unknown_names(policy: Invoices, crm: CrmReference) -> list[str]:
    """One line for each name in the policy that the CRM account does not have.

    Such a name matches nothing, so a typing error in `exclude` would let deals through.
    """
    pipelines = [p.name for p in crm.pipelines]
    stages = [name for p in crm.pipelines for _, name in p.stages]
    owners = [text for user in crm.users for text in (user.name, user.email) if text]
    labels = [name for _, name in crm.labels]
    asked = (
        ("when.pipelines", "pipeline", policy.when.pipelines, pipelines),
        ("when.stages", "stage", policy.when.stages, stages),
        ("exclude.pipelines", "pipeline", policy.exclude.pipelines, pipelines),
        ("exclude.labels", "deal label", policy.exclude.labels, labels),
        ("exclude.owners", "user", policy.exclude.owners, owners),
    )
    return [
        f'invoices.{key}: the CRM has no {kind} "{name}"; it has: {", ".join(known) or "none"}.'
        for key, kind, names, known in asked
        for name in names
        if not _named(name, known)
    ]


def _no_date(deal: Deal) -> Issue:
    return Issue(
        code="no_won_date",
        subject=subject_of(deal),
        what="The CRM gives no date on which this deal was won.",
        next_step="Re-open the deal and win it again, so that the CRM records the date.",
        field="won_at",
        page=deal.page,
    )


def _excluded(deal: Deal, code: str, what: str, next_step: str, field: str = "") -> Issue:
    return Issue(
        code=code,
        subject=subject_of(deal),
        what=what,
        next_step=next_step,
        field=field,
        page=deal.page,
        state="excluded",
    )


def _in_when(deal: Deal, when: When, crm: CrmReference) -> bool:
    """No list: every deal. Else the deal's pipeline or its stage must be named."""
    if not when.pipelines and not when.stages:
        return True
    return _named(_pipeline_name(deal, crm), when.pipelines) or _named(
        _stage_name(deal, crm), when.stages
    )


def _flagged(deal: Deal, inputs: DealInputs) -> Issue | None:
    field = inputs.do_not_invoice
    value = one_line(deal.fields.get(field)) if field else ""
    if not field or says_no(value):
        return None
    return _excluded(
        deal,
        "do_not_invoice",
        f'Its field "{field}" says "{value}".',
        f'Empty the field "{field}" if the deal is to be invoiced after all.',
        field,
    )


def says_no(value: str) -> bool:
    """Whether a field's text means no: it is empty, "no", "false", "0" and the like."""
    return value.casefold() in _NO


_Rule = Callable[[Deal, Exclude, CrmReference, str | None], str | None]


def _excluding_rule(
    deal: Deal, exclude: Exclude, crm: CrmReference, organization: str | None, but: Collection[str]
) -> tuple[str, str] | None:
    """The first rule of `exclude` that keeps the deal out: (its name, what it found)."""
    for name, rule in _rules_in(exclude):
        what = None if name in but else rule(deal, exclude, crm, organization)
        if what:
            return name, what
    return None


@once_each
def _rules_in(exclude: Exclude) -> list[tuple[str, _Rule]]:
    """Those of the rules that the config sets."""
    return [(name, rule) for name, rule in _RULES if getattr(exclude, name) not in (None, ())]


def _by_pipeline(deal: Deal, rule: Exclude, crm: CrmReference, _: str | None) -> str | None:
    name = _pipeline_name(deal, crm)
    return f'It is in the pipeline "{name}".' if _named(name, rule.pipelines) else None


def _by_label(deal: Deal, rule: Exclude, crm: CrmReference, _: str | None) -> str | None:
    names = dict(crm.labels)
    hits = [n for n in (names.get(x, x) for x in deal.labels) if _named(n, rule.labels)]
    return f'It has the label "{hits[0]}".' if hits else None


def _by_owner(deal: Deal, rule: Exclude, crm: CrmReference, _: str | None) -> str | None:
    owner: User | None = next((u for u in crm.users if u.id == deal.owner_id), None)
    if owner and (_named(owner.name, rule.owners) or _named(owner.email, rule.owners)):
        return f"Its owner is {owner.name}."
    return None


def _by_title(deal: Deal, rule: Exclude, _: CrmReference, __: str | None) -> str | None:
    title = deal.title.casefold()
    hits = [p for p in rule.titles if fnmatchcase(title, p.casefold())]
    return f'Its title matches "{hits[0]}".' if hits else None


def _by_organization(
    _: Deal, rule: Exclude, __: CrmReference, organization: str | None
) -> str | None:
    hit = _named(organization, rule.organizations)
    return f'Its organization is "{organization}".' if hit else None


def _by_currency(deal: Deal, rule: Exclude, _: CrmReference, __: str | None) -> str | None:
    hit = _named(deal.currency, rule.currencies)
    return f"Its currency is {deal.currency}." if hit else None


def _by_low_value(deal: Deal, rule: Exclude, _: CrmReference, __: str | None) -> str | None:
    if deal.value is None or rule.value_below is None or deal.value >= rule.value_below:
        return None
    return f"Its value {plain(deal.value)} is below {plain(rule.value_below)}."


def _by_high_value(deal: Deal, rule: Exclude, _: CrmReference, __: str | None) -> str | None:
    if deal.value is None or rule.value_above is None or deal.value <= rule.value_above:
        return None
    return f"Its value {plain(deal.value)} is above {plain(rule.value_above)}."


_RULES: tuple[tuple[str, _Rule], ...] = (
    ("pipelines", _by_pipeline),
    ("labels", _by_label),
    ("owners", _by_owner),
    ("titles", _by_title),
    ("organizations", _by_organization),
    ("currencies", _by_currency),
    ("value_below", _by_low_value),
    ("value_above", _by_high_value),
)


def _pipeline_name(deal: Deal, crm: CrmReference) -> str | None:
    return next((p.name for p in crm.pipelines if p.id == deal.pipeline_id), None)


def _stage_name(deal: Deal, crm: CrmReference) -> str | None:
    stages = {stage: name for p in crm.pipelines for stage, name in p.stages}
    return stages.get(deal.stage_id) if deal.stage_id else None


def _named(name: str | None, names: Iterable[str]) -> bool:
    key = name_key(name)
    return bool(key) and any(key == name_key(other) for other in names)
