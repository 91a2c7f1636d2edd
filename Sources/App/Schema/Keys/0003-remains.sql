-- As in the main database: keys that were destroyed, and whose bytes PostgreSQL still has.
CREATE TABLE erasure_remains (
    transaction_number INTEGER NOT NULL PRIMARY KEY,
    tables TEXT NOT NULL,
    is_large INTEGER NOT NULL CHECK (is_large IN (0, 1))
) STRICT;
