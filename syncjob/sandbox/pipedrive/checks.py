"""Strict reading of queries and bodies against the tables of `schema`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from syncjob.sandbox.kernel import Pairs
from syncjob.sandbox.pipedrive.fields import is_date, is_number, is_whole
from syncjob.sandbox.pipedrive.schema import Types
from syncjob.sandbox.pipedrive.wire import Refusal, invalid, not_allowed, parsed, stamp_of

MAX_IDS = 100
MAX_PAGE = 500
DEFAULT_PAGE = 100
_WORDS = {
    "int": "integer",
    "num": "number",
    "str": "string",
    "bool": "boolean",
    "date": "date (YYYY-MM-DD)",
    "obj": "object",
    "list": "array",
}


def query(pairs: Pairs, types: Types) -> dict[str, Any]:
    """The query's values by their types; a csv comes as a list of texts, repeats joined."""
    found: dict[str, Any] = {}
    for key, raw in pairs:
        plain = key.removesuffix("[]")
        if plain not in types:
            raise not_allowed(key)
        value = _read(plain, raw, types[plain])
        found[plain] = [*found.get(plain, ()), *value] if types[plain] == "csv" else value
    limit = found.setdefault("limit", DEFAULT_PAGE) if "limit" in types else 1
    if not 1 <= limit <= MAX_PAGE:
        raise invalid("limit", f"Limit must be between 1 and {MAX_PAGE}")
    return found


def _read(key: str, raw: str, kind: str) -> Any:
    if kind == "csv":
        return [part.strip() for part in raw.split(",") if part.strip()]
    try:
        if kind == "int":
            return int(raw)
        if kind == "time":
            return stamp_of(_strict_time(raw))
    except ValueError:
        raise invalid(key, f"Expected {_WORDS.get(kind, 'RFC3339 date-time')}") from None
    if kind == "bool":
        if raw not in ("true", "false"):
            raise invalid(key, "Expected boolean")
        return raw == "true"
    return raw


def _strict_time(raw: str) -> str:
    if "T" not in raw or (not raw.endswith("Z") and "+" not in raw[10:] and "-" not in raw[10:]):
        raise ValueError(raw)
    return raw


def ids(values: Iterable[str], key: str) -> list[int]:
    """Up to 100 ids of a csv parameter."""
    try:
        found = [int(v) for v in values]
    except ValueError:
        raise invalid(key, "Expected a comma separated list of integers") from None
    if len(found) > MAX_IDS:
        raise invalid(key, f"A maximum of {MAX_IDS} ids is allowed")
    return found


def one_of(key: str, value: str, allowed: Iterable[str]) -> str:
    if value not in allowed:
        raise invalid(key, f"Must be one of {', '.join(allowed)}")
    return value


def body(raw: bytes, types: Types, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON object of a write: known keys of the right types only, numbers never as texts."""
    sent = parsed(raw or b"{}")
    if not isinstance(sent, dict):
        raise Refusal(
            400, "Validation failed: body: Expected object", "ERR_SCHEMA_VALIDATION_FAILED"
        )
    return typed(sent, types, required)


def typed(sent: Mapping[str, Any], types: Types, required: tuple[str, ...] = ()) -> dict[str, Any]:
    for key, value in sent.items():
        if key not in types:
            raise not_allowed(key)
        kind = types[key]
        if value is None and kind.endswith("?"):
            continue
        if not _fits(value, kind.rstrip("?")):
            wanted = _WORDS[kind.rstrip("?")]
            raise invalid(key, f"Expected {wanted}, received {_word(value)}")
    for key in required:
        if sent.get(key) is None:
            raise invalid(key, f"Parameter '{key}' is required")
    return dict(sent)


def _fits(value: Any, kind: str) -> bool:
    match kind:
        case "int":
            return is_whole(value)
        case "num":
            return is_number(value)
        case "date":
            return is_date(value)
        case "bool":
            return isinstance(value, bool)
        case "obj":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
    return isinstance(value, str)


def _word(value: Any) -> str:
    names: dict[type, str] = {bool: "boolean", str: "string", int: "number", Decimal: "number"}
    names |= {dict: "object", list: "array", type(None): "null"}
    return names[type(value)]
