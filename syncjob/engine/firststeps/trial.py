"""One won deal to begin with: small, but not so small that all others look unusually large."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from syncjob.core.actions import InvoiceDraft
from syncjob.core.reports import PlanReport, TrialDeal


def trial_of(plan: PlanReport, times_largest: Decimal) -> TrialDeal | None:
    """A deal that would be invoiced as it stands; else one that waits to be; else none.

    `times_largest` is `guard.times_largest`: an invoice that many times the largest so far is
    held, so the smallest is taken after which none of the others is, in the usual currency.
    """
    drafts = [
        (payload.total or Decimal(0), action.subject, payload.currency)
        for action in plan.actions
        if isinstance(payload := action.payload, InvoiceDraft)
    ]
    if drafts:
        usual = Counter(currency for _, _, currency in drafts).most_common(1)[0][0]
        ranked = sorted(draft for draft in drafts if draft[2] == usual)
        largest = ranked[-1][0]
        total, subject, currency = next(d for d in ranked if d[0] * times_largest >= largest)
        title = plan.titles.get(subject, "")
        return TrialDeal(deal=_id(subject), title=title, total=total, currency=currency)
    waiting = sorted(subject for subject in plan.waits if subject.startswith("deal:"))
    if waiting:
        return TrialDeal(deal=_id(waiting[0]), title=plan.titles.get(waiting[0], ""))
    return None


def _id(subject: str) -> str:
    return subject.removeprefix("deal:").split(":")[0]
