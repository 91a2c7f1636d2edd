import Attribution
import Chronology
import Money
import Web

/// How a program attributes, binds, holds and pays: one version of it.
struct ProgramSettings: Sendable, Equatable {
    enum Binding: Sendable, Equatable {
        case months(Int64)
        case lifetime
        /// Each sale needs a touch of its own.
        case none
    }

    struct Debtor: Sendable, Equatable {
        var name: String
        var iban: String
        var bic: String?
    }

    enum PaidSearchPolicy: String, Sendable, CaseIterable { case allow, hold, refuse }

    var model = AttributionModel.last
    var windowDays: Int64 = 30
    var halfLifeDays: Int64 = 7
    var conflictPolicy = AttributionPolicy.defaultConflictOrder
    var standDownSeconds: Int64 = 0
    var binding = Binding.lifetime
    var holdDays: Int64 = 14
    var minimumPayoutMinor: Int64 = 0
    var debtor: Debtor?
    var allowedHosts: [String] = []
    var linkParameters = ["via", "ref"]
    /// Paths of another system's links, as `LinkPath.read` gives them.
    var linkPaths: [String] = []
    var brandTerms: [String] = []
    var paidSearchPolicy = PaidSearchPolicy.allow
    var allowedCouponSites: [String] = []
    /// Gets the sales that nobody brought.
    var orphanMemberID: MemberID?
    var planExcludesRules = false
    /// Redirects set no cookie; visitors are known by the click id in the address and by codes only.
    var isCookieless = false
    var marginRate: Rate?
    /// What makes a member a sharer.
    var stages = StageRules()
    /// Whether members may have their own trackers told of what they earn.
    var allowsPostbacks = false
    /// Which friends count, and what they may cost altogether.
    var referral = ReferralTerms()

    static let holdDaysMax: Int64 = 3_650
    static let windowDaysMax: Int64 = 3_650
    static let bindingMonthsMax: Int64 = 1_200

    func policy() throws -> AttributionPolicy {
        try AttributionPolicy(
            model: model, windowMs: windowDays * 86_400_000, halfLifeMs: halfLifeDays * 86_400_000, conflictOrder: conflictPolicy,
            standDownMs: standDownSeconds * 1000)
    }
}

extension ProgramSettings {
    /// Takes the settings' fields from a body; what is not sent keeps the value of `base`.
    static func read(_ body: JSONReader, over base: ProgramSettings = ProgramSettings()) -> ProgramSettings {
        var settings = base
        body.optionalObject("attribution") { part in
            if let model = part.optionalOneOf("model", AttributionModel.self) { settings.model = model }
            if let days = part.optionalInteger("windowDays", in: 1...windowDaysMax) { settings.windowDays = days }
            if let days = part.optionalInteger("halfLifeDays", in: 1...windowDaysMax) { settings.halfLifeDays = days }
            if let seconds = part.optionalInteger("standDownSeconds", in: 0...31_536_000) { settings.standDownSeconds = seconds }
            if part.has("conflictPolicy") {
                let words = part.textList("conflictPolicy", maximumCount: 8, maximumLength: 40)
                let kinds = words.compactMap(TouchKind.init(rawValue:))
                if kinds.count == words.count, Set(kinds).count == kinds.count, !kinds.isEmpty {
                    settings.conflictPolicy = kinds
                } else {
                    part.note(
                        "conflictPolicy",
                        "Must list each of \(TouchKind.allCases.map(\.rawValue).joined(separator: ", ")) at most once, the strongest first.")
                }
            }
        }
        if let binding: Binding = body.optionalCustom("customerBinding", readBinding) { settings.binding = binding }
        if let days = body.optionalInteger("holdDays", in: 0...holdDaysMax) { settings.holdDays = days }
        if let minimum = body.optionalInteger("minimumPayout", in: 0...Int64.max) { settings.minimumPayoutMinor = minimum }
        if let debtor = body.optionalObject(
            "debtor",
            { part in
                Debtor(
                    name: part.name("name", maximumLength: 70), iban: part.custom("iban", standIn: "", readIBAN),
                    bic: part.optionalText("bic", maximumLength: 11))
            })
        {
            settings.debtor = debtor
        }
        if body.isNull("debtor") { settings.debtor = nil }
        if body.isNull("orphanMemberId") { settings.orphanMemberID = nil }
        if body.isNull("marginRate") { settings.marginRate = nil }
        if body.has("allowedHosts") {
            settings.allowedHosts = body.textList("allowedHosts", maximumCount: 100, maximumLength: 253).map { $0.lowercased() }
            if !settings.allowedHosts.allSatisfy(Destination.isAllowable) {
                body.note("allowedHosts", "Must be host names such as shop.example, *.shop.example, or an app's scheme such as myapp:.")
            }
        }
        if body.has("linkParameters") {
            settings.linkParameters = body.textList("linkParameters", maximumCount: 10, maximumLength: 40)
        }
        if body.has("linkPaths") {
            settings.linkPaths = body.textList("linkPaths", maximumCount: LinkPath.countMax, maximumLength: LinkPath.lengthMax).compactMap { text in
                switch LinkPath.read(text) {
                case .success(let path): return path
                case .failure(let refused):
                    body.note("linkPaths", refused.message)
                    return nil
                }
            }
        }
        if body.has("brandTerms") { settings.brandTerms = body.textList("brandTerms", maximumCount: 200, maximumLength: 100) }
        if let policy = body.optionalOneOf("paidSearchPolicy", PaidSearchPolicy.self) { settings.paidSearchPolicy = policy }
        if body.has("allowedCouponSites") {
            settings.allowedCouponSites = body.textList("allowedCouponSites", maximumCount: 200, maximumLength: 253)
        }
        if body.has("orphanMemberId") {
            settings.orphanMemberID = body.optionalCustom("orphanMemberId") { value in
                guard case .text(let text) = value, let id = MemberID(text) else { return .refused("Must be a member's id (mem_…).") }
                return .accepted(id)
            }
        }
        if let flag = body.optionalBoolean("planExcludesRules") { settings.planExcludesRules = flag }
        if let flag = body.optionalBoolean("cookieless") { settings.isCookieless = flag }
        if let rate = body.optionalCustom("marginRate", Rate.read) { settings.marginRate = rate }
        if let rules = body.optionalObject("stages", { StageRules.read($0, over: base.stages) }) { settings.stages = rules }
        if let flag = body.optionalBoolean("memberPostbacks") { settings.allowsPostbacks = flag }
        if body.isNull("referral") { settings.referral = ReferralTerms() }
        if let terms = body.optionalObject("referral", { ReferralTerms.read($0, over: base.referral) }) { settings.referral = terms }
        return settings
    }

