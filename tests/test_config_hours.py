"""Office hours in the config: a zone that is none is named with its place."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from syncjob.core.policy_times import OfficeHours


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "\0", "a" * 300])
def test_a_zone_that_is_none(zone: str) -> None:
    with pytest.raises(ValidationError) as told:
        OfficeHours.model_validate({"time_zone": zone})
    assert "IANA name, such as Europe/London" in str(told.value)
