-- What leads to the clicks of people who were erased, until they are blanked: at once, and once more when nothing of theirs can be on its
-- way any more.
CREATE TABLE click_to_blank (
    workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspace (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('link', 'visitor', 'click')),
    subject TEXT COLLATE "C" NOT NULL,
    erased_at BIGINT NOT NULL,
    is_blanked BIGINT NOT NULL CHECK (is_blanked IN (0, 1)),
    PRIMARY KEY (workspace_id, kind, subject)
);
CREATE INDEX click_to_blank_time ON click_to_blank (erased_at);

-- PostgreSQL: tables that text was taken out of and that are to be written anew, when nobody sees rows of that transaction's time.
CREATE TABLE erasure_remains (
    transaction_number BIGINT NOT NULL PRIMARY KEY,
    tables TEXT COLLATE "C" NOT NULL,
    is_large BIGINT NOT NULL CHECK (is_large IN (0, 1))
);

-- Samples of a column's texts, taken to plan queries, would outlive the texts. None of these columns is looked up by ranges or lists.
ALTER TABLE link ALTER COLUMN code SET STATISTICS 0, ALTER COLUMN code_folded SET STATISTICS 0, ALTER COLUMN destination SET STATISTICS 0;
ALTER TABLE link_variant ALTER COLUMN destination SET STATISTICS 0;
ALTER TABLE click ALTER COLUMN user_agent SET STATISTICS 0, ALTER COLUMN referrer SET STATISTICS 0, ALTER COLUMN url SET STATISTICS 0, ALTER COLUMN signals SET STATISTICS 0;
ALTER TABLE refund ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE customer_binding ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE adjustment ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE application ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE member_merge ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE sale ALTER COLUMN attribution SET STATISTICS 0;
ALTER TABLE lead ALTER COLUMN attribution SET STATISTICS 0;
ALTER TABLE idempotency ALTER COLUMN answer SET STATISTICS 0;
