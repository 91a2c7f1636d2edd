-- Keys are made before people use them. `claimed` says that somebody was seen to use this one: what stays unclaimed for long is swept.
ALTER TABLE person_key ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1));
CREATE INDEX person_key_unclaimed ON person_key (created_at) WHERE claimed = 0;

-- Servers beside the one that erased somebody look here for keys that they must forget.
CREATE INDEX tombstone_erased ON tombstone (erased_at);
