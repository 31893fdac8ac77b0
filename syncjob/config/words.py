"""What is wrong with a value, in words, with the fix; never the value (it may be a secret)."""

from __future__ import annotations

from collections.abc import Callable

from pydantic_core import ErrorDetails

_LIST = "must be a list; write [one, two], or one `- item` a line"
_TEXT = "must be text; put it on the key's own line, in quotes if it holds : or #"
_SECTION = "must be a section: `key: value` lines, indented under it"
_WHOLE = "must be a whole number, such as 5"
_NUMBER = "must be a number, such as 12.50"
_DAY = "must be a day, written YYYY-MM-DD"

#: By pydantic's error type; its context fills the braces.
_WORDS = {
    "missing": "is missing; add the key",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "int_parsing": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "decimal_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "finite_number": _NUMBER,
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "string_type": _TEXT,
    "path_type": _TEXT,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _SECTION,
    "model_type": _SECTION,
    "model_attributes_type": _SECTION,
    "url_parsing": "must be a URL, such as https://api.example.com",
    "url_type": "must be a URL, such as https://api.example.com",
    "url_scheme": "must be a URL that begins with {expected_schemes}",
}


def in_words(detail: ErrorDetails, masked: Callable[[str], str]) -> str:
    """One fault found by pydantic, as the rest of a line `config.yaml:12 crm.type: ...`."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind != "missing" and detail["input"] is None:
        return "is empty; write a value, or delete the key"
    if kind in _WORDS:
        return _WORDS[kind].format_map(context)
    if kind == "value_error":
        return masked(str(context.get("error", detail["msg"])))
    return masked(detail["msg"])
