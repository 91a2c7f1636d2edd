-- Compensation plans, their runs, and what runs pay.

CREATE TABLE plan (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX plan_workspace ON plan (workspace_id, id);
CREATE INDEX plan_program ON plan (program_id, id);

-- A version holds for periods that start at or after effective_from, until a later one does.
CREATE TABLE plan_version (
    plan_id TEXT NOT NULL REFERENCES plan (id),
    version INTEGER NOT NULL CHECK (version > 0),
    effective_from INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    author TEXT NOT NULL,
    -- As it was sent, and the same plan as canonical JSON.
    document TEXT NOT NULL,
    canonical TEXT NOT NULL,
    PRIMARY KEY (plan_id, version)
) STRICT;

-- How new members find their place in a tree of the program, how wide it is, and how long they may wait for their enroller's decision.
CREATE TABLE tree_policy (
    program_id TEXT NOT NULL REFERENCES program (id),
    tree TEXT NOT NULL,
    document TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (program_id, tree)
) STRICT;

-- The holding tank: members without a place, and when they are given one.
CREATE TABLE placement_waiting (
    program_id TEXT NOT NULL REFERENCES program (id),
    tree TEXT NOT NULL,
    member_id TEXT NOT NULL REFERENCES member (id),
    enrolled_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (program_id, tree, member_id)
) STRICT;
CREATE INDEX placement_waiting_due ON placement_waiting (due_at);

-- The buyer is a member: found by the company's own id when either is made.
CREATE TABLE customer_member (
    customer_id TEXT NOT NULL PRIMARY KEY REFERENCES customer (id),
    member_id TEXT NOT NULL REFERENCES member (id)
) STRICT;

-- One calculation of a plan over one period.
CREATE TABLE run (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    plan_id TEXT NOT NULL,
    plan_version INTEGER NOT NULL,
    -- Local days of the program's zone, from and up to; and the same as instants.
    period_start TEXT NOT NULL,
    period_end TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'previewed', 'accepting', 'accepted', 'funded', 'superseded')),
    unit TEXT NOT NULL,
    -- The run before, whose carry this one took.
    previous_id TEXT REFERENCES run (id),
    -- Facts recorded later than this are not in the run.
    cutoff INTEGER,
    facts_hash BLOB,
    hash BLOB,
    total INTEGER NOT NULL DEFAULT 0,
    summary TEXT NOT NULL DEFAULT '{}',
    audit TEXT NOT NULL DEFAULT '{}',
    disclosure TEXT NOT NULL DEFAULT '{}',
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    previewed_at INTEGER,
    accepted_by TEXT,
    accepted_at INTEGER,
    override_reason TEXT,
    funded_by TEXT,
    funded_at INTEGER,
    superseded_by TEXT,
    superseded_at INTEGER,
    -- Long work that goes on: what, how far, in how many chunks, by whom and until when before another may take over.
    work TEXT CHECK (work IN ('preview', 'acceptance', 'funding', 'reversal')),
    work_done INTEGER NOT NULL DEFAULT 0,
    work_total INTEGER NOT NULL DEFAULT 0,
    work_chunks INTEGER NOT NULL DEFAULT 0,
    work_owner TEXT,
    work_until INTEGER,
    work_failure TEXT,
    -- Two people: who accepts is not who made it.
    CHECK (accepted_by IS NULL OR accepted_by <> created_by),
    FOREIGN KEY (plan_id, plan_version) REFERENCES plan_version (plan_id, version)
) STRICT;
CREATE INDEX run_workspace ON run (workspace_id, id);
CREATE INDEX run_working ON run (work) WHERE work IS NOT NULL;
CREATE UNIQUE INDEX run_period ON run (plan_id, period_start) WHERE state <> 'superseded';

-- Facts, lines and statements of a run, packed.
CREATE TABLE run_part (
    run_id TEXT NOT NULL REFERENCES run (id),
    kind TEXT NOT NULL CHECK (kind IN ('names', 'members', 'orders', 'history', 'lines', 'statements', 'carry', 'refunded', 'findings')),
    part INTEGER NOT NULL,
    first_id TEXT NOT NULL,
    last_id TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (run_id, kind, part)
) STRICT;

-- A decision by a person that a run must follow.
CREATE TABLE run_override (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    run_id TEXT NOT NULL REFERENCES run (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    kind TEXT NOT NULL CHECK (kind IN ('forcedRank', 'activityWaiver', 'eligibilityWaiver', 'adjustment')),
    bonus TEXT,
    value INTEGER,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX run_override_run ON run_override (run_id, id);

-- What facts that came too late change about an accepted period: paid by a later run.
CREATE TABLE run_difference (
    run_id TEXT NOT NULL REFERENCES run (id),
    for_run_id TEXT NOT NULL REFERENCES run (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    bonus TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount <> 0),
    cause TEXT NOT NULL,
    PRIMARY KEY (run_id, for_run_id, member_id, bonus)
) STRICT;
CREATE INDEX run_difference_for ON run_difference (for_run_id);

-- What an accepted run gave each member: pending until it is funded; below zero it is a debt.
CREATE TABLE run_payable (
    run_id TEXT NOT NULL REFERENCES run (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    chunk INTEGER NOT NULL,
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount <> 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'funded', 'reversed')),
    payout_id TEXT REFERENCES payout (id),
    PRIMARY KEY (run_id, member_id)
) STRICT;
CREATE INDEX run_payable_chunk ON run_payable (run_id, chunk);
CREATE INDEX run_payable_member ON run_payable (member_id);
CREATE INDEX run_payable_payout ON run_payable (payout_id);

-- Limits of the legal audit of a program's runs.
CREATE TABLE legal_policy (
    program_id TEXT NOT NULL PRIMARY KEY REFERENCES program (id),
    document TEXT NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;
