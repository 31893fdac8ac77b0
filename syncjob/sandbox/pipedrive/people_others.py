"""Acts on organizations, persons, products, users, fields and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.pipedrive import contacts, fields
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.people import (
    Payload,
    acting_user,
    add_pipeline,
    resolve,
    with_fields,
)

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer

Act = Callable[["PipedriveServer", Payload], Record]


def _sent(company: Company, kind: str, payload: Payload) -> Record:
    """Emails and phones may be plain texts, an address one line, other records names."""
    sent = {k: v for k, v in payload.items() if k not in ("user", "id")}
    for name, (key, target) in {
        "org": ("org_id", "organizations"),
        "owner": ("owner_id", "users"),
    }.items():
        if name in sent:
            ref = sent.pop(name)
            sent[key] = None if ref is None else resolve(company, target, ref)
    for single, plural in (("email", "emails"), ("phone", "phones")):
        if single in sent:
            sent[plural] = [sent.pop(single)]
        if plural in sent:
            sent[plural] = [v if isinstance(v, dict) else {"value": v} for v in sent[plural] if v]
    if isinstance(sent.get("address"), str):
        sent["address"] = {"value": sent["address"]}
    if kind == "products" and "price" in sent:
        currency = sent.pop("currency", company.options.currency)
        sent["prices"] = [{"price": sent.pop("price"), "currency": currency}]
    if kind == "products" and isinstance(sent.get("category"), str):
        sent["category"] = fields.category_named(company, sent["category"])
    return with_fields(company, kind, sent)


def _creator(kind: str) -> Act:
    def create(server: PipedriveServer, payload: Payload) -> Record:
        sent = _sent(server.company, kind, payload)
        user = acting_user(server, payload)
        return contacts.create(server.company, kind, sent, user, payload.get("id"))

    return create


def _editor(kind: str, name: str) -> Act:
    def edit(server: PipedriveServer, payload: Payload) -> Record:
        key = resolve(server.company, kind, payload[name])
        rest = {k: v for k, v in payload.items() if k != name}
        return contacts.edit(server.company, kind, key, _sent(server.company, kind, rest))

    return edit


def _deleter(kind: str, name: str) -> Act:
    def delete(server: PipedriveServer, payload: Payload) -> Record:
        return contacts.delete(server.company, kind, resolve(server.company, kind, payload[name]))

    return delete


def _restorer(kind: str, name: str) -> Act:
    """Within 30 days people bring back what they deleted; it is named by its id."""

    def restore(server: PipedriveServer, payload: Payload) -> Record:
        company, key = server.company, payload[name]
        found = company.get(kind, key)
        if found is None or not found["is_deleted"]:
            raise ActError(f"no deleted record {key!r} among the {kind}")
        return company.change(kind, key, {"is_deleted": False})

    return restore


def _merger(kind: str) -> Act:
    def merge(server: PipedriveServer, payload: Payload) -> Record:
        company = server.company
        loser = resolve(company, kind, payload["loser"])
        return contacts.merge(company, kind, loser, resolve(company, kind, payload["winner"]))

    return merge


def create_user(server: PipedriveServer, payload: Payload) -> Record:
    email = payload.get("email", f"user@{server.options.company_domain}.example")
    admin = bool(payload.get("admin", False))
    return contacts.create_user(server.company, payload["name"], email, payload.get("id"), admin)


def deactivate_user(server: PipedriveServer, payload: Payload) -> Record:
    """The user stays in lists with active_flag false; deals keep their owner."""
    key = resolve(server.company, "users", payload["user"])
    return server.company.change("users", key, {"active_flag": False})


def create_field(server: PipedriveServer, payload: Payload) -> Record:
    kind, type_ = payload.get("kind", "deals"), payload.get("type", "varchar")
    return fields.create_field(server.company, kind, payload["name"], type_, payload.get("options"))


def _field(server: PipedriveServer, payload: Payload) -> tuple[str, Record]:
    kind = payload.get("kind", "deals")
    field = fields.find_field(server.company, kind, payload["field"])
    if field is None:
        raise ActError(f"no field {payload['field']!r} on {kind}")
    return kind, field


def rename_field(server: PipedriveServer, payload: Payload) -> Record:
    kind, field = _field(server, payload)
    renamed = {**field, "field_name": payload["name"]}
    server.company.fields[kind][field["field_code"]] = renamed
    return renamed


def delete_field(server: PipedriveServer, payload: Payload) -> Record:
    kind, field = _field(server, payload)
    return fields.drop_field(server.company, kind, field["field_code"])


def create_pipeline(server: PipedriveServer, payload: Payload) -> Record:
    return add_pipeline(server.company, payload["name"], payload["stages"])


def regenerate_token(server: PipedriveServer, payload: Payload) -> Record:
    """A new API token for the user; the old one is dead at once."""
    user = acting_user(server, payload)
    _kill_tokens(server, user)
    token = str(payload.get("token") or server.company.entropy.hex(40))
    server.tokens[token] = user
    return {"user_id": user, "api_token": token}


def revoke_token(server: PipedriveServer, payload: Payload) -> Record:
    user = acting_user(server, payload)
    _kill_tokens(server, user)
    return {"user_id": user, "api_token": None}


def _kill_tokens(server: PipedriveServer, user: int) -> None:
    kept = server.options.bearer_tokens
    server.tokens = {t: u for t, u in server.tokens.items() if u != user or t in kept}


OTHER_ACTS: dict[str, Callable[[Any, Payload], Record]] = {
    "create_org": _creator("organizations"),
    "edit_org": _editor("organizations", "org"),
    "delete_org": _deleter("organizations", "org"),
    "restore_org": _restorer("organizations", "org"),
    "merge_orgs": _merger("organizations"),
    "create_person": _creator("persons"),
    "edit_person": _editor("persons", "person"),
    "delete_person": _deleter("persons", "person"),
    "restore_person": _restorer("persons", "person"),
    "merge_persons": _merger("persons"),
    "merge_deals": _merger("deals"),
    "create_product": _creator("products"),
    "edit_product": _editor("products", "product"),
    "create_user": create_user,
    "deactivate_user": deactivate_user,
    "create_field": create_field,
    "rename_field": rename_field,
    "delete_field": delete_field,
    "create_pipeline": create_pipeline,
    "regenerate_token": regenerate_token,
    "revoke_token": revoke_token,
}
