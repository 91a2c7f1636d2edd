-- Surveys: one question of satisfaction, whom it was asked, what they answered, and what became of those who are unhappy.
CREATE TABLE survey (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    kind TEXT NOT NULL CHECK (kind IN ('csat', 'nps')),
    question TEXT NOT NULL CHECK (length(question) BETWEEN 1 AND 200),
    asks_in_portal INTEGER NOT NULL CHECK (asks_in_portal IN (0, 1)),
    asks_by_mail INTEGER NOT NULL CHECK (asks_by_mail IN (0, 1)),
    asked_when TEXT NOT NULL CHECK (asked_when IN ('afterPurchase', 'afterReward', 'nowAndThen')),
    -- Days after the purchase or the reward.
    after_days INTEGER NOT NULL CHECK (after_days BETWEEN 1 AND 365),
    -- Days between two questions to one person, whatever the survey.
    rest_days INTEGER NOT NULL CHECK (rest_days BETWEEN 7 AND 730),
    -- Where the unhappy find help; empty where the company gets in touch itself.
    support_url TEXT NOT NULL CHECK (length(support_url) <= 500),
    -- What has been looked at: a moment and an id for purchases and rewards, a member's id for now and then.
    through_at INTEGER NOT NULL,
    through_id TEXT NOT NULL,
    -- When it is looked again whom to ask; NULL when it has ended.
    look_at INTEGER,
    ended_at INTEGER,
    created_at INTEGER NOT NULL,
    CHECK (asks_in_portal + asks_by_mail > 0),
    CHECK ((ended_at IS NULL) = (look_at IS NOT NULL))
) STRICT;
CREATE INDEX survey_workspace ON survey (workspace_id, id);
CREATE INDEX survey_look ON survey (workspace_id, look_at) WHERE look_at IS NOT NULL;
-- Somebody who was asked: a member, or a customer who is none.
CREATE TABLE survey_ask (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    survey_id TEXT NOT NULL REFERENCES survey (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    member_id TEXT REFERENCES member (id),
    customer_id TEXT REFERENCES customer (id),
    asked_at INTEGER NOT NULL,
    -- They said: not now.
    put_off_at INTEGER,
    CHECK ((member_id IS NULL) <> (customer_id IS NULL))
) STRICT;
CREATE INDEX survey_ask_person ON survey_ask (person_id, asked_at);
CREATE INDEX survey_ask_survey ON survey_ask (survey_id, id);
CREATE INDEX survey_ask_member ON survey_ask (member_id, asked_at) WHERE member_id IS NOT NULL;
-- What was answered: one answer for each who was asked; a later one takes its place.
CREATE TABLE survey_answer (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    survey_id TEXT NOT NULL REFERENCES survey (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    ask_id TEXT NOT NULL UNIQUE REFERENCES survey_ask (id),
    person_id TEXT NOT NULL REFERENCES person (id),
    member_id TEXT REFERENCES member (id),
    customer_id TEXT REFERENCES customer (id),
    kind TEXT NOT NULL CHECK (kind IN ('csat', 'nps')),
    score INTEGER NOT NULL CHECK (CASE kind WHEN 'csat' THEN score BETWEEN 1 AND 5 ELSE score BETWEEN 0 AND 10 END),
    feeling TEXT NOT NULL CHECK (feeling IN ('happy', 'neutral', 'unhappy')),
    -- Their words, sealed under their key.
    comment_sealed BLOB,
    -- Where they stood when they answered.
    stage TEXT NOT NULL CHECK (stage IN ('prospect', 'customer', 'sharer', 'promoter')),
    channel TEXT NOT NULL CHECK (channel IN ('portal', 'mail', 'api')),
    answered_at INTEGER NOT NULL,
    -- The day of it in the workspace's zone, ISO 8601.
    day TEXT NOT NULL CHECK (length(day) = 10),
    -- NULL: nobody need get in touch.
    follow_up TEXT CHECK (follow_up IN ('open', 'done')),
    -- What was done, sealed under the key of whom it is about.
    note_sealed BLOB,
    followed_at INTEGER,
    CHECK ((member_id IS NULL) <> (customer_id IS NULL)),
    CHECK ((follow_up = 'done') = (followed_at IS NOT NULL))
) STRICT;
CREATE INDEX survey_answer_survey ON survey_answer (survey_id, id);
CREATE INDEX survey_answer_day ON survey_answer (workspace_id, day);
CREATE INDEX survey_answer_open ON survey_answer (survey_id, answered_at) WHERE follow_up = 'open';
CREATE INDEX survey_answer_unhappy ON survey_answer (person_id) WHERE follow_up = 'open';
CREATE INDEX survey_answer_person ON survey_answer (person_id);
CREATE INDEX reward_issued ON reward (program_id, issued_at, id) WHERE issued_at IS NOT NULL;
