-- What members can have for points and credit, and what they took.
CREATE TABLE spend_item (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    unit TEXT NOT NULL,
    cost INTEGER NOT NULL CHECK (cost > 0),
    kind TEXT NOT NULL CHECK (kind IN ('gift', 'coupon', 'credit', 'custom')),
    -- What a member gets at once, where it is points or credit.
    value_unit TEXT,
    value_amount INTEGER CHECK (value_amount > 0),
    -- How many are left; nil where there is no end.
    stock INTEGER CHECK (stock >= 0),
    archived_at INTEGER,
    created_at INTEGER NOT NULL,
    CHECK ((kind = 'credit') = (value_unit IS NOT NULL)),
    CHECK ((value_unit IS NULL) = (value_amount IS NULL))
) STRICT;
CREATE INDEX spend_item_workspace ON spend_item (workspace_id, id);
CREATE TABLE redemption (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    item_id TEXT NOT NULL REFERENCES spend_item (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    unit TEXT NOT NULL,
    cost INTEGER NOT NULL CHECK (cost > 0),
    state TEXT NOT NULL CHECK (state IN ('requested', 'fulfilled', 'canceled')),
    movement_id TEXT NOT NULL REFERENCES wallet_movement (id),
    -- What the member is told: a code, when it comes.
    note TEXT,
    requested_at INTEGER NOT NULL,
    settled_at INTEGER,
    settled_by TEXT,
    CHECK ((state = 'requested') = (settled_at IS NULL))
) STRICT;
CREATE INDEX redemption_workspace ON redemption (workspace_id, state, id);
CREATE INDEX redemption_member ON redemption (member_id, id);
CREATE INDEX redemption_item ON redemption (item_id);
