-- How members come in: a link in a letter instead of a password, and who is signed in.
CREATE TABLE magic_link (
    token_hash BLOB NOT NULL PRIMARY KEY,
    member_id TEXT NOT NULL REFERENCES member (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- It works once.
    used_at INTEGER,
    CHECK (expires_at > created_at)
) STRICT;
CREATE INDEX magic_link_member ON magic_link (member_id, created_at);

CREATE TABLE member_session (
    token_hash BLOB NOT NULL PRIMARY KEY,
    previous_hash BLOB UNIQUE,
    previous_until INTEGER,
    member_id TEXT NOT NULL REFERENCES member (id),
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX member_session_member ON member_session (member_id);

-- The public page of a program where people ask to take part.
CREATE TABLE join_page (
    program_id TEXT NOT NULL PRIMARY KEY REFERENCES program (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- Addresses are shared by all workspaces of a server.
    slug TEXT NOT NULL UNIQUE,
    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    approval TEXT NOT NULL CHECK (approval IN ('automatic', 'byHand')),
    questions TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- What members agree to. A version is never changed; a new one is asked for again.
CREATE TABLE terms_version (
    program_id TEXT NOT NULL REFERENCES program (id),
    version INTEGER NOT NULL CHECK (version > 0),
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (program_id, version)
) STRICT;

CREATE TABLE terms_acceptance (
    member_id TEXT NOT NULL REFERENCES member (id),
    program_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    PRIMARY KEY (member_id, program_id, version),
    FOREIGN KEY (program_id, version) REFERENCES terms_version (program_id, version)
) STRICT;

CREATE TABLE application (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    enroller_id TEXT REFERENCES member (id),
    state TEXT NOT NULL CHECK (state IN ('unconfirmed', 'waiting', 'approved', 'declined')),
    -- Answers to the page's questions, sealed under the person's key.
    answers_sealed BLOB,
    terms_version INTEGER,
    locale TEXT,
    -- Of the letter that asks whether the mail address is theirs.
    token_hash BLOB UNIQUE,
    token_expires_at INTEGER,
    member_id TEXT REFERENCES member (id),
    reason TEXT,
    decided_by TEXT,
    decided_at INTEGER,
    created_at INTEGER NOT NULL,
    CHECK ((state IN ('approved', 'declined')) = (decided_at IS NOT NULL)),
    CHECK (state <> 'approved' OR member_id IS NOT NULL)
) STRICT;
CREATE INDEX application_queue ON application (workspace_id, state, id);
CREATE INDEX application_person ON application (person_id);
