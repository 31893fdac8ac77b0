"""syncjob keeps deals in a CRM and invoices in an accounting ledger in step, batch by batch."""

__version__ = "0.1.0"
