-- The people vault: what names a person, sealed under a key of that person's own. The wrapped keys live in another store
-- (keys.person_key), of which only the latest state is ever backed up: destroying the key erases the person everywhere.

CREATE TABLE person (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    key_id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    erased_at INTEGER
) STRICT;
CREATE INDEX person_workspace ON person (workspace_id, id);

CREATE TABLE person_field (
    person_id TEXT NOT NULL REFERENCES person (id),
    field TEXT NOT NULL CHECK (field IN ('email', 'name', 'externalId', 'homeAddress', 'paymentFingerprint', 'payoutAccount', 'website', 'channels', 'attributes')),
    sealed BLOB NOT NULL,
    PRIMARY KEY (person_id, field)
) STRICT;

-- Keyed hashes for look-up: HMAC-SHA-256 of the normalised value, so equal values meet without being readable.
CREATE TABLE person_lookup (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL,
    hash BLOB NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    PRIMARY KEY (workspace_id, kind, hash, person_id)
) STRICT;
CREATE INDEX person_lookup_person ON person_lookup (person_id);
