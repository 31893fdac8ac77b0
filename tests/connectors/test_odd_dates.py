"""Days at the ends of the calendar are that record's own trouble, on both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from syncjob.connectors.pipedrive import values
from syncjob.connectors.xero.values import Fields
from syncjob.errors import SchemaDrift


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "0001-06-01T00:00:00Z",
        "9999-12-31T23:59:59-10:00",
        "0000-00-00",
    ],
)
def test_pipedrives_times_at_the_ends_of_the_calendar(text):
    with pytest.raises(SchemaDrift, match="won_time"):
        values.instant({"won_time": text}, "won_time")


def test_an_ordinary_time_is_read():
    read = values.instant({"t": "2026-11-23T10:00:00+10:00"}, "t")
    assert read == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["/Date(999999999999999999+0000)/", "/Date(-99999999999999999)/", "0001-01-01T00:00:00+14:00"],
)
def test_xeros_times_beyond_the_calendar(text):
    fields = Fields({"Date": text}, "invoice 1")
    with pytest.raises(SchemaDrift, match="invoice 1 should have Date"):
        fields.instant("Date")
    with pytest.raises(SchemaDrift, match="invoice 1 should have Date"):
        fields.day("Date")


def test_the_first_day_of_the_calendar_is_xeros_empty_date():
    fields = Fields({"Date": "/Date(-62135596800000+0000)/"}, "invoice 1")
    assert fields.day("Date") == date(1, 1, 1)
