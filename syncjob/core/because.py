"""The one sentence that answers "why", and the next step: pure, from what is known of a record.

Why is there no invoice; why is it a draft; why does it say unpaid? The reason given is that of the
rules themselves (their issues, their story), never a second opinion.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from syncjob.core.actions import Decision, InvoiceChange, InvoiceDraft, Issue
from syncjob.core.money import ZERO
from syncjob.core.records import Deal
from syncjob.core.story import Awaited, InvoiceNow

#: A paid, credited or ended invoice waits for nothing.
_SETTLED = frozenset({"paid", "credited", "written off", "refunded", "voided", "deleted"})
APPLIED_NEXT = "Nothing: the next batch applies what was decided. `syncjob run` starts one now."
NOTHING_TO_DO = "Nothing: all that follows from it is done."


class DealFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a deal. `invoices` are the live ones, `ended` those that were voided or
    deleted. `decision` is what the rules say now, `unread` why they cannot say it all. `blocks`
    are what holds everything back (a pause, the guard), which matters only where something is to
    be done. `busy`: what became of its last write is still being found out. `decided`: what people
    said and no batch has applied yet. `due`: the days on which something changes by itself."""

    deal: Deal
    word: str
    invoices: tuple[InvoiceNow, ...] = ()
    ended: tuple[InvoiceNow, ...] = ()
    decision: Decision
    issues: tuple[Issue, ...] = ()
    unread: str | None = None
    wait: str | None = None
    busy: Awaited | None = None
    blocks: tuple[Awaited, ...] = ()
    due: tuple[Awaited, ...] = ()
    decided: tuple[Awaited, ...] = ()
    approves: bool = True

    @property
    def held(self) -> Issue | None:
        return next((issue for issue in self.issues if issue.state == "held"), None)

    @property
    def excluded(self) -> Issue | None:
        return next((issue for issue in self.issues if issue.state == "excluded"), None)

    @property
    def to_do(self) -> bool:
        """Whether the next batch has something to write for it, as far as is known."""
        return bool(self.decision.actions or self.unread or self.busy)


# --- the answer ----------------------------------------------------------------------------------


def deal_answer(facts: DealFacts) -> str:
    """What became of the deal, and why, in one or two sentences."""
    if not facts.invoices:
        return _no_invoice(facts)
    words = invoices_words(facts.invoices, facts.word)
    drafts = [invoice for invoice in facts.invoices if invoice.word == "draft"]
    if drafts and facts.deal.status == "won":
        words += f" {_why_draft(facts)}"
    coming = next((said for said in facts.decision.story if said.startswith(_COMING)), None)
    if coming is not None:
        words += f" Its next invoice: {coming.removeprefix(_COMING)}."
    held = facts.held or next((i for i in facts.issues if i.code in _TOLD), None)
    return f"{words} {held.what}" if held is not None else words


#: How the rules begin to tell of a part that is still to come.
_COMING = "next: "
#: Notes that say why an invoice is not what its reader expects.
_TOLD = ("totals_differ", "reopened_after_invoice", "draft_differs", "email_not_sent")


def _no_invoice(facts: DealFacts) -> str:
    reason = _why_none(facts)
    last = facts.ended[-1] if facts.ended else None
    before = f" {last.name} was {last.word}." if last is not None else ""
    return f"No invoice{reason}{before}"


def _why_none(facts: DealFacts) -> str:
    deal, held, excluded = facts.deal, facts.held, facts.excluded
    if facts.busy is not None:
        return f" yet: {facts.busy.text}."
    if deal.status != "won":
        return f", because the deal is {deal.status}, not won."
    if excluded is not None:
        return f", because of {rule_named(excluded)}: {excluded.what}"
    if held is not None:
        return f", held: {held.what}"
    note = next((issue for issue in facts.issues if issue.code == "won_but_archived"), None)
    if note is not None:
        return f": {note.what}"
    drafts = [a.payload for a in facts.decision.actions if isinstance(a.payload, InvoiceDraft)]
    if facts.unread is not None:
        return f" yet: {facts.unread}."
    if drafts and (facts.blocks or facts.wait):
        return f" yet: {facts.blocks[0].text if facts.blocks else facts.wait}."
    if drafts:
        total = sum((draft.total for draft in drafts), ZERO)
        return f" yet: the next batch makes it ({total:,.2f} {drafts[0].currency})."
    if facts.decision.story:
        return f" now: {facts.decision.story[-1]}."
    return "."


#: The key in the config that leaves a deal out, by the code of the issue that says so.
_RULES = {
    "won_before_start": "the rule invoices.won_since",
    "won_before_cut_over": "the rule invoices.cut_over", "not_in_when": "the rule invoices.when",
    "do_not_invoice": "the rule crm.inputs.do_not_invoice", "never": "a person's word",
}  # fmt: skip


def rule_named(issue: Issue) -> str:
    """The rule by which a deal is left out, as the config calls it."""
    by = issue.code.removeprefix("excluded_by_")
    return f"the rule invoices.exclude.{by}" if by != issue.code else _RULES.get(by, "a rule")


def _why_draft(facts: DealFacts) -> str:
    """Why a draft is not approved by us: the rules' own words."""
    if any(isinstance(action.payload, InvoiceChange) for action in facts.decision.actions):
        return "The next batch approves it."
    besides = ("its invoice is", "nobody is", _COMING)
    said = [words for words in facts.decision.story if not words.startswith(besides)]
    if said and facts.approves:
        return f"It is left to a person to approve it in the ledger: {said[-1]}."
    return "A person approves it in the ledger (invoices.status: draft)."


