-- As in the main database: keys that were destroyed, and whose bytes PostgreSQL still has.
CREATE TABLE erasure_remains (
    transaction_number BIGINT NOT NULL PRIMARY KEY,
    tables TEXT COLLATE "C" NOT NULL,
    is_large BIGINT NOT NULL CHECK (is_large IN (0, 1))
);
ALTER TABLE person_key ALTER COLUMN wrapped SET STATISTICS 0;
