-- A commission may be given by hand: then no rule and no event stands behind it. SQLite changes no CHECK in place, so the table is made anew.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE commission_before AS SELECT * FROM commission;
DROP TABLE commission;
CREATE TABLE commission (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    cause_kind TEXT NOT NULL CHECK (cause_kind IN ('click', 'lead', 'sale', 'manual')),
    cause_id TEXT NOT NULL,
    sale_id TEXT REFERENCES sale (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    rule_id TEXT,
    rule_version INTEGER,
    -- Which line of the rule's: several items or touches may each give one.
    line INTEGER NOT NULL,
    -- A true-up is what a retroactive tier pays on the volume before its sale.
    purpose TEXT NOT NULL CHECK (purpose IN ('reward', 'trueUp')),
    level INTEGER NOT NULL CHECK (level >= 0),
    base INTEGER NOT NULL,
    rate TEXT,
    share_ppm INTEGER NOT NULL CHECK (share_ppm BETWEEN 0 AND 1000000),
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reversed_amount INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'held', 'paid', 'canceled', 'reversed', 'refused')),
    hold_until INTEGER NOT NULL,
    explanation TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    CHECK (reversed_amount BETWEEN 0 AND amount),
    CHECK ((cause_kind = 'manual') = (rule_id IS NULL)),
    CHECK ((rule_id IS NULL) = (rule_version IS NULL)),
    UNIQUE (cause_id, rule_id, line),
    FOREIGN KEY (rule_id, rule_version) REFERENCES rule_version (rule_id, version)
) STRICT;
INSERT INTO commission (id, workspace_id, program_id, cause_kind, cause_id, sale_id, member_id, rule_id, rule_version, line, purpose, level, base,
    rate, share_ppm, unit, amount, reversed_amount, state, hold_until, explanation, occurred_at, recorded_at)
SELECT id, workspace_id, program_id, cause_kind, cause_id, sale_id, member_id, rule_id, rule_version, line, purpose, level, base,
    rate, share_ppm, unit, amount, reversed_amount, state, hold_until, explanation, occurred_at, recorded_at FROM commission_before;
DROP TABLE commission_before;
CREATE INDEX commission_due ON commission (workspace_id, state, hold_until);
CREATE INDEX commission_member ON commission (member_id, id);
CREATE INDEX commission_sale ON commission (sale_id);
CREATE INDEX commission_time ON commission (workspace_id, occurred_at, id);
CREATE UNIQUE INDEX commission_manual ON commission (cause_id) WHERE cause_kind = 'manual';
