"""Compare what is known of both sides: deals with their invoices, fields with the ledger's truth.

Asks the rules that every batch asks (core/plan): what they would do, and no batch has been asked
to do, was missed. What the next batch does anyway is counted and left to it. Keeps invariant 7:
what a person did is told and never put back.
"""

from __future__ import annotations

from syncjob.core.actions import Action, Decision, Issue
from syncjob.core.case import Case, Context
from syncjob.core.contacts.plan import decide_contact
from syncjob.core.markers import contact_of_marker, marker_in, parse_invoice_marker
from syncjob.core.plan import decide, needs_lines
from syncjob.core.reconcile import Finding, Kind, Mends, amounts_apart, named, pages_of
from syncjob.core.records import Contact, Invoice
from syncjob.engine.adopt import adopt_contact, adopt_invoice
from syncjob.engine.cases import load_case, load_context
from syncjob.engine.contacts import wants
from syncjob.engine.contacts.cases import load_contact, load_contact_context
from syncjob.engine.reconcile.session import Session
from syncjob.state.links import Part

#: Records compared in one commit.
GROUP = 100
_NEXT = "Nothing: the next batch does it."
_TELLS = "Nothing yet: the next batch says what is to be done."
#: What the rules say of a deal without its lines, which a batch reads before it decides.
_UNREAD = "deal_unreadable"
#: What an issue that the rules would raise is about, where it is not the deal's fields.
_OF_CODE: dict[str, Kind] = {
    "totals_differ": "amount", "duplicate_effect": "duplicate", "reopened_after_invoice": "extra",
}  # fmt: skip


def compare_deals(session: Session) -> None:
    """Every deal that was won or has an invoice, in the order of ids."""
    batch = session.batch
    context = load_context(batch)
    pending = set(batch.state.snapshots.wanted(batch.today.isoformat()))
    while deals := session.finds.deals_after(session.given.position, GROUP):
        session.pause()
        issues = session.finds.open_subjects()
        with batch.state.commit():
            for deal in deals:
                if deal in pending:
                    session.given.waiting += 1
                else:
                    _compare_deal(session, deal, context, issues.get(f"deal:{deal}", set()))
            session.given.compared += len(deals)
            session.given.position = deals[-1]
            session.save()


def _compare_deal(session: Session, deal: str, context: Context, known: set[str]) -> None:
    case = load_case(session.batch, deal)
    if case is None:
        return  # told as a dead link, if it has an invoice
    if case.busy:
        session.given.waiting += 1
        return
    if not case.live and needs_lines(case, context):
        _without_invoice(session, case, known)
        return
    decision = decide(case, context)
    if decision.waits:
        session.given.waiting += 1
        return
    for issue in decision.issues:
        if issue.state == "excluded" and not case.live:
            session.explain(issue.code)
    if not _undone(session, case, decision, known):
        _odd(session, case, context, decision, known)


def _without_invoice(session: Session, case: Case, known: set[str]) -> None:
    """A won deal that no rule leaves out: an open issue says why, or nobody has looked at it."""
    if known:
        session.explain(sorted(known)[0])
        return
    _queue(session, case, "reconcile: it was won and has no invoice")
    _add(
        session, case, None, "no_invoice", "next_batch",
        "The deal is won, no rule leaves it out, and it has no invoice.",
        "Nothing: the next batch decides it, and makes its invoice or says why not.",
    )  # fmt: skip


def _undone(session: Session, case: Case, decision: Decision, known: set[str]) -> bool:
    """What the rules would do or tell, and nobody has asked them."""
    invoice = case.invoices[0] if case.invoices else None
    if decision.actions:
        action = decision.actions[0]
        kind: Kind = "no_invoice" if action.creates and not case.live else "status"
        _queue(session, case, "reconcile: something was left undone")
        _add(session, case, invoice, kind, "next_batch", _words(action), _NEXT)
        return True
    told = {*known, _UNREAD}
    fresh = [i for i in decision.issues if i.state != "excluded" and i.code not in told]
    if fresh:
        _queue(session, case, "reconcile: something was not told yet")
        kind = _OF_CODE.get(fresh[0].code, "status")
        what = f"Something about it has not been told yet ({fresh[0].code.replace('_', ' ')})."
        _add(session, case, invoice, kind, "next_batch", what, _TELLS)
    return bool(fresh)


