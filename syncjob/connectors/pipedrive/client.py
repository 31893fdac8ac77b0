"""Pipedrive's v2 on one channel: what is read, and the requests that are formed to write.

What is written is formed by the vendor's library (connectors/pipedrive/library.py), which is loaded
with the first write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from syncjob.connectors.pipedrive.endpoints import V2, token_cost, version_root
from syncjob.errors import AuthFailed, SchemaDrift, Throttled
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Channel, Request

if TYPE_CHECKING:
    from syncjob.connectors.pipedrive.library import Library

#: The most that v2 gives on one page.
PAGE_SIZE = 500
#: A walk that needs more pages than this is a server that repeats itself.
PAGES_MAX = 100_000

_JSON = (("Accept", "application/json"),)
_WRITE = (*_JSON, ("Content-Type", "application/json"))
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Refused(SchemaDrift):
    """A read that Pipedrive refuses; `status` is the answer's."""

    def __init__(self, status: int, words: str, where: str) -> None:
        super().__init__(
            f"Pipedrive refuses to be read ({status}): {words}.",
            where=where,
            next_step="The next run tries again; report it if it stays.",
        )
        self.status = status


class Hidden(AuthFailed):
    """Pipedrive does not show this to the token's user (403)."""


class V2Client:
    """Pipedrive at this address. `answer` is the last answer that was read."""

    def __init__(self, api_url: str, channel: Channel) -> None:
        self._root = api_url.rstrip("/") + "/"
        self._channel = channel
        self.answer: Answer | None = None

    @cached_property
    def library(self) -> Library:
        """The vendor's library, whose writing methods are given to `form`."""
        from syncjob.connectors.pipedrive.library import Library

        return Library(self._root + V2, self.request)

    def form(self, make: Callable[..., Any], *args: Any, **kwargs: Any) -> Request:
        """The request that one of the library's writing methods makes; nothing is sent."""
        make(*args, **kwargs)
        return self.library.formed.pop()

    def form_post(self, path: str, body: dict[str, Any]) -> Request:
        """A POST that the library has no method for (fields)."""
        return self.request("POST", path, body=body)

    def fetch(self, path: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The envelope of one GET."""
        self.answer = self._channel.read(self.request("GET", path, params))
        envelope: dict[str, Any] = self._parse(self.answer)
        return envelope

    def me(self) -> Any:
        """The user whose token this is."""
        return self.fetch("users/me").get("data")

    def pages(
        self, read: Callable[..., Any], params: dict[str, Any]
    ) -> Iterator[tuple[list[Any], str | None]]:
        """Every page of a list: its rows and the next cursor, None after the last."""
        cursor = params.get("cursor")
        for _ in range(PAGES_MAX):
            envelope = read(params={**params, **({"cursor": cursor} if cursor else {})})
            rows, before = rows_of(envelope), cursor
            cursor = cursor_of(envelope)
            if cursor is not None and cursor == before:
                raise SchemaDrift("Pipedrive gave the same page twice.", next_step="Try later.")
            yield rows, cursor
            if cursor is None:
                return
        raise SchemaDrift(f"Pipedrive's list does not end after {PAGES_MAX} pages.")

    def rows(self, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        """All rows of a list that is known to be short."""
        found = self.pages(lambda params: self.fetch(path, params), params)
        return [row for page, _ in found for row in objects(page)]

    def request(
        self, method: str, path: str, params: dict[str, Any] | None = None, body: Any = None
    ) -> Request:
        """A call as bytes: the right version, an exact body, what it costs. Nothing is sent."""
        query = urlencode(params or {}, doseq=True, safe=",:")
        full = f"{self._root}{version_root(path)}{path}" + (f"?{query}" if query else "")
        content = b"" if body is None else _ENCODER.encode(body)
        cost = token_cost(method, path.split("?", 1)[0])
        headers = _WRITE if content else _JSON
        return Request(method=method, url=full, headers=headers, body=content, cost=cost)

    def _parse(self, response: Answer) -> Any:
        """The envelope of a good answer. Raises for every other, a firewall's page included."""
        if response.status == 403 and not is_json(response):
            raise Throttled(
                f"Pipedrive's firewall refuses us (403): {excerpt(response.body)!r}.",
                where=response.url,
                next_step="It does so after too many calls; the next run tries again.",
            )
        envelope = response.json()
        if response.status >= 300:
            raise _refused(response, envelope)
        if not isinstance(envelope, dict) or envelope.get("success") is not True:
            raise SchemaDrift(
                f"Pipedrive answered {response.status} without success: "
                f"{excerpt(response.body)!r}.",
                where=response.url,
                next_step="It is read again by the next run.",
            )
        return envelope


def rows_of(envelope: dict[str, Any]) -> list[Any]:
    """The rows of a list. `data: null` is an empty list only beside a list's own `additional_data`:
    a bare null, which flow endpoints are seen to send (facts: pipedrive, 2), says nothing."""
    data = envelope.get("data")
    if data is None and isinstance(envelope.get("additional_data"), dict):
        return []
    if not isinstance(data, list):
        raise SchemaDrift(
            f"Pipedrive's list has no rows but {type(data).__name__}.",
            next_step="It is read again by the next run.",
        )
    return data


def objects(rows: list[Any]) -> list[dict[str, Any]]:
    """The rows of a list that cannot be used without each of them."""
    if not all(isinstance(row, dict) for row in rows):
        raise SchemaDrift("Pipedrive's list holds rows that are no objects.")
    return rows


def cursor_of(envelope: dict[str, Any]) -> str | None:
    """The next page's cursor; None or an empty one ends the list."""
    more = envelope.get("additional_data") or {}
    cursor = more.get("next_cursor") if isinstance(more, dict) else None
    if cursor is not None and not isinstance(cursor, str):
        raise SchemaDrift(f"Pipedrive's next_cursor is no text but {type(cursor).__name__}.")
    return cursor or None


def is_json(answer: Answer) -> bool:
    """Whether the answer says that it is JSON, or at least looks like it."""
    kind = answer.headers.get("content-type", "")
    return "json" in kind or (not kind and answer.body.lstrip()[:1] in (b"{", b"["))


def vendor_words(envelope: Any) -> str:
    """What Pipedrive says is wrong, in its own words."""
    if not isinstance(envelope, dict):
        return "no reason given"
    parts = (envelope.get("error"), envelope.get("error_info"))
    return (
        " ".join(p.strip() for p in parts if isinstance(p, str) and p.strip()) or "no reason given"
    )


def _refused(answer: Answer, envelope: Any) -> Exception:
    words = vendor_words(envelope)
    if answer.status == 402:
        return AuthFailed(
            f"Pipedrive says that the account is closed or its trial is over (402): {words}.",
            where=answer.url,
            next_step="Renew the subscription, then run again.",
        )
    if answer.status == 403 and _capped(envelope):
        return Hidden(
            f"Pipedrive's plan does not hold this (403): {words}.",
            where=answer.url,
            next_step="Compare crm.plan and crm.read_instalments with the account's plan.",
        )
    if answer.status in (401, 403):
        kind = Hidden if answer.status == 403 else AuthFailed
        return kind(
            f"Pipedrive refuses to show this ({answer.status}): {words}.",
            where=answer.url,
            next_step="Use the API token of an admin, or let its user see all deals.",
        )
    return Refused(answer.status, words, answer.url)


def _capped(envelope: Any) -> bool:
    """Whether a 403 is about the plan's bounds and not about rights (facts: pipedrive, 2)."""
    code = envelope.get("code") if isinstance(envelope, dict) else None
    return isinstance(code, str) and code.startswith("feature_capping")
