-- Where members are paid, and the batches that pay them. The account itself is sealed in the people vault.

CREATE TABLE payout_account (
    member_id TEXT NOT NULL PRIMARY KEY REFERENCES member (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('iban', 'ach', 'paypal', 'external')),
    -- The last characters, to be recognised by.
    ending TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    -- A changed account waits, so that a stolen sign-in cannot empty a balance at once.
    usable_from INTEGER NOT NULL
) STRICT;

CREATE TABLE payout (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    state TEXT NOT NULL CHECK (state IN ('draft', 'approved', 'sent', 'paid', 'failed', 'unknown', 'canceled')),
    unit TEXT NOT NULL,
    cutoff INTEGER NOT NULL,
    total INTEGER NOT NULL CHECK (total >= 0),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    sent_at INTEGER,
    -- Two people: who approves is not who made it.
    CHECK (approved_by IS NULL OR approved_by <> created_by),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK (state IN ('draft', 'canceled') OR approved_by IS NOT NULL)
) STRICT;
CREATE INDEX payout_workspace ON payout (workspace_id, id);

CREATE TABLE payout_item (
    payout_id TEXT NOT NULL REFERENCES payout (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'paid', 'failed', 'unknown', 'canceled')),
    reference TEXT,
    settled_at INTEGER,
    PRIMARY KEY (payout_id, member_id)
) STRICT;
CREATE INDEX payout_item_member ON payout_item (member_id);

-- A commission is in at most one live payout: the row goes when the payout's item fails or is canceled.
CREATE TABLE payout_commission (
    commission_id TEXT NOT NULL PRIMARY KEY REFERENCES commission (id),
    payout_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    FOREIGN KEY (payout_id, member_id) REFERENCES payout_item (payout_id, member_id)
) STRICT;
CREATE INDEX payout_commission_payout ON payout_commission (payout_id, member_id);

-- One reference of a provider stands for one payment.
CREATE UNIQUE INDEX payout_item_reference ON payout_item (payout_id, reference);
