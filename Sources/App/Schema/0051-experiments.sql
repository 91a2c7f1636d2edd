-- Tests of one way against others, with people held out.
CREATE TABLE experiment (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    kind TEXT NOT NULL CHECK (kind IN ('offer', 'rewardAmount', 'rewardSide', 'message', 'image', 'landingPage', 'shareText', 'other')),
    metric TEXT NOT NULL CHECK (metric IN ('conversion', 'revenue', 'lead')),
    holdout_ppm INTEGER NOT NULL CHECK (holdout_ppm BETWEEN 0 AND 500000),
    -- Experiments of one layer share its people, so that nobody is in two of them; '': one of its own.
    layer TEXT NOT NULL CHECK (length(layer) <= 60),
    bucket_from INTEGER NOT NULL CHECK (bucket_from >= 0),
    bucket_to INTEGER NOT NULL CHECK (bucket_to <= 10000),
    -- The smallest difference that matters, as a share of everybody's rate or mean at the first look.
    effect_ppm INTEGER NOT NULL CHECK (effect_ppm BETWEEN 1000 AND 1000000),
    -- How much worse the guards may get: shares in millionths, pay for a sale in minor units of the program's currency.
    refund_margin_ppm INTEGER NOT NULL CHECK (refund_margin_ppm BETWEEN 1000 AND 1000000),
    fraud_margin_ppm INTEGER NOT NULL CHECK (fraud_margin_ppm BETWEEN 1000 AND 1000000),
    cost_margin INTEGER CHECK (cost_margin > 0),
    state TEXT NOT NULL CHECK (state IN ('draft', 'running', 'stopped', 'concluded')),
    started_at INTEGER,
    ended_at INTEGER,
    -- The position of the variant that everybody gets from now on.
    chosen INTEGER,
    created_at INTEGER NOT NULL,
    CHECK (bucket_from < bucket_to),
    CHECK ((state = 'draft') = (started_at IS NULL)),
    CHECK ((state IN ('stopped', 'concluded')) = (ended_at IS NOT NULL)),
    CHECK ((state = 'concluded') = (chosen IS NOT NULL))
) STRICT;
CREATE INDEX experiment_workspace ON experiment (workspace_id, id);
CREATE INDEX experiment_program ON experiment (program_id, kind, state);

-- What people may get. Position 0 is control.
CREATE TABLE experiment_variant (
    experiment_id TEXT NOT NULL REFERENCES experiment (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    weight INTEGER NOT NULL CHECK (weight BETWEEN 1 AND 1000000),
    -- What the variant shows, as JSON: texts under names of the company's own.
    content TEXT NOT NULL,
    PRIMARY KEY (experiment_id, position),
    UNIQUE (experiment_id, name)
) STRICT;

-- What was done with an experiment, by whom and why.
CREATE TABLE experiment_step (
    experiment_id TEXT NOT NULL REFERENCES experiment (id),
    number INTEGER NOT NULL CHECK (number > 0),
    kind TEXT NOT NULL CHECK (kind IN ('created', 'started', 'stopped', 'concluded')),
    variant INTEGER,
    reason TEXT NOT NULL CHECK (length(reason) <= 500),
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (experiment_id, number)
) STRICT;

-- Who saw what, and when first. The subject is a keyed hash of a member's id, of the company's id of a customer, or of a visitor's.
CREATE TABLE experiment_exposure (
    experiment_id TEXT NOT NULL REFERENCES experiment (id),
    subject_hash BLOB NOT NULL,
    -- -1: held out.
    position INTEGER NOT NULL CHECK (position >= -1),
    member_id TEXT REFERENCES member (id),
    segment TEXT NOT NULL CHECK (length(segment) <= 60),
    -- Shown something else than was assigned; seen with a second variant later.
    is_mismatched INTEGER NOT NULL CHECK (is_mismatched IN (0, 1)),
    is_crossed INTEGER NOT NULL CHECK (is_crossed IN (0, 1)),
    at INTEGER NOT NULL,
    PRIMARY KEY (experiment_id, subject_hash)
) STRICT;
CREATE INDEX experiment_exposure_time ON experiment_exposure (experiment_id, at);
