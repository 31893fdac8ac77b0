"""What the account calculates: closed and won, amounts of lines, counts of what is associated."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any

from syncjob.sandbox.hubspot import amounts, associations, schema
from syncjob.sandbox.hubspot.store import Props, Record, Store
from syncjob.sandbox.hubspot.wire import iso, not_valid, number, problem


def stages(store: Store) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Stage id to (pipeline, stage)."""
    return {s["id"]: (p, s) for p in store.pipelines.values() for s in p["stages"]}


def is_won(stage: dict[str, Any]) -> bool:
    """A closed stage with the probability 1.0 (facts: hubspot, 5d), whatever its id."""
    return is_closed(stage) and number(stage["metadata"]["probability"]) == 1


def is_closed(stage: dict[str, Any]) -> bool:
    return bool(stage["metadata"].get("isClosed") == "true")


def placed(store: Store, before: Props, props: Props, sent: dict[str, str | None]) -> None:
    """Stage and pipeline that agree: a stage brings its pipeline, a pipeline its first stage."""
    wanted = sent.get("pipeline")
    if "dealstage" in sent and sent["dealstage"] is not None:
        pipeline, _ = stages(store)[sent["dealstage"]]
        if wanted not in (None, pipeline["id"]):
            told = f"Stage {sent['dealstage']} is not in the pipeline {wanted}"
            raise not_valid([problem("dealstage", "INVALID_OPTION", told)])
        props["pipeline"] = pipeline["id"]
    elif wanted is not None and wanted != before.get("pipeline"):
        props["dealstage"] = store.pipelines[wanted]["stages"][0]["id"]
    elif "dealstage" not in props:
        first = store.pipelines.get("default") or next(iter(store.pipelines.values()))
        props["pipeline"] = wanted or first["id"]
        props["dealstage"] = store.pipelines[props["pipeline"]]["stages"][0]["id"]


def deal(store: Store, before: Props, props: Props, sent: dict[str, str | None], now: int) -> None:
    """Whether it is closed and won; its close date; its currency."""
    placed(store, before, props, sent)
    _, stage = stages(store)[props["dealstage"]]
    closed, won = is_closed(stage), is_won(stage)
    moved = before.get("dealstage") != props["dealstage"]
    was_closed, was_won = before.get("hs_is_closed"), before.get("hs_is_closed_won")
    decided = closed and (was_closed != "true" or was_won != _flag(won))
    if decided and "closedate" not in sent and store.options.closing_sets_closedate:
        props["closedate"] = iso(now)
    if won and was_won != "true":
        props["hs_closed_won_date"] = iso(now)
    elif not won:
        props.pop("hs_closed_won_date", None)
    if moved:
        props["hs_v2_date_entered_current_stage"] = iso(now)
    props.setdefault("deal_currency_code", store.options.currency)
    props |= {
        "hs_is_closed": _flag(closed),
        "hs_is_closed_won": _flag(won),
        "hs_is_closed_lost": _flag(closed and not won),
        "hs_deal_stage_probability": stage["metadata"]["probability"],
    }
    _home_amounts(store, props, closed=won)


def _home_amounts(store: Store, props: Props, *, closed: bool) -> None:
    for name in ("amount_in_home_currency", "hs_closed_amount"):
        props.pop(name, None)
    if "amount" not in props:
        return
    if props["deal_currency_code"] == store.options.currency:
        props["amount_in_home_currency"] = props["amount"]
    props["hs_closed_amount"] = props["amount"] if closed else "0"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def line(store: Store, key: int, props: Props) -> None:
    """Net, tax and recurring values of a line item."""
    group = props.get("hs_tax_rate_group_id")
    rate = store.tax_rates.get(int(group)) if group and group.isdecimal() else None
    percent = None if rate is None else number(rate["percentageRate"])
    for name in ("hs_tax_amount", "hs_post_tax_amount", "hs_tax_rate"):
        props.pop(name, None)
    if rate is not None:
        props["hs_tax_rate"] = rate["percentageRate"]
    props.setdefault("hs_line_item_currency_code", store.options.currency)
    if "quantity" not in props and "price" not in props:
        return
    for name, value in amounts.line(props, percent).items():
        props[name] = digits(store, key, value)


def digits(store: Store, key: int, value: Decimal) -> str:
    """A calculated number as text: 90, 90.0 or 90.00, the same for the same record."""
    plain = format(value, "f")
    short = plain.rstrip("0").rstrip(".") if "." in plain else plain
    short = short or "0"
    if not store.options.long_zeros:
        return short
    style = zlib.crc32(f"{store.options.seed}/{key}".encode()) % 3
    if style == 0:
        return short
    if style == 1:
        return plain
    return short if "." in short else f"{short}.0"


def contact(props: Props) -> None:
    name = " ".join(p for p in (props.get("firstname"), props.get("lastname")) if p)
    shown = name or props.get("email")
    props.pop("hs_full_name_or_email", None)
    if shown:
        props["hs_full_name_or_email"] = shown


def task(before: Props, props: Props, now: int) -> None:
    props.setdefault("hs_task_status", "NOT_STARTED")
    props.setdefault("hs_task_type", "TODO")
    done = props["hs_task_status"] == "COMPLETED"
    props["hs_task_is_completed"] = "1" if done else "0"
    if done and before.get("hs_task_status") != "COMPLETED":
        props["hs_task_completion_date"] = iso(now)
    elif not done:
        props.pop("hs_task_completion_date", None)


def rollups(store: Store, key: int) -> Props:
    """What a deal counts of its associations."""
    lines = associations.live_links(store, "deals", key, "line_items")
    contacts = associations.live_links(store, "deals", key, "contacts")
    made = {
        "hs_num_of_associated_line_items": str(len(lines)),
        "num_associated_contacts": str(len(contacts)),
    }
    company = associations.primary_company(store, "deals", key)
    if company is not None:
        made["hs_primary_associated_company"] = str(company)
    return made


def stamped(record: Record) -> Props:
    """A record's properties with its id and dates among them."""
    created = "hs_createdate" if record.kind in ("tasks", "notes") else "createdate"
    return {
        **record.props,
        "hs_object_id": str(record.id),
        created: iso(record.created),
        schema.modified(record.kind): iso(record.updated),
    }


def value_of(record: Record, name: str) -> str | None:
    """One property's value, with id and dates, without building all of them."""
    if name == "hs_object_id":
        return str(record.id)
    if name == schema.modified(record.kind):
        return iso(record.updated)
    if name in ("createdate", "hs_createdate"):
        own = "hs_createdate" if record.kind in ("tasks", "notes") else "createdate"
        return iso(record.created) if name == own else None
    return record.props.get(name)


def exact(value: Any) -> Decimal:
    """A sum of amounts, each with at most a few decimals, as a decimal number."""
    return amounts.rounded(value, None) if (value * 100) % 1 == 0 else amounts.rounded(value, "BHD")
