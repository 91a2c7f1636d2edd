import HTTPTypes
import Money
import Persistence
import Web

/// What friends get at once: a coupon of which each member has a code of their own to give away. It takes off the friend's order at the
/// checkout and tells whose friend it was, so that the sharer's rewards follow.
struct Welcome: Sendable {
    /// Codes that are made in one transaction.
    static let codesAtOnceMax = 500

    var coupon: Coupon
    var code: String

    /// What a member can give at once in a program; nil while there is nothing, or nothing left of it.
    static func find(_ program: ProgramID, in workspace: WorkspaceID, sharedBy member: MemberID?, on connection: any Connection) throws -> Welcome? {
        guard let member, let coupon = try coupon(of: program, in: workspace, on: connection), coupon.isOpen,
            let code = try CouponCodeStore.given(coupon.id, to: member, on: connection)
        else { return nil }
        return Welcome(coupon: coupon, code: code.code)
    }

    /// The codes that a member gives to friends, by program.
    static func codes(of member: MemberID, in programs: [Program], on connection: any Connection) throws -> [ProgramID: String] {
        var codes: [ProgramID: String] = [:]
        for program in programs { codes[program.id] = try find(program.id, in: program.workspaceID, sharedBy: member, on: connection)?.code }
        return codes
    }

    /// Refuses a coupon that cannot be what friends get at once.
    static func check(_ id: CouponID, for program: ProgramID, in write: Write) throws {
        guard let coupon = try CouponStore.find(id, in: write.workspace.id, on: write.connection), coupon.programID == program else {
            throw Refusal.unknown("coupon", field: "couponId")
        }
        guard coupon.state == .active else { throw Refusal.field("couponId", "The coupon has ended. Choose another one.") }
        guard coupon.suitsEveryFriend else {
            throw Refusal.field("couponId", "Must be a discount or free shipping, with codes for more than one order and without days of validity: one code is for all friends of a member.")
        }
    }

    /// A code for the member of a new link.
    static func give(for link: Link, in write: Write) throws {
        guard link.memberID != nil, let coupon = try coupon(of: link.programID, in: link.workspaceID, on: write.connection) else { return }
        try give(coupon, for: link, in: write)
    }

    /// Codes for those who shared already, in parts. Answers how many links were looked at.
    static func giveDue(in write: Write) throws -> Int {
        guard let owed = try WelcomeStore.owed(in: write.workspace.id, on: write.connection) else { return 0 }
        guard let coupon = try coupon(of: owed.program, in: write.workspace.id, on: write.connection) else {
            try WelcomeStore.setCursor(nil, of: owed.program, on: write.connection)
            return 0
        }
        let links = try LinkStore.list(
            in: write.workspace.id, program: owed.program, member: nil, after: owed.after, limit: codesAtOnceMax, on: write.connection)
        for link in links { try give(coupon, for: link, in: write) }
        try WelcomeStore.setCursor(links.count < codesAtOnceMax ? nil : links.last?.id.text, of: owed.program, on: write.connection)
        return links.count
    }

    private static func coupon(of program: ProgramID, in workspace: WorkspaceID, on connection: any Connection) throws -> Coupon? {
        try WelcomeStore.coupon(of: program, on: connection).flatMap { try CouponStore.find($0, in: workspace, on: connection) }
    }

    private static func give(_ coupon: Coupon, for link: Link, in write: Write) throws {
        guard let member = link.memberID, coupon.state == .active, try CouponCodeStore.given(coupon.id, to: member, on: write.connection) == nil,
            try CouponCodeStore.count(of: coupon.id, on: write.connection) < Coupon.codesMax
        else { return }
        do {
            _ = try coupon.issue(NewCode(code: coupon.word(after: link.code), memberID: member), in: write)
        } catch let problem as Problem where problem.status == .unprocessableContent {
            // The word is somebody's already, or too long: one that is made up does as well.
            _ = try coupon.issue(NewCode(memberID: member), in: write)
        }
    }
}

extension Coupon {
    /// Something is left of it.
    var isOpen: Bool {
        state == .active && usesLimit.map { uses < $0 } ?? true && budgetMinor.map { spentMinor < $0 } ?? true
    }

    /// One code of it can be for all friends of a member.
    var suitsEveryFriend: Bool { kind != .storeCredit && usesPerCode > 1 && validDays == nil }

    /// A code that says whose it is and what it takes off: AMIRA-10.
    fileprivate func word(after code: String) -> String {
        let what =
            switch kind {
            case .percent: String((rate ?? .zero).billionths / 10_000_000)
            case .fixed, .storeCredit: String(Amount(minor: amountMinor ?? 0).decimalText(exponent: currency.exponent).prefix { $0.isNumber })
            case .freeShipping: "SHIP"
            }
        return "\(code.uppercased())-\(what)"
    }
}

enum WelcomeStore {
    struct Owed: Sendable {
        var program: ProgramID
        /// The last link that was looked at.
        var after: String
    }

    static func coupon(of program: ProgramID, on connection: any Connection) throws -> CouponID? {
        guard let row = try connection.row("SELECT coupon_id FROM friend_page WHERE program_id = \(program)") else { return nil }
        return try row.get(at: 0)
    }

    static func owed(in workspace: WorkspaceID, on connection: any Connection) throws -> Owed? {
        try connection.row(
            "SELECT program_id, coupon_cursor FROM friend_page WHERE workspace_id = \(workspace) AND coupon_cursor IS NOT NULL ORDER BY program_id LIMIT 1"
        ).map { Owed(program: try $0.get(at: 0), after: try $0.get(at: 1)) }
    }

    static func setCursor(_ link: String?, of program: ProgramID, on connection: any Connection) throws {
        try connection.execute("UPDATE friend_page SET coupon_cursor = \(link) WHERE program_id = \(program)")
    }
}
