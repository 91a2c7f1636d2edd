-- Groups of a program's members, and how members came into them. enrollment.group_id holds the key of the group that somebody is in now.

CREATE TABLE member_group (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    -- The word that rules, plans and files name it by. Never changed.
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 40),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    description TEXT NOT NULL CHECK (length(description) <= 1000),
    created_at INTEGER NOT NULL,
    UNIQUE (program_id, key)
) STRICT;
CREATE INDEX member_group_workspace ON member_group (workspace_id, id);

-- What brings members into a group by itself, looked at once a day. The rungs of a program are a ladder: the highest that holds counts.
CREATE TABLE group_rung (
    group_id TEXT NOT NULL PRIMARY KEY REFERENCES member_group (id),
    position INTEGER NOT NULL CHECK (position > 0),
    metric TEXT NOT NULL CHECK (metric IN ('sales', 'amount', 'newCustomers')),
    at_least INTEGER NOT NULL CHECK (at_least > 0),
    -- NULL: since they joined.
    days INTEGER CHECK (days BETWEEN 1 AND 3650),
    falls_back INTEGER NOT NULL CHECK (falls_back IN (0, 1)),
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE group_move (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    from_key TEXT,
    to_key TEXT,
    cause TEXT NOT NULL CHECK (cause IN ('joined', 'byHand', 'reached', 'fellBack')),
    reason TEXT NOT NULL CHECK (length(reason) <= 500),
    -- What was measured: {metric, value, atLeast, days}; {} where nothing was.
    evidence TEXT NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX group_move_member ON group_move (member_id, program_id, at);
CREATE INDEX group_move_program ON group_move (program_id, at);

-- When a program's ladder is looked at next.
CREATE TABLE group_look (
    program_id TEXT NOT NULL PRIMARY KEY REFERENCES program (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX group_look_due ON group_look (due_at);

CREATE INDEX enrollment_group ON enrollment (program_id, group_id, member_id);

-- Words that members were enrolled with become groups.
INSERT INTO member_group (id, workspace_id, program_id, key, name, description, created_at)
SELECT 'grp_' || substr('00000000000000000000000000' || CAST(known.number AS TEXT), length(CAST(known.number AS TEXT)) + 1, 26),
    known.workspace_id, known.program_id, known.word, known.word, '', known.since
FROM (
    SELECT p.workspace_id AS workspace_id, e.program_id AS program_id, e.group_id AS word, min(e.enrolled_at) AS since,
        row_number() OVER (ORDER BY e.program_id, e.group_id) AS number
    FROM enrollment e JOIN program p ON p.id = e.program_id WHERE e.group_id IS NOT NULL AND length(e.group_id) > 0
    GROUP BY p.workspace_id, e.program_id, e.group_id
) known;
INSERT INTO group_move (id, workspace_id, program_id, member_id, from_key, to_key, cause, reason, evidence, author, at)
SELECT 'gmv_' || substr('00000000000000000000000000' || CAST(known.number AS TEXT), length(CAST(known.number AS TEXT)) + 1, 26),
    known.workspace_id, known.program_id, known.member_id, NULL, known.word, 'joined', '', '{}', 'system:upgrade', known.since
FROM (
    SELECT p.workspace_id AS workspace_id, e.program_id AS program_id, e.member_id AS member_id, e.group_id AS word, e.enrolled_at AS since,
        row_number() OVER (ORDER BY e.program_id, e.member_id) AS number
    FROM enrollment e JOIN program p ON p.id = e.program_id WHERE e.group_id IS NOT NULL AND length(e.group_id) > 0
) known;
