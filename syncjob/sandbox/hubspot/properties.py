"""Property definitions: made, changed and archived; and whether a value fits its property."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from syncjob.sandbox.hubspot import schema
from syncjob.sandbox.hubspot.options import OBJECT_TYPES
from syncjob.sandbox.hubspot.store import Props, Store
from syncjob.sandbox.hubspot.wire import (
    Refusal,
    as_text,
    bad_input,
    iso,
    moment_ms,
    not_found,
    not_valid,
    number,
    problem,
)

Definition = dict[str, Any]
TYPES: dict[str, tuple[str, ...]] = {
    "string": ("text", "textarea", "html", "phonenumber", "file"),
    "number": ("number", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
    "enumeration": ("booleancheckbox", "checkbox", "radio", "select", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "phone_number": ("phonenumber",),
}
TEXT_MAX = 65_536  # characters of one value
UNIQUE_MAX = 10  # unique properties of one object type
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
_GIVEN = ("label", "type", "fieldType", "groupName", "description", "options", "displayOrder",
          "hidden", "formField", "hasUniqueValue")  # fmt: skip


def seed(store: Store) -> None:
    """The properties and groups that every account has."""
    for kind in OBJECT_TYPES:
        group = schema.GROUPS[kind]
        store.groups[kind][group] = {
            "name": group, "label": group, "displayOrder": 0, "archived": False,
        }  # fmt: skip
        for name, words in schema.TABLE[kind].items():
            store.definitions[kind][name] = schema.defined(kind, name, words)
    codes = [schema.option(c, c, n) for n, c in enumerate(store.options.active_currencies)]
    store.definitions["deals"]["deal_currency_code"]["options"] = codes
    store.definitions["line_items"]["hs_line_item_currency_code"]["options"] = codes


def listed(store: Store, kind: str, archived: bool) -> list[Definition]:
    found = [d for d in store.definitions[kind].values() if d["archived"] is archived]
    return [shown(store, kind, d) for d in found]


def shown(store: Store, kind: str, definition: Definition) -> Definition:
    """A definition with options that the account gives: stages, pipelines, owners, tax rates."""
    found = _external(store, kind, definition["name"])
    if found is None or definition["name"] == "hubspot_owner_id":
        return definition
    options = [schema.option(label, value, n) for n, (value, label) in enumerate(found)]
    return {**definition, "options": options}


def get(store: Store, kind: str, name: str, archived: bool = False) -> Definition:
    found = store.definitions[kind].get(name)
    if found is None or found["archived"] is not archived:
        raise Refusal(404, f'Property "{name}" does not exist', "OBJECT_NOT_FOUND")
    return found


def create(store: Store, kind: str, sent: dict[str, Any]) -> Definition:
    """A new property of the account. Raises Refusal: 400 for what is wrong, 409 if it is there."""
    name = sent.get("name")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise Refusal(400, f"Property name {name!r} is not valid: lower case letters, digits, _")
    there = store.definitions[kind].get(name)
    if there is not None and not there["archived"]:
        raise Refusal(409, f"A property named '{name}' already exists.", "CONFLICT",
                      subCategory="PropertyValidationError.PROPERTY_EXISTS")  # fmt: skip
    if there is not None:
        raise Refusal(409, f"Property '{name}' exists in the archive; restore it.", "CONFLICT")
    made = schema.defined(kind, name, "string/text") | {
        "hubspotDefined": False, "label": name,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False,
                                 "readOnlyOptions": False, "readOnlyValue": False},
    }  # fmt: skip
    for needed in ("label", "type", "fieldType", "groupName"):
        if not sent.get(needed) or not isinstance(sent[needed], str):
            raise bad_input(f"{needed} is required")
    made |= {k: sent[k] for k in _GIVEN if k in sent}
    _check_definition(store, kind, made)
    now = iso(store.now())
    made |= {"createdAt": now, "updatedAt": now}
    _keep(store, kind, made)
    if made["hasUniqueValue"]:
        store.unique[kind, name] = {}
    return made


def _keep(store: Store, kind: str, definition: Definition) -> None:
    table, name = store.definitions[kind], definition["name"]
    before = table.get(name)

    def undo() -> None:
        table.pop(name, None)
        if before is not None:
            table[name] = before

    store.note(undo)
    table[name] = definition


def _check_definition(store: Store, kind: str, made: Definition) -> None:
    if made["type"] not in TYPES or made["fieldType"] not in TYPES[made["type"]]:
        raise bad_input(f"type {made['type']!r} cannot have fieldType {made['fieldType']!r}")
    if made["groupName"] not in store.groups[kind]:
        raise Refusal(400, f"Property group {made['groupName']!r} does not exist")
    if not isinstance(made["hasUniqueValue"], bool):
        raise bad_input("hasUniqueValue is a boolean")
    if made["type"] in ("enumeration", "bool"):
        made["options"] = list(_options(made.get("options")))
    if made["hasUniqueValue"]:
        if made["type"] not in ("string", "number"):
            raise Refusal(400, "Only text and number properties can have unique values")
        own = [d for d in store.definitions[kind].values()
               if d["hasUniqueValue"] and not d["hubspotDefined"]]  # fmt: skip
        if len(own) >= UNIQUE_MAX:
            raise Refusal(400, f"At most {UNIQUE_MAX} unique properties for {kind}")


def _options(sent: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(sent, list) or not sent:
        raise Refusal(400, "Enumeration options must not be empty")
    seen: set[str] = set()
    for n, one in enumerate(sent):
        fits = isinstance(one, dict) and all(
            isinstance(one.get(k), str) for k in ("label", "value")
        )
        if not fits or not one["value"]:
            raise bad_input("an option has a label and a value")
        if one["value"] in seen or any(one["label"] == o["label"] for o in sent[:n]):
            raise Refusal(400, f"Option {one['value']!r} is there twice")
        seen.add(one["value"])
        order = one.get("displayOrder", n)
        yield {
            **schema.option(one["label"], one["value"], order),
            "hidden": bool(one.get("hidden")),
        }


def update(store: Store, kind: str, name: str, sent: dict[str, Any]) -> Definition:
    old = get(store, kind, name)
    if old["modificationMetadata"]["readOnlyDefinition"]:
        raise Refusal(400, f"Property {name} is defined by HubSpot and cannot be changed")
    made = {**old, **{k: v for k, v in sent.items() if k in _GIVEN and k != "hasUniqueValue"}}
    _check_definition(store, kind, {**made, "hasUniqueValue": False})
    if made["type"] in ("enumeration", "bool"):
        made["options"] = list(_options(made["options"]))
    made["updatedAt"] = iso(store.now())
    _keep(store, kind, made)
    return made


def archive(store: Store, kind: str, name: str) -> None:
    """The property and its values are gone from every answer; people can restore it."""
    found = get(store, kind, name)
    if not found["modificationMetadata"]["archivable"]:
        raise Refusal(400, f"Property {name} cannot be archived")
    _keep(store, kind, {**found, "archived": True, "archivedAt": iso(store.now())})


def create_group(store: Store, kind: str, sent: dict[str, Any]) -> dict[str, Any]:
    name = sent.get("name")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise Refusal(400, f"Group name {name!r} is not valid")
    if not isinstance(sent.get("label"), str) or not sent["label"]:
        raise bad_input("label is required")
    if name in store.groups[kind]:
        raise Refusal(409, f"A property group named '{name}' already exists.", "CONFLICT")
    made = {"name": name, "label": sent["label"], "displayOrder": sent.get("displayOrder", -1),
            "archived": False}  # fmt: skip
    table = store.groups[kind]

    def undo() -> None:
        table.pop(name, None)

    store.note(undo)
    table[name] = made
    return made


def group(store: Store, kind: str, name: str) -> dict[str, Any]:
    if name not in store.groups[kind]:
        raise not_found()
    return store.groups[kind][name]


# --- values -----------------------------------------------------------------------------------


def checked(store: Store, kind: str, sent: Any, own: int | None = None) -> dict[str, str | None]:
    """Sent values as the texts that are kept; None empties. `own`: whose unique values they are.

    Raises Refusal with every problem at once.
    """
    if not isinstance(sent, dict):
        raise bad_input("properties is an object")
    made: dict[str, str | None] = {}
    problems = []
    for name, value in sent.items():
        try:
            made[name] = _value(store, kind, name, value, own)
        except _Bad as bad:
            problems.append(problem(name, bad.code, bad.message))
    if problems:
        raise not_valid(problems, store.options.terse_errors)
    return made


class _Bad(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def _value(store: Store, kind: str, name: str, sent: Any, own: int | None) -> str | None:
    definition = store.definitions[kind].get(name)
    if definition is None or definition["archived"]:
        raise _Bad("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if definition["modificationMetadata"]["readOnlyValue"]:
        raise _Bad("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    try:
        text = as_text(sent)
    except ValueError as error:
        raise _Bad("INVALID_VALUE", str(error)) from None
    if text is None or not text.strip():
        return None
    if len(text) > TEXT_MAX:
        raise _Bad("VALUE_TOO_LONG", f"{name}: the value exceeds {TEXT_MAX} characters")
    text = _typed(store, kind, definition, text)
    if definition["hasUniqueValue"]:
        holder = store.unique.get((kind, name), {}).get(unique_key(text))
        if holder is not None and holder != own:
            raise Refusal(
                409 if name == "email" else 400,
                f"Contact already exists. Existing ID: {holder}" if name == "email" else
                f"Cannot set PropertyValueCoordinates: {holder} already has that value.",
                "CONFLICT" if name == "email" else "VALIDATION_ERROR",
            )  # fmt: skip
    return text


def unique_key(text: str) -> str:
    """Unique values are compared without case."""
    return text.strip().casefold()


def _typed(store: Store, kind: str, definition: Definition, text: str) -> str:
    match definition["type"]:
        case "number":
            if number(text) is None:
                raise _Bad("INVALID_NUMBER", f"{text} was not a valid number.")
            if definition["name"] == "price" and (number(text) or 0) < 0:
                raise _Bad("INVALID_NUMBER", "price: a price is never negative")
            return text.strip()
        case "datetime":
            ms = moment_ms(text)
            if ms is None:
                raise _Bad("INVALID_DATE", f"{text} was not a valid long.")
            return iso(ms)
        case "date":
            return _day(text)
        case "enumeration" | "bool":
            return _option(store, kind, definition, text)
    return text


def _day(text: str) -> str:
    """A day: as text, or as the epoch milliseconds of its midnight in UTC."""
    ms = moment_ms(text)
    if ms is None:
        raise _Bad("INVALID_DATE", f"{text} was not a valid long.")
    if ms % 86_400_000:
        raise _Bad("INVALID_DATE", f"{text} is at {iso(ms)}, not midnight!")
    return iso(ms)[:10]


def _option(store: Store, kind: str, definition: Definition, text: str) -> str:
    external = _external(store, kind, definition["name"])
    allowed = {o["value"] for o in definition["options"]} if external is None else dict(external)
    many = definition["fieldType"] == "checkbox"
    chosen = [t for t in text.split(";") if t] if many else [text]
    if definition["name"] in ("hs_additional_emails", "hs_queue_membership_ids",
                              "hs_attachment_ids"):  # fmt: skip
        return text
    for one in chosen:
        if one not in allowed:
            told = ", ".join(sorted(allowed))
            raise _Bad("INVALID_OPTION", f"{one} was not one of the allowed options: [{told}]")
    return text


def _external(store: Store, kind: str, name: str) -> list[tuple[str, str]] | None:
    """Options that the account's own settings give: (value, label)."""
    if name == "hubspot_owner_id":
        return [(str(o["id"]), str(o["email"])) for o in store.owners.values()]
    if name == "hs_tax_rate_group_id":
        return [(str(t["id"]), t["name"]) for t in store.tax_rates.values()]
    if kind == "deals" and name == "pipeline":
        return [(p["id"], p["label"]) for p in store.pipelines.values() if not p["archived"]]
    if kind == "deals" and name == "dealstage":
        return [(s["id"], s["label"]) for p in store.pipelines.values() if not p["archived"]
                for s in p["stages"] if not s["archived"]]  # fmt: skip
    return None


def hold_unique(store: Store, kind: str, key: int, before: Props, after: Props) -> None:
    """Keeps the register of unique values in step with a record."""
    names = [n for n, d in store.definitions[kind].items() if d["hasUniqueValue"]]
    for name in names:
        old, new = before.get(name), after.get(name)
        if old == new or name == "hs_object_id":
            continue
        table = store.unique.setdefault((kind, name), {})
        _swap(store, table, old, new, key)


def _swap(store: Store, table: dict[str, int], old: str | None, new: str | None, key: int) -> None:
    for text, put in ((old, False), (new, True)):
        if text is None:
            continue
        at = unique_key(text)
        store.note(_restorer(table, at, table.get(at)))
        if put:
            table[at] = key
        elif table.get(at) == key:
            del table[at]


def _restorer(table: dict[str, int], at: str, value: int | None) -> Any:
    def undo() -> None:
        table.pop(at, None)
        if value is not None:
            table[at] = value

    return undo
