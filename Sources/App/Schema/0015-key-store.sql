-- People who are erased here, but whose key is not known to be destroyed yet: two stores have no common transaction.
CREATE TABLE key_to_destroy (
    key_id TEXT NOT NULL PRIMARY KEY
) STRICT;
INSERT INTO key_to_destroy (key_id) SELECT key_id FROM person WHERE erased_at IS NOT NULL;

-- How many tombstones of the store of keys were replayed here. An older state of this database that was put back knows fewer
-- than there are, and its people are erased again.
CREATE TABLE key_store (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    tombstones_replayed INTEGER NOT NULL
) STRICT;
INSERT INTO key_store (id, tombstones_replayed) VALUES (1, 0);
