-- What members earn points or credit for beside sales: a review, a birthday, a course. The company says when somebody did it.
CREATE TABLE earn_action (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    -- The word that the company's systems name it by.
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    -- How often one member may earn it; nil without an end.
    times INTEGER CHECK (times BETWEEN 1 AND 1000000),
    -- In how many days; nil ever.
    days INTEGER CHECK (days BETWEEN 1 AND 3650),
    archived_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, key),
    CHECK (days IS NULL OR times IS NOT NULL)
) STRICT;
CREATE INDEX earn_action_workspace ON earn_action (workspace_id, id);
CREATE TABLE earned_action (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    action_id TEXT NOT NULL REFERENCES earn_action (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    -- What the company calls this one time; a second call with it earns nothing more.
    reference TEXT NOT NULL,
    movement_id TEXT NOT NULL REFERENCES wallet_movement (id),
    earned_at INTEGER NOT NULL,
    UNIQUE (action_id, reference)
) STRICT;
CREATE INDEX earned_action_member ON earned_action (member_id, action_id, earned_at);
CREATE INDEX earned_action_workspace ON earned_action (workspace_id, id);
