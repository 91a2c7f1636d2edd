-- What banks and providers say of payouts: the files that were taken in, each entry of them, and the payments that it is about.

CREATE TABLE reconciliation (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    format TEXT NOT NULL CHECK (format IN ('pain002', 'camt053', 'csv', 'paypal', 'wise')),
    -- Of the file's bytes: the same file is taken in once.
    content_hash TEXT NOT NULL,
    -- A file is taken in piece by piece; one that was broken off is taken up again.
    state TEXT NOT NULL CHECK (state IN ('reading', 'done')),
    -- The last characters of the account, to be recognised by, and its balances.
    account_ending TEXT,
    currency TEXT,
    opening INTEGER,
    closing INTEGER,
    entry_count INTEGER NOT NULL CHECK (entry_count >= 0),
    -- Entries that another file had told already.
    known_count INTEGER NOT NULL CHECK (known_count >= 0),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace_id, content_hash)
) STRICT;
CREATE INDEX reconciliation_workspace ON reconciliation (workspace_id, id);

CREATE TABLE reconciliation_entry (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    reconciliation_id TEXT NOT NULL REFERENCES reconciliation (id),
    -- A hash of what makes it this entry: told again, it changes nothing.
    identity TEXT NOT NULL,
    line INTEGER NOT NULL CHECK (line >= 0),
    meaning TEXT NOT NULL CHECK (meaning IN ('accepted', 'settled', 'booked', 'rejected', 'returned', 'other')),
    is_batch INTEGER NOT NULL CHECK (is_batch IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('matched', 'noted', 'difference', 'unmatched', 'setAside', 'ignored')),
    -- Why it does not fit, by its code.
    difference TEXT,
    -- What it is about: a batch, or one payment of it.
    payout_id TEXT REFERENCES payout (id),
    member_id TEXT REFERENCES member (id),
    amount INTEGER CHECK (amount >= 0),
    currency TEXT,
    booked_on TEXT,
    status TEXT,
    reason_codes TEXT NOT NULL,
    -- The bank's own name of it; kept in plain where the entry is about a payment of ours.
    bank_reference TEXT,
    -- Names, accounts and texts: under the member's key, or the installation's while nobody knows whose they are. They expire.
    payload_sealed BLOB,
    person_id TEXT REFERENCES person (id),
    expires_at INTEGER NOT NULL,
    -- What a person decided.
    decided_by TEXT,
    decided_at INTEGER,
    decision_reason TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace_id, identity),
    CHECK ((state = 'difference') = (difference IS NOT NULL)),
    CHECK (state <> 'setAside' OR decided_by IS NOT NULL)
) STRICT;
CREATE INDEX reconciliation_entry_state ON reconciliation_entry (workspace_id, state, id);
CREATE INDEX reconciliation_entry_file ON reconciliation_entry (reconciliation_id, id);
CREATE INDEX reconciliation_entry_payout ON reconciliation_entry (payout_id, state) WHERE payout_id IS NOT NULL;
CREATE INDEX reconciliation_entry_member ON reconciliation_entry (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX reconciliation_entry_person ON reconciliation_entry (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX reconciliation_entry_expiry ON reconciliation_entry (expires_at) WHERE payload_sealed IS NOT NULL;

-- The payments that a matched entry is evidence of. An account is charged once for a payment, and gets it back once.
CREATE TABLE reconciliation_evidence (
    entry_id TEXT NOT NULL REFERENCES reconciliation_entry (id),
    payout_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    meaning TEXT NOT NULL CHECK (meaning IN ('settled', 'booked', 'rejected', 'returned')),
    -- Whether the payment's state changed by it, or it only confirmed what was known.
    is_change INTEGER NOT NULL CHECK (is_change IN (0, 1)),
    PRIMARY KEY (entry_id, payout_id, member_id),
    FOREIGN KEY (payout_id, member_id) REFERENCES payout_item (payout_id, member_id)
) STRICT;
CREATE UNIQUE INDEX reconciliation_evidence_booked ON reconciliation_evidence (payout_id, member_id) WHERE meaning = 'booked';
CREATE UNIQUE INDEX reconciliation_evidence_returned ON reconciliation_evidence (payout_id, member_id) WHERE meaning = 'returned';
CREATE INDEX reconciliation_evidence_line ON reconciliation_evidence (payout_id, member_id);
