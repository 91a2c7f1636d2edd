-- Members who may be found by name where somebody buys face to face. Their names stand sealed in the vault; they are looked for by the keyed
-- hashes of `name_part`, and only among these.
CREATE TABLE findable_member (
    member_id TEXT NOT NULL PRIMARY KEY REFERENCES member (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    person_id TEXT NOT NULL UNIQUE REFERENCES person (id),
    since INTEGER NOT NULL
) STRICT;
CREATE INDEX findable_workspace ON findable_member (workspace_id, member_id);

-- Every time a member said so, or took it back. `findable_member` says how it is now.
CREATE TABLE findable_choice (
    member_id TEXT NOT NULL REFERENCES member (id),
    chosen_at INTEGER NOT NULL,
    is_findable INTEGER NOT NULL CHECK (is_findable IN (0, 1)),
    PRIMARY KEY (member_id, chosen_at)
) STRICT;
