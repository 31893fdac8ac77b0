"""What people do in a year of a firm: sell, pay late, dispute, promise, leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from syncjob.sandbox.kernel import ActError
from tests.notices.firm import CURRENCY, MUTE, TAX, Firm
from tests.notices.model import Model

Deed = Callable[[Firm, Model, Random], object]

CUSTOMERS = ("Acme", "Bolt", "Crane", "Drum", "Eagle", "Fjord")
SELLERS = ("Ann Lee", "Bob Kay", "Cy Moe")
#: How late an invoice of a history is paid, and how far its day is moved.
MOVED_DAYS = (-20, -7, -1, 1, 5, 20, 40)


def _deal(firm: Firm, rng: Random) -> int:
    found = [d["id"] for d in firm.pipedrive.company.all("deals") if not d["is_deleted"]]
    if not found:
        raise ActError("no deal")
    return int(rng.choice(found))


def _open(firm: Firm, model: Model, rng: Random) -> str:
    """An invoice with something due, rather a late one."""
    found = [i for _, i in model.debts() if i.status == "AUTHORISED" and i.due > 0]
    if not found:
        raise ActError("nothing is due")
    late = [i for i in found if i.due_day and i.due_day < model.today]
    return str(rng.choice(late if late and rng.random() < 0.7 else found).id)


def sell(firm: Firm, model: Model, rng: Random) -> object:
    """A deal is won."""
    name = rng.choice(CUSTOMERS)
    known = {o["name"]: o["id"] for o in firm.pipedrive.company.all("organizations")}
    active = [s for s in SELLERS if _is_active(firm, s)]
    if name not in known:
        known[name] = firm.crm("create_org", name=name, owner=rng.choice(active))["id"]
    line = {"name": "Work", "price": rng.choice((4, 100, 250.5, 999.99)), "quantity": 1,
            "tax": TAX[firm.region]}  # fmt: skip
    made = firm.crm(
        "create_deal", title="An order", org=known[name], owner=rng.choice(active),
        currency=CURRENCY[firm.region], lines=[line],
    )  # fmt: skip
    return firm.crm("win", deal=made["id"])


def _is_active(firm: Firm, name: str) -> bool:
    return any(u["name"] == name and u["active_flag"] for u in firm.pipedrive.company.all("users"))


def pay(firm: Firm, model: Model, rng: Random) -> object:
    """All of it, or a part; the last cents may stay open."""
    key = _open(firm, model, rng)
    due = firm.xero.organisation.invoices[key].due
    amount = rng.choice((due, due, due / 2, due / 4, due - 3))
    cents = max(int(amount * 100), 1) / 100
    act = rng.choice(("pay", "pay", "pay", "credit", "allocate_prepayment"))
    return firm.books(act, invoice=key, amount=cents)


def unpay(firm: Firm, model: Model, rng: Random) -> object:
    """The bank took it back: the invoice is open again."""
    found = [i.id for _, i in model.debts() if any(a.kind == "payment" for a in i.applied)]
    if not found:
        raise ActError("nothing was paid")
    return firm.books("remove_payment", invoice=rng.choice(found))


def credit_ahead(firm: Firm, model: Model, rng: Random) -> object:
    """A credit note that nobody applies yet."""
    key = _open(firm, model, rng)
    due = float(firm.xero.organisation.invoices[key].due)
    amount = round(due * rng.choice((0.3, 1, 1.5)), 2)
    return firm.books("credit", invoice=key, amount=amount, total=amount, allocate=False)


def apply_credit(firm: Firm, model: Model, rng: Random) -> object:
    """It is applied to some invoice after all."""
    key = _open(firm, model, rng)
    customer = firm.xero.organisation.invoices[key].contact_id
    found = [
        c.id for c in firm.xero.organisation.credits
        if c.contact_id == customer and c.type == "ACCRECCREDIT" and c.due > 0
        and c.status == "AUTHORISED"
    ]  # fmt: skip
    if not found:
        raise ActError("no credit")
    return firm.books("allocate_credit", credit=rng.choice(found), invoice=key)


def move(firm: Firm, model: Model, rng: Random) -> object:
    """The customer gets more time, or less."""
    key = _open(firm, model, rng)
    day = firm.xero.organisation.invoices[key].due_day + timedelta(days=rng.choice(MOVED_DAYS))
    invoice = firm.xero.organisation.invoices[key]
    day = max(day, invoice.day)
    return firm.books("edit_invoice", invoice=key, fields={"DueDate": day.isoformat()})


def expect(firm: Firm, model: Model, rng: Random) -> object:
    """The customer promises a day, or the promise is forgotten."""
    key = _open(firm, model, rng)
    day = model.today + timedelta(days=rng.choice((-2, 0, 3, 10)))
    said = rng.choice((day.isoformat(), day.isoformat(), None))
    return firm.books("set_expected_payment_date", invoice=key, date=said)


def void(firm: Firm, model: Model, rng: Random) -> object:
    """It was a mistake."""
    found = [i.id for _, i in model.debts() if i.status == "AUTHORISED" and not i.applied]
    if not found:
        raise ActError("nothing to void")
    return firm.books("void", invoice=rng.choice(found))


def dispute(firm: Firm, model: Model, rng: Random) -> object:
    """The deal's own field says so, or no longer."""
    value = rng.choice(("yes", "since Monday", "no", None))
    return firm.crm("edit_deal", deal=_deal(firm, rng), fields={MUTE: value})


def mute(firm: Firm, model: Model, rng: Random) -> object:
    """`syncjob mute`, until a day, for good, or off."""
    deal, kind = _deal(firm, rng), rng.choice(("until", "until", "good", "off"))
    until = model.today + timedelta(days=rng.choice((1, 4, 15)))
    command = {"until": f"mute:{until.isoformat()}", "good": "mute:", "off": "unmute"}[kind]
    firm.decide(command, deal)
    model.mutes[deal] = {"until": until, "good": date.max, "off": date.min}[kind]
    return None


def hand_over(firm: Firm, model: Model, rng: Random) -> object:
    """A deal, or a customer, gets another owner."""
    to = rng.choice([s for s in SELLERS if _is_active(firm, s)])
    if rng.random() < 0.5:
        return firm.crm("edit_deal", deal=_deal(firm, rng), owner=to)
    orgs = [o["id"] for o in firm.pipedrive.company.all("organizations")]
    if not orgs:
        raise ActError("no customer")
    return firm.crm("edit_org", org=rng.choice(orgs), owner=to)


def leave(firm: Firm, model: Model, rng: Random) -> object:
    """Somebody leaves the firm; one stays."""
    active = [s for s in SELLERS if _is_active(firm, s)]
    if len(active) == 1:
        raise ActError("the last one stays")
    return firm.crm("deactivate_user", user=rng.choice(active))


def reopen(firm: Firm, model: Model, rng: Random) -> object:
    """Sales opens a deal again, or wins it again; its approved invoice stays."""
    return firm.crm(rng.choice(("reopen", "win", "win")), deal=_deal(firm, rng))


DEEDS: tuple[tuple[int, Deed], ...] = (
    (12, sell), (14, pay), (3, unpay), (3, credit_ahead), (2, apply_credit), (5, move),
    (4, expect), (1, void), (4, dispute), (4, mute), (4, hand_over), (1, leave), (2, reopen),
)  # fmt: skip


def act(firm: Firm, model: Model, rng: Random) -> None:
    """One deed of somebody; nothing if what was drawn cannot be done now."""
    deed = rng.choices([d for _, d in DEEDS], [w for w, _ in DEEDS])[0]
    firm.attempt(lambda _: deed(firm, model, rng))
