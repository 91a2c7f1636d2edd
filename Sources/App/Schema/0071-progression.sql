-- How people came: what tells them apart where they are lost. Worked out from the events, never told.
ALTER TABLE event_dimension ADD COLUMN content TEXT NOT NULL DEFAULT '' CHECK (length(content) <= 40);
ALTER TABLE event_dimension ADD COLUMN language TEXT NOT NULL DEFAULT '' CHECK (length(language) <= 40);
CREATE TABLE fan (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- A member, or a customer who is none.
    fan_id TEXT NOT NULL,
    -- '' where nothing is known. All but the touch are of their first lead or sale.
    program_id TEXT NOT NULL,
    -- The kind of their first touch.
    came_by TEXT NOT NULL,
    channel TEXT NOT NULL,
    device TEXT NOT NULL,
    country TEXT NOT NULL,
    language TEXT NOT NULL,
    content TEXT NOT NULL,
    -- Of a member: what they shared first, and where.
    share_channel TEXT NOT NULL,
    share_content TEXT NOT NULL,
    PRIMARY KEY (workspace_id, fan_id)
) STRICT;
-- Where they went from it; NULL: they stand there still.
ALTER TABLE fan_stage ADD COLUMN next_stage TEXT CHECK (next_stage IN ('prospect', 'customer', 'sharer', 'promoter'));
-- In the order of people, as their origins are: both are read side by side.
CREATE INDEX fan_stage_journey ON fan_stage (workspace_id, stage, fan_id, at, until_at, next_stage);
-- All is counted anew: no zone is called so.
UPDATE insight_cursor SET time_zone = '';
