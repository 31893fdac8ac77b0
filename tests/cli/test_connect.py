"""`connect xero`: the loopback listener, and the whole consent against the sandbox's pages."""

from __future__ import annotations

import stat
import threading
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from syncjob.cli.consent import Loopback
from syncjob.cli.sandbox import start_for
from syncjob.clock import SystemClock
from syncjob.config import load_config
from syncjob.config.template import render
from syncjob.errors import AuthFailed, Exit
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Entropy
from syncjob.sandbox.pipedrive import PipedriveServer
from syncjob.sandbox.xero.options import Options
from syncjob.sandbox.xero.server import XeroServer
from syncjob.state.vault import Vault
from tests.cli.conftest import Command
from tests.cli.kit import Handle


def answer(port: int, query: str, path: str = "/callback") -> requests.Response:
    return requests.get(f"http://127.0.0.1:{port}{path}?{query}", timeout=5)


def in_thread(job: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=job, args=arguments, daemon=True)
    thread.start()
    return thread


def test_loopback_takes_only_the_answer_with_its_state() -> None:
    said: list[int] = []

    def browser(port: int) -> None:
        said.append(answer(port, "code=evil&state=wrong").status_code)
        said.append(answer(port, "", "/favicon.ico").status_code)
        said.append(answer(port, "code=good&state=right").status_code)

    with Loopback(0, "/callback", "right") as loopback:
        thread = in_thread(browser, loopback.port)
        assert loopback.code(SystemClock(), wait_seconds=10) == "good"
    thread.join(5)
    assert said == [400, 404, 200]


def test_loopback_says_why_it_was_refused() -> None:
    with Loopback(0, "/callback", "s") as loopback:
        in_thread(answer, loopback.port, "error=access_denied&state=s")
        with pytest.raises(AuthFailed, match="access_denied"):
            loopback.code(SystemClock(), wait_seconds=10)


def test_loopback_gives_up_and_names_a_port_in_use() -> None:
    with Loopback(0, "/callback", "s") as loopback:
        with pytest.raises(AuthFailed, match="Nobody answered"):
            loopback.code(SystemClock(), wait_seconds=0)
        with pytest.raises(AuthFailed, match=f"Port {loopback.port}"):
            Loopback(loopback.port, "/callback", "s")


def test_a_custom_connection_has_no_page(syncjob_: Command, handle: Handle) -> None:
    code, out, _ = syncjob_("connect", "xero")
    assert code == Exit.DONE
    assert out == "The books of Acme [Pty] Ltd, AU, AUD, UTC, DEMO.\n"
    (asked, _), (act, noted) = handle.asked
    assert (asked, act) == ("identity", "connect:xero")
    assert noted["who"]
    assert noted["outcome"] == "opens Acme [Pty] Ltd (o1)"


def test_consent_ends_with_stored_tokens_and_forget_removes_them(
    syncjob_: Command, handle: Handle, config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(scopes=(*Options().scopes, "accounting.settings.read"))
    with Sandbox([XeroServer(Clock(), options=options)]) as box:
        start = start_for(
            box.base_url, PipedriveServer(Clock(), Entropy(1)), options, won_since=date(2026, 7, 1)
        )
        text = render(start).replace("kind: custom_connection", "kind: authorization_code")
        text = text.replace(options.client_id, options.web_client_id)
        text = text.replace(options.client_secret, options.web_client_secret)
        config_path.write_text(text.replace("redirect_port: 8749", "redirect_port: 18749"))
        pages: list[str] = []

        def browser(page: str) -> bool:
            pages.append(page)
            in_thread(requests.get, f"{page}&auto=1")
            return True

        monkeypatch.setattr("webbrowser.open", browser)
        code, out, err = syncjob_("connect", "xero")
        assert (code, "DEMO" in out) == (Exit.DONE, True), err
        asked = parse_qs(urlsplit(pages[0]).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert "offline_access" in asked["scope"][0]

        config: Any = load_config(config_path, env={})
        vault = Vault(config.vault)
        token = vault.token(config.ledger.token_key)
        vault.close()
        assert token is not None
        assert token.refresh
        assert token.access not in out + err
        assert stat.S_IMODE(config.vault.stat().st_mode) == 0o600
        log = config.resolve(config.connection.log)
        assert token.access not in log.read_text()

        assert syncjob_("connect", "xero", "--forget")[0] == Exit.DONE
        vault = Vault(config.vault)
        assert vault.token(config.ledger.token_key) is None
        vault.close()
