"""What the firm has decided about when the sync works: office hours, and what runs outside them."""

from __future__ import annotations

import zoneinfo
from datetime import time
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from syncjob.core.policy_base import Strict

#: In the order of datetime.weekday().
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class OfficeHours(Strict):
    """The hours at which batches run at the usual interval; without days, at all hours."""

    days: tuple[Weekday, ...] = ()
    begin: str = Field(default="08:00", pattern=_CLOCK)
    #: Not later than `begin`: on the next day.
    end: str = Field(default="18:00", pattern=_CLOCK)
    #: IANA name; None for the organisation's own zone.
    time_zone: str | None = None
    #: Minutes from one batch to the next outside the hours; 0 for none at all.
    outside_minutes: int = Field(default=60, ge=0, le=1440)
    #: What those batches leave for the office hours: all that is not money and won deals.
    outside_urgent_only: bool = False

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a time zone's IANA name, such as Europe/London") from None
        return name

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.begin == self.end:
            raise ValueError("begin and end must differ; leave `days` empty for all hours")
        return self

    @property
    def bounded(self) -> bool:
        """Whether there are hours at which the usual interval does not count."""
        return bool(self.days)

    @property
    def opens(self) -> time:
        """When they begin, by the zone's clocks."""
        return time.fromisoformat(self.begin)

    @property
    def closes(self) -> time:
        """When they end, by the zone's clocks."""
        return time.fromisoformat(self.end)
