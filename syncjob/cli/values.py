"""What options of several commands take: a day that calendars reach, a text that says something."""

from __future__ import annotations

from datetime import datetime

import click

#: Vendors' records, time zones and sums over days all lie between these; a day outside of them is
#: a slip of the hand, and no clock can be set back from it.
YEAR_MIN, YEAR_MAX = 1990, 2200


class Day(click.DateTime):
    """A day, written 2026-08-01."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        day: datetime = super().convert(value, param, ctx)
        if not YEAR_MIN <= day.year <= YEAR_MAX:
            self.fail(f"the year is to be from {YEAR_MIN} to {YEAR_MAX}", param, ctx)
        return day


class Said(click.ParamType[str]):
    """A text that is not empty: why, in a person's words."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail("say why, in a few words", param, ctx)
        return value.strip()
