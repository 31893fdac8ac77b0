"""Whatever is sent, the sandbox Xero answers; and several clients at once get what one would."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock
from syncjob.sandbox.xero import Options, XeroServer

from .xero_support import World, invoice, line

FULL = {
    "Invoices": [
        invoice(
            line(9.99, 2, DiscountRate=5, TaxType="OUTPUT", LineItemID=None, Tracking=[]),
            InvoiceNumber="N",
            Reference="R",
            Url="http://localhost/",
            CurrencyCode="EUR",
            CurrencyRate=0.5,
            Status="AUTHORISED",
            LineAmountTypes="Inclusive",
            SentToContact=False,
            ExpectedPaymentDate="2026-05-01",
            InvoiceID="7ef31b20-de17-4312-8382-412f869b1510",
            Contact={"Name": "Acme", "EmailAddress": "a@b.cc", "Phones": [], "Addresses": [{}]},
        )
    ]
}
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["/Date(99999999999999999999)/", "/Date(1)/", "0001-01-01", "x" * 5000])
)
values = st.recursive(scalars, lambda x: st.lists(x, max_size=2) | st.dictionaries(st.text(), x))


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at]
    pairs = list(value.items()) if isinstance(value, dict) else []
    pairs += list(enumerate(value)) if isinstance(value, list) else []
    for key, inner in pairs:
        found += paths(inner, (*at, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    twin = copy.deepcopy(value)
    at = twin
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return twin


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(paths(FULL)), values, st.sampled_from(["PUT", "POST"]), st.booleans())
def test_any_body_is_answered(path: tuple[Any, ...], new: Any, method: str, apart: bool) -> None:
    world = World()
    body = replaced(FULL, path, new)
    reply = world.call(method, "Invoices", body, summarizeErrors=str(not apart).lower())
    assert reply.status in (200, 400)
    if reply.status == 400:
        assert not list(world.xero.organisation.invoices)
    json.loads(reply.body)
    world.get("Invoices", page=1)
    world.xero.dump()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='Staus="DR&|()<>,.09 ADECtnix!', max_size=40))
def test_any_where_is_answered(text: str) -> None:
    assert world_of_reads.call("GET", "Invoices", where=text).status in (200, 400)


world_of_reads = World()
world_of_reads.invoice()


def test_five_clients_at_once() -> None:
    clock = Clock()
    with Sandbox([XeroServer(clock, options=Options(lag_max_s=0))], clock) as sandbox:
        url = sandbox.base_url + "/xero/"
        form = {"grant_type": "client_credentials"}
        auth = ("sandbox-custom", "sandbox-secret")
        answer = requests.post(url + "identity/connect/token", data=form, auth=auth, timeout=5)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

        def create(n: int) -> Any:
            body = {"Invoices": [invoice(Contact={"Name": f"C{n % 3}"}) for _ in range(4)]}
            place = url + "api.xro/2.0/Invoices"
            return requests.put(place, json=body, headers=headers, timeout=5).json()["Invoices"]

        with ThreadPoolExecutor(5) as pool:
            rows = [row for part in pool.map(create, range(10)) for row in part]
        truth = requests.get(sandbox.base_url + "/control/state/xero", timeout=5).json()
    assert len({r["InvoiceNumber"] for r in rows}) == 40
    assert len(truth["organisations"][0]["contacts"]) == 3
