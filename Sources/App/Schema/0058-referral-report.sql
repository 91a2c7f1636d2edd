-- What a program gave in a month.
CREATE INDEX reward_program ON reward (program_id, occurred_at);
