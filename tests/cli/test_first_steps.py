"""`init` for a newcomer: asked, tried, chosen among what is there, written whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
import requests
import yaml

import syncjob.cli
from syncjob.clock import SystemClock
from syncjob.config import load_config
from syncjob.config.models import CrmConfig, LedgerConfig
from syncjob.config.template import render
from syncjob.connectors.registry import register_all
from syncjob.core.records import Side
from syncjob.engine.firststeps import shapes
from syncjob.engine.firststeps.access import Addresses
from syncjob.engine.firststeps.interview import Found, interview
from syncjob.engine.firststeps.keeping import keep
from syncjob.engine.firststeps.questions import Answer, Choice, Question, Said, drive
from syncjob.engine.firststeps.trying import Memory, Tried, try_side
from syncjob.errors import AuthFailed, Exit, StateError
from syncjob.sandbox.crms import CrmName, crm_server, fill
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook
from syncjob.sandbox.xero.options import Options
from syncjob.sandbox.xero.regions import REGIONS
from syncjob.sandbox.xero.server import XeroServer
from tests.cli.terminal import Terminal

TODAY = date(2026, 11, 23)
SECRETS = {
    "PIPEDRIVE_API_TOKEN": "sandbox-token", "HUBSPOT_ACCESS_TOKEN": "sandbox-token",
    "XERO_CLIENT_ID": "sandbox-custom", "XERO_CLIENT_SECRET": "sandbox-secret",
}  # fmt: skip


class Person:
    """Answers by key, each list from its front; all else with what no answer means."""

    def __init__(self, **answers: str | list[str]) -> None:
        self.answers = {
            key.replace("_", "-"): [said] if isinstance(said, str) else list(said)
            for key, said in answers.items()
        }
        self.asked: dict[str, Question] = {}
        self.told: list[Said] = []

    def answer(self, question: Question) -> Answer:
        self.asked[question.key] = question
        said = self.answers.get(question.key)
        return question.read(said.pop(0) if said else "")

    def say(self, said: Said) -> None:
        self.told.append(said)

    @property
    def troubles(self) -> list[str]:
        return [said.text for said in self.told if said.bad]


class Hurried(SystemClock):
    """No test waits before a read is tried again."""

    def sleep(self, seconds: float) -> None:
        pass


class World:
    """Both sandboxes with the sample firm, as the interview's outside."""

    def __init__(self, crm: CrmName, env: dict[str, str] | None = None) -> None:
        home, self.clock, self.faults = REGIONS["UK"], Clock(), FaultBook()
        self.xero = XeroServer(
            self.clock, Entropy(1), Options(region="UK", demo=True, limits=None), self.faults
        )
        self.server = crm_server(crm, home, self.clock, 1, self.faults, limits=False)
        fill(self.server)
        self.box = Sandbox([self.xero, self.server], self.clock, self.faults)
        self.base = self.box.start()
        self.env: dict[str, str] = env or {}
        self.memory = Memory()
        self.consents: list[Side] = []

    def try_side(self, options: CrmConfig | LedgerConfig) -> Tried:
        return try_side(
            options, clock=Hurried(), memory=self.memory, session=requests.Session,
            rng=Random(1),
        )  # fmt: skip

    def consent(self, options: LedgerConfig) -> None:
        self.consents.append("ledger")
        raise AuthFailed("Nobody answered the consent page.", next_step="Allow access.")

    def writes(self) -> list[str]:
        """What was written at a vendor; to ask for a token, to search and to list is none."""
        calls = [call.to_json() for call in self.box.host.log.find()]
        quiet = ("/token", "/search", "/batch/read")
        return [c["path"] for c in calls if c["method"] != "GET" and not c["path"].endswith(quiet)]


