"""What is frozen for Xero: exact bytes from the SDK's models, nothing that it does by itself."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xero_python.api_client.serializer import serialize

from syncjob.connectors.xero import codec_read, sdk, sdk_papers
from syncjob.core.actions import (
    CreditDraft,
    InvoiceEmail,
    InvoiceUpdate,
    TemplateChange,
    TemplateDraft,
)
from syncjob.core.contacts.fields import (
    Person,
    encode_address,
    encode_list,
    encode_people,
    encode_terms,
)
from syncjob.core.records import Address, PaymentTerms
from syncjob.errors import Held

from .xero_kit import (
    ADDRESS,
    API,
    action,
    approve,
    connector,
    contact_change,
    contact_json,
    create,
    customer,
    delete,
    draft,
    fields,
    guid,
    invoice_json,
    line,
    mark,
    options,
    page,
)

TESTS = Path(__file__).parents[1]
TERMS = PaymentTerms(day=14, kind="days_after_bill")


def frozen(*actions: Any, **more: Any) -> tuple[Any, Any]:
    """The one request for these actions and its body, numbers as the text they have."""
    [prepared] = connector(**more).prepare(actions)
    return prepared.request, json.loads(prepared.request.body, parse_float=str)


def test_an_invoice_is_put_as_a_draft_with_the_contacts_id_and_nothing_computed() -> None:
    request, body = frozen(create())
    assert (request.method, urlsplit(request.url).path) == ("PUT", "/api.xro/2.0/Invoices")
    assert dict(parse_qsl(urlsplit(request.url).query)) == {
        "summarizeErrors": "false",
        "unitdp": "4",
    }
    assert body == {
        "Invoices": [
            {
                "Type": "ACCREC",
                "Contact": {"ContactID": guid(900)},
                "Status": "DRAFT",
                "LineAmountTypes": "Exclusive",
                "Date": "/Date(1795305600000)/",
                "DueDate": "/Date(1797897600000)/",
                "CurrencyCode": "AUD",
                "Reference": "PO 7 NW-1-A1",
                "Url": "https://crm.test/deal/1?syncjob=NW-1-A1",
                "LineItems": [
                    {
                        "Description": "Widget",
                        "Quantity": 2,
                        "UnitAmount": "10.1234",
                        "TaxType": "OUTPUT",
                        "AccountCode": "200",
                    }
                ],
            }
        ]
    }


def test_a_header_is_only_what_xero_needs_and_in_one_order() -> None:
    request, _ = frozen(create(), auth={"kind": "authorization_code"}, tenant_id="T-1")
    names = [name for name, _ in request.headers]
    assert names == ["Accept", "Content-Type", "Idempotency-Key", "xero-tenant-id"]
    assert dict(request.headers)["xero-tenant-id"] == "T-1"
    request, _ = frozen(create())
    assert "xero-tenant-id" not in dict(request.headers)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_a_day_is_the_same_day_on_every_machine(zone: str) -> None:
    code = (
        "from connectors.xero_kit import connector, create; import datetime as d; "
        "a=create(date=d.date(2026,3,1), due_date=d.date(2026,3,1)); "
        "print(connector().prepare([a])[0].request.body.decode())"
    )
    env = {"TZ": zone, "PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=TESTS
    )
    assert "/Date(1772323200000)/" in run.stdout, run.stderr


@pytest.mark.parametrize("currency", ["XCG", "VED", "ZWG", "EUR"])
def test_a_currency_that_the_sdk_does_not_know_is_written_all_the_same(currency: str) -> None:
    _, body = frozen(create(currency=currency))
    assert body["Invoices"][0]["CurrencyCode"] == currency


@given(
    price=st.decimals(0, Decimal("99999999999.9999"), places=4),
    quantity=st.decimals(-1000, 1000, places=4),
)
@settings(max_examples=60, deadline=None)
def test_money_leaves_exactly_as_it_is(price: Decimal, quantity: Decimal) -> None:
    [prepared] = connector().prepare([create(lines=(line(unit_price=price, quantity=quantity),))])
    body = json.loads(prepared.request.body, parse_float=Decimal, parse_int=Decimal)
    sent = body["Invoices"][0]["LineItems"][0]
    assert (sent["UnitAmount"], sent["Quantity"]) == (price, quantity)
    assert b"e-" not in prepared.request.body.lower().split(b'"url"')[0]


@given(
    st.lists(
        st.tuples(
            st.decimals("-99999999999", "99999999999", places=4),
            st.decimals("0.0001", "1e10", places=4),
            st.none() | st.decimals(0, 100, places=2),
            st.none() | st.decimals(0, "9999999", places=2),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=40, deadline=None)
def test_no_amount_is_a_float_on_its_way_out(rows: list[Any]) -> None:
    """Digits that a float of 15 or 16 could not hold are there, as they were written."""
    lines = tuple(
        line(unit_price=price, quantity=quantity, discount_percent=rate, discount_amount=off)
        for price, quantity, rate, off in rows
    )
    with floats_refused():
        [prepared] = connector().prepare([create(lines=lines)])
    body = json.loads(prepared.request.body, parse_float=Decimal, parse_int=Decimal)
    pairs = zip(body["Invoices"][0]["LineItems"], rows, strict=True)
    for sent, (price, quantity, rate, off) in pairs:
        given = {"UnitAmount": price, "Quantity": quantity, "DiscountRate": rate}
        given["DiscountAmount"] = off
        assert {k: sent.get(k) for k in given} == given


def by_the_sdk(value: Any) -> Any:
    """What the SDK's own serialiser makes of a model, less the flags that say nothing."""
    if isinstance(value, Decimal):
        return Decimal(f"{value:f}")
    if isinstance(value, dict):
        live = {k: v for k, v in value.items() if not (k in sdk._NOISE and v is False)}
        return {key: by_the_sdk(inner) for key, inner in live.items()}
    return [by_the_sdk(inner) for inner in value] if isinstance(value, list) else value


