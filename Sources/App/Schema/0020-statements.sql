-- When a journal was last reckoned anew, and what was found.
CREATE TABLE journal_check (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    checked_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    findings INTEGER NOT NULL CHECK (findings >= 0)
) STRICT;

-- Who pays, as statements say it.
CREATE TABLE company (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    address TEXT NOT NULL,
    -- A tax or register number.
    number TEXT NOT NULL,
    contact TEXT NOT NULL
) STRICT;
