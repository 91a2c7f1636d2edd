-- What banks and providers say of payouts: the files that were taken in, each entry of them, and the payments that it is about.

CREATE TABLE reconciliation (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
    format TEXT COLLATE "C" NOT NULL CHECK (format IN ('pain002', 'camt053', 'csv', 'paypal', 'wise')),
    -- Of the file's bytes: the same file is taken in once.
    content_hash TEXT COLLATE "C" NOT NULL,
    -- A file is taken in piece by piece; one that was broken off is taken up again.
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('reading', 'done')),
    -- The last characters of the account, to be recognised by, and its balances.
    account_ending TEXT COLLATE "C",
    currency TEXT COLLATE "C",
    opening BIGINT,
    closing BIGINT,
    entry_count BIGINT NOT NULL CHECK (entry_count >= 0),
    -- Entries that another file had told already.
    known_count BIGINT NOT NULL CHECK (known_count >= 0),
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (workspace_id, content_hash)
);
CREATE INDEX reconciliation_workspace ON reconciliation (workspace_id, id);

CREATE TABLE reconciliation_entry (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
    reconciliation_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation (id),
    -- A hash of what makes it this entry: told again, it changes nothing.
    identity TEXT COLLATE "C" NOT NULL,
    line BIGINT NOT NULL CHECK (line >= 0),
    meaning TEXT COLLATE "C" NOT NULL CHECK (meaning IN ('accepted', 'settled', 'booked', 'rejected', 'returned', 'other')),
    is_batch BIGINT NOT NULL CHECK (is_batch IN (0, 1)),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('matched', 'noted', 'difference', 'unmatched', 'setAside', 'ignored')),
    -- Why it does not fit, by its code.
    difference TEXT COLLATE "C",
    -- What it is about: a batch, or one payment of it.
    payout_id TEXT COLLATE "C" REFERENCES payout (id),
    member_id TEXT COLLATE "C" REFERENCES member (id),
    amount BIGINT CHECK (amount >= 0),
    currency TEXT COLLATE "C",
    booked_on TEXT COLLATE "C",
    status TEXT COLLATE "C",
    reason_codes TEXT COLLATE "C" NOT NULL,
    -- The bank's own name of it; kept in plain where the entry is about a payment of ours.
    bank_reference TEXT COLLATE "C",
    -- Names, accounts and texts: under the member's key, or the installation's while nobody knows whose they are. They expire.
    payload_sealed BYTEA,
    person_id TEXT COLLATE "C" REFERENCES person (id),
    expires_at BIGINT NOT NULL,
    -- What a person decided.
    decided_by TEXT COLLATE "C",
    decided_at BIGINT,
    decision_reason TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    UNIQUE (workspace_id, identity),
    CHECK ((state = 'difference') = (difference IS NOT NULL)),
    CHECK (state <> 'setAside' OR decided_by IS NOT NULL)
);
CREATE INDEX reconciliation_entry_state ON reconciliation_entry (workspace_id, state, id);
CREATE INDEX reconciliation_entry_file ON reconciliation_entry (reconciliation_id, id);
CREATE INDEX reconciliation_entry_payout ON reconciliation_entry (payout_id, state) WHERE payout_id IS NOT NULL;
CREATE INDEX reconciliation_entry_member ON reconciliation_entry (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX reconciliation_entry_person ON reconciliation_entry (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX reconciliation_entry_expiry ON reconciliation_entry (expires_at) WHERE payload_sealed IS NOT NULL;

-- The payments that a matched entry is evidence of. An account is charged once for a payment, and gets it back once.
CREATE TABLE reconciliation_evidence (
    entry_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_entry (id),
    payout_id TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C" NOT NULL,
    meaning TEXT COLLATE "C" NOT NULL CHECK (meaning IN ('settled', 'booked', 'rejected', 'returned')),
    -- Whether the payment's state changed by it, or it only confirmed what was known.
    is_change BIGINT NOT NULL CHECK (is_change IN (0, 1)),
    PRIMARY KEY (entry_id, payout_id, member_id),
    FOREIGN KEY (payout_id, member_id) REFERENCES payout_item (payout_id, member_id)
);
CREATE UNIQUE INDEX reconciliation_evidence_booked ON reconciliation_evidence (payout_id, member_id) WHERE meaning = 'booked';
CREATE UNIQUE INDEX reconciliation_evidence_returned ON reconciliation_evidence (payout_id, member_id) WHERE meaning = 'returned';
CREATE INDEX reconciliation_evidence_line ON reconciliation_evidence (payout_id, member_id);
-- As for other reasons: samples taken to plan queries would outlive the text.
ALTER TABLE reconciliation_entry ALTER COLUMN decision_reason SET STATISTICS 0;
