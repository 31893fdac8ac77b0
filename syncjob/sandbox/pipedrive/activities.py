"""Activities and notes: what the owner of a deal gets to see."""

from __future__ import annotations

from typing import Any

from syncjob.sandbox.pipedrive import fields
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import invalid, not_found

TYPES = ("call", "meeting", "task", "deadline", "email", "lunch")
_LINKS = (("deal_id", "deals"), ("org_id", "organizations"), ("owner_id", "users"))
_EMPTY: Record = {
    "subject": None,
    "type": "call",
    "is_deleted": False,
    "deal_id": None,
    "lead_id": None,
    "person_id": None,
    "org_id": None,
    "project_id": None,
    "due_date": None,
    "due_time": None,
    "duration": None,
    "busy": False,
    "done": False,
    "marked_as_done_time": None,
    "location": None,
    "participants": [],
    "conference_meeting_client": None,
    "conference_meeting_url": None,
    "conference_meeting_id": None,
    "public_description": None,
    "priority": None,
    "note": None,
}


def create(company: Company, sent: Record, user_id: int) -> Record:
    record: Record = {**_EMPTY, "owner_id": user_id, "creator_user_id": user_id}
    record |= _changes(company, record, sent)
    record["subject"] = record["subject"] or str(record["type"]).capitalize()
    return company.add("activities", record)


def edit(company: Company, key: int, sent: Record) -> Record:
    record = company.live("activities", key)
    if record is None:
        raise not_found("Activity")
    return company.change("activities", key, _changes(company, record, sent))


def _changes(company: Company, record: Record, sent: Record) -> Record:
    changes = dict(sent)
    for key, kind in _LINKS:
        if changes.get(key) is not None and company.live(kind, changes[key]) is None:
            raise invalid(key, f"{kind[:-1].capitalize()} {changes[key]} not found")
    if "type" in changes and changes["type"] not in TYPES:
        raise invalid("type", f"Invalid activity type '{changes['type']}'")
    if "participants" in changes:
        changes |= _participants(company, changes["participants"])
    if changes.get("location") is not None:
        changes["location"] = fields.address(changes["location"])
    done = changes.get("done")
    if done is not None and done != record["done"]:
        changes["marked_as_done_time"] = company.stamp() if done else None
    return changes


def _participants(company: Company, sent: list[Any]) -> Record:
    """The primary participant is the activity's person."""
    for n, one in enumerate(sent):
        whole = isinstance(one, dict) and set(one) <= {"person_id", "primary"}
        if not whole or company.live("persons", one.get("person_id")) is None:
            raise invalid(f"participants.{n}", "Person not found")
    made = [{"person_id": one["person_id"], "primary": one.get("primary") is True} for one in sent]
    if made and not any(p["primary"] for p in made):
        made[0]["primary"] = True
    primary = next((p["person_id"] for p in made if p["primary"]), None)
    return {"participants": made, "person_id": primary}


def add_note(company: Company, sent: Record, user_id: int) -> Record:
    links = ("deal_id", "person_id", "org_id", "lead_id", "project_id", "task_id")
    if not any(sent.get(k) for k in links):
        raise invalid("deal_id", "A note needs a lead, deal, person, organization, project or task")
    record: Record = {"active_flag": True, "user_id": user_id, **dict.fromkeys(links), **sent}
    return company.add("notes", record)
