-- Files that are taken in, by a page or a command: how far each is, so that one that was broken off goes on where it was.
CREATE TABLE file_import (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT REFERENCES program (id),
    -- Of the file's bytes and of how it is read: by it the same file is known again.
    content_hash TEXT NOT NULL,
    -- The system that exported it, 'generic', or 'file' for a command's.
    source TEXT NOT NULL,
    -- What is read out of it, between spaces.
    kinds TEXT NOT NULL,
    -- Which column goes to which field, as JSON.
    mapping TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('mapping', 'rehearsing', 'rehearsed', 'writing', 'done', 'partly', 'dropped')),
    -- New and changed rows that are written, over all attempts.
    rows_written INTEGER NOT NULL CHECK (rows_written >= 0),
    -- What the last rehearsal or attempt said: it may name people.
    outcome_sealed BLOB,
    -- The file, under a key of the installation's, while a page still needs it. It holds names: it goes when it is written, expired, or
    -- somebody of the workspace is erased.
    content_sealed BLOB,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Which process works on it, and until when nobody else does.
    work_owner TEXT,
    work_until INTEGER
) STRICT;
CREATE INDEX file_import_workspace ON file_import (workspace_id, created_at, id);
CREATE INDEX file_import_hash ON file_import (workspace_id, content_hash);
CREATE INDEX file_import_work ON file_import (created_at) WHERE state IN ('rehearsing', 'writing');
CREATE INDEX file_import_expiry ON file_import (expires_at) WHERE content_sealed IS NOT NULL;
