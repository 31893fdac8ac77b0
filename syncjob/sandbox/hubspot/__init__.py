"""A stateful HubSpot: the dated CRM API, its OAuth door and its limits, over one account's data."""

from syncjob.sandbox.hubspot.options import Options
from syncjob.sandbox.hubspot.server import HubSpotServer

__all__ = ["HubSpotServer", "Options"]
