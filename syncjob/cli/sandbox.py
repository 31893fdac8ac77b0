"""`sandbox`: a local Xero and CRM, with an organisation and an account to rehearse on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from syncjob.cli.common import private_file
from syncjob.cli.screen import echo
from syncjob.clock import SystemClock
from syncjob.config.template import Start, render
from syncjob.errors import ConfigError, Exit
from syncjob.signals import StopFlag

if TYPE_CHECKING:
    from syncjob.sandbox.crms import CrmName, CrmServer
    from syncjob.sandbox.http import Sandbox
    from syncjob.sandbox.xero.options import Options as XeroOptions

#: The sample's deals were won within this many days.
SAMPLE_DAYS = 60
_POLL_SECONDS = 0.5
_NEXT = "mend the CSV files (docs/sandbox-csv.md tells their columns) and start again."


@click.command("sandbox")
@click.option(
    "--crm",
    type=click.Choice(["pipedrive", "hubspot"]),
    default="pipedrive",
    show_default=True,
    help="Which CRM.",
)
@click.option(
    "--region",
    type=click.Choice(["AU", "NZ", "UK", "US"], case_sensitive=False),
    help="Whose tax rates, accounts, currency and time zone (default: AU; UK for the sample).",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any."
)
@click.option(
    "--load",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Fill the CRM from CSV files (docs/sandbox-csv.md).",
)
@click.option("--sample", is_flag=True, help="Fill the CRM with a sample business.")
@click.option("--no-limits", is_flag=True, help="Without the vendors' rate limits.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of all its chance.")
@click.option(
    "--won-since",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help=f"invoices.won_since of the config (default: {SAMPLE_DAYS} days ago).",
)
@click.option(
    "--write-config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write a config for it; without this the config is printed.",
)
def sandbox_command(
    crm: str,
    region: str | None,
    port: int,
    load: Path | None,
    sample: bool,
    no_limits: bool,
    seed: int,
    won_since: datetime | None,
    write_config: Path | None,
) -> int:
    """Serve a Xero and a CRM on 127.0.0.1 until Ctrl-C, and say how to reach them.

    Everything is kept in memory and gone when it ends. /control is the door to act as the people.
    """
    if load and sample:
        raise click.UsageError("--load and --sample exclude each other")
    if write_config and write_config.exists():
        raise click.ClickException(
            f"{write_config} exists; rehearse in an empty folder, since the state beside an old "
            "config tells of a sandbox that is gone"
        )
    from syncjob.sandbox.xero.options import Options as XeroOptions

    home = region or ("UK" if sample else "AU")
    # The sample's deals are in GBP and EUR, whatever the books are in.
    xero = XeroOptions(region=home, seed=seed, demo=True, extra_currencies=("EUR", "GBP"))
    box, server = _built(xero, cast("CrmName", crm), port=port, seed=seed, limits=not no_limits)
    _fill(server, load, sample=sample)
    day = won_since.date() if won_since else _days_ago(SAMPLE_DAYS)
    try:
        base = box.start()
    except OSError as error:
        raise click.ClickException(f"port {port} cannot be used ({error.strerror})") from None
    config = render(start_for(base, server, xero, won_since=day))
    _announce(base, server, config, write_config)
    if write_config is None:
        _invite(base, server, xero)
    with StopFlag() as stop:
        while not stop.asked:
            SystemClock().sleep(_POLL_SECONDS)
    box.stop()
    return Exit.DONE


def _built(
    xero: XeroOptions, crm: CrmName, *, port: int, seed: int, limits: bool
) -> tuple[Sandbox, CrmServer]:
    """Both servers of one region, on one clock, under one roof."""
    from dataclasses import replace

    from syncjob.sandbox.crms import crm_server
    from syncjob.sandbox.http import Sandbox
    from syncjob.sandbox.kernel import Clock, Entropy, FaultBook
    from syncjob.sandbox.xero.regions import REGIONS
    from syncjob.sandbox.xero.server import XeroServer

    home, clock, faults = REGIONS[xero.region], Clock(), FaultBook()
    server = crm_server(crm, home, clock, seed, faults, limits=limits)
    xero = xero if limits else replace(xero, limits=None)
    ledger = XeroServer(clock, Entropy(seed), xero, faults)
    return Sandbox([ledger, server], clock, faults, port=port), server


def _fill(server: CrmServer, folder: Path | None, *, sample: bool) -> None:
    from syncjob.sandbox.crms import fill, load
    from syncjob.sandbox.csvcells import LoadError

    if sample:
        fill(server)
    if folder is not None:
        try:
            counts = load(server, folder)
        except LoadError as error:
            raise ConfigError(error.problems, next_step=_NEXT) from None
        for name, number in counts.items():
            echo(f"Loaded {number:,} rows of {name}.", err=True)


def _days_ago(days: int) -> date:
    return (SystemClock().now().astimezone() - timedelta(days=days)).date()


def start_for(base: str, server: CrmServer, xero: XeroOptions, *, won_since: date) -> Start:
    """The values of a config for a sandbox at `base`; its secrets are no secrets."""
    from syncjob.sandbox.crms import token

    identity = f"{base}/xero/identity"
    return Start(
        won_since=won_since,
        name="sandbox",
        crm=cast("CrmName", server.name),
        crm_url=f"{base}/{server.name}",
        crm_token=token(server),
        ledger_id=xero.client_id,
        ledger_secret=xero.client_secret,
        ledger_api=f"{base}/xero/api.xro/2.0",
        ledger_identity=identity,
        ledger_connections=f"{base}/xero/connections",
        ledger_login=f"{identity}/connect/authorize",
    )


def _announce(base: str, server: CrmServer, config: str, path: Path | None) -> None:
    from syncjob.sandbox.crms import TITLES

    title = TITLES[cast("CrmName", server.name)]
    echo(f"Xero       {base}/xero  (identity {base}/xero/identity)", err=True)
    echo(f"{title:<9}  {base}/{server.name}", err=True)
    echo(f"Control    {base}/control  (to act as the people on both sides)", err=True)
    if path is None:
        echo(config)
    else:
        private_file(path, config)
        echo(f"Config     {path}", err=True)
        echo(f"Next       in another terminal: syncjob -c {path} init", err=True)
    echo("Ctrl-C ends it; nothing is kept.", err=True)


def _invite(base: str, server: CrmServer, xero: XeroOptions) -> None:
    """How to be asked for a config of this sandbox, and what to answer; no secret is one."""
    from syncjob.sandbox.crms import token

    echo(f"Next       in another terminal: syncjob init --sandbox {base}", err=True)
    echo(f"           CRM {server.name}, token {token(server)}", err=True)
    echo(f"           Xero client id {xero.client_id}, secret {xero.client_secret}", err=True)
