import Compensation
import Money
import Persistence
import Web

/// The limits of the legal audit of a program's runs, and what the company promises its participants: a lawyer sets them.
struct LegalPolicy: Sendable {
    var limits = LegalLimits()
    /// By ISO 3166 code; nil: those that the engine knows.
    var countries: [String: LegalLimits]?
    var terms = LegalTerms()
    /// Products that are kits or fees: nobody is paid for them.
    var kits: Set<String> = []

    static let kitsMax = 1_000
    static let countriesMax = 250

    func countries(unit: UnitCode) -> [String: LegalLimits] { countries ?? LegalLimits.countries(unit: unit.code) }

    static func read(_ body: JSONReader) -> LegalPolicy {
        var policy = LegalPolicy()
        policy.limits = limits(body, over: LegalLimits())
        if body.has("kits") { policy.kits = Set(body.textList("kits", maximumCount: kitsMax, maximumLength: 200)) }
        if body.has("countries") {
            var countries: [String: LegalLimits] = [:]
            for (country, limits) in body.array("countries", count: 0...countriesMax, { part in (Self.country(part), Self.limits(part, over: policy.limits)) }) {
                countries[country] = limits
            }
            policy.countries = countries
        }
        body.optionalObject("terms") { part in
            policy.terms = LegalTerms(
                buyBack: rate(part, "buyBack", nil), buyBackMonths: part.optionalInteger("buyBackMonths", in: 0...1_200),
                cancellationDays: part.optionalInteger("cancellationDays", in: 0...3_650))
        }
        return policy
    }

    private static func country(_ part: JSONReader) -> String {
        part.custom("country", standIn: "") { value in
            guard case .text(let text) = value, text.utf8.count == 2, text.utf8.allSatisfy({ (65...90).contains($0) }) else {
                return .refused("Must be a country's code of two capital letters, such as \"GB\".")
            }
            return .accepted(text)
        }
    }

    private static func rate(_ body: JSONReader, _ field: String, _ standard: Rate?) -> Rate? {
        if body.isNull(field) { return nil }
        return body.optionalCustom(field) { value -> JSONReader.Reading<Rate> in
            guard case .text(let text) = value, let rate = try? Rate(text) else { return .refused("Must be a decimal in a text, such as \"0.8\".") }
            return .accepted(rate)
        } ?? standard
    }

    /// What is not sent keeps the value of `base`; `null` is no limit.
    private static func limits(_ body: JSONReader, over base: LegalLimits) -> LegalLimits {
        var limits = base
        func whole(_ field: String, _ range: ClosedRange<Int64>, _ standard: Int64) -> Int64 { body.optionalInteger(field, in: range) ?? standard }
        func optional(_ field: String, _ range: ClosedRange<Int64>, _ standard: Int64?) -> Int64? {
            body.isNull(field) ? nil : body.optionalInteger(field, in: range) ?? standard
        }
        limits.nonParticipantAbove = rate(body, "nonParticipantAbove", base.nonParticipantAbove)
        limits.endUserAtLeast = rate(body, "endUserAtLeast", base.endUserAtLeast)
        limits.soldOrUsedAtLeast = rate(body, "soldOrUsedAtLeast", base.soldOrUsedAtLeast)
        limits.buyBackAtLeast = rate(body, "buyBackAtLeast", base.buyBackAtLeast)
        limits.payPerOwnSales = rate(body, "payPerOwnSales", base.payPerOwnSales)
        limits.internalNumerator = whole("internalNumerator", 0...1_000_000, base.internalNumerator)
        limits.internalDenominator = whole("internalDenominator", 1...1_000_000, base.internalDenominator)
        limits.consumptionBelowMinor = whole("consumptionBelow", 0...1_000_000_000_000, base.consumptionBelowMinor)
        limits.customersPerMonth = whole("customersPerMonth", 0...1_000_000, base.customersPerMonth)
        limits.buyBackMonths = whole("buyBackMonths", 0...1_200, base.buyBackMonths)
        limits.earlyPaidAtMostMinor = optional("earlyPaidAtMost", 0...1_000_000_000_000, base.earlyPaidAtMostMinor)
        limits.earlyDays = whole("earlyDays", 1...366, base.earlyDays)
        limits.cancellationDays = optional("cancellationDays", 0...3_650, base.cancellationDays)
        limits.levelsAtMost = optional("levelsAtMost", 1...100, base.levelsAtMost.map { Int64($0) }).map { Int($0) }
        limits.lastDays = whole("lastDays", 0...31, base.lastDays)
        return limits
    }

