"""Search as the index answers it: filters, one sort, offsets up to 10,000, a body of 3,000 letters.

The live truth is not here: what changed lately may still be shown as it was, or not at all.
"""

from __future__ import annotations

import operator as operator_
import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from syncjob.sandbox.hubspot import associations, calculated, schema
from syncjob.sandbox.hubspot.store import Record, Store
from syncjob.sandbox.hubspot.wire import Refusal, as_text, bad_input, moment_ms, number, whole

BODY_MAX = 3_000  # characters (facts: hubspot, 5c)
RESULTS_MAX = 10_000
LIMIT_MAX, LIMIT_DEFAULT = 200, 10
GROUPS_MAX, GROUP_FILTERS_MAX, FILTERS_MAX = 5, 6, 18
LIST_MAX = 100  # values of IN
OPERATORS = (
    "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN",
    "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN",
)  # fmt: skip
_ORDERED = ("number", "datetime", "date")
_TIES = re.compile(r"associations\.(\w+)", re.ASCII)
_TOKEN = re.compile(r"[^\w*@.]+")

Test = Callable[[Record], bool]
_FITS: dict[str, Callable[[Any, Any], Any]] = {
    "EQ": operator_.eq,
    "GT": operator_.gt,
    "GTE": operator_.ge,
    "LT": operator_.lt,
    "LTE": operator_.le,
}


@dataclass(frozen=True)
class Query:
    """One search, read and checked."""

    tests: tuple[tuple[Test, ...], ...]
    above: int  # ids up to this one cannot fit: the keyset walk's own filter
    sort: str | None
    falling: bool
    limit: int
    after: int
    properties: tuple[str, ...] | None


def read(store: Store, kind: str, size: int, sent: dict[str, Any]) -> Query:
    """Raises Refusal (400) for every bound that the vendor keeps."""
    if size > BODY_MAX:
        raise Refusal(400, f"The request body exceeds {BODY_MAX} characters")
    limit = whole(sent.get("limit"), "limit", LIMIT_DEFAULT, LIMIT_MAX)
    after = _after(sent.get("after"))
    if after + limit > RESULTS_MAX:
        raise Refusal(400, "There was a problem with the request. Paging past 10,000 results")
    groups = _groups(sent)
    sort, falling = _sort(store, kind, sent.get("sorts"))
    tests = tuple(tuple(_test(store, kind, f) for f in group) for group in groups)
    query = sent.get("query")
    if query:
        if not isinstance(query, str):
            raise bad_input("query is a text")
        found = _searched(query)
        tests = tuple((*group, found) for group in tests) or ((found,),)
    return Query(tests, _above(groups), sort, falling, limit, after, _names(sent.get("properties")))


def _after(sent: Any) -> int:
    if sent in (None, ""):
        return 0
    text = str(sent)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise bad_input("after is the number that the last page gave")
    return int(text)


def _names(sent: Any) -> tuple[str, ...] | None:
    if sent is None:
        return None
    if not isinstance(sent, list) or not all(isinstance(n, str) for n in sent):
        raise bad_input("properties is a list of names")
    return tuple(sent)


def _groups(sent: dict[str, Any]) -> list[list[dict[str, Any]]]:
    groups = sent.get("filterGroups") or []
    if not isinstance(groups, list) or not all(isinstance(g, dict) for g in groups):
        raise bad_input("filterGroups is a list of objects")
    found = [g.get("filters") or [] for g in groups]
    for group in found:
        if not isinstance(group, list) or not all(isinstance(f, dict) for f in group):
            raise bad_input("filters is a list of objects")
    if len(found) > GROUPS_MAX or any(len(g) > GROUP_FILTERS_MAX for g in found):
        raise Refusal(400, f"At most {GROUPS_MAX} filterGroups of {GROUP_FILTERS_MAX} filters")
    if sum(len(g) for g in found) > FILTERS_MAX:
        raise Refusal(400, f"At most {FILTERS_MAX} filters in all")
    return found


