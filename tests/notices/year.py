"""One seed: a firm, its wishes, a year of days; each day's notices and fields against the model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from tests.notices import people
from tests.notices.days import day_of, hour_of
from tests.notices.firm import Firm, Wishes
from tests.notices.model import Model, Said, read
from tests.sim.watch import Violation

REGIONS = ("AU", "UK", "US", "NZ")
DAYS = 365
#: A state that was away for longer than usual creates no task before the ledger's patience is
#: over; the second batch of such a day does.
PATIENCE = timedelta(minutes=16)
#: From batch to batch: a cron of one batch a day that now and then is late. Never so irregular
#: that the program thinks it was away, but at every hour of the day in the end.
DAY_HOURS = (23, 23, 24, 24, 24, 25)
OFF_DAYS = (2, 3, 5, 9, 20)


@dataclass
class Played:
    """What happened."""

    firm: Firm
    days: int = 0
    notices: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)


def draw(rng: Random, region: str | None = None) -> Wishes:
    """A firm's wishes: few of many, so that each gets its turn."""
    return Wishes(
        region=region or rng.choice(REGIONS),
        steps=rng.choice(((1, 7, 14, 30), (1, 7, 14, 30), (3,), (1, 2, 3, 60), (7, 45))),
        to=rng.choice(("deal_owner", "account_owner", "both")), fallback=rng.random() < 0.8,
        ways=rng.choice((("task",), ("email",), ("task", "email"), ("slack",), ("email", "slack"))),
        digest=rng.random() < 0.3, weekdays_only=rng.random() < 0.3, paid=rng.random() < 0.4,
        grace_days=rng.choice((0, 0, 0, 4)), ignore_due_below=rng.choice((5, 5, 50)),
    )  # fmt: skip


def play(seed: int, *, region: str | None = None, days: int = DAYS, first: int = 0) -> Played:
    """Play one seed from the year's day `first` on. Raises Violation with what happened in
    `played`."""
    rng = Random(f"year {seed} {region}")
    wishes = draw(rng, region)
    firm = Firm(wishes, seed, timedelta(days=first))
    firm.tell(f"{wishes}")
    model = Model(firm, began=day_of(wishes.region, firm.now()))
    played = Played(firm)
    try:
        _live(firm, model, rng, played, days)
    except BaseException as error:
        error.played = played  # type: ignore[attr-defined]
        raise
    finally:
        played.deeds.update(deed.act for deed in firm.deeds)
        firm.close()
    return played


def _live(firm: Firm, model: Model, rng: Random, played: Played, days: int) -> None:
    while played.days < days:
        for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
            people.act(firm, model, rng)
        off = rng.choice(OFF_DAYS) if rng.random() < 0.04 else 0
        if off:
            firm.tell(f"the machine is off for {off} days")
        firm.advance(timedelta(hours=rng.choice(DAY_HOURS), days=off, minutes=rng.randrange(9)))
        if hour_of(firm.region, firm.now()) > 23.5:  # two batches of one day
            firm.advance(timedelta(minutes=35))
        for _ in range(rng.choice((0, 0, 1, 2))):  # a minute before the batch
            people.act(firm, model, rng)
        played.days += 1 + off
        check_day(firm, model, played)


def check_day(firm: Firm, model: Model, played: Played) -> None:
    """One day's batch, and what people have after it. Raises Violation."""
    tasks, letters = len(firm.tasks()), len(firm.letters())
    firm.run()
    wanted = model.due_now()
    expected = Counter(said for _, said in wanted)
    got, who = read(firm, tasks, letters)
    if got != expected or model.wrong_fields():  # it was away for longer than usual
        firm.advance(PATIENCE)
        firm.run()
        got, who = read(firm, tasks, letters)
    optional = model.optional([step for step, _ in wanted])
    model.note([step for step, said in wanted if got[said]])
    played.notices.update(f"{s.way} {'paid' if s.days == 0 else 'late'}" for s in got.elements())
    _judge_readers(firm, model, got)
    expected -= Counter(said for step, said in wanted if step in optional and not got[said])
    _judge(firm, model, got, expected)
    if firm.wishes.digest and len(set(who)) != len(who):
        raise Violation("digest", f"more than one message: {who}")


def _judge_readers(firm: Firm, model: Model, got: Counter[Said]) -> None:
    """Nobody hears of a debt who is not to hear of it now, whatever the program knew."""
    owners = {o["id"]: o["owner_id"] for o in firm.pipedrive.company.all("organizations")}
    right = {
        (way, person, invoice.number)
        for deal, invoice in model.debts()
        for person, way in model.recipients(deal, owners)
    }
    strangers = [said for said in got if (said.way, said.to, said.number) not in right]
    if strangers:
        raise Violation("strangers", f"{firm.region} {model.today}: {strangers}")


def _judge(firm: Firm, model: Model, got: Counter[Said], expected: Counter[Said]) -> None:
    today = f"{firm.region} {model.today}"
    unseen = {firm.xero.organisation.invoices[key].number for key in firm.unseen}
    vain = got - expected
    missing = Counter({s: n for s, n in (expected - got).items() if s.number not in unseen})
    if vain:
        raise Violation("in_vain", f"{today}: {sorted(vain.elements())}, expected {expected}")
    if missing:
        raise Violation("missing", f"{today}: {sorted(missing.elements())}, got {got}")
    wrong = model.wrong_fields()
    if wrong:
        raise Violation("fields", f"{today}: {wrong}")
