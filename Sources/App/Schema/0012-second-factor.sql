-- The second factor of people who sign in: a secret that an app on their phone shares, sealed under the key of the operator's row.
CREATE TABLE second_factor (
    operator_id TEXT NOT NULL PRIMARY KEY REFERENCES operator (id),
    secret_sealed BLOB NOT NULL,
    -- NULL while it is being set up: it counts once a code was right.
    on_since INTEGER,
    -- The newest time step whose code was used: no code works twice.
    step_used INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    locked_until INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

-- For when the phone is lost: each works once and is stored as a keyed hash.
CREATE TABLE recovery_code (
    operator_id TEXT NOT NULL REFERENCES operator (id),
    code_hash BLOB NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (operator_id, code_hash)
) STRICT;

-- Browsers that a person signed in with, by the hash of a cookie: a letter tells of a new one.
CREATE TABLE operator_device (
    operator_id TEXT NOT NULL REFERENCES operator (id),
    device_hash BLOB NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (operator_id, device_hash)
) STRICT;

-- When the person of a session last proved who they are: steps that move money ask again after some minutes.
ALTER TABLE operator_session ADD COLUMN confirmed_at INTEGER;
