-- Occasions: dated events to which a company invites members of a program, with places, answers and who came.
CREATE TABLE occasion (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
    description TEXT NOT NULL CHECK (length(description) <= 2000),
    place TEXT CHECK (length(place) BETWEEN 1 AND 300),
    zone TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    -- NULL: as many as come.
    places INTEGER CHECK (places BETWEEN 1 AND 100000),
    -- JSON: groups, tiers and stages it is for; an empty list asks for none in particular.
    invited TEXT NOT NULL,
    -- What whoever came earns.
    earn_action_id TEXT REFERENCES earn_action (id),
    -- The member whom letters have come to, in order of ids; all have theirs when the second is set.
    invited_through TEXT NOT NULL,
    invited_at INTEGER,
    reminded_through TEXT NOT NULL,
    reminded_at INTEGER,
    canceled_at INTEGER,
    created_at INTEGER NOT NULL,
    CHECK (starts_at < ends_at)
) STRICT;
CREATE INDEX occasion_workspace ON occasion (workspace_id, id);
CREATE INDEX occasion_program ON occasion (program_id, starts_at);
CREATE INDEX occasion_inviting ON occasion (workspace_id) WHERE invited_at IS NULL;
CREATE INDEX occasion_reminding ON occasion (workspace_id, starts_at) WHERE reminded_at IS NULL;
CREATE TABLE occasion_answer (
    occasion_id TEXT NOT NULL REFERENCES occasion (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    answer TEXT NOT NULL CHECK (answer IN ('yes', 'waiting', 'no')),
    -- Who waits longest comes next.
    answered_at INTEGER NOT NULL,
    attended_at INTEGER,
    PRIMARY KEY (occasion_id, member_id)
) STRICT;
CREATE INDEX occasion_answer_line ON occasion_answer (occasion_id, answer, answered_at, member_id);
CREATE INDEX occasion_answer_member ON occasion_answer (member_id);
