"""Whether a won deal is one that becomes an invoice, and if not, by which of the firm's rules."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from syncjob.core.actions import Issue
from syncjob.core.policy import DealInputs, Invoices
from syncjob.core.records import CrmReference, Deal


def eligible(
    deal: Deal,
    policy: Invoices,
    inputs: DealInputs,
    crm: CrmReference,
    organization_name: str | None,
    zone: ZoneInfo,
) -> Issue | None:
    """None if the deal is to be invoiced, else an Issue of state "excluded"."""
    raise NotImplementedError


def unknown_names(policy: Invoices, crm: CrmReference) -> list[str]:
    """One line for each name in the policy that the CRM account does not have."""
    raise NotImplementedError
