-- What members can spend: points and store credit, in lots that are used up in the order in which they lapse. The ledger says how much
-- there is; lots say until when.
CREATE TABLE wallet_unit (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    unit TEXT NOT NULL,
    -- Whole days that something may be spent after it became available; nothing lapses without.
    expires_after_days INTEGER CHECK (expires_after_days BETWEEN 1 AND 3650),
    may_transfer INTEGER NOT NULL CHECK (may_transfer IN (0, 1)),
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, unit)
) STRICT;
CREATE TABLE wallet_lot (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    unit TEXT NOT NULL,
    -- What it was given for.
    cause TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    remaining INTEGER NOT NULL CHECK (remaining >= 0),
    lapsed INTEGER NOT NULL CHECK (lapsed >= 0),
    received_at INTEGER NOT NULL,
    expires_at INTEGER,
    CHECK (remaining + lapsed <= amount)
) STRICT;
CREATE INDEX wallet_lot_open ON wallet_lot (member_id, unit, expires_at, received_at, id) WHERE remaining > 0;
CREATE INDEX wallet_lot_due ON wallet_lot (workspace_id, expires_at) WHERE remaining > 0;
CREATE INDEX wallet_lot_lapsed ON wallet_lot (cause) WHERE lapsed > 0;
-- What changed a wallet beside commissions.
CREATE TABLE wallet_movement (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    unit TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('adjustment', 'redemption', 'return', 'sent', 'received', 'expiry', 'restored', 'bonus')),
    -- What the member has more, or less when it is below zero.
    amount INTEGER NOT NULL CHECK (amount <> 0),
    -- The movement that the ledger names: of a transfer, that of whoever sends.
    cause TEXT NOT NULL,
    -- What it is for: an item of the catalogue, a badge.
    subject TEXT,
    reason TEXT,
    author TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX wallet_movement_member ON wallet_movement (member_id, made_at, id);
CREATE INDEX wallet_movement_workspace ON wallet_movement (workspace_id, id);
-- What could be spent before there were lots.
INSERT INTO wallet_lot (id, workspace_id, member_id, program_id, unit, cause, amount, remaining, lapsed, received_at, expires_at)
SELECT 'wlt_' || upper(substr(a.id, 5, 26)), a.workspace_id, m.id, min(e.program_id), a.unit, a.id, -a.balance, -a.balance, 0, max(m.created_at), NULL
FROM account a JOIN member m ON a.name = 'liabilities:payable:available:' || m.id JOIN enrollment e ON e.member_id = m.id
WHERE a.balance < 0 AND (length(a.unit) <> 3 OR a.unit <> upper(a.unit))
GROUP BY a.id, a.workspace_id, m.id, a.unit, a.balance;
