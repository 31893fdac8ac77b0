"""What each v2 call accepts: query parameters and body properties with their types, nothing else.

A type is int, num, str, bool, date, obj, list or csv; a trailing `?` lets null pass. After the
vendor's OpenAPI file of 2026-08 as the server enforces it (facts: pipedrive, 1 item 7).
"""

from __future__ import annotations

Types = dict[str, str]

PAGE: Types = {"limit": "int", "cursor": "str"}
SORT: Types = {"sort_by": "str", "sort_direction": "str"}
_SINCE: Types = {"updated_since": "time", "updated_until": "time"}
_LABELS: Types = {"include_option_labels": "bool", "include_labels": "bool"}
_SHAPE: Types = {"include_fields": "csv", "custom_fields": "csv"}

DEAL_ONE: Types = {**_SHAPE, **_LABELS}
_DEAL_FILTER: Types = {
    "filter_id": "int",
    "ids": "csv",
    "owner_id": "int",
    "person_id": "int",
    "org_id": "int",
    "pipeline_id": "int",
    "stage_id": "int",
    "status": "csv",
}
DEAL_ARCHIVED: Types = {**_DEAL_FILTER, **_SINCE, **SORT, **_SHAPE, **PAGE}
DEAL_LIST: Types = {**DEAL_ARCHIVED, **_LABELS}
PERSON_LIST: Types = {
    "filter_id": "int",
    "ids": "csv",
    "owner_id": "int",
    "org_id": "int",
    "deal_id": "int",
    **_SINCE,
    **SORT,
    **_SHAPE,
    **_LABELS,
    **PAGE,
}
ORGANIZATION_LIST: Types = {k: v for k, v in PERSON_LIST.items() if k not in ("org_id", "deal_id")}
PRODUCT_LIST: Types = {
    "owner_id": "int",
    "ids": "csv",
    "filter_id": "int",
    "updated_since": "time",
    "custom_fields": "csv",
    **SORT,
    **PAGE,
}
ACTIVITY_LIST: Types = {
    "filter_id": "int",
    "ids": "csv",
    "owner_id": "int",
    "deal_id": "int",
    "lead_id": "str",
    "person_id": "int",
    "org_id": "int",
    "done": "bool",
    "include_fields": "csv",
    **_SINCE,
    **SORT,
    **PAGE,
}
ROWS_OF_DEALS: Types = {"deal_ids": "csv", **SORT, **PAGE}
ROWS_OF_DEAL: Types = {**SORT, **PAGE}
STAGE_LIST: Types = {"pipeline_id": "int", **SORT, **PAGE}
FIELD_LIST: Types = {"include_fields": "csv", **PAGE}
_TERM: Types = {"term": "str", "fields": "csv", "exact_match": "bool", **PAGE}
SEARCH: dict[str, Types] = {
    "deals": {
        **_TERM,
        "person_id": "int",
        "organization_id": "int",
        "status": "str",
        "include_fields": "csv",
    },
    "persons": {**_TERM, "organization_id": "int", "include_fields": "csv"},
    "organizations": _TERM,
    "products": {**_TERM, "include_fields": "csv"},
}
ITEM_SEARCH: Types = {
    **_TERM,
    "item_types": "csv",
    "search_for_related_items": "bool",
    "include_fields": "csv",
}

DEAL: Types = {
    "title": "str",
    "owner_id": "int",
    "person_id": "int",
    "org_id": "int",
    "pipeline_id": "int",
    "stage_id": "int",
    "value": "num",
    "currency": "str",
    "is_deleted": "bool",
    "is_archived": "bool",
    "archive_time": "str",
    "status": "str",
    "probability": "num?",
    "lost_reason": "str?",
    "visible_to": "int",
    "close_time": "str?",
    "won_time": "str",
    "lost_time": "str",
    "expected_close_date": "date",
    "label_ids": "list",
    "custom_fields": "obj",
}
PERSON: Types = {
    "name": "str",
    "first_name": "str",
    "last_name": "str",
    "owner_id": "int",
    "org_id": "int",
    "emails": "list",
    "phones": "list",
    "visible_to": "int",
    "label_ids": "list",
    "postal_address": "obj",
    "notes": "str",
    "im": "list",
    "birthday": "str",
    "job_title": "str",
    "marketing_status": "str",
    "custom_fields": "obj",
}
ORGANIZATION: Types = {
    "name": "str",
    "owner_id": "int",
    "visible_to": "int",
    "label_ids": "list",
    "address": "obj",
    "website": "str?",
    "linkedin": "str?",
    "industry": "int?",
    "annual_revenue": "int?",
    "employee_count": "int?",
    "custom_fields": "obj",
}
PRODUCT: Types = {
    "name": "str",
    "code": "str",
    "description": "str",
    "unit": "str",
    "tax": "num",
    "category": "num",
    "owner_id": "int",
    "is_linkable": "bool",
    "visible_to": "num",
    "prices": "list",
    "custom_fields": "obj",
    "billing_frequency": "str",
    "billing_frequency_cycles": "int?",
}
ROW: Types = {
    "product_id": "int",
    "item_price": "num",
    "quantity": "num",
    "tax": "num",
    "comments": "str",
    "discount": "num",
    "is_enabled": "bool",
    "tax_method": "str",
    "discount_type": "str",
    "product_variation_id": "int?",
    "billing_frequency": "str",
    "billing_frequency_cycles": "int?",
    "billing_start_date": "date?",
}
DISCOUNT: Types = {"description": "str", "amount": "num", "type": "str"}
INSTALLMENT: Types = {"description": "str", "amount": "num", "billing_date": "date"}
ACTIVITY: Types = {  # person_id is read-only: it follows from the participants
    "subject": "str",
    "type": "str",
    "owner_id": "int",
    "deal_id": "int",
    "lead_id": "str",
    "org_id": "int",
    "project_id": "int",
    "due_date": "date",
    "due_time": "str",
    "duration": "str",
    "busy": "bool",
    "done": "bool",
    "location": "obj",
    "participants": "list",
    "attendees": "list",
    "public_description": "str",
    "priority": "int",
    "note": "str",
}
FIELD: Types = {
    "field_name": "str",
    "field_type": "str",
    "options": "list",
    "ui_visibility": "obj",
    "important_fields": "obj",
    "required_fields": "obj",
    "description": "str?",
}

DEAL_EXTRAS = frozenset(
    [
        "next_activity_id",
        "last_activity_id",
        "first_won_time",
        "products_count",
        "files_count",
        "notes_count",
        "followers_count",
        "email_messages_count",
        "activities_count",
        "done_activities_count",
        "undone_activities_count",
        "participants_count",
        "last_incoming_mail_time",
        "last_outgoing_mail_time",
        "smart_bcc_email",
        "source_lead_id",
    ]
)
CONTACT_EXTRAS = frozenset(
    [
        "next_activity_id",
        "last_activity_id",
        "open_deals_count",
        "related_open_deals_count",
        "closed_deals_count",
        "related_closed_deals_count",
        "participant_open_deals_count",
        "participant_closed_deals_count",
        "email_messages_count",
        "activities_count",
        "done_activities_count",
        "undone_activities_count",
        "files_count",
        "notes_count",
        "followers_count",
        "won_deals_count",
        "related_won_deals_count",
        "lost_deals_count",
        "related_lost_deals_count",
        "last_incoming_mail_time",
        "last_outgoing_mail_time",
        "marketing_status",
        "doi_status",
        "smart_bcc_email",
        "people_count",
    ]
)
