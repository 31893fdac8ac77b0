"""The v2 calls on deals, their product rows, discounts and instalments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncjob.sandbox.pipedrive import checks, deals, rows, schema
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.routing import Answer, Call, Route, paged
from syncjob.sandbox.pipedrive.view import shown
from syncjob.sandbox.pipedrive.wire import invalid, not_found

SORTS = ("id", "update_time", "add_time")
_ROW_SORTS = ("id", "deal_id", "add_time", "update_time", "order_nr")
_FILTERS = ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id")
_MAX_BULK = 100


def _list(call: Call, archived: bool) -> Answer:
    stream = "deals/archived" if archived else "deals"
    return paged(call, "deals", _filtered(call.company, call.args, archived), SORTS, stream)


def _filtered(company: Company, args: Record, archived: bool) -> Iterator[Record]:
    """A filter id overrides the other conditions, as at the vendor; there are no filters here."""
    loose = "filter_id" in args
    ids = None if loose or "ids" not in args else set(checks.ids(args["ids"], "ids"))
    statuses = () if loose else args.get("status", ())
    for status in statuses:
        if status not in (*deals.STATUSES, "deleted"):
            raise invalid("status", f"Invalid value '{status}'")
    wanted = {} if loose else {k: args[k] for k in _FILTERS if k in args}
    since, until = args.get("updated_since"), args.get("updated_until")
    for deal in company.listed("deals"):
        if deal["is_archived"] is not archived or (ids is not None and deal["id"] not in ids):
            continue
        status = "deleted" if deal["is_deleted"] else deal["status"]
        if (status not in statuses) if statuses else status == "deleted":
            continue
        if within(deal, since, until) and all(deal[k] == v for k, v in wanted.items()):
            yield deal


def within(record: Record, since: int | None, until: int | None) -> bool:
    """From `since` on, before `until`, at whole seconds."""
    at = record["update_time"]
    return (since is None or at >= since) and (until is None or at < until)


def _get(call: Call) -> Answer:
    deal = call.company.get("deals", call.key)
    if deal is None:
        raise not_found("Deal")
    return Answer(shown(call.company, "deals", deal, call.args))


def _create(call: Call) -> Answer:
    made = deals.create(call.company, call.sent, call.user_id)
    return Answer(shown(call.company, "deals", made))


def _edit(call: Call) -> Answer:
    made = deals.edit(call.company, call.key, call.sent)
    return Answer(shown(call.company, "deals", made))


def _delete(call: Call) -> Answer:
    return Answer({"id": deals.delete(call.company, call.key)["id"]})


def _readable(call: Call, key: int) -> bool:
    return call.company.live("deals", key) is not None


def _bulk(call: Call, kind: str, sorts: tuple[str, ...]) -> Answer:
    if not call.args.get("deal_ids"):
        raise invalid("deal_ids", "Parameter 'deal_ids' is required")
    wanted = dict.fromkeys(checks.ids(call.args["deal_ids"], "deal_ids"))
    found = [r for k in wanted if _readable(call, k) for r in call.company.listed_children(kind, k)]
    return paged(call, kind, found, sorts, f"deals/{kind}")


def _rows_of_deals(call: Call) -> Answer:
    return _bulk(call, "rows", _ROW_SORTS)


def _installments_of_deals(call: Call) -> Answer:
    answer = _bulk(call, "installments", ("id", "billing_date", "deal_id"))
    return Answer(answer.data, additional=answer.additional)


def _rows_of_deal(call: Call) -> Answer:
    if not _readable(call, call.key):
        raise not_found("Deal")
    found = call.company.listed_children("rows", call.key)
    return paged(call, "rows", found, _ROW_SORTS, f"deals/{call.key}/products")


def _add_row(call: Call) -> Answer:
    made = rows.add_row(call.company, call.key, call.sent)
    return Answer(shown(call.company, "rows", made), 201)


def _add_rows(call: Call) -> Answer:
    sent = call.sent["data"]
    if not 1 <= len(sent) <= _MAX_BULK:
        raise invalid("data", f"Between 1 and {_MAX_BULK} products are allowed")
    checked = [checks.typed(s, schema.ROW, ("product_id", "item_price", "quantity")) for s in sent]
    made = [rows.add_row(call.company, call.key, s) for s in checked]
    return Answer([shown(call.company, "rows", m) for m in made], 201)


def _edit_row(call: Call) -> Answer:
    made = rows.edit_row(call.company, call.key, int(call.keys[1]), call.sent)
    return Answer(shown(call.company, "rows", made))


def _remove_row(call: Call) -> Answer:
    rows.remove_row(call.company, call.key, int(call.keys[1]))
    return Answer({"id": int(call.keys[1])})


def _discounts(call: Call) -> Answer:
    if not _readable(call, call.key):
        raise not_found("Deal")
    found = call.company.children("discounts", call.key)
    return Answer([shown(call.company, "discounts", d) for d in found])


def _add_discount(call: Call) -> Answer:
    made = rows.add_discount(call.company, call.key, call.sent, call.user_id)
    return Answer(shown(call.company, "discounts", made), 201)


def _edit_discount(call: Call) -> Answer:
    made = rows.edit_discount(call.company, call.key, call.keys[1], call.sent, call.user_id)
    return Answer(shown(call.company, "discounts", made))


def _remove_discount(call: Call) -> Answer:
    rows.remove_discount(call.company, call.key, call.keys[1])
    return Answer({"id": call.keys[1]})


def _add_installment(call: Call) -> Answer:
    return Answer(_installment(call, rows.add_installment(call.company, call.key, call.sent)))


def _edit_installment(call: Call) -> Answer:
    key = int(call.keys[1])
    return Answer(_installment(call, rows.edit_installment(call.company, call.key, key, call.sent)))


def _installment(call: Call, made: Record) -> Any:
    return shown(call.company, "installments", made)


def _remove_installment(call: Call) -> Answer:
    rows.remove_installment(call.company, call.key, int(call.keys[1]))
    return Answer({"id": int(call.keys[1])})


_ROW_NEEDS = ("product_id", "item_price", "quantity")
_DISCOUNT_NEEDS = ("description", "amount", "type")
_PART_NEEDS = ("description", "amount", "billing_date")
ROUTES = (
    Route("GET", "deals", 10, lambda c: _list(c, False), schema.DEAL_LIST),
    Route("GET", "deals/archived", 20, lambda c: _list(c, True), schema.DEAL_ARCHIVED),
    Route("GET", "deals/products", 10, _rows_of_deals, schema.ROWS_OF_DEALS),
    Route("GET", "deals/installments", 10, _installments_of_deals, schema.ROWS_OF_DEALS),
    Route("GET", "deals/#", 1, _get, schema.DEAL_ONE),
    Route("POST", "deals", 5, _create, body=schema.DEAL, required=("title",)),
    Route("PATCH", "deals/#", 5, _edit, body=schema.DEAL),
    Route("DELETE", "deals/#", 3, _delete),
    Route("GET", "deals/#/products", 10, _rows_of_deal, schema.ROWS_OF_DEAL),
    Route("POST", "deals/#/products", 5, _add_row, body=schema.ROW, required=_ROW_NEEDS),
    Route(
        "POST", "deals/#/products/bulk", 25, _add_rows, body={"data": "list"}, required=("data",)
    ),
    Route("PATCH", "deals/#/products/#", 5, _edit_row, body=schema.ROW),
    Route("DELETE", "deals/#/products/#", 3, _remove_row),
    Route("GET", "deals/#/discounts", 10, _discounts),
    Route(
        "POST",
        "deals/#/discounts",
        5,
        _add_discount,
        body=schema.DISCOUNT,
        required=_DISCOUNT_NEEDS,
    ),
    Route("PATCH", "deals/#/discounts/*", 5, _edit_discount, body=schema.DISCOUNT),
    Route("DELETE", "deals/#/discounts/*", 3, _remove_discount),
    Route("POST", "deals/#/installments", 5, _add_installment, {}, schema.INSTALLMENT, _PART_NEEDS),
    Route("PATCH", "deals/#/installments/#", 5, _edit_installment, body=schema.INSTALLMENT),
    Route("DELETE", "deals/#/installments/#", 3, _remove_installment),
)
