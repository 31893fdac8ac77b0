"""The properties that every account has, as a table: type, field type, who may write, options."""

from __future__ import annotations

from typing import Any

# name: "type/fieldType" with R (read only) C (calculated, read only too) U (unique values)
_COMMON = {
    "hs_object_id": "number/number R",
    "hs_merged_object_ids": "enumeration/checkbox R",
    "hs_lastmodifieddate": "datetime/date R",
    "hs_createdate": "datetime/date R",
    "createdate": "datetime/date R",
    "hubspot_owner_id": "enumeration/select",
    "hubspot_owner_assigneddate": "datetime/date R",
}
_ADDRESS = {
    "address": "string/text", "address2": "string/text", "city": "string/text",
    "state": "string/text", "zip": "string/text", "country": "string/text",
    "phone": "string/phonenumber",
}  # fmt: skip
_DEALS = {
    "dealname": "string/text",
    "amount": "number/number",
    "amount_in_home_currency": "number/calculation_equation C",
    "deal_currency_code": "enumeration/select",
    "dealstage": "enumeration/radio",
    "pipeline": "enumeration/select",
    "dealtype": "enumeration/radio",
    "closedate": "datetime/date",
    "closed_lost_reason": "string/textarea",
    "closed_won_reason": "string/textarea",
    "description": "string/textarea",
    "hs_is_closed": "bool/calculation_read_time C",
    "hs_is_closed_won": "bool/calculation_read_time C",
    "hs_is_closed_lost": "bool/calculation_read_time C",
    "hs_closed_won_date": "datetime/calculation_read_time C",
    "hs_v2_date_entered_current_stage": "datetime/calculation_read_time C",
    "hs_deal_stage_probability": "number/number R",
    "hs_closed_amount": "number/calculation_equation C",
    "hs_num_of_associated_line_items": "number/calculation_rollup C",
    "num_associated_contacts": "number/calculation_rollup C",
    "hs_primary_associated_company": "number/calculation_rollup C",
}
_LINE_ITEMS = {
    "name": "string/text",
    "description": "string/textarea",
    "quantity": "number/number",
    "price": "number/number",
    "amount": "number/calculation_equation C",
    "discount": "number/number",
    "hs_discount_percentage": "number/number",
    "hs_total_discount": "number/calculation_equation C",
    "hs_pre_discount_amount": "number/calculation_equation C",
    "hs_tax_rate_group_id": "enumeration/select",
    "hs_tax_rate": "number/number R",
    "hs_tax_amount": "number/calculation_equation C",
    "hs_post_tax_amount": "number/calculation_equation C",
    "hs_sku": "string/text",
    "hs_product_id": "number/number",
    "hs_line_item_currency_code": "enumeration/select",
    "recurringbillingfrequency": "enumeration/select",
    "hs_recurring_billing_period": "string/text",
    "hs_recurring_billing_start_date": "date/date",
    "hs_recurring_billing_end_date": "date/date C",
    "hs_recurring_billing_number_of_payments": "number/number",
    "hs_billing_start_delay_type": "enumeration/select",
    "hs_position_on_quote": "number/number",
    "hs_pricing_model": "enumeration/select",
    "hs_tier_amount": "string/text",
    "hs_tier_ranges": "string/text",
    "hs_tier_prices": "string/text",
    "hs_acv": "number/calculation_equation C",
    "hs_arr": "number/calculation_equation C",
    "hs_mrr": "number/calculation_equation C",
    "hs_tcv": "number/calculation_equation C",
    "hs_margin": "number/calculation_equation C",
    "hs_cost_of_goods_sold": "number/number",
}
_TASKS = {
    "hs_timestamp": "datetime/date",
    "hs_task_subject": "string/text",
    "hs_task_body": "string/html",
    "hs_task_status": "enumeration/select",
    "hs_task_priority": "enumeration/select",
    "hs_task_type": "enumeration/select",
    "hs_task_reminders": "string/text",
    "hs_task_completion_date": "datetime/date R",
    "hs_task_is_completed": "number/calculation_equation C",
    "hs_queue_membership_ids": "enumeration/checkbox",
}
TABLE: dict[str, dict[str, str]] = {
    "deals": {**_COMMON, **_DEALS},
    "contacts": {
        **_COMMON, **_ADDRESS,
        "lastmodifieddate": "datetime/date R",
        "email": "string/text U",
        "hs_additional_emails": "enumeration/checkbox",
        "firstname": "string/text",
        "lastname": "string/text",
        "mobilephone": "string/phonenumber",
        "company": "string/text",
        "jobtitle": "string/text",
        "website": "string/text",
        "lifecyclestage": "enumeration/radio",
        "associatedcompanyid": "number/number",
        "hs_full_name_or_email": "string/calculation_equation C",
    },
    "companies": {
        **_COMMON, **_ADDRESS,
        "name": "string/text",
        "domain": "string/text",
        "website": "string/text",
        "industry": "string/text",
        "description": "string/textarea",
        "lifecyclestage": "enumeration/radio",
        "numberofemployees": "number/number",
        "hs_parent_company_id": "number/number",
    },
    "line_items": {**_COMMON, **_LINE_ITEMS},
    "products": {
        **_COMMON,
        "name": "string/text",
        "description": "string/textarea",
        "price": "number/number",
        "hs_sku": "string/text",
        "hs_cost_of_goods_sold": "number/number",
        "recurringbillingfrequency": "enumeration/select",
        "hs_recurring_billing_period": "string/text",
        "tax": "number/number",
    },
    "tasks": {**_COMMON, **_TASKS},
    "notes": {
        **_COMMON, "hs_timestamp": "datetime/date", "hs_note_body": "string/html",
        "hs_attachment_ids": "enumeration/checkbox",
    },
}  # fmt: skip