    /// As it is stored; with a unit as it is shown: with the sources, and with countries that nobody set as the engine knows them.
    func json(unit: UnitCode? = nil) -> JSONValue {
        var members = Self.members(limits)
        members.append(JSONMember("kits", .array(kits.sorted().map { .text($0) })))
        if let countries = countries ?? unit.map({ LegalLimits.countries(unit: $0.code) }) {
            members.append(
                JSONMember(
                    "countries",
                    .array(
                        countries.sorted { $0.key < $1.key }.map { country, limits in
                            .object([JSONMember("country", .text(country))] + Self.members(limits))
                        })))
        }
        members.append(
            JSONMember(
                "terms",
                [
                    "buyBack": Self.text(terms.buyBack), "buyBackMonths": Self.number(terms.buyBackMonths),
                    "cancellationDays": Self.number(terms.cancellationDays),
                ]))
        if unit != nil { members.append(JSONMember("sources", Self.sources)) }
        return .object(members)
    }

    /// Where the limits come from, check by check.
    private static var sources: JSONValue {
        .array(
            LegalSource.all.map {
                ["check": .text($0.check.code), "country": $0.country.map { .text($0) } ?? .null, "source": .text($0.source)]
            })
    }

    private static func text(_ rate: Rate?) -> JSONValue { rate.map { .text("\($0)") } ?? .null }
    private static func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }

    private static func members(_ limits: LegalLimits) -> [JSONMember] {
        [
            JSONMember("nonParticipantAbove", text(limits.nonParticipantAbove)), JSONMember("endUserAtLeast", text(limits.endUserAtLeast)),
            JSONMember("soldOrUsedAtLeast", text(limits.soldOrUsedAtLeast)), JSONMember("payPerOwnSales", text(limits.payPerOwnSales)),
            JSONMember("internalNumerator", .integer(limits.internalNumerator)), JSONMember("internalDenominator", .integer(limits.internalDenominator)),
            JSONMember("consumptionBelow", .integer(limits.consumptionBelowMinor)), JSONMember("customersPerMonth", .integer(limits.customersPerMonth)),
            JSONMember("buyBackAtLeast", text(limits.buyBackAtLeast)), JSONMember("buyBackMonths", .integer(limits.buyBackMonths)),
            JSONMember("earlyPaidAtMost", number(limits.earlyPaidAtMostMinor)), JSONMember("earlyDays", .integer(limits.earlyDays)),
            JSONMember("cancellationDays", number(limits.cancellationDays)), JSONMember("levelsAtMost", number(limits.levelsAtMost.map { Int64($0) })),
            JSONMember("lastDays", .integer(limits.lastDays)),
        ]
    }

    private static let limitFields: [APIField] = [
        .optional("nonParticipantAbove", .text), .optional("endUserAtLeast", .text), .optional("soldOrUsedAtLeast", .text),
        .optional("payPerOwnSales", .text), .optional("internalNumerator", .integer()), .optional("internalDenominator", .integer()),
        .optional("consumptionBelow", .integer()), .optional("customersPerMonth", .integer()), .optional("buyBackAtLeast", .text),
        .optional("buyBackMonths", .integer()), .optional("earlyPaidAtMost", .integer()), .optional("earlyDays", .integer()),
        .optional("cancellationDays", .integer()), .optional("levelsAtMost", .integer(1...100)), .optional("lastDays", .integer(0...31)),
    ]

    static let fields: [APIField] =
        limitFields + [
            .optional("kits", .array(.text)), .optional("countries", .array(.object([.required("country", .text)] + limitFields))),
            .optional(
                "terms",
                .object([.optional("buyBack", .text), .optional("buyBackMonths", .integer()), .optional("cancellationDays", .integer())])),
        ]
}

enum LegalPolicyStore {
    static func put(_ policy: LegalPolicy, of program: ProgramID, in write: Write) throws {
        guard try ProgramStore.exists(program, in: write.workspace.id, on: write.connection) else { throw Refusal.unknownProgram() }
        try write.connection.execute(
            """
            INSERT INTO legal_policy (program_id, document, recorded_at) VALUES (\(program), \(JSONText(policy.json()).text), \(write.now))
            ON CONFLICT (program_id) DO UPDATE SET document = excluded.document, recorded_at = excluded.recorded_at
            """)
        try write.audit("program.legal_policy", subject: program.text, JSONText(policy.json()))
    }

    static func find(_ program: ProgramID, on connection: any Connection) throws -> LegalPolicy {
        guard let text: String = try connection.value("SELECT document FROM legal_policy WHERE program_id = \(program)") else { return LegalPolicy() }
        let reader = try JSONReader(JSONValue.parse(Array(text.utf8), maximumBytes: 1_000_000))
        let policy = LegalPolicy.read(reader)
        try reader.finish()
        return policy
    }
}
