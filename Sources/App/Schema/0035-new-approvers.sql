-- From when a person who was invited, or was given another role, may approve money. NULL: at once, as everybody who was here before.
ALTER TABLE team_member ADD COLUMN approves_from INTEGER;
