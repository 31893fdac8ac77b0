"""`syncjob init` with an app that Xero lets into several organisations: which is meant is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Thread

import pytest
import requests

from syncjob.cli.connect import consent
from syncjob.config.models import LedgerConfig
from syncjob.config.template import render
from syncjob.connectors.xero.options import XeroOptions
from tests.cli.test_first_steps import SECRETS, Person, World, asked

#: What the options ask consent for, which the sandbox's app must have been given.
SCOPES = tuple(f"accounting.{name}" for name in ("invoices", "payments", "contacts", "settings"))
#: Free on any machine that runs these tests, and no other test's.
PORT = 18753


class Firm(World):
    """An app of the firm's own, and a person who allows what Xero's page asks."""

    def consent(self, options: LedgerConfig) -> None:
        self.consents.append("ledger")
        assert isinstance(options, XeroOptions)
        auth = options.auth.model_copy(update={"redirect_port": PORT})
        consent(options.model_copy(update={"auth": auth}).app(), self.memory, 30, browser=False)


@pytest.fixture
def firm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    made = Firm("pipedrive")
    made.env = {**SECRETS, "XERO_CLIENT_ID": "sandbox-web",
                "XERO_CLIENT_SECRET": "sandbox-web-secret"}  # fmt: skip
    app = made.xero.identity.apps["sandbox-web"]
    made.xero.identity.apps["sandbox-web"] = replace(app, scopes=SCOPES)

    def allowed(page: str, *, browser: bool) -> None:
        Thread(target=requests.get, args=(f"{page}&auto=1",), kwargs={"timeout": 10}).start()

    monkeypatch.setattr("syncjob.cli.connect._open", allowed)
    yield made
    made.box.stop()


def second(firm: Firm) -> str:
    """The id of another organisation of the firm's."""
    return str(firm.xero.add_organisation("UK", "Second Company").id)


def test_of_several_organisations_the_one_that_is_named_is_opened(firm: Firm) -> None:
    meant = second(firm)
    person = Person(xero="authorization_code", tenant=meant)
    found = asked(firm, person)
    assert not found.failed
    assert meant in render(found.start)
    assert any("Xero opens the books of Second Company" in said.text for said in person.told)
    assert any("2 organisations; say which one is meant" in said.text for said in person.told)
    assert firm.consents == ["ledger"]


def test_where_nobody_says_which_none_is_opened(firm: Firm) -> None:
    second(firm)
    person = Person(xero="authorization_code", again="no")
    assert asked(firm, person).failed


def test_an_organisation_that_is_not_among_them_is_said(firm: Firm) -> None:
    second(firm)
    stranger = "00000000-0000-4000-8000-000000000000"
    person = Person(xero="authorization_code", tenant=stranger, again="no")
    assert asked(firm, person).failed
    assert person.troubles
