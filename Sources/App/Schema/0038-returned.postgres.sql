-- A payment that had arrived may come back: when, and what said so. Its item is failed again, so nothing that reads states needs to know more.
ALTER TABLE payout_item ADD COLUMN returned_at BIGINT;
ALTER TABLE payout_item ADD COLUMN return_reference TEXT;
-- Members may be paid in more ways.
ALTER TABLE payout_account DROP CONSTRAINT payout_account_kind_check;
ALTER TABLE payout_account ADD CONSTRAINT payout_account_kind_check CHECK (kind IN ('iban', 'ach', 'paypal', 'stripe', 'wise', 'external'));
