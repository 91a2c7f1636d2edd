-- Host names of a company's own, under which its members and friends reach Kith.
CREATE TABLE company_domain (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    host TEXT NOT NULL,
    -- What the company shows in its DNS or on its web server. Each workspace has another one.
    token TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'verified', 'failed')),
    -- What the last look found, as JSON.
    found TEXT NOT NULL,
    checked_at INTEGER,
    verified_at INTEGER,
    -- Since when looks at a verified host find no proof any more.
    failing_since INTEGER,
    next_check_at INTEGER NOT NULL,
    -- The one that letters and links name.
    is_main INTEGER NOT NULL CHECK (is_main IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, host),
    CHECK (is_main = 0 OR state = 'verified'),
    CHECK ((state = 'verified') = (verified_at IS NOT NULL))
) STRICT;
-- Whoever proves it has it: nobody can keep a host by asking for it first.
CREATE UNIQUE INDEX company_domain_verified ON company_domain (host) WHERE state = 'verified';
CREATE UNIQUE INDEX company_domain_main ON company_domain (workspace_id) WHERE is_main = 1;
CREATE INDEX company_domain_due ON company_domain (next_check_at);

-- Sites whose pages may show the portal in a frame; a line each.
CREATE TABLE embedding (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    origins TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- Tokens that were changed into a session: each is good once.
CREATE TABLE embed_token_use (
    token_hash BLOB NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