def papers(*lines: Any) -> list[list[Any]]:
    """What comes after an invoice, each kind as the actions of one call."""
    template = TemplateDraft(
        marker="NW-1-R1", contact_id=guid(3), unit="monthly", period=1, first=date(2026, 12, 1),
        last=date(2027, 12, 1), terms=TERMS, currency="XCG", line_amounts="inclusive", lines=lines,
        reference="é NW-1-R1", total=Decimal(1), branding=guid(7),
    )  # fmt: skip
    credit = CreditDraft(
        marker="NW-1-C1", invoice_id=guid(1), contact_id=guid(3), date=date(2026, 12, 1),
        currency="EUR", line_amounts="no_tax", lines=lines, reference="NW-1-C1", total=Decimal(1),
        request="all", currency_rate=Decimal("0.000001"),
    )  # fmt: skip
    gone = TemplateChange(template_id=guid(3), cancelled_by="Ann")
    return [[action(paper)] for paper in (template, credit, gone, InvoiceEmail(invoice_id=guid(1)))]


def test_a_model_becomes_the_bytes_that_the_sdk_makes_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models: list[Any] = []

    def kept(model: Any) -> bytes:
        models.append(model)
        return frozen_by_us(model)

    frozen_by_us = sdk.frozen
    for module in (sdk, sdk_papers):
        monkeypatch.setattr(module, "frozen", kept)
    words = line(description="Thank you", quantity=Decimal(0), unit_price=Decimal(0), account=None)
    rich = line(
        discount_percent=Decimal("5.50"), item="A-1", unit_price=Decimal("1E+3"),
        tracking=(("Region", "North"), ("Team", "Blue")),
    )  # fmt: skip
    full = create(
        lines=(line(), rich, words), branding=guid(5), currency="XCG",
        currency_rate=Decimal("1.2345"),
    )  # fmt: skip
    changed = contact_change(
        name="Näme", tax_number=None, phones=encode_list(["+61 2 9999", "0400"]), currency="AUD",
        terms=encode_terms(TERMS), postal=encode_address(ADDRESS), street=None,
        people=encode_people([Person(first_name="Ann", email="ann@b.example")]),
    )  # fmt: skip
    update = InvoiceUpdate(invoice_id=guid(1), draft=draft(lines=(rich, words)))
    groups = [[create(), full], [customer(), customer(2, address=ADDRESS)], [approve()], [delete()]]
    for actions in (*groups, [mark()], [action(update)], *papers(rich, words)):
        connector().prepare(actions)
    connector(page("Contacts", [contact_json(1)])).prepare([changed])
    assert len(models) == 11
    for model in models:
        wanted = msgspec.json.Encoder(decimal_format="number").encode(by_the_sdk(serialize(model)))
        assert frozen_by_us(model) == wanted


