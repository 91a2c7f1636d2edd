import Chronology
import Money
import Persistence
import Web

/// One code of a coupon.
struct CouponCode: Sendable {
    enum State: String, Sendable, CaseIterable { case issued, reserved, redeemed, expired, void }

    static let reservationMs: Int64 = 15 * 60_000
    /// Letters and digits of a code that is made here: 50 random bits.
    static let length = 10
    static let expiredAtOnceMax = 500

    var id: CouponCodeID
    var workspaceID: WorkspaceID
    var couponID: CouponID
    var code: String
    var folded: String
    var state = State.issued
    /// Whose code it is to give to friends: it credits them, and they cannot use it themselves.
    var memberID: MemberID?
    /// Who alone may use it.
    var customerID: CustomerID?
    var uses: Int64 = 0
    var reservedUntil: Instant?
    var reservedBy: String?
    /// Uses that came back with their sale.
    var returnedUses: Int64 = 0
    var expiresAt: Instant?
    var issuedAt: Instant
}

/// An order that keeps a code while its buyer pays.
struct CouponReservation: Sendable {
    var codeID: CouponCodeID
    var couponID: CouponID
    var invoiceID: String
    var discountMinor: Int64
    var until: Instant
}

struct CouponUse: Sendable {
    var codeID: CouponCodeID
    var invoiceID: String
    var saleID: SaleID?
    var customerID: CustomerID?
    var discountMinor: Int64
    var usedAt: Instant
}

/// Whose a new code is, and how it reads.
struct NewCode: Sendable {
    /// Nil: it is made up.
    var code: String?
    var memberID: MemberID?
    var customerID: CustomerID?
    var expiresAt: Instant?
}

extension Coupon {
    /// Gives out a code.
    func issue(_ input: NewCode, in write: Write) throws -> CouponCode {
        guard state == .active else { throw Problem.conflict(code: "coupon_ended", detail: "The coupon has ended. Make another one.") }
        let text = input.code ?? CouponCode.random(write.world.random)
        guard let folded = Normalised.code(text) else {
            throw Refusal.field("code", "Must be 1 to \(Normalised.codeLengthMax) letters, digits, - or _.")
        }
        guard try CouponCodeStore.find(folded: folded, in: workspaceID, on: write.connection) == nil,
            try LinkStore.find(code: folded, in: workspaceID, on: write.connection) == nil
        else { throw Refusal.field("code", "Is in use already.", code: "code_taken") }
        let ends = try input.expiresAt ?? validDays.map { try write.now.adding(milliseconds: $0 * 86_400_000) }
        let code = CouponCode(
            id: write.world.newID(), workspaceID: workspaceID, couponID: id, code: text, folded: folded, memberID: input.memberID,
            customerID: input.customerID, expiresAt: ends, issuedAt: write.now)
        try CouponCodeStore.insert(code, on: write.connection)
        try CodeSyncStore.setLook(id, at: write.world.now(), on: write.connection)
        return code
    }

    /// Gives out many at once.
    static func issue(_ count: Int, of id: CouponID, _ input: NewCode, in write: Write) throws -> [CouponCode] {
        let coupon = try find(id, in: write)
        if let member = input.memberID, try MemberStore.find(member, in: write.workspace.id, on: write.connection) == nil {
            throw Refusal.unknown("member", field: "memberId")
        }
        if let ends = input.expiresAt, ends <= write.now { throw Refusal.field("expiresAt", "Must be in the future.") }
        guard try CouponCodeStore.count(of: id, on: write.connection) + count <= codesMax else {
            throw Problem.conflict(code: "too_many_codes", detail: "A coupon has at most \(codesMax) codes.")
        }
        let codes = try (0..<count).map { _ in try coupon.issue(input, in: write) }
        try write.audit("coupon.codes", subject: id.text, JSONText(["count": .integer(Int64(count))]))
        return codes
    }
}

extension CouponCode {
    static func random(_ random: RandomSource) -> String {
        String(decoding: (0..<length).map { _ in Base32.digits[Int(random.below(32))] }, as: UTF8.self).uppercased()
    }

    static func find(_ text: String, in write: Write) throws -> CouponCode? {
        guard let folded = Normalised.code(text) else { return nil }
        return try CouponCodeStore.find(folded: folded, in: write.workspace.id, on: write.connection)
    }

    /// Nobody can use it any more; what was used stays used.
    static func void(_ id: CouponCodeID, in write: Write) throws {
        guard var code = try CouponCodeStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("code") }
        guard code.state == .issued || code.state == .reserved else { return }
        code.state = .void
        (code.reservedUntil, code.reservedBy) = (nil, nil)
        try CouponCodeStore.update(code, on: write.connection)
        try CouponReservationStore.deleteAll(of: id, on: write.connection)
    }

    /// A person takes it back: the reward that it was is over, and nothing of it counts against caps and budgets any more.
    static func withdraw(_ id: CouponCodeID, in write: Write) throws -> CouponCode {
        try void(id, in: write)
        guard let code = try CouponCodeStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("code") }
        if code.state == .void, let reward = try RewardStore.of(code: id, on: write.connection), reward.state == .issued {
            try reward.reverse("codeWithdrawn", in: write)
        }
        try write.audit("coupon.void", subject: id.text)
        return code
    }

    /// Ends what is past its time, and the rewards with it. Answers how many.
    static func expireDue(in write: Write) throws -> Int {
        let due = try CouponCodeStore.expired(in: write.workspace.id, at: write.now, limit: expiredAtOnceMax, on: write.connection)
        for known in due {
            var code = known
            code.state = .expired
            (code.reservedUntil, code.reservedBy) = (nil, nil)
            try CouponCodeStore.update(code, on: write.connection)
            try CouponReservationStore.deleteAll(of: code.id, on: write.connection)
            guard let reward = try RewardStore.of(code: code.id, on: write.connection), reward.state == .issued else { continue }
            try reward.expire(wasUsed: code.uses > 0, in: write)
        }
        return due.count
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "couponId": .text(couponID.text), "code": .text(code), "state": .text(state.rawValue),
            "memberId": memberID.map { .text($0.text) } ?? .null, "customerId": customerID.map { .text($0.text) } ?? .null, "uses": .integer(uses),
            "reservedUntil": reservedUntil.map { .text($0.rfc3339) } ?? .null, "expiresAt": expiresAt.map { .text($0.rfc3339) } ?? .null,
            "issuedAt": .text(issuedAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("couponId", .text), .required("code", .text), .required("state", .enumeration(State.allCases.map(\.rawValue))),
        .required("memberId", .nullable(.text)), .required("customerId", .nullable(.text)), .required("uses", .integer()),
        .required("reservedUntil", .nullable(.dateTime)), .required("expiresAt", .nullable(.dateTime)), .required("issuedAt", .dateTime),
    ])
}
