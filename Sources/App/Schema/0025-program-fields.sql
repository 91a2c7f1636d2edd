-- A version of a program holds the fields that it changes, from its time on: a change that was scheduled takes back nothing that was
-- changed meanwhile. Versions written before this hold all settings, and so stand for all fields.
ALTER TABLE program_version ADD COLUMN is_partial INTEGER NOT NULL DEFAULT 0 CHECK (is_partial IN (0, 1));
