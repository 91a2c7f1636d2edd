-- What friends get at once: a coupon of the program of which each member has a code to give to friends.
ALTER TABLE friend_page ADD COLUMN coupon_id TEXT REFERENCES coupon (id);
-- Codes are made in parts: up to which link they are. NULL: none are owed.
ALTER TABLE friend_page ADD COLUMN coupon_cursor TEXT;
CREATE INDEX friend_page_owed ON friend_page (workspace_id) WHERE coupon_cursor IS NOT NULL;
CREATE INDEX coupon_code_given ON coupon_code (coupon_id, member_id) WHERE member_id IS NOT NULL;
