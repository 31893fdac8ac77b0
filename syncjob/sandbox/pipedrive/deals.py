"""The life of a deal: created, moved, won, lost, reopened, archived, deleted; and its value."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.sandbox.pipedrive import amounts, fields
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import Refusal, invalid, not_found, stamp_of

STATUSES = ("open", "won", "lost")
_TIMES = ("close_time", "won_time", "lost_time", "archive_time")
_LINKS = (("org_id", "organizations"), ("person_id", "persons"), ("owner_id", "users"))
_EMPTY: Record = {
    "org_id": None,
    "person_id": None,
    "value": Decimal(0),
    "status": "open",
    "is_deleted": False,
    "is_archived": False,
    "archive_time": None,
    "probability": None,
    "lost_reason": None,
    "visible_to": 3,
    "close_time": None,
    "won_time": None,
    "first_won_time": None,
    "lost_time": None,
    "expected_close_date": None,
    "label_ids": [],
    "origin": "API",
    "origin_id": None,
    "channel": None,
    "channel_id": None,
    "source_lead_id": None,
    "acv": None,
    "arr": None,
    "mrr": None,
}


def create(company: Company, sent: Record, user_id: int, deal_id: int | None = None) -> Record:
    """A new deal from what was sent; the user is owner and creator unless another is named."""
    now = company.stamp()
    deal: Record = {
        **_EMPTY,
        "currency": company.options.currency,
        "owner_id": user_id,
        "creator_user_id": user_id,
        "stage_change_time": now,
        "custom_fields": {},
        "pipeline_id": None,
        "stage_id": None,
    }
    deal |= {k: sent[k] for k in ("add_time", "update_time") if k in sent}
    deal |= _changes(company, deal, sent)
    if deal["stage_id"] is None:
        deal |= _placed(company, {})
    if not str(deal.get("title") or "").strip():
        raise invalid("title", "Title is required")
    return company.add("deals", deal, company.free_id("deals", deal_id))


def edit(company: Company, deal_id: int, sent: Record) -> Record:
    """An update as the API makes it: archived deals refuse, deleted ones are not there."""
    deal = company.get("deals", deal_id)
    if deal is None or (deal["is_deleted"] and sent.get("is_deleted") is not False):
        raise not_found("Deal")
    if deal["is_archived"] and sent.get("is_archived") is not False:
        raise Refusal(400, "Archived deals cannot be edited", "ERR_DEAL_ARCHIVED")
    changes = _changes(company, deal, sent)
    moved = any(deal.get(k) != v for k, v in changes.items())
    if not moved and not company.options.idle_patch_bumps:
        return deal
    return company.change("deals", deal_id, changes)


def _changes(company: Company, deal: Record, sent: Record) -> Record:
    changes = {k: v for k, v in sent.items() if k not in ("custom_fields", *_TIMES)}
    for key, kind in _LINKS:
        if changes.get(key) is not None and company.live(kind, changes[key]) is None:
            raise invalid(key, f"{kind[:-1].capitalize()} {changes[key]} not found")
    if "custom_fields" in sent:
        old = deal["custom_fields"]
        changes["custom_fields"] = fields.merged(company, "deals", old, sent["custom_fields"])
    if "stage_id" in sent or "pipeline_id" in sent:
        changes |= _placed(company, sent)
        if changes["stage_id"] != deal["stage_id"]:
            changes["stage_change_time"] = company.stamp()
    if "value" in changes:  # facts: pipedrive, 1b end
        changes |= {"value": Decimal(changes["value"] or 0), "acv": None, "arr": None, "mrr": None}
    changes |= _archived(company, deal, sent)
    return changes | _decided(company, {**deal, **changes}, deal["status"], sent)


def _placed(company: Company, sent: Record) -> Record:
    """Stage and pipeline that agree: a stage brings its pipeline, a pipeline its first stage."""
    if sent.get("stage_id") is not None:
        stage = company.live("stages", sent["stage_id"])
        if stage is None or sent.get("pipeline_id", stage["pipeline_id"]) != stage["pipeline_id"]:
            raise invalid("stage_id", f"Stage {sent['stage_id']} not found in the pipeline")
        return {"stage_id": stage["id"], "pipeline_id": stage["pipeline_id"]}
    wanted = sent.get("pipeline_id")
    stages = [s for s in company.all("stages") if wanted in (None, s["pipeline_id"])]
    stages = [s for s in stages if not s["is_deleted"]]
    if not stages:
        raise invalid("pipeline_id", f"Pipeline {wanted} not found")
    first = min(stages, key=lambda s: (s["pipeline_id"], s["order_nr"]))
    return {"stage_id": first["id"], "pipeline_id": first["pipeline_id"]}


def _archived(company: Company, deal: Record, sent: Record) -> Record:
    if "is_archived" not in sent or sent["is_archived"] == deal["is_archived"]:
        return {}
    at = _sent_time("archive_time", sent) or company.stamp()
    return {"archive_time": at if sent["is_archived"] else None}


def _decided(company: Company, deal: Record, before: str, sent: Record) -> Record:
    """Times that follow the status. A won time outlives a reopening (facts: pipedrive, 1a)."""
    status = deal["status"]
    if status not in STATUSES:
        raise invalid("status", f"Invalid status '{status}'")
    for key, needed in (
        ("won_time", ("won",)),
        ("lost_time", ("lost",)),
        ("close_time", ("won", "lost")),
    ):
        if sent.get(key) is not None and status not in needed:
            raise invalid(key, f"{key} can only be set if deal status is {' or '.join(needed)}")
    if status == "open":
        cleared: Record = {"close_time": None, "lost_time": None, "lost_reason": None}
        return {} if before == "open" else cleared
    key = f"{status}_time"
    given = _sent_time(key, sent)
    if status == before and given is None:
        return {}
    at = given or company.stamp()
    made: Record = {key: at, "close_time": _sent_time("close_time", sent) or at}
    if status == "won":
        made |= {
            "first_won_time": deal["first_won_time"] or at,
            "lost_time": None,
            "lost_reason": None,
        }
    return made


def _sent_time(key: str, sent: Record) -> int | None:
    value = sent.get(key)
    try:
        return value if value is None or isinstance(value, int) else stamp_of(value)
    except ValueError:
        raise invalid(key, "Invalid date-time") from None


def delete(company: Company, deal_id: int) -> Record:
    deal = company.live("deals", deal_id)
    if deal is None:
        raise not_found("Deal")
    if deal["is_archived"]:
        raise Refusal(400, "Archived deals cannot be edited", "ERR_DEAL_ARCHIVED")
    return company.change("deals", deal_id, {"is_deleted": True})


def revalue(company: Company, deal_id: int) -> None:
    """The deal's value after its rows or discounts changed; its update time may stand still."""
    deal = company.tables["deals"].rows[deal_id].record
    rows = company.children("rows", deal_id)
    discounts = company.children("discounts", deal_id)
    values: Record = {"value": amounts.deal_value(rows, discounts, deal["currency"])}
    values |= amounts.recurring(rows, deal["currency"])
    company.change("deals", deal_id, values, bump=company.options.products_bump_deal)


@lru_cache(maxsize=8)
def _zone(name: str) -> Any:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # no time zone data on this machine
        return UTC


def local_date(company: Company, stamp: int | None) -> str | None:
    """The company's calendar day of a moment."""
    if stamp is None:
        return None
    return datetime.fromtimestamp(stamp, _zone(company.options.timezone)).date().isoformat()
