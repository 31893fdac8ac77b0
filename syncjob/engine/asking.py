"""The commands that tell what happened and why: from the state as it stands, or read anew."""

from __future__ import annotations

from datetime import date

from syncjob.core.history import HistoryReport
from syncjob.core.reports import RunOptions
from syncjob.core.story import WhyReport
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import read_records
from syncjob.engine.history import history
from syncjob.engine.identify import identify, recall
from syncjob.engine.opening import Opening
from syncjob.engine.run import foresee
from syncjob.engine.subjects import Subject, meant
from syncjob.engine.why import deal_of_invoice, why
from syncjob.errors import Park


class Asking(Opening):
    """What a command may ask about one record."""

    def why(self, text: str, *, fresh: bool = False) -> WhyReport:
        """The story of the record that the text means, from the state alone: no call, no lease.

        `fresh`: it is read anew first, on a copy of the state, so that nothing is written; that
        raises LockHeld while another process works, and what any call may raise. Raises Park
        before the first batch.
        """
        if fresh:
            return self._why_anew(text)
        with self._looking() as batch:
            _require_names(batch)
            return why(batch, text)

    def history(
        self, text: str, *, since: date | None = None, field: str | None = None
    ) -> HistoryReport:
        """Every write to the record that the text means, and what people decided about it.

        Raises Park before the first batch.
        """
        with self._looking() as batch:
            _require_names(batch)
            return history(batch, text, since=since, field=field)

    def _why_anew(self, text: str) -> WhyReport:
        found = meant(self.config, self.state, text)
        which = found.exactly or found.alike
        one = which[0] if len(which) == 1 else None
        with self._lease() as lease, self._copy() as copy:
            part = copy.links.part_of_invoice(one.id) if one and one.kind == "invoice" else None
            deal = one.id if one and one.kind == "deal" else part.deal if part else None
            options = RunOptions(dry_run=True, deal=deal)
            with self._batch(copy, options, write=False, lease=lease) as batch:
                if deal is not None:
                    foresee(batch, write=False)
                else:
                    identify(batch)
                    _read(batch, one)
                return why(batch, text, fresh=True)


def _read(batch: Batch, subject: Subject | None) -> None:
    """Read a customer on both sides, or an invoice that no deal is tied to, by their ids."""
    if subject is None:
        return
    if subject.kind == "invoice":
        if deal_of_invoice(batch, subject.id) is None:
            read_records(batch, "ledger", "invoices", [subject.id])
        return
    ledger_id = subject.id.removeprefix("ledger:")
    if ledger_id == subject.id:
        read_records(batch, "crm", "contacts", [subject.id])
        partner = batch.state.links.contact(subject.id)
    else:
        partner = ledger_id
    if partner is not None:
        read_records(batch, "ledger", "contacts", [partner])


def _require_names(batch: Batch) -> None:
    if not recall(batch):
        raise Park(
            "No batch has read the CRM and the ledger yet, so nothing is known of any record.",
            where=batch.config.connection.name,
            next_step="`syncjob plan` shows what a first batch would do; `syncjob run` runs one.",
        )
