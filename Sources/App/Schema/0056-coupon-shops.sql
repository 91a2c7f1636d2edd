-- Shop systems in which coupons are made as well. Secrets are sealed.
CREATE TABLE coupon_shop (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    vendor TEXT NOT NULL CHECK (vendor IN ('stripe', 'shopify')),
    -- Of Shopify, the shop's host; '' of Stripe.
    shop TEXT NOT NULL,
    secret_sealed BLOB,
    -- What the vendor said last that people must look at.
    trouble_code TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, vendor)
) STRICT;

-- A coupon whose codes are made there too.
CREATE TABLE coupon_sync (
    coupon_id TEXT NOT NULL REFERENCES coupon (id),
    vendor TEXT NOT NULL CHECK (vendor IN ('stripe', 'shopify')),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    -- Whether the vendor has the coupon itself, where it keeps one.
    is_made INTEGER NOT NULL CHECK (is_made IN (0, 1)),
    -- When new codes are looked for and uses are read next.
    look_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (coupon_id, vendor)
) STRICT;
CREATE INDEX coupon_sync_look ON coupon_sync (look_at);
CREATE INDEX coupon_sync_workspace ON coupon_sync (workspace_id, coupon_id);

-- A code there. It stands here before the vendor hears of it, and its id is the key of every try.
CREATE TABLE coupon_code_sync (
    code_id TEXT NOT NULL REFERENCES coupon_code (id),
    vendor TEXT NOT NULL CHECK (vendor IN ('stripe', 'shopify')),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    coupon_id TEXT NOT NULL REFERENCES coupon (id),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'synced', 'failed', 'ending', 'ended')),
    remote_id TEXT,
    -- Why it is so: a code of ours or the vendor's.
    reason TEXT,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    due_at INTEGER,
    -- Uses that the vendor has told of.
    remote_uses INTEGER NOT NULL CHECK (remote_uses >= 0),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (code_id, vendor),
    CHECK (state NOT IN ('synced', 'ending') OR remote_id IS NOT NULL)
) STRICT;
CREATE INDEX coupon_code_sync_due ON coupon_code_sync (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX coupon_code_sync_coupon ON coupon_code_sync (coupon_id, vendor, code_id);
CREATE INDEX coupon_code_sync_workspace ON coupon_code_sync (workspace_id, code_id);
