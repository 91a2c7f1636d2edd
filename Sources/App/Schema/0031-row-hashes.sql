-- A hash over what never changes of a row, so that a change made beside the program shows. Rows from before have none.
ALTER TABLE sale ADD COLUMN row_hash BLOB;
ALTER TABLE refund ADD COLUMN row_hash BLOB;
ALTER TABLE commission ADD COLUMN row_hash BLOB;
ALTER TABLE rule_version ADD COLUMN row_hash BLOB;
ALTER TABLE program_version ADD COLUMN row_hash BLOB;
ALTER TABLE touch ADD COLUMN row_hash BLOB;
ALTER TABLE lead ADD COLUMN row_hash BLOB;
ALTER TABLE member ADD COLUMN row_hash BLOB;
ALTER TABLE payout ADD COLUMN row_hash BLOB;
