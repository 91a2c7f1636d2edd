-- Letters to members and operators. What a letter says is sealed under the key of the person it goes to, so erasing them reaches it too;
-- it is forgotten once the letter is sent.

CREATE TABLE mail (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- One of the two: whose key seals the letter.
    person_id TEXT REFERENCES person (id),
    operator_id TEXT REFERENCES operator (id),
    kind TEXT NOT NULL,
    -- What the letter is about, where there is one letter only: a payment, a member's day.
    occasion TEXT,
    locale TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'suppressed')),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due_at INTEGER,
    sealed BLOB,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    -- A sentence of ours with the server's number: what a server says may name the person.
    last_failure TEXT,
    CHECK ((person_id IS NULL) <> (operator_id IS NULL)),
    CHECK ((state = 'waiting') = (due_at IS NOT NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX mail_occasion ON mail (workspace_id, kind, occasion) WHERE occasion IS NOT NULL;
CREATE INDEX mail_due ON mail (due_at) WHERE state = 'waiting';
CREATE INDEX mail_person ON mail (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX mail_age ON mail (created_at);

-- Letters that a person does not want any more.
CREATE TABLE mail_stop (
    person_id TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    stopped_at INTEGER NOT NULL,
    PRIMARY KEY (person_id, kind)
) STRICT;
