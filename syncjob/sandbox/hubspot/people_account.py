"""Acts of admins on the account: owners, properties, pipelines, rules and credentials."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot import associations, dumping, life, properties
from syncjob.sandbox.hubspot.naming import Payload, owner_id, resolve
from syncjob.sandbox.hubspot.people_lines import tax_rate
from syncjob.sandbox.hubspot.store import Store
from syncjob.sandbox.hubspot.wire import iso
from syncjob.sandbox.kernel import ActError

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

FIRST_OWNER_ID = 900_001
_KINDS = {"organizations": "companies", "persons": "contacts", "orgs": "companies"}
_TYPES = {
    "varchar": ("string", "text"), "text": ("string", "textarea"), "double": ("number", "number"),
    "monetary": ("number", "number"), "date": ("date", "date"), "datetime": ("datetime", "date"),
    "enum": ("enumeration", "select"), "set": ("enumeration", "checkbox"),
    "phone": ("string", "phonenumber"), "bool": ("bool", "booleancheckbox"),
}  # fmt: skip
_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)


def kind_named(word: str) -> str:
    return _KINDS.get(word, word)


def found_account(store: Store) -> None:
    """What a new account has: one owner and the default pipeline."""
    new_owner(store, "Api User", f"api@{store.options.portal_id}.example", FIRST_OWNER_ID)
    now = iso(store.now())
    stages = [stage(k, label, p, n) for n, (k, label, p) in enumerate(_STAGES)]
    store.pipelines["default"] = pipeline("default", "Sales Pipeline", 0, stages, now)


def stage(key: str, label: str, probability: str, order: int) -> dict[str, Any]:
    """A stage; its metadata are texts, and 1.0 or 0.0 closes it (facts: hubspot, 5d)."""
    closed = float(probability) in (0.0, 1.0)
    return {"id": key, "label": label, "displayOrder": order, "archived": False,
            "metadata": {"isClosed": "true" if closed else "false",
                         "probability": probability}}  # fmt: skip


def pipeline(
    key: str, label: str, order: int, stages: list[dict[str, Any]], now: str
) -> dict[str, Any]:
    return {"id": key, "label": label, "displayOrder": order, "archived": False,
            "createdAt": now, "updatedAt": now, "stages": stages}  # fmt: skip


def new_owner(store: Store, name: str, email: str, wanted: int | None = None) -> dict[str, Any]:
    first, _, last = name.partition(" ")
    key = wanted if wanted and wanted not in store.owners else FIRST_OWNER_ID + len(store.owners)
    now = store.now()
    made = {"id": key, "user_id": 5_000_000 + key, "email": email, "first": first, "last": last,
            "archived": False, "created": now, "updated": now}  # fmt: skip
    store.owners[key] = made
    return made


def create_user(server: HubSpotServer, payload: Payload) -> Payload:
    name = str(payload["name"])
    email = payload.get("email", f"{name.split()[0].lower()}@{server.options.portal_id}.example")
    return dumping.owner(new_owner(server.store, name, email, payload.get("id")))


def deactivate_user(server: HubSpotServer, payload: Payload) -> Payload:
    """The owner is archived and loses the userId; deals keep their owner."""
    found = server.store.owners[owner_id(server.store, payload["user"])]
    found |= {"archived": True, "updated": server.store.now()}
    return dumping.owner(found)


def create_field(server: HubSpotServer, payload: Payload) -> Payload:
    kind = kind_named(payload.get("kind", "deals"))
    given = payload.get("type", "varchar")
    if given not in _TYPES:
        raise ActError(f"no type {given!r}; one of {', '.join(_TYPES)}")
    type_, field_type = _TYPES[given]
    label = str(payload["name"])
    slug = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
    sent: Payload = {
        "name": slug if slug[:1].isalpha() else f"p_{slug}", "label": label, "type": type_,
        "fieldType": field_type, "hasUniqueValue": bool(payload.get("unique", False)),
        "groupName": next(iter(server.store.groups[kind])),
    }  # fmt: skip
    words = payload.get("options") or (["true", "false"] if type_ == "bool" else [])
    if words:
        sent["options"] = [
            {"label": str(w["label"] if isinstance(w, dict) else w),
             "value": str(w["label"] if isinstance(w, dict) else w)} for w in words
        ]  # fmt: skip
    made = properties.create(server.store, kind, sent)
    return {"id": made["name"], "field_code": made["name"], "field_name": made["label"]}


def _field(server: HubSpotServer, payload: Payload) -> tuple[str, dict[str, Any]]:
    kind = kind_named(payload.get("kind", "deals"))
    for name, found in server.store.definitions[kind].items():
        if payload["field"] in (name, found["label"]) and not found["archived"]:
            return kind, found
    raise ActError(f"no field {payload['field']!r} on {kind}")


def rename_field(server: HubSpotServer, payload: Payload) -> Payload:
    """A new label; the internal name stays."""
    kind, found = _field(server, payload)
    made = properties.update(server.store, kind, found["name"], {"label": payload["name"]})
    return {"id": made["name"], "field_code": made["name"], "field_name": made["label"]}


def delete_field(server: HubSpotServer, payload: Payload) -> Payload:
    kind, found = _field(server, payload)
    properties.archive(server.store, kind, found["name"])
    return {"id": found["name"], "field_code": found["name"], "field_name": found["label"]}


def create_pipeline(server: HubSpotServer, payload: Payload) -> Payload:
    """Stages as named, then a won and a lost one; own pipelines have numbers for ids.

    A stage is open unless it is {name, probability} with the probability 1.0 or 0.0.
    """
    store = server.store
    key = str(610_000_000 + 1000 * len(store.pipelines))
    given = [s if isinstance(s, dict) else {"name": s} for s in payload["stages"]]
    shares = [f"{(i + 1) / (len(given) + 1):.2f}" for i in range(len(given))]
    rows = [
        (str(s["name"]), str(s.get("probability", share)))
        for s, share in zip(given, shares, strict=True)
    ]
    rows += [("Closed won", "1.0"), ("Closed lost", "0.0")]
    stages = [stage(str(int(key) + 1 + i), n, p, i) for i, (n, p) in enumerate(rows)]
    now = iso(store.now())
    made = pipeline(key, str(payload["name"]), len(store.pipelines), stages, now)
    store.pipelines[key] = made
    return {"id": key, "name": made["label"], "stages": [dict(s) for s in stages]}


def add_stage(server: HubSpotServer, payload: Payload) -> Payload:
    """One more open stage of a pipeline, before its closed ones."""
    found = server.store.pipelines[str(payload["pipeline"])]
    key = str(611_000_000 + sum(len(p["stages"]) for p in server.store.pipelines.values()))
    opened = [s for s in found["stages"] if s["metadata"]["isClosed"] == "false"]
    made = stage(key, str(payload["name"]), "0.5", len(opened))
    found["stages"] = [*opened, made, *[s for s in found["stages"] if s not in opened]]
    return {"id": key, "name": made["label"]}


def edit_stage(server: HubSpotServer, payload: Payload) -> Payload:
    """A stage's label or probability; what is won follows at once for all its deals."""
    store = server.store
    for one in store.pipelines.values():
        for row in one["stages"]:
            if str(payload["stage"]) in (row["id"], row["label"]):
                row["label"] = payload.get("name", row["label"])
                if "probability" in payload:
                    text = str(payload["probability"])
                    row["metadata"] = stage(row["id"], "", text, 0)["metadata"]
                _recalculate(store, row["id"])
                return {"id": row["id"], "name": row["label"]}
    raise ActError(f"no stage {payload['stage']!r}")


