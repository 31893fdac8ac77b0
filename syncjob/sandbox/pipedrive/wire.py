"""How values look on the wire: exact JSON numbers, RFC 3339 times, the vendor's error bodies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from syncjob.sandbox.kernel import Pairs, Reply

JSON_TYPE = (("Content-Type", "application/json; charset=utf-8"),)


class Refusal(Exception):
    """An answer other than the one that was asked for, in the vendor's shape."""

    def __init__(self, status: int, error: str, code: str | None = None, **extra: Any) -> None:
        super().__init__(error)
        self.status, self.error, self.code, self.extra = status, error, code, extra

    def reply(self) -> Reply:
        body: dict[str, Any] = {"success": False, "error": self.error}
        if self.code is not None:
            body["code"] = self.code
        return answer({**body, **self.extra}, self.status, effect="refused")


class HtmlRefusal(Refusal):
    """A page from the proxy in front of the vendor, not from the vendor."""

    def reply(self) -> Reply:
        page = (
            "<!DOCTYPE html><html><head><title>Access denied | Cloudflare</title></head><body>"
            f"<h1>Error 1015</h1><p>{self.error}</p></body></html>"
        )
        headers = (("Content-Type", "text/html; charset=UTF-8"), ("Server", "cloudflare"))
        return Reply(self.status, headers, page.encode(), "refused")


def invalid(key: str, why: str) -> Refusal:
    return Refusal(400, f"Validation failed: {key}: {why}", "ERR_SCHEMA_VALIDATION_FAILED")


def not_allowed(key: str) -> Refusal:
    return invalid(key, f"Parameter '{key}' is not allowed for this request")


def not_found(what: str) -> Refusal:
    return Refusal(404, f"{what} not found", "ERR_NOT_FOUND")


def number(value: Decimal) -> int | float:
    """A JSON number with the same digits: exact up to the 15 that the vendor's own doubles hold."""
    return int(value) if value == value.to_integral_value() else float(value)


def plain(value: Any) -> Any:
    """The same value in what `json` knows, for the control door."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    return number(value) if isinstance(value, Decimal) else value


def answer(body: Any, status: int = 200, effect: str = "none", headers: Pairs = ()) -> Reply:
    text = json.dumps(body, ensure_ascii=False, default=number)
    # Half of an emoji leaves as the vendor's JavaScript writes it: escaped.
    return Reply(status, (*JSON_TYPE, *headers), text.encode("utf-8", "backslashreplace"), effect)


def parsed(body: bytes) -> Any:
    """A request's JSON with its numbers kept exact."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, UnicodeDecodeError):
        raise Refusal(400, "Invalid JSON in request body", "ERR_BAD_REQUEST") from None


@lru_cache(maxsize=65_536)
def rfc3339(stamp: int | None, millis: bool) -> str | None:
    if stamp is None:
        return None
    text = datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (".000Z" if millis else "Z")


@lru_cache(maxsize=65_536)
def v1_time(stamp: int | None) -> str | None:
    return (
        None if stamp is None else datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M:%S")
    )


def stamp_of(text: str) -> int:
    """Epoch seconds of an RFC 3339 (or v1) time; fractions of a second are cut off."""
    moment = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
