-- Two members who are one person: what one of them had for what comes is given to the other. What was earned stays where it was earned.
CREATE TABLE member_merge (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kept_id TEXT NOT NULL REFERENCES member (id),
    duplicate_id TEXT NOT NULL REFERENCES member (id),
    -- What was moved, so that it can be moved back.
    moved TEXT NOT NULL,
    reason TEXT NOT NULL,
    merged_by TEXT NOT NULL,
    merged_at INTEGER NOT NULL,
    undone_at INTEGER,
    CHECK (kept_id <> duplicate_id)
) STRICT;
CREATE UNIQUE INDEX member_merge_once ON member_merge (duplicate_id) WHERE undone_at IS NULL;
CREATE INDEX member_merge_kept ON member_merge (kept_id);
CREATE INDEX member_merge_workspace ON member_merge (workspace_id, id);
-- The history of one thing.
CREATE INDEX audit_subject ON audit_entry (workspace_id, subject, sequence);
