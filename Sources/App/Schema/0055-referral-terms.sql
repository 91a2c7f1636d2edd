-- What the rewards of a program, whatever rule gives them, have taken of its budget in a period.
CREATE TABLE program_budget (
    program_id TEXT NOT NULL REFERENCES program (id),
    -- As caps name it: 2026-11, 2026, or '' for all time.
    period TEXT NOT NULL,
    used INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (program_id, period)
) STRICT;

-- Which commission or reward took how much, so that exactly that is given back.
CREATE TABLE program_budget_use (
    program_id TEXT NOT NULL REFERENCES program (id),
    given_id TEXT NOT NULL,
    period TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (program_id, given_id)
) STRICT;

CREATE INDEX customer_member_member ON customer_member (member_id);
