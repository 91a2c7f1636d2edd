import Chronology
import Persistence

/// The orders that keep a code for a few minutes: a row for each.
enum CouponReservationStore {
    struct Kept: Sendable, Equatable {
        var count: Int64
        var discountMinor: Int64
    }

    /// The same order again keeps it longer, and for what it comes to now.
    static func put(_ reservation: CouponReservation, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO coupon_reservation (code_id, invoice_id, coupon_id, discount, reserved_until)
            VALUES (\(reservation.codeID), \(reservation.invoiceID), \(reservation.couponID), \(reservation.discountMinor), \(reservation.until))
            ON CONFLICT (code_id, invoice_id) DO UPDATE SET discount = excluded.discount, reserved_until = excluded.reserved_until
            """)
    }

    /// What other orders keep of one code.
    static func others(of code: CouponCodeID, besides invoice: String?, at now: Instant, on connection: any Connection) throws -> Kept {
        try kept(
            """
            SELECT count(*), CAST(coalesce(sum(discount), 0) AS BIGINT) FROM coupon_reservation
            WHERE code_id = \(code) AND invoice_id <> \(invoice ?? "") AND reserved_until > \(now)
            """, on: connection)
    }

    /// What other orders keep of all codes of a coupon.
    static func others(
        of coupon: CouponID, besides own: (code: CouponCodeID, invoice: String)?, at now: Instant, on connection: any Connection
    ) throws -> Kept {
        var sql: SQL = """
            SELECT count(*), CAST(coalesce(sum(discount), 0) AS BIGINT) FROM coupon_reservation
            WHERE coupon_id = \(coupon) AND reserved_until > \(now)
            """
        if let own { sql = "\(sql: sql) AND NOT (code_id = \(own.code) AND invoice_id = \(own.invoice))" }
        return try kept(sql, on: connection)
    }

    private static func kept(_ sql: SQL, on connection: any Connection) throws -> Kept {
        guard let row = try connection.row(sql) else { return Kept(count: 0, discountMinor: 0) }
        return Kept(count: try row.get(at: 0), discountMinor: try row.get(at: 1))
    }

    /// The one that ends last.
    static func last(of code: CouponCodeID, at now: Instant, on connection: any Connection) throws -> (invoiceID: String, until: Instant)? {
        try connection.row(
            """
            SELECT invoice_id, reserved_until FROM coupon_reservation WHERE code_id = \(code) AND reserved_until > \(now)
            ORDER BY reserved_until DESC, invoice_id LIMIT 1
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    /// False when the order keeps nothing.
    static func delete(_ code: CouponCodeID, invoice: String, on connection: any Connection) throws -> Bool {
        try connection.execute("DELETE FROM coupon_reservation WHERE code_id = \(code) AND invoice_id = \(invoice)") > 0
    }

    static func deletePast(of code: CouponCodeID, at now: Instant, on connection: any Connection) throws {
        try connection.executeLater("DELETE FROM coupon_reservation WHERE code_id = \(code) AND reserved_until <= \(now)")
    }

    static func deleteAll(of code: CouponCodeID, on connection: any Connection) throws {
        try connection.executeLater("DELETE FROM coupon_reservation WHERE code_id = \(code)")
    }
}
