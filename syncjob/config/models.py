"""The models of the config file; every key of config.example.yaml stands here.

Unknown keys and wrong types are errors. What a connector alone needs stands in its own options
model, registered with `register_options`; what every side has in common stands here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from syncjob.config.apps import App
from syncjob.core.policy import Day, DealFields, DealInputs, Guard, Invoices, Mode, Overdue, Strict
from syncjob.core.policy_contacts import Contacts
from syncjob.core.policy_crm import Happening, MoveRule
from syncjob.core.policy_notices import Notices
from syncjob.core.policy_times import OfficeHours


class Connection(Strict):
    """Which connection this is and where its state and log live (relative to this file)."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")
    #: Two to four capitals or digits that begin every marker. Never change it afterwards.
    code: str = Field(pattern=r"^[A-Z0-9]{2,4}$")
    #: The codes that it had with the CRMs that it has left (`syncjob relink`), the last one last.
    former_codes: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]{2,4}$")], ...] = ()
    state: Path = Path("state/syncjob.db")
    log: Path = Path("log/syncjob.log")
    #: Tokens and call budgets, shared by all connections of this user of the machine.
    shared: Path = Path("state")
    #: The page that is written after each batch; None for none.
    page: Path | None = Path("report.html")
    #: The folder of the nightly backups; a disk of its own is best.
    backups: Path = Path("backups")

    @model_validator(mode="after")
    def _a_code_is_of_one_crm(self) -> Self:
        if self.code in self.former_codes or len(set(self.former_codes)) < len(self.former_codes):
            raise ValueError("former_codes are codes of CRMs that were left: each once, none new")
        return self


class Schedule(Strict):
    """How often a batch runs; `serve` uses it, cron users set it to their crontab's interval."""

    every_minutes: int = Field(default=5, ge=1, le=1440)
    #: Archived deals are read less often (they cost twice as much at Pipedrive).
    archived_every_minutes: int = Field(default=60, ge=1)
    run_seconds_max: int = Field(default=900, ge=30)
    #: The first batch after this time of the organisation's day does the night's work, too.
    nightly_at: str = Field(default="02:30", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|off)$")
    #: Both sides read in full and compared, every night.
    reconcile: bool = True
    #: How much of a vendor's day limit that may use.
    reconcile_share_percent: int = Field(default=20, ge=1, le=100)
    #: When the interval counts, and what is done outside of it.
    office_hours: OfficeHours = OfficeHours()


class CrmConfig(Strict):
    """The CRM's side. Connectors derive their options from this."""

    type: str
    fields: DealFields = DealFields()
    inputs: DealInputs = DealInputs()
    #: The stage that a deal goes to when its invoice reaches a state.
    moves: tuple[MoveRule, ...] = ()
    #: What of an invoice's life is noted in the deal's timeline.
    timeline: tuple[Happening, ...] = ()
    timeout_seconds: int = Field(default=60, ge=5, le=300)

    def app(self) -> App | None:
        """The app that a person lets in; None where a fixed token opens the account."""
        return None

    @model_validator(mode="after")
    def _moves_have_a_memory(self) -> Self:
        """A deal is moved once a change of state, and its fields say what the last one was."""
        needed = {"overdue" if move.when == "overdue" else "status" for move in self.moves}
        missing = sorted(needed - self.fields.names().keys())
        if missing:
            raise ValueError(
                f"moves need fields.{missing[0]}, which says what the deal had reached"
            )
        return self


class LedgerConfig(Strict):
    """The ledger's side. Connectors derive their options from this."""

    type: str
    timeout_seconds: int = Field(default=60, ge=5, le=300)
    #: Nothing is created, approved or deleted on or before this day, whatever the ledger allows.
    books_closed_through: Day | None = None

    def app(self) -> App | None:
        """The app that a person lets in; None where a fixed token opens the books."""
        return None


class Retention(Strict):
    """How much of logs and backups is kept."""

    log_files: int = Field(default=14, ge=1)
    log_megabytes: int = Field(default=10, ge=1)
    #: The newest so many backups stay (BOOKKEEPING: nightly, 14 kept).
    backups: int = Field(default=14, ge=1)


class Config(Strict):
    """One connection: one CRM account with one ledger organisation."""

    connection: Connection
    mode: Mode = "drafts_only"
    crm: CrmConfig
    ledger: LedgerConfig
    invoices: Invoices
    contacts: Contacts = Contacts()
    overdue: Overdue = Overdue()
    guard: Guard = Guard()
    notices: Notices = Notices()
    schedule: Schedule = Schedule()
    retention: Retention = Retention()
    #: Where the file was read from; paths in it are relative to its folder.
    path: Path = Path("config.yaml")

    @model_validator(mode="after")
    def _page_has_its_field(self) -> Self:
        """A page that is read for nobody would cost a call an invoice; a field without it, lie."""
        if self.invoices.online_link != bool(self.crm.fields.online):
            raise ValueError("invoices.online_link and crm.fields.online need each other")
        return self

    def resolve(self, path: Path) -> Path:
        """A path of the config, relative to the config file's own folder."""
        return path if path.is_absolute() else (self.path.parent / path)

    @property
    def vault(self) -> Path:
        """The file of tokens and call budgets that all connections of this user share."""
        return self.resolve(self.connection.shared) / "vault.db"
