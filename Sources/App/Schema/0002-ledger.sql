-- The journal: balanced transactions, never changed, one hash chain per workspace (docs/ledger-format.md).
-- Amounts are whole minor units, debits positive; instants are milliseconds since 1970.

CREATE TABLE account (
  id TEXT NOT NULL PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspace (id),
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('debit', 'credit')),
  may_go_negative INTEGER NOT NULL CHECK (may_go_negative IN (0, 1)),
  balance INTEGER NOT NULL,
  CONSTRAINT account_not_negative CHECK (
    may_go_negative = 1 OR (side = 'debit' AND balance >= 0) OR (side = 'credit' AND balance <= 0)),
  UNIQUE (workspace_id, name, unit)
) STRICT;

CREATE TABLE journal_transaction (
  workspace_id TEXT NOT NULL REFERENCES workspace (id),
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  id TEXT NOT NULL,
  recorded_at INTEGER NOT NULL,
  effective_at INTEGER NOT NULL,
  cause TEXT NOT NULL,
  purpose TEXT NOT NULL,
  -- The transaction that this one takes back, wholly (once) or in part.
  corrects TEXT,
  correction TEXT CHECK (correction IN ('partial', 'whole')),
  hash BLOB NOT NULL,
  PRIMARY KEY (workspace_id, sequence),
  UNIQUE (workspace_id, id),
  UNIQUE (workspace_id, cause, purpose),
  FOREIGN KEY (workspace_id, corrects) REFERENCES journal_transaction (workspace_id, id),
  CONSTRAINT correction_names_one CHECK ((corrects IS NULL) = (correction IS NULL))
) STRICT;

CREATE UNIQUE INDEX journal_transaction_reversed_once ON journal_transaction (workspace_id, corrects) WHERE correction = 'whole';

CREATE TABLE journal_entry (
  workspace_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  position INTEGER NOT NULL,
  account_id TEXT NOT NULL REFERENCES account (id),
  amount INTEGER NOT NULL CHECK (amount <> 0),
  balance_after INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, sequence, position),
  FOREIGN KEY (workspace_id, sequence) REFERENCES journal_transaction (workspace_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX journal_entry_by_account ON journal_entry (account_id, sequence);

-- Stored apart from the journal, so that a shortened journal shows.
CREATE TABLE journal_head (
  workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  transaction_count INTEGER NOT NULL,
  entry_count INTEGER NOT NULL
) STRICT;

CREATE TABLE journal_total (
  workspace_id TEXT NOT NULL REFERENCES workspace (id),
  unit TEXT NOT NULL,
  -- Modulo 2^64: a control, not an amount.
  debit_total INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, unit)
) STRICT, WITHOUT ROWID;

-- Who did what. Holds ids only, never a person's data.
CREATE TABLE audit_entry (
  workspace_id TEXT NOT NULL REFERENCES workspace (id),
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (workspace_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_head (
  workspace_id TEXT NOT NULL PRIMARY KEY REFERENCES workspace (id),
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT;
