"""The CRMs that a sandbox can have: a server of either, its sample firm, its files, its token."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from syncjob.sandbox import hubspot, pipedrive
from syncjob.sandbox.hubspot import load as hubspot_load
from syncjob.sandbox.hubspot import sample as hubspot_sample
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook
from syncjob.sandbox.pipedrive import load as pipedrive_load
from syncjob.sandbox.pipedrive import sample as pipedrive_sample
from syncjob.sandbox.xero.regions import Region

CrmName = Literal["pipedrive", "hubspot"]
CrmServer = pipedrive.PipedriveServer | hubspot.HubSpotServer
TITLES: dict[CrmName, str] = {"pipedrive": "Pipedrive", "hubspot": "HubSpot"}
#: Currencies that a sample deal or a file may be in, besides the region's own.
_CURRENCIES = ("EUR", "GBP", "USD", "AUD", "NZD")


def crm_server(
    name: CrmName, home: Region, clock: Clock, seed: int, faults: FaultBook, *,
    limits: bool = True, real_time: bool = True,
) -> CrmServer:  # fmt: skip
    """An empty account of a firm in that region.

    `real_time`: short limits count real seconds, not the sandbox's.
    """
    if name == "pipedrive":
        wishes = pipedrive.Options(
            currency=home.currency, timezone=home.zone, company_country=home.country,
            limits=limits, bursts_in_real_time=real_time, plan="premium", seats=3,
        )  # fmt: skip
        return pipedrive.PipedriveServer(clock, Entropy(seed), wishes, faults)
    others = tuple(c for c in _CURRENCIES if c != home.currency)
    options = hubspot.Options(
        currency=home.currency, currencies=others, timezone=home.zone, limits=limits,
        bursts_in_real_time=real_time,
    )  # fmt: skip
    return hubspot.HubSpotServer(clock, Entropy(seed), options, faults)


def fill(server: CrmServer) -> None:
    """Puts the sample firm into an empty account."""
    if isinstance(server, pipedrive.PipedriveServer):
        pipedrive_sample.fill(server)
    else:
        hubspot_sample.fill(server)


def load(server: CrmServer, folder: Path) -> dict[str, int]:
    """Fills an account from CSV files. Raises LoadError with all that is wrong with them."""
    if isinstance(server, pipedrive.PipedriveServer):
        return pipedrive_load.load_directory(server, folder)
    return hubspot_load.load_directory(server, folder)


def token(server: CrmServer) -> str:
    """What opens the account; no secret."""
    if isinstance(server, pipedrive.PipedriveServer):
        return server.options.api_token
    return server.options.access_token