OPTIONS: dict[str, tuple[str, ...]] = {
    "dealtype": ("newbusiness", "existingbusiness"),
    "lifecyclestage": ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead",
                       "opportunity", "customer", "evangelist", "other"),
    "recurringbillingfrequency": ("weekly", "biweekly", "monthly", "quarterly", "per_six_months",
                                  "annually", "per_two_years", "per_three_years",
                                  "per_four_years", "per_five_years"),
    "hs_billing_start_delay_type": ("hs_recurring_billing_start_date",
                                    "hs_billing_start_delay_days",
                                    "hs_billing_start_delay_months"),
    "hs_pricing_model": ("flat", "volume", "stairstep", "graduated"),
    "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED", "COMPLETED"),
    "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
    "hs_task_type": ("TODO", "CALL", "EMAIL"),
}  # fmt: skip
_BOOL = ("true", "false")

#: What an answer shows when nothing is asked for.
SHOWN: dict[str, tuple[str, ...]] = {
    "deals": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
    "line_items": (),
    "products": ("name", "description", "price"),
    "tasks": (),
    "notes": (),
}
TYPE_IDS = {
    "0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-7": "products", "0-8": "line_items",
    "0-27": "tasks", "0-46": "notes", "contact": "contacts", "company": "companies",
    "deal": "deals", "product": "products", "line_item": "line_items", "task": "tasks",
    "note": "notes",
}  # fmt: skip
SINGULAR = {
    "contacts": "CONTACT", "companies": "COMPANY", "deals": "DEAL", "products": "PRODUCT",
    "line_items": "LINE_ITEM", "tasks": "TASK", "notes": "NOTE",
}  # fmt: skip
GROUPS = {
    "deals": "dealinformation", "contacts": "contactinformation",
    "companies": "companyinformation", "line_items": "lineiteminformation",
    "products": "productinformation", "tasks": "task", "notes": "note",
}  # fmt: skip


def modified(kind: str) -> str:
    """The property that says when a record last changed (facts: hubspot, 5c)."""
    return "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"


def always(kind: str) -> tuple[str, ...]:
    """What every answer shows besides what was asked for."""
    created = "hs_createdate" if kind in ("tasks", "notes") else "createdate"
    return ("hs_object_id", created, modified(kind))


#: The words for those whose names run theirs together (HubSpot's page "default deal properties").
LABELS = {
    "closedate": "Close date",
    "createdate": "Create date",
    "dealname": "Deal name",
    "dealstage": "Deal stage",
    "dealtype": "Deal type",
}


def defined(kind: str, name: str, words: str) -> dict[str, Any]:
    """One default property as the properties API shows it."""
    what, _, marks = words.partition(" ")
    type_, field_type = what.split("/")
    found = _BOOL if type_ == "bool" else OPTIONS.get(name, ())
    return {
        "name": name,
        "label": LABELS.get(name) or name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": type_,
        "fieldType": field_type,
        "description": "",
        "groupName": GROUPS[kind],
        "options": [option(v, v, n) for n, v in enumerate(found)],
        "displayOrder": -1,
        "calculated": "C" in marks,
        "externalOptions": name == "hubspot_owner_id",
        "hasUniqueValue": "U" in marks or name == "hs_object_id",
        "hidden": False,
        "hubspotDefined": True,
        "formField": False,
        "archived": False,
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyOptions": True,
            "readOnlyValue": bool(set(marks) & {"R", "C"}),
        },
    }


def option(label: str, value: str, order: int) -> dict[str, Any]:
    return {"label": label, "value": value, "displayOrder": order, "hidden": False}
