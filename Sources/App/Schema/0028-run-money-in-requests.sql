-- A request to be paid takes what runs gave, too. Kept after a batch took it over; gone when it is canceled or its payment fails.
ALTER TABLE run_payable ADD COLUMN request_id TEXT REFERENCES payout_request (id);
CREATE INDEX run_payable_request ON run_payable (request_id);
