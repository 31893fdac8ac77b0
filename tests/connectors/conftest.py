"""HubSpot's client beside answers that a test gives it: what several files of this folder need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from syncjob.connectors.hubspot.client import Client
from tests.connectors.hubspot_support import channel_for, options_for

HUBSPOT = "https://api.hubapi.com"


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def client() -> Client:
    options = options_for(HUBSPOT)
    return Client(options.api_url, options.version, channel_for(options))
