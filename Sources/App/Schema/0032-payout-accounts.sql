-- Counts the changes of an account, so that a payment knows which one it was made for.
ALTER TABLE payout_account ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1);
-- What is paid is the account that the batch was made with. Null in batches that are older than this.
ALTER TABLE payout_item ADD COLUMN account_version INTEGER;
-- One request at a time in each unit.
DROP INDEX payout_request_waiting;
CREATE UNIQUE INDEX payout_request_waiting ON payout_request (member_id, program_id, unit) WHERE state = 'waiting';
-- Why a payment was taken out of a batch before it was sent: what a person wrote, or the code of what the approval found.
ALTER TABLE payout_item ADD COLUMN left_out_reason TEXT;
-- Who was not paid by a batch, and why: as its preview and its approval found.
CREATE TABLE payout_exclusion (
    payout_id TEXT NOT NULL REFERENCES payout (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    reason TEXT NOT NULL CHECK (reason IN (
        'belowMinimum', 'noAccount', 'accountWaiting', 'accountChanged', 'otherAccount', 'memberNotActive', 'nothingAvailable')),
    PRIMARY KEY (payout_id, member_id)
) STRICT;
