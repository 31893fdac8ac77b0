"""HubSpot's writes on the sandbox's server: set up, written, answered, found again, told apart."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from syncjob.connectors.base import FieldWish, Prepared
from syncjob.connectors.hubspot import answers, contacts, fields, marked, properties, writing
from syncjob.connectors.hubspot.names import Names
from syncjob.core.actions import (
    ContactChange,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    Move,
    NotDone,
    NoteDraft,
    Outcome,
    Rejected,
    Stored,
    Task,
    Unknown,
)
from syncjob.core.records import Contact
from syncjob.transport.wire import Answer, Request
from tests.connectors.hubspot_names import an_action
from tests.sandbox.hubspot_support import Hub

WISHES = (
    FieldWish(
        entity="deal", name="Invoice status", kind="choice", options=("awaiting payment", "paid")
    ),
    FieldWish(entity="deal", name="Invoice number", kind="text"),
    FieldWish(entity="deal", name="Due", kind="money"),
    FieldWish(entity="deal", name="Due date", kind="date"),
    FieldWish(entity="deal", name="Synced", kind="datetime"),
    FieldWish(entity="deal", name="Reason", kind="text", long=True),
    FieldWish(entity="organization", name="syncjob key", kind="text", unique=True),
    FieldWish(entity="organization", name="VAT", kind="text"),
    FieldWish(entity="person", name="syncjob key", kind="text", unique=True),
    FieldWish(entity="person", name="Further phones", kind="text"),
)  # fmt: skip


class Account:
    """A sandbox account that `init` has been run on, and the calls of our half on it."""

    def __init__(self, **options: Any) -> None:
        self.hub = Hub(**options)
        for wish in WISHES:
            for path, body in properties.create(wish, self.groups(wish)):
                self.hub.ok("POST", f"crm/properties/@/{path}", body)
        self.names = self.read_names()

    def groups(self, wish: FieldWish) -> set[str]:
        path = f"crm/properties/@/{properties.OBJECTS[wish.entity]}/groups"
        return {group["name"] for group in self.hub.ok("GET", path)["results"]}

    def read_names(self) -> Names:
        found = [
            fields.to_field(entity, row)
            for entity, objects in properties.OBJECTS.items()
            for row in self.hub.ok("GET", f"crm/properties/@/{objects}")["results"]
        ]
        deal = {w.name: fields.only(found, "deal", w.name) for w in WISHES if w.entity == "deal"}
        pipelines = self.hub.ok("GET", "crm/pipelines/@/deals")["results"]
        stages = {s["id"]: p["id"] for p in pipelines for s in p["stages"]}
        vat = fields.only(found, "organization", "VAT")
        more = fields.only(found, "person", "Further phones")
        assert vat and more and all(deal.values())
        return Names(
            base="https://app.hubspot.com/contacts/1", zone="Europe/London", pipelines=stages,
            deal_fields={name: field for name, field in deal.items() if field},
            organization_marker=fields.only(found, "organization", "syncjob key"),
            person_marker=fields.only(found, "person", "syncjob key"),
            organization={"tax_number": vat}, person={"phones": more},
        )  # fmt: skip

    def prepare(self, *payloads: Any) -> list[Prepared]:
        def form(path: str, body: Any) -> Request:
            return Request(method="POST", url=path, body=msgspec.json.encode(body))

        actions = [an_action(payload, f"x:{n}") for n, payload in enumerate(payloads)]
        return writing.forms(actions, form, self.names, self.now, self.moment())

    def now(self, ids: Any) -> dict[str, Any]:
        return {i: self.row(i)["properties"] for i in ids}

    def moment(self) -> datetime:
        return self.hub.clock.now()

    def send(self, call: Prepared) -> list[Outcome]:
        reply = self.hub.call("POST", f"crm/objects/@/{call.request.url}", raw=call.request.body)
        headers = {name.lower(): value for name, value in reply.headers}
        return answers.outcomes(
            call, Answer(status=reply.status, headers=headers, body=reply.body), self.names
        )

    def write(self, *payloads: Any) -> list[Outcome]:
        return [outcome for call in self.prepare(*payloads) for outcome in self.send(call)]

    def row(self, contact: str) -> dict[str, Any]:
        kind, _, number = contact.partition(":")
        objects = "companies" if kind == "org" else "contacts"
        wanted = contacts.wanted("organization" if kind == "org" else "person", self.names)
        path = f"crm/objects/@/{objects}/{number}?properties={','.join(wanted)}"
        return self.hub.ok("GET", path)  # type: ignore[no-any-return]

    def contact(self, contact: str) -> Contact:
        kind = "organization" if contact.startswith("org:") else "person"
        return contacts.to_contact(kind, self.row(contact), self.names)

    def ask(self, area: str, rest: str, body: Any) -> Any:
        path, _, query = rest.partition("?")
        return self.hub.ok("POST", f"crm/{area}/@/{path}" + (f"?{query}" if query else ""), body)

    def find(self, kind: str, *markers: str) -> dict[str, Any]:
        since = self.moment() - timedelta(hours=1)
        return marked.find(self.ask, self.bin, kind, markers, since, self.names)

    def bin(self, objects: str, wanted: Any) -> Any:
        path = f"crm/objects/@/{objects}?archived=true&limit=100&properties={','.join(wanted)}"
        return self.hub.ok("GET", path)["results"]

    def company(self, name: str = "Acme", **more: Any) -> str:
        return f"org:{self.hub.act('create_org', name=name, **more)['id']}"

    def person(self, name: str = "Al Bo", **more: Any) -> str:
        return f"person:{self.hub.act('create_person', name=name, **more)['id']}"


@pytest.fixture
def account() -> Account:
    return Account()


def change(deal: int | str, **wanted: str | None) -> DealChange:
    return DealChange(deal_id=str(deal), fields={"Due": "1.50", **wanted})


# --- set-up ---------------------------------------------------------------------------------------


def test_properties_are_made_once_in_a_group_of_their_own(account: Account) -> None:
    made = account.hub.ok("GET", "crm/properties/@/deals")["results"]
    ours = [p for p in made if p["groupName"] == "syncjob"]
    assert {p["label"] for p in ours} == {w.name for w in WISHES if w.entity == "deal"}
    for wish in WISHES:  # the names follow from the labels, so a second time is refused
        ((path, body),) = properties.create(wish, account.groups(wish))
        account.hub.refused(409, "POST", f"crm/properties/@/{path}", body)
    marker = account.names.organization_marker
    assert marker is not None and marker.unique and not marker.fixed


# --- deals ----------------------------------------------------------------------------------------


def test_deals_are_written_together_and_show_what_was_predicted(account: Account) -> None:
    wanted = {
        "Invoice status": "awaiting payment", "Invoice number": " INV-7 ", "Due date": "2026-12-31",
        "Synced": "2026-11-23 12:00 UTC", "Reason": "one\ntwo",
    }  # fmt: skip
    deals = [account.hub.deal() for _ in range(3)]
    (call,) = account.prepare(*(change(d, **wanted) for d in deals))
    outcomes = account.send(call)
    assert all(isinstance(o, Stored) and o.record is None and o.stamp for o in outcomes)
    codes = {f.code: name for name, f in account.names.deal_fields.items()}
    for action in call.actions:
        shown = account.hub.props("deals", action.payload.deal_id, *codes)
        read = {name: fields.read(account.names.deal_fields[name], shown) for name in wanted}
        predicted = writing.stored_form(action, account.names)
        assert {n: predicted[n] for n in wanted} == read
        assert isinstance(outcomes[0], Stored)
    cleared = dict.fromkeys(wanted)
    assert isinstance(account.write(change(deals[0], **cleared))[0], Stored)
    shown = account.hub.props("deals", deals[0], *codes)
    assert not any(shown.get(code) for code, name in codes.items() if name in cleared)


def test_a_deal_moves_within_and_across_pipelines(account: Account) -> None:
    account.hub.act("create_pipeline", name="Billing", stages=["Billed", "Settled"])
    account.names = account.read_names()
    pipelines = account.hub.ok("GET", "crm/pipelines/@/deals")["results"]
    deal = account.hub.deal()
    for pipeline in pipelines:
        for stage in pipeline["stages"][:2]:
            move = Move(when="paid", stage_id=stage["id"], stage="x", pipeline="y")
            bare = DealChange(deal_id=str(deal), fields={}, move=move)
            assert isinstance(account.write(bare)[0], Stored)
            shown = account.hub.props("deals", deal, "dealstage", "pipeline")
            assert (shown["dealstage"], shown["pipeline"]) == (stage["id"], pipeline["id"])


@pytest.mark.parametrize("multi", ["207", "200"])
def test_one_bad_deal_among_many_is_refused_alone(multi: str) -> None:
    account = Account(multi_status=multi)
    good, bad, gone = (account.hub.deal() for _ in range(3))
    account.hub.act("delete_deal", deal=gone)
    status = account.names.deal_fields["Invoice status"]
    strange = msgspec.structs.replace(status, options=())  # our copy of the choices is behind
    account.names.deal_fields["Invoice status"] = strange  # type: ignore[index]
    first, second, third = account.write(
        change(good), change(bad, **{"Invoice status": "held"}), change(gone)
    )
    assert isinstance(first, Stored)
    assert isinstance(second, Rejected) and second.code == "field_option_missing"
    assert second.field == "Invoice status" and '"held"' in second.next_step
    assert isinstance(third, Rejected) and third.code == "deal_gone"


@pytest.mark.parametrize(("merged", "outcome"), [("error", Rejected), ("silent", Unknown)])
def test_the_old_id_of_a_merged_deal_is_never_written_to(merged: str, outcome: type) -> None:
    account = Account(merged_in_batch=merged)
    old, other = account.hub.deal(), account.hub.deal()
    new = account.hub.act("merge_deals", loser=old, winner=other)["id"]
    (found,) = account.write(change(old))
    assert isinstance(found, outcome)
    assert not account.hub.props("deals", new, "syncjob_due").get("syncjob_due")
    assert isinstance(account.write(change(new))[0], Stored)


@pytest.mark.parametrize("terse", [False, True])
def test_an_admins_rule_about_another_property_parks_the_deal_in_hubspots_words(
    terse: bool,
) -> None:
    account = Account(terse_errors=terse)
    first, second = account.hub.deal(), account.hub.deal()
    account.hub.act("add_rule", required=["closed_won_reason"])
    names = msgspec.structs.replace(account.names, titles={"closed_won_reason": "Why won"})
    account.names = names
    account.hub.act("edit_deal", deal=second, fields={"closed_won_reason": "price"})
    refused, stored = account.write(change(first), change(second))
    assert isinstance(stored, Stored)
    assert isinstance(refused, Rejected) and refused.code == "crm_rule", refused
    assert '"Why won"' in refused.next_step and refused.words


def test_a_missing_scope_is_named() -> None:
    account = Account()
    account.hub.act("set_scopes", without=["crm.objects.deals.write"])
    for outcome in account.write(change(account.hub.deal()), change(account.hub.deal())):
        assert isinstance(outcome, Rejected) and outcome.code == "forbidden"
        assert "crm.objects.deals.write" in outcome.next_step


def test_a_burst_limit_has_no_effect() -> None:
    account = Account(limits=True, ten_seconds=60, bursts_in_real_time=False)
    deal = account.hub.deal()
    outcomes = [account.write(change(deal, **{"Invoice number": str(n)}))[0] for n in range(90)]
    late = [o for o in outcomes if isinstance(o, NotDone)]
    assert late and all(isinstance(o, Stored | NotDone) for o in outcomes)


# --- tasks and notes ------------------------------------------------------------------------------


def a_task(deal: int | str, **more: Any) -> Task:
    known: dict[str, Any] = {
        "marker": f"NW-{deal}-A1.261122.3.9", "deal_id": str(deal), "subject": "Overdue",
        "note": "It is <late>", "due": date(2026, 11, 23),
    }  # fmt: skip
    return Task(**{**known, **more})


def test_a_task_stands_on_deal_contact_and_company_and_is_found_before_search_shows_it() -> None:
    account = Account(index_lag_max_s=300)
    owner = str(account.hub.ok("GET", "crm/owners/@")["results"][0]["id"])
    company, person, deal = account.company(), account.person(), account.hub.deal()
    task = a_task(deal, owner_id=owner, person_id=person, org_id=company)
    (call,) = account.prepare(task)
    assert isinstance(account.send(call)[0], Stored)
    found = account.find("task.create", task.marker, f"NW-{deal}-A1.261122.3")[task.marker]
    assert found.deal_id == str(deal) and found.due == task.due and found.owner_id == owner
    (action,) = call.actions
    predicted = writing.stored_form(action, account.names)
    assert writing.current_form(action, found, account.names) == predicted
    for objects, number in (("deals", deal), ("contacts", person[7:]), ("companies", company[4:])):
        body = {"inputs": [{"id": str(number)}]}
        (row,) = account.ask("associations", f"{objects}/tasks/batch/read", body)["results"]
        assert [str(to["toObjectId"]) for to in row["to"]] == [found.id]


def test_notes_of_several_deals_are_told_apart_and_one_that_is_not_there_is_not_found(
    account: Account,
) -> None:
    deals = [account.hub.deal() for _ in range(3)]
    notes = [NoteDraft(marker=f"NW-{d}-A1.paid", deal_id=str(d), invoice_id="i", happening="paid",
                       text="Paid & done") for d in deals]  # fmt: skip
    assert all(isinstance(o, Stored) for o in account.write(*notes))
    found = account.find("note.create", *(n.marker for n in notes), "NW-999-A1.paid")
    assert {m: a.deal_id for m, a in found.items()} == {n.marker: n.deal_id for n in notes}


def test_a_task_of_a_deal_that_was_merged_since_is_found_by_search(account: Account) -> None:
    owner = str(account.hub.ok("GET", "crm/owners/@")["results"][0]["id"])
    old, other = account.hub.deal(), account.hub.deal()
    task = a_task(old, owner_id=owner)
    account.write(task)
    account.hub.act("merge_deals", loser=old, winner=other)
    account.hub.later(60)
    assert account.find("task.create", task.marker)[task.marker].marker == task.marker


def test_a_search_that_gives_fewer_than_it_was_asked_for_is_read_to_its_end(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notes of a merged deal are found by search alone: what stands on its second page was
    taken for lost, and written once more."""
    old, other = account.hub.deal(), account.hub.deal()
    markers = [f"NW-{old}-A1.{what}" for what in ("one", "two", "three")]
    notes = [NoteDraft(marker=marker, deal_id=str(old), invoice_id="i", happening="paid",
                       text="Paid") for marker in markers]  # fmt: skip
    account.write(*notes)
    account.hub.act("merge_deals", loser=old, winner=other)
    account.hub.later(60)
    ask = account.ask

    def little(area: str, rest: str, body: Any) -> Any:
        return ask(area, rest, body | {"limit": 1} if rest.endswith("/search") else body)

    monkeypatch.setattr(account, "ask", little)
    assert sorted(account.find("note.create", *markers)) == sorted(markers)


