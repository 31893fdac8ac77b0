"""What this account calls the properties that records are read from and written to."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from syncjob.core.references import FieldInfo


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The config's names as this account's properties, resolved once from the reference.

    A name that is not there, or there twice, is left out: it is not read, and a write of it is
    refused and named. `base` is where people see records, with the account's number:
    https://app.hubspot.com/contacts/4711. `titles` says what people call every property of deals,
    `pipelines` where each stage belongs; `zone` is the account's time zone (IANA).
    """

    base: str
    deal_fields: Mapping[str, FieldInfo] = {}  # the config's name -> the property
    organization_marker: FieldInfo | None = None
    person_marker: FieldInfo | None = None
    organization: Mapping[str, FieldInfo] = {}  # what a contact's field is kept in -> the property
    person: Mapping[str, FieldInfo] = {}
    titles: Mapping[str, str] = {}  # a deal property's internal name -> its label
    pipelines: Mapping[str, str] = {}  # a stage's id -> its pipeline's id
    zone: str = "UTC"
    currency: str | None = None  # the account's own

    def page(self, record_id: str) -> str:
        """Where a person opens a deal ("12") or a contact ("org:12", "person:7")."""
        kind, _, number = record_id.rpartition(":")
        objects = {"org": "0-2", "person": "0-1", "": "0-3"}
        return f"{self.base}/record/{objects[kind]}/{number}"
