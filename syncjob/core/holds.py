"""What keeps a won deal from being invoiced though its lines are in order: doubt about whom to
bill, or about whether it was invoiced before.

Keeps invariant 1 where only the records can tell: each function raises Held with its reason.
"""

from __future__ import annotations

from syncjob.core.actions import ContactDraft, InvoiceDraft
from syncjob.core.answers import released
from syncjob.core.case import Case, Context, PartCase
from syncjob.core.contacts.create import completed
from syncjob.core.markers import contact_marker
from syncjob.core.records import Contact, Invoice
from syncjob.core.rules.doubles import possible_doubles
from syncjob.core.rules.matching import find_contact, require_party
from syncjob.core.rules.texts import one_line
from syncjob.errors import Held


def already_invoiced(case: Case, context: Context) -> None:
    """A deal that names an invoice is linked or held, never created (BOOKKEEPING).

    This also catches what a lost state made a moment ago: the deal, which is read by id or a
    strong list, shows the link before the ledger's lists show the draft.
    """
    if any(part.history for part in case.parts):
        return
    names = [name for key in ("number", "link") if (name := context.fields.names().get(key))]
    filled = {
        name: value
        for name in names
        if (value := case.deal.fields.get(name)) and name not in case.deal_base
    }
    about = one_line(" ".join(filled.values()))
    if filled and not released(case.answers, "invoice_field_filled", about):
        raise _named(case, *next(iter(filled.items())), about)


def _named(case: Case, field: str, value: str, about: str) -> Held:
    where = "which is in the ledger" if case.by_number else "which the ledger does not show (yet)"
    number = case.by_number.number if case.by_number else "NUMBER"
    return Held(
        "invoice_field_filled",
        f"The deal already names an invoice: {value!r}, {where}.",
        field=field,
        about=about,
        next_step=f"`syncjob resolve deal {case.deal.id} --link {number}` ties an invoice to the "
        f"deal; `--create` makes a new one; or clear {field!r} on the deal.",
    )


def customer(case: Case, context: Context) -> Contact | ContactDraft:
    """The ledger contact to bill, free or linked with this customer, or the one to create."""
    party = require_party(case.deal)
    if case.party is None:
        raise Held(
            "customer_gone", f"The deal's customer ({party}) can no longer be read in the CRM.",
            next_step="Give the deal an organization or a person that exists.",
        )  # fmt: skip
    found = find_contact(
        case.party, case.person, case.candidates, contact_marker(context.code, party)
    )
    if isinstance(found, ContactDraft):
        return completed(*case.crossing, found) if case.crossing else found
    owner = case.owners.get(found.id)
    if owner not in (None, party):
        raise Held(
            "contact_linked_elsewhere",
            f"The ledger's contact {found.name!r} is already linked with {owner} in the CRM.",
            next_step="Merge the two customers in the CRM, or give this one its own name.",
        )
    return found


def customer_changed(case: Case, contact: Contact | ContactDraft) -> Held | None:
    """Why no invoice is made, or approved, for the parts of a deal that has gone to this customer:
    another one has not paid what is deducted from the last, and was promised none of it. None if
    all of its invoices are billed to this one."""
    known = contact.id if isinstance(contact, Contact) else None
    others = [
        part.invoice
        for part in case.live
        if part.invoice is not None and (known is None or known not in _billed(part))
    ]
    if not others:
        return None
    numbers = ", ".join(invoice.number or invoice.id for invoice in others)
    return Held(
        "customer_changed",
        f'The deal\'s customer is "{contact.name}" now, and {numbers} is billed to another.',
        next_step="Give the deal its customer back, or delete or void those invoices in the "
        f"ledger; or bill the rest by hand: `syncjob resolve deal {case.deal.id} --never`.",
    )


def _billed(part: PartCase) -> set[str | None]:
    """The ids of the contact that a part's invoice bills: one that was merged has two."""
    contact, invoice = part.contact, part.invoice
    named = {contact.id, contact.merged_into} if contact else set[str | None]()
    return {*named, invoice.contact_id if invoice else None}


def possible_double_of(
    case: Case, context: Context, draft: InvoiceDraft, contact: Contact | None
) -> None:
    """Hold the deal while an invoice made by hand may be the same sale (BOOKKEEPING)."""
    if contact is None:
        return
    others = [
        one for one in case.unlinked
        if not released(case.answers, "possible_double", _as_double(one))
    ]  # fmt: skip
    doubles = possible_doubles(draft, contact.id, others, context.policy.double_days)
    if doubles:
        name = doubles[0].number or doubles[0].id
        more = f" So are {len(doubles) - 1} more." if len(doubles) > 1 else ""
        raise Held(
            "possible_double",
            f"Possible double of {name}: the same customer, total and currency, dated "
            f"{doubles[0].date}, and tied to no deal.{more}",
            about="\n".join(_as_double(one) for one in doubles),
            next_step=f"`syncjob resolve deal {case.deal.id} --link {name}`, or `--create` if it "
            "is another sale, or `--never`.",
        )


def _as_double(invoice: Invoice) -> str:
    return f"{invoice.id} {invoice.currency} {invoice.total:.2f}"


def too_large(
    case: Case, context: Context, draft: InvoiceDraft, follows: Invoice | None = None
) -> None:
    """Hold an invoice far above all before it, most likely a mistyped price; so, too, a change by
    which the draft `follows` would become one, which is then neither made nor approved."""
    largest, about = context.largest.get(draft.currency), f"{draft.currency} {draft.total:.2f}"
    if largest is None or draft.total <= largest * context.times_largest:
        return
    if released(case.answers, "unusually_large", about):
        return
    what, more = f"The invoice of {draft.total:,.2f} {draft.currency}", ""
    if follows is not None:
        if draft.currency == follows.currency and draft.total <= follows.total:
            return  # it is as large already, and was released then
        name = follows.number or follows.id
        what = f"As the deal is now its draft {name} would come to {draft.total:,.2f} "
        what, more = f"{what}{draft.currency}, which", " The draft is left as it was."
    raise Held(
        "unusually_large",
        f"{what} is more than {context.times_largest} times the largest so far ({largest:,.2f})."
        f"{more}",
        about=about,
        next_step=f"If it is right: `syncjob resolve deal {case.deal.id} --create`.",
    )


def two_invoices(case: Case) -> Held:
    """Deals that have an invoice each were merged into one."""
    own = [f"{i.number or i.id} ({i.total:,.2f} {i.currency})" for i in case.invoices]
    theirs = [
        f"{i.number or i.id} ({i.total:,.2f} {i.currency}, of the former deal {deal})"
        for deal, part in case.rivals
        if (i := part.invoice) is not None
    ]
    return Held(
        "merged_deals_invoiced",
        f"Deals were merged into this one, and each has an invoice: {', '.join(own + theirs)}.",
        next_step="Delete, void or credit what is too many in the ledger; if all are right, "
        f"`syncjob resolve deal {case.deal.id} --never` leaves them as they are.",
    )


def unreadable() -> Held:
    """A deal that the CRM hid for a moment, or from the token's user: never forgotten."""
    return Held(
        "deal_unreadable",
        "The CRM did not show the deal when its lines were to be read.",
        next_step="It is tried again within the hour; the API token's user must see the deal.",
    )
