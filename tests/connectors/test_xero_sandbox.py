"""The Xero connector against the sandbox, over real HTTP and through the real door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import requests

from syncjob.clock import SystemClock
from syncjob.connectors.base import Prepared, Walk
from syncjob.connectors.ports import Opened, Ports
from syncjob.connectors.registry import open_side
from syncjob.connectors.xero import requests as addresses
from syncjob.connectors.xero.connect import tenants
from syncjob.connectors.xero.connector import XeroConnector
from syncjob.connectors.xero.factory import open_channel
from syncjob.connectors.xero.options import XeroOptions
from syncjob.core.actions import (
    Action,
    InvoiceChange,
    MarkerChange,
    NotDone,
    Outcome,
    Rejected,
    Stored,
)
from syncjob.core.needs import Needs
from syncjob.core.policy import Mode
from syncjob.core.records import Address, Contact, Invoice
from syncjob.errors import AuthFailed, ConfigError, OutcomeUnknown
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Fault, FaultBook
from syncjob.sandbox.xero import Options, XeroServer
from syncjob.state.vault import Vault
from syncjob.transport.auth import consent_url, exchange_code
from syncjob.transport.wire import Call

from .xero_kit import action, create, customer, line

TODAY = datetime.now(UTC).date()


class OpenDoor:
    """Everything is journaled, says this door."""

    def admit(self, calls: Sequence[Call]) -> None:
        pass

    def sent(self, calls: Sequence[Call], token_generation: int) -> None:
        pass


class World:
    """A sandbox Xero that listens on a port, and a connector to it."""

    def __init__(self, folder: Path, server: Options, mode: Mode = "full") -> None:
        self.clock, self.faults = Clock(), FaultBook()
        self.xero = XeroServer(self.clock, options=server, faults=self.faults)
        self.sandbox = Sandbox([self.xero], self.clock, self.faults)
        self.url = self.sandbox.start()
        self.vault = Vault(folder / "vault.db")
        self.numbers, self.mode = count(1), mode

    def options(self, **more: Any) -> XeroOptions:
        auth = {"client_id": "sandbox-custom", "client_secret": "sandbox-secret"}
        auth |= more.pop("auth", {})
        return XeroOptions(
            type="xero",
            auth=auth,
            api_url=f"{self.url}/xero/api.xro/2.0",
            identity_url=f"{self.url}/xero/identity",
            connections_url=f"{self.url}/xero/connections",
            login_url=f"{self.url}/xero/identity/connect/authorize",
            **more,
        )

    def ports(self) -> Ports:
        return Ports(
            clock=SystemClock(),
            session=requests.Session,
            tokens=self.vault,
            budgets=self.vault,
            door=OpenDoor(),
            mode=self.mode,
            random=Random(1),
            new_key=lambda: f"key-{next(self.numbers)}",
            needs=Needs(items=True),
        )

    def open(self, **more: Any) -> Opened:
        return open_side(self.options(**more), self.ports())

    def act(self, name: str, **payload: Any) -> Any:
        return self.sandbox.control.act("xero", name, payload)

    def calls(self, method: str, path: str) -> int:
        return self.sandbox.host.log.count("xero", method, f"/xero/api.xro/2.0/{path}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, Options(lag_max_s=0, limits=None))
    yield made
    made.sandbox.stop()
    made.vault.close()


def write(opened: Opened, *actions: Action) -> list[Outcome]:
    """Each action's outcome, as the engine would get it."""
    connector, found = opened.connector, []
    for number, prepared in enumerate(connector.prepare(list(actions)), 1):
        found += send(opened, prepared, number)
    return found


def send(opened: Opened, prepared: Prepared, number: int = 1) -> list[Outcome]:
    answer = opened.channel.write(Call(id=number, request=prepared.request, fence=1))
    return opened.connector.outcomes(prepared, answer)


def stored(outcome: Outcome) -> Any:
    assert isinstance(outcome, Stored), outcome
    return outcome.record


def make_contact(opened: Opened, **more: Any) -> str:
    [outcome] = write(opened, customer(**more))
    return str(stored(outcome).id)


