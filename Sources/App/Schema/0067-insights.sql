-- What happened, counted by day, and who stood where since when: worked out from the events, never told. `kith insights rebuild` makes the same anew.
CREATE TABLE insight_cursor (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    -- The number of the last event that is counted.
    position INTEGER NOT NULL CHECK (position >= 0),
    -- Days are those of this zone.
    time_zone TEXT NOT NULL,
    -- Customers known until then are counted.
    customers_until INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE insight_day (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- A day of the workspace's zone, ISO 8601.
    day TEXT NOT NULL CHECK (length(day) = 10),
    measure TEXT NOT NULL CHECK (measure IN ('sales', 'revenue', 'refunds', 'leads', 'commissionCost', 'newCustomers', 'secondPurchases')),
    -- '' where there is none.
    program_id TEXT NOT NULL,
    came_by TEXT NOT NULL,
    channel TEXT NOT NULL,
    device TEXT NOT NULL,
    country TEXT NOT NULL,
    currency TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, measure, day, program_id, came_by, channel, device, country, currency)
) STRICT;
CREATE INDEX insight_day_day ON insight_day (workspace_id, day);
CREATE TABLE fan_stage (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- A member, or a customer who is none.
    fan_id TEXT NOT NULL,
    step INTEGER NOT NULL CHECK (step > 0),
    from_stage TEXT CHECK (from_stage IN ('prospect', 'customer', 'sharer', 'promoter')),
    stage TEXT NOT NULL CHECK (stage IN ('prospect', 'customer', 'sharer', 'promoter')),
    cause TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- NULL: they stand there still.
    until_at INTEGER,
    PRIMARY KEY (workspace_id, fan_id, step)
) STRICT;
CREATE INDEX fan_stage_time ON fan_stage (workspace_id, at);
CREATE INDEX refund_time ON refund (workspace_id, occurred_at);
CREATE INDEX customer_created ON customer (workspace_id, created_at);
