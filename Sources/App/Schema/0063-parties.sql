-- Parties: a member's dated event with a link of its own. What is sold by the link counts, and a table says what the host gets for it.
CREATE TABLE party_plan (
    program_id TEXT NOT NULL PRIMARY KEY REFERENCES program (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- Whole days after the party's on which orders still count.
    order_days INTEGER NOT NULL CHECK (order_days BETWEEN 0 AND 90),
    -- Whole days after those that wait for returns, before the host is rewarded.
    return_days INTEGER NOT NULL CHECK (return_days BETWEEN 0 AND 180),
    members_may_host INTEGER NOT NULL CHECK (members_may_host IN (0, 1)),
    -- JSON: from which turnover on the host gets what.
    tiers TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX party_plan_workspace ON party_plan (workspace_id);
CREATE TABLE party (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    host_id TEXT NOT NULL REFERENCES member (id),
    link_id TEXT NOT NULL UNIQUE REFERENCES link (id),
    -- Empty, and without a place, when its host was erased.
    title TEXT NOT NULL CHECK (length(title) <= 100),
    place TEXT CHECK (length(place) <= 300),
    zone TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    orders_until INTEGER NOT NULL,
    settles_at INTEGER NOT NULL,
    -- The plan's table as it was when the party was made: what was promised.
    tiers TEXT NOT NULL,
    canceled_at INTEGER,
    settled_at INTEGER,
    reward_unit TEXT,
    -- What the host has for it by now; less after a return.
    reward_amount INTEGER NOT NULL CHECK (reward_amount >= 0),
    created_at INTEGER NOT NULL,
    CHECK (starts_at < orders_until AND orders_until <= settles_at),
    CHECK (canceled_at IS NULL OR settled_at IS NULL),
    CHECK (reward_amount = 0 OR (settled_at IS NOT NULL AND reward_unit IS NOT NULL))
) STRICT;
CREATE INDEX party_workspace ON party (workspace_id, id);
CREATE INDEX party_host ON party (host_id, id);
CREATE INDEX party_due ON party (workspace_id, settles_at) WHERE settled_at IS NULL AND canceled_at IS NULL;
CREATE TABLE party_order (
    sale_id TEXT NOT NULL PRIMARY KEY REFERENCES sale (id),
    party_id TEXT NOT NULL REFERENCES party (id)
) STRICT;
CREATE INDEX party_order_party ON party_order (party_id, sale_id);
