-- What a join page says first, and whether people who are declined are written to.
ALTER TABLE join_page ADD COLUMN welcome TEXT NOT NULL DEFAULT '';
ALTER TABLE join_page ADD COLUMN tells_declined INTEGER NOT NULL DEFAULT 1 CHECK (tells_declined IN (0, 1));

-- Browsers that a member signed in with, by the hash of a cookie: a letter tells of a new one.
CREATE TABLE member_device (
    member_id TEXT NOT NULL REFERENCES member (id),
    device_hash BLOB NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (member_id, device_hash)
) STRICT;

-- Every time somebody stopped letters of a kind or wanted them again. `mail_stop` says how it is now.
CREATE TABLE letter_choice (
    person_id TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    chosen_at INTEGER NOT NULL,
    is_wanted INTEGER NOT NULL CHECK (is_wanted IN (0, 1)),
    PRIMARY KEY (person_id, kind, chosen_at)
) STRICT;
INSERT INTO letter_choice (person_id, kind, chosen_at, is_wanted) SELECT person_id, kind, stopped_at, 0 FROM mail_stop;
