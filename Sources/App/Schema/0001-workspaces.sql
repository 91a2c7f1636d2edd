-- Companies, the people who work for them, and what makes a write happen once.
-- Instants are milliseconds since 1970 UTC. Text that names a person is never here: see 0003-people.sql.

CREATE TABLE workspace (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    slug TEXT NOT NULL UNIQUE,
    -- The workspace whose test twin this is. A test workspace has a clock of its own, this many milliseconds ahead of real time;
    -- nothing in it is paid or mailed.
    live_id TEXT UNIQUE REFERENCES workspace (id),
    test_ahead_ms INTEGER CHECK (test_ahead_ms >= 0),
    time_zone TEXT NOT NULL,
    locale TEXT NOT NULL,
    hue INTEGER NOT NULL DEFAULT 222 CHECK (hue BETWEEN 0 AND 359),
    created_at INTEGER NOT NULL,
    CHECK ((live_id IS NULL) = (test_ahead_ms IS NULL))
) STRICT;

-- A person who signs in to operate workspaces. Mail and name are sealed under the key of that row.
CREATE TABLE operator (
    id TEXT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL UNIQUE,
    email_hash BLOB NOT NULL UNIQUE,
    email_sealed BLOB NOT NULL,
    name_sealed BLOB,
    password_hash TEXT,
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    locked_until INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

-- Membership of a live workspace; it holds for the test twin as well.
CREATE TABLE team_member (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    operator_id TEXT NOT NULL REFERENCES operator (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'finance', 'marketer', 'compliance', 'developer', 'support', 'viewer')),
    created_at INTEGER NOT NULL,
    removed_at INTEGER,
    PRIMARY KEY (workspace_id, operator_id)
) STRICT;
CREATE INDEX team_member_operator ON team_member (operator_id);

-- An invitation to a team: its token is stored hashed and works once.
CREATE TABLE invitation (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    operator_id TEXT NOT NULL REFERENCES operator (id),
    -- Who accepts becomes a member of the team with this role; before that they are none.
    role TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    accepted_at INTEGER
) STRICT;

CREATE TABLE operator_session (
    token_hash BLOB NOT NULL PRIMARY KEY,
    operator_id TEXT NOT NULL REFERENCES operator (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- A rotated session keeps answering to its old token for a moment, for requests already under way.
    previous_hash BLOB UNIQUE,
    previous_until INTEGER
) STRICT;
CREATE INDEX operator_session_operator ON operator_session (operator_id);

CREATE TABLE api_key (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    operator_id TEXT NOT NULL REFERENCES operator (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'publishable')),
    key_hash BLOB NOT NULL UNIQUE,
    ending TEXT NOT NULL,
    -- Space-separated operations' scopes, or a role of the team.
    role TEXT,
    scopes TEXT,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CHECK (kind = 'publishable' OR (role IS NULL) <> (scopes IS NULL))
) STRICT;
CREATE INDEX api_key_workspace ON api_key (workspace_id, created_at);

-- One result for one (workspace, endpoint, key). The answer is kept for 24 hours; secrets in it are blanked.
CREATE TABLE idempotency (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    endpoint TEXT NOT NULL,
    key TEXT NOT NULL,
    input_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    -- Set when the answer names a person: it is then sealed under that person's key, so that erasing them reaches every backup of it.
    person_id TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, endpoint, key)
) STRICT;
CREATE INDEX idempotency_age ON idempotency (created_at);

-- What happened, for those who subscribe to it. Holds ids only, never a name or a mail.
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    type TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_workspace ON outbox (workspace_id, id);

-- How far a worker has come.
CREATE TABLE worker_cursor (
    worker TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