def invoices_words(invoices: Sequence[InvoiceNow], word: str) -> str:
    """The live invoices of a deal as they were last read."""
    if len(invoices) == 1:
        return invoice_words(invoices[0])
    first = invoices[0]
    names = ", ".join(invoice.name for invoice in invoices)
    if len({invoice.currency for invoice in invoices}) > 1:
        return f"It has {len(invoices)} invoices ({names}) in several currencies: {word}."
    total, due = sum((i.total for i in invoices), ZERO), sum((i.due for i in invoices), ZERO)
    return (
        f"It has {len(invoices)} invoices ({names}), {money(total, first)} in all, "
        f"{money(due, first)} to pay: {word}."
    )


def invoice_words(invoice: InvoiceNow) -> str:
    """One invoice as it was last read: "INV-7 of 110.00 AUD is unpaid: ..."."""
    whole = f"{invoice.name} of {money(invoice.total, invoice)}"
    match invoice.word:
        case "awaiting payment" | "part-paid" | "part-credited":
            return f"{whole} {_owed(invoice)}"
        case "paid":
            days = [s.date for s in invoice.settlements if s.date is not None]
            when = f", last on {max(days)}" if days else ""
            return f"{whole} is paid ({money(invoice.paid, invoice)} received{when})."
        case "draft":
            return f"{whole} is a draft."
        case "awaiting approval":
            return f"{whole} was submitted in the ledger, and a person there approves it."
        case "credited":
            return f"{whole} was credited, so nothing is to pay; no cash was received."
        case "deleted" | "voided":
            return f"{whole} was {invoice.word}."
        case other:
            return f"{whole} is {other}."


def _owed(invoice: InvoiceNow) -> str:
    """Why it is not paid, as the ledger showed it."""
    known = []
    if invoice.paid:
        known.append(f"{money(invoice.paid, invoice)} was received")
    if invoice.credited:
        known.append(f"{money(invoice.credited, invoice)} was credited")
    if not known:
        known.append("no payment stands on it in the ledger")
    if invoice.unapplied:
        known.append(
            f"the customer has {money(invoice.unapplied, invoice)} that nobody has applied to it"
        )
    said = "unpaid" if invoice.word == "awaiting payment" else invoice.word
    return f"is {said}: {', '.join(known)}; {_falls_due(invoice)}."


def _falls_due(invoice: InvoiceNow) -> str:
    due = money(invoice.due, invoice)
    if invoice.due_date is None:
        return f"{due} is to be paid, with no due date"
    if invoice.days_overdue:
        return f"{due} was due on {invoice.due_date} ({_days(invoice.days_overdue)} overdue)"
    expected = invoice.expected_on
    later = f", expected on {expected}" if expected and expected > invoice.due_date else ""
    return f"{due} is due on {invoice.due_date}{later}"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def money(amount: Decimal, invoice: InvoiceNow) -> str:
    """An amount in the invoice's currency: "110.00 AUD"."""
    return f"{amount:,.2f} {invoice.currency}"


# --- what is awaited -----------------------------------------------------------------------------


def deal_awaits(facts: DealFacts) -> tuple[Awaited, ...]:
    """What stands between the deal and what happens next, nearest first."""
    found = list(facts.decided)
    if facts.busy is not None:
        found.append(facts.busy)
    if facts.to_do:
        found += facts.blocks
    creates = any(action.creates for action in facts.decision.actions)
    if facts.wait is not None and (creates or facts.unread):
        found.append(Awaited(kind="recovery", text=facts.wait))
    if facts.unread is not None:
        found.append(Awaited(kind="lines", text=facts.unread))
    for invoice in facts.invoices:
        if invoice.word in ("draft", "awaiting approval"):
            found.append(Awaited(kind="approval", text=f"a person's approval of {invoice.name}"))
        elif invoice.word not in _SETTLED and invoice.due > 0:
            text = f"the customer's payment of {money(invoice.due, invoice)} for {invoice.name}"
            found.append(Awaited(kind="payment", text=text, day=invoice.due_date))
    return (*found, *facts.due)


# --- the next step -------------------------------------------------------------------------------


def deal_step(facts: DealFacts) -> str:
    """What the reader can do, or that nothing is to be done."""
    blocked = next((block for block in facts.blocks if block.step), None)
    if facts.to_do and blocked is not None:
        return blocked.step
    if facts.decided:
        return APPLIED_NEXT
    for issue in (facts.held, facts.excluded, *facts.issues):
        if issue is not None:
            return issue.next_step
    if facts.unread is not None or facts.busy is not None:
        now = f"`syncjob why deal {facts.deal.id} --fresh` reads it now"
        return f"Nothing: the next batch looks; {now}."
    if facts.decision.actions:
        return "Nothing: the next batch does it. `syncjob run` starts one now."
    return _step_of_invoices(facts)


def _step_of_invoices(facts: DealFacts) -> str:
    drafts = [i for i in facts.invoices if i.word in ("draft", "awaiting approval")]
    if drafts:
        return f"Look {drafts[0].name} over and approve it in the ledger."
    owed = [i for i in facts.invoices if i.word not in _SETTLED and i.due > 0]
    credit = next((i for i in owed if i.unapplied), None)
    if credit is not None and credit.unapplied:
        left = money(credit.unapplied, credit)
        return f"Apply the customer's {left} to {credit.name} in the ledger, if it is meant for it."
    if owed:
        return (
            f"Nothing here: once a payment stands on {owed[0].name} in the ledger, the batch after "
            "it says so on the deal."
        )
    if not facts.invoices and facts.deal.status == "open":
        return "Nothing: it is invoiced once it is won."
    return NOTHING_TO_DO
