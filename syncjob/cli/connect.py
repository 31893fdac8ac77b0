"""`connect`: a person lets syncjob into the ledger, and sees whose books they are."""

from __future__ import annotations

import contextlib
import secrets
import webbrowser
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from syncjob.cli.common import json_option, logged, print_json
from syncjob.cli.consent import Loopback
from syncjob.clock import SystemClock
from syncjob.config import Config
from syncjob.errors import ConfigError, Exit

if TYPE_CHECKING:
    from syncjob.connectors.xero.options import XeroOptions
    from syncjob.state.vault import Vault

#: Random bytes of the state and the verifier (RFC 7636: 43 to 128 characters as text).
STATE_BYTES = 24
VERIFIER_BYTES = 64


@click.command("connect")
@click.argument("ledger", type=click.Choice(["xero"]))
@click.option("--no-browser", is_flag=True, help="Print the consent page's address instead.")
@click.option("--forget", is_flag=True, help="Forget the stored tokens and end.")
@json_option
@click.pass_context
def connect_command(
    ctx: click.Context, ledger: str, no_browser: bool, forget: bool, as_json: bool
) -> int:
    """Let syncjob into the ledger, and show whose books: name, country, currency, DEMO or REAL.

    With `kind: custom_connection` there is no consent page: the credentials are tried.
    """
    with logged(ctx) as config:
        options = _xero(config)
        if forget:
            with _vault(config) as vault:
                vault.forget(options.token_key)
            again = "asks for consent again"
            if options.auth.kind == "custom_connection":
                again = "gets another with the client id and secret"
            click.echo(f"The stored tokens are forgotten. `syncjob connect xero` {again}.")
            return Exit.DONE
        if options.auth.kind == "authorization_code":
            _consent(config, options, browser=not no_browser)
        return _show(config, as_json=as_json)


def _xero(config: Config) -> XeroOptions:
    from syncjob.connectors.xero.options import XeroOptions

    if isinstance(config.ledger, XeroOptions):
        return config.ledger
    raise ConfigError([f"{config.path.name} ledger.type: is {config.ledger.type}, not xero"])


@contextlib.contextmanager
def _vault(config: Config) -> Iterator[Vault]:
    from syncjob.state.vault import Vault

    vault = Vault(config.vault)
    try:
        yield vault
    finally:
        vault.close()


def _consent(config: Config, options: XeroOptions, *, browser: bool) -> None:
    """The consent page in a browser, its code by way of loopback, its tokens into the vault."""
    from syncjob.transport.auth import consent_url, exchange_code

    clock, auth = SystemClock(), options.auth
    state, verifier = secrets.token_urlsafe(STATE_BYTES), secrets.token_urlsafe(VERIFIER_BYTES)
    page = consent_url(
        options.login_url,
        client_id=auth.client_id,
        redirect_uri=auth.redirect_uri,
        scopes=options.consent_scopes,
        state=state,
        verifier=verifier,
    )
    with Loopback(auth.redirect_port, "/callback", state) as loopback:
        _open(page, browser=browser)
        code = loopback.code(clock)
    with _vault(config) as vault:
        exchange_code(
            code=code,
            verifier=verifier,
            redirect_uri=auth.redirect_uri,
            token_url=options.token_url,
            client_id=auth.client_id,
            client_secret=auth.client_secret,
            key=options.token_key,
            store=vault,
            clock=clock,
            timeout=options.timeout,
        )
    click.echo("Access is granted; the tokens are stored.", err=True)


def _open(page: str, *, browser: bool) -> None:
    opened = browser and webbrowser.open(page)
    if opened:
        click.echo("Waiting for you to allow access in the browser ...", err=True)
    else:
        click.echo("Open this page on this machine and allow access:", err=True)
        click.echo(page)


def _show(config: Config, *, as_json: bool) -> int:
    from syncjob.engine.connection import open_connection
    from syncjob.reports.terminal import organisation

    with open_connection(config) as handle:
        found = handle.identity("ledger")
    if as_json:
        print_json(found)
    else:
        click.echo(f"The books of {organisation(found)}.")
    return Exit.DONE
