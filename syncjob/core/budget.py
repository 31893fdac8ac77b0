"""What a day's calls are for, in this order: what is urgent first, what can wait while they last.

Everything that costs calls is of one kind of `Work`. A kind is done as long as the calls left are
more than what is kept for the kinds before it until the vendor's next day. What was left out keeps
its place (its cursor, its deal, its customer) and is done once there is room again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from statistics import median
from typing import Literal

import msgspec

from syncjob.core.hours import Pace
from syncjob.core.records import Side

#: The vendors' days (facts: xero, 1; pipedrive, 2; hubspot, 5f).
DAY = timedelta(hours=24)


class Work(IntEnum):
    """What calls are made for, the most urgent first."""

    SETTLE = 1  # what became of writes whose answer was lost
    POLLS = 2  # the lists in which payments and won deals show
    DEALS = 3  # drafts, approvals, the deals' statuses, who is told; and what these need
    CONTACTS = 4  # contacts both ways, beyond those that a draft needs
    WALKS = 5  # archived and deleted deals, everything once a week
    TIMELINE = 6  # notes in the deals' timelines
    RECONCILE = 7  # both sides in full, each night


#: In words, as the log, the report and `status` say it.
WORDS: dict[Work, str] = {
    Work.SETTLE: "open writes",
    Work.POLLS: "payments and won deals",
    Work.DEALS: "drafts and statuses",
    Work.CONTACTS: "contacts",
    Work.WALKS: "archived deals and the weekly walk",
    Work.TIMELINE: "timeline notes",
    Work.RECONCILE: "reconciling",
}
_OF_STREAM: dict[tuple[Side, str], Work] = {
    ("ledger", "contacts"): Work.CONTACTS,
    ("crm", "organizations"): Work.CONTACTS,
    ("crm", "persons"): Work.CONTACTS,
    ("crm", "archived_deals"): Work.WALKS,
    ("crm", "deleted_deals"): Work.WALKS,
}
_OF_KIND: dict[str, Work] = {
    "contact.update": Work.CONTACTS,
    "crm_contact.create": Work.CONTACTS,
    "note.create": Work.TIMELINE,
}

#: While the day lasts, this share of what is allowed for the rest of it is kept for drafts and
#: statuses, in percent.
DEALS_PERCENT = 10
#: What else each kind leaves to those before it, in percent of the same.
LEAVES_PERCENT: dict[Work, int] = {
    Work.CONTACTS: 0, Work.WALKS: 5, Work.TIMELINE: 5, Work.RECONCILE: 10,
}  # fmt: skip
#: However short the interval, polls keep no more than this of what the day has left for us.
POLLS_PERCENT_MAX = 60
#: Drafts and statuses leave the polls half their pace; a write that nobody reads for is no use.
HALF = 2
#: They leave this, too, in percent of what the day has left for us: names that are read anew, and
#: what was written, which the next poll reads back.
NAMES_PERCENT = 2
#: Polls that must be further apart leave a third of what there is to the writes that they lead to.
THIRD_LEFT = 1.5


class Purse(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's day as it stands for us: `cap` is what it allows less the headroom for others,
    `left` what of it is unused, `used` what is gone, all in calls or in the vendor's own units.

    `resets_at` is when it begins anew; at the latest, if that was never seen (`reset_seen`).
    `again` is when to ask again once too little is left, and
    `spent` is what we used in the last 24 hours. `sliding`: there is no reset, each call is free
    again a day later, so much at each of the instants of `frees`; `resets_at` is when half is.
    """

    vendor: str
    side: Side
    counts: Literal["calls", "cost"]
    allowed: int
    cap: int
    left: int
    used: int
    resets_at: datetime
    again: datetime
    reset_seen: bool = False
    sliding: bool = False
    spent: int = 0
    frees: tuple[tuple[datetime, int], ...] = ()

    def share(self, now: datetime) -> float:
        """How much of the day is still to come, 0 to 1."""
        return min(1.0, max(0.0, (self.resets_at - now) / DAY))

    def at(self, now: datetime) -> Purse:
        """The same later: after the reset it is full; a sliding one has what is free by then."""
        if self.sliding:
            free = sum(amount for at, amount in self.frees if at <= now)
            rest = tuple((at, amount) for at, amount in self.frees if at > now)
            return msgspec.structs.replace(
                self, left=self.left + free, used=self.used - free, spent=self.spent - free,
                frees=rest, resets_at=max(self.resets_at, now),
            )  # fmt: skip
        if now < self.resets_at:
            return self
        days = math.floor((now - self.resets_at) / DAY) + 1
        return msgspec.structs.replace(
            self, left=self.cap, used=0, resets_at=self.resets_at + days * DAY
        )


