"""What all models of the config have in common: no unknown keys, no changes, days as days."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _iso_day(value: Any) -> Any:
    """Refuse what pydantic would read as seconds since 1970: a day is written YYYY-MM-DD."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError("must be a day, written YYYY-MM-DD")
    return value


#: A calendar day of the config.
Day = Annotated[date, BeforeValidator(_iso_day)]


class Strict(BaseModel):
    """Base of all policy and config models: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
