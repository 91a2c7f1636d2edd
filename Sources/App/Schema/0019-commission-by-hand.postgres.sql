-- A commission may be given by hand: then no rule and no event stands behind it.
ALTER TABLE commission DROP CONSTRAINT commission_cause_kind_check;
ALTER TABLE commission ALTER COLUMN rule_id DROP NOT NULL;
ALTER TABLE commission ALTER COLUMN rule_version DROP NOT NULL;
ALTER TABLE commission ADD CONSTRAINT commission_cause_kind_check CHECK (cause_kind IN ('click', 'lead', 'sale', 'manual'));
ALTER TABLE commission ADD CONSTRAINT commission_manual_has_no_rule CHECK ((cause_kind = 'manual') = (rule_id IS NULL));
ALTER TABLE commission ADD CONSTRAINT commission_rule_has_version CHECK ((rule_id IS NULL) = (rule_version IS NULL));
CREATE UNIQUE INDEX commission_manual ON commission (cause_id) WHERE cause_kind = 'manual';
