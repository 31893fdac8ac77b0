"""How values and refusals look on the wire: texts for everything, times with milliseconds."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from syncjob.sandbox.kernel import Pairs, Reply

_CATEGORIES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    403: "MISSING_SCOPES",
    404: "OBJECT_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Refusal(Exception):
    """An answer other than the one that was asked for, in the vendor's shape."""

    def __init__(
        self, status: int, message: str, category: str | None = None, **extra: Any
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.extra = status, message, extra
        self.category = category or _CATEGORIES.get(status)
        self.headers: Pairs = ()

    def body(self, correlation: str) -> dict[str, Any]:
        made: dict[str, Any] = {"status": "error", "message": self.message}
        made["correlationId"] = correlation
        made |= self.extra
        if self.category is not None:
            made["category"] = self.category
        return made


def problem(name: str, code: str, message: str) -> dict[str, Any]:
    """One thing that is wrong with one property."""
    return {"name": name, "code": code, "message": message}


def not_valid(problems: list[dict[str, Any]], terse: bool = False) -> Refusal:
    """A 400 that names each property and what is wrong with its value."""
    told = [
        {"isValid": False, "message": p["message"], "error": p["code"], "name": p["name"],
         "localizedErrorMessage": p["message"]}
        for p in problems
    ]  # fmt: skip
    errors = [
        {"message": p["message"], "code": p["code"], "context": {"propertyName": [p["name"]]}}
        for p in problems
    ]
    extra: dict[str, Any] = {} if terse else {"errors": errors}
    text = f"Property values were not valid: {json.dumps(told, ensure_ascii=False)}"
    return Refusal(400, text, **extra)


def bad_input(why: str) -> Refusal:
    return Refusal(400, f"Invalid input JSON: {why}")


def not_found() -> Refusal:
    return Refusal(404, "resource not found")


def parsed(body: bytes) -> dict[str, Any]:
    """A request's JSON object with its numbers kept exact."""
    try:
        value = json.loads(body or b"{}", parse_float=Decimal)
    except (ValueError, UnicodeDecodeError, RecursionError):
        raise bad_input("not JSON") from None
    if not isinstance(value, dict):
        raise bad_input("an object is expected")
    return value


def as_text(value: Any) -> str | None:
    """A sent value as the text the CRM keeps; None empties the property."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal, float)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    raise ValueError("a property's value is a text, a number or a boolean")


@lru_cache(maxsize=65_536)
def number(text: str) -> Fraction | None:
    """The exact number of a text without thousand separators, or None."""
    if len(text) > 60 or _NUMBER.fullmatch(text.strip()) is None:
        return None
    return Fraction(text.strip())


@lru_cache(maxsize=65_536)
def moment_ms(text: str) -> int | None:
    """Epoch milliseconds of a text of digits, a day or an ISO time; None if it is none."""
    text = text.strip()
    if re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        value = int(text)
        return value if -62_135_596_800_000 <= value <= 253_402_300_799_999 else None
    try:
        if _DAY.fullmatch(text):
            at = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        else:
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=65_536)
def iso(ms: int) -> str:
    """`2026-11-23T01:00:00.123Z`; whole seconds may come as `Z` without milliseconds."""
    at = datetime.fromtimestamp(ms // 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def whole(value: Any, name: str, default: int, most: int) -> int:
    """A query's or body's whole number between 1 and `most`."""
    if value is None:
        return default
    try:
        found = int(str(value))
    except ValueError:
        raise bad_input(f"{name} must be a whole number") from None
    if not 1 <= found <= most:
        raise Refusal(400, f"{name} must be between 1 and {most}")
    return found


def answer(body: Any, status: int = 200, effect: str = "none") -> Reply:
    return Reply.of_json(body, status, effect)
