-- Tiers that members reach and keep, and badges that they are given once, by what they did in a program.
CREATE TABLE tier (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    name TEXT NOT NULL,
    benefits TEXT NOT NULL,
    -- The higher, the better.
    rank INTEGER NOT NULL CHECK (rank BETWEEN 1 AND 100),
    measure TEXT NOT NULL CHECK (measure IN ('points', 'sales', 'amount', 'referrals')),
    entry INTEGER NOT NULL CHECK (entry > 0),
    -- What is enough to stay; nil keeps for good.
    keep INTEGER CHECK (keep > 0 AND keep <= entry),
    -- How many days back counts; nil counts everything.
    days INTEGER CHECK (days BETWEEN 1 AND 3650),
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, rank)
) STRICT;
CREATE INDEX tier_workspace ON tier (workspace_id, id);
CREATE TABLE standing (
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    tier_id TEXT NOT NULL REFERENCES tier (id),
    since INTEGER NOT NULL,
    PRIMARY KEY (program_id, member_id)
) STRICT;
CREATE INDEX standing_member ON standing (member_id);
CREATE TABLE tier_move (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    from_id TEXT REFERENCES tier (id),
    to_id TEXT REFERENCES tier (id),
    moved_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tier_move_member ON tier_move (member_id, id);
CREATE TABLE badge (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    measure TEXT NOT NULL CHECK (measure IN ('points', 'sales', 'amount', 'referrals')),
    threshold INTEGER NOT NULL CHECK (threshold > 0),
    -- What comes with it.
    unit TEXT,
    amount INTEGER CHECK (amount > 0),
    archived_at INTEGER,
    created_at INTEGER NOT NULL,
    CHECK ((unit IS NULL) = (amount IS NULL))
) STRICT;
CREATE INDEX badge_program ON badge (program_id, id);
CREATE INDEX badge_workspace ON badge (workspace_id, id);
CREATE TABLE badge_award (
    badge_id TEXT NOT NULL REFERENCES badge (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    movement_id TEXT REFERENCES wallet_movement (id),
    awarded_at INTEGER NOT NULL,
    PRIMARY KEY (badge_id, member_id)
) STRICT;
CREATE INDEX badge_award_member ON badge_award (member_id);
-- Whose standing has to be looked at, and when.
CREATE TABLE standing_check (
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    due_at INTEGER NOT NULL,
    PRIMARY KEY (program_id, member_id)
) STRICT;
CREATE INDEX standing_check_due ON standing_check (workspace_id, due_at);
