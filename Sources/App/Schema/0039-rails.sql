-- Ways in which money leaves: providers that are called, and files that banks take. Secrets are sealed.
CREATE TABLE rail (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('paypal', 'stripe', 'external', 'nacha', 'wise')),
    -- The company's own words, JSON: no secret and no person's data.
    settings TEXT NOT NULL,
    secret_sealed BLOB,
    -- Counts its secrets: a call is never repeated under another than its first.
    secret_version INTEGER NOT NULL DEFAULT 1 CHECK (secret_version >= 1),
    -- What the provider said last that people must look at, by its code.
    trouble_code TEXT,
    trouble_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, kind)
) STRICT;

-- The provider that a batch was sent by; null: it goes by file, or by hand.
ALTER TABLE payout ADD COLUMN rail TEXT CHECK (rail IN ('paypal', 'stripe', 'external'));

-- The rail that a program's payouts take when nobody says another.
CREATE TABLE rail_choice (
    program_id TEXT NOT NULL PRIMARY KEY REFERENCES program (id),
    rail TEXT NOT NULL CHECK (rail IN ('paypal', 'stripe', 'external'))
) STRICT;

-- The kinds of account that members may enter themselves, parted by spaces.
CREATE TABLE rail_offer (
    workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
    kinds TEXT NOT NULL
) STRICT;

-- What is asked of a provider, written before it is asked. The id is the key by which the provider knows it again: PayPal's
-- sender_batch_id. A batch has one for every few hundred lines (PayPal) or for each line (Stripe, external), and one that looks after all.
CREATE TABLE rail_call (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    payout_id TEXT NOT NULL REFERENCES payout (id),
    rail TEXT NOT NULL CHECK (rail IN ('paypal', 'stripe', 'external')),
    purpose TEXT NOT NULL CHECK (purpose IN ('pay', 'watch')),
    -- calling: one is under way, or the process died in it. unclear: it may have been taken in. accepted: the provider has it.
    state TEXT NOT NULL CHECK (state IN ('waiting', 'calling', 'unclear', 'accepted', 'stopped', 'done')),
    -- The provider's own id.
    provider_id TEXT,
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due_at INTEGER,
    first_called_at INTEGER,
    secret_version INTEGER,
    -- What HTTP and the provider said last.
    status INTEGER,
    code TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((state IN ('stopped', 'done')) = (due_at IS NULL))
) STRICT;
CREATE INDEX rail_call_due ON rail_call (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX rail_call_payout ON rail_call (payout_id, id);
CREATE INDEX rail_call_workspace ON rail_call (workspace_id);

-- One member's payment by a rail. The id is its key at the provider: sender_item_id, Idempotency-Key, webhook-id. Where it goes is sealed
-- under the member's own key, as it was approved: each repeat says the same.
CREATE TABLE rail_line (
    id TEXT NOT NULL PRIMARY KEY,
    call_id TEXT NOT NULL REFERENCES rail_call (id),
    payout_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    destination_sealed BLOB,
    -- contrary: what the provider says does not fit, so people must look.
    state TEXT NOT NULL CHECK (state IN ('waiting', 'unclear', 'accepted', 'paid', 'failed', 'returned', 'contrary')),
    provider_id TEXT,
    -- The provider's own words: a state and a code; a sentence may name people and is sealed.
    provider_state TEXT,
    code TEXT,
    message_sealed BLOB,
    updated_at INTEGER NOT NULL,
    UNIQUE (payout_id, member_id),
    FOREIGN KEY (payout_id, member_id) REFERENCES payout_item (payout_id, member_id)
) STRICT;
CREATE INDEX rail_line_call ON rail_line (call_id, id);
CREATE INDEX rail_line_member ON rail_line (member_id);
