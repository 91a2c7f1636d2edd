-- Letters that members have written to friends. Who gets one is nobody's business here: no row leads from a letter to an address.
-- What is known of addresses are keyed hashes, kept apart, for three reasons: one letter in thirty days, none to who wants none, no complaint twice.
ALTER TABLE friend_page ADD COLUMN invites INTEGER NOT NULL DEFAULT 0 CHECK (invites IN (0, 1));

CREATE TABLE friend_invitation (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    -- What its button leads to: clicks and sales are counted for the link, never for a letter.
    link_id TEXT NOT NULL REFERENCES link (id),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX friend_invitation_member ON friend_invitation (member_id, created_at);
CREATE INDEX friend_invitation_workspace ON friend_invitation (workspace_id, created_at);

-- The link of a member's letters, one for each program.
CREATE TABLE invitation_link (
    member_id TEXT NOT NULL REFERENCES member (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    link_id TEXT NOT NULL UNIQUE REFERENCES link (id),
    PRIMARY KEY (member_id, program_id)
) STRICT;

-- Keyed hashes of addresses that were written to, and of address and member together; forgotten after thirty days.
CREATE TABLE invited_address (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    hash BLOB NOT NULL,
    invited_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, hash)
) STRICT;
CREATE INDEX invited_address_age ON invited_address (invited_at);

-- Keyed hashes of addresses that want no such letter, for good.
CREATE TABLE unwanted_address (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    hash BLOB NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, hash)
) STRICT;

CREATE TABLE complaint (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    -- By the address in a letter, which proves that one was got, or by the friend's page, which proves nothing.
    way TEXT NOT NULL CHECK (way IN ('letter', 'page')),
    address_hash BLOB,
    reason TEXT NOT NULL CHECK (reason IN ('unknownSender', 'unwanted', 'other')),
    created_at INTEGER NOT NULL,
    looked_at INTEGER,
    looked_by TEXT,
    -- A complaint that came from another server by an import has none.
    CHECK (way = 'letter' OR address_hash IS NULL),
    CHECK ((looked_at IS NULL) = (looked_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX complaint_letter ON complaint (member_id, address_hash) WHERE address_hash IS NOT NULL;
CREATE INDEX complaint_member ON complaint (member_id, created_at);
CREATE INDEX complaint_workspace ON complaint (workspace_id, id);
CREATE INDEX complaint_open ON complaint (workspace_id) WHERE looked_at IS NULL;

-- Members who may write to no friends until somebody of the team lets them again.
CREATE TABLE invitation_pause (
    member_id TEXT NOT NULL PRIMARY KEY REFERENCES member (id),
    paused_at INTEGER NOT NULL,
    lifted_at INTEGER,
    lifted_by TEXT,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
) STRICT;
