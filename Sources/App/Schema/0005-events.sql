-- What happened: touches, leads, sales, refunds, and what a rule gave for them. Events are never changed.

CREATE TABLE customer (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    person_id TEXT NOT NULL UNIQUE REFERENCES person (id),
    external_hash BLOB,
    country TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (workspace_id, external_hash)
) STRICT;
CREATE INDEX customer_workspace ON customer (workspace_id, id);

-- Which visitors (browsers) are known to be a customer: late login and other devices meet here.
CREATE TABLE customer_visitor (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    visitor_id TEXT NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customer (id),
    since INTEGER NOT NULL,
    PRIMARY KEY (customer_id, visitor_id)
) STRICT;

-- What a customer brought along by name: a code said or typed, or a click id without a visitor.
CREATE TABLE touch (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    customer_id TEXT NOT NULL REFERENCES customer (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    kind TEXT NOT NULL CHECK (kind IN ('link', 'friendCode', 'coupon', 'paid', 'manual')),
    link_id TEXT REFERENCES link (id),
    click_id TEXT,
    member_id TEXT REFERENCES member (id),
    cause_id TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX touch_customer ON touch (customer_id, at);

-- Who is credited for a customer's later sales, and until when (NULL: for life).
CREATE TABLE customer_binding (
    program_id TEXT NOT NULL REFERENCES program (id),
    customer_id TEXT NOT NULL REFERENCES customer (id),
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    shares TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('sale', 'assignment')),
    source_id TEXT NOT NULL,
    reason TEXT,
    bound_at INTEGER NOT NULL,
    until_at INTEGER,
    PRIMARY KEY (program_id, customer_id)
) STRICT;
CREATE INDEX customer_binding_customer ON customer_binding (customer_id);

CREATE TABLE lead (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT REFERENCES program (id),
    customer_id TEXT NOT NULL REFERENCES customer (id),
    event_name TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('wait', 'async', 'deferred')),
    -- A deferred lead waits until the same customer is named again.
    counted_at INTEGER,
    click_id TEXT,
    link_id TEXT REFERENCES link (id),
    metadata_sealed BLOB,
    attribution TEXT NOT NULL,
    refusals TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    UNIQUE (workspace_id, customer_id, event_name)
) STRICT;
CREATE INDEX lead_time ON lead (workspace_id, occurred_at);

CREATE TABLE sale (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT REFERENCES program (id),
    program_version INTEGER,
    customer_id TEXT NOT NULL REFERENCES customer (id),
    invoice_id TEXT NOT NULL CHECK (length(invoice_id) BETWEEN 1 AND 255),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    -- The how-manieth sale of this customer in this program, in ledger order.
    sale_number INTEGER NOT NULL CHECK (sale_number > 0),
    event_name TEXT,
    country TEXT,
    coupon_used INTEGER NOT NULL CHECK (coupon_used IN (0, 1)),
    items TEXT NOT NULL,
    metadata_sealed BLOB,
    facts_hash BLOB NOT NULL,
    refunded_amount INTEGER NOT NULL DEFAULT 0,
    attribution TEXT NOT NULL,
    refusals TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    CHECK (refunded_amount BETWEEN 0 AND amount),
    UNIQUE (workspace_id, invoice_id)
) STRICT;
CREATE INDEX sale_time ON sale (workspace_id, occurred_at, id);
CREATE INDEX sale_customer ON sale (customer_id, program_id);

CREATE TABLE refund (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    invoice_id TEXT NOT NULL,
    refund_id TEXT NOT NULL CHECK (length(refund_id) BETWEEN 1 AND 255),
    sale_id TEXT REFERENCES sale (id),
    -- NULL: everything that is left.
    amount INTEGER CHECK (amount > 0),
    applied_amount INTEGER CHECK (applied_amount >= 0),
    reason TEXT,
    state TEXT NOT NULL CHECK (state IN ('parked', 'applied', 'refused')),
    facts_hash BLOB NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    CHECK ((state = 'applied') = (applied_amount IS NOT NULL)),
    CHECK (state <> 'applied' OR sale_id IS NOT NULL),
    UNIQUE (workspace_id, refund_id)
) STRICT;
CREATE INDEX refund_sale ON refund (sale_id);
CREATE INDEX refund_invoice ON refund (workspace_id, invoice_id);

