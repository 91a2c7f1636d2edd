-- By what a sale came, as its attribution says it: link, code, bound (an earlier sale or a person of the team bound the customer),
-- orphan (the program's default member), nobody. For figures; the attribution itself stays what counts.
ALTER TABLE sale ADD COLUMN came_by TEXT CHECK (came_by IN ('link', 'code', 'bound', 'orphan', 'nobody'));
CREATE INDEX stage_move_time ON stage_move (workspace_id, at);
CREATE INDEX refund_parked ON refund (workspace_id, state, recorded_at);
