-- A coupon of which whoever takes the item gets a code at once.
ALTER TABLE spend_item ADD COLUMN coupon_id TEXT REFERENCES coupon (id);

ALTER TABLE redemption ADD COLUMN coupon_code_id TEXT REFERENCES coupon_code (id);