@contextmanager
def floats_refused() -> Iterator[None]:
    """Whoever makes a float of an amount within, the SDK's serialiser included, is found out."""

    def refuse(value: Any, explicit_type: Any = None) -> Any:
        raise AssertionError(f"{value!r} was to become a float")

    kept = {kind: serialize.dispatch(kind) for kind in ("float", "Decimal")}
    for kind in kept:
        serialize.register(kind, refuse)
    try:
        yield
    finally:
        for kind, function in kept.items():
            serialize.register(kind, function)


def test_a_discount_goes_out_and_no_line_amount_or_tax_amount_ever() -> None:
    lines = (
        line(discount_percent=Decimal("12.5"), item="SKU-1"),
        line(discount_amount=Decimal("3.25")),
    )
    request, body = frozen(create(lines=lines))
    first, second = body["Invoices"][0]["LineItems"]
    assert (first["DiscountRate"], first["ItemCode"]) == ("12.5", "SKU-1")
    assert second["DiscountAmount"] == "3.25"
    for name in (b'LineAmount"', b"TaxAmount", b"Total", b"HasErrors", b"HasAttachments", b"None"):
        assert name not in request.body


def test_a_number_is_sent_only_if_the_config_numbers_invoices() -> None:
    assert "InvoiceNumber" not in frozen(create())[1]["Invoices"][0]
    numbered = action(msgspec.structs.replace(draft(), number="NW-1-A1"))
    assert frozen(numbered)[1]["Invoices"][0]["InvoiceNumber"] == "NW-1-A1"


def test_approving_posts_by_id_with_its_dates_and_leaves_the_lines_alone() -> None:
    request, body = frozen(approve())
    assert request.method == "POST"
    assert body["Invoices"] == [
        {
            "InvoiceID": guid(1).upper(),
            "Status": "AUTHORISED",
            "Date": "/Date(1795305600000)/",
            "DueDate": "/Date(1797897600000)/",
        }
    ]


def test_deleting_is_a_status_and_never_the_verb() -> None:
    request, body = frozen(delete())
    assert (request.method, body["Invoices"]) == (
        "POST",
        [{"InvoiceID": guid(1), "Status": "DELETED"}],
    )


def test_a_contact_is_put_with_its_billing_address_and_our_marker() -> None:
    made = customer(
        first_name="Maria",
        last_name="Anders",
        email="maria@alfki.test",
        phone="030-0074321",
        tax_number="DE 1",
        address=ADDRESS,
    )
    request, body = frozen(made)
    assert (request.method, urlsplit(request.url).query) == ("PUT", "summarizeErrors=false")
    assert body["Contacts"] == [
        {
            "ContactNumber": "NW-O1",
            "Name": "Customer 1",
            "FirstName": "Maria",
            "LastName": "Anders",
            "EmailAddress": "maria@alfki.test",
            "TaxNumber": "DE 1",
            "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "030-0074321"}],
            "Addresses": [
                {
                    "AddressType": "POBOX",
                    "AddressLine1": "Obere Str. 57",
                    "City": "Berlin",
                    "PostalCode": "12209",
                    "Country": "Germany",
                }
            ],
        }
    ]


def test_a_country_that_xeros_field_refuses_is_printed_as_a_line() -> None:
    _, body = frozen(customer(address=Address(lines=("Rue 1",), country="Côte d'Ivoire")))
    [address] = body["Contacts"][0]["Addresses"]
    assert "Country" not in address
    assert (address["AddressLine1"], address["AddressLine2"]) == ("Rue 1", "Côte d'Ivoire")


def test_an_address_that_is_only_a_text_loses_no_street_and_says_nothing_twice() -> None:
    text = "12 Orchestra Terrace, Walla Walla, 99362, USA"
    given = Address(text=text, city="Walla Walla", postal_code="99362", region="WA", country="USA")
    _, body = frozen(customer(address=given))
    [address] = body["Contacts"][0]["Addresses"]
    assert address == {"AddressType": "POBOX", "AddressLine1": text, "Region": "WA"}
    many = Address(lines=("a", "b", "c", "d", "e"))
    [address] = frozen(customer(address=many))[1]["Contacts"][0]["Addresses"]
    assert (address["AddressLine3"], address["AddressLine4"]) == ("c", "d, e")


def test_a_marker_is_set_with_the_id_and_nothing_else() -> None:
    request, body = frozen(mark())
    assert request.method == "POST"
    assert body == {"Contacts": [{"ContactID": guid(1), "ContactNumber": "NW-O1"}]}


