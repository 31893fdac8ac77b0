"""HubSpot's dated API on one channel: paths, reads with their errors, writes only formed.

Searches and reads by id are POSTs that only ask (`READS`); transport reads those and nothing
else. The version stands in every path. This module never holds a credential.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from syncjob.connectors.hubspot import refusals
from syncjob.connectors.hubspot.fields import Item
from syncjob.connectors.hubspot.limits import SEARCH_COST
from syncjob.errors import AuthFailed, SchemaDrift, Throttled
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Channel, Request

#: The ends of the paths to which a POST only asks.
READS = ("/search", "/batch/read")

_JSON = (("Accept", "application/json"),)
_WRITE = (*_JSON, ("Content-Type", "application/json"))
_ENCODER = msgspec.json.Encoder(decimal_format="number")
#: Areas of the API whose version does not follow `crm/`.
_AREAS = {"tax-rates": "tax-rates", "account-info": "account-info"}


class Refused(SchemaDrift):
    """A read that HubSpot refuses; `status` and `body` are the answer's."""

    def __init__(self, status: int, words: str, where: str, body: Any = None) -> None:
        super().__init__(
            f"HubSpot refuses to be read ({status}): {words}.",
            where=where,
            next_step="The next run tries again; report it if it stays.",
        )
        self.status, self.body = status, body


class Hidden(AuthFailed):
    """HubSpot does not show this to the key or app (403); `scopes` are those that it names."""

    def __init__(self, what: str, *, where: str, scopes: tuple[str, ...]) -> None:
        named = ", ".join(scopes)
        super().__init__(
            what,
            where=where,
            next_step=f"Tick {named} for the service key or app in HubSpot."
            if named
            else "Tick the scopes that docs/hubspot.md names for the service key or app.",
        )
        self.scopes = scopes


class Client:
    """Forms requests and reads answers. `answer` is the last answer that was read."""

    def __init__(self, api_url: str, version: str, channel: Channel) -> None:
        self._root, self._version, self._channel = api_url.rstrip("/"), version, channel
        self.answer: Answer | None = None

    def path(self, area: str, rest: str) -> str:
        """Where ("objects", "deals/search") is: .../crm/objects/2026-09/deals/search."""
        family = _AREAS.get(area, f"crm/{area}")
        return f"{self._root}/{family}/{self._version}/{rest}".rstrip("/")

    def get(self, area: str, rest: str, params: dict[str, Any] | None = None) -> Item:
        """The body of a GET. Raises Refused, Hidden, SchemaDrift and what the channel raises."""
        query = urlencode(params or {}, safe=",:")
        url = self.path(area, rest) + (f"?{query}" if query else "")
        return self._read(Request(method="GET", url=url, headers=_JSON, cost=0))

    def ask(self, area: str, rest: str, body: Item) -> Item:
        """The body of a POST that only asks; its `errors` are the caller's to read."""
        cost = SEARCH_COST if rest.endswith("/search") else 0
        url = self.path(area, rest)
        asked = Request(
            method="POST", url=url, headers=_WRITE, body=_ENCODER.encode(body), cost=cost
        )
        return self._read(asked)

    def form(self, rest: str, body: Item) -> Request:
        """A POST to the objects, frozen; nothing is sent."""
        return self.form_at("objects", rest, body)

    def form_at(self, area: str, rest: str, body: Item) -> Request:
        """A POST to an area, frozen; nothing is sent."""
        url = self.path(area, rest)
        return Request(method="POST", url=url, headers=_WRITE, body=_ENCODER.encode(body), cost=0)

    def server_time(self) -> datetime:
        """The Date of the last answer. Raises SchemaDrift if it bears none."""
        if self.answer is None or self.answer.server_time is None:
            raise SchemaDrift(
                "HubSpot's answer bears no Date, so no cursor can be kept.",
                next_step="If a proxy stands between, let it pass the Date header.",
            )
        return self.answer.server_time

    def _read(self, request: Request) -> Item:
        self.answer = self._channel.read(request)
        return _parsed(self.answer)


def _parsed(answer: Answer) -> Item:
    """The body of a good answer. Raises for every other, a firewall's page included."""
    if answer.status == 403 and not is_json(answer):
        raise Throttled(
            f"HubSpot's firewall refuses us (403): {excerpt(answer.body)!r}.",
            where=answer.url,
            next_step="It does so after too many calls; the next run tries again.",
        )
    body = answer.json()
    if answer.status >= 300:
        raise _refused(answer, body)
    if not isinstance(body, dict):
        raise SchemaDrift(
            f"HubSpot answered {answer.status} with no object: {excerpt(answer.body)!r}.",
            where=answer.url,
            next_step="It is read again by the next run.",
        )
    return body


def _refused(answer: Answer, body: Any) -> Exception:
    refusal = refusals.read(body, answer.status)
    if answer.status == 403:
        what = f"HubSpot does not show this to the key or app (403): {refusal.words}."
        return Hidden(what, where=answer.url, scopes=refusal.scopes)
    return Refused(answer.status, refusal.words.rstrip("."), answer.url, body)


def is_json(answer: Answer) -> bool:
    """Whether the answer says that it is JSON, or at least looks like it."""
    kind = answer.headers.get("content-type", "")
    return "json" in kind or (not kind and answer.body.lstrip()[:1] in (b"{", b"["))


def rows(body: Item) -> list[Item]:
    """The `results` of a list, each an object. Raises SchemaDrift."""
    found = body.get("results")
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise SchemaDrift(
            "HubSpot answered a read without results.",
            next_step="It is read again by the next run.",
        )
    return found


def after(body: Item) -> str | None:
    """The next page's place in a list; None after the last page. Raises SchemaDrift."""
    paging = body.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    place = following.get("after") if isinstance(following, dict) else None
    if place is not None and not isinstance(place, str | int):
        raise SchemaDrift(f"HubSpot's paging.next.after is no text but {type(place).__name__}.")
    return str(place) if place not in (None, "") else None
