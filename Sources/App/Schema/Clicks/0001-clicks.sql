-- The click file: every request for a link as it came, in commit order, apart from the main database so that
-- its group commit (one sync for many clicks) never waits for sales. No raw address is ever stored.

CREATE TABLE click_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL
) STRICT;
INSERT INTO click_head (id, sequence) VALUES (1, 0);

CREATE TABLE click (
    sequence INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    program_id TEXT NOT NULL,
    link_id TEXT,
    member_id TEXT,
    kind TEXT NOT NULL,
    visitor_id TEXT,
    at INTEGER NOT NULL,
    -- HMAC of the address under a key that changes every day.
    address_hash BLOB,
    user_agent TEXT,
    referrer TEXT,
    url TEXT,
    country TEXT,
    variant INTEGER,
    -- Why it is not counted; NULL: counted.
    discard TEXT,
    -- Measurement parameters and signals, a JSON object.
    signals TEXT NOT NULL
) STRICT;
CREATE INDEX click_visitor ON click (workspace_id, visitor_id, at);
CREATE INDEX click_link ON click (link_id, sequence);
