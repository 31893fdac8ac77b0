"""The CRMs that a world can have behind one face: the server, its config, and what counts as read.

Scenes speak of people's deeds and of what the books hold, so they run on any of them:
`SYNCJOB_TEST_CRM=hubspot pytest tests/engine/test_invoice.py`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any, Protocol

from syncjob.sandbox.hubspot import HubSpotServer
from syncjob.sandbox.hubspot import Options as HubSpotOptions
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook, Server
from syncjob.sandbox.pipedrive import Options as PipedriveOptions
from syncjob.sandbox.pipedrive import PipedriveServer

#: Which CRM a world has that names none.
DEFAULT = os.environ.get("SYNCJOB_TEST_CRM", "pipedrive")
#: The same wish in the words of HubSpot's sandbox.
_HUBSPOT_WORDS = {"lag_max_s": "index_lag_max_s", "products_bump_deal": "lines_bump_deal"}


class Crm(Protocol):
    """What a test's world asks of a CRM."""

    name: str

    def server(self, time: Clock, faults: FaultBook, options: dict[str, Any]) -> Server:
        """The sandbox, without limits and lag unless the options say so."""

    def config(self, base: str) -> dict[str, Any]:
        """The `crm:` section for it."""

    def reads(self, method: str, path: str) -> bool:
        """Whether a call only reads, whatever its method."""


@dataclass(frozen=True)
class Pipedrive:
    """A GET reads."""

    name: str = "pipedrive"

    def server(self, time: Clock, faults: FaultBook, options: dict[str, Any]) -> Server:
        chosen = PipedriveOptions(**{"currency": "AUD", "limits": False, **options})
        return PipedriveServer(time, Entropy(2), chosen, faults)

    def config(self, base: str) -> dict[str, Any]:
        return {"type": "pipedrive", "api_url": f"{base}/pipedrive", "api_token": "sandbox-token",
                "plan": "ultimate", "seats": 50}  # fmt: skip

    def reads(self, method: str, path: str) -> bool:
        return method == "GET"


@dataclass(frozen=True)
class HubSpot:
    """Searches and batch reads are POSTs that only read."""

    name: str = "hubspot"

    def server(self, time: Clock, faults: FaultBook, options: dict[str, Any]) -> Server:
        known = {f.name for f in fields(HubSpotOptions)}
        named = {_HUBSPOT_WORDS.get(k, k): v for k, v in options.items()}
        given: dict[str, Any] = {
            "currency": "AUD", "currencies": ("EUR", "GBP", "NZD", "USD"), "limits": False,
            "index_lag_max_s": 0, "timezone": "Australia/Sydney",
            "bursts_in_real_time": False,
            "plan": "enterprise",  # as the config says
            "first_id": 1,  # short ids, as tests name records
        } | {k: v for k, v in named.items() if k in known}  # fmt: skip
        return HubSpotServer(time, Entropy(2), HubSpotOptions(**given), faults)

    def config(self, base: str) -> dict[str, Any]:
        return {"type": "hubspot", "api_url": f"{base}/hubspot", "access_token": "sandbox-token",
                "plan": "enterprise"}  # fmt: skip

    def reads(self, method: str, path: str) -> bool:
        return method == "GET" or path.endswith(("/search", "/batch/read"))


_CRMS: dict[str, Crm] = {"pipedrive": Pipedrive(), "hubspot": HubSpot()}


def crm_named(wish: str | dict[str, Any] | None) -> Crm:
    """By its name; options alone are those of the default one."""
    return _CRMS[wish if isinstance(wish, str) else DEFAULT]
