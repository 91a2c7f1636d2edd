import Compensation
import Money
import Persistence
import Web

/// The limits of the legal audit of a program's runs: a lawyer sets them.
struct LegalPolicy: Sendable {
    var limits = LegalLimits()
    /// Products that are kits or fees: nobody is paid for them.
    var kits: Set<String> = []

    static let kitsMax = 1_000

    static func read(_ body: JSONReader) -> LegalPolicy {
        var policy = LegalPolicy()
        func rate(_ field: String, _ standard: Rate?) -> Rate? {
            if body.isNull(field) { return nil }
            return body.optionalCustom(field) { value -> JSONReader.Reading<Rate> in
                guard case .text(let text) = value, let rate = try? Rate(text) else { return .refused("Must be a decimal in a text, such as \"0.8\".") }
                return .accepted(rate)
            } ?? standard
        }
        policy.limits.nonParticipantAbove = rate("nonParticipantAbove", policy.limits.nonParticipantAbove)
        policy.limits.endUserAtLeast = rate("endUserAtLeast", policy.limits.endUserAtLeast)
        policy.limits.soldOrUsedAtLeast = rate("soldOrUsedAtLeast", policy.limits.soldOrUsedAtLeast)
        policy.limits.payPerOwnSales = rate("payPerOwnSales", nil)
        if let value = body.optionalInteger("internalNumerator", in: 0...1_000_000) { policy.limits.internalNumerator = value }
        if let value = body.optionalInteger("internalDenominator", in: 1...1_000_000) { policy.limits.internalDenominator = value }
        if let value = body.optionalInteger("consumptionBelow", in: 0...1_000_000_000_000) { policy.limits.consumptionBelowMinor = value }
        if let value = body.optionalInteger("customersPerMonth", in: 0...1_000_000) { policy.limits.customersPerMonth = value }
        if let value = body.optionalInteger("levelsAtMost", in: 1...100) { policy.limits.levelsAtMost = Int(value) }
        if let value = body.optionalInteger("lastDays", in: 0...31) { policy.limits.lastDays = value }
        if body.has("kits") { policy.kits = Set(body.textList("kits", maximumCount: kitsMax, maximumLength: 200)) }
        return policy
    }

    var json: JSONValue {
        func text(_ rate: Rate?) -> JSONValue { rate.map { .text("\($0)") } ?? .null }
        return [
            "nonParticipantAbove": text(limits.nonParticipantAbove), "endUserAtLeast": text(limits.endUserAtLeast),
            "soldOrUsedAtLeast": text(limits.soldOrUsedAtLeast), "payPerOwnSales": text(limits.payPerOwnSales),
            "internalNumerator": .integer(limits.internalNumerator), "internalDenominator": .integer(limits.internalDenominator),
            "consumptionBelow": .integer(limits.consumptionBelowMinor), "customersPerMonth": .integer(limits.customersPerMonth),
            "levelsAtMost": limits.levelsAtMost.map { .integer(Int64($0)) } ?? .null, "lastDays": .integer(limits.lastDays),
            "kits": .array(kits.sorted().map { .text($0) }),
        ]
    }

    static let fields: [APIField] = [
        .optional("nonParticipantAbove", .text), .optional("endUserAtLeast", .text), .optional("soldOrUsedAtLeast", .text),
        .optional("payPerOwnSales", .text), .optional("internalNumerator", .integer()), .optional("internalDenominator", .integer()),
        .optional("consumptionBelow", .integer()), .optional("customersPerMonth", .integer()), .optional("levelsAtMost", .integer(1...100)),
        .optional("lastDays", .integer(0...31)), .optional("kits", .array(.text)),
    ]
}

enum LegalPolicyStore {
    static func put(_ policy: LegalPolicy, of program: ProgramID, in write: Write) throws {
        guard try ProgramStore.newest(program, in: write.workspace.id, on: write.connection) != nil else { throw Refusal.unknownProgram() }
        try write.connection.execute(
            """
            INSERT INTO legal_policy (program_id, document, recorded_at) VALUES (\(program), \(JSONText(policy.json).text), \(write.now))
            ON CONFLICT (program_id) DO UPDATE SET document = excluded.document, recorded_at = excluded.recorded_at
            """)
        try write.audit("program.legal_policy", subject: program.text, JSONText(policy.json))
    }

    static func find(_ program: ProgramID, on connection: any Connection) throws -> LegalPolicy {
        guard let text: String = try connection.value("SELECT document FROM legal_policy WHERE program_id = \(program)") else { return LegalPolicy() }
        let reader = try JSONReader(JSONValue.parse(Array(text.utf8), maximumBytes: 1_000_000))
        let policy = LegalPolicy.read(reader)
        try reader.finish()
        return policy
    }
}