# --- contacts -------------------------------------------------------------------------------------


def draft(kind: Any = "organization", marker: str = "NW-L1", **values: str) -> CrmContactDraft:
    return CrmContactDraft(kind=kind, marker=marker, values={"name": "Acme", **values})


def test_what_was_made_is_found_by_its_marker_at_once_and_cannot_be_made_twice() -> None:
    account = Account(index_lag_max_s=300)
    (made,) = account.write(draft(tax_number="DE1", phones="1"))
    assert isinstance(made, Stored) and isinstance(made.record, Contact)
    read = account.contact(made.record.id)
    assert (read.name, read.tax_number, read.phones, read.marker) == (
        "Acme",
        "DE1",
        ("1",),
        "NW-L1",
    )
    assert account.find("crm_contact.create", "NW-L1", "NW-L2") == {"NW-L1": read}
    (again,) = account.write(draft())
    assert isinstance(again, Rejected) and again.code == "contact_exists"
    assert made.record.id[4:] in again.next_step
    account.hub.act("delete_org", org=made.record.id[4:])
    (found,) = account.find("crm_contact.create", "NW-L1").values()
    assert found.id == made.record.id and found.deleted


def test_a_person_is_made_with_its_primary_company(account: Account) -> None:
    company = account.company()
    person = CrmContactDraft(
        kind="person", marker="NW-L1-P", organization_id=company,
        values={"name": "Zoë Lee", "first_name": "Zoë", "last_name": "Lee", "email": "Z@x.test"},
    )  # fmt: skip
    (made,) = account.write(person)
    assert isinstance(made, Stored) and isinstance(made.record, Contact)
    read = account.contact(made.record.id)
    assert (read.organization_id, read.name) == (company, "Zoë Lee")
    (action,) = account.prepare(person)[0].actions
    form = writing.stored_form(action, account.names)
    assert writing.current_form(action, read, account.names) == form
    assert writing.current_form(action, made.record, account.names) == form