def _sort(store: Store, kind: str, sent: Any) -> tuple[str | None, bool]:
    if not sent:
        return None, False
    if not isinstance(sent, list) or len(sent) > 1:
        raise Refusal(400, "Only one sort is allowed")
    one = {"propertyName": sent[0]} if isinstance(sent[0], str) else sent[0]
    if not isinstance(one, dict) or not isinstance(one.get("propertyName"), str):
        raise bad_input("a sort has a propertyName")
    direction = one.get("direction", "ASCENDING")
    if direction not in ("ASCENDING", "DESCENDING"):
        raise bad_input("direction is ASCENDING or DESCENDING")
    _known(store, kind, one["propertyName"])
    return one["propertyName"], direction == "DESCENDING"


def _known(store: Store, kind: str, name: str) -> str:
    """The property's type. Raises Refusal (400) if there is none of that name."""
    found = store.definitions[kind].get(name)
    if found is None or found["archived"]:
        raise Refusal(400, f"There was a problem with the request: no property {name!r}")
    return str(found["type"])


def _above(groups: list[list[dict[str, Any]]]) -> int:
    """The lowest id that every group asks to be above, so that a walk skips what it has seen."""
    if not groups:
        return 0
    return min(
        max([int(str(f.get("value"))) for f in group
             if f.get("propertyName") == "hs_object_id" and f.get("operator") == "GT"
             and str(f.get("value")).isdecimal()], default=0)
        for group in groups
    )  # fmt: skip


# --- filters ----------------------------------------------------------------------------------


def _test(store: Store, kind: str, sent: dict[str, Any]) -> Test:
    name, operator = sent.get("propertyName"), sent.get("operator")
    if not isinstance(name, str) or operator not in OPERATORS:
        raise bad_input(f"a filter has a propertyName and one of {', '.join(OPERATORS)}")
    tie = _TIES.fullmatch(name)
    if tie is not None:
        return _tied(store, tie.group(1), operator, sent)
    type_ = _known(store, kind, name)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        wanted = operator == "HAS_PROPERTY"
        return lambda record: (calculated.value_of(record, name) is not None) is wanted
    if operator in ("IN", "NOT_IN"):
        return _listed(kind, name, type_, sent, wanted=operator == "IN")
    if operator.endswith("CONTAINS_TOKEN"):
        return _token(name, _text(sent, "value"), wanted=operator == "CONTAINS_TOKEN")
    low = _key(type_, _text(sent, "value"))
    high = _key(type_, _text(sent, "highValue")) if operator == "BETWEEN" else None
    if operator not in ("EQ", "NEQ") and type_ not in _ORDERED:
        raise Refusal(400, f"{operator} does not fit the {type_} property {name}")
    return _compared(kind, name, type_, operator, low, high)


def _text(sent: dict[str, Any], key: str) -> str:
    try:
        found = as_text(sent.get(key))
    except ValueError:
        found = None
    if found is None:
        raise bad_input(f"the filter on {sent.get('propertyName')} needs a {key}")
    return found


def _key(type_: str, text: str) -> Any:
    """A value in the form in which values of its type are compared."""
    if type_ == "number":
        value: Any = number(text)
    elif type_ in ("datetime", "date"):
        value = moment_ms(text)
    else:
        return text if type_ in ("enumeration", "bool") else text.casefold()
    if value is None:
        raise Refusal(400, f"There was a problem with the request: {text!r} is no {type_}")
    return value


def _reader(kind: str, name: str, type_: str) -> Callable[[Record], Any]:
    """How a record's own value is read for a comparison; None: it has none."""
    if name == schema.modified(kind):
        return lambda record: record.updated
    if name == "hs_object_id":
        return lambda record: record.id

    def read_value(record: Record) -> Any:
        text = calculated.value_of(record, name)
        return None if text is None else _key(type_, text)

    return read_value


