"""Associations, owners, pipelines, properties, tax rates and the account itself."""

from __future__ import annotations

from typing import Any

from syncjob.sandbox.hubspot import associations, life, properties
from syncjob.sandbox.hubspot.api_batches import answered
from syncjob.sandbox.hubspot.api_objects import kind_of, number_of
from syncjob.sandbox.hubspot.limits import zone
from syncjob.sandbox.hubspot.options import OBJECT_TYPES
from syncjob.sandbox.hubspot.routing import Answer, Call, Route, scope, type_of
from syncjob.sandbox.hubspot.wire import Refusal, bad_input, iso, not_found, whole

ASSOCIATIONS_READ_MAX, ASSOCIATIONS_WRITE_MAX = 1_000, 2_000
ASSOCIATIONS_PAGE = 500  # of one record in one answer (the vendor's page, assumed)
OWNERS_MAX = 500

# --- associations -----------------------------------------------------------------------------


def _pair(call: Call) -> tuple[str, str]:
    pair = (kind_of(call, 0), kind_of(call, 1))
    if pair not in associations.DEFAULT:
        raise bad_input(f"{pair[0]} and {pair[1]} cannot be associated")
    return pair


def read_associations(call: Call) -> Answer:
    """An old id of a merge has none (facts: hubspot, 5e); what has none is left out."""
    kind, to = _pair(call)
    results, errors = [], []
    for one in call.inputs(ASSOCIATIONS_READ_MAX):
        key = number_of(one.get("id"))
        found = associations.live_links(call.store, kind, key, to)
        start = _start(one.get("after"), found)
        page = found[start : start + ASSOCIATIONS_PAGE]
        if not page:
            errors.append(_none(kind, to, key))
            continue
        row: dict[str, Any] = {
            "from": {"id": str(key)},
            "to": [associations.shown((kind, to), other, types) for other, types in page],
        }
        if len(found) > start + ASSOCIATIONS_PAGE:
            row["paging"] = {"next": {"after": str(page[-1][0]), "link": ""}}
        results.append(row)
    return answered(call, results, errors)


def _start(after: Any, found: list[tuple[int, tuple[int, ...]]]) -> int:
    if after in (None, ""):
        return 0
    ids = [str(other) for other, _ in found]
    if str(after) not in ids:
        raise bad_input("after is what the last page gave")
    return ids.index(str(after)) + 1


def _none(kind: str, to: str, key: int) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {to} is associated with {kind} {key}.",
        "context": {"fromObjectId": [str(key)], "toObjectType": [to], "fromObjectType": [kind]},
    }


def create_associations(call: Call) -> Answer:
    """[{from: {id}, to: {id}, types: [{associationCategory, associationTypeId}]}]"""
    kind, to = _pair(call)
    results = []
    for one in call.inputs(ASSOCIATIONS_WRITE_MAX):
        key, other = _ends(one)
        for type_id in _types(one.get("types"), default=associations.DEFAULT[kind, to]):
            associations.associate(call.store, kind, key, to, other, type_id)
        life.retied(call.store, kind, key, [(to, other)])
        results.append(
            {"fromObjectTypeId": kind, "fromObjectId": key, "toObjectTypeId": to,
             "toObjectId": other, "labels": []}
        )  # fmt: skip
    return answered(call, results, [], done=201, wrote=True)


def archive_associations(call: Call) -> Answer:
    kind, to = _pair(call)
    for one in call.inputs(ASSOCIATIONS_WRITE_MAX):
        key = _ends({**one, "to": {"id": "0"}})[0]
        for end in one["to"] if isinstance(one.get("to"), list) else [one.get("to")]:
            other = _ends({"from": {"id": str(key)}, "to": end})[1]
            associations.dissociate(call.store, kind, key, to, other)
            life.retied(call.store, kind, key, [(to, other)])
    return Answer(None, 204, wrote=True)


def _ends(one: dict[str, Any]) -> tuple[int, int]:
    ends = (one.get("from"), one.get("to"))
    if not all(isinstance(e, dict) and "id" in e for e in ends):
        raise bad_input("an association has from.id and to.id")
    return number_of(one["from"]["id"]), number_of(one["to"]["id"])


def _types(sent: Any, default: int) -> list[int]:
    if sent is None:
        return [default]
    if not isinstance(sent, list) or not sent:
        raise bad_input("types is a list")
    found = [t.get("associationTypeId") if isinstance(t, dict) else None for t in sent]
    if not all(isinstance(t, int) for t in found):
        raise bad_input("a type has an associationTypeId")
    return [int(t) for t in found if t is not None]


