-- Whom a company's letters come from, and what its DNS has to say about that. One for a workspace and its test twin, kept with the live one.
CREATE TABLE mail_domain (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    -- An address that the company shows everybody, as hello@shop.example.
    sender_address TEXT NOT NULL,
    -- What the company's mail provider tells it to enter; '' where it tells nothing.
    spf_include TEXT NOT NULL,
    dkim_selector TEXT NOT NULL,
    -- A name (CNAME) or the text of a key (TXT).
    dkim_value TEXT NOT NULL,
    return_path_host TEXT NOT NULL,
    return_path_target TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('unchecked', 'verified', 'failing')),
    -- What the last check found, as JSON.
    findings TEXT NOT NULL,
    checked_at INTEGER,
    changed_at INTEGER NOT NULL,
    CHECK ((state = 'unchecked') = (checked_at IS NULL))
) STRICT;
