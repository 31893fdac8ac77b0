"""From the `crm:` options to a connector on a channel of its own: credentials, limits, door."""

from __future__ import annotations

import requests

from syncjob.clock import Clock
from syncjob.connectors.hubspot.client import READS
from syncjob.connectors.hubspot.connector import HubSpotConnector
from syncjob.connectors.hubspot.limits import limit_rules
from syncjob.connectors.hubspot.options import HubSpotOptions
from syncjob.connectors.ports import Opened, Ports
from syncjob.transport.auth import ApiToken, Auth, RefreshingToken
from syncjob.transport.client import HttpChannel
from syncjob.transport.exchange import Timeout
from syncjob.transport.limits import Limits
from syncjob.transport.ports import TokenStore

#: Seconds to connect; `crm.timeout_seconds` is for the answer.
_CONNECT_SECONDS = 5.0


def build(options: HubSpotOptions, ports: Ports) -> Opened:
    """The account that `options` names. Nothing is asked of HubSpot yet."""
    channel = open_channel(options, ports)
    return Opened(connector=HubSpotConnector(options, channel, needs=ports.needs), channel=channel)


def open_channel(options: HubSpotOptions, ports: Ports) -> HttpChannel:
    """The door to HubSpot: the token goes into a header, to the API's own address only."""
    session = ports.session()
    timeout = (_CONNECT_SECONDS, float(options.timeout_seconds))
    return HttpChannel(
        "HubSpot",
        side="crm",
        mode=ports.mode,
        clock=ports.clock,
        auth=build_auth(
            options, store=ports.tokens, clock=ports.clock, session=session, timeout=timeout
        ),
        limits=Limits(
            limit_rules(options), clock=ports.clock, key=options.budget_key, store=ports.budgets
        ),
        door=ports.door,
        session=session,
        timeout=timeout,
        settings="crm.access_token" if options.access_token else "crm.auth",
        origins=(options.api_url,),
        rng=ports.random,
        waiting=ports.waiting,
        reads=READS,
    )


def build_auth(
    options: HubSpotOptions,
    *,
    store: TokenStore,
    clock: Clock,
    session: requests.Session | None = None,
    timeout: Timeout,
) -> Auth:
    """A fixed Bearer token, or the tokens of an app's consent, renewed as they end."""
    if options.access_token is not None:
        return ApiToken("Authorization", options.access_token, prefix="Bearer ")
    assert options.auth is not None
    return RefreshingToken(
        vendor="HubSpot",
        token_url=options.token_url,
        client_id=options.auth.client_id,
        client_secret=options.auth.client_secret,
        key=options.token_key,
        store=store,
        clock=clock,
        session=session,
        timeout=timeout,
        client_in="form",
        settings="crm.auth",
    )