def _recalculate(store: Store, key: str) -> None:
    for record in list(store.all("deals")):
        if record.props["dealstage"] == key:
            life.update(store, record, {"dealname": record.props.get("dealname")}, bump=False)


def create_tax_rate(server: HubSpotServer, payload: Payload) -> Payload:
    key = tax_rate(server, payload["percent"], payload.get("name"))
    return dict(server.store.tax_rates[key])


def add_rule(server: HubSpotServer, payload: Payload) -> Payload:
    """An admin's rule: `required` properties of a kind, `when` {property: [values]} or always."""
    kind = kind_named(payload.get("kind", "deals"))
    rule = {"kind": kind, "required": [str(n) for n in payload["required"]],
            "when": dict(payload.get("when") or {}), "on": payload.get("on", "any")}  # fmt: skip
    for name in (*rule["required"], *rule["when"]):
        properties.get(server.store, kind, name)
    server.store.rules.append(rule)
    return rule


def remove_rules(server: HubSpotServer, payload: Payload) -> Payload:
    removed = len(server.store.rules)
    server.store.rules.clear()
    return {"removed": removed}


def associate(server: HubSpotServer, payload: Payload) -> Payload:
    """Ties any two records: from_kind, from, to_kind, to, primary?"""
    store = server.store
    kind, to = kind_named(payload["from_kind"]), kind_named(payload["to_kind"])
    key, other = resolve(store, kind, payload["from"]), resolve(store, to, payload["to"])
    wanted = associations.PRIMARY.get((kind, to)) if payload.get("primary") else None
    associations.associate(store, kind, key, to, other, wanted)
    life.retied(store, kind, key, [(to, other)])
    return {"id": key, "to": other}


# --- credentials ------------------------------------------------------------------------------


def regenerate_token(server: HubSpotServer, payload: Payload) -> Payload:
    """A new token of the service key; the old one is dead at once."""
    scopes = tuple(payload.get("scopes") or server.options.scopes)
    server.tokens.clear()
    token = str(payload.get("token") or f"pat-eu1-{server.store.entropy.uuid()}")
    server.tokens[token] = scopes
    return {"access_token": token, "scopes": list(scopes)}


def revoke_token(server: HubSpotServer, payload: Payload) -> Payload:
    server.tokens.clear()
    return {"access_token": None}


def set_scopes(server: HubSpotServer, payload: Payload) -> Payload:
    """What the service key may do from now on; `without` takes scopes away."""
    for token, old in list(server.tokens.items()):
        kept = tuple(payload.get("scopes") or old)
        server.tokens[token] = tuple(s for s in kept if s not in payload.get("without", ()))
    return {"tokens": len(server.tokens)}


def give_consent(server: HubSpotServer, payload: Payload) -> Payload:
    """A super admin installs the app: a code for the given redirect_uri."""
    scopes = tuple(payload.get("scopes") or server.options.scopes)
    redirect = str(payload["redirect_uri"])
    return {"code": server.oauth.new_code(scopes, redirect, payload.get("code_challenge"))}


def uninstall_app(server: HubSpotServer, payload: Payload) -> Payload:
    server.oauth.uninstall()
    return {"tokens": 0}


ACCOUNT_ACTS: dict[str, Callable[[Any, Payload], Payload]] = {
    "create_user": create_user,
    "deactivate_user": deactivate_user,
    "create_field": create_field,
    "rename_field": rename_field,
    "delete_field": delete_field,
    "create_pipeline": create_pipeline,
    "add_stage": add_stage,
    "edit_stage": edit_stage,
    "create_tax_rate": create_tax_rate,
    "add_rule": add_rule,
    "remove_rules": remove_rules,
    "associate": associate,
    "regenerate_token": regenerate_token,
    "revoke_token": revoke_token,
    "set_scopes": set_scopes,
    "give_consent": give_consent,
    "uninstall_app": uninstall_app,
}
