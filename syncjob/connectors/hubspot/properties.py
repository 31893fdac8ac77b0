"""New properties for `syncjob init`: a group of our own, and types that HubSpot can report on.

Amounts are numbers without a currency, since an invoice may be in another than the account's; days
are dates, states are choices. The internal name follows from the label alone, so that the same
config makes the same property in every account.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from typing import Any

from syncjob.connectors.base import FieldWish

Item = dict[str, Any]

#: Under which heading all of ours stand on a record.
GROUP = "syncjob"
#: What HubSpot calls the objects of our entities in its paths.
OBJECTS = {"deal": "deals", "organization": "companies", "person": "contacts"}

#: An internal name is at most this long here; HubSpot allows 100 characters.
_NAME_MAX = 80
_TYPES: dict[str, tuple[str, str]] = {
    "text": ("string", "text"),
    "money": ("number", "number"),
    "number": ("number", "number"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "choice": ("enumeration", "select"),
}


def create(wish: FieldWish, groups: Collection[str]) -> list[tuple[str, Item]]:
    """What to POST for this wish, as (path below /crm/properties/<version>/, body): the group
    first, where the object does not have it yet (`groups` are the names of those it has)."""
    kind = OBJECTS[wish.entity]
    made: list[tuple[str, Item]] = []
    if GROUP not in groups:
        made.append((f"{kind}/groups", {"name": GROUP, "label": GROUP, "displayOrder": -1}))
    made.append((kind, body(wish)))
    return made


def body(wish: FieldWish) -> Item:
    """The property itself."""
    kind, shown = _TYPES[wish.kind]
    made: Item = {
        "groupName": GROUP,
        "name": internal_name(wish.name),
        "label": wish.name,
        "description": wish.purpose,
        "type": kind,
        "fieldType": "textarea" if wish.long and kind == "string" else shown,
        "formField": False,  # a form on a web page is no place for it
    }
    if kind == "number":
        made["numberDisplayHint"] = "formatted"
    if wish.options:
        made["options"] = [
            {"label": label, "value": _slug(label) or label, "displayOrder": place, "hidden": False}
            for place, label in enumerate(wish.options)
        ]
    if wish.unique:
        made["hasUniqueValue"] = True
    return made


def internal_name(label: str) -> str:
    """The internal name of a label: "Invoice status" -> "syncjob_invoice_status".

    Small letters, digits and underscores after a letter. A label whose letters are lost in that
    ("Paid!", "支払い") gets the start of its hash, so that two labels never have one name. The
    prefix keeps clear of HubSpot's own names.
    """
    slug = _slug(label)
    if slug.replace("_", " ") != " ".join(label.casefold().replace("_", " ").split()):
        slug = f"{slug}_{hashlib.sha256(label.encode()).hexdigest()[:6]}".strip("_")
    name = slug if slug.startswith(f"{GROUP}_") else f"{GROUP}_{slug}"
    if len(name) > _NAME_MAX:
        name = f"{name[:_NAME_MAX]}_{hashlib.sha256(label.encode()).hexdigest()[:6]}"
    return name


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
