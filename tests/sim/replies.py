"""Requests and answers as a vendor of bad days has them: refused elements, other orders, gaps.

What is done to a request here happens on the server's side of the wire: the program sent it all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from syncjob.sandbox.kernel import Reply, Request

#: Both vendors' words for what is wrong with a record are free text.
WORDS = "This record cannot be saved as it is."
ZERO_ID = "00000000-0000-0000-0000-000000000000"
#: A list's name in a Xero body, with the name of its elements' id and of their error flag.
_XERO = {
    "Invoices": ("InvoiceID", "HasErrors"),
    "Contacts": ("ContactID", "HasValidationErrors"),
    "CreditNotes": ("CreditNoteID", "HasErrors"),
    "RepeatingInvoices": ("RepeatingInvoiceID", "HasErrors"),
}
_FORBIDDEN = {"Type": None, "Title": "Forbidden", "Status": 403,
              "Detail": "AuthenticationUnsuccessful"}  # fmt: skip
#: Sizes of a page in a request's query, by vendor.
_SIZES = ("pageSize", "limit")

Json = dict[str, Any]


def parsed(body: bytes) -> Json:
    """A body's object; empty for any other."""
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def elements(request: Request) -> list[Any]:
    """The records of a call that can carry several; none for others."""
    body = parsed(request.body)
    if request.path.startswith("/xero"):
        return next((body[name] for name in _XERO if isinstance(body.get(name), list)), [])
    found = body.get("inputs", []) if request.path.startswith("/hubspot") else []
    return found if isinstance(found, list) else []


def smaller_pages(request: Request, most: int) -> Request:
    """The same list, asked for in small pages: a vendor may give fewer than it is asked for."""
    query = tuple(
        (name, str(min(int(value), most))) if name in _SIZES and value.isdecimal() else
        (name, value)
        for name, value in request.query
    )  # fmt: skip
    body = request.body
    if request.path.endswith("/search"):
        asked = parsed(body)
        if isinstance(asked.get("limit"), int):
            body = json.dumps({**asked, "limit": min(asked["limit"], most)}).encode()
    return replace(request, query=query, body=body)


def has_more(reply: Reply) -> bool:
    """Whether this is a page of a list, and not its last."""
    body = parsed(reply.body)
    sheet = body.get("pagination")
    if isinstance(sheet, dict):
        return int(sheet.get("page", 1)) < int(sheet.get("pageCount", 1))
    extra = body.get("additional_data")
    if isinstance(extra, dict) and extra.get("next_cursor"):
        return True
    return bool(isinstance(body.get("paging"), dict) and body["paging"].get("next"))


def barred(request: Request, fault: str) -> Reply:
    """Not let in, and not for this request only."""
    if fault == "403 for ever":
        return Reply.of_json(_FORBIDDEN, 403, "refused")
    words = {"success": False, "error": "unauthorized access", "errorCode": 401,
             "Title": "Unauthorized", "status": "error", "message": "not let in"}  # fmt: skip
    return Reply.of_json(words, 401, "refused")


def made_up(fault: str, request: Request) -> Reply | None:
    """An answer in place of the server's, which does nothing; None for other faults."""
    if fault == "null in 200":
        return Reply.of_json({"success": True, "data": None}, 200)
    if fault == "error in 200" and request.path.startswith("/pipedrive"):
        return Reply.of_json({"success": False, "error": "Internal error", "data": None}, 200)
    if fault == "whole refused":
        return refused_whole(request)
    return None


def refused_whole(request: Request) -> Reply:
    """Xero names what it refuses; HubSpot does not say which of the inputs it was."""
    if request.path.startswith("/hubspot"):
        told = {"status": "error", "category": "VALIDATION_ERROR", "message": WORDS}
        return Reply.of_json(told, 400, "refused")
    last = elements(request)[-1]
    body: Json = {"ErrorNumber": 10, "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": [_refused_element(request, last)]}  # fmt: skip
    return Reply.of_json(body, 400, "refused")


def without_last(request: Request, deliver: Callable[[Request], Reply]) -> Reply:
    """The last record is refused for itself, the others are stored, and the status is 200."""
    sent = elements(request)
    body, name = parsed(request.body), _name(request)
    kept = sent[:-1]
    if kept:
        reply = deliver(replace(request, body=json.dumps({**body, name: kept}).encode()))
        if reply.status >= 400:
            return reply
    else:
        reply = Reply.of_json({name: []} if name != "inputs" else {"results": []}, 200)
    answer = parsed(reply.body)
    if name != "inputs":
        answer[name] = [*answer.get(name, []), _refused_element(request, sent[-1])]
    else:
        answer |= {"numErrors": 1, "errors": [_told(sent[-1])]}
    return replace(reply, body=json.dumps(answer).encode())


def reordered(reply: Reply) -> Reply:
    """The same elements, the last first."""
    return _listed(reply, lambda rows: rows[::-1])


def fewer(reply: Reply) -> Reply:
    """An answer that is silent about its last element."""
    return _listed(reply, lambda rows: rows[:-1])


def silent_about_half(reply: Reply) -> Reply:
    """A batch's answer that is silent about half of what was done (facts: hubspot, 5d)."""
    return _listed(reply, lambda rows: rows[: len(rows) // 2])


def _listed(reply: Reply, change: Callable[[list[Any]], list[Any]]) -> Reply:
    body = parsed(reply.body)
    name = next((n for n in (*_XERO, "results") if isinstance(body.get(n), list)), None)
    if name is None:
        return reply
    return replace(reply, body=json.dumps({**body, name: change(body[name])}).encode())


def _name(request: Request) -> str:
    body = parsed(request.body)
    return next((name for name in _XERO if name in body), "inputs")


def _refused_element(request: Request, sent: Any) -> Json:
    id_name, flag = _XERO[_name(request)]
    echo = sent if isinstance(sent, dict) else {}
    return {**echo, id_name: echo.get(id_name) or ZERO_ID, flag: True,
            "StatusAttributeString": "ERROR", "ValidationErrors": [{"Message": WORDS}]}  # fmt: skip


def _told(sent: Any) -> Json:
    trace = sent.get("objectWriteTraceId") if isinstance(sent, dict) else None
    context = {"objectWriteTraceId": [str(trace)]} if trace is not None else {}
    key = sent.get("id") if isinstance(sent, dict) else None
    if trace is None and key is not None:
        context = {"ids": [str(key)]}
    return {"status": "error", "category": "VALIDATION_ERROR", "message": WORDS,
            "context": context}  # fmt: skip
