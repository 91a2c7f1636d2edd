import Chronology
import Persistence
import Web

enum ExperimentStore {
    private static let columns =
        "id, workspace_id, program_id, name, kind, metric, holdout_ppm, layer, bucket_from, bucket_to, effect_ppm, refund_margin_ppm, fraud_margin_ppm, cost_margin, state, started_at, ended_at, chosen, created_at"

    static func insert(_ experiment: Experiment, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO experiment (\(raw: columns))
            VALUES (\(experiment.id), \(experiment.workspaceID), \(experiment.programID), \(experiment.name), \(experiment.kind.rawValue), \(experiment.metric.rawValue),
                    \(experiment.holdoutPPM), \(experiment.layer), \(experiment.buckets.lowerBound), \(experiment.buckets.upperBound), \(experiment.effectPPM),
                    \(experiment.guards.refundPPM), \(experiment.guards.fraudPPM), \(experiment.guards.costMinor), \(experiment.state.rawValue), \(experiment.startedAt),
                    \(experiment.endedAt), \(experiment.chosen), \(experiment.createdAt))
            """)
        for (position, variant) in experiment.variants.enumerated() {
            let content = JSONText(.object(variant.content.map { JSONMember($0.name, .text($0.text)) })).text
            try connection.execute(
                """
                INSERT INTO experiment_variant (experiment_id, position, name, weight, content)
                VALUES (\(experiment.id), \(position), \(variant.name), \(variant.weight), \(content))
                """)
        }
    }

    static func update(_ experiment: Experiment, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE experiment SET state = \(experiment.state.rawValue), started_at = \(experiment.startedAt), ended_at = \(experiment.endedAt), chosen = \(experiment.chosen)
            WHERE id = \(experiment.id)
            """)
    }

    static func insertStep(
        _ id: ExperimentID, kind: String, variant: Int?, reason: String, actor: String, at: Instant, on connection: any Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO experiment_step (experiment_id, number, kind, variant, reason, actor, at)
            SELECT \(id), COUNT(*) + 1, \(kind), \(variant), \(reason), \(actor), \(at) FROM experiment_step WHERE experiment_id = \(id)
            """)
    }

    struct Step: Sendable, Hashable {
        var kind: String
        var variant: Int?
        var reason: String
        var actor: String
        var at: Instant
    }

    static func steps(of id: ExperimentID, on connection: any Connection) throws -> [Step] {
        try connection.rows("SELECT kind, variant, reason, actor, at FROM experiment_step WHERE experiment_id = \(id) ORDER BY number LIMIT 100").map { row in
            Step(kind: try row.get(at: 0), variant: try row.get(at: 1), reason: try row.get(at: 2), actor: try row.get(at: 3), at: try row.get(at: 4))
        }
    }

    static func find(_ id: ExperimentID, in workspace: WorkspaceID, on connection: any Connection) throws -> Experiment? {
        try withVariants(connection.rows("SELECT \(raw: columns) FROM experiment WHERE id = \(id) AND workspace_id = \(workspace)"), on: connection).first
    }

    static func count(in workspace: WorkspaceID, on connection: any Connection) throws -> Int {
        try connection.value("SELECT COUNT(*) FROM experiment WHERE workspace_id = \(workspace)") ?? 0
    }

    static func list(
        in workspace: WorkspaceID, program: ProgramID? = nil, state: Experiment.State? = nil, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Experiment] {
        let programs: SQL = program.map { "AND program_id = \($0)" } ?? ""
        let states: SQL = state.map { "AND state = \($0.rawValue)" } ?? ""
        return try withVariants(
            connection.rows(
                "SELECT \(raw: columns) FROM experiment WHERE workspace_id = \(workspace) AND id > \(after ?? "") \(sql: programs) \(sql: states) ORDER BY id LIMIT \(limit)"),
            on: connection)
    }

    static func newest(in workspace: WorkspaceID, before: String?, limit: Int, on connection: any Connection) throws -> [Experiment] {
        let cursor: SQL = before.map { "AND id < \($0)" } ?? ""
        return try withVariants(
            connection.rows("SELECT \(raw: columns) FROM experiment WHERE workspace_id = \(workspace) \(sql: cursor) ORDER BY id DESC LIMIT \(limit)"), on: connection)
    }

    /// Those that decide what people get: running ones and concluded ones, the newest first.
    static func active(kind: Experiment.Kind, program: ProgramID, on connection: any Connection) throws -> [Experiment] {
        try withVariants(
            connection.rows(
                """
                SELECT \(raw: columns) FROM experiment WHERE program_id = \(program) AND kind = \(kind.rawValue) AND state IN ('running', 'concluded')
                ORDER BY id DESC LIMIT 20
                """), on: connection)
    }

    /// All of these kinds that have been started, the newest first.
    static func begun(kinds: [Experiment.Kind], program: ProgramID, on connection: any Connection) throws -> [Experiment] {
        try withVariants(
            connection.rows(
                """
                SELECT \(raw: columns) FROM experiment WHERE program_id = \(program) AND kind IN \(list: kinds.map(\.rawValue)) AND state <> 'draft'
                ORDER BY id DESC LIMIT 20
                """), on: connection)
    }

    /// What of a layer is taken by experiments that are not over, in order.
    static func buckets(ofLayer layer: String, in workspace: WorkspaceID, on connection: any Connection) throws -> [Range<Int>] {
        try connection.rows(
            """
            SELECT bucket_from, bucket_to FROM experiment WHERE workspace_id = \(workspace) AND layer = \(layer) AND state IN ('draft', 'running')
            ORDER BY bucket_from LIMIT \(Experiment.countMax)
            """
        ).compactMap { row in
            let (from, to): (Int, Int) = (try row.get(at: 0), try row.get(at: 1))
            return from < to ? from..<to : nil
        }
    }

    private static func withVariants(_ rows: [Row], on connection: any Connection) throws -> [Experiment] {
        var experiments = try rows.map(read)
        guard !experiments.isEmpty else { return [] }
        let found = try connection.rows(
            """
            SELECT experiment_id, name, weight, content FROM experiment_variant WHERE experiment_id IN \(list: experiments.map(\.id))
            ORDER BY experiment_id, position
            """)
        var variants: [ExperimentID: [Experiment.Variant]] = [:]
        for row in found {
            let id: ExperimentID = try row.get(at: 0)
            variants[id, default: []].append(Experiment.Variant(name: try row.get(at: 1), weight: try row.get(at: 2), content: content(try row.get(at: 3))))
        }
        for index in experiments.indices { experiments[index].variants = variants[experiments[index].id] ?? [] }
        return experiments
    }

    private static func content(_ text: String) -> [Experiment.Content] {
        guard case .object(let members)? = try? JSONValue.parse(Array(text.utf8), maximumBytes: 1_000_000) else { return [] }
        return members.compactMap { member in
            if case .text(let text) = member.value { Experiment.Content(name: member.name, text: text) } else { nil }
        }
    }

    private static func read(_ row: Row) throws -> Experiment {
        let (from, to): (Int, Int) = (try row.get(at: 8), try row.get(at: 9))
        return Experiment(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), name: try row.get(at: 3),
            kind: Experiment.Kind(rawValue: try row.get(at: 4)) ?? .other, metric: Experiment.Metric(rawValue: try row.get(at: 5)) ?? .conversion,
            holdoutPPM: try row.get(at: 6), layer: try row.get(at: 7), buckets: from..<max(from, to), effectPPM: try row.get(at: 10),
            guards: Experiment.Guards(refundPPM: try row.get(at: 11), fraudPPM: try row.get(at: 12), costMinor: try row.get(at: 13)),
            state: Experiment.State(rawValue: try row.get(at: 14)) ?? .draft, startedAt: try row.get(at: 15), endedAt: try row.get(at: 16),
            chosen: try row.get(at: 17), createdAt: try row.get(at: 18))
    }
}
