-- The link or code of the first share, for what a link brought.
ALTER TABLE sale ADD COLUMN link_id TEXT REFERENCES link (id);
CREATE INDEX sale_link ON sale (link_id);
CREATE INDEX lead_link ON lead (link_id);
