-- A payment that had arrived may come back: when, and what said so. Its item is failed again, so nothing that reads states needs to know more.
ALTER TABLE payout_item ADD COLUMN returned_at INTEGER;
ALTER TABLE payout_item ADD COLUMN return_reference TEXT;
-- Members may be paid in more ways. SQLite changes no CHECK in place, so the table is made anew.
CREATE TABLE payout_account_before AS SELECT * FROM payout_account;
DROP TABLE payout_account;
CREATE TABLE payout_account (
    member_id TEXT NOT NULL PRIMARY KEY REFERENCES member (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('iban', 'ach', 'paypal', 'stripe', 'wise', 'external')),
    -- The last characters, to be recognised by.
    ending TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    -- A changed account waits, so that a stolen sign-in cannot empty a balance at once.
    usable_from INTEGER NOT NULL,
    -- Counts the changes of an account, so that a payment knows which one it was made for.
    version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1)
) STRICT;
INSERT INTO payout_account (member_id, workspace_id, kind, ending, changed_at, usable_from, version)
SELECT member_id, workspace_id, kind, ending, changed_at, usable_from, version FROM payout_account_before;
DROP TABLE payout_account_before;