    private static func readIBAN(_ value: JSONValue) -> JSONReader.Reading<String> {
        guard case .text(let text) = value, let iban = IBAN(text) else { return .refused("Must be an IBAN whose check digits hold.") }
        return .accepted(iban.text)
    }

    /// Of fields as `read` takes them, those that would change something here; of the attribution's parts too.
    func changed(by fields: [JSONMember]) throws -> [JSONMember] {
        func changes(_ field: JSONMember) throws -> Bool {
            let reader = try JSONReader(.object([field]))
            let changed = ProgramSettings.read(reader, over: self)
            try reader.finish()
            return changed != self
        }
        return try fields.compactMap { field in
            guard case .object(let parts) = field.value, field.name == "attribution" else { return try changes(field) ? field : nil }
            let changed = try parts.filter { try changes(JSONMember(field.name, .object([$0]))) }
            return changed.isEmpty ? nil : JSONMember(field.name, .object(changed))
        }
    }

    private static func readBinding(_ value: JSONValue) -> JSONReader.Reading<Binding> {
        if value == .text("lifetime") { return .accepted(.lifetime) }
        if value == .text("none") { return .accepted(.none) }
        if case .object(let members) = value, members.count != 1 { return .refused(bindingAllowed) }
        if value["lifetime"] == .boolean(true) { return .accepted(.lifetime) }
        if case .number(let number)? = value["months"], let months = number.integer, (1...bindingMonthsMax).contains(months) {
            return .accepted(.months(months))
        }
        return .refused(bindingAllowed)
    }

    private static let bindingAllowed = "Must be {\"months\": 1…1200} or \"lifetime\" (\"none\": each sale needs a touch of its own)."

    /// The settings as they are stored and shown.
    var json: JSONValue {
        let binding: JSONValue =
            switch binding {
            case .months(let months): ["months": .integer(months)]
            case .lifetime: "lifetime"
            case .none: "none"
            }
        var members: [JSONMember] = [
            JSONMember(
                "attribution",
                [
                    "model": .text(model.rawValue), "windowDays": .integer(windowDays), "halfLifeDays": .integer(halfLifeDays),
                    "conflictPolicy": .array(conflictPolicy.map { .text($0.rawValue) }), "standDownSeconds": .integer(standDownSeconds),
                ]),
            JSONMember("customerBinding", binding),
            JSONMember("holdDays", .integer(holdDays)),
            JSONMember("minimumPayout", .integer(minimumPayoutMinor)),
        ]
        if let debtor {
            members.append(
                JSONMember("debtor", ["name": .text(debtor.name), "iban": .text(debtor.iban), "bic": debtor.bic.map { .text($0) } ?? .null]))
        }
        members.append(JSONMember("allowedHosts", .array(allowedHosts.map { .text($0) })))
        members.append(JSONMember("linkParameters", .array(linkParameters.map { .text($0) })))
        members.append(JSONMember("linkPaths", .array(linkPaths.map { .text("/" + $0) })))
        members.append(JSONMember("brandTerms", .array(brandTerms.map { .text($0) })))
        members.append(JSONMember("paidSearchPolicy", .text(paidSearchPolicy.rawValue)))
        members.append(JSONMember("allowedCouponSites", .array(allowedCouponSites.map { .text($0) })))
        if let orphanMemberID { members.append(JSONMember("orphanMemberId", .text(orphanMemberID.text))) }
        members.append(JSONMember("planExcludesRules", .boolean(planExcludesRules)))
        members.append(JSONMember("cookieless", .boolean(isCookieless)))
        if let marginRate { members.append(JSONMember("marginRate", .text(marginRate.text))) }
        if stages != StageRules() { members.append(JSONMember("stages", stages.json)) }
        if allowsPostbacks { members.append(JSONMember("memberPostbacks", true)) }
        if referral != ReferralTerms() { members.append(JSONMember("referral", referral.json)) }
        return .object(members)
    }
}

extension Rate {
    static func read(_ value: JSONValue) -> JSONReader.Reading<Rate> {
        guard case .text(let text) = value, let rate = try? Rate(text) else {
            return .refused("Must be a decimal text such as \"0.10\" with at most nine decimals, from 0 to 1000.")
        }
        return .accepted(rate)
    }
}