def test_text_is_kept_as_text_with_emoji_and_without_control_characters() -> None:
    _, body = frozen(customer(name=" Ünï \x00😀\tco "), customer(2))
    assert body["Contacts"][0]["Name"] == "Ünï 😀 co"
    _, body = frozen(create(lines=(line(description="a\r\nb\x07"),)))
    assert body["Invoices"][0]["LineItems"][0]["Description"] == "a\nb"


def test_calls_hold_at_most_50_of_one_kind_and_each_action_once() -> None:
    actions = [create(n) for n in range(1, 121)] + [customer(n) for n in range(1, 52)]
    prepared = connector().prepare(actions)
    assert [len(p.actions) for p in prepared] == [50, 50, 20, 50, 1]
    assert [a for p in prepared for a in p.actions] == actions


def test_a_call_that_is_too_large_is_split() -> None:
    long = tuple(line(description="x" * 4000) for _ in range(50))
    prepared = connector().prepare([create(n, lines=long) for n in range(1, 21)])
    assert len(prepared) > 1
    assert all(len(p.request.body) <= 3_000_000 for p in prepared)
    assert sum(len(p.actions) for p in prepared) == 20


def test_the_same_group_never_gets_the_same_key_twice_and_other_books_get_another() -> None:
    made = connector()
    first, second = made.prepare([create()])[0], made.prepare([create()])[0]
    other = connector(tenant_id="T-2").prepare([create()])[0]
    keys = [p.idempotency_key for p in (first, second, other)]
    assert len(set(keys)) == 3
    assert all(key and len(key) <= 128 for key in keys)
    assert dict(first.request.headers)["Idempotency-Key"] == first.idempotency_key
    again = connector().prepare([create()])[0]
    assert again.request == first.request, "same engine seed, same bytes"


@pytest.mark.parametrize(
    ("unfit", "field", "words"),
    [
        (customer(name="N" * 300), "name", "255 characters"),
        (customer(name="  "), "name", "needs a Name"),
        (customer(email="jürgen@müller.test"), "email", "not an e-mail address"),
        (customer(email="a@b.test, c@d.test"), "email", "not an e-mail address"),
        (customer(phone="1" * 51), "phone", "50 characters"),
        (customer(address=Address(lines=("l" * 501,))), "postal line1", "500 characters"),
        (create(reference="r" * 256), "reference", "255 characters"),
        (create(url="javascript:x"), "url", "absolute link"),
        (create(contact_id=None), "contact_id", "needs a Contact.ContactID"),
        (create(currency="EURO"), "currency", "3 characters"),
        (create(lines=(line(unit_price=Decimal("1E11")),)), "line 1 unit_price", "below"),
        (create(lines=(line(unit_price=Decimal("NaN")),)), "line 1 unit_price", "below"),
        (create(lines=(line(), line(quantity=Decimal("0.00001")))), "line 2 quantity", "4 dec"),
        (create(lines=(line(discount_percent=Decimal("33.333")),)), "line 1 discount_p", "2 dec"),
        (create(lines=(line(account="12345678901"),)), "line 1 account", "10 characters"),
    ],
)
def test_what_xero_cannot_keep_is_refused_by_field_and_never_sent(
    unfit: Any, field: str, words: str
) -> None:
    made = connector()
    refusal = made.unfit(unfit)
    assert refusal is not None
    assert refusal.field.startswith(field)
    assert words in refusal.words
    assert refusal.next_step
    with pytest.raises(Held) as held:
        made.prepare([create(9), unfit])
    assert (held.value.field, held.value.where) == (refusal.field, unfit.subject)


@pytest.mark.parametrize("fit", [create(), customer(address=ADDRESS), mark(), approve(), delete()])
def test_what_xero_can_keep_is_fit(fit: Any) -> None:
    assert connector().unfit(fit) is None


def test_every_limit_of_the_sdk_is_ours_too() -> None:
    """No value that `unfit` passes may make the SDK's own setters raise."""
    from syncjob.connectors.xero.fields import CONTACT_FIELDS

    for field in CONTACT_FIELDS:
        if "." in field.path or field.kind == "email":
            continue
        made = customer(**{field.path: "x" * field.length})
        assert connector().unfit(made) is None
        assert connector().prepare([made])
    many = Address(lines=("a" * 500,) * 4, city="c" * 255, region="r" * 255, country="C" * 50)
    assert connector().prepare([customer(address=many)])
    assert connector().prepare([create(reference="r" * 255)])


