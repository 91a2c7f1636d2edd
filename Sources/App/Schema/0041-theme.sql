-- How a company's portal, letters and public pages look; one for a workspace and its test twin, kept with the live one.
CREATE TABLE theme (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    -- The accent's chroma in thousandths; its hue is the workspace's.
    vivid INTEGER NOT NULL CHECK (vivid BETWEEN 0 AND 160),
    radius_px INTEGER NOT NULL CHECK (radius_px BETWEEN 0 AND 20),
    typeface TEXT NOT NULL CHECK (typeface IN ('system', 'inter', 'serif', 'rounded')),
    scheme TEXT NOT NULL CHECK (scheme IN ('auto', 'light', 'dark')),
    -- A line each: name, colon, value.
    tokens TEXT NOT NULL,
    logo BLOB,
    logo_kind TEXT CHECK (logo_kind IN ('png', 'jpg', 'webp')),
    changed_at INTEGER NOT NULL,
    CHECK ((logo IS NULL) = (logo_kind IS NULL))
) STRICT;

-- Part of the sheet's and the logo's address, so that browsers may keep them for good. 0: the hue alone.
ALTER TABLE workspace ADD COLUMN theme_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN logo_kind TEXT;