def bill(opened: Opened, contact: str, number: int, **more: Any) -> Action:
    given = {"contact_id": contact, "date": TODAY, "due_date": TODAY + timedelta(days=30)}
    return create(number, **(given | more))


def test_fifty_invoices_some_refused_are_created_approved_walked_and_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = world.open()
    connector = opened.connector
    assert isinstance(connector, XeroConnector)
    books = connector.reference()
    assert books.organisation.time_zone == "Australia/Sydney"
    assert {"OUTPUT", "INPUT"} <= {rate.code for rate in books.tax_rates}
    began = datetime.now(UTC) - timedelta(minutes=1)
    contact = make_contact(opened, address=Address(lines=("Obere Str. 57",), country="Germany"))

    bad = {
        7: {"lines": (line(account="999"),)},
        11: {"currency": "SEK"},
        13: {"lines": (line(tax_code="NOPE"),)},
    }
    actions = [bill(opened, contact, n, **bad.get(n, {})) for n in range(1, 51)]
    got = write(opened, *actions)
    refused = {n: o for n, o in enumerate(got, 1) if isinstance(o, Rejected)}
    assert {n: o.code for n, o in refused.items()} == {
        7: "account_unknown",
        11: "currency_not_enabled",
        13: "tax_unknown",
    }
    both = zip(actions, got, strict=True)
    made = {a.marker: stored(o) for a, o in both if not isinstance(o, Rejected)}
    assert len(made) == 47
    assert all(invoice.marker == marker for marker, invoice in made.items())
    assert {i.lines[0].unit_price for i in made.values()} == {Decimal("10.1234")}
    assert world.calls("PUT", "Invoices") == 1

    approvals = [
        action(InvoiceChange(invoice_id=i.id, status="authorised", date=TODAY, due_date=TODAY))
        for i in made.values()
    ]
    for outcome in write(opened, *approvals):
        assert stored(outcome).status == "authorised"

    monkeypatch.setattr(addresses, "PAGE_SIZE", 20)
    pages = list(connector.changes("invoices", Walk(since=began)))
    assert [len(page.records) for page in pages] == [20, 20, 7]
    assert [page.position for page in pages] == ["2:47", "3:47", None]
    assert {r.id for p in pages for r in p.records} == {i.id for i in made.values()}

    found = connector.find("invoice.create", ["NW-3-A1", "NW-7-A1"], began)
    assert found == {"NW-3-A1": connector.get("invoices", [made["NW-3-A1"].id])[0]}
    ids = [i.id for i in made.values()]
    assert [r.id for r in connector.get("invoices", ids)] == ids
    assert connector.get("invoices", ["00000000-0000-4000-8000-00000000dead"]) == []


def test_what_is_stored_is_what_stored_form_says(world: World) -> None:
    opened = world.open()
    connector = opened.connector
    sent = customer(
        name=" Côté & Söhne 😀 ",
        email="a@b.test",
        phone="+49 30 1",
        address=Address(lines=("Rue 1", "2e étage"), city="Abidjan", country="Côte d'Ivoire"),
    )
    [outcome] = write(opened, sent)
    assert connector.current_form(sent, stored(outcome)) == connector.stored_form(sent)
    wanted = bill(
        opened,
        stored(outcome).id,
        1,
        line_amounts="inclusive",
        lines=(
            line(discount_percent=Decimal("12.5")),
            line(description="two\r\nlines", discount_amount=Decimal("0.05")),
        ),
    )
    [made] = write(opened, wanted)
    predicted = connector.stored_form(wanted).items()
    assert predicted <= connector.current_form(wanted, stored(made)).items()
    [again] = connector.get("invoices", [stored(made).id])
    assert predicted <= connector.current_form(wanted, again).items()


def test_a_contact_is_marked_and_keeps_the_rest(world: World) -> None:
    opened = world.open()
    id = make_contact(opened, email="keep@me.test")
    [outcome] = write(opened, action(MarkerChange(contact_id=id, marker="NW-O77")))
    record = stored(outcome)
    assert isinstance(record, Contact)
    assert (record.marker, record.emails, record.name) == (
        "NW-O77",
        ("keep@me.test",),
        "Customer 1",
    )


