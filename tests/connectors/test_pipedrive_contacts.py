"""Contacts of Pipedrive over HTTP against its sandbox: read, made, changed field by field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from syncjob.connectors.base import Walk
from syncjob.connectors.pipedrive.reading import SOURCES
from syncjob.core.actions import ContactChange, CrmContactDraft, MarkerChange, Rejected, Stored
from syncjob.core.contacts.fields import (
    decode_list,
    encode_address,
    encode_list,
    same,
    values_of,
)
from syncjob.core.records import Address, Contact, PaymentTerms
from syncjob.errors import SchemaDrift
from syncjob.sandbox.kernel import Fault

from .contract import ids_of, walked
from .pipedrive_support import NOON, PipedriveWorld, action_of

OWN = {
    "organization": {
        "tax_number": "VAT number", "currency": "Billing currency", "terms": "Terms",
        "street": "Delivery address", "email": "Billing e-mail", "phones": "Phones",
    },
    "person": {"postal": "Billing address", "tax_number": "VAT number"},
}  # fmt: skip
HOME = Address(lines=("1 High St", "Unit 2"), city="York", postal_code="YO1", country="UK")


@pytest.fixture
def world() -> Iterator[PipedriveWorld]:
    made = PipedriveWorld()
    made.found_fields()
    address = {"organization": "Delivery address", "person": "Billing address"}
    for kind, plural in (("organization", "organizations"), ("person", "persons")):
        for name in OWN[kind].values():
            options = ["EUR", "GBP"] if name == "Billing currency" else None
            type_ = "address" if name == address[kind] else "enum" if options else "varchar"
            made.act("create_field", kind=plural, name=name, type=type_, options=options)
    yield made
    made.close()


@pytest.fixture
def connector(world: PipedriveWorld) -> Any:
    return world.connect(contact_fields=OWN)


def write(world: PipedriveWorld, connector: Any, payload: Any) -> Any:
    (call,) = connector.prepare([action_of(payload)])
    (outcome,) = connector.outcomes(call, world.send(call))
    return outcome


def stored(outcome: Any) -> Contact:
    assert isinstance(outcome, Stored), outcome
    assert isinstance(outcome.record, Contact)
    return outcome.record


def change(world: PipedriveWorld, connector: Any, contact: str, **values: str | None) -> Contact:
    """The record as it is read by its id after a good change, which answered with the same."""
    payload = ContactChange(contact_id=contact, values=values)
    answered = stored(write(world, connector, payload))
    (read,) = connector.get("contacts", [contact])
    action = action_of(payload)
    for record in (answered, read):
        assert connector.current_form(action, record) == connector.stored_form(action)
        now = values_of(record)
        assert all(same(f, v, now[f]) for f, v in connector.stored_form(action).items())
    return read


def person(world: PipedriveWorld, **more: Any) -> str:
    return f"person:{world.act('create_person', **{'name': 'Ann Lee', **more})['id']}"


def org(world: PipedriveWorld, **more: Any) -> str:
    return f"org:{world.act('create_org', **{'name': 'Acme', **more})['id']}"


def ways(world: PipedriveWorld, contact: str, key: str) -> list[tuple[str, bool, str]]:
    row = world.server.dump()["persons"][contact.partition(":")[2]]
    return [(w["value"], w["primary"], w["label"]) for w in row[key]]


# --- reading -------------------------------------------------------------------------------------


def test_streams_give_whole_contacts_and_never_deleted_ones(
    world: PipedriveWorld, connector: Any
) -> None:
    fields = {"VAT number": "GB 1", "Terms": "days_after_bill:14", "Billing currency": "EUR",
              "Phones": "+44 20 1; +44 20 2,", "Billing e-mail": "pay@acme.test"}  # fmt: skip
    kept, gone = org(world, address="1 High St, York", fields=fields), org(world, name="Gone")
    world.act("edit_org", org="Acme", fields={"Delivery address": "Dock 3, Hull"})
    world.act("delete_org", org="Gone")
    ann = person(world, org="Acme", email="a@acme.test")
    (page,) = walked(connector, "organizations", Walk(since=None))
    (read,) = page.records
    assert (read.id, read.tax_number, read.currency) == (kept, "GB 1", "EUR")
    assert read.terms == PaymentTerms(kind="days_after_bill", day=14)
    assert (read.emails, read.phones) == (("pay@acme.test",), ("+44 20 1", "+44 20 2"))
    assert (read.address.text, read.street.text) == ("1 High St, York", "Dock 3, Hull")
    assert read.owner_id == str(world.server.tokens[world.options.api_token.get_secret_value()])
    (page,) = walked(connector, "persons", Walk(since=None))
    assert [(c.id, c.organization_id, c.emails) for c in page.records] == [
        (ann, kept, ("a@acme.test",))
    ]
    assert [c.deleted for c in connector.get("contacts", [gone])] == [True]


def test_a_quiet_walk_over_contacts_costs_one_list_each(
    world: PipedriveWorld, connector: Any
) -> None:
    org(world)
    connector.use(connector.reference())
    world.mark()
    for stream in ("organizations", "persons"):
        walked(connector, stream, Walk(since=NOON + timedelta(days=1)))
    assert [c.path for c in world.calls()] == [
        "/pipedrive/api/v2/organizations", "/pipedrive/api/v2/persons",
    ]  # fmt: skip


def test_terms_in_a_persons_own_words_are_not_read(world: PipedriveWorld, connector: Any) -> None:
    id = org(world, fields={"Terms": "net 30 or so"})
    assert connector.get("contacts", [id])[0].terms is None


def test_a_merge_leaves_a_deleted_loser_and_the_winner_with_its_own_id(
    world: PipedriveWorld, connector: Any
) -> None:
    ours, other = org(world, name="Ours"), org(world, name="Other")
    stored(write(world, connector, MarkerChange(contact_id=ours, marker="NW-Labc")))
    world.act("merge_orgs", loser="Ours", winner="Other")
    lost, won = connector.get("contacts", [ours, other])
    assert (lost.deleted, lost.merged_into) == (True, None)  # Pipedrive names no winner
    assert (won.deleted, won.marker) == (False, "NW-Labc")


def test_what_one_unreadable_contact_is_called(world: PipedriveWorld, connector: Any) -> None:
    id = org(world)
    world.server.company.change("organizations", int(id[4:]), {"name": 5})
    (page,) = walked(connector, "organizations", Walk(since=None))
    assert page.records == () and page.drift[0][0] == id and "name is 5" in page.drift[0][1]


# --- creating ------------------------------------------------------------------------------------


def test_an_organization_and_its_person_are_made_with_our_key_and_found_by_it(
    world: PipedriveWorld, connector: Any
) -> None:
    values = {"name": " Ørsted & Søn ", "postal": encode_address(HOME), "tax_number": "DK 12",
              "currency": "EUR", "terms": "of_following_month:20", "email": "pay@x.test",
              "phones": "+45 1\n+45 2",
              "street": encode_address(Address(text="Dock 3, Hull"))}  # fmt: skip
    draft = CrmContactDraft(kind="organization", marker="NW-L1", values=values)
    made = stored(write(world, connector, draft))
    assert (made.marker, made.name, made.tax_number) == ("NW-L1", "Ørsted & Søn", "DK 12")
    assert (made.address.city, made.address.text) == ("York", "1 High St, Unit 2, YO1 York, UK")
    people = {"first_name": "Mary Ann", "last_name": "Lee", "email": "m@x.test",
              "emails": "n@x.test", "phones": "+45 3", "postal": encode_address(HOME)}  # fmt: skip
    who = CrmContactDraft(kind="person", marker="NW-L2", values=people, organization_id=made.id)
    ann = stored(write(world, connector, who))
    assert (ann.organization_id, ann.name, ann.first_name) == (made.id, "Mary Ann Lee", "Mary Ann")
    assert ann.emails == ("m@x.test", "n@x.test")
    found = connector.find("crm_contact.create", ["NW-L1", "NW-L2", "NW-L3"], NOON)
    assert {marker: c.id for marker, c in found.items()} == {"NW-L1": made.id, "NW-L2": ann.id}
    for payload, record in ((draft, found["NW-L1"]), (who, found["NW-L2"])):
        action = action_of(payload)
        assert connector.current_form(action, record) == connector.stored_form(action)
    assert connector.find("crm_contact.create", ["NW-L1"], NOON + timedelta(hours=1)) == {}


@pytest.mark.parametrize(
    ("names", "stored_as"),
    [
        ({"name": "Cher"}, ("Cher", "Cher", None)),
        ({"name": "Mary Ann Lee"}, ("Mary Ann Lee", "Mary", "Ann Lee")),
        ({"name": "X", "first_name": "Mary Ann", "last_name": "Lee"},
         ("Mary Ann Lee", "Mary Ann", "Lee")),
        ({"first_name": "Mary Ann", "last_name": None}, ("Mary Ann", "Mary", "Ann")),
        ({"first_name": None, "last_name": "Lee"}, ("Lee", "Lee", None)),
    ],
)  # fmt: skip
def test_a_persons_name_is_sent_whole_or_in_two(
    world: PipedriveWorld, connector: Any, names: Any, stored_as: Any
) -> None:
    draft = CrmContactDraft(kind="person", marker="NW-L1", values=names)
    made = stored(write(world, connector, draft))
    assert (made.name, made.first_name, made.last_name) == stored_as
    action = action_of(draft)
    assert connector.current_form(action, made) == connector.stored_form(action)


# --- changing ------------------------------------------------------------------------------------


def test_only_what_is_named_changes(world: PipedriveWorld, connector: Any) -> None:
    id = org(world, address="1 High St, York", fields={"VAT number": "GB 1", "Terms": "x"})
    before = dict(world.server.dump()["organizations"][id[4:]])
    change(world, connector, id, tax_number="GB 2", currency="gbp")
    after = world.server.dump()["organizations"][id[4:]]
    differs = {k for k in before if before[k] != after[k]}
    assert differs <= {"custom_fields", "update_time"}
    assert (
        after["custom_fields"].items()
        >= {code: value for code, value in before["custom_fields"].items() if value == "x"}.items()
    )
    assert set(json.loads(world.calls("PATCH")[-1].body)) == {"custom_fields"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Acme 2"),
        ("postal", encode_address(HOME)),
        ("postal", None),
        ("street", encode_address(HOME)),
        ("street", None),
        ("tax_number", None),
        ("currency", "EUR"),
        ("currency", None),
        ("terms", "of_current_month:31"),
        ("terms", None),
        ("email", "new@acme.test"),
        ("email", None),
        ("phones", "+44 20 5\n+44 20 6"),
        ("phones", None),
    ],
)
def test_each_field_of_an_organization_is_set_and_cleared(
    world: PipedriveWorld, connector: Any, field: str, value: str | None
) -> None:
    fields = {"VAT number": "GB 1", "Terms": "days_after_bill:1", "Billing currency": "GBP",
              "Billing e-mail": "old@acme.test", "Phones": "1",
              "Delivery address": "Hull"}  # fmt: skip
    id = org(world, address="1 High St, York", fields=fields)
    before = values_of(connector.get("contacts", [id])[0])
    after = values_of(change(world, connector, id, **{field: value}))
    assert (after[field] is None) == (value is None)
    assert {k: v for k, v in after.items() if k != field} == {
        k: v for k, v in before.items() if k != field
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("tax_number", "1"), ("tax_number", None), ("postal", encode_address(HOME)), ("postal", None),
     ("phones", None), ("emails", None), ("emails", "c@x.test"), ("phones", "+44 9")],
)  # fmt: skip
def test_each_field_of_a_person_is_set_and_cleared(
    world: PipedriveWorld, connector: Any, field: str, value: str | None
) -> None:
    fields = {"VAT number": "GB 1", "Billing address": "1 High St"}
    who = {"emails": ["a@x.test", "b@x.test"], "phones": ["1", "2"], "fields": fields}
    id = person(world, **who)
    before = values_of(connector.get("contacts", [id])[0])
    after = values_of(change(world, connector, id, **{field: value}))
    assert (after[field] is None) == (value is None)
    assert {k: v for k, v in after.items() if k != field} == {
        k: v for k, v in before.items() if k != field
    }


EMAILS = [
    {"value": "b@x.test", "label": "home"},
    {"value": "a@x.test", "primary": True, "label": "billing"},
    {"value": "", "label": "work"},
]


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({"email": "c@x.test"}, [("c@x.test", "billing"), ("b@x.test", "home")]),
        ({"email": "B@x.test"}, [("B@x.test", "home"), ("a@x.test", "billing")]),
        ({"email": None}, [("b@x.test", "home")]),
        ({"emails": "d@x.test\nb@x.test"},
         [("a@x.test", "billing"), ("d@x.test", "work"), ("b@x.test", "home")]),
        ({"emails": None}, [("a@x.test", "billing")]),
        ({"email": "c@x.test", "emails": "a@x.test"},
         [("c@x.test", "work"), ("a@x.test", "billing")]),
        ({"email": None, "emails": None}, []),
    ],
)  # fmt: skip
def test_emails_are_sent_whole_with_the_labels_that_they_had(
    world: PipedriveWorld, connector: Any, values: Any, left: list[tuple[str, str]]
) -> None:
    id = person(world, emails=EMAILS, phones=["1"])
    stored(write(world, connector, ContactChange(contact_id=id, values=values)))
    assert [(value, label) for value, _, label in ways(world, id, "emails")] == left
    assert [first for _, first, _ in ways(world, id, "emails")] == [
        n == 0 for n in range(len(left))
    ]
    assert [value for value, _, _ in ways(world, id, "phones")] == ["1"]


def test_a_phone_that_only_looks_different_keeps_its_label(
    world: PipedriveWorld, connector: Any
) -> None:
    phones = [{"value": "+44 20 7946 0123", "label": "mobile"}, {"value": "2", "label": "home"}]
    id = person(world, phones=phones)
    read = change(world, connector, id, phones="+442079460123\n+44 20 7946 0999")
    assert ways(world, id, "phones") == [
        ("+442079460123", True, "mobile"), ("+44 20 7946 0999", False, "work"),
    ]  # fmt: skip
    assert read.phones == decode_list("+442079460123\n+44 20 7946 0999")


def test_half_of_a_name_keeps_the_other_half(world: PipedriveWorld, connector: Any) -> None:
    id = person(world)
    assert change(world, connector, id, first_name="Mary Ann").name == "Mary Ann Lee"
    assert change(world, connector, id, last_name="Fo").name == "Mary Ann Fo"
    payload = ContactChange(contact_id=id, values={"last_name": None, "first_name": "Zed"})
    assert stored(write(world, connector, payload)).name == "Zed"


def test_only_lists_and_half_names_cost_a_read(world: PipedriveWorld, connector: Any) -> None:
    id, firm = person(world), org(world)
    connector.use(connector.reference())
    for contact, values, reads in (
        (id, {"name": "A B"}, 0),
        (id, {"first_name": "A", "last_name": "B"}, 0),
        (id, {"first_name": "A"}, 1),
        (id, {"phones": None}, 1),
        (firm, {"name": "B", "phones": "1", "email": None}, 0),
    ):
        world.mark()
        connector.prepare([action_of(ContactChange(contact_id=contact, values=values))])
        assert len(world.calls("GET")) == reads, values


def test_an_address_of_contact_sync_is_written_where_the_account_has_it() -> None:
    world = PipedriveWorld(contact_sync=True)
    try:
        world.found_fields()
        connector = world.connect(person_addresses=True)
        assert connector.check() == []
        read = change(world, connector, person(world), postal=encode_address(HOME))
        assert read.address.city == "York"
    finally:
        world.close()


def test_check_says_that_an_account_has_no_addresses_of_persons(world: PipedriveWorld) -> None:
    found = world.connect(person_addresses=True, contact_fields=OWN).check()
    assert [p.where for p in found] == ["crm.person_addresses"]


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "values", "code", "field"),
    [
        ("org", {"first_name": "A"}, "field_not_held", "first_name"),
        ("person", {"terms": "days_after_bill:1"}, "field_not_held", "terms"),
        ("org", {"name": None}, "name_unfit", "name"),
        ("person", {"first_name": None, "last_name": None}, "name_unfit", "name"),
        ("org", {"name": "x" * 256}, "contact_refused", "name"),
        ("person", {"phones": "1\n" + "2" * 256}, "contact_refused", "phones"),
        ("org", {"currency": "SEK"}, "contact_refused", "currency"),
        ("org", {"tax_number": "1" * 256}, "contact_refused", "tax_number"),
    ],
)
def test_what_cannot_be_held_is_known_before_it_is_sent(
    world: PipedriveWorld, connector: Any, contact: str, values: Any, code: str, field: str
) -> None:
    id = org(world) if contact == "org" else person(world)
    refused = connector.unfit(action_of(ContactChange(contact_id=id, values=values)))
    assert (refused.code, refused.field) == (code, field) and refused.next_step


def test_what_is_fit(world: PipedriveWorld, connector: Any) -> None:
    for id, values in (
        (org(world), {"first_name": None, "terms": None, "phones": encode_list(["1" * 99])}),
        (person(world), {"first_name": None}),
        (person(world), {"name": None, "first_name": "A"}),
    ):
        assert connector.unfit(action_of(ContactChange(contact_id=id, values=values))) is None


@pytest.mark.parametrize("kind", ["organization", "person"])
def test_without_the_field_for_our_key_nothing_is_made(kind: Any) -> None:
    world = PipedriveWorld()
    try:
        connector = world.connect()
        draft = CrmContactDraft(kind=kind, marker="NW-L1", values={"name": "A"})
        mark = MarkerChange(contact_id=f"{kind[:3]}:1".replace("per:", "person:"), marker="NW-L1")
        for payload in (draft, mark):
            refused = connector.unfit(action_of(payload))
            assert (refused.code, refused.field) == ("field_missing", f"crm.{kind}_marker")
            assert "syncjob init" in refused.next_step
        assert connector.find("crm_contact.create", ["NW-L1"], NOON) == {}
    finally:
        world.close()


def test_the_servers_own_refusals_name_the_field(world: PipedriveWorld, connector: Any) -> None:
    id = org(world)
    outcome = write(world, connector, ContactChange(contact_id=id, values={"currency": "SEK"}))
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.field) == ("contact_refused", "currency")
    assert "Billing currency" in outcome.words
    world.act("delete_org", org="Acme")
    outcome = write(world, connector, ContactChange(contact_id=id, values={"name": "B"}))
    assert (outcome.code, "restore" in outcome.next_step) == ("contact_gone", True)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("Validation failed: emails.0.value: Required", "email"),
        ("Validation failed: phones: Only one value can be primary", "phones"),
        ("Validation failed: postal_address: Invalid address", "postal"),
        ("Validation failed: name: Name is required", "name"),
        ("Something else", ""),
    ],
)
def test_refusals_in_the_vendors_words(
    world: PipedriveWorld, connector: Any, words: str, field: str
) -> None:
    body = json.dumps({"success": False, "error": words, "code": "ERR_SCHEMA_VALIDATION_FAILED"})
    world.faults.add(Fault("status", method="PATCH", status=400, body=body))
    id = person(world)
    outcome = write(world, connector, ContactChange(contact_id=id, values={"name": "B C"}))
    assert (outcome.code, outcome.field, outcome.words) == ("contact_refused", field, words)


def test_an_answer_about_another_contact_is_no_success(
    world: PipedriveWorld, connector: Any
) -> None:
    id, other = org(world), org(world, name="Other")
    (call,) = connector.prepare([action_of(ContactChange(contact_id=id, values={"name": "B"}))])
    (wrong,) = connector.prepare([action_of(ContactChange(contact_id=other, values={"name": "B"}))])
    (outcome,) = connector.outcomes(call, world.send(wrong))
    assert type(outcome).__name__ == "Unknown" and other in outcome.error


def test_an_answer_that_leaves_custom_fields_out_says_nothing_of_them(
    world: PipedriveWorld, connector: Any
) -> None:
    draft = CrmContactDraft(kind="organization", marker="NW-L1",
                            values={"name": "A", "tax_number": "7"})  # fmt: skip
    body = json.dumps({"success": True, "data": {"id": 5, "name": "A"}})
    world.faults.add(Fault("status", method="POST", status=200, body=body))
    made = stored(write(world, connector, draft))
    assert (made.id, made.marker, made.tax_number) == ("org:5", "NW-L1", "7")


def test_walked_ids_and_read_ids_are_the_same(world: PipedriveWorld, connector: Any) -> None:
    ids = {org(world), org(world, name="B")}
    assert set(ids_of(walked(connector, "organizations", Walk(since=None)))) == ids
    assert {c.id for c in connector.get("organizations", list(ids))} == ids


# --- odd answers ---------------------------------------------------------------------------------

ODD = (None, "x", 1, True, [], [1], {}, {"value": 5}, [{"value": 5}], [{"label": "x"}], "dropped")


@pytest.mark.parametrize("kind", ["organization", "person"])
def test_each_value_dropped_nulled_or_retyped_is_read_or_set_aside(
    world: PipedriveWorld, connector: Any, kind: str
) -> None:
    """Native values and the account's own fields alike: the contact is read, or
    SchemaDrift says what is odd."""
    fields = {name: "EUR" if name == "Billing currency" else "x" for name in OWN[kind].values()}
    make, plural = (org, "organizations") if kind == "organization" else (person, "persons")
    id = make(world, fields=fields)
    client, names = connector._client, connector._names()
    row = next(r for r in client.rows(plural, {}) if str(r["id"]) == id.partition(":")[2])
    own = {f"custom_fields.{code}": code for code in row["custom_fields"]}
    read = SOURCES[plural].read
    drifted = 0
    for key in (*row, *own):
        for value in ODD:
            changed = copy.deepcopy(row)
            at, name = (changed["custom_fields"], own[key]) if key in own else (changed, key)
            at[name] = value
            if value == "dropped":
                del at[name]
            try:
                assert values_of(read(changed, names))
            except SchemaDrift as error:
                drifted += 1
                assert error.what
    assert drifted > 20


@pytest.mark.parametrize("listed", [None, [], "x", [5], [{"label": "x"}], [{"value": None}]])
def test_an_odd_list_is_replaced_by_what_is_wanted_or_named(
    world: PipedriveWorld, connector: Any, listed: Any
) -> None:
    id = person(world)
    world.server.company.change("persons", int(id[7:]), {"phones": listed})
    action = action_of(ContactChange(contact_id=id, values={"phones": "1"}))
    try:
        (call,) = connector.prepare([action])
    except SchemaDrift as error:
        assert "phones is" in error.what
    else:
        assert json.loads(call.request.body) == {
            "phones": [{"value": "1", "primary": True, "label": "work"}]
        }
