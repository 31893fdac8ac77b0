"""How people name records: by id, by a file's id, by name or e-mail; and their own properties."""

from __future__ import annotations

from typing import Any

from syncjob.sandbox.hubspot import dumping
from syncjob.sandbox.hubspot.store import Record, Store
from syncjob.sandbox.kernel import ActError

Payload = dict[str, Any]
_NAMED = {"deals": ("dealname",), "companies": ("name",), "products": ("hs_sku", "name"),
          "contacts": ("email", "hs_full_name_or_email"), "line_items": ("name",),
          "tasks": ("hs_task_subject",), "notes": ("hs_note_body",)}  # fmt: skip


def resolve(store: Store, kind: str, ref: Any) -> int:
    """A live record by its id (an old one of a merge too), a file's id, its name or e-mail."""
    text = str(ref)
    key = store.external[kind].get(text)
    if key is None and text.isdecimal():
        key = int(text)
    found = None if key is None else store.resolved(kind, key)
    if found is not None:
        return found.id
    for name in _NAMED[kind]:
        for record in store.all(kind):
            if record.props.get(name) == text:
                return record.id
    raise ActError(f"no {kind.removesuffix('s')} {ref!r}")


def record_of(store: Store, kind: str, ref: Any) -> Record:
    found = store.live(kind, resolve(store, kind, ref))
    if found is None:
        raise ActError(f"{kind.removesuffix('s')} {ref!r} is archived")
    return found


def owner_id(store: Store, ref: Any) -> int:
    """An owner by id, file's id, name or e-mail."""
    text = str(ref)
    key = store.external["owners"].get(text, int(text) if text.isdecimal() else 0)
    for found in store.owners.values():
        words = (dumping.owner(found)["name"], found["email"])
        if found["id"] == key or found["user_id"] == key or text in words:
            return int(found["id"])
    raise ActError(f"no user {ref!r}")


def acting_owner(store: Store, payload: Payload) -> int:
    """Who acts: what people make in the browser is theirs unless they name another owner."""
    if payload.get("user") is not None:
        return owner_id(store, payload["user"])
    return next(int(o["id"]) for o in store.owners.values() if not o["archived"])


def own_fields(store: Store, kind: str, sent: Payload) -> Payload:
    """`fields` by label or name to properties, options by their label; None empties one."""
    made: Payload = {}
    for word, value in (sent.get("fields") or {}).items():
        definition = next(
            (d for n, d in store.definitions[kind].items()
             if word in (n, d["label"]) and not d["archived"]), None,
        )  # fmt: skip
        if definition is None:
            raise ActError(f"no field {word!r} on {kind}")
        values = {o["label"]: o["value"] for o in definition["options"]}
        made[definition["name"]] = values.get(value, value) if isinstance(value, str) else value
    return made