def _words(action: Action) -> str:
    payload = action.payload
    fields: dict[str, str | None] = getattr(payload, "fields", {})
    if action.kind != "deal.update" or not fields:
        return f"This was left undone: {action.kind.replace('.', ' ')}, because {action.reason}."
    return f"The deal's own fields are not what they should be: {named(sorted(fields))}."


# --- what the rules leave alone -----------------------------------------------------------------


def _odd(
    session: Session, case: Case, context: Context, decision: Decision, known: set[str]
) -> None:
    """Whether deal and invoice belong together as they stand; the first thing that is odd."""
    invoice = case.invoices[0] if case.invoices else None
    second = next((extra for part in case.parts for extra in part.extra), None)
    issue = _issue(decision, "duplicate_effect")
    if second is not None and issue is not None:
        _add(session, case, second, "duplicate", "known", issue.what, issue.next_step)
        return
    if invoice is None:
        return
    if case.deal.status != "won":
        _not_won(session, case, invoice, decision)
        return
    apart = amounts_apart(case, context) if not case.after.repeats else None
    if apart is not None:
        words, accepted = apart
        if accepted:
            session.explain("approved_with_another_total")
            return
        told = "totals_differ" in known
        _add(
            session, case, invoice, "amount", "known" if told else "person",
            f"In {case.deal.currency}, {words}.",
            "Compare the deal's lines with the invoice; correct the deal, or credit the invoice.",
        )  # fmt: skip
        return
    _markers(session, case)


def _not_won(session: Session, case: Case, invoice: Invoice, decision: Decision) -> None:
    if "never" in case.answers:
        session.explain("never")
        return
    issue = _issue(decision, "reopened_after_invoice")
    kind: Kind = "dead_link" if case.deal.status == "deleted" else "extra"
    what = issue.what if issue else f"The deal is {case.deal.status}, and has an invoice."
    step = issue.next_step if issue else "Void or credit the invoice, or win the deal again."
    _add(session, case, invoice, kind, "known" if issue else "person", what, step)


def _markers(session: Session, case: Case) -> None:
    """What of our marker people have cleared; the link does not depend on it (BOOKKEEPING)."""
    for part in session.batch.state.links.parts(case.deal.id):
        invoice = session.batch.state.snapshots.get(
            "ledger", "invoices", part.ledger_id, Invoice
        )  # fmt: skip
        if part.ended is not None or part.how == "person" or invoice is None:
            continue
        cleared = [
            name
            for name, found in (
                ("reference", marker_in(None, invoice.reference)),
                ("link", marker_in(invoice.url, None)),
            )
            if found != part.marker
        ]
        if cleared:
            _cleared(session, case, part, invoice, cleared)
            return


def _cleared(
    session: Session, case: Case, part: Part, invoice: Invoice, cleared: list[str]
) -> None:
    name = invoice.number or invoice.id
    if len(cleared) < 2 or invoice.number == part.marker:
        _add(
            session, case, invoice, "marker", "nobody",
            f"The {cleared[0]} of {name} bears our marker {part.marker} no more.",
            "Nothing: syncjob knows the invoice by its id, and puts nothing back.",
        )  # fmt: skip
        return
    _add(
        session, case, invoice, "marker", "person",
        f"Nothing on {name} bears our marker {part.marker} any more, so only this state knows "
        "that it is ours.",
        f"Write {part.marker} at the end of its reference, so that a lost state finds it again.",
    )  # fmt: skip


# --- what bears our marker and is tied to nothing ------------------------------------------------


