"""What sales people do to deals in the browser; each act returns the record it left."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.pipedrive import contacts, deals, fields, rows
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import stamp_of

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer

Payload = dict[str, Any]
_DEAL_LINKS = {
    "org": ("org_id", "organizations"),
    "person": ("person_id", "persons"),
    "owner": ("owner_id", "users"),
    "pipeline": ("pipeline_id", "pipelines"),
    "stage": ("stage_id", "stages"),
}
_LINE_NAMES = {"price": "item_price", "enabled": "is_enabled", "tax_percent": "tax"}
_TIMES = ("add_time", "update_time", "won_time", "lost_time", "close_time", "archive_time")


def resolve(company: Company, kind: str, ref: Any) -> int:
    """A record by its id, the id a file knew it by, its name, title or product code."""
    if isinstance(ref, int) and ref in company.tables[kind].rows:
        return ref
    text = str(ref)
    if text in company.external[kind]:
        return int(company.external[kind][text])
    if text.isdigit() and int(text) in company.tables[kind].rows:
        return int(text)
    for key in ("name", "title", "code", "email"):
        found = [
            r["id"] for r in company.all(kind) if r.get(key) == ref and not r.get("is_deleted")
        ]
        if found:
            return int(found[0])
    raise ActError(f"no {kind[:-1]} {ref!r}")


def acting_user(server: PipedriveServer, payload: Payload) -> int:
    first = next(iter(server.tokens.values()), None)
    named = payload.get("user")
    return resolve(server.company, "users", named) if named is not None else int(first or 900_001)


def _linked(company: Company, payload: Payload) -> Record:
    """Names of other records to ids, times to stamps, custom fields by name to codes."""
    sent = {
        k: v for k, v in payload.items() if k not in ("lines", "discounts", "installments", "user")
    }
    for name, (key, kind) in _DEAL_LINKS.items():
        if name in sent:
            ref = sent.pop(name)
            sent[key] = None if ref is None else resolve(company, kind, ref)
    for name in _TIMES:
        if isinstance(sent.get(name), str):
            sent[name] = stamp_of(sent[name])
    return sent


def with_fields(company: Company, kind: str, sent: Record) -> Record:
    """`fields` by name or code; None clears one."""
    values = sent.pop("fields", None)
    if not values:
        return sent
    made: Record = {}
    for name, value in values.items():
        field = fields.find_field(company, kind, name)
        if field is None:
            raise ActError(f"no custom field {name!r} on {kind}")
        made[field["field_code"]] = (
            None if value is None else fields.person_value(company, field, value)
        )
    return {**sent, "custom_fields": made}


def create_deal(server: PipedriveServer, payload: Payload) -> Record:
    company, user = server.company, acting_user(server, payload)
    sent = with_fields(company, "deals", _linked(company, payload))
    wanted = sent.pop("id", None)
    archived = sent.pop("is_archived", False)
    made = deals.create(company, sent, user, wanted)
    for line in payload.get("lines", ()):
        rows.add_row(company, made["id"], line_sent(server, line, user), revalue=False)
    if payload.get("lines"):
        deals.revalue(company, made["id"])
    for discount in payload.get("discounts", ()):
        rows.add_discount(company, made["id"], {"description": "", **discount}, user)
    for part in payload.get("installments", ()):
        rows.add_installment(company, made["id"], {"description": "", **part})
    if archived:
        deals.edit(company, made["id"], {"is_archived": True})
    return _deal(company, made["id"])


def line_sent(server: PipedriveServer, line: Payload, user: int) -> Record:
    """A line as people name it: the product by name, code or id; made if it is not there."""
    company = server.company
    sent = {
        _LINE_NAMES.get(k, k): v
        for k, v in line.items()
        if k not in ("product", "name", "code", "category")
    }
    if "product_id" not in sent:
        ref = line.get("product", line.get("code", line.get("name")))
        try:
            sent["product_id"] = resolve(company, "products", ref)
        except ActError:
            new = {"name": str(line.get("name", ref)), "code": line.get("code")}
            if line.get("category"):
                new["category"] = fields.category_named(company, line["category"])
            sent["product_id"] = contacts.create(company, "products", new, user)["id"]
    return {"quantity": 1, "item_price": Decimal(0), **sent}


def _deal(company: Company, key: int) -> Record:
    record = company.get("deals", key)
    assert record is not None
    parts = {"lines": "rows", "discounts": "discounts", "installments": "installments"}
    return {**record, **{name: company.children(kind, key) for name, kind in parts.items()}}


def _deal_id(server: PipedriveServer, payload: Payload) -> int:
    return resolve(server.company, "deals", payload["deal"])


def edit_deal(server: PipedriveServer, payload: Payload) -> Record:
    company, key = server.company, _deal_id(server, payload)
    sent = with_fields(
        company, "deals", _linked(company, {k: v for k, v in payload.items() if k != "deal"})
    )
    deals.edit(company, key, sent)
    return _deal(company, key)


def _setter(**values: Any) -> Callable[[PipedriveServer, Payload], Record]:
    return lambda server, payload: edit_deal(server, {**values, **payload})


def delete_deal(server: PipedriveServer, payload: Payload) -> Record:
    return deals.delete(server.company, _deal_id(server, payload))


def add_line(server: PipedriveServer, payload: Payload) -> Record:
    line = payload.get("line") or {k: v for k, v in payload.items() if k not in ("deal", "user")}
    user = acting_user(server, payload)
    return rows.add_row(server.company, _deal_id(server, payload), line_sent(server, line, user))


def _row_of(server: PipedriveServer, payload: Payload) -> tuple[int, int]:
    key = int(payload["line"])
    row = server.company.get("rows", key)
    if row is None:
        raise ActError(f"no line {key}")
    return int(row["deal_id"]), key


def edit_line(server: PipedriveServer, payload: Payload) -> Record:
    deal_id, key = _row_of(server, payload)
    sent = {
        _LINE_NAMES.get(k, k): v for k, v in payload.items() if k not in ("line", "deal", "product")
    }
    if "product" in payload:
        sent["product_id"] = resolve(server.company, "products", payload["product"])
    return rows.edit_row(server.company, deal_id, key, sent)


def disable_line(server: PipedriveServer, payload: Payload) -> Record:
    return edit_line(server, {"line": payload["line"], "is_enabled": False})


def remove_line(server: PipedriveServer, payload: Payload) -> Record:
    deal_id, key = _row_of(server, payload)
    rows.remove_row(server.company, deal_id, key)
    return _deal(server.company, deal_id)


def add_discount(server: PipedriveServer, payload: Payload) -> Record:
    sent: dict[str, Any] = {k: payload[k] for k in ("type", "amount")}
    sent["description"] = payload.get("description", "")
    user = acting_user(server, payload)
    return rows.add_discount(server.company, _deal_id(server, payload), sent, user)


def add_installments(server: PipedriveServer, payload: Payload) -> Record:
    deal_id = _deal_id(server, payload)
    for part in payload["installments"]:
        rows.add_installment(server.company, deal_id, {"description": "", **part})
    return _deal(server.company, deal_id)


def edit_installment(server: PipedriveServer, payload: Payload) -> Record:
    """What changes of one instalment, named by its id."""
    sent: Payload = {
        k: payload[k] for k in ("amount", "billing_date", "description") if k in payload
    }
    deal_id = _deal_id(server, payload)
    return rows.edit_installment(server.company, deal_id, int(payload["installment"]), sent)


def remove_installment(server: PipedriveServer, payload: Payload) -> Record:
    deal_id = _deal_id(server, payload)
    rows.remove_installment(server.company, deal_id, int(payload["installment"]))
    return _deal(server.company, deal_id)


def win_all(server: PipedriveServer, payload: Payload) -> Record:
    """Wins every open deal that is not archived; returns their ids."""
    company = server.company
    found = [d["id"] for d in company.all("deals") if d["status"] == "open"]
    found = [
        k
        for k in found
        if company.live("deals", k) and not company.tables["deals"].rows[k].record["is_archived"]
    ]
    for key in found:
        deals.edit(company, key, {"status": "won"})
    return {"deals": found}


def add_pipeline(company: Company, name: str, stages: tuple[str, ...] | list[str]) -> Record:
    common: Record = {"is_deleted": False}
    order = len(company.tables["pipelines"].rows) + 1
    made = company.add(
        "pipelines",
        {**common, "name": name, "order_nr": order, "is_deal_probability_enabled": True},
    )
    for n, stage in enumerate(stages, 1):
        share = 100 * n // (len(stages) + 1)
        rot: Record = {"is_deal_rot_enabled": False, "days_to_rotten": None}
        place: Record = {"order_nr": n, "pipeline_id": made["id"], "deal_probability": share}
        company.add("stages", {**common, **place, **rot, "name": stage})
    return made


DEAL_ACTS: dict[str, Callable[[Any, Payload], Record]] = {
    "create_deal": create_deal,
    "edit_deal": edit_deal,
    "move_stage": edit_deal,
    "win": _setter(status="won"),
    "lose": _setter(status="lost"),
    "reopen": _setter(status="open"),
    "archive_deal": _setter(is_archived=True),
    "unarchive_deal": _setter(is_archived=False),
    "delete_deal": delete_deal,
    "win_all": win_all,
    "add_line": add_line,
    "edit_line": edit_line,
    "disable_line": disable_line,
    "remove_line": remove_line,
    "add_discount": add_discount,
    "add_installments": add_installments,
    "edit_installment": edit_installment,
    "remove_installment": remove_installment,
}
