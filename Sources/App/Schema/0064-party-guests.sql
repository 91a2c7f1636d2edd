-- Who said that they come to a party. The name is the person's own, in the vault, and forgotten after the party.
CREATE TABLE party_guest (
    id TEXT NOT NULL PRIMARY KEY,
    party_id TEXT NOT NULL REFERENCES party (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    -- The browser that answered: another answer from it replaces the first.
    browser_hash BLOB,
    answer TEXT NOT NULL CHECK (answer IN ('yes', 'maybe', 'no')),
    -- NULL: the name is forgotten.
    forget_at INTEGER,
    answered_at INTEGER NOT NULL,
    UNIQUE (party_id, browser_hash)
) STRICT;
CREATE INDEX party_guest_due ON party_guest (forget_at) WHERE forget_at IS NOT NULL;
CREATE INDEX party_guest_person ON party_guest (person_id);