def labels(call: Call) -> Answer:
    pair = _pair(call)
    found = associations.known_types(pair)
    rows = [{"category": "HUBSPOT_DEFINED", "typeId": t, "label": associations.label(pair, t)}
            for t in found]  # fmt: skip
    return Answer({"results": rows})


def _tied_scopes(act: str) -> Any:
    def scopes(keys: tuple[str, ...]) -> tuple[str, ...]:
        kinds = [type_of(k) for k in keys[:2]]
        return tuple(scope(k, act) for k in kinds if k is not None)

    return scopes


# --- owners, pipelines, tax rates, account ----------------------------------------------------


def owners(call: Call) -> Answer:
    """Archived owners only when asked for; they have no userId (facts: hubspot, 5d)."""
    limit = whole(call.arg("limit"), "limit", 100, OWNERS_MAX)
    archived, email = call.flag("archived"), call.arg("email")
    after = call.arg("after")
    start = number_of(after) if after else 0
    found = [o for o in call.store.owners.values()
             if o["archived"] is archived and o["id"] > start
             and (email is None or (o["email"] or "").lower() == email.lower())]  # fmt: skip
    found.sort(key=lambda o: o["id"])
    body: dict[str, Any] = {"results": [_owner(o) for o in found[:limit]]}
    if len(found) > limit:
        body["paging"] = {"next": {"after": str(found[limit - 1]["id"]), "link": ""}}
    return Answer(body)


def owner(call: Call) -> Answer:
    found = call.store.owners.get(number_of(call.keys[0]))
    if found is None or found["archived"] is not call.flag("archived"):
        raise not_found()
    return Answer(_owner(found))


def _owner(found: dict[str, Any]) -> dict[str, Any]:
    archived = found["archived"]
    return {
        "id": str(found["id"]),
        "email": found["email"],
        "type": "PERSON",
        "firstName": found["first"],
        "lastName": found["last"],
        "userId": None if archived else found["user_id"],
        "userIdIncludingInactive": found["user_id"],
        "createdAt": iso(found["created"]),
        "updatedAt": iso(found["updated"]),
        "archived": archived,
    }


def pipelines(call: Call) -> Answer:
    return Answer({"results": [p for p in _pipelines(call).values() if not p["archived"]]})


def pipeline(call: Call) -> Answer:
    found = _pipelines(call).get(call.keys[1])
    if found is None or found["archived"]:
        raise not_found()
    return Answer(found)


def _pipelines(call: Call) -> dict[str, dict[str, Any]]:
    if kind_of(call) != "deals":
        raise Refusal(400, f"Object type {call.keys[0]} has no pipelines here")
    return {
        k: {**p, "stages": [s for s in p["stages"] if not s["archived"]]}
        for k, p in call.store.pipelines.items()
    }


def tax_rates(call: Call) -> Answer:
    active = call.arg("active")
    rows = [t for t in call.store.tax_rates.values()
            if active is None or t["active"] is (active == "true")]  # fmt: skip
    return Answer({"results": [_tax_rate(t) for t in rows]})


def tax_rate(call: Call) -> Answer:
    found = call.store.tax_rates.get(number_of(call.keys[0]))
    if found is None:
        raise not_found()
    return Answer(_tax_rate(found))


def _tax_rate(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "id": str(found["id"])}


def details(call: Call) -> Answer:
    options = call.options
    offset = call.store.clock.now().astimezone(zone(options.timezone)).utcoffset()
    seconds = 0 if offset is None else int(offset.total_seconds())
    sign = "-" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    others = [c for c in options.active_currencies if c != options.currency]
    return Answer(
        {
            "portalId": options.portal_id,
            "accountType": "STANDARD",
            "timeZone": options.timezone,
            "companyCurrency": options.currency,
            "additionalCurrencies": others,
            "utcOffset": f"{sign}{hours:02d}:{minutes:02d}",
            "utcOffsetMilliseconds": seconds * 1000,
            "uiDomain": options.ui_domain,
            "dataHostingLocation": "eu1",
        }
    )


def usage(call: Call) -> Answer:
    """The day's calls of the account's private apps."""
    row = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.options.day_limit,
        "currentUsage": call.limits.used,
        "collectedAt": iso(call.store.now()),
        "fetchStatus": "SUCCESS",
        "resetsAt": call.limits.resets_at().isoformat().replace("+00:00", "Z"),
    }
    return Answer({"results": [row]})


# --- properties -------------------------------------------------------------------------------


def list_properties(call: Call) -> Answer:
    return Answer({"results": properties.listed(call.store, kind_of(call), call.flag("archived"))})


def read_property(call: Call) -> Answer:
    kind = kind_of(call)
    found = properties.get(call.store, kind, call.keys[1], call.flag("archived"))
    return Answer(properties.shown(call.store, kind, found))


