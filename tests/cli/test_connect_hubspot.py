"""`connect hubspot`: an app's consent against the sandbox's pages, its tokens renewed and kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

import syncjob.cli
from syncjob.config import load_config
from syncjob.errors import AuthFailed, Exit
from syncjob.state.vault import Vault
from tests.cli.test_connect import in_thread
from tests.engine.world import World

PORT = 18751
APP = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "redirect_port": PORT}


class Firm(World):
    """A world whose HubSpot is opened by an app of the firm's own, not by a fixed token."""

    def settings(self) -> dict[str, Any]:
        values = super().settings()
        values["crm"].pop("access_token")
        values["crm"] |= {"auth": APP, "login_url": f"{self.base}/hubspot/oauth/authorize"}
        return values

    def vault_token(self) -> Any:
        config = load_config(self.write_config())
        vault = Vault(config.vault)
        try:
            return vault.token("hubspot:sandbox-client:user")
        finally:
            vault.close()


@pytest.fixture(params=[False, True], ids=["same-refresh", "rotating-refresh"])
def firm(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Firm]:
    made = Firm(tmp_path, crm="hubspot", crm_options={"rotates_refresh": request.param})
    yield made
    made.close()


def connect(w: Firm, *more: str) -> int:
    return syncjob.cli.run(["-c", str(w.write_config()), "connect", "hubspot", *more])


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The consent pages that were opened; a person allows each."""
    opened: list[str] = []

    def browser(page: str) -> bool:
        opened.append(page)
        in_thread(requests.post, page, {"decision": "allow"})
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    return opened


def test_a_person_lets_the_app_in_and_batches_renew_its_tokens(
    firm: Firm, pages: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AuthFailed, match="Nobody has granted"), firm.connection() as handle:
        handle.identity("crm")
    assert connect(firm) == Exit.DONE
    said = capsys.readouterr()
    assert said.out.startswith("The CRM account of HubSpot account 26543210")
    query = parse_qs(urlsplit(pages[0]).query)
    assert query["redirect_uri"] == [f"http://localhost:{PORT}/callback"]
    assert {"oauth", "crm.objects.deals.write", "tax_rates.read"} <= set(query["scope"][0].split())
    first = firm.vault_token()
    assert first.refresh and first.access not in said.out + said.err

    with firm.connection() as handle:
        handle.init_fields(create=True)
    firm.advance(timedelta(minutes=45))  # a token lives for half an hour
    assert firm.run().exit_code == Exit.DONE
    renewed = firm.vault_token()
    assert renewed.generation > first.generation and renewed.access != first.access
    rotates = firm.hubspot.options.rotates_refresh
    assert (renewed.refresh != first.refresh) == rotates

    assert connect(firm, "--forget") == Exit.DONE
    assert firm.vault_token() is None


def test_an_app_that_was_removed_says_to_connect_again(firm: Firm, pages: list[str]) -> None:
    assert connect(firm) == Exit.DONE
    firm.crm("uninstall_app")
    firm.advance(timedelta(minutes=45))
    with pytest.raises(AuthFailed) as caught, firm.connection() as handle:
        handle.identity("crm")
    assert "syncjob connect hubspot" in caught.value.next_step


def test_a_fixed_token_needs_no_page_and_another_vendor_is_refused(
    tmp_path: Path, pages: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    w = World(tmp_path, crm="hubspot")
    try:
        path = str(w.write_config())
        assert syncjob.cli.run(["-c", path, "connect", "hubspot"]) == Exit.DONE
        assert "HubSpot account 26543210" in capsys.readouterr().out and not pages
        assert syncjob.cli.run(["-c", path, "connect", "hubspot", "--forget"]) == Exit.DONE
        assert "fixed" in capsys.readouterr().out
    finally:
        w.close()
    other = World(tmp_path, crm="pipedrive")
    try:
        assert syncjob.cli.run(["-c", str(other.write_config()), "connect", "hubspot"]) == 2
        assert "is pipedrive, not hubspot" in capsys.readouterr().err
    finally:
        other.close()
