-- What a reserved code holds of its coupon's budget, so that two reservations cannot promise the same money.
ALTER TABLE coupon_code ADD COLUMN reserved_discount INTEGER NOT NULL DEFAULT 0 CHECK (reserved_discount >= 0);

CREATE INDEX coupon_code_reserved ON coupon_code (coupon_id, reserved_until) WHERE state = 'reserved';

-- Coupons whose first uses want a person's eye.
CREATE INDEX coupon_watched ON coupon (workspace_id) WHERE watched_uses > 0 AND state = 'active';
