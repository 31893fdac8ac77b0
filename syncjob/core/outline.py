"""A deal's schedule laid over the invoices that it has: which part is which, and what is left.

Keeps invariants 1 (a part is known by its key, whatever its place) and 8: what was invoiced counts
as the ledger has it, and the last part that is not made yet takes the remainder.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from syncjob.core.actions import InvoiceDraft, Issue
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.credited import net_credited
from syncjob.core.holds import customer
from syncjob.core.markers import with_part
from syncjob.core.money import ZERO
from syncjob.core.placing import Place, all_ours, placed
from syncjob.core.records import Contact, Invoice, InvoiceLine
from syncjob.core.revising import invoice_context, undated
from syncjob.core.rules.arithmetic import Prediction, predict, tolerance
from syncjob.core.rules.basis import account_of
from syncjob.core.rules.invoicing import (
    Content,
    InvoiceContext,
    content_of,
    doubt_of,
    draft_of,
    totals_differ,
)
from syncjob.core.rules.schedule import (
    Schedule,
    Slot,
    by_instalments,
    by_rule,
    check_deposit,
    rule_for,
)
from syncjob.core.rules.split import (
    Group,
    Nets,
    by_rate,
    groups_of,
    invoiced,
    left_of,
    less,
    lines_for,
    share_of,
)
from syncjob.core.rules.when import InvoiceFacts
from syncjob.errors import Held

#: Invoices in these states will keep their number and amount.
_FINAL = frozenset({"authorised", "paid"})
_CENT = Decimal("0.01")


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one deal, and the whole that they add up to. `strays` are live invoices of
    parts that the schedule does not have (any more)."""

    case: Case
    context: Context
    content: Content
    schedule: Schedule
    places: tuple[Place, ...]
    strays: tuple[PartCase, ...]
    groups: tuple[Group, ...]
    doubt: Issue | None

    @property
    def nets(self) -> dict[str, Decimal]:
        """The net amounts of the whole, by tax code."""
        return by_rate(self.groups)

    @property
    def still_to_make(self) -> list[Place]:
        """The parts that have no invoice and are to have one, in order; a part of which nothing
        is left is none."""
        missing = [p for p in self.places if p.part.invoice is None and not p.gone]
        return [p for p in missing if any(self.nets_of(p.slot).values())]

    def nets_of(self, slot: Slot) -> Nets:
        """What a part is to invoice that has no invoice yet, or one that follows the deal, net by
        tax code."""
        if slot.key != self._taker(slot):
            return share_of(self.nets, slot)
        others = [self._nets_now(p) for p in self.places if p.slot.key != slot.key]
        return left_of(self.nets, others)

    def follows(self, place: Place) -> bool:
        """Whether a part's draft says other amounts than it is to say by now."""
        created = place.part.created
        if not place.free or created is None:
            return False
        groups = groups_of(created.lines, created.line_amounts, self.content.rates)
        return _plain(by_rate(groups)) != _plain(self.nets_of(place.slot))

    @property
    def credited(self) -> Decimal:
        """What of the parts was credited, net: no part is billed more for it, since nobody knows
        whether it was too much that was invoiced, or a favour."""
        return net_credited(place.part for place in self.places)

    def difference(self) -> tuple[Decimal, Decimal] | None:
        """What was invoiced and what the deal comes to, both net, once no part can follow any more
        and they differ by more than rounding; None while one can still make up for it, and if what
        was credited is the difference."""
        if self.still_to_make or any(place.gone or place.free for place in self.places):
            return None
        lines = sum(len(p.part.invoice.lines or ()) for p in self.places if p.part.invoice)
        made = sum((sum(self._nets_now(p).values(), ZERO) for p in self.places), ZERO)
        whole = sum(self.nets.values(), ZERO)
        gaps = (made - whole, made - self.credited - whole)
        return None if min(map(abs, gaps)) <= tolerance(lines) else (made, whole)

    @property
    def but_credited(self) -> str:
        """What was credited, in words that follow the sum invoiced; "" if nothing was."""
        return f", {self.credited:,.2f} of it credited," if self.credited else ""

    def write(
        self, slot: Slot, contact: Contact | None, asked: InvoiceContext
    ) -> tuple[InvoiceDraft, tuple[str, ...], Issue | None]:
        """The part as the invoice it becomes. Raises Held "parts_exceed_deal",
        "earlier_part_open", and what `draft_of` raises."""
        lines = self._lines(slot)
        draft, story = draft_of(self.content, contact, _undated(asked), lines)
        nothing = (ZERO, ZERO)  # the deal's value is compared with all parts together
        draft = msgspec.structs.replace(
            draft, url=with_part(draft.url, slot.key), beside=nothing, explained=""
        )
        told = (self.schedule.because, *story, *self._sums(slot, draft))
        return draft, told, self.doubt_about(slot, draft.total)

    def doubt_about(self, slot: Slot, total: Decimal) -> Issue | None:
        """What keeps this part, with this total, a draft: the deal's value is another than its
        lines', or the parts come to more or less tax than rounding each of them explains."""
        if self.doubt is not None:
            return self.doubt
        gap, groups = self._gap(slot, total), len(self.groups)
        lines = sum(len(i.lines or ()) if (i := p.part.invoice) else groups for p in self.places)
        if abs(gap) <= _CENT * (lines + len(self.content.all_lines)):
            return None
        whole = self._whole.total
        words = (
            f"the parts come to {whole + gap:,.2f} with tax, and the deal as one invoice to "
            f"{whole:,.2f}"
        )
        step = "Look at the taxes of the invoices made before, correct this one"
        return totals_differ(self.case.deal, words, step)

    @property
    def _whole(self) -> Prediction:
        return predict(self.content.all_lines, self.content.line_amounts, self.content.rates)

    def _lines(self, slot: Slot) -> tuple[InvoiceLine, ...]:
        deposit, last = self.schedule.deposit, slot.key == self.places[-1].slot.key
        nets = self.nets_of(slot)
        self._check(slot, nets)
        if last and deposit.style == "full_less_deposit":
            return (*self.content.all_lines, *self._less(slot))
        account = None
        if deposit.account and not last:
            known = self.context.ledger.accounts
            account = account_of(deposit.account, known, "invoices.deposit.account").code
        return lines_for(
            nets, self.groups, slot, self.content.line_amounts, self.content.rates,
            account=account,
        )  # fmt: skip

    def _less(self, slot: Slot) -> list[InvoiceLine]:
        """What was invoiced before, line by line. Its number must be one that stays."""
        lines: list[InvoiceLine] = []
        for place in self.places:
            if place.slot.key == slot.key:
                continue
            invoice = place.part.invoice
            if invoice is None or invoice.status not in _FINAL:
                raise Held(
                    "earlier_part_open",
                    f'The last invoice deducts the earlier ones, and that for "{place.slot.name}" '
                    f"{'is not made' if invoice is None else f'is {invoice.status}'}.",
                    field="deposit",
                    next_step="Approve the earlier invoice in the ledger, or have it issued anew: "
                    f'`syncjob reissue {self.case.deal.id} --part "{place.slot.name}"`.',
                )
            lines += self._taken_off(place, invoice)
        return lines

    def _taken_off(self, place: Place, invoice: Invoice) -> tuple[InvoiceLine, ...]:
        """Its lines, negative; together they must be what it has invoiced, at each rate."""
        amounts, rates = self.content.line_amounts, self.content.rates
        lines = less(invoice, place.part.created, amounts, rates)
        taken = by_rate(groups_of(lines, amounts, rates))
        known = amounts == "no_tax" or all(line.tax_code in rates for line in lines)
        if known and _plain(taken) == {c: -net for c, net in _plain(self._nets_now(place)).items()}:
            return lines
        name = invoice.number or invoice.id
        raise Held(
            "earlier_part_unlike",
            f'The last invoice deducts the earlier ones, and the lines of {name} ("'
            f'{place.slot.name}") have taxes that this deal has not, or are not known.',
            field="deposit",
            next_step=f"Give {name} the taxes of the deal's lines in the ledger; or make the last "
            f"invoice by hand: `syncjob resolve deal {self.case.deal.id} --never`.",
        )

    def _check(self, slot: Slot, nets: Nets) -> None:
        """Refuse a part for which nothing that fits is left: more was invoiced than the deal comes
        to now, as a whole or at some rate."""
        whole, slack = self.nets, _CENT * len(self.places)  # what rounding may leave of a rate
        others = [p for p in self.places if p.slot.key != slot.key and p.fixed is not None]
        made = sum((sum(self._nets_now(place).values(), ZERO) for place in others), ZERO)
        part, all_of_it = sum(nets.values(), ZERO), sum(whole.values(), ZERO)
        odd = any(
            net * whole.get(code, ZERO) <= 0 and abs(net) > slack for code, net in nets.items()
        )
        if part > 0 and made + part <= all_of_it + slack and not odd:
            return
        raise Held(
            "parts_exceed_deal",
            f"{made:,.2f} {self.case.deal.currency} net are invoiced already{self.but_credited} "
            f"and the whole deal comes to {all_of_it:,.2f}, so nothing that fits is left for this "
            "part.",
            field="schedule",
            next_step="Correct the deal or its schedule in the CRM; where too much was invoiced, "
            "credit it in the ledger, and bill what is missing by hand: "
            f"`syncjob resolve deal {self.case.deal.id} --never`.",
        )

    def _sums(self, slot: Slot, draft: InvoiceDraft) -> tuple[str, ...]:
        """This part beside the whole, and what rounding by invoice does to the tax."""
        whole, currency = self._whole, draft.currency
        words = (
            f"{slot.title}: {draft.sub_total:,.2f} net, {draft.total:,.2f} with tax, of "
            f"{whole.sub_total:,.2f} and {whole.total:,.2f} {currency}"
        )
        gap = self._gap(slot, draft.total)
        if not gap:
            return (words,)
        return words, f"the parts come to {gap:+,.2f} {currency} by rounding the tax of each"

    def _gap(self, slot: Slot, total: Decimal) -> Decimal:
        """How much more than the whole all parts come to with tax, this one to `total`."""
        others = [self._total(place) for place in self.places if place.slot.key != slot.key]
        return sum(others, total) - self._whole.total

    def _total(self, place: Place) -> Decimal:
        """The total of a part with tax, as invoiced or as foreseen."""
        if place.fixed is not None:
            return place.fixed.total
        content = self.content
        lines = lines_for(
            self.nets_of(place.slot), self.groups, place.slot, content.line_amounts, content.rates
        )  # fmt: skip
        return predict(lines, content.line_amounts, content.rates).total

    def _taker(self, asked: Slot) -> str | None:
        """The key of the part that takes the remainder: the last that is not fixed, or the one
        that is asked about as if it were not."""
        missing = [
            place.slot.key
            for place in self.places
            if (place.fixed is None or place.slot.key == asked.key) and not place.gone
        ]
        return missing[-1] if missing else None

    def _nets_now(self, place: Place) -> Nets:
        """What a part stands for: as invoiced, else as its share says, else as the others leave."""
        if place.fixed is not None:
            return invoiced(place.fixed, place.part.created, self.content.rates, self.nets)
        if place.slot.share is not None:
            return share_of(self.nets, place.slot)
        others = [p.slot for p in self.places if p.slot.share is not None]
        return left_of(self.nets, [share_of(self.nets, slot) for slot in others])