def test_reading_does_not_load_the_sdk() -> None:
    code = (
        "import sys\n"
        "from connectors.xero_kit import connector, page, invoice_json\n"
        "from syncjob.connectors.base import Walk\n"
        "from syncjob.connectors.registry import register_all\n"
        "register_all()\n"
        "made = connector(page('Invoices', [invoice_json()]))\n"
        "assert list(made.changes('invoices', Walk(since=None)))[0].records\n"
        "print([m for m in sys.modules if m.startswith('xero_python')])\n"
    )
    env = {"PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=TESTS
    )
    assert run.stdout.strip() == "[]", run.stderr


def test_two_organisations_in_one_process_never_meet() -> None:
    """The SDK's Configuration is one for all clients by its metaclass; ours are each their own."""
    from syncjob.connectors.xero.sdk import Writer

    writers = {name: Writer(f"https://{name}.test", name) for name in ("a", "b")}
    wrong: list[str] = []

    def write(name: str) -> None:
        for _ in range(100):
            request = writers[name].create_invoices([draft()], "key")
            if name != dict(request.headers)["xero-tenant-id"] or f"//{name}." not in request.url:
                wrong.append(name)

    threads = [threading.Thread(target=write, args=(name,)) for name in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    configurations = {id(w._api.api_client.configuration.oauth2_token) for w in writers.values()}
    assert (wrong, len(configurations)) == ([], 2)


def test_the_sdk_opens_no_connection_and_sends_no_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import urllib3

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the SDK must not send")

    monkeypatch.setattr(urllib3.PoolManager, "request", never)
    monkeypatch.setattr(urllib3.PoolManager, "urlopen", never)
    request, _ = frozen(create())
    lower = {name.lower() for name, _ in request.headers}
    assert not lower & {"authorization", "user-agent"}


# --- the base after a settle


def test_stored_and_current_agree_on_what_xero_echoes() -> None:
    made, pages = connector(), codec_read.Pages("!x")
    wanted = create(reference="  PO 7 NW-1-A1 ", lines=(line(quantity=Decimal("2.0000")),))
    record = codec_read.invoice(fields(invoice_json()), pages)
    assert made.stored_form(wanted).items() <= made.current_form(wanted, record).items()
    sent = customer(email="a@b.test", address=ADDRESS, phone="1")
    held = contact_json(
        EmailAddress="a@b.test ",
        Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "1", "PhoneAreaCode": ""}],
        Addresses=[
            {"AddressType": "STREET", "City": ""},
            {
                "AddressType": "POBOX",
                "AddressLine1": "Obere Str. 57",
                "City": "Berlin",
                "Region": "",
                "PostalCode": "12209",
                "Country": "Germany",
            },
        ],
    )
    contact = codec_read.contact(fields(held), pages)
    assert made.stored_form(sent) == made.current_form(sent, contact)
    assert made.stored_form(mark()) == made.current_form(mark(), contact)


def test_a_persons_edit_shows_in_the_form_and_what_we_left_open_does_not() -> None:
    made, pages = connector(), codec_read.Pages(None)
    wanted = create(lines=(line(tax_code=None),))
    record = codec_read.invoice(fields(invoice_json()), pages)
    assert made.stored_form(wanted).items() <= made.current_form(wanted, record).items()
    edited = codec_read.invoice(fields(invoice_json(Reference="mine", Status="SUBMITTED")), pages)
    stored, current = made.stored_form(wanted), made.current_form(wanted, edited)
    differing = {key for key in stored if stored[key] != current[key]}
    assert differing == {"reference", "status"}
    themed = made.current_form(wanted, msgspec.structs.replace(record, branding="t2"))
    assert themed["branding"] == "t2", "the theme is Xero's to fill, and a person's to change"
    [one] = record.lines or ()
    tracked = msgspec.structs.replace(one, tracking=(("Region", "North"),))
    moved = made.current_form(wanted, msgspec.structs.replace(record, lines=(tracked,)))
    assert moved["line1"] != stored["line1"]
    paid = codec_read.invoice(fields(invoice_json(Status="PAID")), pages)
    assert made.current_form(approve(), paid) == made.stored_form(approve())
    assert made.stored_form(approve())["due_date"] == date(2026, 12, 22).isoformat()


def test_the_options_refuse_what_would_fail_later() -> None:
    with pytest.raises(ValueError, match="client_secret"):
        options(auth={"client_secret": None})
    with pytest.raises(ValueError, match="https://"):
        options(identity_url="http://identity.example.com")
    assert options(auth={"kind": "authorization_code", "client_secret": None}).token_key
    assert options().api_url == API
