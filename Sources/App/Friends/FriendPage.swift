import Chronology
import Foundation
import Persistence
import Web

/// What a company says on the page that greets friends. What is left empty is said in the program's own terms.
struct FriendPage: Sendable, Hashable {
    static let headlineLengthMax = 90
    static let leadLengthMax = 300
    static let buttonLengthMax = 40
    static let detailsMax = 6
    static let detailLengthMax = 200
    static let urlLengthMax = 500

    var isShared = false
    var headline = ""
    var lead = ""
    var button = ""
    var details: [String] = []
    var termsURL = ""
    var privacyURL = ""
    var imprintURL = ""
    /// Members may write letters to friends.
    var invites = false
    /// What friends get at once, by a code of whoever recommends.
    var couponID: CouponID?

    /// Addresses of the company's own; anything else is refused by name of the field.
    func checked() throws -> FriendPage {
        for (field, url) in [("termsUrl", termsURL), ("privacyUrl", privacyURL), ("imprintUrl", imprintURL)] where !Self.isAddress(url) {
            throw Refusal.field(field, Self.addressAllowed)
        }
        if invites, imprintURL.isEmpty { throw Refusal.field("imprintUrl", Self.imprintNeeded, code: "imprint_needed") }
        return self
    }

    static let addressAllowed = "Must be an address that begins with https:// or http://, or left out."

    static let imprintNeeded = "Must be given where members write to friends: every letter names who is behind it."

    static func isAddress(_ text: String) -> Bool {
        if text.isEmpty { return true }
        guard text.utf8.count <= urlLengthMax, let url = URLComponents(string: text), url.user == nil, let host = url.host else { return false }
        return ["https", "http"].contains(url.scheme?.lowercased() ?? "") && !host.isEmpty
    }

    static func set(_ page: FriendPage, for programID: ProgramID, in write: Write) throws -> FriendPage {
        guard try ProgramStore.exists(programID, in: write.workspace.id, on: write.connection) else { throw Refusal.unknownProgram() }
        let page = try page.checked()
        let known = try WelcomeStore.coupon(of: programID, on: write.connection)
        if let coupon = page.couponID, coupon != known { try Welcome.check(coupon, for: programID, in: write) }
        try FriendPageStore.put(page, of: programID, in: write.workspace.id, at: write.now, on: write.connection)
        if page.couponID != known {
            try WelcomeStore.setCursor(page.couponID == nil ? nil : "", of: programID, on: write.connection)
            _ = try Welcome.giveDue(in: write)
        }
        try write.audit(
            "friend_page.change", subject: programID.text,
            JSONText(["isShared": .boolean(page.isShared), "invitations": .boolean(page.invites), "couponId": page.couponID.map { .text($0.text) } ?? .null]))
        return page
    }

    func json(of program: ProgramID) -> JSONValue {
        [
            "programId": .text(program.text), "isShared": .boolean(isShared), "headline": .text(headline), "lead": .text(lead), "button": .text(button),
            "details": .array(details.map { .text($0) }), "termsUrl": .text(termsURL), "privacyUrl": .text(privacyURL), "imprintUrl": .text(imprintURL), "invitations": .boolean(invites),
            "couponId": couponID.map { .text($0.text) } ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .required("programId", .text), .required("isShared", .boolean), .required("headline", .text), .required("lead", .text), .required("button", .text),
        .required("details", .array(.text)), .required("termsUrl", .text), .required("privacyUrl", .text), .required("imprintUrl", .text), .required("invitations", .boolean),
        .required("couponId", .described(.nullable(.text), description: "What friends get at once: each member who shares has a code of this coupon for them.")),
    ])
}

/// What a member says to friends, and whether by name.
struct Recommendation: Sendable {
    static let wordsLengthMax = 200

    var words: String?
    var showsName = true
    var hiddenAt: Instant?

    /// The member's own words; empty ones take them away. What the team took off the page comes back with new words alone.
    static func set(_ words: String, showsName: Bool, of member: Member, in write: Write) throws {
        let known = try RecommendationStore.find(member, vault: write.vault, on: write.connection)
        let words = words.trimmingCharacters(in: .whitespacesAndNewlines)
        let isNew = words != known?.words ?? ""
        try RecommendationStore.put(
            words.isEmpty ? nil : words, showsName: showsName, hiddenAt: isNew ? nil : known?.hiddenAt, of: member, in: write)
    }

    /// Takes the words off the page.
    static func hide(of member: Member, in write: Write) throws {
        try RecommendationStore.hide(member.id, at: write.now, on: write.connection)
        try write.audit("recommendation.hide", subject: member.id.text)
    }
}
