"""The HubSpot connector over HTTP against its sandbox: the contract, then what is its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from syncjob.connectors.base import Walk
from syncjob.errors import AuthFailed, CursorTooOld, SchemaDrift, Throttled
from syncjob.sandbox.kernel import Fault

from .contract import ConnectorContract, ids_of, walked
from .hubspot_support import NOON, HubSpotWorld


@pytest.fixture
def world() -> Iterator[HubSpotWorld]:
    made = HubSpotWorld()
    made.found_fields()
    yield made
    made.close()


@pytest.fixture
def connector(world: HubSpotWorld) -> Any:
    return world.connect()


class TestContract(ConnectorContract):
    """Everything that any connector must do."""
