-- Each order that keeps a code, so that several orders can keep the uses of one code, and each has what was promised to it.
CREATE TABLE coupon_reservation (
    code_id TEXT NOT NULL REFERENCES coupon_code (id),
    -- The order that keeps it: the caller's own word for it.
    invoice_id TEXT NOT NULL,
    coupon_id TEXT NOT NULL REFERENCES coupon (id),
    -- What the order will take off.
    discount INTEGER NOT NULL CHECK (discount >= 0),
    reserved_until INTEGER NOT NULL,
    PRIMARY KEY (code_id, invoice_id)
) STRICT;
CREATE INDEX coupon_reservation_coupon ON coupon_reservation (coupon_id, reserved_until);

INSERT INTO coupon_reservation (code_id, invoice_id, coupon_id, discount, reserved_until)
SELECT id, reserved_by, coupon_id, reserved_discount, reserved_until FROM coupon_code WHERE state = 'reserved';

DROP INDEX coupon_code_reserved;
ALTER TABLE coupon_code DROP COLUMN reserved_discount;

-- Uses that came back with their sale: a shop that tells of them later has nothing new to say.
ALTER TABLE coupon_code ADD COLUMN returned_uses INTEGER NOT NULL DEFAULT 0 CHECK (returned_uses >= 0);
