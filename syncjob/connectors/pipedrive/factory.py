"""From the `crm:` options to a connector on a channel of its own: credentials, limits, door."""

from __future__ import annotations

from syncjob.connectors.pipedrive.connector import PipedriveConnector
from syncjob.connectors.pipedrive.limits import limit_rules
from syncjob.connectors.pipedrive.options import PipedriveOptions
from syncjob.connectors.ports import Opened, Ports
from syncjob.transport.auth import ApiToken
from syncjob.transport.client import HttpChannel
from syncjob.transport.limits import Limits

#: Seconds to connect; `crm.timeout_seconds` is for the answer.
_CONNECT_SECONDS = 5.0


def build(options: PipedriveOptions, ports: Ports) -> Opened:
    """The account that `options` names. Nothing is asked of Pipedrive yet."""
    channel = open_channel(options, ports)
    connector = PipedriveConnector(options, channel, needs=ports.needs)
    return Opened(connector=connector, channel=channel)


def open_channel(options: PipedriveOptions, ports: Ports) -> HttpChannel:
    """The door to Pipedrive: the token goes into a header, to the account's own address only."""
    return HttpChannel(
        "Pipedrive",
        side="crm",
        mode=ports.mode,
        clock=ports.clock,
        auth=ApiToken("x-api-token", options.api_token),
        limits=Limits(
            limit_rules(options), clock=ports.clock, key=options.budget_key, store=ports.budgets
        ),
        door=ports.door,
        session=ports.session(),
        timeout=(_CONNECT_SECONDS, float(options.timeout_seconds)),
        settings="crm.api_token",
        origins=(options.api_url,),
        rng=ports.random,
        waiting=ports.waiting,
    )