def create_property(call: Call) -> Answer:
    return Answer(properties.create(call.store, kind_of(call), call.sent), 201, wrote=True)


def batch_create_properties(call: Call) -> Answer:
    kind = kind_of(call)
    made = [properties.create(call.store, kind, one) for one in call.inputs(100)]
    return answered(call, made, [], done=201, wrote=True)


def batch_read_properties(call: Call) -> Answer:
    kind, results, errors = kind_of(call), [], []
    for one in call.inputs(100):
        name = str(one.get("name"))
        try:
            found = properties.get(call.store, kind, name)
        except Refusal as refused:
            errors.append({"status": "error", "category": "OBJECT_NOT_FOUND",
                           "message": refused.message, "context": {"name": [name]}})  # fmt: skip
        else:
            results.append(properties.shown(call.store, kind, found))
    return answered(call, results, errors)


def update_property(call: Call) -> Answer:
    made = properties.update(call.store, kind_of(call), call.keys[1], call.sent)
    return Answer(made, wrote=True)


def archive_property(call: Call) -> Answer:
    properties.archive(call.store, kind_of(call), call.keys[1])
    return Answer(None, 204, wrote=True)


def groups(call: Call) -> Answer:
    return Answer({"results": list(call.store.groups[kind_of(call)].values())})


def read_group(call: Call) -> Answer:
    return Answer(properties.group(call.store, kind_of(call), call.keys[1]))


def create_group(call: Call) -> Answer:
    return Answer(properties.create_group(call.store, kind_of(call), call.sent), 201, wrote=True)


def _schema_scope(act: str) -> Any:
    def scopes(keys: tuple[str, ...]) -> tuple[str, ...]:
        """Reading definitions goes with reading records; making them needs the schema's scope."""
        kind = type_of(keys[0])
        if kind is None or kind not in OBJECT_TYPES:
            return ()
        if act == "read":
            return (scope(kind, "read"),)
        if kind in ("tasks", "notes", "products"):
            return (scope(kind, "write"),)
        return (f"crm.schemas.{kind}.write",)

    return scopes


def _fixed(*names: str) -> Any:
    return lambda _keys: names


_ASSOCIATIONS, _PROPERTIES = "crm/associations", "crm/properties"
ROUTES = (
    Route("POST", _ASSOCIATIONS, "{type}/{type}/batch/read", read_associations,
          _tied_scopes("read"), "associations"),
    Route("POST", _ASSOCIATIONS, "{type}/{type}/batch/create", create_associations,
          _tied_scopes("write"), "associations"),
    Route("POST", _ASSOCIATIONS, "{type}/{type}/batch/archive", archive_associations,
          _tied_scopes("write"), "associations"),
    Route("GET", _ASSOCIATIONS, "{type}/{type}/labels", labels, _tied_scopes("read"),
          "associations"),
    Route("GET", "crm/owners", "", owners, _fixed("crm.objects.owners.read")),
    Route("GET", "crm/owners", "{id}", owner, _fixed("crm.objects.owners.read")),
    Route("GET", "crm/pipelines", "{type}", pipelines, _fixed("crm.objects.deals.read")),
    Route("GET", "crm/pipelines", "{type}/{id}", pipeline, _fixed("crm.objects.deals.read")),
    Route("GET", "tax-rates", "tax-rates", tax_rates, _fixed("tax_rates.read")),
    Route("GET", "tax-rates", "tax-rates/{id}", tax_rate, _fixed("tax_rates.read")),
    Route("GET", "account-info", "details", details, _fixed()),
    Route("GET", "account-info", "api-usage/daily/private-apps", usage, _fixed()),
    Route("GET", _PROPERTIES, "{type}", list_properties, _schema_scope("read")),
    Route("POST", _PROPERTIES, "{type}", create_property, _schema_scope("write")),
    Route("POST", _PROPERTIES, "{type}/batch/create", batch_create_properties,
          _schema_scope("write")),
    Route("POST", _PROPERTIES, "{type}/batch/read", batch_read_properties, _schema_scope("read")),
    Route("GET", _PROPERTIES, "{type}/groups", groups, _schema_scope("read")),
    Route("POST", _PROPERTIES, "{type}/groups", create_group, _schema_scope("write")),
    Route("GET", _PROPERTIES, "{type}/groups/{id}", read_group, _schema_scope("read")),
    Route("GET", _PROPERTIES, "{type}/{id}", read_property, _schema_scope("read")),
    Route("PATCH", _PROPERTIES, "{type}/{id}", update_property, _schema_scope("write")),
    Route("DELETE", _PROPERTIES, "{type}/{id}", archive_property, _schema_scope("write")),
)  # fmt: skip