def tie_strays(session: Session) -> None:
    """Adopt what bears our marker and lost its link, as each page would if it were new."""
    batch, code = session.batch, session.batch.config.connection.code
    get = batch.state.snapshots.get
    for invoice_id in session.finds.stray_invoices(code):
        invoice = get("ledger", "invoices", invoice_id, Invoice)
        if invoice is None or parse_invoice_marker(invoice.marker or "") is None:
            continue
        with batch.state.commit():
            part = adopt_invoice(batch, invoice)
            if part is None:
                continue
            batch.state.snapshots.want([part.deal], "reconcile: its invoice was tied again")
            session.add(
                Finding(
                    kind="no_link", subject=f"invoice:{invoice.id}", deal=part.deal,
                    mends="next_batch", next_step="Nothing: it is tied to its deal again.",
                    what=f"The invoice {invoice.number or invoice.id} bears our marker "
                    f"{invoice.marker} and was tied to no deal.",
                    pages=(invoice.page,) if invoice.page else (),
                )
            )  # fmt: skip
            session.save()
    for marker, contact_id in session.finds.stray_contacts():
        _tie_contact(session, contact_of_marker(code, marker), contact_id)


def _tie_contact(session: Session, crm_id: str | None, contact_id: str) -> None:
    """A pair that a person set apart stays apart."""
    batch = session.batch
    contact = batch.state.snapshots.get("ledger", "contacts", contact_id, Contact)
    if crm_id is None or contact is None or contact.archived or contact.forgotten:
        return
    if crm_id in batch.state.matches.apart_from(contact_id) or batch.state.links.contact(crm_id):
        return
    with batch.state.commit():
        adopt_contact(batch, contact)
        if batch.state.links.contact(crm_id) is None:
            return
        session.add(
            Finding(
                kind="no_link", subject=f"contact:{crm_id}", mends="next_batch",
                what="The ledger's customer bears our marker and was linked with nobody.",
                next_step="Nothing: it is linked again.",
                pages=(contact.page,) if contact.page else (),
            )
        )  # fmt: skip
        session.save()


# --- customers of both sides --------------------------------------------------------------------


def compare_customers(session: Session) -> None:
    """Where contacts are synced: pairs that the rules would bring together, and nobody asked."""
    batch = session.batch
    if not wants.is_on(batch):
        return
    context = load_contact_context(batch)
    pending = session.finds.pending_customers()
    while pairs := session.finds.links_after(session.given.position, GROUP):
        session.pause()
        with batch.state.commit():
            for crm_id, _ in pairs:
                case = None if crm_id in pending else load_contact(batch, crm_id)
                decision = decide_contact(case, context) if case else None
                if case is None or decision is None or not decision.actions:
                    continue
                fields = sorted({f for a in decision.actions for f in _fields(a)})
                batch.state.contacts.want([crm_id], "reconcile: the sides differ")
                pages = [r.page for r in (case.crm, case.ledger) if r is not None and r.page]
                session.add(
                    Finding(
                        kind="contact", subject=f"contact:{crm_id}", mends="next_batch",
                        what=f"The two sides differ and no batch was asked: {named(fields)}.",
                        next_step=_NEXT, pages=tuple(pages),
                    )
                )  # fmt: skip
            session.given.position = pairs[-1][0]
            session.save()


def _fields(action: Action) -> list[str]:
    values = getattr(action.payload, "values", None)
    return list(values) if isinstance(values, dict) else ["its marker"]


# --- small things -------------------------------------------------------------------------------


def _issue(decision: Decision, code: str) -> Issue | None:
    return next((issue for issue in decision.issues if issue.code == code), None)


def _queue(session: Session, case: Case, why: str) -> None:
    session.batch.state.snapshots.want([case.deal.id], why)


def _add(
    session: Session, case: Case, invoice: Invoice | None, kind: Kind, mends: Mends, what: str,
    step: str,
) -> None:  # fmt: skip
    session.add(
        Finding(
            kind=kind, subject=case.subject, deal=case.deal.id, mends=mends, what=what,
            next_step=step, pages=pages_of(case, invoice),
        )
    )  # fmt: skip
