"""The v2 calls on fields, and the search endpoints with their own, later index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from syncjob.sandbox.pipedrive import fields, schema
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.paging import Order, decode, page
from syncjob.sandbox.pipedrive.routing import Answer, Call, Route
from syncjob.sandbox.pipedrive.wire import invalid, not_found

PATHS = {
    "dealFields": "deals",
    "personFields": "persons",
    "organizationFields": "organizations",
    "productFields": "products",
}
_SPACES: Record = {
    "ui_visibility": {"add_visible_flag": False, "details_visible_flag": True},
    "important_fields": {"enabled": False, "stage_ids": []},
    "required_fields": {"enabled": False, "stage_ids": [], "statuses": {}},
}
_SEARCHED_TYPES = frozenset(
    ["address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"]
)
_ITEM_TYPES = {
    "deal": "deals",
    "person": "persons",
    "organization": "organizations",
    "product": "products",
}
_NOT_ON = {
    "persons": ("description",),
    "organizations": ("description",),
    "products": ("description", "important_fields", "required_fields"),
}
Handler = Callable[[Call], Answer]


def _field_shown(field: Record, args: Record) -> Record:
    spaces = {k: v for k, v in _SPACES.items() if k in args.get("include_fields", ())}
    return {**field, **spaces}


def _list(kind: str) -> Handler:
    def handle(call: Call) -> Answer:
        known = [{**f, "id": n} for n, f in enumerate(call.company.fields[kind].values())]
        stream, salt = f"{kind}/fields", call.company.options.seed
        cursor = call.args.get("cursor")
        order = decode(cursor, stream, salt) if cursor else Order(stream)
        kept, following = page(known, order, call.args["limit"], salt)
        data = [_field_shown({k: v for k, v in f.items() if k != "id"}, call.args) for f in kept]
        return Answer(data, additional={"next_cursor": following})

    return handle


def _get(kind: str) -> Handler:
    def handle(call: Call) -> Answer:
        field = call.company.fields[kind].get(call.keys[0])
        if field is None:
            raise not_found("Field")
        return Answer(_field_shown(field, call.args))

    return handle


def _create(kind: str) -> Handler:
    def handle(call: Call) -> Answer:
        labels = [_label(n, o) for n, o in enumerate(call.sent.get("options") or ())]
        sent = call.sent
        made = fields.create_field(
            call.company, kind, sent["field_name"], sent["field_type"], labels
        )
        made["description"] = sent.get("description")
        return Answer(_field_shown(made, {}))

    return handle


def _label(n: int, option: Any) -> str:
    if not isinstance(option, dict) or not isinstance(option.get("label"), str):
        raise invalid(f"options.{n}", "Expected an object with a label")
    return str(option["label"])


def _delete(kind: str) -> Handler:
    def handle(call: Call) -> Answer:
        gone = fields.drop_field(call.company, kind, call.keys[0])
        return Answer(gone)

    return handle


def _search(kind: str) -> Handler:
    def handle(call: Call) -> Answer:
        return _found(call, f"search/{kind}", list(_hits(call, kind)))

    return handle


def _search_items(call: Call) -> Answer:
    wanted = call.args.get("item_types") or list(_ITEM_TYPES)
    kinds = [_ITEM_TYPES[t] for t in wanted if t in _ITEM_TYPES]
    hits = [h for kind in kinds for h in _hits(call, kind)]
    answer = _found(call, "search/items", hits)
    answer.data["related_items"] = []
    return answer


def _found(call: Call, stream: str, hits: list[Record]) -> Answer:
    numbered = [{"id": n, "hit": h} for n, h in enumerate(hits)]
    salt, cursor = call.company.options.seed, call.args.get("cursor")
    order = decode(cursor, stream, salt) if cursor else Order(stream)
    kept, following = page(numbered, order, call.args["limit"], salt)
    items = [{"result_score": 0.5, "item": k["hit"]} for k in kept]
    return Answer({"items": items}, additional={"next_cursor": following})


def _hits(call: Call, kind: str) -> Iterator[Record]:
    args, exact = call.args, bool(call.args.get("exact_match"))
    term = str(args.get("term", "")).strip().casefold()
    if len(term) < (1 if exact else 2):
        raise invalid("term", "Search term must be at least 2 characters long")
    for record in call.company.indexed(kind):
        if not _passes(record, args):
            continue
        texts = [t.casefold() for t in _texts(call.company, kind, record, args.get("fields"))]
        if any(term == t if exact else term in t for t in texts):
            yield _item(call.company, kind, record)


def _passes(record: Record, args: Record) -> bool:
    wanted = {"person_id": "person_id", "organization_id": "org_id", "status": "status"}
    return all(record.get(own) == args[key] for key, own in wanted.items() if key in args)


def _texts(company: Company, kind: str, record: Record, wanted: list[str] | None) -> Iterator[str]:
    known = {
        "title": [record.get("title")],
        "name": [record.get("name")],
        "code": [record.get("code")],
        "email": [w["value"] for w in record.get("emails") or ()],
        "phone": [w["value"] for w in record.get("phones") or ()],
        "address": [(record.get("address") or {}).get("value")],
        "custom_fields": list(_custom_texts(company, kind, record)),
    }
    for key, values in known.items():
        if wanted is None or key in wanted:
            yield from (str(v) for v in values if v)


def _custom_texts(company: Company, kind: str, record: Record) -> Iterator[str]:
    for code, value in record["custom_fields"].items():
        if company.fields[kind][code]["field_type"] in _SEARCHED_TYPES:
            yield str(value["value"] if isinstance(value, dict) else value)


def _item(company: Company, kind: str, record: Record) -> Record:
    """Search has its own shapes: emails and phones as plain lists, owner as an object."""
    owner = None if record["owner_id"] is None else {"id": record["owner_id"]}
    common: Record = {"id": record["id"], "visible_to": 3, "owner": owner}
    common["custom_fields"] = list(_custom_texts(company, kind, record))
    if kind == "deals":
        keys = ("title", "value", "currency", "status", "is_archived")
        stage = company.get("stages", record["stage_id"])
        named = {"stage": stage and {"id": stage["id"], "name": stage["name"]}}
        named |= {"person": _short(company, "persons", record["person_id"])}
        named |= {"organization": _short(company, "organizations", record["org_id"])}
        return {**common, "type": "deal", **{k: record[k] for k in keys}, **named, "notes": []}
    if kind == "persons":
        ways = {k: [w["value"] for w in record[k]] for k in ("phones", "emails")}
        firm = _short(company, "organizations", record["org_id"])
        return {
            **common,
            "type": "person",
            "name": record["name"],
            **ways,
            "organization": firm,
            "notes": [],
        }
    if kind == "organizations":
        address = (record["address"] or {}).get("value")
        return {
            **common,
            "type": "organization",
            "name": record["name"],
            "address": address,
            "notes": [],
        }
    return {**common, "type": "product", "name": record["name"], "code": record["code"]}


def _short(company: Company, kind: str, key: int | None) -> Record | None:
    record = company.get(kind, key)
    return None if record is None else {"id": record["id"], "name": record["name"]}


def _field_routes() -> Iterator[Route]:
    needs = ("field_name", "field_type")
    one: schema.Types = {"include_fields": "csv"}
    for path, kind in PATHS.items():
        types = {k: v for k, v in schema.FIELD.items() if k not in _NOT_ON.get(kind, ())}
        yield Route("GET", path, 10, _list(kind), schema.FIELD_LIST)
        yield Route("GET", f"{path}/*", 1, _get(kind), one)
        yield Route("POST", path, 5, _create(kind), {}, types, needs)
        yield Route("DELETE", f"{path}/*", 3, _delete(kind))


ROUTES = (
    *_field_routes(),
    *(
        Route("GET", f"{kind}/search", 20, _search(kind), types, search=True)
        for kind, types in schema.SEARCH.items()
    ),
    Route("GET", "itemSearch", 20, _search_items, schema.ITEM_SEARCH, search=True),
)
