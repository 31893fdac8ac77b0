"""What needs several people's deeds in a row and a batch at the right moment, so that chance alone
seldom brings it about: a seed that draws a plot plays one, at some time of its life.

Each stands for a class of bugs that random deeds met less than once in a thousand seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

from syncjob.sandbox.kernel import ActError
from tests.sim import happenings, meddling, stopping
from tests.sim.aims import Aim
from tests.sim.features import OWN_FIELDS
from tests.sim.world import World

#: Runs a batch of our program, counted as all are.
Batch = Callable[[], None]
Plot = Callable[[World, Random, Batch], None]

SOON, INTERVAL = timedelta(minutes=1), timedelta(minutes=5)
#: Longer than any list looks back, and not so long that nothing is created at once.
AWAY_M = (25, 40, 55)
#: How many commits after a list's page pass first.
COMMITS = (0, 0, 1, 2)
#: A state that is new, or was away, creates nothing for a while.
TRIES, WAIT = 4, timedelta(minutes=6)
#: The points of a batch's reading.
READS = 14
#: How late a ledger's list may show a change (tests/sim/happenings.py).
LATE_S = happenings.LEDGER_LAG_S
_INVOICES, _CUSTOMERS = "GET /xero/api.xro/2.0/Invoices", "POST /xero/api.xro/2.0/Contacts"


def cut_off_in_a_walk(world: World, rng: Random, batch: Batch) -> None:
    """Several invoices were paid longer ago than a walk looks back; the batch that sees it is
    killed soon after."""
    _paid_while_away(world, rng, batch)
    aim = Aim("kill after", rng.choice(COMMITS), commit=True, after=_INVOICES)
    world.faults.aims.waiting.append(aim)
    batch()


def moved_between_pages(world: World, rng: Random, batch: Batch) -> None:
    """So many that they are more than a page; a payer of the first page is edited while it is on
    its way. Calls must not be few."""
    if world.turns["tight limits"]:
        raise ActError("calls are few")
    invoices = _paid_while_away(world, rng, batch)
    world.page_max, page = rng.choice((1, 2)), rng.randrange(2)
    _edit_then(world, rng.choice(invoices[: world.page_max * (page + 1)]))
    world.faults.aims.waiting.append(Aim("edit after", page, place=_INVOICES))
    with _lists_lag(world, 0):
        batch()


def _paid_while_away(world: World, rng: Random, batch: Batch) -> list[str]:
    invoices = _approved(world, rng.randint(3, 5), batch)
    for invoice in invoices:
        world.attempt(lambda w, key=invoice: w.books("pay", invoice=key))  # type: ignore[misc]
        world.advance(timedelta(seconds=2))
    world.advance(timedelta(minutes=rng.choice(AWAY_M)))
    return invoices


def shown_out_of_order(world: World, rng: Random, batch: Batch) -> None:
    """Of two payments the lists show the older one after the newer one."""
    invoices = _approved(world, 2, batch)
    first, *others = rng.sample(invoices, len(invoices))
    with _lists_lag(world, LATE_S):
        world.attempt(lambda w: w.books("pay", invoice=first))
    with _lists_lag(world, 0):
        world.advance(timedelta(seconds=rng.choice((1, 5, 40))))
        for other in others:
            world.attempt(lambda w, key=other: w.books("pay", invoice=key))  # type: ignore[misc]
    batch()
    world.advance(SOON)
    batch()


def lands_late(world: World, rng: Random, batch: Batch) -> None:
    """Our change of a customer arrives after ten minutes; sales has typed something else by then,
    and another batch has run."""
    org, n = rng.choice(_customers(world)), rng.randint(1, 999)
    world.crm("edit_org", org=org, fields={OWN_FIELDS["email"]: f"one{n}@x.test"})
    world.faults.aims.waiting.append(Aim("late twice", 0, write=True, place=_CUSTOMERS))
    world.advance(SOON)
    batch()
    world.crm("edit_org", org=org, fields={OWN_FIELDS["email"]: f"two{n}@x.test"})
    world.advance(SOON)
    batch()


def numbered_by_hand(world: World, rng: Random, batch: Batch) -> None:
    """The bookkeeper gives a draft a number of her own; then its deal is no longer won."""
    drafts = [i.id for i in world.xero.organisation.invoices if i.status == "DRAFT"]
    if not drafts:
        happenings.sell_at_once(world, 1)
        world.advance(WAIT)
        batch()
    world.attempt(lambda w: meddling.number_draft(w, rng))
    world.advance(INTERVAL)
    batch()
    won = [row["id"] for row in world.truth.all("deals") if row["status"] == "won"]
    for deal in won:
        world.attempt(lambda w, key=deal: w.crm("reopen", deal=key))  # type: ignore[misc]
    world.advance(INTERVAL)
    batch()


def seen_by_one_that_ends(world: World, rng: Random, batch: Batch) -> None:
    """A batch reads what people did longer ago than a list looks back, and has to end before it has
    come to all of it; no list shows it again to the next."""
    invoices = _approved(world, rng.randint(2, 3), batch)
    for invoice in invoices:
        _settled_somehow(world, rng, invoice)
    happenings.sell_at_once(world, 1)
    world.advance(timedelta(minutes=rng.choice(AWAY_M)))
    world.faults.aims.waiting.append(Aim("gone", rng.randrange(READS)))
    batch()
    world.advance(timedelta(minutes=rng.choice(AWAY_M)))
    batch()


def _settled_somehow(world: World, rng: Random, invoice: str) -> None:
    """What bookkeepers do to one invoice, in part or whole."""
    due = next(i.due for i in world.xero.organisation.invoices if i.id == invoice)
    half = f"{float(due) / 2:.2f}"
    deeds: tuple[Callable[[World], object], ...] = (
        lambda w: w.books("pay", invoice=invoice),
        lambda w: w.books("pay", invoice=invoice, amount=half),
        lambda w: w.books("credit", invoice=invoice, amount=half),
        lambda w: _refunded(w, invoice, half, f"{float(due):.2f}"),
        lambda w: w.books("void", invoice=invoice),
    )
    world.attempt(rng.choice(deeds))


def _refunded(world: World, invoice: str, half: str, whole: str) -> None:
    credit = world.books("credit", invoice=invoice, amount=half, total=whole)
    world.books("refund_credit", credit=credit["done"]["id"])
    world.books("pay", invoice=invoice)


#: By the names that a swarm draws.
PLOTS: dict[str, Plot] = {
    "cut off in a walk": cut_off_in_a_walk, "moved between pages": moved_between_pages,
    "shown out of order": shown_out_of_order,
    "lands late": lands_late, "numbered by hand": numbered_by_hand,
}  # fmt: skip
#: Drawn for seeds that draw none of the others.
LATER: dict[str, Plot] = {"seen by one that ends": seen_by_one_that_ends}
#: What needs a customer who crosses to both sides, each field of whom people are asked about.
ASKS = frozenset({"lands late"})


def play(world: World, name: str, rng: Random, batch: Batch) -> None:
    """As far as this world has what it needs; other faults wait until it is over, and what a
    person can mend is mended first."""
    world.tell(f"plot: {name}")
    stopping.go_on(world)
    if world.faults.barred or world.faults.culprit:
        happenings.mend(world)
    aims = world.faults.aims
    others, aims.waiting = aims.waiting, []
    world.attempt(lambda w: (PLOTS | LATER)[name](w, rng, batch))
    aims.waiting = others


def _approved(world: World, count: int, batch: Batch) -> list[str]:
    """So many open invoices that are approved, made and approved now where they are too few.
    Raises ActError if our program makes none."""
    lacking = count - len(_open(world))
    if lacking > 0:
        happenings.sell_at_once(world, lacking)
        for _ in range(TRIES):
            world.advance(WAIT)
            batch()
            if len(world.xero.organisation.invoices) >= count:
                break
        for draft in [i.id for i in world.xero.organisation.invoices if i.status == "DRAFT"]:
            world.attempt(lambda w, key=draft: w.books("approve", invoice=key))  # type: ignore[misc]
        world.advance(INTERVAL)
        batch()
    found = _open(world)
    if len(found) < 2:
        raise ActError("too few invoices are open")
    return found[:count]


def _open(world: World) -> list[str]:
    return [i.id for i in world.xero.organisation.invoices if i.status == "AUTHORISED" and i.due]


def _customers(world: World) -> list[int]:
    """Organizations that have a contact in the ledger. Raises ActError if there is none."""
    linked = {contact.number for contact in world.xero.organisation.contacts}
    rows = [row for row in world.truth.all("organizations") if not row["is_deleted"]]
    found = [row["id"] for row in rows if f"SJ-O{row['id']}" in linked]
    if not found:
        raise ActError("no customer is in the ledger")
    return found


@contextmanager
def _lists_lag(world: World, seconds: int) -> Iterator[None]:
    """The ledger's lists show what is changed meanwhile up to so much later."""
    org = world.xero.organisation
    tables: list[Any] = [org.contacts, org.invoices, org.credits, org.payments]
    before = [table._lag_max_s for table in tables]
    for table in tables:
        table._lag_max_s = seconds
    try:
        yield
    finally:
        for table, lag in zip(tables, before, strict=True):
            table._lag_max_s = lag


def _edit_then(world: World, invoice: str) -> None:
    """At the next edit point the customer's promise to pay is noted at this invoice; at those
    after it people act as they did before."""
    before = world.faults.edit

    def promised() -> None:
        world.faults.edit = before
        day = world.time.now().date().isoformat()
        world.attempt(lambda w: w.books("set_expected_payment_date", invoice=invoice, date=day))

    world.faults.edit = promised
