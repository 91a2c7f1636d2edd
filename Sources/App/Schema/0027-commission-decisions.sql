-- Commissions that people approved, held or released by hand, several at once, and how each was before, so that it can be taken back.
CREATE TABLE commission_decision (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    action TEXT NOT NULL CHECK (action IN ('approve', 'hold', 'release')),
    -- NULL when none was given, or when somebody it speaks of was erased.
    reason TEXT,
    author TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    undone_by TEXT,
    undone_at INTEGER
) STRICT;
CREATE INDEX commission_decision_workspace ON commission_decision (workspace_id, id);
CREATE TABLE commission_decision_item (
    commission_decision_id TEXT NOT NULL REFERENCES commission_decision (id),
    commission_id TEXT NOT NULL REFERENCES commission (id),
    state_before TEXT NOT NULL,
    state_after TEXT NOT NULL,
    hold_until_before INTEGER NOT NULL,
    PRIMARY KEY (commission_decision_id, commission_id)
) STRICT;
CREATE INDEX commission_decision_item_commission ON commission_decision_item (commission_id);