def outline_of(case: Case, context: Context) -> Outline | None:
    """The schedule over the deal's invoices; None if the deal is to be invoiced as a whole and no
    invoice of a part stands in the way. Raises Held "currency_changed", and with the codes of the
    rules that are asked."""
    _check_currency(case)
    contact = _billed(case, context)
    asked = _undated(invoice_context(case, context, f"{context.code}-{case.deal.id}-A1"))
    content = content_of(case.deal, contact, asked)
    schedule = _schedule(case, context, content, contact)
    strays_if_whole = tuple(part for part in case.live if part.key != "")
    if schedule is None:
        if not strays_if_whole:
            return None
        schedule = Schedule(
            slots=(Slot(key="", name="the whole deal", on=context.today),),
            deposit=context.policy.deposit, because="as a whole",
        )  # fmt: skip
    places = placed(case, context, schedule)
    known = {place.part.name for place in places}
    lines = content.all_lines
    draft, _ = draft_of(content, contact, asked, lines)
    if any(place.part.invoice is None for place in places):
        check_deposit(schedule.deposit, context.ledger.organisation)
    return Outline(
        case=case, context=context, content=content, schedule=schedule, places=places,
        strays=tuple(part for part in case.live if part.name not in known),
        groups=tuple(groups_of(lines, content.line_amounts, content.rates)),
        doubt=doubt_of(case.deal, draft, context.policy),
    )  # fmt: skip


