-- Whom a vendor's event speaks of, by keyed hashes, while what was sent is kept under no person's key: it goes with the person.
CREATE TABLE inbound_subject (
    event_id TEXT NOT NULL REFERENCES inbound_event (id),
    subject TEXT NOT NULL,
    PRIMARY KEY (event_id, subject)
) STRICT;
CREATE INDEX inbound_subject_person ON inbound_subject (subject);
