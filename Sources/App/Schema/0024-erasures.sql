-- What leads to the clicks of people who were erased, until they are blanked: at once, and once more when nothing of theirs can be on its
-- way any more.
CREATE TABLE click_to_blank (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('link', 'visitor', 'click')),
    subject TEXT NOT NULL,
    erased_at INTEGER NOT NULL,
    is_blanked INTEGER NOT NULL CHECK (is_blanked IN (0, 1)),
    PRIMARY KEY (workspace_id, kind, subject)
) STRICT;
CREATE INDEX click_to_blank_time ON click_to_blank (erased_at);

-- PostgreSQL: tables that text was taken out of and that are to be written anew, when nobody sees rows of that transaction's time.
CREATE TABLE erasure_remains (
    transaction_number INTEGER NOT NULL PRIMARY KEY,
    tables TEXT NOT NULL,
    is_large INTEGER NOT NULL CHECK (is_large IN (0, 1))
) STRICT;
