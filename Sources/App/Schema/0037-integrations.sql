-- Shops and payment providers that tell sales by themselves, and what they sent. Raw payloads and secrets are sealed; a payload goes when it
-- has expired, or with the person whom it speaks of.

CREATE TABLE integration (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    vendor TEXT NOT NULL,
    program_id TEXT NOT NULL REFERENCES program (id),
    secret_sealed BLOB,
    -- The secret before this one still counts for a while, so that it can be changed while events come.
    former_sealed BLOB,
    former_until INTEGER,
    -- How a source of one's own is read: no one's data.
    mapping TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, vendor)
) STRICT;

CREATE TABLE inbound_event (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    vendor TEXT NOT NULL,
    -- The vendor's own id of the event, or a hash of what was sent.
    vendor_event_id TEXT NOT NULL CHECK (length(vendor_event_id) BETWEEN 1 AND 255),
    type TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'waiting', 'handled', 'ignored', 'refused')),
    reason_code TEXT,
    reason TEXT,
    payload_sealed BLOB,
    -- Whose key seals the payload; NULL: the installation's.
    person_id TEXT REFERENCES person (id),
    -- The sale, refund or lead that it led to.
    subject_id TEXT,
    is_sample INTEGER NOT NULL DEFAULT 0 CHECK (is_sample IN (0, 1)),
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    received_at INTEGER NOT NULL,
    handled_at INTEGER,
    due_at INTEGER,
    expires_at INTEGER NOT NULL,
    CHECK ((state IN ('received', 'waiting')) = (due_at IS NOT NULL)),
    UNIQUE (workspace_id, vendor, vendor_event_id)
) STRICT;
CREATE INDEX inbound_event_list ON inbound_event (workspace_id, vendor, id);
CREATE INDEX inbound_event_due ON inbound_event (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX inbound_event_expiry ON inbound_event (expires_at) WHERE payload_sealed IS NOT NULL;
CREATE INDEX inbound_event_person ON inbound_event (person_id) WHERE person_id IS NOT NULL;

-- What an event waits for: the sale of a payment, the person behind a customer's id.
CREATE TABLE inbound_wait (
    event_id TEXT NOT NULL REFERENCES inbound_event (id),
    reference TEXT NOT NULL,
    PRIMARY KEY (event_id, reference)
) STRICT;
CREATE INDEX inbound_wait_reference ON inbound_wait (reference);

-- What a vendor's ids mean here: a payment or charge is of an invoice, a promotion is a code, a customer (by a keyed hash) is one of ours and
-- came by a click or code. `refunded` counts what a charge gave back so far, in the currency's minor unit.
CREATE TABLE inbound_reference (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    vendor TEXT NOT NULL,
    reference TEXT NOT NULL,
    invoice_id TEXT,
    customer_id TEXT REFERENCES customer (id),
    click_id TEXT,
    code TEXT,
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    PRIMARY KEY (workspace_id, vendor, reference)
) STRICT;
CREATE INDEX inbound_reference_customer ON inbound_reference (customer_id) WHERE customer_id IS NOT NULL;

-- A vendor's order: what was paid with tax and what of it is the sale, so that refunds, which are told with tax, take back the right part.
CREATE TABLE inbound_order (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    vendor TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    gross INTEGER NOT NULL CHECK (gross >= 0),
    net INTEGER NOT NULL CHECK (net >= 0),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    PRIMARY KEY (workspace_id, vendor, invoice_id)
) STRICT;
