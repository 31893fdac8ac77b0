"""HubSpot's properties: names, types and values, to the wire and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.connectors.base import FieldWish
from syncjob.connectors.hubspot import fields, properties
from syncjob.core.rules.settlement import STATE_WORDS
from syncjob.errors import SchemaDrift
from tests.connectors.hubspot_names import NAMES, STATUS, a_field

KNOWN = NAMES.deal_fields


@pytest.mark.parametrize(
    ("name", "text", "wire", "back"),
    [
        ("Invoice status", "paid", "paid", "paid"),
        ("Invoice status", "Awaiting Payment", "awaiting_payment", "awaiting payment"),
        ("Invoice number", " INV-1 ", "INV-1", "INV-1"),
        ("Due", "1200.50", "1200.5", "1200.5"),
        ("Due", "1E+3", "1000", "1000"),
        ("Due", "0.00", "0", "0"),
        ("Due date", "2026-02-28", "2026-02-28", "2026-02-28"),
        ("Synced", "2026-11-22 18:07 UTC", "2026-11-22T18:07:00Z", "2026-11-22 18:07 UTC"),
        ("Muted", "yes", "true", "yes"),
        ("Muted", "No", "false", "no"),
        ("Tags", "Red, Blue", "r;b", "Red, Blue"),
        ("Invoice number", None, "", None),
        ("Due", " ", "", None),
    ],
)
def test_a_value_goes_as_the_type_wants_it_and_comes_back_as_it_was_meant(name, text, wire, back):
    field = KNOWN[name]
    assert fields.misfit(field, text) is None
    assert fields.to_wire(field, text) == wire
    assert fields.normal(field, text) == fields.as_text(field, wire) == back


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Invoice status", "lost", 'has no option "lost"'),
        ("Tags", "Red, Green", 'has no option "Green"'),
        ("Due", "1,200.50", "holds numbers"),
        ("Due", "NaN", "holds numbers"),
        ("Due date", "tomorrow", "holds a date"),
        ("Muted", "perhaps", "yes or no"),
        ("Invoice number", "x" * 65_537, "65536 characters"),
    ],
)
def test_what_does_not_fit_is_said_before_it_is_sent(name, text, words):
    assert words in (fields.misfit(KNOWN[name], text) or "")


def test_an_option_of_today_that_our_copy_lacks_is_left_to_the_server():
    assert fields.to_wire(STATUS, "held") == "held"
    assert fields.as_text(STATUS, "held") == "held"


@pytest.mark.parametrize(
    ("kind", "wire", "text"),
    [
        ("number", "10.50", "10.5"),
        ("number", "1e3", "1000"),
        ("date", "1772236800000", "2026-02-28"),
        ("datetime", "2026-11-22T18:07:30.123Z", "2026-11-22 18:07 UTC"),
        ("datetime", "1795370850000", "2026-11-22 18:07 UTC"),
        ("bool", "TRUE", "yes"),
        ("string", "", None),
        ("string", None, None),
        ("date", "some day", "some day"),
    ],
)
def test_odd_but_known_forms_are_read(kind, wire, text):
    assert fields.as_text(a_field("X", kind), wire) == text


@pytest.mark.parametrize("value", [1, 1.5, True, ["a"], {"a": 1}])
def test_a_value_that_is_no_text_is_drift(value):
    with pytest.raises(SchemaDrift, match="X"):
        fields.as_text(a_field("X"), value)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4
    )
)
def test_numbers_keep_their_value(amount):
    field = a_field("X", "number")
    wire = fields.to_wire(field, str(amount))
    assert "E" not in wire.upper() and "," not in wire
    assert fields.as_text(field, wire) == fields.normal(field, str(amount)) == wire


# --- which property a name means ------------------------------------------------------------------


def test_a_name_is_a_label_first_and_the_accounts_own_before_hubspots():
    own = a_field("Amount")
    theirs = fields.to_field("deal", {"name": "amount", "label": "Amount", "type": "number",
                                      "hubspotDefined": True})  # fmt: skip
    assert theirs.fixed and not own.fixed
    assert fields.only([theirs, own], "deal", "Amount") == own
    assert fields.only([theirs], "deal", "Amount") == theirs
    assert fields.only([theirs, own], "deal", "amount") == theirs
    assert fields.only([own, own], "deal", "Amount") is None
    assert fields.only([own], "person", "Amount") is None


def test_closed_and_calculated_properties_are_fixed():
    meta = {"modificationMetadata": {"readOnlyValue": True}}
    assert a_field("X", **meta).fixed and a_field("X", calculated=True).fixed
    assert a_field("X", hasUniqueValue=True).unique


@pytest.mark.parametrize("item", [None, {}, {"label": "x"}, "x"])
def test_a_property_without_a_name_is_drift(item):
    with pytest.raises(SchemaDrift):
        fields.to_field("deal", item)


# --- new properties -------------------------------------------------------------------------------


def wish(name: str = "Invoice status", kind="choice", **more) -> FieldWish:
    return FieldWish(entity=more.pop("entity", "deal"), name=name, kind=kind, **more)


def test_a_wish_becomes_a_group_once_and_a_property_that_can_be_reported_on():
    (group, made) = properties.create(wish(options=STATE_WORDS, purpose="where it stands"), ())
    assert group == ("deals/groups", {"name": "syncjob", "label": "syncjob", "displayOrder": -1})
    path, body = made
    assert path == "deals" and body["groupName"] == "syncjob"
    assert (body["type"], body["fieldType"]) == ("enumeration", "select")
    assert [o["label"] for o in body["options"]] == list(STATE_WORDS)
    assert len({o["value"] for o in body["options"]}) == len(STATE_WORDS)
    (only,) = properties.create(wish("Due", "money"), {"syncjob", "dealinformation"})
    assert only[1]["type"] == "number" and only[1]["numberDisplayHint"] == "formatted"
    assert "showCurrencySymbol" not in only[1]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (wish("A", "text"), ("string", "text")),
        (wish("A", "text", long=True), ("string", "textarea")),
        (wish("A", "date"), ("date", "date")),
        (wish("A", "datetime"), ("datetime", "date")),
        (wish("A", "number"), ("number", "number")),
    ],
)
def test_each_kind_has_its_type(made, kind):
    body = properties.body(made)
    assert (body["type"], body["fieldType"]) == kind and "hasUniqueValue" not in body


def test_the_marker_is_unique_and_on_the_right_object():
    ((_, _), (path, body)) = properties.create(
        wish("syncjob key", "text", entity="organization", unique=True), ()
    )
    assert path == "companies" and body["hasUniqueValue"] is True
    assert body["name"] == "syncjob_key"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Invoice status", "syncjob_invoice_status"),
        ("invoice_status", "syncjob_invoice_status"),
        ("syncjob key", "syncjob_key"),
        ("  Paid   on ", "syncjob_paid_on"),
    ],
)
def test_internal_names_follow_from_labels(label, name):
    assert properties.internal_name(label) == name


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_internal_names_are_valid_and_differ_where_labels_do(one, other):
    made = properties.internal_name(one)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,99}", made), made
    assert made == properties.internal_name(one)

    def said(text: str) -> str:
        return " ".join(text.casefold().replace("_", " ").split())

    if said(one) != said(other):
        assert made != properties.internal_name(other)
