-- A customer's bindings, one after the other: each holds from its time until it ends or the next begins, so that a sale
-- told late finds who was bound when it was made.
CREATE TABLE customer_binding_each (
    program_id TEXT NOT NULL REFERENCES program (id),
    customer_id TEXT NOT NULL REFERENCES customer (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    shares TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('sale', 'assignment')),
    source_id TEXT NOT NULL,
    reason TEXT,
    bound_at INTEGER NOT NULL,
    until_at INTEGER,
    PRIMARY KEY (program_id, customer_id, bound_at)
) STRICT;
INSERT INTO customer_binding_each (program_id, customer_id, workspace_id, shares, source, source_id, reason, bound_at, until_at)
    SELECT program_id, customer_id, workspace_id, shares, source, source_id, reason, bound_at, until_at FROM customer_binding;
DROP TABLE customer_binding;
ALTER TABLE customer_binding_each RENAME TO customer_binding;
CREATE INDEX customer_binding_customer ON customer_binding (customer_id);
