-- What is told beside sales: what was spent to reach people, what they saw, and what members shared.
CREATE TABLE cost (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    channel TEXT NOT NULL CHECK (channel IN ('paid', 'affiliate', 'referral', 'retail', 'partnerships', 'social', 'other')),
    -- Which move it was spent on, when the company says so.
    stage TEXT CHECK (stage IN ('prospect', 'customer', 'sharer', 'promoter')),
    -- The company's own day, ISO 8601.
    day TEXT NOT NULL CHECK (length(day) = 10),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    -- The company's own name for it: told twice, it counts once.
    reference TEXT CHECK (length(reference) BETWEEN 1 AND 100),
    recorded_at INTEGER NOT NULL,
    corrected_at INTEGER,
    UNIQUE (workspace_id, reference)
) STRICT;
CREATE INDEX cost_day ON cost (workspace_id, day, id);
CREATE INDEX cost_workspace ON cost (workspace_id, id);

-- Clicks, visits and showings, counted by day of the workspace's zone as they came: no row per event.
CREATE TABLE traffic_day (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    day TEXT NOT NULL CHECK (length(day) = 10),
    kind TEXT NOT NULL CHECK (kind IN ('click', 'visit', 'impression')),
    -- '' where nothing was told.
    channel TEXT NOT NULL CHECK (length(channel) <= 40),
    device TEXT NOT NULL CHECK (length(device) <= 40),
    country TEXT NOT NULL CHECK (length(country) <= 2),
    count INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (workspace_id, day, program_id, kind, channel, device, country)
) STRICT;

-- Clicks from before were counted by link and the program's day.
INSERT INTO traffic_day (workspace_id, program_id, day, kind, channel, device, country, count)
SELECT workspace_id, program_id, day, 'click', '', '', '', CAST(sum(clicks) AS BIGINT) FROM click_day GROUP BY workspace_id, program_id, day;

-- What members shared, and where.
CREATE TABLE share_day (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    day TEXT NOT NULL CHECK (length(day) = 10),
    channel TEXT NOT NULL CHECK (length(channel) BETWEEN 1 AND 40),
    -- The company's own name for what was shared; '' when none was told.
    content_id TEXT NOT NULL CHECK (length(content_id) <= 100),
    count INTEGER NOT NULL CHECK (count > 0),
    PRIMARY KEY (member_id, day, channel, content_id)
) STRICT;
CREATE INDEX share_day_workspace ON share_day (workspace_id, day);

-- Where and on what a sale or lead came, as its metadata said; the metadata itself stay sealed.
CREATE TABLE event_dimension (
    event_id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    channel TEXT NOT NULL CHECK (length(channel) <= 40),
    device TEXT NOT NULL CHECK (length(device) <= 40)
) STRICT;
CREATE INDEX event_dimension_workspace ON event_dimension (workspace_id, event_id);