def test_a_duplicate_by_e_mail_stops_itself_only_and_names_who_is_there(account: Account) -> None:
    there = account.person(emails=["al@x.test"])
    bad = draft("person", "NW-L1", name="Al", email="AL@x.test")
    good = draft("person", "NW-L2", name="Cy", email="cy@x.test")
    outcomes = dict(zip(("bad", "good"), account.write(bad, good), strict=True))
    assert isinstance(outcomes["good"], Stored)
    refused = outcomes["bad"]
    assert isinstance(refused, Rejected) and refused.code == "contact_exists"
    assert f"record {there[7:]} " in refused.next_step


@pytest.mark.parametrize("kind", ["organization", "person"])
def test_markers_and_values_are_written_together_and_read_back_as_predicted(
    account: Account, kind: str
) -> None:
    make = account.company if kind == "organization" else account.person
    ids = [make(f"A{n} B") for n in range(3)]
    values = {"postal": '{"lines":["Obere Str. 57","2. OG"],"city":"Berlin","country":"DE"}'}
    values |= {"phones": "020 1"} if kind == "organization" else {"phones": "020 1\n020 2\n020 3"}
    changes = [ContactChange(contact_id=i, values=values) for i in ids]
    marks = [MarkerChange(contact_id=i, marker=f"NW-{i[:1].upper()}{i[-3:]}") for i in ids]
    calls = account.prepare(*changes, *marks)
    assert len(calls) == 2
    for call in calls:
        assert all(isinstance(o, Stored) for o in account.send(call))
        for action in call.actions:
            read = account.contact(action.payload.contact_id)
            predicted = writing.stored_form(action, account.names)
            assert writing.current_form(action, read, account.names) == predicted


def test_a_marker_that_another_record_has_is_refused_with_that_record(account: Account) -> None:
    one, two = account.company("A"), account.company("B")
    assert isinstance(account.write(MarkerChange(contact_id=one, marker="NW-O1"))[0], Stored)
    (refused,) = account.write(MarkerChange(contact_id=two, marker="NW-O1"))
    assert isinstance(refused, Rejected) and refused.code == "contact_exists"
    assert one[4:] in refused.next_step


def test_a_merged_contact_is_not_written_to_and_its_heir_bears_the_marker(account: Account) -> None:
    one, two = account.company("A"), account.company("B")
    account.write(MarkerChange(contact_id=one, marker="NW-O1"))
    heir = account.hub.act("merge_orgs", loser=two[4:], winner=one[4:])["id"]
    (refused,) = account.write(ContactChange(contact_id=one, values={"name": "C"}))
    assert isinstance(refused, Rejected) and refused.code == "contact_gone"
    (found,) = account.find("crm_contact.create", "NW-O1").values()
    assert found.id == f"org:{heir}" and set(found.merged_from) >= {one, two}
