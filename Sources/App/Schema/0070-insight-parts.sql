-- What is to be counted anew, a part at a time: days and people that events touched.
CREATE TABLE insight_todo (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('day', 'member', 'customer')),
    -- A day of the workspace's zone, or an id.
    item TEXT NOT NULL,
    PRIMARY KEY (workspace_id, kind, item)
) STRICT;
-- While everything is counted anew: up to which member or customer. NULL: it is done.
ALTER TABLE insight_cursor ADD COLUMN rebuild_kind TEXT CHECK (rebuild_kind IN ('member', 'customer'));
ALTER TABLE insight_cursor ADD COLUMN rebuild_after TEXT NOT NULL DEFAULT '';
CREATE INDEX insight_cursor_rebuild ON insight_cursor (workspace_id) WHERE rebuild_kind IS NOT NULL;