@pytest.fixture(params=["pipedrive", "hubspot"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(request.param)
    yield made
    made.box.stop()


@pytest.fixture
def pipedrive() -> Iterator[World]:
    made = World("pipedrive")
    yield made
    made.box.stop()


def asked(world: World, person: Person) -> Found:
    register_all()
    return drive(interview(world, TODAY, Addresses(world.base)), person)


def crm_of(world: World) -> str:
    return world.server.name


# --- the interview --------------------------------------------------------------------------


def test_mistakes_are_said_at_once_and_asked_again(world: World) -> None:
    person = Person(
        crm=crm_of(world), crm_token=["wrong", "sandbox-token"],
        xero_id=["sandbox-custom"] * 2, xero_secret=["wrong", "sandbox-secret"],
    )  # fmt: skip
    found = asked(world, person)
    assert found.opened and not found.failed
    assert "401" in person.troubles[0]
    assert "secret is wrong" in person.troubles[1]
    assert len(person.troubles) == 2
    assert any("opens the books of Sandbox Company" in said.text for said in person.told)
    assert not world.writes()
    assert "sandbox-secret" not in repr(found) + str(person.told)


def test_what_is_chosen_stands_in_the_config_and_passes(world: World, tmp_path: Path) -> None:
    person = Person(
        crm=crm_of(world), crm_token="sandbox-token", xero_id="sandbox-custom",
        xero_secret="sandbox-secret", name="acme", code="ac", won_since="2026-09-01",
        account="sales", tax_rate="20% (VAT on Income)", without_products="one_line",
        value_is="gross", remind="14, 7", secrets="file",
    )  # fmt: skip
    world.xero.people("add_tracking", {"name": "Region", "options": ["North", "South"]})
    person.answers |= {"tracking": ["Region=North"], "pipeline": ["1, 2"], "fallback": ["1"]}
    found = asked(world, person)
    path = tmp_path / "config.yaml"
    keep(path, render(found.start), found.files)
    config = load_config(path, env={})
    assert config.mode == "drafts_only"
    assert (config.connection.name, config.connection.code) == ("acme", "AC")
    rules = config.invoices
    assert rules.account == "200"
    assert len(rules.when.pipelines) == 2
    assert (rules.without_products, rules.value_is) == ("one_line", "gross")
    assert [rule.rate for rule in rules.tax.rules] == ["20% (VAT on Income)"]
    assert [(r.category, r.option) for r in rules.tracking_rules] == [("Region", "North")]
    assert config.notices.steps == (7, 14)
    assert config.notices.fallback == person.asked["fallback"].choices[0].value
    assert "sandbox-secret" not in path.read_text()
    for file in (path, *(tmp_path / "secrets").iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = path.read_text()
    assert text.count("#") > 100 and yaml.safe_load(text)


def test_only_what_fits_is_offered(world: World) -> None:
    person = Person(
        crm=crm_of(world), crm_token="sandbox-token", xero_id="sandbox-custom",
        xero_secret="sandbox-secret",
    )  # fmt: skip
    asked(world, person)
    rates = [choice.label for choice in person.asked["tax-rate"].choices]
    assert any("VAT on Income" in rate for rate in rates)
    assert not any("Expenses" in rate for rate in rates)
    accounts = [choice.label for choice in person.asked["account"].choices]
    assert "200 Sales" in accounts and not any("Receivable" in one for one in accounts)
    stages = [choice.value for choice in person.asked["stage"].choices]
    assert stages
    if crm_of(world) == "hubspot":
        assert all("won" in stage.casefold() for stage in stages)


def test_what_is_in_the_environment_is_not_asked_for(pipedrive: World) -> None:
    pipedrive.env = SECRETS
    person = Person()
    found = asked(pipedrive, person)
    assert found.opened and not found.in_files and not found.unset
    assert not {"crm-token", "xero-id", "xero-secret"} & person.asked.keys()
    assert "${PIPEDRIVE_API_TOKEN}" in render(found.start)


def test_without_credentials_names_are_left_and_references_kept(pipedrive: World) -> None:
    person = Person()
    found = asked(pipedrive, person)
    assert not found.opened and not found.failed
    assert found.unset == ["PIPEDRIVE_API_TOKEN", "XERO_CLIENT_ID", "XERO_CLIENT_SECRET"]
    assert "pipeline" not in person.asked and "tax-rate" not in person.asked
    assert "secrets" not in person.asked


def test_no_network_and_a_missing_scope_are_told_apart(pipedrive: World) -> None:
    pipedrive.env = SECRETS
    pipedrive.xero.people("set_scopes", {"scopes": ["accounting.invoices"]})
    person = Person(again="no")
    found = asked(pipedrive, person)
    assert found.failed and "scope" in person.troubles[0]
    pipedrive.box.stop()
    person = Person(again=["no", "no"])
    register_all()
    drive(interview(pipedrive, TODAY, Addresses("http://127.0.0.1:9")), person)
    assert "no connection can be made" in person.troubles[0]


def test_the_code_flow_leads_through_the_consent_page(pipedrive: World) -> None:
    pipedrive.env = SECRETS
    person = Person(xero="authorization_code", again="no")
    found = asked(pipedrive, person)
    assert pipedrive.consents == ["ledger"] and found.failed
    assert "kind: authorization_code" in render(found.start)


def test_tracking_takes_one_option_a_category(pipedrive: World) -> None:
    pipedrive.env = SECRETS
    pipedrive.xero.people("add_tracking", {"name": "Region", "options": ["North", "South"]})
    person = Person(tracking=["1,2", "2"])
    found = asked(pipedrive, person)
    assert [rule["option"] for rule in found.start.tracking_rules] == ["South"]
    assert "one option a category" in person.troubles[0]


# --- questions and shapes -------------------------------------------------------------------


def test_a_choice_is_taken_by_number_value_or_name() -> None:
    picks = (Choice("200", "200 Sales"), Choice("1", "1 Sundry"), Choice("a,b", "a, b"))
    one = Question("account", "?", "one", choices=picks)
    assert [one.read(t) for t in ("200", "200 SALES", "1", "3")] == [
        ("200",), ("200",), ("1",), ("a,b",),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="none of them: 200"):
        one.read("4")
    many = Question("pipeline", "?", "many", choices=picks)
    assert many.read("a,b") == ("a,b",)
    assert many.read("1 sundry, 200 , 1") == ("1", "200")
    with pytest.raises(ValueError, match="an answer is needed"):
        Question("value-is", "?", "one", needed=True, choices=picks).read(" ")


@pytest.mark.parametrize(
    ("shape", "text", "mended"),
    [
        (shapes.address, "acme.pipedrive.com/pipeline/1", "https://acme.pipedrive.com"),
        (shapes.address, "https://proxy.acme.test/pd", "https://proxy.acme.test/pd"),
        (shapes.code, "ac", "AC"),
        (shapes.days, "30 7,14", "7,14,30"),
        (shapes.day, "2026-01-31", "2026-01-31"),
    ],
)
def test_what_is_surely_meant_is_mended(shape: shapes.Shape, text: str, mended: str) -> None:
    assert shape(text) == mended


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (shapes.address, "acme"), (shapes.address, "http://acme.pipedrive.com"),
        (shapes.code, "A!"), (shapes.days, "0"), (shapes.days, "366"), (shapes.days, "soon"),
        (shapes.day, "31.1.2026"), (shapes.monitor, "ping"), (shapes.name, "a b"),
    ],
)  # fmt: skip
def test_the_rest_is_refused(shape: shapes.Shape, text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        shape(text)


# --- on disk --------------------------------------------------------------------------------


def test_all_of_it_is_written_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("mine")
    with pytest.raises(StateError, match="exists"):
        keep(path, "new", {"secrets/token": "t"})
    assert path.read_text() == "mine"
    assert not list((tmp_path / "secrets").iterdir())
    path.unlink()
    (tmp_path / "secrets" / "token").write_text("another")
    with pytest.raises(StateError):
        keep(path, "new", {"secrets/token": "t"})
    assert not path.exists()
    (tmp_path / "secrets" / "token").write_text("t\n")
    keep(path, "new", {"secrets/token": "t"})
    assert path.read_text() == "new"


# --- as a person types it -------------------------------------------------------------------


def test_ctrl_c_leaves_nothing_and_no_secret_is_shown(pipedrive: World, tmp_path: Path) -> None:
    with Terminal(tmp_path, "init", "--sandbox", pipedrive.base, "--crm", "pipedrive") as screen:
        screen.expect("API token: ")
        screen.type("sandbox-token")
        screen.expect("opens: Sandbox Supplies")
        screen.expect("How are you let into Xero")
        screen.expect("[custom_connection]:")
        screen.interrupt()
        assert screen.end() == Exit.ISSUES
    assert "sandbox-token" not in screen.seen
    assert "Stopped; nothing more was done." in screen.seen
    assert not list(tmp_path.iterdir())


def test_with_flags_alone_it_goes_all_the_way(pipedrive: World, tmp_path: Path) -> None:
    flags = ["--sandbox", pipedrive.base, "--secrets", "file", "--won-since", "2026-01-01"]
    with Terminal(tmp_path, "init", "-y", *flags, env=SECRETS, columns=60) as screen:
        assert screen.end() == Exit.DONE, screen.seen
    assert "created deal field 'Invoice status'" in screen.seen
    assert "To begin with, try one deal:" in screen.seen
    assert "nothing is created before" in screen.seen
    assert "\tdebug" not in screen.seen
    with Terminal(tmp_path, "init", "-y") as screen:  # the secrets are in files now
        assert screen.end() == Exit.DONE, screen.seen
    assert "The CRM has every field that the config names." in screen.seen


def test_a_wrong_token_in_the_environment_is_said_and_the_config_kept(
    pipedrive: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name, value in {**SECRETS, "PIPEDRIVE_API_TOKEN": "not-this-one"}.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "config.yaml"
    arguments = ["-c", str(path), "init", "-y", "--sandbox", pipedrive.base]
    assert syncjob.cli.run(arguments) == Exit.ISSUES
    said = capsys.readouterr()
    assert "refuses the token (401)" in said.err
    assert "Next: mend what was refused above" in said.out
    assert path.exists() and "not-this-one" not in path.read_text() + said.out + said.err


def test_a_flag_that_cannot_be_used_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config.yaml"
    for flags, words in (
        (["--pipeline", "Sales"], "--pipeline: not used"),
        (["--without-products", "one_line"], "--value-is: an answer is needed"),
        (["--name", "a b"], "--name: write letters"),
    ):
        assert syncjob.cli.run(["-c", str(path), "init", "-y", *flags]) == Exit.CONFIG
        assert words in capsys.readouterr().err
    assert not path.exists()
    assert not os.listdir(tmp_path)