CREATE TABLE commission (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    program_id TEXT NOT NULL REFERENCES program (id),
    cause_kind TEXT NOT NULL CHECK (cause_kind IN ('click', 'lead', 'sale')),
    cause_id TEXT NOT NULL,
    sale_id TEXT REFERENCES sale (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    rule_id TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    -- Which line of the rule's: several items or touches may each give one.
    line INTEGER NOT NULL,
    -- A true-up is what a retroactive tier pays on the volume before its sale.
    purpose TEXT NOT NULL CHECK (purpose IN ('reward', 'trueUp')),
    level INTEGER NOT NULL CHECK (level >= 0),
    base INTEGER NOT NULL,
    rate TEXT,
    share_ppm INTEGER NOT NULL CHECK (share_ppm BETWEEN 0 AND 1000000),
    unit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reversed_amount INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'held', 'paid', 'canceled', 'reversed', 'refused')),
    hold_until INTEGER NOT NULL,
    explanation TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    CHECK (reversed_amount BETWEEN 0 AND amount),
    UNIQUE (cause_id, rule_id, line),
    FOREIGN KEY (rule_id, rule_version) REFERENCES rule_version (rule_id, version)
) STRICT;
CREATE INDEX commission_due ON commission (workspace_id, state, hold_until);
CREATE INDEX commission_member ON commission (member_id, id);
CREATE INDEX commission_sale ON commission (sale_id);
CREATE INDEX commission_time ON commission (workspace_id, occurred_at, id);

-- How much of a cap is used: counted in the same transaction as the commission, so it holds under concurrency.
CREATE TABLE cap_usage (
    rule_id TEXT NOT NULL REFERENCES rule (id),
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    unit TEXT NOT NULL,
    used_count INTEGER NOT NULL CHECK (used_count >= 0),
    used_amount INTEGER NOT NULL CHECK (used_amount >= 0),
    PRIMARY KEY (rule_id, scope, period, unit)
) STRICT;

-- What a sale added to a member's tiers, and how much of it a refund took back: in proportion, rounded once on the whole.
CREATE TABLE tier_entry (
    sale_id TEXT NOT NULL REFERENCES sale (id),
    rule_id TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    member_id TEXT NOT NULL REFERENCES member (id),
    period TEXT NOT NULL,
    unit TEXT NOT NULL,
    base INTEGER NOT NULL CHECK (base >= 0),
    taken_back INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sale_id, rule_id, member_id),
    CHECK (taken_back BETWEEN 0 AND base),
    FOREIGN KEY (rule_id, rule_version) REFERENCES rule_version (rule_id, version)
) STRICT;
CREATE INDEX tier_entry_place ON tier_entry (rule_id, member_id, period, unit);

-- What the versions of a tiered rule have counted for a member in a period.
CREATE TABLE tier_usage (
    rule_id TEXT NOT NULL,
    rule_version INTEGER NOT NULL,
    member_id TEXT NOT NULL REFERENCES member (id),
    period TEXT NOT NULL,
    unit TEXT NOT NULL,
    base INTEGER NOT NULL CHECK (base >= 0),
    PRIMARY KEY (rule_id, member_id, period, unit, rule_version),
    FOREIGN KEY (rule_id, rule_version) REFERENCES rule_version (rule_id, version)
) STRICT;

-- Who was credited for a sale, also where no rule paid: conditions on a member's totals look here.
CREATE TABLE sale_credit (
    sale_id TEXT NOT NULL REFERENCES sale (id),
    member_id TEXT NOT NULL REFERENCES member (id),
    share_ppm INTEGER NOT NULL CHECK (share_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (sale_id, member_id)
) STRICT;
CREATE INDEX sale_credit_member ON sale_credit (member_id, sale_id);
