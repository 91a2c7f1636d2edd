-- What a commission is worth in all: a correction names the commission that it corrects, and what it made it worth. Those from before have
-- neither: what they added stands as pay that was given by hand.
ALTER TABLE adjustment ADD COLUMN corrects_id TEXT;
ALTER TABLE adjustment ADD COLUMN worth INTEGER;
CREATE INDEX adjustment_corrects ON adjustment (corrects_id);
-- What a commission kept when somebody's hand last changed it, and how much of its sale had come back by then: from there, further returns
-- take their share.
CREATE TABLE correction_part (
    commission_id TEXT NOT NULL REFERENCES commission (id),
    -- From 1, in the order in which they were made.
    position INTEGER NOT NULL CHECK (position > 0),
    adjustment_id TEXT NOT NULL REFERENCES adjustment (id),
    kept INTEGER NOT NULL CHECK (kept >= 0),
    refunded INTEGER NOT NULL CHECK (refunded >= 0),
    row_hash BLOB NOT NULL,
    PRIMARY KEY (commission_id, position)
) STRICT;
