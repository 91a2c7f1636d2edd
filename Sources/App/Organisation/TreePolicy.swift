import Chronology
import Compensation
import Persistence
import Web

/// How new members find their place in a placement tree of a program, and how long their enroller may decide it.
struct TreePolicy: Sendable {
    enum Rule: String, Sendable, CaseIterable { case firstEmpty, leastFilled, outside, inside, weaker, stronger, balanced }
    enum Tank: String, Sendable, CaseIterable { case none, after, weekly, dayOfNextMonth }

    var width = 2
    var rule = Rule.firstEmpty
    /// For `outside` and `inside`.
    var slot = 1
    /// Levels below the enroller in which places are looked for; 0: without end.
    var depth = 0
    var tank = Tank.none
    var afterHours: Int64 = 0
    /// ISO weekday, and milliseconds since local midnight.
    var weekday = 1
    var timeOfDayMs: Int64 = 0
    var dayOfMonth = 1

    static let widthMax: Int64 = 1_000

    var engineRule: PlacementRule {
        switch rule {
        case .firstEmpty: .firstEmpty
        case .leastFilled: .leastFilled
        case .outside: .outside(slot: slot)
        case .inside: .inside(slot: slot)
        case .weaker: .weaker
        case .stronger: .stronger
        case .balanced: .balanced
        }
    }

    /// When a member who enrolled then is placed by the rule.
    func dueAt(_ enrolledAt: Instant, zone: ZoneOffsets) throws -> Instant {
        let deadline: HoldingTank.Deadline
        switch tank {
        case .none: return enrolledAt
        case .after: deadline = .afterMs(afterHours * 3_600_000)
        case .weekly: deadline = .weekly(weekday: weekday, timeOfDayMs: timeOfDayMs)
        case .dayOfNextMonth: deadline = .dayOfNextMonth(dayOfMonth)
        }
        return try HoldingTank(deadline: deadline, zone: zone).flushesAt(enrolledAt: enrolledAt)
    }

    static func read(_ body: JSONReader) -> TreePolicy {
        var policy = TreePolicy()
        if let value = body.optionalInteger("width", in: 1...widthMax) { policy.width = Int(value) }
        if let value = body.optionalOneOf("rule", Rule.self) { policy.rule = value }
        if let value = body.optionalInteger("slot", in: 1...widthMax) { policy.slot = Int(value) }
        if let value = body.optionalInteger("depth", in: 0...1_000) { policy.depth = Int(value) }
        if let value = body.optionalOneOf("tank", Tank.self) { policy.tank = value }
        if let value = body.optionalInteger("afterHours", in: 0...100_000) { policy.afterHours = value }
        if let value = body.optionalInteger("weekday", in: 1...7) { policy.weekday = Int(value) }
        if let value = body.optionalInteger("timeOfDayMs", in: 0...86_399_999) { policy.timeOfDayMs = value }
        if let value = body.optionalInteger("dayOfMonth", in: 1...31) { policy.dayOfMonth = Int(value) }
        if policy.slot > policy.width { body.note("slot", "Must not be beyond the width.") }
        return policy
    }

    var json: JSONValue {
        [
            "width": .integer(Int64(width)), "rule": .text(rule.rawValue), "slot": .integer(Int64(slot)), "depth": .integer(Int64(depth)),
            "tank": .text(tank.rawValue), "afterHours": .integer(afterHours), "weekday": .integer(Int64(weekday)),
            "timeOfDayMs": .integer(timeOfDayMs), "dayOfMonth": .integer(Int64(dayOfMonth)),
        ]
    }

    static let fields: [APIField] = [
        .optional("width", .integer(1...widthMax)), .optional("rule", .enumeration(Rule.allCases.map(\.rawValue))),
        .optional("slot", .integer(1...widthMax)), .optional("depth", .integer(0...1_000)),
        .optional("tank", .enumeration(Tank.allCases.map(\.rawValue))), .optional("afterHours", .integer(0...100_000)),
        .optional("weekday", .integer(1...7)), .optional("timeOfDayMs", .integer(0...86_399_999)), .optional("dayOfMonth", .integer(1...31)),
    ]
}

enum TreePolicyStore {
    /// Trees of one program at most.
    static let treesMax = 10

    static func put(_ policy: TreePolicy, _ tree: String, of program: ProgramID, in write: Write) throws {
        guard try ProgramStore.exists(program, in: write.workspace.id, on: write.connection) else { throw Refusal.unknownProgram() }
        let known = try all(of: program, on: write.connection)
        guard known.count < treesMax || known.contains(where: { $0.tree == tree }) else {
            throw Problem.conflict(code: "too_many_trees", detail: "A program may have at most \(treesMax) placement trees.")
        }
        try write.connection.execute(
            """
            INSERT INTO tree_policy (program_id, tree, document, recorded_at) VALUES (\(program), \(tree), \(JSONText(policy.json).text), \(write.now))
            ON CONFLICT (program_id, tree) DO UPDATE SET document = excluded.document, recorded_at = excluded.recorded_at
            """)
        try write.audit("program.tree_policy", subject: program.text, JSONText(["tree": .text(tree), "policy": policy.json]))
    }

    static func all(of program: ProgramID, on connection: any Connection) throws -> [(tree: String, policy: TreePolicy)] {
        try connection.rows("SELECT tree, document FROM tree_policy WHERE program_id = \(program) ORDER BY tree").map { row in
            let text: String = try row.get(at: 1)
            let reader = try JSONReader(JSONValue.parse(Array(text.utf8), maximumBytes: 100_000))
            let policy = TreePolicy.read(reader)
            try reader.finish()
            return (try row.get(at: 0), policy)
        }
    }

    static func find(_ program: ProgramID, _ tree: String, on connection: any Connection) throws -> TreePolicy? {
        try all(of: program, on: connection).first { $0.tree == tree }?.policy
    }
}