def test_a_second_contact_of_that_name_is_refused_and_changes_nothing(world: World) -> None:
    opened = world.open()
    make_contact(opened, email="first@one.test")
    [taken] = write(opened, customer(2, name="Customer 1", email="other@one.test"))
    assert isinstance(taken, Rejected)
    assert taken.code == "contact_name_taken"
    [page] = opened.connector.changes("contacts", Walk(since=None))
    assert [r.emails for r in page.records if isinstance(r, Contact)] == [("first@one.test",)]


def test_a_lost_answer_is_unknown_and_the_same_bytes_make_no_second_invoice(world: World) -> None:
    opened = world.open()
    contact = make_contact(opened)
    [prepared] = opened.connector.prepare([bill(opened, contact, 1)])
    world.faults.add(Fault(kind="lost", path="/Invoices", method="PUT"))
    with pytest.raises(OutcomeUnknown):
        send(opened, prepared)
    [outcome] = send(opened, prepared)
    began = datetime.now(UTC) - timedelta(minutes=1)
    found = opened.connector.find("invoice.create", ["NW-1-A1"], began)
    assert found["NW-1-A1"].id == stored(outcome).id
    [page] = opened.connector.changes("invoices", Walk(since=None))
    assert len(page.records) == 1


def test_half_a_batch_that_was_saved_before_an_error_is_found_by_marker(world: World) -> None:
    opened = world.open()
    contact = make_contact(opened)
    actions = [bill(opened, contact, n) for n in range(1, 5)]
    world.faults.add(Fault(kind="semantic", name="commit_half", path="/Invoices"))
    [prepared] = opened.connector.prepare(actions)
    began = datetime.now(UTC) - timedelta(minutes=1)
    try:
        outcomes = send(opened, prepared)
    except OutcomeUnknown:
        outcomes = []
    assert not any(isinstance(o, Stored | Rejected | NotDone) for o in outcomes)
    found = opened.connector.find("invoice.create", [str(a.marker) for a in actions], began)
    assert sorted(found) == ["NW-1-A1", "NW-2-A1"]


def test_our_own_draft_is_deleted_by_status_and_still_found(world: World) -> None:
    opened = world.open()
    [made] = write(opened, bill(opened, make_contact(opened), 1))
    change = InvoiceChange(invoice_id=stored(made).id, status="deleted")
    [outcome] = write(opened, action(change))
    assert stored(outcome).status == "deleted"
    began = datetime.now(UTC) - timedelta(minutes=1)
    [found] = opened.connector.find("invoice.create", ["NW-1-A1"], began).values()
    assert isinstance(found, Invoice)
    assert found.status == "deleted"


def test_money_that_arrives_is_read(world: World) -> None:
    opened = world.open()
    [made] = write(opened, bill(opened, make_contact(opened), 1))
    id = stored(made).id
    change = InvoiceChange(invoice_id=id, status="authorised", date=TODAY, due_date=TODAY)
    stored(write(opened, action(change))[0])
    world.act("pay", invoice=id, amount="10.00")
    [invoice] = opened.connector.get("invoices", [id])
    assert isinstance(invoice, Invoice)
    assert (invoice.paid, invoice.due) == (Decimal("10.00"), Decimal("12.28"))
    [page] = opened.connector.changes("payments", Walk(since=None))
    assert [(p.invoice_id, p.amount) for p in page.records] == [(id, Decimal("10.00"))]  # type: ignore[union-attr]
    assert invoice.settlements[0].id == page.records[0].id


