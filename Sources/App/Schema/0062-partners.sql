-- Partners whom the team invites by name: who they are stands in the vault, and goes when they have come, were not wanted after all, or let it rest.
CREATE TABLE partner_invitation (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    person_id TEXT NOT NULL UNIQUE REFERENCES person (id),
    -- Where the team found them: the word that quality is told by.
    source TEXT NOT NULL CHECK (length(source) BETWEEN 1 AND 40),
    state TEXT NOT NULL CHECK (state IN ('invited', 'accepted', 'withdrawn')),
    token_hash BLOB UNIQUE,
    expires_at INTEGER NOT NULL,
    sends INTEGER NOT NULL CHECK (sends > 0),
    sent_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK (state = 'invited' OR token_hash IS NULL)
) STRICT;
CREATE INDEX partner_invitation_list ON partner_invitation (workspace_id, id);
CREATE INDEX partner_invitation_open ON partner_invitation (expires_at) WHERE state = 'invited';

-- The word of the address that brought an applicant (?from=…), or of their invitation.
ALTER TABLE application ADD COLUMN source TEXT;
ALTER TABLE application ADD COLUMN partner_invitation_id TEXT REFERENCES partner_invitation (id);
CREATE INDEX application_program ON application (workspace_id, program_id);

-- What applications may have in common, as keyed hashes: a mailbox, a telephone number among the answers, a browser's cookie, and the network
-- address under a key of the day.
CREATE TABLE application_trait (
    application_id TEXT NOT NULL REFERENCES application (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('mailbox', 'phone', 'browser', 'address')),
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (application_id, kind, hash)
) STRICT;
CREATE INDEX application_trait_hash ON application_trait (workspace_id, kind, hash);