def work_of_stream(side: Side, stream: str) -> Work:
    """What reading a list of changes is for."""
    return _OF_STREAM.get((side, stream), Work.POLLS)


def work_of_kind(kind: str) -> Work:
    """What a write is for."""
    return _OF_KIND.get(kind, Work.DEALS)


def polls_need(purse: Purse, pace: Pace, poll_cost: int, now: datetime) -> float:
    """What the urgent polls need until the reset, each so many calls; of a sliding day, by how
    much they are ahead, at most, of what becomes free meanwhile."""
    if not purse.sliding:
        return pace.polls(now, purse.resets_at) * poll_cost
    a_day, most, freed = pace.polls(now, now + DAY) * poll_cost, 0.0, 0
    for at, amount in (*purse.frees, (now + DAY, 0)):
        most = max(most, a_day * ((at - now) / DAY) - freed)
        freed += amount
    return most


def kept(work: Work, purse: Purse, need: float, now: datetime) -> int:
    """How much of the day is kept for what is more urgent than this; `need` as in polls_need."""
    if work <= Work.POLLS:
        return 0
    rest = purse.cap * purse.share(now)
    polls = min(need, rest * POLLS_PERCENT_MAX / 100)
    if work == Work.DEALS:
        return math.ceil(polls / HALF + rest * NAMES_PERCENT / 100)
    return math.ceil(polls + rest * (DEALS_PERCENT + LEAVES_PERCENT[work]) / 100)


def may(work: Work, purse: Purse, need: float, now: datetime, cost: int = 1) -> bool:
    """Whether there is room for this now."""
    return purse.left - cost >= kept(work, purse, need, now)


def poll_every(every: timedelta, purse: Purse, need: float) -> timedelta:
    """How far apart the urgent polls are so that they last until the reset: the interval, or where
    what they need is more than what is left, so much longer that a third of that stays."""
    if purse.left >= need or purse.left <= 0:
        return every
    return every * (need / purse.left * THIRD_LEFT)


# --- forecast -----------------------------------------------------------------------------------


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the coming 24 hours need: so many batches, of `each` where there is little to do, make
    `need` together with what the last day's had to do besides.

    `lasts_until` is when what is left now is used up at this pace; None: not before the reset.
    """

    polls: int
    each: float
    need: int
    lasts_until: datetime | None = None


def forecast(purse: Purse, pace: Pace, calls: Sequence[int], now: datetime) -> Forecast | None:
    """From the last day's pace: `calls` are those of each batch of the last 24 hours, to this
    vendor. None where none has run, or nothing was used.

    The batch in the middle tells what one costs; what others took beyond that (a first load, the
    sales at noon) is expected once more, and not once a batch.
    """
    if not sum(calls) or not purse.spent:
        return None
    each = purse.spent * median(calls) / sum(calls)
    polls = pace.polls(now, now + DAY)
    need = polls * each + max(0.0, purse.spent - len(calls) * each)
    enough = purse.sliding and purse.left >= need
    lasts = None
    if need and not enough:
        lasts = pace.after_polls(now, max(0, purse.left) * polls / need, purse.resets_at)
    return Forecast(polls=round(polls), each=each, need=math.ceil(need), lasts_until=lasts)
