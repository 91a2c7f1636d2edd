-- Members whose status people changed several at once, and how each was before, so that it can be taken back.
CREATE TABLE member_change (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    author TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    undone_by TEXT,
    undone_at INTEGER
) STRICT;
CREATE INDEX member_change_workspace ON member_change (workspace_id, id);
CREATE TABLE member_change_item (
    member_change_id TEXT NOT NULL REFERENCES member_change (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    status_before TEXT NOT NULL,
    status_after TEXT NOT NULL,
    -- 1 once it was brought back; what somebody changed since stays 0.
    is_back INTEGER NOT NULL DEFAULT 0 CHECK (is_back IN (0, 1)),
    PRIMARY KEY (member_change_id, member_id)
) STRICT;
CREATE INDEX member_change_item_member ON member_change_item (member_id);
