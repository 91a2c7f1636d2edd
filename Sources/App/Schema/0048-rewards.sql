-- Coupons of a program: what a code takes off, and for whom it is good.
CREATE TABLE coupon (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('percent', 'fixed', 'freeShipping', 'storeCredit')),
    -- Of a percentage, as a decimal.
    rate TEXT,
    -- Of a fixed discount or store credit.
    amount INTEGER CHECK (amount > 0),
    currency TEXT NOT NULL,
    minimum_amount INTEGER NOT NULL CHECK (minimum_amount >= 0),
    -- Days from the day a code is given out; NULL is without end.
    valid_days INTEGER CHECK (valid_days > 0),
    uses_per_code INTEGER NOT NULL CHECK (uses_per_code > 0),
    -- Over all codes.
    uses_max INTEGER CHECK (uses_max > 0),
    -- What all uses together may take off.
    budget INTEGER CHECK (budget > 0),
    needs_referral INTEGER NOT NULL CHECK (needs_referral IN (0, 1)),
    new_customers_only INTEGER NOT NULL CHECK (new_customers_only IN (0, 1)),
    -- So many first uses are looked at: a code that reaches it wants a person's eye.
    watched_uses INTEGER NOT NULL CHECK (watched_uses >= 0),
    uses INTEGER NOT NULL CHECK (uses >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0),
    state TEXT NOT NULL CHECK (state IN ('active', 'ended')),
    created_at INTEGER NOT NULL,
    CHECK ((kind = 'percent') = (rate IS NOT NULL)),
    CHECK ((kind IN ('fixed', 'storeCredit')) = (amount IS NOT NULL)),
    CHECK (uses_max IS NULL OR uses <= uses_max),
    CHECK (budget IS NULL OR spent <= budget)
) STRICT;
CREATE INDEX coupon_workspace ON coupon (workspace_id, id);
CREATE INDEX coupon_program ON coupon (program_id);

CREATE TABLE coupon_code (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    coupon_id TEXT NOT NULL REFERENCES coupon (id),
    code TEXT NOT NULL,
    code_folded TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('issued', 'reserved', 'redeemed', 'expired', 'void')),
    -- Whose code it is: they cannot use one that is for friends.
    member_id TEXT REFERENCES member (id),
    -- Who alone may use it.
    customer_id TEXT REFERENCES customer (id),
    uses INTEGER NOT NULL CHECK (uses >= 0),
    reserved_until INTEGER,
    -- The order that keeps it: the caller's own word for it.
    reserved_by TEXT,
    expires_at INTEGER,
    issued_at INTEGER NOT NULL,
    CHECK ((state = 'reserved') = (reserved_until IS NOT NULL)),
    CHECK ((state = 'reserved') = (reserved_by IS NOT NULL)),
    UNIQUE (workspace_id, code_folded)
) STRICT;
CREATE INDEX coupon_code_coupon ON coupon_code (coupon_id, id);
CREATE INDEX coupon_code_expiry ON coupon_code (workspace_id, expires_at) WHERE state IN ('issued', 'reserved') AND expires_at IS NOT NULL;
CREATE INDEX coupon_code_member ON coupon_code (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX coupon_code_customer ON coupon_code (customer_id) WHERE customer_id IS NOT NULL;

-- A use of a code: one for each order.
CREATE TABLE coupon_use (
    code_id TEXT NOT NULL REFERENCES coupon_code (id),
    invoice_id TEXT NOT NULL,
    sale_id TEXT REFERENCES sale (id),
    customer_id TEXT REFERENCES customer (id),
    -- What it took off.
    discount INTEGER NOT NULL CHECK (discount >= 0),
    used_at INTEGER NOT NULL,
    PRIMARY KEY (code_id, invoice_id)
) STRICT;
CREATE INDEX coupon_use_sale ON coupon_use (sale_id) WHERE sale_id IS NOT NULL;

-- Rewards that are no money, points or credit: those are commissions.
CREATE TABLE reward (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    rule_id TEXT NOT NULL REFERENCES rule (id),
    rule_version INTEGER NOT NULL,
    cause_kind TEXT NOT NULL CHECK (cause_kind IN ('click', 'lead', 'sale')),
    cause_id TEXT NOT NULL,
    sale_id TEXT REFERENCES sale (id),
    side TEXT NOT NULL CHECK (side IN ('member', 'friend')),
    -- Who gets it; on the friend's side who brought them.
    member_id TEXT NOT NULL REFERENCES member (id),
    -- Whose act it is for, and who gets it on the friend's side.
    customer_id TEXT REFERENCES customer (id),
    kind TEXT NOT NULL,
    -- The reward as its rule says it.
    terms TEXT NOT NULL,
    -- Kinds that its receiver may have instead, as a list of rewards.
    choices TEXT NOT NULL,
    -- Whether the company is asked before it is given.
    is_checked INTEGER NOT NULL CHECK (is_checked IN (0, 1)),
    value INTEGER CHECK (value >= 0),
    -- The program's currency, by which a cap counts it.
    unit TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'choosing', 'checking', 'issued', 'redeemed', 'expired', 'reversed', 'refused', 'held')),
    -- Why it is so: a code of the catalogue.
    reason TEXT,
    hold_until INTEGER NOT NULL,
    -- When it is looked at next; NULL when nothing is due.
    due_at INTEGER,
    checks INTEGER NOT NULL CHECK (checks >= 0),
    coupon_code_id TEXT REFERENCES coupon_code (id),
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    issued_at INTEGER,
    ended_at INTEGER,
    CHECK (side = 'member' OR customer_id IS NOT NULL),
    UNIQUE (cause_id, rule_id, side)
) STRICT;
CREATE INDEX reward_workspace ON reward (workspace_id, id);
CREATE INDEX reward_member ON reward (member_id, id);
CREATE INDEX reward_customer ON reward (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX reward_sale ON reward (sale_id) WHERE sale_id IS NOT NULL;
CREATE INDEX reward_due ON reward (workspace_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX reward_code ON reward (coupon_code_id) WHERE coupon_code_id IS NOT NULL;
