"""The official SDK makes the bytes of a write and sends nothing: its models, its endpoints.

Its REST client is replaced by one that gives back the request that it was asked to send, which
transport then sends as journaled. What the SDK would do wrong on its own is closed here (facts:
xero, 2 and 6): the Configuration shared by all clients, its hidden retries of PUT, its missing
time-outs, its token handling, floats for money, an enum that lacks currencies, booleans as True.
Only this module imports xero_python, and only when something is written: reading needs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

import msgspec
from xero_python.accounting import AccountingApi
from xero_python.accounting.models import (
    Contact,
    CurrencyCode,
    Invoices,
    LineAmountTypes,
    LineItemTracking,
)
from xero_python.accounting.models import Invoice as SdkInvoice
from xero_python.accounting.models import LineItem as SdkLineItem
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.api_client.serializer import serialize
from xero_python.models import BaseModel

from syncjob.connectors.xero.codec_write import description
from syncjob.connectors.xero.fields import one_line
from syncjob.core.actions import InvoiceChange, InvoiceDraft, InvoiceUpdate
from syncjob.core.records import InvoiceLine, LineAmounts
from syncjob.core.rules.arithmetic import is_text
from syncjob.transport.wire import Request

LINE_AMOUNTS: dict[LineAmounts, Any] = {
    "exclusive": LineAmountTypes.EXCLUSIVE,
    "inclusive": LineAmountTypes.INCLUSIVE,
    "no_tax": LineAmountTypes.NOTAX,
}
#: Headers that are transport's to set.
_NOT_OURS = frozenset({"authorization", "user-agent"})
#: Flags that the SDK's models always carry, and that say nothing of a record to be written.
_NOISE = frozenset(
    {"HasAttachments", "HasErrors", "HasValidationErrors", "ApprovedForSending", "SendCopy"}
    | {"MarkAsSent", "IncludePDF"}
)
#: Query values as texts: the SDK writes a bool as "False", which Xero need not understand.
FOUR_DECIMALS = "4"
_NO_SUMMARY = "false"

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def exactly(model: Any) -> Any:
    """The SDK's model with its amounts left as the Decimals that they are.

    The SDK's serialiser turns whatever it believes to be a float into one, and lets an "int" pass
    as it is; the class keeps its name, by which the SDK tells it.
    """
    kinds = {name: "int" if kind == "float" else kind for name, kind in model.openapi_types.items()}
    return type(model.__name__, (model,), {"openapi_types": kinds})


Invoice = exactly(SdkInvoice)
LineItem = exactly(SdkLineItem)


class _Recorder:
    """Stands in for the SDK's REST client: each verb returns the request it was to send."""

    def PUT(self, url: str, **call: Any) -> Request:
        return _freeze("PUT", url, **call)

    def POST(self, url: str, **call: Any) -> Request:
        return _freeze("POST", url, **call)


def _freeze(
    method: str,
    url: str,
    *,
    query_params: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
    **_rest: Any,
) -> Request:
    """The request with headers in one order; an empty header is left out."""
    kept = {n: v for n, v in headers.items() if v and n.lower() not in _NOT_OURS}
    return Request(
        method=method,
        url=f"{url}?{urlencode(query_params)}" if query_params else url,
        headers=tuple(sorted(kept.items())),
        body=body,
    )


def frozen(body: BaseModel) -> bytes:
    """The model as the bytes that are sent; the SDK, which would turn it into a dict, passes bytes
    on as they are."""
    return _ENCODER.encode(_wire(body))


def _wire(value: Any, kind: str = "") -> Any:
    """What the SDK's serialiser makes of this value of the SDK's type `kind`, without noise, its
    amounts without exponents. The walk through the models is ours: the SDK asks for the type of
    each value by patterns on its name, at ten times the cost."""
    if isinstance(value, BaseModel):
        kept = vars(value)
        return {
            key: _wire(held, of)
            for attribute, key, of in _shape(value.__class__)
            if (held := kept[attribute]) is not None and not (held is False and key in _NOISE)
        }
    if isinstance(value, list):
        return [_wire(inner) for inner in value]
    if isinstance(value, Decimal) and kind == "int":
        return Decimal(f"{value:f}")
    if isinstance(value, str | bool | int) and kind in ("", "str", "bool", "int"):
        return value
    made = (_known if type(value) is date or isinstance(value, Enum) else _by_sdk)(value, kind)
    assert not isinstance(made, float), f"the SDK made a float of {value}"
    return made


@cache
def _shape(model: type[BaseModel]) -> tuple[tuple[str, str, str], ...]:
    """Of each field of a model: where it is kept, its name on the wire, and its type."""
    kinds = model.openapi_types.items()
    return tuple((f"_{name}", model.attribute_map[name], kind) for name, kind in kinds)


