"""Xero's authorization-code flow by the real command: consent, tokens that rotate, two tenants."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import yaml

from syncjob.errors import Exit
from tests.crash.kit import CrashWorld
from tests.crash.nursery import ROOT
from tests.engine.scenes import only, sell

#: What a consent to `accounting.settings.read` needs of the sandbox's app.
SCOPES = tuple(f"accounting.{name}" for name in ("invoices", "payments", "contacts", "settings"))
#: Longer than an access token lives (Xero: 30 minutes).
LAPSE = timedelta(minutes=31)
LOST = {"kind": "lost", "server": "xero-identity", "path": "/connect/token", "when": "after"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CrashWorld]:
    """A connection by an app of the code flow, to which nobody has consented yet."""
    made = CrashWorld(tmp_path, ledger={"scopes": SCOPES})
    made.overrides = {
        "ledger": {
            "auth": {"kind": "authorization_code", "client_id": "sandbox-web",
                     "client_secret": "sandbox-web-secret", "redirect_port": 18757},
            "login_url": f"{made.base}/xero/identity/connect/authorize",
        }
    }  # fmt: skip
    yield made
    made.close()


def consent(w: CrashWorld, *, allow: bool = True) -> tuple[int, str]:
    """`syncjob connect xero`, and a person who answers the page: exit code and what was said."""
    process = subprocess.Popen(
        w.command("connect", "xero", "--no-browser"), cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    page = process.stdout.readline().strip()
    requests.get(f"{page}&auto={int(allow)}", timeout=10)
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def test_nothing_is_done_before_a_person_has_consented(world: CrashWorld) -> None:
    ended = world.child("run")
    assert ended.returncode == Exit.CREDENTIALS
    assert "syncjob connect xero" in ended.stdout + ended.stderr
    code, said = consent(world, allow=False)
    assert (code, "access_denied" in said) == (Exit.CREDENTIALS, True)
    assert world.invoices() == []


def test_tokens_rotate_over_months_and_stay_private(world: CrashWorld) -> None:
    assert consent(world)[0] == Exit.DONE
    world.init()
    sell(world)
    assert world.child("run").returncode == Exit.DONE
    only(world.invoices())
    files = list((world.folder / "state").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    for pause in (LAPSE, LAPSE, timedelta(days=55), timedelta(days=55)):
        world.advance(pause)
        assert world.run().exit_code == Exit.DONE
    world.advance(timedelta(days=61))  # nobody ran it for longer than a refresh token lives
    mark = world.mark()
    report = world.run()
    assert (report.exit_code, report.next_step) == (
        Exit.CREDENTIALS, "Run `syncjob connect xero`.",
    )  # fmt: skip
    assert {c["server"] for c in world.since(mark)} == {"xero-identity"}
    assert consent(world)[0] == Exit.DONE
    assert world.run().exit_code == Exit.DONE


def test_a_lost_new_token_is_asked_for_again_within_the_half_hour(world: CrashWorld) -> None:
    consent(world)
    world.init()
    world.advance(LAPSE)
    world.fault(**LOST)
    assert world.run().exit_code == Exit.DONE
    for wait, code in ((20, Exit.DONE), (40, Exit.CREDENTIALS)):
        world.advance(LAPSE)
        world.fault(**LOST, times=3)
        assert world.run().exit_code == Exit.UNREACHABLE
        world.advance(timedelta(minutes=wait))
        assert world.run().exit_code == code


def test_an_app_that_was_disconnected_asks_for_consent(world: CrashWorld) -> None:
    consent(world)
    world.init()
    sell(world)
    world.books("disconnect", client_id="sandbox-web")
    ended = world.child("run")
    assert ended.returncode == Exit.CREDENTIALS
    assert "syncjob connect xero" in ended.stdout + ended.stderr
    assert world.invoices() == []
    consent(world)
    assert world.child("run").returncode == Exit.DONE
    only(world.invoices())


def test_another_tenant_in_the_config_is_not_even_read(world: CrashWorld) -> None:
    second = world.xero.add_organisation("AU", "Second Company")
    code, said = consent(world)
    assert (code, second.id in said) == (Exit.CONFIG, True)  # it says which there are
    world.overrides["ledger"]["tenant_id"] = world.xero.organisation.id
    world.init()
    assert world.run().exit_code == Exit.DONE
    world.overrides["ledger"]["tenant_id"] = second.id
    for _ in range(2):
        mark = world.mark()
        ended = world.child("run")
        assert ended.returncode == Exit.WRONG_ORGANISATION
        assert "Second Company" in ended.stdout + ended.stderr
        read = [c["path"].rpartition("/")[2] for c in world.since(mark)]
        assert read == ["Organisation"]
    world.overrides["ledger"]["tenant_id"] = world.xero.organisation.id
    sell(world)
    assert world.run().exit_code == Exit.DONE
    only(world.invoices())


def test_two_connections_share_one_apps_tokens(world: CrashWorld) -> None:
    second = world.xero.add_organisation("AU", "Second Company")
    consent(world)
    world.overrides["ledger"]["tenant_id"] = world.xero.organisation.id
    world.init()
    values = world.settings()
    values["connection"] = {"name": "second", "code": "SC", "state": "second/syncjob.db"}
    values["ledger"]["tenant_id"] = second.id
    other = world.folder / "second.yaml"
    other.write_text(yaml.safe_dump(values), encoding="utf-8")
    assert world.child("run", config=other).returncode == Exit.DONE
    for _ in range(2):  # both at once, and both find the access token lapsed
        world.advance(LAPSE)
        mark = world.mark()
        both = [
            subprocess.Popen(
                world.command("run", config=path), cwd=ROOT,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for path in (None, other)
        ]  # fmt: skip
        assert [process.wait(60) for process in both] == [Exit.DONE, Exit.DONE]
        only([c for c in world.since(mark) if c["server"] == "xero-identity"])
