-- Wrapped keys of people. A store of its own: an erased person's key is gone from here, and a backup of it replaces the last.

CREATE TABLE person_key (
    id TEXT NOT NULL PRIMARY KEY,
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Keys that were destroyed: replayed over a restored database, so that an erased person stays erased.
CREATE TABLE tombstone (
    key_id TEXT NOT NULL PRIMARY KEY,
    erased_at INTEGER NOT NULL
) STRICT;
