-- What the company's own servers, and members' trackers, are told of.

-- Events have a number in their workspace, in the order in which they were committed: a reader that remembers one misses none and sees none twice.
-- Ids are made of time and chance, so of two events of one moment either may have the greater one.
ALTER TABLE outbox ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET sequence = numbered.number
FROM (SELECT id AS event_id, row_number() OVER (PARTITION BY workspace_id ORDER BY id) AS number FROM outbox) AS numbered
WHERE numbered.event_id = outbox.id;
CREATE UNIQUE INDEX outbox_sequence ON outbox (workspace_id, sequence);
DROP INDEX outbox_workspace;

CREATE TABLE webhook_endpoint (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- A company's endpoint is posted envelopes; the address of a member's tracker is asked for with GET.
    kind TEXT NOT NULL CHECK (kind IN ('webhook', 'postback')),
    member_id TEXT REFERENCES member (id),
    url TEXT,
    -- A member's address, under their key: erasing them reaches it.
    url_sealed BLOB,
    -- A list of event types, or of '*' alone.
    events TEXT NOT NULL,
    -- Removed ones are gone for people; their deliveries are deleted little by little, then they are.
    state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled', 'removed')),
    disabled_reason TEXT CHECK (disabled_reason IN ('person', 'gone', 'failing')),
    secret_sealed BLOB,
    -- Signs beside the new one for a day.
    previous_secret_sealed BLOB,
    previous_secret_until INTEGER,
    -- Only events with a greater number are delivered, unless somebody asks for older ones again.
    since_sequence INTEGER NOT NULL CHECK (since_sequence >= 0),
    -- A replay under way: from the event after the first number to that with the second.
    replay_from INTEGER,
    replay_until INTEGER,
    failures_in_row INTEGER NOT NULL DEFAULT 0 CHECK (failures_in_row >= 0),
    failing_since INTEGER,
    paused_until INTEGER,
    created_at INTEGER NOT NULL,
    CHECK ((kind = 'postback') = (member_id IS NOT NULL)),
    CHECK ((kind = 'webhook') = (url IS NOT NULL)),
    CHECK ((replay_from IS NULL) = (replay_until IS NULL)),
    CHECK (state <> 'enabled' OR disabled_reason IS NULL)
) STRICT;
CREATE INDEX webhook_endpoint_workspace ON webhook_endpoint (workspace_id, kind, id);
CREATE UNIQUE INDEX webhook_endpoint_member ON webhook_endpoint (member_id) WHERE member_id IS NOT NULL AND state <> 'removed';

-- The number of the last event that a workspace's endpoints were given.
CREATE TABLE webhook_cursor (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    position INTEGER NOT NULL CHECK (position >= 0)
) STRICT;

-- One event on its way to one endpoint.
CREATE TABLE webhook_delivery (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    endpoint_id TEXT NOT NULL REFERENCES webhook_endpoint (id),
    event_id TEXT NOT NULL REFERENCES outbox (id),
    event_type TEXT NOT NULL,
    event_sequence INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due_at INTEGER,
    created_at INTEGER NOT NULL,
    -- The last try: when, how long, and what was answered. The beginning of the answer is sealed under a key of the installation.
    tried_at INTEGER,
    duration_ms INTEGER,
    status INTEGER,
    answer_sealed BLOB,
    failure TEXT,
    UNIQUE (endpoint_id, event_id),
    CHECK ((state = 'waiting') = (due_at IS NOT NULL))
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, due_at, event_sequence) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_newest ON webhook_delivery (endpoint_id, id);
CREATE INDEX webhook_delivery_state ON webhook_delivery (endpoint_id, state, id);
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);