def _compared(kind: str, name: str, type_: str, operator: str, low: Any, high: Any) -> Test:
    value = _reader(kind, name, type_)
    if operator == "NEQ":
        return lambda record: value(record) != low
    if operator == "BETWEEN":
        return lambda record: (own := value(record)) is not None and bool(low <= own <= high)
    fits = _FITS[operator]
    return lambda record: (own := value(record)) is not None and bool(fits(own, low))


def _listed(kind: str, name: str, type_: str, sent: dict[str, Any], *, wanted: bool) -> Test:
    """IN: the values of a text property must be sent in lower case (facts: hubspot, 5c)."""
    values = sent.get("values")
    if not isinstance(values, list) or not 0 < len(values) <= LIST_MAX:
        raise bad_input(f"{name}: values is a list of 1 to {LIST_MAX} values")
    texts = [t for t in (as_text(v) for v in values if not isinstance(v, (dict, list))) if t]
    keys = (
        set(texts)
        if type_ in ("string", "enumeration", "bool")
        else {_key(type_, t) for t in texts}
    )
    value = _reader(kind, name, type_)

    def test(record: Record) -> bool:
        own = value(record)
        return own is not None and (own in keys) is wanted

    return test


def _token(name: str, sent: str, *, wanted: bool) -> Test:
    """Whole words, with * for any letters."""
    words = [re.escape(w.casefold()).replace(r"\*", ".*") for w in _TOKEN.split(sent) if w]
    patterns = [re.compile(w) for w in words]

    def test(record: Record) -> bool:
        own = (calculated.value_of(record, name) or "").casefold()
        tokens = [t for t in _TOKEN.split(own) if t]
        found = bool(patterns) and all(any(p.fullmatch(t) for t in tokens) for p in patterns)
        return found is wanted

    return test


def _tied(store: Store, word: str, operator: str, sent: dict[str, Any]) -> Test:
    """`associations.company` EQ or IN an id."""
    to = schema.TYPE_IDS.get(word)
    if to is None or operator not in ("EQ", "IN"):
        raise Refusal(400, f"There was a problem with the request: associations.{word} {operator}")
    given = sent.get("values") if operator == "IN" else [sent.get("value")]
    ids = {int(str(v)) for v in given or () if str(v).isdecimal()}
    return lambda record: any(
        other in ids for other, _ in associations.live_links(store, record.kind, record.id, to)
    )


def _searched(query: str) -> Test:
    """`query`: every word begins a word of some property."""
    words = [w.casefold() for w in _TOKEN.split(query) if w]

    def test(record: Record) -> bool:
        tokens = [t for v in record.props.values() for t in _TOKEN.split(v.casefold())]
        return all(any(t.startswith(w) for t in tokens) for w in words)

    return test


# --- answers ----------------------------------------------------------------------------------


def found(store: Store, kind: str, query: Query) -> list[Record]:
    """Everything that fits, in the wanted order (by id unless told)."""
    seen = store.indexed(kind)
    start = bisect_right(seen.ids, query.above)
    matched = [r for r in seen.records[start:] if _fits(query, r)]
    return _sorted(store, kind, query, matched)


def _fits(query: Query, record: Record) -> bool:
    if not query.tests:
        return True
    for group in query.tests:
        for test in group:
            if not test(record):
                break
        else:
            return True
    return False


def _sorted(store: Store, kind: str, query: Query, matched: list[Record]) -> list[Record]:
    """By the one sort; what has no value comes last; among equals any order may come."""
    if query.sort is None or query.sort == "hs_object_id":
        return matched[::-1] if query.falling else matched
    type_ = _known(store, kind, query.sort)
    value = _reader(kind, query.sort, type_)
    have = [(v, r) for r in matched if (v := value(r)) is not None]
    have.sort(key=lambda pair: _comparable(pair[0]), reverse=query.falling)
    return [r for _, r in have] + [r for r in matched if value(r) is None]


def _comparable(value: Any) -> tuple[int, Any]:
    return (0, value) if isinstance(value, (int, Fraction)) else (1, str(value))
