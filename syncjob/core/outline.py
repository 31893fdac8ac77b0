"""A deal's schedule laid over the invoices that it has: which part is which, and what is left.

Keeps invariants 1 (a part is known by its key, whatever its place) and 8: what was invoiced counts
as the ledger has it, and the last part that is not made yet takes the remainder.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from syncjob.core.actions import InvoiceChange, InvoiceDraft, Issue
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.holds import customer
from syncjob.core.markers import free_part, with_part
from syncjob.core.money import ZERO
from syncjob.core.records import Contact, Invoice, InvoiceLine
from syncjob.core.revising import invoice_context, undated
from syncjob.core.rules.arithmetic import predict, tolerance
from syncjob.core.rules.basis import account_of
from syncjob.core.rules.changes import withdrawn
from syncjob.core.rules.invoicing import Content, InvoiceContext, content_of, doubt_of, draft_of
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


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the schedule with what the state knows of it."""

    slot: Slot
    part: PartCase
    free: bool = False

    @property
    def gone(self) -> bool:
        """A person deleted or voided it, and nobody asked for it again."""
        last = self.part.history[-1] if self.part.history else None
        return self.part.invoice is None and last is not None and not last.deleted_by_us

    @property
    def fixed(self) -> Invoice | None:
        """Its invoice, where that stays as it is whatever becomes of the deal; our own untouched
        draft follows the deal (`free`)."""
        return None if self.free else self.part.invoice


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

    def difference(self) -> tuple[Decimal, Decimal] | None:
        """What was invoiced and what the deal comes to, both net, once no part can follow any more
        and they differ by more than rounding; None while one can still make up for it."""
        if self.still_to_make or any(place.gone or place.free for place in self.places):
            return None
        lines = sum(len(p.part.invoice.lines or ()) for p in self.places if p.part.invoice)
        made = sum((sum(self._nets_now(p).values(), ZERO) for p in self.places), ZERO)
        whole = sum(self.nets.values(), ZERO)
        return None if abs(made - whole) <= tolerance(lines) else (made, whole)

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
        return draft, (self.schedule.because, *story, *self._sums(slot, draft)), self.doubt

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
            lines += less(invoice, place.part.created)
        return lines

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
            f"{made:,.2f} {self.case.deal.currency} net are invoiced already and the whole deal "
            f"comes to {all_of_it:,.2f}, so nothing that fits is left for this part.",
            field="schedule",
            next_step="Correct the deal or its schedule in the CRM; where too much was invoiced, "
            "a person credits it in the ledger.",
        )

    def _sums(self, slot: Slot, draft: InvoiceDraft) -> tuple[str, ...]:
        """This part beside the whole, and what rounding by invoice does to the tax."""
        content, currency = self.content, draft.currency
        whole = predict(content.all_lines, content.line_amounts, content.rates)
        words = (
            f"{slot.title}: {draft.sub_total:,.2f} net, {draft.total:,.2f} with tax, of "
            f"{whole.sub_total:,.2f} and {whole.total:,.2f} {currency}"
        )
        gap = sum((self._total(place, slot, draft) for place in self.places), ZERO) - whole.total
        if not gap:
            return (words,)
        return words, f"the parts come to {gap:+,.2f} {currency} by rounding the tax of each"

    def _total(self, place: Place, slot: Slot, draft: InvoiceDraft) -> Decimal:
        """The total of a part with tax: this one's, as invoiced, or as foreseen."""
        if place.slot.key == slot.key:
            return draft.total
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
    places = _placed(case, context, schedule)
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


def in_parts(case: Case, context: Context) -> bool:
    """Whether a schedule may have a say: a deal that was invoiced as a whole stays so."""
    whole = next((part for part in case.parts if part.key == ""), None)
    if any(part.key != "" for part in case.parts if part.invoice is not None):
        return True
    if whole is not None and (whole.invoice is not None or not _all_ours(whole)):
        return False
    parts = any(part.key != "" and not _all_ours(part) for part in case.parts)
    return parts or bool(case.deal.instalments) or bool(context.policy.schedules)


def _free(part: PartCase, context: Context) -> bool:
    """Whether the part's invoice is our own draft that nobody has touched."""
    if part.invoice is None or part.created is None or part.invoice.marker != part.marker:
        return False
    locked = context.locked_through
    untouched = withdrawn(part.invoice, part.invoice_base, part.invoice_now, locked)
    return isinstance(untouched, InvoiceChange)


def _all_ours(part: PartCase) -> bool:
    """Whether we took back whatever was made of this part, so that nothing of it is left."""
    return part.invoice is None and all(past.deleted_by_us for past in part.history)


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
    if whole is not None and not _all_ours(whole):
        return None
    if case.deal.instalments:
        return by_instalments(case.deal, context.policy, sums)
    begun = [part.key for part in case.parts if part.key and not _all_ours(part)]
    new = contact is None or contact.id not in case.buyers
    facts = InvoiceFacts(total=sums.total, new_customer=new)
    rule = rule_for(context.policy, content.facts, facts, begun)
    if rule is None:
        return None
    return by_rule(rule, case.deal, context.policy, sums, context.zone)


def _plain(nets: Nets) -> dict[str, Decimal]:
    return {code: net for code, net in nets.items() if net}


def _placed(case: Case, context: Context, schedule: Schedule) -> tuple[Place, ...]:
    """Each part of the schedule with what is known under its key, or with a new name."""
    known = {part.key: part for part in case.parts if part.key is not None}
    used = {part.name for part in case.parts}
    places = []
    for slot in schedule.slots:
        part = known.get(slot.key)
        if part is None:
            name = "A" if slot.key == "" else free_part(used)
            part = PartCase(name=name, key=slot.key)
            used.add(name)
        places.append(Place(slot=slot, part=part, free=_free(part, context)))
    return tuple(places)
