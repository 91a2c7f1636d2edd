-- What a person of the team changes about pay by hand, each with a reason: a commission without a rule, another amount, none at all.
CREATE TABLE adjustment (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('commission', 'correction', 'void')),
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    -- The commission that was made or changed.
    commission_id TEXT NOT NULL,
    unit TEXT NOT NULL,
    -- What the member has more, or less when it is below zero.
    amount INTEGER NOT NULL,
    -- In a person's own words: erasing the member takes it away.
    reason TEXT,
    author TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX adjustment_commission ON adjustment (commission_id);
CREATE INDEX adjustment_workspace ON adjustment (workspace_id, id);
