-- Look-ups that grew with the features above.
CREATE INDEX sale_program ON sale (program_id, occurred_at);