@pytest.mark.parametrize("null_rate", [0.0, 1.0])
def test_nulls_and_gaps_are_nothing_and_not_modified_is_no_page(
    tmp_path: Path, null_rate: float
) -> None:
    server = Options(lag_max_s=0, limits=None, null_rate=null_rate, not_modified=True)
    world = World(tmp_path, server)
    opened = world.open()
    id = make_contact(opened)
    made = stored(write(opened, bill(opened, id, 1))[0])
    world.act("edit_invoice", invoice=made.id, fields={"Reference": ""})
    for stream in ("contacts", "invoices"):
        [page] = opened.connector.changes(stream, Walk(since=None))
        assert page.drift == ()
        assert "None" not in [v for r in page.records for v in msgspec.to_builtins(r).values()]
    later = datetime.now(UTC) + timedelta(hours=1)
    [empty] = opened.connector.changes("invoices", Walk(since=later))
    assert (empty.records, empty.position) == ((), None)
    world.sandbox.stop()
    world.vault.close()


def test_the_caps_words_hold_the_organisation(tmp_path: Path) -> None:
    world = World(tmp_path, Options(lag_max_s=0, limits=None, plan_cap=1))
    opened = world.open()
    contact = make_contact(opened)
    made = [stored(o) for o in write(opened, *(bill(opened, contact, n) for n in (1, 2)))]
    changes = [InvoiceChange(invoice_id=i.id, status="authorised", date=TODAY, due_date=TODAY)
               for i in made]  # fmt: skip
    first, second = write(opened, *map(action, changes))
    assert isinstance(first, Stored)
    assert isinstance(second, Rejected)
    assert (second.code, second.scope) == ("invoice_cap", "organisation")
    world.sandbox.stop()


def test_check_is_content_with_a_good_app_and_names_a_missing_scope(tmp_path: Path) -> None:
    scopes = ("accounting.invoices", "accounting.contacts", "accounting.settings.read")
    world = World(tmp_path, Options(lag_max_s=0, limits=None, scopes=scopes))
    poor = world.open(auth={"scopes": list(scopes)})
    [problem] = poor.connector.check()
    assert "accounting.payments" in problem.fix
    world.sandbox.stop()


def test_check_of_a_good_app_and_of_a_wrong_secret(world: World) -> None:
    assert world.open().connector.check() == []
    wrong = world.open(auth={"client_id": "sandbox-other"}).connector
    [problem] = wrong.check()
    assert problem.where == "ledger.auth"
    with pytest.raises(AuthFailed):
        wrong.identity()


def consent(world: World, options: XeroOptions) -> None:
    """What `syncjob connect xero` does, with the person's click made at once."""
    page = consent_url(
        options.login_url,
        client_id=options.auth.client_id,
        redirect_uri=options.auth.redirect_uri,
        scopes=options.consent_scopes,
        state="state",
        verifier="v" * 64,
    )
    sent_back = requests.get(page, params={"auto": "1"}, allow_redirects=False, timeout=5)
    exchange_code(
        code=parse_qs(urlsplit(sent_back.headers["Location"]).query)["code"][0],
        verifier="v" * 64,
        redirect_uri=options.auth.redirect_uri,
        token_url=options.token_url,
        client_id=options.auth.client_id,
        client_secret=options.auth.client_secret,
        key=options.token_key,
        store=world.vault,
        clock=SystemClock(),
    )


def test_the_code_flow_finds_its_organisation_and_says_which_where_there_are_two(
    world: World,
) -> None:
    auth = {
        "kind": "authorization_code",
        "client_id": "sandbox-web",
        "client_secret": "sandbox-web-secret",
    }
    options = world.options(auth=auth)
    with pytest.raises(AuthFailed, match="connect xero"):
        world.open(auth=auth).connector.identity()
    consent(world, options)
    [first] = world.xero.organisations.values()
    assert world.open(auth=auth).connector.identity().id == first.id
    second = world.xero.add_organisation("NZ", "Second Company")
    world.xero.identity.connect("sandbox-web", second.id, second.name)
    found = tenants(open_channel(options, world.ports()), options)
    assert [(t.id, t.name) for t in found] == [
        (org.id, org.name) for org in sorted((first, second), key=lambda org: org.name)
    ]
    with pytest.raises(ConfigError, match="Second Company"):
        world.open(auth=auth).connector.identity()
    chosen = world.open(auth=auth, tenant_id=second.id).connector
    assert chosen.identity().country == "NZ"
