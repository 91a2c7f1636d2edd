-- Finding people by their names, which are sealed: keyed hashes of the beginnings of each word, cut to eight bytes. What fits is opened and
-- read before anybody is shown, so a hash that fits by chance shows nobody. Written by due work, apart from the sale or the sign-up.
ALTER TABLE person ADD COLUMN name_indexed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_not_indexed ON person (workspace_id, id) WHERE name_indexed = 0 AND erased_at IS NULL;
CREATE TABLE name_part (
    hash BLOB NOT NULL,
    person_id TEXT NOT NULL REFERENCES person (id),
    PRIMARY KEY (hash, person_id)
) STRICT;
CREATE INDEX name_part_person ON name_part (person_id);
