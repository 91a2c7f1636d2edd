-- Programs, their rules, the people in them and the links they share.

CREATE TABLE program (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    slug TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    time_zone TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    archived_at INTEGER,
    UNIQUE (workspace_id, slug)
) STRICT;

-- Settings as they were in force: a change only affects what happens later than effective_from.
CREATE TABLE program_version (
    program_id TEXT NOT NULL REFERENCES program (id),
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    author TEXT NOT NULL,
    settings TEXT NOT NULL,
    PRIMARY KEY (program_id, version)
) STRICT;

CREATE TABLE rule (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX rule_program ON rule (program_id, id);

CREATE TABLE rule_version (
    rule_id TEXT NOT NULL REFERENCES rule (id),
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from INTEGER NOT NULL,
    effective_until INTEGER,
    recorded_at INTEGER NOT NULL,
    author TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (rule_id, version)
) STRICT;

CREATE TABLE member (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    person_id TEXT NOT NULL UNIQUE REFERENCES person (id),
    external_hash BLOB,
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'promoter')),
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'suspended', 'terminated', 'erased')),
    stage TEXT NOT NULL CHECK (stage IN ('prospect', 'customer', 'sharer', 'promoter')),
    -- Who introduced them. Set once, never changed.
    enroller_id TEXT REFERENCES member (id),
    country TEXT,
    locale TEXT,
    time_zone TEXT,
    joined_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK (enroller_id <> id),
    UNIQUE (workspace_id, external_hash)
) STRICT;
CREATE INDEX member_enroller ON member (enroller_id);
CREATE INDEX member_workspace ON member (workspace_id, id);

CREATE TABLE enrollment (
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    group_id TEXT,
    enrolled_at INTEGER NOT NULL,
    PRIMARY KEY (program_id, member_id)
) STRICT;
CREATE INDEX enrollment_member ON enrollment (member_id);

CREATE TABLE stage_move (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    from_stage TEXT,
    to_stage TEXT NOT NULL,
    cause TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX stage_move_member ON stage_move (member_id, at);

-- Where a member stands in a placement tree, dated.
CREATE TABLE placement (
    program_id TEXT NOT NULL REFERENCES program (id),
    tree TEXT NOT NULL,
    member_id TEXT NOT NULL REFERENCES member (id),
    parent_id TEXT REFERENCES member (id),
    slot INTEGER CHECK (slot > 0),
    effective_from INTEGER NOT NULL,
    effective_until INTEGER,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (program_id, tree, member_id, effective_from),
    CHECK (parent_id <> member_id),
    CHECK (effective_until IS NULL OR effective_until > effective_from)
) STRICT;
CREATE INDEX placement_parent ON placement (program_id, tree, parent_id);

-- A domain of the company's own that answers /r/… (or /… at its root).
CREATE TABLE short_domain (
    host TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE link (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT REFERENCES member (id),
    -- '' is the server's own address; codes are unique per host.
    host TEXT NOT NULL,
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    code_folded TEXT NOT NULL,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('link', 'friendCode', 'coupon', 'paid')),
    code_rate TEXT,
    code_needs_referral INTEGER NOT NULL CHECK (code_needs_referral IN (0, 1)),
    expires_at INTEGER,
    archived_at INTEGER,
    created_at INTEGER NOT NULL,
    clicks INTEGER NOT NULL DEFAULT 0 CHECK (clicks >= 0),
    clicks_logged INTEGER NOT NULL DEFAULT 0 CHECK (clicks_logged >= clicks),
    UNIQUE (host, code_folded)
) STRICT;
CREATE INDEX link_member ON link (member_id);
CREATE INDEX link_workspace ON link (workspace_id, id);
CREATE INDEX link_code ON link (workspace_id, code_folded);

CREATE TABLE link_variant (
    link_id TEXT NOT NULL REFERENCES link (id),
    position INTEGER NOT NULL,
    destination TEXT NOT NULL,
    weight INTEGER NOT NULL CHECK (weight > 0),
    PRIMARY KEY (link_id, position)
) STRICT;

CREATE TABLE click_day (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    link_id TEXT NOT NULL REFERENCES link (id),
    -- Local day of the program's zone, ISO 8601.
    day TEXT NOT NULL,
    clicks INTEGER NOT NULL,
    clicks_logged INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, day, link_id)
) STRICT;
