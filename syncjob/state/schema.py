"""The state's tables, from version 1 on; each migration and its number share one transaction.

STRICT tables with CHECKs that repeat the invariants: a bug meets the database before it meets the
books. Amounts stand only inside records' JSON, as text; no column is REAL.
"""

from __future__ import annotations

from sqlite_utils import Database

from syncjob.errors import StateError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Facts about this state: pinned ids, birth, recovery, pause, hashes of config and code.
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
        # The last version of a record seen on a side. `strong`: read by id or a write's answer.
        """CREATE TABLE snapshot (
            side TEXT NOT NULL CHECK (side IN ('crm', 'ledger')), stream TEXT NOT NULL,
            id TEXT NOT NULL, updated TEXT, hash TEXT NOT NULL, body BLOB NOT NULL,
            batch INTEGER NOT NULL, strong INTEGER NOT NULL CHECK (strong IN (0, 1)),
            PRIMARY KEY (side, stream, id)) STRICT, WITHOUT ROWID""",
        # Ways to find a snapshot without reading them all: names, e-mails, markers, doubles.
        """CREATE TABLE lookup (kind TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
            PRIMARY KEY (kind, value, id)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX lookup_id ON lookup (id, kind)",
        # A walk's position shares its commit with the page's snapshots; `since` moves only at the
        # last page. `full` is when a whole walk last ended.
        """CREATE TABLE cursor (side TEXT NOT NULL, stream TEXT NOT NULL, since TEXT,
            position TEXT, started TEXT, polled TEXT, PRIMARY KEY (side, stream)) STRICT""",
        # Deals to decide in the next plan, and deals to decide on a day though nothing changed.
        "CREATE TABLE todo (deal TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT",
        "CREATE TABLE wake (deal TEXT PRIMARY KEY, day TEXT NOT NULL) STRICT",
        "CREATE INDEX wake_day ON wake (day)",
        # One link a record, on either side (invariant 2).
        """CREATE TABLE contact_link (crm_id TEXT PRIMARY KEY, ledger_id TEXT NOT NULL UNIQUE,
            how TEXT NOT NULL, batch INTEGER NOT NULL) STRICT""",
        # One invoice of a deal; `ended` says who ended it. Markers are kept for ever.
        """CREATE TABLE part (deal TEXT NOT NULL, part TEXT NOT NULL, generation INTEGER NOT NULL,
            marker TEXT NOT NULL UNIQUE, ledger_id TEXT NOT NULL UNIQUE,
            ended TEXT CHECK (ended IN ('us', 'person')), how TEXT NOT NULL, batch INTEGER NOT NULL,
            PRIMARY KEY (deal, part, generation)) STRICT""",
        "CREATE UNIQUE INDEX part_live ON part (deal, part) WHERE ended IS NULL",
        # What we asked for and what the server then stored, field by field.
        """CREATE TABLE base (side TEXT NOT NULL, target TEXT NOT NULL, field TEXT NOT NULL,
            wanted TEXT, stored TEXT, PRIMARY KEY (side, target, field)) STRICT, WITHOUT ROWID""",
        # The journal: a call is committed before its bytes leave; `sent` before each send.
        """CREATE TABLE call (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, side TEXT NOT NULL,
            request BLOB NOT NULL, sha256 TEXT NOT NULL, idempotency_key TEXT UNIQUE,
            fence INTEGER NOT NULL, opened_at TEXT NOT NULL,
            sends INTEGER NOT NULL DEFAULT 0, sent_at TEXT, server_time TEXT,
            token_generation INTEGER, status INTEGER, answer TEXT,
            state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'closed'))) STRICT""",
        """CREATE TABLE intent (id INTEGER PRIMARY KEY, call INTEGER NOT NULL REFERENCES call (id),
            position INTEGER NOT NULL, side TEXT NOT NULL, kind TEXT NOT NULL,
            subject TEXT NOT NULL, target TEXT NOT NULL, marker TEXT, action BLOB NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'done', 'void', 'failed')),
            outcome TEXT) STRICT""",
        "CREATE UNIQUE INDEX intent_open ON intent (side, target) WHERE state = 'open'",
        "CREATE INDEX intent_marker ON intent (marker) WHERE marker IS NOT NULL",
        "CREATE INDEX intent_subject ON intent (subject)",
        "CREATE INDEX intent_call ON intent (call)",
        # How often a call that carried this record failed whole: such groups are halved.
        "CREATE TABLE setback (target TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT",
        # A refused action is sent again only when its fingerprint changes (invariant 10).
        """CREATE TABLE parked (target TEXT PRIMARY KEY, fingerprint TEXT NOT NULL,
            issue BLOB NOT NULL) STRICT""",
        """CREATE TABLE issue (id INTEGER PRIMARY KEY, code TEXT NOT NULL, subject TEXT NOT NULL,
            state TEXT NOT NULL, what TEXT NOT NULL, next_step TEXT NOT NULL, field TEXT NOT NULL,
            page TEXT, opened_at TEXT NOT NULL, opened_batch INTEGER NOT NULL,
            closed_at TEXT) STRICT""",
        "CREATE UNIQUE INDEX issue_open ON issue (subject, code) WHERE closed_at IS NULL",
        """CREATE TABLE audit (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, at TEXT NOT NULL,
            side TEXT NOT NULL, target TEXT NOT NULL, subject TEXT NOT NULL, field TEXT NOT NULL,
            before TEXT, after TEXT, reason TEXT NOT NULL, intent INTEGER) STRICT""",
        "CREATE INDEX audit_target ON audit (target)",
        "CREATE INDEX audit_subject ON audit (subject)",
        """CREATE TABLE batch (id INTEGER PRIMARY KEY, started TEXT NOT NULL, ended TEXT,
            result TEXT, exit_code INTEGER, counts TEXT, calls TEXT, resume_at TEXT) STRICT""",
        # What a person decided between batches; the next batch applies it.
        """CREATE TABLE inbox (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL,
            who TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL, applied INTEGER) STRICT""",
        # What an account calls its own things, cached a day.
        """CREATE TABLE reference (side TEXT PRIMARY KEY, body BLOB NOT NULL,
            read_at TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
        # The fence: a number that grows with each owner, checked at each commit and send.
        """CREATE TABLE lease (one INTEGER PRIMARY KEY CHECK (one = 1), fence INTEGER NOT NULL,
            holder TEXT NOT NULL, since TEXT NOT NULL) STRICT""",
        "INSERT INTO lease VALUES (1, 0, '', '')",
    ),
    (
        # Two records that may be one, until a person decides; `body` is the proposal with its
        # reasons. While a CRM customer stands here, nothing is created for it.
        """CREATE TABLE near (first TEXT NOT NULL, second TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('pair', 'invoice', 'crm_double', 'ledger_double')),
            body BLOB NOT NULL, batch INTEGER NOT NULL, PRIMARY KEY (first, second)) STRICT""",
        "CREATE INDEX near_second ON near (second)",
        "CREATE INDEX near_kind ON near (kind)",
        # Two records of which a person said that they are not one: never proposed again.
        """CREATE TABLE apart (first TEXT NOT NULL, second TEXT NOT NULL, who TEXT NOT NULL,
            at TEXT NOT NULL, PRIMARY KEY (first, second)) STRICT""",
        "CREATE INDEX apart_second ON apart (second)",
    ),
    (
        # Who was told of which step of which invoice, as it was due then; `sure` 0: perhaps.
        # `named` is the batch of the later message that said so.
        """CREATE TABLE told (marker TEXT NOT NULL, due TEXT NOT NULL, step INTEGER NOT NULL,
            person TEXT NOT NULL, way TEXT NOT NULL, sure INTEGER NOT NULL CHECK (sure IN (0, 1)),
            at TEXT NOT NULL, batch INTEGER NOT NULL, named INTEGER,
            PRIMARY KEY (marker, due, step, person, way)) STRICT""",
        "CREATE INDEX told_doubt ON told (person, way) WHERE sure = 0",
    ),
    (
        # What hangs on a deal's invoices. A repeating invoice and a credit note have one marker
        # for ever; an invoice that a template made belongs to the template's deal.
        """CREATE TABLE template (marker TEXT PRIMARY KEY, deal TEXT NOT NULL,
            generation INTEGER NOT NULL, ledger_id TEXT NOT NULL UNIQUE,
            batch INTEGER NOT NULL) STRICT""",
        "CREATE INDEX template_deal ON template (deal)",
        """CREATE TABLE repeat (invoice TEXT PRIMARY KEY, deal TEXT NOT NULL,
            template TEXT NOT NULL, batch INTEGER NOT NULL) STRICT""",
        "CREATE INDEX repeat_deal ON repeat (deal)",
        """CREATE TABLE credit (marker TEXT PRIMARY KEY, deal TEXT NOT NULL,
            invoice TEXT NOT NULL, ledger_id TEXT NOT NULL UNIQUE, number TEXT,
            request TEXT NOT NULL, batch INTEGER NOT NULL) STRICT""",
        "CREATE INDEX credit_deal ON credit (deal)",
        # An invoice is e-mailed at most once; 'unknown' may have gone out and is not sent again.
        """CREATE TABLE mailed (invoice TEXT PRIMARY KEY,
            state TEXT NOT NULL CHECK (state IN ('sent', 'unknown')), at TEXT NOT NULL) STRICT""",
        "CREATE INDEX mailed_at ON mailed (at)",
        # When a ledger contact's e-mail address was seen to change: nothing is mailed for a day.
        "CREATE TABLE address_change (contact TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT",
        # The customer's own page of an invoice, read once.
        "CREATE TABLE online_link (invoice TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT",
    ),
    (
        # Customers to decide in the next plan: "org:12", "person:7", "ledger:<id>".
        "CREATE TABLE contact_todo (key TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT",
        # The main person of an organization: whose name and e-mail its ledger contact has.
        """CREATE TABLE contact_person (crm_id TEXT PRIMARY KEY,
            person_id TEXT NOT NULL) STRICT""",
        "CREATE INDEX contact_person_id ON contact_person (person_id)",
        # Records of either side that are left alone for good, and why.
        """CREATE TABLE contact_ended (id TEXT PRIMARY KEY, why TEXT NOT NULL,
            batch INTEGER NOT NULL) STRICT""",
        "CREATE INDEX base_target ON base (target)",
    ),
    (
        # Which part of a deal's schedule an invoice is: an instalment's id or a rule's names, kept
        # for ever, so that a part's name in the markers never shifts. Empty: the deal as a whole.
        "ALTER TABLE part ADD COLUMN key TEXT NOT NULL DEFAULT ''",
    ),
    (
        # What was noted in deals' timelines: each thing that happened once, for ever.
        """CREATE TABLE noted (marker TEXT PRIMARY KEY, deal TEXT NOT NULL,
            batch INTEGER NOT NULL) STRICT""",
        "CREATE INDEX noted_deal ON noted (deal)",
    ),
    (
        # Every act of a person stands in the inbox; what took effect at once was never in it.
        # `outcome` is what came of it. An issue that a person put aside is hidden until then, or
        # until its cause is another.
        "ALTER TABLE inbox ADD COLUMN outcome TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX inbox_subject ON inbox (subject)",
        "CREATE INDEX inbox_applied ON inbox (applied)",
        "ALTER TABLE issue ADD COLUMN ignored_until TEXT",
    ),
    (
        # Which rule of the config, or which person, decided; rows of older versions do not say.
        "ALTER TABLE audit ADD COLUMN rule TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX audit_batch ON audit (batch)",
        # Papers that a person took back by `syncjob cancel`, by their marker: for whom and why.
        """CREATE TABLE cancelled (marker TEXT PRIMARY KEY, deal TEXT NOT NULL,
            who TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL,
            batch INTEGER NOT NULL) STRICT""",
        "CREATE INDEX cancelled_deal ON cancelled (deal)",
    ),
    (
        # What the rules said when a write was decided, in their own sentences (a JSON list): an
        # invoice that is there is not decided again, and the config may say otherwise by then.
        """CREATE TABLE ruling (subject TEXT NOT NULL, batch INTEGER NOT NULL, at TEXT NOT NULL,
            words TEXT NOT NULL, PRIMARY KEY (subject, batch)) STRICT, WITHOUT ROWID""",
    ),
    (
        # What the reading of both sides that is under way has found so far.
        """CREATE TABLE finding (kind TEXT NOT NULL, subject TEXT NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (kind, subject)) STRICT, WITHOUT ROWID""",
    ),
    (
        # Records of the CRM that were merged under a new id, and what they are now. Markers keep
        # the old ids for ever, so these are kept as long.
        """CREATE TABLE merged (kind TEXT NOT NULL CHECK (kind IN ('deals', 'contacts')),
            old TEXT NOT NULL, new TEXT NOT NULL, batch INTEGER NOT NULL,
            PRIMARY KEY (kind, old)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX merged_new ON merged (kind, new)",
    ),
    (
        # How long won deals waited for their draft, and payments for their deal.
        """CREATE TABLE waited (id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('draft', 'payment')), subject TEXT NOT NULL,
            seconds INTEGER NOT NULL, at TEXT NOT NULL) STRICT""",
        "CREATE INDEX waited_at ON waited (at)",
    ),
    (
        # When an issue was last found to be true, so that a walk of everything can close those of
        # records that it did not complain about.
        "ALTER TABLE issue ADD COLUMN raised_at TEXT",
        "CREATE INDEX issue_closed ON issue (closed_at) WHERE closed_at IS NOT NULL",
    ),
    (
        # The CRM was changed for another: when each deal that came over was first won there, and
        # the links of customers that did not, by the names of records of a CRM that was left.
        """CREATE TABLE relinked (kind TEXT NOT NULL CHECK (kind IN ('deals', 'contacts')),
            old TEXT NOT NULL, new TEXT NOT NULL, won TEXT, batch INTEGER NOT NULL,
            PRIMARY KEY (kind, old)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX relinked_new ON relinked (kind, new)",
        """CREATE TABLE left_link (crm_id TEXT PRIMARY KEY, ledger_id TEXT NOT NULL,
            how TEXT NOT NULL) STRICT""",
    ),
    (
        # A refused write is found by the marker in its target, whatever kind of target it is.
        "CREATE INDEX parked_name ON parked (substr(target, instr(target, ':') + 1))",
        # How many there are, kept by the database itself: a batch with nothing to do counts none.
        "CREATE TABLE tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        "INSERT INTO tally SELECT 'part', count(*) FROM part WHERE ended IS NULL",
        "INSERT INTO tally SELECT side || '.' || stream, count(*) FROM snapshot GROUP BY 1",
        """CREATE TRIGGER snapshot_in AFTER INSERT ON snapshot BEGIN
            INSERT OR IGNORE INTO tally VALUES (NEW.side || '.' || NEW.stream, 0);
            UPDATE tally SET count = count + 1 WHERE name = NEW.side || '.' || NEW.stream; END""",
        """CREATE TRIGGER snapshot_out AFTER DELETE ON snapshot BEGIN
            UPDATE tally SET count = count - 1 WHERE name = OLD.side || '.' || OLD.stream; END""",
        """CREATE TRIGGER part_in AFTER INSERT ON part WHEN NEW.ended IS NULL BEGIN
            UPDATE tally SET count = count + 1 WHERE name = 'part'; END""",
        """CREATE TRIGGER part_out AFTER DELETE ON part WHEN OLD.ended IS NULL BEGIN
            UPDATE tally SET count = count - 1 WHERE name = 'part'; END""",
        """CREATE TRIGGER part_ended AFTER UPDATE OF ended ON part
            WHEN (OLD.ended IS NULL) <> (NEW.ended IS NULL) BEGIN
            UPDATE tally SET count = count + iif(NEW.ended IS NULL, 1, -1)
            WHERE name = 'part'; END""",
    ),
    (
        # What a batch with nothing to do asks for each time, of tables that only grow.
        "CREATE INDEX intent_unknown ON intent (state) WHERE state = 'open'",
        "CREATE INDEX issue_now ON issue (closed_at) WHERE closed_at IS NULL",
        "CREATE INDEX issue_young ON issue (opened_at) WHERE closed_at IS NULL",
    ),
    (
        # A body of a kilobyte in a table without rowid took a page of its own beside the row: two
        # thirds of the table were empty. The key is an index of its own now.
        "ALTER TABLE snapshot RENAME TO snapshot_keyed",
        """CREATE TABLE snapshot (
            side TEXT NOT NULL CHECK (side IN ('crm', 'ledger')), stream TEXT NOT NULL,
            id TEXT NOT NULL, updated TEXT, hash TEXT NOT NULL, body BLOB NOT NULL,
            batch INTEGER NOT NULL, strong INTEGER NOT NULL CHECK (strong IN (0, 1)),
            PRIMARY KEY (side, stream, id)) STRICT""",
        "INSERT INTO snapshot SELECT * FROM snapshot_keyed",
        "DROP TABLE snapshot_keyed",  # and with it its triggers
        """CREATE TRIGGER snapshot_in AFTER INSERT ON snapshot BEGIN
            INSERT OR IGNORE INTO tally VALUES (NEW.side || '.' || NEW.stream, 0);
            UPDATE tally SET count = count + 1 WHERE name = NEW.side || '.' || NEW.stream; END""",
        """CREATE TRIGGER snapshot_out AFTER DELETE ON snapshot BEGIN
            UPDATE tally SET count = count - 1 WHERE name = OLD.side || '.' || OLD.stream; END""",
    ),
    (
        # A record's base is one row with its fields as JSON (state/fields.py): what was wanted and
        # what was stored; of a pair, what the CRM and what the ledger says.
        "ALTER TABLE base RENAME TO base_field",
        """CREATE TABLE base (target TEXT NOT NULL,
            side TEXT NOT NULL CHECK (side IN ('crm', 'ledger', 'people', 'pair')),
            fields TEXT NOT NULL, PRIMARY KEY (target, side)) STRICT""",
        """INSERT INTO base SELECT target, side, json_group_object(field, json(
            iif(wanted IS stored, json_array(wanted), json_array(wanted, stored))))
            FROM base_field WHERE target NOT GLOB 'pair:*' GROUP BY side, target""",
        """INSERT INTO base SELECT c.target, 'pair', json_group_object(c.field, json(
            iif(c.stored IS l.stored, json_array(c.stored), json_array(c.stored, l.stored))))
            FROM base_field c CROSS JOIN base_field l ON l.side = 'ledger'
            AND l.target = c.target AND l.field = c.field
            WHERE c.side = 'crm' AND c.target GLOB 'pair:*' GROUP BY c.target""",
        "DROP TABLE base_field",
    ),
    (
        # A write's audit is one row with its fields as JSON, in their order, each with its value
        # before and after. Rows of older versions that tell of one write, by one rule, become one.
        "ALTER TABLE audit RENAME TO audit_field",
        """CREATE TABLE audit (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, at TEXT NOT NULL,
            side TEXT NOT NULL, target TEXT NOT NULL, subject TEXT NOT NULL, fields TEXT NOT NULL,
            reason TEXT NOT NULL, rule TEXT NOT NULL, intent INTEGER) STRICT""",
        """INSERT INTO audit WITH begun AS (
            SELECT id FROM audit_field a WHERE NOT EXISTS (SELECT 1 FROM audit_field b
            WHERE b.id = a.id - 1 AND b.batch = a.batch AND b.at = a.at AND b.side = a.side
            AND b.target = a.target AND b.subject = a.subject AND b.reason = a.reason
            AND b.rule = a.rule AND b.intent IS a.intent)),
            write AS (SELECT id, lead(id) OVER (ORDER BY id) AS next FROM begun)
            SELECT a.id, a.batch, a.at, a.side, a.target, a.subject, (
            SELECT json_group_array(json_array(f.field, f.before, f.after)) FROM audit_field f
            WHERE f.id BETWEEN a.id AND coalesce(write.next - 1, 9223372036854775807)),
            a.reason, a.rule, a.intent FROM write CROSS JOIN audit_field a ON a.id = write.id""",
        "DROP TABLE audit_field",
        "CREATE INDEX audit_target ON audit (target)",
        "CREATE INDEX audit_subject ON audit (subject)",
        "CREATE INDEX audit_batch ON audit (batch)",
    ),
    (
        # How often a customer's page was asked for that is not there, and when last: an answer
        # that once said so may have come too early.
        "ALTER TABLE online_link ADD COLUMN missed INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE online_link ADD COLUMN asked_at TEXT",
    ),
    (
        # What an answer to an issue would be given for: the answer holds for that alone.
        "ALTER TABLE issue ADD COLUMN about TEXT NOT NULL DEFAULT ''",
    ),
)


def migrate(db: Database) -> None:
    """Bring the file to the newest version. Raises StateError if it is newer than this program."""
    version = _version(db)
    if version > len(MIGRATIONS):
        raise StateError(
            f"The state file has version {version}; this syncjob knows {len(MIGRATIONS)}.",
            next_step="Install the syncjob that wrote it, or a newer one.",
        )
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with db.conn:
            # Whoever waited here for another process's migration finds the step done.
            db.conn.execute("BEGIN IMMEDIATE")
            if _version(db) < number:
                for statement in statements:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number}")


def _version(db: Database) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