def _by_sdk(value: Any, kind: str) -> Any:
    return serialize(value, kind) if kind else serialize(value)


#: A call's invoices have few days and few words.
_known = lru_cache(maxsize=64)(_by_sdk)


class Writer:
    """The writes of invoices, each as a frozen request; other records extend it."""

    def __init__(self, api_url: str, tenant_id: str | None) -> None:
        # type.__call__ goes round the metaclass that hands every client the first one's settings.
        settings = type.__call__(Configuration, oauth2_token=OAuth2Token())
        client = ApiClient(settings)
        client.rest_client = _Recorder()
        client.update_params_for_auth = _no_credentials
        self._api = AccountingApi(client, base_url=api_url)
        #: A custom connection opens one organisation and names none (facts: xero, 2).
        self._tenant = tenant_id or ""

    def create_invoices(self, drafts: Sequence[InvoiceDraft], key: str) -> Request:
        """PUT: POST with a number that exists would change that invoice (facts: xero, 3)."""
        made = [_invoice(draft) for draft in drafts]
        return self._send(
            self._api.create_invoices, Invoices(invoices=made), key, unitdp=FOUR_DECIMALS
        )

    def update_invoices(self, updates: Sequence[InvoiceUpdate], key: str) -> Request:
        """POST by InvoiceID: all content anew, lines without ids, so that Xero replaces them; with
        the status DRAFT, which Xero refuses for what a person has approved meanwhile."""
        changed = [_invoice(update.draft, update.invoice_id) for update in updates]
        return self._send(
            self._api.update_or_create_invoices,
            Invoices(invoices=changed),
            key,
            unitdp=FOUR_DECIMALS,
        )

    def change_invoices(self, changes: Sequence[InvoiceChange], key: str) -> Request:
        """POST by InvoiceID: status, and the dates if given; lines stay as they are."""
        changed = [_change(change) for change in changes]
        return self._send(
            self._api.update_or_create_invoices,
            Invoices(invoices=changed),
            key,
            unitdp=FOUR_DECIMALS,
        )

    def _send(self, method: Any, body: Any, key: str, **more: str) -> Request:
        request = method(
            self._tenant,
            frozen(body),
            summarize_errors=_NO_SUMMARY,
            idempotency_key=key,
            _preload_content=False,
            **more,
        )
        assert isinstance(request, Request)
        return request


def _no_credentials(*_args: Any) -> None:
    """The SDK adds no token: transport does, as it sends."""


def _invoice(draft: InvoiceDraft, invoice_id: str | None = None) -> Any:
    """`invoice_id`: of the draft that is to be this now; its number stays."""
    number = None if invoice_id else draft.number
    return Invoice(
        invoice_id=invoice_id,
        type="ACCREC",
        # The id only: a name sent beside it would rename the contact (facts: xero, 3).
        contact=Contact(contact_id=draft.contact_id),
        status="DRAFT",
        line_amount_types=LINE_AMOUNTS[draft.line_amounts],
        date=draft.date,
        due_date=draft.due_date,
        currency_code=currency_code(draft.currency),
        reference=one_line(draft.reference) or None,
        url=draft.url or None,
        invoice_number=one_line(number) if number else None,
        branding_theme_id=draft.branding,
        currency_rate=draft.currency_rate,
        line_items=[line_item(line) for line in draft.lines],
    )


def line_item(line: InvoiceLine) -> Any:
    """Quantity, price and discount; never TaxAmount or LineAmount, which are Xero's to compute.
    A line of words has its description alone."""
    if is_text(line):
        return LineItem(description=description(line))
    return LineItem(
        description=description(line),
        quantity=line.quantity,
        unit_amount=line.unit_price,
        discount_rate=line.discount_percent,
        discount_amount=line.discount_amount,
        tax_type=line.tax_code,
        account_code=line.account,
        item_code=line.item,
        tracking=[LineItemTracking(name=n, option=o) for n, o in line.tracking] or None,
    )


def _change(change: InvoiceChange) -> Any:
    return Invoice(
        invoice_id=change.invoice_id,
        status="AUTHORISED" if change.status == "authorised" else "DELETED",
        date=change.date,
        due_date=change.due_date,
    )


def currency_code(code: str) -> Any:
    """The SDK's enum, or one of the same name for a currency that it lacks (XCG, VED, ZWG)."""
    wanted = code.strip().upper()
    if wanted in CurrencyCode.__members__:
        return CurrencyCode[wanted]
    lacking: Any = Enum("CurrencyCode", {wanted: wanted})  # type: ignore[misc]
    return lacking[wanted]
