-- A member asks to be paid what is available. It is set aside at once and paid with the next batch of the program.
CREATE TABLE payout_request (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'taken', 'canceled')),
    payout_id TEXT REFERENCES payout (id),
    requested_by TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    settled_at INTEGER,
    CHECK ((state = 'taken') = (payout_id IS NOT NULL)),
    CHECK ((state = 'waiting') = (settled_at IS NULL))
) STRICT;
-- One at a time: twenty requests for the same balance are one.
CREATE UNIQUE INDEX payout_request_waiting ON payout_request (member_id, program_id) WHERE state = 'waiting';
CREATE INDEX payout_request_member ON payout_request (member_id, id);
CREATE INDEX payout_request_workspace ON payout_request (workspace_id, id);

-- What a waiting request is for; the rows go when it is taken into a payout or canceled.
CREATE TABLE payout_request_commission (
    commission_id TEXT NOT NULL PRIMARY KEY REFERENCES commission (id),
    request_id TEXT NOT NULL REFERENCES payout_request (id)
) STRICT;
CREATE INDEX payout_request_commission_request ON payout_request_commission (request_id);
