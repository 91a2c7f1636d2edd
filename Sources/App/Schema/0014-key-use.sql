-- When a key was last used, to the minute: what nobody uses can be revoked.
ALTER TABLE api_key ADD COLUMN last_used_at INTEGER;