def _check_currency(case: Case) -> None:
    """The parts of a deal have one currency: nothing is added up, or made, across two."""
    others = sorted({i.currency for i in case.invoices} - {case.deal.currency})
    if others:
        raise Held(
            "currency_changed",
            f"The deal is in {case.deal.currency}, and it has invoices in {', '.join(others)}.",
            field="currency",
            next_step="Change the deal's currency back, or void those invoices in the ledger.",
        )


def _undated(asked: InvoiceContext) -> InvoiceContext:
    return msgspec.structs.replace(asked, inputs=undated(asked.inputs))


def _billed(case: Case, context: Context) -> Contact | None:
    """Whom the deal's invoices bill: as those that it has do, else as the first would."""
    for part in case.live:
        if part.contact is not None:
            return part.contact
    found = customer(case, context)
    return found if isinstance(found, Contact) else None


def _schedule(
    case: Case, context: Context, content: Content, contact: Contact | None
) -> Schedule | None:
    own = content.lines  # what the deal's value has in it
    sums = predict(own, content.line_amounts, content.rates)
    whole = next((part for part in case.parts if part.key == ""), None)
    if whole is not None and not all_ours(whole):
        return None
    if case.deal.instalments:
        return by_instalments(case.deal, context.policy, sums)
    begun = [part.key for part in case.parts if part.key and not all_ours(part)]
    new = contact is None or contact.id not in case.buyers
    facts = InvoiceFacts(total=sums.total, new_customer=new)
    rule = rule_for(context.policy, content.facts, facts, begun)
    if rule is None:
        return None
    return by_rule(rule, case.deal, context.policy, sums, context.zone)


def _plain(nets: Nets) -> dict[str, Decimal]:
    return {code: net for code, net in nets.items() if net}
