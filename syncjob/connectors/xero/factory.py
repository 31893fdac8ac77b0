"""From the `ledger:` options to a connector on a channel of its own: credentials, limits, door."""

from __future__ import annotations

import requests

from syncjob.clock import Clock
from syncjob.connectors.ports import Opened, Ports
from syncjob.connectors.xero.connector import XeroConnector
from syncjob.connectors.xero.options import XeroOptions
from syncjob.transport.auth import Auth, ClientCredentials, RefreshingToken
from syncjob.transport.client import HttpChannel
from syncjob.transport.limits import LimitRules, Limits, Window
from syncjob.transport.ports import TokenStore


def build(options: XeroOptions, ports: Ports) -> Opened:
    """The organisation that `options` names. Nothing is asked of Xero yet."""
    channel = open_channel(options, ports)
    connector = XeroConnector(options, channel, new_key=ports.new_key, needs=ports.needs)
    return Opened(connector=connector, channel=channel)


def open_channel(options: XeroOptions, ports: Ports) -> HttpChannel:
    """The door to Xero: credentials go to its two addresses and nowhere else."""
    session = ports.session()
    return HttpChannel(
        "Xero",
        side="ledger",
        mode=ports.mode,
        clock=ports.clock,
        auth=build_auth(options, store=ports.tokens, clock=ports.clock, session=session),
        limits=Limits(
            limit_rules(options), clock=ports.clock, key=options.budget_key, store=ports.budgets
        ),
        door=ports.door,
        session=session,
        timeout=options.timeout,
        settings="ledger.auth",
        origins=(options.api_url, options.connections_url),
        rng=ports.random,
        waiting=ports.waiting,
    )


def limit_rules(options: XeroOptions) -> LimitRules:
    """Xero's limits: 5 at once, 60 a minute, so many a day, 10,000 a minute for the whole app."""
    return LimitRules(
        concurrency=5,
        headroom_percent=options.headroom_percent,
        windows=(
            Window(
                name="minute",
                seconds=60,
                allowed=60,
                remaining_header="x-minlimit-remaining",
            ),
            Window(
                name="day",
                seconds=86_400,
                allowed=options.day_limit,
                remaining_header="x-daylimit-remaining",
            ),
            Window(
                name="app-minute",
                seconds=60,
                allowed=10_000,
                remaining_header="x-appminlimit-remaining",
            ),
        ),
    )


def build_auth(
    options: XeroOptions,
    *,
    store: TokenStore,
    clock: Clock,
    session: requests.Session | None = None,
) -> Auth:
    """The credentials as transport keeps them (the SDK's own token handling is never used)."""
    secret = options.auth.client_secret
    if options.auth.kind == "custom_connection" and secret is not None:
        return ClientCredentials(
            token_url=options.token_url,
            client_id=options.auth.client_id,
            client_secret=secret,
            scopes=options.auth.scopes,
            key=options.token_key,
            store=store,
            clock=clock,
            session=session,
            timeout=options.timeout,
        )
    return RefreshingToken(
        token_url=options.token_url,
        client_id=options.auth.client_id,
        client_secret=secret,
        key=options.token_key,
        store=store,
        clock=clock,
        session=session,
        timeout=options.timeout,
    )
